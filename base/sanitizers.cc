#include "base/sanitizers.h"

#include <valgrind/valgrind.h>

#include <cstdint>

#include "base/os/memory.h"

#ifdef ROAM_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace roam::sanitizers {

bool stacks_are_told = false;

namespace {

[[gnu::constructor(101)]] void look() {
#ifdef ROAM_ASAN
  stacks_are_told = true;
#else
  stacks_are_told = RUNNING_ON_VALGRIND != 0;
#endif
}

}  // namespace

std::size_t most_arena_bytes() {
#ifdef ROAM_ASAN
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

void tell_stack_made(Range) {}

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

}  // namespace

void tell_stack_made(Range slot) {
  Told* const known = told(slot.begin);
  if (known != nullptr && known->value == 0)
    known->value = VALGRIND_STACK_REGISTER(slot.begin, slot.end() - 1) + 1;
}

void tell_stack_gone(Range slot) {
  Told* const known = told(slot.begin);
  if (known == nullptr || known->value == 0) return;
  VALGRIND_STACK_DEREGISTER(known->value - 1);
  known->value = 0;
}

#endif

}  // namespace roam::sanitizers

#ifdef ROAM_ASAN

// Options that threads need; a program may define them itself, and ASAN_OPTIONS wins. Frames that
// are kept beyond their functions' ends would lie in memory of the process, which does not travel.
extern "C" __attribute__((weak, visibility("default"))) const char* __asan_default_options() {
  return "detect_stack_use_after_return=0:allocator_may_return_null=1:quarantine_size_mb=32";
}

#endif
