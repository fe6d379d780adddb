#include "runtime/teams/post.h"

#include <x86intrin.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "runtime/net/inbox.h"
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
      if (bytes != 0) std::memcpy(receive->data, data, bytes);
      finish_receive(t, receive, e);
      iso::HeapScope theirs(&t->heap);
      delivering_ = t;
      member_of(t)->mailbox.catch_up(e.from, *this);
    }
  } else if (found == Found::kThere && net_.same_node(rank)) {
    push(rank, stays ? open_.make(e, data, false, request) : parcels_.make(e, data), peer->target);
    if (stays) return;
  } else if (!stays && sizeof(LetterHead) + bytes <= mpi_.most_bytes()) {
    if (found == Found::kThere) {
      send_letter(rank, e, peer->target, data);
    } else {
      delayed_.add(parcels_.make(e, data));
    }
  } else {
    Parcel* open = open_.make(e, data, !stays, request);
    if (found == Found::kLater) {
      delayed_.add(open);
    } else {
      pass_on(rank, open, peer->target);
    }
    if (stays) return;
  }
  if (request != nullptr) request->done = true;
}

void Post::send_letter(int rank, const Envelope& e, Target target, const void* data) {
  threads::on_rank_stack([&] {
    const LetterHead head{Kind::kLetter, 0, e, target, nullptr};
    char* at = mpi_.compose(sizeof head + e.bytes);
    std::memcpy(at, &head, sizeof head);
    if (e.bytes != 0) std::memcpy(at + sizeof head, data, e.bytes);
    mpi_.send(rank);
  });
}

void Post::push(int rank, Parcel* parcel, Target receiver) {
  parcel->receiver = receiver;
  net_.hand_off(rank, static_cast<Mail*>(parcel));
}

// Towards a rank that knows more; the parcel is given up if its bytes can go themselves. False:
// there is no memory for what has to stay here until they are asked for.
bool Post::pass_on(int rank, Parcel* parcel, Target target) {
  if (net_.same_node(rank)) {
    push(rank, parcel, target);
    return true;
  }
  if (parcel->place == Parcel::Place::kInside) {
    const Envelope e = parcel->envelope;
    if (sizeof(LetterHead) + e.bytes <= mpi_.most_bytes()) {
      send_letter(rank, e, target, parcel->data);
    } else {
      Envelope from_here = e;
      from_here.origin = net_.rank();
      Parcel* open = open_.try_make(from_here, parcel->data, true, nullptr);
      if (open == nullptr) return false;
      net_.send(rank, LetterHead{Kind::kLetterOffer, 0, from_here, target, open});
    }
    parcels_.free_parcel(parcel);
    return true;
  }
  const bool far = parcel->place == Parcel::Place::kFar;
  net_.send(rank, LetterHead{Kind::kLetterOffer, 0, parcel->envelope, target,
                             far ? parcel->original : parcel});
  if (far) parcels_.free(parcel);
  return true;
}

// ---- delivering ----

// A member that has left its team, and whose thread is about to end, gets nothing more.
bool Post::deliver(Tcb* t, const Envelope& e, const void* data) {
  if (member_of(t) == nullptr) [[unlikely]] {
    flow_.lost(e);
    return true;
  }
  iso::HeapScope theirs(&t->heap);
  detail::Mailbox& mailbox = member_of(t)->mailbox;
  if (!mailbox.know(e.from)) [[unlikely]]
    return false;
  delivering_ = t;
  if (e.tag == detail::kServedTag && mailbox.begin_serving(e)) {
    serve(t, e, static_cast<const char*>(data));
    mailbox.catch_up(e.from, *this);
  } else if (RequestState* request = mailbox.take(e); request != nullptr) {
    if (e.bytes != 0) std::memcpy(request->data, data, e.bytes);
    finish_receive(t, request, e);
    mailbox.catch_up(e.from, *this);
  } else {
    Parcel* parcel = parcels_.try_make(e, data);
    if (parcel == nullptr) [[unlikely]]
      return false;
    mailbox.accept(parcel, *this);
  }
  after_delivery(e, t);
  return true;
}

bool Post::deliver(Tcb* t, Parcel* parcel) {
  const Envelope e = parcel->envelope;
  if (member_of(t) == nullptr) [[unlikely]] {
    flow_.lost(e);
    open_.drop(parcel);
    return true;
  }
  {
    iso::HeapScope theirs(&t->heap);
    detail::Mailbox& mailbox = member_of(t)->mailbox;
    if (!mailbox.know(e.from)) [[unlikely]]
      return false;
    delivering_ = t;
    mailbox.accept(parcel, *this);
  }
  after_delivery(e, t);
  return true;
}

void Post::deliver_or_hold(Tcb* t, Parcel* parcel) {
  if (!deliver(t, parcel)) [[unlikely]]
    held_.add(parcel, {t->id.load(std::memory_order_relaxed), t});
}

void Post::after_delivery(const Envelope& e, Tcb* t) {
  flow_.took(t, e.from);
  if (e.forwards == 0 && e.asks == 0) return;
  iso::HeapScope process;
  whereabouts_.tell(e.origin, e.team, e.to, t);
}

void Post::route(Parcel* parcel, Target target) {
  int rank = 0;
  switch (whereabouts_.find(parcel->envelope.team, parcel->envelope.to, &target, true, &rank)) {
    case Found::kHere:
      deliver_or_hold(target.control, parcel);
      return;
    case Found::kThere:
      ++parcel->envelope.forwards;
      if (!pass_on(rank, parcel, target)) held_.add(parcel, target);
      return;
    case Found::kLater:
      parcel->receiver = target;
      delayed_.add(parcel);
      return;
    case Found::kEnded:
      flow_.lost(parcel->envelope);
      open_.drop(parcel);
      return;
  }
}

void Post::take_mail() {
  Mail* mail = net_.own_inbox().take_mail();
  while (mail != nullptr) {
    Parcel* parcel = static_cast<Parcel*>(mail);
    make_usable(parcel, sizeof *parcel);
    mail = parcel->next;
    net_.count_take();
    if (parcel->receipt) {
      open_.finish(parcel);
    } else if (!delayed_.add_by_chance(parcel)) {
      route(parcel, parcel->receiver);
    }
  }
}

void Post::on_letter(const LetterHead& head, const char* data) {
  if (head.kind == Kind::kLetterOffer || delayed_.shuffles()) {
    Parcel* parcel = head.kind == Kind::kLetterOffer
                         ? parcels_.try_far(head.envelope, head.original)
                         : parcels_.try_make(head.envelope, data);
    if (parcel == nullptr) return held_.add(head, data);
    parcel->receiver = head.target;
    if (!delayed_.add_by_chance(parcel)) route(parcel, head.target);
    return;
  }
  Target target = head.target;
  int rank = 0;
  const Found found = whereabouts_.find(head.envelope.team, head.envelope.to, &target, true, &rank);
  if (found == Found::kHere) {
    if (!deliver(target.control, head.envelope, data)) held_.add(head, data);
  } else if (found != Found::kEnded) {
    Parcel* parcel = parcels_.try_make(head.envelope, data);
    if (parcel == nullptr) return held_.add(head, data);
    route(parcel, target);
  } else {
    flow_.lost(head.envelope);
  }
}

void Post::matched(RequestState* request, Parcel* parcel) {
  const Envelope e = parcel->envelope;
  Tcb* t = delivering_;
  iso::HeapScope process;
  if (e.bytes > request->bytes) [[unlikely]] {
    request->error = Errc::message_too_long;
    if (!pulls_.hand_on_when_done(parcel, nullptr)) open_.drop(parcel);
    return finish_receive(t, request, e);
  }
  switch (parcel->place) {
    case Parcel::Place::kInside:
      if (pulls_.hand_on_when_done(parcel, request)) return;
      if (e.bytes != 0) std::memcpy(request->data, parcel->data, e.bytes);
      parcels_.free_parcel(parcel);
      break;
    case Parcel::Place::kOpen:
      open_.copy_to(request, parcel);
      break;
    case Parcel::Place::kFar:
      if (!net_.same_node(e.origin)) {
        pulls_.start(t, request, parcel);
        return;
      }
      make_usable(parcel->original, sizeof(Parcel));
      open_.copy_to(request, parcel->original);
      parcels_.free(parcel);
      break;
  }
  finish_receive(t, request, e);
}

// What is sent while it is served may be delivered at once, to others.
void Post::serve(Tcb* t, const Envelope& e, const char* data) {
  Member& member = *member_of(t);
  if (e.context == detail::kRuntimeContext) {
    give_up(t, e.from, read<TakeBackHead>(data));
    delivering_ = t;
    return;
  }
  ROAM_CHECK(member.server != nullptr, "member %d has nobody who serves a message", e.to);
  const bool news = member.server->serve(member, e, data);
  if (news) wake_if_waiting(t);
  delivering_ = t;
}

// A message to oneself may be on its way by another rank: then this goes behind it. Else it would
// be answered within send(), which does not send to the same member meanwhile.
void Post::take_back(Member& me, int to, const TakeBackHead& what) {
  if (const Peer& peer = me.mailbox.peer(to); to == me.index && peer.next_in == peer.next_out)
    return give_up(me.thread, to, what);
  const bool sent = send(me,
                         {.to = to,
                          .tag = detail::kServedTag,
                          .data = &what,
                          .bytes = sizeof what,
                          .context = detail::kRuntimeContext,
                          .waits_for_room = false},
                         nullptr);
  ROAM_CHECK(sent, "what takes a message back waits for room");
}

// Its sender is told first: where there is no memory for that, nothing has happened. In a
// checkpoint its bytes may be on their way into the member's memory.
void Post::give_up(Tcb* t, int from, const TakeBackHead& what) {
  iso::HeapScope process;
  Member& member = *member_of(t);
  Parcel* parcel = member.mailbox.find_sent(what.context, from, what.sequence);
  if (parcel == nullptr) return;
  try {
    const bool sent = send(member,
                           {.to = from,
                            .tag = what.answer_tag,
                            .data = nullptr,
                            .bytes = 0,
                            .context = what.answer_context,
                            .note = what.answer_note,
                            .waits_for_room = false},
                           nullptr);
    ROAM_CHECK(sent, "that a message was taken back waits for room");
  } catch (const Error&) {
    return;
  }
  member.mailbox.remove(parcel);
  if (!pulls_.hand_on_when_done(parcel, nullptr)) open_.drop(parcel);
  flow_.took(t, from);
}

void Post::served(Parcel* parcel) {
  ROAM_CHECK(parcel->place == Parcel::Place::kInside, "a message that is served came in parts");
  serve(delivering_, parcel->envelope, static_cast<const char*>(parcel->data));
  iso::HeapScope process;
  parcels_.free_parcel(parcel);
}

void Post::answered(RequestState* request) { finish_request(delivering_, request); }

void Post::receive(Member& me, RequestState* request) {
  iso::HeapScope mine(&me.thread->heap);
  Parcel* parcel = me.mailbox.find(request->context, request->from, request->tag);
  if (parcel == nullptr) {
    pin_for_request(me.thread, request);
    me.mailbox.post(request);
    return;
  }
  const Envelope& e = parcel->envelope;
  const bool probe = request->kind == RequestState::Kind::kProbe;
  if (!probe) request->error = request->refusal(e);
  if (probe || request->error != Errc{}) {
    request->got(e);
    request->done = true;
    return;
  }
  me.mailbox.remove(parcel);
  delivering_ = me.thread;
  const int from = e.from;
  matched(request, parcel);
  flow_.took(me.thread, from);
}

// ---- as a component ----

std::span<const Kind> Post::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kLetter, Kind::kLetterOffer};
  return kOwn;
}

void Post::handle(int, const char* message, std::size_t) {
  const auto head = read<LetterHead>(message);
  on_letter(head, message + sizeof head);
}

void Post::poll() {
  if (net_.own_inbox().has_mail()) take_mail();
  if (!delayed_.empty()) delayed_.turn([this](Parcel* parcel) { route(parcel, parcel->receiver); });
  if (!held_.empty() && held_.may_retry()) retry_held();
}

// As they came, so that they go on if their receiver has moved, and are given up if it has ended.
void Post::retry_held() {
  held_.retry([this](const HeldLetters::Held& held) {
    if (held.parcel != nullptr) {
      route(held.parcel, held.head.target);
    } else {
      on_letter(held.head, held.bytes.data());
    }
  });
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
