// `operator new` and its family, straight from the thread's heap: libstdc++'s would come to malloc
// by one call more. Weak, so that a program may still bring its own. One that brings the plain form
// has replaced the others too, as the standard has it: these call it.

#include <cstdlib>
#include <new>

#include "isomalloc/heap.h"

namespace roam::iso {
namespace {

// As the standard has it: asks the new-handler until there is memory or none is set.
[[gnu::noinline]] void* allocate_or_throw(std::size_t bytes, std::size_t alignment) {
  for (;;) {
    void* p = alignment != 0 ? aligned_alloc(alignment, bytes) : malloc(bytes != 0 ? bytes : 1);
    if (p != nullptr) return p;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

inline void* allocate_plain(std::size_t bytes) {
  if (Heap* heap = current_heap; heap != nullptr) [[likely]] {
    if (void* p = heap->allocate(bytes); p != nullptr) [[likely]]
      return p;
  }
  return allocate_or_throw(bytes, 0);
}

// `make` may call the program's, which throws what it likes.
template <class Make>
inline void* null_if_thrown(Make make) noexcept {
  try {
    return make();
  } catch (...) {
    return nullptr;
  }
}

std::size_t number(std::align_val_t alignment) { return static_cast<std::size_t>(alignment); }

}  // namespace
}  // namespace roam::iso

#ifndef __clang__
#pragma GCC diagnostic ignored "-Wsized-deallocation"  // the plain delete is in capture.cc
#endif
#define ROAM_WEAK __attribute__((weak, visibility("default")))

using roam::iso::allocate_or_throw;
using roam::iso::allocate_plain;
using roam::iso::null_if_thrown;
using roam::iso::number;

// ---- plain forms ----

ROAM_WEAK void* operator new(std::size_t bytes) { return allocate_plain(bytes); }
// The plain delete is free itself (capture.cc), so that those which call it cost no more.
ROAM_WEAK void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate_or_throw(bytes, number(alignment));
}
ROAM_WEAK void operator delete(void* p, std::align_val_t) noexcept { free(p); }

// ---- forms that call others ----

ROAM_WEAK void* operator new[](std::size_t bytes) { return operator new(bytes); }
ROAM_WEAK void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return null_if_thrown([=] { return operator new(bytes); });
}
ROAM_WEAK void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return null_if_thrown([=] { return operator new[](bytes); });
}
ROAM_WEAK void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return operator new(bytes, alignment);
}
ROAM_WEAK void* operator new(std::size_t bytes, std::align_val_t alignment,
                             const std::nothrow_t&) noexcept {
  return null_if_thrown([=] { return operator new(bytes, alignment); });
}
ROAM_WEAK void* operator new[](std::size_t bytes, std::align_val_t alignment,
                               const std::nothrow_t&) noexcept {
  return null_if_thrown([=] { return operator new[](bytes, alignment); });
}

ROAM_WEAK void operator delete[](void* p) noexcept { operator delete(p); }
ROAM_WEAK void operator delete(void* p, std::size_t) noexcept { operator delete(p); }
ROAM_WEAK void operator delete[](void* p, std::size_t) noexcept { operator delete[](p); }
ROAM_WEAK void operator delete(void* p, const std::nothrow_t&) noexcept { operator delete(p); }
ROAM_WEAK void operator delete[](void* p, const std::nothrow_t&) noexcept { operator delete[](p); }
ROAM_WEAK void operator delete[](void* p, std::align_val_t alignment) noexcept {
  operator delete(p, alignment);
}
ROAM_WEAK void operator delete(void* p, std::size_t, std::align_val_t alignment) noexcept {
  operator delete(p, alignment);
}
ROAM_WEAK void operator delete[](void* p, std::size_t, std::align_val_t alignment) noexcept {
  operator delete[](p, alignment);
}
ROAM_WEAK void operator delete(void* p, std::align_val_t alignment,
                               const std::nothrow_t&) noexcept {
  operator delete(p, alignment);
}
ROAM_WEAK void operator delete[](void* p, std::align_val_t alignment,
                                 const std::nothrow_t&) noexcept {
  operator delete[](p, alignment);
}
