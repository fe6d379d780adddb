#include "runtime/balancing/pull_patience.h"

#include <gtest/gtest.h>

namespace roam::runtime {
namespace {

constexpr std::uint64_t kLook = PullPatience::kAtOnce / 10;

// What a rank pulls first that computes for `busy` and is idle for `idle`, in turn.
Pull pulls(std::uint64_t busy, std::uint64_t idle, int turns, std::size_t threads) {
  PullPatience patience;
  std::uint64_t now = 1'000'000'000;
  for (int i = 0; i < turns; ++i) {
    now += busy;
    Pull pull = patience.look(now, true, threads);
    for (std::uint64_t waited = 0; pull == Pull::kNone && waited < idle; waited += kLook) {
      now += kLook;
      pull = patience.look(now, false, threads);
    }
    if (pull != Pull::kNone) return pull;
  }
  return Pull::kNone;
}

TEST(PullPatience, EndsWhereThereIsNothingToDo) {
  EXPECT_EQ(pulls(0, 2 * PullPatience::kEnough, 1, 0), Pull::kHalf);
  EXPECT_EQ(pulls(0, PullPatience::kEnough / 2, 1, 0), Pull::kNone);
}

TEST(PullPatience, EndsForWhoIsIdleForMoreThanItsShareOfAMember) {
  const std::uint64_t busy = 9 * PullPatience::kAtOnce, idle = 2 * PullPatience::kAtOnce;
  EXPECT_EQ(pulls(busy, idle, 10'000, 4), Pull::kNone);
  EXPECT_EQ(pulls(busy, idle, 10'000, 16), Pull::kOne);
}

TEST(PullPatience, DoesNotEndInShortTurns) {
  EXPECT_EQ(pulls(kLook, PullPatience::kAtOnce / 2, 10'000, 64), Pull::kNone);
}

}  // namespace
}  // namespace roam::runtime
