#ifndef ROAM_BENCH_SIMULATION_H_
#define ROAM_BENCH_SIMULATION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "runtime/balance/load_model.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/strategy.h"

namespace bench {

// A job to be balanced: where its threads begin, and what they do in each step.
struct Job {
  roam::balance::LoadTable first;  // with the loads of step 0
  std::size_t steps = 1;
  // Puts a step's loads, messages and so on into a table; where threads are is left alone.
  std::function<void(std::size_t step, roam::balance::LoadTable& table)> go_to;
};

struct Decisions {
  std::size_t every = 10;                    // steps between two
  roam::balance::LoadModel model = nullptr;  // null: the best
  std::uint64_t seed = 1;
};

// What a strategy did in a run: means over the steps that follow its decisions, sums of moves.
struct Result {
  const char* strategy = "";
  roam::balance::Outcome before, after;
  std::uint64_t most_bytes_before = 0;  // on any rank
  std::uint64_t most_bytes = 0;         // ... after any decision
  double gain_s = 0;                    // of time a step, by its decisions' forecasts
  std::size_t decisions = 0;
  double decision_s = 0;    // the longest
  double memory_bytes = 0;  // the most that a decision took; below 0: not known
};

// One step: a decision about loads that are known. Several: each decision goes by what a load model
// foretells from the steps before (and by the messages of the last), and is judged by what then
// comes. The first follows step 0.
//
// Errors: Errc::bad_option  a strategy's plan cannot be carried out.
Result simulate(const roam::balance::NamedStrategy& strategy, const Job& job,
                const Decisions& decisions);

}  // namespace bench

#endif  // ROAM_BENCH_SIMULATION_H_
