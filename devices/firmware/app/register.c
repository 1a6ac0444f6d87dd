/** Registration means 106/120: REGISTER BEGIN and REGISTER END (docs/protocol.md 2.4 rules 1, 2 and 7). */
#include "app.h"

#include <string.h>

#include "hal/hal.h"
#include "nvm/nvm.h"

/** A registration of a value being begun. */
struct begin {
    struct value value;
    struct room room;     /* of the certificate, when `fresh` */
    uint16_t slot;        /* of the value */
    uint16_t certificate; /* slot of the reserved certificate */
    uint32_t sequence;
    uint8_t variant, algorithm;
    bool again, fresh; /* the same once more; the certificate's entry is new */
    uint8_t x[32];
};

/* ---- REGISTER BEGIN ---- */

uint8_t *request_head(uint8_t *p, uint16_t inner, uint32_t sequence, uint8_t algorithm)
{
    p = tlv_head(p, 0xE4, (uint16_t)(19 + inner));
    p = tlv_put(p, 0x93, card_identity()->card, 8);
    p = tlv_put32(p, 0x94, sequence);
    return tlv_put(p, 0x95, &algorithm, 1);
}

/** Registration request with the plain value. */
static uint16_t request_plain(struct apdu *a, struct begin *b)
{
    const struct entry *e = index_at(b->slot);
    uint8_t *p = request_head(a->buf, e->size, b->sequence, b->algorithm);
    memcpy(p, entry_object(e), e->size);
    a->out = (uint16_t)(p + e->size - a->buf);
    return hash_of(b->algorithm, p, e->size, b->x) ? SW_OK : SW_DATA;
}

/** Element 91, to where it is told. */
static uint16_t seal_value(const struct begin *b, const struct binding *bind, uint8_t *e2, uint16_t e2_length,
                           uint8_t *out)
{
    const struct entry *e = index_at(b->slot);
    uint8_t own[32];
    if (b->variant == KEY_COMMON) return seal_common(bind, e2, e2_length, entry_object(e), e->size, out);
    uint16_t sw = key_public(KEY_DECODING, own);
    if (sw != SW_OK) return sw;
    return seal_public(own, b->sequence, "cardbench 202 v1", bind, e2, e2_length, entry_object(e), e->size, out);
}

/** Registration request with the registered value information 203. */
static uint16_t request_sealed(struct apdu *a, struct begin *b)
{
    struct binding bind;
    const struct entry *e = index_at(b->slot);
    uint16_t digest = card_digest_size(&b->value);
    uint16_t sealed = (uint16_t)(e->size + (b->variant == KEY_COMMON ? 28 : 48));
    uint16_t inner = (uint16_t)(digest + 3 + tlv_size(sealed) + 66);
    uint8_t *start = a->buf + LEAD;
    if (LEAD + 23u + 4u + inner > a->cap) return SW_LENGTH;
    bind_card(&bind, b->sequence);
    uint8_t *elements = request_head(start, tlv_size(inner), b->sequence, b->algorithm);
    elements = tlv_head(elements, 0xE3, inner);
    uint8_t *p = card_digest_put(elements, &b->value);
    p = tlv_put(p, 0x90, &b->variant, 1);
    p = tlv_head(p, 0x91, sealed);
    uint16_t sw = seal_value(b, &bind, elements, digest, p);
    if (sw != SW_OK) return sw;
    if (!hash_of(b->algorithm, p, sealed, b->x)) return SW_DATA;
    p = signature_put(elements, p + sealed, "cardbench 203 v1", &bind);
    if (!p) return SW_CONDITIONS;
    a->out = (uint16_t)(p - start);
    memmove(a->buf, start, a->out);
    return SW_OK;
}

uint16_t sequence_take(uint32_t *sequence, uint16_t handle)
{
    if (card_state()->sequence == 0xFFFFFFFFu) return SW_CONDITIONS;
    nvm_tx_begin();
    struct state *s = &change_page(PAGE_STATE)->state;
    s->sequence++;
    if (handle) s->handle = handle;
    *sequence = s->sequence;
    return change_commit();
}

/** State, key and room; decides whether this is the same registration again. */
static uint16_t begin_check(struct begin *b)
{
    const struct entry *e = index_at(b->slot);
    if (e->state == VALUE_DEPOSITED) return SW_CONDITIONS;
    if (b->variant && !key_at(b->variant)) return SW_CONDITIONS;
    if (!entry_value(e, &b->value)) return SW_MEMORY;
    b->sequence = e->sequence;
    b->fresh = e->state == VALUE_ACTIVE;
    b->again = !b->fresh && e->variant == b->variant && e->algorithm == b->algorithm;
    if (b->fresh) {
        uint16_t sw = room_find(&b->room, cert_room(digest_size(&b->value)), true);
        b->certificate = b->room.slot;
        return sw;
    }
    int reserved = index_find_any(e->partner, CLASS_CERTIFICATE);
    b->certificate = (uint16_t)reserved;
    return reserved < 0 ? SW_MEMORY : SW_OK;
}

static void registration_note(struct entry *e, const struct begin *b)
{
    e->sequence = b->sequence;
    e->kind = b->variant ? KIND_REGISTERED : KIND_PLAIN;
    e->variant = b->variant;
    e->algorithm = b->algorithm;
    memcpy(e->hash, b->x, 32);
}

/** The value becomes PENDING together with its reserved certificate. */
static uint16_t begin_commit(const struct begin *b)
{
    nvm_tx_begin();
    struct entry *v = entry_change(b->slot);
    struct entry *c = b->fresh ? entry_new(&b->room, CLASS_CERTIFICATE, CERT_RESERVED) : entry_change(b->certificate);
    registration_note(v, b);
    registration_note(c, b);
    v->state = VALUE_PENDING;
    v->partner = c->handle;
    c->partner = v->handle;
    c->value_size = v->size;
    return change_commit();
}

uint16_t cmd_register_begin(struct request *q)
{
    struct begin b;
    step();
    b.algorithm = *q->at[1];
    b.variant = q->a->p2;
    b.slot = q->slot;
    if (!hash_allowed(b.algorithm)) return SW_DATA;
    uint16_t sw = begin_check(&b);
    if (sw == SW_OK && !b.again) sw = sequence_take(&b.sequence, b.fresh ? b.room.handle : 0);
    if (sw != SW_OK) return sw;
    step();
    sw = b.variant ? request_sealed(q->a, &b) : request_plain(q->a, &b);
    if (sw != SW_OK) return sw;
    if (b.variant) step();
    return b.again ? SW_OK : begin_commit(&b);
}

/* ---- REGISTER END ---- */

/** What a certificate must say: noted in the value or in the key registration. */
struct expected {
    const uint8_t *hash;
    int certificate; /* slot of its reserved entry */
    uint16_t slot;   /* of the value */
    uint8_t kind, key, algorithm;
};

/** Finds the pending registration of this sequence. */
static bool expected_find(struct expected *x, uint32_t sequence, bool key)
{
    if (key) {
        const struct keyreg *k = key_registration();
        if (!k || k->sequence != sequence) return false;
        *x = (struct expected){k->x3, index_find_any(k->handle, CLASS_CERTIFICATE), 0, KIND_KEY, k->kind, k->algorithm};
        return x->certificate >= 0;
    }
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (e->cls != CLASS_VALUE || e->state != VALUE_PENDING || e->sequence != sequence) continue;
        *x = (struct expected){e->hash, index_find_any(e->partner, CLASS_CERTIFICATE), i, e->kind, 0, e->algorithm};
        return x->certificate >= 0;
    }
    return false;
}

static bool digest_fits(const struct expected *x, const uint8_t *digest)
{
    struct value v;
    uint8_t own[16];
    bool empty = LENGTH(digest) == 0;
    if (x->kind == KIND_KEY) return key_digest(x->key, own) == SW_OK && memcmp(own + 2, digest, 14) == 0;
    if (!entry_value(index_at(x->slot), &v)) return false;
    if (x->kind == KIND_PLAIN ? empty : card_digest_size(&v) == 2) return empty;
    return digest_is(digest, &v);
}

/** Kind, safe, digest, hash and signature, in the order of rule 2. */
static uint16_t certificate_check(const struct expected *x, const struct cert *c, uint8_t embodiment)
{
    uint8_t kind = *c->at[C_KIND];
    if (kind != x->kind || (kind == KIND_PLAIN) != (embodiment == 1)) return SW_DATA;
    uint16_t safe = safe_page(c->at[C_SAFE]);
    if (!safe || (kind == KIND_KEY && memcmp(c->at[C_SAFE], key_registration()->safe, 8) != 0)) return SW_NOT_FOUND;
    if (!digest_fits(x, c->at[C_DIGEST])) return SW_DATA;
    if (*c->at[C_ALGORITHM] != x->algorithm) return SW_DATA;
    if (memcmp(c->at[C_HASH], x->hash, LENGTH(c->at[C_HASH])) != 0) return SW_DATA;
    return signature_check(c->at[0] - 2, c->at[C_SIGNATURE], "cardbench certificate v1", NULL, safe_verify_key(safe));
}

/** The certificate becomes STORED and, together with it, the value DEPOSITED or the key registration closed. */
static uint16_t certificate_store(const struct expected *x, const uint8_t *e6, uint16_t size)
{
    uint16_t slot = (uint16_t)x->certificate;
    const struct entry *r = index_at(slot);
    if (size > r->pages * PAGE_BYTES) return SW_DATA;
    uint16_t sw = region_write(r->first, r->pages, e6, size);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    struct entry *e = entry_change(slot);
    e->state = CERT_STORED;
    e->size = size;
    if (x->kind == KIND_KEY)
        nvm_tx_erase(PAGE_KEYREG);
    else
        entry_change(x->slot)->state = VALUE_DEPOSITED;
    return change_commit();
}

/** The very certificate that was stored before: its slot, -1 otherwise. */
static int stored_before(uint32_t sequence, const uint8_t *e6, uint16_t size)
{
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (e->cls == CLASS_CERTIFICATE && entry_listed(e) && e->sequence == sequence && e->size == size &&
            memcmp(entry_object(e), e6, size) == 0)
            return i;
    }
    return -1;
}

uint16_t cmd_register_end(struct request *q)
{
    struct cert c;
    struct expected x;
    uint8_t *e6 = q->a->buf + LEAD;
    uint16_t size = q->a->lc, sw = SW_OK;
    if (!cert_take(e6, q->end, &c)) return SW_DATA;
    uint32_t sequence = get32(c.at[C_SEQUENCE]);
    step();
    if (memcmp(c.at[C_CARD], card_identity()->card, 8) != 0) return SW_DATA;
    if (expected_find(&x, sequence, q->a->p2 == 3)) {
        sw = certificate_check(&x, &c, q->a->p1);
        if (sw == SW_OK) sw = certificate_store(&x, e6, size);
    } else {
        x.certificate = stored_before(sequence, e6, size);
        if (x.certificate < 0) sw = SW_CONDITIONS;
    }
    if (sw != SW_OK) return sw;
    step();
    return answer_handle(q->a, index_at((uint16_t)x.certificate)->handle);
}
