// The malloc family of the whole program. Inside a thread it serves from the thread's heap;
// everywhere else it is glibc's. free and realloc decide by the address, so a block may be freed
// anywhere. `operator new` (operator_new.cc) and everything in libc that allocates for its caller
// (strdup, getline, asprintf) come through here too.

#include "isomalloc/capture.h"

#include <dlfcn.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "isomalloc/arena.h"
#include "isomalloc/heap.h"
#include "isomalloc/helper_threads.h"

extern "C" {
void* __libc_malloc(std::size_t bytes);
void __libc_free(void* block);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
}

namespace roam::iso {

constinit Range captured{};

namespace {

bool ours(const void* block) { return captured.contains(block); }

// Of the library whose __libc_malloc made the block: an allocator in LD_PRELOAD may have one of the
// two and not the other.
std::size_t libc_usable_bytes(void* block) {
  using Function = std::size_t (*)(void*);
  static const Function usable = [] {
    Dl_info made_by{};
    void* library = nullptr;
    if (dladdr(dlsym(RTLD_NEXT, "__libc_malloc"), &made_by) != 0)
      library = dlopen(made_by.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    return reinterpret_cast<Function>(
        dlsym(library != nullptr ? library : RTLD_NEXT, "malloc_usable_size"));
  }();
  return usable(block);
}

void* aligned(std::size_t alignment, std::size_t bytes) {
  if (Heap* heap = current_heap; heap != nullptr) return heap->allocate_aligned(alignment, bytes);
  return from_process(__libc_memalign(alignment, bytes));
}

// realloc of a block of another thread's heap, or of a thread's block with the capture off: a new
// block.
void* reallocate_elsewhere(void* block, std::size_t bytes) {
  void* fresh = malloc(bytes);
  if (fresh == nullptr) return nullptr;
  std::memcpy(fresh, block, std::min(Heap::usable_bytes(block), bytes));
  free(block);
  return fresh;
}

void free_in_process(void* block) {
  if (block != nullptr && helper_blocks.load(std::memory_order_relaxed) != 0) [[unlikely]] {
    if (Helper* owner = forget_helper_block(block); owner != nullptr) release_helper(owner);
  }
  __libc_free(block);
}

void* reallocate_in_process(void* block, std::size_t bytes) {
  Helper* owner =
      helper_blocks.load(std::memory_order_relaxed) != 0 ? forget_helper_block(block) : nullptr;
  void* result = __libc_realloc(block, bytes);
  if (owner == nullptr) return from_process(result);
  if (result == nullptr && bytes == 0) {
    release_helper(owner);
  } else {
    hold_helper_block(owner, result != nullptr ? result : block);
  }
  return result;
}

bool power_of_two(std::size_t n) { return n != 0 && (n & (n - 1)) == 0; }

}  // namespace

void start_capture() { captured = arena().whole(); }

}  // namespace roam::iso

using roam::iso::current_heap;
using roam::iso::Heap;

#define ROAM_EXPORT extern "C" __attribute__((visibility("default")))

ROAM_EXPORT void* malloc(std::size_t bytes) {
  if (Heap* heap = current_heap; heap != nullptr) return heap->allocate(bytes);
  return roam::iso::from_process(__libc_malloc(bytes));
}

ROAM_EXPORT void free(void* block) {
  Heap* heap = current_heap;
  if (heap != nullptr && roam::iso::heap_region.contains(block)) [[likely]] {
    heap->free_in_region(block);
  } else if (!roam::iso::ours(block)) {
    roam::iso::free_in_process(block);
  } else if (heap != nullptr) {
    heap->free(block);
  } else {
    Heap::free_from_elsewhere(block);
  }
}

ROAM_EXPORT void* calloc(std::size_t count, std::size_t bytes) {
  if (Heap* heap = current_heap; heap != nullptr) {
    std::size_t all = 0;
    if (__builtin_mul_overflow(count, bytes, &all)) {
      errno = ENOMEM;
      return nullptr;
    }
    return heap->allocate_zeroed(all);
  }
  return roam::iso::from_process(__libc_calloc(count, bytes));
}

ROAM_EXPORT void* realloc(void* block, std::size_t bytes) {
  if (block == nullptr) return malloc(bytes);
  // The process's blocks stay the process's, whoever makes them grow.
  if (!roam::iso::ours(block)) return roam::iso::reallocate_in_process(block, bytes);
  if (bytes == 0) {  // as glibc: frees
    free(block);
    return nullptr;
  }
  Heap* heap = current_heap;
  if (heap != nullptr && heap->owns_block(block)) return heap->reallocate(block, bytes);
  return roam::iso::reallocate_elsewhere(block, bytes);
}

ROAM_EXPORT void* reallocarray(void* block, std::size_t count, std::size_t bytes) {
  std::size_t all = 0;
  if (__builtin_mul_overflow(count, bytes, &all)) {
    errno = ENOMEM;
    return nullptr;
  }
  return realloc(block, all);
}

ROAM_EXPORT void* memalign(std::size_t alignment, std::size_t bytes) {
  if (alignment > SIZE_MAX / 2 + 1) {
    errno = EINVAL;
    return nullptr;
  }
  std::size_t power = 16;  // as glibc: the next power of two
  while (power < alignment) power *= 2;
  return roam::iso::aligned(power, bytes);
}

ROAM_EXPORT void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return memalign(alignment, bytes);
}

ROAM_EXPORT int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  if (!roam::iso::power_of_two(alignment) || alignment % sizeof(void*) != 0) return EINVAL;
  const int error = errno;
  void* p = roam::iso::aligned(alignment, bytes);
  errno = error;
  if (p == nullptr) return ENOMEM;
  *block = p;
  return 0;
}

ROAM_EXPORT void* valloc(std::size_t bytes) { return roam::iso::aligned(roam::kPageBytes, bytes); }

ROAM_EXPORT void* pvalloc(std::size_t bytes) {
  if (bytes > SIZE_MAX - roam::kPageBytes) {
    errno = ENOMEM;
    return nullptr;
  }
  return roam::iso::aligned(roam::kPageBytes, roam::round_up(bytes, roam::kPageBytes));
}

ROAM_EXPORT std::size_t malloc_usable_size(void* block) {
  if (block == nullptr) return 0;
  return roam::iso::ours(block) ? Heap::usable_bytes(block) : roam::iso::libc_usable_bytes(block);
}
