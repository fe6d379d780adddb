#ifndef ROAM_RUNTIME_TEAMS_MEMBERS_H_
#define ROAM_RUNTIME_TEAMS_MEMBERS_H_

#include <cstdint>

#include "runtime/move/mover.h"
#include "runtime/teams/gathering.h"
#include "runtime/teams/post.h"

namespace roam::runtime {

// Members of teams that come to this rank, leave it, and end.
class Members final : public Mover::TeamMembers {
 public:
  Members(Post& post, Gatherings& gatherings) : post_(post), gatherings_(gatherings) {}

  Departure departs(Tcb* t, bool other_node) override;
  void came(Tcb* t) override;
  // `self` ends its membership, or cannot yet: its memory is in use, or there is none for what it
  // sent.
  Departure leaves(Tcb* self);
  void forget_team(std::uint64_t team);

 private:
  Post& post_;
  Gatherings& gatherings_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_MEMBERS_H_
