#ifndef ROAM_RUNTIME_BALANCE_DIFFUSION_RANK_H_
#define ROAM_RUNTIME_BALANCE_DIFFUSION_RANK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// One rank's side of the diffusion strategy; all that it knows is here. A round: each rank sends
// its sums to its partner. If one of them has a surplus, it offers tokens; the partner divides
// these and its own anew, and returns what the first one is to have. Threads move only when all
// rounds are over, straight to the rank where their token is.
class DiffusionRank {
 public:
  // Times the ideal load: a rank below gives nothing away.
  static constexpr double kGoal = 1.01;
  // A rank with more tokens offers what it is to give, and so many others.
  static constexpr std::size_t kMostOffered = 1024;

  // Stands for a thread.
  struct Token {
    std::uint64_t thread = 0;  // whatever names it; also decides between equals
    double load_s = 0;
    std::uint64_t bytes = 0;
    std::int32_t rank = 0;    // where the thread is, wherever its token goes
    std::int32_t node = 0;    // of that rank
    bool fixed = false;       // it stays with its rank
    std::int32_t block = -1;  // as in a LoadTable; -1 in a job
  };
  // What a partner is told.
  struct Sums {
    std::int32_t rank = 0;
    std::int32_t node = 0;
    double load_s = 0;
    double speed = 1;
    std::uint64_t room_bytes = 0;  // that further threads may take
  };

  // The rank `rank`, with the tokens of its own threads. The sizes of blocks that tokens name are
  // read as long as this lives.
  DiffusionRank(std::int32_t rank, const RankInfo& info, const std::vector<Token>& tokens,
                std::span<const std::uint64_t> block_bytes = {});

  Sums sums() const;
  // The load that `giver` had best give to `taker`; none if it is not above 0. Both can tell it.
  static double surplus_s(const Sums& giver, const Sums& taker, double goal_s);
  // What a move of the token's thread to that rank costs: nothing if it is there.
  static double cost_s(const Token& token, const Sums& at, const Costs& costs) {
    return token.rank == at.rank ? 0 : costs.move_s(token.node != at.node, token.bytes);
  }

  // Whether it pays to move a load from a rank of that speed, if that costs so much.
  static bool pays(double load_s, double speed, double cost_s, const Costs& costs) {
    return costs.steps * load_s / speed > cost_s;
  }

  // Takes out what `taker` may have: all that can move, or what it is to get and some of every
  // size; where threads share blocks all, so that it knows who else has them.
  // REQUIRES: a surplus.
  std::vector<Token> offer(const Sums& taker, double goal_s, const Costs& costs);
  // Divides what `giver`, with those sums before, offers, and what this rank has, so that both
  // compute equally long, but not less than `goal_s`, which a reduction over all ranks has found
  // (pair_division.h). Returns what `giver` is to have of both.
  std::vector<Token> divide(const Sums& giver, std::vector<Token> offered, double goal_s,
                            const Costs& costs);
  void take(const std::vector<Token>& tokens);
  // A round of two, as it is with messages between them.
  static void meet(DiffusionRank& a, DiffusionRank& b, double goal_s, const Costs& costs);
  const std::vector<Token>& tokens() const { return tokens_; }

  // Rounds of a decision: as many as a hypercube has dimensions, then kMostByChance, or, of few
  // ranks, until each has met each twice.
  static int rounds(std::int32_t ranks);
  // The partner of `rank` in `round`, -1 for none. First the neighbours in a hypercube, the nearest
  // numbers first, which are on one node in most jobs: that evens out 2^k ranks but for the size of
  // threads. Then others by chance, which follows from the seed.
  static std::int32_t partner(std::int32_t rank, std::int32_t ranks, int round, std::uint64_t seed);

 private:
  static constexpr int kMostByChance = 20;

  // Takes those out of `tokens` that are not offered where these are too many.
  std::vector<Token> choose(std::vector<Token>& tokens, const Sums& taker, double goal_s,
                            const Costs& costs) const;
  void add_bytes(const Token& token);
  // In place of all that it has.
  void keep(std::vector<Token> tokens);

  std::int32_t rank_;
  RankInfo info_;
  std::vector<Token> tokens_;
  double load_s_ = 0;
  std::uint64_t bytes_ = 0;
  std::span<const std::uint64_t> block_bytes_;
  std::map<std::int32_t, std::uint32_t> sharers_;  // of blocks
};

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_DIFFUSION_RANK_H_
