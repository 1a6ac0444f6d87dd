/** The field of 2^255 - 19, shared by X25519 and Ed25519. Elements are 8 words below 2^256, not always reduced. */
#ifndef FE25519_H
#define FE25519_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t fe[8];

void fe_zero(fe r);
void fe_copy(fe r, const fe a);
/** r = value */
void fe_small(fe r, uint32_t value);
/* In all of these r may be an operand. */
void fe_add(fe r, const fe a, const fe b);
void fe_sub(fe r, const fe a, const fe b);
/** r = a * b; calls crypto_idle() once. */
void fe_mul(fe r, const fe a, const fe b);
/** r = a * a; calls crypto_idle() once. */
void fe_square(fe r, const fe a);
/** r = a * value */
void fe_scale(fe r, const fe a, uint32_t value);
/** r = a^((p - 5) / 8); r must not be a. Uses a temporary of the caller. */
void fe_power(fe r, const fe a, fe t);
/** r = 1 / a, and 0 for 0; r must not be a. Uses a temporary of the caller. */
void fe_invert(fe r, const fe a, fe t);
/** Brings a to its only form below p. */
void fe_reduce(fe a);
/** a == 0 modulo p; reduces a. */
bool fe_is_zero(fe a);
/** Swaps a and b if bit is 1; bit is 0 or 1. */
void fe_swap(fe a, fe b, uint32_t bit);

#endif
