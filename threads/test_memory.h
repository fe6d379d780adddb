#ifndef ROAM_THREADS_TEST_MEMORY_H_
#define ROAM_THREADS_TEST_MEMORY_H_

#include <cstdlib>
#include <new>

// For one source of a test: its program's operator new, which can be made to find no memory. (Where
// the compiler sees one of these and not the other, it takes them for mismatched.)

static bool no_memory = false;

[[gnu::noinline]] void* operator new(std::size_t bytes) {
  void* block = no_memory ? nullptr : std::malloc(bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace roam::threads {

// While one lives, operator new finds no memory.
class NoMemory {
 public:
  NoMemory() { no_memory = true; }
  ~NoMemory() { no_memory = false; }
  NoMemory(const NoMemory&) = delete;
  NoMemory& operator=(const NoMemory&) = delete;
};

}  // namespace roam::threads

#endif  // ROAM_THREADS_TEST_MEMORY_H_
