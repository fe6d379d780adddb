#include "runtime/balancing/loads_along.h"

#include <gtest/gtest.h>

namespace roam::runtime {
namespace {

constexpr double kLookS = 1e-3;

LoadsAlong rank_with(std::initializer_list<double> loads_s, double balancing_s = 0) {
  LoadsAlong rank{};
  for (const double load_s : loads_s) rank.took_part(load_s, balancing_s, true);
  return rank;
}

LoadsAlong job_of(std::initializer_list<LoadsAlong> ranks) {
  LoadsAlong all{};
  for (const LoadsAlong& rank : ranks) all.add(rank);
  return all;
}

TEST(LoadsAlong, AddUpOnARankAndKeepTheBusiestOfRanks) {
  const LoadsAlong all = job_of({rank_with({1, 2}), rank_with({4}), rank_with({1, 0.5, 0.25})});
  EXPECT_DOUBLE_EQ(all.load_s, 8.75);
  EXPECT_DOUBLE_EQ(all.busiest_s, 4);
  EXPECT_DOUBLE_EQ(all.imbalance(3), 12 / 8.75);
  EXPECT_EQ(LoadsAlong{}.imbalance(3), 1);
}

TEST(LoadsAlong, ThePriceIsWhatBalancingTookWhomItTookShortest) {
  EXPECT_EQ(job_of({rank_with({1}, 0.3), rank_with({1}, 0.2), rank_with({1})}).balancing_s, 0.2);
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

TEST(LoadsAlong, NobodyMovesWhileAMemberComputesOn) {
  LoadsAlong all = job_of({rank_with({1}), rank_with({3})});
  LoadsAlong one{};
  one.took_part(1, 0, false);
  all.add(one);
  EXPECT_EQ(all.not_blocking, 1u);
  EXPECT_EQ(all.judge(2, kLookS), Verdict::kGoOn);
}

TEST(LoadsAlong, GoAlongWithACollective) {
  LoadsAlong loads = rank_with({1, 2}, 0.5);
  loads.took_part(4, 0.25, false);
  Along along{};
  EXPECT_EQ(loads_in(along).load_s, 0) << "all zero: nothing";
  put(loads, &along);
  const LoadsAlong back = loads_in(along);
  EXPECT_EQ(back.load_s, 7);
  EXPECT_EQ(back.busiest_s, 7);
  EXPECT_EQ(back.balancing_s, 0.25);
  EXPECT_EQ(back.not_blocking, 1u);
}

}  // namespace
}  // namespace roam::runtime
