// Clean-up handlers of C. pthread_cleanup_push of a C program calls __sigsetjmp, which is ours and
// stores addresses plainly, and registers the buffer; when the kernel thread is cancelled, or
// exits, libc jumps to it with a longjmp of its own, which expects them hidden. So a buffer that is
// registered is hidden then: nobody else jumps to it. docs/decisions/0017-clean-up-handlers.md

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "isomalloc/arena.h"

namespace {

// struct __cancel_jmp_buf_tag of <pthread.h> begins as a jmp_buf (long_jump.cc): rbp, rsp, pc are
// what libc hides.
constexpr std::size_t kHidden[] = {1, 6, 7};

// As PTR_MANGLE of glibc: the secret is at a place of the thread's header that the x86-64 ABI of
// glibc fixes.
std::uintptr_t hide(std::uintptr_t address) {
  asm("xorq %%fs:0x30, %0\n\trolq $17, %0" : "+r"(address) : : "cc");
  return address;
}

using Register = void(void*);

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

// A thread of the runtime is never cancelled, and libc's list belongs to the kernel thread: a
// buffer on a thread's stack is not put there.
bool of_a_thread(const void* buffer) {
  return roam::iso::arena().ready() && roam::iso::arena().contains(buffer);
}

void hide_and_pass(void* buffer, Register* real) {
  if (of_a_thread(buffer)) return;
  auto* words = static_cast<std::uintptr_t*>(buffer);
  for (const std::size_t i : kHidden) words[i] = hide(words[i]);
  real(buffer);
}

}  // namespace

#define ROAM_CLEAN_UP_CALL(name, action)                                      \
  extern "C" __attribute__((visibility("default"))) void name(void* buffer) { \
    static Register* const real = next<Register>(#name);                      \
    action;                                                                   \
  }
#define ROAM_PASS_UNLESS_OF_A_THREAD \
  if (!of_a_thread(buffer)) real(buffer)

ROAM_CLEAN_UP_CALL(__pthread_register_cancel, hide_and_pass(buffer, real))
ROAM_CLEAN_UP_CALL(__pthread_register_cancel_defer, hide_and_pass(buffer, real))
ROAM_CLEAN_UP_CALL(__pthread_unregister_cancel, ROAM_PASS_UNLESS_OF_A_THREAD)
ROAM_CLEAN_UP_CALL(__pthread_unregister_cancel_restore, ROAM_PASS_UNLESS_OF_A_THREAD)

// The kernel thread is not the thread's to end: it runs all those of the rank.
#define ROAM_END_CALL(name, type)                                                              \
  extern "C" __attribute__((noreturn, visibility("default"))) void name(type result) {         \
    if (of_a_thread(__builtin_frame_address(0))) {                                             \
      roam::fatal(#name                                                                        \
                  " was called in a thread of Roam: it would end the kernel thread that runs " \
                  "all threads of this rank. Return from the thread's function, or throw");    \
    }                                                                                          \
    next<void(type)>(#name)(result);                                                           \
    __builtin_unreachable();                                                                   \
  }
ROAM_END_CALL(pthread_exit, void*)
ROAM_END_CALL(thrd_exit, int)
