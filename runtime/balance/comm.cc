#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "runtime/balance/graph.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/refine_moves.h"
#include "runtime/balance/strategy.h"
#include "runtime/balance/within_limits.h"

namespace roam::balance {
namespace {

// More parts are cut in stages: METIS takes 25 s to cut a million threads in 65,536 parts at once,
// and 1.1 s in 1,024 (2026-11).
constexpr std::size_t kMostParts = 1024;
// Up to here the cut is in halves again and again: 961 threads in 64 parts take 3.6 ms in place of
// 14, and less is cut.
constexpr std::size_t kFewParts = 64;
// Where a few moves win that part of what can be won, the graph is not cut.
constexpr double kEnough = 0.95;

using Ranks = std::vector<std::int32_t>;

// Gives each part of a graph to ranks, until each has one rank.
class Cutter {
  static constexpr std::size_t kNoGroup = ~std::size_t{0};

 public:
  Cutter(const LoadTable& table, std::uint64_t seed)
      : table_(table),
        seed_(seed),
        plan_(plan_to_stay(table)),
        group_at_(table.ranks.size(), kNoGroup) {}

  Plan run() {
    Ranks ranks(table_.ranks.size());
    std::iota(ranks.begin(), ranks.end(), 0);
    std::stable_sort(ranks.begin(), ranks.end(),
                     [&](std::int32_t a, std::int32_t b) { return info(a).node < info(b).node; });
    give(graph_of(table_), ranks);
    return std::move(plan_);
  }

 private:
  const RankInfo& info(std::int32_t rank) const {
    return table_.ranks[static_cast<std::size_t>(rank)];
  }

  void give(const Graph& graph, const Ranks& ranks) {
    if (ranks.size() == 1 || graph.size() == 0) {
      for (const std::uint32_t thread : graph.thread) {
        if (!table_.threads[thread].fixed) plan_.rank_of[thread] = ranks[0];
      }
      return;
    }
    const std::vector<Ranks> groups = groups_of(ranks, graph);
    std::vector<double> shares;
    shares.reserve(groups.size());
    for (const Ranks& group : groups) shares.push_back(speed_of(group));
    const std::vector<std::int32_t> part =
        graph.size() < groups.size() ? deal(graph) : partition(graph, shares, seed_);
    const std::vector<Graph> pieces = cut_graph(graph, part, groups.size());
    const std::vector<std::size_t> group_of = groups_for(pieces, groups, shares);
    for (std::size_t k = 0; k < pieces.size(); ++k) give(pieces[k], groups[group_of[k]]);
  }

  // Fewer threads than groups: one each.
  static std::vector<std::int32_t> deal(const Graph& graph) {
    std::vector<std::int32_t> part(graph.size());
    std::iota(part.begin(), part.end(), 0);
    return part;
  }

  double speed_of(const Ranks& ranks) const {
    double speed = 0;
    for (const std::int32_t rank : ranks) speed += info(rank).speed;
    return speed;
  }

  // Nodes, or the ranks of one; put together where they are too many for one cut.
  std::vector<Ranks> groups_of(const Ranks& ranks, const Graph& graph) const {
    std::vector<Ranks> groups;
    const bool one_node = info(ranks.front()).node == info(ranks.back()).node;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      const bool begins = i == 0 || one_node || info(ranks[i]).node != info(ranks[i - 1]).node;
      if (begins) groups.push_back({});
      groups.back().push_back(ranks[i]);
    }
    const std::size_t parts = std::min(groups.size(), kMostParts);
    const std::size_t most = parts > kFewParts && can_cut(graph, parts) ? parts : 2;
    if (groups.size() <= most) return groups;
    std::vector<Ranks> merged(most);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      Ranks& into = merged[g * most / groups.size()];
      into.insert(into.end(), groups[g].begin(), groups[g].end());
    }
    return merged;
  }

  // Which group each piece goes to: of equally fast groups, the one where most of it is already.
  std::vector<std::size_t> groups_for(const std::vector<Graph>& pieces,
                                      const std::vector<Ranks>& groups,
                                      const std::vector<double>& shares) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      for (const std::int32_t rank : groups[g]) group_at_[static_cast<std::size_t>(rank)] = g;
    }
    struct Overlap {
      double saved_s;
      std::size_t piece, group;
    };
    std::vector<Overlap> overlaps;
    for (std::size_t k = 0; k < pieces.size(); ++k) {
      std::map<std::size_t, double> saved_s;
      for (const std::uint32_t i : pieces[k].thread) {
        const ThreadLoad& thread = table_.threads[i];
        const std::size_t g = group_at_[static_cast<std::size_t>(thread.rank)];
        if (g == kNoGroup || shares[g] != shares[k]) continue;
        saved_s[g] += table_.costs.move_s(true, thread.bytes);
        // What cannot move is here anyway, so it had better be among those that it was cut with.
        if (thread.fixed) saved_s[g] += table_.costs.steps * thread.load_s;
      }
      for (const auto& [group, s] : saved_s) overlaps.push_back({s, k, group});
    }
    for (const Ranks& group : groups) {
      for (const std::int32_t rank : group) group_at_[static_cast<std::size_t>(rank)] = kNoGroup;
    }
    std::sort(overlaps.begin(), overlaps.end(), [](const Overlap& a, const Overlap& b) {
      if (a.saved_s != b.saved_s) return a.saved_s > b.saved_s;
      return std::pair(a.piece, a.group) < std::pair(b.piece, b.group);
    });
    return matched(overlaps, shares);
  }

  // The overlaps in their order, as far as piece and group are free; then whatever is left, among
  // equally fast groups.
  template <class Overlaps>
  static std::vector<std::size_t> matched(const Overlaps& overlaps,
                                          const std::vector<double>& shares) {
    const std::size_t none = shares.size();
    std::vector<std::size_t> group_of(shares.size(), none);
    std::vector<bool> taken(shares.size());
    for (const auto& overlap : overlaps) {
      if (group_of[overlap.piece] != none || taken[overlap.group]) continue;
      group_of[overlap.piece] = overlap.group;
      taken[overlap.group] = true;
    }
    std::map<double, std::vector<std::size_t>> free;
    for (std::size_t g = shares.size(); g-- > 0;) {
      if (!taken[g]) free[shares[g]].push_back(g);
    }
    for (std::size_t k = 0; k < shares.size(); ++k) {
      if (group_of[k] != none) continue;
      group_of[k] = free[shares[k]].back();
      free[shares[k]].pop_back();
    }
    return group_of;
  }

  const LoadTable& table_;
  const std::uint64_t seed_;
  Plan plan_;
  std::vector<std::size_t> group_at_;  // of each rank, within groups_for; else kNoGroup
};

}  // namespace

Plan comm(const LoadTable& table, std::uint64_t seed) {
  check_table(table);
  const Plan few = refine_moves(table, kRefineGoal);
  const Outcome stay = outcome_of(table, plan_to_stay(table));
  const Outcome few_out = outcome_of(table, few);
  const double few_gain_s = net_gain_s(table, stay, few_out);
  // No plan wins more than all that is above the ideal.
  const double most_gain_s = table.costs.steps * (stay.step_s - ideal_step_s(table));
  if (!table.has_edges() || few_gain_s >= kEnough * most_gain_s)
    return pays(table, stay, few_out) ? few : plan_to_stay(table);
  const Plan whole = within_limits(table, Cutter(table, seed).run());
  const Plan cut = refine_moves(places_of(table, whole), kRefineGoal, &table);
  const Outcome cut_out = outcome_of(table, cut);
  const bool anew = net_gain_s(table, stay, cut_out) > few_gain_s;
  if (!pays(table, stay, anew ? cut_out : few_out, kCommImbalance)) return plan_to_stay(table);
  return anew ? cut : few;
}

}  // namespace roam::balance
