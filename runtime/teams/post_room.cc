// Members that wait for room (room.h): who tells them, and what a person is told of them.

#include <algorithm>

#include "base/text.h"
#include "runtime/teams/post.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::Room;
using detail::State;
using threads::scheduler;

// `t` has got or received something from member `from`.
void Post::give_room(Tcb* t, int from) {
  const Member& m = *t->member;
  detail::Mailbox& mailbox = t->member->mailbox;
  if (const std::uint64_t due = mailbox.room().take_due(mailbox.peer(from).room); due != 0)
      [[unlikely]] {
    tell_room(m.team, from, m.index, due);
  }
  if (!mailbox.room().take_again()) [[likely]]
    return;
  mailbox.peers().for_each([&](Peer& peer) {
    const std::uint64_t due = mailbox.room().take_due(peer.room);
    if (due != 0) tell_room(m.team, peer.index, m.index, due);
  });
}

void Post::tell_room(std::uint64_t team, int sender, int receiver, std::uint64_t bytes) {
  iso::HeapScope process;
  on_room({Kind::kRoom, sender, receiver, 0, {}, team, bytes});
}

// A message that came too late: its receiver has ended.
void Post::lost(const Envelope& e) {
  if (e.counts != 0) tell_room(e.team, e.from, e.to, Room::bytes_for(e.bytes));
}

// On its way to the sender, or there.
void Post::on_room(RoomHead head) {
  int rank = 0;
  switch (find(head.team, head.sender, &head.target, true, &rank)) {
    case Found::kHere:
      break;
    case Found::kThere:
      net_.send(rank, head);
      return;
    case Found::kLater:
      net_.keep_for_later(head);
      return;
    case Found::kEnded:
      return;
  }
  Tcb* t = head.target.control;
  Member* m = t->member;
  if (m == nullptr) return;
  Peer* peer = m->mailbox.peers().look(head.receiver);
  if (peer == nullptr) return;
  peer->room.used -= std::min(peer->room.used, head.bytes);
  if (m->full == peer && m->waiting && t->state == State::kBlocked) {
    m->waiting = false;
    scheduler().make_ready(t);
  }
}

std::string Post::describe_wait(const Tcb* t) const {
  if (t->member == nullptr) return {};
  Member& m = *t->member;
  std::string line;
  if (m.full != nullptr) {
    return text(": %llu bytes of messages to member %d of team %llu, which are not received",
                static_cast<unsigned long long>(m.full->room.used), m.full->index,
                static_cast<unsigned long long>(m.team));
  }
  if (const RequestState* r = m.sends; r != nullptr && m.waiting) {
    const Envelope& e = r->parcel->envelope;
    line += text(" (%llu bytes to member %d%s)", static_cast<unsigned long long>(e.bytes), e.to,
                 !may_copy(r->parcel) ? "; as many of copies wait there already"
                 : no_memory_         ? "; there is no memory for a copy"
                                      : "");
    if (no_memory_) line += ": " + iso::arena().shortage();
  }
  if (const RequestState* r = m.mailbox.posted(); r != nullptr && m.waiting) {
    line += r->from == kAny ? " from any member" : text(" from member %d", r->from);
    if (r->tag != kAny) line += text(" with tag %d", r->tag);
  }
  const detail::Mailbox::Counts counts = m.mailbox.counts();
  if (counts.come > 0) line += text("; %zu others have come", counts.come);
  if (counts.early > 0) line += text(", %zu of them before their turn", counts.early);
  return line;
}

std::uint64_t Post::held_back() const {
  std::uint64_t count = 0;
  for (const Member* m = residents_; m != nullptr; m = m->next_resident)
    count += m->waiting && (m->full != nullptr || m->sends != nullptr);
  return count;
}

}  // namespace roam::runtime
