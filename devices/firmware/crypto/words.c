/** Portable form of words_m0.S, for tests on the host. */
#include "fe25519.h"
#include "words.h"

#ifndef __arm__

uint32_t words_add8(uint32_t *r, const uint32_t *a, const uint32_t *b, uint32_t carry)
{
    uint64_t sum = carry;
    for (uint32_t i = 0; i < 8u; i++) {
        sum += (uint64_t)a[i] + b[i];
        r[i] = (uint32_t)sum;
        sum >>= 32;
    }
    return (uint32_t)sum;
}

uint32_t words_sub8(uint32_t *r, const uint32_t *a, const uint32_t *b)
{
    uint32_t borrow = 0;
    for (uint32_t i = 0; i < 8u; i++) {
        uint64_t difference = (uint64_t)a[i] - b[i] - borrow;
        r[i] = (uint32_t)difference;
        borrow = (uint32_t)(difference >> 63);
    }
    return borrow;
}

uint32_t words_row(uint32_t *r, uint32_t a, const uint32_t *b)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 8u; i++) {
        sum += (uint64_t)a * b[i] + r[i];
        r[i] = (uint32_t)sum;
        sum >>= 32;
    }
    return (uint32_t)sum;
}

void words_mul8(uint32_t *wide, const uint32_t *a, const uint32_t *b)
{
    for (uint32_t i = 0; i < 8u; i++) {
        wide[i] = 0;
    }
    for (uint32_t i = 0; i < 8u; i++) {
        wide[i + 8u] = words_row(wide + i, a[i], b);
    }
}

void words_square8(uint32_t *wide, const uint32_t *a)
{
    words_mul8(wide, a, a);
}

/** r += 38 * carry. A second overflow leaves r so small that the last step ends in the lowest word. */
static void settle(uint32_t *r, uint32_t carry)
{
    const uint32_t more[8] = {38u * carry};
    r[0] += 38u * words_add8(r, r, more, 0);
}

void words_reduce(uint32_t *r, const uint32_t *wide)
{
    uint32_t sum[8];
    for (uint32_t i = 0; i < 8u; i++) {
        sum[i] = wide[i];
    }
    uint32_t carry = words_row(sum, 38, wide + 8);
    for (uint32_t i = 0; i < 8u; i++) {
        r[i] = sum[i];
    }
    settle(r, carry);
}

void fe_add(fe r, const fe a, const fe b)
{
    settle(r, words_add8(r, a, b, 0));
}

void fe_sub(fe r, const fe a, const fe b)
{
    const uint32_t less[8] = {38u * words_sub8(r, a, b)};
    r[0] -= 38u * words_sub8(r, r, less);
}

#else
/** A translation unit must not be empty (C11, 6.9). */
typedef int words_are_in_assembly;
#endif
