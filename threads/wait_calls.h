#ifndef ROAM_THREADS_WAIT_CALLS_H_
#define ROAM_THREADS_WAIT_CALLS_H_

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>

#include "base/check.h"
#include "base/job_clock.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/heap.h"
#include "threads/real_call.h"
#include "threads/scheduler.h"
#include "threads/ties.h"

// Waits of libc for another thread of the same rank would stop the kernel thread that runs both.
// In a thread they are questions, asked again after others have run. Outside threads they are
// libc's own.
//
// Of a mutex that knows its owner, libc knows the kernel thread: which thread of the rank has it is
// kept here. Who holds a lock stays on the rank, but for a plain mutex in its own memory, which
// travels.
//
// On the rank's own stack, where the scheduler and MPI run, all is libc's own. So it is with the
// capture off, where MPI and other libraries of the process wait for kernel threads of theirs and
// must not be entered again meanwhile; but for what a thread of this rank holds, which would be
// waited for in vain.

namespace roam::threads::wait_calls {

using threads::Real;

// Locks that threads of this rank hold, and what they make once; not plain mutexes in the holder's
// own memory. hold: `self` has it, once more if it had it already, and stays, as does the thread in
// whose memory it lies; false if threads of this rank hold some thousand already. abandon: is
// called with it if `self` ends holding it. release: does nothing for a lock that was taken in
// plain code, or travelled. release_for_holder: the same for whoever has a lock that does not know
// its holder, so that `self` may have unlocked what another thread took. None allocates. Context:
// the rank's kernel thread.
bool held_by_any(const void* lock);
bool held_by(const Tcb* self, const void* lock);
bool hold(Tcb* self, const void* lock, void (*abandon)(void*) = nullptr);
void release(Tcb* self, const void* lock);
void release_for_holder(Tcb* self, const void* lock);

// The thread whose own code this is; null on the rank's stack and in other kernel threads.
inline Tcb* caller() {
  if (!roam::threads::on_rank_thread) return nullptr;
  Tcb* self = scheduler().current();
  return self != nullptr && self->stack().contains(__builtin_frame_address(0)) ? self : nullptr;
}

// Whether a thread that waits for `object` lets others run, whoever has it.
inline bool lets_run(const void* object) {
  return roam::iso::current_heap != nullptr || roam::iso::arena().contains(object);
}

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

// Keeps the thread in whose memory `object` lies on this rank, if it is here: who waits there looks
// at it again and again.
class OwnerStays {
 public:
  OwnerStays(const Tcb* self, const void* object) {
    Tcb* owner = roam::detail::owner_of(object);
    if (owner == nullptr || owner == self ||
        owner->rank.load(std::memory_order_acquire) != scheduler().rank()) {
      return;
    }
    id_ = tie_number(owner);
    owner_ = owner;
  }
  ~OwnerStays() {
    if (owner_ != nullptr) untie_number(owner_, id_);
  }
  OwnerStays(const OwnerStays&) = delete;
  OwnerStays& operator=(const OwnerStays&) = delete;

 private:
  Tcb* owner_ = nullptr;
  std::uint64_t id_ = 0;
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
    if (rounds_ == 0) start_ns_ = roam::job_now_ns();
    self_->waits_for = what_;
    self_->waits_at = object_;
    ++rounds_;
    if (rounds_ < kYields || scheduler().ready_count() != 0) {
      scheduler().yield();
      return;
    }
    const std::int64_t now = roam::job_now_ns();
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

inline bool past(clockid_t clock, const timespec* when) {
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
  const Stay stay(self);
  const OwnerStays owner_stays(self, object);
  for (Pause pause(self, what, object); (result = attempt()) == busy; pause())
    if (past(clock, until)) return ETIMEDOUT;
  return result;
}

}  // namespace roam::threads::wait_calls

#define ROAM_EXPORT extern "C" __attribute__((visibility("default")))

#define ROAM_WAIT_CALL(name, parameters, real, inside) \
  ROAM_EXPORT int name parameters {                    \
    Tcb* self = caller();                              \
    if (self == nullptr) return real;                  \
    return inside;                                     \
  }
// Of what nobody holds: libc's own wait where the capture is off.
#define ROAM_SIGNAL_CALL(name, parameters, object, real, inside) \
  ROAM_EXPORT int name parameters {                              \
    Tcb* self = caller();                                        \
    if (self == nullptr || !lets_run(object)) return real;       \
    return inside;                                               \
  }

#endif  // ROAM_THREADS_WAIT_CALLS_H_
