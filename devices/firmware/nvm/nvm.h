/** Non-volatile memory in pages of 64 bytes: reading, data regions, atomic changes (docs/firmware.md). */
#ifndef NVM_H
#define NVM_H

#include <stdbool.h>
#include <stdint.h>

/** Bytes of a page. */
#define NVM_PAGE 64u
/** Offset of a page's CRC-32 over the bytes before it (metadata pages). */
#define NVM_CRC 60u

/** Pages of the layout that this layer owns. */
#define NVM_JOURNAL_HEADER 1u
#define NVM_JOURNAL_SLOT 2u

/** Outcome. With NVM_WORN and NVM_ERROR nothing has changed: the state is the one before. */
enum {
    NVM_OK = 0,
    /** A page does not hold what was written, retries included. */
    NVM_WORN = 1,
    /** Page out of range, more than two pages in one change, or a chip with another page size. */
    NVM_ERROR = 2
};

/** Pages of this chip; 0 where the EEPROM's page size is not 64 bytes. */
uint16_t nvm_pages(void);
/** Current content of a page, memory mapped (64 bytes); NULL out of range. Valid until the next change. */
const uint8_t *nvm_at(uint16_t page);
/** True if the CRC in bytes 60-63 fits. An absent page is not valid. */
bool nvm_page_valid(uint16_t page);
/** True if all 64 bytes are FF. */
bool nvm_page_absent(uint16_t page);

/** Writes a page of a data region at once (FORCE erase and program) and reads it back. Not atomic. `data` may lie in the EEPROM window. */
int nvm_put(uint16_t page, const uint8_t data[NVM_PAGE]);
/** Erases a page of a data region at once (FORCE) and reads it back. Not atomic. */
int nvm_erase(uint16_t page);

/** Begins a change of at most two pages; drops one begun before. Nothing is written before the commit. */
void nvm_tx_begin(void);
/**
 * New content of a page, 64 bytes in RAM, preloaded with the current one (0 if the page is absent); the CRC
 * is set by the commit. The same page again gives the same image. NULL for a third page or out of range;
 * the commit then answers NVM_ERROR. Valid until the commit or the next nvm_tx_begin().
 */
uint8_t *nvm_tx_page(uint16_t page);
/** The page becomes absent (all FF) with the commit. */
void nvm_tx_erase(uint16_t page);
/**
 * Makes the change, all or nothing whenever power goes. NVM_OK: durable and visible through nvm_at(), also
 * where a target page is worn (it is then read from the journal, and later changes answer NVM_WORN).
 */
int nvm_tx_commit(void);

/**
 * Settles the journal: once after each reset, before anything else of the NVM is read. At most four page
 * operations. NVM_WORN: reading is right, changes will answer NVM_WORN.
 */
int nvm_settle(void);

#endif
