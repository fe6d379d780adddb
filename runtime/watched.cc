// What ROAM_TRACE and ROAM_PROGRESS see of a rank.

#include <x86intrin.h>

#include "runtime/runtime.h"

namespace roam::runtime {

using threads::scheduler;

namespace {

Trace* turns_go_to = nullptr;

}  // namespace

// Collective. What rank 0 was told holds for all.
void Runtime::start_watch() {
  options_.trace = mpi_.broadcast_text(options_.trace, 0);
  mpi_.broadcast(&options_.progress_s, sizeof options_.progress_s);
  ++runs_;
  if (options_.trace.empty() && options_.progress_s == 0) return;
  watch_ = std::make_unique<Watch>(mpi_, options_, runs_);
  trace_ = turns_go_to = watch_->trace();
  if (trace_ == nullptr) return;
  ends_are_watched_ = true;
  scheduler().turn_ended = [](const Tcb* t, std::uint64_t begin_ticks, std::uint64_t end_ticks) {
    turns_go_to->ran(t->id.load(std::memory_order_relaxed), begin_ticks, end_ticks);
  };
}

// Collective, after the run. A rank may have said something while the last wave was under way:
// that is taken from the channel before it is closed.
void Runtime::finish_watch() {
  if (watch_ == nullptr) return;
  const std::uint64_t said = mpi_.sum(watch_->said);
  while (rank() == 0 && watch_->heard_from < said) poll();
  scheduler().turn_ended = nullptr;
  watch_->finish(node());
  trace_ = turns_go_to = nullptr;
  watch_.reset();
}

void Runtime::observe() {
  if (!watch_->due(__rdtsc())) return;
  RankCounts counts = rank_counts();
  if (watch_->note(counts)) send(0, ProgressHead{Kind::kProgress, rank(), counts});
}

RankCounts Runtime::rank_counts() const {
  RankCounts counts;
  counts.alive = scheduler().live_count();
  counts.ready = scheduler().ready_count();
  counts.made = termination_.created;
  counts.ended = termination_.ended;
  counts.moved = moves_;
  counts.moved_bytes = moved_bytes_ - migrator_->bytes_refused;
  return counts;
}

void Runtime::idle(std::int64_t wake_ns) {
  if (watch_ == nullptr) {
    rest(wake_ns);
    return;
  }
  watch_->idle_begins(scheduler().switches());
  rest(wake_ns);
  watch_->idle_goes_on();
}

}  // namespace roam::runtime
