/** Vector table and the way from reset to firmware_main(). */
#include "hal/chip.h"
#include "hal/cpu.h"
#include "hal/hal.h"

extern uint32_t ram_static_start[];
extern uint32_t ram_static_end[];

void reset_handler(void);
void uart_interrupt(void);
void timer_interrupt(void);
_Noreturn void firmware_start(void);

/** Fault: mute until the next reset, as ISO/IEC 7816-3 lets a card be. */
static void fault_handler(void)
{
    cpu_disable();
    for (;;) {
        cpu_sleep();
    }
}

/** EEPROM and coprocessor only wake the core (hal_idle). */
static void wake_interrupt(void)
{
    EEPROM_IE = 0;
    if (hal_coprocessor()) {
        CRYPTO_IE = 0;
    }
}

/** Never used: reset_handler() puts SP at the true top of RAM. So high that it is not taken for a depth reached. */
#define FIRST_SP (CHIP_RAM_BASE + 0x10000u)

__attribute__((section(".vectors"), used)) static void (*const vectors[20])(void) = {
    (void (*)(void))FIRST_SP,
    reset_handler,
    [2] = fault_handler,
    [3] = fault_handler,
    [11] = fault_handler,
    [14] = fault_handler,
    [15] = fault_handler,
    [16 + IRQ_UART] = uart_interrupt,
    [16 + IRQ_EEPROM] = wake_interrupt,
    [16 + IRQ_TIMER] = timer_interrupt,
    [16 + IRQ_CRYPTO] = wake_interrupt,
};

__attribute__((naked)) void reset_handler(void)
{
    __asm volatile(".syntax unified\n"
                   "ldr r0, 1f\n"
                   "ldr r0, [r0]\n"
                   "ldr r1, 2f\n"
                   "adds r0, r0, r1\n"
                   "mov sp, r0\n"
                   "bl firmware_start\n"
                   ".align 2\n"
                   "1: .word 0x4000000C\n"
                   "2: .word 0x20000000\n");
}

/** Clears the static data; there is no initialised data (link.ld refuses it). */
_Noreturn void firmware_start(void)
{
    for (uint32_t *word = ram_static_start; word < ram_static_end; word++) {
        *word = 0;
    }
    NVIC_ISER = 1u << IRQ_UART | 1u << IRQ_EEPROM | 1u << IRQ_TIMER | (hal_coprocessor() ? 1u << IRQ_CRYPTO : 0u);
    firmware_main();
}
