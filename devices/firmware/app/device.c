/** Authentication device of embodiment 10: proves its key to a check that has proved the same (docs/protocol.md 2.10). */
#include "applets.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

#if FEATURE_AUTH_DEVICE

#define ID_BYTES 8u
#define KEY_BYTES 32u
#define CHALLENGE_BYTES 16u
#define TAG_DEVICE 0xDF60u

/** The one page: 0 u8 1 = present; 8 id; 16 key. */
enum { DEVICE_ID = 8, DEVICE_KEY = 16 };

/** The challenge that is open: good for one answer. */
static struct {
    uint8_t open;
    uint8_t challenge[CHALLENGE_BYTES];
} device;

void device_forget(void)
{
    device.open = 0;
}

/** The page when it holds a device, NULL otherwise. */
static const uint8_t *device_at(void)
{
    uint16_t page = applet_first(APPLET_DEVICE);
    const uint8_t *p = nvm_at(page);
    return nvm_page_valid(page) && p[0] == 1 ? p : NULL;
}

/** MAC over label || 0 || id || challenge || challenge. */
static void proof(const uint8_t *d, const char label[7], const uint8_t *first, const uint8_t *second, uint8_t out[32])
{
    uint8_t text[7 + ID_BYTES + 2 * CHALLENGE_BYTES];
    memcpy(text, label, 7);
    memcpy(text + 7, d + DEVICE_ID, ID_BYTES);
    memcpy(text + 7 + ID_BYTES, first, CHALLENGE_BYTES);
    memcpy(text + 7 + ID_BYTES + CHALLENGE_BYTES, second, CHALLENGE_BYTES);
    (void)crypto_hmac_sha256(d + DEVICE_KEY, KEY_BYTES, text, sizeof text, out);
}

/** Id and key, once for good. */
static uint16_t put(const struct apdu *a)
{
    if (a->lc != ID_BYTES + KEY_BYTES) return SW_LENGTH;
    if (card_life() == LIFE_BLANK || !nvm_page_absent(applet_first(APPLET_DEVICE))) return SW_CONDITIONS;
    nvm_tx_begin();
    uint8_t *page = change_new(applet_first(APPLET_DEVICE))->bytes;
    page[0] = 1;
    memcpy(page + DEVICE_ID, a->buf, ID_BYTES + KEY_BYTES);
    return change_commit();
}

static uint16_t challenge(struct apdu *a)
{
#if FAULT_DEVICE_SAME_CHALLENGE
    memset(device.challenge, 0x5A, CHALLENGE_BYTES);
#else
    hal_random(device.challenge, CHALLENGE_BYTES);
#endif
    device.open = 1;
    memcpy(a->buf, device.challenge, CHALLENGE_BYTES);
    a->out = CHALLENGE_BYTES;
    return SW_OK;
}

/** The check proves itself, then the device. A challenge is used up whatever comes. */
static uint16_t authenticate(struct apdu *a, const uint8_t *d)
{
    uint8_t expected[32];
    if (a->lc != CHALLENGE_BYTES + sizeof expected) return SW_LENGTH;
    if (!device.open) return SW_CONDITIONS;
#if !FAULT_DEVICE_SAME_CHALLENGE
    device.open = 0;
#endif
    proof(d, "check1", device.challenge, a->buf, expected);
#if !FAULT_DEVICE_ANY_CHECK
    if (!crypto_equal(expected, a->buf + CHALLENGE_BYTES, sizeof expected)) return SW_SECURITY;
#endif
    proof(d, "devic1", a->buf, device.challenge, expected);
    memcpy(a->buf, expected, sizeof expected);
    a->out = sizeof expected;
    return SW_OK;
}

uint16_t device_command(struct apdu *a)
{
    const uint8_t *d = device_at();
    bool data = a->ins == 0xCA || a->ins == 0xDA;
    if (a->cla != 0x80) return SW_CLA;
    if (!data && a->ins != 0x10 && a->ins != 0x12) return SW_INS;
    if ((uint16_t)(a->p1 << 8 | a->p2) != (data ? TAG_DEVICE : 0)) return SW_P1P2;
    if (a->ins == 0xDA) return put(a);
    if (!d) return SW_CONDITIONS;
    if (a->ins == 0x12) return authenticate(a, d);
    if (a->lc != 0) return SW_LENGTH;
    if (a->ins == 0x10) return challenge(a);
    memcpy(a->buf, d + DEVICE_ID, ID_BYTES);
    a->out = ID_BYTES;
    return SW_OK;
}

#endif
