#ifndef ROAM_RUNTIME_MOVE_LIVE_REPORTS_H_
#define ROAM_RUNTIME_MOVE_LIVE_REPORTS_H_

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

namespace roam::runtime {

// What a live move of a thread did.
struct LiveReport {
  bool live = false;     // else it was an ordinary one
  bool pending = false;  // the thread is to take it along
  bool gone = false;     // it did; what is left here says that there was one
  std::uint32_t rounds = 0;
  std::uint64_t bytes_running = 0;
  std::uint64_t bytes_still = 0;
  std::int64_t still_ns = 0;
  std::string why;  // it was ordinary, or stood still for longer than it was asked to
};

// The last ones of threads that have come to this rank, or were asked to move here. Context: the
// rank's kernel thread.
class LiveReports {
 public:
  void note(std::uint64_t id, LiveReport report) {
    if (!of_.contains(id)) {
      oldest_first_.push_back(id);
      if (oldest_first_.size() > kMost) {
        of_.erase(oldest_first_.front());
        oldest_first_.pop_front();
      }
    }
    of_[id] = std::move(report);
  }
  void forget(std::uint64_t id) {
    if (of_.erase(id) != 0) std::erase(oldest_first_, id);
  }
  bool empty() const { return of_.empty(); }
  LiveReport* find(std::uint64_t id) {
    const auto it = of_.find(id);
    return it == of_.end() ? nullptr : &it->second;
  }

 private:
  static constexpr std::size_t kMost = 1024;
  std::unordered_map<std::uint64_t, LiveReport> of_;
  std::deque<std::uint64_t> oldest_first_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_MOVE_LIVE_REPORTS_H_
