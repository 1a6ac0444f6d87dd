/** Value information, digests and certificates (docs/protocol.md 1.1, 1.2). */
#include "app.h"

#include <string.h>

#include "hal/hal.h"

static syntax value_elements = {
    0x80, 1, 1, 0x81, 1, 48, 0x82, 4, 4, 0x83, 2, 2, 0x84, 4, 4, 0x85, 0, 48, 0x86, 0, 8, 0x87, 4, 4, 0x88, 0, 64,
    0x89, 8, 8, 0,
};
static syntax cert_elements = {
    0x96, 1, 1, 0x9B, 1, 1, 0x93, 8, 8, 0x94, 4, 4, 0xE2, 0, 117, 0x97, 1, 1, 0x98, 16, 32, 0x99, 4, 4, 0x9A, 8, 8,
    0x92, 64, 64, 0,
};
static syntax digest_elements = {0x80, 1, 1, 0x81, 1, 48, 0x83, 2, 2, 0x85, 0, 48, 0x86, 0, 8, 0};
static syntax key_digest_elements = {0x80, 1, 1, 0x8A, 9, 9, 0};
/** The elements of a value that its digest repeats. */
static const uint8_t digested[] = {V_CLASS, V_NAME, V_QUANTITY, V_PLACE, V_TERM};

/** Empty, or two BCD days. */
static bool term_valid(const uint8_t *term)
{
    for (uint8_t i = 0; i < LENGTH(term); i++)
        if ((term[i] >> 4) > 9 || (term[i] & 15) > 9) return false;
    return LENGTH(term) % 8 == 0;
}

bool value_take(uint8_t *from, const uint8_t *end, struct value *v)
{
    if (!object_take(from, end, 0xE1, value_elements, v->at)) return false;
    return (uint8_t)(*v->at[V_CLASS] - 1) < 0x7F && term_valid(v->at[V_TERM]);
}

static uint8_t digest_content(const struct value *v)
{
    uint8_t n = 0;
    for (unsigned i = 0; i < sizeof digested; i++) n = (uint8_t)(n + 2 + LENGTH(v->at[digested[i]]));
    return n;
}

uint16_t digest_size(const struct value *v)
{
    return (uint16_t)(2 + digest_content(v));
}

uint8_t *digest_put(uint8_t *to, const struct value *v)
{
    to = tlv_head(to, 0xE2, digest_content(v));
    for (unsigned i = 0; i < sizeof digested; i++) to = tlv_copy(to, v->at[digested[i]]);
    return to;
}

static bool digest_left_empty(void)
{
    return (card_state()->settings & SET_EMPTY_DIGEST) != 0;
}

uint16_t card_digest_size(const struct value *v)
{
    return digest_left_empty() ? 2 : digest_size(v);
}

uint8_t *card_digest_put(uint8_t *to, const struct value *v)
{
    return digest_left_empty() ? tlv_head(to, 0xE2, 0) : digest_put(to, v);
}

bool digest_is(const uint8_t *digest, const struct value *v)
{
    if (LENGTH(digest) != digest_content(v)) return false;
    for (unsigned i = 0; i < sizeof digested; i++) {
        const uint8_t *element = v->at[digested[i]] - 2;
        if (memcmp(digest, element, element[1] + 2u) != 0) return false;
        digest += element[1] + 2;
    }
    return true;
}

/** The digest of a certificate: 302, empty, or 306. */
static bool digest_valid(uint8_t *digest, uint8_t kind)
{
    uint8_t *at[5], *end = digest + LENGTH(digest);
    if (IS_KEY(kind)) return fields_take(digest, end, key_digest_elements, at) && *at[0] == 0x80;
    if (digest == end) return true;
    return fields_take(digest, end, digest_elements, at) && *at[0] < 0x80 && term_valid(at[4]);
}

bool cert_take(uint8_t *from, const uint8_t *end, struct cert *c)
{
    if (!object_take(from, end, 0xE6, cert_elements, c->at)) return false;
    uint8_t kind = *c->at[C_KIND];
    if (*c->at[C_VERSION] != 1 || kind < KIND_PLAIN || kind > KIND_LAST || (kind == KIND_SEED && !FEATURE_SEED)) return false;
    return hash_bytes(*c->at[C_ALGORITHM]) == LENGTH(c->at[C_HASH]) && digest_valid(c->at[C_DIGEST], kind);
}

uint16_t cert_room(uint16_t digest)
{
    return tlv_size((uint16_t)(3 + 3 + 10 + 6 + digest + 3 + 34 + 6 + 10 + 66));
}
