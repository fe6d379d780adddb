// The memory of messages: parcels, and long ones that stay where their sender has them.

#include "runtime/teams/post_parcels.h"

#include <cstring>
#include <new>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "runtime/net/inbox.h"
#include "runtime/teams/post.h"
#include "threads/scheduler.h"

namespace roam::runtime {

using detail::State;
using threads::scheduler;

// Of parcels of one size that a rank keeps to use again.
constexpr std::size_t kMostRestingBytes = 64 << 10;

void make_usable(const void* data, std::size_t bytes) {
  iso::Arena& arena = iso::arena();
  if (!arena.contains(data)) return;
  const Address begin = round_down(reinterpret_cast<Address>(data), iso::kUnitBytes);
  const Address end = round_up(reinterpret_cast<Address>(data) + bytes, iso::kUnitBytes);
  arena.reach(Range{begin, end - begin});
}

bool lock(Parcel* parcel, Parcel::State state) {
  for (;;) {
    std::uint32_t seen = Parcel::kOffered;
    if (parcel->state.compare_exchange_strong(seen, state, std::memory_order_acquire)) return true;
    if (seen != Parcel::kMoving) return false;
    __builtin_ia32_pause();  // its sender makes a copy
  }
}

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
  drop_resting();
  if (room_ != nullptr) room_->heap.release_empty();
}

static Parcel* or_throw(Parcel* parcel, const Envelope& e, int rank) {
  if (parcel != nullptr) [[likely]]
    return parcel;
  iso::HeapScope process;
  throw Error(
      Errc::out_of_memory,
      text("no memory for a message of %llu bytes to member %d on rank %d: %s",
           static_cast<unsigned long long>(e.bytes), e.to, rank, iso::arena().shortage().c_str()));
}

Parcel* Post::make_parcel(const Envelope& e, const void* data) {
  return or_throw(try_parcel(e, data), e, net_.rank());
}

Parcel* Post::make_open(const Envelope& e, const void* data, bool copy, RequestState* request) {
  return or_throw(try_open(e, data, copy, request), e, net_.rank());
}

void Post::free(void* block) {
  if (room_->heap.owns_block(block)) {
    room_->heap.free(block);
  } else {
    iso::Heap::free_from_elsewhere(block);
  }
}

// Short parcels go on with the rank that received them: between members that answer each other none
// is freed, and their memory is in the cache of who uses it.
Parcel* Post::try_parcel(const Envelope& e, const void* data) {
  const std::size_t size = Parcel::size_for(e.bytes);
  const bool fits = size <= Parcel::kSizes;
  Parcel* parcel;
  if (Resting* resting = fits ? &resting_[size - 1] : nullptr;
      resting != nullptr && resting->first != nullptr) {
    parcel = resting->first;
    resting->first = parcel->next_parcel();
    --resting->count;
  } else {
    parcel = static_cast<Parcel*>(
        room_->heap.allocate(sizeof(Parcel) + (fits ? Parcel::room_bytes(size) : e.bytes)));
    if (parcel == nullptr) return nullptr;
  }
  new (parcel) Parcel;
  parcel->size = static_cast<std::uint8_t>(fits ? size : 0);
  parcel->envelope = e;
  parcel->data = parcel->inside();
  if (e.bytes != 0) std::memcpy(parcel->inside(), data, e.bytes);
  return parcel;
}

void Post::free_parcel(Parcel* parcel) {
  if (parcel->size != 0) {
    Resting& resting = resting_[parcel->size - 1u];
    if (resting.count < kMostRestingBytes / Parcel::room_bytes(parcel->size)) {
      parcel->next = resting.first;
      resting.first = parcel;
      ++resting.count;
      return;
    }
  }
  free(parcel);
}

void Post::drop_resting() {
  for (Resting& resting : resting_) {
    while (resting.first != nullptr) {
      Parcel* next = resting.first->next_parcel();
      free(resting.first);
      resting.first = next;
    }
    resting.count = 0;
  }
}

Parcel* Post::try_open(const Envelope& e, const void* data, bool copy, RequestState* request) {
  void* room = room_->heap.allocate(sizeof(Parcel));
  if (room == nullptr) return nullptr;
  Parcel* parcel = new (room) Parcel;
  parcel->envelope = e;
  parcel->place = Parcel::Place::kOpen;
  parcel->data = data;
  parcel->copied = copy;
  if (copy) {
    void* block = room_->heap.allocate(e.bytes);
    if (block == nullptr) {
      free(parcel);
      return nullptr;
    }
    std::memcpy(block, data, e.bytes);
    parcel->data = block;
    tally_copy(parcel);
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

Parcel* Post::try_far(const Envelope& e, Parcel* original) {
  void* room = room_->heap.allocate(sizeof(Parcel));
  if (room == nullptr) return nullptr;
  Parcel* parcel = new (room) Parcel;
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
  if (open != parcel) free_parcel(parcel);
  if (open == nullptr) return;
  if (!net_.same_node(origin)) {
    net_.send(origin, PullHead{Kind::kPull, -1, open});
    return;
  }
  make_usable(open, sizeof *open);
  if (lock(open, Parcel::kDone)) give_back(open);
}

// ---- long messages ----

// One copy, straight from where the sender has it.
void Post::copy_open(RequestState* request, Parcel* parcel) {
  ROAM_CHECK(lock(parcel, Parcel::kTaken), "a message was received twice");
  make_usable(parcel->data, parcel->envelope.bytes);
  std::memcpy(request->data, parcel->data, parcel->envelope.bytes);
  parcel->state.store(Parcel::kDone, std::memory_order_release);
  give_back(parcel);
}

// Nobody needs the bytes of an open parcel any more: its origin, a rank of this node, is told.
void Post::give_back(Parcel* parcel) {
  if (parcel->envelope.origin == net_.rank()) {
    finish_open(parcel);
  } else {
    parcel->receipt = true;
    push(parcel->envelope.origin, parcel, {});
  }
}

void Post::let_copy_go(const Parcel* parcel) {
  if (!parcel->tallied) return;
  const auto it = copies_.find(detail::pair_of(parcel->envelope));
  if ((it->second -= parcel->envelope.bytes) == 0) copies_.erase(it);
}

// At the origin: the bytes have been received.
void Post::finish_open(Parcel* parcel) {
  if (parcel->copied) {
    let_copy_go(parcel);
    free(const_cast<void*>(parcel->data));
    free(parcel);
  } else {
    try_receipt({Kind::kReceipt, 0, parcel->sender, parcel});
  }
}

// The sender may be on another rank of the node by now. Its request refers to the parcel until it
// is told, so the parcel stays until then.
void Post::try_receipt(const ReceiptHead& head) {
  Parcel* parcel = static_cast<Parcel*>(head.parcel);
  int rank = 0;
  switch (locator_.locate(head.sender, &rank)) {
    case Locator::Where::kHere:
      make_usable(parcel, sizeof *parcel);
      parcel->request->parcel = nullptr;
      finish_request(head.sender.control, parcel->request);
      free(parcel);
      return;
    case Locator::Where::kThere:
      net_.send(rank, head);
      return;
    case Locator::Where::kLater:
      net_.keep_for_later(head);
      return;
    default:
      free(parcel);
      return;
  }
}

void Post::hold(Tcb* t, RequestState* request) {
  if (request->data == nullptr || iso::arena().contains(request->data)) return;
  request->pins = true;
  ++t->pins;
}

void Post::let_go(Tcb* t, RequestState* request) {
  if (!request->pins) return;
  request->pins = false;
  --t->pins;
  scheduler().loosened(t);
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
  let_go(t, request);
}

void Post::start_pull(RequestState* request, Parcel* parcel) {
  const Envelope& e = parcel->envelope;
  const int tag = next_tag_ = (next_tag_ + 1) % 30'000;
  Pull pull{delivering_, request, e, mpi_.start_bulk(Mpi::Channel::kLetters)};
  ++delivering_->member->pulls;
  const int origin = e.origin;
  Parcel* original = parcel->original;
  make_usable(request->data, e.bytes);  // the kernel may write there, without a handler of ours
  threads::on_rank_stack(
      [&] { pull.bulk->receive(origin, tag, pull.request->data, pull.envelope.bytes); });
  net_.send(origin, PullHead{Kind::kPull, tag, original});
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
    received(pull.receiver, pull.request, pull.envelope);
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
      route(d.parcel, d.parcel->receiver);
    }
  }
}

}  // namespace roam::runtime
