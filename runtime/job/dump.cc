// What a person wants to know of a rank: SIGUSR1, or a deadlock.

#include <algorithm>

#include "base/check.h"
#include "base/clock.h"
#include "base/job_record.h"
#include "base/os/kernel_threads.h"
#include "base/text.h"
#include "isomalloc/runtime_threads.h"
#include "runtime/job/job.h"

namespace roam::runtime {

using threads::scheduler;

void Job::dump() {
  dump_wanted_ = 0;
  constexpr int kMostLines = 12;
  std::string lines = text("%zu threads are on rank %d", scheduler().slots().live_count(), rank());
  int shown = 0;
  scheduler().slots().for_each([&](const Tcb* t) {
    if (++shown > kMostLines) return;
    lines += text("\n  '%s' (id %llu) is %s", t->name(),
                  static_cast<unsigned long long>(t->id.load()), detail::to_string(t->state));
    if (t->waits_for == nullptr) return;
    lines += text(" for %s", t->waits_for);
    for (const Component* component : components_.all()) lines += component->describe_wait(t);
    if (t->waits_at == nullptr) return;
    const Tcb* owner = detail::owner_of(t->waits_at);
    lines += owner != nullptr && owner != t ? text(" (thread '%s', %p)", owner->name(), t->waits_at)
                                            : text(" (%p)", t->waits_at);
  });
  if (shown > kMostLines) lines += text("\n  and %d more", shown - kMostLines);
  for (const Component* component : components_.all()) {
    if (const std::string line = component->describe(); !line.empty()) lines += "\n  " + line;
  }
  report(lines.c_str());
}

void Job::end_deadlocked() {
  if (scheduler().slots().live_count() > 0) dump();
  for (const Component* component : components_.all()) {
    component->report_causes();
    const std::uint64_t causes = mpi().sum(component->causes());
    if (rank() == 0 && causes != 0) report(component->describe_causes(causes).c_str());
  }
  if (rank() == 0) {
    report(text("deadlock: %llu threads wait and nothing can wake one",
                static_cast<unsigned long long>(termination_.alive()))
               .c_str());
  }
  if (rank() == 0) job_record::fails(1);  // others have nothing to say of it
  mpi().barrier();
  Mpi::abort(1);
}

const char* Job::unheard() const {
  if (!components_.net.own_inbox().empty()) return "what another rank of this node sent waits";
  return components_.net.node_count() > 1 ? "what other nodes send is not heard" : nullptr;
}

std::uint64_t Job::outsiders() const {
  return static_cast<std::uint64_t>(std::max(os::kernel_threads() - 1 - iso::runtime_threads(), 0));
}

void Job::note_outsiders() {
  constexpr std::int64_t kLongNs = 10'000'000'000, kSaid = INT64_MAX;
  if (outsiders_since_ns_ == 0 || outsiders_switches_ != scheduler().switches()) {
    outsiders_since_ns_ = now_ns();
    outsiders_switches_ = scheduler().switches();
  } else if (outsiders_since_ns_ != kSaid && now_ns() - outsiders_since_ns_ > kLongNs) {
    outsiders_since_ns_ = kSaid;
    if (scheduler().slots().live_count() > 0) dump();
    for (const Component* component : components_.all()) component->report_causes();
    if (rank() == 0) {
      report(text("for 10 s, %llu threads have waited, and of all that runs only kernel threads "
                  "that the program made, or a library for it, can wake one: %llu of them live. "
                  "Once they have ended, this is a deadlock",
                  static_cast<unsigned long long>(termination_.alive()),
                  static_cast<unsigned long long>(termination_.total_outsiders()))
                 .c_str());
    }
  }
}

}  // namespace roam::runtime
