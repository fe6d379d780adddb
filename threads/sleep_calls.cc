// Sleeps of libc, and sched_yield: others run meanwhile. A handler of the program that runs then
// does not cut a sleep short, since the signal was as much for any other thread of the process.

#include <sched.h>
#include <threads.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <optional>

#include "threads/outside_waits.h"

namespace {

using roam::detail::Tcb;
using roam::threads::scheduler;
using namespace roam::threads::wait_calls;

Real<unsigned(unsigned)> real_sleep("sleep", nullptr);
Real<int(useconds_t)> real_usleep("usleep", nullptr);
Real<int(const timespec*, timespec*)> real_nanosleep("nanosleep", nullptr);
Real<int(clockid_t, int, const timespec*, timespec*)> real_clock("clock_nanosleep", nullptr);
Real<int()> real_yield("sched_yield", nullptr);

// The thread that sleeps; null: libc's own.
Tcb* sleeper(const void* return_address) {
  Tcb* self = asker(return_address);
  return self != nullptr && !in_handler(self) ? self : nullptr;
}

bool is_time(const timespec* t) {
  return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < 1'000'000'000;
}
std::int64_t to_ns(const timespec& t) {
  return roam::threads::wait_calls::to_ns(t.tv_sec, t.tv_nsec);
}

// A virtual rank goes where it is sent, as in any call of MPI that waits.
bool may_leave(const Tcb* self) {
  return self->guest != nullptr && self->guest->may_leave_asleep();
}

// No sleep, but others run.
void pass(Tcb* self) {
  if (may_leave(self)) {
    scheduler().yield();
  } else {
    asked_in_vain(self);
  }
}
void sleep_for(Tcb* self, std::int64_t ns) {
  if (ns <= 0) {
    pass(self);
  } else {
    sleep_until(self, deadline_after(ns));
  }
}

// Others may set the clock, and that of a process stands while it sleeps: so it is read again.
int sleep_by(Tcb* self, clockid_t clock, bool absolute, const timespec* time) {
  timespec now;
  if (!is_time(time) || clock == CLOCK_THREAD_CPUTIME_ID || clock_gettime(clock, &now) != 0)
    return EINVAL;
  std::int64_t end = to_ns(*time);
  // Whoever sets the clock does not change how long that is.
  if (!absolute && clock != CLOCK_PROCESS_CPUTIME_ID) {
    sleep_for(self, end);
    return 0;
  }
  const Stay stay(self);  // the time is that of a clock here
  if (!absolute && __builtin_add_overflow(end, to_ns(now), &end)) end = INT64_MAX;
  for (bool slept = false;; slept = true) {
    clock_gettime(clock, &now);
    const std::int64_t left = end - to_ns(now);
    if (left > 0 || !slept) sleep_for(self, left);
    if (left <= 0) return 0;
  }
}

// Where no other thread is ready, it is for other processes.
int yield_from(const void* return_address) {
  Tcb* self = sleeper(return_address);
  if (self == nullptr) return real_yield();
  const bool others = scheduler().ready_count() != 0;
  pass(self);
  return others ? 0 : real_yield();
}

[[gnu::constructor]] void find_early() {
  real_sleep.prepare();
  real_usleep.prepare();
  real_nanosleep.prepare();
  real_clock.prepare();
  real_yield.prepare();
}

}  // namespace

void roam::threads::wait_calls::sleep_until(Tcb* self, std::int64_t deadline_ns) {
  std::optional<Stay> stay;
  if (!may_leave(self)) stay.emplace(self);
  self->waits_for = "a sleep of libc";
  self->waits_at = nullptr;
  for (std::int64_t by_ns = 0; by_ns < deadline_ns;) {
    by_ns = self->guest != nullptr ? self->guest->runs_by_ns() : INT64_MAX;
    scheduler().sleep_until(std::min(by_ns, deadline_ns));
  }
  self->waits_for = nullptr;
}

ROAM_EXPORT unsigned sleep(unsigned seconds) {
  Tcb* self = sleeper(__builtin_return_address(0));
  if (self == nullptr) return real_sleep(seconds);
  sleep_for(self, std::int64_t{seconds} * 1'000'000'000);
  return 0;
}

ROAM_EXPORT int usleep(useconds_t us) {
  Tcb* self = sleeper(__builtin_return_address(0));
  if (self == nullptr) return real_usleep(us);
  sleep_for(self, std::int64_t{us} * 1'000);
  return 0;
}

ROAM_EXPORT int nanosleep(const timespec* time, timespec* left) {
  Tcb* self = sleeper(__builtin_return_address(0));
  if (self == nullptr || !is_time(time)) return real_nanosleep(time, left);
  sleep_for(self, to_ns(*time));
  return 0;
}

ROAM_EXPORT int clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left) {
  Tcb* self = sleeper(__builtin_return_address(0));
  if (self == nullptr) return real_clock(clock, flags, time, left);
  return sleep_by(self, clock, (flags & TIMER_ABSTIME) != 0, time);
}

ROAM_EXPORT int thrd_sleep(const timespec* time, timespec* left) {
  Tcb* self = sleeper(__builtin_return_address(0));
  if (self != nullptr) return sleep_by(self, CLOCK_REALTIME, false, time) == 0 ? 0 : -2;
  const int error = real_clock(CLOCK_REALTIME, 0, time, left);
  return error == 0 ? 0 : error == EINTR ? -1 : -2;
}

ROAM_EXPORT int sched_yield() noexcept { return yield_from(__builtin_return_address(0)); }
ROAM_EXPORT void thrd_yield() { yield_from(__builtin_return_address(0)); }
