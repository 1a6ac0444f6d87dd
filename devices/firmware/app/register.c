/** Registration means 106/120: REGISTER BEGIN and REGISTER END (docs/protocol.md 2.4 rules 1, 2 and 7). */
#include "app.h"

#include <string.h>

#if FAULT_COUNTER_IN_PLACE
#include "crypto/crypto.h"
#endif
#include "hal/hal.h"
#include "nvm/nvm.h"

/** A registration of a value being begun. */
struct begin {
    struct room room; /* of the certificate, when `fresh` */
    uint32_t sequence;
    uint16_t slot;        /* of the value */
    uint16_t certificate; /* slot of the reserved certificate */
    uint8_t variant, algorithm;
    bool again, fresh;    /* the same once more; the certificate's entry is new */
#if FEATURE_OWNER
    uint16_t safe; /* over a path, or sealed: page of its safe; otherwise 0 */
    uint8_t path[PATH_BYTES];
#endif
    const uint8_t *hashed; /* what hash X is made of */
    uint16_t hashed_size;
};

/* ---- REGISTER BEGIN ---- */

uint16_t request_finish(struct apdu *a, uint8_t tag, const uint8_t *elements, const uint8_t *end, uint32_t sequence,
                        uint8_t algorithm)
{
    uint16_t n = (uint16_t)(end - elements), inner = tag ? tlv_size(n) : n;
    uint8_t *p = tlv_head(a->buf, 0xE4, (uint16_t)(19 + inner));
    p = tlv_put(p, 0x93, card_identity()->card, 8);
    p = tlv_put32(p, 0x94, sequence);
    p = tlv_put(p, 0x95, &algorithm, 1);
    if (tag) p = tlv_head(p, tag, n);
    memmove(p, elements, n);
    a->out = (uint16_t)(p + n - a->buf);
    return SW_OK;
}

/** Registration request with the plain value. */
static uint16_t request_plain(struct apdu *a, const struct begin *b)
{
    return request_finish(a, 0, b->hashed, b->hashed + b->hashed_size, b->sequence, b->algorithm);
}

/** Digest, variant and head of element 91. */
static __attribute__((noinline)) uint8_t *sealed_head(const struct begin *b, uint8_t *p, uint16_t sealed)
{
    struct value v;
    if (!entry_value(index_at(b->slot), &v)) return NULL;
    p = card_digest_put(p, &v);
    p = tlv_put(p, 0x90, &b->variant, 1);
    return tlv_head(p, 0x91, sealed);
}

SHARED uint16_t seal_own(struct sealing *s, uint8_t key, const uint8_t *in, uint16_t length, uint8_t *out)
{
    uint8_t *own = out + length + 48 + 32;
    if (key == KEY_COMMON) return seal_common(s, in, length, out);
    uint16_t sw = key_public(key, own);
    return sw == SW_OK ? seal_public(s, own, in, length, out) : sw;
}

#if FEATURE_OWNER
/** Over a path, or sealed. */
#define OVER_PATH(b) ((b)->safe != 0)
static uint16_t request_path(struct apdu *a, const struct begin *b, const uint8_t *in, uint16_t size);
#else
#define OVER_PATH(b) false
#endif
/** Where registered value information that is to be sealed for its safe is made: behind the room for that. */
#define SEALED_AHEAD 896u

/** Registration request with the registered value information 203; made behind LEAD, then put together or sealed. */
static uint16_t request_sealed(struct apdu *a, struct begin *b)
{
    struct sealing s = {.label = "cardbench 202 v1", .info = a->buf, .e2 = a->buf + LEAD};
    if (FEATURE_SEALED && OVER_PATH(b)) s.e2 += SEALED_AHEAD;
    uint16_t sealed = (uint16_t)(index_at(b->slot)->size + (b->variant == KEY_COMMON ? 28 : 48));
    bind_card(&s.bind, b->sequence);
    uint8_t *p = sealed_head(b, s.e2, sealed);
    if (!p) return SW_MEMORY;
    s.e2_size = (uint16_t)(s.e2[1] + 2);
    const struct entry *e = index_at(b->slot);
    uint16_t sw = seal_own(&s, b->variant, entry_object(e), e->size, p);
    if (sw != SW_OK) return sw;
    p = signature_put(s.e2, p + sealed, "cardbench 203 v1", &s.bind);
    if (!p) return SW_CONDITIONS;
    b->hashed_size = sealed;
#if FEATURE_SEALED && !FAULT_PATH_PLAIN
    if (OVER_PATH(b)) {
        uint16_t content = (uint16_t)(p - s.e2), size = tlv_size(content);
        b->hashed = p - 66 - sealed;
        (void)tlv_head(p - size, 0xE3, content);
        return request_path(a, b, p - size, size);
    }
#endif
    (void)request_finish(a, 0xE3, s.e2, p, b->sequence, b->algorithm);
    b->hashed = a->buf + a->out - 66 - sealed;
    return SW_OK;
}

#if FEATURE_OWNER
static syntax grant_elements = {0x93, 8, 8, 0x9A, 8, 8, 0xC9, PATH_BYTES, PATH_BYTES, 0x92, 64, 64, 0};
/** Elements of the grant F0 of a path. */
enum { G_CARD, G_SAFE, G_PATH, G_SIGNATURE, G_ELEMENTS };
/** What a value that is sealed for a safe adds to itself: head, enc, tag, credential, signature. */
#define PATH_MORE (4 + 48 + 160 + 66)

/** The grant of a path: for this card, by a safe that it knows. Or the safe alone, for which 203 is sealed. */
static __attribute__((noinline)) uint16_t path_take(struct begin *b, const struct request *q)
{
    uint8_t *at[G_ELEMENTS];
    bool alone = FEATURE_SEALED && q->a->p1 == APART_EMBODIMENT;
    if (alone) {
        at[G_SAFE] = q->at[2];
        if (at[G_SAFE][-2] != 0x9A || LENGTH(at[G_SAFE]) != 8) return SW_DATA;
    } else {
        if (!object_take(q->at[1] + 1, q->end, 0xF0, grant_elements, at)) return SW_DATA;
        if (memcmp(at[G_CARD], card_identity()->card, 8) != 0) return SW_DATA;
    }
    b->safe = safe_page(at[G_SAFE]);
    if (!b->safe) return SW_NOT_FOUND;
#if FEATURE_SEALED
    if (alone) {
        memset(b->path, 0, PATH_BYTES);
        return apart_value(b->variant, at[G_SAFE]) ? SW_OK : SW_CONDITIONS;
    }
#endif
    memcpy(b->path, at[G_PATH], PATH_BYTES);
#if FAULT_PATH_ANY_GRANT
    return SW_OK;
#endif
    return signature_check(at[G_CARD] - 2, at[G_SIGNATURE], "cardbench path v1", NULL, safe_verify_key(b->safe));
}

/** Registration request with a value, or 203, sealed for the safe of a path; made behind LEAD, then put together. */
static uint16_t request_path(struct apdu *a, const struct begin *b, const uint8_t *in, uint16_t size)
{
    struct sealing s = {.label = "cardbench to safe v1", .info = a->buf, .e2 = a->buf + LEAD};
    uint16_t sealed = (uint16_t)(size + 48);
#if FAULT_PATH_PLAIN
    if (size) return request_plain(a, b);
#endif
    bind_card(&s.bind, b->sequence);
    bind_more(&s.bind, b->path, PATH_BYTES);
    uint8_t *p = tlv_head(s.e2, 0x91, sealed);
    uint16_t sw = seal_public(&s, safe_transport_key(b->safe), in, size, p);
    if (sw != SW_OK) return sw;
    p = credential_put(p + sealed);
    if (p) p = signature_put(s.e2, p, "cardbench sealed v1", &s.bind);
    if (!p) return SW_CONDITIONS;
    return request_finish(a, 0xF1, s.e2, p, b->sequence, b->algorithm);
}
#else
#define PATH_MORE 0
#define request_path(a, b, in, size) request_plain(a, b)
#endif

#if FAULT_SEQUENCE_LATE
/** Last sequence given since power-on; the state page follows with the certificate. */
static uint32_t taken;

static uint16_t sequence_note(uint32_t sequence)
{
    nvm_tx_begin();
    struct state *s = &change_page(PAGE_STATE)->state;
    if (s->sequence < sequence) s->sequence = sequence;
    return change_commit();
}
#endif

uint16_t sequence_take(uint32_t *sequence, uint16_t handle)
{
    if (card_state()->sequence == 0xFFFFFFFFu) return SW_CONDITIONS;
    nvm_tx_begin();
    struct state *s = &change_page(PAGE_STATE)->state;
#if FAULT_SEQUENCE_REUSED
    if (s->sequence == 0)
#endif
        s->sequence++;
    if (handle) s->handle = handle;
    *sequence = s->sequence;
#if FAULT_SEQUENCE_LATE
    taken = taken < s->sequence ? s->sequence : taken + 1;
    s->sequence = card_state()->sequence;
    *sequence = taken;
#endif
#if FAULT_COUNTER_IN_PLACE
    s->crc = crypto_crc32(CRYPTO_CRC32_START, s, NVM_CRC);
    return nvm_put(PAGE_STATE, (const uint8_t *)s) == NVM_OK ? SW_OK : SW_MEMORY;
#endif
    return change_commit();
}

/** What registered value information adds to digest and value: variant, heads, enc, tag, signature. */
#define REQUEST_MORE (3 + 4 + 48 + 66)

/** State, key and room; decides whether this is the same registration again. */
static __attribute__((noinline)) uint16_t begin_check(struct begin *b, uint16_t capacity)
{
    const struct entry *e = index_at(b->slot);
    if (e->state == VALUE_DEPOSITED || (e->state == VALUE_PENDING && e->part)) return SW_CONDITIONS;
    if (b->variant && !key_at(b->variant)) return SW_CONDITIONS;
    b->sequence = e->sequence;
    b->fresh = e->state == VALUE_ACTIVE;
    b->again = !b->fresh && e->variant == b->variant && e->algorithm == b->algorithm;
    struct value v;
    if (!entry_value(e, &v)) return SW_MEMORY;
    uint16_t more = OVER_PATH(b) && !b->variant ? PATH_MORE : REQUEST_MORE;
    if (FEATURE_SEALED && OVER_PATH(b) && b->variant) more += SEALED_AHEAD;
    if (LEAD + digest_size(&v) + e->size + more > capacity) return SW_ROOM;
    b->hashed = entry_object(e);
    b->hashed_size = e->size;
    /* The safe makes the digest of a plain value by its own setting. */
    uint16_t room = cert_room(FEATURE_CONDITIONS && b->variant ? card_digest_size(&v) : digest_size(&v));
    if (b->fresh) return room_find(&b->room, room, true);
    int reserved = index_find_any(e->partner, CLASS_CERTIFICATE);
    b->certificate = (uint16_t)reserved;
#if FEATURE_CONDITIONS
    if (reserved >= 0 && room > index_at(b->certificate)->pages * PAGE_BYTES) return SW_CONDITIONS;
#endif
    return reserved < 0 ? SW_MEMORY : SW_OK;
}

/** The value becomes PENDING together with its reserved certificate. */
static uint16_t begin_commit(const struct begin *b)
{
    nvm_tx_begin();
    struct entry *v = entry_change(b->slot);
    struct entry *c = b->fresh ? entry_new(&b->room, CLASS_CERTIFICATE, CERT_RESERVED) : entry_change(b->certificate);
    if (!hash_of(b->algorithm, b->hashed, b->hashed_size, v->hash)) return SW_DATA;
    v->state = VALUE_PENDING;
    v->partner = c->handle;
    v->sequence = b->sequence;
    v->kind = b->variant ? KIND_REGISTERED : KIND_PLAIN;
    v->variant = b->variant;
    v->algorithm = b->algorithm;
    v->part = 0;
    c->partner = v->handle;
    c->sequence = v->sequence;
    memcpy(c->hash, v->hash, 32);
    c->kind = v->kind;
    c->variant = v->variant;
    c->algorithm = v->algorithm;
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
#if FEATURE_OWNER
    b.safe = 0;
    uint16_t taken = q->a->ins == INS_PATH_REGISTER ? path_take(&b, q) : SW_OK;
    if (taken != SW_OK) return taken;
#endif
    uint16_t sw = begin_check(&b, q->a->cap);
    if (sw == SW_OK && !b.again) sw = sequence_take(&b.sequence, b.fresh ? b.room.handle : 0);
    if (sw != SW_OK) return sw;
    step();
    sw = b.variant ? request_sealed(q->a, &b)
         : OVER_PATH(&b) ? request_path(q->a, &b, b.hashed, b.hashed_size) : request_plain(q->a, &b);
    if (sw != SW_OK) return sw;
    if (b.variant || OVER_PATH(&b)) step();
    return b.again ? SW_OK : begin_commit(&b);
}

/* ---- REGISTER END ---- */

/** Finds the pending registration of this sequence. */
static bool expected_find(struct expected *x, uint32_t sequence, bool key, bool seed)
{
    if (key) {
        const struct keyreg *k = key_registration();
        if (!k || k->sequence != sequence || (k->kind == KEY_SEED) != seed) return false;
        *x = (struct expected){k->x3, index_find_any(k->handle, CLASS_CERTIFICATE), 0,
                                seed ? KIND_SEED : KIND_KEY, k->kind, k->algorithm};
        return x->certificate >= 0;
    }
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (e->cls != CLASS_VALUE || e->state != VALUE_PENDING || e->sequence != sequence || e->part) continue;
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
    if (IS_KEY(x->kind)) return key_digest(x->key, own) == SW_OK && memcmp(own + 2, digest, 14) == 0;
    if (!entry_value(index_at(x->slot), &v)) return false;
    if (x->kind == KIND_PLAIN ? empty : card_digest_size(&v) == 2) return empty;
    return digest_is(digest, &v);
}

uint16_t certificate_check(const struct expected *x, const struct cert *c, uint8_t embodiment)
{
    uint8_t kind = *c->at[C_KIND];
    if (kind != x->kind || (kind == KIND_PLAIN) != (embodiment == 1 || IS_OWNER(embodiment))) return SW_DATA;
    uint16_t safe = safe_page(c->at[C_SAFE]);
    if (!safe || ((kind == KIND_KEY || kind == KIND_SEED) && memcmp(c->at[C_SAFE], key_registration()->safe, 8) != 0)) return SW_NOT_FOUND;
#if FAULT_NO_DIGEST_COMPARE
    (void)digest_fits(x, c->at[C_DIGEST]);
#else
    if (!digest_fits(x, c->at[C_DIGEST])) return SW_DATA;
#endif
    if (*c->at[C_ALGORITHM] != x->algorithm) return SW_DATA;
#if FAULT_SHORT_HASH
    if (memcmp(c->at[C_HASH], x->hash, 4) != 0) return SW_DATA;
#elif !FAULT_NO_HASH_COMPARE
    if (memcmp(c->at[C_HASH], x->hash, LENGTH(c->at[C_HASH])) != 0) return SW_DATA;
#endif
#if FAULT_NO_SAFE_SIGNATURE
    return SW_OK;
#endif
    return signature_check(c->at[0] - 2, c->at[C_SIGNATURE], "cardbench certificate v1", NULL, safe_verify_key(safe));
}

#if FEATURE_SEED && !FAULT_SEED_STAYS
/** The seed goes; its algorithm remains in key storage. The registration counts no longer without it. */
static void seed_leave(void)
{
    uint8_t *page = change_page(PAGE_SEED)->bytes;
    page[0] = 0;
    memset(page + 8, 0, 32);
}
#else
static void seed_leave(void)
{
    nvm_tx_erase(PAGE_KEYREG);
}
#endif

/** The certificate becomes STORED and, together with it, the value DEPOSITED or the key registration closed. */
SHARED uint16_t certificate_store(const struct expected *x, const struct cert *c, uint8_t *e6, uint16_t size)
{
    uint16_t content = (uint16_t)(e6 + size - (c->at[0] - 2));
    uint16_t slot = (uint16_t)x->certificate;
    const struct entry *r = index_at(slot);
    if (size > r->pages * PAGE_BYTES) return SW_DATA;
    /* The head has made way for the label of the signature. */
    (void)tlv_head(e6, 0xE6, content);
#if FAULT_VALUE_BEFORE_CERTIFICATE
    if (x->kind < KIND_KEY) {
        nvm_tx_begin();
        entry_change(x->slot)->state = VALUE_DEPOSITED;
        if (change_commit() != SW_OK) return SW_MEMORY;
    }
#endif
#if FAULT_HALF_CERTIFICATE
    bool there = memcmp(entry_object(r), e6, PAGE_BYTES) == 0;
    uint16_t sw = there ? SW_OK : region_write(r->first, r->pages, e6, size);
    if (sw != SW_OK) return sw;
#elif !FAULT_INDEX_BEFORE_DATA
    uint16_t sw = region_write(r->first, r->pages, e6, size);
    if (sw != SW_OK) return sw;
#endif
#if FAULT_DELETE_BEFORE_COMMIT
    if (x->kind < KIND_KEY) {
        nvm_tx_begin();
        entry_change(x->slot)->state = DELETING;
        if (change_commit() != SW_OK) return SW_MEMORY;
    }
#endif
#if FAULT_SEED_FIRST
    if (x->kind == KIND_SEED) {
        nvm_tx_begin();
        seed_leave();
        if (change_commit() != SW_OK) return SW_MEMORY;
    }
#endif
#if FAULT_REGISTRATION_CLOSED_FIRST
    if (x->kind == KIND_KEY) {
        nvm_tx_begin();
        nvm_tx_erase(PAGE_KEYREG);
        if (change_commit() != SW_OK) return SW_MEMORY;
    }
#endif
    nvm_tx_begin();
    struct entry *e = entry_change(slot);
    e->state = FEATURE_PIECES && x->kind == KIND_PIECE ? CERT_HELD : CERT_STORED;
    e->size = size;
    if (x->kind == KIND_SEED)
        seed_leave();
    else if (x->kind == KIND_KEY)
        nvm_tx_erase(PAGE_KEYREG);
    else if (!FEATURE_PIECES || x->slot != NO_SLOT)
        entry_change(x->slot)->state = VALUE_DEPOSITED;
#if FAULT_INDEX_BEFORE_DATA
    uint16_t sw = change_commit();
    return sw == SW_OK ? region_write(r->first, r->pages, e6, size) : sw;
#else
    return change_commit();
#endif
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
#if !FAULT_FOREIGN_CERTIFICATE
    if (memcmp(c.at[C_CARD], card_identity()->card, 8) != 0) return SW_DATA;
#endif
    if (expected_find(&x, sequence, q->a->p2 == 3, q->a->p1 == SEED_EMBODIMENT)) {
        sw = certificate_check(&x, &c, q->a->p1);
#if FEATURE_TWO_SAFES
        bool value = x.kind < KIND_KEY && KEEPS_APART(q->a->p1);
        if (sw == SW_OK && value && !apart_value(index_at(x.slot)->variant, c.at[C_SAFE])) sw = SW_CONDITIONS;
#endif
        if (sw == SW_OK) sw = certificate_store(&x, &c, e6, size);
#if FEATURE_SEED
        if (sw == SW_OK) seed_settle();
#endif
#if FAULT_SEQUENCE_LATE
        if (sw == SW_OK) sw = sequence_note(sequence);
#endif
    } else {
        x.certificate = stored_before(sequence, e6, size);
        if (x.certificate < 0) sw = SW_CONDITIONS;
    }
#if FEATURE_RENEWAL
    if (sw == SW_OK && q->a->p2 == 3) sw = renewal_settle();
#endif
    if (sw != SW_OK) return sw;
    step();
    return answer_handle(q->a, index_at((uint16_t)x.certificate)->handle);
}
