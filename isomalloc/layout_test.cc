#include "isomalloc/layout.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstddef>
#include <tuple>

#include "base/range.h"
#include "isomalloc/lease_cut.h"

namespace roam::iso {
namespace {

constexpr Address kBase = Address{1} << 44;

// An arena of so many bytes, of a job of so many ranks.
class LayoutTest : public testing::TestWithParam<std::tuple<std::size_t, int>> {
 protected:
  LayoutTest() { layout_.set_ranks(std::get<1>(GetParam())); }
  const std::size_t bytes_ = std::get<0>(GetParam());
  Layout layout_{Range{kBase, bytes_}};
};
INSTANTIATE_TEST_SUITE_P(
    SizesAndRanks, LayoutTest,
    testing::Combine(testing::Values(64ull << 20, 65ull << 20, 100ull << 20, 1ull << 30,
                                     16385ull << 20, 1ull << 40, 48ull << 40),
                     testing::Values(1, 2, 7, 64, 768, 769, 1000, 4096, 65536)));

TEST_P(LayoutTest, CutsTheArenaIntoControlSlotsHeapsAndBlocks) {
  const Range slots = layout_.region(Region::kSlots), heap = layout_.region(Region::kHeap),
              blocks = layout_.region(Region::kBlocks);
  EXPECT_EQ(layout_.whole(), (Range{kBase, bytes_}));
  EXPECT_TRUE(std::has_single_bit(layout_.lease_bytes()));
  EXPECT_GE(layout_.lease_bytes(), std::size_t{1} << 20);
  for (const Region r : {Region::kSlots, Region::kHeap, Region::kBlocks}) {
    EXPECT_GE(layout_.lease_count(r), 1u);
    EXPECT_EQ(layout_.region(r).begin % kUnitBytes, 0u);
    EXPECT_EQ(layout_.region(r).bytes, layout_.lease_count(r) * layout_.lease_bytes());
    EXPECT_EQ(layout_.lease_range({r, 0, layout_.lease_count(r)}), layout_.region(r));
    // Each lease is one of those that are counted from the arena's base.
    const std::size_t first = layout_.lease_of(layout_.region(r).begin);
    EXPECT_EQ(layout_.lease(first), layout_.lease_range({r, 0, 1}));
  }
  EXPECT_EQ(slots.begin, layout_.control().end());
  EXPECT_EQ(slots.end(), heap.begin);
  EXPECT_EQ(heap.end(), blocks.begin);
  EXPECT_LE(blocks.end(), layout_.whole().end());
  EXPECT_LT(layout_.whole().end() - blocks.end(), layout_.lease_bytes()) << "no lease is lost";
  EXPECT_LE(layout_.control().bytes, bytes_ / 16) << "the control region is small";
  if (bytes_ >= 1ull << 40) {
    EXPECT_GE(layout_.lease_count(Region::kHeap),
              4 * static_cast<std::size_t>(std::get<1>(GetParam())))
        << "several leases for each rank";
  }
}

// A job that goes on has had other numbers of ranks, and its leases stay what they were.
TEST_P(LayoutTest, IsCutAgainBySoManyRanksAsItsLeasesTellOf) {
  Layout again{Range{kBase, bytes_}};
  again.set_ranks(ranks_for_leases_of(layout_.lease_bytes(), again.whole()));
  EXPECT_EQ(again.lease_bytes(), layout_.lease_bytes());
  for (const Region r : {Region::kSlots, Region::kHeap, Region::kBlocks})
    EXPECT_EQ(again.region(r), layout_.region(r));
}

TEST_P(LayoutTest, WhatLiesInTheControlRegionDoesNotOverlap) {
  const auto at = [](const void *p) { return reinterpret_cast<Address>(p); };
  EXPECT_EQ(at(layout_.unit_map()), kBase);
  EXPECT_GE(at(layout_.node_page()), kBase + layout_.units());
  EXPECT_EQ(at(layout_.node_page()), kBase + layout_.node_page_offset());
  EXPECT_GE(at(layout_.node_room()), at(layout_.node_page()) + kPageBytes);
  EXPECT_GE(at(layout_.lease_flags()), at(layout_.node_room()) + Layout::kNodeRoomBytes);
  EXPECT_LE(at(layout_.lease_flags()) + layout_.all_leases(), layout_.control().end());
}

TEST_P(LayoutTest, ChunksAndFencesAreWholePartsOfALease) {
  EXPECT_EQ(layout_.lease_bytes() % layout_.chunk_bytes(), 0u);
  EXPECT_LE(layout_.chunk_bytes(), std::size_t{2} << 20);
  EXPECT_EQ(layout_.fence_bytes() % kUnitBytes, 0u);
  EXPECT_LE(layout_.fence_bytes(), std::size_t{1} << 20);
  if (bytes_ >= 1ull << 40) {
    EXPECT_EQ(layout_.fence_bytes(), std::size_t{1} << 20);
  }
}

}  // namespace
}  // namespace roam::iso
