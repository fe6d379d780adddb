#include "threads/ties.h"

#include <new>
#include <unordered_map>

#include "base/check.h"
#include "threads/scheduler.h"

namespace roam::threads {
namespace {

// The lower half says enough of one whose control block is known.
std::uint32_t half(std::uint64_t id) { return static_cast<std::uint32_t>(id); }

std::uint64_t id_of(const Tcb* t) { return t->id.load(std::memory_order_relaxed); }

// Of numbers whose threads have ended: who has the memory. Never destroyed: a Future may end with
// the program's statics.
using Heirs = std::unordered_map<std::uint64_t, Tcb*>;
Heirs& heirs() {
  alignas(Heirs) static char memory[sizeof(Heirs)];
  static Heirs* const of = new (memory) Heirs;
  return *of;
}

// One that no thread has, nor any other that was made here, on whichever rank: ranks' numbers come
// together at a restart. A thread that has ended has none any more but this.
std::uint64_t new_number(Tcb* t) {
  static std::uint64_t last = 0;
  constexpr std::uint64_t kEnded = std::uint64_t{1} << 63;
  const std::uint64_t place = reinterpret_cast<std::uintptr_t>(t) / kPageBytes << 28;
  std::uint64_t id = 0;
  do {
    id = kEnded | place | (++last & ((1 << 28) - 1));
  } while (!heirs().try_emplace(id, t).second);
  return id;
}

}  // namespace

void loosen(Tcb* t) {
  if (t->tied == 0) return;
  if (--t->tied == 0 && !heirs().empty()) forget_ties(t);
  if (id_of(t) != 0) scheduler().loosened(t);
}

void tie(Tcb* waiter, Tcb* owner) {
  waiter->tied_to = owner;
  waiter->tied_id = half(id_of(owner));
  ++owner->tied;
}

// It may have ended, and another have its memory, or its place.
void untie(Tcb* waiter, Tcb* owner) {
  if (std::exchange(waiter->tied_to, nullptr) == nullptr || owner == nullptr) return;
  const std::uint64_t id = id_of(owner);  // 0: it has ended
  if (id == 0 || half(id) == waiter->tied_id) loosen(owner);
}

std::uint64_t tie_number(Tcb* t) {
  std::uint64_t id = id_of(t);
  if (id == 0) {
    iso::HeapScope process;
    id = new_number(t);
  }
  ++t->tied;
  return id;
}

std::uint64_t tie_by_own_number(Tcb* t) {
  iso::HeapScope process;
  const std::uint64_t number = new_number(t);
  ++t->tied;
  return number;
}

Tcb* untie_own_number(std::uint64_t number) {
  const auto it = heirs().find(number);
  ROAM_CHECK(it != heirs().end(), "a tie with the number %llx is ended that there is not",
             static_cast<unsigned long long>(number));
  Tcb* const t = it->second;
  {
    iso::HeapScope process;
    heirs().erase(it);
  }
  loosen(t);
  return t;
}

bool untie_here(Tcb* t, std::uint64_t id) {
  if (const auto it = heirs().find(id); it != heirs().end()) {
    loosen(it->second);
    return true;
  }
  // Its place may be another's, or nobody's.
  if (detail::owner_of(t) != t || id_of(t) != id ||
      t->rank.load(std::memory_order_relaxed) != scheduler().rank()) {
    return false;
  }
  loosen(t);
  return true;
}

void untie_number(Tcb* t, std::uint64_t id) {
  if (!untie_here(t, id)) scheduler().untie_elsewhere(t, id);
}

void keep_ties(Tcb* ended, std::uint64_t id) {
  if (ended->tied > 0) heirs()[id] = ended;
}

void inherit_ties(Tcb* heir, Tcb* ended) {
  if (ended->tied == 0) return;
  scheduler().slots().for_each([&](const Tcb* one) {
    Tcb* t = const_cast<Tcb*>(one);
    // It copies a value to where the object is: its heap is about to be another's.
    if (t->active_heap == &ended->heap && t != ended) t->active_heap = &heir->heap;
    if (t->tied_to != ended) return;
    tie(t, heir);
    --ended->tied;
  });
  for (auto& [id, has] : heirs()) {
    if (has == ended) has = heir;
  }
  heir->tied += std::exchange(ended->tied, 0);
}

void forget_ties(const Tcb* ended) {
  std::erase_if(heirs(), [&](const auto& entry) { return entry.second == ended; });
}

std::vector<std::pair<std::uint64_t, Tcb*>> inherited_ties() {
  return {heirs().begin(), heirs().end()};
}

void restore_inherited(std::uint64_t id, Tcb* heir) { heirs()[id] = heir; }

}  // namespace roam::threads
