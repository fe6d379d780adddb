#ifndef ROAM_RUNTIME_BALANCE_OUTCOME_H_
#define ROAM_RUNTIME_BALANCE_OUTCOME_H_

#include <cstddef>
#include <cstdint>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// What a plan leads to, as the table's loads and costs foretell it.
struct Outcome {
  // Of computation: the slowest rank's time over the time if every rank, by its speed, had its
  // share. 1 is perfect, and what a table without load has.
  double imbalance = 1;
  // Seconds of a step: of the rank that takes longest for its computation and for its threads'
  // messages with other nodes.
  double step_s = 0;
  // Seconds that the moves take: of the rank that sends and receives longest. Ranks move at once.
  double move_s = 0;
  std::size_t moves = 0;
  std::size_t moves_between_nodes = 0;
  std::uint64_t bytes_between_nodes = 0;  // that the moves send
  std::uint64_t cut_rank_bytes = 0;       // that threads send to other ranks, in a step
  std::uint64_t cut_node_bytes = 0;       // ... of other nodes
};

// Seconds of a step without messages in which every rank has, by its speed, its share of the load.
double ideal_step_s(const LoadTable& table);

// Foretells what `plan` leads to. Outcomes of the same table can be compared.
//
// Cost: O(threads + edges + ranks).
Outcome outcome_of(const LoadTable& table, const Plan& plan);

// Just its imbalance.
double imbalance_of(const LoadTable& table, const Plan& plan);

// Seconds that the job wins over Costs::steps steps if it goes from `before` (nothing moves) to
// `after`, its moves paid. Below zero: it loses.
double net_gain_s(const LoadTable& table, const Outcome& before, const Outcome& after);

// `plan` if it pays, else everything stays. What every strategy but rotate and random ends with:
// two maxima over the ranks are compared, which a reduction finds without a table. A plan may make
// the imbalance worse only up to `imbalance_allowed`, for messages that it saves.
Plan keep_if_it_pays(const LoadTable& table, Plan plan, double imbalance_allowed = 1);
// The same of a plan that leads from `before`, where everything stays, to `after`.
bool pays(const LoadTable& table, const Outcome& before, const Outcome& after,
          double imbalance_allowed = 1);

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_OUTCOME_H_
