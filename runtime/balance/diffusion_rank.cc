#include "runtime/balance/diffusion_rank.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <numeric>
#include <utility>

#include "runtime/balance/heavy_first.h"
#include "runtime/balance/mixed.h"
#include "runtime/balance/pair_division.h"

namespace roam::balance {
namespace {

int dimensions_of(std::int32_t ranks) {
  return std::bit_width(static_cast<std::uint32_t>(ranks) - 1);
}

// In so many rounds each rank can meet each other once.
std::int32_t matchings_of(std::int32_t ranks) { return ranks - 1 + ranks % 2; }

// Which of them a round is: by chance; of few, none again before all have been.
std::int32_t matching(int round, std::int32_t count, std::uint64_t seed) {
  constexpr std::uint64_t kFew = 64;
  const auto all = static_cast<std::uint64_t>(count);
  const auto at = static_cast<std::uint64_t>(round) % all;
  if (all > kFew) return static_cast<std::int32_t>(mixed(seed + at) % all);
  std::array<std::int32_t, kFew> order;
  std::iota(order.begin(), order.end(), 0);
  for (std::uint64_t k = 0; k <= at; ++k)
    std::swap(order[k], order[k + mixed(seed + k) % (all - k)]);
  return order[at];
}

}  // namespace

DiffusionRank::DiffusionRank(std::int32_t rank, const RankInfo& info,
                             const std::vector<Token>& tokens,
                             std::span<const std::uint64_t> block_bytes)
    : rank_(rank), info_(info), block_bytes_(block_bytes) {
  take(tokens);
}

DiffusionRank::Sums DiffusionRank::sums() const {
  const std::uint64_t taken = info_.used_bytes + bytes_;
  const std::uint64_t room = info_.memory_bytes == 0
                                 ? std::numeric_limits<std::uint64_t>::max()
                                 : info_.memory_bytes - std::min(info_.memory_bytes, taken);
  return {rank_, info_.node, load_s_, info_.speed, room};
}

void DiffusionRank::take(const std::vector<Token>& tokens) {
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  for (const Token& token : tokens) {
    load_s_ += token.load_s;
    add_bytes(token);
  }
}

void DiffusionRank::add_bytes(const Token& token) {
  bytes_ += token.bytes;
  if (token.block >= 0 && !block_bytes_.empty() && sharers_[token.block]++ == 0)
    bytes_ += block_bytes_[static_cast<std::size_t>(token.block)];
}

void DiffusionRank::keep(std::vector<Token> tokens) {
  tokens_.clear();
  load_s_ = 0;  // summed anew, so that rounding does not pile up
  bytes_ = 0;
  sharers_.clear();
  take(tokens);
}

double DiffusionRank::surplus_s(const Sums& giver, const Sums& taker, double goal_s) {
  const double both = giver.speed + taker.speed;
  return std::min((giver.load_s * taker.speed - taker.load_s * giver.speed) / both,
                  giver.load_s - goal_s * giver.speed);
}

std::vector<DiffusionRank::Token> DiffusionRank::offer(const Sums& taker, double goal_s,
                                                       const Costs& costs) {
  std::vector<Token> offered, kept;
  if (!block_bytes_.empty()) {
    offered.swap(tokens_);
  } else {
    offered.reserve(tokens_.size());
    for (const Token& t : tokens_) (!t.fixed && t.load_s > 0 ? offered : kept).push_back(t);
    if (offered.size() > kMostOffered) {
      const std::vector<Token> others = choose(offered, taker, goal_s, costs);
      kept.insert(kept.end(), others.begin(), others.end());
    }
  }
  keep(std::move(kept));
  return offered;
}

std::vector<DiffusionRank::Token> DiffusionRank::choose(std::vector<Token>& tokens,
                                                        const Sums& taker, double goal_s,
                                                        const Costs& costs) const {
  struct Candidate {
    Token token;
    int size_class;
    double more_s;
  };
  const Sums own = sums();
  std::vector<Candidate> candidates;
  candidates.reserve(tokens.size());
  for (const Token& t : tokens)
    candidates.push_back(
        {t, size_class(t.load_s), cost_s(t, taker, costs) - cost_s(t, own, costs)});
  // As PairDivision gives in bulk: what does not pay or fit stands in nobody's way.
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.size_class != b.size_class) return a.size_class > b.size_class;
    return a.more_s != b.more_s ? a.more_s < b.more_s : a.token.thread < b.token.thread;
  });
  tokens.clear();
  std::vector<Token> rest, others;
  double left_s = surplus_s(own, taker, goal_s);
  std::uint64_t room = taker.room_bytes;
  for (const auto& [token, size_class, more_s] : candidates) {
    if (left_s > 0 && pays(token.load_s, own.speed, more_s, costs) && token.bytes <= room) {
      tokens.push_back(token);
      left_s -= token.load_s;
      room -= token.bytes;
    } else {
      rest.push_back(token);
    }
  }
  const std::size_t stride = (rest.size() + kMostOffered - 1) / kMostOffered;
  for (std::size_t k = 0; k < rest.size(); ++k)
    (k % stride == 0 ? tokens : others).push_back(rest[k]);
  return others;
}

std::vector<DiffusionRank::Token> DiffusionRank::divide(const Sums& giver,
                                                        std::vector<Token> offered, double goal_s,
                                                        const Costs& costs) {
  PairDivision pair(giver, sums(), goal_s, costs, block_bytes_);
  pair.reserve(offered.size() + tokens_.size());
  for (const Token& token : offered) pair.add(0, token);
  for (const Token& token : tokens_) pair.add(1, token);
  if (!pair.divide()) return offered;
  std::vector<Token> of_giver, own;
  of_giver.reserve(offered.size() + tokens_.size());
  own.reserve(offered.size() + tokens_.size());
  pair.for_each(
      [&](int side, const Token& token) { (side == 0 ? of_giver : own).push_back(token); });
  keep(std::move(own));
  return of_giver;
}

void DiffusionRank::meet(DiffusionRank& a, DiffusionRank& b, double goal_s, const Costs& costs) {
  const Sums of_a = a.sums(), of_b = b.sums();
  if (surplus_s(of_a, of_b, goal_s) > 0)
    a.take(b.divide(of_a, a.offer(of_b, goal_s, costs), goal_s, costs));
  else if (surplus_s(of_b, of_a, goal_s) > 0)
    b.take(a.divide(of_b, b.offer(of_a, goal_s, costs), goal_s, costs));
}

int DiffusionRank::rounds(std::int32_t ranks) {
  return dimensions_of(ranks) + std::min(2 * matchings_of(ranks), kMostByChance);
}

std::int32_t DiffusionRank::partner(std::int32_t rank, std::int32_t ranks, int round,
                                    std::uint64_t seed) {
  if (ranks < 2) return -1;
  if (const int dimensions = dimensions_of(ranks); round < dimensions) {
    const std::int32_t other = rank ^ (std::int32_t{1} << round);
    return other < ranks ? other : -1;
  } else {
    round -= dimensions;
  }
  // Who meet has a sum that all know, modulo an odd number. The last of an even number of ranks has
  // no part in that: it meets who would meet itself.
  const std::int32_t count = matchings_of(ranks);
  const std::int32_t sum = matching(round, count, seed);
  const std::int32_t alone = sum % 2 == 0 ? sum / 2 : (sum + count) / 2;
  if (rank == count) return alone;
  if (rank == alone) return count < ranks ? count : -1;
  return (sum - rank + count) % count;
}

}  // namespace roam::balance
