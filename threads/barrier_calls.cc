// Barriers and spin locks of libc.

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>

#include "threads/wait_calls.h"

namespace {

using roam::detail::Tcb;
using namespace roam::threads::wait_calls;

// ---- barriers ----
//
// Threads of Roam meet kernel threads, of other processes too, at one barrier. So what a thread
// does is done in glibc's own words (2.25 and later): each who comes takes a place; who has the
// last one of a round opens it, by the number of places up to there; who goes is counted, and when
// as many have gone as there are places, the last of them begins anew.

struct Barrier {
  std::atomic<unsigned> places;
  std::atomic<unsigned> open;  // places of the rounds that are complete
  unsigned count;
  int shared;
  std::atomic<unsigned> gone;

  // The words are reset after so many: whole rounds.
  unsigned most_places() const { return UINT_MAX / 2 - UINT_MAX / 2 % count; }
};
static_assert(sizeof(Barrier) <= sizeof(pthread_barrier_t));
Barrier& words_of(pthread_barrier_t* b) { return *reinterpret_cast<Barrier*>(b); }

void wake_all(std::atomic<unsigned>& word, bool shared) {
  syscall(SYS_futex, &word, shared ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
}

constexpr const char kBarrier[] = "barrier of libc";

Real<int(pthread_barrier_t*)> real_wait("pthread_barrier_wait", nullptr);
Real<int(pthread_barrier_t*)> real_destroy("pthread_barrier_destroy", nullptr);
// Threads of this rank that are at a barrier.
constinit int at_barriers = 0;

// Nothing of the barrier is touched once this is counted as gone.
void leave(Barrier& b, unsigned most) {
  if (b.gone.fetch_add(1, std::memory_order_acq_rel) + 1 != most) return;
  b.open.store(0, std::memory_order_relaxed);
  b.gone.store(0, std::memory_order_relaxed);
  const bool shared = b.shared != 0;
  b.places.store(0, std::memory_order_release);
  wake_all(b.places, shared);
}

int wait_at(Tcb* self, Barrier& b) {
  const unsigned count = b.count, most = b.most_places();
  ++at_barriers;
  unsigned place;
  while ((place = b.places.fetch_add(1, std::memory_order_acq_rel) + 1) > most) {
    ask(self, kBarrier, &b, 0, nullptr, EBUSY,
        [&] { return b.places.load(std::memory_order_relaxed) > most ? EBUSY : 0; });
  }
  const unsigned complete = place - place % count;
  unsigned open = b.open.load(std::memory_order_relaxed);
  while (open < complete) {
    if (b.open.compare_exchange_weak(open, complete, std::memory_order_release)) {
      wake_all(b.open, b.shared != 0);
      break;
    }
  }
  ask(self, kBarrier, &b, 0, nullptr, EBUSY,
      [&] { return b.open.load(std::memory_order_acquire) < place ? EBUSY : 0; });
  leave(b, most);
  --at_barriers;
  return place == complete ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

// libc's own waits until all have gone. Those of this rank go when their turn comes.
int destroy(Tcb* self, pthread_barrier_t* barrier) {
  Barrier& b = words_of(barrier);
  if (lets_run(&b) || at_barriers > 0) {
    ask(self, kBarrier, &b, 0, nullptr, EBUSY, [&] {
      const unsigned gone = b.gone.load(std::memory_order_acquire);
      return gone != b.places.load(std::memory_order_relaxed) ? EBUSY : 0;
    });
  }
  return real_destroy(barrier);
}

// ---- spin locks ----

Real<int(pthread_spinlock_t*)> real_spin("pthread_spin_lock", nullptr);
Real<int(pthread_spinlock_t*)> real_tryspin("pthread_spin_trylock", nullptr);
Real<int(pthread_spinlock_t*)> real_unspin("pthread_spin_unlock", nullptr);

// As a plain mutex: one in the thread's own memory travels with it.
int held_spin(Tcb* self, pthread_spinlock_t* l, int result) {
  const void* lock = const_cast<const int*>(l);
  if (result != 0 || roam::detail::owner_of(lock) == self || hold(self, lock)) return result;
  real_unspin(l);
  return EAGAIN;
}

int spin(Tcb* self, pthread_spinlock_t* l) {
  const void* lock = const_cast<const int*>(l);
  int result = real_tryspin(l);
  if (result == EBUSY && !lets_run(lock) && !held_by_any(lock)) {
    result = real_spin(l);
  } else if (result == EBUSY) {
    result =
        ask(self, "spin lock of libc", lock, 0, nullptr, EBUSY, [&] { return real_tryspin(l); });
  }
  return held_spin(self, l, result);
}

}  // namespace

ROAM_SIGNAL_CALL(pthread_barrier_wait, (pthread_barrier_t * b) noexcept, b, real_wait(b),
                 wait_at(self, words_of(b)))
ROAM_WAIT_CALL(pthread_barrier_destroy, (pthread_barrier_t * b) noexcept, real_destroy(b),
               destroy(self, b))

ROAM_WAIT_CALL(pthread_spin_lock, (pthread_spinlock_t * l) noexcept, real_spin(l), spin(self, l))
ROAM_EXPORT int pthread_spin_trylock(pthread_spinlock_t* l) noexcept {
  Tcb* self = caller();
  const int result = real_tryspin(l);
  if (self == nullptr) return result;
  // Asked in a loop, it lets others run.
  if (result == EBUSY && lets_run(const_cast<const int*>(l))) roam::threads::scheduler().yield();
  return held_spin(self, l, result);
}
ROAM_EXPORT int pthread_spin_unlock(pthread_spinlock_t* l) noexcept {
  Tcb* self = caller();
  const int result = real_unspin(l);
  if (self != nullptr) release(self, const_cast<const int*>(l));
  return result;
}
