#include "runtime/balancing/loads_along.h"

#include <gtest/gtest.h>

namespace roam::runtime {
namespace {

constexpr double kLookS = 1e-3;

LoadsAlong rank_with(std::initializer_list<double> loads_s, double balancing_s = 0) {
  LoadsAlong rank{};
  for (const double load_s : loads_s) rank.took_part(load_s, load_s, balancing_s, true);
  return rank;
}

// Of members that name their loads, and compute for so long each.
LoadsAlong rank_that_names(std::initializer_list<double> loads, double computed_s) {
  LoadsAlong rank{};
  for (const double load : loads) rank.took_part(load, computed_s, 0, true);
  return rank;
}

LoadsAlong job_of(std::initializer_list<LoadsAlong> ranks) {
  LoadsAlong all{};
  for (const LoadsAlong& rank : ranks) all.add(rank);
  return all;
}

TEST(LoadsAlong, AddUpOnARankAndKeepTheBusiestOfRanks) {
  const LoadsAlong all = job_of({rank_with({1, 2}), rank_with({4}), rank_with({1, 0.5, 0.25})});
  EXPECT_DOUBLE_EQ(all.load, 8.75);
  EXPECT_DOUBLE_EQ(all.busiest, 4);
  EXPECT_DOUBLE_EQ(all.imbalance(3), 12 / 8.75);
  EXPECT_EQ(LoadsAlong{}.imbalance(3), 1);
}

TEST(LoadsAlong, LoadsWhoseSumIsTooLargeAreBalanced) {
  const LoadsAlong all = job_of({rank_that_names({1.5e308, 1.5e308}, 1), LoadsAlong{}});
  EXPECT_EQ(all.imbalance(2), 2);
  EXPECT_EQ(all.judge(2, kLookS), Verdict::kBalance);
}

TEST(LoadsAlong, ThePriceIsWhatBalancingTookWhomItTookShortest) {
  EXPECT_EQ(job_of({rank_with({1}, 0.3), rank_with({1}, 0.2), rank_with({1})}).balancing_s, 0.2f);
  EXPECT_EQ(job_of({rank_with({1}), rank_with({1})}).balancing_s, 0);
}

TEST(LoadsAlong, EvenRanksAreNotBalanced) {
  EXPECT_EQ(job_of({rank_with({1}), rank_with({1})}).judge(2, kLookS), Verdict::kLookAnew);
  EXPECT_EQ(job_of({rank_with({1}), rank_with({1.05})}).judge(2, kLookS), Verdict::kLookAnew);
}

TEST(LoadsAlong, UnevenRanksAreBalancedIfThatCostsLessThanItGains) {
  EXPECT_EQ(job_of({rank_with({1}), rank_with({3})}).judge(2, kLookS), Verdict::kBalance);
  EXPECT_EQ(job_of({rank_with({1}, 1e6), rank_with({3}, 1e6)}).judge(2, kLookS),
            Verdict::kLookAnew);
}

TEST(LoadsAlong, LittleLoadIsNotLookedAtYet) {
  EXPECT_EQ(job_of({rank_with({1e-4}), rank_with({3e-4})}).judge(2, kLookS), Verdict::kGoOn);
  EXPECT_EQ(job_of({rank_with({0.1}), rank_with({0.3})}).judge(2, 0.3), Verdict::kGoOn);
  EXPECT_EQ(job_of({rank_with({0.1}), rank_with({0.3})}).judge(2, 0.2), Verdict::kBalance);
  EXPECT_EQ(LoadsAlong{}.judge(1, kLookS), Verdict::kGoOn);
}

TEST(LoadsAlong, LoadsInAnyUnitAreLookedAtWhenRanksHaveComputed) {
  for (const double unit : {5e-324, 1e-9, 1.0, 1e6, 1e300}) {
    const auto job = [&](double computed_s) {
      return job_of({rank_that_names({unit, unit}, computed_s),
                     rank_that_names({3 * unit, 3 * unit}, computed_s)});
    };
    EXPECT_DOUBLE_EQ(job(1).imbalance(2), 1.5) << unit;
    EXPECT_EQ(job(1e-4).judge(2, kLookS), Verdict::kGoOn) << unit;
    EXPECT_EQ(job(1).judge(2, kLookS), Verdict::kBalance) << unit;
    EXPECT_EQ(job(1).judge(2, 3), Verdict::kGoOn) << unit;
  }
}

TEST(LoadsAlong, WhatNamedLoadsGainIsWorthWhatIsComputed) {
  // Half of 2 ms, ten times over, is not worth twice a balancing of 6 ms.
  LoadsAlong slow = job_of({rank_that_names({1e6}, 2e-3), rank_that_names({3e6}, 2e-3)});
  EXPECT_EQ(slow.judge(2, kLookS), Verdict::kBalance);
  slow.balancing_s = 6e-3f;
  EXPECT_EQ(slow.judge(2, kLookS), Verdict::kLookAnew);
}

TEST(LoadsAlong, NobodyMovesWhileAMemberComputesOn) {
  LoadsAlong all = job_of({rank_with({1}), rank_with({3})});
  LoadsAlong one{};
  one.took_part(1, 1, 0, false);
  all.add(one);
  EXPECT_EQ(all.not_blocking, 1u);
  EXPECT_EQ(all.judge(2, kLookS), Verdict::kGoOn);
}

TEST(LoadsAlong, GoAlongWithACollective) {
  LoadsAlong loads = rank_with({1, 2}, 0.5);
  loads.took_part(4, 3, 0.25, false);
  Along along{};
  EXPECT_EQ(loads_in(along).load, 0) << "all zero: nothing";
  put(loads, &along);
  const LoadsAlong back = loads_in(along);
  EXPECT_EQ(back.load, 7);
  EXPECT_EQ(back.busiest, 7);
  EXPECT_EQ(back.computed_s, 6);
  EXPECT_EQ(back.balancing_s, 0.25);
  EXPECT_EQ(back.not_blocking, 1u);
}

}  // namespace
}  // namespace roam::runtime
