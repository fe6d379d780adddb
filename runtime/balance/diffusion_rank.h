#ifndef ROAM_RUNTIME_BALANCE_DIFFUSION_RANK_H_
#define ROAM_RUNTIME_BALANCE_DIFFUSION_RANK_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "runtime/balance/load_table.h"

namespace roam::balance {

// One rank's side of the diffusion strategy; all that it knows is here. A round: each rank sends
// its sums to its partner, the one that gives sends tokens, both take what comes. Threads move only
// when all rounds are over, straight to the rank where their token is.
class DiffusionRank {
 public:
  // Times the ideal load: a rank below gives nothing away.
  static constexpr double kGoal = 1.01;

  // Stands for a thread.
  struct Token {
    std::uint64_t thread = 0;  // whatever names it; also decides between equals
    double load_s = 0;
    std::uint64_t bytes = 0;
    std::int32_t home = 0;  // the rank where the thread is
    std::int32_t home_node = 0;
    bool fixed = false;  // it stays with its rank
  };
  // What a partner is told.
  struct Sums {
    std::int32_t rank = 0;
    std::int32_t node = 0;
    double load_s = 0;
    double speed = 1;
    std::uint64_t room_bytes = 0;  // that further threads may take
  };

  // The rank `rank`, with the tokens of its own threads.
  DiffusionRank(std::int32_t rank, const RankInfo& info, const std::vector<Token>& tokens);

  Sums sums() const;
  // The load that `giver` would give to `taker`; none if it is not above 0. Both can tell it.
  static double surplus_s(const Sums& giver, const Sums& taker, double goal_s);
  // Takes out the tokens that this rank gives to the partner, so that both compute equally long,
  // but not less than `goal_s`, which a reduction over all ranks has found: none where the partner
  // is busier, has no room, or no thread is worth its move.
  std::vector<Token> give(const Sums& partner, double goal_s, const Costs& costs);
  void take(const std::vector<Token>& tokens);
  const std::vector<Token>& tokens() const { return tokens_; }

  // The partner of `rank` in `round`, -1 for none. In the first sweep the neighbours in a
  // hypercube, the nearest numbers first, which are on one node in most jobs; then others, by the
  // seed.
  static std::int32_t partner(std::int32_t rank, std::int32_t ranks, int round, std::uint64_t seed);
  // Rounds in which each rank meets as many others as a hypercube has dimensions.
  static int rounds_of_sweep(std::int32_t ranks);

 private:
  void drop(std::vector<Token>& given);  // sorts it

  std::int32_t rank_;
  RankInfo info_;
  std::vector<Token> tokens_;
  double load_s_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace roam::balance

#endif  // ROAM_RUNTIME_BALANCE_DIFFUSION_RANK_H_
