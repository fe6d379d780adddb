#ifndef ROAM_RUNTIME_TEAMS_POST_H_
#define ROAM_RUNTIME_TEAMS_POST_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/net/net.h"
#include "runtime/teams/delayed_parcels.h"
#include "runtime/teams/flow_control.h"
#include "runtime/teams/held_letters.h"
#include "runtime/teams/letter.h"
#include "runtime/teams/mailbox.h"
#include "runtime/teams/member.h"
#include "runtime/teams/open_parcels.h"
#include "runtime/teams/parcel_store.h"
#include "runtime/teams/pulls.h"
#include "runtime/teams/whereabouts.h"

namespace roam::runtime {

// One rank's post office: delivers messages between members of teams, wherever they are.
//
//   same rank:         straight into the room of a receive that waits; else into the mailbox
//   same node:         a parcel into the other rank's inbox; a long one is copied by the receiver
//   other node, short: kDirect with the bytes -->
//   other node, long:  kLetterOffer -->   <-- kPull, once it is received   bytes into place -->
//
// A message that does not find its receiver is passed on, by way of the home rank, and who delivers
// it tells the rank that it came from where the receiver is: however often that moved, two ranks
// pass a message on at most, while nobody moves. Order is the mailbox's matter, places those of
// Whereabouts, memory that of ParcelStore and OpenParcels.
//
// Context: the rank's kernel thread, capture off.
class Post final : public Component, public detail::Mailbox::Receiver {
 public:
  // `seed`: of ROAM_SHUFFLE; 0: messages come as they come.
  Post(Net& net, Whereabouts& whereabouts, ParcelStore& parcels, OpenParcels& open, Pulls& pulls,
       FlowControl& flow, std::uint64_t seed)
      : Component(/*heeds_idle=*/true),
        net_(net),
        mpi_(net.mpi()),
        whereabouts_(whereabouts),
        parcels_(parcels),
        open_(open),
        pulls_(pulls),
        flow_(flow),
        delayed_(seed) {
    set_due(true);  // others put parcels into the inbox
  }

  struct Sending {
    int to;
    int tag;
    const void* data;
    std::size_t bytes;
    std::uint64_t context = 0;
    std::uint16_t note = 0;
    // False: where there is no room, the bytes stay with their sender if they can, and are copied
    // if not.
    bool waits_for_room = true;
  };
  // The longest message with kServedTag, which goes as it is wherever its receiver is.
  std::size_t most_served_bytes() const;
  // Sends from `me`, the calling thread, or one that a message of is served. With `request`, long
  // data may stay where it is until the request is done; otherwise it is copied. False: the
  // receiver has no room (room.h), nothing happened; `me.full` says whose. Messages to oneself and
  // the runtime's own, with tags below 0, always have room. Errors: Error(out_of_memory,
  // thread_ended).
  [[nodiscard]] bool send(detail::Member& me, const Sending& what, detail::RequestState* request);
  // The receive `request` of `me` takes a message that has come, or is posted. Does not throw.
  void receive(detail::Member& me, detail::RequestState* request);

  // OpenParcels::sender_waits.
  void sender_waits() { open_.sender_waits(); }
  // Takes a message of `me` to `to` back, as TakeBackHead says. Errors: as send().
  void take_back(detail::Member& me, int to, const TakeBackHead& what);
  // A send that is not done is, with a copy of its bytes. False: a receiver has them just now, or
  // there is no memory.
  bool copy(detail::Member& me, detail::RequestState* send) { return open_.detach_one(me, send); }

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  // Takes what is in the inbox, and tries again what could not be delivered.
  void poll() override;
  bool quiet() const override { return delayed_.empty(); }
  bool urgent() const override { return !delayed_.empty(); }
  std::string obstacle() const override { return held_.describe(); }
  void idle(Idle stage) override;
  std::string describe() const override { return held_.describe(); }
  // What a member that receives waits for and has got.
  std::string describe_wait(const Tcb* t) const override;

  // Mailbox::Receiver, for the member that delivering_ is
  void matched(detail::RequestState* request, detail::Parcel* parcel) override;
  void answered(detail::RequestState* request) override;
  void served(detail::Parcel* parcel) override;

 private:
  using Envelope = detail::Envelope;
  using Parcel = detail::Parcel;
  using RequestState = detail::RequestState;
  using Found = Whereabouts::Found;

  void dispatch(Found found, int rank, detail::Peer* peer, const Envelope& e, const void* data,
                RequestState* request, bool stays);
  void send_letter(int rank, const Envelope& e, Target target, const void* data);
  void delay(Parcel* parcel);
  // False: it has to go otherwise, and nothing has happened.
  bool send_card(int rank, const Envelope& e, Target receiver, const void* data);
  void push(int rank, Parcel* parcel, Target receiver);
  bool pass_on(int rank, Parcel* parcel, Target target);
  // False: there is no memory for it, and nothing has happened.
  bool deliver(Tcb* t, const Envelope& e, const void* data);
  bool deliver(Tcb* t, Parcel* parcel);
  bool deliver(Tcb* t, const Envelope& e, Parcel* parcel);
  void deliver_or_hold(Tcb* t, Parcel* parcel);
  void deliver_into(Tcb* t, RequestState* receive, const Envelope& e, const void* data);
  void hold(Parcel* parcel, Target receiver);
  // Has the message acted upon, which may send others.
  void serve(Tcb* t, const Envelope& e, const char* data);
  // `t` gives up what member `from` takes back.
  void give_up(Tcb* t, int from, const TakeBackHead& what);
  void after_delivery(const Envelope& e, Tcb* t);
  void route(Parcel* parcel, Target target);
  void take_mail();
  void take_cards();
  void on_letter(const LetterHead& head, const char* data);
  void retry_held();

  Net& net_;
  Mpi& mpi_;
  Whereabouts& whereabouts_;
  ParcelStore& parcels_;
  OpenParcels& open_;
  Pulls& pulls_;
  FlowControl& flow_;
  DelayedParcels delayed_;
  HeldLetters held_;
  Tcb* delivering_ = nullptr;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_POST_H_
