/** BER-TLV with one-byte tags and shortest definite lengths (docs/protocol.md 1). */
#include "app.h"

#include <string.h>

int tlv_take(struct cursor *c, uint8_t tag, uint8_t **value)
{
    uint32_t left = (uint32_t)(c->end - c->at);
    uint8_t *p = c->at;
    if (left < 2 || p[0] != tag) return -1;
    uint32_t length = p[1], head = 2;
    if (length == 0x81) {
        if (left < 3 || p[2] < 0x80) return -1;
        length = p[2];
        head = 3;
    } else if (length == 0x82) {
        if (left < 4 || p[2] == 0) return -1;
        length = get16(p + 2);
        head = 4;
    } else if (length > 0x82 || length == 0x80) {
        return -1;
    }
    if (length > left - head) return -1;
    *value = p + head;
    c->at = p + head + length;
    return (int)length;
}

uint8_t *tlv_fixed(struct cursor *c, uint8_t tag, uint16_t length)
{
    struct cursor before = *c;
    uint8_t *value;
    if (tlv_take(c, tag, &value) == (int)length) return value;
    *c = before;
    return NULL;
}

uint8_t tlv_peek(const struct cursor *c)
{
    return c->at < c->end ? *c->at : 0;
}

uint16_t tlv_size(uint16_t length)
{
    return (uint16_t)(length + (length < 0x80 ? 2 : length < 0x100 ? 3 : 4));
}

uint8_t *tlv_head(uint8_t *to, uint8_t tag, uint16_t length)
{
    *to++ = tag;
    if (length >= 0x100) {
        *to++ = 0x82;
        *to++ = (uint8_t)(length >> 8);
    } else if (length >= 0x80) {
        *to++ = 0x81;
    }
    *to++ = (uint8_t)length;
    return to;
}

uint8_t *tlv_put(uint8_t *to, uint8_t tag, const void *content, uint16_t length)
{
    to = tlv_head(to, tag, length);
    memmove(to, content, length);
    return to + length;
}

uint8_t *tlv_put16(uint8_t *to, uint8_t tag, uint16_t value)
{
    return put16(tlv_head(to, tag, 2), value);
}

uint8_t *tlv_put32(uint8_t *to, uint8_t tag, uint32_t value)
{
    return put32(tlv_head(to, tag, 4), value);
}

uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

uint8_t *put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return p + 2;
}

uint8_t *put32(uint8_t *p, uint32_t v)
{
    return put16(put16(p, (uint16_t)(v >> 16)), (uint16_t)v);
}
