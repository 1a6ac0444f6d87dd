/** Portable form of words_m0.S, for tests on the host. */
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

uint32_t words_increase8(uint32_t *r, uint32_t value)
{
    const uint32_t other[8] = {value};
    return words_add8(r, r, other, 0);
}

uint32_t words_decrease8(uint32_t *r, uint32_t value)
{
    const uint32_t other[8] = {value};
    return words_sub8(r, r, other);
}

uint32_t words_row(uint32_t *r, uint32_t a, const uint32_t *b, uint32_t n)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += (uint64_t)a * b[i] + r[i];
        r[i] = (uint32_t)sum;
        sum >>= 32;
    }
    return (uint32_t)sum;
}

uint32_t words_fold16(uint32_t *r)
{
    return words_row(r, 38, r + 8, 8);
}

#else
/** A translation unit must not be empty (C11, 6.9). */
typedef int words_are_in_assembly;
#endif
