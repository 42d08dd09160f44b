// The process that holds a pod's namespaces. It sleeps, reaps the orphans it inherits when the pod shares a
// process namespace, and leaves on SIGTERM or SIGINT.
//
// It is never run inside apus: these bytes are read as data and written into the pause image. Signals are
// blocked and taken one at a time with rt_sigtimedwait(2), so no handler and no stack frame is needed.

#define SIGNALS ((1 << (2 - 1)) | (1 << (15 - 1)) | (1 << (17 - 1))) // SIGINT, SIGTERM, SIGCHLD
#define SIGCHLD_NUMBER 17

    .section .rodata
    .globl apus_pause_start
    .globl apus_pause_end
    .balign 16
apus_pause_start:

#if defined(__x86_64__)
    sub $16, %rsp
    movq $SIGNALS, (%rsp)
    mov $14, %eax                  // rt_sigprocmask(SIG_BLOCK, &set, NULL, 8)
    xor %edi, %edi
    mov %rsp, %rsi
    xor %edx, %edx
    mov $8, %r10d
    syscall
1:  mov $128, %eax                 // rt_sigtimedwait(&set, NULL, NULL, 8)
    mov %rsp, %rdi
    xor %esi, %esi
    xor %edx, %edx
    mov $8, %r10d
    syscall
    cmp $SIGCHLD_NUMBER, %eax
    je 2f
    cmp $2, %eax
    je 3f
    cmp $15, %eax
    je 3f
    jmp 1b
2:  mov $61, %eax                  // wait4(-1, NULL, WNOHANG, NULL) until no child is left to reap
    mov $-1, %rdi
    xor %esi, %esi
    mov $1, %edx
    xor %r10d, %r10d
    syscall
    test %eax, %eax
    jg 2b
    jmp 1b
3:  mov $231, %eax                 // exit_group(0)
    xor %edi, %edi
    syscall
#elif defined(__aarch64__)
    sub sp, sp, #16
    mov x9, #(SIGNALS & 0xffff)
    movk x9, #(SIGNALS >> 16), lsl #16
    str x9, [sp]
    mov x8, #135                   // rt_sigprocmask
    mov x0, #0
    mov x1, sp
    mov x2, #0
    mov x3, #8
    svc #0
1:  mov x8, #137                   // rt_sigtimedwait
    mov x0, sp
    mov x1, #0
    mov x2, #0
    mov x3, #8
    svc #0
    cmp w0, #SIGCHLD_NUMBER
    b.eq 2f
    cmp w0, #2
    b.eq 3f
    cmp w0, #15
    b.eq 3f
    b 1b
2:  mov x8, #260                   // wait4
    mov x0, #-1
    mov x1, #0
    mov x2, #1
    mov x3, #0
    svc #0
    cmp w0, #0
    b.gt 2b
    b 1b
3:  mov x8, #94                    // exit_group
    mov x0, #0
    svc #0
#else
#error "the pause program is written for x86_64 and aarch64"
#endif

apus_pause_end:
    .section .note.GNU-stack, "", %progbits
