/** One page operation of the EEPROM controller. The only file of hal that host tests replace. */
#ifndef EEPROM_H
#define EEPROM_H

#include <stdint.h>

/** Start of the EEPROM window (memory mapped, read only). */
const uint8_t *eeprom_window(void);
/** Bytes per page. */
uint32_t eeprom_page_size(void);
/**
 * Erases page `page` and, with `data` (64 bytes anywhere in memory), programs it; both phases forced.
 * Waits for the end (and first for an operation that a warm reset has left running, and for good supply).
 * Gives 0 when the page now reads as intended.
 */
int eeprom_write(uint32_t page, const uint8_t *data);
/**
 * Programs page `page` without erasing it: drives every cell that `data` has as 0 there to the end, leaves
 * the others. Gives 0 when the page now reads as `data`.
 */
int eeprom_program(uint32_t page, const uint8_t *data);
/** Waits for the end of an operation that a warm reset has left running: no page may be read before. */
void eeprom_wait(void);

#endif
