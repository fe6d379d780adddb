#ifndef ROAM_RUNTIME_TEAMS_OPEN_PARCELS_H_
#define ROAM_RUNTIME_TEAMS_OPEN_PARCELS_H_

#include <cstdint>
#include <string>

#include "runtime/move/departure.h"
#include "runtime/net/net.h"
#include "runtime/place/locator.h"
#include "runtime/teams/copy_count.h"
#include "runtime/teams/member.h"
#include "runtime/teams/parcel_store.h"
#include "runtime/teams/residents.h"

namespace roam::runtime {

// Asks for the bytes of an open parcel, or says that nobody wants them (pulls.h).
struct PullHead {
  Kind kind;
  std::int32_t tag;
  void* original;  // a Parcel of the rank that gets this
};

struct ReceiptHead {
  Kind kind;
  std::uint32_t padding;
  Target sender;
  void* parcel;  // an open one of the sender's request; freed with it
};

// Long messages that stay in their senders' memory, or in a copy, until somebody receives them.
// Parcel::state says who may touch the bytes; the parcel itself lives until its origin, the rank
// that made it, has handled the receipt.
//
// Context: the rank's kernel thread, capture off.
class OpenParcels final : public Component {
 public:
  // `most_copied`: bytes of copies for senders that wait, of each pair of members; 0: no bound.
  OpenParcels(Net& net, const Locator& locator, ParcelStore& store, Residents& residents,
              std::uint64_t most_copied)
      : Component(/*heeds_idle=*/true),
        net_(net),
        locator_(locator),
        store_(store),
        residents_(residents),
        copies_(most_copied) {}

  // Of the calling thread's message: its bytes stay where they are until `request` is done, or are
  // copied. Errors: Error(out_of_memory); try_make: null then.
  detail::Parcel* make(const detail::Envelope& e, const void* data, bool copy,
                       detail::RequestState* request) {
    return store_.require(try_make(e, data, copy, request), e);
  }
  detail::Parcel* try_make(const detail::Envelope& e, const void* data, bool copy,
                           detail::RequestState* request);

  // Copies the bytes to `request`, once, straight from where the sender has them.
  void copy_to(detail::RequestState* request, detail::Parcel* open);
  // At the origin, whose bytes go to another node: they are taken, and were received.
  void take(detail::Parcel* open);
  void were_taken(detail::Parcel* open);
  // Nobody will receive the message of `parcel`, which need not be open: its memory goes back. What
  // is open stays its origin's, which is told as if it had been received.
  void drop(detail::Parcel* parcel);
  // The same of an open parcel of this node.
  void refuse(detail::Parcel* open);
  // A parcel came with its receipt: nobody needs its bytes any more.
  void finish(detail::Parcel* open);

  // `m` has come to this rank, with its unfinished sends.
  void came(const detail::Member& m) { some_send_ = some_send_ || m.sends != nullptr; }
  // `m` is about to go where its unfinished sends could not be found: they get copies.
  Departure detach_all(detail::Member& m);
  // The same of one send of `m` that is not done. False: a receiver has its bytes just now, or
  // there is no memory.
  bool detach_one(detail::Member& m, detail::RequestState* request) {
    return request->parcel != nullptr && detach(m, request);
  }

  // A member of this rank waits, perhaps for sends of its own, or asks whether they are done: it
  // gets copies, at once where the rank is idle, after a while where threads of it always run, as
  // those that ask again and again. Context: threads too.
  void sender_waits();
  void poll() override;

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  // Senders that wait could get copies of their data, so that they go on.
  bool quiet() const override { return !sends_wait(); }
  void idle(Idle stage) override;
  // What a member that sends waits for.
  std::string describe_wait(const Tcb* t) const override;

 private:
  bool lock(detail::Parcel* open, detail::Parcel::State state);
  void give_back(detail::Parcel* open);
  void pass_receipt(const ReceiptHead& head);
  bool detach(detail::Member& m, detail::RequestState* request);
  bool tally(detail::Parcel* open);
  void take_off(detail::Parcel* open);
  bool may_copy(const detail::RequestState* send) const;
  bool sends_wait() const;
  void copy_for_waiting();
  bool some_send_waits();

  Net& net_;
  const Locator& locator_;
  ParcelStore& store_;
  Residents& residents_;
  CopyCount copies_;
  bool no_memory_ = false;  // to copy what a sender waits for
  // A member of this rank may have unfinished sends: without, nobody looks at all members, who may
  // be a hundred thousand, whenever the rank is idle.
  bool some_send_ = false;
  std::uint64_t waits_since_ = 0;  // in ticks, while due
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_OPEN_PARCELS_H_
