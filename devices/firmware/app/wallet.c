/** Electronic wallet: read, use, write (LOAD), correct, delete, cancel (docs/protocol.md 2.4 rules 3, 8, 9, 10). */
#include "app.h"

#include <string.h>

#include "crypto/crypto.h"
#include "nvm/nvm.h"

uint16_t cmd_read(struct apdu *a)
{
    struct cursor c;
    uint16_t slot;
    data_cursor(a, &c);
    uint16_t sw = item_take(&c, &slot);
    if (sw == SW_OK && c.at != c.end) sw = SW_DATA;
    if (sw != SW_OK) return sw;
    const struct entry *e = index_at(slot);
    if (e->size > a->cap) return SW_MEMORY;
    memcpy(a->buf, entry_object(e), e->size);
    a->out = e->size;
    return SW_OK;
}

/* ---- a value written anew in an alternative region ---- */

/** Reserves the alternative region and writes it; nothing counts yet. */
static uint16_t rewrite_prepare(uint16_t slot, const uint8_t *e1, uint16_t size)
{
    struct room r;
    uint16_t sw = room_find(&r, size, false);
    if (sw != SW_OK) return sw;
    change_begin();
    struct entry *e = entry_change(slot);
    e->alt = r.first;
    e->alt_pages = r.pages;
    e->flags = FLAG_ALTERNATIVE;
    sw = change_commit();
    return sw == SW_OK ? region_write(r.first, r.pages, e1, size) : sw;
}

/** In a change: the alternative region becomes the region, the old one is left to be erased. */
static struct entry *rewrite_flip(uint16_t slot, uint16_t size)
{
    struct entry *e = entry_change(slot);
    uint16_t first = e->first, pages = e->pages;
    e->first = e->alt;
    e->pages = e->alt_pages;
    e->alt = first;
    e->alt_pages = pages;
    e->size = size;
    return e;
}

/* ---- USE ---- */

/** Lowers quantity and total; the total never below zero. */
static uint16_t use_quantity(const struct value *v, uint16_t n)
{
    uint32_t unit = get32(v->unit), total = get32(v->total);
    uint32_t high = (unit >> 16) * n, low = (unit & 0xFFFF) * n;
    if (n > get16(v->quantity)) return SW_DATA;
    put16(v->quantity, (uint16_t)(get16(v->quantity) - n));
    bool above = high > 0xFFFF || (uint32_t)(high << 16) + low < low || (high << 16) + low > total;
    put32(v->total, above ? 0 : total - ((high << 16) + low));
    return SW_OK;
}

static uint16_t use_amount(const struct value *v, uint32_t n)
{
    uint32_t left = get32(v->remaining);
    if (n > left) return SW_DATA;
    put32(v->remaining, left - n);
    return SW_OK;
}

/** The change that makes the new value count and, on PENDING, ends the registration. */
static uint16_t use_commit(uint16_t slot, uint16_t size)
{
    const struct entry *e = index_at(slot);
    int reserved = e->state == VALUE_PENDING ? index_find_any(e->partner, CLASS_CERTIFICATE) : -1;
    change_begin();
    struct entry *n = rewrite_flip(slot, size);
    if (n->state == VALUE_PENDING) n->partner = 0;
    n->state = VALUE_ACTIVE;
    if (reserved >= 0) entry_change((uint16_t)reserved)->state = DELETING;
    uint16_t sw = change_commit();
    if (sw != SW_OK) return sw;
    settle_slot(slot);
    if (reserved >= 0) settle_slot((uint16_t)reserved);
    return SW_OK;
}

uint16_t cmd_use(struct apdu *a)
{
    struct cursor c;
    struct value v;
    uint16_t slot;
    uint8_t *p;
    data_cursor(a, &c);
    struct cursor whole = c;
    (void)tlv_fixed(&whole, 0x8B, 2);
    bool by_quantity = tlv_peek(&whole) == 0x83;
    p = by_quantity ? tlv_fixed(&whole, 0x83, 2) : tlv_fixed(&whole, 0x87, 4);
    if (!p || whole.at != whole.end) return SW_DATA;
    uint32_t n = by_quantity ? get16(p) : get32(p);
    uint16_t sw = item_take(&c, &slot);
    if (sw != SW_OK) return sw;
    const struct entry *e = index_at(slot);
    if (e->cls != CLASS_VALUE || (e->state != VALUE_ACTIVE && e->state != VALUE_PENDING)) return SW_CONDITIONS;
    uint16_t size = e->size;
    memcpy(a->buf, entry_object(e), size);
    if (!value_parse(a->buf, size, &v)) return SW_MEMORY;
    sw = by_quantity ? use_quantity(&v, (uint16_t)n) : use_amount(&v, n);
    if (sw == SW_OK) sw = rewrite_prepare(slot, a->buf, size);
    if (sw == SW_OK) sw = use_commit(slot, size);
    if (sw != SW_OK) return sw;
    uint16_t quantity = get16(v.quantity);
    uint32_t remaining = get32(v.remaining);
    p = tlv_put32(tlv_put16(a->buf, 0x83, quantity), 0x87, remaining);
    a->out = (uint16_t)(p - a->buf);
    return SW_OK;
}

/* ---- LOAD and CORRECT ---- */

/** Load object EC. */
struct load {
    uint8_t *content, *e1, *signature;
    uint32_t number;
    uint16_t e1_size;
    uint8_t hash[32];
};

static bool load_take(struct cursor *c, struct load *l)
{
    struct value v;
    uint8_t *object = c->at, *p;
    int n = tlv_take(c, 0xEC, &l->content);
    if (n < 0 || c->at != c->end) return false;
    struct cursor in = {l->content, l->content + n};
    if (!tlv_fixed(&in, 0x93, 8) || !(p = tlv_fixed(&in, 0x94, 4))) return false;
    l->number = get32(p);
    l->e1 = in.at;
    if (!value_take(&in, &v)) return false;
    l->e1_size = (uint16_t)(in.at - l->e1);
    if (!(l->signature = tlv_fixed(&in, 0x92, 64)) || in.at != in.end) return false;
    return hash_of(1, object, (uint16_t)(c->at - object), l->hash) == 32;
}

/** Card id and load number; *again: the very last object once more. */
static uint16_t load_check(const struct load *l, bool *again)
{
    const struct state *s = card_state();
    if (memcmp(l->content + 2, card_identity()->card, 8) != 0) return SW_DATA;
    *again = l->number == s->load && l->number != 0 && memcmp(l->hash, s->load_hash, 32) == 0;
    return *again || l->number > s->load ? SW_OK : SW_CONDITIONS;
}

static uint16_t load_signature(const struct load *l)
{
    uint16_t signed_length = (uint16_t)(l->e1 + l->e1_size - l->content);
    return signature_check(l->content, signed_length, "cardbench load v1", NULL, l->signature, card_identity()->issuer);
}

/** In a change: this object is the last one loaded. */
static void load_note(const struct load *l, uint16_t handle)
{
    struct state *s = &change_page(PAGE_STATE)->state;
    s->load = l->number;
    s->load_handle = handle;
    memcpy(s->load_hash, l->hash, 32);
}

static uint16_t load_new(const struct load *l, struct room *r)
{
    uint16_t sw = room_find(r, l->e1_size, true);
    if (sw != SW_OK) return sw;
    change_begin();
    entry_new(r, CLASS_VALUE, VALUE_RESERVED);
    change_page(PAGE_STATE)->state.handle = r->handle;
    sw = change_commit();
    if (sw == SW_OK) sw = region_write(r->first, r->pages, l->e1, l->e1_size);
    if (sw != SW_OK) return sw;
    change_begin();
    struct entry *e = entry_change(r->slot);
    e->state = VALUE_ACTIVE;
    e->size = l->e1_size;
    load_note(l, r->handle);
    return change_commit();
}

uint16_t cmd_load(struct apdu *a)
{
    struct cursor c;
    struct load l;
    struct room r;
    bool again;
    uint16_t sw = data_lift(a, &c);
    if (sw != SW_OK) return sw;
    if (!load_take(&c, &l)) return SW_DATA;
    sw = load_check(&l, &again);
    if (sw != SW_OK) return sw;
    if (again) return answer_handle(a, card_state()->load_handle);
    sw = load_signature(&l);
    if (sw == SW_OK) sw = load_new(&l, &r);
    return sw == SW_OK ? answer_handle(a, r.handle) : sw;
}

uint16_t cmd_correct(struct apdu *a)
{
    struct cursor c;
    struct load l;
    uint16_t slot;
    bool again;
    uint16_t sw = data_lift(a, &c);
    if (sw != SW_OK) return sw;
    struct cursor whole = c;
    uint8_t *p = tlv_fixed(&whole, 0x8B, 2);
    if (!p || !load_take(&whole, &l)) return SW_DATA;
    uint16_t handle = get16(p);
    sw = load_check(&l, &again);
    if (sw != SW_OK) return sw;
    if (again) return handle == card_state()->load_handle ? answer_handle(a, handle) : SW_CONDITIONS;
    sw = item_take(&c, &slot);
    if (sw != SW_OK) return sw;
    if (index_at(slot)->cls != CLASS_VALUE || index_at(slot)->state != VALUE_ACTIVE) return SW_CONDITIONS;
    sw = load_signature(&l);
    if (sw == SW_OK) sw = rewrite_prepare(slot, l.e1, l.e1_size);
    if (sw != SW_OK) return sw;
    change_begin();
    (void)rewrite_flip(slot, l.e1_size);
    load_note(&l, handle);
    sw = change_commit();
    if (sw != SW_OK) return sw;
    settle_slot(slot);
    return answer_handle(a, handle);
}

/* ---- DELETE ---- */

static bool used_up(const struct entry *e)
{
    struct value v;
    if (!value_parse(entry_object(e), e->size, &v)) return false;
    bool money = *v.cls == 3 || *v.cls == 5;
    return money ? get32(v.remaining) == 0 : get16(v.quantity) == 0;
}

/** The certificate of a DEPOSITED value is STORED. */
static bool deposited_safely(const struct entry *e)
{
    int partner = index_find_any(e->partner, CLASS_CERTIFICATE);
    if (partner < 0) return false;
    const struct entry *c = index_at((uint16_t)partner);
    return c->state == CERT_STORED && c->partner == e->handle;
}

static bool deletable(const struct entry *e)
{
    if (e->cls == CLASS_VALUE) {
        if (e->state == VALUE_DEPOSITED) return deposited_safely(e);
        return e->state == VALUE_ACTIVE && used_up(e);
    }
    return e->state == CERT_SPENT || key_certified(e);
}

uint16_t cmd_delete(struct apdu *a)
{
    struct cursor c;
    uint16_t slot;
    data_cursor(a, &c);
    if (a->lc != 4) return SW_DATA;
    uint16_t sw = item_take(&c, &slot);
    if (sw != SW_OK) return sw;
    if (!deletable(index_at(slot))) return SW_CONDITIONS;
    change_begin();
    entry_change(slot)->state = DELETING;
    sw = change_commit();
    if (sw == SW_OK) settle_slot(slot);
    return sw;
}

/* ---- CANCEL ---- */

/** Begun key registration. */
static uint16_t cancel_key(void)
{
    const struct keyreg *k = (const struct keyreg *)nvm_at(PAGE_KEYREG);
    if (!nvm_page_valid(PAGE_KEYREG) || k->open != 1) return SW_CONDITIONS;
    int slot = index_find_any(k->handle, CLASS_CERTIFICATE);
    change_begin();
    change_erase(PAGE_KEYREG);
    if (slot >= 0) entry_change((uint16_t)slot)->state = DELETING;
    uint16_t sw = change_commit();
    if (sw == SW_OK && slot >= 0) settle_slot((uint16_t)slot);
    return sw;
}

/** Puts an item back and frees the partner it reserved, if any. */
static uint16_t cancel_item(uint16_t slot, uint8_t back, int reserved)
{
    change_begin();
    struct entry *e = entry_change(slot);
    e->state = back;
    if (reserved >= 0) {
        e->partner = 0;
        entry_change((uint16_t)reserved)->state = DELETING;
    }
    uint16_t sw = change_commit();
    if (sw == SW_OK && reserved >= 0) settle_slot((uint16_t)reserved);
    return sw;
}

uint16_t cmd_cancel(struct apdu *a)
{
    struct cursor c;
    uint16_t slot;
    if (a->lc == 0) return cancel_key();
    data_cursor(a, &c);
    if (a->lc != 4) return SW_DATA;
    uint16_t sw = item_take(&c, &slot);
    if (sw != SW_OK) return sw;
    const struct entry *e = index_at(slot);
    if (e->cls == CLASS_VALUE && e->state == VALUE_PENDING)
        return cancel_item(slot, VALUE_ACTIVE, index_find_any(e->partner, CLASS_CERTIFICATE));
    if (e->cls != CLASS_CERTIFICATE || e->state != CERT_RECOVERING) return SW_CONDITIONS;
    int partner = index_find_any(e->partner, CLASS_VALUE);
    if (partner >= 0 && index_at((uint16_t)partner)->state != VALUE_RESERVED) partner = -1;
    return cancel_item(slot, CERT_STORED, partner);
}
