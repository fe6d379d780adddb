#ifndef ROAM_ISOMALLOC_FREE_RANGES_H_
#define ROAM_ISOMALLOC_FREE_RANGES_H_

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/range.h"

namespace roam::iso {

// Address ranges that are free, by address and by size. Neighbours grow together. O(log n) each.
class FreeRanges {
 public:
  bool empty() const { return by_address_.empty(); }
  void insert(Range range);  // stops the program if part of it is free already
  // The first `bytes` of the smallest range that has them; of several such, of the lowest.
  std::optional<Range> take(std::size_t bytes);
  // Takes exactly `range` out; false, and nothing has changed, unless all of it is free.
  bool cut(Range range);
  // The free range that `a` lies in; empty if there is none.
  Range holding(Address a) const;
  // REQUIRES: !empty().
  Range largest() const { return Range{by_size_.rbegin()->second, by_size_.rbegin()->first}; }
  void clear() {
    by_address_.clear();
    by_size_.clear();
  }

 private:
  void add(Range range);
  void remove(Range range);

  std::map<Address, std::size_t> by_address_;
  std::set<std::pair<std::size_t, Address>> by_size_;
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_FREE_RANGES_H_
