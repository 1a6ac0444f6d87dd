/** Purse applet: the payee - challenges, receipt of payments, the log (docs/purse.md 3 rules 2 and 4 to 9). */
#include "features.h"

#if FEATURE_PURSE
#include "purse.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

/** A log entry written for a payment that the third party is being asked about. */
static struct {
    bool there;
    uint8_t place, id[8];
} prepared;

void purse_unprepare(void)
{
    prepared.there = false;
}

/* ---- CHALLENGE ---- */

/** The challenge becomes open: counter, id and what is kept of it. */
static uint16_t challenge_open(void)
{
    struct purse_challenge *c = &purse->challenge;
    unsigned slot = 0;
    nvm_tx_begin();
    struct purse_challenges *all = purse_change_challenges();
    while (slot < CHALLENGES && all->open[slot].alternative != 0) slot++;
    if (slot == CHALLENGES) return SW_ROOM;
    put32(c->id, ++all->counter);
    hal_random(c->id + 4, 4);
    uint16_t sw = purse_challenge_fill();
    if (sw != SW_OK) return sw;
    all->open[slot].alternative = c->alternative;
    memcpy(all->open[slot].id, c->id, 8);
    if (c->alternative == 4) {
        struct purse_kept *k = (struct purse_kept *)change_new(purse_page(P_KEPT + slot));
        memcpy(k->id, c->id, 8);
        memcpy(k->r, c->r, 32);
        memcpy(k->x, c->x, 4);
    }
    return change_commit();
}

/** F0 of an open challenge. */
static uint16_t challenge_answer(struct apdu *a)
{
    const struct purse_challenge *c = &purse->challenge;
    uint8_t size = purse_protect(purse->d4);
    if (size == 0 || purse_g() != SW_OK) return SW_MEMORY;
    uint16_t content = (uint16_t)(6 + 34 + 34 + 10 + 2 + size);
    uint8_t *p = tlv_head(a->buf, 0xF0, content);
    p = tlv_put(p, 0xD0, c->x, 4);
    p = tlv_put(p, 0xD2, purse->g1, 32);
    p = tlv_put(p, 0xD3, purse->g2, 32);
    p = tlv_put(p, 0xD1, c->id, 8);
    p = tlv_put(p, 0xD4, purse->d4, size);
    a->out = (uint16_t)(p - a->buf);
    return SW_OK;
}

uint16_t purse_ask(struct apdu *a)
{
    static syntax elements = {0xD0, 4, 4, 0};
    uint8_t *at[1];
    purse_unprepare();
    if (!fields_take(a->buf, a->buf + a->lc, elements, at) || get32(at[0]) == 0) return SW_DATA;
    if (!purse_fits(get32(at[0]))) return SW_CONDITIONS;
    purse->challenge.alternative = a->p2;
    memcpy(purse->challenge.x, at[0], 4);
    uint16_t sw = challenge_open();
    return sw == SW_OK ? challenge_answer(a) : sw;
}

/* ---- Log entries ---- */

static bool entry_read(unsigned place)
{
    return purse_unpack(P_ENTRIES + ENTRY_PAGES * place, &purse->entry, sizeof purse->entry);
}

/** Place of the entry that waits under this id, which is then in purse->entry; ENTRIES: none. */
static unsigned entry_find(const uint8_t *id)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        if (purse_state()->places[i] == 1 && entry_read(i) && memcmp(purse->entry.id, id, 8) == 0) return i;
    return ENTRIES;
}

/** F2 of purse->entry; answers the end. */
static uint8_t *entry_put(uint8_t *p)
{
    const struct purse_entry *e = &purse->entry;
    p = tlv_head(p, 0xF2, 322);
    p = tlv_put(p, 0xD5, purse_identity(), 8);
    p = tlv_put(p, 0xD8, e->w, 4);
    p = tlv_put(p, 0xD9, e->number, 4);
    p = tlv_put(p, 0xDA, e->issue, 64);
    p = tlv_put(p, 0xD6, e->key, 32);
    p = tlv_put(p, 0xD7, e->ca, 64);
    p = tlv_put(p, 0xDB, e->s, 64);
    p = tlv_put(p, 0xD0, e->x, 4);
    p = tlv_put(p, 0xDC, e->r1, 16);
    p = tlv_put(p, 0xD3, e->g2, 32);
    return tlv_put(p, 0xD1, e->id, 8);
}

/** P-5: F2; in embodiment 2 before the acceptance P-3a: F3. */
static uint16_t entry_answer(struct apdu *a, bool query)
{
    uint8_t *p = a->buf;
    if (query) {
        p = tlv_head(p, 0xF3, 54);
        p = tlv_put(p, 0xD5, purse_identity(), 8);
        p = tlv_put(p, 0xD1, purse->entry.id, 8);
        p = tlv_put(p, 0xD6, purse->entry.key, 32);
    } else {
        p = entry_put(p);
    }
    a->out = (uint16_t)(p - a->buf);
    return SW_OK;
}

/* ---- RECEIVE ---- */

/** Elements of F1. */
enum { F1_D4, F1_S, F1_KEY, F1_CA, F1_W, F1_NUMBER, F1_ISSUE, F1_ELEMENTS };

static syntax payment_elements = {
    0xD4, 13, 77, 0xDB, 64, 64, 0xD6, 32, 32, 0xD7, 64, 64, 0xD8, 4, 4, 0xD9, 4, 4, 0xDA, 64, 64, 0,
};

/** S, the CA's certificate and the issue. */
static uint16_t signatures_check(uint8_t *const at[F1_ELEMENTS])
{
    const struct purse_challenge *c = &purse->challenge;
    uint16_t sw = purse_g();
    if (sw != SW_OK) return sw;
    purse_say_payment(c->x, purse->g1, purse->g2, c->id);
    sw = purse_verify(at[F1_S], at[F1_KEY]);
    if (sw != SW_OK) return sw;
#if !FAULT_PURSE_NO_CA
    purse_say_key(at[F1_KEY]);
    sw = purse_verify(at[F1_CA], purse_identity() + 8);
    if (sw != SW_OK) return sw;
#endif
    purse_say_issue(at[F1_W], at[F1_NUMBER], at[F1_KEY]);
    return purse_verify(at[F1_ISSUE], purse_key(P_ISSUER));
}

/** All that the log needs to know. */
static void entry_fill(uint8_t *const at[F1_ELEMENTS])
{
    const struct purse_challenge *c = &purse->challenge;
    struct purse_entry *e = &purse->entry;
    memcpy(e->x, c->x, 4);
    memcpy(e->r1, c->r, 16);
    memcpy(e->g2, purse->g2, 32);
    memcpy(e->id, c->id, 8);
    memcpy(e->w, at[F1_W], 4);
    memcpy(e->number, at[F1_NUMBER], 4);
    memcpy(e->key, at[F1_KEY], 32);
    memcpy(e->issue, at[F1_ISSUE], 64);
    memcpy(e->ca, at[F1_CA], 64);
    memcpy(e->s, at[F1_S], 64);
}

/** P-3. */
static uint16_t payment_check(uint8_t *const at[F1_ELEMENTS])
{
    const uint8_t *d4 = at[F1_D4];
    unsigned slot = purse_challenge_find(d4 + 5);
    if (slot == CHALLENGES) return SW_CONDITIONS;
    if (purse_challenges()->open[slot].alternative != d4[0]) return SW_DATA;
    uint16_t sw = purse_unprotect(d4, slot);
    if (sw == SW_OK) sw = signatures_check(at);
    if (sw != SW_OK) return sw;
    entry_fill(at);
    return purse_fits(get32(purse->entry.x)) ? SW_OK : SW_CONDITIONS;
}

/** Writes the entry to a free place, where it does not count yet. */
static uint16_t entry_prepare(void)
{
    const struct purse_entry *e = &purse->entry;
    unsigned place = 0;
    while (place < ENTRIES && purse_state()->places[place] != 0) place++;
    if (place == ENTRIES) return SW_ROOM;
    uint16_t sw = purse_pack(P_ENTRIES + ENTRY_PAGES * place, e, sizeof *e);
    if (sw != SW_OK) return sw;
    prepared.there = true;
    prepared.place = (uint8_t)place;
    memcpy(prepared.id, e->id, 8);
    return SW_OK;
}

/** P-4: the challenge id is erased, the entry counts, W becomes W + x: one change. */
static uint16_t credit(void)
{
    const struct purse_entry *e = &purse->entry;
    unsigned slot = purse_challenge_find(e->id);
    if (slot == CHALLENGES) return SW_CONDITIONS;
    nvm_tx_begin();
#if !FAULT_PURSE_CHALLENGE_KEPT
    memset(&purse_change_challenges()->open[slot], 0, 9);
#endif
#if FAULT_PURSE_ERASE_FIRST
    if (change_commit() != SW_OK) return SW_MEMORY;
    nvm_tx_begin();
#endif
    struct purse_state *s = purse_change_state();
    s->places[prepared.place] = 1;
    s->balance += get32(e->x);
    s->received += get32(e->x);
    prepared.there = false;
    return change_commit();
}

/** P-4 and P-5. */
static uint16_t take(struct apdu *a)
{
    uint16_t sw = credit();
    if (sw != SW_OK) return sw;
    purse_step(5);
    return entry_answer(a, false);
}

/** The payment has been taken before: the same steps and the same answer. */
static uint16_t taken_again(struct apdu *a, bool query)
{
    if (query) {
        purse_step(STEP_3A);
    } else {
        purse_step(4);
        purse_step(5);
    }
    return entry_answer(a, query);
}

uint16_t purse_receive(struct apdu *a)
{
    uint8_t *at[F1_ELEMENTS];
    bool query = a->p1 == 2;
    purse_unprepare();
    if (!object_take(a->buf, a->buf + a->lc, 0xF1, payment_elements, at)) return SW_DATA;
    if (purse_protected_shape(at[F1_D4]) != SW_OK) return SW_DATA;
    if (!query && (purse_state()->settings & PURSE_SET_ASK)) return SW_CONDITIONS;
    purse_step(3);
    if (entry_find(at[F1_D4] + 5) != ENTRIES && memcmp(purse->entry.s, at[F1_S], 64) == 0) return taken_again(a, query);
    uint16_t sw = payment_check(at);
    if (sw != SW_OK) return sw;
    purse_step(query ? STEP_3A : 4);
    sw = entry_prepare();
    if (sw != SW_OK) return sw;
    return query ? entry_answer(a, true) : take(a);
}

/* ---- ACCEPT ---- */

/** Checks of an F4 but its state. */
static uint16_t service_check(uint8_t *const at[4], bool waits)
{
    if (memcmp(at[0], purse_identity(), 8) != 0) return SW_DATA;
    if (!waits && !(prepared.there && memcmp(prepared.id, at[1], 8) == 0)) return SW_CONDITIONS;
    purse_say("service");
    purse_element(0xD5, at[0], 8);
    purse_element(0xD1, at[1], 8);
    purse_element(0xDD, at[2], 1);
    return purse_verify(at[3], purse_key(P_THIRD));
}

uint16_t purse_accept(struct apdu *a)
{
    static syntax elements = {0xD5, 8, 8, 0xD1, 8, 8, 0xDD, 1, 1, 0xDE, 64, 64, 0};
    uint8_t *at[4];
    if (!object_take(a->buf, a->buf + a->lc, 0xF4, elements, at)) return SW_DATA;
    bool waits = entry_find(at[1]) != ENTRIES;
    uint16_t sw = service_check(at, waits);
    if (sw != SW_OK) return sw;
    if (at[2][0] != 1) return at[2][0] == 0 ? SW_CONDITIONS : SW_DATA;
    if (!waits && !entry_read(prepared.place)) return SW_MEMORY;
    if (!waits && !purse_fits(get32(purse->entry.x))) return SW_CONDITIONS;
    purse_step(4);
    if (!waits) return take(a);
    purse_step(5);
    return entry_answer(a, false);
}

/* ---- LOG, LOG TAKEN, DROP ---- */

uint16_t purse_log(struct apdu *a)
{
    static syntax elements = {0xD1, 8, 8, 0};
    uint8_t *at[1];
    if (!fields_take(a->buf, a->buf + a->lc, elements, at)) return SW_DATA;
    return entry_find(at[0]) == ENTRIES ? SW_NOT_FOUND : entry_answer(a, false);
}

/** The third party's signature over purse->entry as F2, which is made in front of it. */
static uint16_t receipt_check(struct apdu *a, const uint8_t *signature)
{
    memcpy(purse->signature, signature, 64);
    uint8_t *end = entry_put(a->buf);
    (void)crypto_sha256(a->buf, (size_t)(end - a->buf), purse->hash);
    purse_say("receipt");
    purse_add(purse->hash, 32);
    purse_element(0xD5, purse_identity(), 8);
    purse_element(0xD1, purse->entry.id, 8);
    return purse_verify(purse->signature, purse_key(P_THIRD));
}

uint16_t purse_log_taken(struct apdu *a)
{
    static syntax elements = {0xD5, 8, 8, 0xD1, 8, 8, 0xDE, 64, 64, 0};
    uint8_t *at[3];
    purse_unprepare();
    if (!object_take(a->buf, a->buf + a->lc, 0xF5, elements, at)) return SW_DATA;
    if (memcmp(at[0], purse_identity(), 8) != 0) return SW_DATA;
    unsigned place = entry_find(at[1]);
    if (place == ENTRIES) return SW_OK;
    uint16_t sw = receipt_check(a, at[2]);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    purse_change_state()->places[place] = 0;
    return change_commit();
}

uint16_t purse_drop(struct apdu *a)
{
    static syntax elements = {0xD1, 8, 8, 0};
    uint8_t *at[1];
    purse_unprepare();
    if (!fields_take(a->buf, a->buf + a->lc, elements, at)) return SW_DATA;
    unsigned slot = purse_challenge_find(at[0]);
    if (slot == CHALLENGES) return SW_NOT_FOUND;
    nvm_tx_begin();
    memset(&purse_change_challenges()->open[slot], 0, 9);
    return change_commit();
}
#endif
