#ifndef ROAM_RUNTIME_TEAMS_FLOW_CONTROL_H_
#define ROAM_RUNTIME_TEAMS_FLOW_CONTROL_H_

#include <cstdint>
#include <string>

#include "runtime/net/net.h"
#include "runtime/teams/member.h"
#include "runtime/teams/whereabouts.h"

namespace roam::runtime {

struct RoomHead {
  Kind kind;
  std::int32_t sender;  // members
  std::int32_t receiver;
  std::uint32_t padding;
  Target target;  // the sender, if it is known
  std::uint64_t team;
  std::uint64_t bytes;
};

// Tells senders that their receivers have room again (room.h has the numbers), and wakes those that
// wait for it.
//
// Context: the rank's kernel thread.
class FlowControl final : public Component {
 public:
  FlowControl(Net& net, Whereabouts& whereabouts)
      : Component(/*heeds_idle=*/false, /*polls=*/false), net_(net), whereabouts_(whereabouts) {}

  // `t` has got or received something from member `from`.
  void took(Tcb* t, int from);
  // A message that came too late: its receiver has ended.
  void lost(const detail::Envelope& e);
  // `me` ends: who waits for room with it finds out that nobody is there any more.
  void ends(detail::Member& me);

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  // What a member that has no room waits for.
  std::string describe_wait(const Tcb* t) const override;

 private:
  void tell(std::uint64_t team, int sender, int receiver, std::uint64_t bytes);
  void pass_on(RoomHead head);

  Net& net_;
  Whereabouts& whereabouts_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_FLOW_CONTROL_H_
