# The interpreter of syscall programs, x86_64. Assembled by as(1); interpreter_test.ts checks the bytes in x86_64.ts.
#
#   enter(rdi = address of op 0) -> rax       runs ops until RETURN, or for ever
#   thread_pointer() -> rax                   the address glibc's thread-local data counts from
#
# An op is 72 bytes:
#    0 u8  code     0 CALL  1 TRY  2 CLONE  3 JUMP  4 JUMP_IF  5 COMPUTE  6 LOAD  7 STORE  8 RETURN
#    1 u8  refs     bit i set: argument i is the address of an i64 that holds the value
#    2 u8  sub      condition, operation or width
#    4 u32 target   of jumps, failures and clone's child: byte offset from op 0
#    8 u64 nr       system call number
#   16 u64 args[6]
#   64 i64 result
# The i64 before op 0 receives the address of the last TRY or CLONE that failed.
.intel_syntax noprefix
.text
enter:
    push rbx
    push r12
    push rbp
    mov rbx, rdi
    mov r12, rdi
step:
    movzx ebp, byte ptr [r12+1]
    mov rdi, [r12+16]
    test bpl, 1
    jz 1f
    mov rdi, [rdi]
1:  mov rsi, [r12+24]
    test bpl, 2
    jz 1f
    mov rsi, [rsi]
1:  mov rdx, [r12+32]
    test bpl, 4
    jz 1f
    mov rdx, [rdx]
1:  mov r10, [r12+40]
    test bpl, 8
    jz 1f
    mov r10, [r10]
1:  mov r8, [r12+48]
    test bpl, 16
    jz 1f
    mov r8, [r8]
1:  mov r9, [r12+56]
    test bpl, 32
    jz 1f
    mov r9, [r9]
1:  movzx eax, byte ptr [r12]
    movzx ecx, byte ptr [r12+2]
    cmp al, 3
    jb call
    je jump
    cmp al, 5
    jb jump_if
    je compute
    cmp al, 7
    jb load
    je store
    # RETURN
    mov rax, rdi
    pop rbp
    pop r12
    pop rbx
    ret

call:
    mov rax, [r12+8]
    syscall
    cmp byte ptr [r12], 2
    jne 1f
    test rax, rax
    jz jump                     # the child; it must not touch a result its parent may share
1:  mov [r12+64], rax
    cmp rax, -4095
    jb next
    cmp byte ptr [r12], 0
    je next
    mov [rbx-8], r12
    cmp byte ptr [r12], 1
    jne next
jump:
    mov eax, [r12+4]
    lea r12, [rbx+rax]
    jmp step

jump_if:                        # 0 ==  1 !=  2 < signed  3 >= signed  4 any common bit
    cmp cl, 4
    je 4f
    cmp rdi, rsi
    mov eax, 0
    setl al
    mov edx, 0
    sete dl
    cmp cl, 1
    jb 1f                       # ==
    je 2f                       # !=
    cmp cl, 3
    jb 3f                       # <
    test al, al
    jz jump
    jmp next
1:  test dl, dl
    jnz jump
    jmp next
2:  test dl, dl
    jz jump
    jmp next
3:  test al, al
    jnz jump
    jmp next
4:  test rdi, rsi
    jnz jump
    jmp next

compute:                        # 0 a  1 a+b  2 a-b  3 a&b  4 a|b  5 a<<b  6 a>>b unsigned  7 a*b  8 a/b unsigned
    mov rax, rdi
    cmp cl, 0
    je result
    cmp cl, 2
    jb 1f
    je 2f
    cmp cl, 4
    jb 3f
    je 4f
    cmp cl, 6
    jb 5f
    je 6f
    cmp cl, 8
    jb 7f
    xor edx, edx
    div rsi
    jmp result
1:  add rax, rsi
    jmp result
2:  sub rax, rsi
    jmp result
3:  and rax, rsi
    jmp result
4:  or rax, rsi
    jmp result
5:  mov ecx, esi
    shl rax, cl
    jmp result
6:  mov ecx, esi
    shr rax, cl
    jmp result
7:  imul rax, rsi
result:
    mov [r12+64], rax
next:
    add r12, 72
    jmp step

load:                           # *(width *)(a + b); width 1, 2, 4 (zero-extended), 8; 5 is 4 sign-extended
    add rdi, rsi
    cmp cl, 2
    jb 1f
    je 2f
    cmp cl, 5
    jb 3f
    je 4f
    mov rax, [rdi]
    jmp result
1:  movzx eax, byte ptr [rdi]
    jmp result
2:  movzx eax, word ptr [rdi]
    jmp result
3:  mov eax, dword ptr [rdi]
    jmp result
4:  movsxd rax, dword ptr [rdi]
    jmp result

store:                          # *(width *)(a + c) = b
    add rdi, rdx
    cmp cl, 2
    jb 1f
    je 2f
    cmp cl, 4
    je 3f
    mov [rdi], rsi
    jmp next
1:  mov [rdi], sil
    jmp next
2:  mov [rdi], si
    jmp next
3:  mov [rdi], esi
    jmp next

.globl thread_pointer
thread_pointer:
    mov rax, fs:0
    ret
