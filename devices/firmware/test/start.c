/** Vector image on the chip: vector table, stack painting, BKPT between operations. */
#include "vectors.h"

extern uint32_t stack_bottom[];
extern uint32_t stack_top[];

#define PAINT 0xA5A5A5A5u

/** Stack that the last operation used below `here`, in bytes. */
static uint32_t used(const uint32_t *here)
{
    const uint32_t *word = stack_bottom;
    while (word < here && *(const volatile uint32_t *)word == PAINT) {
        word++;
    }
    return (uint32_t)(here - word) * 4u;
}

__attribute__((noreturn)) static void reset(void)
{
    uint32_t *here;
    for (uint32_t *word = (uint32_t *)(void *)&mailbox; word < (uint32_t *)(void *)(&mailbox + 1); word++) {
        *word = 0;
    }
    mailbox.magic = VECTORS_MAGIC;
    for (;;) {
        __asm__ volatile("mov %0, sp" : "=r"(here));
        for (uint32_t *word = stack_bottom; word < here; word++) {
            *(volatile uint32_t *)word = PAINT;
        }
        __asm__ volatile("bkpt #0" : : : "memory"); /* ready for an operation */
        vectors_dispatch();
        __asm__ volatile("bkpt #2" : : : "memory"); /* done; not yet measured */
        mailbox.stack = used(here);
    }
}

__attribute__((noreturn)) static void fault(void)
{
    for (;;) {
        __asm__ volatile("bkpt #1");
    }
}

__attribute__((section(".vectors"), used)) const void *const vectors[16] = {
    stack_top, (const void *)reset, (const void *)fault, (const void *)fault,
};
