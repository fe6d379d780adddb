#ifndef ROAM_BENCH_SLICES_H_
#define ROAM_BENCH_SLICES_H_

#include <algorithm>
#include <cstddef>

#include "bench/contest.h"

namespace bench {

// Switches of a slice: long enough for the clock not to matter, short enough to be undisturbed now
// and then.
inline constexpr double kSliceSwitches = 50'000;

// Nanoseconds of a switch, where run_laps(n) lets `contexts` contexts run n times each.
template <class RunLaps>
double time_laps(std::size_t contexts, RunLaps run_laps) {
  const auto laps = static_cast<std::size_t>(std::max(2.0, kSliceSwitches / contexts));
  run_laps(1);  // the other contestants' slices have emptied the caches
  const std::int64_t begin_ns = now_ns();
  run_laps(laps);
  return static_cast<double>(now_ns() - begin_ns) / (laps * contexts);
}

inline constexpr std::size_t kSliceThreads = 3'000;

// Nanoseconds of a thread, where batch() makes and ends `batch_size` of them.
template <class Batch>
double time_batches(std::size_t batch_size, Batch batch) {
  const std::size_t batches = std::max<std::size_t>(1, kSliceThreads / batch_size);
  batch();
  const std::int64_t begin_ns = now_ns();
  for (std::size_t i = 0; i < batches; ++i) batch();
  return static_cast<double>(now_ns() - begin_ns) / (batches * batch_size);
}

}  // namespace bench

#endif  // ROAM_BENCH_SLICES_H_
