// Semaphores, what is made once, and waits on words of memory.

#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>

#include <climits>
#include <cstdarg>
#include <mutex>

#include "base/once_state.h"
#include "threads/wait_calls.h"

namespace {

using roam::kOnceBegun;
using roam::kOnceMade;
using roam::detail::Tcb;
using roam::threads::scheduler;
using namespace roam::threads::wait_calls;

Real<int(sem_t*)> real_sem_wait("sem_wait", nullptr);
Real<int(sem_t*, const timespec*)> real_sem_timedwait("sem_timedwait", nullptr);
Real<int(sem_t*, clockid_t, const timespec*)> real_sem_clockwait("sem_clockwait", nullptr);

int wait_semaphore(Tcb* self, sem_t* s, clockid_t clock, const timespec* until) {
  const int result = ask(self, "semaphore", s, clock, until, EAGAIN,
                         [&] { return sem_trywait(s) == 0 ? 0 : errno; });
  if (result == 0) return 0;
  errno = result;
  return -1;
}

// ---- once ----

Real<int(pthread_once_t*, void (*)())> real_once("pthread_once", nullptr);
Real<long(long, long, long, long, long, long, long)> real_syscall("syscall", nullptr);

int once(Tcb* self, std::atomic<int>& state, void (*make)()) {
  // std::call_once leaves what it calls in variables of the kernel thread.
  void* const callable = std::__once_callable;
  void (*const call)() = std::__once_call;
  int seen = 0;
  if (!lets_run(&state) && state.load(std::memory_order_acquire) == kOnceBegun &&
      !held_by_any(&state)) {
    return real_once(reinterpret_cast<pthread_once_t*>(&state), make);
  }
  const int waited = ask(self, "once of libc", &state, 0, nullptr, EBUSY, [&] {
    seen = 0;
    if (state.compare_exchange_strong(seen, kOnceBegun, std::memory_order_acquire)) return 0;
    return (seen & kOnceMade) != 0 ? 0 : EBUSY;
  });
  if (waited != 0 || seen != 0) return waited;
  Stay stay(self);
  hold(self, &state);
  std::__once_callable = callable;
  std::__once_call = call;
  const auto finish = [&](int value) {
    release(self, &state);
    state.store(value, std::memory_order_release);
    real_syscall(SYS_futex, reinterpret_cast<long>(&state), FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
  };
  try {
    make();
  } catch (...) {
    finish(0);
    throw;
  }
  finish(kOnceMade);
  return 0;
}

}  // namespace

ROAM_SIGNAL_CALL(sem_wait, (sem_t * s), s, real_sem_wait(s),
                 wait_semaphore(self, s, CLOCK_REALTIME, nullptr))
ROAM_SIGNAL_CALL(sem_timedwait, (sem_t * s, const timespec* t), s, real_sem_timedwait(s, t),
                 wait_semaphore(self, s, CLOCK_REALTIME, t))
ROAM_SIGNAL_CALL(sem_clockwait, (sem_t * s, clockid_t c, const timespec* t), s,
                 real_sem_clockwait(s, c, t), wait_semaphore(self, s, c, t))

ROAM_WAIT_CALL(pthread_once, (pthread_once_t * control, void (*make)()), real_once(control, make),
               once(self, reinterpret_cast<std::atomic<int>&>(*control), make))

// libstdc++ waits on a std::atomic, latch, barrier or counting_semaphore by this call. That it
// returns early is foreseen there.
ROAM_EXPORT long syscall(long number, ...) noexcept {
  long a[6];
  va_list list;
  va_start(list, number);
  for (long& x : a) x = va_arg(list, long);
  va_end(list);
  if (number == SYS_futex) [[unlikely]] {
    const long operation = static_cast<int>(a[1]) & FUTEX_CMD_MASK;
    Tcb* self = operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET ? caller() : nullptr;
    if (self != nullptr && lets_run(reinterpret_cast<const void*>(a[0]))) {
      const auto* word = reinterpret_cast<const std::atomic<int>*>(a[0]);
      const auto* until = reinterpret_cast<const timespec*>(a[3]);
      const bool realtime = (static_cast<int>(a[1]) & FUTEX_CLOCK_REALTIME) != 0;
      timespec end{};
      if (until != nullptr && operation == FUTEX_WAIT) {  // its time is relative
        clock_gettime(CLOCK_MONOTONIC, &end);
        const long ns = end.tv_nsec + until->tv_nsec;
        end.tv_sec += until->tv_sec + ns / 1'000'000'000;
        end.tv_nsec = ns % 1'000'000'000;
        until = &end;
      }
      errno = ask(self, "std::atomic, latch, barrier or semaphore", word,
                  realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, until, EBUSY, [&] {
                    return word->load(std::memory_order_acquire) != static_cast<int>(a[2]) ? EAGAIN
                                                                                           : EBUSY;
                  });
      return -1;
    }
  }
  return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
