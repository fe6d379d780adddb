#ifndef ROAM_THREADS_SCHEDULER_H_
#define ROAM_THREADS_SCHEDULER_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "threads/context.h"
#include "threads/kernel_state.h"
#include "threads/meter.h"
#include "threads/ready_queue.h"
#include "threads/sleepers.h"
#include "threads/slots.h"
#include "threads/tcb.h"

namespace roam::threads {

using detail::State;
using detail::Tcb;

// What the scheduler asks of the layer that knows other ranks. All calls are made on the rank's own
// stack or with the capture off, never while a thread is half switched.
class Host {
 public:
  virtual ~Host() = default;
  // Looks for work from outside. Called often while there are ready threads, all the time while
  // there are none.
  virtual void poll() = 0;
  // Nothing is ready; `wake_ns` is the next deadline on the monotonic clock, 0 if there is none.
  // May sleep.
  virtual void idle(std::int64_t wake_ns) = 0;
  // `t` is suspended, in no queue, and wants to be on `rank`.
  virtual void depart(Tcb* t, int rank) = 0;
  // `t`'s function has returned and it is off its stack. The host calls Scheduler::retire when
  // nothing of it is needed.
  virtual void ended(Tcb* t) = 0;
  // The same, on `t`'s own stack: true if nothing of `t` is needed any more and it has been
  // retired. False: nothing was done, and ended() follows.
  virtual bool ended_clean(Tcb* /*t*/) { return false; }
  // A tie of `t`, which had the number `id`, ends, and is not this rank's (threads/ties.h). On the
  // stack of whoever ends it.
  virtual void untie_elsewhere(Tcb* /*t*/, std::uint64_t /*id*/) {}
  // True when the job is over.
  virtual bool done() = 0;
};

// Runs the threads of one rank, on its kernel thread. Threads switch to each other directly; the
// rank's own stack runs only to poll, to idle and to end.
class Scheduler {
 public:
  // Before the first run: `canary` is what the stack protector uses inside threads, the same on
  // every rank.
  void start(int rank, std::uintptr_t canary, std::uint64_t shuffle_seed);

  // Runs threads until host.done(). Context: the rank's own stack.
  void run(Host& host);

  Tcb* current() const { return current_; }
  const void* current_address() const { return &current_; }  // for who looks from outside
  int rank() const { return rank_; }

  // ---- the current thread ----

  void yield();
  // Suspends until make_ready. Context: threads only.
  void block(const char* what, const void* object);
  // The same, at most until `deadline_ns`. False: the time ran out; the caller takes itself out of
  // what it waits in. Errors: std::bad_alloc, and it has not been suspended.
  bool block_until(const char* what, const void* object, std::int64_t deadline_ns);
  void sleep_until(std::int64_t deadline_ns);  // the same errors
  // Calls `f(argument)` on the rank's own stack, which is large, and comes back at once: for code
  // whose depth nobody here knows, such as MPI's, which jumps over the guard of a small stack. `f`
  // does not throw. From the rank's own stack: a plain call.
  void call_on_rank_stack(void (*f)(void*), void* argument);
  // The next switch of the thread that runs is a slow one, which looks at what it keeps
  // (KernelState), and at the clock.
  void visit_next() { budget_ = held_back_ = 0; }
  // The same, but the meter's window goes on: give_back() comes before the switch.
  void hold_back() {
    held_back_ = budget_;
    budget_ = 0;
  }
  void give_back() { budget_ += std::exchange(held_back_, 0); }
  // Suspends and departs; returns when it runs again, there or, refused, here.
  void depart_current(int rank);

  // ---- other threads of this rank ----

  // `t` was blocked, sleeping or just made or arrived: it runs when its turn comes, or departs if
  // it was asked to.
  void make_ready(Tcb* t);
  // An arrived or refused thread goes on: sleeping until its deadline, or ready.
  void resume_arrived(Tcb* t);
  // A thread of an earlier job, whose memory has come here, goes on as it was there: ready, asleep,
  // or blocked. Those that are ready run in the order of these calls.
  void resume_as_it_was(Tcb* t);
  // Notes that `t` shall be on `rank`, and lets it go at once if it is ready or asleep. A thread in
  // the ready queue that may move is never asked to, so a switch need not look; but one that is
  // destined to be here, which looks when it runs.
  void ask_to_move(Tcb* t, int rank);
  // `t` may have become free to move: if it was asked to, it goes, or when it next suspends.
  void loosened(Tcb* t) {
    if (t->move_to >= 0) [[unlikely]]
      ask_to_move(t, t->move_to);
  }
  // `self`, which runs, is no longer on its way to where it is destined: who asked it to move
  // meanwhile is obeyed when it next suspends.
  void reached(Tcb* self) {
    self->destined = false;
    KernelState::entered(self);  // it may have been given a signal mask as it was made
    loosened(self);
  }
  static bool may_move(const Tcb* t) {
    return (t->pins | t->open_objects | t->locks | t->tied | static_cast<int>(t->in_wait)) == 0;
  }

  // ---- the rank ----

  // Its threads: where they are made and rest.
  Slots& slots() { return slots_; }
  // How long they run.
  Meter& meter() { return meter_; }
  // Seconds that `t`, on this rank, has run so far.
  double run_seconds(Tcb* t);
  std::size_t ready_count() const { return ready_.count(); }
  bool has_sleepers() const { return !sleepers_.empty(); }
  // Of a sleeper, for who looks from outside: see there.
  const std::int64_t* first_deadline() const { return sleepers_.first_deadline(); }
  std::uint64_t switches() const { return ready_.popped(); }
  // While it stands still, threads are woken and moved as ever, and none runs. Context: the rank's
  // own stack.
  void stand_still(bool still) { still_ = still; }
  bool stands_still() const { return still_; }
  // Whether threads are about to be handed to the host.
  bool any_departing() const { return !departing_.empty(); }
  // In a process that fork made: no other thread runs, and when the one that does ends, `last` is
  // told.
  void end_with(Host* last) {
    host_ = last;
    meter_.turn_ended = nullptr;
  }
  void untie_elsewhere(Tcb* t, std::uint64_t id) const {
    if (host_ != nullptr) host_->untie_elsewhere(t, id);
  }
  // Called with a thread that has ended while it holds locks, on its stack: those of libc count no
  // more.
  void (*ended_holding)(Tcb*) = nullptr;

 private:
  friend void yield();

  // Both change the stack protector's value, so neither may be guarded by it.
  __attribute__((no_stack_protector)) void enter(
      Tcb* next);  // from the rank's own stack; returns when it runs again
  // From a thread; `word` as switch_context() has it.
  const void* switch_to(Tcb* self, Tcb* next, const void* word = nullptr);
  void switch_to_main();
  void end_current();
  void leave_kernel(Tcb* ended) {
    KernelState::ended(ended);
    if (ended->locks != 0) [[unlikely]]
      leave_locks(ended);
  }
  void leave_locks(Tcb* ended) const;
  void yield_inline();
  void yield_slow();
  void suspend();  // to whoever is next
  void suspend_slow();
  void switch_slow(Tcb* self, Tcb* next);
  void save(Tcb* self);
  void load(Tcb* next);
  void after_enter();
  void depart(Tcb* t, int rank);
  static void first_entry();
  static void run_body(Tcb* self);
  // False: there is no memory for it, nothing was changed, and it goes when it next suspends.
  bool send_off(Tcb* t, int rank);
  void wake_sleepers();
  bool visit_due();
  void note_visit();
  void end_turn();
  // Of the meter's window, the switches that have not been.
  std::uint64_t budget_left() const { return static_cast<std::uint64_t>(std::max(budget_ + 1, 0)); }
  void fill_budget(std::uint64_t window) { budget_ = static_cast<std::int32_t>(window) - 1; }

  // What happens to the thread that was just left, once its context is saved.
  enum class After : std::uint8_t { kNothing, kDepart, kEnded, kCall };

  Tcb* current_ = nullptr;
  Tcb* left_ = nullptr;  // who switched to the rank's own stack
  After after_ = After::kNothing;
  int after_rank_ = -1;
  void (*call_)(void*) = nullptr;
  void* call_argument_ = nullptr;
  detail::ExceptionGlobals* exceptions_ = nullptr;  // this kernel thread's
  int* errno_ = nullptr;
  std::int32_t budget_ = 0;     // switches until the one that ends the window of the meter
  std::int32_t held_back_ = 0;  // of them, while a thread runs that switches slowly
  ReadyQueue ready_;

  Context main_ = nullptr;  // the rank's own stack, while a thread runs
  Host* host_ = nullptr;
  int rank_ = 0;
  std::uintptr_t canary_ = 0;
  Meter meter_;
  Sleepers sleepers_;
  bool still_ = false;                           // no thread is switched to
  std::vector<std::pair<Tcb*, int>> departing_;  // go when the rank's own stack runs next
  Slots slots_{&Scheduler::first_entry};
};

// This rank's scheduler. No function-local static: the check of its guard would be on the path of
// every switch.
extern unsigned char scheduler_room[];
inline Scheduler& scheduler() { return *reinterpret_cast<Scheduler*>(scheduler_room); }

// Scheduler::call_on_rank_stack of anything that can be called.
template <class F>
void on_rank_stack(F f) {
  scheduler().call_on_rank_stack([](void* call) { (*static_cast<F*>(call))(); }, &f);
}

// this_thread::yield(): does nothing where no thread of Roam runs.
void yield();

// True on the kernel thread that runs the rank's threads, false on any other that the program
// makes.
extern thread_local constinit bool on_rank_thread [[gnu::tls_model("initial-exec")]];

// True once a run has begun.
extern std::atomic<bool> rank_thread_known;
// True on the kernel thread that was there first, where a run is expected to begin, until one has.
bool is_first_kernel_thread();

// True on a kernel thread of the program beside the one that runs the rank's threads. Before the
// first run too: one may begin at any moment.
inline bool on_other_kernel_thread() { return !on_rank_thread && !is_first_kernel_thread(); }

}  // namespace roam::threads

#endif  // ROAM_THREADS_SCHEDULER_H_
