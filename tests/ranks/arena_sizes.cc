// Arenas of any size run out of addresses for stacks and heaps: each call says so, on every rank,
// and all goes on when some are given back. Run with ROAM_ARENA, 64 MiB to 1 GiB.
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

constexpr std::size_t kKiB = 1 << 10;
constexpr std::size_t kMost = 100'000;

// Makes threads until there is no address, and lets them end.
std::size_t fill_with_threads() {
  roam::Latch latch(1);
  std::vector<roam::Thread> threads;
  threads.reserve(kMost);
  expect_error(roam::Errc::out_of_address_space, {}, [&] {
    for (;;) {
      threads.push_back(roam::spawn(roam::SpawnOptions{.stack_bytes = 64 * kKiB}, [&latch] {
        const std::string mine(100, 'm');
        latch.wait();
        expect(mine == std::string(100, 'm'), "what a thread holds");
      }));
      expect(threads.size() < kMost, "spawn stops giving threads at some time");
    }
  });
  latch.count_down();
  for (const roam::Thread thread : threads) thread.join();
  return threads.size();
}

SCENARIO(Threads, EndWithAnErrorAndGoOnOnEachRank) {
  for (int r = 0; r < roam::ranks(); ++r) {
    on_rank(r, [] {
      for (int round = 0; round < 2; ++round)
        expect(fill_with_threads() > 3, "there is room for some threads");
    });
  }
}

SCENARIO(Heaps, EndWithNullAndGoOnOnEachRank) {
  for (int r = 0; r < roam::ranks(); ++r) {
    on_rank(r, [] {
      for (int round = 0; round < 2; ++round) {
        std::vector<void*> blocks;
        blocks.reserve(kMost);
        while (void* block = std::malloc(256 * kKiB)) {
          Pattern(blocks.size()).fill(block, 100);
          blocks.push_back(block);
          expect(blocks.size() < kMost, "malloc stops giving memory at some time");
        }
        expect(!blocks.empty(), "malloc gave some blocks");
        for (std::size_t i = 0; i < blocks.size(); ++i) {
          Pattern(i).verify(blocks[i], 100, "a block");
          std::free(blocks[i]);
        }
        roam::this_thread::migrate(next_rank());
      }
    });
  }
}

// All of its members are made, or none runs and nobody waits.
SCENARIO(Teams, EndWithAnErrorAndGoOn) {
  for (int round = 0; round < 3; ++round) {
    expect_error(roam::Errc::out_of_address_space, {}, [] {
      roam::spawn_team(roam::SpawnOptions{.stack_bytes = 1024 * kKiB}, 300, [] {
        roam::Team::current().barrier();
      }).join();
    });
    roam::spawn_team(roam::SpawnOptions{.stack_bytes = 64 * kKiB}, 2 * roam::ranks(), [] {
      roam::Team::current().barrier();
    }).join();
  }
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) { return roam_test::run_scenarios(argc, argv); }
