#ifndef ROAM_RUNTIME_BALANCING_PULL_PATIENCE_H_
#define ROAM_RUNTIME_BALANCING_PULL_PATIENCE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace roam::runtime {

// Of another rank's members that are ready, how many an idle rank pulls.
enum class Pull { kNone, kOne, kHalf };

// When a rank has been idle for so long that it pulls members of others. Once is not enough: where
// members meet in each step, every rank waits a little for the last one, and a member that is
// pulled then is missing there in the next step. So idle time is saved up, and busy time spends it,
// at such a rate that a rank has never enough which is idle for less than its share of one member:
// to pull one would only have the other rank wait. Of a rank that waits in each step one is pulled
// at a time, since many that are ready there have computed already, and go on to wait for others.
//
// Units: ticks, of which there are some 2.5 a nanosecond.
class PullPatience {
 public:
  // Idle so long without a break, some 40 us: what comes sooner is not worth a move, and a member
  // that computes less would only go to and fro.
  static constexpr std::uint64_t kAtOnce = 100'000;
  // Saved up so much, some 4 ms: more than a slice that the kernel gives to another process, for
  // which the others may be waiting.
  static constexpr std::uint64_t kEnough = 10'000'000;
  static constexpr std::uint64_t kMost = 2 * kEnough;

  // The rank is idle, with so many threads that wait; `begins`: it was not until now.
  Pull look(std::uint64_t now, bool begins, std::size_t threads) {
    const std::uint64_t passed = now - last_;
    last_ = now;
    if (begins) {
      saved_ -= std::min(saved_, passed / std::max<std::size_t>(1, threads * 2 / 3));
      since_ = now;
      return Pull::kNone;
    }
    saved_ = std::min(saved_ + passed, kMost);
    if (now - since_ < kAtOnce || saved_ < kEnough) return Pull::kNone;
    return now - since_ < kEnough ? Pull::kOne : Pull::kHalf;
  }

 private:
  std::uint64_t since_ = 0, last_ = 0;
  std::uint64_t saved_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_BALANCING_PULL_PATIENCE_H_
