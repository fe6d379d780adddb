#include <gtest/gtest.h>
#include <unistd.h>

#include "base/test_bytes.h"
#include "isomalloc/arena.h"
#include "isomalloc/test_arena.h"

namespace roam::iso {
namespace {

constexpr std::size_t kArenaBytes = std::size_t{1} << 30;

Range lease(Region region, std::size_t first, std::size_t count = 1) {
  return arena().layout().lease_range(LeaseRun{region, first, count});
}

// The arena of `creator`, as a second rank of its node attaches to it. Body of an OtherProcess.
bool attach(OtherProcess::Line& line) {
  TestArena::reserve(kArenaBytes);
  const int pid = static_cast<int>(line.receive());
  const int fd = static_cast<int>(line.receive());
  const std::uint64_t token = line.receive();
  return !arena().attach_shared(pid, fd, token + 2) &&
         !arena().attach_shared(pid, fd + 1000, token) && arena().attach_shared(pid, fd, token) &&
         arena().token() == token;
}

void introduce(OtherProcess& other) {
  TestArena::reserve(kArenaBytes);
  const int fd = arena().create_shared();
  for (const std::uint64_t value :
       {static_cast<std::uint64_t>(getpid()), static_cast<std::uint64_t>(fd), arena().token()}) {
    other.line().send(value);
  }
}

TEST(TwoProcesses, ShareBytesMarksAndOpenLeases) {
  OtherProcess other([](OtherProcess::Line& line) {
    if (!attach(line)) return false;
    const Range range = lease(Region::kHeap, 7);
    if (line.receive() != 1) return false;
    // The lease is open on the node and not yet here.
    if (readable(range.begin) ||
        arena().units().range_begin(range.begin + kUnitBytes) != range.begin)
      return false;
    arena().leases().sync();
    if (!readable(range.begin)) return false;
    if (first_wrong_byte(range.pointer(), range.bytes, 42) != range.bytes) return false;
    fill_bytes(range.pointer(), range.bytes, 43);
    line.send(2);
    // The second lease is opened from the fault handler's side.
    line.receive();
    const Range second = lease(Region::kSlots, 1);
    if (readable(second.begin) || arena().admit_for_fault(lease(Region::kSlots, 2).begin))
      return false;
    if (!arena().admit_for_fault(second.begin) || arena().admit_for_fault(second.begin))
      return false;
    if (first_wrong_byte(second.pointer(), 100, 44) != 100) return false;
    // And one is opened here for the first.
    arena().leases().own(lease(Region::kHeap, 8));
    if (!arena().leases().open(lease(Region::kHeap, 8))) return false;
    fill_bytes(lease(Region::kHeap, 8).pointer(), 100, 45);
    line.send(3);
    return line.receive() == 4;
  });
  introduce(other);
  const Range range = lease(Region::kHeap, 7);
  arena().leases().own(range);
  ASSERT_TRUE(arena().leases().open(range));
  arena().units().mark(range, UnitKind::kSpan);
  fill_bytes(range.pointer(), range.bytes, 42);
  other.line().send(1);
  ASSERT_EQ(other.line().receive(), 2u);
  EXPECT_TRUE(holds_bytes(range.pointer(), range.bytes, 43));
  arena().leases().own(lease(Region::kSlots, 1));
  ASSERT_TRUE(arena().leases().open(lease(Region::kSlots, 1)));
  fill_bytes(lease(Region::kSlots, 1).pointer(), 100, 44);
  other.line().send(1);
  ASSERT_EQ(other.line().receive(), 3u);
  EXPECT_FALSE(readable(lease(Region::kHeap, 8).begin));
  arena().leases().sync();
  EXPECT_TRUE(holds_bytes(lease(Region::kHeap, 8).pointer(), 100, 45));
  other.line().send(4);
  EXPECT_TRUE(other.good());
  arena().release();
}

TEST(TwoProcesses, EvictAndClaimTheSameMemoryAtOnce) {
  constexpr int kRounds = 200;
  constexpr std::size_t kUnits = 8;
  const auto range = [] { return Range{lease(Region::kHeap, 0).begin, kUnits * kUnitBytes}; };
  OtherProcess other([&](OtherProcess::Line& line) {
    if (!attach(line)) return false;
    for (int round = 0; round < kRounds; ++round) {
      line.receive();
      arena().leases().sync();
      arena().evict(range());
      line.send(1);
    }
    return true;
  });
  introduce(other);
  ASSERT_TRUE(arena().leases().open(range()));
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    arena().units().mark(range(), UnitKind::kSpan);
    for (std::size_t i = 0; i < kUnits; ++i) {
      fill_bytes(reinterpret_cast<void*>(range().begin + i * kUnitBytes), kUnitBytes, round + i);
    }
    arena().departures().leave(range(), 1);
    arena().departures().keep(range(), 1);
    other.line().send(1);
    const bool all_kept = arena().claim(range()) == Claimed::kAllKept;
    other.line().receive();
    bool intact = true;
    for (std::size_t i = 0; i < kUnits; ++i) {
      void* unit = reinterpret_cast<void*>(range().begin + i * kUnitBytes);
      ASSERT_EQ(arena().units().kind(range().begin + i * kUnitBytes), UnitKind::kContinued);
      if (first_wrong_byte(unit, kUnitBytes, round + i) == kUnitBytes) continue;
      intact = false;
      ASSERT_TRUE(all_zero(unit, kUnitBytes));
    }
    ASSERT_EQ(intact, all_kept);
    arena().units().unmark(range());
  }
  EXPECT_TRUE(other.good());
  arena().release();
}

TEST(TwoProcesses, WhoDoesNotKnowTheTokenIsNotAttached) {
  TestArena::reserve(kArenaBytes);
  EXPECT_FALSE(arena().attach_shared(getpid(), 99'999, 1));
  EXPECT_FALSE(arena().attach_shared(getpid(), STDIN_FILENO, 1));
  EXPECT_FALSE(arena().ready());
  arena().release();
}

}  // namespace
}  // namespace roam::iso
