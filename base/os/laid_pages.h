#ifndef ROAM_BASE_OS_LAID_PAGES_H_
#define ROAM_BASE_OS_LAID_PAGES_H_

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>

#include "base/range.h"

namespace roam::os {

// Where pages of files lie over our own memory (file_pages.h): who gives access to memory around
// them leaves them as they are. Context: any kernel thread.
class LaidPages {
 public:
  void add(Range range) {
    const std::lock_guard hold(lock_);
    ends_[range.begin] = range.end();
  }
  // REQUIRES: it was added.
  void remove(Range range) {
    const std::lock_guard hold(lock_);
    ends_.erase(range.begin);
  }
  // Calls `visit` with each part of `range` in which there are none, until it returns false.
  // Whether it never did.
  template <class F>
  bool for_each_gap(Range range, F visit) {
    const std::lock_guard hold(lock_);
    Address from = range.begin;
    auto laid = ends_.upper_bound(from);
    if (laid != ends_.begin()) from = std::max(from, std::prev(laid)->second);
    for (; laid != ends_.end() && laid->first < range.end(); ++laid) {
      if (laid->first > from && !visit(Range{from, laid->first - from})) return false;
      from = laid->second;
    }
    return from >= range.end() || visit(Range{from, range.end() - from});
  }

 private:
  std::mutex lock_;
  std::map<Address, Address> ends_;  // by begin
};

LaidPages& laid_pages();

}  // namespace roam::os

#endif  // ROAM_BASE_OS_LAID_PAGES_H_
