#include "threads/errands.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <exception>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/job_clock.h"
#include "base/text.h"
#include "isomalloc/heap.h"
#include "isomalloc/turns.h"
#include "roam/errand.h"
#include "roam/error.h"
#include "threads/child.h"
#include "threads/scheduler.h"
#include "threads/ties.h"

namespace roam::threads {

// It lies on the stack of who left it.
struct Errand {
  void (*call)(void*);
  void* argument;
  Errand* next = nullptr;
  std::exception_ptr error = nullptr;
  bool refused = false;  // the run ended before
  std::atomic<int> done = 0;
};

namespace {

// Has an address, and is never made.
union ClosedRoom {
  constexpr ClosedRoom() : nothing(0) {}
  ~ClosedRoom() {}
  char nothing;
  Errand errand;
};
constinit ClosedRoom closed_room;

Error not_running(const char* what) {
  return Error(Errc::not_running,
               text("%s: the caller is a kernel thread that the program made, and no run is under "
                    "way on this rank: nothing was changed. Let such a kernel thread begin when a "
                    "thread of Roam tells it to, and end before the threads that it works for.",
                    what));
}

// Once it is done, who left it may be gone: its address is all that the call for the kernel uses.
void finish(Errand* errand) {
  std::atomic<int>* const done = &errand->done;
  done->store(1, std::memory_order_release);
  syscall(SYS_futex, done, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

Errand* oldest_first(Errand* newest) {
  Errand* oldest = nullptr;
  while (newest != nullptr && newest != kClosed) {
    Errand* next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  return oldest;
}

// As detail::run_errand. False: no run is under way, or it ended before: nothing was done.
bool leave_errand(const char* what, void (*call)(void*), void* argument) {
  Errand mine{call, argument};
  Errand* newest = errands.load(std::memory_order_relaxed);
  do {
    if (newest == kClosed) return false;
    mine.next = newest;
  } while (!errands.compare_exchange_weak(newest, &mine, std::memory_order_seq_cst));
  if (wake_rank != nullptr) wake_rank();
  constexpr timespec kLong{10, 0};
  bool said = false;
  const std::int64_t start_ns = now_ns();
  while (mine.done.load(std::memory_order_acquire) == 0) {
    syscall(SYS_futex, &mine.done, FUTEX_WAIT_PRIVATE, 0, &kLong, nullptr, 0);
    if (said || now_ns() - start_ns < kLong.tv_sec * 1'000'000'000) continue;
    said = true;
    report(text("%s of a kernel thread has waited 10 s for the threads of this rank to let it in, "
                "and still does: one of them computes, or waits in a call that stops the rank",
                what)
               .c_str());
  }
  if (mine.error != nullptr) std::rethrow_exception(std::move(mine.error));
  return !mine.refused;
}

// iso::leave_to_rank. Memory of the rank is there before and after a run: who comes while it ends
// takes a turn after it.
iso::Turn leave_to_rank(const char* what, void (*call)(void*), void* argument) {
  if (errands.load(std::memory_order_relaxed) == kClosed) return iso::Turn::kAnybodys;
  if (!on_other_kernel_thread()) return iso::Turn::kMine;
  refuse_in_child(what);
  return leave_errand(what, call, argument) ? iso::Turn::kTaken : iso::Turn::kAnybodys;
}

}  // namespace

constinit Errand* const kClosed = &closed_room.errand;
std::atomic<Errand*> errands = kClosed;
void (*wake_rank)() = nullptr;
bool (*outsiders_memory_is_known)() = nullptr;
std::atomic<int> waits_from_outside = 0;

OpenForErrands::OpenForErrands() {
  iso::leave_to_rank = &leave_to_rank;
  errands.store(nullptr, std::memory_order_seq_cst);
  turns_before_ = iso::set_turns(iso::Turns::kAtRank);
}

OpenForErrands::~OpenForErrands() {
  iso::set_turns(iso::Turns::kHeld);
  Errand* e = oldest_first(errands.exchange(kClosed, std::memory_order_acq_rel));
  while (e != nullptr) {
    Errand* next = e->next;
    e->refused = true;
    finish(e);
    e = next;
  }
  iso::set_turns(turns_before_);
}

void do_errands() {
  Errand* e = oldest_first(errands.exchange(nullptr, std::memory_order_acquire));
  while (e != nullptr) {
    Errand* next = e->next;
    try {
      e->call(e->argument);
    } catch (...) {
      e->error = std::current_exception();
    }
    finish(e);
    e = next;
  }
}

}  // namespace roam::threads

namespace roam::detail {

bool outside() { return threads::on_other_kernel_thread(); }

void run_errand(const char* what, void (*call)(void*), void* argument) {
  threads::refuse_in_child(what);
  if (!threads::leave_errand(what, call, argument)) throw threads::not_running(what);
}

void between_looks(int round) {
  const timespec pause{0, std::min(20'000L << std::min(round, kLongestPause), 1'000'000L)};
  nanosleep(&pause, nullptr);
}

bool time_is_up(std::int64_t deadline_ns) {
  return deadline_ns != kForEver && job_now_ns() >= deadline_ns;
}

void TieFromOutside::tie() {
  Tcb* owner = owner_of(object_);
  if (tied_ != nullptr || owner == nullptr) return;
  if (owner->rank.load(std::memory_order_acquire) != threads::scheduler().rank()) return;
  id_ = threads::tie_number(owner);
  tied_ = owner;
  ++threads::waits_from_outside;
}

void TieFromOutside::untie() {
  Tcb* const owner = std::exchange(tied_, nullptr);
  if (owner == nullptr) return;
  --threads::waits_from_outside;
  threads::untie_number(owner, id_);
}

TieFromOutside::~TieFromOutside() {
  if (tied_ == nullptr) return;
  try {
    errand(what_, [this] { untie(); });
  } catch (const Error&) {
    --threads::waits_from_outside;  // the run is over, and with it every thread
  }
}

bool memory_is_known() {
  return threads::outsiders_memory_is_known != nullptr && threads::outsiders_memory_is_known();
}

void refuse_to_move(const char* call) {
  throw Error(Errc::not_in_thread,
              text("%s: the caller is a kernel thread that the program made, and what it passes "
                   "cannot be copied: its memory would stay behind when a thread migrates. "
                   "Nothing was changed. Pass what can be copied; or give it from a kernel thread "
                   "that a thread of Roam started, which stays while that memory lives.",
                   call));
}

}  // namespace roam::detail
