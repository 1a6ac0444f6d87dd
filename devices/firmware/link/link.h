/** What the files of link/ share. */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "link/line.h"

/** Information field size of the card, bytes: TA3. */
uint8_t link_ifsc(void);

/** Sends the ATR (ISO/IEC 7816-3, 8.2). */
void atr_send(void);
/**
 * PPS (ISO/IEC 7816-3, 9) if the first character is FF; otherwise that character stays to be read.
 * Gives the protocol, 0 or 1; a faulty request is not answered and the next character awaited.
 */
uint8_t pps_choose(void);

/** Serve commands for ever. */
_Noreturn void t0_serve(void);
_Noreturn void t1_serve(void);

/** Clears chain and answer. `buf`: the APDU buffer. */
void apdu_start(uint8_t *buf, uint16_t capacity);

/** Start of a command: drops what the new header ends (docs/protocol.md, 2.1). */
void apdu_open(const uint8_t header[4]);
/** True for GET RESPONSE, which takes no data. */
bool apdu_is_get_response(void);
/** Takes command data in; what the buffer cannot hold is counted only. */
void apdu_data(const uint8_t *bytes, uint16_t count);
/** True if `count` more bytes of command data fit. */
bool apdu_fits(uint16_t count);
/** Carries the command out with keep-alive. False: RESYNCH came meanwhile. */
bool apdu_run(enum line_keep keep);
/** Ends a command with a status word of the link itself; the chain is dropped. */
void apdu_refuse(uint16_t sw);

/** Bytes of the answer not yet sent. */
uint16_t apdu_rest(void);
/** A piece of the answer, taken from the rest, with the status word that follows it. */
struct piece {
    const uint8_t *bytes;
    uint16_t count;
    uint16_t sw;
};
/** Takes at most `le` bytes. */
struct piece apdu_take(uint16_t le);
/** Forgets chain and answer. */
void apdu_reset(void);

#endif
