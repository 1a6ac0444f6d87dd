/** Carries out one operation of the mailbox; the same on the chip and on the host. */
#include "vectors.h"

#include "fe25519.h"
#include "internal.h"

/** Keeps the frames of operations apart, so that their stack can be told. */
#define APART __attribute__((noinline))

vectors_mailbox mailbox;

void crypto_idle(void)
{
    mailbox.idle++;
}

static const uint8_t *input(uint32_t index)
{
    const uint8_t *start = mailbox.in;
    for (uint32_t i = 0; i < index; i++) {
        start += mailbox.length[i];
    }
    return start;
}

APART static crypto_status gcm(bool seal)
{
    const uint8_t *text = input(3);
    uint32_t length = mailbox.length[3];
    if (mailbox.parameter[0] != 0u) {
        memcpy(mailbox.out, text, length);
        text = mailbox.out;
    }
    if (seal) {
        mailbox.out_length = length + CRYPTO_TAG_LENGTH;
        return crypto_gcm_seal(input(0), mailbox.length[0], input(1), input(2), mailbox.length[2], text, length,
                               mailbox.out, mailbox.out + length);
    }
    mailbox.out_length = length;
    return crypto_gcm_open(input(0), mailbox.length[0], input(1), input(2), mailbox.length[2], text, length, input(4),
                           mailbox.out);
}

/** Feeds the first input in pieces, as often as asked. */
APART static crypto_status hash(void)
{
    crypto_hash state;
    crypto_status status = crypto_hash_init(&state, (crypto_algorithm)mailbox.parameter[0]);
    if (status != CRYPTO_OK) {
        return status;
    }
    for (uint32_t n = 0; n < mailbox.parameter[2]; n++) {
        for (uint32_t at = 0; at < mailbox.length[0]; at += mailbox.parameter[1]) {
            uint32_t left = mailbox.length[0] - at;
            status = crypto_hash_update(&state, input(0) + at, left < mailbox.parameter[1] ? left : mailbox.parameter[1]);
        }
    }
    mailbox.out_length = (uint32_t)crypto_digest_length((crypto_algorithm)mailbox.parameter[0]);
    crypto_status last = crypto_hash_final(&state, mailbox.out);
    return status != CRYPTO_OK ? status : last;
}

APART static crypto_status sha512(void)
{
    crypto_sha512_state state;
    crypto_sha512_init(&state);
    for (uint32_t n = 0; n < mailbox.parameter[2]; n++) {
        for (uint32_t at = 0; at < mailbox.length[0]; at += mailbox.parameter[1]) {
            uint32_t left = mailbox.length[0] - at;
            crypto_sha512_update(&state, input(0) + at, left < mailbox.parameter[1] ? left : mailbox.parameter[1]);
        }
    }
    mailbox.out_length = 64;
    crypto_sha512_final(&state, mailbox.out);
    return CRYPTO_OK;
}

/** k, u = X25519(k, u), k */
APART static crypto_status x25519(void)
{
    uint8_t k[32];
    uint8_t u[32];
    crypto_status status = CRYPTO_OK;
    memcpy(k, input(0), 32);
    memcpy(u, input(1), 32);
    mailbox.out_length = 32;
    for (uint32_t n = 0; n < mailbox.parameter[0] && status == CRYPTO_OK; n++) {
        status = crypto_x25519(mailbox.out, k, u);
        memcpy(u, k, 32);
        memcpy(k, mailbox.out, 32);
    }
    return status;
}

static crypto_status random_input(void *context, uint8_t *out, size_t length)
{
    const uint32_t *have = context;
    if (*have < length) {
        return CRYPTO_ERR_HARDWARE;
    }
    memcpy(out, input(1), length);
    return CRYPTO_OK;
}

APART static crypto_status hpke_seal(bool random)
{
    const crypto_hpke_inputs inputs = {input(2), mailbox.length[2], input(3), mailbox.length[3]};
    uint32_t length = mailbox.length[4];
    mailbox.out_length = 32u + length + CRYPTO_HPKE_OVERHEAD;
    return random ? crypto_hpke_seal_random(input(0), random_input, &mailbox.length[1], &inputs, input(4), length,
                                            mailbox.out, mailbox.out + 32)
                  : crypto_hpke_seal(input(0), input(1), &inputs, input(4), length, mailbox.out, mailbox.out + 32);
}

APART static crypto_status hpke_open(void)
{
    const crypto_hpke_inputs inputs = {input(3), mailbox.length[3], input(4), mailbox.length[4]};
    uint32_t length = mailbox.length[5];
    mailbox.out_length = length < CRYPTO_HPKE_OVERHEAD ? 0u : length - CRYPTO_HPKE_OVERHEAD;
    return crypto_hpke_open(input(0), mailbox.length[1] == 0u ? NULL : input(1), input(2), &inputs, input(5), length,
                            mailbox.out);
}

APART static crypto_status hpke_inner(void)
{
    hpke_secrets secrets;
    crypto_status status = hpke_schedule(&secrets, input(0), input(1), input(2), input(3), mailbox.length[3]);
    memcpy(mailbox.out, secrets.shared_secret, 32);
    memcpy(mailbox.out + 32, secrets.key, 16);
    memcpy(mailbox.out + 48, secrets.nonce, 12);
    mailbox.out_length = 60;
    return status;
}

APART static crypto_status field(void)
{
    fe a;
    fe b;
    fe r;
    memcpy(a, input(0), 32);
    memcpy(b, input(1), 32);
    switch (mailbox.parameter[0]) {
    case 0:
        fe_add(r, a, b);
        break;
    case 1:
        fe_sub(r, a, b);
        break;
    case 2:
        fe_mul(r, a, b);
        break;
    case 3:
        fe_square(r, a);
        break;
    case 4:
        fe_scale(r, a, 121665);
        break;
    default:
        fe_invert(r, a, b);
        break;
    }
    fe_reduce(r);
    memcpy(mailbox.out, r, 32);
    mailbox.out_length = 32;
    return CRYPTO_OK;
}

static crypto_status symmetric(void)
{
    const uint32_t *length = mailbox.length;
    uint8_t *out = mailbox.out;
    switch ((vectors_operation)mailbox.operation) {
    case OP_AES_ENCRYPT:
        mailbox.out_length = 16;
        return crypto_aes_encrypt(input(0), length[0], input(1), out);
    case OP_AES_DECRYPT:
        mailbox.out_length = 16;
        return crypto_aes_decrypt(input(0), length[0], input(1), out);
    case OP_GCM_SEAL:
        return gcm(true);
    case OP_GCM_OPEN:
        return gcm(false);
    case OP_HASH:
        return hash();
    case OP_SHA512:
        return sha512();
    case OP_HMAC:
        mailbox.out_length = 32;
        return crypto_hmac_sha256(input(0), length[0], input(1), length[1], out);
    case OP_HKDF_EXTRACT:
        mailbox.out_length = 32;
        return crypto_hkdf_extract(input(0), length[0], input(1), length[1], out);
    case OP_HKDF_EXPAND:
        mailbox.out_length = mailbox.parameter[0];
        return crypto_hkdf_expand(input(0), length[0], input(1), length[1], out, mailbox.parameter[0]);
    default:
        return (crypto_status)255;
    }
}

static crypto_status dispatch(void)
{
    const uint32_t *length = mailbox.length;
    uint8_t *out = mailbox.out;
    uint32_t crc;
    switch ((vectors_operation)mailbox.operation) {
    case OP_INIT:
        crypto_init(mailbox.parameter[0] != 0u);
        return CRYPTO_OK;
    case OP_X25519:
        return x25519();
    case OP_ED25519_PUBLIC:
        mailbox.out_length = 32;
        return crypto_ed25519_public(out, input(0));
    case OP_ED25519_SIGN:
        mailbox.out_length = 64;
        return crypto_ed25519_sign(out, input(0), input(1), length[1]);
    case OP_ED25519_VERIFY:
        return crypto_ed25519_verify(input(2), input(0), input(1), length[1]);
    case OP_HPKE_DERIVE:
        mailbox.out_length = 64;
        return crypto_hpke_derive(input(0), length[0], out, out + 32);
    case OP_HPKE_SEAL:
        return hpke_seal(false);
    case OP_HPKE_SEAL_RANDOM:
        return hpke_seal(true);
    case OP_HPKE_OPEN:
        return hpke_open();
    case OP_HPKE_SCHEDULE:
        return hpke_inner();
    case OP_CRC32:
        crc = crypto_crc32(crypto_crc32(CRYPTO_CRC32_START, input(0), length[0]), input(1), length[1]);
        memcpy(out, &crc, 4);
        mailbox.out_length = 4;
        return CRYPTO_OK;
    case OP_EQUAL:
        out[0] = length[0] == length[1] && crypto_equal(input(0), input(1), length[0]) ? 1 : 0;
        mailbox.out_length = 1;
        return CRYPTO_OK;
    case OP_FIELD:
        return field();
    default:
        return symmetric();
    }
}

void vectors_dispatch(void)
{
    mailbox.idle = 0;
    mailbox.stack = 0;
    mailbox.out_length = 0;
    if (input(VECTORS_INPUTS) > mailbox.in + VECTORS_IN_BYTES) {
        mailbox.result = 255;
        return;
    }
    mailbox.result = (uint32_t)dispatch();
    if (mailbox.result != CRYPTO_OK) {
        mailbox.out_length = 0;
    }
}
