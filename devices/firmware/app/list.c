/** Lists of wallet items (docs/protocol.md: LIST VALUES, LIST CERTIFICATES, LIST; object EB). */
#include "app.h"

#include <string.h>

/** Which items to list; 0 = any. */
struct filter {
    uint8_t cls, kind, info_class;
    bool by_term;
    uint8_t from[4], to[4];
    uint16_t position;
};

/** What a list entry needs to know of an item. */
struct view {
    struct value value; /* class A */
    struct cert cert;   /* class B */
    uint8_t info_class, term_length;
    const uint8_t *term;
};

/** Class and term out of the digest of a certificate. */
static void view_digest(struct view *w)
{
    struct cursor c = {w->cert.digest, w->cert.digest + w->cert.digest_length};
    uint8_t *p;
    w->info_class = w->term_length = 0;
    if (tlv_take(&c, 0xE2, &p) <= 0) return;
    c.end = c.at;
    c.at = p;
    w->info_class = *tlv_fixed(&c, 0x80, 1);
    while ((p = c.at) < c.end) {
        uint8_t *content;
        int n = tlv_take(&c, *p, &content);
        if (n < 0) return;
        if (*p != 0x86) continue;
        w->term = content;
        w->term_length = (uint8_t)n;
    }
}

static bool view_take(const struct entry *e, struct view *w)
{
    if (e->cls == CLASS_CERTIFICATE) {
        if (!cert_parse(entry_object(e), e->size, &w->cert)) return false;
        view_digest(w);
        return true;
    }
    if (!value_parse(entry_object(e), e->size, &w->value)) return false;
    w->info_class = *w->value.cls;
    w->term = w->value.term;
    w->term_length = w->value.term_length;
    return true;
}

static bool wanted(const struct entry *e, const struct filter *f, struct view *w)
{
    if (!entry_listed(e) || (f->cls && e->cls != f->cls)) return false;
    if (f->kind && e->kind != f->kind) return false;
    if (!view_take(e, w)) return false;
    if (f->info_class && w->info_class != f->info_class) return false;
    if (!f->by_term) return true;
    return w->term_length == 8 && memcmp(w->term + 4, f->from, 4) >= 0 && memcmp(w->term + 4, f->to, 4) <= 0;
}

static uint16_t line_content(const struct entry *e, const struct view *w)
{
    uint16_t digest = e->cls == CLASS_VALUE ? digest_size(&w->value) : w->cert.digest_length;
    return (uint16_t)(12 + digest + 6 + (e->cls == CLASS_VALUE ? 0 : 13));
}

static uint8_t *line_put(uint8_t *p, const struct entry *e, const struct view *w)
{
    uint8_t sign[2] = {e->cls, e->state};
    p = tlv_head(p, 0xEB, line_content(e, w));
    p = tlv_put16(p, 0x8B, e->handle);
    p = tlv_put(p, 0x8C, sign, 2);
    p = tlv_put16(p, 0x8D, e->size);
    if (e->cls == CLASS_VALUE) return tlv_put(digest_put(p, &w->value), 0x87, w->value.remaining, 4);
    memcpy(p, w->cert.digest, w->cert.digest_length);
    p = tlv_put(p + w->cert.digest_length, 0x99, w->cert.counter, 4);
    p = tlv_put(p, 0x9A, w->cert.safe, 8);
    return tlv_put(p, 0x9B, &w->cert.kind, 1);
}

static uint16_t list_run(struct apdu *a, const struct filter *f)
{
    struct view w;
    uint8_t *p = a->buf;
    for (uint16_t slot = f->position; slot < index_slots(); slot++) {
        const struct entry *e = index_at(slot);
        if (!wanted(e, f, &w)) continue;
        if ((p - a->buf) + tlv_size(line_content(e, &w)) + 4 > a->cap) {
            p = tlv_put16(p, 0x8E, slot);
            break;
        }
        p = line_put(p, e, &w);
    }
    a->out = (uint16_t)(p - a->buf);
    return SW_OK;
}

/** The optional conditions and position, and nothing else. */
static uint16_t filter_take(const struct apdu *a, struct filter *f, bool conditions)
{
    struct cursor c;
    uint8_t *p;
    data_cursor(a, &c);
    f->by_term = false;
    f->info_class = 0;
    f->position = 0;
    if (conditions && tlv_peek(&c) == 0x80) {
        if (!(p = tlv_fixed(&c, 0x80, 1)) || *p == 0) return SW_DATA;
        f->info_class = *p;
    }
    if (conditions && tlv_peek(&c) == 0x86) {
        if (!(p = tlv_fixed(&c, 0x86, 8))) return SW_DATA;
        f->by_term = true;
        memcpy(f->from, p, 4);
        memcpy(f->to, p + 4, 4);
    }
    if (tlv_peek(&c) == 0x8E) {
        if (!(p = tlv_fixed(&c, 0x8E, 2))) return SW_DATA;
        f->position = get16(p);
    }
    return c.at == c.end ? SW_OK : SW_DATA;
}

static uint16_t list_marked(struct apdu *a, struct filter *f)
{
    uint16_t sw = filter_take(a, f, false);
    if (sw != SW_OK) return sw;
    step();
    step();
    sw = list_run(a, f);
    step();
    return sw;
}

uint16_t cmd_list_values(struct apdu *a)
{
    struct filter f = {.cls = CLASS_VALUE, .kind = 0};
    return list_marked(a, &f);
}

uint16_t cmd_list_certificates(struct apdu *a)
{
    struct filter f = {.cls = CLASS_CERTIFICATE, .kind = a->p2 == 4 ? KIND_KEY : a->p1};
    return list_marked(a, &f);
}

uint16_t cmd_list(struct apdu *a)
{
    struct filter f = {.cls = a->p1, .kind = 0};
    if (a->p2 != 0 || (a->p1 != 0 && a->p1 != CLASS_VALUE && a->p1 != CLASS_CERTIFICATE)) return SW_P1P2;
    uint16_t sw = filter_take(a, &f, true);
    return sw == SW_OK ? list_run(a, &f) : sw;
}
