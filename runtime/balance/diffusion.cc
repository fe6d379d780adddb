#include <cstddef>
#include <utility>
#include <vector>

#include "runtime/balance/diffusion_rank.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/strategy.h"
#include "runtime/balance/within_limits.h"

namespace roam::balance {
namespace {

// The first sweep evens out 2^k ranks but for the size of threads; the others, with ever new
// partners, do the same for large threads, other numbers of ranks and full ranks.
constexpr int kMostSweeps = 8;

std::vector<DiffusionRank> ranks_of(const LoadTable& table) {
  std::vector<std::vector<DiffusionRank::Token>> tokens(table.ranks.size());
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    const ThreadLoad& thread = table.threads[i];
    const auto r = static_cast<std::size_t>(thread.rank);
    tokens[r].push_back(
        {i, thread.load_s, thread.bytes, thread.rank, table.ranks[r].node, thread.fixed});
  }
  std::vector<DiffusionRank> ranks;
  ranks.reserve(tokens.size());
  for (std::size_t r = 0; r < tokens.size(); ++r) {
    ranks.emplace_back(static_cast<std::int32_t>(r), table.ranks[r], tokens[r]);
  }
  return ranks;
}

// All pairs of a round, which know nothing of each other. True if a token moved.
bool run_round(std::vector<DiffusionRank>& ranks, const Costs& costs, double goal_s, int round,
               std::uint64_t seed) {
  bool moved = false;
  const auto count = static_cast<std::int32_t>(ranks.size());
  for (std::int32_t r = 0; r < count; ++r) {
    const std::int32_t other = DiffusionRank::partner(r, count, round, seed);
    if (other <= r) continue;
    DiffusionRank &a = ranks[static_cast<std::size_t>(r)],
                  &b = ranks[static_cast<std::size_t>(other)];
    const DiffusionRank::Sums of_a = a.sums(), of_b = b.sums();
    const auto to_b = a.give(of_b, goal_s, costs), to_a = b.give(of_a, goal_s, costs);
    a.take(to_a);
    b.take(to_b);
    moved = moved || !to_a.empty() || !to_b.empty();
  }
  return moved;
}

}  // namespace

Plan diffusion(const LoadTable& table, std::uint64_t seed) {
  check_table(table);
  std::vector<DiffusionRank> ranks = ranks_of(table);
  const int rounds = DiffusionRank::rounds_of_sweep(static_cast<std::int32_t>(ranks.size()));
  const double goal_s = DiffusionRank::kGoal * ideal_step_s(table);
  bool moved = true;
  for (int sweep = 0; sweep < kMostSweeps && (moved || sweep < 2); ++sweep) {
    moved = false;
    for (int round = sweep * rounds; round < (sweep + 1) * rounds; ++round) {
      moved = run_round(ranks, table.costs, goal_s, round, seed) || moved;
    }
  }
  Plan plan = plan_to_stay(table);
  for (const DiffusionRank& rank : ranks) {
    for (const DiffusionRank::Token& token : rank.tokens()) {
      plan.rank_of[token.thread] = rank.sums().rank;
    }
  }
  // A rank knows of its partner how much room it has, not which blocks.
  if (!table.block_bytes.empty()) plan = within_limits(table, plan);
  return keep_if_it_pays(table, std::move(plan));
}

}  // namespace roam::balance
