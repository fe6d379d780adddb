#include "runtime/place/locator.h"

#include "isomalloc/arena.h"

namespace roam::runtime {

// The rank is read before the id. A thread of this rank stays one until this rank lets it go, so an
// id that is read after this rank was seen belongs to it. The other way round, the thread may end
// on another rank between the two, and its slot come here with the next thread.
Tcb* Locator::find_on_node(Target t, int* there) const {
  iso::Arena& arena = iso::arena();
  const Address at = reinterpret_cast<Address>(t.control);
  if (!arena.region(iso::Region::kSlots).contains(at)) return nullptr;
  const Address unit = round_down(at, iso::kUnitBytes);
  if (arena.units().kind(unit) != iso::UnitKind::kSlotHead ||
      detail::tcb_of_head_unit(unit) != t.control)
    return nullptr;
  arena.reach_head(unit);
  *there = t.control->rank.load(std::memory_order_acquire);
  if (t.control->id.load(std::memory_order_acquire) != t.id) return nullptr;
  // Memory of a thread that left may be dropped at any time, and then reads as rank 0.
  if (*there == net_.rank() && t.control->rank.load(std::memory_order_acquire) != net_.rank())
    *there = -1;
  return *there >= 0 ? t.control : nullptr;
}

Locator::Where Locator::locate(Target t, int* there) const {
  const int home = home_of(t.id);
  if (t.id == 0 || home < 0 || home >= net_.ranks()) return Where::kUnknown;
  if (find_on_node(t, there) != nullptr)
    return *there == net_.rank() ? Where::kHere : Where::kThere;
  if (home != net_.rank()) {
    *there = home;
    return Where::kThere;
  }
  if (!directory_.known(t.id)) return Where::kUnknown;
  if (directory_.ended(t.id)) return Where::kEnded;
  const auto away = directory_.away(t.id);
  if (!away || *away == net_.rank()) return Where::kLater;  // on its way: news will come
  *there = *away;
  return Where::kThere;
}

void Locator::note_arrival(std::uint64_t id, std::uint64_t hops, int from) {
  const int home = home_of(id);
  if (!net_.same_node(home) && home != from)
    net_.send(home, LocatedHead{Kind::kLocated, hops, id, net_.rank()});
}

std::span<const Kind> Locator::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kLocated};
  return kOwn;
}

void Locator::handle(int, const char* message, std::size_t) {
  const auto head = read<LocatedHead>(message);
  if (!directory_.ended(head.id)) directory_.set_away(head.id, head.rank, head.hops);
}

}  // namespace roam::runtime
