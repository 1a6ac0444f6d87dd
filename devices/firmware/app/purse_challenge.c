/** Purse applet: the challenge that comes back, in its four alternatives (docs/purse.md 1.4). */
#include "features.h"

#if FEATURE_PURSE
#include "purse.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

enum { ENCRYPTED = 1, HASHED = 2, SIGNED = 3, KEPT = 4 };
/** R1 || R2 || x || challenge id. */
#define CLEAR 44u
#define TAG CRYPTO_TAG_LENGTH
#define NONCE 12u

static const uint8_t body_sizes[] = {0, NONCE + CLEAR + TAG, 12 + 32, 12 + 64, 12};

/** R1 or R2, made from K so that it need not be kept. */
static bool derive(const char *name, uint8_t out[16])
{
    const uint8_t *k = purse_key(P_SECRET);
    if (!k) return false;
    purse_say(name);
    purse_add(purse->challenge.id, 8);
    bool done = crypto_hmac_sha256(k + 16, 16, purse->m.bytes, purse->m.length, purse->hash) == CRYPTO_OK;
    memcpy(out, purse->hash, 16);
    return done;
}

static bool derive_both(void)
{
    return derive("R1", purse->challenge.r) && derive("R2", purse->challenge.r + 16);
}

uint16_t purse_challenge_fill(void)
{
    struct purse_challenge *c = &purse->challenge;
    if (c->alternative == ENCRYPTED || c->alternative == KEPT) hal_random(c->r, 32);
    else if (!derive_both()) return SW_MEMORY;
    return SW_OK;
}

/** What is encrypted, hashed or signed, added to the message. */
static void add_clear(void)
{
    purse_add(purse->challenge.r, 32);
    purse_add(purse->challenge.x, 4);
    purse_add(purse->challenge.id, 8);
}

static void say_aad(void)
{
    purse_say("challenge");
    purse_add(purse_identity(), 8);
}

/** `to`: nonce || ciphertext || tag. */
static bool encrypt(const uint8_t *k, uint8_t *to)
{
    purse->m.length = 0;
    add_clear();
    purse->clear = purse->m;
    say_aad();
    memset(to, 0, 4);
    memcpy(to + 4, purse->challenge.id, 8);
    crypto_status s = crypto_gcm_seal(k, 16, to, purse->m.bytes, purse->m.length, purse->clear.bytes, CLEAR, to + NONCE,
                                      to + NONCE + CLEAR);
    return s == CRYPTO_OK;
}

static bool decrypt(const uint8_t *body, const uint8_t *k)
{
    uint8_t *clear = purse->clear.bytes;
    if (purse_set(body, 4)) return false;
    say_aad();
    crypto_status s = crypto_gcm_open(k, 16, body, purse->m.bytes, purse->m.length, body + NONCE, CLEAR,
                                      body + NONCE + CLEAR, clear);
    if (s != CRYPTO_OK) return false;
    memcpy(purse->challenge.r, clear, 32);
    memcpy(purse->challenge.x, clear + 32, 4);
    return memcmp(clear + 36, purse->challenge.id, 8) == 0;
}

/** SHA-256 over the challenge in the clear. */
static void hash_clear(uint8_t out[32])
{
    purse_say("challenge hash");
    add_clear();
    purse_hash(out);
}

static void say_clear(void)
{
    purse_say("challenge sign");
    add_clear();
}

uint8_t purse_protect(uint8_t *to)
{
    const struct purse_challenge *c = &purse->challenge;
    const uint8_t *k = purse_key(P_SECRET);
    bool done = k != NULL;
    *to++ = c->alternative;
    memcpy(to, c->x, 4);
    memcpy(to + 4, c->id, 8);
    if (done && c->alternative == ENCRYPTED) done = encrypt(k, to);
    if (c->alternative == HASHED) hash_clear(to + 12);
    if (c->alternative == SIGNED) {
        say_clear();
        done = purse_sign(to + 12) == SW_OK;
    }
    return done ? (uint8_t)(1u + body_sizes[c->alternative]) : 0;
}

uint16_t purse_protected_shape(const uint8_t *content)
{
    uint8_t alternative = content[0];
    bool fits = alternative >= ENCRYPTED && alternative <= KEPT && LENGTH(content) == 1 + body_sizes[alternative];
    return fits ? SW_OK : SW_DATA;
}

/** x and R1, R2 as kept under this id. */
static bool recall(unsigned slot)
{
    struct purse_challenge *c = &purse->challenge;
    uint16_t page = purse_page(P_KEPT + slot);
    const struct purse_kept *k = (const struct purse_kept *)nvm_at(page);
    if (!nvm_page_valid(page) || memcmp(k->id, c->id, 8) != 0 || memcmp(k->x, c->x, 4) != 0) return false;
    memcpy(c->r, k->r, 32);
    return true;
}

static bool signed_by_me(const uint8_t *signature)
{
    if (purse_own() != SW_OK) return false;
    say_clear();
    return purse_verify(signature, purse->own.key) == SW_OK;
}

uint16_t purse_unprotect(const uint8_t *content, unsigned slot)
{
    struct purse_challenge *c = &purse->challenge;
    const uint8_t *k = purse_key(P_SECRET), *body = content + 1;
    c->alternative = content[0];
    memcpy(c->x, body, 4);
    memcpy(c->id, body + 4, 8);
    if (!k) return SW_MEMORY;
    if (c->alternative == ENCRYPTED) return decrypt(body, k) ? SW_OK : SW_DATA;
    if (c->alternative == KEPT) return recall(slot) ? SW_OK : SW_DATA;
    if (!derive_both()) return SW_MEMORY;
    if (c->alternative == SIGNED) return signed_by_me(body + 12) ? SW_OK : SW_DATA;
    hash_clear(purse->hash);
    return crypto_equal(purse->hash, body + 12, 32) ? SW_OK : SW_DATA;
}

uint16_t purse_g(void)
{
    if (purse_own() != SW_OK) return SW_MEMORY;
    purse_say("G1");
    purse_add(purse_identity(), 8);
    purse_add(purse->challenge.r, 16);
    purse_hash(purse->g1);
    purse_say("G2");
    purse_add(purse->own.key, 32);
    purse_add(purse->challenge.r + 16, 16);
    purse_hash(purse->g2);
    return SW_OK;
}

unsigned purse_challenge_find(const uint8_t *id)
{
    const struct purse_challenges *c = purse_challenges();
    unsigned i = 0;
    while (i < CHALLENGES && (!c || c->open[i].alternative == 0 || memcmp(c->open[i].id, id, 8) != 0)) i++;
    return i;
}
#endif
