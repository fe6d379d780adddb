// Waits of libc for another thread of the same rank would stop the kernel thread that runs both.
// In a thread they are questions, asked again after others have run. Outside threads they are
// libc's own.
//
// Of a mutex that knows its owner, libc knows the kernel thread: which thread of the rank has it is
// kept here. Who holds a lock stays on the rank, but for a plain mutex in its own memory, which
// travels.

#include <dlfcn.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdint>
#include <ctime>
#include <mutex>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "isomalloc/heap.h"
#include "threads/scheduler.h"

namespace {

using roam::detail::Tcb;
using roam::threads::scheduler;

Tcb* caller() { return roam::threads::on_rank_thread ? scheduler().current() : nullptr; }

// libc's own. No function-local static: its guard would be on the path of every lock.
template <class F>
class Real {
 public:
  constexpr Real(const char* name, const char* version) : name_(name), version_(version) {}
  template <class... Arguments>
  auto operator()(Arguments... arguments) {
    F* f = f_.load(std::memory_order_relaxed);
    if (f == nullptr) [[unlikely]]
      f = find();
    return f(arguments...);
  }

 private:
  // Of condition variables libc has two versions, and dlsym may give the old one.
  F* find() {
    roam::iso::HeapScope process;
    void* f = version_ != nullptr ? dlvsym(RTLD_NEXT, name_, version_) : nullptr;
    if (f == nullptr) f = dlsym(RTLD_NEXT, name_);
    f_.store(reinterpret_cast<F*>(f), std::memory_order_relaxed);
    return reinterpret_cast<F*>(f);
  }
  const char* name_;
  const char* version_;
  std::atomic<F*> f_ = nullptr;
};

// Keeps the thread on its rank.
class Stay {
 public:
  explicit Stay(Tcb* self) : self_(self) { ++self->pins; }
  ~Stay() {
    --self_->pins;
    scheduler().loosened(self_);
  }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;

 private:
  Tcb* self_;
};

// Lets others run, and sleeps between questions when nobody else is ready: other kernel threads
// may hold what is waited for.
class Pause {
 public:
  Pause(Tcb* self, const char* what, const void* object)
      : self_(self), what_(what), object_(object) {}
  ~Pause() {
    if (rounds_ != 0) self_->waits_for = nullptr;
  }
  void operator()() {
    if (rounds_ == 0) start_ns_ = roam::now_ns();
    self_->waits_for = what_;
    self_->waits_at = object_;
    ++rounds_;
    if (rounds_ < kYields || scheduler().ready_count() != 0) {
      scheduler().yield();
      return;
    }
    const std::int64_t now = roam::now_ns();
    if (now - start_ns_ > kLongNs) {
      start_ns_ = now + kNeverNs;
      roam::iso::HeapScope process;
      roam::report(roam::text("thread '%s' has waited 10 s for a %s (%p), and still does",
                              self_->name(), what_, object_)
                       .c_str());
    }
    scheduler().sleep_until(now +
                            std::min<std::int64_t>(20'000 * (rounds_ - kYields + 1), 1'000'000));
  }

 private:
  static constexpr int kYields = 16;
  static constexpr std::int64_t kLongNs = 10'000'000'000, kNeverNs = INT64_MAX / 2;
  Tcb* self_;
  const char* what_;
  const void* object_;
  std::int64_t rounds_ = 0;
  std::int64_t start_ns_ = 0;
};

bool past(clockid_t clock, const timespec* when) {
  if (when == nullptr) return false;
  timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec != when->tv_sec ? now.tv_sec > when->tv_sec : now.tv_nsec >= when->tv_nsec;
}

// Asks `attempt` until it says something else than `busy`, or the time is over.
template <class Attempt>
int ask(Tcb* self, const char* what, const void* object, clockid_t clock, const timespec* until,
        int busy, Attempt attempt) {
  int result = attempt();
  if (result != busy) return result;
  if (until != nullptr && (until->tv_nsec < 0 || until->tv_nsec >= 1'000'000'000)) return EINVAL;
  Stay stay(self);
  for (Pause pause(self, what, object); (result = attempt()) == busy; pause())
    if (past(clock, until)) return ETIMEDOUT;
  return result;
}

// ---- mutexes ----

Real<int(pthread_mutex_t*)> real_lock("pthread_mutex_lock", nullptr);
Real<int(pthread_mutex_t*)> real_trylock("pthread_mutex_trylock", nullptr);
Real<int(pthread_mutex_t*)> real_unlock("pthread_mutex_unlock", nullptr);
Real<int(pthread_mutex_t*, const timespec*)> real_timedlock("pthread_mutex_timedlock", nullptr);
Real<int(pthread_mutex_t*, clockid_t, const timespec*)> real_clocklock("pthread_mutex_clocklock",
                                                                       nullptr);

// Mutexes that know their owner and are held by threads of this rank. Few are held at a time.
struct Owned {
  pthread_mutex_t* mutex;
  std::uint64_t thread;
  int depth;
};
constinit std::vector<Owned>* owned_room = nullptr;
std::vector<Owned>& owned() {
  if (owned_room == nullptr) {
    roam::iso::HeapScope process;
    owned_room = new std::vector<Owned>;
  }
  return *owned_room;
}
Owned* owned(const pthread_mutex_t* m) {
  for (Owned& o : owned())
    if (o.mutex == m) return &o;
  return nullptr;
}
int kind_of(const pthread_mutex_t* m) { return m->__data.__kind & 127; }
bool knows_owner(const pthread_mutex_t* m) {
  const int kind = kind_of(m);
  return kind != PTHREAD_MUTEX_TIMED_NP && kind != PTHREAD_MUTEX_ADAPTIVE_NP;
}

bool travels(Tcb* self, const void* lock) { return roam::detail::owner_of(lock) == self; }
void hold(Tcb* self) { ++self->locks; }
void release(Tcb* self) {
  if (self->locks == 0) return;  // it was locked in plain code
  --self->locks;
  scheduler().loosened(self);
}

int try_owned(Tcb* self, pthread_mutex_t* m, bool waits) {
  const std::uint64_t me = self->id.load(std::memory_order_relaxed);
  if (Owned* o = owned(m); o != nullptr) {
    if (o->thread != me) return EBUSY;
    if ((kind_of(m) & 3) == PTHREAD_MUTEX_ERRORCHECK_NP) return waits ? EDEADLK : EBUSY;
    if ((kind_of(m) & 3) != PTHREAD_MUTEX_RECURSIVE_NP) return EBUSY;
    const int result = real_trylock(m);
    if (result == 0) ++o->depth;
    return result;
  }
  const int result = real_trylock(m);
  if (result == 0 || result == EOWNERDEAD) {
    roam::iso::HeapScope process;
    owned().push_back({m, me, 1});
    hold(self);
  }
  return result;
}

int try_mutex(Tcb* self, pthread_mutex_t* m, bool waits) {
  if (knows_owner(m)) [[unlikely]]
    return try_owned(self, m, waits);
  const int result = real_trylock(m);
  if (result == 0 && !travels(self, m)) hold(self);
  return result;
}

int lock_mutex(Tcb* self, pthread_mutex_t* m, clockid_t clock, const timespec* until) {
  return ask(self, "mutex of libc", m, clock, until, EBUSY,
             [&] { return try_mutex(self, m, true); });
}

int unlock_mutex(Tcb* self, pthread_mutex_t* m) {
  if (!knows_owner(m)) [[likely]] {
    const bool held = !travels(self, m);
    const int result = real_unlock(m);
    if (result == 0 && held) release(self);
    return result;
  }
  Owned* o = owned(m);
  if (o == nullptr) return real_unlock(m);
  if (o->thread != self->id.load(std::memory_order_relaxed)) return EPERM;
  const int result = real_unlock(m);
  if (result == 0 && --o->depth == 0) {
    *o = owned().back();
    owned().pop_back();
    release(self);
  }
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
  Waiter* next = nullptr;
};
constinit std::atomic<bool> waiters_taken = false;
constinit std::atomic<int> waiters_count = 0;
constinit Waiter* waiters = nullptr;

class TakeWaiters {
 public:
  TakeWaiters() {
    while (waiters_taken.exchange(true, std::memory_order_acquire)) __builtin_ia32_pause();
  }
  ~TakeWaiters() { waiters_taken.store(false, std::memory_order_release); }
};

void wake(const pthread_cond_t* condition, bool all) {
  if (waiters_count.load(std::memory_order_seq_cst) == 0) return;
  TakeWaiters guard;
  for (Waiter* w = waiters; w != nullptr; w = w->next) {
    if (w->condition != condition || w->woken) continue;
    w->woken = true;
    if (!all) return;
  }
}

int wait_condition(Tcb* self, pthread_cond_t* c, pthread_mutex_t* m, clockid_t clock,
                   const timespec* until) {
  Stay stay(self);
  Waiter me{c};
  {
    TakeWaiters guard;
    Waiter** end = &waiters;
    while (*end != nullptr) end = &(*end)->next;
    *end = &me;
    waiters_count.fetch_add(1);
  }
  bool woken = false;
  int result = unlock_mutex(self, m);
  if (result == 0) {
    result = ask(self, "condition variable of libc", c, clock, until, EBUSY, [&] {
      TakeWaiters guard;
      return me.woken ? 0 : EBUSY;
    });
    woken = true;
  }
  {
    TakeWaiters guard;
    Waiter** at = &waiters;
    while (*at != &me) at = &(*at)->next;
    *at = me.next;
    waiters_count.fetch_sub(1);
  }
  if (!woken) return result;
  const int locked = lock_mutex(self, m, CLOCK_REALTIME, nullptr);
  return locked != 0 ? locked : result;
}

// The clock that pthread_condattr_setclock chose: a bit of glibc's.
clockid_t clock_of(const pthread_cond_t* c) {
  return (c->__data.__wrefs & 2) != 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

// ---- locks for readers and writers, semaphores ----

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
Real<int(sem_t*)> real_sem_wait("sem_wait", nullptr);
Real<int(sem_t*, const timespec*)> real_sem_timedwait("sem_timedwait", nullptr);
Real<int(sem_t*, clockid_t, const timespec*)> real_sem_clockwait("sem_clockwait", nullptr);

int lock_rw(Tcb* self, pthread_rwlock_t* l, bool write, clockid_t clock, const timespec* until) {
  const int result = ask(self, "lock for readers and writers of libc", l, clock, until, EBUSY,
                         [&] { return write ? real_trywrlock(l) : real_tryrdlock(l); });
  if (result == 0) hold(self);
  return result;
}

int tried_rw(int result) {
  Tcb* self = caller();
  if (self != nullptr && result == 0) hold(self);
  if (self != nullptr && result == EBUSY) scheduler().yield();
  return result;
}

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

constexpr int kOnceBegun = 1;  // as glibc's
constexpr int kOnceMade = 2;

int once(Tcb* self, std::atomic<int>& state, void (*make)()) {
  // std::call_once leaves what it calls in variables of the kernel thread.
  void* const callable = std::__once_callable;
  void (*const call)() = std::__once_call;
  int seen = 0;
  const int waited = ask(self, "once of libc", &state, 0, nullptr, EBUSY, [&] {
    seen = 0;
    if (state.compare_exchange_strong(seen, kOnceBegun, std::memory_order_acquire)) return 0;
    return (seen & kOnceMade) != 0 ? 0 : EBUSY;
  });
  if (waited != 0 || seen != 0) return waited;
  Stay stay(self);
  std::__once_callable = callable;
  std::__once_call = call;
  const auto finish = [&](int value) {
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

#define ROAM_EXPORT extern "C" __attribute__((visibility("default")))

#define ROAM_WAIT_CALL(name, parameters, real, inside) \
  ROAM_EXPORT int name parameters {                    \
    Tcb* self = caller();                              \
    if (self == nullptr) return real;                  \
    return inside;                                     \
  }

ROAM_WAIT_CALL(pthread_mutex_lock, (pthread_mutex_t * m) noexcept, real_lock(m),
               lock_mutex(self, m, CLOCK_REALTIME, nullptr))
ROAM_EXPORT int pthread_mutex_trylock(pthread_mutex_t* m) noexcept {
  Tcb* self = caller();
  if (self == nullptr) return real_trylock(m);
  const int result = try_mutex(self, m, false);
  if (result == EBUSY) scheduler().yield();  // asked in a loop, it lets others run
  return result;
}
ROAM_WAIT_CALL(pthread_mutex_unlock, (pthread_mutex_t * m) noexcept, real_unlock(m),
               unlock_mutex(self, m))
ROAM_WAIT_CALL(pthread_mutex_timedlock, (pthread_mutex_t * m, const timespec* t) noexcept,
               real_timedlock(m, t), lock_mutex(self, m, CLOCK_REALTIME, t))
ROAM_WAIT_CALL(pthread_mutex_clocklock,
               (pthread_mutex_t * m, clockid_t c, const timespec* t) noexcept,
               real_clocklock(m, c, t), lock_mutex(self, m, c, t))

ROAM_WAIT_CALL(pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t* m), real_wait(c, m),
               wait_condition(self, c, m, CLOCK_REALTIME, nullptr))
ROAM_WAIT_CALL(pthread_cond_timedwait, (pthread_cond_t * c, pthread_mutex_t* m, const timespec* t),
               real_timedwait(c, m, t), wait_condition(self, c, m, clock_of(c), t))
ROAM_WAIT_CALL(pthread_cond_clockwait,
               (pthread_cond_t * c, pthread_mutex_t* m, clockid_t clock, const timespec* t),
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
  return tried_rw(real_tryrdlock(l));
}
ROAM_EXPORT int pthread_rwlock_trywrlock(pthread_rwlock_t* l) noexcept {
  return tried_rw(real_trywrlock(l));
}
ROAM_EXPORT int pthread_rwlock_unlock(pthread_rwlock_t* l) noexcept {
  Tcb* self = caller();
  const int result = real_rwunlock(l);
  if (self != nullptr && result == 0) release(self);
  return result;
}

ROAM_WAIT_CALL(sem_wait, (sem_t * s), real_sem_wait(s),
               wait_semaphore(self, s, CLOCK_REALTIME, nullptr))
ROAM_WAIT_CALL(sem_timedwait, (sem_t * s, const timespec* t), real_sem_timedwait(s, t),
               wait_semaphore(self, s, CLOCK_REALTIME, t))
ROAM_WAIT_CALL(sem_clockwait, (sem_t * s, clockid_t c, const timespec* t),
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
    if (self != nullptr) {
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
