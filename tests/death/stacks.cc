// Stacks used beyond their end, and pointers into stacks that are elsewhere.
#include <alloca.h>

#include <cstdint>

#include "roam/roam.h"
#include "tests/death/death.h"

namespace roam_test {
namespace {

[[gnu::noinline]] std::uint64_t dig(std::uint64_t depth) {
  volatile std::uint64_t here[64];
  here[depth % 64] = depth;
  return depth == UINT64_MAX ? 0 : dig(depth + 1) + here[depth % 64];
}

DEATH(stack_overflow) { dig(hidden(&dig) != nullptr); }

DEATH(stack_overflow_after_a_move) {
  roam::this_thread::migrate(0);
  roam::this_thread::migrate(roam::ranks() - 1);
  dig(1);
}

// Frames of 12 KiB, of which the far end alone is touched.
[[gnu::noinline]] std::uint64_t dig_by_leaps(std::uint64_t depth) {
  auto* here = static_cast<volatile char*>(alloca(12 * 1024));
  here[0] = static_cast<char>(depth);
  return depth == UINT64_MAX ? 0 : dig_by_leaps(depth + 1) + static_cast<std::uint64_t>(here[0]);
}

DEATH(stack_overflow_by_large_frames) { dig_by_leaps(1); }

DEATH(stack_overflow_in_a_nested_thread) {
  roam::spawn(roam::SpawnOptions{.name = "digger", .stack_bytes = 64 * 1024}, [] {
    dig(1);
  }).join();
}

DEATH(stack_of_a_thread_on_another_node) {
  static volatile int* elsewhere;
  const roam::Thread owner = roam::spawn([] {
    volatile int local[100] = {7};
    elsewhere = local;
    roam::this_thread::migrate(0);
    for (;;) roam::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  while (elsewhere == nullptr || roam::this_thread::self() == owner) roam::this_thread::yield();
  for (int i = 0; i < 100; ++i) roam::this_thread::sleep_for(std::chrono::milliseconds(1));
  (void)*elsewhere;
}

}  // namespace
}  // namespace roam_test
