#include "threads/scheduler.h"

#include <cxxabi.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

#include <cerrno>
#include <exception>
#include <new>
#include <string>

#include "base/check.h"
#include "base/job_clock.h"
#include "base/sanitizers.h"
#include "isomalloc/frees_of_others.h"
#include "threads/errands.h"
#include "threads/wait_queue_access.h"

namespace roam::threads {
namespace {

// The stack protector's value, at the place that the x86-64 ABI fixes.
inline std::uintptr_t get_canary() {
  std::uintptr_t value;
  asm volatile("mov %%fs:0x28, %0" : "=r"(value));
  return value;
}
inline void set_canary(std::uintptr_t value) {
  asm volatile("mov %0, %%fs:0x28" ::"r"(value) : "memory");
}

iso::Heap* heap_of_slot(Address head_unit) { return &detail::tcb_of_head_unit(head_unit)->heap; }

}  // namespace

thread_local constinit bool on_rank_thread = false;
std::atomic<bool> rank_thread_known = false;

bool is_first_kernel_thread() {
  return !rank_thread_known.load(std::memory_order_relaxed) && syscall(SYS_gettid) == getpid();
}

alignas(Scheduler) unsigned char scheduler_room[sizeof(Scheduler)];

// Before constructors of the program, which may make threads; never destroyed: exit may come then.
[[gnu::constructor(103)]] static void construct_scheduler() { new (scheduler_room) Scheduler; }

void Scheduler::start(int rank, std::uintptr_t canary, std::uint64_t shuffle_seed) {
  on_rank_thread = iso::frees_at_once = true;
  rank_thread_known.store(true, std::memory_order_relaxed);
  rank_ = rank;
  canary_ = canary;
  exceptions_ = reinterpret_cast<detail::ExceptionGlobals*>(abi::__cxa_get_globals());
  errno_ = &errno;
  ready_.shuffle(shuffle_seed);
  slots_.start(rank);
  meter_.start(shuffle_seed != 0);
  iso::heap_of_slot = heap_of_slot;
}

// ---- the switch ----

[[gnu::always_inline]] inline void Scheduler::save(Tcb* self) {
  self->active_heap = iso::current_heap;
  self->exceptions = *exceptions_;
  self->saved_errno = *errno_;
}

[[gnu::always_inline]] inline void Scheduler::load(Tcb* next) {
  detail::ExceptionGlobals* const exceptions = exceptions_;
  int* const error = errno_;
  current_ = next;
  iso::current_heap = next->active_heap;
  *exceptions = next->exceptions;
  *error = next->saved_errno;
}

// `self` runs again when this returns, perhaps on another rank: nothing of the scheduler is
// remembered across it.
[[gnu::always_inline]] inline const void* Scheduler::switch_to(Tcb* self, Tcb* next,
                                                               const void* word) {
  save(self);
  load(next);
  sanitizers::leave_for(next->slot);
  word = switch_context(next->context, &self->context, word);
  sanitizers::arrived();
  return word;
}

// What `ret` does, by a jump, which is foretold from where it went before.
[[gnu::naked, gnu::noinline]] ROAM_NOT_INSTRUMENTED static void return_by_jump() {
  asm("popq %rcx\n\tjmpq *%rcx");
}

// The processor foretells a return from the last call, and that is the one by which the thread
// before `self` left: it is right where both yield at one place of the code. What follows the
// switch is a part of the function that this is inlined into, down to its return.
[[gnu::always_inline]] inline void Scheduler::yield_inline() {
  Tcb* self = current_;
  Tcb* next;
  if (self == nullptr) return;
  if (--budget_ < 0 || (next = ready_.exchange(self)) == nullptr) [[unlikely]] {
    yield_slow();
    return;
  }
  // Asked for twice: kept in between, it would lie on the stack once more.
  const void* from = switch_to(self, next, __builtin_return_address(0));
  if (from != __builtin_return_address(0)) [[unlikely]]
    return_by_jump();
}

void Scheduler::yield() { yield_inline(); }

void yield() {
  if (on_rank_thread) [[likely]]
    scheduler().yield_inline();
}

// ---- contexts ----

void Scheduler::first_entry() {
  sanitizers::arrived();
  Scheduler& s = scheduler();
  for (;;) {
    run_body(s.current_);
    s.end_current();  // comes back when the slot is used for another thread
  }
}

void Scheduler::run_body(Tcb* self) {
  if (self->destined) scheduler().reached(self);
  try {
    std::exchange(self->entry, nullptr)(self->closure);
  } catch (...) {
    self->exception = std::current_exception();
  }
}

// A thread that leaves nothing ends on its own stack, and the next one runs at once: its slot is at
// rest, and nobody makes a thread in it before this stack is left.
[[gnu::always_inline]] inline void Scheduler::end_current() {
  Tcb* self = current_;
  end_turn();
  leave_kernel(self);
  iso::current_heap = nullptr;
  if (slots_.may_rest(self) && host_->ended_clean(self)) [[likely]] {
    Tcb* next = --budget_ >= 0 || !visit_due() ? ready_.pop() : nullptr;
    if (next != nullptr) {
      load(next);
      sanitizers::leave_for(next->slot);
      switch_context(next->context, &self->context);
    } else {
      current_ = nullptr;
      sanitizers::leave_for({});
      switch_context(main_, &self->context);
    }
    sanitizers::arrived();
    return;
  }
  after_ = After::kEnded;
  switch_to_main();
}

// What a Mutex knows of its holder is the place of its control block, where another thread will be.
[[gnu::cold]] void Scheduler::leave_locks(Tcb* ended) const {
  if (ended_holding != nullptr) ended_holding(ended);
  if (ended->locks == 0) return;
  iso::HeapScope process;
  std::string by;
  try {
    if (ended->exception != nullptr) std::rethrow_exception(ended->exception);
  } catch (const std::exception& e) {
    by = std::string(", by an exception (") + e.what() + "),";
  } catch (...) {
    by = ", by an exception,";
  }
  fatal(
      "thread '%s' has ended%s while it holds %d Mutex%s, which nobody can unlock any more. Hold "
      "one by a std::lock_guard, which gives it back however its scope is left.",
      ended->name(), by.c_str(), ended->locks, ended->locks == 1 ? "" : "es");
}

void Scheduler::switch_to_main() {
  Tcb* self = current_;
  KernelState::left(self);
  save(self);
  iso::current_heap = nullptr;
  current_ = nullptr;
  left_ = self;
  sanitizers::leave_for({});
  switch_context(main_, &self->context);
  sanitizers::arrived();
  KernelState::entered(self);
}

void Scheduler::enter(Tcb* next) {
  const detail::ExceptionGlobals own = *exceptions_;
  const std::uintptr_t own_canary = get_canary();
  set_canary(canary_);
  load(next);
  sanitizers::leave_for(next->slot);
  switch_context(next->context, &main_);
  sanitizers::arrived();
  set_canary(own_canary);
  *exceptions_ = own;
}

// ---- the rank's own stack ----

void Scheduler::after_enter() {
  while (after_ == After::kCall) {
    after_ = After::kNothing;
    Tcb* t = left_;
    call_(call_argument_);
    t->state = State::kReady;
    enter(t);
  }
  const After after = std::exchange(after_, After::kNothing);
  if (after == After::kNothing) return;
  Tcb* t = left_;
  t->state = after == After::kDepart ? State::kDeparting : State::kEnded;
  if (after == After::kDepart)
    depart(t, after_rank_);
  else
    host_->ended(t);
}

void Scheduler::run(Host& host) {
  host_ = &host;
  meter_.begin_run();
  const OpenForErrands open;
  while (!host.done()) {
    host.poll();
    if (errands_wait() && !still_) do_errands();
    if (!still_) wake_sleepers();
    for (std::size_t i = 0; i < departing_.size(); ++i) {
      const auto [t, rank] = departing_[i];
      depart(t, rank);
    }
    departing_.clear();
    Tcb* next = still_ ? nullptr : ready_.pop();
    if (next == nullptr) {
      if (departing_.empty()) host.idle(sleepers_.first_deadline_ns());
      continue;
    }
    note_visit();
    // Threads that end or depart pass through here without a visit to the outside.
    do {
      enter(next);
      after_enter();
    } while ((--budget_ >= 0 || !visit_due()) && departing_.empty() &&
             (next = ready_.pop()) != nullptr);
  }
  host_ = nullptr;
}

void Scheduler::wake_sleepers() {
  if (sleepers_.empty()) return;
  const std::int64_t now = job_now_ns();
  while (Tcb* t = sleepers_.due(now)) {
    if (t->queue != nullptr) detail::WaitQueueAccess::remove(*t->queue, t);
    make_ready(t);
  }
}

// ---- the current thread ----

void Scheduler::suspend() {
  Tcb* self = current_;
  Tcb* next;
  if (--budget_ < 0 || (next = ready_.pop()) == nullptr) [[unlikely]] {
    suspend_slow();
    return;
  }
  switch_to(self, next);
}

void Scheduler::suspend_slow() {
  Tcb* self = current_;
  Tcb* next = budget_ < 0 && !visit_due() ? ready_.pop() : nullptr;
  if (next != nullptr) {
    switch_slow(self, next);
  } else {
    end_turn();
    switch_to_main();
  }
}

// `self` may keep a guest.
void Scheduler::switch_slow(Tcb* self, Tcb* next) {
  KernelState::left(self);
  switch_to(self, next);
  KernelState::entered(self);
}

void Scheduler::yield_slow() {
  Tcb* self = current_;
  if (self->move_to >= 0 && may_move(self)) {
    depart_current(self->move_to);
    return;
  }
  const bool due = budget_ < 0 && visit_due();
  Tcb* next = nullptr;
  if (!due) {
    if (!ready_.empty()) {
      ready_.push(self);
      next = ready_.pop();
    }
    if (next == nullptr || next == self) {
      if (self->keeps != 0) hold_back();
      return;
    }
    switch_slow(self, next);
  } else {
    ready_.push(self);
    end_turn();
    switch_to_main();
  }
}

// Called when the budget is used up. False: it is filled again.
bool Scheduler::visit_due() {
  if (!departing_.empty()) return true;
  if (current_ != nullptr && current_->keeps != 0) {
    if (current_->keeps != KernelState::kGuest) return true;
    give_back();
    if (budget_ >= 0 && !meter_.visit_is_late(__rdtsc())) return false;
    // Virtual ranks compute for long after switches that were quick, and others wait for this rank.
    budget_ = -1;
  }
  const std::uint64_t window = meter_.next_window(current_, __rdtsc(), budget_left());
  if (window == 0) return true;
  fill_budget(window);
  return false;
}

void Scheduler::note_visit() { fill_budget(meter_.visited(__rdtsc(), budget_left())); }

void Scheduler::end_turn() {
  if (meter_.measures()) meter_.end_turn(current_, __rdtsc());
}

double Scheduler::run_seconds(Tcb* t) {
  if (t == current_) {
    meter_.measure_from_here(t, __rdtsc());
    visit_next();
  }
  return meter_.seconds(t->run_ticks);
}

void Scheduler::block(const char* what, const void* object) {
  Tcb* self = current_;
  self->state = State::kBlocked;
  self->waits_for = what;
  self->waits_at = object;
  suspend();
  self->waits_for = nullptr;
}

bool Scheduler::block_until(const char* what, const void* object, std::int64_t deadline_ns) {
  Tcb* self = current_;
  sleepers_.add(self, deadline_ns);
  self->woken = false;
  block(what, object);
  return self->woken;
}

void Scheduler::sleep_until(std::int64_t deadline_ns) {
  Tcb* self = current_;
  sleepers_.add(self, deadline_ns);
  self->state = State::kSleeping;
  // It is off its stack when the rank's own stack runs.
  if (self->move_to >= 0 && may_move(self)) send_off(self, self->move_to);
  suspend();
}

void Scheduler::call_on_rank_stack(void (*f)(void*), void* argument) {
  if (current_ == nullptr) {
    f(argument);
    return;
  }
  current_->state = State::kBlocked;  // until it is back: it cannot be let go meanwhile
  call_ = f;
  call_argument_ = argument;
  after_ = After::kCall;
  switch_to_main();
}

void Scheduler::depart_current(int rank) {
  after_ = After::kDepart;
  after_rank_ = rank;
  current_->move_to = -1;
  end_turn();
  switch_to_main();
}

// ---- other threads ----

void Scheduler::make_ready(Tcb* t) {
  sleepers_.remove(t);
  t->deadline_ns = 0;
  t->queue = nullptr;
  if (t->move_to >= 0 && may_move(t) && send_off(t, t->move_to)) [[unlikely]]
    return;
  t->state = State::kReady;
  ready_.push(t);
}

}  // namespace roam::threads
