// A small arena (ROAM_ARENA) runs out: each call says so as its kind does, the program goes on, and
// what is freed is good again.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/hidden.h"
#include "tests/support/pattern.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

constexpr std::size_t kMiB = 1 << 20;

// Grows no more: at the end of the arena it could not.
std::vector<void*> room_for_many() {
  std::vector<void*> result;
  result.reserve(10000);
  return result;
}

// Before anything else: what one rank frees later stays with that rank.
SCENARIO(Share, EachRankHasOneFromTheStart) {
  std::vector<roam::Thread> threads;
  for (int r = 0; r < roam::ranks(); ++r) {
    threads.push_back(roam::spawn(roam::SpawnOptions{.rank = r}, [] {
      std::vector<void*> blocks = room_for_many();
      for (int i = 0; i < 32; ++i) {
        blocks.push_back(std::malloc(kMiB));
        expect(blocks.back() != nullptr, "a rank has 32 MiB of the arena's 512 MiB");
      }
      for (void* block : blocks) std::free(block);
    }));
  }
  for (roam::Thread thread : threads) thread.join();
}

// libstdc++ then throws from a pool of the process.
SCENARIO(Exhaustion, AnExceptionThatFindsNoRoomPinsUntilItIsHandled) {
  std::vector<void*> blocks = room_for_many();
  void* small = nullptr;
  for (std::size_t bytes = 4 * kMiB; bytes >= 16; bytes /= 2) {
    while (void* block = std::malloc(bytes)) {
      if (bytes >= 4096 && blocks.size() < 10000) {
        blocks.push_back(block);
      } else {
        *static_cast<void**>(block) = small;
        small = block;
      }
    }
  }
  const int here = roam::rank();
  const int to = next_rank();
  try {
    throw 17;
  } catch (const int& number) {
    for (void* block : blocks) std::free(block);
    while (small != nullptr) std::free(std::exchange(small, *static_cast<void**>(small)));
    if (to != here) {
      expect_error(roam::Errc::pinned, {"exception", "emergency pool"},
                   [&] { roam::this_thread::migrate(to); });
    }
    expect_eq(number, 17, "what was thrown");
  }
  roam::this_thread::migrate(to);
  roam::this_thread::migrate(here);
}

SCENARIO(Exhaustion, MallocGivesNullAndENOMEM) {
  for (int round = 0; round < 3; ++round) {
    std::vector<void*> blocks = room_for_many();
    for (;;) {
      errno = 0;
      void* block = std::malloc(4 * kMiB);
      if (block == nullptr) break;
      Pattern(blocks.size()).fill(block, 1000);
      blocks.push_back(block);
      expect(blocks.size() < 100000, "malloc stops giving memory at some time");
    }
    expect_eq(errno, ENOMEM, "errno");
    expect(!blocks.empty(), "malloc gave some blocks");
    errno = 0;
    expect(hidden(std::calloc(1, 4 * kMiB)) == nullptr && errno == ENOMEM, "calloc gives NULL too");
    errno = 0;
    expect(hidden(std::realloc(nullptr, 4 * kMiB)) == nullptr && errno == ENOMEM, "and realloc");
    void* aligned = nullptr;
    expect_eq(posix_memalign(&aligned, 4096, 4 * kMiB), ENOMEM, "posix_memalign");
    Pattern(0).verify(blocks[0], 1000, "the first block");
    errno = 0;
    expect(std::realloc(blocks[0], 1000 * kMiB) == nullptr && errno == ENOMEM, "growing fails");
    Pattern(0).verify(blocks[0], 1000, "the block that did not grow");
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      Pattern(i).verify(blocks[i], 1000, "a block");
      std::free(blocks[i]);
    }
    roam::this_thread::migrate(next_rank());
  }
}

// Their stacks alone are more than the arena, if each were kept for what is left of its thread.
SCENARIO(Exhaustion, EndedThreadsWithLongNamesLeaveNothing) {
  for (int i = 0; i < 4000; ++i) {
    const std::string name(i % 2 == 0 ? 40 : 400, 'n');
    const roam::Thread thread = roam::spawn(
        roam::SpawnOptions{.name = name, .rank = i % 16 == 15 ? next_rank() : roam::rank()}, [=] {
          if (i % 8 == 7) throw std::runtime_error(std::string(roam::this_thread::name()));
        });
    try {
      thread.join();
      expect(i % 8 != 7, "it threw");
    } catch (const std::runtime_error& error) {
      expect_eq(std::string(error.what()), name, "its name");
    }
  }
}

SCENARIO(Exhaustion, NewThrowsBadAlloc) {
  std::vector<std::vector<char>> blocks;
  blocks.reserve(10000);
  expect_throws<std::bad_alloc>(
      [&] {
        for (;;) blocks.emplace_back(8 * kMiB);
      },
      "new of ever more");
  expect(!blocks.empty(), "new gave some blocks");
  volatile std::size_t too_much = 600 * kMiB;
  char* volatile nothing = new (std::nothrow) char[too_much];
  expect(nothing == nullptr, "nothrow new gives null");
  blocks.clear();
  std::vector<char> again(8 * kMiB);
  expect_throws<std::bad_alloc>([] { hidden(std::string(2000 * kMiB, 'x').data()); },
                                "a string larger than the arena");
}

SCENARIO(Exhaustion, IsomallocGivesNullAndENOMEM) {
  for (int round = 0; round < 3; ++round) {
    std::vector<void*> blocks = room_for_many();
    for (;;) {
      errno = 0;
      void* block = iso_malloc(4 * kMiB);
      if (block == nullptr) break;
      blocks.push_back(block);
    }
    expect_eq(errno, ENOMEM, "errno");
    expect(!blocks.empty(), "iso_malloc gave some blocks");
    for (void* block : blocks) iso_free(block);
    roam::this_thread::migrate(next_rank());
  }
}

SCENARIO(Exhaustion, SpawnThrowsAndTheThreadsThereAreGoOn) {
  for (int round = 0; round < 3; ++round) {
    roam::Latch latch(1);
    std::vector<roam::Thread> threads;
    threads.reserve(10000);
    expect_error(roam::Errc::out_of_address_space, {}, [&] {
      for (;;) {
        threads.push_back(roam::spawn(roam::SpawnOptions{.stack_bytes = 2 * kMiB}, [&latch] {
          std::string mine(100, 'm');
          latch.wait();
          expect(mine == std::string(100, 'm'), "what a thread holds");
        }));
        expect(threads.size() < 100000, "spawn stops giving threads at some time");
      }
    });
    expect(threads.size() > 3, "spawn gave some threads");
    latch.count_down();
    for (roam::Thread thread : threads) thread.join();
    roam::this_thread::migrate(next_rank());
  }
  // More than the arena could ever give.
  expect_error(roam::Errc::bad_option, {},
               [] { roam::spawn(roam::SpawnOptions{.stack_bytes = 600 * kMiB}, [] {}); });
}

}  // namespace
}  // namespace roam_test

int main(int argc, char** argv) { return roam_test::run_scenarios(argc, argv); }
