// What a person wants to know of a rank: SIGUSR1, or a deadlock.

#include <algorithm>

#include "base/check.h"
#include "base/clock.h"
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
    if (t->member != nullptr) lines += post_->describe(*t->member);
    if (t->waits_at == nullptr) return;
    const Tcb* owner = detail::owner_of(t->waits_at);
    lines += owner != nullptr && owner != t ? text(" (thread '%s', %p)", owner->name(), t->waits_at)
                                            : text(" (%p)", t->waits_at);
  });
  if (shown > kMostLines) lines += text("\n  and %d more", shown - kMostLines);
  if (post_->holds()) lines += "\n  " + post_->describe_held();
  report(lines.c_str());
}

// The exceptions with which threads ended here lately, joined or not: whoever waits for what such a
// thread did not do any more, they are the cause.
void Runtime::note_escaped(const Tcb* t) {
  constexpr std::size_t kMostNoted = 8;
  const std::string what = describe(t->exception);
  // It passes on through who joins it, and who joins that one.
  if (!escaped_.empty() && escaped_.back().ends_with(what)) return;
  if (escaped_.size() == kMostNoted) escaped_.pop_front();
  escaped_.push_back(text("thread '%s' ended with an exception: %s", t->name(), what.c_str()));
}

// What others wait for in vain was often lost by one that failed.
void Runtime::report_failures() {
  for (const std::string& line : escaped_) report(line.c_str());
}

void Runtime::end_deadlocked() {
  if (scheduler().live_count() > 0) dump();
  report_failures();
  const bool failed = mpi_.sum(escaped_.size()) != 0;
  const std::uint64_t held_back = mpi_.sum(post_->held_back());
  if (rank() == 0 && held_back != 0) {
    report(text("%llu members wait because nobody receives what they sent: up to %zu bytes may lie "
                "unreceived with a member. Receive them, or raise ROAM_UNRECEIVED",
                static_cast<unsigned long long>(held_back), options_.unreceived_bytes)
               .c_str());
  }
  if (rank() == 0) {
    report(text("deadlock: %llu threads wait and nothing can wake one%s",
                static_cast<unsigned long long>(termination_.alive()),
                failed ? "; threads that ended with an exception, named above, may be what they "
                         "wait for"
                       : "")
               .c_str());
  }
  mpi_.barrier();
  Mpi::abort(1);
}

const char* Runtime::unheard() const {
  if (!inbox_of(rank()).empty()) return "what another rank of this node sent waits";
  return node_count() > 1 ? "what other nodes send is not heard" : nullptr;
}

std::uint64_t Runtime::outsiders() const {
  return static_cast<std::uint64_t>(std::max(os::kernel_threads() - start_kernel_threads_, 0));
}

void Runtime::note_outsiders() {
  constexpr std::int64_t kLongNs = 10'000'000'000, kSaid = INT64_MAX;
  if (outsiders_since_ns_ == 0 || outsiders_switches_ != scheduler().switches()) {
    outsiders_since_ns_ = now_ns();
    outsiders_switches_ = scheduler().switches();
  } else if (outsiders_since_ns_ != kSaid && now_ns() - outsiders_since_ns_ > kLongNs) {
    outsiders_since_ns_ = kSaid;
    if (scheduler().live_count() > 0) dump();
    report_failures();
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
