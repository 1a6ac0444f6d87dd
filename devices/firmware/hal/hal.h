/** The chip as the rest of the firmware sees it. Sizes in bytes, times in core clock cycles. */
#ifndef HAL_H
#define HAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** RAM of this chip. */
uint32_t hal_ram_size(void);
/** EEPROM of this chip. */
uint32_t hal_eeprom_size(void);
/** True where the chip has the crypto coprocessor. */
bool hal_coprocessor(void);
/** The 16 bytes of the chip's own number. */
void hal_uid(uint8_t uid[16]);
/** Fills `out` with random bytes from the chip's source. */
void hal_random(uint8_t *out, size_t length);

/**
 * Step mark (docs/protocol.md, 2.6): step `a`-`b` of embodiment `embodiment`; outcome 0 done, 1 refused.
 * No effect on the card.
 */
void hal_trace_step(uint8_t embodiment, uint8_t a, uint8_t b, uint8_t outcome);

/**
 * Call in a loop while EEPROM or coprocessor are busy: sleeps until one of them ends or the link needs the
 * core, returns at once when neither is busy. Waiting-time extensions (T=0 NULL, T=1 S(WTX)) are sent from
 * interrupts, so they also work where this is never called.
 */
void hal_idle(void);

/** Cycles since reset, low word. */
uint32_t hal_cycles(void);

/** Core cycles that `clocks` contact-clock cycles take, rounded up. */
uint32_t hal_contact_clocks(uint32_t clocks);

/** First free byte of RAM after the static data. */
uint8_t *hal_ram_free(void);
/** Bytes at the top of RAM kept for the stack: depends on what the chip has in hardware. */
uint32_t hal_stack_reserve(void);

/** Firmware start after RAM is set up; never returns. Defined by link/. */
_Noreturn void firmware_main(void);

/* Primitives of the compiler. */
void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);

#endif
