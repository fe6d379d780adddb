#include "threads/companions.h"

#include "threads/scheduler.h"

namespace roam::threads {
namespace {

void push_recent(Tcb* t, Tcb* companion) {
  companion->holder = t;
  companion->next_companion = t->recent_companions;
  t->recent_companions = companion;
  ++t->recent_companion_count;
}

// As the last of the ring.
void push_old(Tcb* t, Tcb* companion) {
  companion->holder = t;
  if (Tcb* last = t->old_companions; last != nullptr) {
    companion->next_companion = last->next_companion;
    last->next_companion = companion;
  } else {
    companion->next_companion = companion;
  }
  t->old_companions = companion;
}

// The first of the ring, which has one.
Tcb* pop_old(Tcb* t) {
  Tcb* first = t->old_companions->next_companion;
  if (first == t->old_companions) {
    t->old_companions = nullptr;
  } else {
    t->old_companions->next_companion = first->next_companion;
  }
  return first;
}

Tcb* pop_recent(Tcb* t) {
  Tcb* companion = t->recent_companions;
  t->recent_companions = companion->next_companion;
  --t->recent_companion_count;
  return companion;
}

void retire_or_shrink(Tcb* t, Tcb* companion) {
  if (companion->heap.head_empty()) {
    companion->holder = nullptr;
    scheduler().slots().retire(companion);
    return;
  }
  scheduler().slots().shrink(companion);
  push_old(t, companion);
}

// All recent ones, and of the ring two for each.
void look_around(Tcb* t) {
  for (std::uint32_t n = 2 * t->recent_companion_count; n > 0 && t->old_companions != nullptr; --n)
    retire_or_shrink(t, pop_old(t));
  while (t->recent_companions != nullptr) retire_or_shrink(t, pop_recent(t));
}

}  // namespace

void take_companions(Tcb* t, Tcb* ended) {
  while (ended->recent_companions != nullptr) {
    Tcb* companion = pop_recent(ended);
    push_recent(t, companion);
  }
  while (ended->old_companions != nullptr) {
    Tcb* companion = pop_old(ended);
    push_old(t, companion);
  }
  if (ended->heap.head_empty()) {
    scheduler().slots().retire(ended);
  } else {
    push_recent(t, ended);
  }
  if (t->recent_companion_count > kRecentCompanions) look_around(t);
}

void sweep_companions(Tcb* t) {
  if (Tcb* last = t->old_companions; last != nullptr) {
    for (bool more = true; more && t->old_companions != nullptr;) {
      Tcb* companion = pop_old(t);
      more = companion != last;
      retire_or_shrink(t, companion);
    }
  }
  while (t->recent_companions != nullptr) retire_or_shrink(t, pop_recent(t));
}

}  // namespace roam::threads
