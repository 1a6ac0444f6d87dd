/** Recovery means 107/121: RECOVER BEGIN, RECOVER END, GET RECEIPT (docs/protocol.md 2.4 rules 4, 5, 6). */
#include "app.h"

#include <string.h>

#include "crypto/crypto.h"

/** The value of a certificate that is still on the card, or the room reserved for it: slot, -1: none. */
static int value_of(const struct entry *c)
{
    int slot = index_find_any(c->partner, CLASS_VALUE);
    if (slot < 0) return -1;
    const struct entry *v = index_at((uint16_t)slot);
    bool waits = v->state == VALUE_RESERVED || (v->state == VALUE_DEPOSITED && v->partner == c->handle);
    return waits ? slot : -1;
}

/* ---- RECOVER BEGIN ---- */

/** The certificate becomes RECOVERING; room for its value is reserved with it when the value is gone. */
static uint16_t recovering(uint16_t slot)
{
    struct room r;
    const struct entry *c = index_at(slot);
    bool gone = value_of(c) < 0;
    if (gone) {
        uint16_t sw = room_find(&r, c->value_size, true);
        if (sw != SW_OK) return sw;
        change_begin();
        change_page(PAGE_STATE)->state.handle = r.handle;
        sw = change_commit();
        if (sw != SW_OK) return sw;
    }
    change_begin();
    struct entry *e = entry_change(slot);
    e->state = CERT_RECOVERING;
    if (gone) {
        e->partner = r.handle;
        entry_new(&r, CLASS_VALUE, VALUE_RESERVED)->partner = e->handle;
    }
    return change_commit();
}

uint16_t cmd_recover_begin(struct apdu *a)
{
    struct cursor c;
    uint16_t slot, sw;
    data_cursor(a, &c);
    if (a->lc != 4 || tlv_peek(&c) != 0x8B) return SW_DATA;
    step();
    sw = item_take(&c, &slot);
    if (sw != SW_OK) return sw;
    step();
    const struct entry *e = index_at(slot);
    if (e->cls != CLASS_CERTIFICATE || e->state == CERT_SPENT) return SW_CONDITIONS;
    if (e->kind != (a->p2 == 4 ? KIND_KEY : a->p1)) return SW_DATA;
    if (e->kind != KIND_KEY && e->state == CERT_STORED) sw = recovering(slot);
    if (sw != SW_OK) return sw;
    e = index_at(slot);
    memcpy(a->buf, entry_object(e), e->size);
    a->out = e->size;
    step();
    return SW_OK;
}

/* ---- RECOVER END ---- */

/** What the safe gave back: the object, and after opening the value in it. */
struct returned {
    struct value value;
    uint8_t *e1, *start, *e2, *sealed, *signature;
    uint16_t e1_size, e2_length, sealed_length;
    uint8_t variant;
};

static bool plain_take(struct cursor *c, struct returned *r)
{
    r->e1 = c->at;
    if (!value_take(c, &r->value) || c->at != c->end) return false;
    r->e1_size = (uint16_t)(c->at - r->e1);
    return true;
}

/** Registered value information 203. */
static bool sealed_take(struct cursor *c, struct returned *r)
{
    uint8_t *p;
    int n = tlv_take(c, 0xE3, &r->start);
    if (n < 0 || c->at != c->end) return false;
    struct cursor in = {r->start, r->start + n};
    r->e2 = in.at;
    if (tlv_take(&in, 0xE2, &p) < 0) return false;
    r->e2_length = (uint16_t)(in.at - r->e2);
    if (!(p = tlv_fixed(&in, 0x90, 1)) || (*p != KEY_DECODING && *p != KEY_COMMON)) return false;
    r->variant = *p;
    n = tlv_take(&in, 0x91, &r->sealed);
    if (n < 0) return false;
    r->sealed_length = (uint16_t)n;
    return (r->signature = tlv_fixed(&in, 0x92, 64)) && in.at == in.end;
}

/** The certified hash fits the object. */
static bool certified(const struct entry *e, const struct returned *r)
{
    uint8_t x[32];
    uint8_t n = e->kind == KIND_PLAIN ? hash_of(e->algorithm, r->e1, r->e1_size, x)
                                      : hash_of(e->algorithm, r->sealed, r->sealed_length, x);
    return n != 0 && memcmp(x, e->hash, n) == 0;
}

/** Signature 303 by this card. */
static uint16_t own_signature(const struct returned *r, const struct binding *bind)
{
    uint8_t own[32];
    uint16_t sw = key_public(KEY_SIGNING, own);
    if (sw != SW_OK) return sw;
    return signature_check(r->start, (uint16_t)(r->signature - 2 - r->start), "cardbench 203 v1", bind, r->signature,
                           own);
}

/** Signature, hash, decryption: the value in clear is in r->e1 afterwards. */
static uint16_t unseal(const struct entry *e, struct returned *r)
{
    struct binding bind;
    bind_card(&bind, e->sequence);
    uint16_t sw = own_signature(r, &bind);
    if (sw != SW_OK) return sw;
    if (!certified(e, r)) return SW_DATA;
    uint16_t head = r->variant == KEY_COMMON ? 12 : 32;
    if (r->variant == KEY_COMMON)
        sw = open_common(&bind, r->e2, r->e2_length, r->sealed, r->sealed_length);
    else
        sw = open_public(KEY_DECODING, "cardbench 202 v1", &bind, r->e2, r->e2_length, r->sealed, r->sealed_length);
    r->e1 = r->sealed + head;
    r->e1_size = (uint16_t)(r->sealed_length - head - 16);
    return sw;
}

/** The certificate's digest is that of the value. */
static bool digest_fits(const struct entry *e, const struct returned *r)
{
    struct cert x;
    if (!cert_parse(entry_object(e), e->size, &x)) return false;
    if (e->kind == KIND_REGISTERED &&
        (x.digest_length != r->e2_length || memcmp(x.digest, r->e2, r->e2_length) != 0))
        return false;
    return digest_empty(x.digest, x.digest_length) || digest_is(x.digest, x.digest_length, &r->value);
}

/** Stores the value: ACTIVE and, together with it, the certificate SPENT. */
static uint16_t take_back(uint16_t slot, const struct returned *r)
{
    const struct entry *c = index_at(slot);
    int place = value_of(c);
    if (place < 0) return SW_CONDITIONS;
    const struct entry *v = index_at((uint16_t)place);
    if (v->state == VALUE_RESERVED) {
        if (r->e1_size > v->pages * PAGE_BYTES) return SW_DATA;
        uint16_t sw = region_write(v->first, v->pages, r->e1, r->e1_size);
        if (sw != SW_OK) return sw;
    }
    change_begin();
    struct entry *e = entry_change((uint16_t)place);
    e->state = VALUE_ACTIVE;
    e->size = r->e1_size;
    entry_change(slot)->state = CERT_SPENT;
    return change_commit();
}

/** Everything between the handing over and the answer. */
static uint16_t recover(uint16_t slot, struct returned *r)
{
    const struct entry *e = index_at(slot);
    uint16_t sw = SW_OK;
    if (e->cls != CLASS_CERTIFICATE || e->kind == KIND_KEY) return SW_CONDITIONS;
    if (e->state != CERT_RECOVERING) {
        if (e->state != CERT_SPENT || !certified(e, r)) return SW_CONDITIONS;
        for (uint8_t i = 0; i <= e->kind; i++) step();
        return SW_OK;
    }
    if (e->kind == KIND_PLAIN) {
        if (!certified(e, r) || !digest_fits(e, r)) return SW_DATA;
        step();
    } else {
        sw = unseal(e, r);
        if (sw != SW_OK) return sw;
        step();
        if (!value_parse(r->e1, r->e1_size, &r->value) || !digest_fits(e, r)) return SW_DATA;
        step();
    }
    sw = take_back(slot, r);
    if (sw == SW_OK) step();
    return sw;
}

uint16_t cmd_recover_end(struct apdu *a)
{
    struct cursor c;
    struct returned r;
    uint16_t slot;
    uint16_t sw = data_lift(a, &c);
    if (sw != SW_OK) return sw;
    struct cursor whole = c;
    if (!tlv_fixed(&whole, 0x8B, 2)) return SW_DATA;
    if (a->p1 == 1 ? !plain_take(&whole, &r) : !sealed_take(&whole, &r)) return SW_DATA;
    step();
    sw = item_take(&c, &slot);
    if (sw != SW_OK) return sw;
    const struct entry *e = index_at(slot);
    if (e->cls == CLASS_CERTIFICATE && e->kind != a->p1) return SW_DATA;
    sw = recover(slot, &r);
    return sw == SW_OK ? answer_handle(a, index_at(slot)->partner) : sw;
}

/* ---- GET RECEIPT ---- */

uint16_t cmd_receipt(struct apdu *a)
{
    struct cursor cur;
    struct cert c;
    uint16_t slot;
    data_cursor(a, &cur);
    if (a->lc != 4) return SW_DATA;
    uint16_t sw = item_take(&cur, &slot);
    if (sw != SW_OK) return sw;
    const struct entry *e = index_at(slot);
    if (e->cls != CLASS_CERTIFICATE || e->state != CERT_SPENT) return SW_CONDITIONS;
    if (!cert_parse(entry_object(e), e->size, &c)) return SW_MEMORY;
    uint8_t recovered = 1, *start = a->buf + LEAD, *elements = start + 4;
    uint8_t *p = tlv_put(elements, 0x93, c.card, 8);
    p = tlv_put32(p, 0x94, c.sequence);
    p = tlv_put(p, 0x9A, c.safe, 8);
    p = tlv_put(p, 0x99, c.counter, 4);
    p = tlv_put(p, 0x97, &c.algorithm, 1);
    p = tlv_put(p, 0x98, c.hash, c.hash_length);
    p = tlv_put(p, 0x9F, &recovered, 1);
    p = credential_put(p);
    if (p) p = signature_put(elements, p, "cardbench receipt v1", NULL);
    if (!p) return SW_CONDITIONS;
    uint16_t n = (uint16_t)(p - elements);
    p = tlv_head(a->buf, 0xEA, n);
    memmove(p, elements, n);
    a->out = (uint16_t)(p + n - a->buf);
    return SW_OK;
}
