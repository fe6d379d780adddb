#ifndef ROAM_RUNTIME_TEAMS_MEMBERS_H_
#define ROAM_RUNTIME_TEAMS_MEMBERS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/move/mover.h"
#include "runtime/teams/flow_control.h"
#include "runtime/teams/gathering.h"
#include "runtime/teams/open_parcels.h"
#include "runtime/teams/parcel_store.h"
#include "runtime/teams/pulls.h"
#include "runtime/teams/residents.h"
#include "runtime/teams/whereabouts.h"

namespace roam::runtime {

// Members of teams that come to this rank, leave it, and end, with what they have of messages.
class Members final : public Component, public Mover::TeamMembers {
 public:
  Members(Net& net, Whereabouts& whereabouts, Residents& residents, ParcelStore& parcels,
          OpenParcels& open, Pulls& pulls, FlowControl& flow, Gatherings& gatherings,
          std::size_t unreceived_bytes)
      : Component(/*heeds_idle=*/false, /*polls=*/false),
        net_(net),
        whereabouts_(whereabouts),
        residents_(residents),
        parcels_(parcels),
        open_(open),
        pulls_(pulls),
        flow_(flow),
        gatherings_(gatherings),
        unreceived_bytes_(unreceived_bytes) {}

  Departure departs(Tcb* t, bool other_node) override;
  void came(Tcb* t) override;
  // `self` ends its membership, or cannot yet: its memory is in use, or there is none for what it
  // sent. What it did not receive is given back.
  Departure leaves(Tcb* self);
  void forget_team(std::uint64_t team);

  // All that was sent to members here comes into their memory, the bytes of long messages too.
  void settle() override;
  std::string obstacle() const override;
  void restored(Tcb* t) override;

  // Members that cannot go on because messages are not received.
  std::uint64_t causes() const override;
  std::string describe_causes(std::uint64_t of_all_ranks) const override;

 private:
  detail::Parcel* bring(Tcb* t, detail::Parcel* parcel);

  Net& net_;
  Whereabouts& whereabouts_;
  Residents& residents_;
  ParcelStore& parcels_;
  OpenParcels& open_;
  Pulls& pulls_;
  FlowControl& flow_;
  Gatherings& gatherings_;
  std::size_t unreceived_bytes_;
  // What brings the bytes of messages that nobody has received yet.
  std::vector<std::unique_ptr<detail::RequestState>> bringing_;
  bool no_memory_ = false;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_MEMBERS_H_
