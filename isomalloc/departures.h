#ifndef ROAM_ISOMALLOC_DEPARTURES_H_
#define ROAM_ISOMALLOC_DEPARTURES_H_

#include <cstdint>

#include "base/range.h"
#include "isomalloc/layout.h"
#include "isomalloc/table.h"
#include "isomalloc/unit_map.h"

namespace roam::iso {

// What leaves the node from this rank: memory whose thread goes is marked kLeaving, and kept for
// its return once it has left. A departure has a number: a unit may have come back, in another
// thread, and be leaving again when the first departure ends. Context: the rank's kernel thread.
class Departures {
 public:
  // Errors: Error(out_of_memory).
  void start(const Layout& layout, UnitMap* units);
  void release() { last_.unmap(); }

  // Ranks of a node mark what they send differently: there are so many marks.
  static constexpr int kMostNodeRanks = 256 - static_cast<int>(UnitKind::kLeaving);
  // REQUIRES: 0 <= node_rank < kMostNodeRanks.
  void set_node_rank(int node_rank);
  void leave(Range range, std::uint32_t departure);
  // Marks kKept what left with `departure` and has not come back meanwhile.
  void keep(Range range, std::uint32_t departure);
  // With which the unit of `a` left last; 0 if it never did.
  std::uint32_t last(Address a) const { return last_[unit_of(a)]; }

 private:
  std::size_t unit_of(Address a) const { return (a - begin_) / kUnitBytes; }

  UnitMap* units_ = nullptr;
  Address begin_ = 0;
  UnitKind mark_ = UnitKind::kLeaving;
  Table<std::uint32_t> last_;  // of each unit
};

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_DEPARTURES_H_
