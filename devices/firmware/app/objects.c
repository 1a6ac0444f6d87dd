/** Value information, digests and certificates (docs/protocol.md 1.1, 1.2). */
#include "app.h"

#include <string.h>

static bool bcd(const uint8_t *p, int length)
{
    for (int i = 0; i < length; i++)
        if ((p[i] >> 4) > 9 || (p[i] & 15) > 9) return false;
    return true;
}

/** An element of min..max bytes. */
static bool text(struct cursor *c, uint8_t tag, int min, int max, uint8_t **value, uint8_t *length)
{
    int n = tlv_take(c, tag, value);
    if (n < min || n > max) return false;
    *length = (uint8_t)n;
    return true;
}

bool value_take(struct cursor *c, struct value *v)
{
    uint8_t *content, remarks_length, *remarks;
    int n = tlv_take(c, 0xE1, &content);
    if (n < 0) return false;
    struct cursor in = {content, content + n};
    if (!(v->cls = tlv_fixed(&in, 0x80, 1)) || *v->cls == 0 || *v->cls >= 0x80) return false;
    if (!text(&in, 0x81, 1, 48, &v->name, &v->name_length)) return false;
    if (!(v->unit = tlv_fixed(&in, 0x82, 4)) || !(v->quantity = tlv_fixed(&in, 0x83, 2))) return false;
    if (!(v->total = tlv_fixed(&in, 0x84, 4))) return false;
    if (!text(&in, 0x85, 0, 48, &v->place, &v->place_length)) return false;
    if (!text(&in, 0x86, 0, 8, &v->term, &v->term_length)) return false;
    if (v->term_length % 8 != 0 || !bcd(v->term, v->term_length)) return false;
    if (!(v->remaining = tlv_fixed(&in, 0x87, 4))) return false;
    if (!text(&in, 0x88, 0, 64, &remarks, &remarks_length)) return false;
    return tlv_fixed(&in, 0x89, 8) && in.at == in.end;
}

bool value_parse(const uint8_t *e1, uint16_t size, struct value *v)
{
    struct cursor c = {(uint8_t *)e1, (uint8_t *)e1 + size};
    return value_take(&c, v) && c.at == c.end;
}

static uint16_t digest_content(const struct value *v)
{
    return (uint16_t)(3 + 2 + v->name_length + 4 + 2 + v->place_length + 2 + v->term_length);
}

uint16_t digest_size(const struct value *v)
{
    return tlv_size(digest_content(v));
}

uint8_t *digest_put(uint8_t *to, const struct value *v)
{
    to = tlv_head(to, 0xE2, digest_content(v));
    to = tlv_put(to, 0x80, v->cls, 1);
    to = tlv_put(to, 0x81, v->name, v->name_length);
    to = tlv_put(to, 0x83, v->quantity, 2);
    to = tlv_put(to, 0x85, v->place, v->place_length);
    return tlv_put(to, 0x86, v->term, v->term_length);
}

uint16_t card_digest_size(const struct value *v)
{
    return card_state()->settings & SET_EMPTY_DIGEST ? 2 : digest_size(v);
}

uint8_t *card_digest_put(uint8_t *to, const struct value *v)
{
    if (card_state()->settings & SET_EMPTY_DIGEST) return tlv_head(to, 0xE2, 0);
    return digest_put(to, v);
}

bool digest_empty(const uint8_t *e2, uint16_t length)
{
    return length == 2 && e2[0] == 0xE2 && e2[1] == 0;
}

static bool element_is(struct cursor *c, uint8_t tag, const uint8_t *content, uint16_t length)
{
    uint8_t *found = tlv_fixed(c, tag, length);
    return found && memcmp(found, content, length) == 0;
}

bool digest_is(const uint8_t *e2, uint16_t length, const struct value *v)
{
    struct cursor c = {(uint8_t *)e2, (uint8_t *)e2 + length};
    uint8_t *content;
    if (tlv_take(&c, 0xE2, &content) != digest_content(v) || c.at != c.end) return false;
    c.at = content;
    return element_is(&c, 0x80, v->cls, 1) && element_is(&c, 0x81, v->name, v->name_length) &&
           element_is(&c, 0x83, v->quantity, 2) && element_is(&c, 0x85, v->place, v->place_length) &&
           element_is(&c, 0x86, v->term, v->term_length);
}

/** The digest of a certificate: 302, empty, or 306. */
static bool digest_take(struct cursor *c, struct cert *x)
{
    uint8_t *content, *p, length;
    x->digest = c->at;
    int n = tlv_take(c, 0xE2, &content);
    if (n < 0) return false;
    x->digest_length = (uint16_t)(c->at - x->digest);
    struct cursor in = {content, content + n};
    if (n == 0) return x->kind != KIND_KEY;
    p = tlv_fixed(&in, 0x80, 1);
    if (!p || (x->kind == KIND_KEY) != (*p == 0x80)) return false;
    if (x->kind == KIND_KEY) return tlv_fixed(&in, 0x8A, 9) && in.at == in.end;
    if (!text(&in, 0x81, 1, 48, &p, &length) || !tlv_fixed(&in, 0x83, 2)) return false;
    if (!text(&in, 0x85, 0, 48, &p, &length) || !text(&in, 0x86, 0, 8, &p, &length)) return false;
    return length % 8 == 0 && in.at == in.end;
}

bool cert_take(struct cursor *c, struct cert *x)
{
    uint8_t *content, *p;
    int n = tlv_take(c, 0xE6, &content);
    if (n < 0) return false;
    struct cursor in = {content, content + n};
    x->start = content;
    if (!(p = tlv_fixed(&in, 0x96, 1)) || *p != 1) return false;
    if (!(p = tlv_fixed(&in, 0x9B, 1)) || *p < KIND_PLAIN || *p > KIND_KEY) return false;
    x->kind = *p;
    if (!(x->card = tlv_fixed(&in, 0x93, 8)) || !(p = tlv_fixed(&in, 0x94, 4))) return false;
    x->sequence = get32(p);
    if (!digest_take(&in, x) || !(p = tlv_fixed(&in, 0x97, 1))) return false;
    x->algorithm = *p;
    x->hash_length = hash_bytes(*p);
    if (x->hash_length == 0 || !(x->hash = tlv_fixed(&in, 0x98, x->hash_length))) return false;
    if (!(x->counter = tlv_fixed(&in, 0x99, 4)) || !(x->safe = tlv_fixed(&in, 0x9A, 8))) return false;
    return (x->signature = tlv_fixed(&in, 0x92, 64)) && in.at == in.end;
}

bool cert_parse(const uint8_t *e6, uint16_t size, struct cert *x)
{
    struct cursor c = {(uint8_t *)e6, (uint8_t *)e6 + size};
    return cert_take(&c, x) && c.at == c.end;
}

uint16_t cert_room(uint16_t digest)
{
    return tlv_size((uint16_t)(3 + 3 + 10 + 6 + digest + 3 + 34 + 6 + 10 + 66));
}
