#ifndef ROAM_THREAD_H_
#define ROAM_THREAD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "roam/error.h"
#include "roam/rehome.h"
#include "roam/sync.h"

// Threads that migrate: made, moved, joined.
namespace roam {

// ---- where am I ----

// Rank the calling thread is on now; also from plain code. 0 before run().
int rank() noexcept;
// Number of ranks of the job; 1 before run().
int ranks() noexcept;
// Index of this rank's node, from 0; the ranks of a node share memory.
int node() noexcept;
// Errors: Errc::no_such_rank.
int node_of(int rank);

// ---- threads ----

// A handle of a migratable thread: trivially copyable, valid on every rank and inside migrating
// memory, also after the thread has ended.
class Thread {
 public:
  constexpr Thread() = default;
  // 0 for an empty handle; never used twice in a job.
  constexpr std::uint64_t id() const { return id_; }
  constexpr explicit operator bool() const { return id_ != 0; }
  void join() const;  // see roam::join
  friend constexpr bool operator==(Thread a, Thread b) { return a.id_ == b.id_; }

 private:
  friend struct ThreadAccess;
  constexpr Thread(std::uint64_t id, detail::Tcb* control) : id_(id), control_(control) {}
  std::uint64_t id_ = 0;
  detail::Tcb* control_ = nullptr;  // a hint: where the control block lies while the thread lives
};

struct SpawnOptions {
  std::string_view name = {};  // any length; kept in the thread's memory
  std::size_t stack_bytes = std::size_t{256}
                            << 10;  // address space; memory is used as it is touched
  int rank = -1;                    // where it starts; -1: here, unless balancing takes it
};

namespace detail {

Tcb* spawn_begin(const SpawnOptions& options);
// `destroy` is called in place of `entry` if the thread cannot get to where it is to start.
Thread spawn_commit(Tcb* thread, void (*entry)(void*), void (*destroy)(void*),
                    void* closure) noexcept;
void spawn_abandon(Tcb* thread) noexcept;

// While one lives, malloc and new of the calling context come from `thread`'s heap.
class AllocateIn {
 public:
  explicit AllocateIn(Tcb* thread) noexcept;
  ~AllocateIn();
  AllocateIn(const AllocateIn&) = delete;
  AllocateIn& operator=(const AllocateIn&) = delete;

 private:
  void* saved_;
};

template <class Closure>
void run_closure(void* memory) {
  std::unique_ptr<Closure> closure(static_cast<Closure*>(memory));
  std::apply([](auto&&... part) { std::invoke(std::move(part)...); }, std::move(*closure));
}

template <class Closure>
void destroy_closure(void* memory) {
  delete static_cast<Closure*>(memory);
}

}  // namespace detail

// Starts a thread that runs f(a...), as std::thread does, on options.rank. f and a... are decayed
// into the new thread's own memory: copied where their type can be copied, else moved (see
// roam/rehome.h).
//
// Context: threads; also plain code on a rank while run() is under way there.
// Errors:  Errc::no_such_rank          options.rank is not in [-1, ranks())
//          Errc::bad_option            options.stack_bytes is more than the arena could ever give
//          Errc::out_of_address_space  the arena has no room for a stack
//          Errc::out_of_memory         the kernel, or ROAM_MEMORY, gives no memory for it
//          what f's or a's copy throws. Nothing is left behind then.
//          A thread that options.rank has no memory for does not run: join throws
//          Error(out_of_memory).
template <class F, class... A>
Thread spawn(const SpawnOptions& options, F&& f, A&&... a) {
  using Closure = std::tuple<std::decay_t<F>, std::decay_t<A>...>;
  static_assert(std::is_invocable_v<std::decay_t<F>, std::decay_t<A>...>,
                "spawn: f is not callable with these arguments, decayed");
  detail::Tcb* thread = detail::spawn_begin(options);
  Closure* closure = nullptr;
  try {
    detail::AllocateIn scope(thread);
    closure =
        new Closure(detail::rehome(std::forward<F>(f)), detail::rehome(std::forward<A>(a))...);
  } catch (...) {
    detail::spawn_abandon(thread);
    throw;
  }
  return detail::spawn_commit(thread, &detail::run_closure<Closure>,
                              &detail::destroy_closure<Closure>, closure);
}

template <class F, class... A>
requires(!std::is_same_v<std::remove_cvref_t<F>, SpawnOptions>) Thread spawn(F&& f, A&&... a) {
  return spawn(SpawnOptions{}, std::forward<F>(f), std::forward<A>(a)...);
}

// Asks that `t` run on `rank`: at once if it is ready or asleep, when it next suspends if it runs,
// and when it is woken, before the call in which it waits returns, if it waits (roam/sync.h has the
// rules). A thread on its way to where its own migrate() or SpawnOptions::rank sends it gets there
// first, and goes on when it next suspends. Returns when the request is noted where `t` is, not
// when `t` has arrived. A later request replaces an earlier one that has not taken effect.
//
// Context: any thread on any rank; suspends if `t` is on another rank.
// Errors:  Errc::no_such_rank   `rank` is not in [0, ranks())
//          Errc::no_such_thread `t` is empty
//          Errc::thread_ended   `t` has ended
//          Errc::pinned         a Pin, or an open FILE* or DIR*, holds `t` where it is; the message
//          says which
void migrate(Thread t, int rank);

// Waits until `t` has ended and rethrows what escaped from it. Of several that join, one gets the
// exception; those that wait at the same time get Error(thread_ended), which says what it was;
// later ones just return. Memory that `t` allocated and that still lives becomes the joiner's, and
// moves with it, if both are on one node.
//
// Context: threads only; suspends.
// Errors:  Errc::no_such_thread, Errc::would_deadlock (joining itself), Errc::not_in_thread.
void join(Thread t);

inline void Thread::join() const { roam::join(*this); }

namespace detail {
void sleep_until(std::int64_t deadline_ns);  // on the job's clock
}

namespace this_thread {

// The calling thread; an empty handle in plain code.
Thread self() noexcept;
// Moves the calling thread: returns on `rank`, whatever balances or asks it to move meanwhile.
//
// Errors: Errc::no_such_rank, Errc::pinned (also while it holds a Mutex), Errc::not_in_thread;
// Errc::out_of_memory
//         if the target cannot take it. The thread goes on where it was.
void migrate(int rank);
// Lets the other ready threads of this rank run first.
void yield();
// Suspends the calling thread for at least `duration`; plain code sleeps as a whole.
void sleep_for(std::chrono::nanoseconds duration);
// The same of any other duration; one that is too long for nanoseconds lasts for ever.
template <class Rep, class Period>
void sleep_for(std::chrono::duration<Rep, Period> duration) {
  sleep_for(detail::saturated(duration));
}
// Suspends the calling thread until `when`, as its clock goes.
template <class Clock, class Duration>
void sleep_until(std::chrono::time_point<Clock, Duration> when) {
  for (auto now = Clock::now(); now < when; now = Clock::now()) {
    // In the units of a double: the difference of two time points may not fit theirs.
    using Seconds = std::chrono::duration<double>;
    sleep_for(Seconds(when.time_since_epoch()) - Seconds(now.time_since_epoch()) +
              std::chrono::microseconds(1));
  }
}
// The calling thread's name; empty in plain code.
std::string_view name() noexcept;

// While one lives, the calling thread does not migrate. Nests. The thread that made it destroys it:
// another thread of Roam that does ends the job.
class Pin {
 public:
  Pin();
  ~Pin();
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;

 private:
  std::uint64_t thread_;  // that made it
};

}  // namespace this_thread

}  // namespace roam

template <>
struct std::hash<roam::Thread> {
  std::size_t operator()(roam::Thread t) const noexcept {
    return std::hash<std::uint64_t>{}(t.id());
  }
};

#endif  // ROAM_THREAD_H_
