#include "runtime/balance/fitted.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "runtime/balance/heavy_first.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/rank_tree.h"

namespace roam::balance {
namespace {

// Tried in turn, times the ideal: a higher ceiling moves less.
constexpr double kCeilings[] = {1.005, 1.03, 1.1};
// A plan that comes that near to its ceiling is not tried to be had in another way.
constexpr double kNear = 1.005;

// What can move, the longest first, but of those of about the same length what is dearest to move.
std::vector<SortedThread> dear_first(const LoadTable& table) {
  struct Keyed {
    SortedThread thread;
    int size_class;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(table.threads.size());
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    const ThreadLoad& thread = table.threads[i];
    if (thread.fixed) continue;
    keyed.push_back({{thread, static_cast<std::uint32_t>(i)}, size_class(thread.load_s)});
  }
  std::sort(keyed.begin(), keyed.end(), [](const Keyed& a, const Keyed& b) {
    if (a.size_class != b.size_class) return a.size_class > b.size_class;
    if (a.thread.bytes != b.thread.bytes) return a.thread.bytes > b.thread.bytes;
    return a.thread.index < b.thread.index;
  });
  std::vector<SortedThread> order;
  order.reserve(keyed.size());
  for (const Keyed& k : keyed) order.push_back(k.thread);
  return order;
}

class Planner {
 public:
  Planner(const LoadTable& table, double ceiling_s)
      : ceiling_s_(ceiling_s), plan_(plan_to_stay(table)), ranks_(table) {
    ranks_.add_fixed(table);
  }

  // All that fits stays, then the rest finds a place. Moves least, but what is large may find only
  // small gaps.
  Plan keep_then_place(const std::vector<SortedThread>& order) {
    std::vector<const SortedThread*> rest;
    for (const SortedThread& thread : order) {
      if (fits(thread))
        ranks_.add_load_later(thread.rank, thread.load_s);
      else
        rest.push_back(&thread);
    }
    ranks_.refresh();
    for (const SortedThread* thread : rest) place(*thread);
    return std::move(plan_);
  }

  // Each in turn stays or finds a place: what is small makes room for what is large.
  Plan keep_or_place(const std::vector<SortedThread>& order) {
    for (const SortedThread& thread : order) {
      if (fits(thread))
        ranks_.add_load(thread.rank, thread.load_s);
      else
        place(thread);
    }
    return std::move(plan_);
  }

 private:
  bool fits(const SortedThread& thread) const {
    return ranks_.end_s(thread.rank, thread.load_s) <= ceiling_s_;
  }

  void place(const SortedThread& thread) {
    const auto end_s = [&](std::int32_t rank) { return ranks_.end_s(rank, thread.load_s); };
    std::int32_t to = ranks_.earliest(thread.load_s, thread, ranks_.node_of(thread.rank));
    if (to < 0 || end_s(to) > ceiling_s_) {
      const std::int32_t far = ranks_.earliest(thread.load_s, thread, ranks_.everywhere());
      if (to < 0 || (far >= 0 && end_s(far) < end_s(to))) to = far;
    }
    if (to < 0 || end_s(thread.rank) <= end_s(to)) to = thread.rank;
    ranks_.move_bytes(thread.rank, to, thread);
    ranks_.add_load(to, thread.load_s);
    plan_.rank_of[thread.index] = to;
  }

  const double ceiling_s_;
  Plan plan_;
  RankTree ranks_;
};

}  // namespace

Plan fitted(const LoadTable& table, std::uint64_t) {
  double longest_s = 0, speed = 0;
  for (const ThreadLoad& thread : table.threads) longest_s = std::max(longest_s, thread.load_s);
  for (const RankInfo& rank : table.ranks) speed = std::max(speed, rank.speed);
  const double mean_s = ideal_step_s(table);
  // No step is shorter than its longest thread, or than what cannot leave a rank.
  RankTree fixed(table);
  fixed.add_fixed(table);
  const double ideal_s = std::max({mean_s, longest_s / speed, fixed.time_s(fixed.busiest())});

  Plan best = plan_to_stay(table);
  const Outcome start = outcome_of(table, best);
  double best_gain_s = 0;
  // Returns how long the longest rank then computes.
  const auto consider = [&](Plan plan) {
    const Outcome outcome = outcome_of(table, plan);
    const double gain_s = net_gain_s(table, start, outcome);
    if (gain_s > best_gain_s && outcome.imbalance <= start.imbalance) {
      best_gain_s = gain_s;
      best = std::move(plan);
    }
    return outcome.imbalance * mean_s;
  };
  std::vector<SortedThread> order;
  for (const double ceiling : kCeilings) {
    if (start.imbalance * mean_s <= ceiling * ideal_s) break;  // all would stay
    if (order.empty()) order = dear_first(table);
    const double ceiling_s = ceiling * ideal_s;
    if (consider(Planner(table, ceiling_s).keep_then_place(order)) <= ceiling_s * kNear) continue;
    consider(Planner(table, ceiling_s).keep_or_place(order));
  }
  return best;
}

}  // namespace roam::balance
