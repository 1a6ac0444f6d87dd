/** The field of 2^255 - 19. 2^256 = 38 modulo p, so what leaves 256 bits comes back times 38. */
#include "fe25519.h"
#include "internal.h"
#include "words.h"

#if CRYPTO_SOFTWARE

void fe_zero(fe r)
{
    fe_small(r, 0);
}

void fe_copy(fe r, const fe a)
{
    memcpy(r, a, sizeof(fe));
}

void fe_small(fe r, uint32_t value)
{
    for (uint32_t i = 0; i < 8u; i++) {
        r[i] = value;
        value = 0;
    }
}

void fe_mul(fe r, const fe a, const fe b)
{
    uint32_t wide[16];
    words_mul8(wide, a, b);
    words_reduce(r, wide);
    crypto_idle();
}

void fe_square(fe r, const fe a)
{
    uint32_t wide[16];
    words_square8(wide, a);
    words_reduce(r, wide);
    crypto_idle();
}

void fe_scale(fe r, const fe a, uint32_t value)
{
    uint32_t wide[16] = {0};
    wide[8] = words_row(wide, value, a);
    words_reduce(r, wide);
}

/** t = a^(2^n) */
static void squares(fe t, uint32_t n)
{
    while (n-- != 0u) {
        fe_square(t, t);
    }
}

void fe_power(fe r, const fe a, fe t)
{
    /* (p - 5) / 8 = 2^252 - 3. First a^(2^250 - 1): double the run of ones, and add one where 250 has a 1. */
    uint32_t ones = 1;
    fe_copy(r, a);
    for (uint32_t bit = 64; bit != 0u; bit >>= 1) {
        fe_copy(t, r);
        squares(t, ones);
        fe_mul(r, r, t);
        ones *= 2u;
        if ((250u & bit) != 0u) {
            fe_square(r, r);
            fe_mul(r, r, a);
            ones++;
        }
    }
    squares(r, 2);
    fe_mul(r, r, a);
}

void fe_invert(fe r, const fe a, fe t)
{
    /* p - 2 = 8 * (2^252 - 3) + 3 */
    fe_power(r, a, t);
    squares(r, 3);
    fe_mul(r, r, a);
    fe_mul(r, r, a);
    fe_mul(r, r, a);
}

/** a += value */
static void increase(fe a, uint32_t value)
{
    fe other;
    fe_small(other, value);
    (void)words_add8(a, a, other, 0);
}

void fe_reduce(fe a)
{
    /* Below 2^255 + 19, then below 2^255. Then a + 19 shows whether p is to be taken off. */
    fe less;
    for (uint32_t i = 0; i < 2u; i++) {
        uint32_t top = a[7] >> 31;
        a[7] &= 0x7FFFFFFFu;
        increase(a, 19u * top);
    }
    fe_copy(less, a);
    increase(less, 19);
    uint32_t above = less[7] >> 31;
    less[7] &= 0x7FFFFFFFu;
    fe_swap(a, less, above);
}

bool fe_is_zero(fe a)
{
    uint32_t any = 0;
    fe_reduce(a);
    for (uint32_t i = 0; i < 8u; i++) {
        any |= a[i];
    }
    return ((any | (0u - any)) >> 31) == 0u;
}

void fe_swap(fe a, fe b, uint32_t bit)
{
    uint32_t mask = 0u - bit;
    for (uint32_t i = 0; i < 8u; i++) {
        uint32_t difference = (a[i] ^ b[i]) & mask;
        a[i] ^= difference;
        b[i] ^= difference;
    }
}

#endif
