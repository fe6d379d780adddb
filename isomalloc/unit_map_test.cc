#include "isomalloc/unit_map.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <set>
#include <thread>
#include <vector>

#include "base/range.h"
#include "isomalloc/departures.h"
#include "isomalloc/layout.h"

namespace roam::iso {
namespace {

constexpr std::size_t kUnits = 1024;
constexpr Address kBase = Address{1} << 44;

// No memory is behind these addresses.
class UnitMapTest : public testing::Test {
 protected:
  UnitMapTest() { units_.start(bytes_.data(), Range{kBase, kUnits * kUnitBytes}); }
  static Range units(std::size_t first, std::size_t count) {
    return Range{kBase + first * kUnitBytes, count * kUnitBytes};
  }
  std::vector<UnitKind> kinds(Range range) const {
    std::vector<UnitKind> kinds;
    for (Address a = range.begin; a < range.end(); a += kUnitBytes) kinds.push_back(units_.kind(a));
    return kinds;
  }
  UnitMap units_;

 private:
  alignas(8) std::array<unsigned char, kUnits> bytes_{};
};

TEST_F(UnitMapTest, TheNextUsedUnitIsFoundFromAnyOther) {
  for (const std::size_t used : {0, 7, 8, 9, 500, 1023}) {
    units_.set_kind(units(used, 1).begin, UnitKind::kRemains);
    for (const std::size_t end : {501, 1000, 1024}) {
      for (std::size_t from = 0; from <= end; ++from) {
        const std::size_t next = from <= used && used < end ? used : end;
        ASSERT_EQ(units_.next_used(units(from, 0).begin, units(end, 0).begin), units(next, 0).begin)
            << from << " to " << end << ", " << used << " is used";
      }
    }
    units_.set_kind(units(used, 1).begin, UnitKind::kNone);
  }
}

TEST_F(UnitMapTest, AMarkedRangeIsFoundFromEachOfItsUnits) {
  const Range slot = units(3, 4), span = units(7, 1);
  units_.mark(slot, UnitKind::kSlot);
  units_.set_kind(slot.end() - kUnitBytes, UnitKind::kSlotHead);
  units_.mark(span, UnitKind::kSpan);
  for (Address a = slot.begin; a < slot.end(); a += kUnitBytes / 2) {
    EXPECT_EQ(units_.range_begin(a), slot.begin);
    EXPECT_EQ(units_.range_at(a), slot);
  }
  EXPECT_EQ(units_.range_at(span.end() - 1), span);
  EXPECT_EQ(units_.range_begin(units(8, 1).begin), 0u);
  EXPECT_EQ(units_.range_at(units(2, 1).begin), Range{});
  units_.unmark(slot);
  EXPECT_EQ(units_.range_begin(slot.begin + kUnitBytes), 0u);
  EXPECT_EQ(units_.range_at(span.begin), span);
}

TEST_F(UnitMapTest, ARangeAtTheEndOfTheArenaEndsThere) {
  const Range last = units(kUnits - 3, 3);
  units_.mark(last, UnitKind::kBlock);
  EXPECT_EQ(units_.range_at(last.end() - 1), last);
}

TEST_F(UnitMapTest, WhatIsAwayIsNobodys) {
  const Range range = units(10, 3);
  for (const UnitKind away :
       {UnitKind::kKept, UnitKind::kEvicting, UnitKind::kLeaving, static_cast<UnitKind>(255)}) {
    EXPECT_TRUE(is_away(away));
    EXPECT_FALSE(lives(away));
    units_.mark(range, away);
    EXPECT_EQ(units_.range_at(range.begin), Range{});
  }
  EXPECT_FALSE(lives(UnitKind::kNone));
  EXPECT_TRUE(lives(UnitKind::kRemains));
}

TEST_F(UnitMapTest, AClaimTellsWhatOfItWasKept) {
  EXPECT_EQ(units_.claim(units(20, 3)), Claimed::kNothingKept);
  EXPECT_EQ(kinds(units(20, 3)), std::vector<UnitKind>(3, UnitKind::kContinued));
  for (Address a = units(30, 4).begin; a < units(30, 4).end(); a += kUnitBytes)
    units_.set_kind(a, UnitKind::kKept);
  units_.set_kind(units(32, 1).begin, UnitKind::kLeaving);
  EXPECT_EQ(units_.claim(units(29, 2)), Claimed::kSomeKept);
  EXPECT_EQ(units_.claim(units(31, 3)), Claimed::kAllKept);
  EXPECT_DEATH(units_.claim(units(33, 2)), "where unit kind 1 lives: addresses are not unique");
}

TEST_F(UnitMapTest, EvictionDropsRunsOfWhatIsKeptAndNothingElse) {
  for (Address a = units(40, 8).begin; a < units(40, 8).end(); a += kUnitBytes)
    units_.set_kind(a, UnitKind::kKept);
  units_.set_kind(units(42, 1).begin, UnitKind::kSpan);
  units_.set_kind(units(45, 1).begin, UnitKind::kLeaving);
  std::vector<Range> dropped;
  units_.evict(units(39, 10), [&](Range run) {
    EXPECT_EQ(units_.kind(run.begin), UnitKind::kEvicting) << "nobody has it yet";
    dropped.push_back(run);
  });
  EXPECT_EQ(dropped, (std::vector<Range>{units(40, 2), units(43, 2), units(46, 2)}));
  EXPECT_EQ(units_.kind(units(42, 1).begin), UnitKind::kSpan);
  EXPECT_EQ(units_.kind(units(45, 1).begin), UnitKind::kLeaving);
  EXPECT_EQ(units_.kind(units(47, 1).begin), UnitKind::kNone);
}

// Each unit goes to one of them.
TEST_F(UnitMapTest, OneRankEvictsWhileAnotherClaims) {
  const Range range = units(0, kUnits);
  for (int round = 0; round < 20; ++round) {
    for (Address a = range.begin; a < range.end(); a += kUnitBytes)
      units_.set_kind(a, UnitKind::kKept);
    std::size_t dropped = 0;
    std::thread other(
        [&] { units_.evict(range, [&](Range run) { dropped += run.bytes / kUnitBytes; }); });
    std::size_t kept = 0;
    for (std::size_t unit = kUnits; unit-- > 0;)
      kept += units_.claim(units(unit, 1)) == Claimed::kAllKept;
    other.join();
    EXPECT_EQ(kept + dropped, kUnits);
    EXPECT_EQ(kinds(range), std::vector<UnitKind>(kUnits, UnitKind::kContinued));
  }
}

class DeparturesTest : public UnitMapTest {
 protected:
  DeparturesTest() {
    departures_.start(Layout(Range{kBase, kUnits * kUnitBytes}), &units_);
    other_.start(Layout(Range{kBase, kUnits * kUnitBytes}), &units_);
    other_.set_node_rank(1);
  }
  ~DeparturesTest() override {
    departures_.release();
    other_.release();
  }
  Departures departures_, other_;  // of two ranks of a node
};

TEST_F(DeparturesTest, WhatLeftIsKeptAndWhatCameBackIsNot) {
  const Range range = units(5, 4);
  units_.mark(range, UnitKind::kSpan);
  EXPECT_EQ(departures_.last(range.begin), 0u);
  departures_.leave(range, 7);
  EXPECT_EQ(departures_.last(range.end() - 1), 7u);
  EXPECT_EQ(units_.claim(units(6, 1)), Claimed::kAllKept);
  departures_.keep(range, 7);
  EXPECT_EQ(kinds(range), (std::vector<UnitKind>{UnitKind::kKept, UnitKind::kContinued,
                                                 UnitKind::kKept, UnitKind::kKept}));
}

TEST_F(DeparturesTest, WhatLeavesAgainIsNotKeptByTheFirstDeparture) {
  const Range range = units(5, 2);
  departures_.leave(range, 1);
  units_.claim(range);
  departures_.leave(range, 2);
  departures_.keep(range, 1);
  EXPECT_FALSE(units_.kind(range.begin) == UnitKind::kKept);
  departures_.keep(range, 2);
  EXPECT_EQ(units_.kind(range.begin), UnitKind::kKept);
}

TEST_F(DeparturesTest, WhatAnotherRankOfTheNodeSendsIsNotKeptByThisOne) {
  const Range range = units(5, 1);
  departures_.leave(range, 3);
  units_.claim(range);
  other_.leave(range, 3);
  departures_.keep(range, 3);
  EXPECT_FALSE(units_.kind(range.begin) == UnitKind::kKept);
  other_.keep(range, 3);
  EXPECT_EQ(units_.kind(range.begin), UnitKind::kKept);
}

TEST_F(DeparturesTest, EachRankOfANodeHasAMarkOfItsOwn) {
  std::set<UnitKind> marks;
  for (int node_rank = 0; node_rank < Departures::kMostNodeRanks; ++node_rank) {
    departures_.set_node_rank(node_rank);
    departures_.leave(units(5, 1), 1);
    const UnitKind mark = units_.kind(units(5, 1).begin);
    EXPECT_GE(mark, UnitKind::kLeaving) << node_rank;
    EXPECT_TRUE(marks.insert(mark).second) << node_rank;
  }
  for (const int none : {-1, Departures::kMostNodeRanks})
    EXPECT_DEATH(departures_.set_node_rank(none), "has no rank");
}

}  // namespace
}  // namespace roam::iso
