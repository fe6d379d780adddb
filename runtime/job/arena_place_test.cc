#include "runtime/job/arena_place.h"

#include <gtest/gtest.h>

#include "base/os/memory.h"

namespace roam::runtime {
namespace {

constexpr Range kWanted = {0x200000000000, std::size_t{48} << 40};
bool alone(bool mine) { return mine; }

struct Mapped {
  explicit Mapped(Address begin) : range{begin, 4096} {
    EXPECT_TRUE(os::reserve(range)) << std::hex << begin;
  }
  ~Mapped() { os::unreserve(range); }
  const Range range;
};

TEST(ArenaPlace, IsTheOneThatIsWantedIfItIsFree) {
  EXPECT_EQ(arena_place(kWanted, alone), kWanted);
  EXPECT_EQ(arena_place(kWanted, alone), kWanted) << "the look at it left something there";
}

TEST(ArenaPlace, LeavesOutWhatIsMapped) {
  const Mapped middle(0x2b12d0000000);
  const Range first = arena_place(kWanted, alone);
  EXPECT_FALSE(first.contains(middle.range.begin));
  EXPECT_GE(first.bytes, std::size_t{8} << 40);
  const Mapped in_that(first.begin + first.bytes / 2);
  const Range second = arena_place(kWanted, alone);
  EXPECT_NE(second, first);
  EXPECT_FALSE(second.contains(middle.range.begin));
  EXPECT_FALSE(second.contains(in_that.range.begin));
}

TEST(ArenaPlace, IsFreeOnEveryRank) {
  int asked = 0;
  const Range place = arena_place(kWanted, [&](bool mine) { return mine && ++asked == 3; });
  EXPECT_EQ(asked, 3);
  EXPECT_NE(place, kWanted);
}

TEST(ArenaPlace, IsTheOneThatIsWantedIfNoneIsFree) {
  EXPECT_EQ(arena_place(kWanted, [](bool) { return false; }), kWanted);
}

TEST(ArenaPlace, HasNoMoreBytesThanAreWanted) {
  const Range small{0x200000000000, std::size_t{1} << 40};
  const Mapped there(small.begin);
  const Range place = arena_place(small, alone);
  EXPECT_NE(place.begin, small.begin);
  EXPECT_EQ(place.bytes, small.bytes);
}

}  // namespace
}  // namespace roam::runtime
