/** Personalisation and data objects: INITIALISE, PUT DATA, GET DATA, ISSUE (docs/protocol.md 2.2). */
#include "app.h"
#include "applets.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

static const char version[] = "cardbench reference 0.1.0";

/* ---- safes and credential ---- */

static uint16_t safe_at(uint8_t i)
{
    return (uint16_t)(PAGE_SAFES + 2u * i);
}

uint16_t safe_page(const uint8_t *id)
{
    for (uint8_t i = 0; i < SAFES; i++)
        if (nvm_page_valid(safe_at(i)) && memcmp(nvm_at(safe_at(i)), id, 8) == 0) return safe_at(i);
    return 0;
}

const uint8_t *safe_verify_key(uint16_t page)
{
    return nvm_at(page) + 8;
}

const uint8_t *safe_transport_key(uint16_t page)
{
    return nvm_at((uint16_t)(page + 1));
}

static bool zero(const uint8_t *p, int length)
{
    while (length-- > 0)
        if (*p++) return false;
    return true;
}

/** 9D 9E; NULL when a key is missing. */
static uint8_t *public_keys_put(uint8_t *p)
{
    p = tlv_head(p, 0x9D, 32);
    if (key_public(KEY_SIGNING, p) != SW_OK) return NULL;
    p = tlv_head(p + 32, 0x9E, 32);
    return key_public(KEY_TRANSPORT, p) == SW_OK ? p + 32 : NULL;
}

uint8_t *credential_put(uint8_t *p)
{
    if (!nvm_page_valid(PAGE_CREDENTIAL) || !nvm_page_valid(PAGE_CREDENTIAL + 1)) return NULL;
    p = tlv_head(p, 0xE9, 144);
    p = tlv_put(p, 0x93, card_identity()->card, 8);
    p = public_keys_put(p);
    if (!p) return NULL;
    p = tlv_head(p, 0x92, 64);
    memcpy(p, nvm_at(PAGE_CREDENTIAL), 32);
    memcpy(p + 32, nvm_at(PAGE_CREDENTIAL + 1), 32);
    return p + 64;
}

/** Where the signature lies behind the elements of the credential made at LEAD. */
#define SIGNED (LEAD + 10u + 34u + 34u + 2u)

/** Checks the issuer's signature of this card's credential; it is moved to buf + SIGNED. */
static uint16_t credential_check(struct apdu *a, const uint8_t *signature)
{
    uint8_t *elements = a->buf + LEAD;
    if (!nvm_page_valid(PAGE_IDENTITY) || zero(card_identity()->issuer, 32)) return SW_CONDITIONS;
    memmove(a->buf + SIGNED, signature, 64);
    if (!public_keys_put(tlv_put(elements, 0x93, card_identity()->card, 8))) return SW_CONDITIONS;
    return signature_check(elements, a->buf + SIGNED, "cardbench credential v1", NULL, card_identity()->issuer);
}

/* ---- INITIALISE, ISSUE ---- */

static uint16_t page_write(uint16_t page, union page *data)
{
    data->words[15] = crypto_crc32(CRYPTO_CRC32_START, data->bytes, PAGE_BYTES - 4);
    return nvm_put(page, data->bytes) == NVM_OK ? SW_OK : SW_MEMORY;
}

/** Superblock and card secret. */
static uint16_t format_write(void)
{
    union page page;
    memset(&page, 0, sizeof page);
    page.bytes[0] = 1;
    hal_random(page.bytes + 8, 32);
    uint16_t sw = page_write(PAGE_SECRET, &page);
    crypto_wipe(&page, sizeof page);
    if (sw != SW_OK) return sw;
    memcpy(page.bytes, "CBW1", 4);
    put_le16(page.bytes + 4, 2);
    put_le16(page.bytes + 6, PAGE_BYTES);
    put_le16(page.bytes + 8, nvm_pages());
    put_le16(page.bytes + 10, PAGE_INDEX);
    put_le16(page.bytes + 12, index_slots());
    put_le16(page.bytes + 14, PAGE_INDEX + index_slots());
    applets_describe(page.bytes);
    return page_write(PAGE_SUPER, &page);
}

uint16_t cmd_initialise(struct request *q)
{
    uint8_t life = card_life();
    (void)q;
    if (life == LIFE_OPERATIONAL) return SW_CONDITIONS;
    if (life == LIFE_UNREADABLE && nvm_page_valid(PAGE_SUPER)) return SW_MEMORY;
    /* The areas of the other applets are theirs once the card has been formatted. */
    uint16_t last = nvm_page_valid(PAGE_SUPER) ? data_end() : nvm_pages();
    nvm_tx_begin();
    nvm_tx_erase(PAGE_STATE);
    uint16_t sw = change_commit();
    for (uint16_t page = PAGE_STATE + 1; page < last && sw == SW_OK; page++) {
        bool system = page < PAGE_INDEX + index_slots();
        if ((system || !nvm_page_absent(page)) && nvm_erase(page) != NVM_OK && system) sw = SW_MEMORY;
    }
    if (sw == SW_OK) sw = format_write();
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    change_new(PAGE_STATE)->state.life = LIFE_INITIALISED;
    return change_commit();
}

/** Nothing is missing: identity, safe, PIN, all keys. */
static bool complete(void)
{
    bool safe = false;
    for (uint8_t i = 0; i < SAFES; i++) safe = safe || nvm_page_valid(safe_at(i));
    for (uint8_t kind = 0; kind <= KEY_TRANSPORT; kind++)
        if (!key_at(kind)) return false;
    return safe && nvm_page_valid(PAGE_PIN) && nvm_page_valid(PAGE_IDENTITY) && !zero(card_identity()->card, 8);
}

uint16_t cmd_issue(struct request *q)
{
    if (card_life() != LIFE_INITIALISED || !complete()) return SW_CONDITIONS;
    const uint8_t *end = credential_put(q->a->buf + LEAD);
    if (!end || credential_check(q->a, end - 64) != SW_OK) return SW_CONDITIONS;
    nvm_tx_begin();
    change_page(PAGE_STATE)->state.life = LIFE_OPERATIONAL;
    return change_commit();
}

/* ---- PUT DATA ---- */

/** Card id or issuer's key. */
static uint16_t put_identity(const struct apdu *a)
{
    bool id = a->p2 == 0x10;
    if (a->lc != (id ? 8 : 32)) return SW_LENGTH;
    if (zero(a->buf, a->lc)) return SW_DATA;
    nvm_tx_begin();
    struct identity *i = &change_page(PAGE_IDENTITY)->identity;
    memcpy(id ? i->card : i->issuer, a->buf, a->lc);
    return change_commit();
}

static syntax safe_elements = {0x9A, 8, 8, 0x9D, 32, 32, 0x9E, 32, 32, 0};

static uint16_t put_safe(const struct apdu *a)
{
    uint8_t *at[3];
    if (!object_take(a->buf, a->buf + a->lc, 0xED, safe_elements, at)) return SW_DATA;
    uint16_t page = safe_page(at[0]);
    for (uint8_t i = 0; i < SAFES && !page; i++)
        if (nvm_page_absent(safe_at(i))) page = safe_at(i);
    if (!page) return SW_ROOM;
    nvm_tx_begin();
    uint8_t *first = change_new(page)->bytes;
    memcpy(first, at[0], 8);
    memcpy(first + 8, at[1], 32);
    memcpy(change_new((uint16_t)(page + 1))->bytes, at[2], 32);
    return change_commit();
}

static uint16_t put_settings(const struct apdu *a)
{
    if (a->lc != 1) return SW_LENGTH;
    if (a->buf[0] & ~(SET_EMPTY_DIGEST | SET_LEGACY_HASHES)) return SW_DATA;
    nvm_tx_begin();
    change_page(PAGE_STATE)->state.settings = a->buf[0];
    return change_commit();
}

static uint16_t put_credential(struct apdu *a)
{
    if (a->lc != 64) return SW_LENGTH;
    uint16_t sw = credential_check(a, a->buf);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    memcpy(change_new(PAGE_CREDENTIAL)->bytes, a->buf + SIGNED, 32);
    memcpy(change_new(PAGE_CREDENTIAL + 1)->bytes, a->buf + SIGNED + 32, 32);
    return change_commit();
}

uint16_t cmd_put_data(struct request *q)
{
    struct apdu *a = q->a;
    if (card_life() != LIFE_INITIALISED) return SW_CONDITIONS;
    if (a->p1 != 0xDF) return SW_NOT_FOUND;
    switch (a->p2) {
    case 0x10:
    case 0x11:
        return put_identity(a);
    case 0x12:
        return put_safe(a);
    case 0x13:
        return pin_store(a->buf, a->lc);
    case 0x14:
        return put_settings(a);
    case 0x15:
        return put_credential(a);
    default:
        return SW_NOT_FOUND;
    }
}

/* ---- GET DATA ---- */

static uint8_t *memory_put(uint8_t *p, uint16_t capacity)
{
    struct room r;
    room_survey(&r, 1);
    p = put32(p, hal_eeprom_size());
    p = put32(p, r.free_pages * PAGE_BYTES);
    p = put32(p, r.run * PAGE_BYTES);
    p = put16(p, r.entries);
    p = put32(p, hal_ram_size());
    return put16(put16(p, capacity), capacity);
}

static uint8_t *life_put(uint8_t *p)
{
    uint8_t keys = 0;
    bool valid = nvm_page_valid(PAGE_STATE);
    const struct state *s = card_state();
    for (uint8_t kind = KEY_DECODING; kind <= KEY_TRANSPORT; kind++)
        if (key_at(kind)) keys = (uint8_t)(keys | 1u << (kind - 1));
    *p++ = card_life();
    *p++ = valid ? s->tries : 0;
    *p++ = keys;
    p = put32(p, valid ? s->sequence : 0);
    return put32(p, valid ? s->load : 0);
}

uint16_t cmd_get_data(struct request *q)
{
    struct apdu *a = q->a;
    uint8_t *p = a->buf;
    if (a->p1 != 0xDF) return SW_NOT_FOUND;
    switch (a->p2) {
    case 0x01:
        p += shortage_get(p);
        break;
    case 0x02:
        p = memory_put(p, a->cap);
        break;
    case 0x03:
        p = credential_put(p);
        break;
    case 0x04:
        p = life_put(p);
        break;
    case 0x05:
        memcpy(p, version, sizeof version - 1);
        p += sizeof version - 1;
        break;
    case 0x06:
        p = public_keys_put(p);
        break;
    case 0x16:
        if (!nvm_page_valid(PAGE_STATE)) return SW_NOT_FOUND;
        *p++ = card_state()->settings;
        break;
    default:
        p = NULL;
    }
    if (!p) return SW_NOT_FOUND;
    a->out = (uint16_t)(p - a->buf);
    return SW_OK;
}
