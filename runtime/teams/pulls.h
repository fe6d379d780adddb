#ifndef ROAM_RUNTIME_TEAMS_PULLS_H_
#define ROAM_RUNTIME_TEAMS_PULLS_H_

#include <memory>
#include <vector>

#include "runtime/net/net.h"
#include "runtime/teams/open_parcels.h"
#include "runtime/teams/parcel_store.h"

namespace roam::runtime {

// Bytes of long messages on their way between nodes: the receiver's rank asks the origin for them
// (kPull), and MPI brings them from their place to their place.
//
// Context: the rank's kernel thread, capture off.
class Pulls final : public Component {
 public:
  Pulls(Net& net, ParcelStore& store, OpenParcels& open) : net_(net), store_(store), open_(open) {}

  // Gets the bytes of `far` for `request` of `t`, which does not leave the rank until they are
  // there. `far` is given back. `inside`: the parcel that they come into, if it is one.
  void start(Tcb* t, detail::RequestState* request, detail::Parcel* far,
             detail::Parcel* inside = nullptr);
  // For a parcel that is in nobody's hands any more, if its bytes are still coming into it: when
  // they have come, `request` of the same member gets them, or nobody if it is null, and the parcel
  // is given back. False: they are there.
  bool hand_on_when_done(detail::Parcel* parcel, detail::RequestState* request);

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  void poll() override;
  bool quiet() const override { return !busy(); }
  bool urgent() const override { return busy(); }

 private:
  struct Pull {
    Tcb* receiver;
    detail::RequestState* request;
    detail::Envelope envelope;
    std::unique_ptr<Mpi::Bulk> bulk;
    detail::Parcel* inside;  // what they come into, if it is one
    bool given_up = false;   // that is in nobody's hands, and goes when they are there
    detail::RequestState* next = nullptr;  // who has them then
  };
  struct BulkSend {
    detail::Parcel* parcel;
    std::unique_ptr<Mpi::Bulk> bulk;
  };
  void hand_on(const Pull& pull);
  bool busy() const { return !pulls_.empty() || !sends_.empty(); }

  Net& net_;
  ParcelStore& store_;
  OpenParcels& open_;
  std::vector<Pull> pulls_;
  std::vector<BulkSend> sends_;
  int into_parcels_ = 0;  // of pulls_
  int next_tag_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_PULLS_H_
