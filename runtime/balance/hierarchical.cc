#include <cstddef>
#include <utility>
#include <vector>

#include "runtime/balance/bounds.h"
#include "runtime/balance/exchange_moves.h"
#include "runtime/balance/fitted.h"
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
// suits them best; those that find no room stay. Nodes that have others now are in `changed`.
Plan land(const LoadTable& table, const NodeTables& nodes, Plan plan, const Plan& node_plan,
          std::vector<bool>* changed) {
  changed->assign(nodes.nodes(), false);
  std::vector<SortedThread> movers;
  for (std::size_t i = 0; i < plan.rank_of.size(); ++i) {
    if (node_plan.rank_of[i] == nodes.node_of(plan.rank_of[i])) continue;
    movers.push_back({table.threads[i], static_cast<std::uint32_t>(i)});
    movers.back().rank = plan.rank_of[i];
  }
  if (movers.empty()) return plan;
  sort_heavy_first(&movers);
  const LoadTable now = places_of(table, plan);
  RankTree ranks(now);
  ranks.add_loads(now);
  for (const SortedThread& thread : movers) {
    const std::int32_t from = thread.rank, node = node_plan.rank_of[thread.index];
    const std::int32_t any = nodes.ranks_of(static_cast<std::size_t>(node))[0];
    const std::int32_t to = ranks.earliest(thread.load_s, thread, ranks.node_of(any));
    if (to < 0) continue;
    ranks.move_bytes(from, to, thread);
    ranks.add_load(from, -thread.load_s);
    ranks.add_load(to, thread.load_s);
    plan.rank_of[thread.index] = to;
    (*changed)[static_cast<std::size_t>(node)] = true;
    (*changed)[static_cast<std::size_t>(nodes.node_of(from))] = true;
  }
  return plan;
}

// For one node, where exchanges follow.
Plan evened_out(const LoadTable& table, std::uint64_t) {
  return refine_moves(table, kFinestGoal * shortest_step_s(table) / ideal_step_s(table));
}

// `plan` after single moves away from the ranks that are still the busiest: a node may have its
// share and yet hold threads so long that its ranks cannot be even.
Plan refined(const LoadTable& table, const Plan& plan) {
  if (imbalance_of(table, plan) <= kRefineGoal) return plan;
  return refine_moves(places_of(table, plan), kRefineGoal, &table);
}

}  // namespace

Plan hierarchical(const LoadTable& table, std::uint64_t seed) {
  check_table(table);
  const NodeTables nodes(table);
  if (nodes.nodes() == 1 || nodes.nodes() == table.ranks.size()) return greedy_refine(table, seed);
  Plan best = plan_to_stay(table);
  const Outcome stay = outcome_of(table, best);
  const double ideal_s = ideal_step_s(table);
  const double longest_s = stay.imbalance * ideal_s;
  std::size_t looks = affordable_looks(table, longest_s - ideal_s);
  if (looks > 0) {
    const double bound_s = shortest_step_s(table);
    if (longest_s <= kFinestGoal * bound_s) return best;
    looks = affordable_looks(table, longest_s - bound_s);
  }
  const auto inside = looks > 0 ? evened_out : fitted;
  best = nodes.inside_nodes(best, inside, seed, std::vector<bool>(nodes.nodes(), true));
  Outcome outcome = outcome_of(table, best);
  // Each stage goes on from the one before; which of them paid is seen at the end.
  const auto consider = [&](Plan plan) {
    const Outcome its = outcome_of(table, plan);
    if (!(net_gain_s(table, stay, its) > net_gain_s(table, stay, outcome))) return;
    outcome = its;
    best = std::move(plan);
  };
  std::vector<bool> changed;
  const Plan node_plan = refine_moves(nodes.between_nodes(), kNodeGoal, &table);
  Plan between = land(table, nodes, best, node_plan, &changed);
  between = nodes.inside_nodes(between, inside, seed, changed);
  Plan last = looks > 0
                  ? exchange_moves(table, between, kFinestGoal * shortest_step_s(table), looks)
                  : refined(table, between);
  if (between.rank_of != best.rank_of) consider(between);
  if (last.rank_of != between.rank_of) consider(std::move(last));
  return pays(table, stay, outcome) ? best : plan_to_stay(table);
}

}  // namespace roam::balance
