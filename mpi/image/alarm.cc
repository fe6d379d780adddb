#include "mpi/image/alarm.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <ctime>
#include <mutex>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/job_clock.h"
#include "base/lock.h"
#include "base/os/helper_thread.h"
#include "base/os/signals.h"
#include "base/text.h"
#include "isomalloc/heap.h"

namespace roam::mpi {
namespace {

constexpr std::int64_t kNever = INT64_MAX;

// Of all alarms of this process, and of what follows.
constinit Lock lock;
// Those that are set. It is never destroyed, since the kernel thread looks at it to the end.
std::vector<Alarm*>* here = nullptr;
constinit std::atomic<std::uint32_t> changes{0};

void tell_change() {
  changes.fetch_add(1, std::memory_order_release);
  syscall(SYS_futex, &changes, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void wait_for_change(std::uint32_t seen, std::int64_t deadline_ns) {
  const std::int64_t left_ns = std::max<std::int64_t>(deadline_ns - job_now_ns(), 0);
  const timespec left{left_ns / 1'000'000'000, left_ns % 1'000'000'000};
  syscall(SYS_futex, &changes, FUTEX_WAIT_PRIVATE, seen, deadline_ns == kNever ? nullptr : &left,
          nullptr, 0);
}

std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t result;
  return __builtin_add_overflow(a, b, &result) ? kNever : result;
}

// As the signal ends a process.
void end_job(int number) {
  report(
      text("virtual rank %d: its alarm has come (SIGALRM, of alarm or setitimer), and it neither "
           "ignores nor blocks it",
           number)
          .c_str());
  os::end_by(SIGALRM);
}

}  // namespace

// ---- the kernel thread that waits ----

void Alarm::begin_to_watch() {
  if (here != nullptr) return;
  const iso::HeapScope process;
  here = new std::vector<Alarm*>();
  if (!(new os::HelperThread())->begin(&Alarm::watch))
    fatal(
        "a virtual rank has an alarm, and there is no room for a kernel thread that waits for it");
}

void Alarm::watch() {
  for (;;) {
    const std::uint32_t seen = changes.load(std::memory_order_acquire);
    std::int64_t first_ns = kNever;
    {
      const std::lock_guard held(lock);
      const std::int64_t now_ns = job_now_ns();
      for (Alarm* alarm : *here) {
        alarm->look(now_ns);
        if (alarm->is_set()) first_ns = std::min(first_ns, alarm->deadline_ns_.load());
      }
    }
    wait_for_change(seen, first_ns);
  }
}

// Whether its time has come. The lock is held.
void Alarm::look(std::int64_t now_ns) {
  if (!is_set() || now_ns < deadline_ns_) return;
  if (interval_ns_ == 0) {
    deadline_ns_ = 0;
  } else {
    const std::int64_t passed = (now_ns - deadline_ns_) / interval_ns_ + 1;
    deadline_ns_ = sum(deadline_ns_, passed * interval_ns_);
  }
  if (ignored_) return;
  if (!blocked_) end_job(number_);
  kept_ = true;
}

// ---- what a virtual rank says and asks ----

// Has the process look at it from now on, or not any more.
void Alarm::note(bool is_here) {
  if (is_here == here_) return;
  const iso::HeapScope process;
  const std::lock_guard held(lock);
  here_ = is_here;
  if (is_here) {
    here->push_back(this);
  } else {
    std::erase(*here, this);
  }
}

Alarm::Times Alarm::times() {
  const std::lock_guard held(lock);
  const std::int64_t now_ns = job_now_ns();
  look(now_ns);
  return is_set() ? Times{deadline_ns_ - now_ns, interval_ns_} : Times{};
}

std::int64_t Alarm::deadline_ns() {
  if (!is_set()) return kNever;
  const std::lock_guard held(lock);
  look(job_now_ns());
  return is_set() ? deadline_ns_.load(std::memory_order_relaxed) : kNever;
}

Alarm::Times Alarm::set(const Times& next) {
  const Times before = times();
  if (next.left_ns != 0) {
    begin_to_watch();
    note(true);
  }
  {
    const std::lock_guard held(lock);
    deadline_ns_ = next.left_ns == 0 ? 0 : sum(job_now_ns(), next.left_ns);
    interval_ns_ = next.interval_ns;
  }
  if (is_set()) tell_change();
  return before;
}

void Alarm::set_ignored(bool ignored) {
  const std::lock_guard held(lock);
  ignored_ = ignored;
  if (ignored) kept_ = false;
}

void Alarm::set_blocked(bool blocked) {
  const std::lock_guard held(lock);
  blocked_ = blocked;
  if (!blocked && std::exchange(kept_, false)) end_job(number_);
}

bool Alarm::is_kept() {
  const std::lock_guard held(lock);
  look(job_now_ns());
  return kept_;
}

bool Alarm::take() {
  const std::lock_guard held(lock);
  look(job_now_ns());
  return std::exchange(kept_, false);
}

void Alarm::arrive() {
  if (!is_set()) return;
  begin_to_watch();
  note(true);
  tell_change();
}

void Alarm::depart() { note(false); }

}  // namespace roam::mpi
