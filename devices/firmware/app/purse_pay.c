/** Purse applet: the payer - issues and payments (docs/purse.md 3 rules 1 and 3). */
#include "features.h"

#if FEATURE_PURSE
#include "purse.h"

#include <string.h>

#include "nvm/nvm.h"

/** True if W + more is a number of 4 bytes. */
bool purse_fits(uint32_t more)
{
    return more <= UINT32_MAX - purse_state()->balance;
}

/* ---- LOAD ISSUE ---- */

/** The very issue that was loaded last. */
static bool last_again(uint8_t *const at[4])
{
    const struct purse_issue *last = &purse->issue;
    if (get32(at[1]) != purse_state()->issue_number || purse_issue_get(get32(at[1])) != SW_OK) return false;
    return memcmp(last->w, at[0], 4) == 0 && memcmp(last->signature, at[3], 64) == 0;
}

static uint16_t issue_check(uint8_t *const at[4])
{
    if (get32(at[1]) <= purse_state()->issue_number) return SW_CONDITIONS;
    purse_say_issue(at[0], at[1], at[2]);
    uint16_t sw = purse_verify(at[3], purse_key(P_ISSUER));
    if (sw != SW_OK) return sw;
    return purse_fits(get32(at[0])) ? SW_OK : SW_CONDITIONS;
}

static uint16_t issue_keep(uint8_t *const at[4])
{
    struct purse_issue *issue = &purse->issue;
    uint8_t place = (uint8_t)((purse_state()->issue_place + 1u) % ISSUES);
    memcpy(issue->w, at[0], 4);
    memcpy(issue->number, at[1], 4);
    memcpy(issue->signature, at[3], 64);
    uint16_t sw = purse_pack(P_ISSUES + 2u * place, issue, sizeof *issue);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    struct purse_state *s = purse_change_state();
    s->issue_place = place;
    s->issue_number = get32(at[1]);
    s->balance += get32(at[0]);
    s->issued += get32(at[0]);
    return change_commit();
}

uint16_t purse_load(struct apdu *a)
{
    static syntax elements = {0xD8, 4, 4, 0xD9, 4, 4, 0xD6, 32, 32, 0xDA, 64, 64, 0};
    uint8_t *at[4];
    if (!object_take(a->buf, a->buf + a->lc, 0xF6, elements, at)) return SW_DATA;
    uint16_t sw = purse_own();
    if (sw != SW_OK) return sw;
    if (memcmp(purse->own.key, at[2], 32) != 0) return SW_DATA;
    if (last_again(at)) return SW_OK;
    sw = issue_check(at);
    return sw == SW_OK ? issue_keep(at) : sw;
}

/* ---- PAY ---- */

static const struct purse_payment *payment_find(const uint8_t hash[32])
{
#if !FAULT_PURSE_PAY_TWICE
    for (unsigned i = 0; i < PAYMENTS; i++) {
        const struct purse_payment *p = purse_payment(i);
        if (p && memcmp(p->hash, hash, 32) == 0) return p;
    }
#else
    (void)hash;
#endif
    return NULL;
}

/** W less x, and the payment kept, in one change. */
static uint16_t debit(uint32_t x, const uint8_t *id, const uint8_t hash[32])
{
    nvm_tx_begin();
    struct purse_state *s = purse_change_state();
    s->balance -= x;
    s->paid += x;
    struct purse_payment *p =
        (struct purse_payment *)change_new(purse_page(P_PAYMENTS + s->payments % PAYMENTS));
    p->present = 1;
    p->x = x;
    memcpy(p->id, id, 8);
    memcpy(p->hash, hash, 32);
    p->issue = s->issue_number;
    p->number = s->payments++;
    return change_commit();
}

#if FAULT_PURSE_DEBIT_LATE
uint16_t purse_debit_late(void);
void purse_debit_forget(void);
/** The payment answered last, not yet taken off. */
static struct {
    uint32_t x;
    uint8_t id[8], hash[32];
} late;

uint16_t purse_debit_late(void)
{
    uint32_t x = late.x;
    late.x = 0;
    return x ? debit(x, late.id, late.hash) : SW_OK;
}

void purse_debit_forget(void)
{
    late.x = 0;
}
#endif

static uint16_t pay_once(const uint8_t *x, const uint8_t *id, const uint8_t hash[32])
{
    uint32_t amount = get32(x);
    if (purse_state()->issue_number == 0) return SW_CONDITIONS;
#if !FAULT_PURSE_OVERDRAFT
    if (amount > purse_state()->balance) return SW_CONDITIONS;
#endif
#if FAULT_PURSE_DEBIT_LATE
    late.x = amount;
    memcpy(late.id, id, 8);
    memcpy(late.hash, hash, 32);
    return SW_OK;
#endif
    return debit(amount, id, hash);
}

/** F1; D4 is taken from where it lies in the command. */
static uint16_t payment_answer(struct apdu *a, const uint8_t *d4, uint32_t issue_number)
{
    uint8_t size = LENGTH(d4), *p = a->buf + 4; /* behind the longest head */
    uint16_t sw = purse_own();
    if (sw == SW_OK) sw = purse_issue_get(issue_number);
    if (sw != SW_OK) return sw;
    p = tlv_put(p, 0xD4, d4, size);
    p = tlv_put(p, 0xDB, purse->signature, 64);
    p = tlv_put(p, 0xD6, purse->own.key, 32);
    p = tlv_put(p, 0xD7, purse->own.ca, 64);
    p = tlv_put(p, 0xD8, purse->issue.w, 4);
    p = tlv_put(p, 0xD9, purse->issue.number, 4);
    p = tlv_put(p, 0xDA, purse->issue.signature, 64);
    uint16_t content = (uint16_t)(p - a->buf - 4);
    memmove(tlv_head(a->buf, 0xF1, content), a->buf + 4, content);
    a->out = tlv_size(content);
    return SW_OK;
}

uint16_t purse_pay(struct apdu *a)
{
    static syntax elements = {0xD0, 4, 4, 0xD2, 32, 32, 0xD3, 32, 32, 0xD1, 8, 8, 0xD4, 13, 77, 0};
    uint8_t *at[5];
    if (!object_take(a->buf, a->buf + a->lc, 0xF0, elements, at) || get32(at[0]) == 0) return SW_DATA;
    purse_step(2);
    purse_say_payment(at[0], at[1], at[2], at[3]);
    purse_hash(purse->hash);
    const struct purse_payment *kept = payment_find(purse->hash);
    uint32_t issue = kept ? kept->issue : purse_state()->issue_number;
    uint16_t sw = kept ? SW_OK : pay_once(at[0], at[3], purse->hash);
    if (sw == SW_OK) sw = purse_sign(purse->signature);
    return sw == SW_OK ? payment_answer(a, at[4], issue) : sw;
}
#endif
