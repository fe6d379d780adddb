#include "threads/lookout.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <ctime>

#include "base/check.h"
#include "base/clock.h"
#include "base/job_clock.h"
#include "base/os/kernel_threads.h"
#include "base/os/memory.h"
#include "threads/errands.h"

namespace roam::threads {
namespace {

// Looks in the time after which a rank is told of. A process that was halted for long, and goes on,
// is at most one of them.
constexpr int kLooks = 5;
// Lines from one rank: a program may well have such calls, and know it.
constexpr int kMostLines = 10;
// Processor time that a waiting rank may have, as a part of all: libc waits in several calls, and a
// handler may run.
constexpr int kIdlePart = 50;
// What it needs is some pages; libraries may have much thread-local data, which lies there too.
constexpr std::size_t kStackBytes = 256 << 10;

}  // namespace

Lookout::Lookout(std::int64_t stopped_ns, Unheard unheard)
    : stopped_ns_(stopped_ns), unheard_(unheard), rank_thread_(os::kernel_thread_id()) {
  sigset_t all;
  sigfillset(&all);
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return;
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_attr_setsigmask_np(&attributes, &all);
  looks_ = pthread_create(&kernel_thread_, &attributes, begin, this) == 0;
  pthread_attr_destroy(&attributes);
}

Lookout::~Lookout() {
  if (!looks_) return;
  over_.store(1, std::memory_order_release);
  syscall(SYS_futex, &over_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  pthread_join(kernel_thread_, nullptr);
}

void* Lookout::begin(void* given) {
  auto* self = static_cast<Lookout*>(given);
  pthread_setname_np(pthread_self(), "roam lookout");  // for who looks at the process
  const std::int64_t pause_ns = self->stopped_ns_ / kLooks;
  const timespec pause{pause_ns / 1'000'000'000, pause_ns % 1'000'000'000};
  for (;;) {
    syscall(SYS_futex, &self->over_, FUTEX_WAIT_PRIVATE, 0, &pause, nullptr, 0);
    if (self->over_.load(std::memory_order_acquire) != 0) return nullptr;
    self->look();
  }
}

// What it reads of the scheduler may be written at that moment. Of a rank that stands still it is
// right, and only then is it used.
void Lookout::look() {
  const Seen before = seen_;
  seen_ = {scheduler().current(), scheduler().switches(), os::processor_ns(rank_thread_), now_ns()};
  const bool idle =
      seen_.processor_ns - before.processor_ns < (seen_.at_ns - before.at_ns) / kIdlePart;
  if (seen_.thread == nullptr || seen_.thread != before.thread ||
      seen_.switches != before.switches || !idle) {
    still_ = 0;
    told_ = false;
    return;
  }
  if (++still_ < kLooks || told_ || lines_ == kMostLines) return;
  char call[64] = "a system call", waiting[96];
  if (os::look_at(rank_thread_, call, sizeof call) == os::Doing::kRuns ||
      !something_waits(waiting, sizeof waiting))
    return;
  told_ = true;
  ++lines_;
  tell(seen_.thread, call, waiting);
}

bool Lookout::something_waits(char* what, std::size_t bytes) const {
  std::size_t could_run = scheduler().ready_count();
  // Of those whose time has come, one.
  std::int64_t deadline_ns = 0;
  if (const void* first = scheduler().first_deadline();
      first != nullptr && os::copy_own(first, &deadline_ns, sizeof deadline_ns) &&
      deadline_ns < job_now_ns()) {
    ++could_run;
  }
  if (could_run != 0) {
    std::snprintf(what, bytes, "%zu other thread%s could run", could_run,
                  could_run == 1 ? "" : "s");
    return true;
  }
  const char* unheard = unheard_ != nullptr ? unheard_() : nullptr;
  if (errands_wait()) unheard = "a kernel thread waits to be let in";
  if (unheard != nullptr) std::snprintf(what, bytes, "%s", unheard);
  return unheard != nullptr;
}

// Should the thread go on at this very moment, its memory may not be here any more.
void Lookout::tell(const Tcb* thread, const char* call, const char* waiting) {
  alignas(Tcb) unsigned char room[sizeof(Tcb)];
  const Tcb* copy = reinterpret_cast<const Tcb*>(room);
  char name[64] = "?";
  unsigned long long id = 0;
  if (os::copy_own(thread, room, sizeof room)) {
    id = copy->id.load(std::memory_order_relaxed);
    if (copy->long_name == nullptr) {
      std::memcpy(name, copy->short_name, sizeof copy->short_name);
    } else {
      os::copy_own(copy->long_name, name, sizeof name);
    }
    name[sizeof name - 1] = '\0';
  }
  char line[700];
  std::snprintf(
      line, sizeof line,
      "thread '%s' (id %llu) has stopped this rank for %lld s: it waits in %s, and %s. If what it "
      "waits for is another thread of this rank, that never comes: ask without waiting and yield "
      "between, or let a kernel thread wait (docs/manual.md lists the calls that stop a rank)%s",
      name, id, static_cast<long long>(stopped_ns_ / 1'000'000'000), call, waiting,
      lines_ == kMostLines ? ". No more of this is told here" : "");
  report(line);
}

}  // namespace roam::threads
