// Function-local statics: the guard calls that the compiler emits around their initialisation. One
// first reached inside a thread lives as long as the process, so its memory is the process's, and
// the thread does not move meanwhile. Another thread that reaches it lets others run until it is
// made, where libstdc++ would block the kernel thread for ever.
//
// The guard is 8 bytes; the compiler reads only the first (1: made). The second is ours: 1 while it
// is being made; the last four say by whom. Source: Itanium C++ ABI, 3.3.3.

#include <atomic>
#include <cstdint>

#include "base/check.h"
#include "base/os/give_core.h"
#include "isomalloc/capture.h"

namespace roam::iso {
StaticInitHooks static_init_hooks;
}

namespace {

using roam::iso::static_init_hooks;

constexpr std::uint32_t kMade = 1;
constexpr std::uint32_t kBeingMade = 1 << 8;

std::atomic<std::uint32_t>& state_of(std::uint64_t* guard) {
  return *reinterpret_cast<std::atomic<std::uint32_t>*>(guard);
}
std::atomic<std::uint32_t>& maker_of(std::uint64_t* guard) {
  return reinterpret_cast<std::atomic<std::uint32_t>*>(guard)[1];
}

// Tells threads, and kernel threads, apart. Not 0.
std::uint32_t caller() {
  const std::uint32_t thread = static_init_hooks.caller != nullptr ? static_init_hooks.caller() : 0;
  if (thread != 0) return thread;
  thread_local char mark;
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(&mark) >> 4) | 1;
}

}  // namespace

#define ROAM_EXPORT extern "C" __attribute__((visibility("default")))

ROAM_EXPORT int __cxa_guard_acquire(std::uint64_t* guard) {
  std::atomic<std::uint32_t>& state = state_of(guard);
  for (;;) {
    std::uint32_t seen = 0;
    if (state.compare_exchange_strong(seen, kBeingMade, std::memory_order_acquire)) {
      maker_of(guard).store(caller(), std::memory_order_relaxed);
      if (static_init_hooks.begin != nullptr) static_init_hooks.begin();
      return 1;
    }
    if ((seen & kMade) != 0) return 0;
    if (maker_of(guard).load(std::memory_order_relaxed) == caller()) {
      roam::fatal(
          "the initialiser of a function-local static (guard at %p) calls the function again: the "
          "static would wait "
          "for itself",
          static_cast<void*>(guard));
    }
    if (static_init_hooks.yield == nullptr || !static_init_hooks.yield()) roam::os::give_core();
  }
}

ROAM_EXPORT void __cxa_guard_release(std::uint64_t* guard) noexcept {
  maker_of(guard).store(0, std::memory_order_relaxed);
  state_of(guard).store(kMade, std::memory_order_release);
  if (static_init_hooks.end != nullptr) static_init_hooks.end();
}

ROAM_EXPORT void __cxa_guard_abort(std::uint64_t* guard) noexcept {
  maker_of(guard).store(0, std::memory_order_relaxed);
  state_of(guard).store(0, std::memory_order_release);
  if (static_init_hooks.end != nullptr) static_init_hooks.end();
}
