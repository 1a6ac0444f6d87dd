/** AES-GCM (SP 800-38D) with 96-bit nonces and 16-byte tags. */
#include "internal.h"
#include "words.h"

/** A GCM computation under way. `h` and `y` have the coefficient of x^i in bit i of the string of words. */
typedef struct {
    const uint8_t *key;
    size_t key_length;
    uint32_t h[4];
    uint32_t y[4];
    uint32_t counter[4];
    uint32_t stream[4];
} gcm;

/** Between a block as it is sent and the order of bits of `h` and `y`: turns the bits of each byte about. */
static void turn(uint32_t to[4], const uint32_t from[4])
{
    for (uint32_t i = 0; i < 4u; i++) {
        uint32_t w = from[i];
        w = ((w & 0x55555555u) << 1) | ((w >> 1) & 0x55555555u);
        w = ((w & 0x33333333u) << 2) | ((w >> 2) & 0x33333333u);
        to[i] = ((w & 0x0F0F0F0Fu) << 4) | ((w >> 4) & 0x0F0F0F0Fu);
    }
}

/** Adds data, padded with zeros to whole blocks, to the hash. */
static void absorb(gcm *g, const uint8_t *data, size_t length)
{
    uint32_t block[4];
    while (length != 0u) {
        size_t part = length < sizeof block ? length : sizeof block;
        block[0] = block[1] = block[2] = block[3] = 0;
        memcpy(block, data, part);
        turn(block, block);
        for (uint32_t i = 0; i < 4u; i++) {
            g->y[i] ^= block[i];
        }
        words_gf128(g->y, g->h);
        data += part;
        length -= part;
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
    const uint32_t lengths[4] = {
        __builtin_bswap32((uint32_t)aad_length >> 29), __builtin_bswap32((uint32_t)aad_length << 3),
        __builtin_bswap32((uint32_t)length >> 29), __builtin_bswap32((uint32_t)length << 3),
    };
    absorb(g, (const uint8_t *)lengths, sizeof lengths);
    turn(g->y, g->y);
    for (uint32_t i = 0; i < 4u; i++) {
        g->y[i] ^= g->stream[i];
    }
    memcpy(tag, g->y, 16);
    return status;
}

static crypto_status start(gcm *g, const uint8_t *key, size_t key_length, const uint8_t nonce[12])
{
    memset(g, 0, sizeof *g);
    g->key = key;
    g->key_length = key_length;
    crypto_status status = crypto_aes_encrypt(key, key_length, (const uint8_t *)g->y, (uint8_t *)g->stream);
    turn(g->h, g->stream);
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
