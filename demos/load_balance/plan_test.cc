#include "demos/load_balance/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace {

TEST(Plan, GivesTheJobThatFitsToTheRankWithLeast) {
  const std::vector<double> ranks = {8, 2, 0, 2};
  const std::vector<double> jobs = {1, 2.9, 4.1};
  const auto gift = choose_gift(ranks, 0, jobs);
  ASSERT_TRUE(gift);
  EXPECT_EQ(gift->job, 1u);  // rank 0 has 5 too much, rank 2 has 3 too little
  EXPECT_EQ(gift->rank, 2);
}

TEST(Plan, KeepsWhatWouldOnlySwapTheRoles) {
  const std::vector<double> ranks = {4, 0};
  const std::vector<double> jobs = {4};
  EXPECT_FALSE(choose_gift(ranks, 0, jobs));
}

TEST(Plan, NeedsWorkToGiveAway) {
  EXPECT_FALSE(choose_gift(std::vector<double>{3, 1}, 0, {}));
  EXPECT_FALSE(choose_gift(std::vector<double>{1, 3}, 0, std::vector<double>{1}));
  EXPECT_FALSE(choose_gift(std::vector<double>{5}, 0, std::vector<double>{1, 4}));
  EXPECT_FALSE(choose_gift(std::vector<double>{0.002, 0}, 0, std::vector<double>{0.001, 0.001}));
}

TEST(Plan, EvensOutAnySkewAndEnds) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> size(0.02, 0.2);
    const std::size_t ranks = 1 + seed % 9;
    std::vector<std::vector<double>> jobs(ranks);
    std::vector<double> sums(ranks);
    for (int i = 0; i < 400; ++i) {
      const std::size_t rank = random() % ranks * (random() % ranks) / ranks;
      jobs[rank].push_back(size(random));
      sums[rank] += jobs[rank].back();
    }
    int gifts = 0;
    for (bool given = true; given;) {
      given = false;
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        while (const auto gift = choose_gift(sums, static_cast<int>(rank), jobs[rank])) {
          ASSERT_LT(++gifts, 1000);
          given = true;
          const double job = jobs[rank][gift->job];
          jobs[rank].erase(jobs[rank].begin() + static_cast<std::ptrdiff_t>(gift->job));
          jobs[static_cast<std::size_t>(gift->rank)].push_back(job);
          sums[rank] -= job;
          sums[static_cast<std::size_t>(gift->rank)] += job;
        }
      }
    }
    const auto [least, most] = std::minmax_element(sums.begin(), sums.end());
    EXPECT_LT(*most - *least, 0.2);
  }
}

}  // namespace
