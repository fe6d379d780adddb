#include "isomalloc/block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/range.h"
#include "base/sanitizers.h"
#include "base/test_bytes.h"
#include "base/text.h"
#include "isomalloc/capture.h"
#include "isomalloc/test_arena.h"
#include "isomalloc/test_heap.h"
#include "roam/converse.h"
#include "roam/isomalloc.h"
#include "roam/pup.h"

extern "C" int run_converse_in_c(void);

namespace roam::iso {
namespace {

constexpr std::size_t kArenaBytes = std::size_t{32} << 30;

class BlockTest : public testing::Test {
 protected:
  ~BlockTest() override { forget_resting_blocks(); }
  static std::vector<char> packed(void* block, bool deleting = false) {
    PupSizer sizer;
    pup_block(sizer, &block);
    std::vector<char> image(sizer.bytes());
    PupToMemory packer(image.data(), deleting);
    pup_block(packer, &block);
    EXPECT_EQ(packer.bytes(), image.size());
    return image;
  }
  static std::string name(const void* p) {
    char text[32];
    std::snprintf(text, sizeof text, "%p", p);
    return text;
  }
  TestArena test_{false, kArenaBytes};
};
using BlockDeathTest = BlockTest;

// ---- malloc, free, length, range ----

TEST_F(BlockTest, BlocksOfEachSizeAreDistinctAlignedZeroedAndAsLongAsAskedFor) {
  std::vector<std::pair<char*, std::size_t>> blocks;
  for (const std::size_t bytes : {0ul, 1ul, 4095ul, 4096ul, 4097ul, 61'440ul, 61'441ul, 65'536ul,
                                  1'000'000ul, 0ul, 10'000'000ul}) {
    char* block = static_cast<char*>(iso_malloc(bytes));
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(reinterpret_cast<Address>(block) % kPageBytes, 0u);
    EXPECT_EQ(iso_length(block), bytes);
    EXPECT_TRUE(all_zero(block, bytes));
    for (const auto& [other, length] : blocks) {
      EXPECT_TRUE(block >= other + std::max<std::size_t>(length, 1) ||
                  other >= block + std::max<std::size_t>(bytes, 1));
    }
    fill_bytes(block, bytes, bytes);
    blocks.emplace_back(block, bytes);
  }
  for (const auto& [block, bytes] : blocks) {
    EXPECT_TRUE(holds_bytes(block, bytes, bytes));
    iso_free(block);
  }
  iso_free(nullptr);
}

TEST_F(BlockTest, WithoutMemoryOfTheProcessThereIsNoBlock) {
  pool(Region::kBlocks).clear();
  NoMemory source;
  pool(Region::kBlocks).set_source(&source);
  errno = 0;
  EXPECT_EQ(iso_malloc(1000), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  pool(Region::kBlocks).add(LeaseRun{Region::kBlocks, 0, 1});
  void* block = iso_malloc(1000);
  EXPECT_NE(block, nullptr);
  iso_free(block);
}

TEST_F(BlockTest, ABlockIsZeroAlsoAtAnAddressThatWasUsedBefore) {
  const std::uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  std::vector<void*> live;
  for (int i = 0; i < 3000; ++i) {
    const std::size_t bytes = random() % 100'000;
    void* block = iso_malloc(bytes);
    ASSERT_NE(block, nullptr);
    ASSERT_TRUE(all_zero(block, bytes)) << "seed " << seed;
    fill_bytes(block, bytes, 1);
    live.push_back(block);
    if (live.size() > 20) {
      std::swap(live[random() % live.size()], live.back());
      ASSERT_TRUE(holds_bytes(live.back(), iso_length(live.back()), 1));
      iso_free(live.back());
      live.pop_back();
    }
  }
  for (void* block : live) iso_free(block);
  end_all_rests();
  EXPECT_EQ(pool(Region::kBlocks).free_bytes(), arena().region(Region::kBlocks).bytes)
      << "none is lost";
}

// Guards are 64 MiB long at most.
TEST_F(BlockTest, ABlockIsZeroThoughItsAddressWasWrittenToAfterItWasFreed) {
  constexpr std::size_t kBytes = std::size_t{80} << 20;
  auto* const first = static_cast<char*>(iso_malloc(kBytes));
  ASSERT_NE(first, nullptr);
  iso_free(first);
  if (resting_ranges().empty()) GTEST_SKIP() << "there are no cheap guards";
  char* const late = first + (std::size_t{70} << 20);
  *static_cast<volatile char*>(late) = 'x';
  end_all_rests();
  auto* const again = static_cast<char*>(iso_malloc(kBytes));
  EXPECT_EQ(again, first);
  EXPECT_EQ(*late, 0);
  iso_free(again);
}

// Its address rests no more, or there was no guard to be had.
TEST_F(BlockTest, ABlockIsZeroThoughItsAddressWasWrittenToWhereNothingGuardsItAnyMore) {
  constexpr std::size_t kBytes = 300'000;
  auto* const first = static_cast<char*>(iso_malloc(kBytes));
  ASSERT_NE(first, nullptr);
  iso_free(first);
  end_all_rests();
  for (const std::size_t at : {std::size_t{0}, kBytes / 2, kBytes - 1})
    static_cast<volatile char*>(first)[at] = 'x';
  auto* const again = static_cast<char*>(iso_malloc(kBytes));
  EXPECT_EQ(again, first);
  EXPECT_TRUE(all_zero(again, kBytes));
  iso_free(again);
}

TEST_F(BlockTest, InRangeIsCertainForBlocksAndForWhatMallocReturned) {
  char* block = static_cast<char*>(iso_malloc(10'000));
  int local = 0;
  const auto plain = std::make_unique<char[]>(10'000);
  EXPECT_EQ(iso_in_range(block), 1);
  EXPECT_EQ(iso_in_range(block + 9'999), 1);
  EXPECT_EQ(iso_in_range(plain.get()), 0);
  EXPECT_EQ(iso_in_range(&local), 0);
  EXPECT_EQ(iso_in_range(nullptr), 0);
  EXPECT_EQ(iso_in_range(reinterpret_cast<void*>(arena().whole().end())), 0);
  EXPECT_EQ(iso_in_range(reinterpret_cast<char*>(arena().whole().begin) - 1), 0);
  EXPECT_EQ(CmiIsomallocInRange(block), 1);
  EXPECT_EQ(CmiIsomallocInRange(plain.get()), 0);
  EXPECT_EQ(iso_in_range(block - 1), 0) << "before it";
  EXPECT_EQ(iso_in_range(block + 10'000), 0) << "behind it";
  EXPECT_EQ(iso_in_range(block + (1 << 20)), 0) << "nobody has it";
  {
    TestHeap heap;
    for (const std::size_t bytes : {8, 2000, 1 << 20}) {
      const char* of_a_thread = static_cast<char*>(heap->allocate(bytes));
      EXPECT_EQ(iso_in_range(of_a_thread), 0) << bytes;
      EXPECT_EQ(iso_in_range(of_a_thread + bytes - 1), 0) << bytes;
    }
    EXPECT_EQ(iso_in_range(heap.stack_address()), 0);
  }
  char* empty = static_cast<char*>(iso_malloc(0));
  EXPECT_EQ(iso_in_range(empty), 1) << "the address that was returned";
  EXPECT_EQ(iso_in_range(empty + 1), 0);
  iso_free(empty);
  char* large = static_cast<char*>(iso_malloc(50 << 20));
  EXPECT_EQ(iso_in_range(large + (50 << 20) - 1), 1);
  EXPECT_EQ(iso_in_range(large + (50 << 20)), 0);
  iso_free(large);
  iso_free(block);
  EXPECT_EQ(iso_in_range(block), 0) << "it was freed";
  end_all_rests();
  EXPECT_EQ(iso_in_range(block), 0);
}

TEST_F(BlockTest, WhatLeftThisNodeIsInRangeStill) {
  char* block = static_cast<char*>(iso_malloc(10'000));
  void* pointer = block;
  std::vector<char> image(20'000);
  PupToMemory packer(image.data(), true);
  pup_block(packer, &pointer);
  EXPECT_EQ(iso_in_range(block), 1);
  EXPECT_EQ(iso_in_range(block + 9'999), 1);
}

TEST_F(BlockTest, ABlockMayPassFourGibibytesAndIsUsedSparsely) {
  constexpr std::size_t kBytes = (std::size_t{6} << 30) + 54'321;
  char* block = static_cast<char*>(iso_malloc(kBytes));
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(iso_length(block), kBytes);
  for (std::size_t at = 0; at < kBytes - 1000; at += std::size_t{700} << 20) {
    fill_bytes(block + at, 1000, at);
  }
  fill_bytes(block + kBytes - 1000, 1000, 8);
  for (std::size_t at = 0; at < kBytes - 1000; at += std::size_t{700} << 20) {
    EXPECT_TRUE(holds_bytes(block + at, 1000, at));
  }
  EXPECT_TRUE(holds_bytes(block + kBytes - 1000, 1000, 8));
  iso_free(block);
  end_all_rests();
  block = static_cast<char*>(iso_malloc(kBytes));
  ASSERT_NE(block, nullptr);
  EXPECT_TRUE(all_zero(block, 1000) && all_zero(block + kBytes - 1000, 1000));
  iso_free(block);
}

TEST_F(BlockTest, ExhaustionIsNullAndEnomemAndPassesWhenBlocksAreFreed) {
  for (const std::size_t bytes : {kArenaBytes, SIZE_MAX, SIZE_MAX - 4096, SIZE_MAX / 2}) {
    errno = 0;
    EXPECT_EQ(iso_malloc(bytes), nullptr);
    EXPECT_EQ(errno, ENOMEM);
  }
  std::vector<void*> blocks;
  errno = 0;
  while (void* block = iso_malloc(std::size_t{1} << 30)) blocks.push_back(block);
  EXPECT_EQ(errno, ENOMEM);
  ASSERT_GE(blocks.size(), 10u);
  fill_bytes(blocks[0], 1000, 1);
  iso_free(blocks.back());
  blocks.back() = iso_malloc(std::size_t{1} << 30);
  EXPECT_NE(blocks.back(), nullptr) << "a range that rests is given up before there is none";
  EXPECT_TRUE(holds_bytes(blocks[0], 1000, 1));
  for (void* block : blocks) iso_free(block);
}

TEST_F(BlockTest, TheOriginalNamesDoTheSame) {
  void* block = CmiIsomalloc(12'345);
  EXPECT_EQ(CmiIsomallocLength(block), 12'345);
  fill_bytes(block, 12'345, 1);
  CmiIsomallocFree(block);
}

TEST_F(BlockTest, TheOriginalNamesWorkFromC) { EXPECT_EQ(run_converse_in_c(), 0); }

TEST_F(BlockTest, NothingOfABlocksKeepingIsInAThreadsHeap) {
  start_capture();
  TestHeap heap;
  {
    HeapScope scope(&heap.heap());
    for (int i = 0; i < 1000; ++i) iso_free(iso_malloc(100));
  }
  EXPECT_EQ(heap->address_bytes(), 0u);
  EXPECT_TRUE(heap->release_empty());
}

// ---- broken contracts ----

TEST_F(BlockDeathTest, ALaterReferenceToAFreedBlockFaults) {
  for (const std::size_t bytes : {1ul, 100'000ul, 10'000'000ul}) {
    char* block = static_cast<char*>(iso_malloc(bytes));
    fill_bytes(block, bytes, 1);
    iso_free(block);
    EXPECT_FALSE(readable(reinterpret_cast<Address>(block)));
    EXPECT_FALSE(readable(reinterpret_cast<Address>(block) + bytes - 1));
    EXPECT_EXIT(*static_cast<volatile char*>(block), testing::KilledBySignal(SIGSEGV), "");
    EXPECT_EXIT(block[bytes - 1] = 1, testing::KilledBySignal(SIGSEGV), "");
  }
}

TEST_F(BlockDeathTest, ASecondFreeNamesTheBlockAndItsLength) {
  void* block = iso_malloc(4321);
  iso_free(block);
  EXPECT_EXIT(iso_free(block), testing::ExitedWithCode(1),
              name(block) + ".*4321 bytes.*freed before");
  EXPECT_EXIT(CmiIsomallocFree(block), testing::ExitedWithCode(1), "freed before");
  EXPECT_EXIT(iso_length(block), testing::ExitedWithCode(1), "freed before");
  EXPECT_EXIT(packed(block), testing::ExitedWithCode(1), "freed before");
  end_all_rests();
  EXPECT_EXIT(iso_free(block), testing::ExitedWithCode(1), name(block));
}

TEST_F(BlockDeathTest, WhatIsNoBlockIsNamed) {
  start_capture();
  TestHeap heap;
  char* block = static_cast<char*>(iso_malloc(200'000));
  int local = 0;
  const auto plain = std::make_unique<char[]>(100);
  std::vector<void*> wrong = {
      &local,
      plain.get(),
      block + 1,
      block + kPageBytes,
      block + kUnitBytes,
      block - kPageBytes,
      heap->allocate(8),
      heap->allocate(2000),
      heap->allocate(1 << 20),
      heap.stack_address(),
      reinterpret_cast<void*>(arena().region(Region::kBlocks).end() - kUnitBytes + kPageBytes)};
  std::memset(block, 0, 200'000);
  for (void* p : wrong) {
    SCOPED_TRACE(p);
    EXPECT_EXIT(iso_free(p), testing::ExitedWithCode(1), name(p));
    EXPECT_EXIT(iso_length(p), testing::ExitedWithCode(1), name(p));
    EXPECT_EXIT(iso_pup(pup_new_sizer(), &p), testing::ExitedWithCode(1), name(p));
  }
  EXPECT_EXIT(iso_length(nullptr), testing::ExitedWithCode(1), "iso_length");
  iso_free(block);
}

TEST_F(BlockDeathTest, FreeOfABlockSaysToUseIsoFree) {
  start_capture();
  void* block = iso_malloc(100);
  EXPECT_EXIT(free(block), testing::ExitedWithCode(1), "iso_free");
  iso_free(block);
}

TEST_F(BlockDeathTest, SizesThatAnIntCannotHoldStopTheOldCalls) {
  EXPECT_EXIT(CmiIsomalloc(-1), testing::ExitedWithCode(1), "-1");
  void* block = iso_malloc(std::size_t{INT_MAX} + 1);
  ASSERT_NE(block, nullptr);
  EXPECT_EXIT(CmiIsomallocLength(block), testing::ExitedWithCode(1), "2147483648");
  iso_free(block);
  void* largest = CmiIsomalloc(INT_MAX);
  ASSERT_NE(largest, nullptr);
  EXPECT_EQ(CmiIsomallocLength(largest), INT_MAX);
  CmiIsomallocFree(largest);
}

// ---- a process that is alone ----

TEST(BlockAlone, TheFirstBlockStartsTheArenaAndLaterCallsFindIt) {
  EXPECT_EXIT(
      {
        int local = 0;
        if (iso_in_range(&local) != 0 || arena().ready()) _exit(2);
        const Address there = sanitizers::kArenaBase + (std::size_t{256} << 30);
        setenv("ROAM_ARENA", text("%#lx,1G", there).c_str(), 1);
        char* block = static_cast<char*>(iso_malloc(100));
        if (block == nullptr || iso_in_range(block) != 1) _exit(3);
        if (!Range{there, std::size_t{1} << 30}.contains(block)) _exit(4);
        block[99] = 1;
        iso_free(block);
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST(BlockAlone, AnArenaThatCannotBeHadIsSaidAndGivesNull) {
  EXPECT_EXIT(
      {
        setenv("ROAM_ARENA", "nonsense", 1);
        errno = 0;
        _exit(iso_malloc(100) == nullptr && errno == ENOMEM ? 0 : 1);
      },
      testing::ExitedWithCode(0), "ROAM_ARENA");
}

TEST(BlockAlone, BeforeTheStartNoPointerIsABlock) {
  int local = 0;
  EXPECT_EXIT(iso_free(&local), testing::ExitedWithCode(1), "has not started");
  EXPECT_EXIT(iso_length(&local), testing::ExitedWithCode(1), "has not started");
}

}  // namespace
}  // namespace roam::iso
