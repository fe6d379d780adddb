#include "isomalloc/departures.h"

#include "base/check.h"

namespace roam::iso {

void Departures::start(const Layout& layout, UnitMap* units) {
  units_ = units;
  begin_ = layout.whole().begin;
  last_.map(layout.units());
}

void Departures::set_node_rank(int node_rank) {
  ROAM_CHECK(node_rank >= 0 && node_rank < kMostNodeRanks, "a node has no rank %d", node_rank);
  mark_ = static_cast<UnitKind>(static_cast<int>(UnitKind::kLeaving) + node_rank);
}

void Departures::leave(Range range, std::uint32_t departure) {
  for (Address a = range.begin; a < range.end(); a += kUnitBytes) {
    last_[unit_of(a)] = departure;
    units_->set_kind(a, mark_);
  }
}

void Departures::keep(Range range, std::uint32_t departure) {
  for (Address a = range.begin; a < range.end(); a += kUnitBytes) {
    if (last(a) == departure) units_->change(a, mark_, UnitKind::kKept);
  }
}

}  // namespace roam::iso
