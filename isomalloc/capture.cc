// The malloc family of the whole program. Inside a thread it serves from the thread's heap;
// everywhere else it is glibc's. free and realloc decide by the address, so a block may be freed
// anywhere. `operator new` (operator_new.cc) comes through here too. What libc allocates does not
// (library_slots.h), unless it is for its caller (given_calls.cc).

#include "isomalloc/capture.h"

#include <dlfcn.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/sanitizers.h"
#include "base/text.h"
#include "isomalloc/arena.h"
#include "isomalloc/heap.h"
#include "isomalloc/helper_threads.h"
#include "isomalloc/library_slots.h"
#include "isomalloc/reallocated.h"

extern "C" {
void* __libc_malloc(std::size_t bytes) ROAM_OF_PROCESS("malloc");
void __libc_free(void* block) ROAM_OF_PROCESS("free");
void* __libc_calloc(std::size_t count, std::size_t bytes) ROAM_OF_PROCESS("calloc");
void* __libc_realloc(void* block, std::size_t bytes) ROAM_OF_PROCESS("realloc");
void* __libc_memalign(std::size_t alignment, std::size_t bytes) ROAM_OF_PROCESS("memalign");
}

namespace roam::iso {

// Where free looks closer than to pass a block on to libc: the arena, and everything while blocks
// of helpers live. Only its length changes, in one store: from any address counted from the arena's
// begin, every other lies below the greatest.
constinit Range captured{};

namespace {

constinit Range whole_arena{};

bool ours(const void* block) { return whole_arena.contains(block); }

// Of the library whose __libc_malloc made the block: an allocator in LD_PRELOAD may have one of the
// two and not the other.
std::size_t libc_usable_bytes(void* block) {
  using Function = std::size_t (*)(void*);
  static const Function usable = [] {
    Dl_info made_by{};
    void* library = nullptr;
    if (dladdr(dlsym(RTLD_NEXT, ROAM_NAME_OF_PROCESS("malloc")), &made_by) != 0)
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
  return reallocated(
      block, Heap::usable_bytes(block, "realloc"), bytes, [&] { return malloc(bytes); },
      [](void* old) { free(old); });
}

// Who looks for pointers in the process's memory (process_blocks.h) shall not find those of blocks
// that were freed.
constexpr std::size_t kMostWiped = std::size_t{1} << 20;
void wipe(void* block) { std::memset(block, 0, std::min(libc_usable_bytes(block), kMostWiped)); }

void* reallocate_and_wipe(void* block, std::size_t bytes) {
  void* fresh = bytes != 0 ? __libc_malloc(bytes) : nullptr;
  if (fresh == nullptr && bytes != 0) return nullptr;
  if (fresh != nullptr) std::memcpy(fresh, block, std::min(libc_usable_bytes(block), bytes));
  wipe(block);
  __libc_free(block);
  return fresh;
}

// What free does not know at once: blocks of the arena that are not of the calling thread's heap
// region, and the process's while helpers' are looked for.
//
// libc's free runs with the capture off: UCX takes a lock in a hook that it calls, and a thread
// that waits for one in its own code lets others run, here with malloc's lock held.
[[gnu::noinline]] void free_looked_at(Heap* heap, void* block) {
  if (!ours(block)) {
    HeapScope process;
    if (block != nullptr && runtime_blocks_are_noted.load(std::memory_order_relaxed)) [[unlikely]] {
      forget_process_block(block);
      wipe(block);
    }
    if (helper_blocks.load(std::memory_order_relaxed) != 0) {
      if (Helper* owner = forget_helper_block(block); owner != nullptr) release_helper(owner);
    }
    __libc_free(block);
  } else if (heap != nullptr) {
    heap->free(block);
  } else {
    Heap::free_from_elsewhere(block);
  }
}

void* malloc_looked_at(std::size_t bytes) { return from_process(__libc_malloc(bytes)); }

// By a pointer in place of the linker's: it costs the same, and can be turned to the other one when
// there are helpers.
using Malloc = void*(std::size_t);
constinit Malloc* plain_malloc = __libc_malloc;

void* reallocate_in_process(void* block, std::size_t bytes) {
  HeapScope process;
  Helper* owner =
      helper_blocks.load(std::memory_order_relaxed) != 0 ? forget_helper_block(block) : nullptr;
  const bool noted = runtime_blocks_are_noted.load(std::memory_order_relaxed);
  const bool runtimes = noted && forget_process_block(block);
  void* result = noted ? reallocate_and_wipe(block, bytes) : __libc_realloc(block, bytes);
  if (runtimes && (result != nullptr || bytes != 0))
    keep_runtime_block(result != nullptr ? result : block);
  if (owner == nullptr) return helper == nullptr ? result : note_helper_block(result);
  if (result == nullptr && bytes == 0) {
    release_helper(owner);
  } else {
    hold_helper_block(owner, result != nullptr ? result : block);
  }
  return result;
}

bool power_of_two(std::size_t n) { return n != 0 && (n & (n - 1)) == 0; }

}  // namespace

void start_capture() {
  captured = whole_arena = arena().whole();
  look_at_process_frees(helper_blocks.load(std::memory_order_relaxed) != 0);
  turn_library_slots();
}

void look_at_process_allocations() {
  __atomic_store_n(&plain_malloc, &malloc_looked_at, __ATOMIC_RELAXED);
}

void look_at_process_frees(bool on) {
  on = on || runtime_blocks_are_noted.load(std::memory_order_relaxed);
  __atomic_store_n(&captured.bytes, on ? SIZE_MAX : whole_arena.bytes, __ATOMIC_RELAXED);
}

}  // namespace roam::iso

using roam::iso::current_heap;
using roam::iso::Heap;

#define ROAM_EXPORT extern "C" __attribute__((visibility("default")))

ROAM_EXPORT void* malloc(std::size_t bytes) {
  if (Heap* heap = current_heap; heap != nullptr) return heap->allocate(bytes);
  return roam::iso::plain_malloc(bytes);
}

ROAM_EXPORT void free(void* block) {
  if (Heap* heap = current_heap; heap != nullptr) {
    if (roam::iso::heap_region.contains(block)) [[likely]] {
      heap->free_in_region(block);
    } else {
      roam::iso::free_looked_at(heap, block);
    }
  } else if (!roam::iso::captured.contains(block)) {
    __libc_free(block);
  } else {
    roam::iso::free_looked_at(nullptr, block);
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
  if (!roam::iso::ours(block)) return roam::iso::libc_usable_bytes(block);
  Heap* heap = current_heap;
  return heap != nullptr ? heap->live_bytes(block, "malloc_usable_size")
                         : Heap::usable_bytes(block);
}

// The plain form of `operator delete`, of a program that brings none (operator_new.cc).
asm(".weak _ZdlPv\n.type _ZdlPv, @function\n.set _ZdlPv, free");

// The same functions under names that nobody can take away. By the assembler, since an alias that
// the compiler sees has to repeat every attribute of libc's declaration.
#define ROAM_OWN(name)                                                     \
  extern "C" __attribute__((visibility("hidden"))) void roam_own_##name(); \
  asm(".globl roam_own_" #name "\n.set roam_own_" #name ", " #name)
ROAM_OWN(malloc);
ROAM_OWN(free);
ROAM_OWN(calloc);
ROAM_OWN(realloc);
ROAM_OWN(reallocarray);
ROAM_OWN(memalign);
ROAM_OWN(aligned_alloc);
ROAM_OWN(posix_memalign);
ROAM_OWN(valloc);
ROAM_OWN(pvalloc);
ROAM_OWN(malloc_usable_size);

namespace roam::iso {

std::string malloc_taken_by() {
  const struct {
    const char* name;
    void* own;
  } functions[] = {
      {"malloc", reinterpret_cast<void*>(roam_own_malloc)},
      {"free", reinterpret_cast<void*>(roam_own_free)},
      {"calloc", reinterpret_cast<void*>(roam_own_calloc)},
      {"realloc", reinterpret_cast<void*>(roam_own_realloc)},
      {"reallocarray", reinterpret_cast<void*>(roam_own_reallocarray)},
      {"memalign", reinterpret_cast<void*>(roam_own_memalign)},
      {"aligned_alloc", reinterpret_cast<void*>(roam_own_aligned_alloc)},
      {"posix_memalign", reinterpret_cast<void*>(roam_own_posix_memalign)},
      {"valloc", reinterpret_cast<void*>(roam_own_valloc)},
      {"pvalloc", reinterpret_cast<void*>(roam_own_pvalloc)},
      {"malloc_usable_size", reinterpret_cast<void*>(roam_own_malloc_usable_size)},
  };
  for (const auto& [name, own] : functions) {
    void* found = dlsym(RTLD_DEFAULT, name);
    if (found == own) continue;
    Dl_info info{};
    const bool known = found != nullptr && dladdr(found, &info) != 0 && info.dli_fname != nullptr;
    return text(
        "%s() is that of %s in this process, so what threads allocate would not travel with them. "
        "Take that library out of LD_PRELOAD, link libroam before it, or link the program with "
        "-Wl,--export-dynamic-symbol=%s if it has Roam inside.",
        name, known ? info.dli_fname : "an unknown library", name);
  }
  return {};
}

}  // namespace roam::iso
