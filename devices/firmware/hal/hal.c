#include "hal/hal.h"

#include "hal/chip.h"
#include "hal/cpu.h"

/** Stack with the coprocessor, and with public-key operations in software (crypto/crypto.h); measured by tools/size.mjs. */
#ifndef CARD_SMALL
#define STACK_COPROCESSOR 1440u
#define STACK_SOFTWARE 1856u
#else
#define STACK_COPROCESSOR 1200u
#define STACK_SOFTWARE 1664u
#endif

extern uint8_t ram_static_end[];

uint32_t hal_ram_size(void)
{
    return SYSCTL_RAM_SIZE;
}

uint32_t hal_eeprom_size(void)
{
    return SYSCTL_EEPROM_SIZE;
}

bool hal_coprocessor(void)
{
    return (SYSCTL_CAPS & CAPS_CRYPTO) != 0u;
}

void hal_uid(uint8_t uid[16])
{
    for (uint32_t i = 0; i < 16u; i++) {
        uid[i] = (uint8_t)(SYSCTL_UID(i / 4u) >> (8u * (i % 4u)));
    }
}

void hal_random(uint8_t *out, size_t length)
{
    while (length > 0u) {
        while ((RNG_STATUS & 1u) == 0u) {
        }
        uint32_t word = RNG_DATA;
        for (uint32_t i = 0; i < 4u && length > 0u; i++, length--, word >>= 8) {
            *out++ = (uint8_t)word;
        }
    }
}

void hal_trace_step(uint8_t embodiment, uint8_t a, uint8_t b, uint8_t outcome)
{
    TRACE_STEP = (uint32_t)embodiment << 24 | (uint32_t)a << 16 | (uint32_t)b << 8 | outcome;
}

uint32_t hal_cycles(void)
{
    return TIMER_CYCLE_LO;
}

/** No product leaves 32 bits: clocks to about 5 million at core clocks to 800 times the contact clock. */
uint32_t hal_contact_clocks(uint32_t clocks)
{
    uint32_t ratio = ((SYSCTL_CORE_HZ >> 8) << 6) / (SYSCTL_CARD_HZ >> 8) + 1u;
    return (clocks >> 6) * ratio + ratio;
}

uint8_t *hal_ram_free(void)
{
    return ram_static_end;
}

uint32_t hal_stack_reserve(void)
{
    return hal_coprocessor() ? STACK_COPROCESSOR : STACK_SOFTWARE;
}

void hal_idle(void)
{
    cpu_disable();
    if ((EEPROM_STATUS & EEPROM_BUSY) != 0u) {
        EEPROM_IE = EEPROM_DONE;
        cpu_sleep();
        EEPROM_IE = 0;
    } else if (hal_coprocessor() && (CRYPTO_STATUS & CRYPTO_BUSY) != 0u) {
        CRYPTO_IE = CRYPTO_IE_DONE;
        cpu_sleep();
        CRYPTO_IE = 0;
    }
    cpu_enable();
}

/** The coprocessor driver's wait (crypto/crypto.h). In software it comes far too often to look at anything. */
void crypto_idle(void);
void crypto_idle(void)
{
    if (hal_coprocessor()) {
        hal_idle();
    }
}
