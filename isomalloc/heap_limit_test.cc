// Heaps and blocks under ROAM_MEMORY.

#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

#include "base/test_bytes.h"
#include "isomalloc/heap.h"
#include "isomalloc/test_arena.h"
#include "isomalloc/test_heap.h"

namespace roam::iso {
namespace {

constexpr std::size_t kMiB = 1 << 20;
constexpr std::size_t kLimit = 32 * kMiB;

// Parameter: whether the node's memory is shared.
class HeapLimitTest : public testing::TestWithParam<bool> {
 protected:
  HeapLimitTest() {
    TestArena::reserve(std::size_t{4} << 30, 1, kLimit);
    GetParam() ? static_cast<void>(arena().create_shared()) : arena().use_private();
    for (const Region region : {Region::kSlots, Region::kHeap, Region::kBlocks}) {
      pool(region).set_keep_bytes(kMiB);
      pool(region).add(LeaseRun{region, 0, arena().layout().lease_count(region)});
    }
  }
  ~HeapLimitTest() override {
    EXPECT_EQ(arena().limit().charged(), 0u);
    TestArena::release();
  }

  static std::vector<void*> all_of(Heap& heap, std::size_t bytes) {
    std::vector<void*> blocks;
    errno = 0;
    while (void* block = heap.allocate(bytes)) {
      blocks.push_back(block);
      if (blocks.size() * bytes > 2 * kLimit) break;
    }
    EXPECT_EQ(errno, ENOMEM);
    EXPECT_LE(blocks.size() * bytes, kLimit);
    EXPECT_GT(blocks.size() * bytes, kLimit / 3);
    return blocks;
  }
};
INSTANTIATE_TEST_SUITE_P(Memory, HeapLimitTest, testing::Bool());

TEST_P(HeapLimitTest, ABlockBecomesSmallerWhereThereIsNoMemory) {
  TestHeap heap;
  void* large = heap->allocate(kMiB);
  void* small = heap->allocate(16'000);
  fill_bytes(large, 4096, 1);
  fill_bytes(small, 100, 2);
  std::vector<void*> rest = all_of(heap.heap(), kMiB);
  // Also of the lengths that are asked for next.
  for (const std::size_t bytes : {std::size_t{4096}, std::size_t{100}}) {
    while (void* block = heap->allocate(bytes)) rest.push_back(block);
  }
  errno = 0;
  EXPECT_EQ(heap->reallocate(large, 4096), large);
  EXPECT_EQ(heap->reallocate(small, 100), small);
  EXPECT_EQ(errno, 0);
  EXPECT_EQ(first_wrong_byte(large, 4096, 1), 4096u);
  EXPECT_EQ(first_wrong_byte(small, 100, 2), 100u);
  for (void* block : rest) heap->free(block);
  heap->free(large);
  heap->free(small);
}

int reclaimed = 0;

// Room to grow once more is not worth that.
TEST_P(HeapLimitTest, ABlockThatGrowsNearTheLimitHasNothingGivenBackWhereItFits) {
  TestHeap heap;
  reclaimed = 0;
  arena().limit().set_reclaim([] { ++reclaimed; });
  void* block = heap->allocate(4 * kMiB);
  void* behind = heap->allocate(kMiB);  // so that it does not grow where it is
  fill_bytes(block, 4 * kMiB, 1);
  std::vector<void*> rest;
  while (arena().limit().charged() < kLimit - 7 * kMiB) rest.push_back(heap->allocate(kMiB));
  block = heap->reallocate(block, 5 * kMiB);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(reclaimed, 0);
  EXPECT_EQ(first_wrong_byte(block, 4 * kMiB, 1), 4 * kMiB);
  EXPECT_EQ(heap->reallocate(block, kLimit), nullptr);
  EXPECT_GT(reclaimed, 0) << "where it does not fit";
  arena().limit().set_reclaim(nullptr);
  for (void* one : rest) heap->free(one);
  heap->free(behind);
  heap->free(block);
}

TEST_P(HeapLimitTest, BlocksOfEachSizeStopAtTheLimitAndGoOnWhenSomeAreFreed) {
  TestHeap heap;
  for (const std::size_t bytes :
       {std::size_t{48}, std::size_t{1000}, std::size_t{30'000}, kMiB, 5 * kMiB}) {
    const std::vector<void*> blocks = all_of(heap.heap(), bytes);
    for (std::size_t i = 0; i < blocks.size(); ++i) fill_bytes(blocks[i], bytes, i);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      EXPECT_EQ(first_wrong_byte(blocks[i], bytes, i), bytes);
      heap->free(blocks[i]);
    }
  }
}

TEST_P(HeapLimitTest, WhatIsNeverTouchedCountsToo) {
  TestHeap heap;
  EXPECT_EQ(heap->allocate(kLimit), nullptr);
  void* half = heap->allocate(kLimit / 2);
  ASSERT_NE(half, nullptr);
  EXPECT_EQ(heap->allocate(kLimit / 2), nullptr);
  EXPECT_EQ(heap->reallocate(half, kLimit), nullptr);
  half = heap->reallocate(half, kMiB);
  EXPECT_NE(heap->allocate(kLimit / 2), nullptr);
}

TEST_P(HeapLimitTest, EmptySpansAreGivenBackBeforeItSaysNo) {
  TestHeap heap;
  const std::vector<void*> small = all_of(heap.heap(), 200);
  for (void* block : small) heap->free(block);
  EXPECT_NE(heap->allocate(kLimit / 4 * 3), nullptr);
}

// Some empty ones are kept, the more the more spans have a free block.
TEST_P(HeapLimitTest, EmptySpansAreGivenBackForASmallAlignedBlockToo) {
  constexpr std::size_t kInSpan = 290, kEmptied = 40 * kInSpan;
  for (const std::size_t alignment : {std::size_t{32}, std::size_t{64}, std::size_t{128}}) {
    TestHeap heap;
    const std::vector<void*> blocks = all_of(heap.heap(), 200);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (i % kInSpan == 0 || i + kEmptied > blocks.size()) heap->free(blocks[i]);
    }
    void* const block = heap->allocate_aligned(alignment, 32);
    ASSERT_NE(block, nullptr) << alignment;
    EXPECT_EQ(reinterpret_cast<Address>(block) % alignment, 0u);
    heap->release_all();
  }
}

TEST_P(HeapLimitTest, HeapsOfANodeShareIt) {
  TestHeap one, other;
  ASSERT_NE(one->allocate(kLimit / 4 * 3), nullptr);
  EXPECT_EQ(other->allocate(kLimit / 2), nullptr);
  one->release_all();
  EXPECT_NE(other->allocate(kLimit / 2), nullptr);
  one->adopt(other.heap());
  one->release_all();
  EXPECT_NE(other->allocate(kLimit / 2), nullptr);
}

// malloc throws nothing, and no addresses are lost.
TEST_P(HeapLimitTest, WithoutMemoryOfTheProcessThereIsNoBlock) {
  TestHeap heap(0);
  pool(Region::kHeap).clear();
  NoMemory source;
  pool(Region::kHeap).set_source(&source);
  for (const std::size_t bytes : {std::size_t{48}, std::size_t{30'000}, kMiB}) {
    errno = 0;
    EXPECT_EQ(heap->allocate(bytes), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    EXPECT_EQ(heap->allocate_aligned(64, bytes), nullptr);
    EXPECT_EQ(heap->allocate_zeroed(bytes), nullptr);
  }
  EXPECT_EQ(arena().limit().charged(), 0u);
  pool(Region::kHeap).add(LeaseRun{Region::kHeap, 0, arena().layout().lease_count(Region::kHeap)});
  EXPECT_NE(heap->allocate(kMiB), nullptr);
}

TEST_P(HeapLimitTest, TheReasonNamesTheOptionAndTheValue) {
  TestHeap heap;
  ASSERT_EQ(heap->allocate(2 * kLimit), nullptr);
  EXPECT_NE(arena().limit().shortage().find("ROAM_MEMORY allows a node 32"), std::string::npos)
      << arena().limit().shortage();
  ASSERT_EQ(heap->allocate(std::size_t{1} << 40), nullptr);
}

}  // namespace
}  // namespace roam::iso
