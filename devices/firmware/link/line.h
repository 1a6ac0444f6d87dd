/**
 * The line: characters in and out through the UART, waiting times, and the keep-alive that interrupts send
 * while the application works. Times in etu are those of the F and D in force.
 */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

/** Character waiting time for T=1: CWT = 11 + 2^CWI (ISO/IEC 7816-3, 11.4.3). */
#define LINE_CWI 5u
/** Block waiting time for T=1: 11 etu + 2^BWI * 960 * 372 contact clocks. */
#define LINE_BWI 2u

/** What keeps the terminal waiting. */
enum line_keep { KEEP_OFF = 0, KEEP_NULL = 1, KEEP_WTX = 2 };

/** Resets the line: F = 372, D = 1, characters of up to `size` kept in `ring` until they are taken. */
void line_start(uint8_t *ring, uint16_t size);
/** F and D from the next character on, when all characters are out. */
void line_speed(uint32_t f, uint32_t d);
/** T=1: no error signal. When all characters are out. */
void line_block_mode(void);

/** Sends a character when there is room for it. */
void line_send(uint8_t byte);
/** Waits until nothing is being sent. */
void line_flush(void);
/** Waits until `etu` have passed since the last character came in (10 etu after its leading edge). */
void line_gap(uint32_t etu);

/** From now on and from each leading edge: line_get() and line_fill() give up after so many etu; 0 = never. */
void line_timeout(uint32_t etu);
/** The next character, or -1 when the time is over. */
int line_get(void);

/** Characters as a block: line_drop() forgets all, line_fill() waits until `count` are there, false when late. */
void line_drop(void);
bool line_fill(uint16_t count);
const uint8_t *line_block(void);
/** Waits for silence of the waiting time, whatever comes. */
void line_silence(uint32_t etu);
/** True if a character since the last line_drop() was wrong or lost. */
bool line_bad(void);

/** The application starts to work: keep the terminal waiting from now on. */
void line_work_begin(enum line_keep keep);
/** Answer ready: ends the keep-alive; for T=1 after the exchange under way. False: RESYNCH came instead. */
bool line_work_end(void);

#endif
