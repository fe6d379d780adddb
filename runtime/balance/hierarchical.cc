#include <cstddef>
#include <utility>
#include <vector>

#include "runtime/balance/heavy_first.h"
#include "runtime/balance/node_tables.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/rank_tree.h"
#include "runtime/balance/refine_moves.h"
#include "runtime/balance/strategy.h"

namespace roam::balance {
namespace {

// How far a node may stay above its share. A few moves more bring it nearer, but cost bytes.
constexpr double kNodeGoal = 1.02;

// `plan` after the threads that `node_plan` sends to another node have gone to the rank there that
// suits them best; those that find no room stay.
Plan land(const LoadTable& table, const NodeTables& nodes, Plan plan, const Plan& node_plan) {
  LoadTable now;
  now.threads = table.threads;
  now.ranks = table.ranks;
  now.block_bytes = table.block_bytes;
  for (std::size_t i = 0; i < plan.rank_of.size(); ++i) now.threads[i].rank = plan.rank_of[i];
  RankTree ranks(now);
  for (const ThreadLoad& thread : now.threads) ranks.add_load(thread.rank, thread.load_s);
  for (const SortedThread& thread : heavy_first(now)) {
    const std::int32_t from = thread.rank, node = node_plan.rank_of[thread.index];
    if (node == nodes.node_of(from)) continue;
    const std::int32_t any = nodes.ranks_of(static_cast<std::size_t>(node))[0];
    const std::int32_t to = ranks.earliest(thread.load_s, thread, ranks.node_of(any));
    if (to < 0) continue;
    ranks.move_bytes(from, to, thread);
    ranks.add_load(from, -thread.load_s);
    ranks.add_load(to, thread.load_s);
    plan.rank_of[thread.index] = to;
  }
  return plan;
}

// `plan` after single moves away from the ranks that are still the busiest: a node may have its
// share and yet hold threads so long that its ranks cannot be even.
Plan refined(const LoadTable& table, const Plan& plan) {
  LoadTable now = table;
  for (std::size_t i = 0; i < plan.rank_of.size(); ++i) now.threads[i].rank = plan.rank_of[i];
  return refine_moves(now, kRefineGoal);
}

}  // namespace

Plan hierarchical(const LoadTable& table, std::uint64_t seed) {
  check_table(table);
  const NodeTables nodes(table);
  Plan best = nodes.inside_nodes(plan_to_stay(table), greedy_refine, seed);
  if (nodes.nodes() == 1) return keep_if_it_pays(table, std::move(best));

  const Outcome stay = outcome_of(table, plan_to_stay(table));
  const auto gain_s = [&](const Plan& plan) {
    return net_gain_s(table, stay, outcome_of(table, plan));
  };
  // Each stage goes on from the one before; which of them paid is seen at the end.
  Plan between = land(table, nodes, best, refine_moves(nodes.between_nodes(), kNodeGoal));
  between = nodes.inside_nodes(between, greedy_refine, seed);
  Plan single = refined(table, between);
  if (gain_s(between) > gain_s(best)) best = std::move(between);
  if (gain_s(single) > gain_s(best)) best = std::move(single);
  return keep_if_it_pays(table, std::move(best));
}

}  // namespace roam::balance
