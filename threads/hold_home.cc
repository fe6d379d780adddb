// What keeps a thread, and the one whose memory it uses, where they are while a value is copied.

#include <cstdint>

#include "isomalloc/heap.h"
#include "roam/wait_queue.h"
#include "threads/scheduler.h"
#include "threads/ties.h"

namespace roam::detail {

using threads::scheduler;

StayHere::StayHere(bool waits) noexcept
    : self_(waits && threads::on_rank_thread ? scheduler().current() : nullptr) {
  if (self_ != nullptr) ++self_->pins;
}

StayHere::~StayHere() {
  if (self_ == nullptr) return;
  --self_->pins;
  scheduler().loosened(self_);
}

HoldHome::HoldHome(const void* object, bool waits) : stay_(waits) {
  Tcb* owner = waits ? owner_of(object) : nullptr;
  if (owner == nullptr) return;
  // One that has ended goes away too: with who joins it.
  id_ = threads::tie_number(owner);
  tied_ = owner;
}

HoldHome::~HoldHome() {
  if (tied_ != nullptr) threads::untie_number(tied_, id_);
}

namespace {

constexpr std::uint64_t kByNumber = std::uint64_t{1} << 63;

// The heap to go back to. That of another thread, beside which a copy runs already, may be somebody
// else's when this one is made: then by a number, for which no address is taken.
void* heap_to_go_back_to(bool waits) {
  iso::Heap* const heap = iso::current_heap;
  if (!waits || heap == nullptr || !threads::on_rank_thread) return heap;
  Tcb* self = scheduler().current();
  if (self == nullptr || heap == &self->heap) return heap;
  return reinterpret_cast<void*>(threads::tie_by_own_number(tcb_of_heap(heap)));
}

}  // namespace

AllocateBeside::AllocateBeside(const void* object, bool waits)
    : hold_(object, waits), saved_(heap_to_go_back_to(waits)) {
  Tcb* owner = owner_of(object);
  iso::current_heap = owner != nullptr ? &owner->heap : nullptr;
}

AllocateBeside::~AllocateBeside() {
  const auto saved = reinterpret_cast<std::uint64_t>(saved_);
  iso::current_heap = (saved & kByNumber) != 0 ? &threads::untie_own_number(saved)->heap
                                               : static_cast<iso::Heap*>(saved_);
}

}  // namespace roam::detail
