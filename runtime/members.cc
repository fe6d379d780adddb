// Members of teams that come to this rank, leave it, and end.

#include "runtime/escaped.h"
#include "runtime/runtime.h"

namespace roam::runtime {

using threads::scheduler;

void Runtime::member_came(Tcb* t) {
  post_->arrived(t);
  gatherings_->came(t->member->team);
}

// False: it stays, for a while or for good.
bool Runtime::member_departs(Tcb* t, int to) {
  switch (post_->depart(t, !same_node(to))) {
    case Post::Departure::kGo:
      gatherings_->left(t->member->team);
      return true;
    case Post::Departure::kWait:
      waiting_departures_.emplace_back(t, to);
      return false;
    case Post::Departure::kNoMemory:
      refusals_[t->id.load(std::memory_order_relaxed)] = {
          Errc::out_of_memory,
          "there is no memory for copies of its messages that were not received: " +
              iso::arena().shortage()};
      scheduler().resume_arrived(t);
      return false;
  }
  return false;
}

void Runtime::retry_departures() {
  std::vector<std::pair<Tcb*, int>> again;
  again.swap(waiting_departures_);
  for (const auto& [t, to] : again) depart(t, to);
}

Post::Departure Runtime::member_leaves(Tcb* self) {
  Member& me = *self->member;
  const Post::Departure left = post_->leave(me);
  if (left == Post::Departure::kGo) gatherings_->left(me.team);
  return left;
}

void Runtime::forget_team(std::uint64_t team) {
  post_->forget_team(team);
  gatherings_->forget_team(team);
}

}  // namespace roam::runtime
