/** Key management 115: generate, delete, register, recover (docs/protocol.md 2.4 rule 7). */
#include "app.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

/* ---- GENERATE KEY, DELETE KEY ---- */

bool key_concerns(const struct entry *e, uint8_t kind)
{
    return e->variant == kind || (kind == KEY_DECODING && e->variant == KEY_SEED);
}

/** Something on the card or at a safe still depends on the present key. */
static bool depends(const struct entry *e, uint8_t kind)
{
    if ((e->cls != CLASS_VALUE && e->cls != CLASS_CERTIFICATE) || !key_concerns(e, kind) || e->state == DELETING)
        return false;
    if (IS_KEY(e->kind)) return true;
    if (e->kind == KIND_PLAIN) return false;
    if (e->cls == CLASS_VALUE) return e->state == VALUE_PENDING || e->state == VALUE_DEPOSITED;
    return e->state == CERT_STORED || e->state == CERT_RECOVERING || e->state == CERT_HELD;
}

bool key_in_use(uint8_t kind)
{
    for (uint16_t i = 0; i < index_slots(); i++)
        if (depends(index_at(i), kind)) return true;
    return false;
}

uint16_t key_write(uint8_t kind, const uint8_t *key)
{
    nvm_tx_begin();
    uint8_t *page = change_new(key_page_of(kind))->bytes;
    page[0] = 1;
    if (key)
        memcpy(page + 8, key, key_length(kind));
    else
        hal_random(page + 8, key_length(kind));
    /* A key of its own has no seed. */
    if (!key && kind == KEY_DECODING && key_at(KEY_SEED)) nvm_tx_erase(PAGE_SEED);
#if FAULT_FLAG_BESIDE_DATA
    ((union page *)page)->words[15] = crypto_crc32(CRYPTO_CRC32_START, page, NVM_CRC);
    uint16_t sw = nvm_put(key_page_of(kind), page) == NVM_OK ? SW_OK : SW_MEMORY;
#else
    uint16_t sw = change_commit();
#endif
    crypto_wipe(page, PAGE_BYTES);
    return sw;
}

uint16_t cmd_generate_key(struct request *q)
{
    uint8_t life = card_life(), kind = q->a->p1;
    if (q->a->p2 != 0 || kind < KEY_DECODING || kind > KEY_TRANSPORT) return SW_P1P2;
    if (life == LIFE_BLANK || (life == LIFE_OPERATIONAL && kind > KEY_COMMON)) return SW_CONDITIONS;
    if (life == LIFE_OPERATIONAL && key_in_use(kind)) return SW_CONDITIONS;
    return key_write(kind, NULL);
}

/** A certificate for exactly the key that is on the card, or for its seed. */
bool key_certified(const struct entry *e)
{
    struct cert c;
    uint8_t digest[16];
    if (e->cls != CLASS_CERTIFICATE || (e->kind != KIND_KEY && e->kind != KIND_SEED) || e->state != CERT_STORED) return false;
    if (!entry_cert(e, &c)) return false;
    return key_digest(e->variant, digest) == SW_OK && memcmp(digest + 2, c.at[C_DIGEST], 14) == 0;
}

#if FEATURE_RENEWAL

/** Slot of the STORED certificate of the decoding key on the card, or of one that it has replaced; -1: none. */
static int key_stored(bool own)
{
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        bool stored = e->cls == CLASS_CERTIFICATE && e->kind == KIND_KEY && e->state == CERT_STORED;
        if (stored && e->variant == KEY_DECODING && key_certified(e) == own) return i;
    }
    return -1;
}

uint16_t renewal_settle(void)
{
    int slot = key_at(KEY_DECODING) ? key_stored(false) : -1;
    if (slot < 0 || key_stored(true) < 0) return SW_OK;
    nvm_tx_begin();
    entry_change((uint16_t)slot)->state = CERT_SPENT;
    return change_commit();
}

uint16_t cmd_renew_key(struct request *q)
{
    (void)q;
    unsigned own = 0, in_use = 0;
    uint16_t sw = SW_OK;
    if (!key_at(KEY_DECODING)) return SW_CONDITIONS;
    step();
    for (uint16_t i = 0; i < index_slots(); i++) {
        if (!depends(index_at(i), KEY_DECODING)) continue;
        if (key_certified(index_at(i)))
            own++;
        else
            in_use++;
    }
    /* Otherwise it was renewed before, and the new key is not yet registered. */
    if (key_stored(false) < 0) {
        if (own != 1 || in_use) return SW_CONDITIONS;
#if FAULT_RENEWAL_ERASES_FIRST
        nvm_tx_begin();
        nvm_tx_erase(PAGE_DECODING);
        (void)change_commit();
#endif
#if !FAULT_RENEWAL_SAME_KEY
        sw = key_write(KEY_DECODING, NULL);
#endif
    }
#if FAULT_RENEWAL_DELETES_FIRST
    int slot = key_stored(false);
    if (sw == SW_OK && slot >= 0) {
        nvm_tx_begin();
        entry_change((uint16_t)slot)->state = DELETING;
        sw = change_settle(slot, -1);
    }
#endif
    if (sw == SW_OK) step();
    return sw;
}
#endif

uint16_t cmd_delete_key(struct request *q)
{
    uint8_t kind = q->a->p1;
    if (q->a->p2 != 0 || (kind != KEY_DECODING && kind != KEY_COMMON)) return SW_P1P2;
    bool certified = false;
#if FEATURE_PIECES
    certified = parts_certified(kind);
#endif
    for (uint16_t i = 0; i < index_slots() && !certified; i++)
        certified = key_concerns(index_at(i), kind) && key_certified(index_at(i));
    if (!certified) return SW_CONDITIONS;
    nvm_tx_begin();
    nvm_tx_erase(key_page_of(kind));
    return change_commit();
}

/* ---- KEY REGISTER BEGIN ---- */

const struct keyreg *key_registration(void)
{
    const struct keyreg *k = (const struct keyreg *)nvm_at(PAGE_KEYREG);
    if (!nvm_page_valid(PAGE_KEYREG) || k->open != 1) return NULL;
    return k->kind == KEY_SEED && !key_at(KEY_SEED) ? NULL : k;
}

SHARED uint16_t wrapped_request(struct apdu *a, struct sealing *s, uint8_t *p, const struct wrapping *w)
{
    uint16_t length = key_length(w->kind), sealed = (uint16_t)(length + 48);
    bind_card(&s->bind, w->sequence);
    bind_more(&s->bind, nvm_at(w->safe), 8);
    p = tlv_head(p, 0x9C, sealed);
    uint16_t sw = seal_public(s, safe_transport_key(w->safe), w->key, length, p);
    if (sw != SW_OK) return sw;
    p = credential_put(p + sealed);
    if (p) p = signature_put(s->e2, p, w->label, &s->bind);
    if (!p) return SW_CONDITIONS;
    return request_finish(a, w->tag, s->e2, p, w->sequence, w->algorithm);
}

/** Registration request with the key object E5; made behind LEAD, then put together. */
static uint16_t request_key(struct apdu *a, const struct keyreg *k)
{
    struct sealing s = {.label = "cardbench key to safe v1", .info = a->buf, .e2 = a->buf + LEAD, .e2_size = 16};
    struct wrapping w = {key_at(k->kind), "cardbench key v1", k->sequence, safe_page(k->safe), k->kind, k->algorithm, 0xE5};
    uint16_t sw = key_digest(k->kind, s.e2);
    return sw == SW_OK ? wrapped_request(a, &s, s.e2 + 16, &w) : sw;
}

/** Takes a sequence and opens the registration together with its reserved certificate. */
static uint16_t keyreg_open(struct keyreg *k, bool open)
{
    struct room r;
    uint16_t sw;
    int slot = open ? index_find_any(k->handle, CLASS_CERTIFICATE) : -1;
    if (slot < 0) {
        sw = room_find(&r, cert_room(16), true);
        if (sw != SW_OK) return sw;
        k->handle = r.handle;
    }
    sw = sequence_take(&k->sequence, slot < 0 ? k->handle : 0);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    memcpy(change_new(PAGE_KEYREG), k, PAGE_BYTES);
    struct entry *e = slot < 0 ? entry_new(&r, CLASS_CERTIFICATE, CERT_RESERVED) : entry_change((uint16_t)slot);
    e->sequence = k->sequence;
    e->kind = k->kind == KEY_SEED ? KIND_SEED : KIND_KEY;
    e->variant = k->kind;
    e->algorithm = k->algorithm;
    memcpy(e->hash, k->x3, 32);
    return change_commit();
}

/** Opens the registration unless the very same one is open. */
static __attribute__((noinline)) uint16_t keyreg_begin(uint8_t kind, const uint8_t *safe, uint8_t algorithm)
{
    struct keyreg k;
    const struct keyreg *now = key_registration();
    memset(&k, 0, sizeof k);
    k.open = 1;
    k.kind = kind;
    k.algorithm = algorithm;
    memcpy(k.safe, safe, 8);
    if (!hash_of(algorithm, key_at(kind), key_length(kind), k.x3)) return SW_DATA;
    if (now) {
        k.handle = now->handle;
        k.sequence = now->sequence;
        k.crc = now->crc;
        if (memcmp(&k, now, PAGE_BYTES) == 0) return SW_OK;
    }
    return keyreg_open(&k, now != NULL);
}

uint16_t cmd_key_register_begin(struct request *q)
{
    uint8_t kind = q->a->p1 == SEED_EMBODIMENT ? KEY_SEED : q->a->p2, algorithm = *q->at[1];
    if (!hash_allowed(algorithm)) return SW_DATA;
    if (!safe_page(q->at[0])) return SW_NOT_FOUND;
    step();
    if (!key_at(kind)) return SW_CONDITIONS;
#if FEATURE_TWO_SAFES
    if (KEEPS_APART(q->a->p1) && !apart_key(kind, q->at[0])) return SW_CONDITIONS;
#endif
    uint16_t sw = keyreg_begin(kind, q->at[0], algorithm);
    if (sw == SW_OK) sw = request_key(q->a, key_registration());
    if (sw == SW_OK && kind != KEY_SEED) step();
    return sw;
}

/* ---- KEY RECOVER END ---- */

static syntax reply_elements = {0xE2, 14, 14, 0x9C, 64, 80, 0x92, 64, 64, 0};
/** Elements of a key reply E8. */
enum { K_DIGEST, K_SEALED, K_SIGNATURE, K_ELEMENTS };

/** Signature and digest of the reply against the certificate; binds to card, sequence and safe. */
static __attribute__((noinline)) uint16_t reply_check(const struct entry *e, const uint8_t *signature, const char *label, struct sealing *s)
{
    struct cert c;
    if (!entry_cert(e, &c)) return SW_MEMORY;
    uint16_t safe = safe_page(c.at[C_SAFE]);
    if (!safe) return SW_NOT_FOUND;
    bind_card(&s->bind, e->sequence);
    bind_more(&s->bind, c.at[C_SAFE], 8);
    bind_more(&s->bind, c.at[C_COUNTER], 4);
    uint16_t sw = signature_check(s->e2, signature, label, &s->bind, safe_verify_key(safe));
    s->bind.length = 20;
    if (sw != SW_OK) return sw;
    return memcmp(s->e2 + 2, c.at[C_DIGEST], 14) == 0 ? SW_OK : SW_DATA;
}

/** True if this is the key that the certificate stands for. */
static __attribute__((noinline)) bool key_is(const struct entry *e, const uint8_t *key)
{
    uint8_t x[32];
    uint8_t n = hash_of(e->algorithm, key, key_length(e->variant), x);
    bool same = n != 0 && crypto_equal(x, e->hash, n);
    crypto_wipe(x, sizeof x);
    return same;
}

SHARED uint16_t reply_open(struct sealing *s, const struct entry *e, uint8_t *sealed, const uint8_t *signature, const char *label)
{
    uint16_t sw = reply_check(e, signature, label, s);
    if (sw != SW_OK) return sw;
    if (LENGTH(sealed) != key_length(e->variant) + 48) return SW_DATA;
    sw = open_public(s, KEY_TRANSPORT, sealed, LENGTH(sealed));
    if (sw != SW_OK) return sw;
    return key_is(e, sealed + 32) ? SW_OK : SW_DATA;
}

uint16_t key_restore(uint8_t kind, const uint8_t *key)
{
    const uint8_t *now = key_at(kind);
    if (!now) return key_write(kind, key);
    return crypto_equal(now, key, key_length(kind)) ? SW_OK : SW_CONDITIONS;
}

uint16_t cmd_key_recover_end(struct request *q)
{
    uint8_t *at[K_ELEMENTS];
    if (!object_take(q->at[0] + 2, q->end, 0xE8, reply_elements, at)) return SW_DATA;
    bool seed = q->a->p1 == SEED_EMBODIMENT;
    if (q->e->kind != (seed ? KIND_SEED : KIND_KEY) || q->e->state != CERT_STORED) return SW_CONDITIONS;
    struct sealing s = {.label = "cardbench key to card v1", .info = q->a->buf, .e2 = at[K_DIGEST] - 2, .e2_size = 16};
    uint16_t sw = reply_open(&s, q->e, at[K_SEALED], at[K_SIGNATURE], "cardbench key reply v1");
#if FEATURE_SEED
    if (sw == SW_OK && seed) sw = seed_derive(q->e, at[K_SEALED] + 32);
#endif
    if (sw != SW_OK) return sw;
    step();
    sw = key_restore(seed ? KEY_DECODING : q->e->variant, at[K_SEALED] + 32);
    if (sw == SW_OK) step();
    return sw;
}
