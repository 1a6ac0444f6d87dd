/**
 * Ed25519 in software (RFC 8032, 5.1). Points in extended coordinates, a = -1, complete formulas
 * (Hisil, Wong, Carter, Dawson 2008). Multiples of the base point by a comb of four teeth with signed digits.
 */
#include "fe25519.h"
#include "internal.h"
#include "words.h"

#if CRYPTO_SOFTWARE

typedef struct {
    fe x, y, z, t;
} point;

/** An affine point prepared for addition: y + x, y - x, 2 d x y. */
typedef struct {
    fe plus, minus, t2d;
} niels;

#include "ed25519_base.h"

/** d = -121665 / 121666 */
static const fe curve_d = {0x135978A3u, 0x75EB4DCAu, 0x4141D8ABu, 0x00700A4Du, 0x7779E898u, 0x8CC74079u, 0x2B6FFE73u, 0x52036CEEu};
/** 2^((p - 1) / 4) */
static const fe root_of_minus_one = {0x4A0EA0B0u, 0xC4EE1B27u, 0xAD2FE478u, 0x2F431806u, 0x3DFBD7A7u, 0x2B4D0099u, 0x4FC1DF0Bu, 0x2B832480u};
/** L, the order of the base point */
static const uint32_t order[8] = {0x5CF5D3EDu, 0x5812631Au, 0xA2F79CD6u, 0x14DEF9DEu, 0, 0, 0, 0x10000000u};

typedef struct {
    point q;
    niels a;
    niels selected;
    fe t0, t1, t2;
    uint32_t comb[8];
} curve_work;

typedef struct {
    union {
        crypto_sha512_state hash;
        curve_work curve;
    } u;
    uint32_t wide[16];
    uint32_t s[8];
    uint32_t r[8];
    uint32_t prefix[8];
    uint8_t public_key[32];
} work;

/** Doubling; all coordinates come out negated, which is the same point. */
static void double_point(curve_work *w)
{
    point *q = &w->q;
    fe_add(w->t0, q->x, q->y);
    fe_square(w->t0, w->t0);
    fe_square(q->x, q->x);
    fe_square(q->y, q->y);
    fe_square(q->z, q->z);
    fe_add(q->z, q->z, q->z);
    fe_add(w->t1, q->x, q->y);
    fe_sub(w->t0, w->t0, w->t1);
    fe_sub(w->t2, q->y, q->x);
    fe_sub(q->z, q->z, w->t2);
    fe_mul(q->x, w->t0, q->z);
    fe_mul(q->y, w->t2, w->t1);
    fe_mul(q->t, w->t0, w->t1);
    fe_mul(q->z, q->z, w->t2);
}

static void add_point(curve_work *w, const niels *n)
{
    point *q = &w->q;
    fe_sub(w->t0, q->y, q->x);
    fe_mul(w->t0, w->t0, n->minus);
    fe_add(w->t1, q->y, q->x);
    fe_mul(w->t1, w->t1, n->plus);
    fe_mul(q->t, q->t, n->t2d);
    fe_add(q->z, q->z, q->z);
    fe_sub(q->x, w->t1, w->t0);
    fe_add(q->y, w->t1, w->t0);
    fe_sub(w->t0, q->z, q->t);
    fe_add(w->t1, q->z, q->t);
    fe_mul(q->z, w->t0, w->t1);
    fe_mul(q->t, q->x, q->y);
    fe_mul(q->x, q->x, w->t0);
    fe_mul(q->y, q->y, w->t1);
}

/**
 * Digits of the comb. For odd s below 2^256, s = sum of (2 c_i - 1) 2^i with c = s / 2 + 2^255; an even
 * scalar is made odd by adding L.
 */
static void set_comb(curve_work *w, const uint32_t s[8])
{
    uint32_t even = (s[0] & 1u) - 1u;
    for (uint32_t i = 0; i < 8u; i++) {
        w->comb[i] = order[i] & even;
    }
    (void)words_add8(w->comb, w->comb, s, 0);
    for (uint32_t i = 0; i < 8u; i++) {
        w->comb[i] = w->comb[i] >> 1 | (i < 7u ? w->comb[i + 1u] << 31 : 0x80000000u);
    }
}

/** Selects the comb's multiple for digit position i (0 to 63), reading the whole table. */
static void select_multiple(curve_work *w, uint32_t i)
{
    const uint32_t *comb = w->comb + (i >> 5);
    uint32_t shift = i & 31u;
    uint32_t minus = ~(comb[6] >> shift) & 1u;
    uint32_t index = 0;
    for (uint32_t j = 0; j < 3u; j++) {
        index |= ((comb[2u * j] >> shift & 1u) ^ minus) << j;
    }
    uint32_t *to = w->selected.plus;
    memset(to, 0, sizeof(niels));
    for (uint32_t m = 0; m < 8u; m++) {
        uint32_t mask = 0u - (((m ^ index) - 1u) >> 31);
        const uint32_t *from = base_table[m].plus;
        for (uint32_t k = 0; k < sizeof(niels) / 4u; k++) {
            to[k] |= from[k] & mask;
        }
    }
    fe_zero(w->t0);
    fe_sub(w->t0, w->t0, w->selected.t2d);
    fe_swap(w->selected.t2d, w->t0, minus);
    fe_swap(w->selected.plus, w->selected.minus, minus);
}

/** q = s B, or s B + h a for public h below L. */
static void multiply(curve_work *w, const uint32_t s[8], const uint32_t *h)
{
    set_comb(w, s);
    fe_zero(w->q.x);
    fe_small(w->q.y, 1);
    fe_small(w->q.z, 1);
    fe_zero(w->q.t);
    for (uint32_t i = h == NULL ? 64u : 253u; i-- != 0u;) {
        double_point(w);
        if (h != NULL && (h[i >> 5] >> (i & 31u) & 1u) != 0u) {
            add_point(w, &w->a);
        }
        if (i < 64u) {
            select_multiple(w, i);
            add_point(w, &w->selected);
        }
    }
}

/** RFC 8032, 5.1.2 */
static void encode(curve_work *w, uint8_t out[32])
{
    fe_invert(w->t0, w->q.z, w->t1);
    fe_mul(w->q.x, w->q.x, w->t0);
    fe_mul(w->q.y, w->q.y, w->t0);
    fe_reduce(w->q.x);
    fe_reduce(w->q.y);
    w->q.y[7] |= w->q.x[0] << 31;
    memcpy(out, w->q.y, 32);
}

/**
 * x of the point with y = q.y, u = t0, v = t1 (RFC 8032, 5.1.3) into q.x, of either sign.
 * False if there is none.
 */
static bool find_x(curve_work *w)
{
    point *q = &w->q;
    fe_square(q->z, w->t1);
    fe_mul(q->t, q->z, w->t1);
    fe_square(q->z, q->t);
    fe_mul(q->z, q->z, w->t1);
    fe_mul(q->z, q->z, w->t0);
    fe_power(q->x, q->z, w->t2);
    fe_mul(q->x, q->x, q->t);
    fe_mul(q->x, q->x, w->t0);
    fe_square(q->t, q->x);
    fe_mul(q->t, q->t, w->t1);
    fe_sub(w->t1, q->t, w->t0);
    if (fe_is_zero(w->t1)) {
        return true;
    }
    fe_mul(q->x, q->x, root_of_minus_one);
    fe_add(w->t1, q->t, w->t0);
    return fe_is_zero(w->t1);
}

/** w->a = minus the public key. False if it is no point, or one of small order. */
static bool decode_negated(curve_work *w, const uint8_t key[32])
{
    point *q = &w->q;
    uint32_t sign = key[31] >> 7;
    memcpy(q->y, key, 32);
    q->y[7] &= 0x7FFFFFFFu;
    fe_square(w->t0, q->y);
    fe_mul(w->t1, w->t0, curve_d);
    fe_small(w->t2, 1);
    fe_sub(w->t0, w->t0, w->t2);
    fe_add(w->t1, w->t1, w->t2);
    if (!find_x(w) || (fe_is_zero(q->x) && sign != 0u)) {
        return false;
    }
    if ((q->x[0] & 1u) == sign) {
        fe_zero(w->t0);
        fe_sub(q->x, w->t0, q->x);
    }
    fe_add(w->a.plus, q->y, q->x);
    fe_sub(w->a.minus, q->y, q->x);
    fe_mul(q->t, q->x, q->y);
    fe_mul(w->a.t2d, q->t, curve_d);
    fe_add(w->a.t2d, w->a.t2d, w->a.t2d);
    fe_small(q->z, 1);
    double_point(w);
    double_point(w);
    double_point(w);
    return !fe_is_zero(q->x);
}

/** r = wide modulo L, bit by bit. */
static void reduce_order(uint32_t r[8], const uint32_t wide[16])
{
    uint32_t less[8];
    fe_zero(r);
    for (uint32_t i = 512; i-- != 0u;) {
        (void)words_add8(r, r, r, wide[i >> 5] >> (i & 31u) & 1u);
        uint32_t keep = 0u - words_sub8(less, r, order);
        for (uint32_t k = 0; k < 8u; k++) {
            r[k] = (r[k] & keep) | (less[k] & ~keep);
        }
        if ((i & 15u) == 0u) {
            crypto_idle();
        }
    }
}

/** wide = SHA-512 of two strings of 32 bytes (or NULL) and the message. */
static void digest(work *w, const void *first, const void *second, const void *message, size_t length)
{
    crypto_sha512_state *hash = &w->u.hash;
    crypto_sha512_init(hash);
    crypto_sha512_update(hash, first, 32);
    crypto_sha512_update(hash, second, second == NULL ? 0u : 32u);
    crypto_sha512_update(hash, message, length);
    crypto_sha512_final(hash, (uint8_t *)w->wide);
}

/** Scalar, prefix and public key of a seed (RFC 8032, 5.1.5). */
static void expand(work *w, const uint8_t seed[32])
{
    digest(w, seed, NULL, NULL, 0);
    memcpy(w->s, w->wide, 32);
    memcpy(w->prefix, w->wide + 8, 32);
    w->s[0] &= 0xFFFFFFF8u;
    w->s[7] = (w->s[7] & 0x7FFFFFFFu) | 0x40000000u;
    multiply(&w->u.curve, w->s, NULL);
    encode(&w->u.curve, w->public_key);
}

static void finish(work *w)
{
    crypto_wipe(w, sizeof *w);
    crypto_burn();
}

void ed25519_software_public(uint8_t public_key[32], const uint8_t seed[32])
{
    work w;
    expand(&w, seed);
    memcpy(public_key, w.public_key, 32);
    finish(&w);
}

void ed25519_software_sign(uint8_t signature[64], const uint8_t seed[32], const void *message, size_t length)
{
    work w;
    expand(&w, seed);
    digest(&w, w.prefix, NULL, message, length);
    reduce_order(w.r, w.wide);
    multiply(&w.u.curve, w.r, NULL);
    encode(&w.u.curve, signature);
    digest(&w, signature, w.public_key, message, length);
    reduce_order(w.prefix, w.wide);
    words_mul8(w.wide, w.prefix, w.s);
    fe_zero(w.prefix);
    (void)words_add8(w.wide + 8, w.wide + 8, w.prefix, words_add8(w.wide, w.wide, w.r, 0));
    reduce_order(w.r, w.wide);
    memcpy(signature + 32, w.r, 32);
    finish(&w);
}

bool ed25519_software_verify(const uint8_t signature[64], const uint8_t public_key[32], const void *message,
                             size_t length)
{
    work w;
    digest(&w, signature, public_key, message, length);
    reduce_order(w.r, w.wide);
    if (!decode_negated(&w.u.curve, public_key)) {
        return false;
    }
    memcpy(w.s, signature + 32, 32);
    multiply(&w.u.curve, w.s, w.r);
    encode(&w.u.curve, w.public_key);
    return crypto_equal(w.public_key, signature, 32);
}

#endif
