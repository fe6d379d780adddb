#include "runtime/job/arena_place.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "base/options.h"
#include "base/os/memory.h"
#include "isomalloc/arena.h"
#include "roam/error.h"

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

// ---- a checkpoint's place ----

constexpr Range kFirst = {0x200000000000, std::size_t{1} << 30};
constexpr Range kCheckpoints = {0x300000000000, std::size_t{3} << 30};

class MoveArena : public testing::Test {
 protected:
  MoveArena() {
    options_.arena_base = kFirst.begin;
    options_.arena_bytes = kFirst.bytes;
  }
  ~MoveArena() override { iso::arena().release(); }
  Options options_;
};

void expect_there(Range place) {
  EXPECT_EQ(iso::arena().whole(), place);
  EXPECT_FALSE(os::reserve({place.begin, 4096})) << "it is not taken";
  EXPECT_FALSE(os::reserve({place.end() - 4096, 4096})) << "it is not taken";
}

TEST_F(MoveArena, GoesThere) {
  iso::arena().reserve(options_);
  EXPECT_EQ(move_arena(kCheckpoints, &options_), "");
  expect_there(kCheckpoints);
  EXPECT_EQ(options_.arena_base, kCheckpoints.begin);
  EXPECT_EQ(options_.arena_bytes, kCheckpoints.bytes);
  EXPECT_TRUE(os::reserve(kFirst)) << "it is in two places";
  os::unreserve(kFirst);
}

TEST_F(MoveArena, StaysWhereItIsThere) {
  iso::arena().reserve(options_);
  EXPECT_EQ(move_arena(kFirst, &options_), "");
  expect_there(kFirst);
}

TEST_F(MoveArena, ComesFromWhereItCouldNotBe) {
  const Mapped there(kFirst.begin);
  EXPECT_THROW(iso::arena().reserve(options_), Error);
  EXPECT_EQ(move_arena(kCheckpoints, &options_), "");
  expect_there(kCheckpoints);
}

TEST_F(MoveArena, MayOverlap) {
  iso::arena().reserve(options_);
  const Range wider{kFirst.begin, 2 * kFirst.bytes};
  EXPECT_EQ(move_arena(wider, &options_), "");
  expect_there(wider);
}

TEST_F(MoveArena, SaysWhatIsInTheWay) {
  iso::arena().reserve(options_);
  const Mapped there(kCheckpoints.begin + (1 << 20));
  const std::string why = move_arena(kCheckpoints, &options_);
  for (const char* part : {"3 GiB at 0x300000000000", "at 0x300000100000 is mapped there",
                           "ROAM_ARENA=0x300000000000,0xc0000000"})
    EXPECT_NE(why.find(part), std::string::npos) << why;
}

}  // namespace
}  // namespace roam::runtime
