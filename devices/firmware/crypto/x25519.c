/** X25519 in software (RFC 7748, 5): Montgomery ladder. */
#include "fe25519.h"
#include "internal.h"

#if CRYPTO_SOFTWARE

typedef struct {
    fe x1, x2, z2, x3, z3, t0, t1;
    uint8_t scalar[32];
} work;

static void ladder_step(work *w)
{
    fe_add(w->t0, w->x2, w->z2);
    fe_sub(w->x2, w->x2, w->z2);
    fe_add(w->z2, w->x3, w->z3);
    fe_sub(w->x3, w->x3, w->z3);
    fe_mul(w->z3, w->x3, w->t0);
    fe_mul(w->z2, w->z2, w->x2);
    fe_square(w->t0, w->t0);
    fe_square(w->t1, w->x2);
    fe_add(w->x3, w->z3, w->z2);
    fe_sub(w->z3, w->z3, w->z2);
    fe_square(w->x3, w->x3);
    fe_square(w->z3, w->z3);
    fe_mul(w->z3, w->z3, w->x1);
    fe_mul(w->x2, w->t0, w->t1);
    fe_sub(w->t1, w->t0, w->t1);
    fe_scale(w->z2, w->t1, 121665);
    fe_add(w->z2, w->z2, w->t0);
    fe_mul(w->z2, w->z2, w->t1);
}

crypto_status x25519_software(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32])
{
    work w;
    uint32_t swap = 0;
    memcpy(w.scalar, scalar, 32);
    w.scalar[0] &= 0xF8;
    w.scalar[31] = (uint8_t)((w.scalar[31] & 0x7F) | 0x40);
    memcpy(w.x1, u, 32);
    w.x1[7] &= 0x7FFFFFFFu;
    fe_small(w.x2, 1);
    fe_zero(w.z2);
    fe_copy(w.x3, w.x1);
    fe_small(w.z3, 1);
    for (uint32_t i = 255; i-- != 0u;) {
        uint32_t bit = (uint32_t)(w.scalar[i >> 3] >> (i & 7u)) & 1u;
        fe_swap(w.x2, w.x3, swap ^ bit);
        fe_swap(w.z2, w.z3, swap ^ bit);
        swap = bit;
        ladder_step(&w);
    }
    fe_swap(w.x2, w.x3, swap);
    fe_swap(w.z2, w.z3, swap);
    fe_invert(w.t0, w.z2, w.t1);
    fe_mul(w.x2, w.x2, w.t0);
    crypto_status status = fe_is_zero(w.x2) ? CRYPTO_ERR_WEAK : CRYPTO_OK;
    memcpy(out, w.x2, 32);
    crypto_wipe(&w, sizeof w);
    crypto_burn();
    return status;
}

#endif
