#ifndef ROAM_BASE_SANITIZERS_H_
#define ROAM_BASE_SANITIZERS_H_

#include <cstddef>
#include <cstdint>

#include "base/range.h"

// What sanitizers and Valgrind are told of stacks that are switched, and what they leave of the
// address space and of malloc. In the usual build all of it is empty, but for a look whether
// Valgrind is there where a stack is made or goes. docs/decisions/0037-sanitizers.md says what each
// of them sees.
namespace roam::sanitizers {

// Most address space that an arena takes here by itself: AddressSanitizer and ThreadSanitizer keep
// a shadow of it, and Valgrind pays memory and time for each byte that is opened. SIZE_MAX: as much
// as it likes.
std::size_t most_arena_bytes();

// Where an arena begins by itself, and where any must end. ThreadSanitizer allows memory below 512
// GiB and in three places more, which programs and their libraries take.
#ifdef ROAM_TSAN
inline constexpr Address kArenaBase = 0x1000000000;
inline constexpr Address kArenaEnd = 0x8000000000;
#else
inline constexpr Address kArenaBase = 0x200000000000;
inline constexpr Address kArenaEnd = 0x7f0000000000;
#endif

// Most threads that live at a time: ThreadSanitizer knows 8,128 kernel threads and fibers.
#ifdef ROAM_TSAN
inline constexpr std::size_t kMostThreads = 8000;
#else
inline constexpr std::size_t kMostThreads = SIZE_MAX;
#endif

// Stacks are so many times as large as they are asked for: frames have red zones.
#ifdef ROAM_ASAN
inline constexpr std::size_t kStackFactor = 4;
#else
inline constexpr std::size_t kStackFactor = 1;
#endif

// Whether stacks have to be told of, see below.
extern bool stacks_are_told;
void tell_stack_made(Range slot, bool arrived);
void tell_stack_gone(Range slot);

// A thread's stack is, with what lies beside it, in `slot` from now on; again for the same slot: no
// change.
inline void stack_made(Range slot) {
  if (stacks_are_told) [[unlikely]]
    tell_stack_made(slot, false);
}
// The same of a thread that comes from another rank with frames on it.
inline void stack_arrived(Range slot) {
  if (stacks_are_told) [[unlikely]]
    tell_stack_made(slot, true);
}
// The thread has left this rank, or its slot is given back: what was known of its frames is
// forgotten.
inline void stack_gone(Range slot) {
  if (stacks_are_told) [[unlikely]]
    tell_stack_gone(slot);
}

// Around a switch: what comes last before it says on which stack the kernel thread goes on (none:
// its own), what comes first after it that it is there.
#if defined(ROAM_ASAN) || defined(ROAM_TSAN)
void leave_for(Range stack);
#else
inline void leave_for(Range) {}
#endif
#ifdef ROAM_ASAN
void arrived();
#else
inline void arrived() {}
#endif

// A block that libc or ld.so keeps, perhaps where LeakSanitizer does not look; it tells their
// blocks by who calls malloc, and here Roam does.
#ifdef ROAM_ASAN
void* of_library(void* block);
#else
inline void* of_library(void* block) { return block; }
#endif

}  // namespace roam::sanitizers

// A function that is entered on one stack and left on another.
#define ROAM_NOT_INSTRUMENTED __attribute__((no_sanitize("address", "thread", "undefined")))

// Behind declarations of libc's own allocator (__libc_malloc): sanitizers put their own there.
#if defined(ROAM_ASAN) || defined(ROAM_TSAN)
#define ROAM_OF_PROCESS(name) asm("__interceptor_" name)
#define ROAM_NAME_OF_PROCESS(name) "__interceptor_" name
#else
#define ROAM_OF_PROCESS(name)
#define ROAM_NAME_OF_PROCESS(name) "__libc_" name
#endif

#endif  // ROAM_BASE_SANITIZERS_H_
