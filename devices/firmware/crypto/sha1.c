/** SHA-1 compression (FIPS 180-4, 6.1.2). */
#include "internal.h"

static uint32_t rol(uint32_t w, uint32_t n)
{
    return (w << n) | (w >> (32u - n));
}

void sha1_compress(uint32_t state[8], uint32_t block[16])
{
    static const uint32_t constants[4] = {0x5A827999u, 0x6ED9EBA1u, 0x8F1BBCDCu, 0xCA62C1D6u};
    uint32_t v[5];
    for (uint32_t i = 0; i < 5u; i++) {
        v[i] = __builtin_bswap32(state[i]);
    }
    for (uint32_t t = 0, phase = 0, left = 20; t < 80u; t++, left--) {
        if (left == 0u) {
            phase++;
            left = 20;
        }
        uint32_t *w = &block[t & 15u];
        *w = t < 16u ? __builtin_bswap32(*w)
                     : rol(*w ^ block[(t + 2u) & 15u] ^ block[(t + 8u) & 15u] ^ block[(t + 13u) & 15u], 1);
        uint32_t b = v[1];
        uint32_t c = v[2];
        uint32_t d = v[3];
        uint32_t f = phase == 0u ? d ^ (b & (c ^ d)) : phase == 2u ? (b & c) | (d & (b | c)) : b ^ c ^ d;
        f += rol(v[0], 5) + v[4] + constants[phase] + *w;
        v[4] = d;
        v[3] = c;
        v[2] = rol(b, 30);
        v[1] = v[0];
        v[0] = f;
    }
    for (uint32_t i = 0; i < 5u; i++) {
        state[i] = __builtin_bswap32(__builtin_bswap32(state[i]) + v[i]);
    }
}
