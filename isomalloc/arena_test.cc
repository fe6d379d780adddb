#include "isomalloc/arena.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/os/memory.h"
#include "base/sanitizers.h"
#include "base/test_bytes.h"
#include "base/text.h"
#include "isomalloc/test_arena.h"
#include "roam/error.h"

namespace roam::iso {
namespace {

constexpr std::size_t kArenaBytes = std::size_t{1} << 30;

Range lease(Region region, std::size_t first, std::size_t count = 1) {
  return arena().layout().lease_range(LeaseRun{region, first, count});
}

TEST(ArenaStart, GivesUnitsAndANodeRoomOfTheirOwn) {
  constexpr std::size_t kBytes = 16385ull << 20;  // leases of 2 MiB, and a tail of 1 MiB
  if (kBytes > sanitizers::kArenaEnd - TestArena::kBase) GTEST_SKIP() << "no room for it here";
  TestArena::reserve(kBytes, 7);
  arena().use_private();
  Arena& a = arena();
  const Range heap = a.region(Region::kHeap);
  auto* room = static_cast<unsigned char*>(a.layout().node_room());
  std::memset(room, 0xff, Layout::kNodeRoomBytes);
  for (const Address at : {a.region(Region::kSlots).begin, heap.begin, heap.end() - kUnitBytes}) {
    EXPECT_EQ(a.units().kind(at), UnitKind::kNone);
    a.units().set_kind(at, UnitKind::kSpan);
    EXPECT_EQ(a.units().kind(at + kUnitBytes - 1), UnitKind::kSpan);
    a.units().set_kind(at, UnitKind::kNone);
  }
  EXPECT_EQ(room[0], 0xff);
  EXPECT_EQ(room[Layout::kNodeRoomBytes - 1], 0xff);
  ASSERT_LT(a.region(Region::kBlocks).end(), a.whole().end());
  const Address tail = a.whole().end() - 1, control = a.whole().begin;
  EXPECT_FALSE(a.admit_for_fault(tail)) << "beyond the last lease";
  a.units().set_kind(control, UnitKind::kSpan);
  EXPECT_FALSE(a.admit_for_fault(control)) << "it is open, whatever its units say";
  arena().release();
}

TEST(ArenaReserve, SaysWhatIsInTheWayAndHowToAvoidIt) {
  const Address there = TestArena::kBase + (512 << 20);
  void* mine = mmap(reinterpret_cast<void*>(there), kPageBytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  ASSERT_EQ(mine, reinterpret_cast<void*>(there));
  fill_bytes(mine, kPageBytes, 3);
  try {
    TestArena::reserve(kArenaBytes);
    ADD_FAILURE() << "the arena replaced a mapping";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::out_of_address_space);
    const std::string what = error.what();
    EXPECT_NE(what.find(text("%lx-", there)), std::string::npos) << "names the mapping: " << what;
    EXPECT_NE(what.find("ROAM_ARENA"), std::string::npos) << what;
  }
  EXPECT_TRUE(holds_bytes(mine, kPageBytes, 3));
  munmap(mine, kPageBytes);
  EXPECT_NO_THROW(TestArena::reserve(kArenaBytes));
  arena().release();
}

TEST(ArenaRelease, GivesTheAddressesBackSoThatTheyCanBeReservedAgain) {
  for (int round = 0; round < 3; ++round) {
    TestArena test(round % 2 == 0, kArenaBytes);
    const Range one = lease(Region::kHeap, 0);
    ASSERT_TRUE(arena().leases().open(one));
    EXPECT_TRUE(all_zero(one.pointer(), one.bytes)) << "nothing is left of the arena before";
    fill_bytes(one.pointer(), one.bytes, 1);
    arena().units().mark(one, UnitKind::kSpan);
  }
  EXPECT_FALSE(arena().ready());
  EXPECT_FALSE(arena().contains(reinterpret_cast<void*>(TestArena::kBase)));
  ASSERT_TRUE(os::reserve(Range{TestArena::kBase, kArenaBytes}));
  os::unreserve(Range{TestArena::kBase, kArenaBytes});
}

// ---- presence ----

class ArenaTest : public testing::TestWithParam<bool> {
 protected:
  void TearDown() override { os::fail_after = 0; }
  TestArena test_{GetParam(), kArenaBytes};
};
INSTANTIATE_TEST_SUITE_P(Kinds, ArenaTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Shared" : "Private"; });

TEST_P(ArenaTest, OnlyWhatIsOpenCanBeReached) {
  for (const Region region : {Region::kSlots, Region::kHeap}) {
    const Range opened = lease(region, 5, 2);
    EXPECT_FALSE(readable(opened.begin));
    ASSERT_TRUE(arena().leases().open(Range{opened.begin + kUnitBytes, arena().lease_bytes()}));
    fill_bytes(opened.pointer(), opened.bytes, 1);
    ASSERT_TRUE(arena().leases().open(opened)) << "again";
    EXPECT_TRUE(holds_bytes(opened.pointer(), opened.bytes, 1));
    EXPECT_FALSE(readable(opened.begin - 1));
    EXPECT_FALSE(readable(opened.end()));
    EXPECT_TRUE(arena().leases().open(Range{opened.end(), 0}));
    EXPECT_FALSE(readable(opened.end()));
  }
}

TEST_P(ArenaTest, AccessToAnUnopenedLeaseFaults) {
  volatile char* absent = static_cast<char*>(lease(Region::kHeap, 3).pointer());
  EXPECT_EXIT(*absent, testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(*absent = 1, testing::KilledBySignal(SIGSEGV), "");
}

TEST_P(ArenaTest, OpeningThatTheKernelRefusesIsToldAndCanBeTriedAgain) {
  const Range range = lease(Region::kHeap, 10, 3);
  os::fail_after = 2;
  errno = 0;
  EXPECT_FALSE(arena().leases().open(range));
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_TRUE(arena().leases().open(range));
  fill_bytes(range.pointer(), range.bytes, 2);
  EXPECT_TRUE(holds_bytes(range.pointer(), range.bytes, 2));
}

TEST_P(ArenaTest, ANewArenaThatFailsToOpenItsControlRegionSaysSo) {
  TestArena::release();
  TestArena::reserve(kArenaBytes);
  os::fail_after = 1;
  try {
    GetParam() ? static_cast<void>(arena().create_shared()) : arena().use_private();
    ADD_FAILURE() << "the failure was not noticed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::out_of_memory);
  }
  EXPECT_FALSE(arena().ready());
}

// ---- marks ----

TEST_P(ArenaTest, ARangeIsFoundFromEachOfItsUnits) {
  const Range range{lease(Region::kHeap, 1).begin + 3 * kUnitBytes, 7 * kUnitBytes};
  for (const UnitKind kind :
       {UnitKind::kSlot, UnitKind::kSpan, UnitKind::kBlock, UnitKind::kFreedBlock}) {
    arena().units().mark(range, kind);
    for (Address a = range.begin; a < range.end(); a += kUnitBytes / 2) {
      EXPECT_EQ(arena().units().range_begin(a), range.begin);
    }
    EXPECT_EQ(arena().units().range_begin(range.begin - 1), 0u);
    EXPECT_EQ(arena().units().range_begin(range.end()), 0u);
    arena().units().set_kind(range.end() - kUnitBytes, UnitKind::kSlotHead);
    EXPECT_EQ(arena().units().range_begin(range.end() - 1), range.begin);
    arena().units().unmark(range);
    EXPECT_EQ(arena().units().range_begin(range.begin), 0u);
  }
}

// ---- kept memory ----

class KeptTest : public ArenaTest {
 protected:
  static constexpr std::size_t kUnits = 16;
  void SetUp() override {
    range_ = Range{lease(Region::kHeap, 4).begin + kUnitBytes, kUnits * kUnitBytes};
    ASSERT_TRUE(arena().leases().open(range_));
  }
  void keep(std::uint64_t seed) {
    arena().units().mark(range_, UnitKind::kSpan);
    for (std::size_t i = 0; i < kUnits; ++i) fill_bytes(unit(i).pointer(), kUnitBytes, seed + i);
    arena().departures().leave(range_, 1);
    arena().departures().keep(range_, 1);
  }
  Range unit(std::size_t i) const { return {range_.begin + i * kUnitBytes, kUnitBytes}; }
  Range range_;
};
INSTANTIATE_TEST_SUITE_P(Kinds, KeptTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Shared" : "Private"; });

TEST_P(KeptTest, KeptMemorySaysNothingAndComesBackWhole) {
  keep(100);
  EXPECT_EQ(arena().units().range_begin(range_.begin + kUnitBytes), 0u);
  EXPECT_EQ(arena().claim(range_), Claimed::kAllKept);
  for (std::size_t i = 0; i < kUnits; ++i) {
    EXPECT_EQ(arena().units().kind(unit(i).begin), UnitKind::kContinued);
    EXPECT_TRUE(holds_bytes(unit(i).pointer(), kUnitBytes, 100 + i));
  }
}

TEST_P(KeptTest, WhatIsEvictedIsZeroAndItsClaimSaysSo) {
  keep(200);
  arena().evict(range_);
  for (std::size_t i = 0; i < kUnits; ++i)
    EXPECT_EQ(arena().units().kind(unit(i).begin), UnitKind::kNone);
  EXPECT_NE(arena().claim(range_), Claimed::kAllKept);
  EXPECT_TRUE(all_zero(range_.pointer(), range_.bytes));
}

TEST_P(KeptTest, PartOfItCanBeEvictedAndTheRestStays) {
  keep(300);
  arena().evict(Range{unit(3).begin, 2 * kUnitBytes});
  EXPECT_NE(arena().claim(range_), Claimed::kAllKept);
  for (std::size_t i = 0; i < kUnits; ++i) {
    if (i == 3 || i == 4) {
      EXPECT_TRUE(all_zero(unit(i).pointer(), kUnitBytes));
    } else {
      EXPECT_TRUE(holds_bytes(unit(i).pointer(), kUnitBytes, 300 + i));
    }
  }
}

TEST_P(KeptTest, EvictionLeavesWhatIsNotKeptAlone) {
  keep(400);
  ASSERT_EQ(arena().claim(Range{unit(5).begin, 3 * kUnitBytes}), Claimed::kAllKept);
  arena().evict(range_);
  for (std::size_t i = 5; i < 8; ++i) {
    EXPECT_EQ(arena().units().kind(unit(i).begin), UnitKind::kContinued);
    EXPECT_TRUE(holds_bytes(unit(i).pointer(), kUnitBytes, 400 + i));
  }
  EXPECT_EQ(arena().units().kind(unit(4).begin), UnitKind::kNone);
  EXPECT_EQ(arena().units().kind(unit(8).begin), UnitKind::kNone);
}

TEST_P(KeptTest, OnlyWhatStillLeavesIsKept) {
  keep(500);
  ASSERT_EQ(arena().claim(range_), Claimed::kAllKept);
  arena().departures().leave(range_, 1);
  EXPECT_EQ(arena().units().range_begin(range_.begin), 0u) << "on its way it is nobody's";
  arena().evict(range_);
  EXPECT_EQ(arena().claim(Range{unit(2).begin, 2 * kUnitBytes}), Claimed::kAllKept)
      << "it came back before it was gone";
  arena().departures().keep(range_, 1);
  for (std::size_t i = 0; i < kUnits; ++i) {
    EXPECT_EQ(arena().units().kind(unit(i).begin),
              i == 2 || i == 3 ? UnitKind::kContinued : UnitKind::kKept);
    EXPECT_TRUE(holds_bytes(unit(i).pointer(), kUnitBytes, 500 + i));
  }
}

TEST_P(KeptTest, WhatAnotherRankOfTheNodeSendsIsNotKeptByThisOne) {
  keep(600);
  ASSERT_EQ(arena().claim(range_), Claimed::kAllKept);
  arena().departures().set_node_rank(1);
  arena().departures().leave(range_, 1);
  arena().departures().set_node_rank(2);
  arena().departures().keep(range_, 1);
  EXPECT_NE(arena().units().kind(range_.begin), UnitKind::kKept);
  arena().departures().set_node_rank(1);
  arena().departures().keep(range_, 1);
  EXPECT_EQ(arena().units().kind(range_.begin), UnitKind::kKept);
}

TEST_P(KeptTest, SealedMemoryFaultsUntilItIsUsedAgain) {
  if (!os::has_cheap_guards()) GTEST_SKIP() << "seals are made where guards are cheap";
  keep(700);
  ASSERT_EQ(arena().claim(Range{unit(4).begin, kUnitBytes}), Claimed::kAllKept);
  arena().seals().seal(range_);
  EXPECT_TRUE(arena().seals().any());
  for (std::size_t i = 0; i < kUnits; ++i) EXPECT_EQ(readable(unit(i).begin + 100), i == 4) << i;
  EXPECT_FALSE(arena().admit_for_fault(unit(5).begin)) << "still kept: a fault is a fault";
  EXPECT_FALSE(arena().admit_for_fault(unit(4).begin)) << "was not sealed";
  arena().units().mark(Range{unit(6).begin, kUnitBytes},
                       UnitKind::kSpan);  // another rank of the node claimed it
  EXPECT_TRUE(arena().admit_for_fault(unit(6).begin + 5000));
  EXPECT_TRUE(readable(unit(6).begin + 5000));
  arena().units().unmark(Range{unit(6).begin, kUnitBytes});
  arena().units().set_kind(unit(4).begin, UnitKind::kNone);
  EXPECT_NE(arena().claim(range_), Claimed::kAllKept);
  EXPECT_FALSE(arena().seals().any());
  for (std::size_t i = 0; i < kUnits; ++i) {
    ASSERT_TRUE(readable(unit(i).begin + 100)) << i;
    if (GetParam()) {
      EXPECT_TRUE(holds_bytes(unit(i).pointer(), kUnitBytes, 700 + i));
    }
  }
}

TEST_P(KeptTest, AnImageNeverLandsOnWhatLives) {
  arena().units().mark(range_, UnitKind::kSpan);
  EXPECT_EXIT(arena().claim(range_), testing::ExitedWithCode(1), "addresses are not unique");
}

// Each round one evicts and one claims: each unit goes to one of them, whole.
TEST_P(KeptTest, EvictionAndClaimMayRace) {
  for (std::uint64_t round = 0; round < 300; ++round) {
    keep(1000 * round);
    std::atomic<int> ready = 0;
    const auto start = [&] {
      ++ready;
      while (ready.load() != 2) {
      }
    };
    bool all_kept = false;
    std::thread claimer([&] {
      start();
      all_kept = arena().claim(range_) == Claimed::kAllKept;
    });
    start();
    arena().evict(range_);
    claimer.join();
    bool intact = true;
    for (std::size_t i = 0; i < kUnits; ++i) {
      ASSERT_EQ(arena().units().kind(unit(i).begin), UnitKind::kContinued);
      if (first_wrong_byte(unit(i).pointer(), kUnitBytes, 1000 * round + i) == kUnitBytes) continue;
      intact = false;
      ASSERT_TRUE(all_zero(unit(i).pointer(), kUnitBytes)) << "round " << round << " unit " << i;
    }
    ASSERT_EQ(intact, all_kept) << "round " << round;
    arena().units().unmark(range_);
  }
}

// ---- guards ----

TEST_P(ArenaTest, AlwaysExactlyTheFirstPagesOfASlotAreGuardedWhateverWasThereBefore) {
  constexpr std::size_t kUnits = 24, kGuard = 16 << 10;
  std::mt19937_64 random(test_seed());
  ASSERT_TRUE(arena().leases().open(lease(Region::kSlots, 0, 2)));
  const Address base = lease(Region::kSlots, 0).begin;
  for (int round = 0; round < 500; ++round) {
    const std::size_t first = random() % (kUnits - 2);
    const std::size_t units = 2 + random() % (kUnits - first - 1);
    const Range slot{base + first * kUnitBytes, units * kUnitBytes};
    arena().guards().guard_slot(slot, kGuard);
    for (Address a = slot.begin; a < slot.end(); a += kPageBytes) {
      ASSERT_EQ(readable(a), a >= slot.begin + kGuard)
          << "round " << round << ": page " << (a - slot.begin) / kPageBytes << " of a slot of "
          << units << " units at " << first;
    }
    std::memset(reinterpret_cast<void*>(slot.begin + kGuard), 1, slot.bytes - kGuard);
  }
  EXPECT_FALSE(arena().guards().missing());
}

// ---- memory ----

TEST_P(ArenaTest, PopulatesAndDiscards) {
  const Range range = lease(Region::kHeap, 0);
  ASSERT_TRUE(arena().leases().open(range));
  ASSERT_TRUE(arena().populate(range));
  fill_bytes(range.pointer(), range.bytes, 4);
  arena().discard(range);
  EXPECT_TRUE(all_zero(range.pointer(), range.bytes));
}

TEST_P(ArenaTest, NoMoreThanRoamMemoryIsUsedAndFreedMemoryCountsNoLonger) {
  constexpr std::size_t kLimit = std::size_t{512} << 20, kStep = 64 << 20;
  TestArena::release();
  TestArena::reserve(kArenaBytes, 1, kLimit);
  GetParam() ? static_cast<void>(arena().create_shared()) : arena().use_private();
  const Range all{arena().region(Region::kHeap).begin, std::size_t{640} << 20};
  ASSERT_TRUE(arena().leases().open(all));
  std::size_t used = 0;
  while (used < all.bytes && arena().populate(Range{all.begin + used, kStep})) used += kStep;
  EXPECT_LE(used, kLimit);
  EXPECT_GE(used, kLimit / 2) << "what else the process holds is not that much";
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_FALSE(arena().limit().left(kStep));
  arena().discard(Range{all.begin, used});
  EXPECT_TRUE(arena().limit().left(kStep)) << "memory was given back";
  EXPECT_TRUE(arena().populate(Range{all.begin, kStep}));
}

}  // namespace
}  // namespace roam::iso
