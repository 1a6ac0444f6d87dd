/** SHA-256 compression (FIPS 180-4, 6.2.2). */
#include "internal.h"

static uint32_t ror(uint32_t w, uint32_t n)
{
    return (w >> n) | (w << (32u - n));
}

/** The next 16 words of the message schedule, in place. */
static void next_words(uint32_t block[16])
{
    for (uint32_t i = 0; i < 16u; i++) {
        uint32_t x = block[(i + 1u) & 15u];
        uint32_t y = block[(i + 14u) & 15u];
        block[i] += (ror(x, 7) ^ ror(x, 18) ^ x >> 3) + block[(i + 9u) & 15u] + (ror(ror(y, 2) ^ y, 17) ^ y >> 10);
    }
}

void sha256_compress(uint32_t state[8], uint32_t block[16])
{
    /* a to h are v[0] to v[7]; each round puts the new a before them and moves v down. */
    uint32_t window[24];
    for (uint32_t i = 0; i < 8u; i++) {
        window[i] = __builtin_bswap32(state[i]);
    }
    for (uint32_t i = 0; i < 16u; i++) {
        block[i] = __builtin_bswap32(block[i]);
    }
    for (uint32_t first = 0; first < 64u; first += 16u) {
        if (first != 0u) {
            next_words(block);
        }
        memcpy(window + 16, window, 32);
        uint32_t *v = window + 16;
        for (uint32_t t = 0; t < 16u; t++) {
            uint32_t e = v[4];
            uint32_t sum = v[7] + block[t] + SHA256_CONSTANT(first + t) + ror(ror(ror(e, 14) ^ e, 5) ^ e, 6) +
                           (v[6] ^ (e & (v[5] ^ v[6])));
            uint32_t a = v[0];
            v[3] += sum;
            v--;
            v[0] = sum + ror(ror(ror(a, 9) ^ a, 11) ^ a, 2) + ((a & v[2]) | (v[3] & (a | v[2])));
        }
    }
    for (uint32_t i = 0; i < 8u; i++) {
        state[i] = __builtin_bswap32(__builtin_bswap32(state[i]) + window[i]);
    }
    crypto_wipe(window, sizeof window);
}
