#ifndef ROAM_BASE_JOB_CLOCK_H_
#define ROAM_BASE_JOB_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace roam {

// What is to be added to now_ns() here. Set when the job begins (runtime/job/clock_shift.h).
inline constinit std::atomic<std::int64_t> job_clock_shift_ns{0};

// Nanoseconds on the job's clock, which deadlines are of: they lie on stacks, which go to machines
// that were started at another time, and come back from checkpoints. It runs as now_ns() does, is
// the same on all ranks but for what a message takes, and after a restart goes on from what it was.
inline std::int64_t job_now_ns() {
  return now_ns() + job_clock_shift_ns.load(std::memory_order_relaxed);
}

}  // namespace roam

#endif  // ROAM_BASE_JOB_CLOCK_H_
