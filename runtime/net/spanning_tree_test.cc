#include "runtime/net/spanning_tree.h"

#include <gtest/gtest.h>

#include <vector>

namespace roam::runtime {
namespace {

// Places from that of `tree`'s rank to `end` are those below it, each once.
void expect_whole(const SpanningTree& tree, int end, std::vector<int>& seen) {
  ++seen[static_cast<std::size_t>(tree.rank)];
  int next = tree.place() + 1;
  tree.for_each_child([&](int child, int child_end) {
    const SpanningTree below{child, tree.root, tree.ranks};
    EXPECT_EQ(below.parent(), tree.rank);
    EXPECT_EQ(below.place(), next);
    expect_whole(below, child_end, seen);
    next = child_end;
  });
  EXPECT_EQ(next, end);
}

TEST(SpanningTree, HasEveryRankOnceBelowAnyRoot) {
  for (int ranks = 1; ranks <= 40; ++ranks) {
    for (int root = 0; root < ranks; ++root) {
      const SpanningTree tree{root, root, ranks};
      EXPECT_EQ(tree.parent(), -1);
      std::vector<int> seen(static_cast<std::size_t>(ranks));
      expect_whole(tree, ranks, seen);
      EXPECT_EQ(seen, std::vector<int>(static_cast<std::size_t>(ranks), 1));
    }
  }
}

}  // namespace
}  // namespace roam::runtime
