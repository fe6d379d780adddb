#include "runtime/balance/load_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/test_bytes.h"

namespace roam::balance {
namespace {

using History = std::vector<double>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(LoadModel, IsFoundByName) {
  EXPECT_EQ(find_load_model("trend"), &trend_load);
  EXPECT_EQ(find_load_model("Last"), nullptr);
  EXPECT_EQ(load_model_names().size(), 3u);
}

TEST(LoadModel, ForetellsNothingFromNothing) {
  for (const auto name : load_model_names()) {
    const LoadModel model = find_load_model(name);
    EXPECT_EQ(model(History{}), 0) << name;
    EXPECT_EQ(model(History{kNan, -1}), 0) << name;
  }
}

TEST(LoadModel, ForetellsWhatNeverChanges) {
  for (const auto name : load_model_names()) {
    for (std::size_t steps = 1; steps < 9; ++steps) {
      EXPECT_DOUBLE_EQ(find_load_model(name)(History(steps, 0.125)), 0.125) << name;
    }
  }
}

TEST(LoadModel, LastIsTheNewestThatWasMeasured) {
  EXPECT_EQ(last_load(History{1, 2, 3}), 3);
  EXPECT_EQ(last_load(History{1, 2, kNan, -4}), 2);
}

TEST(LoadModel, SmoothedWeighsTheNewestMost) {
  EXPECT_DOUBLE_EQ(smoothed_load(History{1, 2}), kSmoothing * 2 + (1 - kSmoothing));
  EXPECT_DOUBLE_EQ(smoothed_load(History{1, kNan, 2}), smoothed_load(History{1, 2}));
}

TEST(LoadModel, TrendFollowsALine) {
  EXPECT_NEAR(trend_load(History{1, 2, 3, 4}), 5, 1e-12);
  EXPECT_NEAR(trend_load(History{9, 9, 9, 10, 8, 6, 4, 2}), 0, 1e-12);  // the newest five only
  EXPECT_NEAR(trend_load(History{1, kNan, 3, 4}), 5, 1e-12);            // a gap keeps its time
  EXPECT_EQ(trend_load(History{7}), 7);
}

TEST(LoadModel, TrendIsNeverBelowZero) { EXPECT_EQ(trend_load(History{5, 3, 0.5}), 0); }

TEST(LoadModel, IsAlwaysAnAmountOfTime) {
  std::uint64_t state = test_seed();
  const double odd[] = {kNan, -1, std::numeric_limits<double>::infinity(), 0, 1e308, 1e-308, 1};
  for (int run = 0; run < 10'000; ++run) {
    History history;
    for (std::uint64_t left = next_random(&state) % 10; left != 0; --left) {
      history.push_back(odd[next_random(&state) % std::size(odd)]);
    }
    for (const auto name : load_model_names()) {
      const double load_s = find_load_model(name)(history);
      ASSERT_TRUE(std::isfinite(load_s) && load_s >= 0) << name << " " << load_s;
    }
  }
}

}  // namespace
}  // namespace roam::balance
