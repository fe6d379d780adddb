#include "threads/inspect.h"

#include <cstddef>
#include <cstring>
#include <iterator>

#include "isomalloc/arena.h"
#include "threads/scheduler.h"

namespace {
constexpr std::size_t kMostFacts = 64;
}

extern "C" {
// Not constant: the addresses are known when the rank starts.
[[gnu::used, gnu::visibility("default")]] roam::threads::InspectFact roam_inspect[kMostFacts] = {};
}

namespace roam::threads {
namespace {

// Tcb is not of standard layout, so offsetof is not for it.
template <class T>
std::uint64_t offset_of(T Tcb::*field) {
  const Tcb* probe = reinterpret_cast<const Tcb*>(Address{1} << 20);
  return reinterpret_cast<Address>(&(probe->*field)) - reinterpret_cast<Address>(probe);
}

std::uint64_t address_of(const void* p) { return reinterpret_cast<std::uint64_t>(p); }

const char* state_names[] = {
    to_string(State::kFree),     to_string(State::kReady),     to_string(State::kBlocked),
    to_string(State::kSleeping), to_string(State::kDeparting), to_string(State::kEnded),
};

}  // namespace

void publish_inspect_facts(int rank, int ranks) {
  const iso::Arena& arena = iso::arena();
  const Range slots = arena.region(iso::Region::kSlots);
  const InspectFact facts[] = {
      {"rank", static_cast<std::uint64_t>(rank)},
      {"ranks", static_cast<std::uint64_t>(ranks)},
      {"current", address_of(scheduler().current_address())},
      // Where control blocks are: in the units that the map, a byte a unit from the arena's begin,
      // says are heads of slots; one flag a lease says whether all of it is there, another whether
      // anything of it is this rank's to look at.
      {"arena", arena.whole().begin},
      {"slots", slots.begin},
      {"slot_bytes", slots.bytes},
      {"lease_bytes", arena.lease_bytes()},
      {"lease_flags", address_of(arena.leases().node_flags())},
      {"lease_open", address_of(arena.leases().rank_flags())},
      {"unit_bytes", iso::kUnitBytes},
      {"slot_head", static_cast<std::uint64_t>(iso::UnitKind::kSlotHead)},
      // Where in its unit: tcb_of_head_unit().
      {"page_bytes", kPageBytes},
      {"least_stack", detail::kLeastStackInHeadPage},
      {"colour_step", detail::kColourStep},
      {"colours", detail::kColours},
      {"state_names", address_of(state_names)},
      {"states", std::size(state_names)},
      // Fields of a control block.
      {"tcb.context", offset_of(&Tcb::context)},
      {"tcb.rank", offset_of(&Tcb::rank)},
      {"tcb.state", offset_of(&Tcb::state)},
      {"tcb.cold", offset_of(&Tcb::cold)},
      {"tcb.move_to", offset_of(&Tcb::move_to)},
      {"tcb.id", offset_of(&Tcb::id)},
      {"tcb.pins", offset_of(&Tcb::pins)},
      {"tcb.open_objects", offset_of(&Tcb::open_objects)},
      {"tcb.locks", offset_of(&Tcb::locks)},
      {"tcb.tied", offset_of(&Tcb::tied)},
      {"tcb.waits_for", offset_of(&Tcb::waits_for)},
      {"tcb.waits_at", offset_of(&Tcb::waits_at)},
      {"tcb.guest", offset_of(&Tcb::guest)},
      {"tcb.slot", offset_of(&Tcb::slot)},
      {"tcb.long_name", offset_of(&Tcb::long_name)},
      {"tcb.short_name", offset_of(&Tcb::short_name)},
      {"tcb.bytes", sizeof(Tcb)},
  };
  static_assert(std::size(facts) < kMostFacts);
  std::memcpy(roam_inspect, facts, sizeof facts);
}

void retract_inspect_facts() { std::memset(roam_inspect, 0, sizeof roam_inspect); }

}  // namespace roam::threads
