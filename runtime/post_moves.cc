// Members that come and go, with their messages; what is done for those that wait.

#include <cstring>
#include <new>

#include "base/text.h"
#include "runtime/post.h"
#include "runtime/runtime.h"
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

Post::Departure Post::depart(Tcb* t, bool other_node) {
  Member& m = *t->member;
  if (m.pulls > 0) return Departure::kWait;
  if (other_node) {
    for (RequestState* send = m.sends; send != nullptr;) {
      RequestState* next = send->next;
      if (!detach(m, send)) return no_memory_ ? Departure::kNoMemory : Departure::kWait;
      send = next;
    }
    bool all = true;
    m.mailbox.change_all([&](Parcel* parcel) {
      Parcel* moved = repack(t, parcel);
      all = all && t->heap.contains(moved);
      return moved;
    });
    if (!all) return Departure::kNoMemory;
  }
  (m.previous_resident != nullptr ? m.previous_resident->next_resident : residents_) =
      m.next_resident;
  if (m.next_resident != nullptr) m.next_resident->previous_resident = m.previous_resident;
  return Departure::kGo;
}

void Post::arrived(Tcb* t) {
  Member& m = *t->member;
  m.previous_resident = nullptr;
  m.next_resident = residents_;
  if (residents_ != nullptr) residents_->previous_resident = &m;
  residents_ = &m;
}

std::string Post::describe(Member& m) {
  std::string line;
  if (const RequestState* r = m.mailbox.posted(); r != nullptr && m.waiting) {
    line += r->from == kAny ? " from any member" : text(" from member %d", r->from);
    if (r->tag != kAny) line += text(" with tag %d", r->tag);
  }
  const detail::Mailbox::Counts counts = m.mailbox.counts();
  if (counts.come > 0) line += text("; %zu others have come", counts.come);
  if (counts.early > 0) line += text(", %zu of them before their turn", counts.early);
  return line;
}

bool Post::sends_wait() const {
  if (no_memory_) return false;
  for (const Member* m = residents_; m != nullptr; m = m->next_resident) {
    if (m->waiting && m->sends != nullptr) return true;
  }
  return false;
}

void Post::idle() {
  for (Member* m = residents_; m != nullptr; m = m->next_resident) {
    if (!m->waiting) continue;
    for (RequestState* send = m->sends; send != nullptr;) {
      RequestState* next = send->next;
      detach(*m, send);
      send = next;
    }
  }
}

}  // namespace roam::runtime
