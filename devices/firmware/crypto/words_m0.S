/* Word-string arithmetic for ARMv6-M; the contract is in words.h. MULS gives 32 bits only, so a product of
 * words is made of four products of halves. No branch depends on a value. */
#ifdef __arm__
    .syntax unified
    .cpu cortex-m0
    .thumb

    .macro function name
    .section .text.\name, "ax", %progbits
    .global \name
    .type \name, %function
    .thumb_func
    .balign 4
\name:
    .endm

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

    function words_increase8
    push {r4-r7, lr}
    mov r2, r0
    movs r3, #0
    ldmia r2!, {r4-r7}
    adds r4, r4, r1
    adcs r5, r3
    adcs r6, r3
    adcs r7, r3
    stmia r0!, {r4-r7}
    ldmia r2!, {r4-r7}
    adcs r4, r3
    adcs r5, r3
    adcs r6, r3
    adcs r7, r3
    stmia r0!, {r4-r7}
    adcs r3, r3
    mov r0, r3
    pop {r4-r7, pc}
    .size words_increase8, . - words_increase8

    function words_decrease8
    push {r4-r7, lr}
    mov r2, r0
    movs r3, #0
    ldmia r2!, {r4-r7}
    subs r4, r4, r1
    sbcs r5, r3
    sbcs r6, r3
    sbcs r7, r3
    stmia r0!, {r4-r7}
    ldmia r2!, {r4-r7}
    sbcs r4, r3
    sbcs r5, r3
    sbcs r6, r3
    sbcs r7, r3
    stmia r0!, {r4-r7}
    sbcs r3, r3
    rsbs r0, r3, #0
    pop {r4-r7, pc}
    .size words_decrease8, . - words_decrease8

/* One word of a row, 29 cycles. r0 = r, r1 and r2 = halves of a, r3 = carry in and out, r8 = b. */
    .macro step offset
    mov r4, r8
    ldr r4, [r4, #\offset]
    uxth r5, r4
    lsrs r4, r4, #16
    mov r6, r5
    muls r6, r1             /* low * low */
    muls r5, r2             /* high * low */
    mov r7, r4
    muls r7, r1             /* low * high */
    muls r4, r2             /* high * high */
    adds r5, r5, r7
    movs r7, #0
    adcs r7, r7
    lsls r7, r7, #16
    adds r4, r4, r7
    lsls r7, r5, #16
    lsrs r5, r5, #16
    adds r6, r6, r7
    adcs r4, r5
    movs r7, #0
    adds r6, r6, r3
    adcs r4, r7
    ldr r3, [r0, #\offset]
    adds r6, r6, r3
    adcs r4, r7
    str r6, [r0, #\offset]
    mov r3, r4
    .endm
    .equ STEP, 54           /* bytes */

    function words_row
    push {r4-r7, lr}
    mov r4, r8
    push {r4}
    /* Enter at step 8 - n, with r and b moved back by as many words. */
    movs r4, #8
    subs r4, r4, r3
    lsls r3, r4, #2
    subs r0, r0, r3
    subs r2, r2, r3
    mov r8, r2
    movs r5, #STEP
    muls r4, r5
    adr r5, .Lsteps
    adds r5, r5, #1         /* stay in Thumb state */
    adds r4, r4, r5
    lsrs r2, r1, #16
    uxth r1, r1
    movs r3, #0
    bx r4
    .balign 4
.Lsteps:
    step 0
    step 4
    step 8
    step 12
    step 16
    step 20
    step 24
    step 28
    mov r0, r3
    pop {r4}
    mov r8, r4
    pop {r4-r7, pc}
    .size words_row, . - words_row

    function words_fold16
    push {r4-r7, lr}
    movs r1, #38
    movs r2, #0             /* carry */
    movs r7, #0
    .rept 8
    ldr r3, [r0, #32]
    uxth r4, r3
    lsrs r3, r3, #16
    muls r4, r1
    muls r3, r1
    lsls r5, r3, #16
    lsrs r3, r3, #16
    adds r4, r4, r5
    adcs r3, r7
    ldr r5, [r0]
    adds r4, r4, r2
    adcs r3, r7
    adds r4, r4, r5
    adcs r3, r7
    stmia r0!, {r4}
    mov r2, r3
    .endr
    mov r0, r2
    pop {r4-r7, pc}
    .size words_fold16, . - words_fold16
#endif
