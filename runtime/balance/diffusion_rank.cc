#include "runtime/balance/diffusion_rank.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "runtime/balance/heavy_first.h"
#include "runtime/balance/mixed.h"

namespace roam::balance {
DiffusionRank::DiffusionRank(std::int32_t rank, const RankInfo& info,
                             const std::vector<Token>& tokens)
    : rank_(rank), info_(info) {
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
    bytes_ += token.bytes;
  }
}

double DiffusionRank::surplus_s(const Sums& giver, const Sums& taker, double goal_s) {
  const double both = giver.speed + taker.speed;
  return std::min((giver.load_s * taker.speed - taker.load_s * giver.speed) / both,
                  giver.load_s - goal_s * giver.speed);
}

std::vector<DiffusionRank::Token> DiffusionRank::give(const Sums& partner, double goal_s,
                                                      const Costs& costs) {
  double left_s = surplus_s(sums(), partner, goal_s);
  if (!(left_s > 0)) return {};

  // A token that goes home costs nothing: its thread has not moved yet.
  const auto cost_s = [&](const Token& t) {
    if (t.home == partner.rank) return 0.0;
    return costs.move_s(t.home_node != partner.node, t.bytes);
  };
  struct Candidate {
    Token token;
    int size_class;
    double cost_s;
  };
  std::vector<Candidate> candidates;
  candidates.reserve(tokens_.size());
  for (const Token& t : tokens_) candidates.push_back({t, size_class(t.load_s), cost_s(t)});
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.size_class != b.size_class) return a.size_class > b.size_class;
    if (a.cost_s != b.cost_s) return a.cost_s < b.cost_s;
    return a.token.thread < b.token.thread;
  });

  std::uint64_t room = partner.room_bytes;
  std::vector<Token> given;
  const auto may_go = [&](const Candidate& c) {
    return !c.token.fixed && c.token.load_s > 0 && c.token.bytes <= room &&
           costs.steps * c.token.load_s / info_.speed > c.cost_s;
  };
  // The last one that goes may be larger than what is left, if the pair is better off with it.
  const Candidate* last = nullptr;
  for (const Candidate& c : candidates) {
    if (!may_go(c)) continue;
    if (c.token.load_s <= left_s) {
      given.push_back(c.token);
      left_s -= c.token.load_s;
      room -= c.token.bytes;
    } else if (last == nullptr || c.token.load_s < last->token.load_s) {
      last = &c;
    }
  }
  if (last != nullptr && may_go(*last)) {
    double given_s = last->token.load_s;
    for (const Token& token : given) given_s += token.load_s;
    const double without_s = (load_s_ - given_s + last->token.load_s) / info_.speed;
    const double partner_s = (partner.load_s + given_s) / partner.speed;
    if (without_s > goal_s && partner_s < without_s) given.push_back(last->token);
  }
  if (!given.empty()) drop(given);
  return given;
}

void DiffusionRank::drop(std::vector<Token>& given) {
  const auto by_thread = [](const Token& a, const Token& b) { return a.thread < b.thread; };
  std::sort(given.begin(), given.end(), by_thread);
  std::erase_if(tokens_, [&](const Token& token) {
    return std::binary_search(given.begin(), given.end(), token, by_thread);
  });
  // Summed anew, so that rounding does not pile up.
  load_s_ = 0;
  bytes_ = 0;
  for (const Token& token : tokens_) {
    load_s_ += token.load_s;
    bytes_ += token.bytes;
  }
}

int DiffusionRank::rounds_of_sweep(std::int32_t ranks) {
  return std::bit_width(static_cast<std::uint32_t>(ranks) - 1);
}

std::int32_t DiffusionRank::partner(std::int32_t rank, std::int32_t ranks, int round,
                                    std::uint64_t seed) {
  const int dimensions = rounds_of_sweep(ranks);
  if (dimensions == 0) return -1;
  std::uint64_t flip = std::uint64_t{1} << (round % dimensions);
  if (round >= dimensions) {
    flip = mixed(seed + static_cast<std::uint64_t>(round)) & ((std::uint64_t{1} << dimensions) - 1);
  }
  // Flipping the same bits leads back: partners agree.
  const std::uint64_t other = static_cast<std::uint64_t>(rank) ^ flip;
  const bool exists = flip != 0 && other < static_cast<std::uint64_t>(ranks);
  return exists ? static_cast<std::int32_t>(other) : -1;
}

}  // namespace roam::balance
