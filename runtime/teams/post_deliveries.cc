// How messages that have come reach their members.

#include <cstddef>
#include <cstring>
#include <new>

#include "base/check.h"
#include "runtime/teams/no_way_back.h"
#include "runtime/teams/post.h"
#include "runtime/teams/requests.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::Envelope;
using detail::Member;
using detail::Parcel;
using detail::Peer;
using detail::RequestState;

namespace {

// A message's bytes lie behind its head.
static_assert((offsetof(Card, data) + sizeof(DirectHead)) % alignof(std::max_align_t) == 0);

}  // namespace

// A member that has left its team, and whose thread is about to end, gets nothing more.
bool Post::deliver(Tcb* t, const Envelope& e, const void* data) try {
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
} catch (const std::bad_alloc&) {
  no_memory_to_go_on(e);
}

bool Post::deliver(Tcb* t, Parcel* parcel) {
  const Envelope e = parcel->envelope;
  try {
    return deliver(t, e, parcel);
  } catch (const std::bad_alloc&) {
    no_memory_to_go_on(e);
  }
}

bool Post::deliver(Tcb* t, const Envelope& e, Parcel* parcel) {
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
    hold(parcel, {t->id.load(std::memory_order_relaxed), t});
}

void Post::hold(Parcel* parcel, Target receiver) try {
  held_.add(parcel, receiver);
} catch (const std::bad_alloc&) {
  no_memory_to_go_on(parcel->envelope);
}

// Into the room of a receive that was posted, and is no more.
void Post::deliver_into(Tcb* t, RequestState* receive, const Envelope& e, const void* data) try {
  if (e.bytes != 0) std::memcpy(receive->data, data, e.bytes);
  finish_receive(t, receive, e);
  iso::HeapScope theirs(&t->heap);
  delivering_ = t;
  member_of(t)->mailbox.catch_up(e.from, *this);
} catch (const std::bad_alloc&) {
  no_memory_to_go_on(e);
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
      if (!pass_on(rank, parcel, target)) hold(parcel, target);
      return;
    case Found::kLater:
      parcel->receiver = target;
      delay(parcel);
      return;
    case Found::kEnded:
      flow_.lost(parcel->envelope);
      open_.drop(parcel);
      return;
  }
}

void Post::take_cards() {
  net_.own_inbox().take_cards([this](const Card& card) {
    net_.count_take();
    handle(card.from, card.data, card.bytes);
  });
}

void Post::take_mail() {
  take_cards();
  Mail* mail = net_.own_inbox().take_mail();
  while (mail != nullptr) {
    Parcel* parcel = static_cast<Parcel*>(mail);
    make_usable(parcel, sizeof *parcel);
    mail = parcel->next;
    net_.count_take();
    if (parcel->receipt) {
      open_.finish(parcel);
      continue;
    }
    const Envelope e = parcel->envelope;
    try {
      if (!delayed_.add_by_chance(parcel)) route(parcel, parcel->receiver);
    } catch (const std::bad_alloc&) {
      no_memory_to_go_on(e);
    }
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
  } catch (const std::bad_alloc&) {
    return;
  }
  member.mailbox.remove(parcel);
  const Envelope e = parcel->envelope;
  try {
    if (!pulls_.hand_on_when_done(parcel, nullptr)) open_.drop(parcel);
    flow_.took(t, from);
  } catch (const std::bad_alloc&) {
    no_memory_to_go_on(e);
  }
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
  const Envelope e = parcel->envelope;
  const bool probe = request->kind == RequestState::Kind::kProbe;
  if (!probe) request->error = request->refusal(e);
  if (probe || request->error != Errc{}) {
    request->got(e);
    request->done = true;
    return;
  }
  me.mailbox.remove(parcel);
  delivering_ = me.thread;
  try {
    matched(request, parcel);
    flow_.took(me.thread, e.from);
  } catch (const std::bad_alloc&) {
    no_memory_to_go_on(e);
  }
}

}  // namespace roam::runtime
