#ifndef ROAM_RUNTIME_TEAMS_MAILBOX_H_
#define ROAM_RUNTIME_TEAMS_MAILBOX_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/teams/parcel.h"
#include "runtime/teams/room.h"

namespace roam::detail {

// What a member remembers of another one that it exchanges messages with.
struct Peer {
  std::int32_t index = 0;
  std::uint32_t next_out = 0;       // sequence number of the next message to it
  std::uint32_t next_in = 0;        // of the next one from it
  runtime::Target target{};         // where it is found inside a node; empty: not known yet
  std::int32_t rank = -1;           // where a message to it went last, inside the sender's node ...
  std::uint32_t news = 0;           // ... when the sender's rank had heard so much news
  std::uint64_t messages_sent = 0;  // since load was last looked at
  std::uint64_t bytes_sent = 0;
  runtime::Mail* early = nullptr;  // parcels that came before their turn, by sequence number
  HookList<Parcel, KeptHook, &Parcel::among_peers> unexpected;  // oldest first
  PeerRoom room;
};

// Peers by index: a hash table with linear probing, in the member's memory. Asking for a peer that
// is there allocates nothing; where there is no memory for another, operator[] throws bad_alloc and
// nothing has changed.
class PeerTable {
 public:
  Peer& operator[](int index) {
    if (last_ != nullptr && last_->index == index) return *last_;
    return find(index);
  }
  // Null if it is not there.
  Peer* look(int index) const { return slots_.empty() ? nullptr : slots_[slot_of(index)].get(); }
  // Whether it is there now: false if there is no memory for it.
  bool know(int index) {
    if (last_ != nullptr && last_->index == index) return true;
    return try_find(index);
  }
  template <class Visit>
  void for_each(Visit visit) {
    for (const auto& peer : slots_) {
      if (peer != nullptr) visit(*peer);
    }
  }
  std::size_t count() const { return count_; }

 private:
  Peer& find(int index);
  bool try_find(int index);
  std::size_t slot_of(int index) const;
  std::vector<std::unique_ptr<Peer>> slots_;  // a power of two
  std::size_t count_ = 0;
  Peer* last_ = nullptr;
};

// Messages that came for one member, and the receives that it posted: puts messages in the order in
// which they were sent, and matches the two, first come first served. Knows nothing of how bytes
// get anywhere.
//
// Everything is in the member's memory or in parcels. Context: the member's rank, allocations going
// to the member's heap.
class Mailbox {
 public:
  // What becomes of messages.
  class Receiver {
   public:
    virtual ~Receiver() = default;
    // `parcel` has come for `request`, which has room for it or takes what is longer.
    virtual void matched(RequestState* request, Parcel* parcel) = 0;
    // `request` has ended without taking a message: a probe found one, or there is no room for it.
    virtual void answered(RequestState* request) = 0;
    // `parcel`, whose tag is kServedTag, has its turn; its bytes are inside.
    virtual void served(Parcel* parcel) = 0;
  };

  Peer& peer(int index) { return peers_[index]; }
  // Of what comes from a peer that is known nothing is allocated here.
  bool know(int index) { return peers_.know(index); }
  PeerTable& peers() { return peers_; }
  Room& room() { return room_; }

  // The posted receive that takes a message with this envelope, if the message is next in order and
  // its bytes have room: it is no longer posted, and the message counts as come. Else null, and
  // nothing changed.
  RequestState* take(const Envelope& envelope);
  // Whether the message is the next one in order; then it counts as come.
  bool begin_serving(const Envelope& envelope) {
    Peer& peer = peers_[envelope.from];
    if (peer.next_in != envelope.sequence) return false;
    ++peer.next_in;
    return true;
  }
  // A message came, perhaps early.
  void accept(Parcel* parcel, Receiver& receiver);
  // Hands on those early messages from `from` whose turn has come: after take().
  void catch_up(int from, Receiver& receiver);

  // The first message that has come and matches; null if there is none. kAny matches all, save tags
  // below kAny, which are the runtime's own.
  Parcel* find(std::uint64_t context, int from, int tag);
  // The message of that number from `from`, if it has come, has that context and was not taken.
  Parcel* find_sent(std::uint64_t context, int from, std::uint32_t sequence);
  void remove(Parcel* parcel);
  void post(RequestState* request);
  // False: it is not posted any more.
  bool cancel(RequestState* request);
  // The member ends: its posted receives are done, and say so.
  void forget_posted();

  // Replaces every parcel here by what `change` makes of it.
  template <class Change>
  void change_all(Change change);
  // Oldest posted receive; null if there is none. For what a person wants to know.
  const RequestState* posted() const { return posted_; }
  // Messages that have come and were not received, and those of them that came before their turn.
  struct Counts {
    std::size_t come = 0, early = 0;
  };
  Counts counts();
  // Takes every parcel out.
  template <class Visit>
  void take_all(Visit visit);

 private:
  static bool matches(std::uint64_t asked_context, int asked_from, int asked_tag,
                      const Envelope& e) {
    return asked_context == e.context && (asked_from == kAny || asked_from == e.from) &&
           (asked_tag == e.tag || (asked_tag == kAny && e.tag >= 0));
  }
  template <class List>
  static Parcel* first_match(List& list, std::uint64_t context, int from, int tag) {
    for (Parcel& parcel : list) {
      if (matches(context, from, tag, parcel.envelope)) return &parcel;
    }
    return nullptr;
  }
  void deliver(Parcel* parcel, Receiver& receiver);
  void append(Parcel* parcel);
  // It does not lie here any more.
  void gone(Peer& peer, const Envelope& e) {
    if (e.counts != 0) room_.gone(peer.room, Room::bytes_for(e.bytes));
  }

  PeerTable peers_;
  Room room_;
  HookList<Parcel, KeptHook, &Parcel::among_all> unexpected_;  // oldest first
  RequestState* posted_ = nullptr;                             // oldest first
  RequestState** posted_end_ = &posted_;
};

template <class Change>
void Mailbox::change_all(Change change) {
  peers_.for_each([&](Peer& peer) {
    for (runtime::Mail** link = &peer.early; *link != nullptr; link = &(*link)->next) {
      runtime::Mail* next = (*link)->next;
      *link = change(static_cast<Parcel*>(*link));
      (*link)->next = next;
    }
    peer.unexpected.clear();
  });
  decltype(unexpected_) before;
  before.swap(unexpected_);
  while (!before.empty()) {
    Parcel* parcel = &before.front();
    before.pop_front();
    append(change(parcel));
  }
}

template <class Visit>
void Mailbox::take_all(Visit visit) {
  peers_.for_each([&](Peer& peer) {
    while (peer.early != nullptr) {
      Parcel* parcel = static_cast<Parcel*>(peer.early);
      peer.early = parcel->next;
      gone(peer, parcel->envelope);
      visit(parcel);
    }
  });
  while (!unexpected_.empty()) {
    Parcel* parcel = &unexpected_.front();
    remove(parcel);
    visit(parcel);
  }
}

}  // namespace roam::detail

#endif  // ROAM_RUNTIME_TEAMS_MAILBOX_H_
