#include "threads/tcb.h"

#include <cstddef>

namespace roam::detail {

const char* to_string(State state) {
  switch (state) {
    case State::kFree:
      return "free";
    case State::kReady:
      return "ready";
    case State::kBlocked:
      return "waiting";
    case State::kSleeping:
      return "sleeping";
    case State::kDeparting:
      return "departing";
    case State::kEnded:
      return "ended";
  }
  return "?";
}

Tcb* tcb_of_heap(iso::Heap* heap) {
  static const std::size_t offset = [] {
    Tcb* probe = reinterpret_cast<Tcb*>(Address{1} << 20);
    return reinterpret_cast<Address>(&probe->heap) - reinterpret_cast<Address>(probe);
  }();
  return reinterpret_cast<Tcb*>(reinterpret_cast<Address>(heap) - offset);
}

Tcb* owner_of(const void* address) {
  iso::Arena& a = iso::arena();
  if (!a.ready() || !a.contains(address)) return nullptr;
  const Address at = reinterpret_cast<Address>(address);
  if (a.region(iso::Region::kSlots).contains(at)) {
    Address unit = round_down(at, iso::kUnitBytes);
    while (a.units().kind(unit) == iso::UnitKind::kSlot ||
           a.units().kind(unit) == iso::UnitKind::kContinued)
      unit += iso::kUnitBytes;
    if (a.units().kind(unit) != iso::UnitKind::kSlotHead &&
        a.units().kind(unit) != iso::UnitKind::kRemains)
      return nullptr;
    a.reach_head(unit);
    Tcb* t = tcb_of_head_unit(unit);
    while (t->holder != nullptr) {
      t = t->holder;
      a.reach_head(round_down(reinterpret_cast<Address>(t), iso::kUnitBytes));
    }
    return t;
  }
  iso::Heap* heap = iso::heap_of(address);
  return heap != nullptr ? tcb_of_heap(heap) : nullptr;
}

}  // namespace roam::detail
