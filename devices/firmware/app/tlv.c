/** BER-TLV with one-byte tags and shortest definite lengths (docs/protocol.md 1). */
#include "app.h"

#include <string.h>

#include "hal/hal.h"

/** Length of the well-formed element at p, content at *value; -1 otherwise. */
static int element_take(uint8_t *p, const uint8_t *end, uint8_t **value)
{
    int left = (int)(end - p), head = 2;
    if (left < 2) return -1;
    int length = p[1];
    if (length == 0x81) {
        if (left < 3 || p[2] < 0x80) return -1;
        length = p[2];
        head = 3;
    } else if (length == 0x82) {
        if (left < 4 || p[2] == 0) return -1;
        length = get16(p + 2);
        head = 4;
    } else if (length >= 0x80) {
        return -1;
    }
    *value = p + head;
    return length <= left - head ? length : -1;
}

bool fields_take(uint8_t *from, const uint8_t *end, const uint8_t *elements, uint8_t **out)
{
    for (; *elements; elements += 3, out++) {
        int length = element_take(from, end, out);
        if (length < elements[1] || (elements[2] != 0xFF && length > elements[2])) return false;
        if (elements[0] != ANY && *from != elements[0]) return false;
        from = *out + length;
    }
    return from == end;
}

bool object_take(uint8_t *from, const uint8_t *end, uint8_t tag, const uint8_t *elements, uint8_t **out)
{
    const uint8_t outer[] = {tag, 0, 0xFF, 0};
    uint8_t *content;
    return fields_take(from, end, outer, &content) && fields_take(content, end, elements, out);
}

#if FEATURE_PIECES || FEATURE_COUPLE
uint8_t *tlv_next(uint8_t *p, const uint8_t *end)
{
    uint8_t *content;
    int length = element_take(p, end, &content);
    return length < 0 ? NULL : content + length;
}
#endif

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

uint8_t *tlv_copy(uint8_t *to, const uint8_t *content)
{
    return tlv_put(to, content[-2], content, LENGTH(content));
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
