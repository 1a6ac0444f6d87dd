/**
 * HMAC-SHA-256 (FIPS 198-1) and HKDF-SHA-256 (RFC 5869).
 * Outcomes are collected with |, for only CRYPTO_ERR_HARDWARE can come of the digests.
 */
#include "internal.h"

crypto_status crypto_hmac_init(crypto_hmac *hmac, const uint8_t *key, size_t key_length)
{
    uint32_t pad[16] = {0};
    crypto_hash *hash = &hmac->inner;
    uint32_t status = CRYPTO_OK;
    if (key_length > sizeof pad) {
        (void)crypto_hash_init(hash, CRYPTO_SHA256);
        status = crypto_hash_update(hash, key, key_length);
        status |= crypto_hash_final(hash, (uint8_t *)pad);
    } else if (key_length != 0u) {
        memcpy(pad, key, key_length);
    }
    for (uint32_t i = 0; i < 16u; i++) {
        pad[i] ^= 0x5C5C5C5Cu;
    }
    (void)crypto_hash_init(hash, CRYPTO_SHA256);
    status |= crypto_hash_update(hash, pad, sizeof pad);
    memcpy(hmac->outer, hash->state, sizeof hmac->outer);
    for (uint32_t i = 0; i < 16u; i++) {
        pad[i] ^= 0x5C5C5C5Cu ^ 0x36363636u;
    }
    (void)crypto_hash_init(hash, CRYPTO_SHA256);
    status |= crypto_hash_update(hash, pad, sizeof pad);
    crypto_wipe(pad, sizeof pad);
    return (crypto_status)status;
}

crypto_status crypto_hmac_update(crypto_hmac *hmac, const void *data, size_t length)
{
    return crypto_hash_update(&hmac->inner, data, length);
}

crypto_status crypto_hmac_final(crypto_hmac *hmac, uint8_t mac[32])
{
    crypto_hash *hash = &hmac->inner;
    uint32_t status = crypto_hash_final(hash, mac);
    (void)crypto_hash_init(hash, CRYPTO_SHA256);
    memcpy(hash->state, hmac->outer, sizeof hmac->outer);
    hash->length = 64;
    status |= crypto_hash_update(hash, mac, 32);
    status |= crypto_hash_final(hash, mac);
    crypto_wipe(hmac->outer, sizeof hmac->outer);
    return (crypto_status)status;
}

crypto_status crypto_hmac_sha256(const uint8_t *key, size_t key_length, const void *data, size_t length,
                                 uint8_t mac[32])
{
    crypto_hmac hmac;
    uint32_t status = crypto_hmac_init(&hmac, key, key_length);
    status |= crypto_hmac_update(&hmac, data, length);
    return (crypto_status)(status | crypto_hmac_final(&hmac, mac));
}

crypto_status crypto_hkdf_extract(const uint8_t *salt, size_t salt_length, const uint8_t *ikm, size_t ikm_length,
                                  uint8_t prk[32])
{
    return crypto_hmac_sha256(salt, salt_length, ikm, ikm_length, prk);
}

crypto_status crypto_hkdf_expand(const uint8_t *prk, size_t prk_length, const uint8_t *info, size_t info_length,
                                 uint8_t *out, size_t length)
{
    uint8_t block[32];
    size_t have = 0;
    uint32_t status = CRYPTO_OK;
    if (length > 255u * sizeof block) {
        return CRYPTO_ERR_PARAMETER;
    }
    for (uint8_t counter = 1; length != 0u; counter++) {
        crypto_hmac hmac;
        status |= crypto_hmac_init(&hmac, prk, prk_length);
        status |= crypto_hmac_update(&hmac, block, have);
        status |= crypto_hmac_update(&hmac, info, info_length);
        status |= crypto_hmac_update(&hmac, &counter, 1);
        status |= crypto_hmac_final(&hmac, block);
        have = sizeof block;
        size_t part = length < have ? length : have;
        memcpy(out, block, part);
        out += part;
        length -= part;
    }
    crypto_wipe(block, sizeof block);
    return (crypto_status)status;
}
