#ifndef ROAM_RUNTIME_TEAMS_POST_H_
#define ROAM_RUNTIME_TEAMS_POST_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/options.h"
#include "runtime/move/departure.h"
#include "runtime/net/net.h"
#include "runtime/place/locator.h"
#include "runtime/teams/mailbox.h"
#include "runtime/teams/member.h"

namespace roam::runtime {

using detail::Envelope;
using detail::Member;
using detail::Parcel;
using detail::Peer;
using detail::RequestState;

struct LetterHead {
  Kind kind;
  std::uint32_t padding;
  Envelope envelope;
  Target target;     // the receiver, if it is known
  Parcel* original;  // kLetterOffer: where the bytes wait
};

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

struct MemberAtHead {
  Kind kind;
  std::int32_t rank;
  std::uint64_t team;
  Target target;
  std::int32_t index;
  std::uint64_t hops;
};

struct RoomHead {
  Kind kind;
  std::int32_t sender;  // members
  std::int32_t receiver;
  std::uint32_t padding;
  Target target;  // the sender, if it is known
  std::uint64_t team;
  std::uint64_t bytes;
};

// The first of the members that begin on `rank`: those with index * ranks / size == rank.
constexpr int first_member(int rank, int size, int ranks) {
  return static_cast<int>((std::int64_t{rank} * size + ranks - 1) / ranks);
}

// Where the members of one team are, as far as this rank has to know.
class Directions {
 public:
  struct Known {
    Target target;
    int rank;
    std::uint64_t hops;
  };
  int size = 0;  // of the team
  int ranks = 1;
  // Members that this rank is home of: its block.
  int first = 0;
  std::vector<Target> home;
  // Others that members of this rank wrote to.
  std::unordered_map<int, Known> known;

  int home_rank(int index) const { return static_cast<int>(std::int64_t{index} * ranks / size); }
  const Target* at_home(int index) const {
    const std::size_t i = static_cast<std::size_t>(index - first);
    return index >= first && i < home.size() ? &home[i] : nullptr;
  }
  void learn(const MemberAtHead& head) {
    Known& k = known[head.index];
    if (k.target.id == 0 || head.hops >= k.hops) k = {head.target, head.rank, head.hops};
  }
};

// One rank's post office: carries messages between members of teams, wherever they are.
//
//   same rank:         straight into the room of a receive that waits; else into the mailbox
//   same node:         a parcel into the other rank's inbox; a long one is copied by the receiver
//   other node, short: kLetter with the bytes -->
//   other node, long:  kLetterOffer -->   <-- kPull, once it is received   bytes into place -->
//
// A message that does not find its receiver is passed on, by way of the home rank, and who delivers
// it tells the rank that it came from where the receiver is: however often that moved, two ranks
// pass a message on at most, while nobody moves. Order is the mailbox's matter.
//
// Context: the rank's kernel thread, capture off.
class Post final : public Component, public detail::Mailbox::Receiver {
 public:
  Post(Net& net, const Locator& locator, const Options& options)
      : Component(true),
        net_(net),
        mpi_(net.mpi()),
        locator_(locator),
        random_(options.seed),
        unreceived_bytes_(options.unreceived_bytes) {
    set_due(true);  // others put parcels into the inbox
  }

  // Where parcels of this rank lie; made once the scheduler is there.
  void start();
  // After the last message of the job.
  void finish();
  // Before that, on all ranks.
  void drop_resting();

  // Sends from `me`, the calling thread. With `request`, long data may stay where it is until the
  // request is done; otherwise it is copied. False: the receiver has no room (room.h), nothing
  // happened; `me.full` says whose. Messages to oneself and the runtime's own, with tags below 0,
  // always have room. Errors: Error(out_of_memory, thread_ended).
  [[nodiscard]] bool send(Member& me, int to, int tag, const void* data, std::size_t bytes,
                          RequestState* request);
  // The receive `request` of `me` takes `parcel`, which has come, or is posted.
  void receive(Member& me, RequestState* request);
  // Gives the memory of a message back that nobody will receive.
  void drop(Parcel* parcel);
  // `me` leaves its team: what its unfinished sends have is copied, and what it did not receive is
  // given back.
  Departure leave(Member& me);

  void add_team(std::uint64_t team, int size, int ranks);
  void set_member(std::uint64_t team, int index, Target target);
  Target member(std::uint64_t team, int index) const;
  void forget_team(std::uint64_t team);

  // Members come to this rank and leave it. depart(): what must be done before the thread's memory
  // goes to `rank`. kWait: its bytes are in use just now, ask again later.
  Departure depart(Tcb* t, bool other_node);
  void arrived(Tcb* t);

  std::span<const Kind> kinds() const override;
  void handle(int from, const char* message, std::size_t bytes) override;
  // Takes what is in the inbox, and looks after what is under way.
  void poll() override;
  bool quiet() const override { return !busy() && !sends_wait(); }
  bool urgent() const override { return busy(); }
  void idle(Idle stage) override;
  void reclaim() override;
  std::string describe() const override;
  // What a member waits for and has got.
  std::string describe_wait(const Tcb* t) const override;
  // Members of this rank that cannot go on because messages are not received.
  std::uint64_t held_back() const;

  // Ends `request` of `t`, which is on this rank.
  // `request` waits for what goes to its `data`: if that is memory of the process, which is other
  // memory on another rank, `t` stays. let_go: it does not wait any more.
  static void hold(Tcb* t, RequestState* request);
  static void let_go(Tcb* t, RequestState* request);
  static void finish_request(Tcb* t, RequestState* request);
  void try_receipt(const ReceiptHead& head);

  // Mailbox::Receiver, for the member that delivering_ is
  void matched(RequestState* request, Parcel* parcel) override;
  void answered(RequestState* request) override;

  Member* residents() const { return residents_; }

 private:
  void take_mail();
  void progress();
  bool busy() const { return !pulls_.empty() || !bulk_sends_.empty() || !delayed_.empty(); }
  // Senders that wait get their data copied, so that they go on. sends_wait(): whether some could
  // be.
  void copy_for_waiting();
  bool sends_wait() const;
  // Messages that have come, and that there is no memory to deliver: tried again now, or if that
  // was some time ago.
  bool holds() const { return !held_.empty(); }
  void retry_held();
  void retry_held_now_and_then();
  struct Pull {
    Tcb* receiver;
    RequestState* request;
    Envelope envelope;
    std::unique_ptr<Mpi::Bulk> bulk;
  };
  struct BulkSend {
    Parcel* parcel;
    std::unique_ptr<Mpi::Bulk> bulk;
  };
  struct Delayed {
    Parcel* parcel;
    int polls;
  };
  // A message as it came: in a parcel if there was memory for one, else with its bytes.
  struct Held {
    LetterHead head{};
    std::vector<char> bytes;  // of the process
    Parcel* parcel = nullptr;
  };
  enum class Found { kHere, kThere, kLater, kEnded };

  Found find(std::uint64_t team, int index, Target* target, bool on_its_way, int* rank);
  // False: there is no memory for it, and nothing has happened.
  bool deliver(Tcb* t, const Envelope& e, const void* data);
  bool deliver(Tcb* t, Parcel* parcel);
  void deliver_or_hold(Tcb* t, Parcel* parcel);
  void hold(Parcel* parcel, Target target);
  void hold(const LetterHead& head, const char* data);
  void received(Tcb* t, RequestState* request, const Envelope& e);
  void after_delivery(const Envelope& e, Tcb* t);
  void route(Parcel* parcel, Target target);
  bool pass_on(int rank, Parcel* parcel, Target target);
  void send_letter(int rank, const Envelope& e, Target target, const void* data);
  void on_letter(const LetterHead& head, const char* data);
  void on_pull(int from, const PullHead& head);
  // Errors: Error(out_of_memory); those that try return null then.
  Parcel* make_parcel(const Envelope& e, const void* data);
  Parcel* make_open(const Envelope& e, const void* data, bool copy, RequestState* request);
  Parcel* try_parcel(const Envelope& e, const void* data);
  Parcel* try_open(const Envelope& e, const void* data, bool copy, RequestState* request);
  Parcel* try_far(const Envelope& e, Parcel* original);
  void free(void* block);
  void free_parcel(Parcel* parcel);
  Found find_peer(std::uint64_t team, Peer* peer, int* rank);
  void push(int rank, Parcel* parcel, Target receiver);
  void copy_open(RequestState* request, Parcel* parcel);
  void give_back(Parcel* parcel);
  void finish_open(Parcel* parcel);
  void start_pull(RequestState* request, Parcel* parcel);
  void dispatch(Found found, int rank, Peer* peer, const Envelope& e, const void* data,
                RequestState* request, bool stays);
  void give_room(Tcb* t, int from);
  void tell_room(std::uint64_t team, int sender, int receiver, std::uint64_t bytes);
  void on_room(RoomHead head);
  void lost(const Envelope& e);
  bool may_copy(const Parcel* parcel) const;
  void tally_copy(Parcel* parcel);
  void let_copy_go(const Parcel* parcel);
  bool detach(Member& m, RequestState* request);
  Departure detach_all(Member& m);
  void leave_residents(Member& m);
  Parcel* repack(Tcb* t, Parcel* parcel);
  Directions* directions(std::uint64_t team);
  bool shuffled(Parcel* parcel);

  Net& net_;
  Mpi& mpi_;
  const Locator& locator_;
  std::uint64_t random_;  // ROAM_SHUFFLE: messages come late and out of order; 0: they do not
  std::uint64_t unreceived_bytes_;
  Tcb* room_ = nullptr;   // a thread that never runs: parcels are in its heap
  Tcb* delivering_ = nullptr;
  std::unordered_map<std::uint64_t, Directions> teams_;
  std::uint64_t last_team_ = 0;
  Directions* last_directions_ = nullptr;
  Member* residents_ = nullptr;
  std::vector<Pull> pulls_;
  std::vector<BulkSend> bulk_sends_;
  std::deque<Delayed> delayed_;  // wait for news of their receiver, or for their turn to be late
  std::deque<Held> held_;        // wait for memory
  std::uint64_t held_tried_ticks_ = 0;
  int next_tag_ = 0;
  std::uint32_t news_ = 1;  // counts what was heard of members' places, on this rank
  // Parcels to be used again, whoever made them; by size class.
  struct Resting {
    Parcel* first = nullptr;
    std::size_t count = 0;
  };
  Resting resting_[Parcel::kSizes];
  bool no_memory_ = false;  // to copy what a sender waits for
  // Bytes of copies of long messages that wait here for their receiver, of each pair.
  std::unordered_map<std::uint64_t, std::uint64_t> copies_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TEAMS_POST_H_
