/** AES-GCM (SP 800-38D) with 96-bit nonces and 16-byte tags. */
#include "internal.h"

/** A GCM computation under way. Words of `h` and `y` are big-endian values, degree 0 in the top bit of [0]. */
typedef struct {
    const uint8_t *key;
    size_t key_length;
    uint32_t h[4];
    uint32_t reversed_h[4];
    uint32_t y[4];
    uint32_t counter[4];
    uint32_t stream[4];
} gcm;

/**
 * Low 32 bits of the carry-less product. Operands are cut into four with three zero bits between any two
 * bits, so that the carries of the integer product (at most 8 in a column) never reach the next used bit.
 */
static uint32_t carryless(uint32_t a, uint32_t b)
{
    const uint32_t m0 = 0x11111111u;
    uint32_t a0 = a & m0, a1 = a >> 1 & m0, a2 = a >> 2 & m0, a3 = a >> 3 & m0;
    uint32_t b0 = b & m0, b1 = b >> 1 & m0, b2 = b >> 2 & m0, b3 = b >> 3 & m0;
    uint32_t r0 = (a0 * b0) & m0;
    uint32_t r1 = (a0 * b1 ^ a1 * b0) & m0;
    uint32_t r2 = (a0 * b2 ^ a1 * b1 ^ a2 * b0) & m0;
    uint32_t r3 = (a0 * b3 ^ a1 * b2 ^ a2 * b1 ^ a3 * b0) & m0;
    uint32_t r4 = (a1 * b3 ^ a2 * b2 ^ a3 * b1) & m0;
    uint32_t r5 = (a2 * b3 ^ a3 * b2) & m0;
    uint32_t r6 = (a3 * b3) & m0;
    return r0 ^ r4 << 4 ^ (r1 ^ r5 << 4) << 1 ^ (r2 ^ r6 << 4) << 2 ^ r3 << 3;
}

/** Bit reversal. */
static uint32_t reverse(uint32_t w)
{
    w = ((w & 0x55555555u) << 1) | ((w >> 1) & 0x55555555u);
    w = ((w & 0x33333333u) << 2) | ((w >> 2) & 0x33333333u);
    w = ((w & 0x0F0F0F0Fu) << 4) | ((w >> 4) & 0x0F0F0F0Fu);
    return __builtin_bswap32(w);
}

/** y = y * H in GF(2^128) (SP 800-38D, 6.3). */
static void multiply(gcm *g)
{
    uint32_t v[8] = {0};
    uint32_t high[7] = {0};
    for (uint32_t i = 0; i < 4u; i++) {
        uint32_t a = g->y[i];
        uint32_t b = reverse(a);
        for (uint32_t j = 0; j < 4u; j++) {
            v[i + j + 1u] ^= carryless(a, g->h[j]);
            high[i + j] ^= carryless(b, g->reversed_h[j]);
        }
    }
    /* The upper half of a 64-bit product is the reversed lower half of the reversed operands, shifted. */
    for (uint32_t i = 0; i < 7u; i++) {
        v[i] ^= reverse(high[i]) >> 1;
    }
    /* 255 bits, degree 0 at bit 254: one to the left. */
    for (uint32_t i = 0; i < 8u; i++) {
        v[i] = v[i] << 1 | (i < 7u ? v[i + 1u] >> 31 : 0u);
    }
    /* x^128 = x^7 + x^2 + x + 1 */
    for (uint32_t i = 7; i >= 4u; i--) {
        uint32_t w = v[i];
        v[i - 4u] ^= w ^ w >> 1 ^ w >> 2 ^ w >> 7;
        v[i - 3u] ^= w << 31 ^ w << 30 ^ w << 25;
    }
    memcpy(g->y, v, 16);
    crypto_wipe(v, sizeof v);
    crypto_wipe(high, sizeof high);
}

/** Adds data, padded with zeros to whole blocks, to the hash. */
static void absorb(gcm *g, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        g->y[(i >> 2) & 3u] ^= (uint32_t)data[i] << (24u - 8u * (i & 3u));
        if ((i & 15u) == 15u || i + 1u == length) {
            multiply(g);
        }
    }
}

static crypto_status key_stream(gcm *g, uint32_t counter)
{
    g->counter[3] = __builtin_bswap32(counter);
    return crypto_aes_encrypt(g->key, g->key_length, (const uint8_t *)g->counter, (uint8_t *)g->stream);
}

static crypto_status tag_of(gcm *g, const uint8_t *aad, size_t aad_length, const uint8_t *text, size_t length,
                            uint8_t tag[16])
{
    crypto_status status = key_stream(g, 1);
    absorb(g, aad, aad_length);
    absorb(g, text, length);
    g->y[0] ^= (uint32_t)aad_length >> 29;
    g->y[1] ^= (uint32_t)aad_length << 3;
    g->y[2] ^= (uint32_t)length >> 29;
    g->y[3] ^= (uint32_t)length << 3;
    multiply(g);
    for (uint32_t i = 0; i < 16u; i++) {
        tag[i] = (uint8_t)(((const uint8_t *)g->stream)[i] ^ g->y[i >> 2] >> (24u - 8u * (i & 3u)));
    }
    return status;
}

static crypto_status start(gcm *g, const uint8_t *key, size_t key_length, const uint8_t nonce[12])
{
    memset(g, 0, sizeof *g);
    g->key = key;
    g->key_length = key_length;
    crypto_status status = crypto_aes_encrypt(key, key_length, (const uint8_t *)g->y, (uint8_t *)g->stream);
    for (uint32_t i = 0; i < 4u; i++) {
        g->h[i] = __builtin_bswap32(g->stream[i]);
        g->reversed_h[i] = reverse(g->h[i]);
    }
    memcpy(g->counter, nonce, 12);
    return status;
}

static crypto_status crypt(gcm *g, const uint8_t *in, size_t length, uint8_t *out)
{
    for (size_t i = 0; i < length; i++) {
        if ((i & 15u) == 0u) {
            crypto_status status = key_stream(g, (uint32_t)(i >> 4) + 2u);
            if (status != CRYPTO_OK) {
                return status;
            }
        }
        out[i] = in[i] ^ ((const uint8_t *)g->stream)[i & 15u];
    }
    return CRYPTO_OK;
}

crypto_status crypto_gcm_seal(const uint8_t *key, size_t key_length, const uint8_t nonce[12],
                              const uint8_t *aad, size_t aad_length, const uint8_t *in, size_t length,
                              uint8_t *out, uint8_t tag[16])
{
    gcm g;
    crypto_status status = start(&g, key, key_length, nonce);
    if (status == CRYPTO_OK) {
        status = crypt(&g, in, length, out);
    }
    if (status == CRYPTO_OK) {
        status = tag_of(&g, aad, aad_length, out, length, tag);
    }
    crypto_wipe(&g, sizeof g);
    return status;
}

crypto_status crypto_gcm_open(const uint8_t *key, size_t key_length, const uint8_t nonce[12],
                              const uint8_t *aad, size_t aad_length, const uint8_t *in, size_t length,
                              const uint8_t tag[16], uint8_t *out)
{
    gcm g;
    uint8_t expected[16];
    crypto_status status = start(&g, key, key_length, nonce);
    if (status == CRYPTO_OK) {
        status = tag_of(&g, aad, aad_length, in, length, expected);
    }
    if (status == CRYPTO_OK) {
        status = crypto_equal(expected, tag, sizeof expected) ? crypt(&g, in, length, out) : CRYPTO_ERR_AUTH;
    }
    crypto_wipe(expected, sizeof expected);
    crypto_wipe(&g, sizeof g);
    return status;
}
