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
  // there. `far` is given back.
  void start(Tcb* t, detail::RequestState* request, detail::Parcel* far);
  // Nobody wants `parcel`, which is in nobody's hands any more, and whose bytes are inside: it is
  // given back when they have come, if they are still coming. False: they are there.
  bool free_when_done(detail::Parcel* parcel);

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
    detail::Parcel* unwanted = nullptr;  // what they come into, if nobody wants it any more
  };
  struct BulkSend {
    detail::Parcel* parcel;
    std::unique_ptr<Mpi::Bulk> bulk;
  };
  bool busy() const { return !pulls_.empty() || !sends_.empty(); }

  Net& net_;
  ParcelStore& store_;
  OpenParcels& open_;
  std::vector<Pull> pulls_;
  std::vector<BulkSend> sends_;
  int next_tag_ = 0;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_PULLS_H_
