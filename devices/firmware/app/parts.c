/** Key parts: a decoding or common key divided over several safes (docs/protocol.md 5.2 to 5.4). */
#include "app.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

#if FEATURE_PIECES

enum { SCHEME_XOR = 1, SCHEME_SHAMIR = 2, SCHEME_ORIGIN = 3 };
#define PARTS_MAX 5u
/** Longest digest 302 of a value, encoded. */
#define DIGEST_MAX 119u

/* Of a part's entry: flags FLAG_SEALED_FIRST = Shamir, FLAG_READY = origin, wanted = threshold, alt = first page of its safe. */

/* ---- shares ---- */

/** Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1; its time does not depend on the factors. */
static uint8_t gf_multiply(uint8_t a, uint8_t b)
{
    uint8_t product = 0;
    for (int bit = 0; bit < 8; bit++) {
        product ^= (uint8_t)(a & (uint8_t) - (b & 1));
        a = (uint8_t)(a << 1 ^ (0x1B & (uint8_t) - (a >> 7)));
        b >>= 1;
    }
    return product;
}

/** Inverse as a^254; 0 gives 0. */
static uint8_t gf_inverse(uint8_t a)
{
    uint8_t power = a, result = 1;
    for (int bit = 1; bit < 8; bit++) {
        power = gf_multiply(power, power);
        result = gf_multiply(result, power);
    }
    return result;
}

/** The random bytes of a set with this number, the same whenever asked. */
static __attribute__((noinline)) uint16_t draw(uint32_t set, uint8_t number, uint8_t *out, uint16_t length)
{
    static const char label[] = "cardbench key part v1";
    uint8_t info[sizeof label + 5];
    const uint8_t *secret = key_at(0);
    if (!secret) return SW_CONDITIONS;
    memcpy(info, label, sizeof label);
    *put32(info + sizeof label, set) = number;
    return crypto_hkdf_expand(secret, 32, info, sizeof info, out, length) == CRYPTO_OK ? SW_OK : SW_CONDITIONS;
}

static uint8_t scheme_flags(uint8_t scheme)
{
    return scheme == SCHEME_SHAMIR ? FLAG_SEALED_FIRST : scheme == SCHEME_ORIGIN ? FLAG_READY : 0;
}

static uint8_t scheme_of(const struct entry *c)
{
    return c->flags & FLAG_SEALED_FIRST ? SCHEME_SHAMIR : c->flags & FLAG_READY ? SCHEME_ORIGIN : SCHEME_XOR;
}

/** The key that parts, one behind the other, are the origin of. */
static uint16_t key_from(const uint8_t *parts, uint16_t length, uint8_t key[32])
{
    static const uint8_t salt[] = "cardbench key of parts v1";
    return crypto_hkdf_extract(salt, sizeof salt - 1, parts, length, key) == CRYPTO_OK ? SW_OK : SW_CONDITIONS;
}

/** The part of the key that an entry stands for. Uses 32 bytes behind `out`. */
uint16_t part_make(const struct entry *c, uint8_t *out)
{
    uint16_t n = key_length(c->variant), sw;
    uint8_t index = PART_INDEX(c), count = PART_COUNT(c), *random = out + n;
    bool shamir = c->flags & FLAG_SEALED_FIRST;
    const uint8_t *key = key_at(c->variant);
    if (scheme_of(c) == SCHEME_ORIGIN) return draw(set_of(c), index, out, n);
    if (!key) return SW_CONDITIONS;
#if FAULT_PART_IS_KEY
    memcpy(out, key, n);
    return SW_OK;
#endif
    if (!shamir && index < count) return draw(set_of(c), index, out, n);
    memcpy(out, key, n);
    uint8_t power = 1;
    for (uint8_t j = 1; j < (shamir ? c->wanted : count); j++) {
        power = shamir ? gf_multiply(power, index) : 1;
        sw = draw(set_of(c), j, random, n);
        if (sw != SW_OK) return sw;
        for (uint16_t i = 0; i < n; i++) out[i] ^= gf_multiply(random[i], power);
    }
    crypto_wipe(random, n);
    return SW_OK;
}

/* ---- DIVIDE KEY ---- */

/** A division asked for. */
struct splitting {
    uint32_t set;
    uint8_t kind, scheme, threshold, count, algorithm;
    uint8_t coupled; /* FLAG_COUPLED: the first part is going to be coupled with a value */
    uint16_t safes[PARTS_MAX]; /* first page of each part's safe */
};

static uint16_t splitting_take(const struct apdu *a, struct splitting *d)
{
    const uint8_t *p = a->buf;
    if (a->lc < 8 || p[0] != 0xC7 || p[1] != 3 || p[5] != 0x95 || p[6] != 1) return SW_DATA;
    d->kind = a->p2;
    d->scheme = p[2] & 0x7F;
    d->coupled = FEATURE_COUPLED ? p[2] >> 4 & FLAG_COUPLED : 0;
    if (!FEATURE_COUPLED) d->scheme = p[2];
    d->threshold = p[3];
    d->count = p[4];
    d->algorithm = p[7];
    if (!hash_allowed(d->algorithm) || d->count < 2 || d->count > PARTS_MAX || a->lc != 8 + 10 * d->count) return SW_DATA;
    if (d->scheme < SCHEME_XOR || d->scheme > SCHEME_ORIGIN) return SW_DATA;
    if (d->scheme != SCHEME_SHAMIR && d->threshold != d->count) return SW_DATA;
    if (d->threshold < 2 || d->threshold > d->count) return SW_DATA;
    for (uint8_t i = 0; i < d->count; i++) {
        const uint8_t *safe = p + 8 + 10 * i;
        if (safe[0] != 0x9A || safe[1] != 8) return SW_DATA;
        d->safes[i] = safe_page(safe + 2);
        if (!d->safes[i]) return SW_NOT_FOUND;
        uint8_t there = 1;
        for (uint8_t j = 0; j < i; j++) there = (uint8_t)(there + (d->safes[j] == d->safes[i]));
        if (there >= d->threshold) return SW_DATA; /* it could put the key together alone */
        if (d->coupled && i && d->safes[i] == d->safes[0]) return SW_DATA;
    }
    return SW_OK;
}

/** True for a part of this division. */
static bool part_is(const struct entry *e, const struct splitting *d, uint8_t index)
{
    return e->variant == d->kind && e->algorithm == d->algorithm && e->wanted == d->threshold &&
           PART_COUNT(e) == d->count && e->alt == d->safes[index - 1] &&
           scheme_of(e) == d->scheme && (e->flags & FLAG_COUPLED) == (index == 1 ? d->coupled : 0);
}

/** A part whose certificate has not come. */
static int part_open(void)
{
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (e->cls == CLASS_CERTIFICATE && e->kind == KIND_PART && e->state == CERT_RESERVED && e->part) return i;
    }
    return -1;
}

bool parts_cancel(void)
{
    bool any = false;
    for (int slot; (slot = part_open()) >= 0; any = true) {
        nvm_tx_begin();
        entry_change((uint16_t)slot)->state = DELETING;
        if (change_commit() != SW_OK) break;
        settle();
    }
    return any;
}

/** A part's certificate for exactly the key that is on the card. */
static bool part_certified(const struct entry *e)
{
    struct cert c;
    uint8_t digest[16];
    return entry_cert(e, &c) && key_digest(e->variant, digest) == SW_OK && memcmp(digest + 2, c.at[C_DIGEST], 14) == 0;
}

/** True if all parts of this division are there, waiting for their certificates or with those of the present key. */
static bool parts_there(const struct splitting *d)
{
    for (uint8_t i = 1; i <= d->count; i++) {
        int part = set_find(CLASS_CERTIFICATE, KIND_PART, d->set, i);
        if (part < 0 || !part_is(index_at((uint16_t)part), d, i)) return false;
        if (index_at((uint16_t)part)->state != CERT_RESERVED && !part_certified(index_at((uint16_t)part))) return false;
    }
    return true;
}

/** The very division that is under way or done. */
static bool splitting_again(struct splitting *d)
{
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (e->cls != CLASS_CERTIFICATE || e->kind != KIND_PART || e->state == DELETING || PART_INDEX(e) != 1) continue;
        d->set = set_of(e);
        if (parts_there(d)) return true;
    }
    return false;
}

static __attribute__((noinline)) uint16_t part_reserve(struct apdu *a, const struct splitting *d, uint8_t index)
{
    struct room r;
    uint8_t coupled = index == 1 ? d->coupled : 0;
    uint16_t sw = room_find(&r, cert_room(coupled ? DIGEST_MAX : 16), true);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    struct entry *c = entry_new(&r, CLASS_CERTIFICATE, CERT_RESERVED);
    c->sequence = d->set + index - 1;
    c->kind = KIND_PART;
    c->variant = d->kind;
    c->algorithm = d->algorithm;
    c->flags = scheme_flags(d->scheme) | coupled;
    c->alt = d->safes[index - 1];
    c->part = (uint8_t)(d->count << 4 | index);
    c->wanted = d->threshold;
    sw = part_make(c, a->buf);
    if (sw != SW_OK) return sw;
    if (!hash_of(d->algorithm, a->buf, key_length(d->kind), c->hash)) return SW_DATA;
    crypto_wipe(a->buf, 64);
    change_page(PAGE_STATE)->state.handle = r.handle;
    return change_commit();
}

/** A new key, made of the parts it is going to have. */
static __attribute__((noinline)) uint16_t origin_make(struct apdu *a, const struct splitting *d)
{
    uint16_t n = key_length(d->kind), sw = key_in_use(d->kind) ? SW_CONDITIONS : SW_OK;
    uint8_t *parts = a->buf, *key = a->buf + PARTS_MAX * 32;
    for (uint8_t i = 1; i <= d->count && sw == SW_OK; i++) sw = draw(d->set, i, parts + (i - 1) * n, n);
    if (sw == SW_OK) sw = key_from(parts, (uint16_t)(d->count * n), key);
    if (sw == SW_OK) sw = key_write(d->kind, key);
    crypto_wipe(a->buf, PARTS_MAX * 32 + 32);
    return sw;
}

uint16_t cmd_divide_key(struct request *q)
{
    struct splitting d;
    uint16_t sw = splitting_take(q->a, &d);
    if (sw != SW_OK) return sw;
    step();
    bool origin = d.scheme == SCHEME_ORIGIN;
    if (FEATURE_SEED && d.kind == KEY_SEED && (origin || d.coupled || !key_at(KEY_DECODING))) return SW_CONDITIONS;
    if (!origin && !key_at(d.kind)) return SW_CONDITIONS;
    if (!splitting_again(&d)) {
        sw = room_find_all(cert_room(d.coupled ? DIGEST_MAX : 16), d.count);
        if (sw != SW_OK) return sw;
        (void)parts_cancel();
        if (origin && key_in_use(d.kind)) return SW_CONDITIONS;
        sw = sequences_take(&d.set, d.count, 0);
        if (sw == SW_OK && origin) sw = origin_make(q->a, &d);
        for (uint8_t i = 1; i <= d.count && sw == SW_OK; i++) sw = part_reserve(q->a, &d, i);
    }
    if (sw != SW_OK) return sw;
    q->a->out = (uint16_t)(tlv_put32(q->a->buf, 0x94, d.set) - q->a->buf);
    return SW_OK;
}

/* ---- PIECE ---- */

static uint8_t *division_put(uint8_t *p, const struct entry *c)
{
    p = tlv_head(p, 0xC7, 3);
    *p++ = scheme_of(c);
    *p++ = c->wanted;
    *p++ = PART_COUNT(c);
    return p;
}

/** E4 with the part, sealed to its safe; made behind LEAD, then put together. */
static uint16_t part_give(struct apdu *a, const struct entry *c)
{
    struct sealing s = {.label = "cardbench part to safe v1", .info = a->buf, .e2 = a->buf + LEAD, .e2_size = 16};
    uint8_t *part = a->buf + 512; /* behind the whole request */
    struct wrapping w = {part, "cardbench key part v1", c->sequence, c->alt, c->variant, c->algorithm, 0xEE};
    uint16_t sw = key_digest(c->variant, s.e2);
    if (sw == SW_OK) sw = part_make(c, part);
    if (sw == SW_OK)
        sw = wrapped_request(a, &s, division_put(identity_put(s.e2 + 16, c, PART_INDEX(c), key_length(c->variant)), c), &w);
    crypto_wipe(part, 64);
    return sw;
}

uint16_t part_request(struct request *q)
{
    if (q->at[0][-2] != 0x94 || LENGTH(q->at[0]) != 4) return SW_DATA;
    int slot = set_find(CLASS_CERTIFICATE, KIND_PART, get32(q->at[0]), q->a->p2);
    if (slot < 0) return SW_NOT_FOUND;
    const struct entry *c = index_at((uint16_t)slot);
    return COUPLED(c) ? SW_CONDITIONS : part_give(q->a, c);
}

bool part_deletable(const struct entry *e)
{
    return e->kind == KIND_PART && e->state == CERT_STORED && part_certified(e);
}

uint8_t parts_stored(const struct entry *e)
{
    uint8_t stored = 0;
    for (uint8_t index = 1; index <= PART_COUNT(e); index++) {
        int slot = set_find(CLASS_CERTIFICATE, KIND_PART, set_of(e), index);
        if (slot >= 0 && index_at((uint16_t)slot)->state == CERT_STORED) stored++;
#if FAULT_COUPLED_COUNTS_EARLY
        if (slot >= 0 && index_at((uint16_t)slot)->state == CERT_RESERVED) stored++;
#endif
    }
    return stored;
}

bool parts_certified(uint8_t kind)
{
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (e->cls != CLASS_CERTIFICATE || e->kind != KIND_PART || !key_concerns(e, kind) || e->state != CERT_STORED) continue;
        if (FEATURE_SEED && e->variant == KEY_SEED && key_at(KEY_SEED)) continue;
        uint8_t stored = parts_stored(e);
#if FAULT_PART_SUFFICES
        stored = 255;
#endif
        if (stored >= e->wanted && part_certified(e)) return true;
    }
    return false;
}

/* ---- COMBINE KEY ---- */

static syntax reply_elements = {0xE2, 14, 14, 0xC5, 8, 8, 0xC7, 3, 3, 0x9C, 64, 80, 0x92, 64, 64, 0};
/** Elements of a key part reply. */
enum { R_DIGEST, R_IDENTITY, R_DIVISION, R_SEALED, R_SIGNATURE, R_ELEMENTS };

/** Parts being put together: where each lies, by x. */
struct puzzle {
    uint8_t *parts[PARTS_MAX];
    uint8_t x[PARTS_MAX];
    uint8_t count;
};

/** One reply: its part in clear stays where it was sealed, in RAM. */
static __attribute__((noinline)) uint16_t part_take(const struct request *q, uint8_t *from, const uint8_t *end, struct puzzle *z)
{
    uint8_t *at[R_ELEMENTS];
    if (!object_take(from, end, 0xEE, reply_elements, at) || z->count == PARTS_MAX) return SW_DATA;
    uint8_t index = at[R_IDENTITY][4];
    int slot = set_find(CLASS_CERTIFICATE, KIND_PART, set_of(q->e), index);
    if (slot < 0 || index_at((uint16_t)slot)->state != CERT_STORED) return SW_CONDITIONS;
    for (uint8_t i = 0; i < z->count; i++)
        if (z->x[i] == index) return SW_DATA;
    const struct entry *c = index_at((uint16_t)slot);
    struct sealing s = {.label = "cardbench part to card v1", .info = q->a->buf, .e2 = at[R_DIGEST] - 2, .e2_size = 16};
    z->parts[z->count] = at[R_SEALED] + 32;
    z->x[z->count++] = index;
    return reply_open(&s, c, at[R_SEALED], at[R_SIGNATURE], "cardbench part reply v1");
}

#if FEATURE_COUPLED
/** The part in the coupled object, which comes first. */
static __attribute__((noinline)) uint16_t coupled_take(const struct request *q, uint8_t *from, const uint8_t *end, struct puzzle *z)
{
    int slot = set_find(CLASS_CERTIFICATE, KIND_PART, set_of(q->e), 1);
    if (z->count) return SW_DATA;
    if (slot < 0 || !COUPLED(index_at((uint16_t)slot))) return SW_CONDITIONS;
    z->x[z->count++] = 1;
    return coupled_open(q->a->buf, index_at((uint16_t)slot), from, end, &z->parts[0]);
}
#endif

/** The key from its parts: their sum, or the polynomial's value at 0. */
static __attribute__((noinline)) void key_join(const struct puzzle *z, uint8_t count, bool shamir, uint8_t *key, uint16_t length)
{
    memset(key, 0, length);
    for (uint8_t i = 0; i < count; i++) {
        uint8_t weight = 1;
        for (uint8_t j = 0; j < count && shamir; j++)
            if (j != i) weight = gf_multiply(weight, gf_multiply(z->x[j], gf_inverse(z->x[i] ^ z->x[j])));
        for (uint16_t n = 0; n < length; n++) key[n] ^= gf_multiply(z->parts[i][n], weight);
    }
}

/** The key that all parts are the origin of, in the order of their numbers. */
static __attribute__((noinline)) uint16_t origin_join(const struct puzzle *z, uint8_t *scratch, uint8_t *key, uint16_t length)
{
    for (uint8_t i = 0; i < z->count; i++) memcpy(scratch + (z->x[i] - 1) * length, z->parts[i], length);
    return key_from(scratch, (uint16_t)(z->count * length), key);
}

uint16_t parts_combine(struct request *q)
{
    struct puzzle z = {.count = 0};
    uint8_t *next = q->at[1];
    bool shamir = q->e->flags & FLAG_SEALED_FIRST;
    uint16_t sw = q->e->state == CERT_STORED ? SW_OK : SW_CONDITIONS;
    if (q->a->buf[LEAD + 4] != 0xEF) return SW_DATA;
    while (sw == SW_OK && next != q->end) {
        uint8_t *from = next;
        next = tlv_next(from, q->end);
#if FEATURE_COUPLED
        if (next && *from == 0xEF)
            sw = coupled_take(q, from, next, &z);
        else
#endif
            sw = next ? part_take(q, from, next, &z) : SW_DATA;
    }
    if (sw == SW_OK && z.count < q->e->wanted) sw = SW_CONDITIONS;
    if (sw != SW_OK) return sw;
    uint8_t *key = q->a->buf;
    uint16_t length = key_length(q->e->variant);
    if (scheme_of(q->e) == SCHEME_ORIGIN)
        sw = q->end + PARTS_MAX * 32 > q->a->buf + q->a->cap ? SW_LENGTH : origin_join(&z, (uint8_t *)q->end, key, length);
    else
        key_join(&z, q->e->wanted, shamir, key, length);
    if (sw != SW_OK) return sw;
    bool seed = FEATURE_SEED && q->e->variant == KEY_SEED;
    sw = seed ? seed_derive(q->e, key) : key_fits(q->e, key) ? SW_OK : SW_DATA;
    if (sw != SW_OK) return sw;
    step();
    sw = key_restore(seed ? KEY_DECODING : q->e->variant, key);
    if (sw == SW_OK) step();
    return sw;
}

#endif
