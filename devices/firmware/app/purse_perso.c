/** Purse applet: personalisation and data objects (docs/purse.md 2.1). */
#include "features.h"

#if FEATURE_PURSE
#include "purse.h"

#include <string.h>

#include "applets.h"
#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

static const char version[] = "cardbench purse 0.1.0";

/* ---- INITIALISE, GENERATE KEY, ACTIVATE ---- */

uint16_t purse_initialise(struct apdu *a)
{
    const uint8_t *super = nvm_at(PAGE_SUPER);
    (void)a;
    if (!nvm_page_valid(PAGE_SUPER) || (super[16] | super[17] << 8) != data_end()) return SW_CONDITIONS;
    nvm_tx_begin();
    nvm_tx_erase(purse_page(P_STATE));
    uint16_t sw = change_commit();
    for (unsigned page = P_STATE + 1; page < PURSE_PAGES && sw == SW_OK; page++)
        if (nvm_erase(purse_page(page)) != NVM_OK) sw = SW_MEMORY;
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    struct purse_state *s = (struct purse_state *)change_new(purse_page(P_STATE));
    s->life = LIFE_INITIALISED;
    s->issue_place = ISSUES - 1;
    return change_commit();
}

static void key_new(unsigned page)
{
    uint8_t *p = change_new(purse_page(page))->bytes;
    p[0] = 1;
    hal_random(p + 8, 32);
}

uint16_t purse_generate(struct apdu *a)
{
    (void)a;
    nvm_tx_begin();
    nvm_tx_erase(purse_page(P_CERTIFICATE));
    nvm_tx_erase(purse_page(P_CERTIFICATE + 1));
    uint16_t sw = change_commit();
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    key_new(P_SEED);
    key_new(P_SECRET);
    return change_commit();
}

static uint16_t public_key(uint8_t out[32])
{
    const uint8_t *seed = purse_key(P_SEED);
    if (!seed) return SW_CONDITIONS;
    return crypto_ed25519_public(out, seed) == CRYPTO_OK ? SW_OK : SW_MEMORY;
}

/** CA's signature in purse->own of the key there. */
static uint16_t own_certificate_check(void)
{
    const uint8_t *identity = purse_identity();
    if (!identity || !purse_set(identity + 8, 32)) return SW_CONDITIONS;
    purse_say_key(purse->own.key);
    return purse_verify(purse->own.ca, identity + 8);
}

/** Nothing is missing. */
static bool complete(void)
{
    const uint8_t *identity = purse_identity();
    if (!identity || !purse_set(identity, 8) || !purse_key(P_ISSUER) || !purse_key(P_THIRD)) return false;
    return purse_key(P_SECRET) && purse_own() == SW_OK && own_certificate_check() == SW_OK;
}

uint16_t purse_activate(struct apdu *a)
{
    (void)a;
    if (!complete()) return SW_CONDITIONS;
    nvm_tx_begin();
    purse_change_state()->life = LIFE_OPERATIONAL;
    return change_commit();
}

/* ---- PUT DATA ---- */

static uint16_t put_identity(const struct apdu *a)
{
    bool id = a->p2 == 0x30;
    if (a->lc != (id ? 8 : 32)) return SW_LENGTH;
    if (!purse_set(a->buf, a->lc)) return SW_DATA;
    nvm_tx_begin();
    uint8_t *p = change_page(purse_page(P_IDENTITY))->bytes;
    memcpy(id ? p : p + 8, a->buf, a->lc);
    return change_commit();
}

static uint16_t put_key(const struct apdu *a, unsigned page)
{
    if (a->lc != 32) return SW_LENGTH;
    nvm_tx_begin();
    uint8_t *p = change_new(purse_page(page))->bytes;
    p[0] = 1;
    memcpy(p + 8, a->buf, 32);
    return change_commit();
}

static uint16_t put_certificate(struct apdu *a)
{
    struct purse_certificate *c = &purse->own;
    if (a->lc != 64) return SW_LENGTH;
    memcpy(c->ca, a->buf, 64);
    uint16_t sw = public_key(c->key);
    if (sw == SW_OK) sw = own_certificate_check();
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    memcpy(change_new(purse_page(P_CERTIFICATE))->bytes, c, 60);
    memcpy(change_new(purse_page(P_CERTIFICATE + 1))->bytes, (const uint8_t *)c + 60, sizeof *c - 60);
    return change_commit();
}

static uint16_t put_settings(const struct apdu *a)
{
    if (a->lc != 1) return SW_LENGTH;
    if (a->buf[0] & ~PURSE_SET_ASK) return SW_DATA;
    nvm_tx_begin();
    purse_change_state()->settings = a->buf[0];
    return change_commit();
}

uint16_t purse_put_data(struct apdu *a)
{
    if (a->p1 != 0xDF) return SW_NOT_FOUND;
    switch (a->p2) {
    case 0x30:
    case 0x31:
        return put_identity(a);
    case 0x32:
        return put_key(a, P_ISSUER);
    case 0x33:
        return put_key(a, P_THIRD);
    case 0x34:
        return put_certificate(a);
    case 0x35:
        return put_settings(a);
    default:
        return SW_NOT_FOUND;
    }
}

/* ---- GET DATA ---- */

static uint8_t *open_put(uint8_t *p)
{
    const struct purse_challenges *c = purse_challenges();
    for (unsigned i = 0; c && i < CHALLENGES; i++)
        if (c->open[i].alternative) p = tlv_put(p, 0xD1, c->open[i].id, 8);
    return p;
}

static uint8_t *waiting_put(uint8_t *p)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        const struct purse_entry *e = (const struct purse_entry *)nvm_at(purse_page(P_ENTRIES + ENTRY_PAGES * i));
        if (purse_state()->places[i] == 1) p = tlv_put(p, 0xD1, e->id, 8);
    }
    return p;
}

static uint8_t *payments_put(uint8_t *p)
{
    uint32_t made = purse_state()->payments;
    for (unsigned i = 1; i <= PAYMENTS; i++) {
        const struct purse_payment *n = purse_payment((made - i) % PAYMENTS);
        if (n) p = tlv_put32(tlv_put(p, 0xD1, n->id, 8), 0xD0, n->x);
    }
    return p;
}

/** DF20. The lists are made behind it to be counted. */
static uint8_t *status_put(uint8_t *p)
{
    const struct purse_state *s = purse_state();
    uint8_t life = purse_life(), *lists = p + 32;
    memset(p, 0, 25);
    if (life == LIFE_BLANK) return p + 25;
    *p++ = life;
    p = put32(put32(put32(p, s->balance), s->issued), s->received);
    p = put32(put32(p, s->paid), s->issue_number);
    *p++ = (uint8_t)((unsigned)(open_put(lists) - lists) / 10u);
    *p++ = (uint8_t)((unsigned)(waiting_put(lists) - lists) / 10u);
    *p++ = (uint8_t)((unsigned)(payments_put(lists) - lists) / 16u);
    *p++ = s->settings;
    return p;
}

static uint8_t *public_put(uint8_t *p)
{
    const uint8_t *identity = purse_identity();
    if (!identity || !purse_set(identity, 8)) return NULL;
    p = tlv_head(tlv_put(p, 0xD5, identity, 8), 0xD6, 32);
    return public_key(p) == SW_OK ? p + 32 : NULL;
}

static uint8_t *certificate_put(uint8_t *p)
{
    if (purse_own() != SW_OK) return NULL;
    p = tlv_head(p, 0xF7, 34 + 66);
    return tlv_put(tlv_put(p, 0xD6, purse->own.key, 32), 0xD7, purse->own.ca, 64);
}

static uint8_t *issue_put(uint8_t *p)
{
    uint32_t number = purse_state()->issue_number;
    if (number == 0 || purse_own() != SW_OK || purse_issue_get(number) != SW_OK) return NULL;
    p = tlv_head(p, 0xF6, 6 + 6 + 34 + 66);
    p = tlv_put(tlv_put(p, 0xD8, purse->issue.w, 4), 0xD9, purse->issue.number, 4);
    return tlv_put(tlv_put(p, 0xD6, purse->own.key, 32), 0xDA, purse->issue.signature, 64);
}

static uint8_t *object_put(uint8_t *p, uint8_t tag)
{
    bool blank = purse_life() == LIFE_BLANK;
    switch (tag) {
    case 0x05:
        memcpy(p, version, sizeof version - 1);
        return p + sizeof version - 1;
    case 0x20:
        return status_put(p);
    case 0x21:
        return blank ? NULL : public_put(p);
    case 0x22:
        return blank ? NULL : certificate_put(p);
    case 0x23:
        return blank ? NULL : issue_put(p);
    case 0x24:
        return blank ? p : open_put(p);
    case 0x25:
        return blank ? p : waiting_put(p);
    case 0x26:
        return blank ? p : payments_put(p);
    default:
        return NULL;
    }
}

uint16_t purse_get_data(struct apdu *a)
{
    uint8_t *p = a->p1 == 0xDF ? object_put(a->buf, a->p2) : NULL;
    if (!p) return SW_NOT_FOUND;
    a->out = (uint16_t)(p - a->buf);
    return SW_OK;
}
#endif
