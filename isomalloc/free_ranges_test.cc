#include "isomalloc/free_ranges.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <vector>

namespace {
// How many calls of operator new succeed yet; -1: all.
int news_left = -1;
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (news_left == 0) throw std::bad_alloc();
  if (news_left > 0) --news_left;
  if (void* block = std::malloc(bytes); block != nullptr) return block;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace roam::iso {
namespace {

// Does it with memory for ever more entries. Each time that it fails, nothing has changed.
template <class F>
void expect_all_or_nothing(FreeRanges& ranges, int most_news, F f) {
  const std::vector<Range> before = ranges.by_age();
  const std::size_t bytes = ranges.bytes(), count = ranges.count();
  for (int news = 0; news <= most_news; ++news) {
    news_left = news;
    bool failed = false;
    try {
      f();
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    news_left = -1;
    if (!failed) {
      EXPECT_EQ(news, most_news);
      return;
    }
    EXPECT_EQ(ranges.by_age(), before);
    EXPECT_EQ(ranges.bytes(), bytes);
    EXPECT_EQ(ranges.count(), count);
    EXPECT_EQ(ranges.shorter_than(SIZE_MAX).size(), count);
  }
  ADD_FAILURE() << "fails with memory for " << most_news << " entries";
}

TEST(FreeRanges, WithoutMemoryForAnEntryNothingIsLost) {
  FreeRanges ranges;
  expect_all_or_nothing(ranges, 2, [&] { ranges.insert({100, 100}); });
  expect_all_or_nothing(ranges, 0, [&] { EXPECT_TRUE(ranges.cut({100, 10})); });
  expect_all_or_nothing(ranges, 0, [&] { EXPECT_TRUE(ranges.cut({190, 10})); });
  expect_all_or_nothing(ranges, 2, [&] { EXPECT_TRUE(ranges.cut({130, 10})); });
  expect_all_or_nothing(ranges, 0, [&] { ranges.insert({140, 0}); });
  EXPECT_EQ(ranges.by_age(), (std::vector<Range>{{110, 20}, {140, 50}}));
  EXPECT_EQ(ranges.shorter_than(SIZE_MAX), (std::vector<Range>{{110, 20}, {140, 50}}));
  expect_all_or_nothing(ranges, 0, [&] { ranges.insert({130, 2}); });
  expect_all_or_nothing(ranges, 0, [&] { ranges.insert({138, 2}); });
  EXPECT_EQ(ranges.by_age(), (std::vector<Range>{{110, 22}, {138, 52}}));
  expect_all_or_nothing(ranges, 0, [&] { ranges.insert({132, 6}); });
  EXPECT_EQ(ranges.shorter_than(SIZE_MAX), (std::vector<Range>{{110, 80}}));
  EXPECT_EQ(ranges.bytes(), 80u);
  expect_all_or_nothing(ranges, 0, [&] { EXPECT_EQ(ranges.take(80), (Range{110, 80})); });
  EXPECT_TRUE(ranges.empty());
}

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
