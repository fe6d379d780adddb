#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "runtime/balance/heavy_first.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/rank_tree.h"
#include "runtime/balance/strategy.h"

namespace roam::balance {
namespace {

// Tried in turn, times the ideal: a higher ceiling moves less.
constexpr double kCeilings[] = {1.005, 1.02, 1.05, 1.15};

// Threads by rank; of a rank, the octave of the load falls, and inside it what a move sends.
std::vector<std::uint32_t> dear_first(const LoadTable& table) {
  std::vector<std::uint32_t> order(table.threads.size());
  std::iota(order.begin(), order.end(), 0);
  std::vector<int> octaves(table.threads.size());
  for (std::size_t i = 0; i < octaves.size(); ++i) octaves[i] = octave(table.threads[i].load_s);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const ThreadLoad &x = table.threads[a], &y = table.threads[b];
    if (x.rank != y.rank) return x.rank < y.rank;
    if (octaves[a] != octaves[b]) return octaves[a] > octaves[b];
    if (x.bytes != y.bytes) return x.bytes > y.bytes;
    return x.load_s != y.load_s ? x.load_s > y.load_s : a < b;
  });
  return order;
}

// Threads that fit under the ceiling stay, in the order of `dear`; the others go, in the order of
// `heavy`.
Plan plan_under(const LoadTable& table, double ceiling_s, const std::vector<std::uint32_t>& dear,
                const std::vector<std::uint32_t>& heavy) {
  Plan plan = plan_to_stay(table);
  RankTree ranks(table);
  std::vector<double> kept_s(table.ranks.size());
  std::vector<bool> goes(table.threads.size());
  for (const std::uint32_t i : dear) {
    const ThreadLoad& thread = table.threads[i];
    const auto r = static_cast<std::size_t>(thread.rank);
    goes[i] = kept_s[r] + thread.load_s > ceiling_s * table.ranks[r].speed;
    if (!goes[i]) kept_s[r] += thread.load_s;
  }
  for (std::size_t r = 0; r < kept_s.size(); ++r) {
    ranks.add_load(static_cast<std::int32_t>(r), kept_s[r]);
  }
  for (const std::uint32_t i : heavy) {
    if (!goes[i]) continue;
    const ThreadLoad& thread = table.threads[i];
    const auto end_s = [&](std::int32_t rank) {
      return ranks.time_s(rank) + thread.load_s / ranks.speed(rank);
    };
    const std::int32_t near =
        ranks.earliest(thread.load_s, thread.bytes, ranks.node_of(thread.rank));
    std::int32_t to = near;
    if (near < 0 || end_s(near) > ceiling_s) {
      to = ranks.earliest(thread.load_s, thread.bytes, ranks.everywhere());
      if (near >= 0 && end_s(near) <= end_s(to)) to = near;
    }
    if (to < 0 || end_s(thread.rank) <= end_s(to)) to = thread.rank;
    ranks.move_bytes(thread.rank, to, thread.bytes);
    ranks.add_load(to, thread.load_s);
    plan.rank_of[i] = to;
  }
  return plan;
}

}  // namespace

Plan greedy_refine(const LoadTable& table, std::uint64_t) {
  check_table(table);
  double longest_s = 0, speed = 0;
  for (const ThreadLoad& thread : table.threads) longest_s = std::max(longest_s, thread.load_s);
  for (const RankInfo& rank : table.ranks) speed = std::max(speed, rank.speed);
  // No step is shorter than its longest thread.
  const double ideal_s = std::max(ideal_step_s(table), longest_s / speed);
  const std::vector<std::uint32_t> dear = dear_first(table), heavy = heavy_first(table);

  Plan best = plan_to_stay(table);
  const Outcome start = outcome_of(table, best);
  double best_gain_s = 0;
  for (const double ceiling : kCeilings) {
    if (start.imbalance * ideal_step_s(table) <= ceiling * ideal_s) break;  // all would stay
    Plan plan = plan_under(table, ceiling * ideal_s, dear, heavy);
    const Outcome outcome = outcome_of(table, plan);
    const double gain_s = net_gain_s(table, start, outcome);
    if (gain_s <= best_gain_s || outcome.imbalance > start.imbalance) continue;
    best_gain_s = gain_s;
    best = std::move(plan);
  }
  return best;
}

}  // namespace roam::balance
