#include "runtime/balance/refine_moves.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "runtime/balance/heavy_first.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/rank_tree.h"
#include "runtime/balance/size_index.h"

namespace roam::balance {
namespace {

// What is looked at for one move: so many threads of a class, the cheapest first, and so many
// classes, beginning with that of the right size.
constexpr int kThreads = 4;
constexpr int kClasses = 3;
constexpr int kTwice = 4;  // classes up, a load is twice as large

// Who sends to each thread; its own edges are in the table. Only a few ranks' threads are asked
// for: the others are looked up when they are.
class Senders {
 public:
  // `table` has the threads' places, `edges` what they send.
  Senders(const LoadTable& table, const LoadTable& edges)
      : table_(table), edges_of_(edges), known_(table.ranks.size()) {}

  // Those of the threads of `ranks` will be asked for.
  void look_up(const std::vector<bool>& ranks) {
    known_ = ranks;
    const auto wanted = [&](std::uint32_t thread) {
      return ranks[static_cast<std::size_t>(table_.threads[thread].rank)];
    };
    begin_.assign(table_.threads.size() + 1, 0);
    for (const Edge& edge : edges_of_.edges) begin_[edge.to + 1] += wanted(edge.to);
    for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
    edges_.resize(begin_.back());
    std::vector<std::size_t> end(begin_);
    for (std::size_t i = 0; i < table_.threads.size(); ++i) {
      for (const Edge& edge : edges_of_.edges_of(i)) {
        if (!wanted(edge.to)) continue;
        edges_[end[edge.to]++] = {static_cast<std::uint32_t>(i), edge.bytes, edge.messages};
      }
    }
  }
  std::span<const Edge> of(std::size_t thread) {
    if (!known_[static_cast<std::size_t>(table_.threads[thread].rank)])
      look_up(std::vector<bool>(known_.size(), true));
    return {edges_.data() + begin_[thread], edges_.data() + begin_[thread + 1]};
  }

 private:
  const LoadTable& table_;
  const LoadTable& edges_of_;
  std::vector<bool> known_;  // ranks
  std::vector<std::size_t> begin_;
  std::vector<Edge> edges_;
};

class Refiner {
 public:
  // REQUIRES: some rank is above the ceiling.
  Refiner(const LoadTable& table, double ceiling_s, const LoadTable& edges)
      : table_(table),
        edges_(edges),
        ceiling_s_(ceiling_s),
        plan_(plan_to_stay(table)),
        ranks_(table),
        sizes_(table),
        senders_(table, edges),
        spent_s_(table.ranks.size()) {
    ranks_.add_loads(table);
    if (!edges.has_edges()) return;
    std::vector<bool> busy(table.ranks.size());
    for (std::size_t r = 0; r < busy.size(); ++r)
      busy[r] = ranks_.time_s(static_cast<std::int32_t>(r)) > ceiling_s_;
    senders_.look_up(busy);
  }

  Plan run() {
    const double start_s = ranks_.time_s(ranks_.busiest());
    double best_gain_s = 0, longest_spent_s = 0;
    std::size_t keep = 0;
    while (const Move move = best_move()) {
      carry_out(move);
      longest_spent_s =
          std::max({longest_spent_s, spent_s_[index(move.from)], spent_s_[index(move.to)]});
      const double gain_s =
          table_.costs.steps * (start_s - ranks_.time_s(ranks_.busiest())) - longest_spent_s;
      if (gain_s <= best_gain_s) continue;
      best_gain_s = gain_s;
      keep = moved_.size();
    }
    for (std::size_t i = keep; i < moved_.size(); ++i) {
      plan_.rank_of[moved_[i]] = table_.threads[moved_[i]].rank;
    }
    return std::move(plan_);
  }

 private:
  struct Move {
    std::size_t place = SizeIndex::kNone;  // of the thread
    std::int32_t from = -1, to = -1;
    double cost_s = 0;
    double gain_s = -1e300;
    explicit operator bool() const { return to >= 0; }
  };
  static std::size_t index(std::int32_t rank) { return static_cast<std::size_t>(rank); }

  // Of those off the busiest rank; none where it is within the ceiling or nothing helps.
  Move best_move() {
    const std::int32_t from = ranks_.busiest();
    const double time_s = ranks_.time_s(from);
    if (time_s <= ceiling_s_) return {};
    const std::int32_t to = ranks_.earliest(0, 0, ranks_.everywhere());
    // What brings `from` to the ceiling, and what evens out both.
    const double speed = ranks_.speed(from), other = ranks_.speed(to);
    const double excess_s = ranks_.load_s(from) - ceiling_s_ * speed;
    const double even_s =
        (ranks_.load_s(from) * other - ranks_.load_s(to) * speed) / (speed + other);

    const int right = size_class(std::min(excess_s, even_s)) + 1;
    Move best = best_of_classes(from, right, SizeIndex::kNoClass);
    // Larger ones are of use up to twice of what evens out.
    if (!best) best = best_of_classes(from, size_class(even_s) + kTwice + 1, right);
    return best;
  }

  // Looks into classes from `top` down until a good one is found, but not at `bottom` or below.
  Move best_of_classes(std::int32_t from, int top, int bottom) {
    Move best;
    int looked = 0;
    for (int c = top; (looked < kClasses || !best); --c, ++looked) {
      c = sizes_.class_up_to(from, c);
      if (c <= bottom) break;
      std::size_t place = sizes_.cheapest(from, c);
      for (int i = 0; i < kThreads && place != SizeIndex::kNone; ++i) {
        look_at(place, from, best);
        place = sizes_.next(from, place);
      }
    }
    return best;
  }

  // Makes `best` the move of the thread at `place` if that is better: to its own node if there is
  // room below the ceiling, or anywhere.
  void look_at(std::size_t place, std::int32_t from, Move& best) {
    const ThreadLoad& thread = table_.threads[sizes_.thread_at(place)];
    const auto consider = [&](std::int32_t to) {
      if (to < 0 || to == from) return;
      const Move move = judged(place, from, to);
      if (move && move.gain_s > best.gain_s) best = move;
    };
    const std::int32_t near = ranks_.earliest(thread.load_s, thread, ranks_.node_of(from));
    if (near >= 0 && ranks_.end_s(near, thread.load_s) <= ceiling_s_) consider(near);
    consider(ranks_.earliest(thread.load_s, thread, ranks_.everywhere()));
  }

  Move judged(std::size_t place, std::int32_t from, std::int32_t to) {
    const std::uint32_t i = sizes_.thread_at(place);
    const ThreadLoad& thread = table_.threads[i];
    const double before_s = ranks_.time_s(from);
    const double after_s = std::max((ranks_.load_s(from) - thread.load_s) / ranks_.speed(from),
                                    (ranks_.load_s(to) + thread.load_s) / ranks_.speed(to));
    const double cost_s = table_.costs.move_s(!table_.same_node(from, to), thread.bytes);
    // What takes longer to move than it computes in all its steps can never pay.
    const bool may_pay = table_.costs.steps * thread.load_s / ranks_.speed(from) > cost_s;
    if (!(after_s < before_s) || !may_pay) return {};
    const double relief_s = before_s - std::max(after_s, ceiling_s_) - more_messages_s(i, from, to);
    return {place, from, to, cost_s, table_.costs.steps * relief_s - cost_s};
  }

  // Seconds a step of messages between nodes that the move of thread `i` adds.
  double more_messages_s(std::uint32_t i, std::int32_t from, std::int32_t to) {
    if (!edges_.has_edges() || table_.same_node(from, to)) return 0;
    double more_s = 0;
    for (const std::span<const Edge> edges : {edges_.edges_of(i), senders_.of(i)}) {
      for (const Edge& edge : edges) {
        if (edge.to == i) continue;
        const std::int32_t other = plan_.rank_of[edge.to];
        more_s += (table_.same_node(other, from) - table_.same_node(other, to)) *
                  table_.costs.comm_s(edge);
      }
    }
    return more_s;
  }

  void carry_out(const Move& move) {
    const std::uint32_t i = sizes_.thread_at(move.place);
    sizes_.take_out(move.place);
    ranks_.move_bytes(move.from, move.to, table_.threads[i]);
    ranks_.add_load(move.from, -table_.threads[i].load_s);
    ranks_.add_load(move.to, table_.threads[i].load_s);
    spent_s_[index(move.from)] += move.cost_s;
    spent_s_[index(move.to)] += move.cost_s;
    plan_.rank_of[i] = move.to;
    moved_.push_back(i);
  }

  const LoadTable& table_;
  const LoadTable& edges_;
  const double ceiling_s_;
  Plan plan_;
  RankTree ranks_;
  SizeIndex sizes_;
  Senders senders_;
  std::vector<double> spent_s_;  // of each rank, in moves
  std::vector<std::uint32_t> moved_;
};

}  // namespace

LoadTable places_of(const LoadTable& table, const Plan& plan) {
  LoadTable now;
  now.threads = table.threads;
  now.ranks = table.ranks;
  now.block_bytes = table.block_bytes;
  now.costs = table.costs;
  for (std::size_t i = 0; i < plan.rank_of.size(); ++i) now.threads[i].rank = plan.rank_of[i];
  return now;
}

Plan refine_moves(const LoadTable& table, double goal, const LoadTable* edges) {
  Plan stay = plan_to_stay(table);
  const double ideal_s = ideal_step_s(table);
  if (!(imbalance_of(table, stay) * ideal_s > goal * ideal_s)) return stay;
  return Refiner(table, goal * ideal_s, edges != nullptr ? *edges : table).run();
}

}  // namespace roam::balance
