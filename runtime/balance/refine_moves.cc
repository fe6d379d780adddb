#include "runtime/balance/refine_moves.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/balance/outcome.h"
#include "runtime/balance/rank_tree.h"
#include "runtime/balance/size_index.h"

namespace roam::balance {
namespace {

constexpr int kWindow = 4;  // threads looked at on each side of the right size
// Looks at further threads of a rank, in all, per thread of the table: bounds the time that goes
// into ranks whose threads are too dear or find no room.
constexpr std::size_t kFurtherLooks = 4;

// Who sends to each thread; its own edges are in the table.
class Senders {
 public:
  explicit Senders(const LoadTable& table) {
    if (!table.has_edges()) return;
    begin_.resize(table.threads.size() + 1);
    for (const Edge& edge : table.edges) ++begin_[edge.to + 1];
    for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
    edges_.resize(table.edges.size());
    std::vector<std::size_t> end(begin_);
    for (std::size_t i = 0; i < table.threads.size(); ++i) {
      for (const Edge& edge : table.edges_of(i)) {
        edges_[end[edge.to]++] = {static_cast<std::uint32_t>(i), edge.bytes, edge.messages};
      }
    }
  }
  std::span<const Edge> of(std::size_t thread) const {
    if (edges_.empty()) return {};
    return {edges_.data() + begin_[thread], edges_.data() + begin_[thread + 1]};
  }

 private:
  std::vector<std::size_t> begin_;
  std::vector<Edge> edges_;
};

class Refiner {
 public:
  Refiner(const LoadTable& table, double goal)
      : table_(table),
        ceiling_s_(goal * ideal_step_s(table)),
        plan_(plan_to_stay(table)),
        ranks_(table),
        sizes_(table),
        senders_(table),
        spent_s_(table.ranks.size()),
        looks_left_(kFurtherLooks * table.threads.size()) {
    for (const ThreadLoad& thread : table.threads) ranks_.add_load(thread.rank, thread.load_s);
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
    const double size_s = std::min(excess_s, even_s);

    Move best;
    std::size_t up = sizes_.at_least(from, size_s), down = sizes_.below(from, size_s);
    const auto look_further = [&](int looks) {
      for (; looks > 0 && (up != SizeIndex::kNone || down != SizeIndex::kNone); --looks) {
        if (up != SizeIndex::kNone) {
          look_at(up, from, best);
          up = sizes_.above(from, up);
        }
        if (down != SizeIndex::kNone) {
          look_at(down, from, best);
          down = sizes_.before(from, down);
        }
      }
    };
    look_further(kWindow);
    while (!best && looks_left_ > 0 && (up != SizeIndex::kNone || down != SizeIndex::kNone)) {
      look_further(1);
      --looks_left_;
    }
    return best;
  }

  // Makes `best` the move of the thread at `place` to its own node or anywhere, if that is better.
  void look_at(std::size_t place, std::int32_t from, Move& best) {
    const ThreadLoad& thread = table_.threads[sizes_.thread_at(place)];
    const std::int32_t near = ranks_.earliest(thread.load_s, thread.bytes, ranks_.node_of(from));
    const std::int32_t far = ranks_.earliest(thread.load_s, thread.bytes, ranks_.everywhere());
    for (const std::int32_t to : {near, far}) {
      if (to < 0 || to == from) continue;
      const Move move = judged(place, from, to);
      if (move && move.gain_s > best.gain_s) best = move;
    }
  }

  Move judged(std::size_t place, std::int32_t from, std::int32_t to) const {
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
  double more_messages_s(std::uint32_t i, std::int32_t from, std::int32_t to) const {
    if (!table_.has_edges() || table_.same_node(from, to)) return 0;
    double more_s = 0;
    for (const std::span<const Edge> edges : {table_.edges_of(i), senders_.of(i)}) {
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
    ranks_.move_bytes(move.from, move.to, table_.threads[i].bytes);
    ranks_.add_load(move.from, -table_.threads[i].load_s);
    ranks_.add_load(move.to, table_.threads[i].load_s);
    spent_s_[index(move.from)] += move.cost_s;
    spent_s_[index(move.to)] += move.cost_s;
    plan_.rank_of[i] = move.to;
    moved_.push_back(i);
  }

  const LoadTable& table_;
  const double ceiling_s_;
  Plan plan_;
  RankTree ranks_;
  SizeIndex sizes_;
  Senders senders_;
  std::vector<double> spent_s_;  // of each rank, in moves
  std::vector<std::uint32_t> moved_;
  std::size_t looks_left_;
};

}  // namespace

Plan refine_moves(const LoadTable& table, double goal) { return Refiner(table, goal).run(); }

}  // namespace roam::balance
