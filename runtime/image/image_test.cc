// Threads go through a buffer: they are written, taken from here, read and landed.
#include "runtime/image/image.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "base/clock.h"
#include "base/test_bytes.h"
#include "runtime/image/test_image.h"
#include "threads/companions.h"
#include "threads/scheduler.h"

namespace roam::runtime {
namespace {

using threads::scheduler;

Tcb* self() { return scheduler().current(); }
void hop() { scheduler().depart_current(threads::TestThreads::kRank + 1); }

class ImageTest : public testing::TestWithParam<bool> {
 protected:
  ImageTest() {
    threads_.on_depart = [this](Tcb* t, int) {
      ++hops_;
      const StoredImage stored(t);
      marks_ = stored.image.marks;
      stored.remove();
      EXPECT_EQ(stored.land_here(), t);
      scheduler().resume_arrived(t);
    };
  }
  bool has_mark(MarkKind kind) const {
    for (const Mark& mark : marks_) {
      if (mark.kind == kind) return true;
    }
    return false;
  }

  threads::TestThreads threads_{GetParam()};
  std::vector<Mark> marks_;  // of the last image
  int hops_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Kinds, ImageTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Shared" : "Private"; });

TEST_P(ImageTest, AThreadGoesOnFromItsImage) {
  const std::uint64_t seed = test_seed();
  threads_.spawn([&] {
    int turns = 0;
    char on_stack[5000];
    fill_bytes(on_stack, sizeof on_stack, seed);
    while (turns < 3) {
      hop();
      ++turns;
      EXPECT_TRUE(holds_bytes(on_stack, sizeof on_stack, seed));
    }
    EXPECT_EQ(turns, 3);
    EXPECT_EQ(self()->rank.load(), threads::TestThreads::kRank);
    EXPECT_STREQ(self()->name(), "test");
  });
  threads_.run();
  EXPECT_EQ(hops_, 3);
}

TEST_P(ImageTest, HeapBlocksOfAllSizesComeAlong) {
  const std::uint64_t seed = test_seed();
  threads_.spawn([&] {
    iso::Heap& heap = self()->heap;
    constexpr std::size_t kSizes[] = {16, 40, 1000, 4096, 20'000, 100'000, 3 << 20};
    constexpr int kEach = 12;
    void* blocks[std::size(kSizes)][kEach];
    for (std::size_t s = 0; s < std::size(kSizes); ++s) {
      for (int i = 0; i < kEach; ++i) {
        blocks[s][i] = heap.allocate(kSizes[s]);
        fill_bytes(blocks[s][i], kSizes[s], seed + static_cast<std::uint64_t>(i));
      }
    }
    for (int freed = 0; freed < kEach; ++freed) {  // holes, and in the end nothing
      hop();
      for (std::size_t s = 0; s < std::size(kSizes); ++s) {
        for (int i = freed; i < kEach; ++i) {
          EXPECT_TRUE(holds_bytes(blocks[s][i], kSizes[s], seed + static_cast<std::uint64_t>(i)));
        }
        heap.free(blocks[s][freed]);
      }
      EXPECT_TRUE(has_mark(kSpanMark) && has_mark(kLargeMark));
    }
    hop();
    EXPECT_EQ(marks_.size(), 1u) << "what is empty does not travel";
    void* fresh = heap.allocate(1000);
    EXPECT_NE(fresh, nullptr);
    heap.free(fresh);
  });
  threads_.run();
}

TEST_P(ImageTest, WhatOfALargeBlockWasNeverTouchedReadsAsZeros) {
  const std::uint64_t seed = test_seed();
  threads_.spawn([&] {
    constexpr std::size_t kBytes = 8 << 20, kPart = 100'000;
    char* block = static_cast<char*>(self()->heap.allocate_zeroed(kBytes));
    fill_bytes(block + kBytes / 2, kPart, seed);
    hop();
    EXPECT_TRUE(all_zero(block, kBytes / 2));
    EXPECT_TRUE(holds_bytes(block + kBytes / 2, kPart, seed));
    EXPECT_TRUE(all_zero(block + kBytes / 2 + kPart, kBytes / 2 - kPart));
    self()->heap.free(block);
  });
  threads_.run();
}

TEST_P(ImageTest, ASleeperWithoutEndSleepsOn) {
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  bool slept = false;
  Tcb* sleeper = threads_.spawn([&] {
    scheduler().sleep_until(kNever);
    slept = true;
  });
  threads_.spawn([&] {
    scheduler().ask_to_move(sleeper, threads::TestThreads::kRank + 1);
    for (int i = 0; i < 100; ++i) scheduler().yield();
    EXPECT_FALSE(slept);
    EXPECT_EQ(sleeper->deadline_ns, kNever);
    scheduler().make_ready(sleeper);
  });
  threads_.run();
  EXPECT_EQ(hops_, 1);
}

TEST_P(ImageTest, ASleeperSleepsOn) {
  bool slept = false;
  Tcb* sleeper = threads_.spawn([&] {
    const std::int64_t deadline_ns = now_ns() + 200'000'000;
    scheduler().sleep_until(deadline_ns);
    EXPECT_GE(now_ns(), deadline_ns);
    slept = true;
  });
  threads_.spawn([&] {
    scheduler().ask_to_move(sleeper, threads::TestThreads::kRank + 1);
    scheduler().yield();
  });
  threads_.run();
  EXPECT_TRUE(slept);
  EXPECT_EQ(hops_, 1);
}

TEST_P(ImageTest, WhatJoinedThreadsLeftComesAlong) {
  const std::uint64_t seed = test_seed();
  threads_.spawn([&] {
    void* left = nullptr;
    {
      iso::HeapScope process;
      Tcb* ended = scheduler().slots().make(256 << 10, "ended");
      left = ended->heap.allocate(40);
      fill_bytes(left, 40, seed);
      ended->state = detail::State::kEnded;
      self()->heap.adopt(ended->heap);
      threads::take_companions(self(), ended);
    }
    for (int i = 0; i < 2; ++i) {
      hop();
      EXPECT_TRUE(has_mark(kCompanionMark));
      EXPECT_TRUE(holds_bytes(left, 40, seed));
      EXPECT_EQ(detail::owner_of(left), self());
    }
    self()->heap.free(left);
    iso::HeapScope process;
    threads::sweep_companions(self());
  });
  threads_.run();
}

TEST_P(ImageTest, AnEndedThreadsRemainsTravelWithoutItsStack) {
  const std::uint64_t seed = test_seed();
  void* blocks[2];
  threads_.on_ended = [&](Tcb* t) {
    const StoredImage stored(t, ImageOf::kRemains);
    EXPECT_EQ(stored.image.runs[0].begin, reinterpret_cast<Address>(t));
    stored.remove();
    EXPECT_EQ(stored.land_here(), t);
    EXPECT_TRUE(t->cold);
    EXPECT_TRUE(holds_bytes(blocks[0], 40, seed));
    EXPECT_TRUE(holds_bytes(blocks[1], 300'000, seed));
  };
  threads_.spawn([&] {
    blocks[0] = self()->heap.allocate(40);
    blocks[1] = self()->heap.allocate(300'000);
    fill_bytes(blocks[0], 40, seed);
    fill_bytes(blocks[1], 300'000, seed);
  });
  threads_.run();
}

TEST_P(ImageTest, APlanChangesNothing) {
  threads_.on_depart = [&](Tcb* t, int) {
    close_for_image(t);
    std::vector<char> before(sizeof *t), after(sizeof *t);
    std::memcpy(before.data(), static_cast<const void*>(t), sizeof *t);
    Image first, second;
    plan_image(*t, ImageOf::kThread, &first);
    plan_image(*t, ImageOf::kThread, &second);
    std::memcpy(after.data(), static_cast<const void*>(t), sizeof *t);
    EXPECT_EQ(before, after);
    EXPECT_EQ(first.runs, second.runs);
    EXPECT_EQ(first.bytes, second.bytes);
    ASSERT_EQ(first.marks.size(), second.marks.size());
    for (std::size_t i = 0; i < first.marks.size(); ++i)
      EXPECT_EQ(first.marks[i].range, second.marks[i].range);
    reopen(t);
    scheduler().resume_arrived(t);
  };
  threads_.spawn([] {
    void* block = self()->heap.allocate(1000);
    hop();
    self()->heap.free(block);
  });
  threads_.run();
}

}  // namespace
}  // namespace roam::runtime
