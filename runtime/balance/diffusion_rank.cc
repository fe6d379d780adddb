#include "runtime/balance/diffusion_rank.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "runtime/balance/heavy_first.h"

namespace roam::balance {

DiffusionRank::DiffusionRank(std::int32_t rank, const RankInfo& info, std::vector<Token> tokens)
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

std::vector<DiffusionRank::Token> DiffusionRank::give(const Sums& partner, const Costs& costs) {
  const double both = info_.speed + partner.speed;
  double surplus_s = (load_s_ * partner.speed - partner.load_s * info_.speed) / both;
  if (!(surplus_s > 0)) return {};

  // A token that goes home costs nothing: its thread has not moved yet.
  const auto cost_s = [&](const Token& t) {
    if (t.home == partner.rank) return 0.0;
    return costs.move_s(t.home_node != partner.node, t.bytes);
  };
  struct Candidate {
    Token token;
    int octave;
    double cost_s;
  };
  std::vector<Candidate> candidates, kept;
  candidates.reserve(tokens_.size());
  for (const Token& t : tokens_) candidates.push_back({t, octave(t.load_s), cost_s(t)});
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.octave != b.octave) return a.octave > b.octave;
    if (a.cost_s != b.cost_s) return a.cost_s < b.cost_s;
    return a.token.thread < b.token.thread;
  });

  std::uint64_t room = partner.room_bytes;
  std::vector<Token> given;
  const auto may_go = [&](const Candidate& c) {
    return c.token.load_s > 0 && c.token.bytes <= room &&
           costs.steps * c.token.load_s / info_.speed > c.cost_s;
  };
  // The last one that goes may be larger than what is left, if the pair is better off with it.
  const Candidate* last = nullptr;
  for (const Candidate& c : candidates) {
    if (!may_go(c)) continue;
    if (c.token.load_s <= surplus_s) {
      given.push_back(c.token);
      surplus_s -= c.token.load_s;
      room -= c.token.bytes;
    } else if (last == nullptr || c.token.load_s < last->token.load_s) {
      last = &c;
    }
  }
  if (last != nullptr && may_go(*last)) {
    // Times of the two, less what both have in common.
    const double here_s = surplus_s / info_.speed;
    const double there_s = (last->token.load_s - surplus_s) / partner.speed;
    if (there_s < here_s) given.push_back(last->token);
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

std::int32_t DiffusionRank::partner(std::int32_t rank, std::int32_t ranks, int round) {
  const int dimensions = rounds_of_sweep(ranks);
  if (dimensions == 0) return -1;
  const std::int64_t other = std::int64_t{rank} ^ (std::int64_t{1} << (round % dimensions));
  return other < ranks ? static_cast<std::int32_t>(other) : -1;
}

}  // namespace roam::balance
