// Blocks that have a span of their own.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "base/test_bytes.h"
#include "isomalloc/heap.h"
#include "isomalloc/test_arena.h"
#include "isomalloc/test_heap.h"

namespace roam::iso {
namespace {

constexpr std::size_t kArenaBytes = std::size_t{16} << 30;

Address address(const void* p) { return reinterpret_cast<Address>(p); }

class HeapLargeTest : public testing::TestWithParam<bool> {
 protected:
  // How often `p` moves as it grows from 100,000 bytes to `end`, by 60,000 each time.
  int moves_until(std::size_t end, void*& p) {
    int moves = 0;
    for (std::size_t bytes = 100'000; bytes < end; bytes += 60'000) {
      void* grown = heap_->reallocate(p, bytes);
      moves += grown != p;
      p = grown;
    }
    return moves;
  }
  TestArena test_{GetParam(), kArenaBytes};
  TestHeap heap_;
};
INSTANTIATE_TEST_SUITE_P(Kinds, HeapLargeTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Shared" : "Private"; });

TEST_P(HeapLargeTest, OldMemoryThatHoldsAMarkIsNoFreedBlock) {
  // A small block that was marked where the large one begins next.
  char* large = static_cast<char*>(heap_->allocate(60'000));
  const std::size_t offset = address(large) % kUnitBytes;
  heap_->free(large);
  EXPECT_TRUE(heap_->release_empty());
  for (const std::size_t bytes : {256ul, 16ul}) {
    std::vector<void*> blocks;
    for (int i = 0; i < 1000; ++i) blocks.push_back(heap_->allocate(bytes));
    for (void* p : blocks) heap_->free(p);
    EXPECT_TRUE(heap_->release_empty());
  }
  for (int i = 0; i < 10; ++i) {
    void* p = heap_->allocate(60'000);
    EXPECT_EQ(address(p) % kUnitBytes, offset);
    Heap::free_from_elsewhere(p);
  }
  EXPECT_TRUE(heap_->release_empty());
}

TEST_P(HeapLargeTest, AnAlignedBlockOfNoBytesHasRoomForWhatItsFreeWrites) {
  std::vector<std::pair<void*, void*>> blocks;
  for (int i = 0; i < 40; ++i) {
    for (const std::size_t alignment : {kUnitBytes, 2 * kUnitBytes}) {
      void* none = heap_->allocate_aligned(alignment, 0);
      ASSERT_GE(Heap::usable_bytes(none), kSmallestBlock);
      void* neighbour = heap_->allocate(60'000);
      fill_bytes(neighbour, 60'000, 3);
      blocks.emplace_back(none, neighbour);
    }
  }
  for (const auto& [none, neighbour] : blocks) {
    Heap::free_from_elsewhere(none);
    ASSERT_TRUE(holds_bytes(neighbour, 60'000, 3));
    heap_->free(neighbour);
  }
  EXPECT_TRUE(heap_->release_empty());
}

TEST_P(HeapLargeTest, ABlockOfLargeAlignmentUsesTheSameMemoryAgain) {
  void* first = heap_->allocate_aligned(2 * kUnitBytes, 100'000);
  heap_->free(first);
  for (int i = 0; i < 100; ++i) {
    void* p = heap_->allocate_aligned(2 * kUnitBytes, 100'000);
    ASSERT_EQ(p, first);
    heap_->free(p);
  }
  EXPECT_TRUE(heap_->release_empty());
}

// With kept memory about, of other blocks.
TEST_P(HeapLargeTest, ABlockThatGrowsMovesSeldomWhateverIsKept) {
  std::vector<void*> others, between;
  for (int i = 0; i < 60; ++i) {
    others.push_back(heap_->allocate(1'100'000));
    between.push_back(heap_->allocate(50'000));
  }
  for (void* other : others) heap_->free(other);
  for (int round = 0; round < 3; ++round) {
    void* p = heap_->allocate(40'000);
    EXPECT_LE(moves_until(5'000'000, p), 6);
    heap_->free(p);
  }
  for (void* p : between) heap_->free(p);
  EXPECT_TRUE(heap_->release_empty());
}

TEST_P(HeapLargeTest, ALargeBlockGrowsAndShrinksInPlace) {
  void* p = heap_->reallocate(heap_->allocate(20'000), 40'000);
  fill_bytes(p, 40'000, 1);
  for (std::size_t bytes = 90'000; bytes < 4'000'000; bytes += 50'000) {
    void* grown = heap_->reallocate(p, bytes);
    ASSERT_EQ(grown, p) << bytes;
    ASSERT_TRUE(holds_bytes(p, 40'000, 1));
    ASSERT_GE(Heap::usable_bytes(p), bytes);
    EXPECT_LE(heap_->address_bytes(), bytes + 3 * kUnitBytes);
    static_cast<char*>(p)[bytes - 1] = 1;
  }
  EXPECT_EQ(heap_of(static_cast<char*>(p) + 3'900'000), &heap_.heap());
  const std::size_t free_before = pool(Region::kHeap).free_bytes();
  ASSERT_EQ(heap_->reallocate(p, 100'000), p);
  EXPECT_GE(pool(Region::kHeap).free_bytes(), free_before + 3'700'000);
  EXPECT_EQ(heap_of(static_cast<char*>(p) + 3'900'000), nullptr);
  ASSERT_TRUE(holds_bytes(p, 40'000, 1));
  heap_->free(p);
  EXPECT_TRUE(heap_->release_empty());
}

TEST_P(HeapLargeTest, ABlockThatCannotGrowInPlaceMovesToWhereItCan) {
  void* p = heap_->allocate(100'000);
  fill_bytes(p, 100'000, 2);
  void* behind = heap_->allocate(100'000);
  const int moves = moves_until(10'000'000, p);
  EXPECT_GE(moves, 1);
  EXPECT_LE(moves, 3);
  EXPECT_TRUE(holds_bytes(p, 100'000, 2));
  heap_->free(p);
  heap_->free(behind);
  EXPECT_TRUE(heap_->release_empty());
}

TEST_P(HeapLargeTest, ABlockMayPassFourGibibytesAndIsUsedSparsely) {
  constexpr std::size_t kBytes = (std::size_t{5} << 30) + 12345;
  char* p = static_cast<char*>(heap_->allocate_zeroed(kBytes));
  ASSERT_NE(p, nullptr);
  EXPECT_GE(Heap::usable_bytes(p), kBytes);
  for (std::size_t at = 0; at + 100 < kBytes; at += std::size_t{512} << 20)
    fill_bytes(p + at, 100, at);
  fill_bytes(p + kBytes - 100, 100, 9);
  for (std::size_t at = 0; at + 100 < kBytes; at += std::size_t{512} << 20) {
    EXPECT_TRUE(holds_bytes(p + at, 100, at));
  }
  EXPECT_TRUE(holds_bytes(p + kBytes - 100, 100, 9));
  EXPECT_TRUE(heap_->owns_block(p));
  EXPECT_TRUE(heap_->contains(p + kBytes - 1));
  heap_->free(p);
  p = static_cast<char*>(heap_->allocate_zeroed(kBytes));
  ASSERT_NE(p, nullptr);
  EXPECT_TRUE(all_zero(p, 4096));
  EXPECT_TRUE(all_zero(p + kBytes - 4096, 4096));
  heap_->free(p);
}

std::size_t mappings() {
  std::ifstream maps("/proc/self/maps");
  return static_cast<std::size_t>(
      std::count(std::istreambuf_iterator<char>(maps), std::istreambuf_iterator<char>(), '\n'));
}

TEST_P(HeapLargeTest, BlocksInHugePagesCostMappingsOnlyWhileTheyLive) {
  constexpr std::size_t kBytes = 16 << 20;
  heap_->free(heap_->allocate(kBytes));
  const std::size_t before = mappings();
  std::vector<char*> blocks;
  for (int i = 0; i < 8; ++i) {
    blocks.push_back(static_cast<char*>(heap_->allocate(kBytes)));
    blocks.back()[0] = blocks.back()[kBytes - 1] = 'x';
  }
  EXPECT_LE(mappings(), before + 2 * blocks.size());
  for (char* block : blocks) {
    EXPECT_EQ(block[0] + block[kBytes - 1], 2 * 'x');
    EXPECT_EQ(block[kBytes / 2], 0);
    heap_->free(block);
  }
  EXPECT_LE(mappings(), before + 2) << "the kernel joins what is alike again";
}

TEST_P(HeapLargeTest, TheLastLargeBlocksThatWereFreedAreUsedAgain) {
  void* first = heap_->allocate(100'000);
  void* second = heap_->allocate(200'000);
  std::memset(first, 0x5a, 100'000);
  heap_->free(first);
  heap_->free(second);
  EXPECT_EQ(heap_->allocate_zeroed(90'000), first) << "of as many units";
  for (std::size_t i = 0; i < 90'000; ++i) ASSERT_EQ(static_cast<char*>(first)[i], 0);
  EXPECT_EQ(heap_->allocate(200'000), second);
  heap_->free(first);
  heap_->free(second);
  const std::size_t before = heap_->address_bytes();
  std::vector<void*> blocks;
  for (int i = 0; i < 20; ++i) blocks.push_back(heap_->allocate(1'000'000));
  for (void* block : blocks) heap_->free(block);
  EXPECT_LE(heap_->address_bytes(), before + kSpareUnits * kUnitBytes) << "no more are kept";
  EXPECT_TRUE(heap_->release_empty());
  EXPECT_EQ(heap_->address_bytes(), 0u);
}

}  // namespace
}  // namespace roam::iso
