// How members send, and what the post office does when it is its turn.

#include "runtime/teams/post.h"

#include <x86intrin.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "runtime/net/inbox.h"
#include "runtime/teams/no_way_back.h"
#include "runtime/teams/requests.h"
#include "runtime/trace/trace.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::Envelope;
using detail::Member;
using detail::Parcel;
using detail::Peer;
using detail::RequestState;

namespace {

// Longer messages stay in the sender's memory until the receiver takes them: copying them twice
// costs more than letting the sender wait.
constexpr std::size_t kLongOnRank = 16 << 10;
constexpr std::size_t kLongInNode = 8 << 10;

}  // namespace

// ---- sending ----

// Whether `data` can be left where it is until it is received, whatever the ranks and members do
// meanwhile: it is the thread's own, or a block. The same address of another rank is other memory
// if it is the process's; and what lies in another thread's memory leaves the node with that one,
// what lies in an ended thread's with whoever joins it. What is absent is touched now, so that the
// thread that sends it is named.
static bool stays_with(const Tcb* t, const void* data) {
  if (!iso::arena().contains(data)) return false;
  const Tcb* owner = detail::owner_of(data);
  if (owner != nullptr) return owner == t;
  const iso::UnitKind kind = iso::arena().units().kind(reinterpret_cast<Address>(data));
  return kind != iso::UnitKind::kNone && !iso::is_away(kind);
}

std::size_t Post::most_served_bytes() const {
  return std::min(mpi_.most_bytes() - sizeof(LetterHead), kLongInNode);
}

bool Post::send(Member& me, const Sending& what, RequestState* request) {
  const auto [to, tag, data, bytes, context, note, waits_for_room] = what;
  Peer* peer;
  {
    iso::HeapScope mine(&me.thread->heap);
    peer = me.mailbox.know(to) ? &me.mailbox.peer(to) : nullptr;
  }
  if (peer == nullptr) [[unlikely]] {
    throw Error(Errc::out_of_memory, text("send: no memory to send to member %d: %s", to,
                                          iso::arena().limit().shortage().c_str()));
  }
  const bool has_bound = me.mailbox.room().bounded() && tag >= 0 && to != me.index;
  const bool full = has_bound && me.mailbox.room().full(peer->room);
  if (full && waits_for_room) [[unlikely]] {
    me.full = peer;
    return false;
  }
  int rank = 0;
  const bool knew = peer->target.id != 0;
  const Found found = whereabouts_.find_peer(me.team, peer, &rank);
  if (found == Found::kEnded) {
    throw Error(Errc::thread_ended, text("send: member %d of the team has ended", to));
  }
  Envelope e{.team = me.team,
             .to = to,
             .from = me.index,
             .tag = tag,
             .sequence = peer->next_out,
             .bytes = bytes,
             .origin = net_.rank(),
             .forwards = 0,
             .sender = me.thread->id.load(std::memory_order_relaxed),
             .asks = !knew && peer->target.id == 0,
             .counts = 0,
             .note = note,
             .context = context};
  // Short messages are copied; long ones too, unless they can be left where they are.
  // Where there is no room all do, whose senders wait for them: what is sent and not received is as
  // much as has room, and what lies with senders.
  const std::size_t most_copied = found == Found::kHere ? kLongOnRank
                                  : found == Found::kThere && net_.same_node(rank)
                                      ? kLongInNode
                                      : mpi_.most_bytes() - sizeof(LetterHead);
  const bool stays = (full || bytes > most_copied) && request != nullptr && to != me.index &&
                     (bytes == 0 || stays_with(me.thread, data));
  // Counted before it goes: a receiver on this rank may say at once that there is room again.
  struct Used {
    detail::PeerRoom& room;
    std::uint64_t bytes;
    ~Used() { room.used -= bytes; }
  } used{peer->room, 0};
  if (has_bound && !stays && !full) {
    e.counts = 1;
    peer->room.used += used.bytes = detail::Room::bytes_for(bytes);
  }
  Trace* const trace = the_trace;
  const std::uint64_t begin_ticks = trace != nullptr ? __rdtsc() : 0;
  dispatch(found, rank, peer, e, data, request, stays);
  used.bytes = 0;
  ++peer->next_out;
  ++peer->messages_sent;
  peer->bytes_sent += bytes;
  if (trace != nullptr) {
    const int to_rank = found == Found::kThere ? rank : net_.rank();
    trace->sent(e.sender, peer->target.id, to_rank, bytes, tag, pair_of(e), e.sequence + 1,
                begin_ticks);
  }
  return true;
}

void Post::dispatch(Found found, int rank, Peer* peer, const Envelope& e, const void* data,
                    RequestState* request, bool stays) {
  const std::size_t bytes = e.bytes;
  if (found == Found::kHere) {
    Tcb* t = peer->target.control;
    if (!stays) {
      if (!deliver(t, e, data)) [[unlikely]]
        deliver_or_hold(t, parcels_.make(e, data));
    } else {
      RequestState* receive = nullptr;
      if (member_of(t) != nullptr) {
        iso::HeapScope theirs(&t->heap);
        detail::Mailbox& mailbox = member_of(t)->mailbox;
        if (mailbox.know(e.from)) receive = mailbox.take(e);
      }
      if (receive == nullptr) {
        deliver_or_hold(t, open_.make(e, data, false, request));
        return;
      }
      deliver_into(t, receive, e, data);
    }
  } else if (found == Found::kThere && net_.same_node(rank)) {
    if (stays) return push(rank, open_.make(e, data, false, request), peer->target);
    if (!send_card(rank, e, peer->target, data)) push(rank, parcels_.make(e, data), peer->target);
  } else if (found == Found::kLater) {
    // Before it is made: without memory nothing has been sent, and the caller is told.
    DelayedParcels::Place place(delayed_);
    const bool fits = !stays && sizeof(LetterHead) + bytes <= mpi_.most_bytes();
    place.add(fits ? parcels_.make(e, data) : open_.make(e, data, !stays, request));
    if (stays) return;
  } else if (!stays && sizeof(LetterHead) + bytes <= mpi_.most_bytes()) {
    send_letter(rank, e, peer->target, data);
  } else {
    pass_on(rank, open_.make(e, data, !stays, request), peer->target);
    if (stays) return;
  }
  if (request != nullptr) request->done = true;
}

// What came from elsewhere is nobody's here who could be told.
void Post::delay(Parcel* parcel) try { delayed_.add(parcel); } catch (const std::bad_alloc&) {
  no_memory_to_go_on(parcel->envelope);
}

void Post::push(int rank, Parcel* parcel, Target receiver) {
  parcel->receiver = receiver;
  net_.hand_off(rank, static_cast<Mail*>(parcel));
}

// It lies in the receiver's inbox itself, which spares it the parcel's way between the cores.
bool Post::send_card(int rank, const Envelope& e, Target receiver, const void* data) {
  return sizeof(DirectHead) + e.bytes <= Card::kMostBytes &&
         net_.send_card(rank, direct_head(e, receiver), data, e.bytes);
}

// ---- as a component ----

void Post::poll() {
  if (net_.own_inbox().has_mail()) take_mail();
  if (!delayed_.empty()) delayed_.turn([this](Parcel* parcel) { route(parcel, parcel->receiver); });
  if (!held_.empty() && held_.may_retry()) retry_held();
}

// Another rank of the node may have given memory back before it looked whether the job is over:
// what waits here for memory is tried before this rank looks.
void Post::idle(Idle stage) {
  if (stage != Idle::kBegins && !held_.empty()) retry_held();
}

std::string Post::describe_wait(const Tcb* t) const {
  if (member_of(t) == nullptr || member_of(t)->full != nullptr) return {};
  Member& m = *member_of(t);
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

}  // namespace roam::runtime
