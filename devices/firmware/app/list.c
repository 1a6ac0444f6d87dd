/** Lists of wallet items (docs/protocol.md: LIST VALUES, LIST CERTIFICATES, LIST; object EB). */
#include "app.h"

#include <string.h>

#include "hal/hal.h"

/** Which items to list; 0 or NULL = any. */
struct filter {
    uint8_t cls, kind, info_class;
    bool by_term;
    uint16_t position;
    uint8_t days[8]; /* first and last */
};

/** The elements of either kind of item. */
union view {
    struct value value;
    struct cert cert;
};

/** True if the information class and the last day fit. `element` 80 and what follows it, up to 86. */
static bool fits(const struct filter *f, const uint8_t *element, const uint8_t *end)
{
    if (f->info_class && (element == end || element[2] != f->info_class)) return false;
    if (!f->by_term) return true;
    while (element < end && *element != 0x86) element += 2 + element[1];
    return element < end && element[1] == 8 && memcmp(element + 6, f->days, 4) >= 0 &&
           memcmp(element + 6, f->days + 4, 4) <= 0;
}

static bool wanted(const struct entry *e, const struct filter *f, union view *w)
{
    if (!entry_listed(e) || (f->cls && e->cls != f->cls) || (f->kind && e->kind != f->kind)) return false;
    if (e->cls == CLASS_VALUE)
        return entry_value(e, &w->value) && fits(f, w->value.at[0] - 2, w->value.at[V_REMAINING] - 2);
    if (!entry_cert(e, &w->cert)) return false;
    const uint8_t *digest = w->cert.at[C_DIGEST];
    return fits(f, digest, digest + LENGTH(digest));
}

static uint8_t *line_put(uint8_t *p, const struct entry *e, const union view *w)
{
    bool value = e->cls == CLASS_VALUE;
    uint16_t digest = value ? digest_size(&w->value) : (uint16_t)(LENGTH(w->cert.at[C_DIGEST]) + 2 + 13);
    p = tlv_head(p, 0xEB, (uint16_t)(12 + digest + 6));
    p = tlv_put16(p, 0x8B, e->handle);
    p = tlv_put(p, 0x8C, &e->cls, 2);
    p = tlv_put16(p, 0x8D, e->size);
    if (value) return tlv_copy(digest_put(p, &w->value), w->value.at[V_REMAINING]);
    p = tlv_copy(p, w->cert.at[C_DIGEST]);
    p = tlv_copy(p, w->cert.at[C_COUNTER]);
    p = tlv_copy(p, w->cert.at[C_SAFE]);
    return tlv_copy(p, w->cert.at[C_KIND]);
}

/** Longest list entry: head, 12 bytes, digest, and what a certificate adds; then element 8E. */
#define LINE_MAX (3 + 12 + 119 + 19 + 4)

static uint16_t list_run(struct apdu *a, const struct filter *f)
{
    union view w;
    uint8_t *p = a->buf;
    for (uint16_t slot = f->position; slot < index_slots(); slot++) {
        const struct entry *e = index_at(slot);
        if (!wanted(e, f, &w)) continue;
        if (p - a->buf > a->cap - LINE_MAX) {
            p = tlv_put16(p, 0x8E, slot);
            break;
        }
        p = line_put(p, e, &w);
    }
    a->out = (uint16_t)(p - a->buf);
    return SW_OK;
}

/** The optional element of this tag and length at *p. */
static const uint8_t *option(const uint8_t **p, const uint8_t *end, uint8_t tag, uint8_t length)
{
    const uint8_t *at = *p;
    if (end - at < 2 + length || at[0] != tag || at[1] != length) return NULL;
    *p = at + 2 + length;
    return at + 2;
}

/** The optional conditions and position, and nothing else. */
static uint16_t filter_take(const struct apdu *a, struct filter *f, bool conditions)
{
    const uint8_t *p = a->buf, *end = p + a->lc, *found;
    f->by_term = false;
    f->info_class = 0;
    f->position = 0;
    if (conditions) {
        if ((found = option(&p, end, 0x80, 1))) f->info_class = *found;
        if (found && *found == 0) return SW_DATA;
        if ((found = option(&p, end, 0x86, 8))) {
            f->by_term = true;
            memcpy(f->days, found, 8);
        }
    }
    if ((found = option(&p, end, 0x8E, 2))) f->position = get16(found);
    return p == end ? SW_OK : SW_DATA;
}

static uint16_t list_marked(struct apdu *a, uint8_t cls, uint8_t kind)
{
    struct filter f;
    f.cls = cls;
    f.kind = kind;
    uint16_t sw = filter_take(a, &f, false);
    if (sw != SW_OK) return sw;
    step();
    step();
    sw = list_run(a, &f);
    step();
    return sw;
}

uint16_t cmd_list_values(struct request *q)
{
    return list_marked(q->a, CLASS_VALUE, 0);
}

uint16_t cmd_list_certificates(struct request *q)
{
    return list_marked(q->a, CLASS_CERTIFICATE, q->a->p2 == 4 ? KIND_KEY : kind_of(q->a->p1));
}

uint16_t cmd_list(struct request *q)
{
    struct filter f;
    f.cls = q->a->p1;
    f.kind = 0;
    if (q->a->p2 != 0 || (f.cls != 0 && f.cls != CLASS_VALUE && f.cls != CLASS_CERTIFICATE)) return SW_P1P2;
    uint16_t sw = filter_take(q->a, &f, true);
    return sw == SW_OK ? list_run(q->a, &f) : sw;
}
