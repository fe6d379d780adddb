#include <cstddef>
#include <utility>
#include <vector>

#include "runtime/balance/diffusion_rank.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/strategy.h"

namespace roam::balance {
namespace {

std::vector<DiffusionRank> ranks_of(const LoadTable& table) {
  std::vector<std::vector<DiffusionRank::Token>> tokens(table.ranks.size());
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    const ThreadLoad& thread = table.threads[i];
    const auto r = static_cast<std::size_t>(thread.rank);
    tokens[r].push_back({i, thread.load_s, thread.bytes, thread.rank, table.ranks[r].node,
                         thread.fixed, thread.block});
  }
  std::vector<DiffusionRank> ranks;
  ranks.reserve(tokens.size());
  for (std::size_t r = 0; r < tokens.size(); ++r) {
    ranks.emplace_back(static_cast<std::int32_t>(r), table.ranks[r], tokens[r], table.block_bytes);
  }
  return ranks;
}

// All pairs of a round, which know nothing of each other.
void run_round(std::vector<DiffusionRank>& ranks, const Costs& costs, double goal_s, int round,
               std::uint64_t seed) {
  const auto count = static_cast<std::int32_t>(ranks.size());
  for (std::int32_t r = 0; r < count; ++r) {
    const std::int32_t other = DiffusionRank::partner(r, count, round, seed);
    if (other <= r) continue;
    DiffusionRank::meet(ranks[static_cast<std::size_t>(r)], ranks[static_cast<std::size_t>(other)],
                        goal_s, costs);
  }
}

}  // namespace

Plan diffusion(const LoadTable& table, std::uint64_t seed) {
  check_table(table);
  std::vector<DiffusionRank> ranks = ranks_of(table);
  const double goal_s = DiffusionRank::kGoal * ideal_step_s(table);
  const int rounds = DiffusionRank::rounds(static_cast<std::int32_t>(ranks.size()));
  for (int round = 0; round < rounds; ++round) run_round(ranks, table.costs, goal_s, round, seed);
  Plan plan = plan_to_stay(table);
  for (const DiffusionRank& rank : ranks) {
    for (const DiffusionRank::Token& token : rank.tokens()) {
      plan.rank_of[token.thread] = rank.sums().rank;
    }
  }
  return keep_if_it_pays(table, std::move(plan));
}

}  // namespace roam::balance
