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

void words_gf128(uint32_t y[4], const uint32_t h[4])
{
    uint32_t z[4] = {0};
    for (uint32_t i = 128; i-- != 0u;) {
        uint32_t fold = 0x87u & (0u - (z[3] >> 31));
        uint32_t take = 0u - (y[i >> 5] >> (i & 31u) & 1u);
        for (uint32_t k = 3; k > 0u; k--) {
            z[k] = (z[k] << 1 | z[k - 1u] >> 31) ^ (h[k] & take);
        }
        z[0] = z[0] << 1 ^ fold ^ (h[0] & take);
    }
    for (uint32_t k = 0; k < 4u; k++) {
        y[k] = z[k];
    }
}

#else
/** A translation unit must not be empty (C11, 6.9). */
typedef int words_are_in_assembly;
#endif
