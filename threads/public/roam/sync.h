#ifndef ROAM_SYNC_H_
#define ROAM_SYNC_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "roam/channel.h"
#include "roam/deadline.h"
#include "roam/errand.h"
#include "roam/error.h"
#include "roam/rehome.h"
#include "roam/wait_queue.h"

// Synchronisation between threads of one rank, with the meaning of the std classes of the same
// name. None of them ever blocks the kernel thread: who waits is suspended and others run.
//
// Rules of migration, the same for all of them:
//   * A thread that waits may be asked to migrate; it moves when it is woken, before the call in
//   which it waits
//     returns. Where that call ends with a Mutex held (lock, ConditionVariable::wait), the next
//     rule holds.
//   * A thread that holds a Mutex is pinned: this_thread::migrate throws Error(pinned);
//   migrate(thread, rank) from
//     elsewhere takes effect when the last Mutex is released and the thread suspends.
//   * A thread in whose memory (stack or heap) an object lives on which others wait, or a Mutex
//   that another holds, is pinned in the same way.
//   * An object is used by threads of one rank at a time: of the rank where the thread is in whose
//   memory it lives;
//     an object in the process's memory (a global) is one object a rank. A use from another rank
//     throws Error(wrong_rank), and so does one in a block of iso_malloc where ranks share memory.
//   * A question that is asked in a loop (try_lock, try_recv, try_wait, wait_for(0)) and answered
//   no lets other threads run now and then, as yield() does.
// Waiting from plain code, outside every thread, throws Error(not_in_thread).
//
// A kernel thread that the program makes uses all of these but Mutex, and ConditionVariable::wait,
// which refuse it (not_in_thread): each call of it is done on its rank, between two threads, and
// returns when it is done. What it gives or takes is copied.
// While it waits, the thread in whose memory the object lies is pinned. While no run is under way,
// Error(not_running) is thrown.
namespace roam {

// Mutual exclusion. unlock wakes the thread that has waited longest; a thread that is woken and
// finds the lock taken again is given it by the next unlock, so nobody waits for ever. Not
// recursive: a second lock by the holder throws Error(would_deadlock). unlock by a thread that does
// not hold it stops the program, and so does a thread that ends while it holds one.
class Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  ~Mutex();

  void lock();
  bool try_lock();
  void unlock();

 private:
  detail::Tcb* holder_ = nullptr;  // and a bit: threads/sync.cc
  detail::WaitQueue waiters_;
};

// As std::condition_variable_any: any lock with lock() and unlock().
class ConditionVariable {
 public:
  template <class Lock>
  void wait(Lock& lock) {
    Unlocked unlocked(lock);
    waiters_.wait(this, "ConditionVariable");
  }
  template <class Lock, class Predicate>
  void wait(Lock& lock, Predicate ready) {
    while (!ready()) wait(lock);
  }
  template <class Lock, class Rep, class Period>
  std::cv_status wait_for(Lock& lock, std::chrono::duration<Rep, Period> time) {
    return wait_deadline(lock, deadline_of(time));
  }
  template <class Lock, class Rep, class Period, class Predicate>
  bool wait_for(Lock& lock, std::chrono::duration<Rep, Period> time, Predicate ready) {
    return wait_deadline(lock, deadline_of(time), std::move(ready));
  }
  template <class Lock, class Clock, class Duration>
  std::cv_status wait_until(Lock& lock, std::chrono::time_point<Clock, Duration> when) {
    return wait_deadline(lock, detail::deadline_at(when));
  }
  template <class Lock, class Clock, class Duration, class Predicate>
  bool wait_until(Lock& lock, std::chrono::time_point<Clock, Duration> when, Predicate ready) {
    return wait_deadline(lock, detail::deadline_at(when), std::move(ready));
  }
  void notify_one() { notify(&ConditionVariable::wake_one); }
  void notify_all() { notify(&ConditionVariable::wake_all); }

 private:
  // Releases a lock and takes it again, also when the wait throws.
  template <class Lock>
  struct Unlocked {
    explicit Unlocked(Lock& l) : lock(l) { lock.unlock(); }
    ~Unlocked() noexcept(false) { lock.lock(); }
    Lock& lock;
  };
  template <class Rep, class Period>
  static std::int64_t deadline_of(std::chrono::duration<Rep, Period> time) {
    return detail::deadline_in(time);
  }
  template <class Lock>
  std::cv_status wait_deadline(Lock& lock, std::int64_t deadline_ns) {
    Unlocked unlocked(lock);
    return waiters_.wait_until(this, "ConditionVariable", deadline_ns) ? std::cv_status::no_timeout
                                                                       : std::cv_status::timeout;
  }
  template <class Lock, class Predicate>
  bool wait_deadline(Lock& lock, std::int64_t deadline_ns, Predicate ready) {
    while (!ready()) {
      if (wait_deadline(lock, deadline_ns) == std::cv_status::timeout) return ready();
    }
    return true;
  }

  void wake_one() { waiters_.wake_one(); }
  void wake_all() { waiters_.wake_all(); }
  void notify(void (ConditionVariable::*wake)()) {
    if (!detail::is_here(this, "ConditionVariable")) {
      detail::errand("ConditionVariable::notify", [&] { notify(wake); });
      return;
    }
    (this->*wake)();
  }

  detail::WaitQueue waiters_;
};

// A single-use countdown. count_down past zero throws std::invalid_argument and changes nothing.
class Latch {
 public:
  explicit Latch(std::ptrdiff_t expected);
  void count_down(std::ptrdiff_t n = 1);
  bool try_wait() const noexcept;
  void wait();
  void arrive_and_wait(std::ptrdiff_t n = 1);

 private:
  void wait_outside(const char* what, std::ptrdiff_t n);

  std::ptrdiff_t left_;
  detail::WaitQueue waiters_;
};

// A reusable meeting point of `expected` threads; `on_completion` runs in the thread that comes
// last, before the others go on. That thread stays on its rank meanwhile.
class Barrier {
 public:
  using arrival_token = std::uint64_t;

  explicit Barrier(std::ptrdiff_t expected, std::function<void()> on_completion = {});
  [[nodiscard]] arrival_token arrive(std::ptrdiff_t n = 1);
  void wait(arrival_token phase);
  void arrive_and_wait();
  // Arrives, and counts for one thread less from the next phase on.
  void arrive_and_drop();

 private:
  std::ptrdiff_t expected_;
  std::ptrdiff_t left_;
  std::uint64_t phase_ = 0;
  std::function<void()> on_completion_;
  detail::WaitQueue waiters_;
};

template <class T>
class Promise;

namespace detail {

// What a Promise and its Future share. A void value is kept as a flag.
template <class T>
struct SharedState {
  using Stored = std::conditional_t<
      std::is_void_v<T>, char,
      std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>>;
  std::optional<Stored> value;
  ExceptionTie tie;  // outlives the exception
  std::exception_ptr error;
  WaitQueue waiters;

  bool ready() const { return value.has_value() || error != nullptr; }
  void wait() {
    while (!ready()) waiters.wait(this, "Future");
  }
  std::future_status wait_until(std::int64_t deadline_ns) {
    while (!ready()) {
      if (!waiters.wait_until(this, "Future", deadline_ns)) break;
    }
    return ready() ? std::future_status::ready : std::future_status::timeout;
  }
};

}  // namespace detail

// One value that comes later. As std::future; get() leaves it invalid.
template <class T>
class Future {
 public:
  Future() = default;
  Future(Future&&) noexcept = default;
  Future& operator=(Future&&) noexcept = default;

  bool valid() const { return state_ != nullptr; }
  void wait() const {
    if (detail::outside()) {
      errand_when_ready("Future::wait", detail::kForEver, [] {});
      return;
    }
    detail::check_home(&state(), "Future");
    state().wait();
    detail::migration_point();
  }
  template <class Rep, class Period>
  std::future_status wait_for(std::chrono::duration<Rep, Period> time) const {
    return wait_deadline(detail::deadline_in(time));
  }
  template <class Clock, class Duration>
  std::future_status wait_until(std::chrono::time_point<Clock, Duration> when) const {
    return wait_deadline(detail::deadline_at(when));
  }
  T get() {
    if (!detail::outside()) return take(false);
    detail::check_taken<T>("Future::get");
    // It is taken as soon as it is there: nothing keeps its owner here for another errand.
    if constexpr (std::is_void_v<T>) {
      errand_when_ready("Future::get", detail::kForEver, [&] { take(true); });
    } else if constexpr (std::is_reference_v<T>) {
      std::remove_reference_t<T>* got = nullptr;
      errand_when_ready("Future::get", detail::kForEver, [&] { got = &take(true); });
      return *got;
    } else {
      std::optional<T> got;
      errand_when_ready("Future::get", detail::kForEver, [&] { got.emplace(take(true)); });
      return std::move(*got);
    }
  }

 private:
  friend class Promise<T>;
  explicit Future(std::shared_ptr<detail::SharedState<T>> state) : state_(std::move(state)) {}
  T take(bool for_outside) {
    detail::check_home(&this->state(), "Future");
    auto state = state_;
    state->wait();
    state_.reset();
    if (state->error) {
      std::rethrow_exception(for_outside ? detail::exception_for_outside(state->error)
                                         : detail::rehome_exception(state->error));
    }
    if constexpr (std::is_void_v<T>) {
      state.reset();
      detail::migration_point();
    } else if constexpr (std::is_reference_v<T>) {
      T value = **state->value;
      state.reset();
      detail::migration_point();
      return value;
    } else {
      T value = [&] {
        const auto hold = [&] {
          try {
            return detail::HoldHome(state.get(), detail::kCopyMayWait<T>);
          } catch (...) {  // no memory: it can be got later
            state_ = state;
            throw;
          }
        }();
        const auto given = std::move(state);  // ends before the hold: that may wait too
        return detail::rehome(std::move(*given->value));
      }();
      detail::migration_point();
      return value;
    }
  }
  // `then` follows in the same errand. False: the time ran out.
  template <class F>
  bool errand_when_ready(const char* what, std::int64_t deadline_ns, F then) const {
    return detail::errand_until(what, &state(), deadline_ns, [&] {
      detail::check_home(&state(), "Future");
      if (!state().ready()) return false;
      then();
      return true;
    });
  }
  std::future_status wait_deadline(std::int64_t deadline_ns) const {
    if (detail::outside()) {
      return errand_when_ready("Future::wait", deadline_ns, [] {}) ? std::future_status::ready
                                                                   : std::future_status::timeout;
    }
    detail::check_home(&state(), "Future");
    const std::future_status status = state().wait_until(deadline_ns);
    detail::migration_point();
    return status;
  }
  detail::SharedState<T>& state() const {
    if (!state_)
      throw Error(Errc::broken_promise,
                  "this Future has no state: it was moved from or got already");
    return *state_;
  }
  std::shared_ptr<detail::SharedState<T>> state_;
};

// The side that gives the value. A Promise that ends without one leaves Error(broken_promise) to
// its Future. An exception given with set_exception that is an Error, or a standard one that holds
// nothing but what(), is copied to the Future; any other stays in the memory in which it was made,
// and the thread that has this memory stays on its rank, as does the one in whose memory the Future
// and the Promise meet, until both of these are gone.
template <class T>
class Promise {
 public:
  Promise() : state_(std::make_shared<detail::SharedState<T>>()) {}
  Promise(Promise&&) noexcept = default;
  Promise& operator=(Promise&& other) noexcept {
    if (this != &other) {
      abandon();
      state_ = std::move(other.state_);
      taken_ = other.taken_;
    }
    return *this;
  }
  ~Promise() { abandon(); }

  Future<T> get_future() {
    require_state();
    if (taken_) throw Error(Errc::broken_promise, "get_future was called twice on this Promise");
    taken_ = true;
    return Future<T>(state_);
  }
  template <class U = T>
  requires(!std::is_void_v<T> && !std::is_reference_v<T>) void set_value(U&& value) {
    if (!is_here()) {
      detail::check_given<T>("Promise::set_value");
      detail::errand("Promise::set_value", [&] { set_value(std::forward<U>(value)); });
      return;
    }
    detail::SharedState<T>& state = open();
    {
      constexpr bool kWaits =
          detail::kCopyMayWait<std::decay_t<U>> || !std::is_same_v<T, std::decay_t<U>>;
      detail::AllocateBeside scope(&state, kWaits);
      if constexpr (kWaits) {
        T copy(detail::rehome(std::forward<U>(value)));
        open();  // still, after a copy that waited
        state.value.emplace(std::move(copy));
      } else {
        state.value.emplace(std::forward<U>(value));
      }
    }
    state.waiters.wake_all();
  }
  void set_value() requires(std::is_void_v<T>) {
    if (!is_here()) {
      detail::errand("Promise::set_value", [&] { set_value(); });
      return;
    }
    open().value.emplace(1);
    state_->waiters.wake_all();
  }
  template <class U = T>
  requires(std::is_reference_v<T>) void set_value(std::type_identity_t<U> value) {
    if (!is_here()) {
      detail::errand("Promise::set_value", [&] { set_value(value); });
      return;
    }
    open().value.emplace(&value);
    state_->waiters.wake_all();
  }
  void set_exception(const std::exception_ptr& error) {
    if (error == nullptr)
      throw Error(Errc::bad_option, "Promise::set_exception: the exception_ptr is null");
    if (is_here()) {
      give_exception(error, true);
    } else {
      const bool stays = detail::memory_is_known();
      detail::errand("Promise::set_exception", [&] { give_exception(error, stays); });
    }
  }

 private:
  // `stays`: its memory does, as long as somebody has it.
  void give_exception(const std::exception_ptr& error, bool stays) {
    detail::check_home(state_.get(), "Promise");
    detail::SharedState<T>& state = open();
    std::exception_ptr given;
    {
      detail::AllocateBeside scope(&state, false);
      given = detail::rehome_exception(error);
    }
    if (given == error && !stays) detail::refuse_to_move("Promise::set_exception");
    if (given == error) state.tie.tie(detail::object_of(error), &state);
    state.error = std::move(given);
    state.waiters.wake_all();
  }
  // False in a kernel thread outside.
  bool is_here() const {
    require_state();
    return detail::is_here(state_.get(), "Promise");
  }
  void require_state() const {
    if (!state_) throw Error(Errc::broken_promise, "this Promise has no state: it was moved from");
  }
  detail::SharedState<T>& open() {
    if (state_->ready()) throw Error(Errc::broken_promise, "this Promise has its value already");
    return *state_;
  }
  void abandon() noexcept {
    if (!state_ || state_.use_count() == 1) return;
    try {
      if (detail::outside()) {
        detail::errand("Promise", [&] { abandon(); });
        return;
      }
      if (state_->ready()) return;
      set_exception(std::make_exception_ptr(
          Error(Errc::broken_promise, "the Promise ended without giving a value")));
    } catch (const Error&) {
      // On another rank than its Future, or after the run: who waits there is named when nothing
      // else can run.
    }
  }
  std::shared_ptr<detail::SharedState<T>> state_;
  bool taken_ = false;
};

}  // namespace roam

#endif  // ROAM_SYNC_H_
