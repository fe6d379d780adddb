#include "runtime/image/pieces.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

namespace roam::runtime {
namespace {

struct Piece {
  std::vector<Range> runs;
  bool direct;
};
std::vector<Piece> pieces_of(const std::vector<Range>& runs) {
  std::vector<Piece> pieces;
  for_each_piece(
      runs,
      [&](Range run) {
        pieces.push_back({{run}, true});
      },
      [&](const std::vector<Range>& few, std::size_t bytes) {
        std::size_t sum = 0;
        for (const Range& run : few) sum += run.bytes;
        EXPECT_EQ(sum, bytes);
        EXPECT_LE(bytes, Staging::kMostBytes);
        pieces.push_back({few, false});
      });
  return pieces;
}

TEST(Pieces, NoRunsMakeNone) { EXPECT_TRUE(pieces_of({}).empty()); }

TEST(Pieces, LongRunsGoAloneAndShortOnesTogether) {
  const Range shorts[] = {{0x1000, 100}, {0x9000, 200}};
  const Range at_limit{0x20000, kGatherBytes};
  const std::vector<Piece> pieces = pieces_of({shorts[0], at_limit, shorts[1]});
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_TRUE(pieces[0].direct);
  EXPECT_EQ(pieces[0].runs, (std::vector<Range>{at_limit}));
  EXPECT_EQ(pieces[1].runs, (std::vector<Range>{shorts[0], shorts[1]}));
}

TEST(Pieces, EachRunIsInOnePiece) {
  std::vector<Range> runs;
  for (std::size_t i = 0; i < 1000; ++i) runs.push_back({i << 20, 1 + i * 7919 % (48 << 10)});
  std::vector<Range> shorts, longs, seen_shorts, seen_longs;
  for (const Range& run : runs) (run.bytes < kGatherBytes ? shorts : longs).push_back(run);
  for (const Piece& piece : pieces_of(runs)) {
    std::vector<Range>& seen = piece.direct ? seen_longs : seen_shorts;
    seen.insert(seen.end(), piece.runs.begin(), piece.runs.end());
  }
  EXPECT_EQ(seen_shorts, shorts);
  EXPECT_EQ(seen_longs, longs);
}

}  // namespace
}  // namespace roam::runtime
