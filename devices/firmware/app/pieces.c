/** Divide 126 and combine 127: values in pieces (docs/protocol.md 5.2 to 5.4), and what all sets have in common. */
#include "app.h"

#include <string.h>

#include "hal/hal.h"
#include "nvm/nvm.h"

#if FEATURE_PIECES || FEATURE_COUPLE

/* ---- sets ---- */

uint32_t set_of(const struct entry *e)
{
    bool own = e->cls == CLASS_CERTIFICATE && e->kind != KIND_BUNDLE;
    return own ? e->sequence + 1 - PART_INDEX(e) : e->sequence;
}

int set_find(uint8_t cls, uint8_t kind, uint32_t set, uint8_t index)
{
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (e->cls == cls && e->kind == kind && e->state != DELETING && e->part && set_of(e) == set && PART_INDEX(e) == index)
            return i;
    }
    return -1;
}

static uint8_t state_at(int slot)
{
    return slot < 0 ? 0 : index_at((uint16_t)slot)->state;
}

/** A certificate of a piece counts by the state of its value: the one page that changes for all. */
static uint8_t piece_fate(const struct entry *e)
{
    uint8_t value = state_at(set_find(CLASS_VALUE, KIND_PIECE, set_of(e), 1));
    if (e->cls != CLASS_CERTIFICATE) return 0;
    if (e->state == CERT_HELD && value == VALUE_DEPOSITED) return CERT_STORED;
    if (e->state == CERT_RESERVED || e->state == CERT_HELD) return value == VALUE_PENDING ? 0 : DELETING;
#if FAULT_PIECES_NOT_SPENT
    if (e->state == CERT_RECOVERING) return value == 0 || value == VALUE_ACTIVE ? CERT_STORED : 0;
#endif
    if (e->state == CERT_RECOVERING) return value == VALUE_ACTIVE ? CERT_SPENT : value == 0 ? CERT_STORED : 0;
    return 0;
}

/** A value of a bundle counts by the state of the bundle's certificate. */
static uint8_t bundle_fate(const struct entry *e)
{
    if (e->cls == CLASS_CERTIFICATE) return e->state == CERT_RESERVED && !(e->flags & FLAG_READY) ? DELETING : 0;
    int slot = set_find(CLASS_CERTIFICATE, KIND_BUNDLE, e->sequence, 0);
    uint8_t state = state_at(slot);
    if (e->state == VALUE_PENDING) {
        if (state == CERT_STORED || state == CERT_RECOVERING) return VALUE_DEPOSITED;
        return state == CERT_RESERVED && (index_at((uint16_t)slot)->flags & FLAG_READY) ? 0 : VALUE_ACTIVE;
    }
    if (e->state == VALUE_DEPOSITED) return state == CERT_SPENT ? VALUE_ACTIVE : 0;
    if (e->state == VALUE_RESERVED) return state == CERT_SPENT ? VALUE_ACTIVE : state == CERT_RECOVERING ? 0 : DELETING;
    return 0;
}

uint8_t set_fate(const struct entry *e)
{
    if (e->part == 0) return 0;
    if (e->kind == KIND_PIECE) return piece_fate(e);
#if FEATURE_COUPLED
    /* A value whose coupled certificate was dropped with its set is not registered. */
    if (e->kind == KIND_PART && e->cls == CLASS_VALUE && e->state == VALUE_PENDING)
        return set_find(CLASS_CERTIFICATE, KIND_PART, e->sequence, 1) < 0 ? VALUE_ACTIVE : 0;
#endif
    return e->kind == KIND_BUNDLE ? bundle_fate(e) : 0;
}

bool set_deletable(const struct entry *e)
{
    if (e->kind != KIND_PIECE)
        return state_at(set_find(CLASS_CERTIFICATE, e->kind, e->sequence, e->kind == KIND_PART)) == CERT_STORED;
    for (uint8_t i = 1; i <= PART_COUNT(e); i++)
        if (state_at(set_find(CLASS_CERTIFICATE, KIND_PIECE, e->sequence, i)) != CERT_STORED) return false;
    return true;
}

uint16_t sequences_take(uint32_t *first, uint8_t count, uint16_t handle)
{
    if (card_state()->sequence > 0xFFFFFFFFu - count) return SW_CONDITIONS;
    nvm_tx_begin();
    struct state *s = &change_page(PAGE_STATE)->state;
    *first = s->sequence + 1;
    s->sequence += count;
    if (handle) s->handle = handle;
    return change_commit();
}

/* ---- SET END ---- */

/** The entry of this kind and sequence: a reservation, or what came before. */
static int awaited(uint8_t kind, uint32_t sequence)
{
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (e->cls == CLASS_CERTIFICATE && KIND_AT(e) == kind && e->sequence == sequence && e->part && e->state != DELETING) return i;
    }
    return -1;
}

/** True when all other wanted pieces have their certificates. */
static bool last_piece(const struct entry *e)
{
#if FAULT_PIECE_DEPOSITS
    return true;
#endif
    for (uint8_t i = 1; i <= PART_COUNT(e); i++)
        if (i != PART_INDEX(e) && (e->wanted >> (i - 1) & 1) &&
            state_at(set_find(CLASS_CERTIFICATE, KIND_PIECE, set_of(e), i)) != CERT_HELD)
            return false;
    return true;
}

static __attribute__((noinline)) uint16_t set_end(struct request *q, struct cert *c, uint16_t slot)
{
    const struct entry *e = index_at(slot);
    uint8_t *e6 = q->a->buf + LEAD;
    uint16_t size = q->a->lc;
    if (e->state != CERT_RESERVED)
        return e->size == size && memcmp(entry_object(e), e6, size) == 0 ? SW_OK : SW_CONDITIONS;
    struct expected x = {e->hash, slot, 0, KIND_AT(e), e->variant, e->algorithm};
    if (x.kind != KIND_PART) {
        int value = set_find(CLASS_VALUE, e->kind, set_of(e), 1);
        if (state_at(value) != VALUE_PENDING) return SW_CONDITIONS;
        x.slot = (uint16_t)value;
    }
    uint16_t sw = certificate_check(&x, c, q->a->p1);
    if (sw != SW_OK) return sw;
    if (e->kind == KIND_PART && safe_page(c->at[C_SAFE]) != e->alt) return SW_NOT_FOUND;
#if FEATURE_COUPLED
    /* The value is not given up before the other parts of its key lie at their safes. */
    if (COUPLED(e) && parts_stored(e) + 1 < e->wanted) return SW_CONDITIONS;
#endif
#if FEATURE_SEED
    /* With the last part the seed goes as with the certificate of a whole one. */
#if FAULT_SEED_PART_SUFFICES
    if (e->variant == KEY_SEED) x.kind = KIND_SEED;
#elif !FAULT_SEED_PARTS_STAY
    if (e->variant == KEY_SEED && parts_stored(e) + 1 == PART_COUNT(e)) x.kind = KIND_SEED;
#endif
#endif
    if (x.kind == KIND_PIECE ? !last_piece(e) : x.kind != KIND_COUPLED) x.slot = NO_SLOT;
    sw = certificate_store(&x, c, e6, size);
    if (sw == SW_OK) settle();
    return sw;
}

uint16_t cmd_set_end(struct request *q)
{
    struct cert c;
    if (!cert_take(q->a->buf + LEAD, q->end, &c)) return SW_DATA;
    step();
    if (memcmp(c.at[C_CARD], card_identity()->card, 8) != 0) return SW_DATA;
    int slot = awaited(kind_of(q->a), get32(c.at[C_SEQUENCE]));
    if (slot < 0) return SW_CONDITIONS;
    uint16_t sw = set_end(q, &c, (uint16_t)slot);
    if (sw != SW_OK) return sw;
    step();
    return answer_handle(q->a, index_at((uint16_t)slot)->handle);
}

/* ---- GATHER ---- */

/** Reserves room for the value of a set. */
static uint16_t value_reserve(const struct entry *c, uint16_t *handle)
{
    struct room r;
    uint16_t sw = room_find(&r, c->value_size, true);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    struct entry *v = entry_new(&r, CLASS_VALUE, VALUE_RESERVED);
    v->sequence = set_of(c);
    v->kind = KIND_PIECE;
    v->variant = c->variant;
    v->algorithm = c->algorithm;
    v->flags = c->flags;
    v->part = (uint8_t)((c->part & 0xF0) | 1);
    v->wanted = c->wanted;
    change_page(PAGE_STATE)->state.handle = *handle = r.handle;
    return change_commit();
}

static uint16_t piece_gather(uint16_t slot)
{
    const struct entry *c = index_at(slot);
    uint16_t handle, sw = SW_OK;
    int value = set_find(CLASS_VALUE, KIND_PIECE, set_of(c), 1);
    if (value < 0)
        sw = value_reserve(c, &handle);
    else if (state_at(value) == VALUE_RESERVED || state_at(value) == VALUE_DEPOSITED)
        handle = index_at((uint16_t)value)->handle;
    else
        sw = SW_CONDITIONS;
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    struct entry *e = entry_change(slot);
    e->state = CERT_RECOVERING;
    e->partner = handle;
    return change_commit();
}

uint16_t cmd_gather(struct request *q)
{
    uint16_t sw = SW_OK;
    uint8_t kind = kind_of(q->a);
    step();
    if (q->e->state == CERT_SPENT) return SW_CONDITIONS;
    if (q->e->state == CERT_STORED) {
#if FEATURE_PIECES
        if (kind == KIND_PIECE) sw = piece_gather(q->slot);
#endif
#if FEATURE_COUPLE
        if (kind == KIND_BUNDLE) sw = bundle_gather(q->slot);
#endif
#if FEATURE_COUPLED
        if (kind == KIND_COUPLED) sw = recovering(q->slot);
#endif
    }
    q->e = index_at(q->slot); /* on a worn page it is read from the journal's slot from now on */
    if (sw == SW_OK) sw = cmd_read(q);
    if (sw == SW_OK) step();
    return sw;
}

#endif

#if FEATURE_PIECES

uint8_t *identity_put(uint8_t *to, const struct entry *e, uint8_t index, uint16_t whole)
{
    uint8_t *p = put32(tlv_head(to, 0xC5, 8), set_of(e));
    *p++ = index;
    *p++ = PART_COUNT(e);
    return put16(p, whole);
}

/** Where the piece with this index begins in a whole of `length` bytes, index from 0. */
static uint16_t piece_start(uint16_t length, uint8_t index, uint8_t count)
{
    return (uint16_t)((uint32_t)index * length / count);
}

static uint16_t sealed_size(uint8_t variant, uint16_t length)
{
    return (uint16_t)(length + (variant == KEY_COMMON ? 28 : 48));
}

/** The content of a piece of a value, to where it is told; order 02: its piece of the whole, which is made there. */
static __attribute__((noinline)) uint16_t content_make(const struct entry *v, struct sealing *s, uint32_t set, uint8_t index, uint8_t *out)
{
    bool first = v->flags & FLAG_SEALED_FIRST;
    uint16_t whole = first ? sealed_size(v->variant, v->size) : v->size;
    uint16_t from = piece_start(whole, (uint8_t)(index - 1), PART_COUNT(v)), to = piece_start(whole, index, PART_COUNT(v));
    bind_card(&s->bind, first ? set : set + index - 1);
    s->label = first ? "cardbench whole v1" : "cardbench piece v1";
    if (!first) return seal_own(s, v->variant, entry_object(v) + from, (uint16_t)(to - from), out);
    uint16_t sw = seal_own(s, v->variant, entry_object(v), v->size, out);
    memmove(out, out + from, (size_t)(to - from));
    return sw;
}

static uint16_t content_size(const struct entry *v, uint8_t index)
{
    bool first = v->flags & FLAG_SEALED_FIRST;
    uint16_t whole = first ? sealed_size(v->variant, v->size) : v->size;
    uint16_t n = (uint16_t)(piece_start(whole, index, PART_COUNT(v)) - piece_start(whole, (uint8_t)(index - 1), PART_COUNT(v)));
    return first ? n : sealed_size(v->variant, n);
}

/** Everything of EE before the content. */
static __attribute__((noinline)) uint8_t *piece_head(const struct entry *v, struct sealing *s, uint8_t index)
{
    struct value value;
    uint8_t order = v->flags & FLAG_SEALED_FIRST ? 2 : 1;
    if (!entry_value(v, &value)) return NULL;
    uint8_t *p = card_digest_put(s->e2, &value);
    s->e2_size = (uint16_t)(p - s->e2);
    p = tlv_put(p, 0xC4, &order, 1);
    p = identity_put(p, v, index, order == 2 ? sealed_size(v->variant, v->size) : v->size);
    p = tlv_put(p, 0x90, &v->variant, 1);
    return tlv_head(p, 0xC8, content_size(v, index));
}

/** E4 with the piece; `v` says set, order, variant and division. Gives the content. */
static uint16_t piece_request(struct apdu *a, const struct entry *v, uint8_t index, const uint8_t **content)
{
    struct sealing s = {.info = a->buf, .e2 = a->buf + LEAD};
    uint16_t size = content_size(v, index);
    uint8_t *p = piece_head(v, &s, index);
    if (!p) return SW_MEMORY;
    uint16_t sw = content_make(v, &s, v->sequence, index, p);
    if (sw != SW_OK) return sw;
    bind_card(&s.bind, v->sequence + index - 1);
    p = signature_put(s.e2, p + size, "cardbench piece v1", &s.bind);
    if (!p) return SW_CONDITIONS;
    (void)request_finish(a, 0xEE, s.e2, p, v->sequence + index - 1, v->algorithm);
    *content = a->buf + a->out - 66 - size;
    return SW_OK;
}

/* ---- DIVIDE ---- */

/** Reserves the certificate of one piece: it is a leftover until the value is PENDING. */
static __attribute__((noinline)) uint16_t piece_reserve(struct apdu *a, const struct entry *v, uint8_t index, uint16_t room)
{
    struct room r;
    const uint8_t *content;
    uint16_t sw = room_find(&r, room, true);
    if (sw == SW_OK) sw = piece_request(a, v, index, &content);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    struct entry *c = entry_new(&r, CLASS_CERTIFICATE, CERT_RESERVED);
    c->sequence = v->sequence + index - 1;
    if (!hash_of(v->algorithm, content, content_size(v, index), c->hash)) return SW_DATA;
    c->kind = KIND_PIECE;
    c->variant = v->variant;
    c->algorithm = v->algorithm;
    c->flags = v->flags;
    c->value_size = v->size;
    c->part = (uint8_t)((v->part & 0xF0) | index);
    c->wanted = v->wanted;
    change_page(PAGE_STATE)->state.handle = r.handle;
    return change_commit();
}

static bool division_valid(uint8_t order, const uint8_t *division)
{
    uint8_t n = division[0];
    return (order == 1 || order == 2) && n >= 2 && n <= 5 && division[1] != 0 && division[1] >> n == 0;
}

/** What a piece's E4 takes beside digest and value: heads, identity, enc, tag, signature, scratch. */
#define PIECE_MORE 320

/** The entry of the value as it is to be. */
static __attribute__((noinline)) uint16_t divide_check(const struct request *q, struct entry *v, uint16_t *room)
{
    struct value value;
    uint8_t order = *q->at[2];
    const uint8_t *division = q->at[3];
    memcpy(v, q->e, sizeof *v);
    v->state = VALUE_PENDING;
    v->partner = 0;
    v->kind = KIND_PIECE;
    v->variant = q->a->p2;
    v->algorithm = *q->at[1];
    v->flags = (uint8_t)((v->flags & FLAG_ALTERNATIVE) | (order == 2 ? FLAG_SEALED_FIRST : 0));
    v->part = (uint8_t)(division[0] << 4 | 1);
    v->wanted = division[1];
    memset(v->hash, 0, sizeof v->hash);
    if (!hash_allowed(v->algorithm) || !division_valid(order, division)) return SW_DATA;
    if (q->e->state != VALUE_ACTIVE) return memcmp(v, q->e, sizeof *v) == 0 ? SW_OK : SW_CONDITIONS;
    if (!key_at(v->variant)) return SW_CONDITIONS;
    if (!entry_value(q->e, &value)) return SW_MEMORY;
    if (LEAD + digest_size(&value) + q->e->size + PIECE_MORE > q->a->cap) return SW_ROOM;
    uint16_t count = 0;
    for (uint8_t i = 0; i < 5; i++) count = (uint16_t)(count + (division[1] >> i & 1));
    *room = cert_room(digest_size(&value));
    return room_find_all(*room, count);
}

static uint16_t divide(struct request *q, struct entry *v, uint16_t room)
{
    uint16_t sw = sequences_take(&v->sequence, PART_COUNT(v), 0);
    for (uint8_t i = 1; i <= PART_COUNT(v) && sw == SW_OK; i++)
        if (v->wanted >> (i - 1) & 1) sw = piece_reserve(q->a, v, i, room);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    memcpy(entry_change(q->slot), v, sizeof *v);
    return change_commit();
}

uint16_t cmd_divide(struct request *q)
{
    struct entry v;
    uint16_t room;
    uint16_t sw = divide_check(q, &v, &room);
    if (sw == SW_OK && q->e->state == VALUE_ACTIVE) sw = divide(q, &v, room);
    if (sw != SW_OK) return sw;
    step();
    q->a->out = (uint16_t)(tlv_put32(q->a->buf, 0x94, v.sequence) - q->a->buf);
    return SW_OK;
}

/* ---- PIECE ---- */

uint16_t cmd_piece(struct request *q)
{
    const uint8_t *content;
    if (q->a->p1 == 6) return part_request(q);
    if (q->at[0][-2] != 0x8B || LENGTH(q->at[0]) != 2) return SW_DATA;
    int slot = index_find(get16(q->at[0]));
    if (slot < 0) return SW_NOT_FOUND;
    const struct entry *v = index_at((uint16_t)slot);
    if (v->cls != CLASS_VALUE || v->state != VALUE_PENDING || v->kind != KIND_PIECE) return SW_CONDITIONS;
    if (!(v->wanted >> (q->a->p2 - 1) & 1)) return SW_NOT_FOUND;
    return piece_request(q->a, v, q->a->p2, &content);
}

/* ---- COMBINE ---- */

static syntax piece_elements = {
    0xE2, 0, 117, 0xC4, 1, 1, 0xC5, 8, 8, 0x90, 1, 1, 0xC8, 1, 0xFF, 0x92, 64, 64, 0,
};
/** Elements of a piece EE. */
enum { P_DIGEST, P_ORDER, P_IDENTITY, P_VARIANT, P_CONTENT, P_SIGNATURE, P_ELEMENTS };

/** Bytes by which the set is moved up, so that digest and whole grow in front of the pieces not yet taken. */
#define AHEAD 430u

/** A set being combined. */
struct joint {
    struct request *q;
    struct entry set;       /* what all its certificates say */
    uint8_t *next;          /* first piece not yet taken */
    uint8_t *e2, *whole, *to; /* digest, begin and end of the whole so far */
    uint16_t e2_size;
};

/** Signature by this card, certified hash and digest, identity: the piece is the one its certificate stands for. */
static __attribute__((noinline)) uint16_t piece_check(const struct joint *j, const struct entry *c, uint8_t *const *at, uint16_t size)
{
    uint8_t own[32], identity[10];
    struct binding bind;
    (void)identity_put(identity, &j->set, PART_INDEX(c), get16(at[P_IDENTITY] + 6));
    if (memcmp(identity + 2, at[P_IDENTITY], 8) != 0 || *at[P_VARIANT] != c->variant) return SW_DATA;
    if (*at[P_ORDER] != (c->flags & FLAG_SEALED_FIRST ? 2 : 1)) return SW_DATA;
    bind_card(&bind, c->sequence);
    uint16_t sw = key_public(KEY_SIGNING, own);
    if (sw == SW_OK) sw = signature_check(at[P_DIGEST] - 2, at[P_SIGNATURE], "cardbench piece v1", &bind, own);
    if (sw != SW_OK) return sw;
    uint8_t n = hash_of(c->algorithm, at[P_CONTENT], size, own);
    if (n == 0 || memcmp(own, c->hash, n) != 0) return SW_DATA;
    return memcmp(j->e2 + 1, at[P_DIGEST] - 1, j->e2_size - 1u) == 0 ? SW_OK : SW_DATA;
}

/** Bytes before the plaintext of what seal_own has made. */
static uint16_t sealed_lead(uint8_t variant)
{
    return sealed_size(variant, 0) - 16;
}

/** The next piece that was handed over. */
static __attribute__((noinline)) uint16_t piece_take(struct joint *j, uint8_t index)
{
    uint8_t *at[P_ELEMENTS], *from = j->next;
    int slot = set_find(CLASS_CERTIFICATE, KIND_PIECE, set_of(&j->set), index);
    if (state_at(slot) != j->set.state) return SW_CONDITIONS;
    const struct entry *c = index_at((uint16_t)slot);
    j->next = tlv_next(from, j->q->end);
    if (!j->next || !object_take(from, j->next, 0xEE, piece_elements, at)) return SW_DATA;
    uint16_t size = (uint16_t)(at[P_SIGNATURE] - 2 - at[P_CONTENT]);
    uint16_t sw = piece_check(j, c, at, size);
    if (sw != SW_OK) return sw;
    uint8_t *piece = at[P_CONTENT];
    if (!(c->flags & FLAG_SEALED_FIRST)) {
        struct sealing s = {.label = "cardbench piece v1", .info = j->q->a->buf, .e2 = at[P_DIGEST] - 2, .e2_size = j->e2_size};
        bind_card(&s.bind, c->sequence);
        sw = open_own(&s, c->variant, piece, size);
        if (sw != SW_OK) return sw;
        piece += sealed_lead(c->variant);
        size = (uint16_t)(size - sealed_size(c->variant, 0));
    }
    memmove(j->to, piece, size);
    j->to += size;
    return SW_OK;
}

/** A piece that was not deposited, from the value on the card. */
static __attribute__((noinline)) uint16_t piece_kept(struct joint *j, uint8_t index)
{
    int slot = set_find(CLASS_VALUE, KIND_PIECE, set_of(&j->set), 1);
    if (state_at(slot) != VALUE_DEPOSITED && state_at(slot) != VALUE_ACTIVE) return SW_CONDITIONS;
    const struct entry *v = index_at((uint16_t)slot);
    if (!(v->flags & FLAG_SEALED_FIRST)) {
        uint16_t from = piece_start(v->size, (uint8_t)(index - 1), PART_COUNT(v));
        uint16_t size = (uint16_t)(piece_start(v->size, index, PART_COUNT(v)) - from);
        memcpy(j->to, entry_object(v) + from, size);
        j->to += size;
        return SW_OK;
    }
    struct sealing s = {.info = j->q->a->buf, .e2 = j->e2, .e2_size = j->e2_size};
    uint8_t *scratch = (uint8_t *)j->q->end;
    if (scratch + v->size + 128 > j->q->a->buf + j->q->a->cap) return SW_ROOM;
    uint16_t sw = content_make(v, &s, v->sequence, index, scratch);
    if (sw != SW_OK) return sw;
    memcpy(j->to, scratch, content_size(v, index));
    j->to += content_size(v, index);
    return SW_OK;
}

/** Gathers the whole, piece by piece. */
static uint16_t pieces_join(struct joint *j)
{
    uint16_t sw = SW_OK;
    for (uint8_t i = 1; i <= PART_COUNT(&j->set) && sw == SW_OK; i++)
        sw = j->set.wanted >> (i - 1) & 1 ? piece_take(j, i) : piece_kept(j, i);
    if (sw == SW_OK && j->next != j->q->end) sw = SW_DATA;
    return sw;
}

/** The whole is the value that the digest describes; its E1 begins at j->whole afterwards. */
static __attribute__((noinline)) uint16_t whole_check(struct joint *j)
{
    struct value v;
    uint16_t size = (uint16_t)(j->to - j->whole), sw = SW_OK;
    if (j->set.flags & FLAG_SEALED_FIRST) {
        struct sealing s = {.label = "cardbench whole v1", .info = j->q->a->buf, .e2 = j->e2, .e2_size = j->e2_size};
        bind_card(&s.bind, set_of(&j->set));
        sw = open_own(&s, j->set.variant, j->whole, size);
        j->whole += sealed_lead(j->set.variant);
    }
    if (sw != SW_OK) return sw;
    if (!value_take(j->whole, j->whole + j->set.value_size, &v)) return SW_DATA;
    return j->e2_size == 2 || digest_is(j->e2 + 2, &v) ? SW_OK : SW_DATA;
}

/** The value becomes ACTIVE, and with it all certificates of the set are SPENT. */
static uint16_t whole_store(const struct joint *j, uint16_t slot)
{
    const struct entry *v = index_at(slot);
    uint16_t sw = SW_OK;
    if (v->state == VALUE_RESERVED) sw = region_write(v->first, v->pages, j->whole, j->set.value_size);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    struct entry *e = entry_change(slot);
    e->state = VALUE_ACTIVE;
    e->size = j->set.value_size;
    sw = change_commit();
    if (sw == SW_OK) settle();
    return sw;
}

/** Digest of the certificate in front, the set moved up behind it. */
static __attribute__((noinline)) uint16_t joint_begin(struct joint *j)
{
    struct cert c;
    uint8_t *content;
    static syntax outer = {0xEF, 0, 0xFF, 0};
    struct request *q = j->q;
    if (q->a->lc + LEAD + AHEAD > q->a->cap) return SW_LENGTH;
    if (!entry_cert(q->e, &c)) return SW_MEMORY;
    uint8_t *set = q->a->buf + LEAD + 4;
    memmove(set + AHEAD, set, (size_t)(q->end - set));
    q->end += AHEAD;
    if (!fields_take(set + AHEAD, q->end, outer, &content)) return SW_DATA;
    j->next = content;
    memcpy(&j->set, q->e, sizeof j->set);
    j->e2 = q->a->buf + LEAD;
    j->e2_size = (uint16_t)(2 + LENGTH(c.at[C_DIGEST]));
    memcpy(j->e2, c.at[C_DIGEST] - 2, j->e2_size);
    j->whole = j->to = j->e2 + j->e2_size;
    return SW_OK;
}

static __attribute__((noinline)) uint16_t pieces_combine(struct request *q)
{
    struct joint j = {.q = q};
    if (q->e->state == CERT_STORED) return SW_CONDITIONS;
    uint16_t sw = joint_begin(&j);
    if (sw == SW_OK) sw = pieces_join(&j);
    if (sw != SW_OK) return sw;
    step();
    sw = whole_check(&j);
    if (sw != SW_OK) return sw;
    step();
    int slot = set_find(CLASS_VALUE, KIND_PIECE, set_of(&j.set), 1);
    if (slot < 0) return SW_CONDITIONS;
    uint16_t handle = index_at((uint16_t)slot)->handle;
    if (j.set.state == CERT_RECOVERING) sw = whole_store(&j, (uint16_t)slot);
    if (sw != SW_OK) return sw;
    step();
    return answer_handle(q->a, handle);
}

#endif

#if FEATURE_PIECES || FEATURE_COUPLE

uint16_t cmd_combine(struct request *q)
{
#if FEATURE_COUPLE
    if (q->a->p1 == 5 || q->a->p2) return bundle_combine(q);
#endif
#if FEATURE_PIECES
    return q->a->p1 == 6 ? parts_combine(q) : pieces_combine(q);
#else
    return SW_P1P2;
#endif
}

#endif
