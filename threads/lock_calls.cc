// Mutexes, condition variables, and locks for readers and writers of libc.

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <mutex>

#include "base/hook_list.h"
#include "base/lock.h"
#include "threads/wait_calls.h"

namespace {

using roam::detail::HookList;
using roam::detail::KeptHook;
using roam::detail::Tcb;
using roam::threads::scheduler;
using namespace roam::threads::wait_calls;

// ---- mutexes ----

Real<int(pthread_mutex_t*)> real_lock("pthread_mutex_lock", nullptr);
Real<int(pthread_mutex_t*)> real_trylock("pthread_mutex_trylock", nullptr);
Real<int(pthread_mutex_t*)> real_unlock("pthread_mutex_unlock", nullptr);
Real<int(pthread_mutex_t*, const timespec*)> real_timedlock("pthread_mutex_timedlock", nullptr);
Real<int(pthread_mutex_t*, clockid_t, const timespec*)> real_clocklock("pthread_mutex_clocklock",
                                                                       nullptr);

int kind_of(const pthread_mutex_t* m) { return m->__data.__kind & 127; }
bool knows_owner(const pthread_mutex_t* m) {
  const int kind = kind_of(m);
  return kind != PTHREAD_MUTEX_TIMED_NP && kind != PTHREAD_MUTEX_ADAPTIVE_NP;
}

// A robust mutex whose holder has ended is free, and who takes it is told so. Of holders libc knows
// kernel threads, at whose end the kernel would do this. One that also lends its holder a priority
// is the kernel's: it stays taken.
void abandon_mutex(void* mutex) {
  auto& m = static_cast<pthread_mutex_t*>(mutex)->__data;
  // Out of the kernel thread's list. A link leads to the other's forward link, as the kernel wants
  // it; its lowest bit tells the kind of the other.
  using Link = __pthread_internal_list;
  const auto at = [](Link* link) {
    return reinterpret_cast<Link*>((reinterpret_cast<std::uintptr_t>(link) & ~1ul) -
                                   offsetof(Link, __next));
  };
  at(m.__list.__next)->__prev = m.__list.__prev;
  at(m.__list.__prev)->__next = m.__list.__next;
  m.__list = {};
  std::atomic_ref<int> word(m.__lock);
  int seen = word.load(std::memory_order_relaxed);
  const int waiters = static_cast<int>(FUTEX_WAITERS), died = FUTEX_OWNER_DIED;
  while (!word.compare_exchange_weak(seen, (seen & waiters) | died, std::memory_order_release)) {
  }
  if ((seen & waiters) != 0) syscall(SYS_futex, &m.__lock, FUTEX_WAKE, 1, 0, 0, 0);
}
bool is_robust(const pthread_mutex_t* m) {
  constexpr int kRobust = 16, kLendsPriority = 32;  // glibc's bits
  return (kind_of(m) & (kRobust | kLendsPriority)) == kRobust;
}

bool travels(Tcb* self, const void* lock) { return roam::detail::owner_of(lock) == self; }
// `result` of a lock that was got. Too many are held: it is given back.
int held_mutex(Tcb* self, pthread_mutex_t* m, int result) {
  if (hold(self, m, is_robust(m) ? abandon_mutex : nullptr)) return result;
  real_unlock(m);
  return EAGAIN;
}

// What glibc notes as the owner of a robust mutex that was not made consistent.
constexpr int kNotRecoverable = INT_MAX - 1;

int try_owned(Tcb* self, pthread_mutex_t* m, bool waits) {
  // Asked by its try form, libc says so once and keeps the lock (glibc 2.36, seen in 2026-11).
  if (is_robust(m) && m->__data.__owner == kNotRecoverable) return ENOTRECOVERABLE;
  if (held_by_any(m)) {
    if (!held_by(self, m)) return EBUSY;
    if ((kind_of(m) & 3) == PTHREAD_MUTEX_ERRORCHECK_NP) return waits ? EDEADLK : EBUSY;
    if ((kind_of(m) & 3) != PTHREAD_MUTEX_RECURSIVE_NP) return EBUSY;
  }
  const int result = real_trylock(m);
  return result == 0 || result == EOWNERDEAD ? held_mutex(self, m, result) : result;
}

int try_mutex(Tcb* self, pthread_mutex_t* m, bool waits) {
  if (knows_owner(m)) [[unlikely]]
    return try_owned(self, m, waits);
  const int result = real_trylock(m);
  return result == 0 && !travels(self, m) ? held_mutex(self, m, result) : result;
}

int lock_mutex(Tcb* self, pthread_mutex_t* m, clockid_t clock, const timespec* until) {
  if (!lets_run(m)) {
    int result = try_mutex(self, m, true);
    if (result != EBUSY) return result;
    if (!held_by_any(m)) {
      result = until == nullptr ? real_lock(m) : real_clocklock(m, clock, until);
      return result == 0 || result == EOWNERDEAD ? held_mutex(self, m, result) : result;
    }
  }
  return ask(self, "mutex of libc", m, clock, until, EBUSY,
             [&] { return try_mutex(self, m, true); });
}

int unlock_mutex(Tcb* self, pthread_mutex_t* m) {
  if (knows_owner(m) && !held_by(self, m) && held_by_any(m)) return EPERM;
  const bool known = knows_owner(m);
  const int result = real_unlock(m);
  if (result == 0) known ? release(self, m) : release_for_holder(self, m);
  return result;
}

// ---- condition variables ----

Real<int(pthread_cond_t*, pthread_mutex_t*)> real_wait("pthread_cond_wait", "GLIBC_2.3.2");
Real<int(pthread_cond_t*, pthread_mutex_t*, const timespec*)> real_timedwait(
    "pthread_cond_timedwait", "GLIBC_2.3.2");
Real<int(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*)> real_clockwait(
    "pthread_cond_clockwait", nullptr);
Real<int(pthread_cond_t*)> real_signal("pthread_cond_signal", "GLIBC_2.3.2");
Real<int(pthread_cond_t*)> real_broadcast("pthread_cond_broadcast", "GLIBC_2.3.2");

// Threads of this rank that wait, in the order they came. Other kernel threads may wake them.
struct Waiter {
  const pthread_cond_t* condition;
  bool woken = false;
  KeptHook hook = {};
};
constinit roam::Lock waiters_lock;
constinit std::atomic<int> waiters_count = 0;
// Made before any constructor of the program. Who wakes sooner finds the count 0.
[[gnu::init_priority(103)]] HookList<Waiter, KeptHook, &Waiter::hook> waiters;

// Who waits in the parent does not wait in the child, where its stack cannot be touched: clear()
// of a list of such hooks touches none.
[[gnu::constructor(103)]] void keep_waiters_over_fork() {
  pthread_atfork([] { waiters_lock.lock(); }, [] { waiters_lock.unlock(); },
                 [] {
                   waiters.clear();
                   waiters_count = 0;
                   waiters_lock.unlock();
                 });
}

void wake(const pthread_cond_t* condition, bool all) {
  if (waiters_count.load(std::memory_order_seq_cst) == 0) return;
  const std::lock_guard hold(waiters_lock);
  for (Waiter& w : waiters) {
    if (w.condition != condition || w.woken) continue;
    w.woken = true;
    if (!all) return;
  }
}

// Whether another process may signal it, which knows nothing of this one's threads: one that shares
// it, or a rank of the node to which a thread has moved. Who waits there looks for itself, as after
// a wake-up without a cause, so often, and less often where many do.
constexpr std::int64_t kLookAgainNs = 2'000'000, kOfEachWaiterNs = 50'000,
                       kMostLookAgainNs = 100'000'000;
std::int64_t look_again_after_ns() {
  return std::clamp(waiters_count.load(std::memory_order_relaxed) * kOfEachWaiterNs, kLookAgainNs,
                    kMostLookAgainNs);
}
bool is_signalled_elsewhere(const pthread_cond_t* c) {
  constexpr unsigned kShared = 1;  // glibc's bit
  const roam::iso::Arena& arena = roam::iso::arena();
  return (c->__data.__wrefs & kShared) != 0 || (arena.shared() && arena.contains(c));
}

int wait_condition(Tcb* self, pthread_cond_t* c, pthread_mutex_t* m, clockid_t clock,
                   const timespec* until) {
  const Stay stay(self);
  const std::int64_t look_again_ns =
      is_signalled_elsewhere(c) ? roam::job_now_ns() + look_again_after_ns() : INT64_MAX;
  Waiter me{c};
  {
    const std::lock_guard hold(waiters_lock);
    waiters.push_back(me);
    waiters_count.fetch_add(1);
  }
  bool asked = false;
  int result = unlock_mutex(self, m);
  if (result == 0) {
    result = ask(self, "condition variable of libc", c, clock, until, EBUSY, [&] {
      {
        const std::lock_guard hold(waiters_lock);
        if (me.woken) return 0;
      }
      return look_again_ns != INT64_MAX && roam::job_now_ns() >= look_again_ns ? 0 : EBUSY;
    });
    asked = true;
  }
  // Who signalled has chosen this one, and nobody else hears of it: a time that is over does not
  // count then, and who does not wait at all passes it on.
  bool passes_on = false;
  {
    const std::lock_guard hold(waiters_lock);
    waiters.erase(waiters.iterator_to(me));
    waiters_count.fetch_sub(1);
    if (me.woken && result == ETIMEDOUT) result = 0;
    passes_on = me.woken && result != 0;
  }
  if (passes_on) wake(c, false);
  if (!asked) return result;
  const int locked = lock_mutex(self, m, CLOCK_REALTIME, nullptr);
  return locked != 0 ? locked : result;
}

// The clock that pthread_condattr_setclock chose: a bit of glibc's.
clockid_t clock_of(const pthread_cond_t* c) {
  return (c->__data.__wrefs & 2) != 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

// ---- locks for readers and writers ----

Real<int(pthread_rwlock_t*)> real_rdlock("pthread_rwlock_rdlock", nullptr);
Real<int(pthread_rwlock_t*)> real_wrlock("pthread_rwlock_wrlock", nullptr);
Real<int(pthread_rwlock_t*)> real_tryrdlock("pthread_rwlock_tryrdlock", nullptr);
Real<int(pthread_rwlock_t*)> real_trywrlock("pthread_rwlock_trywrlock", nullptr);
Real<int(pthread_rwlock_t*)> real_rwunlock("pthread_rwlock_unlock", nullptr);
Real<int(pthread_rwlock_t*, const timespec*)> real_timedrdlock("pthread_rwlock_timedrdlock",
                                                               nullptr);
Real<int(pthread_rwlock_t*, const timespec*)> real_timedwrlock("pthread_rwlock_timedwrlock",
                                                               nullptr);
Real<int(pthread_rwlock_t*, clockid_t, const timespec*)> real_clockrdlock(
    "pthread_rwlock_clockrdlock", nullptr);
Real<int(pthread_rwlock_t*, clockid_t, const timespec*)> real_clockwrlock(
    "pthread_rwlock_clockwrlock", nullptr);
// As held_mutex.
int held_rw(Tcb* self, pthread_rwlock_t* l) {
  if (hold(self, l)) return 0;
  real_rwunlock(l);
  return EAGAIN;
}

int lock_rw(Tcb* self, pthread_rwlock_t* l, bool write, clockid_t clock, const timespec* until) {
  int result = write ? real_trywrlock(l) : real_tryrdlock(l);
  // libc's own tells so of the kernel thread, which is that of all threads of the rank.
  if (result == EBUSY && l->__data.__cur_writer != 0 && held_by(self, l)) return EDEADLK;
  if (result == EBUSY && !lets_run(l) && !held_by_any(l)) {
    result = until == nullptr
                 ? (write ? real_wrlock(l) : real_rdlock(l))
                 : (write ? real_clockwrlock(l, clock, until) : real_clockrdlock(l, clock, until));
  } else if (result == EBUSY) {
    result = ask(self, "lock for readers and writers of libc", l, clock, until, EBUSY,
                 [&] { return write ? real_trywrlock(l) : real_tryrdlock(l); });
  }
  return result == 0 ? held_rw(self, l) : result;
}

int tried_rw(pthread_rwlock_t* l, int result) {
  Tcb* self = caller();
  if (self != nullptr && result == 0) return held_rw(self, l);
  if (self != nullptr && result == EBUSY && lets_run(l)) scheduler().yield();
  return result;
}

}  // namespace

ROAM_WAIT_CALL(pthread_mutex_lock, (pthread_mutex_t * m) noexcept, real_lock(m),
               lock_mutex(self, m, CLOCK_REALTIME, nullptr))
ROAM_EXPORT int pthread_mutex_trylock(pthread_mutex_t* m) noexcept {
  Tcb* self = caller();
  if (self == nullptr) return real_trylock(m);
  const int result = try_mutex(self, m, false);
  if (result == EBUSY && lets_run(m)) scheduler().yield();  // asked in a loop, it lets others run
  return result;
}
ROAM_WAIT_CALL(pthread_mutex_unlock, (pthread_mutex_t * m) noexcept, real_unlock(m),
               unlock_mutex(self, m))
ROAM_WAIT_CALL(pthread_mutex_timedlock, (pthread_mutex_t * m, const timespec* t) noexcept,
               real_timedlock(m, t), lock_mutex(self, m, CLOCK_REALTIME, t))
ROAM_WAIT_CALL(pthread_mutex_clocklock,
               (pthread_mutex_t * m, clockid_t c, const timespec* t) noexcept,
               real_clocklock(m, c, t), lock_mutex(self, m, c, t))

ROAM_SIGNAL_CALL(pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t* m), c, real_wait(c, m),
                 wait_condition(self, c, m, CLOCK_REALTIME, nullptr))
ROAM_SIGNAL_CALL(pthread_cond_timedwait,
                 (pthread_cond_t * c, pthread_mutex_t* m, const timespec* t), c,
                 real_timedwait(c, m, t), wait_condition(self, c, m, clock_of(c), t))
ROAM_SIGNAL_CALL(pthread_cond_clockwait,
                 (pthread_cond_t * c, pthread_mutex_t* m, clockid_t clock, const timespec* t), c,
                 real_clockwait(c, m, clock, t), wait_condition(self, c, m, clock, t))
ROAM_EXPORT int pthread_cond_signal(pthread_cond_t* c) noexcept {
  wake(c, false);
  return real_signal(c);
}
ROAM_EXPORT int pthread_cond_broadcast(pthread_cond_t* c) noexcept {
  wake(c, true);
  return real_broadcast(c);
}

ROAM_WAIT_CALL(pthread_rwlock_rdlock, (pthread_rwlock_t * l) noexcept, real_rdlock(l),
               lock_rw(self, l, false, CLOCK_REALTIME, nullptr))
ROAM_WAIT_CALL(pthread_rwlock_wrlock, (pthread_rwlock_t * l) noexcept, real_wrlock(l),
               lock_rw(self, l, true, CLOCK_REALTIME, nullptr))
ROAM_WAIT_CALL(pthread_rwlock_timedrdlock, (pthread_rwlock_t * l, const timespec* t) noexcept,
               real_timedrdlock(l, t), lock_rw(self, l, false, CLOCK_REALTIME, t))
ROAM_WAIT_CALL(pthread_rwlock_timedwrlock, (pthread_rwlock_t * l, const timespec* t) noexcept,
               real_timedwrlock(l, t), lock_rw(self, l, true, CLOCK_REALTIME, t))
ROAM_WAIT_CALL(pthread_rwlock_clockrdlock,
               (pthread_rwlock_t * l, clockid_t c, const timespec* t) noexcept,
               real_clockrdlock(l, c, t), lock_rw(self, l, false, c, t))
ROAM_WAIT_CALL(pthread_rwlock_clockwrlock,
               (pthread_rwlock_t * l, clockid_t c, const timespec* t) noexcept,
               real_clockwrlock(l, c, t), lock_rw(self, l, true, c, t))
ROAM_EXPORT int pthread_rwlock_tryrdlock(pthread_rwlock_t* l) noexcept {
  return tried_rw(l, real_tryrdlock(l));
}
ROAM_EXPORT int pthread_rwlock_trywrlock(pthread_rwlock_t* l) noexcept {
  return tried_rw(l, real_trywrlock(l));
}
ROAM_EXPORT int pthread_rwlock_unlock(pthread_rwlock_t* l) noexcept {
  Tcb* self = caller();
  const int result = real_rwunlock(l);
  if (self != nullptr && result == 0) release(self, l);
  return result;
}
