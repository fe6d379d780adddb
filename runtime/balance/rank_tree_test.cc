#include "runtime/balance/rank_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/test_bytes.h"
#include "runtime/balance/test_tables.h"

namespace roam::balance {
namespace {

// The least end of any rank of a node (-1: of all) that has room; -1 if there is none.
double least_end_s(const RankTree& tree, const LoadTable& table, double load_s, std::uint64_t bytes,
                   std::int32_t node) {
  double least = -1;
  for (std::size_t r = 0; r < table.ranks.size(); ++r) {
    const auto rank = static_cast<std::int32_t>(r);
    if ((node >= 0 && table.ranks[r].node != node) || !tree.has_room(rank, bytes)) continue;
    if (least < 0 || tree.end_s(rank, load_s) < least) least = tree.end_s(rank, load_s);
  }
  return least;
}

TEST(RankTree, FindsWhatALookAtAllRanksFinds) {
  std::uint64_t state = test_seed();
  for (int run = 0; run < 200; ++run) {
    const LoadTable table = random_table(&state, {.most_ranks = 30});
    RankTree tree(table);
    const auto ranks = static_cast<std::uint64_t>(table.ranks.size());
    for (int step = 0; step < 50; ++step) {
      const double load_s = fraction(&state);
      const std::uint64_t bytes = below(&state, 5'000'000);
      const auto near = static_cast<std::int32_t>(below(&state, ranks));
      const std::int32_t node = table.ranks[static_cast<std::size_t>(near)].node;
      for (const bool all : {true, false}) {
        const std::int32_t found =
            tree.earliest(load_s, bytes, all ? tree.everywhere() : tree.node_of(near));
        const double least = least_end_s(tree, table, load_s, bytes, all ? -1 : node);
        ASSERT_EQ(found < 0, least < 0);
        if (found >= 0) {
          ASSERT_TRUE(tree.has_room(found, bytes));
          ASSERT_DOUBLE_EQ(tree.end_s(found, load_s), least);
        }
      }
      double most_s = 0;
      for (std::uint64_t r = 0; r < ranks; ++r) {
        most_s = std::max(most_s, tree.time_s(static_cast<std::int32_t>(r)));
      }
      ASSERT_DOUBLE_EQ(tree.time_s(tree.busiest()), most_s);
      tree.add_load(static_cast<std::int32_t>(below(&state, ranks)), fraction(&state) - 0.2);
    }
  }
}

TEST(RankTree, GivesMemoryBackOnlyWhenARankIsWithinItsLimitAgain) {
  LoadTable table = table_of({1, 1, 1}, 2);  // 3,000 bytes on rank 0
  table.ranks[0].memory_bytes = 2'500;
  RankTree tree(table);
  EXPECT_TRUE(tree.has_room(0, 0));
  EXPECT_FALSE(tree.has_room(0, 1));
  tree.move_bytes(0, 1, 1'000);
  EXPECT_TRUE(tree.has_room(0, 500));
  EXPECT_FALSE(tree.has_room(0, 501));
  EXPECT_EQ(tree.earliest(1, 501, tree.everywhere()), 1);
}

TEST(RankTree, CountsABlockOnceOnEachRank) {
  LoadTable table = table_of({1, 1, 1, 1}, 2);
  table.block_bytes = {10'000};
  for (ThreadLoad& thread : table.threads) thread.block = 0;
  table.threads[3].rank = 1;  // 13,000 bytes on rank 0, 11,000 on rank 1
  table.ranks[0].memory_bytes = 13'500;
  table.ranks[1].memory_bytes = 12'500;
  const ThreadLoad& thread = table.threads[0];
  RankTree tree(table);
  EXPECT_TRUE(tree.has_room(1, thread));
  EXPECT_FALSE(tree.has_room(1, 1'501));
  EXPECT_EQ(tree.earliest(1, thread, {1, 2}), 1);
  tree.move_bytes(1, 0, RankTree::Need(500));  // what is taken is given back
  EXPECT_TRUE(tree.has_room(1, 2'000));
  tree.move_bytes(0, 1, thread);
  EXPECT_FALSE(tree.has_room(1, 1'001));
  tree.move_bytes(1, 0, thread);

  // The last one that leaves gives the block back, and who comes then needs it again.
  table.ranks[0].memory_bytes = 0;
  RankTree free(table);
  EXPECT_FALSE(free.has_room(1, 1'501));
  free.move_bytes(1, 0, table.threads[3]);
  EXPECT_TRUE(free.has_room(1, 12'500));
  EXPECT_FALSE(free.has_room(1, RankTree::Need(12'501)));
  EXPECT_TRUE(free.has_room(1, thread));
  EXPECT_EQ(free.earliest(1, thread, {1, 2}), 1);
}

}  // namespace
}  // namespace roam::balance
