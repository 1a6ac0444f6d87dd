/** Member applet: dispatcher, personalisation, data objects (docs/member.md 2). */
#include "features.h"

#if FEATURE_MEMBER
#include "member.h"

#include <string.h>

#include "applets.h"
#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

static const char version[] = "cardbench member 0.1.0";

struct member_session session;
/** Step of the running command that is marked next; 0: none. */
static uint8_t due;

void member_forget(void)
{
    crypto_wipe(&session, sizeof session);
}

uint16_t member_page(uint16_t offset)
{
    return (uint16_t)(applet_first(APPLET_MEMBER) + offset);
}

const struct member_state *member_state(void)
{
    return (const struct member_state *)nvm_at(member_page(M_STATE));
}

struct member_state *member_change(void)
{
    return (struct member_state *)nvm_tx_page(member_page(M_STATE));
}

const uint8_t *member_at(uint16_t offset)
{
    uint16_t page = member_page(offset);
    const uint8_t *p = nvm_at(page);
    return nvm_page_valid(page) && p[0] == 1 ? p : NULL;
}

void member_step(uint8_t next)
{
    hal_trace_step(1, 'S', due, 0);
    due = next;
}

static uint8_t life(void)
{
    uint16_t page = member_page(M_STATE);
    if (nvm_page_valid(page)) return member_state()->life;
    return nvm_page_absent(page) ? LIFE_BLANK : LIFE_UNREADABLE;
}

/* ---- personalisation ---- */

static uint16_t initialise(void)
{
    if (card_life() == LIFE_BLANK || life() == LIFE_OPERATIONAL) return SW_CONDITIONS;
    nvm_tx_begin();
    nvm_tx_erase(member_page(M_STATE));
    uint16_t sw = change_commit();
    for (uint16_t offset = 1; offset < MEMBER_PAGES && sw == SW_OK; offset++)
        if (nvm_erase(member_page(offset)) != NVM_OK) sw = SW_MEMORY;
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    uint8_t *secret = change_new(member_page(M_SECRET))->bytes;
    secret[0] = 1;
    hal_random(secret + 4, 48);
    change_new(member_page(M_STATE))->bytes[0] = LIFE_INITIALISED;
    return change_commit();
}

static uint16_t activate(void)
{
    if (life() != LIFE_INITIALISED || !member_at(M_CENTRE) || !member_at(M_SEAL)) return SW_CONDITIONS;
    nvm_tx_begin();
    member_change()->life = LIFE_OPERATIONAL;
    return change_commit();
}

static uint16_t put_data(const struct apdu *a)
{
    if (life() != LIFE_INITIALISED) return SW_CONDITIONS;
    if (a->p1 != 0xDF || (a->p2 != 0x50 && a->p2 != 0x51)) return SW_NOT_FOUND;
    if (a->lc != 32) return SW_LENGTH;
    nvm_tx_begin();
    uint8_t *page = change_new(member_page(a->p2 == 0x50 ? M_CENTRE : M_SEAL))->bytes;
    page[0] = 1;
    memcpy(page + 8, a->buf, 32);
    return change_commit();
}

static uint8_t *status_put(uint8_t *p)
{
    static const struct member_state none;
    const struct member_state *s = nvm_page_valid(member_page(M_STATE)) ? member_state() : &none;
    *p++ = life();
    *p++ = s->flags;
    *p++ = s->tries[0];
    *p++ = s->tries[1];
    return put32(put32(p, s->transaction), s->settled);
}

static uint16_t get_data(struct apdu *a)
{
    const uint8_t *key = member_at(M_KEY);
    uint8_t *p = a->buf;
    if (a->lc != 0) return SW_LENGTH;
    if (a->p1 != 0xDF) return SW_NOT_FOUND;
    if (a->p2 == 0x05) {
        memcpy(p, version, sizeof version - 1);
        p += sizeof version - 1;
    } else if (a->p2 == 0x40) {
        p = status_put(p);
    } else if (a->p2 == 0x41 && life() == LIFE_OPERATIONAL && (member_state()->flags & MF_KEY) && key) {
        memcpy(p, key + 8, 32);
        p += 32;
    } else if (a->p2 == 0x42 && life() == LIFE_OPERATIONAL && (member_state()->flags & MF_REGISTERED)) {
        memcpy(p, member_state()->number, 8);
        p += 8;
    } else {
        return SW_NOT_FOUND;
    }
    a->out = (uint16_t)(p - a->buf);
    return SW_OK;
}

/* ---- commands ---- */

/** First step of a command; FF: it has none; 0: there is no such command. */
static uint8_t first_step(const struct apdu *a)
{
    static const uint8_t steps[] = {1, 2, 3, 6, 7, 8, 9, 0xFF, 11, 12, 13, 14, 0xFF};
    uint8_t n = (uint8_t)(a->ins - 0x10) / 2;
    if (a->ins < 0x10 || (a->ins & 1) || n >= sizeof steps) return 0;
    return a->ins == 0x16 && a->p1 == 2 ? 10 : steps[n];
}

static uint16_t run(struct apdu *a, uint8_t *end)
{
    switch (a->ins) {
    case 0x10:
        return member_passwords(a, end);
    case 0x12:
        return member_contents(a, end);
    case 0x14:
        return member_seed(a, end);
    case 0x16:
        return member_sign_registration(a, end);
    case 0x18:
        return member_fetch(a, end);
    case 0x1A:
        return member_connect(a, end);
    case 0x1C:
        return member_send(a, end);
    case 0x1E:
        return member_admitted(a, end);
    case 0x20:
        return member_enter_a(a, end);
    case 0x22:
        return member_history(a, end);
    case 0x24:
        return member_enter_b(a, end);
    case 0x26:
        return member_pay(a, end);
    default:
        return member_settled(a, end);
    }
}

/** A command of an operational card: its data moved up by LEAD, its steps marked. */
static uint16_t carry_out(struct apdu *a)
{
    due = first_step(a);
    if (due == 0) return SW_INS;
    if (a->p2 != 0 || (a->ins == 0x16 ? a->p1 != 1 && a->p1 != 2 : a->p1 != 0)) return SW_P1P2;
    if (due == 0xFF) due = 0;
    uint16_t sw = life() == LIFE_UNREADABLE ? SW_MEMORY : SW_CONDITIONS;
    if (life() == LIFE_OPERATIONAL) {
        sw = a->cap < M_BUFFER ? SW_ROOM : a->lc + LEAD > 400u ? SW_LENGTH : SW_OK;
        if (sw == SW_OK) {
            memmove(a->buf + LEAD, a->buf, a->lc);
            sw = run(a, a->buf + LEAD + a->lc);
        }
    }
    if (due != 0) hal_trace_step(1, 'S', due, sw != SW_OK);
    return sw;
}

uint16_t member_command(struct apdu *a)
{
    bool plain = a->p1 == 0 && a->p2 == 0;
    if (a->cla != 0x80) return a->cla == 0 ? SW_INS : SW_CLA;
    switch (a->ins) {
    case 0xCA:
        return get_data(a);
    case 0xDA:
        return put_data(a);
    case 0x46:
        return !plain ? SW_P1P2 : a->lc ? SW_LENGTH : initialise();
    case 0x48:
        return !plain ? SW_P1P2 : a->lc ? SW_LENGTH : activate();
    default:
        return carry_out(a);
    }
}
#endif
