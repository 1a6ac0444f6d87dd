#include "nvm/nvm.h"

#include "crypto/crypto.h"
#include "hal/eeprom.h"
#include "hal/hal.h"
#include "nvm/journal.h"

/** A page that misses its content is written anew so many times before it counts as worn. */
#define TRIES 3

uint16_t nvm_pages(void)
{
    static uint16_t pages;
    if (pages == 0u && eeprom_page_size() == NVM_PAGE) {
        pages = (uint16_t)(hal_eeprom_size() / NVM_PAGE);
    }
    return pages;
}

const uint8_t *nvm_at(uint16_t page)
{
    if (page >= nvm_pages()) {
        return NULL;
    }
    return eeprom_window() + NVM_PAGE * (uint32_t)journal_place(page);
}

bool nvm_page_absent(uint16_t page)
{
    const uint8_t *bytes = nvm_at(page);
    return bytes != NULL && page_is_erased(bytes);
}

bool page_is_erased(const uint8_t *bytes)
{
    uint8_t all = 0xFF;
    for (uint32_t i = 0; i < NVM_PAGE; i++) {
        all &= bytes[i];
    }
    return all == 0xFFu;
}

uint32_t page_crc(const uint8_t *bytes)
{
    return crypto_crc32(CRYPTO_CRC32_START, bytes, NVM_CRC);
}

bool nvm_page_valid(uint16_t page)
{
    const uint8_t *bytes = nvm_at(page);
    if (bytes == NULL) {
        return false;
    }
    uint32_t crc = (uint32_t)bytes[NVM_CRC] | (uint32_t)bytes[NVM_CRC + 1u] << 8 | (uint32_t)bytes[NVM_CRC + 2u] << 16
        | (uint32_t)bytes[NVM_CRC + 3u] << 24;
    return crc == page_crc(bytes);
}

int page_write(uint16_t page, const uint8_t *data)
{
    for (int i = 0; i < TRIES; i++) {
        if (eeprom_write(page, data) == 0) {
            return NVM_OK;
        }
    }
    return NVM_WORN;
}

int nvm_put(uint16_t page, const uint8_t data[NVM_PAGE])
{
    return page < nvm_pages() ? page_write(page, data) : NVM_ERROR;
}

int nvm_erase(uint16_t page)
{
    return page < nvm_pages() ? page_write(page, NULL) : NVM_ERROR;
}
