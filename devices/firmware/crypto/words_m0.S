/* Word-string arithmetic for ARMv6-M; the contract is in words.h. MULS gives 32 bits only, so a product of
 * words is made of four products of halves. No branch depends on a value. */
#ifdef __arm__
    .syntax unified
    .cpu cortex-m0
    .thumb

    .macro function name
    .global \name
    .type \name, %function
    .thumb_func
\name:
    .endm

    .section .text.words_add8, "ax", %progbits
    .balign 4
    function words_add8
    push {r4-r7, lr}
    lsrs r3, r3, #1
    .rept 4
    ldmia r1!, {r4, r5}
    ldmia r2!, {r6, r7}
    adcs r4, r6
    adcs r5, r7
    stmia r0!, {r4, r5}
    .endr
    movs r0, #0
    adcs r0, r0
    pop {r4-r7, pc}
    .size words_add8, . - words_add8

    .section .text.words_sub8, "ax", %progbits
    .balign 4
    function words_sub8
    push {r4-r7, lr}
    subs r3, r3, r3
    .rept 4
    ldmia r1!, {r4, r5}
    ldmia r2!, {r6, r7}
    sbcs r4, r6
    sbcs r5, r7
    stmia r0!, {r4, r5}
    .endr
    sbcs r0, r0
    rsbs r0, r0, #0
    pop {r4-r7, pc}
    .size words_sub8, . - words_sub8

    .section .text.words_gf128, "ax", %progbits
    .balign 4
/* From the top coefficient of y down: z = z * x, and z += h where y has a 1. z is in r4 to r7. */
    function words_gf128
    push {r0, r4-r7, lr}
    mov r2, r8
    mov r3, r9
    push {r2, r3}
    adds r0, #16
    movs r4, #0
    movs r5, #0
    movs r6, #0
    movs r7, #0
.Lword:
    subs r0, #4
    ldr r2, [r0]
    mov r8, r2
    mov r9, r0
    movs r0, #32
.Lbit:
    movs r2, #0x87
    adds r4, r4, r4
    adcs r5, r5
    adcs r6, r6
    adcs r7, r7
    sbcs r3, r3             /* all ones unless a bit left z */
    bics r2, r3
    eors r4, r2
    mov r2, r8
    adds r2, r2, r2
    mov r8, r2
    sbcs r2, r2             /* all ones where y has a 0 */
    ldr r3, [r1]
    bics r3, r2
    eors r4, r3
    ldr r3, [r1, #4]
    bics r3, r2
    eors r5, r3
    ldr r3, [r1, #8]
    bics r3, r2
    eors r6, r3
    ldr r3, [r1, #12]
    bics r3, r2
    eors r7, r3
    subs r0, #1
    bne .Lbit
    mov r0, r9
    ldr r2, [sp, #8]
    cmp r0, r2
    bne .Lword
    stmia r0!, {r4-r7}
    pop {r2, r3}
    mov r8, r2
    mov r9, r3
    pop {r0, r4-r7, pc}
    .size words_gf128, . - words_gf128

    .section .text.words_field, "ax", %progbits
    .balign 4
    function fe_sub
    push {r4-r7, lr}
    subs r3, r3, r3
    .rept 4
    ldmia r1!, {r4, r5}
    ldmia r2!, {r6, r7}
    sbcs r4, r6
    sbcs r5, r7
    stmia r0!, {r4, r5}
    .endr
    sbcs r2, r2             /* -borrow */
    movs r3, #38
    ands r2, r3
    subs r0, #32
    mov r1, r0
    movs r3, #0
    ldmia r1!, {r4-r7}
    subs r4, r4, r2
    sbcs r5, r3
    sbcs r6, r3
    sbcs r7, r3
    stmia r0!, {r4-r7}
    ldmia r1!, {r4-r7}
    sbcs r4, r3
    sbcs r5, r3
    sbcs r6, r3
    sbcs r7, r3
    stmia r0!, {r4-r7}
    sbcs r3, r3
    movs r4, #38
    ands r3, r4
    subs r0, #32
    ldr r4, [r0]
    subs r4, r4, r3
    str r4, [r0]
    pop {r4-r7, pc}
    .size fe_sub, . - fe_sub

    function fe_add
    push {r4-r7, lr}
    movs r3, #0
    adds r3, r3, r3         /* carry = 0 */
    .rept 4
    ldmia r1!, {r4, r5}
    ldmia r2!, {r6, r7}
    adcs r4, r6
    adcs r5, r7
    stmia r0!, {r4, r5}
    .endr
    movs r2, #0
    adcs r2, r2
    movs r7, #38
/* r0 = end of r, r2 = what was carried out of it, r7 = 38, registers pushed: bring it back times 38. A second
 * overflow leaves r so small that the last step ends in the lowest word. */
.Lsettle:
    muls r2, r7
    subs r0, #32
    mov r1, r0
    movs r3, #0
    ldmia r1!, {r4-r7}
    adds r4, r4, r2
    adcs r5, r3
    adcs r6, r3
    adcs r7, r3
    stmia r0!, {r4-r7}
    ldmia r1!, {r4-r7}
    adcs r4, r3
    adcs r5, r3
    adcs r6, r3
    adcs r7, r3
    stmia r0!, {r4-r7}
    adcs r3, r3
    movs r4, #38
    muls r3, r4
    subs r0, #32
    ldr r4, [r0]
    adds r4, r4, r3
    str r4, [r0]
    pop {r4-r7, pc}
    .size fe_add, . - fe_add

    function words_reduce
    push {r4-r7, lr}
    movs r2, #0             /* carry */
    movs r7, #38
    movs r6, #4
.Lfold:
    .rept 2
    ldr r3, [r1, #32]
    uxth r4, r3
    lsrs r3, r3, #16
    muls r4, r7
    muls r3, r7
    lsls r5, r3, #16
    lsrs r3, r3, #16
    adds r4, r4, r5
    movs r5, #0
    adcs r3, r5
    adds r4, r4, r2
    adcs r3, r5
    ldmia r1!, {r2}
    adds r4, r4, r2
    adcs r3, r5
    stmia r0!, {r4}
    mov r2, r3
    .endr
    subs r6, #1
    bne .Lfold
    b .Lsettle
    .size words_reduce, . - words_reduce

/* One word of a row, 28 cycles. r0 = r, r1 and r2 = halves of a, b on the stack; the carry comes in \carry
 * and goes out in \next. */
    .macro step offset, carry, next
    ldr \next, [sp, #\offset]
    uxth r5, \next
    lsrs \next, \next, #16
    mov r6, r5
    muls r6, r1             /* low * low */
    muls r5, r2             /* high * low */
    mov r7, \next
    muls r7, r1             /* low * high */
    muls \next, r2          /* high * high */
    adds r5, r5, r7
    movs r7, #0
    adcs r7, r7
    lsls r7, r7, #16
    adds \next, \next, r7
    lsls r7, r5, #16
    lsrs r5, r5, #16
    adds r6, r6, r7
    adcs \next, r5
    movs r7, #0
    adds r6, r6, \carry
    adcs \next, r7
    ldr \carry, [r0, #\offset]
    adds r6, r6, \carry
    adcs \next, r7
    str r6, [r0, #\offset]
    .endm
    .equ STEP, 50           /* bytes */

    .section .text.words_products, "ax", %progbits
    .balign 4
/* Row from the step at r7 on; r0 = r, r1 = a, b on the stack; r3 = word carried out. */
.Lrow_from:
    lsrs r2, r1, #16
    uxth r1, r1
    movs r3, #0
    movs r4, #0
    bx r7
.Lrow:
    lsrs r2, r1, #16
    uxth r1, r1
    movs r3, #0
    step 0, r3, r4
.Lsecond:
    step 4, r4, r3
    step 8, r3, r4
    step 12, r4, r3
    step 16, r3, r4
    step 20, r4, r3
    step 24, r3, r4
    step 28, r4, r3
    bx lr
    .if (. - .Lsecond) != 7 * STEP + 2
    .error "STEP is wrong"
    .endif

/* Copies the 8 words at r2 to the stack; r3 to r7 are lost. */
    .macro operand
    sub sp, #32
    mov r3, sp
    ldmia r2!, {r4-r7}
    stmia r3!, {r4-r7}
    ldmia r2!, {r4-r7}
    stmia r3!, {r4-r7}
    .endm

    .balign 4
    function words_row
    push {r4-r7, lr}
    operand
    bl .Lrow
    mov r0, r3
    add sp, #32
    pop {r4-r7, pc}
    .size words_row, . - words_row

    function words_square8
    mov r2, r1
    ldr r3, =.Lsecond + 1
    b .Lproduct

    function words_mul8
    movs r3, #0
/* r3 = 0: all rows whole. Else a square: row i starts at step i + 1, the first of them at r3. */
.Lproduct:
    push {r4-r7, lr}
    mov r4, r8
    mov r5, r9
    mov r6, r10
    push {r4-r6}
    mov r10, r3
    operand
    mov r8, r1
    mov r3, r0
    movs r4, #0
    movs r5, #0
    movs r6, #0
    movs r7, #0
    stmia r3!, {r4-r7}
    stmia r3!, {r4-r7}
    mov r9, r3
    mov r7, r10
    cmp r7, #0
    bne .Lsquare_row
.Lwhole_row:
    mov r4, r8
    ldmia r4!, {r1}
    mov r8, r4
    bl .Lrow
    str r3, [r0, #32]
    adds r0, #4
    cmp r0, r9
    bne .Lwhole_row
    b .Ldone
.Lsquare_row:
    mov r4, r8
    ldmia r4!, {r1}
    mov r8, r4
    mov r7, r10
    mov r4, r7
    adds r4, #STEP
    mov r10, r4
    bl .Lrow_from
    str r3, [r0, #32]
    adds r0, #4
    mov r4, r9
    subs r4, #4
    cmp r0, r4
    bne .Lsquare_row
    movs r3, #0
    str r3, [r0, #32]
    subs r0, #28
    /* Twice the mixed products plus the squares. r2 = carry of the sum, r3 = bit shifted out. */
    mov r1, sp
    movs r2, #0
.Ltwice:
    ldmia r1!, {r4}
    uxth r5, r4
    lsrs r4, r4, #16
    mov r6, r5
    muls r6, r4
    muls r5, r5
    muls r4, r4
    lsls r7, r6, #17
    lsrs r6, r6, #15
    adds r5, r5, r7
    adcs r4, r6
    ldr r6, [r0]
    ldr r7, [r0, #4]
    lsrs r3, r3, #1
    adcs r6, r6
    adcs r7, r7
    adcs r3, r3
    lsrs r2, r2, #1
    adcs r6, r5
    adcs r7, r4
    adcs r2, r2
    stmia r0!, {r6, r7}
    mov r4, r9
    adds r4, #32
    cmp r0, r4
    bne .Ltwice
.Ldone:
    add sp, #32
    pop {r4-r6}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    pop {r4-r7, pc}
    .size words_mul8, . - words_mul8
    .balign 4
    .pool
#endif
