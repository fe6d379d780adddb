// Stacks used beyond their end, and pointers into stacks that are elsewhere.
#include <alloca.h>

#include <cstdint>
#include <span>
#include <vector>

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

// One frame that is larger than the stack and most of the fence below it, of which the far end
// alone is touched.
[[gnu::noinline]] char leap(std::size_t bytes) {
  auto* here = static_cast<volatile char*>(alloca(bytes));
  for (int i = 0; i < 2048; ++i) here[i] = 7;
  return here[100];
}

DEATH(stack_overflow_by_one_huge_frame) { leap(1'000 * 1024); }

DEATH(stack_overflow_by_one_frame_after_a_move) {
  roam::this_thread::migrate(0);
  roam::this_thread::migrate(roam::ranks() - 1);
  leap(330 * 1024);
}

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
  for (int i = 0; i < 5'000; ++i) {  // as long as it is not sealed
    roam::this_thread::sleep_for(std::chrono::milliseconds(1));
    (void)*elsewhere;
  }
}

// What threads on rank 0 leave in this rank's memory, by way of a thread that was made there: so
// something of the same lease has been here.
void* volatile absent;

void leave_address(volatile void* address) {
  roam::spawn(roam::SpawnOptions{.rank = roam::ranks() - 1}, [address] {
    absent = const_cast<void*>(address);
  }).join();
}

void touch_absent() {
  while (absent == nullptr) roam::this_thread::yield();
  *static_cast<volatile char*>(absent) = 7;
}

[[noreturn]] void stay() {
  for (;;) roam::this_thread::sleep_for(std::chrono::milliseconds(20));
}

DEATH(local_of_a_thread_that_was_never_here) {
  roam::spawn(roam::SpawnOptions{.rank = 0}, [] {
    volatile char local[100] = {7};
    leave_address(local);
    stay();
  });
  touch_absent();
}

DEATH(heap_of_a_thread_that_was_never_here) {
  roam::spawn(roam::SpawnOptions{.rank = 0}, [] {
    leave_address(new char[1 << 20]);
    stay();
  });
  touch_absent();
}

DEATH(message_from_memory_of_a_thread_on_another_node) {
  roam::spawn(roam::SpawnOptions{.rank = 0}, [] {
    char* const address = new char[1 << 20];
    roam::spawn([address] {
      roam::this_thread::migrate(roam::ranks() - 1);
      absent = address;
      stay();
    });
    stay();
  });
  while (absent == nullptr) roam::this_thread::yield();
  roam::spawn_team(roam::ranks(), [] {
    const roam::Team team = roam::Team::current();
    const int next = (team.index() + 1) % team.size();
    const int before = (team.index() + team.size() - 1) % team.size();
    if (absent != nullptr) {
      const std::span<const char> bytes(static_cast<const char*>(absent), 1 << 20);
      team.isend(next, 0, bytes).wait();
    } else {
      team.recv<std::vector<char>>(before, 0);
    }
    stay();
  });
  stay();
}

// It was here, but not so deep.
[[gnu::noinline]] void deep() {
  volatile char local[100 << 10] = {7};
  leave_address(local + 50);
  stay();
}

DEATH(local_of_a_thread_that_left_and_went_deeper) {
  roam::spawn([] {
    roam::this_thread::migrate(0);
    deep();
  });
  touch_absent();
}

}  // namespace
}  // namespace roam_test
