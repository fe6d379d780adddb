#include "isomalloc/free_ranges.h"

#include <gtest/gtest.h>

#include <vector>

namespace roam::iso {
namespace {

TEST(FreeRanges, NeighboursGrowTogetherOnBothSides) {
  FreeRanges ranges;
  ranges.insert({100, 10});
  ranges.insert({120, 10});
  EXPECT_EQ(ranges.largest(), (Range{120, 10})) << "of two, the higher";
  ranges.insert({110, 10});
  EXPECT_EQ(ranges.largest(), (Range{100, 30}));
  EXPECT_EQ(ranges.holding(100), (Range{100, 30}));
  EXPECT_EQ(ranges.holding(129), (Range{100, 30}));
  EXPECT_EQ(ranges.holding(99).bytes, 0u);
  EXPECT_EQ(ranges.holding(130).bytes, 0u);
}

TEST(FreeRanges, TheSmallestThatFitsIsTakenFromItsBeginning) {
  FreeRanges ranges;
  ranges.insert({100, 50});
  ranges.insert({200, 20});
  ranges.insert({300, 20});
  EXPECT_EQ(ranges.take(15), (Range{200, 15}));
  EXPECT_EQ(ranges.take(15), (Range{300, 15}));
  EXPECT_EQ(ranges.take(15), (Range{100, 15}));
  EXPECT_EQ(ranges.take(40), std::nullopt);
  EXPECT_EQ(ranges.take(35), (Range{115, 35}));
  EXPECT_EQ(ranges.take(5), (Range{215, 5}));
  EXPECT_EQ(ranges.take(5), (Range{315, 5}));
  EXPECT_TRUE(ranges.empty());
}

TEST(FreeRanges, ShortOnesAreFound) {
  FreeRanges ranges;
  ranges.insert({100, 50});
  ranges.insert({200, 20});
  ranges.insert({300, 10});
  EXPECT_EQ(ranges.count(), 3u);
  EXPECT_EQ(ranges.shorter_than(50), (std::vector<Range>{{300, 10}, {200, 20}}));
  EXPECT_TRUE(ranges.shorter_than(10).empty());
}

TEST(FreeRanges, OrFromItsEnd) {
  FreeRanges ranges;
  ranges.insert({100, 50});
  ranges.insert({200, 20});
  EXPECT_EQ(ranges.take_last(15), (Range{205, 15}));
  EXPECT_EQ(ranges.take_last(15), (Range{135, 15}));
  EXPECT_EQ(ranges.take_last(36), std::nullopt);
  EXPECT_EQ(ranges.take_last(35), (Range{100, 35}));
  EXPECT_EQ(ranges.take_last(5), (Range{200, 5}));
  EXPECT_TRUE(ranges.empty());
}

TEST(FreeRanges, AnyPartOfARangeCanBeCutOut) {
  for (const Range part : {Range{100, 10}, Range{120, 10}, Range{110, 5}, Range{100, 30}}) {
    FreeRanges ranges;
    ranges.insert({100, 30});
    EXPECT_FALSE(ranges.cut({part.begin, 31}));
    EXPECT_FALSE(ranges.cut({99, 2}));
    ASSERT_TRUE(ranges.cut(part));
    EXPECT_EQ(ranges.holding(part.begin).bytes, 0u);
    EXPECT_FALSE(ranges.cut(part));
    ranges.insert(part);
    EXPECT_EQ(ranges.largest(), (Range{100, 30}));
  }
}

TEST(FreeRanges, ARangeIsAsYoungAsItsYoungestPart) {
  FreeRanges ranges;
  ranges.insert({100, 10});
  ranges.insert({200, 10});
  ranges.insert({300, 10});
  EXPECT_EQ(ranges.by_age(), (std::vector<Range>{{100, 10}, {200, 10}, {300, 10}}));
  ranges.insert({110, 10});
  EXPECT_EQ(ranges.by_age(), (std::vector<Range>{{200, 10}, {300, 10}, {100, 20}}));
  ASSERT_TRUE(ranges.cut({305, 5}));
  EXPECT_EQ(ranges.by_age(), (std::vector<Range>{{200, 10}, {300, 5}, {100, 20}}));
  EXPECT_EQ(ranges.bytes(), 35u);
}

TEST(FreeRangesDeathTest, WhatIsFreeCannotBeFreed) {
  FreeRanges ranges;
  ranges.insert({100, 30});
  for (const Range again : {Range{100, 30}, Range{90, 11}, Range{129, 5}, Range{110, 5}}) {
    EXPECT_EXIT(ranges.insert(again), testing::ExitedWithCode(1), "freed twice");
  }
}

}  // namespace
}  // namespace roam::iso
