#ifndef ROAM_THREADS_CONTEXT_H_
#define ROAM_THREADS_CONTEXT_H_

#include <cstddef>

// The context switch. Boost.Context makes contexts; from then on they are switched by the code
// here. docs/decisions/0002-switch.md says why.
namespace roam::threads {

// A suspended context: where its frame begins, at the end of its stack.
//
//   | MXCSR | x87 control word | where it goes on |
//   0       4                  8                  16
//
// Whoever switches keeps nothing in other registers.
using Context = void*;

// A context that runs `body`, which never returns, when it is first resumed, on the stack that ends
// at `top`. It begins with the caller's rounding mode and exception masks.
Context make_context(void* top, std::size_t bytes, void (*body)());

// A suspended context goes on with the caller's rounding mode and exception masks (MXCSR, x87
// control word), as a new one does.
inline void inherit_floating_point(Context context) {
  asm volatile("stmxcsr (%0)\n\tfnstcw 4(%0)" ::"r"(context) : "memory");
}

// With -march=native the compiler may use more registers than every x86-64 has.
#ifdef __AVX512F__
#define ROAM_SWITCH_CLOBBERS_OF_AVX512                                                          \
  , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",   \
      "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", \
      "k6", "k7"
#else
#define ROAM_SWITCH_CLOBBERS_OF_AVX512
#endif

// What an asm that switches says of itself: on return every register but rsp may have changed. rsi,
// rdi and rdx are its operands.
#define ROAM_SWITCH_CLOBBERS                                                                    \
  "rax", "rbx", "rcx", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0",     \
      "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", \
      "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc" ROAM_SWITCH_CLOBBERS_OF_AVX512

// Leaves the running context: its frame, whose address goes to (%[left]). It is pushed, and rbp is
// given up: sources that switch are compiled with -mno-red-zone -fomit-frame-pointer.
#define ROAM_LEAVE_CONTEXT    \
  "leaq 1f(%%rip), %%rax\n\t" \
  "pushq %%rax\n\t"           \
  "leaq -8(%%rsp), %%rsp\n\t" \
  "stmxcsr (%%rsp)\n\t"       \
  "fnstcw 4(%%rsp)\n\t"       \
  "movq %%rsp, (%[left])\n\t"
// Where it goes on, with its frame at rsp and its floating-point modes loaded.
#define ROAM_RESUMED_CONTEXT \
  "1:\n\t"                   \
  "leaq 16(%%rsp), %%rsp\n\t"

// Leaves the running context, stores it in `*left`, and resumes `to`, for whom `word` is in a
// register. Returns when it is resumed itself, with the word that it got so, or whatever the
// register had otherwise. Inline, and without a call or return: a return would be foretold from the
// calls of another context.
[[gnu::always_inline]] inline const void* switch_context(Context to, Context* left,
                                                         const void* word = nullptr) {
  asm volatile(ROAM_LEAVE_CONTEXT
               "movq %[to], %%rsp\n\t"
               "ldmxcsr (%%rsp)\n\t"
               "fldcw 4(%%rsp)\n\t"
               "jmpq *8(%%rsp)\n" ROAM_RESUMED_CONTEXT
               : [to] "+S"(to), [left] "+D"(left), "+d"(word)
               :
               : ROAM_SWITCH_CLOBBERS);
  return word;
}

}  // namespace roam::threads

#endif  // ROAM_THREADS_CONTEXT_H_
