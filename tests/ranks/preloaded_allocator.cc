// An allocator in LD_PRELOAD: threads' memory is still their own, and the process's has a size.
#include <malloc.h>

#include <cstdlib>
#include <string>

#include "roam/roam.h"
#include "tests/ranks/on_rank.h"
#include "tests/support/check.h"
#include "tests/support/scenario.h"

namespace roam_test {
namespace {

SCENARIO(PreloadedAllocator, LeavesThreadsTheirHeap) {
  const std::string text(1000, 't');
  expect(roam::in_thread_heap(text.data()), "a string of a thread is in its heap");
  roam::this_thread::migrate(next_rank());
  expect_eq(text, std::string(1000, 't'), "the string after a move");
  roam::SystemHeap process;
  void* block = std::malloc(100);
  expect(malloc_usable_size(block) >= 100, "usable size of the process's block");
  std::free(block);
}

}  // namespace
}  // namespace roam_test
