/** Couple 130 and decouple 131: several values under one certificate (docs/protocol.md 5.2 to 5.4). */
#include "app.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

#if FEATURE_COUPLE

/** Values of a bundle at most. */
#define BUNDLE_MAX 4u

/** A bundle being registered. */
struct bundle {
    uint32_t sequence;
    uint16_t slots[BUNDLE_MAX];
    int certificate; /* slot of its entry, -1: none yet */
    uint8_t count, order, variant, algorithm;
    const uint8_t *content;
    uint16_t size;
    const struct entry *part; /* certificate of the key part that is coupled with the value, NULL: none */
};

static uint16_t sealed_more(uint8_t variant)
{
    return variant == KEY_COMMON ? 28 : 48;
}

/* ---- COUPLE ---- */

/** Syntax: 95, C4, then 8B for each value. */
static uint16_t couple_take(const struct apdu *a, struct bundle *b)
{
    static const uint8_t heads[] = {0x95, 1, 0, 0xC4, 1};
    uint8_t count = (uint8_t)((a->lc - 6) / 4);
    if (a->lc < 14 || a->lc > 6 + 4 * BUNDLE_MAX || a->lc % 4 != 2) return SW_DATA;
    if (memcmp(a->buf, heads, 2) != 0 || memcmp(a->buf + 3, heads + 3, 2) != 0) return SW_DATA;
    b->algorithm = a->buf[2];
    b->order = a->buf[5];
    b->variant = a->p2;
    b->count = count;
    if (!hash_allowed(b->algorithm) || b->order < 1 || b->order > 2) return SW_DATA;
    for (uint8_t i = 0; i < count; i++) {
        const uint8_t *item = a->buf + 6 + 4 * i;
        if (item[0] != 0x8B || item[1] != 2) return SW_DATA;
        int slot = index_find(get16(item + 2));
        if (slot < 0) return SW_NOT_FOUND;
        if (index_at((uint16_t)slot)->cls != CLASS_VALUE) return SW_CONDITIONS;
        for (uint8_t other = 0; other < i; other++)
            if (b->slots[other] == slot) return SW_DATA;
        b->slots[i] = (uint16_t)slot;
    }
    return SW_OK;
}

/** The very bundle that is pending already. */
static bool couple_again(struct bundle *b)
{
    const struct entry *first = index_at(b->slots[0]);
    b->sequence = first->sequence;
    for (uint8_t i = 0; i < b->count; i++) {
        const struct entry *v = index_at(b->slots[i]);
        if (v->state != VALUE_PENDING || v->kind != KIND_BUNDLE || v->sequence != b->sequence) return false;
        if (v->part != (b->count << 4 | (i + 1)) || v->variant != b->variant || v->algorithm != b->algorithm) return false;
        if (((v->flags & FLAG_SEALED_FIRST) != 0) != (b->order == 2)) return false;
    }
    b->certificate = set_find(CLASS_CERTIFICATE, KIND_BUNDLE, b->sequence, 0);
    return b->certificate >= 0;
}

/** Everything of EF before the content. */
static __attribute__((noinline)) uint8_t *bundle_head(const struct bundle *b, struct sealing *s)
{
    struct value v;
    uint8_t count[2] = {b->count, b->part != NULL};
    if (!entry_value(index_at(b->slots[0]), &v)) return NULL;
    uint8_t *p = card_digest_put(s->e2, &v);
    s->e2_size = (uint16_t)(p - s->e2);
    p = tlv_put(p, 0xC4, &b->order, 1);
    p = tlv_put(p, 0xC6, count, 2);
    p = tlv_put(p, 0x90, &b->variant, 1);
    return tlv_head(p, 0xC8, b->size);
}

/** One element 91 of the content: sealed with the key, bound to its place. */
static __attribute__((noinline)) uint16_t content_add(const struct bundle *b, struct sealing *s, uint8_t at, uint8_t key,
                                                      const uint8_t *in, uint16_t length, uint8_t **p)
{
    uint16_t size = (uint16_t)(length + sealed_more(key));
    uint8_t *out = tlv_head(*p, 0x91, size);
    *p = out + size;
    bind_card(&s->bind, b->sequence + at);
    s->label = "cardbench coupled v1";
    return seal_own(s, key, in, length, out);
}

/** The content: all values sealed together, or each sealed and then put side by side. */
static __attribute__((noinline)) uint16_t bundle_content(const struct bundle *b, struct sealing *s, uint8_t *out)
{
    uint8_t *p = out + (b->order == 1 ? sealed_more(b->variant) - 16 : 0), *begin = p;
    for (uint8_t i = 0; i < b->count; i++) {
        const struct entry *v = index_at(b->slots[i]);
        if (b->order == 1) {
            memcpy(p, entry_object(v), v->size);
            p += v->size;
            continue;
        }
        uint16_t sw = content_add(b, s, i, b->variant, entry_object(v), v->size, &p);
        if (sw != SW_OK) return sw;
    }
#if FEATURE_COUPLED
    if (b->part) {
        uint8_t *part = p + 160; /* behind what the sealing uses */
        uint16_t sw = part_make(b->part, part);
#if FAULT_COUPLED_NO_PART
        memset(part, 0, 32);
#endif
        if (sw == SW_OK) sw = content_add(b, s, 1, KEY_TRANSPORT, part, key_length(b->variant), &p);
#if FAULT_COUPLED_PART_OPEN
        memcpy(p - 16 - key_length(b->variant), part, key_length(b->variant));
#endif
        crypto_wipe(part, 64);
        return sw;
    }
#endif
    if (b->order == 2) return SW_OK;
    s->label = "cardbench bundle v1";
    return seal_own(s, b->variant, begin, (uint16_t)(p - begin), out);
}

/** E4 with the bundle. */
static uint16_t bundle_request(struct apdu *a, struct bundle *b)
{
    struct sealing s = {.info = a->buf, .e2 = a->buf + LEAD};
    bind_card(&s.bind, b->sequence);
    uint8_t *p = bundle_head(b, &s);
    if (!p) return SW_MEMORY;
    uint16_t sw = bundle_content(b, &s, p);
    if (sw != SW_OK) return sw;
    bind_card(&s.bind, b->sequence);
    p = signature_put(s.e2, p + b->size, "cardbench bundle v1", &s.bind);
    if (!p) return SW_CONDITIONS;
    (void)request_finish(a, 0xEF, s.e2, p, b->sequence, b->algorithm);
    b->content = a->buf + a->out - 66 - b->size;
    return SW_OK;
}

/** Sizes, key, and whether command and answer fit. */
static __attribute__((noinline)) uint16_t couple_check(struct bundle *b, uint16_t capacity, uint16_t *room)
{
    struct value v;
    uint16_t size = b->order == 1 ? sealed_more(b->variant) : b->part ? (uint16_t)(key_length(b->variant) + 50) : 0;
    if (!key_at(b->variant)) return SW_CONDITIONS;
    for (uint8_t i = 0; i < b->count; i++) {
        uint16_t one = index_at(b->slots[i])->size;
        size = (uint16_t)(size + (b->order == 1 ? one : tlv_size((uint16_t)(one + sealed_more(b->variant)))));
    }
    b->size = size;
    if (!entry_value(index_at(b->slots[0]), &v)) return SW_MEMORY;
    *room = cert_room(digest_size(&v));
    return LEAD + digest_size(&v) + size + 220 > capacity ? SW_ROOM : SW_OK;
}

/** Reserves the certificate; the bundle is none until all its values are PENDING. */
static uint16_t bundle_open(struct bundle *b, uint16_t room)
{
    struct room r;
    uint16_t sw = room_find(&r, room, true);
    if (sw == SW_OK) sw = sequences_take(&b->sequence, b->count, r.handle);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    struct entry *c = entry_new(&r, CLASS_CERTIFICATE, CERT_RESERVED);
    c->sequence = b->sequence;
    c->kind = KIND_BUNDLE;
    c->variant = b->variant;
    c->algorithm = b->algorithm;
    c->flags = b->order == 2 ? FLAG_SEALED_FIRST : 0;
    c->part = (uint8_t)(b->count << 4);
    for (uint8_t i = 0; i < b->count; i++)
        c->wanted |= (uint8_t)((index_at(b->slots[i])->pages - 1) << 2 * i);
    b->certificate = r.slot;
    return change_commit();
}

/** One value after the other is PENDING; with the last one the bundle is whole. */
static uint16_t bundle_commit(const struct bundle *b)
{
    uint16_t sw = SW_OK;
    const struct entry *certificate = index_at((uint16_t)b->certificate);
    for (uint8_t i = 0; i < b->count && sw == SW_OK; i++) {
        nvm_tx_begin();
        struct entry *v = entry_change(b->slots[i]);
        v->state = VALUE_PENDING;
        v->partner = certificate->handle;
        v->sequence = b->sequence;
        v->kind = certificate->kind;
        v->variant = b->variant;
        v->algorithm = b->algorithm;
        v->flags = (uint8_t)((v->flags & FLAG_ALTERNATIVE) | (b->order == 2 ? FLAG_SEALED_FIRST : 0));
        v->part = (uint8_t)(b->count << 4 | (i + 1));
        memset(v->hash, 0, sizeof v->hash);
#if FAULT_BUNDLE_EARLY
        v->state = VALUE_DEPOSITED;
        if (i + 1 < b->count) v->state = VALUE_PENDING;
#endif
#if FAULT_COUPLED_EARLY
        if (b->part) v->state = VALUE_DEPOSITED;
#endif
        if (i + 1 == b->count) {
            struct entry *c = entry_change((uint16_t)b->certificate);
            if (b->part) {
                c->partner = v->handle;
                c->value_size = v->size;
            } else {
                c->flags |= FLAG_READY;
            }
            if (!hash_of(b->algorithm, b->content, b->size, c->hash)) return SW_DATA;
        }
        sw = change_commit();
    }
    return sw;
}

/** What is common to all couplings once it is known what is coupled. */
static __attribute__((noinline)) uint16_t couple(struct request *q, struct bundle *b, bool again)
{
    uint16_t room, sw = couple_check(b, q->a->cap, &room);
    if (sw == SW_OK && !again && !b->part) sw = bundle_open(b, room);
    if (sw != SW_OK) return sw;
    step();
    sw = bundle_request(q->a, b);
    if (sw != SW_OK) return sw;
    step();
    return again ? SW_OK : bundle_commit(b);
}

uint16_t cmd_couple(struct request *q)
{
    struct bundle b = {.part = NULL};
    uint16_t sw = couple_take(q->a, &b);
    if (sw != SW_OK) return sw;
    step();
    step();
    bool again = couple_again(&b);
    for (uint8_t i = 0; i < b.count && !again; i++)
        if (index_at(b.slots[i])->state != VALUE_ACTIVE) return SW_CONDITIONS;
    return couple(q, &b, again);
}

#if FEATURE_COUPLED

/* ---- COUPLE KEY ---- */

uint16_t cmd_couple_key(struct request *q)
{
    struct bundle b = {.count = 1, .order = 2, .variant = q->a->p2, .slots = {q->slot}};
    if (q->at[1][-2] != 0x94 || LENGTH(q->at[1]) != 4) return SW_DATA;
    step();
    b.sequence = get32(q->at[1]);
    b.certificate = set_find(CLASS_CERTIFICATE, KIND_PART, b.sequence, 1);
    if (b.certificate < 0) return SW_NOT_FOUND;
    b.part = index_at((uint16_t)b.certificate);
    b.algorithm = b.part->algorithm;
    bool again = q->e->state == VALUE_PENDING && b.part->partner == q->e->handle;
    if (!COUPLED(b.part) || b.part->state != CERT_RESERVED || b.part->variant != b.variant) return SW_CONDITIONS;
    if (!again && (q->e->state != VALUE_ACTIVE || b.part->partner)) return SW_CONDITIONS;
    return couple(q, &b, again);
}

#endif

/* ---- GATHER ---- */

/** Reserves room for one value of the bundle. */
static __attribute__((noinline)) uint16_t bundle_reserve(const struct entry *c, uint8_t index)
{
    struct room r;
    uint16_t pages = (uint16_t)((c->wanted >> 2 * (index - 1) & 3) + 1);
    uint16_t sw = room_find(&r, (uint16_t)(pages * PAGE_BYTES), true);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    struct entry *v = entry_new(&r, CLASS_VALUE, VALUE_RESERVED);
    v->sequence = c->sequence;
    v->kind = KIND_BUNDLE;
    v->variant = c->variant;
    v->algorithm = c->algorithm;
    v->partner = c->handle;
    v->part = (uint8_t)((c->part & 0xF0) | index);
    change_page(PAGE_STATE)->state.handle = r.handle;
    return change_commit();
}

uint16_t bundle_gather(uint16_t slot)
{
    const struct entry *c = index_at(slot);
    uint16_t gone = 0, most = 0, sw = SW_OK;
    uint8_t missing = 0;
    for (uint8_t i = 1; i <= PART_COUNT(c); i++) {
        if (set_find(CLASS_VALUE, KIND_BUNDLE, c->sequence, i) >= 0) continue;
        uint16_t pages = (uint16_t)((c->wanted >> 2 * (i - 1) & 3) + 1);
        missing |= (uint8_t)(1u << i);
        gone++;
        if (pages > most) most = pages;
    }
    if (gone) sw = room_find_all((uint16_t)(most * PAGE_BYTES), gone);
    for (uint8_t i = 1; i <= PART_COUNT(c) && sw == SW_OK; i++)
        if (missing >> i & 1) sw = bundle_reserve(c, i);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    entry_change(slot)->state = CERT_RECOVERING;
    return change_commit();
}

/* ---- COMBINE ---- */

static syntax bundle_elements = {
    0xE2, 0, 117, 0xC4, 1, 1, 0xC6, 2, 2, 0x90, 1, 1, 0xC8, 1, 0xFF, 0x92, 64, 64, 0,
};
/** Elements of a bundle EF. */
enum { B_DIGEST, B_ORDER, B_COUNT, B_VARIANT, B_CONTENT, B_SIGNATURE, B_ELEMENTS };

/** A bundle that has come back: where its values are. */
struct parcel {
    uint8_t *at[B_ELEMENTS];
    uint8_t *e1[BUNDLE_MAX];
    uint16_t size[BUNDLE_MAX];
    uint16_t content_size;
};

/** Values behind a certificate. */
static uint8_t values_of(const struct entry *c)
{
    return COUPLED(c) ? 1 : PART_COUNT(c);
}

/** Signature by this card, certified hash and digest. */
static __attribute__((noinline)) uint16_t parcel_check(const struct entry *c, struct parcel *p, uint16_t size)
{
    uint8_t own[32];
    struct binding bind;
    struct cert cert;
    bind_card(&bind, c->sequence);
    uint16_t sw = key_public(KEY_SIGNING, own);
    if (sw == SW_OK) sw = signature_check(p->at[B_DIGEST] - 2, p->at[B_SIGNATURE], "cardbench bundle v1", &bind, own);
    if (sw != SW_OK) return sw;
    uint8_t n = hash_of(c->algorithm, p->at[B_CONTENT], size, own);
    if (n == 0 || memcmp(own, c->hash, n) != 0 || !entry_cert(c, &cert)) return SW_DATA;
    const uint8_t *digest = cert.at[C_DIGEST];
    if (p->at[B_COUNT][0] != values_of(c) || *p->at[B_VARIANT] != c->variant) return SW_DATA;
    return memcmp(digest - 1, p->at[B_DIGEST] - 1, LENGTH(digest) + 1u) == 0 ? SW_OK : SW_DATA;
}

/** Takes the values apart; each sealed one is opened at its place. Of a coupled object one: the value, or the part (1). */
static __attribute__((noinline)) uint16_t decouple(uint8_t *info, const struct entry *c, struct parcel *p, uint8_t one)
{
    struct sealing s = {.info = info, .e2 = p->at[B_DIGEST] - 2};
    uint8_t key = one ? KEY_TRANSPORT : c->variant;
    uint16_t size = p->content_size, lead = (uint16_t)(sealed_more(key) - 16);
    uint8_t *next = p->at[B_CONTENT], *end = next + size;
    bool first = COUPLED(c) || (c->flags & FLAG_SEALED_FIRST);
    s.e2_size = (uint16_t)(s.e2[1] + 2);
    if (!first) {
        bind_card(&s.bind, c->sequence);
        s.label = "cardbench bundle v1";
        uint16_t sw = open_own(&s, c->variant, next, size);
        if (sw != SW_OK) return sw;
        next += lead;
        end -= 16;
    }
    for (uint8_t i = 0; i < values_of(c) + one; i++) {
        uint8_t *from = next, *content;
        static syntax sealed = {0x91, 0, 0xFF, 0};
        next = tlv_next(from, end);
        if (!next) return SW_DATA;
        p->e1[i] = from;
        p->size[i] = (uint16_t)(next - from);
        if (!first || i < one) continue;
        if (!fields_take(from, next, sealed, &content)) return SW_DATA;
        bind_card(&s.bind, c->sequence + i);
        s.label = "cardbench coupled v1";
#if FAULT_COUPLED_PART_OPEN
        uint16_t sw = one ? SW_OK : open_own(&s, key, content, (uint16_t)(next - content));
#else
        uint16_t sw = open_own(&s, key, content, (uint16_t)(next - content));
#endif
        if (sw != SW_OK) return sw;
        p->e1[i] = content + lead;
        p->size[i] = (uint16_t)(next - content - lead - 16);
    }
    return next == end || COUPLED(c) ? SW_OK : SW_DATA;
}

/** Each is a value, and the first one fits the digest. */
static __attribute__((noinline)) uint16_t values_check(const struct entry *c, const struct parcel *p)
{
    struct value v;
    for (uint8_t i = values_of(c); i-- > 0;)
        if (!value_take(p->e1[i], p->e1[i] + p->size[i], &v)) return SW_DATA;
    return LENGTH(p->at[B_DIGEST]) == 0 || digest_is(p->at[B_DIGEST], &v) ? SW_OK : SW_DATA;
}

/** Writes what is gone into its reserved room; with the certificate SPENT all values are ACTIVE. */
static uint16_t parcel_store(uint16_t certificate, const struct parcel *p)
{
    uint16_t sw = SW_OK;
    for (uint8_t i = 0; i < PART_COUNT(index_at(certificate)) && sw == SW_OK; i++) {
        int slot = set_find(CLASS_VALUE, KIND_BUNDLE, index_at(certificate)->sequence, (uint8_t)(i + 1));
        if (slot < 0) return SW_CONDITIONS;
        const struct entry *v = index_at((uint16_t)slot);
        if (v->state != VALUE_RESERVED) continue;
        if (p->size[i] > v->pages * PAGE_BYTES) return SW_DATA;
        sw = region_write(v->first, v->pages, p->e1[i], p->size[i]);
        if (sw != SW_OK) return sw;
        nvm_tx_begin();
        entry_change((uint16_t)slot)->size = p->size[i];
        sw = change_commit();
    }
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
#if FAULT_BUNDLE_NOT_SPENT
    for (uint8_t i = 1; i <= PART_COUNT(index_at(certificate)) && sw == SW_OK; i++) {
        entry_change((uint16_t)set_find(CLASS_VALUE, KIND_BUNDLE, index_at(certificate)->sequence, i))->state = VALUE_ACTIVE;
        sw = change_commit();
        nvm_tx_begin();
    }
    entry_change(certificate)->state = CERT_STORED;
#else
    entry_change(certificate)->state = CERT_SPENT;
#endif
    sw = change_commit();
    if (sw == SW_OK) settle();
    return sw;
}

/** The handles of the values that have come back and are still there. */
static uint16_t answer_values(struct apdu *a, const struct entry *c)
{
    uint8_t *p = a->buf;
    if (COUPLED(c)) return answer_handle(a, c->partner);
    for (uint8_t i = 1; i <= PART_COUNT(c); i++) {
        int slot = set_find(CLASS_VALUE, KIND_BUNDLE, c->sequence, i);
        if (slot >= 0) p = tlv_put16(p, 0x8B, index_at((uint16_t)slot)->handle);
    }
    a->out = (uint16_t)(p - a->buf);
    return SW_OK;
}

/** The parcel for a certificate, checked. */
static __attribute__((noinline)) uint16_t parcel_take(const struct entry *c, uint8_t *from, const uint8_t *end, struct parcel *p)
{
    if (!object_take(from, end, 0xEF, bundle_elements, p->at)) return SW_DATA;
    if (c->state == CERT_STORED) return SW_CONDITIONS;
    p->content_size = (uint16_t)(p->at[B_SIGNATURE] - 2 - p->at[B_CONTENT]);
    return parcel_check(c, p, p->content_size);
}

#if FEATURE_COUPLED
uint16_t coupled_open(uint8_t *info, const struct entry *c, uint8_t *from, const uint8_t *end, uint8_t **part)
{
    struct parcel p;
    uint16_t sw = parcel_take(c, from, end, &p);
    if (sw == SW_OK) sw = decouple(info, c, &p, 1);
    *part = p.e1[1];
    return sw;
}
#endif

uint16_t bundle_combine(struct request *q)
{
    struct parcel p;
    uint16_t sw = parcel_take(q->e, q->a->buf + LEAD + 4, q->end, &p);
    if (sw != SW_OK) return sw;
    step();
    bool again = q->e->state == CERT_SPENT;
    if (!again) sw = decouple(q->a->buf, q->e, &p, 0);
    if (sw == SW_OK && !again) sw = values_check(q->e, &p);
    if (sw != SW_OK) return sw;
    step();
    if (!again) sw = COUPLED(q->e) ? take_back(q->slot, p.e1[0], p.size[0]) : parcel_store(q->slot, &p);
    if (sw != SW_OK) return sw;
    step();
    return answer_values(q->a, index_at(q->slot));
}

#endif
