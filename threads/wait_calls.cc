#include "threads/wait_calls.h"

#include <vector>

namespace roam::threads::wait_calls {
namespace {

// Few are held at a time.
struct Held {
  const void* lock;
  std::uint64_t thread;
  int depth;
};
constinit std::vector<Held>* held_room = nullptr;
std::vector<Held>& held() {
  if (held_room == nullptr) {
    roam::iso::HeapScope process;
    held_room = new std::vector<Held>;
  }
  return *held_room;
}
Held* find_any(const void* lock) {
  for (Held& h : held())
    if (h.lock == lock) return &h;
  return nullptr;
}
Held* find(const Tcb* self, const void* lock) {
  const std::uint64_t me = self->id.load(std::memory_order_relaxed);
  for (Held& h : held())
    if (h.lock == lock && h.thread == me) return &h;
  return nullptr;
}

}  // namespace

bool held_by_any(const void* lock) { return find_any(lock) != nullptr; }
bool held_by(const Tcb* self, const void* lock) { return find(self, lock) != nullptr; }

void hold(Tcb* self, const void* lock) {
  if (Held* h = find(self, lock); h != nullptr) {
    ++h->depth;
    return;
  }
  roam::iso::HeapScope process;
  held().push_back({lock, self->id.load(std::memory_order_relaxed), 1});
  ++self->locks;
}
void release(Tcb* self, const void* lock) {
  Held* h = find(self, lock);
  if (h == nullptr || --h->depth > 0) return;
  *h = held().back();
  held().pop_back();
  --self->locks;
  scheduler().loosened(self);
}

}  // namespace roam::threads::wait_calls
