#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "isomalloc/test_arena.h"

namespace roam::iso {
namespace {

// Pages of `range` that a core of this process would have, by the kernel's flags of mappings.
std::vector<bool> in_core(Range range) {
  std::vector<bool> pages(range.bytes / kPageBytes);
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  Range mapping;
  while (std::getline(maps, line)) {
    unsigned long begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      mapping = Range{begin, end - begin};
    } else if (line.rfind("VmFlags:", 0) == 0 && line.find(" dd") == std::string::npos) {
      for (std::size_t i = 0; i < pages.size(); ++i) {
        if (mapping.contains(range.begin + i * kPageBytes)) pages[i] = true;
      }
    }
  }
  return pages;
}

class ArenaCoreTest : public testing::TestWithParam<bool> {
 protected:
  static Range units(Region region, std::size_t first, std::size_t count) {
    return Range{arena().region(region).begin + first * kUnitBytes, count * kUnitBytes};
  }
  static void touch(Range unit, std::size_t page) {
    reinterpret_cast<volatile char*>(unit.begin)[page * kPageBytes + 7] = 1;
  }
  static void expect_in_core(Range range, const std::vector<std::size_t>& expected) {
    const std::vector<bool> found = in_core(range);
    std::vector<std::size_t> pages;
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i]) pages.push_back(i);
    }
    EXPECT_EQ(pages, expected);
  }

  TestArena arena_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Kinds, ArenaCoreTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Shared" : "Private"; });

TEST_P(ArenaCoreTest, NothingOfTheArenaIsInACoreBeforeItIsIncluded) {
  const Range here = units(Region::kHeap, 0, 4);
  ASSERT_TRUE(arena().leases().open(here));
  arena().units().mark(here, UnitKind::kSpan);
  touch(here, 1);
  expect_in_core(here, {});
}

TEST_P(ArenaCoreTest, PagesThatExistAndHoldSomethingThatLivesAreIncluded) {
  const Range here = units(Region::kHeap, 3, 8);
  ASSERT_TRUE(arena().leases().open(here));
  const auto unit = [&](std::size_t i) { return Range{here.begin + i * kUnitBytes, kUnitBytes}; };
  arena().units().mark(unit(0), UnitKind::kSpan);
  arena().units().mark(Range{unit(2).begin, 2 * kUnitBytes}, UnitKind::kSpan);
  arena().units().mark(unit(5), UnitKind::kKept);  // away
  arena().units().mark(unit(6), UnitKind::kRemains);
  for (const std::size_t page : {0, 1, 5, 20, 33, 47, 48, 64, 85, 96, 111, 120}) touch(here, page);
  const CoreParts parts = arena().include_in_core();
  expect_in_core(here, {0, 1, 5, 33, 47, 48, 96, 111});
  EXPECT_EQ(parts.left_out, 0u);
  EXPECT_GE(parts.bytes, 8 * kPageBytes);
  EXPECT_GE(parts.runs, 6u);
  // The unit map, without which nothing is found.
  const Address map = arena().whole().begin + arena().offset(here.begin) / kUnitBytes;
  expect_in_core(Range{round_down(map, kPageBytes), kPageBytes}, {0});
  // What has ended since is not in a later one.
  arena().units().unmark(unit(0));
  arena().include_in_core();
  expect_in_core(here, {33, 47, 48, 96, 111});
}

TEST_P(ArenaCoreTest, RunsThatAreTooManyAreJoinedWhereTheyAreNear) {
  const Range here = units(Region::kHeap, 0, 64);
  ASSERT_TRUE(arena().leases().open(here));
  arena().units().mark(here, UnitKind::kSpan);
  std::vector<std::size_t> touched, joined;
  for (std::size_t page = 0; page < 64 * 16; page += 2) {
    touch(here, page);
    touched.push_back(page);
  }
  for (std::size_t page = 0; page + 1 < 64 * 16; ++page) joined.push_back(page);
  arena().include_in_core();
  expect_in_core(here, touched);
  const CoreParts parts = arena().include_in_core(100);
  EXPECT_LE(parts.runs, 100u);
  EXPECT_EQ(parts.left_out, 0u);
  expect_in_core(here, joined);
}

TEST_P(ArenaCoreTest, WhereThereAreStillTooManyThisRanksOwnComeFirst) {
  const std::size_t units_a_lease = arena().lease_bytes() / kUnitBytes;
  for (std::size_t lease = 0; lease < 8; ++lease) {
    const Range here = units(Region::kHeap, lease * units_a_lease, 1);
    if (lease != 6)
      arena().leases().disown(arena().layout().lease_range(LeaseRun{Region::kHeap, lease, 1}),
                              false);
    ASSERT_TRUE(arena().leases().open(here));
    arena().units().mark(here, UnitKind::kSpan);
    touch(here, 3);
  }
  std::size_t most = 1;  // what is the node's comes before
  for (;; ++most) {
    const CoreParts parts = arena().include_in_core(most);
    EXPECT_EQ(parts.runs, most);
    EXPECT_GT(parts.left_out, 0u);
    if (in_core(units(Region::kHeap, 6 * units_a_lease, 1))[3]) break;
    ASSERT_LT(most, 100u);
  }
  for (std::size_t lease = 0; lease < 8; ++lease) {
    const auto expected = lease == 6 ? std::vector<std::size_t>{3} : std::vector<std::size_t>{};
    expect_in_core(units(Region::kHeap, lease * units_a_lease, 1), expected);
  }
}

}  // namespace
}  // namespace roam::iso
