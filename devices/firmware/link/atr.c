/** Answer to reset and choice of protocol and speed (ISO/IEC 7816-3, 8 and 9). */
#include "hal/hal.h"
#include "link/link.h"

/** After RST rises: 400 to 40,000 contact clocks (6.2.1). */
#define ATR_CLOCKS 1000u
/** Fi = 512, Di = 16: 32 contact clocks per etu, the fastest that is served on a core at the contact clock. */
#define TA1 0x95u
#define CLOCKS_PER_ETU_MIN 32u
#define PPSS 0xFFu
/** Waiting time before the protocol is chosen, etu. */
#define INITIAL_WT 9600u

void atr_send(void)
{
    const uint8_t atr[] = {
        0x3B,
        0x97,             /* T0: TA1, TD1, 7 historical bytes */
        TA1,
        0x80,             /* TD1: T=0, TD2 */
        0x31,             /* TD2: T=1, TA3, TB3 */
        link_ifsc(),      /* TA3: IFSC */
        LINE_BWI << 4 | LINE_CWI,
        0x80,             /* historical: COMPACT-TLV (ISO/IEC 7816-4, 12.1.1) */
        0x31, 0x80,       /* selection by full DF name */
        0x73, 0x80, 0x01, 0x80, /* capabilities: full DF name; data units of 1 byte; chaining, no extended length */
    };
    uint32_t wait = hal_contact_clocks(ATR_CLOCKS);
    uint8_t check = 0;
    while (hal_cycles() < wait) {
    }
    for (uint32_t i = 0; i < sizeof atr; i++) {
        line_send(atr[i]);
        check ^= i == 0u ? 0u : atr[i];
    }
    line_send(check);
    line_flush();
}

/** F and D of a PPS1 that is served, 0 otherwise: F in bits 0-15, D above (tables 7 and 8). */
static uint32_t speed_of(uint8_t pps1)
{
    uint32_t f = pps1 >> 4 == 1u ? 372u : pps1 >> 4 == 9u ? 512u : 0u;
    uint32_t di = pps1 & 0x0Fu;
    if (f == 0u || di < 1u || di > 5u || f >> (di - 1u) < CLOCKS_PER_ETU_MIN) {
        return 0;
    }
    return (uint32_t)1 << (di - 1u) << 16 | f;
}

/** Reads PPS0 to PCK after PPSS: number of bytes in `pps`, 0 when late, wrong or a protocol not offered. */
static uint32_t read_pps(uint8_t pps[6])
{
    uint32_t count = 3;
    uint8_t check = PPSS;
    pps[0] = PPSS;
    line_timeout(INITIAL_WT);
    for (uint32_t i = 1; i < count; i++) {
        int byte = line_get();
        if (byte < 0) {
            return 0;
        }
        pps[i] = (uint8_t)byte;
        check ^= (uint8_t)byte;
        if (i == 1u) {
            count += (pps[1] >> 4 & 1u) + (pps[1] >> 5 & 1u) + (pps[1] >> 6 & 1u);
        }
    }
    return check == 0u && (pps[1] & 0x8Fu) <= 1u ? count : 0u;
}

/** Answers: PPS1 echoed where it is served, PPS2 and PPS3 never (9.3). Gives the speed. */
static uint32_t answer_pps(const uint8_t pps[6])
{
    uint32_t speed = (pps[1] & 0x10u) != 0u ? speed_of(pps[2]) : 0u;
    uint8_t pps0 = (uint8_t)((pps[1] & 0x0Fu) | (speed != 0u ? 0x10u : 0u));
    line_gap(6);
    line_send(PPSS);
    line_send(pps0);
    if (speed != 0u) {
        line_send(pps[2]);
    }
    line_send((uint8_t)(PPSS ^ pps0 ^ (speed != 0u ? pps[2] : 0u)));
    line_flush();
    return speed;
}

uint8_t pps_choose(void)
{
    uint8_t pps[6];
    for (;;) {
        line_timeout(0);
        (void)line_fill(1);
        if (line_block()[0] != PPSS) {
            return 0;
        }
        (void)line_get();
        if (read_pps(pps) != 0u) {
            uint32_t speed = answer_pps(pps);
            if (speed != 0u) {
                line_speed(speed & 0xFFFFu, speed >> 16);
            }
            return pps[1] & 0x0Fu;
        }
        line_drop();
    }
}
