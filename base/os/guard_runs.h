#ifndef ROAM_BASE_OS_GUARD_RUNS_H_
#define ROAM_BASE_OS_GUARD_RUNS_H_

#include <algorithm>
#include <cstddef>

#include "base/range.h"

namespace roam::os {

// Which addresses are guarded by mprotect, as runs: each is about two mappings, however many guards
// lie side by side in it. Allocates nothing: guards are taken away in a signal handler too.
template <std::size_t kMost>
class GuardRuns {
 public:
  std::size_t size() const { return count_; }

  // False, and nothing is noted, if there would be more than kMost runs.
  bool add(Range range) {
    Range* from = first_that_ends_at_or_above(range.begin);
    Range* to = from;
    Address begin = range.begin, end = range.end();
    for (; to != runs_ + count_ && to->begin <= range.end(); ++to) {
      begin = std::min(begin, to->begin);
      end = std::max(end, to->end());
    }
    if (from == to && count_ >= kMost) return false;
    replace(from, to, Range{begin, end - begin}, Range{});
    return true;
  }

  // Any part of what was added, or of nothing.
  void remove(Range range) {
    Range* from = first_that_ends_at_or_above(range.begin + 1);
    Range* to = from;
    Range below, above;
    for (; to != runs_ + count_ && to->begin < range.end(); ++to) {
      if (to->begin < range.begin) below = Range{to->begin, range.begin - to->begin};
      if (to->end() > range.end()) above = Range{range.end(), to->end() - range.end()};
    }
    replace(from, to, below, above);
  }

 private:
  Range* first_that_ends_at_or_above(Address a) {
    return std::partition_point(runs_, runs_ + count_,
                                [a](const Range& run) { return run.end() < a; });
  }

  // Puts those of `a` and `b` that are not empty where [from, to) is.
  void replace(Range* from, Range* to, Range a, Range b) {
    const std::size_t fresh = (a.bytes != 0) + (b.bytes != 0);
    const std::size_t old = static_cast<std::size_t>(to - from);
    Range* end = runs_ + count_;
    if (fresh > old) {
      std::move_backward(to, end, end + (fresh - old));
    } else {
      std::move(to, end, from + fresh);
    }
    count_ = count_ + fresh - old;
    if (a.bytes != 0) *from++ = a;
    if (b.bytes != 0) *from = b;
    count_ = std::min(count_, kMost + kSplits);
  }

  // What is taken out of the middle of a run leaves two. Beyond so many the highest are forgotten:
  // then there are more guards than are counted.
  static constexpr std::size_t kSplits = kMost / 4;
  Range runs_[kMost + kSplits + 1];
  std::size_t count_ = 0;
};

}  // namespace roam::os

#endif  // ROAM_BASE_OS_GUARD_RUNS_H_
