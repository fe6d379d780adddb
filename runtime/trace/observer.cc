#include "runtime/trace/observer.h"

#include <x86intrin.h>

#include "threads/scheduler.h"

namespace roam::runtime {

using threads::scheduler;

void Observer::start(Options* options) {
  options->trace = net_.mpi().broadcast_text(options->trace, 0);
  net_.mpi().broadcast(&options->progress_s, sizeof options->progress_s);
  ++runs_;
  if (options->trace.empty() && options->progress_s == 0) return;
  watch_ = std::make_unique<Watch>(net_.mpi(), *options, runs_);
  set_due(true);
  the_trace = watch_->trace();
  if (the_trace == nullptr) return;
  scheduler().meter().turn_ended = [](const Tcb* t, std::uint64_t begin_ticks,
                                      std::uint64_t end_ticks) {
    the_trace->ran(t->id.load(std::memory_order_relaxed), begin_ticks, end_ticks);
  };
}

void Observer::run_ended() {
  if (active()) watch_->run_ended(counts_());
}

void Observer::finish_run() {
  if (!active()) return;
  scheduler().meter().turn_ended = nullptr;
  watch_->finish(net_.node());
  the_trace = nullptr;
  watch_.reset();
  set_due(false);
}

void Observer::poll() {
  if (!watch_->due(__rdtsc())) return;
  RankCounts counts = counts_();
  if (watch_->note(counts)) net_.send(0, ProgressHead{Kind::kProgress, net_.rank(), counts});
}

void Observer::idle_begins() { watch_->idle_begins(scheduler().switches()); }
void Observer::idle_goes_on() { watch_->idle_goes_on(); }

std::span<const Kind> Observer::kinds() const {
  static constexpr Kind kOwn[] = {Kind::kProgress};
  return kOwn;
}

void Observer::handle(int, const char* message, std::size_t) {
  const auto head = read<ProgressHead>(message);
  if (active()) watch_->heard(head.rank, head.counts);
}

}  // namespace roam::runtime
