/** Cipher 105: keys, hashes, signatures and encryption (docs/protocol.md 1.3 to 1.5). */
#include "app.h"
#include "features.h"

#include <string.h>

#include "crypto/crypto.h"
#include "nvm/nvm.h"

uint16_t key_page_of(uint8_t kind)
{
    static const uint8_t pages[] = {PAGE_SECRET, PAGE_DECODING, PAGE_COMMON, PAGE_SIGNING, PAGE_TRANSPORT,
                                    PAGE_SEED};
    return pages[kind];
}

const uint8_t *key_at(uint8_t kind)
{
    uint16_t page = key_page_of(kind);
    const uint8_t *p = nvm_at(page);
#if FAULT_FLAG_BESIDE_DATA
    return p[0] == 1 ? p + 8 : NULL;
#endif
    return nvm_page_valid(page) && p[0] == 1 ? p + 8 : NULL;
}

uint16_t key_length(uint8_t kind)
{
    return kind == KEY_COMMON ? 16 : 32;
}

uint16_t key_public(uint8_t kind, uint8_t out[32])
{
    const uint8_t *key = key_at(kind == KEY_SEED ? KEY_DECODING : kind);
    if (!key) return SW_CONDITIONS;
    crypto_status s = kind == KEY_SIGNING ? crypto_ed25519_public(out, key) : crypto_x25519_base(out, key);
    return s == CRYPTO_OK ? SW_OK : SW_CONDITIONS;
}

uint16_t key_id(uint8_t kind, uint8_t out[8])
{
    const uint8_t *key = key_at(kind == KEY_SEED ? KEY_DECODING : kind);
    return key ? key_id_of(kind, key, out) : SW_CONDITIONS;
}

uint16_t key_id_of(uint8_t kind, const uint8_t *key, uint8_t out[8])
{
    static const char label[] = "cardbench key id v1";
    uint8_t work[sizeof label + 16];
    uint16_t length = 32;
    if (kind == KEY_COMMON) {
        memcpy(work, label, sizeof label);
        memcpy(work + sizeof label, key, 16);
        length = sizeof work;
    } else if (crypto_x25519_base(work, key) != CRYPTO_OK) {
        return SW_CONDITIONS;
    }
    (void)hash_of(1, work, length, work);
    memcpy(out, work, 8);
    crypto_wipe(work, sizeof work);
    return SW_OK;
}

uint16_t key_digest(uint8_t kind, uint8_t out[16])
{
    static const uint8_t head[] = {0xE2, 14, 0x80, 1, 0x80, 0x8A, 9};
    memcpy(out, head, sizeof head);
    out[7] = kind;
    return key_id(kind, out + 8);
}

uint8_t hash_bytes(uint8_t algorithm)
{
    static const uint8_t lengths[] = {0, 32, 20, 16};
    if (!FEATURE_LEGACY_HASHES && algorithm > 1) return 0;
    return algorithm < sizeof lengths ? lengths[algorithm] : 0;
}

uint8_t hash_of(uint8_t algorithm, const uint8_t *data, uint16_t length, uint8_t out[32])
{
    static const uint8_t names[] = {0, CRYPTO_SHA256, CRYPTO_SHA1, CRYPTO_MD5};
    crypto_hash hash;
    uint8_t n = hash_bytes(algorithm);
    if (n == 0 || crypto_hash_init(&hash, (crypto_algorithm)names[algorithm]) != CRYPTO_OK) return 0;
    if (crypto_hash_update(&hash, data, length) != CRYPTO_OK) return 0;
    memset(out, 0, 32);
    return crypto_hash_final(&hash, out) == CRYPTO_OK ? n : 0;
}

bool hash_allowed(uint8_t algorithm)
{
    if (algorithm == 1) return true;
    return hash_bytes(algorithm) != 0 && (card_state()->settings & SET_LEGACY_HASHES) != 0;
}

/* ---- bindings ---- */

void bind_card(struct binding *b, uint32_t sequence)
{
    memcpy(b->bytes, card_identity()->card, 8);
    put32(b->bytes + 8, sequence);
    b->length = 12;
}

void bind_more(struct binding *b, const uint8_t *bytes, uint8_t length)
{
    memcpy(b->bytes + b->length, bytes, length);
    b->length = (uint8_t)(b->length + length);
}

/** Label with its zero byte. */
static uint8_t label_size(const char *label)
{
    uint8_t n = 0;
    while (label[n++]) {
    }
    return n;
}

static uint8_t prefix_size(const char *label, const struct binding *b)
{
    return (uint8_t)(label_size(label) + (b ? b->length : 0));
}

/** Writes label || 0 || binding. */
static void prefix_put(uint8_t *to, const char *label, const struct binding *b)
{
    uint8_t n = label_size(label);
    memcpy(to, label, n);
    if (b) memcpy(to + n, b->bytes, b->length);
}

/* ---- signatures ---- */

uint16_t signature_check(uint8_t *elements, const uint8_t *signature, const char *label, const struct binding *b,
                         const uint8_t *key)
{
    uint8_t *start = elements - prefix_size(label, b);
    prefix_put(start, label, b);
    crypto_status s = crypto_ed25519_verify(signature, key, start, (size_t)(signature - 2 - start));
    return s == CRYPTO_OK ? SW_OK : SW_SECURITY;
}

uint8_t *signature_put(uint8_t *elements, uint8_t *end, const char *label, const struct binding *b)
{
    uint8_t *start = elements - prefix_size(label, b), *signature = tlv_head(end, 0x92, 64);
    const uint8_t *key = key_at(KEY_SIGNING);
    if (!key) return NULL;
    prefix_put(start, label, b);
    crypto_status s = crypto_ed25519_sign(signature, key, start, (size_t)(end - start));
    return s == CRYPTO_OK ? signature + 64 : NULL;
}

/* ---- encryption ---- */

/** The ephemeral key: HKDF over card secret, sequence and hash of the plaintext. */
static __attribute__((noinline)) uint16_t ephemeral(const struct binding *b, const uint8_t *in, uint16_t length,
                                                    uint8_t out[32])
{
    static const char label[] = "cardbench ephemeral v1";
    uint8_t info[sizeof label + 4 + 32];
    const uint8_t *secret = key_at(0);
    if (!secret) return SW_CONDITIONS;
    memcpy(info, label, sizeof label);
    memcpy(info + sizeof label, b->bytes + 8, 4);
    (void)hash_of(1, in, length, info + sizeof label + 4);
    crypto_status s = crypto_hkdf_expand(secret, 32, info, sizeof info, out, 32);
    crypto_wipe(info, sizeof info);
    return s == CRYPTO_OK ? SW_OK : SW_CONDITIONS;
}

static crypto_hpke_inputs hpke_inputs(struct sealing *s)
{
    prefix_put(s->info, s->label, &s->bind);
    return (crypto_hpke_inputs){s->info, prefix_size(s->label, &s->bind), s->e2, s->e2_size};
}

uint16_t seal_public(struct sealing *s, const uint8_t *recipient, const uint8_t *in, uint16_t length, uint8_t *out)
{
    uint8_t *private_key = out + 48 + length;
    crypto_hpke_inputs inputs = hpke_inputs(s);
    uint16_t sw = ephemeral(&s->bind, in, length, private_key);
    if (sw != SW_OK) return sw;
    crypto_status done = crypto_hpke_seal(recipient, private_key, &inputs, in, length, out, out + 32);
    crypto_wipe(private_key, 32);
    return done == CRYPTO_OK ? SW_OK : SW_DATA;
}

uint16_t open_public(struct sealing *s, uint8_t kind, uint8_t *in, uint16_t length)
{
    crypto_hpke_inputs inputs = hpke_inputs(s);
    const uint8_t *key = key_at(kind);
    if (!key) return SW_CONDITIONS;
    if (length < 48) return SW_DATA;
    crypto_status done = crypto_hpke_open(key, NULL, in, &inputs, in + 32, length - 32u, in + 32);
    return done == CRYPTO_OK ? SW_OK : SW_DATA;
}

uint16_t seal_common(struct sealing *s, const uint8_t *in, uint16_t length, uint8_t *out)
{
    uint8_t n = prefix_size(s->label, &s->bind), *aad = s->e2 - n;
    const uint8_t *key = key_at(KEY_COMMON);
    if (!key) return SW_CONDITIONS;
    memset(out, 0, 8);
    memcpy(out + 8, s->bind.bytes + 8, 4);
    prefix_put(aad, s->label, &s->bind);
    crypto_status done =
        crypto_gcm_seal(key, 16, out, aad, (size_t)n + s->e2_size, in, length, out + 12, out + 12 + length);
    return done == CRYPTO_OK ? SW_OK : SW_DATA;
}

uint16_t open_common(struct sealing *s, uint8_t *in, uint16_t length)
{
    uint8_t n = prefix_size(s->label, &s->bind), *aad = s->e2 - n;
    const uint8_t *key = key_at(KEY_COMMON);
    if (!key) return SW_CONDITIONS;
    if (length < 28) return SW_DATA;
    for (int i = 0; i < 12; i++)
        if (in[i] != (i < 8 ? 0 : s->bind.bytes[i])) return SW_DATA;
    prefix_put(aad, s->label, &s->bind);
    crypto_status done = crypto_gcm_open(key, 16, in, aad, (size_t)n + s->e2_size, in + 12, length - 28u,
                                         in + length - 16, in + 12);
    return done == CRYPTO_OK ? SW_OK : SW_DATA;
}
