// setjmp and longjmp of the whole program. glibc's hide the addresses in a jmp_buf with a secret of
// the process, so a buffer that was made before a migration cannot be used after it: a Lua script
// that raises an error, or leaves a coroutine, would jump to nowhere. Addresses are the same on
// every rank, so these store them plainly, in the same jmp_buf. What is given up is one hardening
// of glibc's, against overwritten jmp_bufs. docs/decisions/0004-long-jump.md

#include <csetjmp>
#include <csignal>
#include <cstddef>

// struct __jmp_buf_tag of <setjmp.h>, x86-64:
//   0    8    16   24   32   40   48   56   64                72
//   | rbx | rbp | r12 | r13 | r14 | r15 | rsp | pc | mask saved? | mask |
static_assert(offsetof(__jmp_buf_tag, __mask_was_saved) == 64);

asm(R"(
    .text
    .p2align 4
    .globl _setjmp
    .type _setjmp, @function
_setjmp:
    xorl %esi, %esi
    jmp __sigsetjmp
    .size _setjmp, .-_setjmp

    .p2align 4
    .globl setjmp
    .type setjmp, @function
setjmp:
    movl $1, %esi
    jmp __sigsetjmp
    .size setjmp, .-setjmp

    .p2align 4
    .globl __sigsetjmp
    .type __sigsetjmp, @function
__sigsetjmp:
    movq %rbx, 0(%rdi)
    movq %rbp, 8(%rdi)
    movq %r12, 16(%rdi)
    movq %r13, 24(%rdi)
    movq %r14, 32(%rdi)
    movq %r15, 40(%rdi)
    leaq 8(%rsp), %rdx
    movq %rdx, 48(%rdi)
    movq (%rsp), %rdx
    movq %rdx, 56(%rdi)
    movl %esi, 64(%rdi)
    testl %esi, %esi
    jne roam_save_mask
    xorl %eax, %eax
    ret
    .size __sigsetjmp, .-__sigsetjmp

    .p2align 4
    .type roam_resume_jump, @function
roam_resume_jump:
    movl %esi, %eax
    movq 0(%rdi), %rbx
    movq 8(%rdi), %rbp
    movq 16(%rdi), %r12
    movq 24(%rdi), %r13
    movq 32(%rdi), %r14
    movq 40(%rdi), %r15
    movq 48(%rdi), %rsp
    jmp *56(%rdi)
    .size roam_resume_jump, .-roam_resume_jump
)");

extern "C" {

[[noreturn]] void roam_resume_jump(__jmp_buf_tag* buffer, int value);

[[gnu::used, gnu::visibility("hidden")]] int roam_save_mask(__jmp_buf_tag* buffer) {
  // glibc keeps a mask of the kernel's size there; sigset_t is as large in the header.
  return sigprocmask(SIG_BLOCK, nullptr, reinterpret_cast<sigset_t*>(&buffer->__saved_mask));
}

[[noreturn, gnu::used]] void roam_long_jump(__jmp_buf_tag* buffer, int value) {
  if (buffer->__mask_was_saved != 0) {
    sigprocmask(SIG_SETMASK, reinterpret_cast<const sigset_t*>(&buffer->__saved_mask), nullptr);
  }
  roam_resume_jump(buffer, value == 0 ? 1 : value);
}
}

// All its names, among them the one that _FORTIFY_SOURCE gives it.
asm(R"(
    .globl longjmp
    .set longjmp, roam_long_jump
    .globl _longjmp
    .set _longjmp, roam_long_jump
    .globl siglongjmp
    .set siglongjmp, roam_long_jump
    .globl __longjmp_chk
    .set __longjmp_chk, roam_long_jump
)");
