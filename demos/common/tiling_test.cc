#include "demos/common/tiling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace {

TEST(Tiling, IsAsSquareAsCanBe) {
  EXPECT_EQ(Tiling(100, 64).columns(), 8);
  EXPECT_EQ(Tiling(100, 80).columns(), 10);
  EXPECT_EQ(Tiling(100, 80).rows(), 8);
  EXPECT_EQ(Tiling(100, 7).columns(), 7);
  EXPECT_TRUE(Tiling::fits(7, 7));
  EXPECT_FALSE(Tiling::fits(6, 7));
}

TEST(Tiling, EachCellIsInTheTileOfItsOwnerAndInNoOther) {
  for (const int tiles : {1, 2, 6, 12, 13}) {
    const Tiling tiling(13, tiles);
    for (int x = 0; x < 13; ++x) {
      for (int y = 0; y < 13; ++y) {
        for (int i = 0; i < tiles; ++i) {
          const Tile t = tiling.tile(i);
          const bool inside = x >= t.x_begin && x < t.x_end && y >= t.y_begin && y < t.y_end;
          EXPECT_EQ(inside, tiling.owner(x, y) == i);
        }
      }
    }
  }
}

TEST(Tiling, OwnersAfterAShiftAreThoseOfEachShiftedCell) {
  constexpr int kCells = 10;
  const Tiling tiling(kCells, 6);
  for (const auto& [dx, dy] : {std::pair{0, 0}, {1, 0}, {3, 9}, {-3, -9}, {7, 5}, {25, -31}}) {
    for (int i = 0; i < 6; ++i) {
      const Tile t = tiling.tile(i);
      std::set<int> expected;
      for (int x = t.x_begin; x < t.x_end; ++x) {
        for (int y = t.y_begin; y < t.y_end; ++y)
          expected.insert(tiling.owner((x + dx + 50) % kCells, (y + dy + 50) % kCells));
      }
      const std::vector<int> owners = tiling.owners_after(i, dx, dy);
      EXPECT_EQ(owners, std::vector<int>(expected.begin(), expected.end()));
      // Whom I send to receives from me.
      for (const int owner : owners) {
        const std::vector<int> back = tiling.owners_after(owner, -dx, -dy);
        EXPECT_TRUE(std::find(back.begin(), back.end(), i) != back.end());
      }
    }
  }
}

}  // namespace
