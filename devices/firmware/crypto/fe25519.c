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

/** r += 38 * carry. A second overflow leaves r so small that the third step ends in the lowest word. */
static void settle(fe r, uint32_t carry)
{
    carry = words_increase8(r, 38u * carry);
    r[0] += 38u & (0u - carry);
}

void fe_add(fe r, const fe a, const fe b)
{
    settle(r, words_add8(r, a, b, 0));
}

void fe_sub(fe r, const fe a, const fe b)
{
    uint32_t borrow = words_sub8(r, a, b);
    borrow = words_decrease8(r, 38u & (0u - borrow));
    r[0] -= 38u & (0u - borrow);
}

/** r = 512-bit number modulo p; destroys it. */
static void fold(fe r, uint32_t wide[16])
{
    uint32_t carry = words_fold16(wide);
    fe_copy(r, wide);
    settle(r, carry);
    crypto_idle();
}

void fe_mul(fe r, const fe a, const fe b)
{
    uint32_t wide[16];
    fe_zero(wide);
    for (uint32_t i = 0; i < 8u; i++) {
        wide[i + 8u] = words_row(wide + i, a[i], b, 8);
    }
    fold(r, wide);
}

void fe_square(fe r, const fe a)
{
    uint32_t wide[16];
    fe_zero(wide);
    for (uint32_t i = 0; i < 7u; i++) {
        wide[i + 8u] = words_row(wide + 2u * i + 1u, a[i], a + i + 1, 7u - i);
    }
    wide[15] = 0;
    /* Twice the mixed products plus the squares. */
    uint32_t carry = 0;
    uint32_t top = 0;
    for (uint32_t i = 0; i < 8u; i++) {
        uint32_t low = a[i] & 0xFFFFu;
        uint32_t high = a[i] >> 16;
        uint32_t middle = low * high;
        uint32_t even = wide[2u * i];
        uint32_t odd = wide[2u * i + 1u];
        low *= low;
        high = high * high + (middle >> 15);
        uint64_t sum = (uint64_t)low + (middle << 17) + carry + (even << 1 | top);
        wide[2u * i] = (uint32_t)sum;
        sum = (sum >> 32) + high + (odd << 1 | even >> 31);
        wide[2u * i + 1u] = (uint32_t)sum;
        carry = (uint32_t)(sum >> 32);
        top = odd >> 31;
    }
    fold(r, wide);
}

void fe_scale(fe r, const fe a, uint32_t value)
{
    fe product;
    fe_zero(product);
    uint32_t carry = words_row(product, value, a, 8);
    fe_copy(r, product);
    settle(r, carry);
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

void fe_reduce(fe a)
{
    /* Below 2^255 + 19, then below 2^255; then p is taken off once if need be. */
    for (uint32_t i = 0; i < 2u; i++) {
        uint32_t top = a[7] >> 31;
        a[7] &= 0x7FFFFFFFu;
        (void)words_increase8(a, 19u * top);
    }
    (void)words_increase8(a, 19);
    uint32_t below = 1u - (a[7] >> 31);
    (void)words_decrease8(a, 19u * below);
    a[7] &= 0x7FFFFFFFu;
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
