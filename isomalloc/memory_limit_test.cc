#include "isomalloc/memory_limit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

namespace roam::iso {
namespace {

constexpr std::size_t kMiB = 1 << 20;
std::size_t used = 0;  // what the node really has
MemoryLimit *reclaiming = nullptr;
int reclaimed = 0;

class MemoryLimitTest : public testing::Test {
 protected:
  MemoryLimitTest() { used = 0, reclaimed = 0; }
  void start(std::size_t most_bytes, bool whole_process = false) {
    limit_.set(most_bytes, 1024 * kMiB);
    limit_.start(
        &charged_, [] { return used; }, whole_process);
    reclaiming = &limit_;
  }
  std::atomic<std::int64_t> charged_{0};
  MemoryLimit limit_;
};

TEST_F(MemoryLimitTest, WithoutOneNothingIsCounted) {
  start(0);
  EXPECT_TRUE(limit_.charge(SIZE_MAX / 2));
  EXPECT_TRUE(limit_.left(SIZE_MAX / 2));
  limit_.uncharge(5);
  EXPECT_EQ(limit_.charged(), 0u);
}

TEST_F(MemoryLimitTest, WhatIsChargedCountsUntilItIsGivenUp) {
  start(64 * kMiB);
  EXPECT_TRUE(limit_.charge(64 * kMiB));
  errno = 0;
  EXPECT_FALSE(limit_.charge(1));
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_EQ(limit_.charged(), 64 * kMiB) << "a refusal leaves nothing behind";
  limit_.uncharge(10 * kMiB);
  EXPECT_TRUE(limit_.charge(10 * kMiB));
  EXPECT_FALSE(limit_.charge(SIZE_MAX)) << "more than any count holds";
  EXPECT_EQ(limit_.charged(), 64 * kMiB);
}

// Another rank of the node counts at the same time.
TEST_F(MemoryLimitTest, WhoAsksTooMuchHasNobodyElseRefused) {
  start(64 * kMiB);
  MemoryLimit other;
  other.set(64 * kMiB, 1024 * kMiB);
  other.start(
      &charged_, [] { return used; }, false);
  EXPECT_TRUE(limit_.charge(kMiB));  // so that the other one's 64 MiB never fit
  std::atomic<bool> over = false, begun = false;
  std::thread asks_too_much([&] {
    while (!over) {
      EXPECT_FALSE(other.charge(64 * kMiB));
      begun = true;
    }
  });
  while (!begun) {
  }
  int refused = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  while (refused == 0 && std::chrono::steady_clock::now() < end) {
    if (!limit_.charge(100)) {
      ++refused;
    } else {
      limit_.uncharge(100);
    }
  }
  over = true;
  asks_too_much.join();
  EXPECT_EQ(refused, 0);
}

TEST_F(MemoryLimitTest, WhatTheNodeReallyHasCountsToo) {
  start(64 * kMiB);
  used = 60 * kMiB;
  EXPECT_TRUE(limit_.left(4 * kMiB));
  EXPECT_FALSE(limit_.left(4 * kMiB + 1));
  // Looked at when a good part has been charged since the last look.
  EXPECT_FALSE(limit_.charge(8 * kMiB));
  EXPECT_TRUE(limit_.charge(2 * kMiB));
}

TEST_F(MemoryLimitTest, OfAProcessWhatItHadBeforeDoesNotCount) {
  used = 100 * kMiB;
  start(64 * kMiB, true);
  EXPECT_TRUE(limit_.left(64 * kMiB));
  used = 110 * kMiB;
  EXPECT_FALSE(limit_.left(55 * kMiB));
}

TEST_F(MemoryLimitTest, WhatCanBeGivenBackIsBeforeItSaysNo) {
  start(64 * kMiB);
  limit_.set_reclaim([] {
    ++reclaimed;
    used = 0;
    reclaiming->uncharge(32 * kMiB);
    EXPECT_FALSE(reclaiming->charge(64 * kMiB)) << "not again inside of itself";
  });
  ASSERT_TRUE(limit_.charge(64 * kMiB));
  used = 64 * kMiB;
  EXPECT_TRUE(limit_.left(1));
  EXPECT_EQ(reclaimed, 1);
  EXPECT_TRUE(limit_.charge(32 * kMiB));
  EXPECT_EQ(reclaimed, 1) << "there was room";
}

TEST_F(MemoryLimitTest, SaysWhyThereWasNone) {
  start(64 * kMiB);
  EXPECT_EQ(limit_.shortage(), "");
  ASSERT_TRUE(limit_.charge(48 * kMiB));
  EXPECT_FALSE(limit_.charge(32 * kMiB));
  EXPECT_EQ(limit_.shortage(), "ROAM_MEMORY allows a node 64 MiB, and this one had 48 MiB in use");
  limit_.note_shortage(MemoryLimit::Shortage::kAddresses);
  EXPECT_NE(limit_.shortage().find("ROAM_ARENA has 1 GiB"), std::string::npos) << limit_.shortage();
  limit_.note_shortage(MemoryLimit::Shortage::kKernel);
  EXPECT_NE(limit_.shortage().find("kernel"), std::string::npos);
}

}  // namespace
}  // namespace roam::iso
