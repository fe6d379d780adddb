#include "runtime/balance/load_model.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "base/test_bytes.h"
#include "runtime/balance/test_tables.h"

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

TEST(Forecast, IsWhatEachModelForetells) {
  const History history{3, 1, 4, 1, 5, 9};
  const Forecast got = forecast(history);
  const auto names = load_model_names();
  ASSERT_EQ(names.size(), kLoadModels);
  for (std::size_t m = 0; m < kLoadModels; ++m)
    EXPECT_EQ(static_cast<double>(got.load_s(m)), find_load_model(names[m])(history)) << names[m];
}

TEST(Forecast, TellsHowFarOffEachModelWas) {
  for (const History& history : {History{1, 2, 4, 7}, History{8, 8, 3, 5, 5, 5}}) {
    const Forecast got = forecast(history);
    for (std::size_t m = 0; m < kLoadModels; ++m) {
      const LoadModel model = find_load_model(load_model_names()[m]);
      for (std::size_t back = 0; back < kForecastSteps; ++back) {
        const std::size_t step = history.size() - 1 - back;
        const double want = step < 2 ? 0 : model({history.data(), step}) - history[step];
        EXPECT_FLOAT_EQ(std::ldexp(got.off[m][back], got.exponent), static_cast<float>(want));
      }
    }
  }
}

TEST(Forecast, LooksAtTheNewestOnly) {
  EXPECT_EQ(forecast(History{900, 7, 1, 2, 3, 4, 5, 6}).off,
            forecast(History{1, 2, 3, 4, 5, 6}).off);
}

TEST(Forecast, KnowsNoErrorFromTooLittle) {
  for (const History& history : {History{}, History{2}, History{2, 3}, History{2, 3, kNan}})
    EXPECT_EQ(forecast(history).off, Forecast{}.off);
}

TEST(Forecast, SaysTheSameOfLoadsInAnyUnit) {
  const History history{3, 1, 4, 1, 5, 2};
  const Forecast want = forecast(history);
  for (const int power : {-1074, -1000, -1, 1, 1000, 1021}) {
    History scaled;
    for (const double load : history) scaled.push_back(std::ldexp(load, power));
    const Forecast got = forecast(scaled);
    EXPECT_EQ(got.load, want.load) << "2^" << power;
    EXPECT_EQ(got.off, want.off) << "2^" << power;
    EXPECT_EQ(got.exponent, want.exponent + power);
  }
}

// The best for `threads` on many ranks, so that chance decides nothing, whose load at a step is
// load_at(thread, step).
template <class LoadAt>
std::string_view best_for(int threads, const LoadAt& load_at) {
  constexpr std::size_t kRanks = 64;
  ModelChoice choice(kRanks);
  for (int thread = 0; thread < threads; ++thread) {
    History history;
    for (int step = 0; step < 6; ++step) history.push_back(load_at(thread, step));
    choice.add(static_cast<std::size_t>(thread) % kRanks, forecast(history));
  }
  return load_model_names()[choice.best()];
}

TEST(ModelChoice, FollowsTheKindOfLoad) {
  std::uint64_t state = 7;  // fixed: by chance, one time in a hundred, another model is better
  EXPECT_EQ(best_for(100, [](int thread, int) { return thread; }), "last");
  EXPECT_EQ(best_for(40'000, [&](int, int) { return fraction(&state); }), "smoothed");
  EXPECT_EQ(best_for(100, [](int thread, int step) { return 900 + (thread - 50) * step; }),
            "trend");
}

// Each thread alone is foretold best by its mean; together, the ranks' loads follow a line.
TEST(ModelChoice, SeesATrendThroughTheNoise) {
  std::uint64_t state = 7;
  EXPECT_EQ(best_for(40'000, [&](int thread,
                                 int step) { return 20 * fraction(&state) + (thread % 4) * step; }),
            "trend");
}

TEST(ModelChoice, TakesTheFirstWhenNothingIsKnown) {
  EXPECT_EQ(ModelChoice(3).best(), 0u);
  EXPECT_EQ(best_for(10, [](int, int) { return kNan; }), "last");
}

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
    for (const auto& steps : forecast(history).off)
      for (const float off : steps) ASSERT_TRUE(std::isfinite(off));
  }
}

}  // namespace
}  // namespace roam::balance
