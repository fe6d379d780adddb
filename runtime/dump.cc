// What a person wants to know of a rank: SIGUSR1, or a deadlock.

#include "base/check.h"
#include "base/text.h"
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

void Runtime::end_deadlocked() {
  if (scheduler().live_count() > 0) dump();
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
