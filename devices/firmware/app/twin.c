/** Twin applet: dispatcher, personalisation, sessions (docs/twin.md 1.2 and 2). */
#include "features.h"

#if FEATURE_TWIN
#include "twin.h"

#include <string.h>

#include "applets.h"
#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

struct twin_session twin_session;
/** Step of the running command that is marked next; 0: none. */
static uint8_t due;

void twin_forget(void)
{
    crypto_wipe(&twin_session, sizeof twin_session);
}

uint16_t twin_page(uint16_t offset)
{
    return (uint16_t)(applet_first(APPLET_TWIN) + offset);
}

static void mark(uint8_t outcome)
{
    if (due != 0) hal_trace_step(1, (uint8_t)(0xC0 | due >> 4), due & 15, outcome);
}

void twin_step(void)
{
    mark(0);
    due++;
}

static uint8_t life(void)
{
    uint16_t page = twin_page(T_TABLE);
    if (nvm_page_valid(page)) return nvm_at(page)[0];
    return nvm_page_absent(page) ? LIFE_BLANK : LIFE_UNREADABLE;
}

/* ---- personalisation ---- */

/** Bytes of ISSUE before the PIN: numbers, balance, both keys. */
#define ISSUE_FIXED (T_NUMBER + T_COPIED + 4u + 32u)

/** A blank card is given everything and becomes operational with its table, the last page to be written. */
static uint16_t issue(const struct apdu *a)
{
    const uint8_t *rest = a->buf + T_NUMBER + T_COPIED, *pin = a->buf + ISSUE_FIXED;
    uint16_t length = (uint16_t)(a->lc - ISSUE_FIXED);
    if (card_life() == LIFE_BLANK || life() != LIFE_BLANK) return SW_CONDITIONS;
    if (length < 4 || length > 12) return SW_LENGTH;
    if (a->buf[0] == 0) return SW_DATA;
    nvm_tx_begin();
    memcpy(change_new(twin_page(T_KEYS))->bytes + 8, rest + 4, 32);
    uint8_t *page = change_new(twin_page(T_PIN))->bytes;
    hal_random(page + 4, 16);
    twin_pin_hash(page + 4, pin, length, page + 20);
    uint16_t sw = change_commit();
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    (void)change_new(twin_page(T_LIST));
    struct twin_table *t = (struct twin_table *)change_new(twin_page(T_TABLE));
    t->life = LIFE_OPERATIONAL;
    t->tries = T_TRIES;
    t->balance = get32(rest);
    memcpy(t->card, a->buf, T_NUMBER + T_COPIED);
    return change_commit();
}

/* ---- sessions ---- */

/** Both challenges give the key of the session; answers the card's. */
static uint16_t session_open(struct apdu *a)
{
    static const char label[] = "cardbench twin session v1";
    uint8_t work[sizeof label + 1 + 32], *challenges = work + sizeof label + 1, mac[32];
    if (a->lc != 16) return SW_LENGTH;
    twin_forget();
    memcpy(work, label, sizeof label);
    work[sizeof label] = a->p1;
    memcpy(challenges, a->buf, 16);
    hal_random(challenges + 16, 16);
#if FAULT_TWIN_NO_CHALLENGE
    memset(challenges + 16, 0, 16);
#endif
    const uint8_t *key = nvm_at(twin_page(T_KEYS)) + 8 + (a->p1 == ROLE_ISSUER ? 16 : 0);
    (void)crypto_hmac_sha256(key, 16, work, sizeof work, mac);
    memcpy(twin_session.key, mac, 16);
    crypto_wipe(mac, sizeof mac);
    twin_session.role = a->p1;
    memcpy(a->buf, challenges + 16, 16);
    a->out = 16;
    return SW_OK;
}

/** Nonce and additional data of a message of the session; direction 0: command, 1: answer. */
struct frame {
    uint8_t nonce[12], aad[3];
};

static void frame_make(struct frame *f, const struct apdu *a, uint8_t direction)
{
    memset(f, 0, sizeof *f);
    f->nonce[0] = direction;
    put16(f->nonce + 10, twin_session.counter);
    f->aad[0] = a->ins;
    f->aad[1] = a->p1;
    f->aad[2] = a->p2;
}

/** Opens the data of a command in place; anything not genuine or not due ends the session. */
static uint16_t message_open(struct apdu *a)
{
    struct frame f;
    if (twin_session.role == 0) return SW_SECURITY;
    twin_session.counter++;
    frame_make(&f, a, 0);
    uint16_t size = (uint16_t)(a->lc - CRYPTO_TAG_LENGTH);
    if (a->lc < CRYPTO_TAG_LENGTH || twin_session.counter == 0
        || crypto_gcm_open(twin_session.key, 16, f.nonce, f.aad, 3, a->buf, size, a->buf + size, a->buf) != CRYPTO_OK) {
        twin_forget();
        return SW_SECURITY;
    }
    a->lc = size;
    return SW_OK;
}

static uint16_t message_seal(struct apdu *a)
{
    struct frame f;
    frame_make(&f, a, 1);
    (void)crypto_gcm_seal(twin_session.key, 16, f.nonce, f.aad, 3, a->buf, a->out, a->buf, a->buf + a->out);
    a->out = (uint16_t)(a->out + CRYPTO_TAG_LENGTH);
    return SW_OK;
}

/* ---- commands ---- */

/** The command has no steps. */
#define NO_STEP 0xFFu

/** First step of a command by INS and P1; 0: wrong P1. */
static const uint8_t first_steps[11][6] = {
    /* 10 OPEN */ {0, NO_STEP, NO_STEP},
    /* 12 NUMBER */ {0, STEP(105), STEP(106), STEP(108)},
    /* 14 READ */ {NO_STEP, STEP(301), STEP(305), STEP(401), STEP(501)},
    /* 16 VERIFY */ {0, STEP(303), STEP(307), STEP(403), STEP(503), STEP(508)},
    /* 18 EXPORT */ {0, STEP(310), STEP(511)},
    /* 1A STORE */ {0, STEP(310), STEP(511)},
    /* 1C PROMOTE */ {STEP(406)},
    /* 1E INVALIDATE */ {STEP(506)},
    /* 20 WITHDRAW */ {NO_STEP},
    /* 22 BALANCE */ {NO_STEP},
    /* 24 SHOP */ {NO_STEP},
};

/** A command of an operational card. */
static uint16_t carry_out(struct apdu *a)
{
    if (a->ins < 0x10 || a->ins > 0x24 || (a->ins & 1)) return SW_INS;
    due = a->p1 > 5 ? 0 : first_steps[(a->ins - 0x10) >> 1][a->p1];
    if (due == 0 || a->p2 != 0) return SW_P1P2;
    if (life() != LIFE_OPERATIONAL) return life() == LIFE_BLANK ? SW_CONDITIONS : SW_MEMORY;
    if (a->ins == 0x10) return session_open(a);
    if (a->ins == 0x24) return twin_run(a);
    uint16_t sw = message_open(a);
    if (sw != SW_OK) return sw;
    if (due == NO_STEP) due = 0;
    sw = twin_run(a);
    mark(sw != SW_OK);
    return sw == SW_OK ? message_seal(a) : sw;
}

uint16_t twin_command(struct apdu *a)
{
    if (a->cla != 0x80) return a->cla == 0 ? SW_INS : SW_CLA;
    if (a->ins != 0x46) return carry_out(a);
    return a->p1 != 0 || a->p2 != 0 ? SW_P1P2 : issue(a);
}
#endif
