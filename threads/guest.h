#ifndef ROAM_THREADS_GUEST_H_
#define ROAM_THREADS_GUEST_H_

#include <cstdint>

namespace roam::threads {

// Something of a thread that needs the process while the thread runs or is there: pages of files in
// its memory, variables at fixed places. It lies in the thread's memory and travels with it
// (KernelState::set_guest). Calls: the rank's kernel thread, capture off. They allocate nothing of
// the thread's and do not throw.
class Guest {
 public:
  // The thread runs from here on, after another one, or on another rank than before.
  virtual void enter() = 0;
  // The thread, which does not run, is about to leave this rank. If it may not after all, enter()
  // follows.
  virtual void depart() = 0;
  // Whether the thread, which runs, may leave this rank, and be in a checkpoint, while it sleeps in
  // a call of libc. Others stay: their code has not been told that it may go there.
  virtual bool may_leave_asleep() const { return false; }
  // When the thread, which runs and is about to sleep in a call of libc, has to run again, whatever
  // it sleeps for: a time on the job's clock, not past. INT64_MAX: it need not.
  virtual std::int64_t runs_by_ns() { return INT64_MAX; }

 protected:
  ~Guest() = default;
};

}  // namespace roam::threads

#endif  // ROAM_THREADS_GUEST_H_
