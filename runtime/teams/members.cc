#include "runtime/teams/members.h"

namespace roam::runtime {

void Members::came(Tcb* t) {
  post_.arrived(t);
  gatherings_.came(t->member->team);
}

Departure Members::departs(Tcb* t, bool other_node) {
  const Departure departure = post_.depart(t, other_node);
  if (departure == Departure::kGo) gatherings_.left(t->member->team);
  return departure;
}

Departure Members::leaves(Tcb* self) {
  Member& me = *self->member;
  const Departure departure = post_.leave(me);
  if (departure == Departure::kGo) gatherings_.left(me.team);
  return departure;
}

void Members::forget_team(std::uint64_t team) {
  post_.forget_team(team);
  gatherings_.forget_team(team);
}

}  // namespace roam::runtime
