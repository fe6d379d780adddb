// The public calls: they check, switch the capture off, and pass on.

#include <time.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/job_clock.h"
#include "base/text.h"
#include "isomalloc/capture.h"
#include "isomalloc/helper_threads.h"
#include "isomalloc/in_process.h"
#include "isomalloc/turns.h"
#include "roam/roam.h"
#include "runtime/api/caller.h"
#include "runtime/check/pointer_check.h"
#include "runtime/job/job.h"
#include "runtime/job/terminate.h"
#include "threads/child.h"
#include "threads/errands.h"
#include "threads/scheduler.h"

namespace roam {

using detail::Tcb;
using iso::HeapScope;
using runtime::Answer;
using runtime::the_job;
using threads::scheduler;

using runtime::current_thread;
using runtime::require_thread;

namespace runtime {

Tcb* current_thread() { return threads::on_rank_thread ? scheduler().current() : nullptr; }

Tcb* require_thread(const char* call) {
  Tcb* self = current_thread();
  if (self == nullptr) {
    threads::refuse_in_child(call);
    throw Error(Errc::not_in_thread,
                text("%s: the caller is not a thread of the runtime. Call it inside the function "
                     "given to roam::run, or in a thread that that spawned.",
                     call));
  }
  return self;
}

void begin_making() {
  if (Tcb* self = current_thread(); self != nullptr) ++self->pins;
}

void end_making() {
  Tcb* self = current_thread();
  if (self == nullptr) return;
  --self->pins;
  scheduler().loosened(self);
}

}  // namespace runtime

namespace {

// Lets the caller wait until `answer` has come.
void wait_for(const Answer& answer, const char* what, const void* object) {
  while (!answer.done) scheduler().block(what, object);
}

void raise(const Answer& answer) {
  if (answer.code != Errc{}) throw Error(answer.code, answer.why);
}

// Of plain code of the calling kernel thread.
thread_local constinit int plain_static_inits = 0;

// Heaps that threads, or plain code (null), allocate from in place of their own, while they
// initialise a static. Context: the rank's kernel thread, capture off.
std::unordered_map<Tcb*, iso::Heap*>& other_heaps() {
  static auto& heaps = *new std::unordered_map<Tcb*, iso::Heap*>;
  return heaps;
}

// Tells who initialises a static apart, whichever rank they come from: by the unit of memory in
// which a thread's control block lies alone.
constexpr std::uint32_t number_of_initialiser(Address block) {
  return static_cast<std::uint32_t>(block / iso::kUnitBytes << 1);
}
static_assert((Address{1} << 47) / iso::kUnitBytes << 1 == Address{1} << 32, "none comes twice");

void set_hooks() {
  other_heaps();
  threads::wake_rank = [] { the_job().net().own_inbox().wake(); };
  // What is joined may itself wait for threads of the rank.
  iso::between_joins = [](int round) {
    constexpr int kYields = 16, kLongRounds = 10'000;
    Tcb* self = current_thread();
    if (self == nullptr) return false;
    ++self->pins;
    self->waits_for = "the end of a kernel thread";
    self->waits_at = nullptr;
    if (round < kYields) {
      scheduler().yield();
    } else {
      const std::int64_t pause_ns = std::int64_t{20'000} * (round - kYields + 1);
      scheduler().sleep_until(job_now_ns() + std::min<std::int64_t>(pause_ns, 1'000'000));
    }
    if (round == kLongRounds) {
      HeapScope process;
      report(text("thread '%s' has waited 10 s for the end of a kernel thread, and still does",
                  self->name())
                 .c_str());
    }
    self->waits_for = nullptr;
    --self->pins;
    scheduler().loosened(self);
    return true;
  };
  threads::outsiders_memory_is_known = [] { return iso::helper != nullptr; };
  iso::process_hooks.opened = [](iso::Heap* heap, const void* object, const char* what, bool lent) {
    the_job().open_objects().note_open(object, what, detail::tcb_of_heap(heap), lent);
  };
  iso::process_hooks.thread_heap = []() -> iso::Heap* {
    Tcb* self = current_thread();
    return self != nullptr ? &self->heap : nullptr;
  };
  iso::process_hooks.thread_number = []() -> std::uint64_t {
    Tcb* self = current_thread();
    return self != nullptr ? self->id.load(std::memory_order_relaxed) : 0;
  };
  iso::process_object_closed = [](const void* object) {
    the_job().open_objects().note_closed(object);
  };
  // Capture goes off for the outermost initialisation, in a thread whose capture is on, or where
  // what a new thread is given is copied. Other kernel threads come here too.
  iso::static_init_hooks.begin = [] {
    Tcb* self = current_thread();
    int& depth = self != nullptr ? self->static_inits : plain_static_inits;
    if (depth > 0) {
      ++depth;
    } else if (iso::current_heap != nullptr) {
      depth = 1;
      if (self != nullptr) ++self->pins;
      iso::Heap* const heap = std::exchange(iso::current_heap, nullptr);
      if (self == nullptr || heap != &self->heap) other_heaps()[self] = heap;
    }
  };
  iso::static_init_hooks.end = [] {
    Tcb* self = current_thread();
    int& depth = self != nullptr ? self->static_inits : plain_static_inits;
    if (depth == 0 || --depth > 0) return;
    iso::Heap* heap = self != nullptr ? &self->heap : nullptr;
    if (const auto other = other_heaps().extract(self)) heap = other.mapped();
    if (self != nullptr) {
      --self->pins;
      scheduler().loosened(self);
    }
    iso::current_heap = heap;
    if (runtime::the_check != nullptr) runtime::PointerCheck::clear_left_frames();
  };
  iso::static_init_hooks.caller = [] {
    return number_of_initialiser(reinterpret_cast<Address>(current_thread()));
  };
  iso::static_init_hooks.yield = [] {
    if (current_thread() == nullptr) return false;
    scheduler().yield();
    return true;
  };
}

}  // namespace

// ---- where am I ----

int rank() noexcept { return the_job().rank(); }
int ranks() noexcept { return the_job().ranks(); }
int node() noexcept { return the_job().net().node(); }
int node_of(int rank) {
  the_job().net().check_rank(rank, "node_of");
  return the_job().net().node_of(rank);
}

// ---- threads ----

namespace detail {

Tcb* spawn_begin(const SpawnOptions& options) {
  return iso::in_process([&] {
    if (!the_job().running()) {
      threads::refuse_in_child("spawn");
      throw Error(
          Errc::not_running,
          "spawn: the runtime is not started. Call it inside the function given to roam::run.");
    }
    if (threads::on_other_kernel_thread()) {
      throw Error(
          Errc::not_in_thread,
          "spawn: the caller is a kernel thread that the program made; nothing was changed. "
          "Spawn in a thread of Roam that takes from a Channel what such a kernel thread sends.");
    }
    if (options.rank != -1) the_job().net().check_rank(options.rank, "SpawnOptions::rank");
    Tcb* t = scheduler().slots().make(options.stack_bytes, options.name);
    t->move_to = options.rank;
    runtime::begin_making();
    return t;
  });
}

// In place of a thread's function that was to run on another rank.
static void refuse_to_start(void* closure) {
  const Tcb* self = scheduler().current();
  // What pins it may be what it was given.
  const std::string why = iso::in_process([&] { return the_job().open_objects().pinned_by(self); });
  self->destroy(closure);
  iso::in_process([&] {
    throw Error(Errc::pinned, text("spawn: thread '%s' cannot start on another rank than %d: %s",
                                   self->name(), the_job().rank(), why.c_str()));
  });
}

Thread spawn_commit(Tcb* t, void (*entry)(void*), void (*destroy)(void*), void* closure) noexcept {
  HeapScope process;
  t->entry = entry;
  t->destroy = destroy;
  if (t->move_to >= 0 && t->move_to != the_job().rank() && !threads::Scheduler::may_move(t)) {
    t->entry = refuse_to_start;
    t->move_to = -1;
  }
  t->closure = closure;
  t->destined = t->move_to >= 0;
  const int to = t->destined ? t->move_to : the_job().rank();
  t->move_to = -1;
  runtime::end_making();
  if (const Tcb* self = current_thread(); self != nullptr && self->keeps != 0) {
    threads::KernelState::inherit(t, self);
    t->destined = t->destined || t->keeps != 0;  // it looks at what it has before its function runs
  }
  return ThreadAccess::make(the_job().life().begin(t, to));
}

void spawn_abandon(Tcb* t) noexcept {
  HeapScope process;
  runtime::end_making();
  the_job().life().abandon(t, current_thread());
}

AllocateIn::AllocateIn(Tcb* t) noexcept : saved_(iso::current_heap) {
  iso::current_heap = &t->heap;
}
AllocateIn::~AllocateIn() { iso::current_heap = static_cast<iso::Heap*>(saved_); }

void sleep_until(std::int64_t deadline_ns) {
  if (current_thread() != nullptr) {
    scheduler().sleep_until(deadline_ns);
    return;
  }
  const std::int64_t own_ns = deadline_ns - job_clock_shift_ns.load(std::memory_order_relaxed);
  const timespec until{static_cast<time_t>(own_ns / 1'000'000'000),
                       static_cast<long>(own_ns % 1'000'000'000)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

void set_exit_code(int code) { the_job().set_exit_code(code); }

namespace {

// Where Roam is inside the program, the program's own constructors come first.
// Volatile, or the compiler may run the constructor by itself, as Clang does: true from the start.
volatile bool initialised = false;
[[gnu::constructor]] void note_initialised() { initialised = true; }

std::atomic<bool> in_run = false;

// One run at a time, all of one kernel thread, whichever was first: what the rank's kernel thread
// is known by, its signal stack and what libraries keep for it are not handed on.
// Errors: Errc::not_running; Error(not_in_thread) in a child of fork.
struct OnlyRun {
  OnlyRun() {
    if (!initialised) {
      throw Error(Errc::not_running,
                  "roam::run was called before main, by the constructor of a static: call it in "
                  "main, or later");
    }
    threads::refuse_in_child("roam::run");
    if (in_run.exchange(true)) {
      throw Error(Errc::not_running, "roam::run was called inside roam::run, or beside it");
    }
    if (threads::on_rank_thread || !threads::rank_thread_known) return;
    in_run = false;
    throw Error(Errc::not_running,
                "roam::run was called by another kernel thread than an earlier roam::run: all runs "
                "of a process are one kernel thread's. Call it where you called it first.");
  }
  ~OnlyRun() { in_run = false; }
  OnlyRun(const OnlyRun&) = delete;
  OnlyRun& operator=(const OnlyRun&) = delete;
};

// While a run begins and ends, memory of the rank is its own kernel thread's.
struct HeldTurns {
  HeldTurns() { iso::set_turns(iso::Turns::kHeld); }
  ~HeldTurns() { iso::set_turns(iso::Turns::kTaken); }
  HeldTurns(const HeldTurns&) = delete;
  HeldTurns& operator=(const HeldTurns&) = delete;
};

}  // namespace

int run(int& argc, char**& argv, void (*spawn_root)(void*), void* root) {
  const OnlyRun only;
  const HeldTurns turns;
  runtime::TerminateHandler terminate;
  runtime::TerminateHandler::set_collective(true);
  the_job().start(argc, argv);
  runtime::TerminateHandler::set_collective(false);
  set_hooks();
  if (the_job().rank() == 0 && !the_job().restarts()) {
    the_job().life().make_next_root();
    spawn_root(root);
  }
  const int code = the_job().run();
  the_job().finish();
  return code;
}

}  // namespace detail

void migrate(Thread t, int rank) {
  Tcb* self = require_thread("migrate");
  Answer answer(t.id());
  iso::in_process([&] {
    the_job().net().check_rank(rank, "migrate");
    if (!t) throw Error(Errc::no_such_thread, "migrate: the Thread is empty");
    the_job().mover().move(self, ThreadAccess::target(t), rank, &answer);
    wait_for(answer, "the answer to migrate", nullptr);
  });
  raise(answer);
}

void join(Thread t) {
  Tcb* self = require_thread("join");
  Answer answer(t.id());
  iso::in_process([&] {
    if (!t) throw Error(Errc::no_such_thread, "join: the Thread is empty");
    if (t.id() == self->id.load(std::memory_order_relaxed)) {
      throw Error(Errc::would_deadlock, text("join: thread '%s' joins itself", self->name()));
    }
    the_job().life().join(self, ThreadAccess::target(t), &answer);
    wait_for(answer, "the end of a thread", ThreadAccess::target(t).control);
  });
  raise(answer);
  if (answer.exception) std::rethrow_exception(std::move(answer.exception));
}

namespace this_thread {

Thread self() noexcept {
  Tcb* t = current_thread();
  return t == nullptr ? Thread() : ThreadAccess::make({t->id.load(std::memory_order_relaxed), t});
}

namespace {

// Those whom `self` has woken look at what lies in its memory first. Who waits for something of
// libc asks each millisecond, and so does a kernel thread of the program, which needs a core first.
void wait_for_woken(Tcb* self) {
  constexpr std::int64_t kPauseNs = 100'000, kMostNs = 3'000'000, kMostOfOthersNs = 100'000'000;
  if (self->tied > 0) threads::yield();
  const std::int64_t begin = job_now_ns();
  while (self->tied > 0) {
    const std::int64_t most = threads::waits_from_outside != 0 ? kMostOfOthersNs : kMostNs;
    if (job_now_ns() - begin >= most) return;
    scheduler().sleep_until(job_now_ns() + kPauseNs);
  }
}

}  // namespace

void migrate(int rank) {
  Tcb* self = require_thread("this_thread::migrate");
  if (rank == the_job().rank()) return;
  wait_for_woken(self);
  if (rank == the_job().rank()) return;  // it was sent there meanwhile
  iso::in_process([&] {
    the_job().net().check_rank(rank, "this_thread::migrate");
    the_job().open_objects().take_closed();
    if (!threads::Scheduler::may_move(self)) {
      throw Error(
          Errc::pinned,
          text("this_thread::migrate: thread '%s' cannot leave rank %d now: %s", self->name(),
               the_job().rank(), the_job().open_objects().pinned_by(self).c_str()));
    }
  });
  // Destined: nobody takes it elsewhere before it is there and runs. A restart may have left fewer
  // ranks meanwhile.
  const auto arrived = [rank] { return the_job().rank() == the_job().net().home_rank(rank); };
  do {
    self->destined = true;
    scheduler().depart_current(rank);
    scheduler().reached(self);
    if (arrived()) return;
    iso::in_process([&] {
      Errc code{};
      const std::string refused = the_job().mover().take_refusal(self, &code);
      if (!refused.empty()) throw Error(code, "this_thread::migrate: " + refused);
    });
  } while (!arrived());
}

void yield() { threads::yield(); }

void sleep_for(std::chrono::nanoseconds duration) {
  detail::sleep_until(detail::deadline_after(duration));
}

std::string_view name() noexcept {
  const Tcb* t = current_thread();
  return t == nullptr ? std::string_view() : std::string_view(t->name());
}

Pin::Pin() {
  Tcb* self = require_thread("this_thread::Pin");
  thread_ = self->id.load(std::memory_order_relaxed);
  ++self->pins;
}
Pin::~Pin() {
  Tcb* self = current_thread();
  if (self == nullptr) return;  // made before fork, in the child
  if (self->id.load(std::memory_order_relaxed) != thread_) {
    HeapScope process;
    fatal(
        "thread '%s' destroys a this_thread::Pin that thread %llu made, which would stay pinned: a "
        "Pin is for a scope of one thread. Destroy it there, or make another here.",
        self->name(), static_cast<unsigned long long>(thread_));
  }
  --self->pins;
  scheduler().loosened(self);
}

}  // namespace this_thread

// ---- memory ----

SystemHeap::SystemHeap() : saved_(iso::current_heap) {
  iso::current_heap = nullptr;
  if (Tcb* self = current_thread(); self != nullptr) ++self->system_heaps;
}
SystemHeap::~SystemHeap() {
  if (Tcb* self = current_thread(); self != nullptr) --self->system_heaps;
  iso::current_heap = static_cast<iso::Heap*>(saved_);
  if (runtime::the_check != nullptr) runtime::PointerCheck::clear_left_frames();
}

bool in_thread_heap(const void* address) noexcept {
  const Tcb* self = current_thread();
  return self != nullptr && self->heap.contains(address);
}

}  // namespace roam
