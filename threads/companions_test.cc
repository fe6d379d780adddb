#include "threads/companions.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "base/test_bytes.h"
#include "isomalloc/range_pool.h"
#include "threads/slots.h"
#include "threads/test_threads.h"

namespace roam::threads {
namespace {

class CompanionsTest : public testing::TestWithParam<bool> {
 protected:
  // Everything has been given back: no companion is forgotten.
  void TearDown() override {
    iso::HeapScope process;
    sweep_companions(joiner_);
    EXPECT_FALSE(has_companions(joiner_));
    joiner_->heap.release_all();
    scheduler().slots().retire(joiner_);
    scheduler().slots().drop_resting(0);
    EXPECT_EQ(free_bytes(), free_at_start_);
  }

  static std::size_t free_bytes() { return iso::pool(iso::Region::kSlots).free_bytes(); }
  static Tcb* make() {
    iso::HeapScope process;
    return scheduler().slots().make(256 << 10, "test");
  }
  // What an ended thread left for `joiner`: `blocks` blocks of 40 bytes in its head room.
  std::vector<void*> leave(Tcb* ended, Tcb* joiner, int blocks = 1) {
    std::vector<void*> left;
    for (int i = 0; i < blocks; ++i) {
      left.push_back(ended->heap.allocate(40));
      fill_bytes(left.back(), 40, reinterpret_cast<Address>(left.back()));
    }
    ended->state = State::kEnded;
    iso::HeapScope process;
    joiner->heap.adopt(ended->heap);
    take_companions(joiner, ended);
    return left;
  }
  // As the joiner does it.
  void free(void* block) {
    EXPECT_TRUE(holds_bytes(block, 40, reinterpret_cast<Address>(block)));
    joiner_->heap.free(block);
  }

  TestThreads threads_{GetParam()};
  std::size_t free_at_start_ = free_bytes();
  Tcb* joiner_ = make();
};
INSTANTIATE_TEST_SUITE_P(Kinds, CompanionsTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Shared" : "Private"; });

TEST_P(CompanionsTest, WhatIsLeftCostsAUnitOfAddresses) {
  constexpr std::size_t kMany = 400;
  std::vector<void*> left;
  for (std::size_t i = 0; i < kMany; ++i) left.push_back(leave(make(), joiner_)[0]);
  const std::size_t slot_bytes = Slots::bytes(256 << 10) + iso::arena().layout().fence_bytes();
  EXPECT_LE(free_at_start_ - free_bytes(),
            kMany * iso::kUnitBytes + (kRecentCompanions + 2) * slot_bytes);
  for (void* block : left) {
    EXPECT_EQ(detail::owner_of(block), joiner_) << "and is the joiner's";
    free(block);
  }
}

TEST_P(CompanionsTest, SlotsOfThreadsWhoseResultsWereFreedSoonAreUsedAgain) {
  leave(make(), joiner_, 0);
  Tcb* first = make();
  free(leave(first, joiner_)[0]);
  sweep_companions(joiner_);
  EXPECT_EQ(make(), first);
  first->state = State::kEnded;
  iso::HeapScope process;
  scheduler().slots().retire(first);
}

TEST_P(CompanionsTest, WhatIsFreedLaterIsGivenBackWhileOthersCome) {
  std::vector<void*> left;
  for (int i = 0; i < 300; ++i) left.push_back(leave(make(), joiner_)[0]);
  const std::size_t with_all = free_bytes();
  for (void* block : left) free(block);
  for (int i = 0; i < 300; ++i) free(leave(make(), joiner_)[0]);
  scheduler().slots().drop_resting(0);
  EXPECT_GT(free_bytes(), with_all + 200 * iso::kUnitBytes) << "nobody swept";
}

TEST_P(CompanionsTest, CompanionsOfACompanionFollowIt) {
  std::vector<void*> left;
  Tcb* middle = make();
  for (int i = 0; i < 100; ++i) left.push_back(leave(make(), middle)[0]);
  const std::vector<void*> own = leave(middle, joiner_);
  left.insert(left.end(), own.begin(), own.end());
  std::size_t count = 0;
  for_each_companion(joiner_, [&](const Tcb* c) {
    EXPECT_EQ(c->holder, joiner_);
    ++count;
  });
  EXPECT_EQ(count, left.size());
  for (void* block : left) {
    EXPECT_EQ(detail::owner_of(block), joiner_);
    free(block);
  }
}

TEST_P(CompanionsTest, RandomResultsKeepTheirBytesUntilTheyAreFreed) {
  const std::uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  std::vector<void*> left;
  for (int i = 0; i < 3000; ++i) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << " operation " << i);
    if (random() % 2 == 0) {
      Tcb* ended = make();
      for (void* block : leave(ended, joiner_, static_cast<int>(random() % 4)))
        left.push_back(block);
    } else if (random() % 50 == 0) {
      iso::HeapScope process;
      sweep_companions(joiner_);
    } else if (!left.empty()) {
      std::swap(left[random() % left.size()], left.back());
      free(left.back());
      left.pop_back();
    }
  }
  for (void* block : left) free(block);
}

}  // namespace
}  // namespace roam::threads
