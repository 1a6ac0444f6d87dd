/** SHA-256 compression (FIPS 180-4, 6.2.2). */
#include "internal.h"

static uint32_t ror(uint32_t w, uint32_t n)
{
    return (w >> n) | (w << (32u - n));
}

void sha256_compress(uint32_t state[8], uint32_t block[16])
{
    uint32_t v[8];
    for (uint32_t i = 0; i < 8u; i++) {
        state[i] = __builtin_bswap32(state[i]);
        v[i] = state[i];
    }
    for (uint32_t i = 0; i < 16u; i++) {
        block[i] = __builtin_bswap32(block[i]);
    }
    for (uint32_t t = 0; t < 64u; t++) {
        uint32_t *w = &block[t & 15u];
        if (t >= 16u) {
            uint32_t x = block[(t + 1u) & 15u];
            uint32_t y = block[(t + 14u) & 15u];
            *w += (ror(x, 7) ^ ror(x, 18) ^ x >> 3) + block[(t + 9u) & 15u] + (ror(y, 17) ^ ror(y, 19) ^ y >> 10);
        }
        /* The variables stay in place; their names move: a is v[-t mod 8]. */
        uint32_t e = v[(4u - t) & 7u];
        uint32_t f = v[(5u - t) & 7u];
        uint32_t g = v[(6u - t) & 7u];
        uint32_t *h = &v[(7u - t) & 7u];
        uint32_t sum = *h + *w + SHA256_CONSTANT(t) + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + (g ^ (e & (f ^ g)));
        v[(3u - t) & 7u] += sum;
        uint32_t a = v[(0u - t) & 7u];
        uint32_t b = v[(1u - t) & 7u];
        uint32_t c = v[(2u - t) & 7u];
        *h = sum + (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) | (c & (a | b)));
    }
    for (uint32_t i = 0; i < 8u; i++) {
        state[i] = __builtin_bswap32(state[i] + v[i]);
    }
    crypto_wipe(v, sizeof v);
}
