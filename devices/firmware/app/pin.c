/** PIN (docs/protocol.md 2.4 rule 11, commands VERIFY and CHANGE REFERENCE DATA). */
#include "app.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

#define TRIES 3u

static bool verified;

void pin_reset(void)
{
    verified = false;
}

bool pin_verified(void)
{
    return verified;
}

static uint16_t tries_set(uint8_t tries)
{
    nvm_tx_begin();
    change_page(PAGE_STATE)->state.tries = tries;
    return change_commit();
}

/** SHA-256(salt || PIN). */
static void pin_hash(const uint8_t *salt, const uint8_t *pin, uint16_t length, uint8_t out[32])
{
    uint8_t work[16 + 12];
    memcpy(work, salt, 16);
    memcpy(work + 16, pin, length);
    (void)hash_of(1, work, (uint16_t)(16 + length), out);
    crypto_wipe(work, sizeof work);
}

/** 4 to 12 ASCII digits. */
static uint16_t pin_format(const uint8_t *pin, uint16_t length)
{
    if (length < 4 || length > 12) return SW_LENGTH;
    for (uint16_t i = 0; i < length; i++)
        if (pin[i] < '0' || pin[i] > '9') return SW_DATA;
    return SW_OK;
}

static bool pin_matches(const uint8_t *pin, uint16_t length)
{
    uint8_t hash[32];
    const uint8_t *page = nvm_at(PAGE_PIN);
    pin_hash(page + 4, pin, length, hash);
    bool same = nvm_page_valid(PAGE_PIN) && crypto_equal(hash, page + 20, 32);
    crypto_wipe(hash, sizeof hash);
    return same;
}

uint16_t cmd_verify(struct request *q)
{
    const struct apdu *a = q->a;
    uint8_t tries = card_state()->tries;
    if (tries == 0) return SW_BLOCKED;
    if (a->lc == 0) return (uint16_t)(SW_PIN | tries);
    uint16_t sw = pin_format(a->buf, a->lc);
    if (sw != SW_OK) return sw;
    verified = false;
#if !FAULT_PIN_AFTER_COMPARE
    sw = tries_set((uint8_t)(tries - 1));
    if (sw != SW_OK) return sw;
#endif
    bool same = pin_matches(a->buf, a->lc);
#if FAULT_PIN_AFTER_COMPARE
    if (!same) sw = tries_set((uint8_t)(tries - 1));
    if (sw != SW_OK) return sw;
#endif
    if (!same) return (uint16_t)(SW_PIN | (tries - 1u));
    sw = tries_set(TRIES);
    verified = sw == SW_OK;
    return sw;
}

uint16_t pin_store(const uint8_t *pin, uint16_t length)
{
    uint16_t sw = pin_format(pin, length);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    uint8_t *page = change_new(PAGE_PIN)->bytes;
    page[0] = 1;
    hal_random(page + 4, 16);
    pin_hash(page + 4, pin, length, page + 20);
    change_page(PAGE_STATE)->state.tries = TRIES;
    return change_commit();
}

uint16_t cmd_change_pin(struct request *q)
{
    return pin_store(q->a->buf, q->a->lc);
}
