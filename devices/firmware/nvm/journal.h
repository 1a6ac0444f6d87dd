/** What nvm.c and journal.c share. */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

/** The page that holds the current content of `page`: itself, or a journal slot while the page is worn. */
uint16_t journal_place(uint16_t page);
/** True if 64 bytes are all FF. */
bool page_is_erased(const uint8_t *bytes);
/** CRC-32 of the first 60 bytes. */
uint32_t page_crc(const uint8_t *bytes);
/** Erases the page and programs `data` unless NULL, again where it does not read back; NVM_OK or NVM_WORN. */
int page_write(uint16_t page, const uint8_t *data);

#endif
