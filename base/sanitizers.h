#ifndef ROAM_BASE_SANITIZERS_H_
#define ROAM_BASE_SANITIZERS_H_

#include <cstddef>

#include "base/range.h"

// What sanitizers and Valgrind are told of stacks that are switched, and what they leave of the
// address space and of malloc. In the usual build all of it is empty, but for a look whether
// Valgrind is there where a stack is made or goes. docs/decisions/0037-sanitizers.md says what each
// of them sees.
namespace roam::sanitizers {

// Most address space that an arena takes here by itself: AddressSanitizer keeps a shadow of it, and
// Valgrind pays memory and time for each byte that is opened. SIZE_MAX: as much as it likes.
std::size_t most_arena_bytes();

// Whether stacks have to be told of, see below.
extern bool stacks_are_told;
void tell_stack_made(Range slot);
void tell_stack_gone(Range slot);

// A thread's stack is, with what lies beside it, in `slot` from now on; again for the same slot: no
// change.
inline void stack_made(Range slot) {
  if (stacks_are_told) [[unlikely]]
    tell_stack_made(slot);
}
// The thread has left this rank, or its slot is given back: what was known of its frames is
// forgotten.
inline void stack_gone(Range slot) {
  if (stacks_are_told) [[unlikely]]
    tell_stack_gone(slot);
}

// Around a switch: what comes last before it says on which stack the kernel thread goes on (none:
// its own), what comes first after it that it is there.
#ifdef ROAM_ASAN
void leave_for(Range stack);
void arrived();
#else
inline void leave_for(Range) {}
inline void arrived() {}
#endif

}  // namespace roam::sanitizers

// A function that is entered on one stack and left on another.
#define ROAM_NOT_INSTRUMENTED __attribute__((no_sanitize("address", "undefined")))

// Behind declarations of libc's own allocator (__libc_malloc): AddressSanitizer puts its own there.
#ifdef ROAM_ASAN
#define ROAM_OF_PROCESS(name) asm("__interceptor_" name)
#define ROAM_NAME_OF_PROCESS(name) "__interceptor_" name
#else
#define ROAM_OF_PROCESS(name)
#define ROAM_NAME_OF_PROCESS(name) "__libc_" name
#endif

#endif  // ROAM_BASE_SANITIZERS_H_
