#include "runtime/teams/members.h"

namespace roam::runtime {

using detail::Member;
using detail::Parcel;

void Members::came(Tcb* t) {
  residents_.add(*t->member);
  gatherings_.came(t->member->team);
}

Departure Members::departs(Tcb* t, bool other_node) {
  Member& m = *t->member;
  if (m.pulls > 0) return Departure::kWait;
  if (other_node) {
    if (const Departure sends = open_.detach_all(m); sends != Departure::kGo) return sends;
    // A parcel that stays with its member lies in the member's memory.
    bool all = true;
    m.mailbox.change_all([&](Parcel* parcel) {
      Parcel* moved = move_into(t, parcel, parcels_);
      all = all && moved != nullptr;
      return moved != nullptr ? moved : parcel;
    });
    if (!all) return Departure::kNoMemory;
  }
  residents_.remove(m);
  gatherings_.left(m.team);
  return Departure::kGo;
}

Departure Members::leaves(Tcb* self) {
  Member& me = *self->member;
  if (const Departure sends = open_.detach_all(me); sends != Departure::kGo) return sends;
  residents_.remove(me);
  me.mailbox.take_all([&](Parcel* parcel) { open_.drop(parcel); });
  flow_.ends(me);
  gatherings_.left(me.team);
  return Departure::kGo;
}

void Members::forget_team(std::uint64_t team) {
  whereabouts_.forget_team(team);
  gatherings_.forget_team(team);
}

std::uint64_t Members::held_back() const {
  std::uint64_t count = 0;
  residents_.for_each(
      [&](const Member& m) { count += m.waiting && (m.full != nullptr || m.sends != nullptr); });
  return count;
}

}  // namespace roam::runtime
