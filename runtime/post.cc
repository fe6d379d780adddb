#include "runtime/post.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "runtime/node.h"
#include "runtime/runtime.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::State;
using threads::scheduler;

namespace {

// Longer messages stay in the sender's memory until the receiver takes them: copying them twice
// costs more than letting the sender wait.
constexpr std::size_t kLongOnRank = 16 << 10;
constexpr std::size_t kLongInNode = 8 << 10;

// What a receive got.
void note(RequestState* request, const Envelope& e) {
  request->from = e.from;
  request->tag = e.tag;
  request->bytes = e.bytes;
  request->forwards = e.forwards;
}

void make_usable(const void* data, std::size_t bytes) {
  iso::Arena& arena = iso::arena();
  if (!arena.contains(data)) return;
  arena.sync();
  const Address begin = round_down(reinterpret_cast<Address>(data), iso::kUnitBytes);
  const Address end = round_up(reinterpret_cast<Address>(data) + bytes, iso::kUnitBytes);
  arena.unseal(Range{begin, end - begin});
}

// The bytes of an open parcel are the caller's until it says kOffered or kDone. False: somebody
// else has them, for good.
bool lock(Parcel* parcel, Parcel::State state) {
  for (;;) {
    std::uint32_t seen = Parcel::kOffered;
    if (parcel->state.compare_exchange_strong(seen, state, std::memory_order_acquire)) return true;
    if (seen != Parcel::kMoving) return false;
    __builtin_ia32_pause();  // its sender makes a copy
  }
}

}  // namespace

// ---- memory ----

void Post::start() { room_ = scheduler().make(0, "post"); }

void Post::finish() {
  if (room_ == nullptr) return;
  room_->heap.collect();
  room_->heap.release_all();
  scheduler().retire(room_);
  room_ = nullptr;
}

void Post::reclaim() {
  if (room_ != nullptr) room_->heap.release_empty();
}

void* Post::allocate(std::size_t bytes) {
  void* block = room_->heap.allocate(bytes);
  if (block == nullptr) {
    throw Error(Errc::out_of_memory,
                text("no memory for a message of %zu bytes on rank %d", bytes, runtime_.rank()));
  }
  return block;
}

void Post::free(void* block) {
  if (room_->heap.owns_block(block)) {
    room_->heap.free(block);
  } else {
    iso::Heap::free_from_elsewhere(block);
  }
}

Parcel* Post::make_parcel(const Envelope& e, const void* data) {
  Parcel* parcel = new (allocate(sizeof(Parcel) + e.bytes)) Parcel;
  parcel->envelope = e;
  parcel->data = parcel->inside();
  if (e.bytes != 0) std::memcpy(parcel->inside(), data, e.bytes);
  return parcel;
}

Parcel* Post::make_open(const Envelope& e, const void* data, bool copy, RequestState* request) {
  Parcel* parcel = new (allocate(sizeof(Parcel))) Parcel;
  parcel->envelope = e;
  parcel->place = Parcel::Place::kOpen;
  parcel->data = data;
  parcel->copied = copy;
  if (copy) {
    void* block = room_->heap.allocate(e.bytes);
    if (block == nullptr) {
      free(parcel);
      throw Error(Errc::out_of_memory, text("no memory for a message of %llu bytes",
                                            static_cast<unsigned long long>(e.bytes)));
    }
    std::memcpy(block, data, e.bytes);
    parcel->data = block;
    return parcel;
  }
  Tcb* self = scheduler().current();
  parcel->sender = {self->id.load(std::memory_order_relaxed), self};
  parcel->request = request;
  request->parcel = parcel;
  request->next = self->member->sends;
  self->member->sends = request;
  return parcel;
}

Parcel* Post::make_far(const Envelope& e, Parcel* original) {
  Parcel* parcel = new (allocate(sizeof(Parcel))) Parcel;
  parcel->envelope = e;
  parcel->place = Parcel::Place::kFar;
  parcel->original = original;
  return parcel;
}

// What is open stays its origin's: it is told that nobody wants it, as if it had been received.
void Post::drop(Parcel* parcel) {
  Parcel* open = parcel->place == Parcel::Place::kOpen  ? parcel
                 : parcel->place == Parcel::Place::kFar ? parcel->original
                                                        : nullptr;
  const int origin = parcel->envelope.origin;
  if (open != parcel) free(parcel);
  if (open == nullptr) return;
  if (!runtime_.same_node(origin)) {
    runtime_.send(origin, PullHead{Kind::kPull, -1, open});
    return;
  }
  make_usable(open, sizeof *open);
  if (!lock(open, Parcel::kDone)) return;
  if (origin == runtime_.rank()) {
    finish_open(open);
  } else {
    open->receipt = true;
    push(origin, open, {});
  }
}

void Post::clear(Member& me) {
  me.mailbox.take_all([&](Parcel* parcel) { drop(parcel); });
}

// ---- where members are ----

void Post::add_team(std::uint64_t team, int size, int ranks) {
  Directions& d = teams_[team];
  d.size = size;
  d.ranks = ranks;
  d.first = first_member(runtime_.rank(), size, ranks);
  d.home.resize(static_cast<std::size_t>(first_member(runtime_.rank() + 1, size, ranks) - d.first));
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
  if (target->id != 0) {
    if (const Tcb* t = runtime_.find_on_node(*target); t != nullptr) {
      *rank = t->rank.load(std::memory_order_acquire);
      return *rank == runtime_.rank() ? Found::kHere : Found::kThere;
    }
  }
  Directions* d = directions(team);
  if (d == nullptr) return Found::kEnded;
  if (const Target* home = d->at_home(index); home != nullptr) {
    *target = *home;
  } else if (const auto it = d->known.find(index); it != d->known.end()) {
    *target = it->second.target;
    if (!on_its_way && it->second.rank != runtime_.rank() && !runtime_.same_node(it->second.rank)) {
      *rank = it->second.rank;
      return Found::kThere;
    }
  }
  if (target->id == 0) {
    *rank = d->home_rank(index);
    return Found::kThere;
  }
  switch (runtime_.locate(*target, rank)) {
    case Runtime::Where::kHere:
      return Found::kHere;
    case Runtime::Where::kThere:
      return Found::kThere;
    case Runtime::Where::kLater:
      return Found::kLater;
    default:
      return Found::kEnded;
  }
}

// ---- sending ----

void Post::send(Member& me, int to, int tag, const void* data, std::size_t bytes,
                RequestState* request) {
  Peer* peer;
  {
    iso::HeapScope mine(&me.thread->heap);
    peer = &me.mailbox.peer(to);
  }
  int rank = 0;
  const bool knew = peer->target.id != 0;
  const Found found = find(me.team, to, &peer->target, false, &rank);
  if (found == Found::kEnded) {
    throw Error(Errc::thread_ended, text("send: member %d of the team has ended", to));
  }
  const Envelope e{.team = me.team,
                   .to = to,
                   .from = me.index,
                   .tag = tag,
                   .sequence = peer->next_out,
                   .bytes = bytes,
                   .origin = runtime_.rank(),
                   .forwards = 0,
                   .asks = !knew && peer->target.id == 0};
  const bool may_stay = request != nullptr && to != me.index;
  if (found == Found::kHere) {
    Tcb* t = peer->target.control;
    if (may_stay && bytes > kLongOnRank) {
      RequestState* receive;
      {
        iso::HeapScope theirs(&t->heap);
        receive = t->member->mailbox.take(e);
      }
      if (receive == nullptr) {
        deliver(t, make_open(e, data, false, request));
      } else {
        std::memcpy(receive->data, data, bytes);
        note(receive, e);
        finish_request(t, receive);
        iso::HeapScope theirs(&t->heap);
        delivering_ = t;
        t->member->mailbox.catch_up(e.from, *this);
        request->done = true;
      }
    } else {
      deliver(t, e, data);
      if (request != nullptr) request->done = true;
    }
  } else if (found == Found::kThere && runtime_.same_node(rank)) {
    const bool stays = may_stay && bytes > kLongInNode && iso::arena().contains(data);
    push(rank, stays ? make_open(e, data, false, request) : make_parcel(e, data), peer->target);
    if (!stays && request != nullptr) request->done = true;
  } else if (sizeof(LetterHead) + bytes <= mpi_.most_bytes()) {
    if (found == Found::kThere) {
      send_letter(rank, e, peer->target, data);
    } else {
      delayed_.push_back({make_parcel(e, data), 1});
    }
    if (request != nullptr) request->done = true;
  } else {
    Parcel* open = make_open(e, data, !may_stay, request);
    if (!may_stay && request != nullptr) request->done = true;
    if (found == Found::kLater) {
      delayed_.push_back({open, 1});
    } else {
      pass_on(rank, open, peer->target);
    }
  }
  ++peer->next_out;
  ++peer->messages_sent;
  peer->bytes_sent += bytes;
  ++letters;
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
  runtime_.count_push();
  runtime_.inbox_of(rank).push(parcel);
}

// Towards a rank that knows more; the parcel is given up if its bytes can go themselves.
void Post::pass_on(int rank, Parcel* parcel, Target target) {
  if (runtime_.same_node(rank)) {
    push(rank, parcel, target);
    return;
  }
  if (parcel->place == Parcel::Place::kInside) {
    send_letter(rank, parcel->envelope, target, parcel->data);
    free(parcel);
    return;
  }
  const bool far = parcel->place == Parcel::Place::kFar;
  runtime_.send(rank, LetterHead{Kind::kLetterOffer, 0, parcel->envelope, target,
                                 far ? parcel->original : parcel});
  if (far) free(parcel);
}

// ---- delivering ----

void Post::deliver(Tcb* t, const Envelope& e, const void* data) {
  iso::HeapScope theirs(&t->heap);
  detail::Mailbox& mailbox = t->member->mailbox;
  delivering_ = t;
  if (RequestState* request = mailbox.take(e); request != nullptr) {
    if (e.bytes != 0) std::memcpy(request->data, data, e.bytes);
    note(request, e);
    finish_request(t, request);
    mailbox.catch_up(e.from, *this);
  } else {
    mailbox.accept(make_parcel(e, data), *this);
  }
  after_delivery(e, t);
}

void Post::deliver(Tcb* t, Parcel* parcel) {
  const Envelope e = parcel->envelope;
  {
    iso::HeapScope theirs(&t->heap);
    delivering_ = t;
    t->member->mailbox.accept(parcel, *this);
  }
  after_delivery(e, t);
}

void Post::after_delivery(const Envelope& e, const Tcb* t) {
  if ((e.forwards == 0 && e.asks == 0) || e.origin == runtime_.rank()) return;
  iso::HeapScope process;
  runtime_.send(e.origin, MemberAtHead{Kind::kMemberAt,
                                       runtime_.rank(),
                                       e.team,
                                       {t->id.load(std::memory_order_relaxed), const_cast<Tcb*>(t)},
                                       e.to,
                                       t->hops});
}

void Post::route(Parcel* parcel, Target target, bool on_its_way) {
  int rank = 0;
  switch (find(parcel->envelope.team, parcel->envelope.to, &target, on_its_way, &rank)) {
    case Found::kHere:
      deliver(target.control, parcel);
      return;
    case Found::kThere:
      ++parcel->envelope.forwards;
      ++passed_on;
      pass_on(rank, parcel, target);
      return;
    case Found::kLater:
      parcel->receiver = target;
      delayed_.push_back({parcel, 1});
      return;
    case Found::kEnded:
      drop(parcel);
      return;
  }
}

// With ROAM_SHUFFLE, the network is one that delays and reorders.
bool Post::shuffled(Parcel* parcel) {
  if (random_ == 0) return false;
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  const int polls = static_cast<int>(random_ % 32);
  if (polls >= 16) return false;
  delayed_.push_back({parcel, 1 + polls});
  return true;
}

void Post::take_mail() {
  Parcel* parcel = runtime_.inbox_of(runtime_.rank()).take_mail();
  while (parcel != nullptr) {
    make_usable(parcel, sizeof *parcel);
    Parcel* next = parcel->next;
    runtime_.count_take();
    if (parcel->receipt) {
      finish_open(parcel);
    } else if (!shuffled(parcel)) {
      route(parcel, parcel->receiver, true);
    }
    parcel = next;
  }
}

void Post::on_letter(const LetterHead& head, const char* data) {
  if (head.kind == Kind::kLetterOffer || random_ != 0) {
    Parcel* parcel = head.kind == Kind::kLetterOffer ? make_far(head.envelope, head.original)
                                                     : make_parcel(head.envelope, data);
    parcel->receiver = head.target;
    if (!shuffled(parcel)) route(parcel, head.target, true);
    return;
  }
  Target target = head.target;
  int rank = 0;
  const Found found = find(head.envelope.team, head.envelope.to, &target, true, &rank);
  if (found == Found::kHere) {
    deliver(target.control, head.envelope, data);
  } else if (found != Found::kEnded) {
    route(make_parcel(head.envelope, data), target, true);
  }
}

void Post::matched(RequestState* request, Parcel* parcel) {
  const Envelope e = parcel->envelope;
  Tcb* t = delivering_;
  iso::HeapScope process;
  switch (parcel->place) {
    case Parcel::Place::kInside:
      if (e.bytes != 0) std::memcpy(request->data, parcel->data, e.bytes);
      free(parcel);
      break;
    case Parcel::Place::kOpen:
      copy_open(request, parcel);
      break;
    case Parcel::Place::kFar:
      if (!runtime_.same_node(e.origin)) {
        start_pull(request, parcel);
        return;
      }
      make_usable(parcel->original, sizeof(Parcel));
      copy_open(request, parcel->original);
      free(parcel);
      break;
  }
  note(request, e);
  finish_request(t, request);
}

void Post::answered(RequestState* request) { finish_request(delivering_, request); }

void Post::receive(Member& me, RequestState* request) {
  iso::HeapScope mine(&me.thread->heap);
  Parcel* parcel = me.mailbox.find(request->from, request->tag);
  if (parcel == nullptr) {
    me.mailbox.post(request);
    return;
  }
  const Envelope& e = parcel->envelope;
  if (request->kind == RequestState::Kind::kProbe) {
    note(request, e);
    request->done = true;
    return;
  }
  if (e.bytes > request->bytes || e.bytes % request->element_bytes != 0) {
    request->error = e.bytes > request->bytes ? Errc::message_too_long : Errc::bad_option;
    note(request, e);
    request->done = true;
    return;
  }
  me.mailbox.remove(parcel);
  delivering_ = me.thread;
  matched(request, parcel);
}

// ---- long messages ----

// One copy, straight from where the sender has it.
void Post::copy_open(RequestState* request, Parcel* parcel) {
  ROAM_CHECK(lock(parcel, Parcel::kTaken), "a message was received twice");
  make_usable(parcel->data, parcel->envelope.bytes);
  std::memcpy(request->data, parcel->data, parcel->envelope.bytes);
  parcel->state.store(Parcel::kDone, std::memory_order_release);
  if (parcel->envelope.origin == runtime_.rank()) {
    finish_open(parcel);
  } else {
    parcel->receipt = true;
    push(parcel->envelope.origin, parcel, {});
  }
}

// At the origin: the bytes have been received.
void Post::finish_open(Parcel* parcel) {
  if (parcel->copied) {
    free(const_cast<void*>(parcel->data));
  } else {
    try_receipt({Kind::kReceipt, 0, parcel->sender, parcel->request});
  }
  free(parcel);
}

void Post::try_receipt(const ReceiptHead& head) {
  int rank = 0;
  switch (runtime_.locate(head.sender, &rank)) {
    case Runtime::Where::kHere: {
      RequestState* request = static_cast<RequestState*>(head.request);
      request->parcel = nullptr;
      finish_request(head.sender.control, request);
      return;
    }
    case Runtime::Where::kThere:
      runtime_.send(rank, head);
      return;
    case Runtime::Where::kLater:
      runtime_.keep_for_later(head);
      return;
    default:
      return;
  }
}

void Post::finish_request(Tcb* t, RequestState* request) {
  Member& m = *t->member;
  if (request->kind == RequestState::Kind::kSend) {
    for (RequestState** link = &m.sends; *link != nullptr; link = &(*link)->next) {
      if (*link != request) continue;
      *link = request->next;
      break;
    }
  }
  request->done = true;
  if (m.waiting && t->state == State::kBlocked) {
    m.waiting = false;
    scheduler().make_ready(t);
  }
}

void Post::start_pull(RequestState* request, Parcel* parcel) {
  const Envelope& e = parcel->envelope;
  const int tag = next_tag_ = (next_tag_ + 1) % 30'000;
  Pull pull{delivering_, request, e, mpi_.start_bulk(Mpi::Channel::kLetters)};
  ++delivering_->member->pulls;
  const int origin = e.origin;
  Parcel* original = parcel->original;
  threads::on_rank_stack(
      [&] { pull.bulk->receive(origin, tag, pull.request->data, pull.envelope.bytes); });
  runtime_.send(origin, PullHead{Kind::kPull, tag, original});
  pulls_.push_back(std::move(pull));
  free(parcel);
}

void Post::on_pull(int from, const PullHead& head) {
  Parcel* parcel = static_cast<Parcel*>(head.original);
  if (head.tag < 0) {  // nobody wants it
    if (lock(parcel, Parcel::kDone)) finish_open(parcel);
    return;
  }
  ROAM_CHECK(lock(parcel, Parcel::kTaken), "a message was asked for twice");
  make_usable(parcel->data, parcel->envelope.bytes);
  BulkSend send{parcel, mpi_.start_bulk(Mpi::Channel::kLetters)};
  send.bulk->send(from, head.tag, parcel->data, parcel->envelope.bytes);
  bulk_sends_.push_back(std::move(send));
}

void Post::progress() {
  for (std::size_t i = 0; i < pulls_.size();) {
    if (!pulls_[i].bulk->done()) {
      ++i;
      continue;
    }
    const Pull pull = std::move(pulls_[i]);
    pulls_.erase(pulls_.begin() + static_cast<std::ptrdiff_t>(i));
    --pull.receiver->member->pulls;
    note(pull.request, pull.envelope);
    finish_request(pull.receiver, pull.request);
  }
  for (std::size_t i = 0; i < bulk_sends_.size();) {
    if (!bulk_sends_[i].bulk->done()) {
      ++i;
      continue;
    }
    Parcel* parcel = bulk_sends_[i].parcel;
    bulk_sends_.erase(bulk_sends_.begin() + static_cast<std::ptrdiff_t>(i));
    parcel->state.store(Parcel::kDone, std::memory_order_release);
    finish_open(parcel);
  }
  for (std::size_t n = delayed_.size(); n > 0; --n) {
    const Delayed d = delayed_.front();
    delayed_.pop_front();
    if (d.polls > 1) {
      delayed_.push_back({d.parcel, d.polls - 1});
    } else {
      route(d.parcel, d.parcel->receiver, true);
    }
  }
}

// ---- members that move ----

// Puts a copy in place of the sender's memory. False: a receiver has it just now, or there is no
// memory.
bool Post::detach(Member& m, RequestState* request) {
  Parcel* parcel = request->parcel;
  std::uint32_t seen = Parcel::kOffered;
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
Parcel* Post::repack(Tcb* t, Post& post, Parcel* parcel) {
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
  if (parcel->place != Parcel::Place::kOpen) post.free(parcel);
  return moved;
}

Post::Departure Post::depart(Tcb* t, bool other_node) {
  Member& m = *t->member;
  if (m.pulls > 0) return Departure::kWait;
  if (other_node) {
    for (RequestState* send = m.sends; send != nullptr;) {
      RequestState* next = send->next;
      if (!detach(m, send)) return Departure::kWait;
      send = next;
    }
    bool all = true;
    m.mailbox.change_all([&](Parcel* parcel) {
      Parcel* moved = repack(t, *this, parcel);
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

bool Post::handle(int from, const char* message, std::size_t) {
  Kind kind;
  std::memcpy(&kind, message, sizeof kind);
  switch (kind) {
    case Kind::kLetter:
    case Kind::kLetterOffer: {
      LetterHead head;
      std::memcpy(&head, message, sizeof head);
      on_letter(head, message + sizeof head);
      return true;
    }
    case Kind::kPull: {
      PullHead head;
      std::memcpy(&head, message, sizeof head);
      on_pull(from, head);
      return true;
    }
    case Kind::kReceipt: {
      ReceiptHead head;
      std::memcpy(&head, message, sizeof head);
      try_receipt(head);
      return true;
    }
    case Kind::kMemberAt: {
      MemberAtHead head;
      std::memcpy(&head, message, sizeof head);
      if (Directions* d = directions(head.team); d != nullptr) d->learn(head);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace roam::runtime
