#include "runtime/balance/bounds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/test_bytes.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/strategy.h"
#include "runtime/balance/test_tables.h"

namespace roam::balance {
namespace {

TEST(ShortestStep, IsTheMeanWhereNothingElseBinds) {
  EXPECT_DOUBLE_EQ(shortest_step_s(table_of({1, 1, 1, 1}, 2)), 2);
  EXPECT_DOUBLE_EQ(shortest_step_s(table_of({}, 3)), 0);
}

TEST(ShortestStep, IsTheLongestThreadOrWhatCannotLeave) {
  EXPECT_DOUBLE_EQ(shortest_step_s(table_of({5, 1, 1}, 3)), 5);
  LoadTable table = table_of({2, 2, 2, 1}, 4);
  for (ThreadLoad& thread : table.threads) thread.fixed = true;
  EXPECT_DOUBLE_EQ(shortest_step_s(table), 7);
}

TEST(ShortestStep, KnowsThatThreadsAreWhole) {
  EXPECT_DOUBLE_EQ(shortest_step_s(table_of(std::vector<double>(5, 1), 4)), 2);
  EXPECT_DOUBLE_EQ(shortest_step_s(table_of(std::vector<double>(33, 1), 16)), 3);
}

// Two long threads, and ranks of which all but one have something that stays.
TEST(ShortestStep, PutsLongThreadsBesideWhatCannotLeave) {
  LoadTable table = table_of({10, 10, 3, 4}, 3);
  table.threads[2] = {3, 0, 1, true};
  table.threads[3] = {4, 0, 2, true};
  EXPECT_DOUBLE_EQ(shortest_step_s(table), 13);
}

TEST(ShortestStep, IsNotAboveWhatAnyPlanReaches) {
  std::uint64_t state = test_seed();
  for (int run = 0; run < 400; ++run) {
    SCOPED_TRACE(testing::Message() << "seed " << test_seed() << " run " << run);
    LoadTable table = random_table(&state, {.most_threads = 12, .most_ranks = 4, .limits = false});
    const double bound_s = shortest_step_s(table) * (1 - 1e-12);
    for (int attempt = 0; attempt < 50; ++attempt) {
      Plan plan = plan_to_stay(table);
      for (std::size_t i = 0; i < plan.rank_of.size(); ++i) {
        if (!table.threads[i].fixed)
          plan.rank_of[i] = static_cast<std::int32_t>(below(&state, table.ranks.size()));
      }
      ASSERT_GE(imbalance_of(table, plan) * ideal_step_s(table), bound_s);
    }
    ASSERT_GE(imbalance_of(table, greedy(table, 1)) * ideal_step_s(table), bound_s);
  }
}

TEST(FewestMoves, GivesTheLongestAwayFirst) {
  const LoadTable table = table_of({5, 3, 2, 1, 1}, 2);
  EXPECT_EQ(fewest_moves(table, 12), 0u);
  EXPECT_EQ(fewest_moves(table, 7), 1u);
  EXPECT_EQ(fewest_moves(table, 6), 2u);
}

TEST(FewestMoves, IsNotMoreThanAPlanTakes) {
  std::uint64_t state = test_seed();
  for (int run = 0; run < 400; ++run) {
    SCOPED_TRACE(testing::Message() << "seed " << test_seed() << " run " << run);
    LoadTable table = random_table(&state, {.edges = false});
    table.costs = free_moves();
    const Outcome outcome = outcome_of(table, greedy_refine(table, 1));
    ASSERT_LE(fewest_moves(table, outcome.imbalance * ideal_step_s(table)), outcome.moves);
  }
}

}  // namespace
}  // namespace roam::balance
