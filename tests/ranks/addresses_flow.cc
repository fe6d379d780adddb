// Addresses come back to who runs out of them: ranges that are freed on other ranks than those that
// hand them out, many times more than the arena has.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

constexpr std::size_t kMiB = 1 << 20;

// Many at a time: where others want the cores, each wait for another rank takes some 20 ms.
SCENARIO(Flow, ThreadsThatBeginOnOneRankEndOnAnother) {
  for (int round = 0; round < 100; ++round) {
    std::vector<roam::Thread> threads;
    for (int i = 0; i < 30; ++i)
      threads.push_back(
          roam::spawn(roam::SpawnOptions{.rank = i == 0 ? roam::rank() : next_rank()}, [] {}));
    for (roam::Thread thread : threads) thread.join();
  }
}

// Stacks of many sizes, ended in another order than they were made: the free ranges are in pieces.
SCENARIO(Flow, StacksOfManySizesToo) {
  Random random(3);
  for (int round = 0; round < 60; ++round) {
    std::vector<roam::Thread> threads;
    for (int i = 0; i < 12; ++i) {
      const std::size_t bytes = (1 + random.below(20)) * 100'000;
      const int rank = static_cast<int>(random.below(static_cast<std::uint64_t>(roam::ranks())));
      const auto turns = random.below(5);
      threads.push_back(
          roam::spawn(roam::SpawnOptions{.stack_bytes = bytes, .rank = rank}, [turns] {
            for (std::uint64_t k = 0; k < turns; ++k) roam::this_thread::yield();
          }));
    }
    for (roam::Thread thread : threads) thread.join();
  }
}

SCENARIO(Flow, MemoryIsFreedWhereItsThreadWentTo) {
  for (std::uint64_t i = 0; i < 200; ++i) {
    roam::spawn([i] {
      std::vector<void*> blocks;
      for (std::uint64_t k = 0; k < 4; ++k) {
        const std::size_t bytes = (1 + (i + k) % 6) * kMiB;
        blocks.push_back(std::calloc(1, bytes));
        expect(blocks.back() != nullptr, "calloc in thread " + std::to_string(i));
        verify_zero(blocks.back(), bytes, "a block of calloc");
        Pattern(i + k).fill(blocks.back(), 5000);
      }
      roam::this_thread::migrate(next_rank());
      for (std::uint64_t k = 0; k < 4; ++k) {
        Pattern(i + k).verify(blocks[k], 5000, "a block");
        std::free(blocks[k]);
      }
    }).join();
  }
}

// All ranks take and give at once.
SCENARIO(Flow, EveryRankMakesWhatTheNextOneEnds) {
  std::vector<roam::Thread> makers;
  for (int r = 0; r < roam::ranks(); ++r) {
    makers.push_back(roam::spawn(roam::SpawnOptions{.rank = r}, [r] {
      for (std::uint64_t round = 0; round < 100; ++round) {
        std::vector<roam::Thread> threads;
        for (std::uint64_t i = 4 * round; i < 4 * round + 4; ++i) {
          threads.push_back(roam::spawn(roam::SpawnOptions{.rank = next_rank()}, [i, r] {
            const std::size_t bytes = (1 + i % 3) * kMiB;
            void* block = std::malloc(bytes);
            expect(block != nullptr, "malloc for rank " + std::to_string(r));
            Pattern(i).fill(block, 3000);
            roam::this_thread::migrate(next_rank());
            Pattern(i).verify(block, 3000, "a block");
            std::free(block);
          }));
        }
        for (roam::Thread thread : threads) thread.join();
      }
    }));
  }
  for (roam::Thread maker : makers) maker.join();
}

// Neighbours are freed on different ranks: no rank has a range that is much longer than a block.
SCENARIO(Flow, PiecesThatSeveralRanksFreedGrowTogether) {
  for (int round = 0; round < 3; ++round) {
    std::vector<void*> blocks;
    blocks.reserve(1000);
    while (void* block = std::malloc(3 * kMiB)) blocks.push_back(block);
    expect(blocks.size() > 40, "most of the arena's 192 MiB for heaps, in " +
                                   std::to_string(blocks.size()) + " blocks");
    const std::size_t ranks = static_cast<std::size_t>(roam::ranks());
    for (std::size_t r = 0; r < ranks; ++r) {
      for (std::size_t i = r; i < blocks.size(); i += ranks) std::free(blocks[i]);
      roam::this_thread::migrate(next_rank());
    }
    void* large = std::malloc(50 * kMiB);
    expect(large != nullptr, "50 MiB in one piece");
    Pattern(7).fill(large, 100'000);
    std::free(large);
  }
}

}  // namespace
}  // namespace roam_test
