#ifndef ROAM_RUNTIME_CHECKPOINT_WATCH_WORTH_H_
#define ROAM_RUNTIME_CHECKPOINT_WATCH_WORTH_H_

#include <cstdint>

namespace roam::runtime {

// Whether it pays to look which pages have been written, while threads stand still, or all had
// better be copied. A look takes 1 to 20 ns for each page that is mapped; but where the kernel runs
// under a hypervisor that keeps page tables of its own, each page table in which something is
// protected anew takes tens of microseconds, and the pages of many threads are in as many page
// tables. So both are timed.
class WatchWorth {
 public:
  // So many checkpoints copy all without a look, after one that took too long.
  static constexpr int kRest = 16;
  // Shorter looks, and the speed of shorter copies, mean nothing.
  static constexpr std::int64_t kShortNs = 20'000'000;
  static constexpr std::uint64_t kFewBytes = 1 << 20;

  // Whether the checkpoint that begins looks.
  bool looks() {
    rests_ = rest_ != 0;
    if (rests_) --rest_;
    return !rests_;
  }
  // The one that looks() was asked for copies all, without comparing either.
  bool rests() const { return rests_; }
  // A look at `bytes` that are mapped took `ns`. False: it is not worth it, for a while.
  bool looked(std::int64_t ns, std::uint64_t bytes) {
    if (ns < kShortNs || copied_ == 0) return true;
    const double all_ns =
        static_cast<double>(copied_ns_) / static_cast<double>(copied_) * static_cast<double>(bytes);
    if (static_cast<double>(ns) < all_ns) return true;
    rest_ = kRest;
    rests_ = true;
    return false;
  }
  // `bytes` of memory were copied in `ns`.
  void copied(std::int64_t ns, std::uint64_t bytes) {
    if (bytes < kFewBytes) return;
    copied_ns_ = ns;
    copied_ = bytes;
  }

 private:
  int rest_ = 0;
  bool rests_ = false;
  std::int64_t copied_ns_ = 0;  // of the last copy; of none: not known
  std::uint64_t copied_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_CHECKPOINT_WATCH_WORTH_H_
