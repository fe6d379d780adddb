#include "base/sanitizers.h"

#include <valgrind/memcheck.h>

#include <cstdint>

#include "base/os/memory.h"

#ifdef ROAM_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef ROAM_TSAN
#include <sanitizer/tsan_interface.h>
extern "C" void __tsan_func_entry(void* from);
#endif

namespace roam::sanitizers {

bool stacks_are_told = false;

namespace {

#if defined(ROAM_ASAN) || defined(ROAM_TSAN)
[[gnu::constructor(101)]] void look() { stacks_are_told = true; }
#else
[[gnu::constructor(101)]] void look() { stacks_are_told = RUNNING_ON_VALGRIND != 0; }
#endif

}  // namespace

std::size_t most_arena_bytes() {
#if defined(ROAM_ASAN) || defined(ROAM_TSAN)
  return std::size_t{64} << 30;
#else
  return stacks_are_told ? std::size_t{2} << 30 : SIZE_MAX;
#endif
}

#ifdef ROAM_ASAN

namespace {

// The stack that the kernel thread came with, as AddressSanitizer says; and what is known of where
// it runs.
thread_local Range own_stack;
thread_local bool on_own_stack = true;
thread_local bool left_own_stack = false;

}  // namespace

void tell_stack_made(Range, bool) {}

void* of_library(void* block) {
  if (block != nullptr) __lsan_ignore_object(block);
  return block;
}

// The red zones of frames are marked in this process only, and frames of a thread that has gone are
// never left here.
void tell_stack_gone(Range slot) { __asan_unpoison_memory_region(slot.pointer(), slot.bytes); }

void leave_for(Range stack) {
  left_own_stack = on_own_stack;
  on_own_stack = stack.bytes == 0;
  const Range& to = on_own_stack ? own_stack : stack;
  __sanitizer_start_switch_fiber(nullptr, to.pointer(), to.bytes);
}

void arrived() {
  const void* bottom = nullptr;
  std::size_t bytes = 0;
  __sanitizer_finish_switch_fiber(nullptr, &bottom, &bytes);
  if (left_own_stack) own_stack = Range{reinterpret_cast<Address>(bottom), bytes};
}

#else

namespace {

// What was told of each slot: a number by its first address. Allocates nothing, since it is asked
// in the middle of switches. A slot that is forgotten keeps its place: it is likely to come again.
struct Told {
  Address slot;
  std::uintptr_t value;
};
constexpr std::size_t kMostTold = std::size_t{1} << 17;

// Null: there is no room, and nothing is told of the slot.
Told* told(Address slot) {
  static Told* const table = static_cast<Told*>(os::map_memory(kMostTold * sizeof(Told)).pointer());
  if (table == nullptr) return nullptr;
  std::size_t at = slot / kPageBytes * 0x9e3779b97f4a7c15 >> 47;
  for (std::size_t tries = 0; tries < kMostTold; ++tries, at = (at + 1) % kMostTold) {
    if (table[at].slot == 0) table[at].slot = slot;
    if (table[at].slot == slot) return &table[at];
  }
  return nullptr;
}

#ifdef ROAM_TSAN

// Frames that a thread which arrives may return from: ThreadSanitizer writes down the calls of each
// fiber in this process, of at most 65,536 frames, and would go below the first of them.
constexpr int kFramesFromElsewhere = 4096;

std::uintptr_t tell(Range, bool arrived) {
  void* const here = __tsan_get_current_fiber();
  void* const fiber = __tsan_create_fiber(0);
  __tsan_switch_to_fiber(fiber, 0);
  for (int i = 0; arrived && i < kFramesFromElsewhere; ++i)
    __tsan_func_entry(reinterpret_cast<void*>(&tell_stack_made));
  __tsan_switch_to_fiber(here, 0);
  return reinterpret_cast<std::uintptr_t>(fiber);
}
void take_back(Range, std::uintptr_t fiber) {
  __tsan_destroy_fiber(reinterpret_cast<void*>(fiber));
}

// The fiber that the kernel thread came with.
thread_local void* own_fiber = nullptr;

#else

std::uintptr_t tell(Range slot, bool) {
  return VALGRIND_STACK_REGISTER(slot.begin, slot.end() - 1) + 1;
}
// What lay below a stack pointer counts as gone. The slot may come again with deeper frames, whose
// bytes others write.
void take_back(Range slot, std::uintptr_t number) {
  VALGRIND_STACK_DEREGISTER(number - 1);
  VALGRIND_MAKE_MEM_DEFINED(slot.begin, slot.bytes);
}

#endif

}  // namespace

void tell_stack_made(Range slot, bool arrived) {
  Told* const known = told(slot.begin);
  if (known != nullptr && known->value == 0) known->value = tell(slot, arrived);
}

void tell_stack_gone(Range slot) {
  Told* const known = told(slot.begin);
  if (known == nullptr || known->value == 0) return;
  take_back(slot, known->value);
  known->value = 0;
}

#ifdef ROAM_TSAN

// With flag 0 what runs before the switch happens before what runs after it: one kernel thread runs
// both.
void leave_for(Range stack) {
  if (own_fiber == nullptr) own_fiber = __tsan_get_current_fiber();
  void* to = own_fiber;
  if (stack.bytes != 0) {
    tell_stack_made(stack, true);
    to = reinterpret_cast<void*>(told(stack.begin)->value);
  }
  __tsan_switch_to_fiber(to, 0);
}

#endif
#endif

}  // namespace roam::sanitizers

#ifdef ROAM_ASAN

// Options that threads need; a program may define them itself, and ASAN_OPTIONS wins. Frames that
// are kept beyond their functions' ends would lie in memory of the process, which does not travel.
extern "C" __attribute__((weak, visibility("default"))) const char* __asan_default_options() {
  return "detect_stack_use_after_return=0:allocator_may_return_null=1:quarantine_size_mb=32";
}

#endif
