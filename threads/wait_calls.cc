#include "threads/wait_calls.h"

#include <algorithm>

namespace roam::threads::wait_calls {
namespace {

// Few are held at a time.
struct Held {
  const void* lock;
  std::uint64_t thread;
  int depth;
  void (*abandon)(void*);
};
// Fixed, since nothing here may allocate: UCX takes locks in its hooks of sbrk and mmap, which
// glibc's malloc calls with its own lock held (UCX 1.13, seen in 2026-11).
constexpr std::size_t kMostHeld = 4096;
constinit Held held[kMostHeld] = {};
constinit std::size_t held_count = 0;

template <class Is>
Held* find_if(Is is) {
  Held* const end = held + held_count;
  Held* const h = std::find_if(held, end, is);
  return h != end ? h : nullptr;
}
Held* find(const Tcb* self, const void* lock) {
  const std::uint64_t me = self->id.load(std::memory_order_relaxed);
  return find_if([&](const Held& h) { return h.lock == lock && h.thread == me; });
}

// What was on its stack is gone with its frames, and others may lie there soon. Other locks stay
// taken, as libc leaves them, by a thread that is no more.
void abandon_of(Tcb* ended) {
  const std::uint64_t me = ended->id.load(std::memory_order_relaxed);
  for (std::size_t i = held_count; i-- > 0;) {
    const Held h = held[i];
    const bool gone = ended->stack().contains(h.lock);
    if (h.thread != me) continue;
    --ended->locks;
    if (h.abandon == nullptr && !gone) continue;
    held[i] = held[--held_count];
    if (!gone) h.abandon(const_cast<void*>(h.lock));
  }
}

[[gnu::constructor(104)]] void note_who_ends() { scheduler().ended_holding = abandon_of; }

}  // namespace

bool held_by_any(const void* lock) {
  return find_if([&](const Held& h) { return h.lock == lock; }) != nullptr;
}
bool held_by(const Tcb* self, const void* lock) { return find(self, lock) != nullptr; }

bool hold(Tcb* self, const void* lock, void (*abandon)(void*)) {
  if (Held* h = find(self, lock); h != nullptr) {
    ++h->depth;
    return true;
  }
  if (held_count == kMostHeld) return false;
  held[held_count++] = {lock, self->id.load(std::memory_order_relaxed), 1, abandon};
  ++self->locks;
  return true;
}
void release(Tcb* self, const void* lock) {
  Held* h = find(self, lock);
  if (h == nullptr || --h->depth > 0) return;
  *h = held[--held_count];
  --self->locks;
  scheduler().loosened(self);
}

}  // namespace roam::threads::wait_calls
