#include "roam/sync.h"

#include <cstdint>
#include <exception>
#include <limits>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <utility>

#include "base/check.h"
#include "base/job_clock.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "threads/child.h"
#include "threads/scheduler.h"
#include "threads/ties.h"
#include "threads/wait_queue_access.h"

namespace roam {
namespace detail {
namespace {

using threads::scheduler;

// Nothing here is guarded against another kernel thread.
void refuse_other_kernel_threads(const char* what) {
  if (!threads::on_other_kernel_thread()) [[likely]]
    return;
  threads::refuse_in_child(what);
  throw Error(
      Errc::not_in_thread,
      text("%s: the caller is a kernel thread that the program made: it cannot hold or wait for "
           "this; nothing was changed. Share a std::mutex with it, or let it send to a Channel or "
           "fulfil a Promise.",
           what));
}

// The calling thread; throws in plain code.
Tcb* waiting_thread(const char* what) {
  refuse_other_kernel_threads(what);
  Tcb* self = scheduler().current();
  if (self == nullptr) {
    throw Error(Errc::not_in_thread, text("%s: plain code cannot wait, since that would stop every "
                                          "thread of the rank. Wait in a thread "
                                          "(roam::spawn).",
                                          what));
  }
  return self;
}

// Ties the thread in whose memory `object` lies to its place while `self` waits, and until it runs
// again and has looked at the object, which takes no longer than its turn: nobody departs in that.
void tie(Tcb* self, const void* object) {
  Tcb* owner = owner_of(object);
  if (owner != nullptr && owner != self) threads::tie(self, owner);
}
void untie(Tcb* self, const void* object) {
  if (self->tied_to != nullptr) threads::untie(self, owner_of(object));
}
// `self` does not wait on it, or not any more.
void end_wait(Tcb* self, const void* object) {
  untie(self, object);
  self->in_wait = false;
  scheduler().loosened(self);
}

// The thread in whose memory `object` lies, which is on this rank; null: it is the process's.
// Context: the rank's kernel thread.
// Errors: Error(wrong_rank).
Tcb* owner_here(const void* object, const char* what) {
  Tcb* owner = owner_of(object);
  if (owner == nullptr) {
    const iso::Arena& arena = iso::arena();
    if (arena.contains(object) && arena.shared() &&
        arena.region(iso::Region::kBlocks).contains(object)) [[unlikely]] {
      throw Error(Errc::wrong_rank,
                  text("%s at %p lies in a block of iso_malloc, which several ranks share and none "
                       "guards against the others. Let it lie in memory of a thread or of the "
                       "process.",
                       what, object));
    }
    return nullptr;
  }
  const int home = owner->rank.load(std::memory_order_acquire);
  const int here = scheduler().rank();
  if (home == here) return owner;
  throw Error(Errc::wrong_rank, text("%s at %p lies in the memory of thread '%s', which is on rank "
                                     "%d; a thread on rank %d cannot use it. "
                                     "Synchronise threads of one rank only.",
                                     what, object, owner->name(), home, here));
}

// A Mutex that is held keeps both its holder on the rank and, if that is another, the thread in
// whose memory it lies. That it does so is known by the lowest bit of Mutex::holder_, which points
// to where a line of the cache begins: the holder may join the other and have its memory, and a
// checkpoint may come between.
constexpr std::uintptr_t kTies = 1;
static_assert(alignof(Tcb) > kTies);

bool ties(const Tcb* holder) { return (reinterpret_cast<std::uintptr_t>(holder) & kTies) != 0; }
Tcb* without_bit(Tcb* holder) {
  return reinterpret_cast<Tcb*>(reinterpret_cast<std::uintptr_t>(holder) & ~kTies);
}
// `t` takes a Mutex in memory of `owner`: its holder_ from then on.
Tcb* take(Tcb* t, Tcb* owner) {
  ++t->locks;
  if (owner == nullptr || owner == t) return t;
  ++owner->tied;
  return reinterpret_cast<Tcb*>(reinterpret_cast<std::uintptr_t>(t) | kTies);
}

}  // namespace

void check_home(const void* object, const char* what) {
  if (!is_here(object, what)) refuse_other_kernel_threads(what);
}

bool is_here(const void* object, const char* what) {
  if (threads::on_other_kernel_thread()) [[unlikely]]
    return false;
  owner_here(object, what);
  return true;
}

std::int64_t deadline_after(std::chrono::nanoseconds duration) {
  const std::int64_t now = job_now_ns();
  if (duration.count() <= 0) return now;
  if (duration.count() > std::numeric_limits<std::int64_t>::max() - now) {
    return std::numeric_limits<std::int64_t>::max();
  }
  return now + duration.count();
}

bool asked(bool yes) {
  static thread_local constinit unsigned times = 0;
  if (!yes && ++times % 8 == 0) threads::yield();
  return yes;
}

void WaitQueue::wait(const void* object, const char* what) {
  Tcb* self = waiting_thread(what);
  check_home(object, what);
  tie(self, object);
  WaitQueueAccess::push(*this, self);
  self->in_wait = true;
  scheduler().block(what, object);
  end_wait(self, object);
}

bool WaitQueue::wait_until(const void* object, const char* what, std::int64_t deadline_ns) {
  // "Is it ready?" may be asked from anywhere.
  if ((!threads::on_rank_thread || scheduler().current() == nullptr) && deadline_ns <= job_now_ns())
    return false;
  Tcb* self = waiting_thread(what);
  check_home(object, what);
  tie(self, object);
  WaitQueueAccess::push(*this, self);
  self->in_wait = true;
  bool woken = false;
  try {
    woken = scheduler().block_until(what, object, deadline_ns);
  } catch (...) {  // no memory for the deadline
    WaitQueueAccess::remove(*this, self);
    end_wait(self, object);
    throw;
  }
  end_wait(self, object);
  return woken;
}

namespace {
// A copy that shares nothing, if `error` is an E and no more.
template <class E>
std::exception_ptr same(const std::exception& error) {
  return typeid(error) == typeid(E) ? std::make_exception_ptr(E(error.what())) : nullptr;
}
}  // namespace

std::exception_ptr rehome_exception(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    if (typeid(e) == typeid(Error)) return std::make_exception_ptr(Error(e.code(), e.what()));
  } catch (const std::bad_alloc& e) {
    if (typeid(e) == typeid(std::bad_alloc)) return std::make_exception_ptr(std::bad_alloc());
  } catch (const std::exception& e) {
    for (const auto copy :
         {same<std::runtime_error>, same<std::range_error>, same<std::overflow_error>,
          same<std::underflow_error>, same<std::logic_error>, same<std::invalid_argument>,
          same<std::domain_error>, same<std::length_error>, same<std::out_of_range>}) {
      if (std::exception_ptr made = copy(e)) return made;
    }
  } catch (...) {
  }
  return error;
}

std::exception_ptr exception_for_outside(const std::exception_ptr& error) {
  std::exception_ptr copy = rehome_exception(error);
  const Tcb* owner = copy == error ? owner_of(object_of(error)) : nullptr;
  if (owner == nullptr) return copy;
  std::string what = "it is no std::exception";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
  }
  return std::make_exception_ptr(
      Error(Errc::not_in_thread,
            text("Future::get: the caller is a kernel thread that the program made, and the "
                 "exception lies in memory of thread '%s' and cannot be copied: %s. Give an Error, "
                 "or a standard exception that holds what() only.",
                 owner->name(), what.c_str())));
}

const void* object_of(const std::exception_ptr& error) {
  static_assert(sizeof(error) == sizeof(void*));
  return *reinterpret_cast<void* const*>(&error);
}

void ExceptionTie::tie(const void* exception, const void* object) {
  Tcb* giver = owner_of(exception);
  Tcb* owner = owner_of(object);
  if (giver == owner) return;
  if (giver != nullptr) check_home(exception, "an exception");
  int n = 0;
  for (Tcb* t : {giver, owner}) {
    if (t == nullptr) continue;
    try {
      ends_[n] = {t, threads::tie_number(t)};
    } catch (...) {
      untie();
      throw;
    }
    ++n;
  }
}

ExceptionTie::~ExceptionTie() {
  if ((ends_[0].thread != nullptr || ends_[1].thread != nullptr) && outside()) {
    try {
      errand("Future", [this] { untie(); });
    } catch (const Error&) {
      // The run is over, and with it every thread.
    }
    return;
  }
  untie();
}

void ExceptionTie::untie() {
  for (End& end : ends_) {
    const End tied = std::exchange(end, {});
    if (tied.thread != nullptr) threads::untie_number(tied.thread, tied.id);
  }
}

void migration_point() {
  Tcb* self = threads::on_rank_thread ? scheduler().current() : nullptr;
  if (self != nullptr && self->move_to >= 0 && threads::Scheduler::may_move(self))
    scheduler().depart_current(self->move_to);
}

Tcb* WaitQueue::wake_one() {
  Tcb* t = head_;
  if (t == nullptr) return nullptr;
  ROAM_CHECK(t->rank.load(std::memory_order_relaxed) == scheduler().rank(),
             "a thread of rank %d wakes thread '%s', which waits on rank %d", scheduler().rank(),
             t->name(), t->rank.load());
  WaitQueueAccess::remove(*this, t);
  t->woken = true;
  scheduler().make_ready(t);
  return t;
}

void WaitQueue::wake_all() {
  while (wake_one() != nullptr) {
  }
}

}  // namespace detail

using detail::check_home;
using detail::Tcb;
using threads::scheduler;

Mutex::~Mutex() {
  ROAM_CHECK(holder_ == nullptr && waiters_.empty(),
             "Mutex at %p is destroyed while a thread holds it or waits for it",
             static_cast<void*>(this));
}

void Mutex::lock() {
  Tcb* self = detail::waiting_thread("Mutex::lock");  // before anything is looked at
  Tcb* const owner = detail::owner_here(this, "Mutex");
  if (holder_ == nullptr) {
    holder_ = detail::take(self, owner);
    return;
  }
  if (detail::without_bit(holder_) == self) {
    throw Error(Errc::would_deadlock,
                text("thread '%s' locks a Mutex that it holds already", self->name()));
  }
  self->passed_over = false;
  for (;;) {
    waiters_.wait(this, "Mutex");
    if (detail::without_bit(holder_) == self || holder_ == nullptr) break;
    self->passed_over = true;  // another took it first: once
  }
  self->passed_over = false;
  if (holder_ != nullptr) return;  // handed over, and counted, by unlock
  holder_ = detail::take(self, detail::owner_of(this));
}

bool Mutex::try_lock() {
  Tcb* self = detail::waiting_thread("Mutex::try_lock");
  Tcb* const owner = detail::owner_here(this, "Mutex");
  if (!detail::asked(holder_ == nullptr)) return false;
  holder_ = detail::take(self, owner);
  return true;
}

void Mutex::unlock() {
  // A child made by fork leaves the scopes that its thread was in.
  if (!threads::is_child) detail::refuse_other_kernel_threads("Mutex::unlock");
  Tcb* self = scheduler().current();
  Tcb* const holder = detail::without_bit(holder_);
  ROAM_CHECK(holder == self && self != nullptr,
             "Mutex at %p is unlocked by a thread that does not hold it; %s%s",
             static_cast<void*>(this), holder != nullptr ? "its holder is " : "nobody does",
             holder != nullptr ? holder->name() : "");
  Tcb* const tied = detail::ties(holder_) ? detail::owner_of(this) : nullptr;
  --self->locks;
  scheduler().loosened(self);
  // Who waits is woken to take the lock, not given it: handing it over at once makes
  // std::scoped_lock of two Mutexes go round for ever. Who was woken and came too late is given it
  // the next time.
  Tcb* first = detail::WaitQueueAccess::first(waiters_);
  holder_ = first != nullptr && first->passed_over ? detail::take(first, detail::owner_of(this))
                                                   : nullptr;
  waiters_.wake_one();
  if (tied != nullptr) threads::loosen(tied);
}

Latch::Latch(std::ptrdiff_t expected) : left_(expected) {
  if (expected < 0)
    throw std::invalid_argument(text("Latch(%td): the count is negative", expected));
}

void Latch::count_down(std::ptrdiff_t n) {
  if (!detail::is_here(this, "Latch")) {
    detail::errand("Latch::count_down", [&] { count_down(n); });
    return;
  }
  if (n < 0 || n > left_) {
    throw std::invalid_argument(text("Latch::count_down(%td): %td are left to count", n, left_));
  }
  left_ -= n;
  if (left_ == 0) waiters_.wake_all();
}

bool Latch::try_wait() const noexcept {
  if (!detail::outside()) return detail::asked(left_ == 0);
  try {
    return detail::errand("Latch::try_wait", [&] { return try_wait(); });
  } catch (const Error&) {
    return false;  // the run is over
  }
}

void Latch::wait() {
  if (!detail::is_here(this, "Latch")) {
    wait_outside("Latch::wait", 0);
    return;
  }
  if (left_ != 0) waiters_.wait(this, "Latch");
  detail::migration_point();
}

void Latch::arrive_and_wait(std::ptrdiff_t n) {
  if (!detail::is_here(this, "Latch")) {
    wait_outside("Latch::arrive_and_wait", n);
    return;
  }
  count_down(n);
  wait();
}

// `n` are counted down in the first look: who owns it may go, or end it, before another errand.
void Latch::wait_outside(const char* what, std::ptrdiff_t n) {
  bool counted = n == 0;
  detail::errand_until(what, this, detail::kForEver, [&] {
    check_home(this, "Latch");
    if (!std::exchange(counted, true)) count_down(n);
    return left_ == 0;
  });
}

Barrier::Barrier(std::ptrdiff_t expected, std::function<void()> on_completion)
    : expected_(expected), left_(expected), on_completion_(std::move(on_completion)) {
  if (expected < 0)
    throw std::invalid_argument(text("Barrier(%td): the count is negative", expected));
}

Barrier::arrival_token Barrier::arrive(std::ptrdiff_t n) {
  if (!detail::is_here(this, "Barrier"))
    return detail::errand("Barrier::arrive", [&] { return arrive(n); });
  if (n <= 0 || n > left_) {
    throw std::invalid_argument(
        text("Barrier::arrive(%td): %td are left to arrive in this phase", n, left_));
  }
  const arrival_token phase = phase_;
  // The completion may wait: then this thread stays, and the owner, though nobody may be waiting
  // yet. Before anything is changed: there may be no memory for it.
  const detail::HoldHome hold(this, left_ == n && on_completion_ != nullptr);
  left_ -= n;
  if (left_ == 0) {
    if (on_completion_)
      [this]() noexcept { on_completion_(); }();  // as std::barrier: it must not throw
    left_ = expected_;
    ++phase_;
    waiters_.wake_all();
  }
  return phase;
}

void Barrier::wait(arrival_token phase) {
  if (!detail::is_here(this, "Barrier")) {
    detail::errand_until("Barrier::wait", this, detail::kForEver, [&] {
      check_home(this, "Barrier");
      return phase_ != phase;
    });
    return;
  }
  while (phase_ == phase) waiters_.wait(this, "Barrier");
  detail::migration_point();
}

void Barrier::arrive_and_wait() {
  if (detail::is_here(this, "Barrier")) {
    wait(arrive());
    return;
  }
  std::optional<arrival_token> phase;
  detail::errand_until("Barrier::arrive_and_wait", this, detail::kForEver, [&] {
    check_home(this, "Barrier");
    if (!phase) phase = arrive();
    return phase_ != *phase;
  });
}

void Barrier::arrive_and_drop() {
  if (!detail::is_here(this, "Barrier")) {
    detail::errand("Barrier::arrive_and_drop", [&] { arrive_and_drop(); });
    return;
  }
  if (left_ <= 0)
    throw std::invalid_argument("Barrier::arrive_and_drop: nobody is left to arrive in this phase");
  --expected_;
  static_cast<void>(arrive());
}

}  // namespace roam
