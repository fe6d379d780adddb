#include "runtime/balance/exchange_moves.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "base/test_bytes.h"
#include "runtime/balance/bounds.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/test_tables.h"

namespace roam::balance {
namespace {

constexpr double kCeiling = 1.0005;
constexpr std::size_t kLooks = 100'000;

Outcome exchanged(const LoadTable& table) {
  const Plan plan =
      exchange_moves(table, plan_to_stay(table), kCeiling * shortest_step_s(table), kLooks);
  check_plan(table, plan);
  return outcome_of(table, plan);
}

// 16 ranks and 30 threads a rank, somewhere.
LoadTable table_with(std::uint64_t* state, const std::function<double()>& load_s) {
  std::vector<double> loads_s(16 * 30);
  for (double& s : loads_s) s = load_s();
  LoadTable table = table_of(loads_s, 16);
  for (ThreadLoad& thread : table.threads)
    thread.rank = static_cast<std::int32_t>(below(state, 16));
  return table;
}

TEST(ExchangeMoves, ReachTheBoundWithFewMovesWhateverTheLoads) {
  std::uint64_t state = test_seed();
  const auto uniform = [&] { return 0.5 + fraction(&state); };
  const auto exponential = [&] { return -std::log(1 - fraction(&state)); };
  const auto lognormal = [&] {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += fraction(&state);
    return std::exp(sum);
  };
  for (int run = 0; run < 5; ++run) {
    for (const std::function<double()>& load_s :
         {std::function<double()>(uniform), std::function<double()>(exponential),
          std::function<double()>(lognormal)}) {
      SCOPED_TRACE(testing::Message() << "seed " << test_seed() << " run " << run);
      const LoadTable table = table_with(&state, load_s);
      const double bound_s = shortest_step_s(table);
      const Outcome outcome = exchanged(table);
      EXPECT_LE(outcome.step_s, kCeiling * bound_s * (1 + 1e-9));
      // What gives away needs its fewest moves; that all fit to 0.05 % takes about one more a rank.
      EXPECT_LE(outcome.moves, fewest_moves(table, kCeiling * bound_s) * 3 / 2 + 2 * 16);
    }
  }
}

TEST(ExchangeMoves, MoveOneThreadWhereOneWillDo) {
  LoadTable table = table_of({4, 3, 2, 1}, 2);
  table.threads[3].rank = 1;
  const Outcome outcome = exchanged(table);
  EXPECT_DOUBLE_EQ(outcome.imbalance, 1);
  EXPECT_EQ(outcome.moves, 1u);
}

// Neither can take a thread of the other, but 3 for 2 makes both even.
TEST(ExchangeMoves, SwapWhereNoSingleMoveHelps) {
  LoadTable table = table_of({3, 3, 2, 2}, 2);
  table.threads[2].rank = table.threads[3].rank = 1;
  const Outcome outcome = exchanged(table);
  EXPECT_DOUBLE_EQ(outcome.imbalance, 1);
  EXPECT_EQ(outcome.moves, 2u);
}

// A long thread must go where something else has to leave first.
TEST(ExchangeMoves, PushOthersOn) {
  LoadTable table = table_of({8, 9, 4, 4, 8, 1}, 3);
  table.threads[0].fixed = true;
  table.threads[2].rank = table.threads[3].rank = 1;
  table.threads[4] = {8, 1'000, 2, true};
  table.threads[5] = {1, 1'000, 2, false};
  EXPECT_LE(exchanged(table).imbalance * ideal_step_s(table), 13);
}

TEST(ExchangeMoves, KeepLimitsAndExchangeBlocksAsOne) {
  // Each rank has room for two blocks and has two; of its four threads two share one.
  LoadTable table = table_of({4, 4, 1, 1, 2, 2, 1, 1}, 2);
  table.block_bytes.assign(4, 1'000'000);
  for (std::size_t i = 0; i < 8; ++i) {
    table.threads[i].rank = static_cast<std::int32_t>(i / 4);
    table.threads[i].block = static_cast<std::int32_t>(i / 2);
  }
  for (RankInfo& rank : table.ranks) rank.memory_bytes = 2'100'000;
  EXPECT_DOUBLE_EQ(exchanged(table).imbalance * ideal_step_s(table), 10);
  table.threads[2].load_s = table.threads[3].load_s = 3;  // 14 and 6: 8 for 4
  EXPECT_DOUBLE_EQ(exchanged(table).imbalance, 1);
}

TEST(ExchangeMoves, KeepPlansThatCanBeCarriedOutOnAnyTable) {
  std::uint64_t state = test_seed();
  for (int run = 0; run < 300; ++run) {
    SCOPED_TRACE(testing::Message() << "seed " << test_seed() << " run " << run);
    const LoadTable table = random_table(&state, {});
    const double before = imbalance_of(table, plan_to_stay(table));
    const Plan start = plan_to_stay(table);
    const double ceiling_s = kCeiling * shortest_step_s(table);
    const Plan plan = exchange_moves(table, start, ceiling_s, 10'000);
    check_plan(table, plan);
    ASSERT_LE(imbalance_of(table, plan), before * (1 + 1e-12));
    ASSERT_EQ(plan.rank_of, exchange_moves(table, start, ceiling_s, 10'000).rank_of);
  }
}

TEST(AffordableLooks, ArePartOfWhatIsWon) {
  LoadTable table = table_of(std::vector<double>(100, 1), 2);
  EXPECT_EQ(affordable_looks(table, 0), 0u);
  EXPECT_EQ(affordable_looks(table, 1e-6), 0u);  // less than one a thread
  EXPECT_GT(affordable_looks(table, 1e-3), 100u);
  EXPECT_EQ(affordable_looks(table, 1e6), affordable_looks(table, 1e9));
}

}  // namespace
}  // namespace roam::balance
