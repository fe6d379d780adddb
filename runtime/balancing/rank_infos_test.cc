#include "runtime/balancing/rank_infos.h"

#include <gtest/gtest.h>

namespace roam::runtime {
namespace {

TEST(RankInfos, EachNodeDividesItsMemoryAmongItsOwnRanks) {
  // Nodes of three ranks, one and two, of which two are not side by side.
  const std::vector<balance::RankInfo> infos = rank_infos({0, 0, 2, 1, 0, 2}, 6000);
  ASSERT_EQ(infos.size(), 6u);
  const std::size_t memory[] = {2000, 2000, 3000, 6000, 2000, 3000};
  const int node[] = {0, 0, 2, 1, 0, 2};
  for (std::size_t r = 0; r < infos.size(); ++r) {
    EXPECT_EQ(infos[r].memory_bytes, memory[r]) << "rank " << r;
    EXPECT_EQ(infos[r].node, node[r]) << "rank " << r;
    EXPECT_EQ(infos[r].speed, 1) << "rank " << r;
  }
}

TEST(RankInfos, WithoutALimitThereIsNone) {
  for (const balance::RankInfo& info : rank_infos({0, 0, 1}, 0)) EXPECT_EQ(info.memory_bytes, 0u);
}

}  // namespace
}  // namespace roam::runtime
