#include "runtime/teams/post.h"

#include <x86intrin.h>

#include <cstring>
#include <new>

#include "base/check.h"
#include "base/text.h"
#include "runtime/net/inbox.h"
#include "runtime/teams/post_parcels.h"
#include "runtime/trace/trace.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using threads::scheduler;

namespace {

// Longer messages stay in the sender's memory until the receiver takes them: copying them twice
// costs more than letting the sender wait.
constexpr std::size_t kLongOnRank = 16 << 10;
constexpr std::size_t kLongInNode = 8 << 10;

}  // namespace

// ---- where members are ----

void Post::add_team(std::uint64_t team, int size, int ranks) {
  Directions& d = teams_[team];
  d.size = size;
  d.ranks = ranks;
  d.first = first_member(net_.rank(), size, ranks);
  d.home.resize(static_cast<std::size_t>(first_member(net_.rank() + 1, size, ranks) - d.first));
}

void Post::set_member(std::uint64_t team, int index, Target target) {
  Directions& d = teams_.at(team);
  d.home[static_cast<std::size_t>(index - d.first)] = target;
}

Target Post::member(std::uint64_t team, int index) const {
  const Target* home = teams_.at(team).at_home(index);
  return home != nullptr ? *home : Target{};
}

void Post::forget_team(std::uint64_t team) {
  teams_.erase(team);
  last_team_ = 0;
}

Directions* Post::directions(std::uint64_t team) {
  if (team == last_team_) return last_directions_;
  const auto it = teams_.find(team);
  if (it == teams_.end()) return nullptr;
  last_team_ = team;
  return last_directions_ = &it->second;
}

// Finds the member: here, or the rank that knows more. `*target` is filled in if it can be. A
// message that is on its way already does not go by hearsay, which could lead it in circles: home
// ranks and the memory of the node tell the truth.
Post::Found Post::find(std::uint64_t team, int index, Target* target, bool on_its_way, int* rank) {
  if (target->id != 0 && locator_.find_on_node(*target, rank) != nullptr)
    return *rank == net_.rank() ? Found::kHere : Found::kThere;
  Directions* d = directions(team);
  if (d == nullptr) return Found::kEnded;
  if (const Target* home = d->at_home(index); home != nullptr) {
    *target = *home;
  } else if (const auto it = d->known.find(index); it != d->known.end()) {
    *target = it->second.target;
    if (!on_its_way && it->second.rank != net_.rank() && !net_.same_node(it->second.rank)) {
      *rank = it->second.rank;
      return Found::kThere;
    }
  }
  if (target->id == 0) {
    *rank = d->home_rank(index);
    return Found::kThere;
  }
  switch (locator_.locate(*target, rank)) {
    case Locator::Where::kHere:
      return Found::kHere;
    case Locator::Where::kThere:
      return Found::kThere;
    case Locator::Where::kLater:
      return Found::kLater;
    default:
      return Found::kEnded;
  }
}

// The same for a sender's peer. Looking at the control block of a thread that runs on another core
// costs two cache misses: while no news have come, it is where the last message went. If it is not,
// that rank passes the message on and tells.
Post::Found Post::find_peer(std::uint64_t team, Peer* peer, int* rank) {
  if (peer->news == news_ && peer->rank >= 0 && peer->rank != net_.rank()) {
    *rank = peer->rank;
    return Found::kThere;
  }
  const Found found = find(team, peer->index, &peer->target, false, rank);
  peer->rank = found == Found::kThere && net_.same_node(*rank) ? *rank : -1;
  peer->news = news_;
  return found;
}

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
  const iso::UnitKind kind = iso::arena().kind(reinterpret_cast<Address>(data));
  return kind != iso::UnitKind::kNone && !iso::is_away(kind);
}

bool Post::send(Member& me, int to, int tag, const void* data, std::size_t bytes,
                RequestState* request) {
  Peer* peer;
  {
    iso::HeapScope mine(&me.thread->heap);
    peer = me.mailbox.know(to) ? &me.mailbox.peer(to) : nullptr;
  }
  if (peer == nullptr) [[unlikely]] {
    throw Error(Errc::out_of_memory, text("send: no memory to send to member %d: %s", to,
                                          iso::arena().shortage().c_str()));
  }
  const bool has_bound = me.mailbox.room().bounded() && tag >= 0 && to != me.index;
  if (has_bound && me.mailbox.room().full(peer->room)) [[unlikely]] {
    me.full = peer;
    return false;
  }
  int rank = 0;
  const bool knew = peer->target.id != 0;
  const Found found = find_peer(me.team, peer, &rank);
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
             .asks = !knew && peer->target.id == 0};
  // Short messages are copied; long ones too, unless they can be left where they are.
  const std::size_t most_copied = found == Found::kHere ? kLongOnRank
                                  : found == Found::kThere && net_.same_node(rank)
                                      ? kLongInNode
                                      : mpi_.most_bytes() - sizeof(LetterHead);
  const bool stays =
      bytes > most_copied && request != nullptr && to != me.index && stays_with(me.thread, data);
  // Counted before it goes: a receiver on this rank may say at once that there is room again.
  struct Used {
    detail::PeerRoom& room;
    std::uint64_t bytes;
    ~Used() { room.used -= bytes; }
  } used{peer->room, 0};
  if (has_bound && !stays) {
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
        deliver_or_hold(t, make_parcel(e, data));
    } else {
      RequestState* receive = nullptr;
      if (t->member != nullptr) {
        iso::HeapScope theirs(&t->heap);
        detail::Mailbox& mailbox = t->member->mailbox;
        if (mailbox.know(e.from)) receive = mailbox.take(e);
      }
      if (receive == nullptr) {
        deliver_or_hold(t, make_open(e, data, false, request));
        return;
      }
      std::memcpy(receive->data, data, bytes);
      received(t, receive, e);
      iso::HeapScope theirs(&t->heap);
      delivering_ = t;
      t->member->mailbox.catch_up(e.from, *this);
    }
  } else if (found == Found::kThere && net_.same_node(rank)) {
    push(rank, stays ? make_open(e, data, false, request) : make_parcel(e, data), peer->target);
    if (stays) return;
  } else if (sizeof(LetterHead) + bytes <= mpi_.most_bytes()) {
    if (found == Found::kThere) {
      send_letter(rank, e, peer->target, data);
    } else {
      delayed_.push_back({make_parcel(e, data), 1});
    }
  } else {
    Parcel* open = make_open(e, data, !stays, request);
    if (found == Found::kLater) {
      delayed_.push_back({open, 1});
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
      Parcel* open = try_open(from_here, parcel->data, true, nullptr);
      if (open == nullptr) return false;
      net_.send(rank, LetterHead{Kind::kLetterOffer, 0, from_here, target, open});
    }
    free_parcel(parcel);
    return true;
  }
  const bool far = parcel->place == Parcel::Place::kFar;
  net_.send(rank, LetterHead{Kind::kLetterOffer, 0, parcel->envelope, target,
                                 far ? parcel->original : parcel});
  if (far) free(parcel);
  return true;
}

// ---- delivering ----

// A member that has left its team, and whose thread is about to end, gets nothing more.
bool Post::deliver(Tcb* t, const Envelope& e, const void* data) {
  if (t->member == nullptr) [[unlikely]] {
    lost(e);
    return true;
  }
  iso::HeapScope theirs(&t->heap);
  detail::Mailbox& mailbox = t->member->mailbox;
  if (!mailbox.know(e.from)) [[unlikely]]
    return false;
  delivering_ = t;
  if (RequestState* request = mailbox.take(e); request != nullptr) {
    if (e.bytes != 0) std::memcpy(request->data, data, e.bytes);
    received(t, request, e);
    mailbox.catch_up(e.from, *this);
  } else {
    Parcel* parcel = try_parcel(e, data);
    if (parcel == nullptr) [[unlikely]]
      return false;
    mailbox.accept(parcel, *this);
  }
  after_delivery(e, t);
  return true;
}

bool Post::deliver(Tcb* t, Parcel* parcel) {
  const Envelope e = parcel->envelope;
  if (t->member == nullptr) [[unlikely]] {
    lost(e);
    drop(parcel);
    return true;
  }
  {
    iso::HeapScope theirs(&t->heap);
    detail::Mailbox& mailbox = t->member->mailbox;
    if (!mailbox.know(e.from)) [[unlikely]]
      return false;
    delivering_ = t;
    mailbox.accept(parcel, *this);
  }
  after_delivery(e, t);
  return true;
}

void Post::after_delivery(const Envelope& e, Tcb* t) {
  give_room(t, e.from);
  if ((e.forwards == 0 && e.asks == 0) || e.origin == net_.rank()) return;
  iso::HeapScope process;
  net_.send(e.origin, MemberAtHead{Kind::kMemberAt,
                                       net_.rank(),
                                       e.team,
                                       {t->id.load(std::memory_order_relaxed), t},
                                       e.to,
                                       t->hops});
}

void Post::route(Parcel* parcel, Target target) {
  int rank = 0;
  switch (find(parcel->envelope.team, parcel->envelope.to, &target, true, &rank)) {
    case Found::kHere:
      deliver_or_hold(target.control, parcel);
      return;
    case Found::kThere:
      ++parcel->envelope.forwards;
      if (!pass_on(rank, parcel, target)) hold(parcel, target);
      return;
    case Found::kLater:
      parcel->receiver = target;
      delayed_.push_back({parcel, 1});
      return;
    case Found::kEnded:
      lost(parcel->envelope);
      drop(parcel);
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
      finish_open(parcel);
    } else if (!shuffled(parcel)) {
      route(parcel, parcel->receiver);
    }
  }
}

void Post::on_letter(const LetterHead& head, const char* data) {
  if (head.kind == Kind::kLetterOffer || random_ != 0) {
    Parcel* parcel = head.kind == Kind::kLetterOffer ? try_far(head.envelope, head.original)
                                                     : try_parcel(head.envelope, data);
    if (parcel == nullptr) return hold(head, data);
    parcel->receiver = head.target;
    if (!shuffled(parcel)) route(parcel, head.target);
    return;
  }
  Target target = head.target;
  int rank = 0;
  const Found found = find(head.envelope.team, head.envelope.to, &target, true, &rank);
  if (found == Found::kHere) {
    if (!deliver(target.control, head.envelope, data)) hold(head, data);
  } else if (found != Found::kEnded) {
    Parcel* parcel = try_parcel(head.envelope, data);
    if (parcel == nullptr) return hold(head, data);
    route(parcel, target);
  } else {
    lost(head.envelope);
  }
}

void Post::matched(RequestState* request, Parcel* parcel) {
  const Envelope e = parcel->envelope;
  Tcb* t = delivering_;
  iso::HeapScope process;
  switch (parcel->place) {
    case Parcel::Place::kInside:
      if (e.bytes != 0) std::memcpy(request->data, parcel->data, e.bytes);
      free_parcel(parcel);
      break;
    case Parcel::Place::kOpen:
      copy_open(request, parcel);
      break;
    case Parcel::Place::kFar:
      if (!net_.same_node(e.origin)) {
        start_pull(request, parcel);
        return;
      }
      make_usable(parcel->original, sizeof(Parcel));
      copy_open(request, parcel->original);
      free(parcel);
      break;
  }
  received(t, request, e);
}

// The bytes are in their place.
void Post::received(Tcb* t, RequestState* request, const Envelope& e) {
  request->note(e);
  if (Trace* trace = the_trace; trace != nullptr) {
    trace->received(e.sender, t->id.load(std::memory_order_relaxed), e.origin, e.bytes, e.tag,
                    pair_of(e), e.sequence + 1);
  }
  finish_request(t, request);
}

void Post::answered(RequestState* request) { finish_request(delivering_, request); }

void Post::receive(Member& me, RequestState* request) {
  iso::HeapScope mine(&me.thread->heap);
  Parcel* parcel = me.mailbox.find(request->from, request->tag);
  if (parcel == nullptr) {
    hold(me.thread, request);
    me.mailbox.post(request);
    return;
  }
  const Envelope& e = parcel->envelope;
  const bool probe = request->kind == RequestState::Kind::kProbe;
  if (!probe) request->error = request->refusal(e);
  if (probe || request->error != Errc{}) {
    request->note(e);
    request->done = true;
    return;
  }
  me.mailbox.remove(parcel);
  delivering_ = me.thread;
  const int from = e.from;
  matched(request, parcel);
  give_room(me.thread, from);
}

std::span<const Kind> Post::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kLetter,  Kind::kLetterOffer, Kind::kPull,
                                  Kind::kReceipt, Kind::kRoom,        Kind::kMemberAt};
  return kOwn;
}

void Post::handle(int from, const char* message, std::size_t) {
  switch (read<Kind>(message)) {
    case Kind::kLetter:
    case Kind::kLetterOffer: {
      const auto head = read<LetterHead>(message);
      return on_letter(head, message + sizeof head);
    }
    case Kind::kPull:
      return on_pull(from, read<PullHead>(message));
    case Kind::kReceipt:
      return try_receipt(read<ReceiptHead>(message));
    case Kind::kRoom:
      return on_room(read<RoomHead>(message));
    default: {
      const auto head = read<MemberAtHead>(message);
      if (Directions* d = directions(head.team); d != nullptr) d->learn(head);
      ++news_;
    }
  }
}

void Post::poll() {
  if (net_.own_inbox().has_mail()) take_mail();
  if (busy()) progress();
  if (holds()) retry_held_now_and_then();
}

// Another rank of the node may have given memory back before it looked whether the job is over:
// what waits here for memory is tried before this rank looks.
void Post::idle(Idle stage) {
  if (stage == Idle::kBegins) {
    no_memory_ = false;  // there may be some again
    return;
  }
  if (stage == Idle::kLong) copy_for_waiting();
  if (holds()) retry_held();
}

}  // namespace roam::runtime
