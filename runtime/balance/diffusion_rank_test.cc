#include "runtime/balance/diffusion_rank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/test_bytes.h"
#include "runtime/balance/test_tables.h"

namespace roam::balance {
namespace {

using Sums = DiffusionRank::Sums;
using Token = DiffusionRank::Token;

// ---- partners ----

TEST(DiffusionRank, MeetsPartnersThatMeetItToo) {
  const std::uint64_t seed = test_seed();
  for (const std::int32_t ranks : {1, 2, 3, 5, 16, 64, 65, 66, 100, 101}) {
    for (int round = 0; round < DiffusionRank::rounds(ranks); ++round) {
      int alone = 0;
      for (std::int32_t rank = 0; rank < ranks; ++rank) {
        const std::int32_t other = DiffusionRank::partner(rank, ranks, round, seed);
        alone += other < 0 ? 1 : 0;
        if (other < 0) continue;
        ASSERT_LT(other, ranks);
        ASSERT_NE(other, rank);
        ASSERT_EQ(DiffusionRank::partner(other, ranks, round, seed), rank);
      }
      // But for those whose neighbour in the hypercube does not exist.
      if (round >= 7) {
        ASSERT_EQ(alone, ranks % 2) << ranks << " ranks, round " << round;
      }
    }
  }
}

TEST(DiffusionRank, ReachesEveryRankInTheHypercube) {
  for (const std::int32_t ranks : {2, 8, 64}) {
    std::set<std::int32_t> reached = {0};
    for (int round = 0; 1 << round < ranks; ++round) {
      for (const std::int32_t rank : std::set<std::int32_t>(reached)) {
        reached.insert(DiffusionRank::partner(rank, ranks, round, 1));
      }
    }
    EXPECT_EQ(reached.size(), static_cast<std::size_t>(ranks));
  }
}

TEST(DiffusionRank, MeetsEachOfFewRanksTwiceByChance) {
  for (const std::int32_t ranks : {2, 3, 4, 7, 10}) {
    const int rounds = DiffusionRank::rounds(ranks);
    std::map<std::int32_t, int> met;
    const int all = 2 * (ranks - 1 + ranks % 2);
    for (int round = rounds - all; round < rounds; ++round)
      ++met[DiffusionRank::partner(1, ranks, round, test_seed())];
    for (std::int32_t rank = 0; rank < ranks; ++rank) {
      if (rank == 1) continue;
      EXPECT_EQ(met[rank], 2) << rank << " of " << ranks;
    }
  }
}

// ---- two ranks ----

DiffusionRank rank_with(const std::vector<double>& loads_s, std::int32_t rank = 0,
                        RankInfo info = {}) {
  info.node = rank;
  std::vector<Token> tokens;
  for (const double load_s : loads_s) {
    tokens.push_back(
        {1'000u * static_cast<std::uint64_t>(rank) + tokens.size(), load_s, 1'000, rank, rank});
  }
  return DiffusionRank(rank, info, tokens);
}

double time_s(const DiffusionRank& rank) { return rank.sums().load_s / rank.sums().speed; }

// Tokens of other ranks.
std::size_t guests(const DiffusionRank& rank) {
  return static_cast<std::size_t>(
      std::count_if(rank.tokens().begin(), rank.tokens().end(),
                    [&](const Token& token) { return token.rank != rank.sums().rank; }));
}

TEST(DiffusionRank, GivesHalfOfTheDifference) {
  DiffusionRank a = rank_with({1, 1, 1, 1, 1, 1}), b = rank_with({2}, 1);
  DiffusionRank::meet(b, a, 0, Costs());
  EXPECT_EQ(time_s(a), 4);
  EXPECT_EQ(time_s(b), 4);
  EXPECT_EQ(guests(b), 2u);
}

TEST(DiffusionRank, GivesNothingToABusierOneOrBelowTheGoal) {
  const Sums four{.rank = 0, .load_s = 4}, five{.rank = 1, .load_s = 5}, none{.rank = 1};
  EXPECT_LE(DiffusionRank::surplus_s(four, five, 0), 0);
  EXPECT_LE(DiffusionRank::surplus_s(four, none, 4), 0);
  DiffusionRank a = rank_with({1, 1, 1, 1}), b = rank_with({}, 1);
  DiffusionRank::meet(a, b, 3, Costs());
  EXPECT_EQ(b.tokens().size(), 1u);
}

TEST(DiffusionRank, ExchangesWhereNoSingleTokenHelps) {
  DiffusionRank a = rank_with({6, 5}), b = rank_with({4, 4}, 1);
  DiffusionRank::meet(a, b, 0, Costs());
  EXPECT_EQ(std::max(time_s(a), time_s(b)), 10);
  DiffusionRank c = rank_with({10, 10}), d = rank_with({3, 3, 3, 3}, 1);  // 10 for two of them
  DiffusionRank::meet(c, d, 0, Costs());
  EXPECT_EQ(time_s(c), 16);
  EXPECT_EQ(time_s(d), 16);
}

// 33 and 32 cannot be divided better, but who has short tokens can go on with the next partner.
TEST(DiffusionRank, GivesALongTokenForShortOnesWhereNothingElseHelps) {
  DiffusionRank a = rank_with(std::vector<double>(11, 3));
  std::vector<double> short_ones(9, 3);
  short_ones.insert(short_ones.end(), 5, 1);
  DiffusionRank b = rank_with(short_ones, 1);
  DiffusionRank c = rank_with(std::vector<double>(10, 3), 2);
  DiffusionRank::meet(a, b, 32, Costs());
  EXPECT_EQ(std::max(time_s(a), time_s(b)), 33);
  EXPECT_NE(time_s(a), time_s(b));
  DiffusionRank& longer = time_s(a) > time_s(b) ? a : b;
  DiffusionRank::meet(longer, c, 32, Costs());
  EXPECT_EQ(time_s(longer), 32);
}

TEST(DiffusionRank, GivesNoMoreThanThePartnerHasRoomFor) {
  DiffusionRank a = rank_with({1, 1, 1, 1}), b = rank_with({}, 1, {.memory_bytes = 1'999});
  DiffusionRank::meet(a, b, 0, Costs());
  EXPECT_EQ(b.tokens().size(), 1u);
}

TEST(DiffusionRank, ExchangesWhereBothAreFull) {
  DiffusionRank a = rank_with({4, 4, 1}, 0, {.memory_bytes = 3'000});
  DiffusionRank b = rank_with({1, 1, 1}, 1, {.memory_bytes = 3'000});
  DiffusionRank::meet(a, b, 0, Costs());
  EXPECT_EQ(std::max(time_s(a), time_s(b)), 6);
}

TEST(DiffusionRank, GivesWhatGoesHomeFirstAndWhatIsTooDearNever) {
  const std::vector<Token> tokens = {{1, 1, 1'000, 0, 0}, {2, 1, 1'000, 1, 1}, {3, 1, 1'000, 0, 0}};
  DiffusionRank a(0, {}, tokens), b(1, {.node = 1}, {});
  DiffusionRank::meet(a, b, 2, Costs());
  ASSERT_EQ(b.tokens().size(), 1u);
  EXPECT_EQ(b.tokens()[0].thread, 2u);
  Costs dear;
  dear.move_between_s = 100;
  DiffusionRank c = rank_with({1, 1, 1}), d = rank_with({}, 1);
  DiffusionRank::meet(c, d, 0, dear);
  EXPECT_TRUE(d.tokens().empty());
}

TEST(DiffusionRank, OffersABoundedNumberBesidesWhatItIsToGive) {
  std::uint64_t state = test_seed();
  std::vector<double> loads_s;
  for (int i = 0; i < 50'000; ++i) loads_s.push_back(0.5 + fraction(&state));
  DiffusionRank a = rank_with(loads_s);
  const double all_s = a.sums().load_s;
  const Sums taker{.rank = 1, .node = 1, .load_s = 0.9 * all_s, .room_bytes = ~std::uint64_t{0}};
  const std::size_t offered = a.offer(taker, 0, Costs()).size();
  EXPECT_GE(offered, DiffusionRank::kMostOffered);
  EXPECT_LE(offered, 0.05 * 50'000 + DiffusionRank::kMostOffered + 1);
  EXPECT_EQ(offered + a.tokens().size(), loads_s.size());

  DiffusionRank b = rank_with(loads_s), empty = rank_with({}, 1);
  DiffusionRank::meet(b, empty, 0, Costs());
  EXPECT_LE(std::max(time_s(b), time_s(empty)), all_s / 2 * 1.002);
}

// What is on a rank of a table: bytes, and blocks once.
std::uint64_t bytes_of(const DiffusionRank& rank, const std::vector<std::uint64_t>& block_bytes) {
  std::uint64_t sum = 0;
  std::set<std::int32_t> blocks;
  for (const Token& token : rank.tokens()) {
    sum += token.bytes;
    if (token.block >= 0 && blocks.insert(token.block).second)
      sum += block_bytes[static_cast<std::size_t>(token.block)];
  }
  return sum;
}

// The two ranks of a table.
std::vector<DiffusionRank> random_pair(const LoadTable& table) {
  std::vector<Token> tokens[2];
  for (std::size_t i = 0; i < table.threads.size(); ++i) {
    const ThreadLoad& thread = table.threads[i];
    // One thread in three is on any of three ranks.
    const std::int32_t rank = i % 3 == 0 ? static_cast<std::int32_t>(i / 3 % 3) : thread.rank;
    tokens[thread.rank].push_back(
        {i, thread.load_s, thread.bytes, rank, rank, thread.fixed, thread.block});
  }
  std::vector<DiffusionRank> ranks;
  for (std::int32_t r = 0; r < 2; ++r) {
    ranks.emplace_back(r, table.ranks[static_cast<std::size_t>(r)], tokens[r], table.block_bytes);
  }
  return ranks;
}

TEST(DiffusionRank, LosesNothingKeepsLimitsAndMakesTheLongerOfTwoNoLonger) {
  std::uint64_t state = test_seed();
  int runs = 0;
  for (int run = 0; run < 3'000; ++run) {
    SCOPED_TRACE(testing::Message() << "seed " << test_seed() << " run " << run);
    const LoadTable table = random_table(&state, {.most_threads = 40, .most_ranks = 2});
    if (table.ranks.size() < 2) continue;
    ++runs;
    std::vector<DiffusionRank> ranks = random_pair(table);
    const double before_s = std::max(time_s(ranks[0]), time_s(ranks[1]));
    std::uint64_t most[2];
    for (std::size_t r = 0; r < 2; ++r) {
      const RankInfo& info = table.ranks[r];
      most[r] = info.memory_bytes == 0
                    ? ~std::uint64_t{0}
                    : std::max(info.memory_bytes,
                               info.used_bytes + bytes_of(ranks[r], table.block_bytes));
    }
    DiffusionRank::meet(ranks[0], ranks[1], below(&state, 2) == 0 ? 0 : before_s * 0.8,
                        table.costs);
    ASSERT_LE(std::max(time_s(ranks[0]), time_s(ranks[1])), before_s * (1 + 1e-12));
    std::set<std::uint64_t> found;
    for (std::size_t r = 0; r < 2; ++r) {
      double load_s = 0;
      for (const Token& token : ranks[r].tokens()) {
        ASSERT_TRUE(found.insert(token.thread).second) << "twice";
        load_s += token.load_s;
        const ThreadLoad& thread = table.threads[token.thread];
        ASSERT_TRUE(!thread.fixed || thread.rank == static_cast<std::int32_t>(r)) << "moved";
        ASSERT_EQ(token.bytes, thread.bytes);
        ASSERT_EQ(token.block, thread.block);
      }
      ASSERT_NEAR(load_s, ranks[r].sums().load_s, 1e-9 * before_s);
      ASSERT_LE(table.ranks[r].used_bytes + bytes_of(ranks[r], table.block_bytes), most[r]);
    }
    ASSERT_EQ(found.size(), table.threads.size()) << "lost";
  }
  EXPECT_GT(runs, 1'000);
}

}  // namespace
}  // namespace roam::balance
