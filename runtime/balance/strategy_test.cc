// What holds for every strategy, whatever the table.
#include "runtime/balance/strategy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "base/test_bytes.h"
#include "roam/error.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/test_tables.h"

namespace roam::balance {
namespace {

class EveryStrategy : public testing::TestWithParam<std::string_view> {
 protected:
  Plan plan(const LoadTable& table, std::uint64_t seed = 1) const {
    return find_strategy(GetParam())->plan(table, seed);
  }
  bool is_for_tests() const { return GetParam() == "rotate" || GetParam() == "random"; }
};

INSTANTIATE_TEST_SUITE_P(All, EveryStrategy, testing::ValuesIn(strategy_names()),
                         [](const auto& info) {
                           std::string name(info.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Strategies, AreFoundByNameOnly) {
  EXPECT_EQ(find_strategy("greedy")->plan, &greedy);
  EXPECT_EQ(find_strategy("Greedy"), nullptr);
  EXPECT_EQ(find_strategy(""), nullptr);
  EXPECT_EQ(strategy_names().size(), 9u);
}

TEST_P(EveryStrategy, KeepsItsPromisesOnAnyTable) {
  std::uint64_t state = test_seed();
  for (int run = 0; run < 400; ++run) {
    SCOPED_TRACE(testing::Message() << "seed " << test_seed() << " run " << run);
    const LoadTable table = random_table(&state, {});
    const Plan result = plan(table);
    check_plan(table, result);
    ASSERT_EQ(result.rank_of, plan(table).rank_of) << "not deterministic";
    if (is_for_tests()) continue;
    const Outcome before = outcome_of(table, plan_to_stay(table));
    const Outcome after = outcome_of(table, result);
    ASSERT_LE(after.step_s, before.step_s);
    const double allowed = GetParam() == "comm" && table.has_edges() ? kCommImbalance : 1;
    ASSERT_LE(after.imbalance, std::max(before.imbalance, allowed));
    if (after.moves != 0) {
      ASSERT_GT(net_gain_s(table, before, after), 0);
    }
  }
}

TEST_P(EveryStrategy, TakesTablesWithNothingToDo) {
  EXPECT_TRUE(plan(table_of({}, 1)).rank_of.empty());
  EXPECT_TRUE(plan(table_of({}, 5)).rank_of.empty());
  EXPECT_EQ(plan(table_of({1, 2, 3}, 1)).rank_of, (std::vector<std::int32_t>{0, 0, 0}));
  if (is_for_tests()) return;
  LoadTable idle = table_of({0, 0, 0, 0}, 3);
  idle.costs = free_moves();
  EXPECT_EQ(plan(idle).rank_of, plan_to_stay(idle).rank_of);
  LoadTable giant = table_of({7}, 4);  // wherever it is, it takes as long
  giant.costs = free_moves();
  EXPECT_EQ(plan(giant).rank_of, plan_to_stay(giant).rank_of);
}

TEST_P(EveryStrategy, RefusesWhatIsNoTable) {
  LoadTable table = table_of({1, std::numeric_limits<double>::quiet_NaN()}, 2);
  EXPECT_THROW(plan(table), Error);
  table.threads[1].load_s = -1;
  EXPECT_THROW(plan(table), Error);
  EXPECT_THROW(plan(table_of({}, 0)), Error);
}

TEST_P(EveryStrategy, LeavesEqualLoadsWhereTheyAreEven) {
  if (is_for_tests()) return;
  LoadTable table = table_of(std::vector<double>(35, 1), 5);
  for (std::size_t i = 0; i < 35; ++i) table.threads[i].rank = static_cast<std::int32_t>(i % 5);
  table.costs = free_moves();
  EXPECT_EQ(plan(table).rank_of, plan_to_stay(table).rank_of);
}

TEST_P(EveryStrategy, BalancesWhatIsAllOnOneRank) {
  if (is_for_tests() || GetParam() == "none") return;
  for (const std::size_t ranks : {2, 5, 16, 33}) {
    LoadTable table = table_of(std::vector<double>(40 * ranks, 0.01), ranks);
    EXPECT_LE(imbalance_of(table, plan(table)), 1.08) << ranks << " ranks";
    for (RankInfo& rank : table.ranks) rank.node /= 4;
    EXPECT_LE(imbalance_of(table, plan(table)), 1.08) << ranks << " ranks, four on a node";
  }
}

TEST_P(EveryStrategy, GivesFastRanksMore) {
  if (is_for_tests() || GetParam() == "none") return;
  LoadTable table = table_of(std::vector<double>(600, 0.01), 6);
  for (std::size_t i = 0; i < 600; ++i) table.threads[i].rank = static_cast<std::int32_t>(i % 6);
  table.ranks[1].speed = 3;
  table.ranks[4].speed = 0.5;
  EXPECT_GT(imbalance_of(table, plan_to_stay(table)), 2.3);
  EXPECT_LE(imbalance_of(table, plan(table)), 1.08);
}

TEST_P(EveryStrategy, PlansAroundWhatCannotMove) {
  LoadTable table = table_of(std::vector<double>(160, 0.01), 8);
  table.costs = free_moves();
  for (RankInfo& rank : table.ranks) rank.node /= 2;
  // Three quarters of the share of rank 0, scattered among the others; what is longest too.
  for (std::size_t i = 0; i < 150; i += 10) table.threads[i].fixed = true;
  const Plan result = plan(table);
  check_plan(table, result);
  if (is_for_tests() || GetParam() == "none") return;
  EXPECT_LE(imbalance_of(table, result), 1.08);
}

TEST_P(EveryStrategy, LeavesAloneWhatCannotMoveAlsoWhereItIsTooMuch) {
  LoadTable table = table_of({5, 5, 5, 1, 1, 1}, 3);
  table.costs = free_moves();
  for (std::size_t i = 0; i < 3; ++i) table.threads[i].fixed = true;
  const Plan result = plan(table);
  check_plan(table, result);
  if (is_for_tests() || GetParam() == "none") return;
  for (std::size_t i = 3; i < 6; ++i) EXPECT_NE(result.rank_of[i], 0) << "thread " << i;
}

TEST(CheckPlan, RefusesToMoveWhatCannotMove) {
  LoadTable table = table_of({1, 1}, 2);
  Plan plan = plan_to_stay(table);
  plan.rank_of[1] = 1;
  check_plan(table, plan);
  table.threads[1].fixed = true;
  EXPECT_THROW(check_plan(table, plan), Error);
}

TEST_P(EveryStrategy, BalancesWithinTightLimits) {
  if (is_for_tests() || GetParam() == "none") return;
  LoadTable table = table_of(std::vector<double>(160, 0.01), 8);
  for (std::size_t i = 0; i < 160; ++i) table.threads[i].rank = static_cast<std::int32_t>(i % 2);
  for (RankInfo& rank : table.ranks) rank.memory_bytes = 22'000;  // of 20,000 for an equal share
  table.ranks[0].memory_bytes = table.ranks[1].memory_bytes = 80'000;
  const Plan result = plan(table);
  check_plan(table, result);
  EXPECT_LE(imbalance_of(table, result), 1.1);
}

TEST_P(EveryStrategy, CountsWhatThreadsShareOnce) {
  if (is_for_tests() || GetParam() == "none") return;
  LoadTable table = table_of(std::vector<double>(160, 0.01), 8);
  table.costs = free_moves();
  table.block_bytes = {1'000'000'000};
  for (ThreadLoad& thread : table.threads) thread.block = 0;
  for (std::size_t i = 0; i < 160; ++i) table.threads[i].rank = static_cast<std::int32_t>(i % 2);
  // Room for the block once, and for the threads.
  for (RankInfo& rank : table.ranks) rank.memory_bytes = 1'000'080'000;
  const Plan result = plan(table);
  check_plan(table, result);
  EXPECT_LE(imbalance_of(table, result), 1.08);
}

TEST_P(EveryStrategy, KeepsLimitsWhereEachBlockFillsARank) {
  LoadTable table = table_of(std::vector<double>(40, 0.01), 4);
  table.costs = free_moves();
  table.block_bytes.assign(8, 1'000'000);
  for (std::size_t i = 0; i < 40; ++i) table.threads[i].block = static_cast<std::int32_t>(i % 8);
  table.ranks[0].memory_bytes = 9'000'000;  // all eight, and little more
  for (std::size_t r = 1; r < 4; ++r) table.ranks[r].memory_bytes = 2'100'000;
  check_plan(table, plan(table));
}

TEST_P(EveryStrategy, MovesNothingWhereMovesTakeLongerThanTheyWin) {
  if (is_for_tests()) return;
  LoadTable table = table_of(std::vector<double>(100, 0.01), 4);
  for (ThreadLoad& thread : table.threads) thread.bytes = 10'000'000'000;  // 5 s each
  EXPECT_EQ(plan(table).rank_of, plan_to_stay(table).rank_of);
}

TEST_P(EveryStrategy, WeighsMovesByTheirBytes) {
  if (is_for_tests() || GetParam() == "none" || GetParam() == "greedy") return;
  LoadTable table = table_of(std::vector<double>(100, 0.01), 2);
  for (std::size_t i = 0; i < 100; i += 2) table.threads[i].bytes = 1'000'000'000;  // 0.5 s each
  const Plan result = plan(table);
  const Outcome outcome = outcome_of(table, result);
  EXPECT_LE(outcome.imbalance, 1.08);
  EXPECT_LE(outcome.bytes_between_nodes, 50 * 1'000u) << "a heavy one moved";
}

}  // namespace
}  // namespace roam::balance
