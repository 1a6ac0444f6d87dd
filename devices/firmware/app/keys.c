/** Key management 115: generate, delete, register, recover (docs/protocol.md 2.4 rule 7). */
#include "app.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

/* ---- GENERATE KEY, DELETE KEY ---- */

/** Something on the card or at a safe still depends on the present key. */
static bool depends(const struct entry *e, uint8_t kind)
{
    if ((e->cls != CLASS_VALUE && e->cls != CLASS_CERTIFICATE) || e->variant != kind || e->state == DELETING)
        return false;
    if (e->kind == KIND_KEY) return true;
    if (e->kind != KIND_REGISTERED) return false;
    if (e->cls == CLASS_VALUE) return e->state == VALUE_PENDING || e->state == VALUE_DEPOSITED;
    return e->state == CERT_STORED || e->state == CERT_RECOVERING;
}

static uint16_t key_write(uint8_t kind, const uint8_t *key)
{
    change_begin();
    uint8_t *page = change_new(key_page_of(kind))->bytes;
    page[0] = 1;
    if (key)
        memcpy(page + 8, key, key_length(kind));
    else
        hal_random(page + 8, key_length(kind));
    uint16_t sw = change_commit();
    crypto_wipe(page, PAGE_BYTES);
    return sw;
}

uint16_t cmd_generate_key(struct apdu *a)
{
    uint8_t life = card_life(), kind = a->p1;
    if (a->p2 != 0 || kind < KEY_DECODING || kind > KEY_TRANSPORT) return SW_P1P2;
    if (a->lc != 0) return SW_LENGTH;
    if (life == LIFE_BLANK || (life == LIFE_OPERATIONAL && kind > KEY_COMMON)) return SW_CONDITIONS;
    for (uint16_t i = 0; i < index_slots() && life == LIFE_OPERATIONAL; i++)
        if (depends(index_at(i), kind)) return SW_CONDITIONS;
    return key_write(kind, NULL);
}

/** A key certificate for exactly the key that is on the card. */
bool key_certified(const struct entry *e)
{
    struct cert x;
    uint8_t digest[16];
    if (e->cls != CLASS_CERTIFICATE || e->kind != KIND_KEY || e->state != CERT_STORED) return false;
    if (!cert_parse(entry_object(e), e->size, &x) || x.digest_length != 16) return false;
    return key_digest(e->variant, digest) == SW_OK && memcmp(digest, x.digest, 16) == 0;
}

uint16_t cmd_delete_key(struct apdu *a)
{
    if (a->p2 != 0 || (a->p1 != KEY_DECODING && a->p1 != KEY_COMMON)) return SW_P1P2;
    if (a->lc != 0) return SW_LENGTH;
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (e->variant != a->p1 || !key_certified(e)) continue;
        change_begin();
        change_erase(key_page_of(a->p1));
        return change_commit();
    }
    return SW_CONDITIONS;
}

/* ---- KEY REGISTER BEGIN ---- */

/** Registration request with the key object E5. */
static uint16_t request_key(struct apdu *a, const struct keyreg *k)
{
    struct binding bind;
    uint16_t length = key_length(k->kind), sealed = (uint16_t)(length + 48);
    uint16_t inner = (uint16_t)(16 + tlv_size(sealed) + 147 + 66);
    uint8_t *start = a->buf + LEAD;
    bind_card(&bind, k->sequence);
    bind_more(&bind, k->safe, 8);
    uint8_t *elements = request_head(start, tlv_size(inner), k->sequence, k->algorithm);
    elements = tlv_head(elements, 0xE5, inner);
    uint16_t sw = key_digest(k->kind, elements);
    if (sw != SW_OK) return sw;
    uint8_t *p = tlv_head(elements + 16, 0x9C, sealed);
    sw = seal_public(safe_transport_key(safe_page(k->safe)), k->sequence, "cardbench key to safe v1", &bind, elements,
                     16, key_at(k->kind), length, p);
    if (sw != SW_OK) return sw;
    p = credential_put(p + sealed);
    if (p) p = signature_put(elements, p, "cardbench key v1", &bind);
    if (!p) return SW_CONDITIONS;
    a->out = (uint16_t)(p - start);
    memmove(a->buf, start, a->out);
    return SW_OK;
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
    change_begin();
    memcpy(change_new(PAGE_KEYREG), k, PAGE_BYTES);
    struct entry *e = slot < 0 ? entry_new(&r, CLASS_CERTIFICATE, CERT_RESERVED) : entry_change((uint16_t)slot);
    e->sequence = k->sequence;
    e->kind = KIND_KEY;
    e->variant = k->kind;
    e->algorithm = k->algorithm;
    memcpy(e->hash, k->x3, 32);
    return change_commit();
}

/** Opens the registration unless the very same one is open. */
static uint16_t keyreg_begin(uint8_t kind, const uint8_t *safe, uint8_t algorithm)
{
    struct keyreg k;
    const struct keyreg *now = (const struct keyreg *)nvm_at(PAGE_KEYREG);
    bool open = nvm_page_valid(PAGE_KEYREG) && now->open == 1;
    memset(&k, 0, sizeof k);
    k.open = 1;
    k.kind = kind;
    k.algorithm = algorithm;
    memcpy(k.safe, safe, 8);
    if (!hash_of(algorithm, key_at(kind), key_length(kind), k.x3)) return SW_DATA;
    if (open) {
        k.handle = now->handle;
        k.sequence = now->sequence;
        k.crc = now->crc;
        if (memcmp(&k, now, PAGE_BYTES) == 0) return SW_OK;
    }
    return keyreg_open(&k, open);
}

uint16_t cmd_key_register_begin(struct apdu *a)
{
    struct cursor c;
    data_cursor(a, &c);
    uint8_t *safe = tlv_fixed(&c, 0x9A, 8), *algorithm = tlv_fixed(&c, 0x95, 1);
    if (!safe || !algorithm || c.at != c.end || !hash_allowed(*algorithm)) return SW_DATA;
    step();
    if (!safe_page(safe)) return SW_NOT_FOUND;
    step();
    if (!key_at(a->p2)) return SW_CONDITIONS;
    uint16_t sw = keyreg_begin(a->p2, safe, *algorithm);
    if (sw != SW_OK) return sw;
    sw = request_key(a, (const struct keyreg *)nvm_at(PAGE_KEYREG));
    if (sw == SW_OK) step();
    return sw;
}

/* ---- KEY RECOVER END ---- */

/** Key reply E8 and the certificate it answers. */
struct reply {
    struct cert cert;
    uint8_t *start, *sealed, *signature;
    uint16_t sealed_length;
};

static bool reply_take(struct cursor *c, struct reply *r)
{
    uint8_t *p;
    int n = tlv_take(c, 0xE8, &r->start);
    if (n < 0 || c->at != c->end) return false;
    struct cursor in = {r->start, r->start + n};
    if (tlv_take(&in, 0xE2, &p) != 14) return false;
    n = tlv_take(&in, 0x9C, &r->sealed);
    if (n != 80 && n != 64) return false;
    r->sealed_length = (uint16_t)n;
    return (r->signature = tlv_fixed(&in, 0x92, 64)) && in.at == in.end;
}

/** Signature, decryption and hash; the key is at r->sealed + 32 afterwards. */
static uint16_t reply_open(const struct entry *e, struct reply *r)
{
    struct binding bind;
    uint8_t x[32];
    uint16_t safe = safe_page(r->cert.safe);
    if (!safe) return SW_NOT_FOUND;
    bind_card(&bind, e->sequence);
    bind_more(&bind, r->cert.safe, 8);
    bind_more(&bind, r->cert.counter, 4);
    uint16_t sw = signature_check(r->start, (uint16_t)(r->signature - 2 - r->start), "cardbench key reply v1", &bind,
                                  r->signature, safe_verify_key(safe));
    if (sw != SW_OK) return sw;
    if (memcmp(r->start, r->cert.digest, 16) != 0) return SW_DATA;
    if (r->sealed_length != key_length(e->variant) + 48) return SW_DATA;
    bind.length = 20;
    sw = open_public(KEY_TRANSPORT, "cardbench key to card v1", &bind, r->start, 16, r->sealed, r->sealed_length);
    if (sw != SW_OK) return sw;
    uint8_t n = hash_of(e->algorithm, r->sealed + 32, key_length(e->variant), x);
    bool same = n != 0 && crypto_equal(x, e->hash, n);
    crypto_wipe(x, sizeof x);
    return same ? SW_OK : SW_DATA;
}

/** Stores the key unless it is there already; another key is never overwritten. */
static uint16_t key_restore(uint8_t kind, const uint8_t *key)
{
    const uint8_t *now = key_at(kind);
    if (!now) return key_write(kind, key);
    return crypto_equal(now, key, key_length(kind)) ? SW_OK : SW_CONDITIONS;
}

uint16_t cmd_key_recover_end(struct apdu *a)
{
    struct cursor c;
    struct reply r;
    uint16_t slot;
    uint16_t sw = data_lift(a, &c);
    if (sw != SW_OK) return sw;
    struct cursor whole = c;
    if (!tlv_fixed(&whole, 0x8B, 2) || !reply_take(&whole, &r)) return SW_DATA;
    step();
    sw = item_take(&c, &slot);
    if (sw != SW_OK) return sw;
    const struct entry *e = index_at(slot);
    if (e->cls != CLASS_CERTIFICATE || e->kind != KIND_KEY || e->state != CERT_STORED) return SW_CONDITIONS;
    if (!cert_parse(entry_object(e), e->size, &r.cert)) return SW_MEMORY;
    sw = reply_open(e, &r);
    if (sw != SW_OK) return sw;
    step();
    sw = key_restore(e->variant, r.sealed + 32);
    if (sw == SW_OK) step();
    return sw;
}
