/** Member applet: history and payment (docs/member.md rules 9 to 13). */
#include "features.h"

#if FEATURE_MEMBER
#include "member.h"

#include <string.h>

#include "crypto/crypto.h"
#include "nvm/nvm.h"

/** Encoded D8 D9 DA DB. */
#define ORDER_BYTES 28u

static syntax password_a = {0xD0, 6, 16, 0}, password_b = {0xD1, 6, 16, 0};

uint16_t member_enter_a(struct apdu *a, uint8_t *end)
{
    uint8_t *at[1], *clear = WORK(a) + 12;
    if (!(member_state()->flags & MF_KEY)) return SW_CONDITIONS;
    if (!fields_take(a->buf + LEAD, end, password_a, at) || !password_fits(at[0])) return SW_DATA;
    uint16_t sw = password_try(OPENS_FILE, clear, at[0], LENGTH(at[0]));
    if (sw == SW_OK && !(member_state()->flags & MF_B)) session.key = inner_open(clear, NULL);
    return sw;
}

uint16_t member_enter_b(struct apdu *a, uint8_t *end)
{
    uint8_t *at[1];
    if (!session.a) return SW_SECURITY;
    if (!(member_state()->flags & MF_B)) return SW_CONDITIONS;
    if (!fields_take(a->buf + LEAD, end, password_b, at) || !password_fits(at[0])) return SW_DATA;
    return password_try(OPENS_INNER, WORK(a) + 12, at[0], LENGTH(at[0]));
}

uint16_t member_history(struct apdu *a, uint8_t *end)
{
    uint8_t *clear = WORK(a) + 12, *p = a->buf;
    if (end != a->buf + LEAD) return SW_LENGTH;
    if (!session.a) return SW_SECURITY;
    if (!file_open(session.key_a, clear)) return SW_MEMORY;
    const uint8_t *entry = clear + M_INNER + 1;
    for (uint8_t n = clear[M_INNER]; n > 0; n--, entry += M_ENTRY) {
        p = tlv_head(p, 0xF6, ORDER_BYTES);
        p = tlv_put(p, 0xD8, entry, 4);
        p = tlv_put(p, 0xD9, entry + 4, 8);
        p = tlv_put(p, 0xDA, entry + 12, 4);
        p = tlv_put(p, 0xDB, entry + 16, 4);
    }
    a->out = (uint16_t)(p - a->buf);
    crypto_wipe(clear, M_CLEAR);
    return SW_OK;
}

/** Hash of F5 with these elements. */
static void order_hash(const uint8_t *elements, uint8_t out[32])
{
    static const uint8_t head[] = {0xF5, ORDER_BYTES};
    crypto_hash hash;
    (void)crypto_hash_init(&hash, CRYPTO_SHA256);
    (void)crypto_hash_update(&hash, head, sizeof head);
    (void)crypto_hash_update(&hash, elements, ORDER_BYTES);
    (void)crypto_hash_final(&hash, out);
}

/** The number is used up before the signature is made; again for the very last order. */
static uint16_t transaction_take(uint32_t number, const uint8_t hash[32])
{
    const struct member_state *s = member_state();
    if (number != 0 && number == s->transaction && memcmp(hash, s->order, 32) == 0) return SW_OK;
#if FAULT_MEMBER_NUMBER_AGAIN
    if (number < s->transaction) return SW_CONDITIONS;
#else
    if (number <= s->transaction) return SW_CONDITIONS;
#endif
    nvm_tx_begin();
    struct member_state *change = member_change();
    change->transaction = number;
    memcpy(change->order, hash, 32);
    return change_commit();
}

uint16_t member_pay(struct apdu *a, uint8_t *end)
{
    static syntax elements = {0xD8, 4, 4, 0xD9, 8, 8, 0xDA, 4, 4, 0xDB, 4, 4, 0};
    uint8_t *at[4], *from = WORK(a) + LEAD, hash[32];
    if (!(member_state()->flags & MF_REGISTERED)) return SW_CONDITIONS;
    if (!object_take(a->buf + LEAD, end, 0xF5, elements, at) || get32(at[2]) == 0) return SW_DATA;
    if (!session.key) return SW_SECURITY;
    if (!session.connected) return SW_CONDITIONS;
    order_hash(at[0] - 2, hash);
    uint16_t sw = transaction_take(get32(at[0]), hash);
    if (sw != SW_OK) return sw;
    uint8_t *p = tlv_put(from, 0xD6, member_state()->number, 8);
    memcpy(p, at[0] - 2, ORDER_BYTES);
    p = member_sign(from, p + ORDER_BYTES, "cardbench member payment v1");
    if (!p) return SW_MEMORY;
    from -= 2;
    (void)tlv_head(from, 0xF2, (uint16_t)(p - from - 2));
    return telegram_seal(a, from, (uint16_t)(p - from));
}

/** Puts an entry first; `entry` is D8, D9, DA, DB as encoded. */
static uint16_t history_add(uint8_t *clear, uint8_t *const at[4], uint32_t number)
{
    uint8_t *entries = clear + M_INNER + 1;
    if (!file_open(session.key_a, clear)) return SW_MEMORY;
    memmove(entries + M_ENTRY, entries, (M_ENTRIES - 1) * M_ENTRY);
    memcpy(entries, at[0], 4);
    memcpy(entries + 4, at[1], 8);
    memcpy(entries + 12, at[2], 4);
    memcpy(entries + 16, at[3], 4);
    if (clear[M_INNER] < M_ENTRIES) clear[M_INNER]++;
    uint16_t sw = file_write(clear);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    struct member_state *change = member_change();
#if !FAULT_MEMBER_FILE_IN_PLACE
    change->copy = !(change->copy & 1);
#endif
    change->settled = number;
    return change_commit();
}

uint16_t member_settled(struct apdu *a, uint8_t *end)
{
    static syntax elements = {0xD6, 8, 8, 0xD8, 4, 4, 0xD9, 8, 8, 0xDA, 4, 4, 0xDB, 4, 4, 0xDC, 4, 4, 0xD5, 64, 64, 0};
    const struct member_state *s = member_state();
    uint8_t *at[7], hash[32];
    if (!(s->flags & MF_REGISTERED)) return SW_CONDITIONS;
    if (!object_take(a->buf + LEAD, end, 0xF3, elements, at)) return SW_DATA;
    if (memcmp(at[0], s->number, 8) != 0) return SW_DATA;
    uint32_t number = get32(at[1]);
    order_hash(at[1] - 2, hash);
    if (number == 0 || number != s->transaction || memcmp(hash, s->order, 32) != 0) return SW_CONDITIONS;
    uint16_t sw = signature_check(at[0] - 2, at[6], "cardbench member settlement v1", NULL, member_at(M_CENTRE) + 8);
    if (sw != SW_OK) return sw;
    if (number == s->settled) return SW_OK;
    return session.a ? history_add(WORK(a) + 12, at + 1, number) : SW_SECURITY;
}
#endif
