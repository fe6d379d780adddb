// Loads in any unit: what a plan does depends on their proportions, nothing else.
#include "runtime/balance/proportion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <string_view>
#include <vector>

#include "base/test_bytes.h"
#include "runtime/balance/outcome.h"
#include "runtime/balance/strategy.h"
#include "runtime/balance/test_tables.h"

namespace roam::balance {
namespace {

std::vector<long double> loads_of(const LoadTable& table, double unit) {
  std::vector<long double> loads;
  for (const ThreadLoad& thread : table.threads) loads.push_back(thread.load_s * unit);
  return loads;
}

// `table` with its loads given in `unit`.
LoadTable in_unit(const LoadTable& table, double unit) {
  LoadTable result = table;
  set_proportions(result, loads_of(table, unit));
  return result;
}

std::vector<double> loads_in(const LoadTable& table) {
  std::vector<double> loads;
  for (const ThreadLoad& thread : table.threads) loads.push_back(thread.load_s);
  return loads;
}

TEST(Proportion, OfTheLargestIsTheMost) {
  for (const double most : {DBL_TRUE_MIN, DBL_MIN, 1e-9, 1.0, 3.0, 1e300, DBL_MAX}) {
    EXPECT_EQ(proportion(most, most), 0x1p30) << most;
    EXPECT_EQ(proportion(0, most), 0) << most;
  }
  EXPECT_EQ(proportion(0, 0), 0);
  EXPECT_EQ(proportion(1, 4), 0x1p28);
  EXPECT_EQ(proportion(3 * DBL_TRUE_MIN, 6 * DBL_TRUE_MIN), 0x1p29);
}

TEST(SetProportions, MakesAnEvenStepOneSecond) {
  LoadTable table = table_of({4, 4, 1, 1}, 2);
  for (const double unit : {DBL_TRUE_MIN, 1e-300, 1e-9, 1.0, 1e300, DBL_MAX / 4}) {
    const long double second = set_proportions(table, {4 * unit, 4 * unit, unit, unit});
    EXPECT_DOUBLE_EQ(ideal_step_s(table), 1) << unit;
    EXPECT_DOUBLE_EQ(table.threads[0].load_s, 0.8) << unit;
    EXPECT_NEAR(static_cast<double>(second / unit), 5, 1e-9) << unit;
  }
}

TEST(SetProportions, OfTheLargestLoadsOfAllIsFinite) {
  LoadTable table = table_of(std::vector<double>(100, 1), 3);
  set_proportions(table, std::vector<long double>(100, DBL_MAX));
  check_table(table);
  EXPECT_NEAR(ideal_step_s(table), 1, 1e-12);
}

TEST(SetProportions, OfNoLoadIsNone) {
  LoadTable table = table_of({7, 7}, 2);
  EXPECT_EQ(set_proportions(table, {0, 0}), 1);
  EXPECT_EQ(loads_in(table), (std::vector<double>{0, 0}));
}

class InAnyUnit : public testing::TestWithParam<std::string_view> {};

INSTANTIATE_TEST_SUITE_P(All, InAnyUnit, testing::ValuesIn(strategy_names()), [](const auto& info) {
  std::string name(info.param);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(InAnyUnit, APlanIsTheSame) {
  const Strategy strategy = find_strategy(GetParam())->plan;
  std::uint64_t state = test_seed();
  for (int run = 0; run < 60; ++run) {
    SCOPED_TRACE(testing::Message() << "seed " << test_seed() << " run " << run);
    const LoadTable table = random_table(&state, {});
    const LoadTable one = in_unit(table, 1);
    const Plan want = strategy(one, 1);
    for (const double unit : {1e-300, 1e-100, 1e-9, 0.1, 3.0, 1e9, 1e100, 1e300}) {
      ASSERT_EQ(strategy(in_unit(table, unit), 1).rank_of, want.rank_of) << "unit " << unit;
    }
    for (const int power : {-900, -30, -1, 1, 30, 1000}) {
      const LoadTable other = in_unit(table, std::ldexp(1, power));
      ASSERT_EQ(loads_in(other), loads_in(one)) << "unit 2^" << power;
      ASSERT_EQ(strategy(other, 1).rank_of, want.rank_of) << "unit 2^" << power;
    }
  }
}

// Whole loads, so that the smallest of all numbers can be their unit.
TEST_P(InAnyUnit, APlanIsTheSameAtBothEndsOfWhatADoubleHolds) {
  const Strategy strategy = find_strategy(GetParam())->plan;
  std::uint64_t state = test_seed();
  for (int run = 0; run < 60; ++run) {
    SCOPED_TRACE(testing::Message() << "seed " << test_seed() << " run " << run);
    LoadTable table = random_table(&state, {});
    for (ThreadLoad& thread : table.threads) thread.load_s = static_cast<double>(below(&state, 9));
    const Plan want = strategy(in_unit(table, 1), 1);
    for (const double unit : {DBL_TRUE_MIN, DBL_MIN, DBL_MAX / 8})
      ASSERT_EQ(strategy(in_unit(table, unit), 1).rank_of, want.rank_of) << "unit " << unit;
  }
}

}  // namespace
}  // namespace roam::balance
