// What a person wants to know of a rank: SIGUSR1, or a deadlock.

#include "base/check.h"
#include "base/os/kernel_threads.h"
#include "base/text.h"
#include "runtime/escaped.h"
#include "runtime/runtime.h"

namespace roam::runtime {

using threads::scheduler;

void Runtime::dump() {
  dump_wanted_ = 0;
  constexpr int kMostLines = 12;
  std::string lines = text("%zu threads are on rank %d", scheduler().live_count(), rank());
  int shown = 0;
  scheduler().for_each([&](const Tcb* t) {
    if (++shown > kMostLines) return;
    lines += text("\n  '%s' (id %llu) is %s", t->name(),
                  static_cast<unsigned long long>(t->id.load()), detail::to_string(t->state));
    if (t->waits_for == nullptr) return;
    lines += text(" for %s", t->waits_for);
    if (t->member != nullptr) lines += Post::describe(*t->member);
    if (t->waits_at == nullptr) return;
    const Tcb* owner = detail::owner_of(t->waits_at);
    lines += owner != nullptr && owner != t ? text(" (thread '%s', %p)", owner->name(), t->waits_at)
                                            : text(" (%p)", t->waits_at);
  });
  if (shown > kMostLines) lines += text("\n  and %d more", shown - kMostLines);
  report(lines.c_str());
}

// What others wait for in vain was often lost by one that failed.
void Runtime::report_failures() {
  constexpr int kMostLines = 12;
  int shown = 0;
  for (const auto& [id, t] : leftovers_) {
    if (t->exception == nullptr || t->is_root) continue;
    if (++shown > kMostLines) continue;
    report(text("thread '%s' ended with %s, and nobody has joined it", t->name(),
                describe(t->exception).c_str())
               .c_str());
  }
  if (shown > kMostLines)
    report(text("%d more threads ended with exceptions", shown - kMostLines).c_str());
}

void Runtime::end_deadlocked() {
  if (scheduler().live_count() > 0) dump();
  for (const FailedMember& member : failed_members_)
    report(text("'%s' ended with %s; its team may wait for it", member.name.c_str(),
                member.why.c_str())
               .c_str());
  report_failures();
  if (scheduler().live_count() > 0 && os::kernel_threads() > start_kernel_threads_) {
    report(
        "kernel threads that the program made run here, and cannot wake a thread of Roam: Promise, "
        "Channel and their kin refuse them. Let them leave results in a std::atomic or under a "
        "std::mutex, and threads look there");
  }
  mpi_.barrier();
  if (rank() == 0) {
    report(text("deadlock: %llu threads wait and nothing can wake one",
                static_cast<unsigned long long>(termination_.alive()))
               .c_str());
  }
  mpi_.barrier();
  Mpi::abort(1);
}

}  // namespace roam::runtime
