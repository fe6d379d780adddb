#include "runtime/trace/watch.h"

#include <x86intrin.h>

#include <algorithm>
#include <ctime>
#include <string>

#include "base/check.h"
#include "base/clock.h"

namespace roam::runtime {
namespace {

// Before that the rate of the time-stamp counter is not known well.
constexpr std::int64_t kFirstLookNs = 100'000'000;
constexpr std::uint64_t kFirstLookTicks = 100'000'000;

constexpr std::int64_t kMostLagNs = 500'000'000;

// Processor time of this kernel thread. Not of the process: helpers of MPI run on other cores.
std::uint64_t core_ns() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(t.tv_nsec);
}

// trace.json, trace.2.json, trace.3.json ...
std::string numbered(const std::string& path, int run) {
  if (run == 1 || path.rfind("/dev/", 0) == 0) return path;
  const std::size_t slash = path.rfind('/');
  const std::size_t dot = path.rfind('.');
  const bool has_ending =
      dot != std::string::npos && (slash == std::string::npos || dot > slash + 1);
  const std::size_t at = has_ending && dot != 0 ? dot : path.size();
  return path.substr(0, at) + "." + std::to_string(run) + path.substr(at);
}

}  // namespace

Watch::Watch(Mpi& mpi, const Options& options, int run)
    : mpi_(mpi), period_ns_(std::int64_t{options.progress_s} * 1'000'000'000) {
  if (!options.trace.empty()) file_.emplace(mpi, numbered(options.trace, run));
  begin_ns_ = now_ns();
  begin_ticks_ = reported_ticks_ = file_ ? file_->begin_ticks() : __rdtsc();
  if (file_) trace_.emplace(mpi.ranks(), begin_ticks_);
  if (period_ns_ == 0) return;
  if (mpi.rank() == 0) progress_.emplace(mpi.ranks(), begin_ns_);
  next_report_ns_ = begin_ns_ + period_ns_;
  // Rank 0 waits for what the others say at the same time.
  if (mpi.rank() == 0) next_report_ns_ += std::min(period_ns_ / 5, kMostLagNs);
  next_report_ticks_ = begin_ticks_ + kFirstLookTicks;
}

void Watch::idle_begins(std::uint64_t switches) {
  const std::uint64_t now = __rdtsc();
  if (idle_switches_ == switches) idle_ticks_ += now - last_idle_;
  idle_switches_ = switches;
  last_idle_ = now;
}

void Watch::idle_goes_on() {
  const std::uint64_t now = __rdtsc();
  idle_ticks_ += now - last_idle_;
  last_idle_ = now;
}

bool Watch::note(RankCounts& counts) {
  const std::uint64_t now = __rdtsc();
  if (trace_ && trace_->wants_sample(now))
    trace_->sample(now, counts.alive, counts.ready, idle_ticks_, core_ns());
  if (now < next_report_ticks_) return false;
  const std::int64_t ns = now_ns();
  bool report_now = false;
  if (ns >= next_report_ns_) {
    report_now = true;
    const std::uint64_t ticks = std::max<std::uint64_t>(now - reported_ticks_, 1);
    const std::uint64_t idle = std::min(idle_ticks_ - reported_idle_, ticks);
    counts.busy_permille = (ticks - idle) * 1000 / ticks;
    reported_ticks_ = now;
    reported_idle_ = idle_ticks_;
    // The same times on every rank, however long a rank heard nothing.
    next_report_ns_ += ((ns - next_report_ns_) / period_ns_ + 1) * period_ns_;
  }
  const double ticks_per_ns = static_cast<double>(now - begin_ticks_) /
                              static_cast<double>(std::max<std::int64_t>(ns - begin_ns_, 1));
  const std::int64_t wait_ns =
      ns - begin_ns_ < kFirstLookNs ? kFirstLookNs / 10 : next_report_ns_ - ns;
  next_report_ticks_ =
      now + static_cast<std::uint64_t>(static_cast<double>(wait_ns) * ticks_per_ns);
  if (!report_now) return false;
  if (mpi_.rank() != 0) return true;
  progress_->hear(0, ns, counts);
  report(progress_->line(ns, period_ns_ * 5 / 2).c_str());
  return false;
}

void Watch::heard(int rank, const RankCounts& counts) {
  if (progress_) progress_->hear(rank, now_ns(), counts);
}

void Watch::run_ended(const RankCounts& counts) {
  counts_ = counts;
  next_report_ticks_ = UINT64_MAX;
  if (trace_) trace_->close(__rdtsc(), idle_ticks_, core_ns());
}

void Watch::finish(int node) {
  if (file_) file_->write(*trace_, node, counts_);
}

}  // namespace roam::runtime
