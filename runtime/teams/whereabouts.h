#ifndef ROAM_RUNTIME_TEAMS_WHEREABOUTS_H_
#define ROAM_RUNTIME_TEAMS_WHEREABOUTS_H_

#include <cstdint>
#include <unordered_map>

#include "runtime/net/net.h"
#include "runtime/place/locator.h"
#include "runtime/teams/directions.h"
#include "runtime/teams/mailbox.h"

namespace roam::runtime {

struct MemberAtHead {
  Kind kind;
  std::int32_t rank;
  std::uint64_t team;
  Target target;
  std::int32_t index;
  std::uint64_t hops;
};

// The members `first` and those that follow it, of whom another rank is home now: their Targets
// follow.
struct MembersHomeHead {
  Kind kind;
  std::int32_t size;  // of the team
  std::uint64_t team;
  std::int32_t first;
  std::int32_t count;
};

// Where members of teams are. Their home ranks always know; other ranks remember what they were
// told by who delivered a message of theirs (tell()).
//
// Context: the rank's kernel thread, capture off.
class Whereabouts final : public Component {
 public:
  Whereabouts(Net& net, const Locator& locator)
      : Component(/*heeds_idle=*/false, /*polls=*/false), net_(net), locator_(locator) {}

  void add_team(std::uint64_t team, int size, int ranks);
  // Of a member that this rank is home of.
  void set_member(std::uint64_t team, int index, Target target);
  // id 0 of one that it is not home of.
  Target member(std::uint64_t team, int index) const;
  void forget_team(std::uint64_t team);

  // Finds the member: here, or the rank that knows more; kLater: news of it will come. `*target` is
  // filled in if it can be. What is `on_its_way` already does not go by hearsay, which could lead
  // it in circles: home ranks and the memory of the node tell the truth.
  enum class Found { kHere, kThere, kLater, kEnded };
  Found find(std::uint64_t team, int index, Target* target, bool on_its_way, int* rank);
  // The same for a sender's peer. Looking at the control block of a thread that runs on another
  // core costs two cache misses: while no news have come, it is where the last message went. If it
  // is not, that rank passes the message on and tells.
  Found find_peer(std::uint64_t team, detail::Peer* peer, int* rank) {
    if (peer->news == news_ && peer->rank >= 0 && peer->rank != net_.rank()) {
      *rank = peer->rank;
      return Found::kThere;
    }
    return look_for(team, peer, rank);
  }
  // Tells rank `to`, which may be this one, that member `index`, the thread `t`, is here.
  void tell(int to, std::uint64_t team, int index, Tcb* t);

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  void save(StateWriter& out) override;
  void restore(int piece, StateReader& in) override;
  // Its peers may be anywhere.
  void restored(Tcb* t) override;

 private:
  void know_team(std::uint64_t team, int size);
  Found look_for(std::uint64_t team, detail::Peer* peer, int* rank);
  void learn(const MemberAtHead& news);
  Directions* directions(std::uint64_t team);

  Net& net_;
  const Locator& locator_;
  std::unordered_map<std::uint64_t, Directions> teams_;
  std::uint64_t last_team_ = 0;
  Directions* last_directions_ = nullptr;
  std::uint32_t news_ = 1;  // counts what was heard of members' places, on this rank
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_WHEREABOUTS_H_
