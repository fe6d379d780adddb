// Frees that are wrong, of a thread's heap.
#include <malloc.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "roam/roam.h"
#include "tests/death/death.h"

namespace roam_test {
namespace {

DEATH(double_free) {
  void* block = std::malloc(100);
  std::free(hidden(block));
  std::free(hidden(block));
}

DEATH(double_free_of_a_large_block) {
  void* block = std::malloc(3'000'000);
  std::free(hidden(block));
  std::free(hidden(block));
}

DEATH(double_free_after_others) {
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(std::malloc(48));
  void* block = blocks[500];
  for (void* each : blocks) std::free(each);
  std::free(hidden(block));
}

DEATH(double_free_by_another_thread) {
  void* block = std::malloc(100);
  roam::spawn([block] { std::free(block); }).join();
  roam::spawn([block] { std::free(block); }).join();
}

DEATH(double_free_after_a_move) {
  void* block = std::malloc(100);
  std::free(hidden(block));
  roam::this_thread::migrate(0);
  roam::this_thread::migrate(roam::ranks() - 1);
  std::free(hidden(block));
}

DEATH(free_inside_a_block) {
  char* block = static_cast<char*>(std::malloc(1000));
  std::free(hidden(block + 32));
}

DEATH(free_inside_a_large_block) {
  char* block = static_cast<char*>(std::malloc(3'000'000));
  std::free(hidden(block + 4096));
}

DEATH(free_of_a_local) {
  char local[100];
  std::free(hidden(local));
}

DEATH(free_of_a_wild_pointer) {
  // In the arena, far from all that is in use.
  const auto here = reinterpret_cast<std::uintptr_t>(std::malloc(100));
  std::free(hidden(reinterpret_cast<void*>(here + (std::uintptr_t{3} << 40) + 48)));
}

DEATH(realloc_of_a_freed_block) {
  void* block = std::malloc(5000);
  std::free(hidden(block));
  static_cast<void>(!std::realloc(hidden(block), 9000));
}

DEATH(realloc_of_a_freed_block_that_has_room) {
  void* block = std::malloc(1000);
  std::free(hidden(block));
  static_cast<void>(!std::realloc(hidden(block), 1000));
}

DEATH(realloc_inside_a_block) {
  char* block = static_cast<char*>(std::malloc(1000));
  static_cast<void>(!std::realloc(hidden(block + 32), 900));
}

DEATH(usable_size_inside_a_block) {
  char* block = static_cast<char*>(std::malloc(1000));
  static_cast<void>(malloc_usable_size(hidden(block + 32)));
}

DEATH(free_of_an_isomalloc_block) { std::free(hidden(iso_malloc(1000))); }

// ---- memory that is elsewhere ----

DEATH(heap_of_a_thread_on_another_node) {
  static std::string* volatile elsewhere;
  roam::spawn([] {
    elsewhere = new std::string(1'000'000, 'e');
    roam::this_thread::migrate(0);
    for (;;) roam::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  while (elsewhere == nullptr) roam::this_thread::yield();
  for (int i = 0; i < 5'000; ++i) {  // as long as it is not sealed
    roam::this_thread::sleep_for(std::chrono::milliseconds(1));
    [[maybe_unused]] volatile char there = (*hidden(elsewhere))[500'000];
  }
}

DEATH(null_pointer) { *hidden(static_cast<volatile int*>(nullptr)) = 5; }

}  // namespace
}  // namespace roam_test
