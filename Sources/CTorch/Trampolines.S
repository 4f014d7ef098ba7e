// A trampoline for each function of the interface: a jump through a slot. While the engine is not loaded, every slot contains
// `resolver`, which loads it (Loading.c), and then jumps through the slot again.
//
// The trampolines are weak. If the engine is linked into the same image, the linker takes its functions, which have the same
// names, and calls are direct. A function without a line in Functions.h is an undefined symbol of the program.

#if defined(__APPLE__)
#define SYMBOL(name) _##name
#define LOCAL(name) L##name
#else
#define SYMBOL(name) name
#define LOCAL(name) .L##name
#endif

.macro begin_weak name
  .text
  .p2align 4
#if defined(__APPLE__)
  .globl \name
  .weak_definition \name
#else
  .weak \name
  .type \name, %function
#endif
\name:
.endm

.macro slot name
  .data
  .p2align 3
\name:
  .quad LOCAL(resolver)
.endm

// The slots, in the order of Functions.h.
.data
.p2align 3
.globl SYMBOL(ct_slots)
#if !defined(__APPLE__)
.hidden SYMBOL(ct_slots)
#endif
SYMBOL(ct_slots):

#if defined(__x86_64__)

.macro trampoline name, slot
  begin_weak \name
  leaq \slot(%rip), %r11
  jmpq *(%r11)
  slot \slot
.endm

// Called with the address of the slot in r11. Preserves the registers that can contain arguments.
.text
.p2align 4
LOCAL(resolver):
  pushq %rbp
  movq %rsp, %rbp
  pushq %rdi
  pushq %rsi
  pushq %rdx
  pushq %rcx
  pushq %r8
  pushq %r9
  pushq %rax
  pushq %r11
  subq $128, %rsp
  movups %xmm0, (%rsp)
  movups %xmm1, 16(%rsp)
  movups %xmm2, 32(%rsp)
  movups %xmm3, 48(%rsp)
  movups %xmm4, 64(%rsp)
  movups %xmm5, 80(%rsp)
  movups %xmm6, 96(%rsp)
  movups %xmm7, 112(%rsp)
  callq SYMBOL(ct_load_or_exit)
  movups (%rsp), %xmm0
  movups 16(%rsp), %xmm1
  movups 32(%rsp), %xmm2
  movups 48(%rsp), %xmm3
  movups 64(%rsp), %xmm4
  movups 80(%rsp), %xmm5
  movups 96(%rsp), %xmm6
  movups 112(%rsp), %xmm7
  addq $128, %rsp
  popq %r11
  popq %rax
  popq %r9
  popq %r8
  popq %rcx
  popq %rdx
  popq %rsi
  popq %rdi
  popq %rbp
  jmpq *(%r11)

#elif defined(__aarch64__)

.macro trampoline name, slot
  begin_weak \name
#if defined(__APPLE__)
  adrp x16, \slot@PAGE
  add x16, x16, \slot@PAGEOFF
#else
  adrp x16, \slot
  add x16, x16, :lo12:\slot
#endif
  // Acquires what the thread that loaded the engine has written.
  ldar x17, [x16]
  br x17
  slot \slot
.endm

// Called with the address of the slot in x16. Preserves the registers that can contain arguments, and x8, where the caller
// wants a structure.
.text
.p2align 4
LOCAL(resolver):
  stp x29, x30, [sp, #-224]!
  mov x29, sp
  stp x0, x1, [sp, #16]
  stp x2, x3, [sp, #32]
  stp x4, x5, [sp, #48]
  stp x6, x7, [sp, #64]
  stp x8, x16, [sp, #80]
  stp q0, q1, [sp, #96]
  stp q2, q3, [sp, #128]
  stp q4, q5, [sp, #160]
  stp q6, q7, [sp, #192]
  bl SYMBOL(ct_load_or_exit)
  ldp x0, x1, [sp, #16]
  ldp x2, x3, [sp, #32]
  ldp x4, x5, [sp, #48]
  ldp x6, x7, [sp, #64]
  ldp x8, x16, [sp, #80]
  ldp q0, q1, [sp, #96]
  ldp q2, q3, [sp, #128]
  ldp q4, q5, [sp, #160]
  ldp q6, q7, [sp, #192]
  ldp x29, x30, [sp], #224
  ldar x17, [x16]
  br x17

#else
#error "OnePass supports x86-64 and arm64"
#endif

#define CT_FUNCTION(name) trampoline SYMBOL(name), LOCAL(name##_slot)
#include "Functions.h"

#if defined(__APPLE__)
.subsections_via_symbols
#else
.section .note.GNU-stack, "", %progbits
#endif
