/**
 * A stand-in for the application, to test link and NVM on the chip alone (images/link.elf). CLA 80:
 * 02 echo; 04 answer of P1P2 bytes 00 01 02 ..; 06 work for P1P2 * 1024 cycles, then echo;
 * 08 change page P1 (and P2 unless 0) to the first data byte; 0A read page P1; 0C erase page P1 in a change;
 * 0E write data page P1; 12 lc and chained flag; 14 boots counted by app_boot since power-on; 16 apdu_capacity.
 */
#include "hal/hal.h"
#include "link/apdu.h"
#include "nvm/nvm.h"

static uint8_t boots;

void app_boot(void)
{
    boots++;
}

static uint16_t outcome(int result)
{
    return result == NVM_OK ? 0x9000u : result == NVM_WORN ? 0x6581u : 0x6A80u;
}

static uint16_t change(struct apdu *a)
{
    uint8_t value = a->lc != 0u ? a->buf[0] : 0u;
    nvm_tx_begin();
    uint8_t *page = nvm_tx_page(a->p1);
    if (page != NULL) {
        memset(page, value, NVM_CRC);
    }
    page = a->p2 != 0u ? nvm_tx_page(a->p2) : NULL;
    if (page != NULL) {
        memset(page, value, NVM_CRC);
    }
    return outcome(nvm_tx_commit());
}

static uint16_t pattern(struct apdu *a)
{
    a->out = (uint16_t)(a->p1 << 8 | a->p2);
    for (uint16_t i = 0; i < a->out && i < a->cap; i++) {
        a->buf[i] = (uint8_t)i;
    }
    return 0x9000;
}

static void work(uint32_t cycles)
{
    uint32_t start = hal_cycles();
    while (hal_cycles() - start < cycles) {
        hal_idle();
    }
}

static uint16_t memory(struct apdu *a)
{
    const uint8_t *page = nvm_at(a->p1);
    switch (a->ins) {
    case 0x08:
        return change(a);
    case 0x0A:
        if (page == NULL) {
            return 0x6A82;
        }
        memcpy(a->buf, page, NVM_PAGE);
        a->out = NVM_PAGE;
        return 0x9000;
    case 0x0C:
        nvm_tx_begin();
        nvm_tx_erase(a->p1);
        return outcome(nvm_tx_commit());
    case 0x0E:
        return a->lc == NVM_PAGE ? outcome(nvm_put(a->p1, a->buf)) : 0x6700u;
    default:
        return 0x6D00;
    }
}

uint16_t app_command(struct apdu *a)
{
    if (a->cla != 0x80u) {
        return 0x6E00;
    }
    switch (a->ins) {
    case 0x06:
        work((uint32_t)(a->p1 << 8 | a->p2) << 10);
        a->out = a->lc;
        return 0x9000;
    case 0x02:
        a->out = a->lc;
        return 0x9000;
    case 0x04:
        return pattern(a);
    case 0x12:
        a->buf[0] = (uint8_t)(a->lc >> 8);
        a->buf[1] = (uint8_t)a->lc;
        a->buf[2] = a->chained;
        a->out = 3;
        return 0x9000;
    case 0x14:
        a->buf[0] = boots;
        a->out = 1;
        return 0x9000;
    case 0x16:
        a->buf[0] = (uint8_t)(a->cap >> 8);
        a->buf[1] = (uint8_t)a->cap;
        a->out = 2;
        return a->cap == apdu_capacity() ? 0x9000u : 0x6A80u;
    default:
        return memory(a);
    }
}
