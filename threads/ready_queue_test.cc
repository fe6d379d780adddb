#include "threads/ready_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "base/test_bytes.h"
#include "threads/test_memory.h"

namespace roam::threads {
namespace {

using detail::Tcb;

// Control blocks that are only queued, never run.
class Blocks {
 public:
  explicit Blocks(std::size_t count) : room_(count * sizeof(Tcb) + alignof(Tcb)) {
    void* begin = room_.data();
    std::size_t bytes = room_.size();
    first_ = static_cast<Tcb*>(std::align(alignof(Tcb), count * sizeof(Tcb), begin, bytes));
  }
  Tcb* operator[](std::size_t i) const { return first_ + i; }

 private:
  std::vector<char> room_;
  Tcb* first_;
};

TEST(ReadyQueue, IsFirstInFirstOut) {
  Blocks blocks(3);
  ReadyQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.pop(), nullptr);
  for (std::size_t i = 0; i < 3; ++i) queue.push(blocks[i]);
  EXPECT_EQ(queue.count(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(queue.pop(), blocks[i]);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.pop(), nullptr);
}

TEST(ReadyQueue, AThreadThatIsTakenOutIsNotFoundAndTheOthersKeepTheirOrder) {
  Blocks blocks(5);
  for (std::size_t out = 0; out < 5; ++out) {
    ReadyQueue queue;
    for (std::size_t i = 0; i < 5; ++i) queue.push(blocks[i]);
    queue.remove(blocks[out]);
    EXPECT_EQ(queue.count(), 4u);
    for (std::size_t i = 0; i < 5; ++i) {
      if (i != out) {
        EXPECT_EQ(queue.pop(), blocks[i]);
      }
    }
    EXPECT_EQ(queue.pop(), nullptr);
  }
}

TEST(ReadyQueue, AgreesWithADequeUnderRandomOperations) {
  const std::uint64_t seed = test_seed();
  for (std::uint64_t run = 0; run < 20; ++run) {
    std::mt19937_64 random(seed + run);
    // Up to so many in the queue: below, around and above the size that the ring begins with.
    const std::size_t most = std::vector<std::size_t>{3, 100, 1024, 1025, 5000}[run % 5];
    Blocks blocks(most);
    std::vector<Tcb*> out;
    for (std::size_t i = 0; i < most; ++i) out.push_back(blocks[i]);
    std::deque<Tcb*> model;
    ReadyQueue queue;
    int exchanged = 0, refused = 0;
    for (int op = 0; op < 40'000; ++op) {
      const bool grows = (op / 5000) % 2 == 0;
      const std::uint64_t what = random() % 10;
      if (what < (grows ? 7u : 3u) && !out.empty()) {
        std::swap(out[random() % out.size()], out.back());
        model.push_back(out.back());
        queue.push(out.back());
        out.pop_back();
      } else if (what == 9 && !model.empty()) {
        const auto it = model.begin() + static_cast<std::ptrdiff_t>(random() % model.size());
        queue.remove(*it);
        out.push_back(*it);
        model.erase(it);
      } else if (what == 8 && !out.empty()) {
        Tcb* first = queue.exchange(out.back());
        if (first != nullptr) {
          ASSERT_EQ(first, model.front());
          model.pop_front();
          model.push_back(out.back());
          out.back() = first;
          ++exchanged;
        } else if (!model.empty()) {
          ++refused;  // its first place was emptied
        }
      } else {
        Tcb* expected = model.empty() ? nullptr : model.front();
        ASSERT_EQ(queue.pop(), expected)
            << "seed " << seed << " run " << run << " operation " << op;
        if (expected != nullptr) {
          model.pop_front();
          out.push_back(expected);
        }
      }
      ASSERT_EQ(queue.count(), model.size());
      ASSERT_EQ(queue.empty(), model.empty());
    }
    EXPECT_GT(exchanged, 2 * refused);
  }
}

TEST(ReadyQueue, AFullQueueExchangesAndThenGrows) {
  Blocks blocks(2000);
  ReadyQueue queue;
  for (std::size_t i = 0; i < 1024; ++i) queue.push(blocks[i]);
  for (std::size_t i = 0; i < 500; ++i) EXPECT_EQ(queue.exchange(blocks[1024 + i]), blocks[i]);
  EXPECT_EQ(queue.count(), 1024u);
  queue.push(blocks[1524]);
  for (std::size_t i = 500; i <= 1524; ++i) EXPECT_EQ(queue.pop(), blocks[i]);
  EXPECT_EQ(queue.exchange(blocks[0]), nullptr);
  EXPECT_TRUE(queue.empty());
}

TEST(ReadyQueue, WithoutMemoryForALargerRingTheOthersWaitBehindItInTheirOrder) {
  constexpr std::size_t kMost = 3000;
  Blocks blocks(kMost);
  ReadyQueue queue;
  {
    const NoMemory none;
    for (std::size_t i = 0; i < kMost; ++i) queue.push(blocks[i]);
    EXPECT_EQ(queue.count(), kMost);
    for (const std::size_t i : {7, 1024, 2000, 2999, 1023}) queue.remove(blocks[i]);
    EXPECT_EQ(queue.pop(), blocks[0]);
  }
  queue.push(blocks[0]);  // there is memory again
  for (std::size_t i = 1; i < kMost; ++i) {
    if (i != 7 && i != 1024 && i != 2000 && i != 2999 && i != 1023) {
      ASSERT_EQ(queue.pop(), blocks[i]);
    }
  }
  EXPECT_EQ(queue.pop(), blocks[0]);
  EXPECT_EQ(queue.pop(), nullptr);
  EXPECT_TRUE(queue.empty());
}

TEST(ReadyQueue, ItLosesAndDoublesNothingWhereThereIsNoMemoryNowAndThen) {
  const std::uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  constexpr std::size_t kMost = 6000;
  Blocks blocks(kMost);
  for (const bool shuffled : {false, true}) {
    std::vector<bool> queued(kMost);
    ReadyQueue queue;
    queue.shuffle(shuffled ? seed | 1 : 0);
    std::size_t count = 0;
    const auto took = [&](const Tcb* t) {
      const std::size_t which = static_cast<std::size_t>(t - blocks[0]);
      ASSERT_TRUE(queued[which]) << "seed " << seed;
      queued[which] = false;
      --count;
    };
    for (int op = 0; op < 100'000; ++op) {
      no_memory = op % 20'000 < 15'000;
      const std::size_t i = random() % kMost;
      const std::uint64_t what = random() % 16;
      if (queued[i]) {
        if (what < 2) {
          queue.remove(blocks[i]);
          took(blocks[i]);
        }
      } else if (what == 2) {
        if (const Tcb* t = queue.exchange(blocks[i])) {
          queued[i] = true;
          ++count;
          took(t);
        }
      } else if (what < 12) {
        queue.push(blocks[i]);
        queued[i] = true;
        ++count;
      }
      if (what >= 12) {
        if (const Tcb* t = queue.pop()) took(t);
      }
      ASSERT_EQ(queue.count(), count) << "seed " << seed << " operation " << op;
    }
    no_memory = false;
    while (const Tcb* t = queue.pop()) took(t);
    EXPECT_EQ(count, 0u);
  }
}

TEST(ReadyQueue, ShuffledItLosesAndDoublesNothingAlsoWithSomeTakenOut) {
  const std::uint64_t seed = test_seed();
  std::mt19937_64 random(seed);
  constexpr std::size_t kMost = 3000;
  Blocks blocks(kMost);
  std::vector<bool> queued(kMost);
  ReadyQueue queue;
  queue.shuffle(seed | 1);
  std::size_t count = 0;
  for (int op = 0; op < 100'000; ++op) {
    const std::size_t i = random() % kMost;
    if (random() % 8 < 4) {
      if (queued[i]) continue;
      queue.push(blocks[i]);
      queued[i] = true;
      ++count;
    } else if (random() % 4 == 0) {
      if (!queued[i]) continue;
      queue.remove(blocks[i]);
      queued[i] = false;
      --count;
    } else if (Tcb* t = queue.pop()) {
      const std::size_t which = static_cast<std::size_t>(t - blocks[0]);
      ASSERT_TRUE(queued[which]) << "seed " << seed << " operation " << op;
      queued[which] = false;
      --count;
    }
    ASSERT_EQ(queue.count(), count) << "seed " << seed << " operation " << op;
  }
  while (Tcb* t = queue.pop()) {
    ASSERT_TRUE(queued[static_cast<std::size_t>(t - blocks[0])]);
    queued[static_cast<std::size_t>(t - blocks[0])] = false;
    --count;
  }
  EXPECT_EQ(count, 0u);
}

TEST(ReadyQueue, OneSeedIsOneOrderAndAnotherSeedAnotherOrder) {
  Blocks blocks(100);
  const auto order = [&](std::uint64_t seed) {
    ReadyQueue queue;
    queue.shuffle(seed);
    for (std::size_t i = 0; i < 100; ++i) queue.push(blocks[i]);
    std::vector<Tcb*> popped;
    while (Tcb* t = queue.pop()) popped.push_back(t);
    return popped;
  };
  EXPECT_EQ(order(5), order(5));
  EXPECT_NE(order(5), order(6));
  EXPECT_NE(order(5), order(0));
  const std::vector<Tcb*> fifo = order(0);
  EXPECT_TRUE(std::is_sorted(fifo.begin(), fifo.end()));
}

}  // namespace
}  // namespace roam::threads
