#ifndef ROAM_RUNTIME_TRACE_WATCH_H_
#define ROAM_RUNTIME_TRACE_WATCH_H_

#include <cstdint>
#include <optional>

#include "base/options.h"
#include "runtime/net/mpi.h"
#include "runtime/trace/progress.h"
#include "runtime/trace/trace.h"
#include "runtime/trace/trace_file.h"

namespace roam::runtime {

// What ROAM_TRACE and ROAM_PROGRESS see of one run on one rank, and how long the rank was idle.
// Made only where one of them is set, so that a run that nobody watches pays for a null pointer.
// Context: the rank's kernel thread, capture off.
class Watch {
 public:
  // Collective; the options are rank 0's. `run`: the process's how manyth; from the second on, its
  // number is in the name of the file.
  // Errors: Error(bad_option)  the file cannot be written; thrown on every rank.
  Watch(Mpi& mpi, const Options& options, int run);

  // Null without ROAM_TRACE.
  Trace* trace() { return trace_ ? &*trace_ : nullptr; }

  // The rank has nothing to run, and has had nothing since `switches` last changed.
  void idle_begins(std::uint64_t switches);
  void idle_goes_on();

  // Something is to be noted or said now: note() shall be called.
  bool due(std::uint64_t now_ticks) const {
    return now_ticks >= next_report_ticks_ || (trace_ && trace_->wants_sample(now_ticks));
  }
  // Takes `counts` (busy_permille is filled in). True: they are to be sent to rank 0.
  bool note(RankCounts& counts);
  // On rank 0: what a rank said.
  void heard(int rank, const RankCounts& counts);

  // The last thread of the job has ended: what follows is not of the run, whose `counts` these are.
  void run_ended(const RankCounts& counts);
  // Collective, after run_ended(): writes the trace.
  void finish(int node);

 private:
  Mpi& mpi_;
  std::optional<TraceFile> file_;
  std::optional<Trace> trace_;
  std::optional<Progress> progress_;  // on rank 0
  std::int64_t period_ns_;            // of reports; 0: none
  std::int64_t begin_ns_;
  std::int64_t next_report_ns_ = 0;
  RankCounts counts_;  // of the run, when it has ended
  std::uint64_t begin_ticks_;
  std::uint64_t next_report_ticks_ = UINT64_MAX;
  std::uint64_t idle_ticks_ = 0;
  std::uint64_t last_idle_ = 0;  // when it was last seen to be idle
  std::uint64_t idle_switches_ = ~std::uint64_t{0};
  std::uint64_t reported_ticks_ = 0, reported_idle_ = 0;  // at the last report
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_TRACE_WATCH_H_
