// What faults of leases that another node hands out from.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/os/memory.h"
#include "base/test_bytes.h"
#include "isomalloc/arena.h"
#include "isomalloc/test_arena.h"

namespace roam::iso {
namespace {

// Leases of 8 MiB, so four chunks each; none is this rank's.
class AbsentTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    TestArena::reserve(std::size_t{64} << 30);
    GetParam() ? static_cast<void>(arena().create_shared()) : arena().use_private();
    ASSERT_EQ(arena().lease_bytes(), std::size_t{8} << 20);
  }
  void TearDown() override { TestArena::release(); }
  static Range units(Region region, std::size_t first, std::size_t count) {
    return Range{arena().region(region).begin + first * kUnitBytes, count * kUnitBytes};
  }
  static void expect_usable(Range range, bool usable) {
    for (Address a = range.begin; a < range.end(); a += kPageBytes)
      ASSERT_EQ(readable(a), usable) << "page " << (a - range.begin) / kPageBytes;
  }
};
INSTANTIATE_TEST_SUITE_P(Kinds, AbsentTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Shared" : "Private"; });

TEST_P(AbsentTest, OfAForeignLeaseOnlyWhatCameCanBeReached) {
  if (!os::has_cheap_guards()) GTEST_SKIP() << "inside a chunk, where guards are cheap";
  for (const Region region : {Region::kSlots, Region::kHeap}) {
    const Range came = units(region, 10, 5);
    arena().admit(came);
    arena().units().mark(came, UnitKind::kSpan);
    fill_bytes(came.pointer(), came.bytes, 1);
    expect_usable(units(region, 0, 10), false);
    expect_usable(came, true);
    expect_usable(units(region, 15, 80), false);
    // Its neighbours, and one that lies in two chunks.
    for (const Range next : {units(region, 15, 2), units(region, 31, 2), units(region, 9, 1)}) {
      arena().admit(next);
      arena().units().mark(next, UnitKind::kSpan);
      expect_usable(next, true);
    }
    EXPECT_TRUE(holds_bytes(came.pointer(), came.bytes, 1));
    expect_usable(units(region, 0, 9), false);
    expect_usable(units(region, 17, 14), false);
    expect_usable(units(region, 33, 31), false);
    EXPECT_FALSE(arena().admit_for_fault(units(region, 40, 1).begin));
  }
}

TEST_P(AbsentTest, WhatAnotherRankOfTheNodeHasIsAdmittedByTheFaultHandler) {
  const Range theirs = units(Region::kHeap, 30, 4);  // in two chunks
  arena().units().mark(theirs, UnitKind::kSpan);
  EXPECT_FALSE(readable(theirs.begin));
  EXPECT_TRUE(arena().admit_for_fault(theirs.end() - 1));
  EXPECT_FALSE(arena().admit_for_fault(theirs.end() - 1)) << "was usable";
  expect_usable(theirs, true);
  if (!os::has_cheap_guards()) return;
  expect_usable(units(Region::kHeap, 34, 30), false);
  // What comes to life in a chunk that is open here.
  const Range later = units(Region::kHeap, 50, 1);
  arena().units().mark(later, UnitKind::kBlock);
  EXPECT_TRUE(arena().admit_for_fault(later.begin + 100));
  expect_usable(later, true);
}

TEST_P(AbsentTest, BeyondTheMappingsThatAProcessMayHaveMoreIsOpenedAtOnce) {
  // Every second chunk, 20,000 of them, is two mappings each if nothing else is done.
  const std::size_t units_a_chunk = (std::size_t{2} << 20) / kUnitBytes;
  const std::size_t chunks = arena().region(Region::kHeap).bytes / kUnitBytes / units_a_chunk;
  for (std::size_t chunk = 0; chunk < std::min<std::size_t>(chunks, 40'000); chunk += 2) {
    const Range came = units(Region::kHeap, chunk * units_a_chunk, 1);
    ASSERT_TRUE(arena().leases().open(came)) << chunk;
    arena().seals().unseal(came);
    *static_cast<char*>(came.pointer()) = 1;
  }
}

// Another rank of the node admitted it, this one looks at it, and it leaves meanwhile.
TEST_P(AbsentTest, WhatIsReachedDoesNotFaultThoughItLeavesMeanwhile) {
  for (const Region region : {Region::kSlots, Region::kHeap}) {
    arena().admit(units(region, 70, 1));  // so that something of other nodes is known to be here
    for (const std::size_t unit :
         {std::size_t{10}, std::size_t{71}}) {  // in another chunk, in this
      const Range theirs = units(region, unit, 1);
      arena().units().mark(theirs, UnitKind::kSpan);
      arena().reach(theirs);
      arena().units().unmark(theirs);
      expect_usable(theirs, true);
    }
  }
}

TEST_P(AbsentTest, ASlotHasAFenceBelowItThatGoesWhenASlotIsLaidOverIt) {
  if (!os::has_cheap_guards()) GTEST_SKIP() << "by pages, where guards are cheap";
  constexpr std::size_t kGuard = 16 << 10;
  ASSERT_EQ(arena().layout().fence_bytes(), kUnitBytes)
      << "less than 16 GiB are 131,072 slots of 64 KiB each";
  arena().leases().own(arena().region(Region::kSlots));
  const Range all = units(Region::kSlots, 0, 24);
  ASSERT_TRUE(arena().leases().open(all));
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < 300; ++round) {
    const std::size_t first = 1 + random() % 15, count = 2 + random() % 8;
    const Range slot = units(Region::kSlots, first, count);
    if (round % 5 == 0) {  // it left, and its range comes back
      arena().seals().seal_absent(slot);
      arena().seals().unseal(slot);
    }
    SCOPED_TRACE(testing::Message() << "round " << round << ": " << count << " units at " << first);
    arena().guards().guard_slot(slot, kGuard);
    expect_usable(units(Region::kSlots, first - 1, 1), false);
    expect_usable(Range{slot.begin, kGuard}, false);
    expect_usable(Range{slot.begin + kGuard, slot.bytes - kGuard}, true);
  }
  EXPECT_FALSE(arena().guards().missing());
}

TEST_P(AbsentTest, WhatLiesWhereThisRankOnceHadAGuardOrAFenceIsAdmitted) {
  if (!os::has_cheap_guards()) GTEST_SKIP() << "by pages, where guards are cheap";
  constexpr std::size_t kGuard = 16 << 10;
  arena().leases().own(arena().region(Region::kSlots));
  ASSERT_TRUE(arena().leases().open(units(Region::kSlots, 0, 24)));
  const Range fence = units(Region::kSlots, 4, 1), first = units(Region::kSlots, 5, 1);
  for (const Range& range : {fence, first}) {
    arena().guards().guard_slot(units(Region::kSlots, 5, 3), kGuard);
    EXPECT_FALSE(arena().admit_for_fault(range.begin + 1)) << "nothing lives there";
    EXPECT_FALSE(readable(range.begin));
    arena().units().mark(range, UnitKind::kRemains);
    EXPECT_TRUE(arena().admit_for_fault(range.begin + 1));
    expect_usable(range, true);
    EXPECT_FALSE(arena().admit_for_fault(range.begin + 1)) << "it is not guarded";
    arena().units().unmark(range);
  }
  // A slot of another rank that begins in the fence keeps its own guard.
  arena().guards().guard_slot(units(Region::kSlots, 5, 3), kGuard);
  arena().units().mark(units(Region::kSlots, 4, 2), UnitKind::kSlot);
  EXPECT_FALSE(arena().admit_for_fault(fence.begin + kGuard - 1));
  EXPECT_TRUE(arena().admit_for_fault(fence.begin + kGuard));
  expect_usable(Range{fence.begin, kGuard}, false);
  expect_usable(Range{fence.begin + kGuard, fence.bytes - kGuard}, true);
}

}  // namespace
}  // namespace roam::iso
