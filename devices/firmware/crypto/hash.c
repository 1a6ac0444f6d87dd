/** Digests with 64-byte blocks: padding and dispatch (RFC 1321, 3; FIPS 180-4, 5 and 6). */
#include "internal.h"

#ifndef CRYPTO_LEGACY_HASHES
#define CRYPTO_LEGACY_HASHES 1
#endif

static const uint32_t initial_sha256[8] = {
    0x67E6096Au, 0x85AE67BBu, 0x72F36E3Cu, 0x3AF54FA5u, 0x7F520E51u, 0x8C68059Bu, 0xABD9831Fu, 0x19CDE05Bu,
};
/** SHA-1's; MD5 has the first four in the other byte order. */
static const uint32_t initial_sha1[8] = {0x01234567u, 0x89ABCDEFu, 0xFEDCBA98u, 0x76543210u, 0xF0E1D2C3u};

size_t crypto_digest_length(crypto_algorithm algorithm)
{
    if (!CRYPTO_LEGACY_HASHES && algorithm != CRYPTO_SHA256) {
        return 0u;
    }
    return algorithm == CRYPTO_MD5 ? 16u : algorithm == CRYPTO_SHA1 ? 20u : algorithm == CRYPTO_SHA256 ? 32u : 0u;
}

crypto_status crypto_hash_init(crypto_hash *hash, crypto_algorithm algorithm)
{
    if (crypto_digest_length(algorithm) == 0u) {
        return CRYPTO_ERR_PARAMETER;
    }
    memcpy(hash->state, algorithm == CRYPTO_SHA256 ? initial_sha256 : initial_sha1, 32);
    for (uint32_t i = 0; algorithm == CRYPTO_MD5 && i < 4u; i++) {
        hash->state[i] = __builtin_bswap32(hash->state[i]);
    }
    hash->length = 0;
    hash->algorithm = (uint8_t)algorithm;
    return CRYPTO_OK;
}

static crypto_status compress(crypto_hash *hash)
{
    if (!CRYPTO_LEGACY_HASHES || hash->algorithm == CRYPTO_SHA256) {
        if (crypto_hardware) {
            return coprocessor_sha256(hash->state, hash->block);
        }
        sha256_compress(hash->state, hash->block);
    } else if (hash->algorithm == CRYPTO_SHA1) {
        sha1_compress(hash->state, hash->block);
    } else {
        md5_compress(hash->state, hash->block);
    }
    return CRYPTO_OK;
}

crypto_status crypto_hash_update(crypto_hash *hash, const void *data, size_t length)
{
    const uint8_t *byte = data;
    crypto_status status = CRYPTO_OK;
    while (length != 0u) {
        uint32_t used = hash->length & 63u;
        uint32_t part = 64u - used < length ? 64u - used : (uint32_t)length;
        memcpy((uint8_t *)hash->block + used, byte, part);
        hash->length += part;
        byte += part;
        length -= part;
        if (used + part == 64u) {
            crypto_status now = compress(hash);
            status = status != CRYPTO_OK ? status : now;
        }
    }
    return status;
}

crypto_status crypto_hash_final(crypto_hash *hash, uint8_t *digest)
{
    uint32_t used = hash->length & 63u;
    uint32_t low = hash->length << 3;
    uint32_t high = hash->length >> 29;
    uint8_t *block = (uint8_t *)hash->block;
    crypto_status status = CRYPTO_OK;
    block[used++] = 0x80;
    if (used > 56u) {
        memset(block + used, 0, 64u - used);
        status = compress(hash);
        used = 0;
    }
    memset(block + used, 0, 56u - used);
    bool little = hash->algorithm == CRYPTO_MD5;
    hash->block[14] = little ? low : __builtin_bswap32(high);
    hash->block[15] = little ? high : __builtin_bswap32(low);
    crypto_status now = compress(hash);
    memcpy(digest, hash->state, crypto_digest_length((crypto_algorithm)hash->algorithm));
    crypto_wipe(hash, sizeof *hash);
    return status != CRYPTO_OK ? status : now;
}

crypto_status crypto_sha256(const void *data, size_t length, uint8_t digest[32])
{
    crypto_hash hash;
    crypto_status status = crypto_hash_init(&hash, CRYPTO_SHA256);
    crypto_status update = crypto_hash_update(&hash, data, length);
    crypto_status final = crypto_hash_final(&hash, digest);
    return status != CRYPTO_OK ? status : update != CRYPTO_OK ? update : final;
}
