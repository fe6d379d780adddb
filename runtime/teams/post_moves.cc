// Members that come and go, with their messages; what is done for those that wait.

#include <cstring>
#include <new>

#include "runtime/teams/post.h"
#include "threads/scheduler.h"

namespace roam::runtime {

// Puts a copy in place of the sender's memory. False: a receiver has it just now, or there is no
// memory.
bool Post::detach(Member& m, RequestState* request) {
  Parcel* parcel = request->parcel;
  std::uint32_t seen = Parcel::kOffered;
  no_memory_ = false;
  if (!parcel->state.compare_exchange_strong(seen, Parcel::kMoving, std::memory_order_acquire))
    return false;
  void* block = room_->heap.allocate(parcel->envelope.bytes);
  if (block != nullptr) {
    std::memcpy(block, parcel->data, parcel->envelope.bytes);
    parcel->data = block;
    parcel->copied = true;
    if (parcel->envelope.origin == net_.rank()) tally_copy(parcel);
  }
  parcel->state.store(Parcel::kOffered, std::memory_order_release);
  no_memory_ = block == nullptr;
  if (no_memory_) return false;
  request->parcel = nullptr;
  finish_request(m.thread, request);
  return true;
}

// A parcel that stays with its member when that goes to another node lies in the member's memory.
Parcel* Post::repack(Tcb* t, Parcel* parcel) {
  if (t->heap.contains(parcel)) return parcel;
  const bool inside = parcel->place == Parcel::Place::kInside;
  void* room = t->heap.allocate(sizeof(Parcel) + (inside ? parcel->envelope.bytes : 0));
  if (room == nullptr) return parcel;
  Parcel* moved = new (room) Parcel;
  moved->envelope = parcel->envelope;
  if (inside) {
    moved->data = moved->inside();
    std::memcpy(moved->inside(), parcel->data, parcel->envelope.bytes);
  } else {
    moved->place = Parcel::Place::kFar;
    moved->original = parcel->place == Parcel::Place::kFar ? parcel->original : parcel;
  }
  if (parcel->place != Parcel::Place::kOpen) free_parcel(parcel);
  return moved;
}

Departure Post::detach_all(Member& m) {
  if (m.pulls > 0) return Departure::kWait;
  for (RequestState* send = m.sends; send != nullptr;) {
    RequestState* next = send->next;
    if (!detach(m, send)) return no_memory_ ? Departure::kNoMemory : Departure::kWait;
    send = next;
  }
  return Departure::kGo;
}

void Post::leave_residents(Member& m) {
  (m.previous_resident != nullptr ? m.previous_resident->next_resident : residents_) =
      m.next_resident;
  if (m.next_resident != nullptr) m.next_resident->previous_resident = m.previous_resident;
}

Departure Post::depart(Tcb* t, bool other_node) {
  Member& m = *t->member;
  if (m.pulls > 0) return Departure::kWait;
  if (other_node) {
    if (const Departure sends = detach_all(m); sends != Departure::kGo) return sends;
    bool all = true;
    m.mailbox.change_all([&](Parcel* parcel) {
      Parcel* moved = repack(t, parcel);
      all = all && t->heap.contains(moved);
      return moved;
    });
    if (!all) return Departure::kNoMemory;
  }
  leave_residents(m);
  return Departure::kGo;
}

Departure Post::leave(Member& me) {
  if (const Departure sends = detach_all(me); sends != Departure::kGo) return sends;
  leave_residents(me);
  me.mailbox.take_all([&](Parcel* parcel) { drop(parcel); });
  // Who waits for room here finds out that nobody is here any more.
  me.mailbox.peers().for_each([&](Peer& peer) {
    const std::uint64_t bytes = me.mailbox.room().take_all(peer.room);
    if (bytes != 0) tell_room(me.team, peer.index, me.index, bytes);
  });
  return Departure::kGo;
}

void Post::arrived(Tcb* t) {
  Member& m = *t->member;
  m.previous_resident = nullptr;
  m.next_resident = residents_;
  if (residents_ != nullptr) residents_->previous_resident = &m;
  residents_ = &m;
}

bool Post::sends_wait() const {
  if (no_memory_) return false;
  for (const Member* m = residents_; m != nullptr; m = m->next_resident) {
    if (!m->waiting) continue;
    for (const RequestState* send = m->sends; send != nullptr; send = send->next) {
      if (may_copy(send->parcel)) return true;
    }
  }
  return false;
}

// The origin gives the copy back, and takes it off.
void Post::tally_copy(Parcel* parcel) {
  parcel->tallied = true;
  copies_[detail::pair_of(parcel->envelope)] += parcel->envelope.bytes;
}

// Copies of what is not received are bounded too: those of each pair that were sent from here. One
// that was made on another rank, where its sender went, is not counted.
bool Post::may_copy(const Parcel* parcel) const {
  const std::uint64_t most = unreceived_bytes_;
  const auto it = most == 0 ? copies_.end() : copies_.find(detail::pair_of(parcel->envelope));
  return it == copies_.end() || it->second + parcel->envelope.bytes <= most;
}

void Post::copy_for_waiting() {
  bool no_memory = false;
  for (Member* m = residents_; m != nullptr; m = m->next_resident) {
    if (!m->waiting) continue;
    for (RequestState* send = m->sends; send != nullptr;) {
      RequestState* next = send->next;
      if (may_copy(send->parcel) && !detach(*m, send)) no_memory = no_memory || no_memory_;
      send = next;
    }
  }
  no_memory_ = no_memory;
}

}  // namespace roam::runtime
