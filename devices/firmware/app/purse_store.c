/** Purse applet: pages, packed objects, what is hashed and signed (docs/purse.md 1.3 and 5). */
#include "features.h"

#if FEATURE_PURSE
#include "purse.h"

#include <string.h>

#include "applets.h"
#include "crypto/crypto.h"
#include "nvm/nvm.h"

/** Packed bytes in each page. */
#define PACKED (PAGE_BYTES - 4u)

uint16_t purse_page(unsigned page)
{
    return (uint16_t)(applet_first(APPLET_PURSE) + page);
}

static const void *valid_at(unsigned page)
{
    return nvm_page_valid(purse_page(page)) ? nvm_at(purse_page(page)) : NULL;
}

const struct purse_state *purse_state(void)
{
    return (const struct purse_state *)nvm_at(purse_page(P_STATE));
}

const struct purse_challenges *purse_challenges(void)
{
    return valid_at(P_CHALLENGES);
}

uint8_t purse_life(void)
{
    if (valid_at(P_STATE)) return purse_state()->life;
    return nvm_page_absent(purse_page(P_STATE)) || !nvm_page_valid(PAGE_SUPER) ? LIFE_BLANK : LIFE_UNREADABLE;
}

const struct purse_payment *purse_payment(unsigned slot)
{
    const struct purse_payment *p = valid_at(P_PAYMENTS + slot);
    return p && p->present == 1 ? p : NULL;
}

struct purse_state *purse_change_state(void)
{
    return (struct purse_state *)change_page(purse_page(P_STATE));
}

struct purse_challenges *purse_change_challenges(void)
{
    return (struct purse_challenges *)change_page(purse_page(P_CHALLENGES));
}

uint16_t purse_pack(unsigned page, const void *from, uint16_t size)
{
    const uint8_t *bytes = from;
    union page p;
    for (uint16_t n; size > 0; size = (uint16_t)(size - n), bytes += n, page++) {
        n = size < PACKED ? size : PACKED;
        memset(&p, 0, sizeof p);
        memcpy(p.bytes, bytes, n);
        p.words[15] = crypto_crc32(CRYPTO_CRC32_START, p.bytes, PACKED);
        if (nvm_put(purse_page(page), p.bytes) != NVM_OK) return SW_MEMORY;
    }
    return SW_OK;
}

bool purse_unpack(unsigned page, void *to, uint16_t size)
{
    uint8_t *bytes = to;
    for (uint16_t n; size > 0; size = (uint16_t)(size - n), bytes += n, page++) {
        const void *p = valid_at(page);
        n = size < PACKED ? size : PACKED;
        if (!p) return false;
        memcpy(bytes, p, n);
    }
    return true;
}

const uint8_t *purse_key(unsigned page)
{
    const uint8_t *p = valid_at(page);
    return p && p[0] == 1 ? p + 8 : NULL;
}

const uint8_t *purse_identity(void)
{
    return valid_at(P_IDENTITY);
}

uint16_t purse_own(void)
{
    return purse_unpack(P_CERTIFICATE, &purse->own, sizeof purse->own) ? SW_OK : SW_MEMORY;
}

static bool issue_read(unsigned place)
{
    struct purse_issue *to = &purse->issue;
    return purse_unpack(P_ISSUES + 2 * place, to, sizeof *to) && get32(to->number) <= purse_state()->issue_number;
}

uint16_t purse_issue_get(uint32_t number)
{
    for (unsigned i = 0; i < ISSUES; i++)
        if (issue_read(i) && get32(purse->issue.number) == number) return SW_OK;
    return issue_read(purse_state()->issue_place) ? SW_OK : SW_MEMORY;
}

bool purse_set(const uint8_t *p, uint16_t length)
{
    uint8_t any = 0;
    while (length-- > 0) any |= *p++;
    return any != 0;
}

/* ---- messages ---- */

static void add_text(const char *text)
{
    while (*text) purse->m.bytes[purse->m.length++] = (uint8_t)*text++;
}

void purse_say(const char *name)
{
    purse->m.length = 0;
    add_text("cardbench purse ");
    add_text(name);
    add_text(" v1");
    purse->m.bytes[purse->m.length++] = 0;
}

void purse_add(const void *bytes, uint8_t length)
{
    memcpy(purse->m.bytes + purse->m.length, bytes, length);
    purse->m.length = (uint8_t)(purse->m.length + length);
}

void purse_element(uint8_t tag, const void *content, uint8_t length)
{
    purse->m.length = (uint8_t)(tlv_put(purse->m.bytes + purse->m.length, tag, content, length) - purse->m.bytes);
}

void purse_hash(uint8_t out[32])
{
    (void)crypto_sha256(purse->m.bytes, purse->m.length, out);
}

uint16_t purse_verify(const uint8_t *signature, const uint8_t *key)
{
    crypto_status s = crypto_ed25519_verify(signature, key, purse->m.bytes, purse->m.length);
    return s == CRYPTO_OK ? SW_OK : SW_SECURITY;
}

uint16_t purse_sign(uint8_t signature[64])
{
    const uint8_t *seed = purse_key(P_SEED);
    if (!seed) return SW_MEMORY;
    crypto_status s = crypto_ed25519_sign(signature, seed, purse->m.bytes, purse->m.length);
    return s == CRYPTO_OK ? SW_OK : SW_MEMORY;
}

void purse_say_payment(const uint8_t *x, const uint8_t *g1, const uint8_t *g2, const uint8_t *id)
{
    purse_say("payment");
    purse_element(0xD0, x, 4);
    purse_element(0xD2, g1, 32);
    purse_element(0xD3, g2, 32);
    purse_element(0xD1, id, 8);
}

void purse_say_key(const uint8_t *key)
{
    purse_say("key");
    purse_element(0xD6, key, 32);
}

void purse_say_issue(const uint8_t *w, const uint8_t *number, const uint8_t *key)
{
    purse_say("issue");
    purse_element(0xD8, w, 4);
    purse_element(0xD9, number, 4);
    purse_element(0xD6, key, 32);
}
#endif
