/**
 * Arithmetic on strings of 32-bit words, lowest first: assembly on ARMv6-M (words_m0.S), C elsewhere (words.c).
 * fe_add() and fe_sub() of fe25519.h are there too. All of it takes the same time for all values.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stdint.h>

/** r = a + b + carry over 8 words; gives the carry out. `carry` is 0 or 1. r may be a or b. */
uint32_t words_add8(uint32_t *r, const uint32_t *a, const uint32_t *b, uint32_t carry);
/** r = a - b over 8 words; gives the borrow (0 or 1). r may be a or b. */
uint32_t words_sub8(uint32_t *r, const uint32_t *a, const uint32_t *b);
/** r[0..7] += a * b[0..7]; gives the word carried out. */
uint32_t words_row(uint32_t *r, uint32_t a, const uint32_t *b);
/** wide[0..15] = a * b. wide overlaps neither. */
void words_mul8(uint32_t *wide, const uint32_t *a, const uint32_t *b);
/** wide[0..15] = a * a. wide does not overlap a. */
void words_square8(uint32_t *wide, const uint32_t *a);
/** r[0..7] = wide modulo 2^255 - 19, not always fully reduced. */
void words_reduce(uint32_t *r, const uint32_t *wide);
/**
 * y = y * h modulo x^128 + x^7 + x^2 + x + 1, the field of GCM; the coefficient of x^i is bit i of the 4 words.
 */
void words_gf128(uint32_t y[4], const uint32_t h[4]);

#endif
