#ifndef ROAM_THREADS_OUTSIDE_WAITS_H_
#define ROAM_THREADS_OUTSIDE_WAITS_H_

#include <cstdint>

#include "threads/wait_calls.h"

// Waits for what is outside of memory: a time, a descriptor, a child. In a thread they are
// questions, as those for locks, but each is a system call: so they are asked at most each 20 us,
// and less often the longer they take.
//
// Only the program's own waits: on the rank's stack, with the capture off, in other kernel threads
// and in handlers of signals all is libc's, and in MPI and what it stands on too, which must not be
// entered again while they wait.
namespace roam::threads::wait_calls {

// The thread that called from `return_address`, if that is the program's; else null. Cost: 20 ns,
// so once a call.
Tcb* asker(const void* return_address);

// Whether a handler of a signal runs on the stack of `self`, which is what runs: what it
// interrupted may be the scheduler. Cost: looks at the stack.
bool in_handler(const Tcb* self);

// Lets others run once, after a question that did not wait: asked in a loop, it would stop them.
void asked_in_vain(Tcb* self);

constexpr std::int64_t kForEver = INT64_MAX;
constexpr std::int64_t kAtOnce = 0;            // do not wait
constexpr std::int64_t kByLibc = -1;           // let libc say what is wrong
std::int64_t deadline_after(std::int64_t ns);  // on the job's clock, saturated
std::int64_t to_ns(std::int64_t seconds, std::int64_t ns);

// Sleeps as libc's calls for that do: a virtual rank may leave the rank meanwhile, and be in a
// checkpoint; another thread stays.
void sleep_until(Tcb* self, std::int64_t deadline_ns);

// After so long a wait without an end is told of.
inline constinit std::int64_t long_wait_ns = 10'000'000'000;

// The time between questions.
class OutsidePause {
 public:
  OutsidePause(Tcb* self, const char* call, int descriptor)
      : stay_(self), self_(self), call_(call), descriptor_(descriptor) {}
  ~OutsidePause() { self_->waits_for = nullptr; }
  // At most until `deadline_ns`.
  void operator()(std::int64_t deadline_ns);

 private:
  Stay stay_;
  Tcb* self_;
  const char* call_;
  int descriptor_;
  int rounds_ = 0;
  bool told_ = false;
  std::int64_t start_ns_ = job_now_ns();
};

enum class Asked {
  kDone,     // `attempt` said true
  kTimeOut,  // it never did
  kByLibc,   // it is libc's to wait
};

// Asks `attempt` until it says true, or until the time that `deadline()` names, which is called
// once when the first attempt was in vain. `self` is the asker(); null: it is libc's to wait.
// `call` is named to who waits long. `for_nothing()`, asked then too: no attempt will say anything
// else, so that it is a sleep until that time.
template <class Deadline, class Attempt, class ForNothing>
Asked ask_outside(Tcb* self, const char* call, int descriptor, Deadline deadline, Attempt attempt,
                  ForNothing for_nothing) {
  if (self == nullptr) return Asked::kByLibc;
  if (attempt()) return Asked::kDone;
  const std::int64_t until = deadline();
  if (until == kByLibc || in_handler(self)) return Asked::kByLibc;
  if (until == kAtOnce) {
    asked_in_vain(self);
    return Asked::kTimeOut;
  }
  if (until != kForEver && for_nothing()) {
    sleep_until(self, until);
    return Asked::kTimeOut;
  }
  for (OutsidePause pause(self, call, descriptor);;) {
    pause(until);
    if (attempt()) return Asked::kDone;
    if (until != kForEver && job_now_ns() >= until) return Asked::kTimeOut;
  }
}
template <class Deadline, class Attempt>
Asked ask_outside(Tcb* self, const char* call, int descriptor, Deadline deadline, Attempt attempt) {
  return ask_outside(self, call, descriptor, deadline, attempt, [] { return false; });
}

}  // namespace roam::threads::wait_calls

#endif  // ROAM_THREADS_OUTSIDE_WAITS_H_
