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
  for (std::size_t i = 0; i < plan.rank_of.size(); ++i) now.threads[i].rank = plan.rank_of[i];
  RankTree ranks(now);
  for (const ThreadLoad& thread : now.threads) ranks.add_load(thread.rank, thread.load_s);
  for (const std::uint32_t i : heavy_first(table)) {
    const std::int32_t from = plan.rank_of[i];
    if (node_plan.rank_of[i] == nodes.node_of(from)) continue;
    const std::int32_t any = nodes.ranks_of(static_cast<std::size_t>(node_plan.rank_of[i]))[0];
    const ThreadLoad& thread = table.threads[i];
    const std::int32_t to = ranks.earliest(thread.load_s, thread.bytes, ranks.node_of(any));
    if (to < 0) continue;
    ranks.move_bytes(from, to, thread.bytes);
    ranks.add_load(from, -thread.load_s);
    ranks.add_load(to, thread.load_s);
    plan.rank_of[i] = to;
  }
  return plan;
}

}  // namespace

Plan hierarchical(const LoadTable& table, std::uint64_t seed) {
  check_table(table);
  const NodeTables nodes(table);
  const Plan inside = nodes.inside_nodes(plan_to_stay(table), greedy_refine, seed);
  if (nodes.nodes() == 1) return keep_if_it_pays(table, inside);

  Plan between = land(table, nodes, inside, refine_moves(nodes.between_nodes(), kNodeGoal));
  between = nodes.inside_nodes(between, greedy_refine, seed);
  const Outcome stay = outcome_of(table, plan_to_stay(table));
  const bool further = net_gain_s(table, stay, outcome_of(table, between)) >
                       net_gain_s(table, stay, outcome_of(table, inside));
  return keep_if_it_pays(table, further ? std::move(between) : inside);
}

}  // namespace roam::balance
