#ifndef ROAM_RUNTIME_BALANCE_STRATEGY_H_
#define ROAM_RUNTIME_BALANCE_STRATEGY_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// A pure function from loads to a plan: equal tables and seeds give equal plans.
//
// What all strategies keep, and rotate and random the first two of it:
//   - What cannot move stays, and the others are planned around it.
//   - When all threads have moved, a rank that was within its memory limit is so still, and one
//     that was above is not fuller. On the way there it may be: a rank may get a thread before it
//     has given another away.
//   - The imbalance does not get worse (but see comm), and the plan pays: over Costs::steps steps
//     it wins more time than its moves take. Otherwise nothing moves.
// Errors: Errc::bad_option, as check_table says.
using Strategy = Plan (*)(const LoadTable& table, std::uint64_t seed);

struct NamedStrategy {
  const char* name;
  const char* summary;  // one line
  Strategy plan;
};

// The strategy of that name; null if there is none.
const NamedStrategy* find_strategy(std::string_view name);

// All names, in the order of docs/balancing.md.
std::vector<std::string_view> strategy_names();

// Nothing moves.
Plan none(const LoadTable& table, std::uint64_t seed);
// From nothing: the longest thread first, each to the rank that would be through with it first. At
// most 4/3 - 1/(3 ranks) times the best possible longest rank where ranks are equally fast, memory
// is not limited and moving is free. Moves nearly everything.
// Source: Graham 1969, Bounds on multiprocessing timing anomalies.
Plan greedy(const LoadTable& table, std::uint64_t seed);
// The busiest rank gives a thread away, again and again, until it is within kRefineGoal of the
// ideal or no move helps or pays. Few moves.
Plan refine(const LoadTable& table, std::uint64_t seed);
// Down to what no plan goes below (bounds.h), with few moves: the busiest rank gives threads away
// or exchanges them, again and again; then moves are saved (exchange_moves.h). Where moves or
// messages are dear, single moves as in refine come before; where the search would take more than a
// small part of the time that is won, each rank keeps what fits and the rest is placed (fitted.h).
Plan greedy_refine(const LoadTable& table, std::uint64_t seed);
// Cuts the graph of messages between nodes, then between the ranks of a node (METIS), and names the
// parts so that little moves; then a few moves as in refine. May leave an imbalance of
// kCommImbalance for messages that it saves.
Plan comm(const LoadTable& table, std::uint64_t seed);
// Neighbours in a hypercube of ranks, then others, divide in pairs what both have, round by round;
// no rank ever knows more than its own threads and what its partner offers (diffusion_rank.h).
// Source: Cybenko 1989, Dynamic load balancing for distributed memory multiprocessors.
Plan diffusion(const LoadTable& table, std::uint64_t seed);
// Inside each node first, where moves cost nothing; then between nodes, from the sums of nodes, by
// cost against gain; then inside each node again; last, exchanges as in greedy_refine, or single
// moves away from ranks that are still the busiest. With one node, or one rank a node:
// greedy_refine.
Plan hierarchical(const LoadTable& table, std::uint64_t seed);
// For tests: every thread to the next rank, if it has room.
Plan rotate(const LoadTable& table, std::uint64_t seed);
// For tests: every thread to any rank, if it has room.
Plan random(const LoadTable& table, std::uint64_t seed);

// greedy_refine and hierarchical stop when the busiest rank is at most that far above what no plan
// goes below: measured loads differ by more from step to step.
inline constexpr double kFinestGoal = 1.0005;
// refine stops when the busiest rank is at most that far above the ideal.
inline constexpr double kRefineGoal = 1.05;
// The imbalance that comm may leave behind.
inline constexpr double kCommImbalance = 1.1;

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_STRATEGY_H_
