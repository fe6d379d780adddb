#ifndef ROAM_SYNC_H_
#define ROAM_SYNC_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "roam/deadline.h"
#include "roam/error.h"
#include "roam/rehome.h"

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
//   * A thread in whose memory (stack or heap) an object lives on which others wait is pinned in
//   the same way.
//   * An object is used by threads of one rank at a time: of the rank where the thread is in whose
//   memory it lives;
//     an object in the process's memory (a global) is one object a rank. A use from another rank
//     throws Error(wrong_rank).
//   * A question that is asked in a loop (try_lock, try_recv, try_wait, wait_for(0)) and answered
//   no lets other threads run now and then, as yield() does.
// Waiting from plain code, outside every thread, throws Error(not_in_thread).
namespace roam {

namespace detail {

struct Tcb;  // a thread's control block

// FIFO of suspended threads, linked through their control blocks.
class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  bool empty() const { return head_ == nullptr; }

  // Suspends the calling thread until it is woken. `object` is what it waits on, `what` its kind,
  // e.g. "Mutex".
  void wait(const void* object, const char* what);
  // The same, at most until `deadline_ns` on the monotonic clock. False: the time ran out.
  bool wait_until(const void* object, const char* what, std::int64_t deadline_ns);
  // Wakes the first that waits and returns it, or null.
  Tcb* wake_one();
  void wake_all();

 private:
  friend struct WaitQueueAccess;
  Tcb* head_ = nullptr;
  Tcb* tail_ = nullptr;
};

// Throws Error(wrong_rank) if `object` lives in the memory of a thread that is on another rank.
void check_home(const void* object, const char* what);

// While one lives, allocations come from the memory in which `object` lives: what a Channel or a
// Future holds must stay with it when the giver migrates.
class AllocateBeside {
 public:
  explicit AllocateBeside(const void* object) noexcept;
  ~AllocateBeside();
  AllocateBeside(const AllocateBeside&) = delete;
  AllocateBeside& operator=(const AllocateBeside&) = delete;

 private:
  void* saved_;
};

// `error` made anew in the memory of the calling context, if it is an Error or one of the standard
// exceptions that say what() and no more; else `error` itself, which stays where it was thrown.
std::exception_ptr rehome_exception(const std::exception_ptr& error);

// Keeps two threads where they are: the one that gave an exception, which stays in its memory, and
// the one in whose memory the exception is referred to.
class ExceptionTie {
 public:
  ExceptionTie() = default;
  ExceptionTie(const ExceptionTie&) = delete;
  ExceptionTie& operator=(const ExceptionTie&) = delete;
  ~ExceptionTie();
  // From the calling thread to the owner of `object`; nothing, if they are the same.
  void tie(const void* object);

 private:
  struct End {
    Tcb* thread = nullptr;
    std::uint64_t id = 0;
  };
  End ends_[2];
};

// Lets the calling thread go where it was asked to migrate, if it may: the end of a call that
// waits.
void migration_point();

// Says what it is told. Of questions answered no, each eighth lets others run.
bool asked(bool yes);

}  // namespace detail

// Mutual exclusion. unlock wakes the thread that has waited longest; a thread that is woken and
// finds the lock taken again is given it by the next unlock, so nobody waits for ever. Not
// recursive: a second lock by the holder throws Error(would_deadlock). unlock by a thread that does
// not hold it stops the program.
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
  detail::Tcb* holder_ = nullptr;
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
  void notify_one() {
    detail::check_home(this, "ConditionVariable");
    waiters_.wake_one();
  }
  void notify_all() {
    detail::check_home(this, "ConditionVariable");
    waiters_.wake_all();
  }

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

  detail::WaitQueue waiters_;
};

// A single-use countdown. count_down past zero throws std::invalid_argument and changes nothing.
class Latch {
 public:
  explicit Latch(std::ptrdiff_t expected);
  void count_down(std::ptrdiff_t n = 1);
  bool try_wait() const noexcept { return detail::asked(left_ == 0); }
  void wait();
  void arrive_and_wait(std::ptrdiff_t n = 1);

 private:
  std::ptrdiff_t left_;
  detail::WaitQueue waiters_;
};

// A reusable meeting point of `expected` threads; `on_completion` runs in the thread that comes
// last, before the others go on.
class Barrier {
 public:
  using arrival_token = std::uint64_t;

  explicit Barrier(std::ptrdiff_t expected, std::function<void()> on_completion = {});
  [[nodiscard]] arrival_token arrive(std::ptrdiff_t n = 1);
  void wait(arrival_token phase);
  void arrive_and_wait() { wait(arrive()); }
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
  std::exception_ptr error;
  ExceptionTie tie;
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
    auto state = state_;
    this->state().wait();
    state_.reset();
    if (state->error) std::rethrow_exception(detail::rehome_exception(state->error));
    if constexpr (std::is_void_v<T>) {
      state.reset();
      detail::migration_point();
    } else if constexpr (std::is_reference_v<T>) {
      T value = **state->value;
      state.reset();
      detail::migration_point();
      return value;
    } else {
      T value = detail::rehome(std::move(*state->value));
      state.reset();
      detail::migration_point();
      return value;
    }
  }

 private:
  friend class Promise<T>;
  explicit Future(std::shared_ptr<detail::SharedState<T>> state) : state_(std::move(state)) {}
  std::future_status wait_deadline(std::int64_t deadline_ns) const {
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
// nothing but what(), is copied to the Future; any other stays in the memory of its thrower, and
// both threads stay on their rank until the Future and the Promise are gone.
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
    detail::SharedState<T>& state = open();
    {
      detail::AllocateBeside scope(&state);
      state.value.emplace(detail::rehome(std::forward<U>(value)));
    }
    state.waiters.wake_all();
  }
  void set_value() requires(std::is_void_v<T>) {
    open().value.emplace(1);
    state_->waiters.wake_all();
  }
  template <class U = T>
  requires(std::is_reference_v<T>) void set_value(std::type_identity_t<U> value) {
    open().value.emplace(&value);
    state_->waiters.wake_all();
  }
  void set_exception(const std::exception_ptr& error) {
    detail::SharedState<T>& state = open();
    {
      detail::AllocateBeside scope(&state);
      state.error = detail::rehome_exception(error);
    }
    if (state.error == error) state.tie.tie(&state);
    state.waiters.wake_all();
  }

 private:
  void require_state() const {
    if (!state_) throw Error(Errc::broken_promise, "this Promise has no state: it was moved from");
  }
  detail::SharedState<T>& open() {
    require_state();
    detail::check_home(state_.get(), "Promise");
    if (state_->ready()) throw Error(Errc::broken_promise, "this Promise has its value already");
    return *state_;
  }
  void abandon() noexcept {
    if (!state_ || state_.use_count() == 1 || state_->ready()) return;
    try {
      set_exception(std::make_exception_ptr(
          Error(Errc::broken_promise, "the Promise ended without giving a value")));
    } catch (const Error&) {
      // On another rank than its Future: who waits there is named when nothing else can run.
    }
  }
  std::shared_ptr<detail::SharedState<T>> state_;
  bool taken_ = false;
};

// A FIFO of values between threads. With a capacity, send waits while it is full. A value received
// is in the receiver's memory, where its type can be copied; see roam/rehome.h.
template <class T>
class Channel {
 public:
  // `capacity` in values; 0 and the default are unbounded.
  explicit Channel(std::size_t capacity = 0) : capacity_(capacity) {}

  // Errors: Error(broken_promise) if the channel is closed.
  void send(T value) {
    detail::check_home(this, "Channel");
    while (full() && !closed_) senders_.wait(this, "Channel");
    require_open();
    store(value);
    detail::migration_point();
  }
  // False if full. Leaves `value` as it is then.
  bool try_send(T& value) {
    detail::check_home(this, "Channel");
    require_open();
    if (!detail::asked(!full())) return false;
    store(value);
    return true;
  }
  bool try_send(T&& value) { return try_send(value); }
  // The next value; nothing once the channel is closed and empty.
  std::optional<T> recv() {
    detail::check_home(this, "Channel");
    while (values_.empty() && !closed_) receivers_.wait(this, "Channel");
    std::optional<T> value = try_recv();
    detail::migration_point();
    return value;
  }
  std::optional<T> try_recv() {
    detail::check_home(this, "Channel");
    if (!detail::asked(!values_.empty())) return std::nullopt;
    std::optional<T> value(detail::rehome(std::move(values_.front())));
    values_.pop_front();
    senders_.wake_one();
    return value;
  }
  // No more values can be sent; those inside can still be received.
  void close() {
    detail::check_home(this, "Channel");
    closed_ = true;
    receivers_.wake_all();
    senders_.wake_all();
  }
  bool closed() const { return detail::asked(closed_); }
  std::size_t size() const { return empty() ? 0 : values_.size(); }
  bool empty() const { return !detail::asked(!values_.empty()); }

 private:
  void store(T& value) {
    {
      detail::AllocateBeside scope(this);
      values_.push_back(detail::rehome(std::move(value)));
    }
    receivers_.wake_one();
  }
  bool full() const { return capacity_ != 0 && values_.size() >= capacity_; }
  void require_open() const {
    if (closed_) throw Error(Errc::broken_promise, "send on a closed Channel");
  }
  std::size_t capacity_;
  bool closed_ = false;
  std::deque<T> values_;
  detail::WaitQueue senders_;
  detail::WaitQueue receivers_;
};

}  // namespace roam

#endif  // ROAM_SYNC_H_
