#ifndef ROAM_RUNTIME_TEAMS_RIDER_H_
#define ROAM_RUNTIME_TEAMS_RIDER_H_

#include <cstdint>

#include "runtime/teams/member.h"
#include "runtime/teams/parts.h"

namespace roam::runtime {

// A subject that builds on collectives, and that they know nothing of: what it notes of members
// that take part goes along with their parts to the root, and what it says there goes to all.
//
// Context: the rank's kernel thread, capture off.
class Rider {
 public:
  virtual ~Rider() = default;

  // `me` takes part on this rank: what it has to say of that is added to `along`, where those of
  // this rank are that were not sent to the root yet.
  virtual void took_part(const detail::Member& me, const CollectiveCall& call, Along* along) = 0;
  // Adds what came from another place.
  virtual void add(Along* along, const Along& more) = 0;
  // At the root, where all have taken part: a word to all members, 0 for none, which their calls
  // get in RequestState::verdict. `ranks`: that have members, at most.
  virtual std::uint32_t judge(const GatherHead& head, int ranks) = 0;
  // The team has ended.
  virtual void forget_team(std::uint64_t team) = 0;
  // Of a kind that is made_by_rider(): makes the entries from all parts.
  virtual void complete(Parts* parts, int size) = 0;
  // Of one that is answered_by_rider(): `me` takes part, and gets its result by `request` (see
  // Gatherings::answer); all have taken part, at the root's rank.
  virtual void awaits(const detail::Member& me, std::uint32_t number,
                      detail::RequestState* request) = 0;
  virtual void all_take_part(std::uint64_t team, std::uint32_t number) = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_RIDER_H_
