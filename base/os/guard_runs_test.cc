#include "base/os/guard_runs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/test_bytes.h"

namespace roam::os {
namespace {

Range pages(std::size_t first, std::size_t count) {
  return Range{(first + 1) * kPageBytes, count * kPageBytes};
}

TEST(GuardRuns, CountsRunsHoweverTheyAreAddedAndRemoved) {
  constexpr std::size_t kPages = 200;
  static GuardRuns<1000> runs;
  std::vector<bool> model(kPages + 1);
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < 20'000; ++round) {
    const std::size_t first = random() % kPages,
                      count = 1 + random() % std::min<std::size_t>(9, kPages - first);
    const bool adds = random() % 2 == 0;
    if (adds) {
      ASSERT_TRUE(runs.add(pages(first, count)));
    } else {
      runs.remove(pages(first, count));
    }
    std::fill_n(model.begin() + static_cast<std::ptrdiff_t>(first), count, adds);
    std::size_t expected = 0;
    for (std::size_t i = 0; i < kPages; ++i) expected += model[i] && !model[i + 1];
    ASSERT_EQ(runs.size(), expected) << "round " << round;
  }
}

TEST(GuardRuns, RefusesOneTooManyButNotWhatJoinsARun) {
  GuardRuns<8> runs;
  for (std::size_t i = 0; i < 8; ++i) ASSERT_TRUE(runs.add(pages(10 * i, 2)));
  EXPECT_FALSE(runs.add(pages(100, 1)));
  EXPECT_TRUE(runs.add(pages(2, 3)));
  EXPECT_TRUE(runs.add(pages(5, 5))) << "joins two";
  EXPECT_EQ(runs.size(), 7u);
  EXPECT_TRUE(runs.add(pages(100, 1)));
}

TEST(GuardRuns, SplitsBeyondItsRoomAreForgottenAndHarmNothing) {
  GuardRuns<8> runs;
  ASSERT_TRUE(runs.add(pages(0, 100)));
  for (std::size_t i = 1; i < 100; i += 2) runs.remove(pages(i, 1));
  EXPECT_GE(runs.size(), 8u);
  runs.remove(pages(0, 100));
  EXPECT_EQ(runs.size(), 0u);
}

}  // namespace
}  // namespace roam::os
