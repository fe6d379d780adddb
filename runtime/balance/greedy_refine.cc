#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "runtime/balance/bounds.h"
#include "runtime/balance/exchange_moves.h"
#include "runtime/balance/fitted.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/refine_moves.h"
#include "runtime/balance/strategy.h"

namespace roam::balance {
namespace {

// A rank that has more threads gives the most of them away one by one, as in refine: exchanges keep
// the threads of a rank in a row.
constexpr std::size_t kMostThreads = 1024;
std::size_t most_threads(const LoadTable& table) {
  std::vector<std::size_t> threads(table.ranks.size());
  for (const ThreadLoad& thread : table.threads) ++threads[static_cast<std::size_t>(thread.rank)];
  return *std::max_element(threads.begin(), threads.end());
}

}  // namespace

Plan greedy_refine(const LoadTable& table, std::uint64_t seed) {
  check_table(table);
  const double ideal_s = ideal_step_s(table);
  const Plan stays = plan_to_stay(table);
  const Outcome stay = outcome_of(table, stays);
  const double longest_s = stay.imbalance * ideal_s;
  if (affordable_looks(table, longest_s - ideal_s) == 0) return fitted(table, seed);
  const double bound_s = shortest_step_s(table);
  if (longest_s <= kFinestGoal * bound_s) return stays;
  const std::size_t looks = affordable_looks(table, longest_s - bound_s);
  Plan best = stays;
  double best_gain_s = 0;
  const auto consider = [&](Plan plan) {
    const Outcome outcome = outcome_of(table, plan);
    const double gain_s = net_gain_s(table, stay, outcome);
    if (!(gain_s > best_gain_s) || !pays(table, stay, outcome)) return false;
    best_gain_s = gain_s;
    best = std::move(plan);
    return true;
  };
  const auto exchanged = [&](const Plan& start) {
    return exchange_moves(table, start, kFinestGoal * bound_s, looks);
  };
  const Plan few = refine_moves(table, kRefineGoal * bound_s / ideal_s);
  consider(few);
  if (looks == 0) return best;
  const bool many = most_threads(table) > kMostThreads;
  const Plan first = exchanged(many ? few : stays);
  // Only refine weighs the bytes of many threads, and messages.
  if (!consider(first) && !many && few.rank_of != stays.rank_of && few.rank_of != first.rank_of)
    consider(exchanged(few));
  return best;
}

}  // namespace roam::balance
