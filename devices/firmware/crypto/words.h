/**
 * Arithmetic on strings of 32-bit words, lowest first: assembly on ARMv6-M (words_m0.S), C elsewhere (words.c).
 * All of it takes the same time for all values; lengths are public.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stdint.h>

/** r = a + b + carry over 8 words; gives the carry out. `carry` is 0 or 1. r may be a or b. */
uint32_t words_add8(uint32_t *r, const uint32_t *a, const uint32_t *b, uint32_t carry);
/** r = a - b over 8 words; gives the borrow (0 or 1). r may be a or b. */
uint32_t words_sub8(uint32_t *r, const uint32_t *a, const uint32_t *b);
/** r += value over 8 words; gives the carry. */
uint32_t words_increase8(uint32_t *r, uint32_t value);
/** r -= value over 8 words; gives the borrow. */
uint32_t words_decrease8(uint32_t *r, uint32_t value);
/** r[0..n-1] += a * b[0..n-1] for 1 <= n <= 8; gives the word carried out. r and b may overlap if r <= b. */
uint32_t words_row(uint32_t *r, uint32_t a, const uint32_t *b, uint32_t n);
/** r[0..7] += 38 * r[8..15]; gives the word carried out. */
uint32_t words_fold16(uint32_t *r);

#endif
