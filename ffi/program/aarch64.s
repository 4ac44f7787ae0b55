// The interpreter of syscall programs, aarch64. Assembled by as(1); interpreter_test.ts checks the bytes in
// interpreter.ts. The ops are those of x86_64.s, which describes them.
//
//   enter(x0 = address of op 0) -> x0         runs ops until RETURN, or for ever
//   thread_pointer() -> x0                    the address the C library's thread-local data count from
//
// x19 op 0   x20 this op   w9 refs   w10 code   w11 sub. The kernel keeps all but x0.
.text
enter:
    stp x19, x20, [sp, #-16]!
    mov x19, x0
    mov x20, x0
step:
    ldrb w10, [x20]
    ldrb w9, [x20, #1]
    ldrb w11, [x20, #2]
    ldp x0, x1, [x20, #16]
    ldp x2, x3, [x20, #32]
    ldp x4, x5, [x20, #48]
    tbz w9, #0, 1f
    ldr x0, [x0]
1:  tbz w9, #1, 1f
    ldr x1, [x1]
1:  tbz w9, #2, 1f
    ldr x2, [x2]
1:  tbz w9, #3, 1f
    ldr x3, [x3]
1:  tbz w9, #4, 1f
    ldr x4, [x4]
1:  tbz w9, #5, 1f
    ldr x5, [x5]
1:  cmp w10, #3
    b.lo call
    b.eq jump
    cmp w10, #5
    b.lo jump_if
    b.eq compute
    cmp w10, #7
    b.lo load
    b.eq store
    // RETURN
    ldp x19, x20, [sp], #16
    ret

call:
    ldr x8, [x20, #8]
    svc #0
    cmp w10, #2
    b.ne 1f
    cbz x0, jump                // the child; it must not touch a result its parent may share
1:  str x0, [x20, #64]
    cmn x0, #4095
    b.lo next
    cbz w10, next
    str x20, [x19, #-8]
    cmp w10, #1
    b.ne next
jump:
    ldr w12, [x20, #4]
    add x20, x19, x12
    b step

jump_if:                        // 0 ==  1 !=  2 < signed  3 >= signed  4 any common bit
    cmp w11, #2
    b.lo 1f
    b.eq 2f
    cmp w11, #4
    b.eq 4f
    cmp x0, x1
    b.ge jump
    b next
1:  cmp x0, x1
    cset w12, ne
    cmp w12, w11
    b.eq jump
    b next
2:  cmp x0, x1
    b.lt jump
    b next
4:  tst x0, x1
    b.ne jump
    b next

compute:                        // 0 a  1 a+b  2 a-b  3 a&b  4 a|b  5 a<<b  6 a>>b unsigned  7 a*b  8 a/b unsigned
    cbz w11, result
    cmp w11, #2
    b.lo 1f
    b.eq 2f
    cmp w11, #4
    b.lo 3f
    b.eq 4f
    cmp w11, #6
    b.lo 5f
    b.eq 6f
    cmp w11, #8
    b.lo 7f
    udiv x0, x0, x1
    b result
1:  add x0, x0, x1
    b result
2:  sub x0, x0, x1
    b result
3:  and x0, x0, x1
    b result
4:  orr x0, x0, x1
    b result
5:  lsl x0, x0, x1
    b result
6:  lsr x0, x0, x1
    b result
7:  mul x0, x0, x1
result:
    str x0, [x20, #64]
next:
    add x20, x20, #72
    b step

load:                           // *(width *)(a + b); width 1, 2, 4 (zero-extended), 8; 5 is 4 sign-extended
    add x0, x0, x1
    cmp w11, #2
    b.lo 1f
    b.eq 2f
    cmp w11, #5
    b.lo 3f
    b.eq 4f
    ldr x0, [x0]
    b result
1:  ldrb w0, [x0]
    b result
2:  ldrh w0, [x0]
    b result
3:  ldr w0, [x0]
    b result
4:  ldrsw x0, [x0]
    b result

store:                          // *(width *)(a + c) = b
    add x0, x0, x2
    cmp w11, #2
    b.lo 1f
    b.eq 2f
    cmp w11, #4
    b.eq 3f
    str x1, [x0]
    b next
1:  strb w1, [x0]
    b next
2:  strh w1, [x0]
    b next
3:  str w1, [x0]
    b next

.globl thread_pointer
thread_pointer:
    mrs x0, tpidr_el0
    ret
