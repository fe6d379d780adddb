#ifndef ROAM_ISOMALLOC_FREE_RANGES_H_
#define ROAM_ISOMALLOC_FREE_RANGES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/range.h"

namespace roam::iso {

// Address ranges that are free, by address and by size. Neighbours grow together, and are as young
// as the younger of them. O(log n) each. Errors: bad_alloc, and nothing has changed, where what is
// inserted has no neighbour, or is cut out of the middle.
class FreeRanges {
 public:
  bool empty() const { return by_address_.empty(); }
  std::size_t bytes() const { return bytes_; }  // of all
  std::size_t count() const { return by_size_.size(); }
  // Those shorter than `bytes`, the shortest first.
  std::vector<Range> shorter_than(std::size_t bytes) const;
  void insert(Range range);  // stops the program if part of it is free already
  // The first `bytes` of the smallest range that has them; of several such, of the lowest.
  std::optional<Range> take(std::size_t bytes);
  // The same of its last `bytes`; of several such, of the lowest.
  std::optional<Range> take_last(std::size_t bytes);
  // Takes exactly `range` out; false, and nothing has changed, unless all of it is free.
  bool cut(Range range);
  // The free range that `a` lies in; empty if there is none.
  Range holding(Address a) const;
  // REQUIRES: !empty().
  Range largest() const { return Range{by_size_.rbegin()->second, by_size_.rbegin()->first}; }
  // All, the one first that has not changed for the longest time. O(n log n).
  std::vector<Range> by_age() const;
  void clear() { *this = FreeRanges(); }

 private:
  struct Free {
    std::size_t bytes;
    std::uint64_t born;  // when a part of it was inserted last
  };
  using ByAddress = std::map<Address, Free>;
  void add(Range range, std::uint64_t born);
  void remove(ByAddress::const_iterator it);
  void change(ByAddress::const_iterator it, Range range, std::uint64_t born);
  ByAddress::const_iterator find(Address a) const;  // the range that `a` lies in

  std::size_t bytes_ = 0;
  std::uint64_t inserted_ = 0;
  ByAddress by_address_;
  std::set<std::pair<std::size_t, Address>> by_size_;
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_FREE_RANGES_H_
