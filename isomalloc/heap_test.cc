#include "isomalloc/heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <random>
#include <vector>

#include "base/test_bytes.h"
#include "isomalloc/test_arena.h"
#include "isomalloc/test_heap.h"

namespace roam::iso {
namespace {

constexpr std::size_t kArenaBytes = std::size_t{16} << 30;

Address address(const void* p) { return reinterpret_cast<Address>(p); }

class HeapTest : public testing::TestWithParam<bool> {
 protected:
  TestArena test_{GetParam(), kArenaBytes};
  TestHeap heap_;
};
INSTANTIATE_TEST_SUITE_P(Kinds, HeapTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Shared" : "Private"; });

// In private memory only: a forked child would share the other kind.
class HeapDeathTest : public testing::Test {
 protected:
  TestArena test_{false, kArenaBytes};
  TestHeap heap_;
};

std::vector<std::size_t> sizes() {
  std::vector<std::size_t> all;
  for (std::size_t n = 0; n <= 300; ++n) all.push_back(n);
  for (std::uint32_t c = 0; c < kSizeClasses; ++c) {
    for (const std::size_t n : {class_bytes(c) - 1, class_bytes(c), class_bytes(c) + 1}) {
      all.push_back(n);
    }
  }
  for (const std::size_t n : {kUnitBytes - 129, kUnitBytes - 128, kUnitBytes - 127, kUnitBytes,
                              kUnitBytes + 1, std::size_t{1} << 20, (std::size_t{1} << 20) + 7}) {
    all.push_back(n);
  }
  return all;
}

// ---- one block ----

TEST_P(HeapTest, ABlockOfEachSizeIsAlignedAndAllOfItCanBeUsed) {
  struct Block {
    void* p;
    std::size_t usable;
  };
  std::vector<Block> blocks;
  for (const std::size_t bytes : sizes()) {
    void* p = heap_->allocate(bytes);
    ASSERT_NE(p, nullptr);
    EXPECT_EQ(address(p) % kSmallestBlock, 0u) << bytes;
    const std::size_t usable = Heap::usable_bytes(p);
    ASSERT_GE(usable, bytes);
    fill_bytes(p, usable, address(p));
    blocks.push_back({p, usable});
  }
  for (const Block& block : blocks) {
    ASSERT_TRUE(holds_bytes(block.p, block.usable, address(block.p)));
    heap_->free(block.p);
  }
  EXPECT_TRUE(heap_->release_empty());
}

TEST_P(HeapTest, ABlockHasTheAlignmentThatWasAskedForAtEachSize) {
  std::vector<std::pair<void*, std::size_t>> blocks;
  for (std::size_t alignment = 1; alignment <= std::size_t{16} << 20; alignment *= 2) {
    for (const std::size_t bytes : {0ul, 1ul, 100ul, 4096ul, 28672ul, 28673ul, 65536ul, 300000ul}) {
      void* p = heap_->allocate_aligned(alignment, bytes);
      ASSERT_NE(p, nullptr);
      ASSERT_EQ(address(p) % alignment, 0u) << alignment << ", " << bytes;
      ASSERT_GE(Heap::usable_bytes(p), bytes);
      fill_bytes(p, bytes, address(p));
      blocks.emplace_back(p, bytes);
    }
  }
  for (const auto& [p, bytes] : blocks) ASSERT_TRUE(holds_bytes(p, bytes, address(p)));
  for (const auto& [p, bytes] : blocks) heap_->free(p);
  EXPECT_TRUE(heap_->release_empty());
}

TEST_P(HeapTest, ZeroedMemoryIsZeroAlsoWhereDirtyMemoryIsUsedAgain) {
  for (const std::size_t bytes : sizes()) {
    for (int round = 0; round < 3; ++round) {
      void* p = heap_->allocate_zeroed(bytes);
      ASSERT_NE(p, nullptr);
      ASSERT_TRUE(all_zero(p, bytes)) << bytes << " bytes, round " << round;
      fill_bytes(p, Heap::usable_bytes(p), 1);
      heap_->free(p);
    }
  }
}

TEST_P(HeapTest, WhatIsFreedIsUsedAgain) {
  for (const std::size_t bytes : {200ul, 4096ul, 100'000ul}) {
    void* p = heap_->allocate(bytes);
    heap_->free(p);
    EXPECT_EQ(heap_->allocate(bytes), p);
  }
}

TEST_P(HeapTest, OfEmptySpansFewAreKept) {
  std::mt19937_64 random(test_seed());
  for (const std::size_t bytes : {200ul, 4096ul, 28'000ul}) {
    SCOPED_TRACE(bytes);
    std::vector<void*> blocks;
    while (heap_->address_bytes() < 300 * kUnitBytes) blocks.push_back(heap_->allocate(bytes));
    std::shuffle(blocks.begin(), blocks.end(), random);
    for (void* p : blocks) heap_->free(p);
    EXPECT_GE(heap_->address_bytes(), kUnitBytes);
    // The first of the class is kept besides, and one may be as empty as the others by now.
    EXPECT_LE(heap_->address_bytes(), (kKeptEmpty + 2) * kUnitBytes);
    EXPECT_TRUE(heap_->release_empty());
  }
}

TEST_P(HeapTest, ALiveBlockMayHoldWhatFreeOnesAreMarkedWith) {
  for (const std::size_t bytes : {200ul, 20'000ul, 60'000ul}) {
    void* keeps_span = heap_->allocate(bytes);
    void* p = heap_->allocate(bytes);
    void* sent_home = heap_->allocate(bytes);
    Heap::free_from_elsewhere(sent_home);
    static_cast<FreeBlock*>(p)->mark = static_cast<FreeBlock*>(p)->free_mark();
    EXPECT_EQ(heap_->reallocate(p, bytes), p);
    heap_->free(p);
    heap_->free(keeps_span);
  }
  EXPECT_TRUE(heap_->release_empty());
}

// What a program copies without ever having written it, old marks with it, is nothing to go by.
TEST_P(HeapTest, ACopyOfABlockThatHoldsAnOldMarkCanBeFreedFromElsewhere) {
  std::vector<char*> blocks;
  for (int i = 0; i < 5000; ++i) blocks.push_back(static_cast<char*>(heap_->allocate(16)));
  for (char* p : blocks) heap_->free(p);
  heap_->release_empty();
  char* array = static_cast<char*>(heap_->allocate(24'000));
  for (int i = 0; i < 1000; ++i) {
    void* copy = heap_->allocate(24);
    std::memcpy(copy, array + 24 * i, 24);
    Heap::free_from_elsewhere(copy);
  }
  heap_->free(array);
  EXPECT_TRUE(heap_->release_empty());
}

TEST_P(HeapTest, ReallocationKeepsTheBytesInEachDirection) {
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < 300; ++round) {
    void* p = nullptr;
    std::size_t bytes = 0;
    for (int step = 0; step < 6; ++step) {
      const std::size_t next = 1 + random() % (step % 2 == 0 ? 300 : 200'000);
      p = heap_->reallocate(p, next);
      ASSERT_NE(p, nullptr);
      ASSERT_GE(Heap::usable_bytes(p), next);
      ASSERT_TRUE(holds_bytes(p, std::min(bytes, next), static_cast<std::uint64_t>(round)));
      fill_bytes(p, next, static_cast<std::uint64_t>(round));
      bytes = next;
    }
    heap_->free(p);
  }
  EXPECT_TRUE(heap_->release_empty());
}

TEST_P(HeapTest, WithoutAddressSpaceThereIsNoBlockAndNothingElseChanges) {
  void* small = heap_->allocate(1000);
  fill_bytes(small, 1000, 1);
  const std::size_t before = heap_->address_bytes();
  for (const std::size_t bytes : {kArenaBytes, SIZE_MAX, SIZE_MAX - 128, SIZE_MAX / 2}) {
    errno = 0;
    EXPECT_EQ(heap_->allocate(bytes), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    EXPECT_EQ(heap_->allocate_zeroed(bytes), nullptr);
    EXPECT_EQ(heap_->reallocate(small, bytes), nullptr);
    EXPECT_EQ(heap_->allocate_aligned(kPageBytes, bytes), nullptr);
  }
  errno = 0;
  EXPECT_EQ(heap_->allocate_aligned(std::size_t{1} << 63, 1), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_EQ(heap_->address_bytes(), before);
  EXPECT_TRUE(holds_bytes(small, 1000, 1));
  heap_->free(small);
}

TEST_P(HeapTest, AfterExhaustionTheHeapGoesOnWithWhatIsFreed) {
  void* all = nullptr;  // nearly everything at once, then the rest in spans
  std::size_t bytes = arena().region(Region::kHeap).bytes;
  while (all == nullptr) all = heap_->allocate(bytes -= 16 << 20);
  std::vector<void*> blocks;
  while (void* p = heap_->allocate(20'000)) blocks.push_back(p);
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_FALSE(blocks.empty());
  EXPECT_EQ(heap_->allocate(5000), nullptr);
  heap_->free(all);
  void* p = heap_->allocate(5000);
  EXPECT_NE(p, nullptr);
  heap_->free(p);
  for (void* block : blocks) heap_->free(block);
  EXPECT_TRUE(heap_->release_empty());
}

TEST_P(HeapTest, NoBlocksAreMadeAheadInAPageThatIsNotInUse) {
  for (std::uint32_t c = 0; c < kSizeClasses; ++c) {
    const std::size_t bytes = class_bytes(c);
    TestHeap none(0);
    std::vector<void*> blocks;
    for (int i = 0; i < 40; ++i) {
      void* p = none->allocate(bytes);
      blocks.push_back(p);
      const Address last = address(p) + bytes - 1;
      const Address page_end = round_down(last, kPageBytes) + kPageBytes;
      EXPECT_LE(Span::of(p)->touched().end(), page_end) << bytes << " B, block " << i;
    }
    for (void* p : blocks) none->free(p);
  }
}

// ---- head room ----

TEST_P(HeapTest, WhatLivesAsLongAsItsThreadIsInTheHeadRoomWhateverItsSize) {
  const std::size_t half = heap_->head_room().bytes / 2;
  void* first = heap_->allocate_for_life(half);
  void* second = heap_->allocate_for_life(half);
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(heap_->head_room().contains(first));
  EXPECT_FALSE(heap_->head_room().contains(second)) << "it has not that much left";
  fill_bytes(first, half, 1);
  fill_bytes(second, half, 2);
  EXPECT_TRUE(holds_bytes(first, half, 1));
  EXPECT_FALSE(heap_->head_empty());
  heap_->free(first);
  EXPECT_TRUE(heap_->head_empty());
  heap_->free(second);
  EXPECT_TRUE(heap_->release_empty());
}

TEST_P(HeapTest, TheFirstSmallBlocksComeFromTheHeadRoomAndCostNoSpan) {
  std::vector<void*> blocks;
  for (std::size_t bytes = 0; bytes < 16; ++bytes) {
    void* p = heap_->allocate(bytes);
    EXPECT_TRUE(heap_->head_room().contains(p));
    EXPECT_TRUE(heap_->contains(p));
    EXPECT_FALSE(heap_->owns_block(p)) << "it is in no span";
    fill_bytes(p, bytes, bytes);
    blocks.push_back(p);
  }
  EXPECT_EQ(heap_->address_bytes(), 0u);
  EXPECT_FALSE(heap_->release_empty());
  for (std::size_t bytes = 0; bytes < blocks.size(); ++bytes) {
    EXPECT_TRUE(holds_bytes(blocks[bytes], bytes, bytes));
    bytes % 2 == 0 ? heap_->free(blocks[bytes]) : Heap::free_from_elsewhere(blocks[bytes]);
  }
  EXPECT_TRUE(heap_->head_empty());
  EXPECT_TRUE(heap_->release_empty());
}

TEST_P(HeapTest, AFullHeadRoomIsFollowedBySpans) {
  TestHeap tight(40);
  void* first = tight->allocate(16);
  EXPECT_TRUE(tight->head_room().contains(first));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(tight->head_room().contains(tight->allocate(16)));
  EXPECT_GT(tight->address_bytes(), 0u);
  TestHeap none(0);
  EXPECT_TRUE(none->owns_block(none->allocate(1)));
}

// ---- whose is it ----

TEST_P(HeapTest, EachAddressIsFoundInTheHeapThatHoldsIt) {
  TestHeap other;
  char* small = static_cast<char*>(heap_->allocate(2000));
  char* large = static_cast<char*>(heap_->allocate(1 << 20));
  char* head = static_cast<char*>(heap_->allocate(8));
  char* theirs = static_cast<char*>(other->allocate(2000));
  for (const char* p : {small, small + 1999, large, large + (1 << 20) - 1, head, head + 7}) {
    EXPECT_EQ(heap_of(p), &heap_.heap());
    EXPECT_TRUE(heap_->contains(p));
    EXPECT_FALSE(other->contains(p));
  }
  EXPECT_EQ(heap_of(theirs), &other.heap());
  int local = 0;
  for (const void* p : std::initializer_list<const void*>{
           &local, nullptr, heap_.stack_address(), arena().layout().node_room(),
           reinterpret_cast<const void*>(arena().region(Region::kHeap).end() - 8)}) {
    EXPECT_EQ(heap_of(p), nullptr) << p;
  }
  heap_->free(large);
  heap_->release_empty();
  EXPECT_EQ(heap_of(large), nullptr);
}

// ---- broken contracts ----

constexpr auto kStopped = [] { return testing::ExitedWithCode(1); };
std::string names(const void* p) {
  char text[32];
  std::snprintf(text, sizeof text, "%p", p);
  return text;
}

TEST_P(HeapTest, AHeapThatGaveAllBackIsAsItWasStarted) {
  const auto bytes = [this] {
    const char* begin = reinterpret_cast<const char*>(&heap_.heap());
    return std::vector<char>(begin, begin + sizeof(Heap));
  };
  const std::vector<char> started = bytes();
  std::vector<void*> blocks;
  for (const std::size_t size : {16, 48, 100, 300, 4096, 20'000, 40'000, 100'000, 2'000'000}) {
    for (int i = 0; i < 20; ++i) blocks.push_back(heap_->allocate(size));
  }
  for (void*& block : blocks) block = heap_->reallocate(block, 2 * Heap::usable_bytes(block));
  EXPECT_FALSE(heap_->release_empty());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i % 3 == 0) {
      Heap::free_from_elsewhere(blocks[i]);
    } else {
      heap_->free(blocks[i]);
    }
  }
  EXPECT_TRUE(heap_->release_empty());
  ASSERT_TRUE(heap_->at_rest());
  heap_->restart();
  EXPECT_EQ(bytes(), started);
  heap_->free(heap_->allocate(16));
}

TEST_F(HeapDeathTest, ASecondFreeStops) {
  for (const std::size_t bytes : {8ul, 200ul, 20'000ul, 28'672ul, 30'000ul, 1'000'000ul}) {
    SCOPED_TRACE(bytes);
    void* keeps_span = heap_->allocate(bytes);
    void* p = heap_->allocate(bytes);
    heap_->free(p);
    EXPECT_EXIT(heap_->free(p), kStopped(), names(p));
    EXPECT_EXIT(Heap::free_from_elsewhere(p), kStopped(), names(p));
    heap_->free(keeps_span);
  }
}

TEST_F(HeapDeathTest, ASecondFreeOfABlockWhosePageDidNotTravelStops) {
  std::vector<char*> blocks;
  for (int i = 0; i < 200; ++i) blocks.push_back(static_cast<char*>(heap_->allocate(300)));
  for (int i = 50; i < 150; ++i) heap_->free(blocks[static_cast<std::size_t>(i)]);
  heap_->find_holes();
  char* p = blocks[100];
  std::memset(p, 0, 300);  // the mark is lost
  EXPECT_EXIT(heap_->free(p), kStopped(), names(p));
  EXPECT_EXIT(Heap::free_from_elsewhere(p), kStopped(), names(p));
  // Once it was handed out again, it is a block like others.
  for (int i = 0; i < 100; ++i) heap_->allocate(300);
  heap_->free(p);
}

TEST_F(HeapDeathTest, ASecondFreeFromElsewhereStops) {
  for (const std::size_t bytes : {8ul, 200ul, 20'000ul, 1'000'000ul}) {
    SCOPED_TRACE(bytes);
    void* p = heap_->allocate(bytes);
    Heap::free_from_elsewhere(p);
    EXPECT_EXIT(Heap::free_from_elsewhere(p), kStopped(), names(p));
    EXPECT_EXIT(
        {
          heap_->free(p);
          heap_->collect();
        },
        kStopped(), names(p));
  }
}

TEST_F(HeapDeathTest, AFreeInsideABlockStops) {
  for (const std::size_t bytes : {100ul, 200ul, 20'000ul, 60'000ul, 300'000ul}) {
    SCOPED_TRACE(bytes);
    char* p = static_cast<char*>(heap_->allocate(bytes));
    fill_bytes(p, bytes, 1);
    for (const std::size_t offset :
         {std::size_t{1}, std::size_t{16}, bytes / 2 / 16 * 16, bytes - 1}) {
      EXPECT_EXIT(heap_->free(p + offset), kStopped(), names(p + offset));
      EXPECT_EXIT(Heap::free_from_elsewhere(p + offset), kStopped(), names(p + offset));
    }
  }
}

TEST_F(HeapDeathTest, AReallocationOfAFreedBlockStopsThoughItWouldFitInPlace) {
  for (const std::size_t bytes : {200ul, 20'000ul, 40'000ul, 1'000'000ul}) {
    SCOPED_TRACE(bytes);
    void* keeps_span = heap_->allocate(bytes);
    void* p = heap_->allocate(bytes);
    void* sent_home = heap_->allocate(bytes);
    heap_->free(p);
    Heap::free_from_elsewhere(sent_home);
    for (void* freed : {p, sent_home}) {
      for (const std::size_t wanted : {bytes / 20, bytes - bytes / 40, bytes, 3 * bytes})
        EXPECT_EXIT(heap_->reallocate(freed, wanted), kStopped(), names(freed) + ".*freed before");
      EXPECT_EXIT(heap_->live_bytes(freed, "malloc_usable_size"), kStopped(), names(freed));
    }
    heap_->free(keeps_span);
  }
  // A large block that went back with its span.
  void* p = heap_->allocate(3'000'000);
  heap_->free(p);
  EXPECT_EXIT(Heap::usable_bytes(p, "realloc"), kStopped(), names(p) + ".*freed before");
}

TEST_F(HeapDeathTest, AReallocationOfABlockWhosePageDidNotTravelStops) {
  std::vector<char*> blocks;
  for (int i = 0; i < 200; ++i) blocks.push_back(static_cast<char*>(heap_->allocate(300)));
  for (int i = 50; i < 150; ++i) heap_->free(blocks[static_cast<std::size_t>(i)]);
  heap_->find_holes();
  std::memset(blocks[100], 0, 300);  // the mark is lost
  EXPECT_EXIT(heap_->reallocate(blocks[100], 300), kStopped(), names(blocks[100]));
  EXPECT_EQ(heap_->reallocate(blocks[10], 290), blocks[10]) << "a live one of the same span";
}

TEST_F(HeapDeathTest, AReallocationInsideABlockStops) {
  for (const std::size_t bytes : {100ul, 200ul, 20'000ul, 60'000ul, 300'000ul}) {
    SCOPED_TRACE(bytes);
    TestHeap none(0);
    char* p = static_cast<char*>(none->allocate(bytes));
    fill_bytes(p, bytes, 1);
    for (const std::size_t offset : {std::size_t{1}, std::size_t{16}, bytes / 2 / 16 * 16}) {
      EXPECT_EXIT(none->reallocate(p + offset, bytes), kStopped(), names(p + offset));
      EXPECT_EXIT(Heap::usable_bytes(p + offset), kStopped(), names(p + offset));
    }
    EXPECT_EXIT(none->reallocate(p + 16, 10 * bytes), kStopped(), names(p + 16));
    none->free(p);
  }
}

TEST_F(HeapDeathTest, AReallocationOfABlockOfTheHeadRoomThatWasFreedStops) {
  char* p = static_cast<char*>(heap_->allocate(100));
  ASSERT_TRUE(heap_->head_room().contains(p));
  EXPECT_EXIT(heap_->reallocate(p + 16, 90), kStopped(), names(p + 16));
  heap_->free(p);
  EXPECT_EXIT(heap_->reallocate(p, 90), kStopped(), names(p));
  EXPECT_EXIT(heap_->reallocate(heap_.stack_address(), 8), kStopped(), "stack");
}

TEST_F(HeapDeathTest, AFreeOfAStackAddressStops) {
  EXPECT_EXIT(heap_->free(heap_.stack_address()), kStopped(), names(heap_.stack_address()));
  EXPECT_EXIT(Heap::free_from_elsewhere(heap_.stack_address()), kStopped(), "stack");
}

TEST_F(HeapDeathTest, AFreeOfABlockThatWasNeverMadeStops) {
  char* p = static_cast<char*>(heap_->allocate(20'000));
  EXPECT_EXIT(heap_->free(p + 40'960), kStopped(), names(p + 40'960)) << "later in the span";
  void* nowhere = reinterpret_cast<void*>(arena().region(Region::kHeap).end() - kUnitBytes + 4096);
  EXPECT_EXIT(Heap::free_from_elsewhere(nowhere), kStopped(), names(nowhere));
  void* no_slot = reinterpret_cast<void*>(arena().region(Region::kSlots).end() - 4096);
  EXPECT_EXIT(heap_->free(no_slot), kStopped(), names(no_slot));
}

TEST_F(HeapDeathTest, AFreeOfABlockOfIsomallocSaysWhichCallIsRight) {
  const Range range = pool(Region::kBlocks).allocate(kUnitBytes)->range;
  arena().units().mark(range, UnitKind::kBlock);
  void* p = reinterpret_cast<void*>(range.begin + kPageBytes);
  EXPECT_EXIT(Heap::free_from_elsewhere(p), kStopped(), "iso_free");
  EXPECT_EXIT(heap_->free(p), kStopped(), "iso_free");
  EXPECT_EXIT(Heap::usable_bytes(p), kStopped(), "iso_length");
}

TEST_F(HeapDeathTest, NothingCanBeSentHomeToAHeapThatLeaves) {
  void* p = heap_->allocate(200);
  heap_->close_remote();
  EXPECT_EXIT(Heap::free_from_elsewhere(p), kStopped(), names(p));
  heap_->open_remote();
  Heap::free_from_elsewhere(p);
  EXPECT_TRUE(heap_->release_empty());
}

}  // namespace
}  // namespace roam::iso
