#include "runtime/balance/diffusion_rank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/test_bytes.h"
#include "runtime/balance/test_tables.h"

namespace roam::balance {
namespace {

using Token = DiffusionRank::Token;

TEST(DiffusionRank, MeetsPartnersThatMeetItToo) {
  const std::uint64_t seed = test_seed();
  for (const std::int32_t ranks : {1, 2, 3, 5, 16, 100}) {
    for (int round = 0; round < 40; ++round) {
      for (std::int32_t rank = 0; rank < ranks; ++rank) {
        const std::int32_t other = DiffusionRank::partner(rank, ranks, round, seed);
        if (other < 0) continue;
        ASSERT_LT(other, ranks);
        ASSERT_NE(other, rank);
        ASSERT_EQ(DiffusionRank::partner(other, ranks, round, seed), rank);
      }
    }
  }
}

TEST(DiffusionRank, ReachesEveryRankInOneSweep) {
  for (const std::int32_t ranks : {2, 8, 64}) {
    std::set<std::int32_t> reached = {0};
    for (int round = 0; round < DiffusionRank::rounds_of_sweep(ranks); ++round) {
      for (const std::int32_t rank : std::set<std::int32_t>(reached)) {
        reached.insert(DiffusionRank::partner(rank, ranks, round, 1));
      }
    }
    EXPECT_EQ(reached.size(), static_cast<std::size_t>(ranks));
  }
}

DiffusionRank rank_with(const std::vector<double>& loads_s, const RankInfo& info = {}) {
  std::vector<Token> tokens;
  for (const double load_s : loads_s) {
    tokens.push_back({tokens.size(), load_s, 1'000, 0, info.node});
  }
  return DiffusionRank(0, info, tokens);
}

TEST(DiffusionRank, GivesHalfOfTheDifference) {
  DiffusionRank rank = rank_with({1, 1, 1, 1, 1, 1});
  EXPECT_EQ(rank.give({.rank = 1, .node = 1, .load_s = 2, .room_bytes = 9'999}, 0, Costs()).size(),
            2u);
  EXPECT_EQ(rank.tokens().size(), 4u);
  EXPECT_EQ(rank.sums().load_s, 4);
}

TEST(DiffusionRank, GivesNothingToABusierOneOrBelowTheGoal) {
  DiffusionRank rank = rank_with({1, 1, 1, 1});
  DiffusionRank::Sums partner{.rank = 1, .node = 1, .load_s = 4, .room_bytes = 9'999};
  EXPECT_TRUE(rank.give(partner, 0, Costs()).empty());
  partner.load_s = 0;
  EXPECT_TRUE(rank.give(partner, 4, Costs()).empty());
  EXPECT_EQ(rank.give(partner, 3, Costs()).size(), 1u);
}

TEST(DiffusionRank, GivesNoMoreThanThePartnerHasRoomFor) {
  DiffusionRank rank = rank_with({1, 1, 1, 1});
  EXPECT_EQ(rank.give({.rank = 1, .node = 1, .room_bytes = 1'999}, 0, Costs()).size(), 1u);
}

TEST(DiffusionRank, GivesWhatGoesHomeFirstAndWhatIsTooDearNever) {
  DiffusionRank rank(0, {}, {{1, 1, 1'000, 0, 0}, {2, 1, 1'000, 1, 1}, {3, 1, 1'000, 0, 0}});
  const std::vector<Token> given =
      rank.give({.rank = 1, .node = 1, .room_bytes = 9'999}, 2, Costs());
  ASSERT_EQ(given.size(), 1u);
  EXPECT_EQ(given[0].thread, 2u);
  Costs dear;
  dear.move_between_s = 100;
  EXPECT_TRUE(rank.give({.rank = 1, .node = 1, .room_bytes = 9'999}, 0, dear).empty());
}

TEST(DiffusionRank, NeverMakesTheLongerOfTwoLonger) {
  std::uint64_t state = test_seed();
  for (int run = 0; run < 1'000; ++run) {
    std::vector<double> loads_s;
    for (std::uint64_t left = below(&state, 20); left != 0; --left) {
      loads_s.push_back(fraction(&state) * fraction(&state));
    }
    DiffusionRank rank = rank_with(loads_s, {.speed = 0.5 + fraction(&state)});
    DiffusionRank other(1, {.speed = 0.5 + fraction(&state), .node = 1},
                        {{100, 5 * fraction(&state), 10, 1, 1}});
    const auto longer_s = [&] {
      const auto a = rank.sums(), b = other.sums();
      return std::max(a.load_s / a.speed, b.load_s / b.speed);
    };
    const double before_s = longer_s();
    const auto to_other = rank.give(other.sums(), 0, Costs());
    other.take(to_other);
    ASSERT_LE(longer_s(), before_s * (1 + 1e-12));
    ASSERT_EQ(rank.tokens().size() + other.tokens().size(), loads_s.size() + 1);
  }
}

}  // namespace
}  // namespace roam::balance
