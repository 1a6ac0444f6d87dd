/** Embodiment 7: the decoding key is derived from a seed, and the seed is what is backed up (docs/protocol.md 2.7). */
#include "app.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

#if FEATURE_SEED || FEATURE_PIECES
SHARED bool key_fits(const struct entry *e, const uint8_t *key)
{
    struct cert c;
    uint8_t id[32];
    if (!entry_cert(e, &c) || key_id_of(e->variant, key, id) != SW_OK) return false;
    return memcmp(id, c.at[C_DIGEST] + 6, 8) == 0;
}
#endif

#if FEATURE_SEED

/** Key generation algorithm 141 and its version. */
static const uint8_t algorithm[] = {1, 1};

/** Runs the algorithm named in key storage over a seed. */
static bool generate(const uint8_t *named, const uint8_t *seed, uint8_t key[32])
{
    static const char label[] = "cardbench seed v1";
    uint8_t info[sizeof label + sizeof algorithm];
    memcpy(info, label, sizeof label);
    memcpy(info + sizeof label, named, sizeof algorithm);
#if FAULT_SEED_OTHER_VERSION
    if (named == nvm_at(PAGE_SEED) + 1) info[sizeof info - 1]++;
#endif
    return crypto_hkdf_expand(seed, 32, info, sizeof info, key, 32) == CRYPTO_OK;
}

uint16_t cmd_generate_seed(struct request *q)
{
    (void)q;
    uint16_t sw = key_in_use(KEY_DECODING) ? SW_CONDITIONS : SW_OK;
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    uint8_t *seed = change_new(PAGE_SEED)->bytes, *key = change_new(PAGE_DECODING)->bytes;
    seed[0] = key[0] = 1;
    memcpy(seed + 1, algorithm, sizeof algorithm);
    hal_random(seed + 8, 32);
    sw = generate(algorithm, seed + 8, key + 8) ? change_commit() : SW_CONDITIONS;
    crypto_wipe(seed, PAGE_BYTES);
    crypto_wipe(key, PAGE_BYTES);
    return sw;
}

void seed_settle(void)
{
    const struct keyreg *k = (const struct keyreg *)nvm_at(PAGE_KEYREG);
    if (!nvm_page_valid(PAGE_KEYREG) || k->kind != KEY_SEED || key_at(KEY_SEED)) return;
    nvm_tx_begin();
#if FEATURE_PIECES
    /* A seed that went in parts leaves a begun registration of the whole one. */
    int slot = index_find_any(k->handle, CLASS_CERTIFICATE);
    if (slot >= 0 && index_at((uint16_t)slot)->state == CERT_RESERVED) entry_change((uint16_t)slot)->state = DELETING;
#endif
    nvm_tx_erase(PAGE_KEYREG);
    (void)change_commit();
}

/** A certificate of a seed that can be presented. */
static bool usable(const struct entry *e)
{
    return e->cls == CLASS_CERTIFICATE && e->kind == KIND_SEED && e->state == CERT_STORED;
}

/** The certificate named, or the first there is. */
static uint16_t certificate_find(struct request *q)
{
    if (q->a->lc != 0) {
        uint16_t sw = item_find(q);
        return sw != SW_OK || usable(q->e) ? sw : SW_CONDITIONS;
    }
    for (uint16_t i = 0; i < index_slots(); i++) {
        q->e = index_at(i);
        if (usable(q->e)) return SW_OK;
    }
    return SW_NOT_FOUND;
}

uint16_t cmd_seed_recover_begin(struct request *q)
{
    step();
    uint16_t sw = certificate_find(q);
    if (sw != SW_OK) return sw;
    uint8_t *p = tlv_put16(q->a->buf, 0x8B, q->e->handle);
    memcpy(p, entry_object(q->e), q->e->size);
    q->a->out = (uint16_t)(p + q->e->size - q->a->buf);
    return SW_OK;
}

uint16_t seed_derive(const struct entry *e, uint8_t seed[32])
{
    uint8_t key[32];
    bool good = generate(nvm_at(PAGE_SEED) + 1, seed, key);
#if !FAULT_SEED_OTHER_VERSION
    good = good && key_fits(e, key);
#else
    (void)e;
#endif
    memcpy(seed, key, 32);
    crypto_wipe(key, sizeof key);
    return good ? SW_OK : SW_DATA;
}

#endif
