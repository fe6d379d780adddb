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
  // In whose memory it lies, and the number of that one when it was taken: it stays meanwhile.
  // Null: the holder's, or nobody's here.
  Tcb* owner;
  std::uint64_t owner_id;
};
// Fixed, since nothing here may allocate: UCX takes locks in its hooks of sbrk and mmap, which
// glibc's malloc calls with its own lock held (UCX 1.13, seen in 2026-11).
constexpr std::size_t kMostHeld = 4096;
constinit Held held[kMostHeld] = {};
constinit std::size_t held_count = 0;

std::uint64_t id_of(const Tcb* t) { return t->id.load(std::memory_order_relaxed); }

template <class Is>
Held* find_if(Is is) {
  Held* const end = held + held_count;
  Held* const h = std::find_if(held, end, is);
  return h != end ? h : nullptr;
}
Held* find(const Tcb* self, const void* lock) {
  const std::uint64_t me = id_of(self);
  return find_if([&](const Held& h) { return h.lock == lock && h.thread == me; });
}

void tie_owner(const Tcb* self, Held* h) {
  Tcb* owner = detail::owner_of(h->lock);
  if (owner == nullptr || owner == self ||
      owner->rank.load(std::memory_order_acquire) != scheduler().rank()) {
    return;
  }
  h->owner = owner;
  h->owner_id = id_of(owner);
  ++owner->tied;
}
// It may have ended meanwhile, and another have its memory, which has its ties; or its place.
void untie_owner(const Held& h) {
  if (h.owner == nullptr) return;
  Tcb* owner = detail::owner_of(h.lock);
  if (owner == nullptr || owner->rank.load(std::memory_order_acquire) != scheduler().rank() ||
      (owner == h.owner && id_of(owner) != 0 && id_of(owner) != h.owner_id)) {
    return;
  }
  loosen(owner);
}

// What was on its stack is gone with its frames, and others may lie there soon. Other locks stay
// taken, as libc leaves them, by a thread that is no more.
void abandon_of(Tcb* ended) {
  const std::uint64_t me = id_of(ended);
  for (std::size_t i = held_count; i-- > 0;) {
    const Held h = held[i];
    const bool gone = ended->stack().contains(h.lock);
    if (h.thread != me) continue;
    --ended->locks;
    untie_owner(h);
    held[i].owner = nullptr;
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
  Held* const h = &held[held_count++];
  *h = {lock, id_of(self), 1, abandon, nullptr, 0};
  tie_owner(self, h);
  ++self->locks;
  return true;
}
namespace {
// `holder` is null if it has ended.
void release(Tcb* holder, Held* h) {
  if (--h->depth > 0) return;
  const Held was = *h;
  *h = held[--held_count];
  if (holder != nullptr) {
    --holder->locks;
    scheduler().loosened(holder);
  }
  untie_owner(was);
}
}  // namespace

void release(Tcb* self, const void* lock) {
  if (Held* h = find(self, lock); h != nullptr) release(self, h);
}
void release_for_holder(Tcb* self, const void* lock) {
  if (Held* h = find(self, lock); h != nullptr) [[likely]]
    return release(self, h);
  Held* h = find_if([&](const Held& one) { return one.lock == lock; });
  if (h == nullptr) return;
  Tcb* holder = nullptr;  // it could not leave
  scheduler().slots().for_each([&](const Tcb* t) {
    if (id_of(t) == h->thread) holder = const_cast<Tcb*>(t);
  });
  release(holder, h);
}

}  // namespace roam::threads::wait_calls
