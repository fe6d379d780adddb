#include "isomalloc/frees_of_others.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "isomalloc/test_arena.h"
#include "isomalloc/test_heap.h"

namespace roam::iso {
namespace {

using namespace std::chrono_literals;

// The calling kernel thread is the rank's.
class FreesOfOthersTest : public testing::Test {
 protected:
  void SetUp() override { frees_at_once = true; }
  void TearDown() override {
    hold_frees_of_others(false);
    frees_at_once = false;
  }
  TestArena arena_{true};
  TestHeap heap_;
};

TEST_F(FreesOfOthersTest, TheyWaitUntilNoneIsHeld) {
  void* block = heap_->allocate(100);
  hold_frees_of_others(true);
  std::atomic<bool> freed = false;
  std::thread other([&] {
    Heap::free_from_elsewhere(block);
    freed = true;
  });
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(freed);
  EXPECT_FALSE(heap_->release_empty()) << "it lives";
  hold_frees_of_others(false);
  other.join();
  EXPECT_TRUE(heap_->release_empty());
}

TEST_F(FreesOfOthersTest, TheRanksOwnDoNotWait) {
  void* block = heap_->allocate(100);
  hold_frees_of_others(true);
  Heap::free_from_elsewhere(block);
  EXPECT_TRUE(heap_->release_empty());
}

// None that has begun before is half done.
TEST_F(FreesOfOthersTest, MemoryStaysAsItIsWhileTheyAreHeld) {
  std::vector<void*> blocks;
  for (int i = 0; i < 20'000; ++i) blocks.push_back(heap_->allocate(200));
  hold_frees_of_others(true);
  std::thread other([&] {
    for (void* block : blocks) Heap::free_from_elsewhere(block);
  });
  const auto freed = [&] {
    std::size_t count = 0;
    for (void* block : blocks) count += static_cast<FreeBlock*>(block)->marked();
    return count;
  };
  int held = 0;
  for (std::size_t before = 0; before < blocks.size(); ++held) {
    hold_frees_of_others(true);
    before = freed();
    std::this_thread::sleep_for(1ms);
    EXPECT_EQ(freed(), before);
    hold_frees_of_others(false);
    std::this_thread::sleep_for(500us);
  }
  other.join();
  EXPECT_GT(held, 0);
}

TEST_F(FreesOfOthersTest, AChildOfForkWaitsForNobody) {
  void* block = heap_->allocate(100);
  hold_frees_of_others(true);
  const pid_t child = fork();
  if (child == 0) {
    frees_at_once = false;
    Heap::free_from_elsewhere(block);
    _exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace roam::iso
