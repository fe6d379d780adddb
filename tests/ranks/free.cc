// Memory that one thread allocates and another frees: of the same rank, of another rank of the
// node, after the allocating thread has ended or while it works on, and from kernel threads. The
// job runs under ROAM_MEMORY, far less than what is allocated in all: a free that does not come
// home runs out.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

struct Block {
  unsigned char* at = nullptr;
  std::size_t bytes = 0;
  std::uint64_t seed = 0;
};

Block make(std::size_t bytes, std::uint64_t seed) {
  Block block{static_cast<unsigned char*>(std::malloc(bytes)), bytes, seed};
  expect(block.at != nullptr, "malloc gave memory");
  Pattern(seed).fill(block.at, bytes);
  return block;
}

void verify_and_free(const Block& block) {
  Pattern(block.seed).verify(block.at, block.bytes, "block of another thread");
  std::free(block.at);
}

std::size_t size_of(Random& rng) {
  return rng.one_in(20) ? rng.between(1, 400'000) : rng.between(1, 3000);
}

constexpr int kRounds = 25;
constexpr int kBlocks = 1000;  // about 11 MB a round

SCENARIO(Free, ByAnotherThreadOfTheRankComesHome) {
  roam::Channel<Block> channel(100);
  const roam::Thread freer = roam::spawn([&channel] {
    while (auto block = channel.recv()) verify_and_free(*block);
  });
  Random rng(1);
  for (int i = 0; i < kRounds * kBlocks; ++i) channel.send(make(size_of(rng), rng.next()));
  channel.close();
  freer.join();
}

// `blocks` lies in the caller's memory, which the other rank of the node sees.
void free_all(std::vector<Block>* blocks) {
  for (const Block& block : *blocks) verify_and_free(block);
}

SCENARIO(Free, ByAnotherRankOfTheNodeComesHome) {
  Random rng(2);
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Block> blocks;
    for (int i = 0; i < kBlocks; ++i) blocks.push_back(make(size_of(rng), rng.next()));
    const roam::Thread freer =
        roam::spawn(roam::SpawnOptions{.rank = neighbour()}, free_all, &blocks);
    // The owner goes on meanwhile, in the same heap and at the same time.
    std::vector<Block> more;
    for (int i = 0; i < kBlocks; ++i) more.push_back(make(size_of(rng), rng.next()));
    free_all(&more);
    freer.join();
  }
}

SCENARIO(Free, ByAnotherRankWhileTheOwnerMovesInsideTheNode) {
  Random rng(3);
  for (int round = 0; round < 20; ++round) {
    std::vector<Block> blocks;
    for (int i = 0; i < kBlocks; ++i) blocks.push_back(make(size_of(rng), rng.next()));
    const roam::Thread freer =
        roam::spawn(roam::SpawnOptions{.rank = neighbour()}, free_all, &blocks);
    for (int i = 0; i < 10; ++i) roam::this_thread::migrate(neighbour());
    freer.join();
  }
}

SCENARIO(Free, OfAnEndedThreadsMemoryByItsJoinerComesHome) {
  Random rng(4);
  for (int round = 0; round < 2 * kRounds; ++round) {
    std::vector<Block> blocks(kBlocks / 2);
    on_rank(round % 2 ? roam::rank() : neighbour(), [&blocks, seed = rng.next()] {
      Random rng(seed);
      for (Block& block : blocks) block = make(size_of(rng), rng.next());
    });
    if (round % 10 == 0) roam::this_thread::migrate(stranger());
    free_all(&blocks);
  }
}

SCENARIO(Free, FromAKernelThreadComesHome) {
  Random rng(5);
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Block> blocks;
    for (int i = 0; i < kBlocks; ++i) blocks.push_back(make(size_of(rng), rng.next()));
    std::string failure;
    std::thread kernel([&] {
      try {
        free_all(&blocks);
        std::vector<std::string> own(100, std::string(500, 'k'));  // the process's memory
        if (iso_in_range(own.data()) != 0) failure = "a kernel thread's memory is in the arena";
      } catch (const std::exception& error) {
        failure = error.what();
      }
    });
    std::vector<Block> more;  // while the kernel thread frees
    for (int i = 0; i < kBlocks; ++i) more.push_back(make(size_of(rng), rng.next()));
    free_all(&more);
    kernel.join();
    expect_eq(failure, "", "failure in the kernel thread");
    if (round % 10 == 0) roam::this_thread::migrate(next_rank());
  }
}

SCENARIO(Free, OfTheProcessesMemoryInAThread) {
  for (int i = 0; i < 100; ++i) {
    Block block;
    std::thread kernel([&] { block = make(10000, 6); });
    kernel.join();
    expect(!roam::in_thread_heap(block.at), "a kernel thread allocates in the process's heap");
    block.at = static_cast<unsigned char*>(std::realloc(block.at, 20000));
    block.bytes = 10000;
    verify_and_free(block);
    void* system;
    {
      roam::SystemHeap heap;
      system = std::malloc(5000);
    }
    std::free(system);
  }
}

SCENARIO(Free, ReallocByAnotherThreadKeepsTheBytes) {
  Random rng(7);
  for (int round = 0; round < 25; ++round) {
    std::vector<Block> blocks;
    for (int i = 0; i < 200; ++i) blocks.push_back(make(size_of(rng), rng.next()));
    on_rank(round % 2 ? roam::rank() : neighbour(), [&blocks, seed = rng.next()] {
      Random rng(seed);
      for (Block& block : blocks) {
        const std::size_t bytes = rng.between(1, 2 * block.bytes);
        block.at = static_cast<unsigned char*>(std::realloc(block.at, bytes));
        const std::size_t kept = std::min(bytes, block.bytes);
        Pattern(block.seed).verify(block.at, kept, "what realloc kept");
        block.bytes = bytes;
        Pattern(block.seed).fill(block.at, bytes);
      }
    });
    free_all(&blocks);
  }
}

SCENARIO(Free, OfLargeBlocksInAnyOrderGivesTheirMemoryBack) {
  for (int round = 0; round < 10; ++round) {
    std::vector<Block> blocks;
    for (int i = 0; i < 40; ++i) blocks.push_back(make(1 << 20, i));
    for (std::size_t i = 0; i < blocks.size(); i += 2) verify_and_free(blocks[i]);
    if (round % 10 == 5) roam::this_thread::migrate(next_rank());
    for (std::size_t i = 1; i < blocks.size(); i += 2) verify_and_free(blocks[i]);
  }
}

SCENARIO(Free, ThreadsThatComeAndGoGiveTheirMemoryBack) {
  for (int round = 0; round < 50; ++round) {
    std::vector<roam::Thread> threads;
    for (int r = 0; r < roam::ranks(); ++r) {
      threads.push_back(roam::spawn(roam::SpawnOptions{.rank = r}, [round] {
        const Block block = make(3'000'000, round);
        roam::this_thread::migrate(next_rank());
        // Never freed: it becomes the joiner's.
        [[maybe_unused]] void* left = round % 3 == 0 ? std::malloc(10000) : nullptr;
        verify_and_free(block);
      }));
    }
    for (roam::Thread thread : threads) thread.join();
  }
}

SCENARIO(Free, ThreadsInTurnUseTheSameMemory) {
  for (int i = 0; i < 8'000; ++i) {
    const int to = i % 10 == 0 ? i % roam::ranks() : -1;
    roam::spawn(roam::SpawnOptions{.rank = to}, [i, text = std::string(200, 't')] {
      std::vector<std::string> mine(20, text);
      if (i % 100 == 0) roam::this_thread::migrate(next_rank());
      expect(mine.back() == std::string(200, 't'), "text of a thread");
    }).join();
  }
}

SCENARIO(Free, ManyMovesOfAThreadThatAllocatesUseTheSameMemory) {
  Random rng(8);
  for (int i = 0; i < 1500; ++i) {
    std::vector<Block> blocks;
    for (int k = 0; k < 30; ++k) blocks.push_back(make(size_of(rng), rng.next()));
    roam::this_thread::migrate(static_cast<int>(rng.below(roam::ranks())));
    free_all(&blocks);
  }
}

SCENARIO(Free, BlocksOfThreadsNeverJoinedGiveTheirMemoryBack) {
  static int ended;  // the process's: one on each rank
  ended = 0;
  const int home = roam::rank();
  for (int i = 0; i < 250; ++i) {
    roam::spawn(roam::SpawnOptions{.rank = i % roam::ranks()}, [home, i] {
      const Block block = make(2'000'000, i);
      roam::this_thread::migrate(home);
      verify_and_free(block);
      ++ended;
    });
    if (i % 20 == 9) yield_until([i] { return ended == i + 1; });
  }
}

}  // namespace
}  // namespace roam_test
