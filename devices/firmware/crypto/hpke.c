/**
 * HPKE (RFC 9180), base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM.
 * Outcomes are collected with |, for only CRYPTO_ERR_HARDWARE can come of the digests.
 */
#include "internal.h"

/** Which of the two suite identifiers a label is bound to (RFC 9180, 4.1 and 5.1). */
typedef enum { SUITE_KEM, SUITE_HPKE } suite;

/**
 * LabeledExtract (out_length 0) or LabeledExpand with 1 to 32 bytes out (RFC 9180, 4). Both are one HMAC:
 * an expansion of at most one block is HMAC(prk, [length] "HPKE-v1" suite label info 0x01).
 */
static crypto_status labeled(uint8_t *out, size_t out_length, const uint8_t *key, const char *label, suite which,
                             const uint8_t *data, size_t length, const uint8_t *more, size_t more_length)
{
    static const uint8_t hpke_suite[] = {'H', 'P', 'K', 'E', 0, 0x20, 0, 1, 0, 1};
    static const uint8_t kem_suite[] = {'K', 'E', 'M', 0, 0x20};
    const uint8_t ends[3] = {0, (uint8_t)out_length, 1};
    crypto_hmac hmac;
    uint8_t mac[32];
    size_t label_length = 0;
    while (label[label_length] != '\0') {
        label_length++;
    }
    uint32_t status = crypto_hmac_init(&hmac, key, key == NULL ? 0u : 32u);
    status |= crypto_hmac_update(&hmac, ends, out_length == 0u ? 0u : 2u);
    status |= crypto_hmac_update(&hmac, "HPKE-v1", 7);
    status |= which == SUITE_KEM ? crypto_hmac_update(&hmac, kem_suite, sizeof kem_suite)
                                 : crypto_hmac_update(&hmac, hpke_suite, sizeof hpke_suite);
    status |= crypto_hmac_update(&hmac, label, label_length);
    status |= crypto_hmac_update(&hmac, data, length);
    status |= crypto_hmac_update(&hmac, more, more_length);
    status |= crypto_hmac_update(&hmac, ends + 2, out_length == 0u ? 0u : 1u);
    status |= crypto_hmac_final(&hmac, mac);
    memcpy(out, mac, out_length == 0u ? 32u : out_length);
    crypto_wipe(mac, sizeof mac);
    return (crypto_status)status;
}

crypto_status hpke_schedule(hpke_secrets *secrets, const uint8_t dh[32], const uint8_t enc[32],
                            const uint8_t recipient[32], const uint8_t *info, size_t info_length)
{
    uint8_t secret[32];
    uint8_t context[65];
    uint32_t status = labeled(secret, 0, NULL, "eae_prk", SUITE_KEM, dh, 32, NULL, 0);
    status |= labeled(secrets->shared_secret, 32, secret, "shared_secret", SUITE_KEM, enc, 32, recipient, 32);
    context[0] = 0;
    status |= labeled(context + 1, 0, NULL, "psk_id_hash", SUITE_HPKE, NULL, 0, NULL, 0);
    status |= labeled(context + 33, 0, NULL, "info_hash", SUITE_HPKE, info, info_length, NULL, 0);
    status |= labeled(secret, 0, secrets->shared_secret, "secret", SUITE_HPKE, NULL, 0, NULL, 0);
    status |= labeled(secrets->key, 16, secret, "key", SUITE_HPKE, context, 65, NULL, 0);
    status |= labeled(secrets->nonce, 12, secret, "base_nonce", SUITE_HPKE, context, 65, NULL, 0);
    crypto_wipe(secret, sizeof secret);
    return (crypto_status)status;
}

crypto_status crypto_hpke_derive(const uint8_t *ikm, size_t ikm_length, uint8_t private_key[32],
                                 uint8_t public_key[32])
{
    uint8_t prk[32];
    uint32_t status = labeled(prk, 0, NULL, "dkp_prk", SUITE_KEM, ikm, ikm_length, NULL, 0);
    status |= labeled(private_key, 32, prk, "sk", SUITE_KEM, NULL, 0, NULL, 0);
    crypto_wipe(prk, sizeof prk);
    status |= crypto_x25519_base(public_key, private_key);
    if (status != CRYPTO_OK) {
        crypto_wipe(private_key, 32);
    }
    return (crypto_status)status;
}

crypto_status crypto_hpke_seal(const uint8_t recipient[32], const uint8_t ephemeral[32],
                               const crypto_hpke_inputs *inputs, const uint8_t *in, size_t length,
                               uint8_t enc[32], uint8_t *out)
{
    uint8_t dh[32];
    hpke_secrets secrets;
    uint32_t status = crypto_x25519_base(enc, ephemeral);
    if (status == CRYPTO_OK) {
        status = crypto_x25519(dh, ephemeral, recipient);
    }
    if (status == CRYPTO_OK) {
        status = hpke_schedule(&secrets, dh, enc, recipient, inputs->info, inputs->info_length);
    }
    if (status == CRYPTO_OK) {
        status = crypto_gcm_seal(secrets.key, sizeof secrets.key, secrets.nonce, inputs->aad, inputs->aad_length, in,
                                 length, out, out + length);
    }
    crypto_wipe(dh, sizeof dh);
    crypto_wipe(&secrets, sizeof secrets);
    return (crypto_status)status;
}

crypto_status crypto_hpke_seal_random(const uint8_t recipient[32], crypto_random random, void *context,
                                      const crypto_hpke_inputs *inputs, const uint8_t *in, size_t length,
                                      uint8_t enc[32], uint8_t *out)
{
    uint8_t ephemeral[32];
    uint32_t status = CRYPTO_ERR_RANDOM;
    if (random(context, ephemeral, sizeof ephemeral) == CRYPTO_OK) {
        status = crypto_hpke_derive(ephemeral, sizeof ephemeral, ephemeral, enc);
    }
    if (status == CRYPTO_OK) {
        status = crypto_hpke_seal(recipient, ephemeral, inputs, in, length, enc, out);
    }
    crypto_wipe(ephemeral, sizeof ephemeral);
    return (crypto_status)status;
}

crypto_status crypto_hpke_open(const uint8_t private_key[32], const uint8_t *public_key, const uint8_t enc[32],
                               const crypto_hpke_inputs *inputs, const uint8_t *in, size_t length, uint8_t *out)
{
    uint8_t dh[32];
    uint8_t own[32];
    hpke_secrets secrets;
    uint32_t status = CRYPTO_OK;
    if (length < CRYPTO_HPKE_OVERHEAD) {
        return CRYPTO_ERR_PARAMETER;
    }
    length -= CRYPTO_HPKE_OVERHEAD;
    if (public_key == NULL) {
        status = crypto_x25519_base(own, private_key);
        public_key = own;
    }
    if (status == CRYPTO_OK) {
        status = crypto_x25519(dh, private_key, enc);
    }
    if (status == CRYPTO_OK) {
        status = hpke_schedule(&secrets, dh, enc, public_key, inputs->info, inputs->info_length);
    }
    if (status == CRYPTO_OK) {
        status = crypto_gcm_open(secrets.key, sizeof secrets.key, secrets.nonce, inputs->aad, inputs->aad_length, in,
                                 length, in + length, out);
    }
    crypto_wipe(dh, sizeof dh);
    crypto_wipe(&secrets, sizeof secrets);
    return (crypto_status)status;
}
