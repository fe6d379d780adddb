#include "runtime/teams/open_parcels.h"

#include <x86intrin.h>

#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "runtime/teams/requests.h"
#include "threads/scheduler.h"

namespace roam::runtime {
namespace {

// How long a sender waits on a rank that is never idle, some 2 ms in ticks of the time-stamp
// counter: a copy costs as much as the receiver's own, so it is for who would wait for ever.
constexpr std::uint64_t kPatienceTicks = 5'000'000;

}  // namespace

using detail::Envelope;
using detail::Member;
using detail::Parcel;
using detail::RequestState;
using threads::scheduler;

// Makes the bytes the caller's until it stores kOffered or kDone. False: somebody else has them,
// for good.
bool OpenParcels::lock(Parcel* open, Parcel::State state) {
  for (;;) {
    std::uint32_t seen = Parcel::kOffered;
    if (open->state.compare_exchange_strong(seen, state, std::memory_order_acquire)) return true;
    if (seen != Parcel::kMoving) return false;
    __builtin_ia32_pause();  // its sender makes a copy
  }
}

Parcel* OpenParcels::try_make(const Envelope& e, const void* data, bool copy,
                              RequestState* request) {
  Parcel* parcel = store_.try_bare(e, Parcel::Place::kOpen);
  if (parcel == nullptr) return nullptr;
  parcel->data = data;
  parcel->copied = copy;
  if (copy) {
    void* block = store_.allocate(e.bytes);
    if (block == nullptr) {
      store_.free(parcel);
      return nullptr;
    }
    parcel->data = block;
    if (!tally(parcel)) {
      store_.free(block);
      store_.free(parcel);
      return nullptr;
    }
    if (e.bytes != 0) std::memcpy(block, data, e.bytes);
    return parcel;
  }
  Tcb* self = scheduler().current();
  parcel->sender = {self->id.load(std::memory_order_relaxed), self};
  parcel->request = request;
  request->parcel = parcel;
  request->next = member_of(self)->sends;
  member_of(self)->sends = request;
  some_send_ = true;
  return parcel;
}

void OpenParcels::copy_to(RequestState* request, Parcel* open) {
  ROAM_CHECK(lock(open, Parcel::kTaken), "a message was received twice");
  make_usable(open->data, open->envelope.bytes);
  if (open->envelope.bytes != 0) std::memcpy(request->data, open->data, open->envelope.bytes);
  open->state.store(Parcel::kDone, std::memory_order_release);
  give_back(open);
}

void OpenParcels::take(Parcel* open) {
  ROAM_CHECK(lock(open, Parcel::kTaken), "a message was asked for twice");
  make_usable(open->data, open->envelope.bytes);
}

void OpenParcels::were_taken(Parcel* open) {
  open->state.store(Parcel::kDone, std::memory_order_release);
  finish(open);
}

void OpenParcels::drop(Parcel* parcel) {
  Parcel* open = parcel->place == Parcel::Place::kOpen  ? parcel
                 : parcel->place == Parcel::Place::kFar ? parcel->original
                                                        : nullptr;
  const int origin = parcel->envelope.origin;
  if (open != parcel) store_.free_parcel(parcel);
  if (open == nullptr) return;
  if (!net_.same_node(origin)) {
    net_.send(origin, PullHead{Kind::kPull, -1, open});
    return;
  }
  make_usable(open, sizeof *open);
  refuse(open);
}

void OpenParcels::refuse(Parcel* open) {
  if (lock(open, Parcel::kDone)) give_back(open);
}

// Nobody needs the bytes any more: the origin, a rank of this node, is told.
void OpenParcels::give_back(Parcel* open) {
  if (open->envelope.origin == net_.rank()) {
    finish(open);
  } else {
    open->receipt = true;
    open->receiver = {};
    net_.hand_off(open->envelope.origin, static_cast<Mail*>(open));
  }
}

void OpenParcels::finish(Parcel* open) {
  if (open->copied) {
    take_off(open);
    store_.free(const_cast<void*>(open->data));
    store_.free(open);
  } else {
    pass_receipt({Kind::kReceipt, 0, open->sender, open});
  }
}

// The sender may be on another rank of the node by now. Its request refers to the parcel until it
// is told, so the parcel stays until then.
void OpenParcels::pass_receipt(const ReceiptHead& head) {
  Parcel* parcel = static_cast<Parcel*>(head.parcel);
  int rank = 0;
  switch (locator_.locate(head.sender, &rank)) {
    case Locator::Where::kHere:
      make_usable(parcel, sizeof *parcel);
      parcel->request->parcel = nullptr;
      finish_request(head.sender.control, parcel->request);
      store_.free(parcel);
      return;
    case Locator::Where::kThere:
      net_.send(rank, head);
      return;
    case Locator::Where::kLater:
      net_.keep_for_later(head);
      return;
    default:
      store_.free(parcel);
      return;
  }
}

// ---- copies ----

// The origin gives the copy back, and takes it off. One that was made on another rank, where its
// sender went, is not counted. False: there is no memory to count it.
bool OpenParcels::tally(Parcel* open) {
  if (open->envelope.origin != net_.rank()) return true;
  try {
    copies_.add(open->envelope);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return open->tallied = true;
}
void OpenParcels::take_off(Parcel* open) {
  if (!std::exchange(open->tallied, false)) return;
  copies_.take_off(open->envelope);
}

// Puts a copy in place of the sender's memory. False: a receiver has it just now, or there is no
// memory. Whoever wants the bytes while they are moved spins, so that nothing may wait then: memory
// for the copy, which other ranks may have to give, is there before.
bool OpenParcels::detach(Member& m, RequestState* request) {
  Parcel* parcel = request->parcel;
  no_memory_ = false;
  if (parcel->state.load(std::memory_order_relaxed) != Parcel::kOffered) return false;
  void* block = store_.allocate(parcel->envelope.bytes);
  no_memory_ = block == nullptr || !tally(parcel);
  if (no_memory_) {
    if (block != nullptr) store_.free(block);
    return false;
  }
  std::uint32_t seen = Parcel::kOffered;
  if (!parcel->state.compare_exchange_strong(seen, Parcel::kMoving, std::memory_order_acquire)) {
    // Who has it gives it back, which finds no copy.
    take_off(parcel);
    store_.free(block);
    return false;
  }
  if (parcel->envelope.bytes != 0) std::memcpy(block, parcel->data, parcel->envelope.bytes);
  parcel->data = block;
  parcel->copied = true;
  parcel->state.store(Parcel::kOffered, std::memory_order_release);
  request->parcel = nullptr;
  finish_request(m.thread, request);
  return true;
}

Departure OpenParcels::detach_all(Member& m) {
  if (m.pulls > 0) return Departure::kWait;
  for (RequestState* send = m.sends; send != nullptr;) {
    RequestState* next = send->next;
    if (!detach(m, send)) return no_memory_ ? Departure::kNoMemory : Departure::kWait;
    send = next;
  }
  return Departure::kGo;
}

bool OpenParcels::may_copy(const RequestState* send) const {
  return copies_.has_room(send->parcel->envelope);
}

bool OpenParcels::sends_wait() const {
  if (no_memory_ || !some_send_) return false;
  return residents_.any([this](const Member& m) {
    if (!m.waiting) return false;
    for (const RequestState* send = m.sends; send != nullptr; send = send->next) {
      if (may_copy(send)) return true;
    }
    return false;
  });
}

void OpenParcels::copy_for_waiting() {
  bool no_memory = false, some_send = false;
  if (some_send_) {
    residents_.for_each([&](Member& m) {
      if (m.waiting || m.asks) {
        m.asks = false;
        for (RequestState* send = m.sends; send != nullptr;) {
          RequestState* next = send->next;
          if (may_copy(send) && !detach(m, send)) no_memory = no_memory || no_memory_;
          send = next;
        }
      }
      some_send = some_send || m.sends != nullptr;
    });
  }
  no_memory_ = no_memory;
  some_send_ = some_send;
}

bool OpenParcels::some_send_waits() {
  return some_send_ &&
         residents_.any([](const Member& m) { return m.waiting && m.sends != nullptr; });
}

void OpenParcels::sender_waits() {
  if (due()) return;
  waits_since_ = __rdtsc();
  set_due(true);
}

void OpenParcels::poll() {
  const std::uint64_t now = __rdtsc();
  if (now - waits_since_ < kPatienceTicks) return;
  waits_since_ = now;
  copy_for_waiting();
  set_due(some_send_waits());
}

void OpenParcels::idle(Idle stage) {
  // There may be some again; not while all stands still for a checkpoint, which waits until nobody
  // has anything to try any more.
  if (stage == Idle::kBegins && !scheduler().stands_still()) no_memory_ = false;
  if (stage == Idle::kLong) copy_for_waiting();
}

std::string OpenParcels::describe_wait(const Tcb* t) const {
  if (member_of(t) == nullptr) return {};
  const Member& m = *member_of(t);
  if (m.full != nullptr || !m.waiting || m.sends == nullptr) return {};
  const Envelope& e = m.sends->parcel->envelope;
  std::string line =
      text(" (%llu bytes to member %d%s)", static_cast<unsigned long long>(e.bytes), e.to,
           !may_copy(m.sends) ? "; as many of copies wait there already"
           : no_memory_       ? "; there is no memory for a copy"
                              : "");
  if (no_memory_) line += ": " + iso::arena().limit().shortage();
  return line;
}

std::span<const Kind> OpenParcels::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kReceipt};
  return kOwn;
}

void OpenParcels::handle(int, const char* message, std::size_t) {
  pass_receipt(read<ReceiptHead>(message));
}

}  // namespace roam::runtime
