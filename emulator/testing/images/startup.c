/* Start-up of the test images: vector table, .data, .bss, main, then BKPT with main's result in r0. */
#include <stdint.h>

extern uint32_t __stack_top, __data_load, __data_start, __data_end, __bss_start, __bss_end;
int main(void);
void reset_handler(void);

static void hang(void) { for (;;) __asm volatile("udf #1"); }

#ifdef TICK
/* SysTick live: an interrupt every TICK cycles. */
#define SYST ((volatile uint32_t *)0xe000e010)
static volatile uint32_t ticks;
static void tick(void) { ticks++; }
#else
#define tick hang
#endif

__attribute__((section(".vectors"), used)) void *const vectors[48] = {
    [0] = &__stack_top, [1] = (void *)reset_handler, [2] = (void *)hang, [3] = (void *)hang, [15] = (void *)tick,
};

__attribute__((noreturn)) void reset_handler(void) {
    uint32_t *from = &__data_load;
    for (uint32_t *to = &__data_start; to < &__data_end;) *to++ = *from++;
    for (uint32_t *to = &__bss_start; to < &__bss_end;) *to++ = 0;
#ifdef TICK
    SYST[1] = TICK - 1;
    SYST[2] = 0;
    SYST[0] = 7;
#endif
    register int result __asm("r0") = main();
    __asm volatile("bkpt #0" : : "r"(result));
    for (;;) {}
}
