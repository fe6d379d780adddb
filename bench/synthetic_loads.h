#ifndef ROAM_BENCH_SYNTHETIC_LOADS_H_
#define ROAM_BENCH_SYNTHETIC_LOADS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/balance/load_table.h"

namespace bench {

// Threads on a square grid, column by column, dealt to the ranks in equal strips of columns.
struct SyntheticOptions {
  std::size_t threads = 100'000;
  std::size_t ranks = 1'024;
  std::size_t node_ranks = 64;  // ranks of a node
  std::string loads = "exponential";
  double mean_s = 0.001;                // of a thread's load
  double noise = 0;                     // part of a load that differs from step to step
  std::uint64_t thread_bytes = 65'536;  // mean; a thread has half of it to one and a half times
  std::uint64_t edge_bytes = 1'024;     // to each of four neighbours in the grid; 0: no edges
  double memory = 0;                    // limit of a rank over what it has in the mean; 0: none
  double slow = 0;                      // part of the nodes whose ranks have half the speed
  std::uint64_t seed = 1;
};

// Names that SyntheticOptions::loads may have:
//   uniform      half of the mean to one and a half times
//   exponential  of the mean
//   half         the first half of the threads four times as heavy as the other
//   geometric    column x of 1,000 has 0.99^x; it moves by 3 columns a step (the PIC kernel of the
//                Parallel Research Kernels, k = 1)
//   hot-spot     ten times the load in the middle of a round spot that moves over the grid
//   one          one thread has half of all load
const std::vector<std::string_view>& synthetic_names();

class SyntheticLoads {
 public:
  explicit SyntheticLoads(const SyntheticOptions& options);

  // All but the loads, which are 0. Threads are where they begin.
  roam::balance::LoadTable table() const;
  // Seconds that a thread computes in a step. Follows from the options alone.
  double load_s(std::size_t thread, std::size_t step) const;

 private:
  double shape(std::size_t thread, std::size_t step) const;

  SyntheticOptions options_;
  std::size_t width_;  // columns of the grid, and threads in each but the last
};

}  // namespace bench

#endif  // ROAM_BENCH_SYNTHETIC_LOADS_H_
