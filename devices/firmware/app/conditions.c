/** Embodiment 11: backup condition storage 158 and backup object extracting means 159 (docs/protocol.md 6). */
#include "app.h"

#include <string.h>

#include "hal/hal.h"
#include "nvm/nvm.h"
#if FAULT_CONDITION_IN_PLACE
#include "crypto/crypto.h"
#endif

#if FEATURE_CONDITIONS

/** Conditions the card stores, and bytes of the terms of one. */
#define CONDITIONS 8u
#define TERMS_MAX 56u
/** Class of an index page that holds a condition: no item, without a region. */
#define CLASS_CONDITION 'C'

/** Backup condition, one page of the index. */
struct condition {
    uint8_t cls, length, number, unused;
    uint8_t terms[TERMS_MAX];
    uint32_t crc;
};
_Static_assert(sizeof(struct condition) == PAGE_BYTES, "a condition is one page");

/** Low bits of the tags B1 to B7; bit 3: the term must not hold. */
enum { TERM_CLASS = 1, TERM_SIZE, TERM_VACANT, TERM_VALID, TERM_BEGINS, TERM_ENDS, TERM_HELD };
#define TERM(tag) ((tag) & 7u)
#define TERM_NOT 8u
/** Units of a window: days, calendar months. */
enum { DAYS = 1, MONTHS = 2 };
/** Lengths of a window: unit and two offsets from the date; two days. */
#define RELATIVE 5u
#define ABSOLUTE 8u

/** The day on which items arrive, as entries note it; 0: not known. */
static uint16_t day_now;

/* ---- dates: year * 512 + month * 32 + day; 0: no day of the calendar ---- */

static uint32_t date_take(const uint8_t *bcd)
{
    uint8_t n[4];
    for (uint8_t i = 0; i < 4; i++) {
        uint8_t tens = bcd[i] >> 4, units = bcd[i] & 15;
        if (tens > 9 || units > 9) return 0;
        n[i] = (uint8_t)(tens * 10 + units);
    }
    if ((uint8_t)(n[2] - 1) > 11 || (uint8_t)(n[3] - 1) > 30) return 0;
    return (n[0] * 100u + n[1]) << 9 | (uint32_t)n[2] << 5 | n[3];
}

/** Days or calendar months from a fixed day to a date; a day that its month does not have runs on into the next. */
static int32_t date_number(uint32_t date, uint8_t unit)
{
    uint32_t year = (date >> 9) + 400, month = date >> 5 & 15, day = date & 31;
    if (unit == MONTHS) return (int32_t)(year * 12 + month);
    if (month < 3) {
        month += 12;
        year--;
    }
    return (int32_t)(year * 365 + year / 4 - year / 100 + year / 400 + (153 * month - 457) / 5 + day);
}

uint16_t day_of_arrival(void)
{
    return day_now;
}

void conditions_forget(void)
{
    day_now = 0;
}

uint16_t cmd_date(struct request *q)
{
    uint32_t date = date_take(q->at[0]);
    if (date == 0 || (date >> 9) - 2000 > 127) return SW_DATA;
    day_now = (uint16_t)(date - (2000u << 9));
    return SW_OK;
}

/** Date on which the card got an item; 0: not known. */
static uint32_t held_since(const struct entry *e)
{
    return e->value_size ? (2000u << 9) + e->value_size : 0;
}

/* ---- condition storage 158 ---- */

static bool window_valid(const uint8_t *w, uint8_t length)
{
    if (length == RELATIVE) return (*w == DAYS || *w == MONTHS) && (int16_t)get16(w + 1) <= (int16_t)get16(w + 3);
    uint32_t from = date_take(w), to = date_take(w + 4);
    return length == ABSOLUTE && from && from <= to;
}

static bool term_valid(uint8_t tag, const uint8_t *w, uint8_t length)
{
    switch (TERM(tag)) {
    case TERM_CLASS:
        for (uint8_t i = 0; i < length; i++)
            if ((uint8_t)(w[i] - 1) >= 0x7F) return false;
        return length != 0;
    case TERM_SIZE:
    case TERM_VACANT:
        return length == 8 && get32(w) <= get32(w + 4);
    case 0:
        return false;
    default:
        return window_valid(w, length);
    }
}

static bool terms_valid(const uint8_t *p, const uint8_t *end)
{
    while (p < end) {
        if (end - p < 2 || (*p & 0xF0) != 0xB0 || end - p - 2 < p[1] || !term_valid(*p, p + 2, p[1])) return false;
        p += 2 + p[1];
    }
    return true;
}

static const struct condition *condition_at(uint16_t slot)
{
    const struct condition *c = (const struct condition *)index_at(slot);
    return c->cls == CLASS_CONDITION && nvm_page_valid(index_page(slot)) ? c : NULL;
}

/** Slot of a condition by its number, -1: none; number 0: any. */
static int condition_find(uint8_t number)
{
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct condition *c = condition_at(i);
        if (c && (number == 0 || c->number == number)) return i;
    }
    return -1;
}

/** Writes the numbers of all conditions; answers how many there are. */
static uint8_t numbers_put(uint8_t *to)
{
    uint8_t n = 0;
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct condition *c = condition_at(i);
        if (c) to[n++] = c->number;
    }
    return n;
}

static uint16_t condition_write(uint16_t slot, uint8_t number, const struct apdu *a)
{
    nvm_tx_begin();
    struct condition *c = (struct condition *)change_new(index_page(slot));
    c->cls = CLASS_CONDITION;
    c->length = (uint8_t)a->lc;
    c->number = number;
    memcpy(c->terms, a->buf, a->lc);
#if FAULT_CONDITION_IN_PLACE
    c->crc = crypto_crc32(CRYPTO_CRC32_START, c, NVM_CRC);
    return nvm_put(index_page(slot), (const uint8_t *)c) == NVM_OK ? SW_OK : SW_MEMORY;
#endif
    return change_commit();
}

uint16_t cmd_put_condition(struct request *q)
{
    const struct apdu *a = q->a;
    uint8_t numbers[CONDITIONS];
    struct room r;
    if (card_life() == LIFE_BLANK) return SW_CONDITIONS;
    if (a->lc > TERMS_MAX) return SW_LENGTH;
    if (!terms_valid(a->buf, a->buf + a->lc)) return SW_DATA;
    int slot = condition_find(a->p2);
    if (a->lc == 0) {
        if (slot < 0) return SW_OK;
        nvm_tx_begin();
        nvm_tx_erase(index_page((uint16_t)slot));
        return change_commit();
    }
    if (slot >= 0) return condition_write((uint16_t)slot, a->p2, a);
    if (numbers_put(numbers) == CONDITIONS) return SW_ROOM;
    room_survey(&r, 1);
    return r.entries ? condition_write(r.slot, a->p2, a) : room_find(&r, 1, true);
}

uint16_t cmd_get_condition(struct request *q)
{
    struct apdu *a = q->a;
    if (a->p2 == 0) {
        a->out = numbers_put(a->buf);
        return SW_OK;
    }
    int slot = condition_find(a->p2);
    if (slot < 0) return SW_NOT_FOUND;
    const struct condition *c = condition_at((uint16_t)slot);
    memcpy(a->buf, c->terms, c->length);
    a->out = c->length;
    return SW_OK;
}

/* ---- extractor 159 ---- */

/** What terms are about. */
struct facts {
    const struct entry *e;
    struct value v;
    uint32_t vacant, date;
};

/** The time from..to has a day in the window. */
static bool in_window(const uint8_t *w, uint8_t length, uint32_t from, uint32_t to, uint32_t date)
{
#if FAULT_EXTRACT_IGNORES_PERIOD
    return true;
#endif
    if (from == 0 || to == 0) return false;
    if (length == ABSOLUTE) return from <= date_take(w + 4) && to >= date_take(w);
    int32_t now = date_number(date, *w);
    return date_number(from, *w) - now <= (int16_t)get16(w + 3) && date_number(to, *w) - now >= (int16_t)get16(w + 1);
}

static bool term_holds(uint8_t kind, const uint8_t *w, uint8_t length, const struct facts *f)
{
    uint32_t from, to;
    if (kind == TERM_CLASS) {
        while (length--)
            if (w[length] == *f->v.at[V_CLASS]) return true;
        return false;
    }
    if (kind <= TERM_VACANT) {
        uint32_t bytes = kind == TERM_SIZE ? f->e->size : f->vacant;
        return bytes >= get32(w) && bytes <= get32(w + 4);
    }
    if (kind == TERM_HELD) {
        from = to = held_since(f->e);
    } else {
        const uint8_t *term = f->v.at[V_TERM];
        if (LENGTH(term) == 0) return false;
        from = date_take(term);
        to = date_take(term + 4);
        if (kind == TERM_BEGINS) to = from;
        if (kind == TERM_ENDS) from = to;
    }
    return in_window(w, length, from, to, f->date);
}

/** All terms of a condition hold. */
static bool meets(const struct condition *c, const struct facts *f)
{
    for (const uint8_t *p = c->terms; p < c->terms + c->length; p += 2 + p[1])
        if (term_holds(TERM(*p), p + 2, p[1], f) == ((*p & TERM_NOT) != 0)) return false;
    return true;
}

/** The condition of this number, or with 0 one of all, is met. */
static bool meets_any(uint8_t number, const struct facts *f)
{
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct condition *c = condition_at(i);
        if (c && (number == 0 || c->number == number) && meets(c, f)) return true;
    }
    return false;
}

static syntax date_alone = {0xB0, 4, 4, 0}, date_and_position = {0xB0, 4, 4, 0x8E, 2, 2, 0};

uint16_t cmd_extract(struct request *q)
{
    struct apdu *a = q->a;
    struct facts f;
    struct room r;
    uint8_t *at[2], *p = a->buf;
    bool more = a->lc > 6;
    if (!fields_take(p, p + a->lc, more ? date_and_position : date_alone, at)) return SW_DATA;
    f.date = date_take(at[0]);
    uint16_t slot = more ? get16(at[1]) : 0;
    if (f.date == 0) return SW_DATA;
    step();
    if (condition_find(a->p2) < 0) return SW_NOT_FOUND;
    room_survey(&r, 1);
    f.vacant = (uint32_t)r.free_pages * PAGE_BYTES;
    step();
    step();
    for (; slot < index_slots(); slot++) {
        f.e = index_at(slot);
        if (f.e->cls != CLASS_VALUE || !entry_listed(f.e) || f.e->part) continue;
        if (!entry_value(f.e, &f.v) || !meets_any(a->p2, &f)) continue;
        if (p - a->buf > a->cap - 12) {
            p = tlv_put16(p, 0x8E, slot);
            break;
        }
        p = tlv_put(tlv_put16(p, 0x8B, f.e->handle), 0x8C, &f.e->cls, 2);
    }
    step();
    a->out = (uint16_t)(p - a->buf);
    return SW_OK;
}

#endif
