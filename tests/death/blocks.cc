// Wrong uses of isomalloc blocks.
#include <cstdlib>

#include "roam/converse.h"
#include "roam/roam.h"
#include "tests/death/death.h"

namespace roam_test {
namespace {

DEATH(double_iso_free) {
  void* block = iso_malloc(1000);
  iso_free(block);
  iso_free(block);
}

DEATH(double_iso_free_by_another_thread) {
  void* block = CmiIsomalloc(100'000);
  roam::spawn([block] { CmiIsomallocFree(block); }).join();
  CmiIsomallocFree(block);
}

DEATH(iso_free_of_a_local) {
  char local[100];
  iso_free(hidden(local));
}

DEATH(iso_free_of_a_malloced_block) { iso_free(hidden(std::malloc(100))); }

DEATH(iso_free_of_the_processs_memory) {
  static int of_the_process;
  iso_free(hidden(&of_the_process));
}

DEATH(iso_free_inside_a_block) { iso_free(static_cast<char*>(iso_malloc(100'000)) + 4096); }

DEATH(iso_length_of_what_is_no_block) { static_cast<void>(iso_length(hidden(std::malloc(100)))); }

DEATH(iso_block_used_after_it_was_freed) {
  auto* block = static_cast<volatile char*>(iso_malloc(100'000));
  block[5] = 1;
  iso_free(const_cast<char*>(block));
  block[5] = 2;
}

// A block that lives on rank 0's node, as rank 0 left its address in this rank's memory.
void* volatile block_elsewhere;

void* block_of_another_node() {
  roam::spawn(roam::SpawnOptions{.rank = 0}, [] {
    void* block = iso_malloc(100'000);
    roam::this_thread::migrate(roam::ranks() - 1);
    block_elsewhere = block;
  }).join();
  return block_elsewhere;
}

DEATH(iso_block_of_another_node) { *static_cast<volatile char*>(block_of_another_node()) = 1; }

DEATH(iso_free_of_a_block_of_another_node) { iso_free(block_of_another_node()); }

DEATH(iso_malloc_of_a_negative_size) { static_cast<void>(CmiIsomalloc(-5)); }

}  // namespace
}  // namespace roam_test
