// Thousands of threads, each with state of its own, that all move.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

// A small thread: a pattern in its frame, one in its heap, and a list between them.
void small_thread(Mover move, std::uint64_t number, int rounds) {
  const Pattern pattern(move.seed() ^ mix(number));
  unsigned char frame[300];
  const std::size_t bytes = 1 + mix(number) % 2000;
  auto* heap = static_cast<unsigned char*>(std::malloc(bytes));
  pattern.fill(frame, sizeof(frame));
  pattern.fill(heap, bytes);
  for (int i = 0; i < rounds; ++i) {
    move();
    pattern.verify(frame, sizeof(frame), "frame of thread " + std::to_string(number));
    pattern.verify(heap, bytes, "heap of thread " + std::to_string(number));
  }
  std::free(heap);
}

void crowd(Mover& move, std::uint64_t count, int rounds) {
  std::vector<roam::Thread> threads;
  for (std::uint64_t i = 0; i < count; ++i) {
    threads.push_back(
        roam::spawn(roam::SpawnOptions{.stack_bytes = 64 * 1024}, small_thread, move, i, rounds));
  }
  move();
  for (roam::Thread thread : threads) thread.join();
}

SURVIVE_CASE(threads_1000_at_once) { crowd(move, 1000, 2); }
SURVIVE_CASE(threads_10000_at_once, .group = Group::heavy) { crowd(move, 10000, 1); }

SURVIVE_CASE(threads_100000_at_once, .group = Group::large) { crowd(move, 100000, 1); }

// Threads whose children hold pointers into their own frames only, spread by spawning further on.
void family(Mover move, int depth, std::uint64_t seed) {
  std::vector<std::uint64_t> mine(100, seed);
  std::vector<roam::Thread> children;
  for (std::uint64_t i = 0; depth > 0 && i < 3; ++i) {
    children.push_back(roam::spawn(family, move, depth - 1, mix(seed + i)));
  }
  move();
  for (roam::Thread child : children) child.join();
  for (std::uint64_t x : mine) expect_eq(x, seed, "word of a thread in the family");
}

SURVIVE_CASE(families_of_threads) {
  family(move, 5, move.seed());
  move();
}

}  // namespace
}  // namespace roam_test
