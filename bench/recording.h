#ifndef ROAM_BENCH_RECORDING_H_
#define ROAM_BENCH_RECORDING_H_

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/balance/load_table.h"

namespace bench {

// What a job did step by step, as it was recorded: a table for each step. Thread i is the same
// everywhere; loads, messages, who cannot move, where threads are and what ranks have besides them
// may differ.
struct Recording {
  std::vector<roam::balance::LoadTable> steps;
  std::size_t left_out = 0;  // messages whose sender or receiver is no thread
};

// Tables of files that balance::write_table wrote, in their order.
//
// Errors: std::runtime_error  a file cannot be read; they have not equally many threads and ranks.
Recording read_tables(const std::vector<std::string>& files);

}  // namespace bench

#endif  // ROAM_BENCH_RECORDING_H_
