#ifndef ROAM_THREADS_COMPANIONS_H_
#define ROAM_THREADS_COMPANIONS_H_

#include "threads/tcb.h"

namespace roam::threads {

using detail::Tcb;

// What an ended thread left in its head room lives on with who joined it, its companion there, and
// goes where that one goes. A thread may join any number of others that leave something: each costs
// it the same, whatever it holds already, and one unit of addresses with one page.
//
// The last kRecentCompanions keep their slots, ready to run again if what they left is freed soon.
// Older ones are shrunk to the unit of their control block, and are looked at in turn, two for each
// that comes. Context: rank of `t`, capture off.
inline constexpr std::uint32_t kRecentCompanions = 32;

// `ended`, whose spans have been adopted, and its own companions become those of `t`. What holds
// nothing any more is retired.
void take_companions(Tcb* t, Tcb* ended);

// Retires the companions of `t` of which nothing lives, and shrinks the others.
void sweep_companions(Tcb* t);

// Whether there is any, as far as was looked.
inline bool has_companions(const Tcb* t) {
  return t->recent_companions != nullptr || t->old_companions != nullptr;
}

template <class Visit>
void for_each_companion(const Tcb* t, Visit visit) {
  for (Tcb* c = t->recent_companions; c != nullptr; c = c->next_companion) visit(c);
  if (Tcb* c = t->old_companions; c != nullptr) {
    do {
      c = c->next_companion;
      visit(c);
    } while (c != t->old_companions);
  }
}

}  // namespace roam::threads

#endif  // ROAM_THREADS_COMPANIONS_H_
