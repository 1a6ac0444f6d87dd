/** Commands as the application sees them: assembled from chains, answers of any length up to the buffer. */
#ifndef APDU_H
#define APDU_H

#include <stdbool.h>
#include <stdint.h>

/** One command and its answer. */
struct apdu {
    /** Class byte without the chaining bit. */
    uint8_t cla;
    uint8_t ins;
    uint8_t p1;
    uint8_t p2;
    /** Bytes of command data in buf (0 when there are none), all links of a chain together. */
    uint16_t lc;
    /** Command data, then the answer: the application writes it over the data. */
    uint8_t *buf;
    /** Bytes buf can hold: apdu_capacity(). */
    uint16_t cap;
    /** Bytes of the answer in buf; 0 at the call. The link sends them in pieces (61xx) as needed. */
    uint16_t out;
    /** True if the command came as a chain. */
    bool chained;
};

/** Longest assembled command and longest answer in bytes, by the RAM of this chip. */
uint16_t apdu_capacity(void);

/**
 * Carries out a command; defined by the application. Gives the status word; `out` bytes of `buf` are sent
 * before it (also with a status word other than 9000). Malformed lengths, chains and GET RESPONSE (00 C0)
 * never get here. Waiting time is looked after by interrupts meanwhile.
 */
uint16_t app_command(struct apdu *a);

/** Called once after each reset when the ATR is out and the journal is settled, before the first command. */
void app_boot(void);

#endif
