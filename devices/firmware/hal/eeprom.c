#include "hal/eeprom.h"

#include "hal/chip.h"
#include "hal/hal.h"

#define PAGE_WORDS 16u

const uint8_t *eeprom_window(void)
{
    return (const uint8_t *)CHIP_EEPROM_BASE;
}

uint32_t eeprom_page_size(void)
{
    return SYSCTL_EEPROM_PAGE;
}

void eeprom_wait(void)
{
    while ((EEPROM_STATUS & EEPROM_BUSY) != 0u) {
        hal_idle();
    }
}

static void fill(const uint8_t *data)
{
    for (uint32_t i = 0; i < PAGE_WORDS; i++, data += 4) {
        EEPROM_BUFFER(i) = (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
    }
}

/** One command; 0 when the page then reads as the buffer. */
static int run(uint32_t page, const uint8_t *data, uint32_t phases)
{
    const volatile uint32_t *cells = (const volatile uint32_t *)(CHIP_EEPROM_BASE + page * 4u * PAGE_WORDS);
    uint32_t differ = 0;
    eeprom_wait();
    while ((SYSCTL_SUPPLY & SUPPLY_GOOD) == 0u) {
    }
    EEPROM_STATUS = EEPROM_CLEAR;
    EEPROM_FILL = 0;
    if (data != NULL) {
        fill(data);
    }
    EEPROM_ADDR = page * 4u * PAGE_WORDS;
    EEPROM_KEY = EEPROM_KEY1;
    EEPROM_KEY = EEPROM_KEY2;
    EEPROM_CMD = EEPROM_FORCE | phases;
    eeprom_wait();
    for (uint32_t i = 0; i < PAGE_WORDS; i++) {
        differ |= cells[i] ^ EEPROM_BUFFER(i);
    }
    return differ != 0u || (EEPROM_STATUS & (EEPROM_ERRORS | EEPROM_VERIFY)) != 0u;
}

int eeprom_write(uint32_t page, const uint8_t *data)
{
    return run(page, data, EEPROM_ERASE | (data != NULL ? EEPROM_PROGRAM : 0u));
}

int eeprom_program(uint32_t page, const uint8_t *data)
{
    return run(page, data, EEPROM_PROGRAM);
}
