#ifndef ROAM_THREADS_SLEEPERS_H_
#define ROAM_THREADS_SLEEPERS_H_

#include <cstdint>
#include <set>
#include <utility>

#include "threads/tcb.h"

namespace roam::threads {

using detail::Tcb;

// Threads of one rank that sleep, or wait until a deadline at most, in the order of their
// deadlines on the job's clock. Context: the rank's kernel thread.
class Sleepers {
 public:
  // REQUIRES: `t` is not in it; deadline_ns != 0. Errors: std::bad_alloc, and nothing is changed.
  void add(Tcb* t, std::int64_t deadline_ns);
  // `t` may be in it. It keeps the deadline: who moves sleeps on where it arrives.
  void remove(Tcb* t) {
    if (t->deadline_ns != 0) erase(t);
  }
  // The first whose deadline has come, which stays in it; null: there is none.
  Tcb* due(std::int64_t now_ns) const {
    return !empty() && *first_deadline() <= now_ns ? sleepers_.begin()->second : nullptr;
  }

  bool empty() const { return sleepers_.empty(); }
  // 0: there is none.
  std::int64_t first_deadline_ns() const { return empty() ? 0 : *first_deadline(); }
  // Where it is, for who looks from outside: it may be gone. Null: there is none.
  const std::int64_t* first_deadline() const {
    return empty() ? nullptr : &sleepers_.begin()->first;
  }

 private:
  void erase(Tcb* t);

  std::set<std::pair<std::int64_t, Tcb*>> sleepers_;
};

}  // namespace roam::threads

#endif  // ROAM_THREADS_SLEEPERS_H_
