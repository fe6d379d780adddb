#include "threads/context.h"

// jump_fcontext takes the return address off the stack and, when this context is resumed, jumps to
// it: to the `ret` below, which takes the address of roam_jump_context's own caller.
asm(R"(
    .text
    .globl roam_jump_context
    .hidden roam_jump_context
    .type roam_jump_context, @function
    .p2align 4
roam_jump_context:
    .cfi_startproc
    leaq 1f(%rip), %rax
    pushq %rax
    .cfi_adjust_cfa_offset 8
    jmp *jump_fcontext@GOTPCREL(%rip)
    .cfi_adjust_cfa_offset -8
1:  ret
    .cfi_endproc
    .size roam_jump_context, .-roam_jump_context
)");
