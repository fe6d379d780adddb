#include "runtime/checkpoint/watch_worth.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace roam::runtime {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::uint64_t kGib = std::uint64_t{1} << 30;

TEST(WatchWorth, ALookThatTakesLessThanACopyGoesOn) {
  WatchWorth worth;
  EXPECT_TRUE(worth.looked(5000 * kMs, kGib)) << "no copy is known yet";
  worth.copied(100 * kMs, kGib);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(worth.looks());
    ASSERT_TRUE(worth.looked(99 * kMs, kGib));
  }
}

TEST(WatchWorth, OneThatTakesLongerIsNotDoneForAWhile) {
  WatchWorth worth;
  worth.copied(100 * kMs, kGib);
  EXPECT_TRUE(worth.looks());
  EXPECT_FALSE(worth.looked(101 * kMs, kGib));
  EXPECT_TRUE(worth.rests());
  for (int i = 0; i < WatchWorth::kRest; ++i) {
    EXPECT_FALSE(worth.looks()) << i;
    EXPECT_TRUE(worth.rests()) << i;
  }
  EXPECT_TRUE(worth.looks()) << "it is tried again";
  EXPECT_FALSE(worth.rests());
  EXPECT_FALSE(worth.looked(51 * kMs, kGib / 2));
}

TEST(WatchWorth, ShortLooksAndSmallCopiesMeanNothing) {
  WatchWorth worth;
  worth.copied(100 * kMs, kGib);
  EXPECT_TRUE(worth.looked(WatchWorth::kShortNs - 1, 1));
  worth.copied(1, WatchWorth::kFewBytes - 1);
  EXPECT_TRUE(worth.looked(99 * kMs, kGib)) << "the speed is that of before";
}

}  // namespace
}  // namespace roam::runtime
