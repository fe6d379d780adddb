#ifndef ROAM_THREADS_TIES_H_
#define ROAM_THREADS_TIES_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "threads/tcb.h"

namespace roam::threads {

using detail::Tcb;

// A tie keeps a thread on its rank while others of the rank need its memory there: who waits on an
// object in it or holds a lock there, and exceptions in it that a Promise refers to. Ties of a
// thread that has ended are those of who has its memory then. Context: the rank's kernel thread.

// `waiter` waits on an object in the memory of `owner`.
void tie(Tcb* waiter, Tcb* owner);
// It has looked at it. `owner` has the memory now; null: nobody here.
void untie(Tcb* waiter, Tcb* owner);

// Ends one tie of who is sure to be on this rank, and to have the memory that is needed.
void loosen(Tcb* t);

// One more tie of `t`, which may have ended and left memory here. What untie_number() is to be
// told. Errors: std::bad_alloc, and nothing is tied.
std::uint64_t tie_number(Tcb* t);
// Ends one tie of the thread that had the number `id` and the control block `t` when it was tied;
// nothing if it has ended, and its memory with it. If it is on another rank of the node, the host
// is asked.
void untie_number(Tcb* t, std::uint64_t id);
// The same on its rank. False: it is not this one.
bool untie_here(Tcb* t, std::uint64_t id);

// One more tie of `t`, of this rank, by a number of its own, which is never 0 and whose highest bit
// is set. Errors: std::bad_alloc, and nothing is tied.
std::uint64_t tie_by_own_number(Tcb* t);
// Ends it. Who has the memory now.
Tcb* untie_own_number(std::uint64_t number);

// ---- for who ends threads; capture off ----

// `ended`, which had the number `id`, has left memory behind.
void keep_ties(Tcb* ended, std::uint64_t id);
// `heir` takes over the memory of `ended`.
void inherit_ties(Tcb* heir, Tcb* ended);
// What `ended` left is gone.
void forget_ties(const Tcb* ended);

// ---- checkpoints ----

// Numbers of ended threads with ties, and who has their memory.
std::vector<std::pair<std::uint64_t, Tcb*>> inherited_ties();
void restore_inherited(std::uint64_t id, Tcb* heir);

}  // namespace roam::threads

#endif  // ROAM_THREADS_TIES_H_
