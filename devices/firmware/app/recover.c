/** Recovery means 107/121: RECOVER BEGIN, RECOVER END, GET RECEIPT (docs/protocol.md 2.4 rules 4, 5, 6). */
#include "app.h"

#include <string.h>

#include "hal/hal.h"
#include "nvm/nvm.h"

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
SHARED uint16_t recovering(uint16_t slot)
{
    struct room r;
    const struct entry *c = index_at(slot);
    bool gone = value_of(c) < 0;
    if (gone) {
        uint16_t sw = room_find(&r, c->value_size, true);
        if (sw != SW_OK) return sw;
        nvm_tx_begin();
        change_page(PAGE_STATE)->state.handle = r.handle;
        sw = change_commit();
        if (sw != SW_OK) return sw;
    }
    nvm_tx_begin();
    struct entry *e = entry_change(slot);
    e->state = CERT_RECOVERING;
    if (gone) {
        e->partner = r.handle;
        entry_new(&r, CLASS_VALUE, VALUE_RESERVED)->partner = e->handle;
    }
    return change_commit();
}

uint16_t cmd_recover_begin(struct request *q)
{
    uint16_t sw = SW_OK;
    step();
    if (q->e->state == CERT_SPENT) return SW_CONDITIONS;
    if (q->e->kind < KIND_KEY && q->e->state == CERT_STORED) sw = recovering(q->slot);
    q->e = index_at(q->slot); /* on a worn page it is read from the journal's slot from now on */
    if (sw == SW_OK) sw = cmd_read(q);
    if (sw == SW_OK) step();
    return sw;
}

/* ---- RECOVER END ---- */

static syntax sealed_elements = {0xE2, 0, 117, 0x90, 1, 1, 0x91, 0, 0xFF, 0x92, 64, 64, 0};
/** Elements of registered value information E3. */
enum { R_DIGEST, R_VARIANT, R_SEALED, R_SIGNATURE, R_ELEMENTS };

/** What the safe gave back: the object, and after opening the value in it. */
struct returned {
    uint8_t *at[R_ELEMENTS];
    uint8_t *e1; /* the value in clear */
    uint16_t e1_size, sealed_size;
};

static syntax path_elements = {0xC9, PATH_BYTES, PATH_BYTES, 0x91, 49, 0xFF, 0x92, 64, 64, 0};
/** Elements of what comes over a path, FB. */
enum { P_PATH, P_SEALED, P_SIGNATURE };
/** What comes back is sealed for the card by its safe. */
#define OVER_PATH(a) (FEATURE_OWNER && (a)->ins == INS_PATH_RECOVER)

/** The registered value information 203 that is at r->e1. */
static bool registered_take(struct returned *r)
{
    if (!object_take(r->e1, r->e1 + r->e1_size, 0xE3, sealed_elements, r->at)) return false;
    r->sealed_size = (uint16_t)(r->at[R_SIGNATURE] - 2 - r->at[R_SEALED]);
    return *r->at[R_VARIANT] == KEY_DECODING || *r->at[R_VARIANT] == KEY_COMMON;
}

static __attribute__((noinline)) bool returned_take(struct returned *r, const struct request *q)
{
    struct value v;
    r->e1 = q->at[0] + 2;
    r->e1_size = (uint16_t)(q->end - r->e1);
    if (q->a->p1 == 1) return value_take(r->e1, q->end, &v);
    if (OVER_PATH(q->a)) return object_take(r->e1, q->end, 0xFB, path_elements, r->at);
    return registered_take(r);
}

/** The certified hash fits the object. */
static __attribute__((noinline)) bool certified(const struct entry *e, const struct returned *r)
{
    uint8_t x[32];
    bool plain = e->kind == KIND_PLAIN;
    uint8_t n = hash_of(e->algorithm, plain ? r->e1 : r->at[R_SEALED], plain ? r->e1_size : r->sealed_size, x);
    return n != 0 && memcmp(x, e->hash, n) == 0;
}

/** Signature 303 by this card. */
static __attribute__((noinline)) uint16_t own_signature(const struct returned *r, const struct binding *bind)
{
    uint8_t own[32];
    uint16_t sw = key_public(KEY_SIGNING, own);
    if (sw != SW_OK) return sw;
    return signature_check(r->at[R_DIGEST] - 2, r->at[R_SIGNATURE], "cardbench 203 v1", bind, own);
}

SHARED uint16_t open_own(struct sealing *s, uint8_t key, uint8_t *in, uint16_t length)
{
    return key == KEY_COMMON ? open_common(s, in, length) : open_public(s, key, in, length);
}

/** Signature, hash, decryption: the value in clear is in r->e1 afterwards. */
static __attribute__((noinline)) uint16_t unseal(const struct request *q, struct returned *r)
{
    struct sealing s = {.label = "cardbench 202 v1", .info = q->a->buf, .e2 = r->at[R_DIGEST] - 2};
    uint8_t *sealed = r->at[R_SEALED];
    bind_card(&s.bind, q->e->sequence);
    s.e2_size = (uint16_t)(s.e2[1] + 2);
    uint16_t sw = own_signature(r, &s.bind);
#if FAULT_NO_OWN_SIGNATURE
    (void)sw;
#else
    if (sw != SW_OK) return sw;
#endif
    if (!certified(q->e, r)) return SW_DATA;
    uint8_t lead = *r->at[R_VARIANT] == KEY_COMMON ? 12 : 32;
    r->e1 = sealed + lead;
    r->e1_size = (uint16_t)(r->sealed_size - lead - 16);
    return open_own(&s, *r->at[R_VARIANT], sealed, r->sealed_size);
}

/** The certificate's digest is that of the object, where that has one, and of the value, if one is given. */
static __attribute__((noinline)) bool returned_fits(const struct entry *e, const struct returned *r, const struct value *v)
{
    struct cert c;
    if (!entry_cert(e, &c)) return false;
    const uint8_t *digest = c.at[C_DIGEST];
    if (e->kind == KIND_REGISTERED && memcmp(digest - 1, r->at[R_DIGEST] - 1, LENGTH(digest) + 1u) != 0) return false;
    return v == NULL || LENGTH(digest) == 0 || digest_is(digest, v);
}

#if FEATURE_OWNER
/** What the safe of the certificate has sent over a path: its signature, then the value in clear, or 203, is in r->e1. */
static __attribute__((noinline)) uint16_t path_open(const struct request *q, struct returned *r)
{
    struct sealing s = {.label = "cardbench to card v1", .info = q->a->buf};
    struct cert c;
    uint8_t *sealed = r->at[P_SEALED];
    if (!entry_cert(q->e, &c)) return SW_MEMORY;
    bind_card(&s.bind, q->e->sequence);
    bind_more(&s.bind, r->at[P_PATH], PATH_BYTES);
    uint16_t sw = signature_check(r->at[P_PATH] - 2, r->at[P_SIGNATURE], "cardbench reply v1", &s.bind,
                                  safe_verify_key(safe_page(c.at[C_SAFE])));
#if FAULT_OWNER_ANY_REPLY
    (void)sw;
#else
    if (sw != SW_OK) return sw;
#endif
    r->sealed_size = (uint16_t)(r->at[P_SIGNATURE] - 2 - sealed);
    r->e1 = sealed + 32;
    r->e1_size = (uint16_t)(r->sealed_size - 48);
    sw = open_public(&s, KEY_TRANSPORT, sealed, r->sealed_size);
    if (FEATURE_SEALED && sw == SW_OK && q->a->p1 == APART_EMBODIMENT) return registered_take(r) ? SW_OK : SW_DATA;
    if (sw == SW_OK) step();
    return sw;
}
#endif

/** Stores the value: ACTIVE and, together with it, the certificate SPENT. */
SHARED uint16_t take_back(uint16_t slot, const uint8_t *e1, uint16_t size)
{
    const struct entry *c = index_at(slot);
    int place = value_of(c);
    if (place < 0) return SW_CONDITIONS;
    const struct entry *v = index_at((uint16_t)place);
    if (v->state == VALUE_RESERVED) {
        if (size > v->pages * PAGE_BYTES) return SW_DATA;
        uint16_t sw = region_write(v->first, v->pages, e1, size);
        if (sw != SW_OK) return sw;
    }
#if FAULT_SPENT_FIRST
    nvm_tx_begin();
    entry_change(slot)->state = CERT_SPENT;
    if (change_commit() != SW_OK) return SW_MEMORY;
#endif
    nvm_tx_begin();
    struct entry *e = entry_change((uint16_t)place);
    e->state = VALUE_ACTIVE;
    e->size = size;
#if FAULT_SPENT_LATER
    if (change_commit() != SW_OK) return SW_MEMORY;
    nvm_tx_begin();
#endif
#if FAULT_OWNER_NOT_SPENT
    entry_change(slot)->state = running_ins == INS_PATH_RECOVER ? CERT_STORED : CERT_SPENT;
#elif FAULT_NOT_SPENT
    entry_change(slot)->state = CERT_STORED;
#else
    entry_change(slot)->state = CERT_SPENT;
#endif
    return change_commit();
}

/** The value in clear is one and is the one that the certificate describes. */
static __attribute__((noinline)) bool value_fits(const struct entry *e, const struct returned *r)
{
    struct value v;
    return value_take(r->e1, r->e1 + r->e1_size, &v) && returned_fits(e, r, &v);
}

/** Everything between the handing over and the answer. */
static uint16_t recover(const struct request *q, struct returned *r)
{
    if (q->e->kind == KIND_REGISTERED) {
        uint16_t sw = unseal(q, r);
        if (sw != SW_OK) return sw;
        step();
    } else if (!certified(q->e, r)) {
        return SW_DATA;
    }
    if (!value_fits(q->e, r)) return SW_DATA;
    step();
    uint16_t sw = take_back(q->slot, r->e1, r->e1_size);
    if (sw == SW_OK) step();
    return sw;
}

uint16_t cmd_recover_end(struct request *q)
{
    struct returned r;
    uint16_t sw = SW_OK;
    if (!returned_take(&r, q)) return SW_DATA;
#if FEATURE_OWNER
    if (OVER_PATH(q->a) && (q->e->state == CERT_RECOVERING || q->e->state == CERT_SPENT)) sw = path_open(q, &r);
    if (sw != SW_OK) return sw;
#endif
    if (q->e->state == CERT_RECOVERING)
        sw = recover(q, &r);
    else if (q->e->state == CERT_SPENT && certified(q->e, &r) && returned_fits(q->e, &r, NULL))
        for (uint8_t i = 0; i <= q->e->kind; i++) step();
    else
        sw = SW_CONDITIONS;
    return sw == SW_OK ? answer_handle(q->a, index_at(q->slot)->partner) : sw;
}

/* ---- GET RECEIPT ---- */

uint16_t cmd_receipt(struct request *q)
{
    static const uint8_t repeated[] = {C_CARD, C_SEQUENCE, C_SAFE, C_COUNTER, C_ALGORITHM, C_HASH};
    static const uint8_t recovered[] = {0x9F, 1, 1};
    struct apdu *a = q->a;
    struct cert c;
#if FEATURE_RENEWAL
    if (q->e->kind == KIND_KEY && q->e->state == CERT_STORED) (void)renewal_settle();
    q->e = index_at(q->slot);
#endif
#if !FAULT_EARLY_RECEIPT
    if (q->e->state != CERT_SPENT) return SW_CONDITIONS;
#endif
    if (!entry_cert(q->e, &c)) return SW_MEMORY;
    uint8_t *elements = a->buf + LEAD, *p = elements;
    for (unsigned i = 0; i < sizeof repeated; i++) p = tlv_copy(p, c.at[repeated[i]]);
    p = credential_put(tlv_copy(p, recovered + 2));
    if (p) p = signature_put(elements, p, "cardbench receipt v1", NULL);
    if (!p) return SW_CONDITIONS;
    a->out = (uint16_t)(tlv_put(a->buf, 0xEA, elements, (uint16_t)(p - elements)) - a->buf);
    return SW_OK;
}
