#include "runtime/teams/flow_control.h"

#include <algorithm>

#include "base/text.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::Mailbox;
using detail::Member;
using detail::Peer;
using detail::Room;
using detail::State;
using threads::scheduler;

void FlowControl::took(Tcb* t, int from) {
  const Member& m = *member_of(t);
  Mailbox& mailbox = member_of(t)->mailbox;
  if (const std::uint64_t due = mailbox.room().take_due(mailbox.peer(from).room); due != 0)
      [[unlikely]] {
    tell(m.team, from, m.index, due);
  }
  if (!mailbox.room().take_again()) [[likely]]
    return;
  mailbox.peers().for_each([&](Peer& peer) {
    const std::uint64_t due = mailbox.room().take_due(peer.room);
    if (due != 0) tell(m.team, peer.index, m.index, due);
  });
}

void FlowControl::lost(const detail::Envelope& e) {
  if (e.counts != 0) tell(e.team, e.from, e.to, Room::bytes_for(e.bytes));
}

void FlowControl::ends(Member& me) {
  me.mailbox.peers().for_each([&](Peer& peer) {
    const std::uint64_t bytes = me.mailbox.room().take_all(peer.room);
    if (bytes != 0) tell(me.team, peer.index, me.index, bytes);
  });
}

void FlowControl::tell(std::uint64_t team, int sender, int receiver, std::uint64_t bytes) {
  iso::HeapScope process;
  pass_on({Kind::kRoom, sender, receiver, 0, {}, team, bytes});
}

// On its way to the sender, or there.
void FlowControl::pass_on(RoomHead head) {
  int rank = 0;
  switch (whereabouts_.find(head.team, head.sender, &head.target, true, &rank)) {
    case Whereabouts::Found::kHere:
      break;
    case Whereabouts::Found::kThere:
      net_.send(rank, head);
      return;
    case Whereabouts::Found::kLater:
      net_.keep_for_later(head);
      return;
    case Whereabouts::Found::kEnded:
      return;
  }
  Tcb* t = head.target.control;
  Member* m = member_of(t);
  if (m == nullptr) return;
  Peer* peer = m->mailbox.peers().look(head.receiver);
  if (peer == nullptr) return;
  peer->room.used -= std::min(peer->room.used, head.bytes);
  if (m->full == peer && m->waiting && t->state == State::kBlocked) {
    m->waiting = false;
    scheduler().make_ready(t);
  }
}

std::span<const Kind> FlowControl::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kRoom};
  return kOwn;
}

void FlowControl::handle(int, const char* message, std::size_t) {
  pass_on(read<RoomHead>(message));
}

std::string FlowControl::describe_wait(const Tcb* t) const {
  if (member_of(t) == nullptr || member_of(t)->full == nullptr) return {};
  const Member& m = *member_of(t);
  return text(": %llu bytes of messages to member %d of team %llu, which are not received",
              static_cast<unsigned long long>(m.full->room.used), m.full->index,
              static_cast<unsigned long long>(m.team));
}

}  // namespace roam::runtime
