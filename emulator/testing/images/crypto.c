/* Crypto-like load: ChaCha20 blocks, SHA-256 compressions and 256-bit schoolbook multiplications. */
#include <stdint.h>

#ifndef ROUNDS
#define ROUNDS 20
#endif

static inline uint32_t rotl(uint32_t x, int n) { return (x << n) | (x >> (32 - n)); }
static inline uint32_t rotr(uint32_t x, int n) { return (x >> n) | (x << (32 - n)); }

static void quarter(uint32_t *s, int a, int b, int c, int d) {
    s[a] += s[b]; s[d] = rotl(s[d] ^ s[a], 16);
    s[c] += s[d]; s[b] = rotl(s[b] ^ s[c], 12);
    s[a] += s[b]; s[d] = rotl(s[d] ^ s[a], 8);
    s[c] += s[d]; s[b] = rotl(s[b] ^ s[c], 7);
}

static void chacha(uint32_t state[16]) {
    uint32_t x[16];
    for (int k = 0; k < 16; k++) x[k] = state[k];
    for (int k = 0; k < 10; k++) {
        quarter(x, 0, 4, 8, 12); quarter(x, 1, 5, 9, 13); quarter(x, 2, 6, 10, 14); quarter(x, 3, 7, 11, 15);
        quarter(x, 0, 5, 10, 15); quarter(x, 1, 6, 11, 12); quarter(x, 2, 7, 8, 13); quarter(x, 3, 4, 9, 14);
    }
    for (int k = 0; k < 16; k++) state[k] += x[k];
}

static void sha_like(uint32_t h[8], const uint32_t block[16]) {
    uint32_t w[64];
    for (int k = 0; k < 16; k++) w[k] = __builtin_bswap32(block[k]);
    for (int k = 16; k < 64; k++) {
        uint32_t s0 = rotr(w[k - 15], 7) ^ rotr(w[k - 15], 18) ^ (w[k - 15] >> 3);
        uint32_t s1 = rotr(w[k - 2], 17) ^ rotr(w[k - 2], 19) ^ (w[k - 2] >> 10);
        w[k] = w[k - 16] + s0 + w[k - 7] + s1;
    }
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], i = h[7];
    for (int k = 0; k < 64; k++) {
        uint32_t t1 = i + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + w[k] + 0x428a2f98u * (uint32_t)(k + 1);
        uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        i = g; g = f; f = e; e = d + t1; d = c; c = b; b = a; a = t1 + t2;
    }
    h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e; h[5] += f; h[6] += g; h[7] += i;
}

static void multiply(uint16_t out[32], const uint16_t a[16], const uint16_t b[16]) {
    for (int k = 0; k < 32; k++) out[k] = 0;
    for (int j = 0; j < 16; j++) {
        uint32_t carry = 0;
        for (int k = 0; k < 16; k++) {
            uint32_t t = (uint32_t)a[j] * b[k] + out[j + k] + carry;
            out[j + k] = (uint16_t)t;
            carry = t >> 16;
        }
        out[j + 16] = (uint16_t)carry;
    }
}

static uint32_t state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static uint32_t hash[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
static uint16_t product[32];

int main(void) {
    for (int k = 0; k < ROUNDS; k++) {
        state[12]++;
        chacha(state);
        sha_like(hash, state);
        multiply(product, (const uint16_t *)state, (const uint16_t *)hash);
        for (int j = 0; j < 8; j++) hash[j] ^= product[j] | ((uint32_t)product[j + 16] << 16);
    }
    return (int)(hash[0] ^ hash[7]);
}
