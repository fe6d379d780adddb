#include "isomalloc/process_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

#include "base/os/mappings.h"
#include "isomalloc/test_arena.h"
#include "isomalloc/test_heap.h"

namespace roam::iso {
namespace {

// The compiler takes for granted that malloc reads no variable.
volatile bool mine = false;

Address address(const void* p) { return reinterpret_cast<Address>(p); }

class ProcessBlocksTest : public testing::Test {
 protected:
  ProcessBlocksTest() {
    note_runtime_blocks([] { return mine; });
  }
  ~ProcessBlocksTest() override { mine = false; }

  static std::vector<Range> blocks() {
    std::vector<Range> found;
    mine = true;  // the lists themselves are not among them
    for (const os::Mapping& mapping : os::mappings()) {
      if (mapping.name == "[heap]") found = process_blocks(mapping.range);
    }
    mine = false;
    return found;
  }
  static Range find(const void* block) {
    for (const Range& one : blocks()) {
      if (one.begin == address(block)) return one;
    }
    return {};
  }
};

TEST_F(ProcessBlocksTest, ABlockInUseIsThereUntilItIsFreed) {
  std::vector<void*> made;
  for (std::size_t bytes : {1, 24, 25, 100, 1000, 5000, 20000}) {
    made.push_back(std::malloc(bytes));
    const Range found = find(made.back());
    EXPECT_GE(found.bytes, bytes);
    EXPECT_LE(found.bytes, bytes + 24);
  }
  for (void* block : made) {
    std::free(block);
    EXPECT_EQ(find(block).bytes, 0u);
  }
}

TEST_F(ProcessBlocksTest, TheRuntimesBlocksAreNoOnesElse) {
  mine = true;
  void* made = std::malloc(100);
  void* zeroed = std::calloc(10, 10);
  void* aligned = std::aligned_alloc(64, 128);
  mine = false;
  void* others = std::malloc(100);
  for (const void* block : {made, zeroed, aligned}) {
    EXPECT_TRUE(is_runtime_block(block));
    EXPECT_EQ(find(block).bytes, 0u);
  }
  EXPECT_FALSE(is_runtime_block(others));
  // They stay what they are when they grow.
  made = std::realloc(made, 5000);
  others = std::realloc(others, 5000);
  EXPECT_TRUE(is_runtime_block(made));
  EXPECT_FALSE(is_runtime_block(others));
  std::free(others);
  for (void* block : {made, zeroed, aligned}) {
    std::free(block);
    EXPECT_FALSE(is_runtime_block(block));
  }
}

TEST_F(ProcessBlocksTest, ManyAreToldApart) {
  std::map<void*, bool> made;
  for (int i = 0; i < 20'000; ++i) {
    mine = i % 3 == 0;
    made[std::malloc(1 + static_cast<std::size_t>(i) % 200)] = mine;
    if (i % 5 == 4) {
      const auto first = made.begin();
      std::free(first->first);
      made.erase(first);
    }
    mine = false;
  }
  for (const auto& [block, runtimes] : made) EXPECT_EQ(is_runtime_block(block), runtimes);
  for (const auto& [block, runtimes] : made) std::free(block);
}

TEST_F(ProcessBlocksTest, ALargeBlockBeginsItsMapping) {
  constexpr std::size_t kBytes = std::size_t{64} << 20;
  void* block = std::malloc(kBytes);
  const Range mapping{address(block) - 16, kBytes + kPageBytes};
  EXPECT_EQ(block_in_mapping(mapping).begin, address(block));
  EXPECT_GE(block_in_mapping(mapping).bytes, kBytes);
  EXPECT_EQ(block_in_mapping(Range{address(block) - 16 + kPageBytes, kBytes}).bytes, 0u);
  std::free(block);
  EXPECT_EQ(block_in_mapping(mapping).bytes, 0u) << "it is not mapped any more";
}

TEST_F(ProcessBlocksTest, WhatWasInAFreedBlockIsGone) {
  char* block = static_cast<char*>(std::malloc(300));
  std::memset(block, 'x', 300);
  std::free(block);
  char* again = static_cast<char*>(std::malloc(300));
  ASSERT_EQ(again, block);
  EXPECT_EQ(std::count(again, again + 300, 'x'), 0);
  std::free(again);
}

TEST(LiveBlocks, OfAHeapAreThoseThatWereNotFreed) {
  TestArena arena(false, std::size_t{1} << 30);
  TestHeap heap;
  std::map<Address, std::size_t> live;
  for (std::size_t i = 0; i < 3000; ++i) {
    const std::size_t bytes = i % 100 == 99 ? 200'000 : i * 37 % 3000 + 1;
    void* block = heap->allocate(bytes);
    std::memset(block, 1, bytes);
    if (i % 3 == 0) {
      heap->free(block);
    } else {
      live[address(block)] = bytes;
    }
  }
  heap->find_holes();
  std::size_t seen = 0;
  heap->for_each_live_block([&](Range block) {
    ++seen;
    ASSERT_TRUE(live.contains(block.begin));
    EXPECT_GE(block.bytes, live[block.begin]);
  });
  EXPECT_EQ(seen, live.size());
}

}  // namespace
}  // namespace roam::iso
