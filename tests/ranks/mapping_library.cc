// A library of the program that maps and allocates memory for its caller.
#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace {

using Map = void*(void*, std::size_t, int, int, int, off_t);
// As tables of functions have it: an address in data, not a call.
Map* volatile table[] = {mmap};

}  // namespace

extern "C" void* library_map(std::size_t bytes, int by_table) {
  Map* const map = by_table != 0 ? table[0] : mmap;
  return map(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

extern "C" int library_unmap(void* at, std::size_t bytes) { return munmap(at, bytes); }

extern "C" char* library_copy(const char* text) { return strdup(text); }

extern "C" void* library_allocate(std::size_t bytes) { return std::malloc(bytes); }
