/** Electronic wallet: read, use, write (LOAD), correct, delete, cancel (docs/protocol.md 2.4 rules 3, 8, 9, 10). */
#include "app.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

uint16_t cmd_read(struct request *q)
{
    struct apdu *a = q->a;
    if (q->e->size > a->cap) return SW_MEMORY;
    memcpy(a->buf, entry_object(q->e), q->e->size);
    a->out = q->e->size;
    return SW_OK;
}

/* ---- a value written anew in an alternative region ---- */

/** Reserves the alternative region and writes it; nothing counts yet. */
static uint16_t rewrite_prepare(uint16_t slot, const uint8_t *e1, uint16_t size)
{
    struct room r;
    uint16_t sw = room_find(&r, size, false);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    struct entry *e = entry_change(slot);
    e->alt = r.first;
    e->alt_pages = r.pages;
    e->flags |= FLAG_ALTERNATIVE;
    sw = change_commit();
    return sw == SW_OK ? region_write(r.first, r.pages, e1, size) : sw;
}

/** Begins the change: the alternative region becomes the region, the old one is left to be erased. */
static struct entry *rewrite_flip(uint16_t slot, uint16_t size)
{
    nvm_tx_begin();
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
    uint8_t *quantity = v->at[V_QUANTITY], *total = v->at[V_TOTAL];
    uint32_t left = get32(total), unit = get32(v->at[V_UNIT]);
    uint32_t high = (unit >> 16) * n, low = (unit & 0xFFFF) * n, sum = (high << 16) + low;
    if (n > get16(quantity)) return SW_DATA;
    bool above = high > 0xFFFF || sum < low || sum > left;
    put16(quantity, (uint16_t)(get16(quantity) - n));
    put32(total, above ? 0 : left - sum);
    return SW_OK;
}

static uint16_t use_amount(const struct value *v, uint32_t n)
{
    uint32_t left = get32(v->at[V_REMAINING]);
    if (n > left) return SW_DATA;
    put32(v->at[V_REMAINING], left - n);
    return SW_OK;
}

/** The change that makes the new value count and, on PENDING, ends the registration. */
static uint16_t use_commit(const struct request *q, uint16_t size)
{
    int reserved = q->e->state == VALUE_PENDING ? index_find_any(q->e->partner, CLASS_CERTIFICATE) : -1;
    struct entry *e = rewrite_flip(q->slot, size);
#if FAULT_USE_DEPOSITED
    if (e->state == VALUE_PENDING)
#endif
        e->state = VALUE_ACTIVE;
    bool set = e->part != 0;
    if (reserved >= 0) entry_change((uint16_t)reserved)->state = DELETING;
    uint16_t sw = change_settle(q->slot, reserved);
    if (set) settle();
    return sw;
}

uint16_t cmd_use(struct request *q)
{
    struct apdu *a = q->a;
    struct value v;
    const uint8_t *p = q->at[1];
    bool by_quantity = p[-2] == 0x83 && LENGTH(p) == 2;
    if (!by_quantity && (p[-2] != 0x87 || LENGTH(p) != 4)) return SW_DATA;
#if !FAULT_USE_DEPOSITED
    if (q->e->state > VALUE_PENDING) return SW_CONDITIONS;
#endif
    uint32_t n = by_quantity ? get16(p) : get32(p);
    uint16_t size = q->e->size;
    memcpy(a->buf, entry_object(q->e), size);
    if (!value_take(a->buf, a->buf + size, &v)) return SW_MEMORY;
    uint16_t sw = by_quantity ? use_quantity(&v, (uint16_t)n) : use_amount(&v, n);
    if (sw == SW_OK) sw = rewrite_prepare(q->slot, a->buf, size);
    if (sw == SW_OK) sw = use_commit(q, size);
    if (sw != SW_OK) return sw;
    a->out = (uint16_t)(tlv_copy(tlv_copy(a->buf, v.at[V_QUANTITY]), v.at[V_REMAINING]) - a->buf);
    return SW_OK;
}

/* ---- LOAD and CORRECT ---- */

static syntax load_elements = {0x93, 8, 8, 0x94, 4, 4, 0xE1, 0, 0xFF, 0x92, 64, 64, 0};

/** Load object EC. */
struct load {
    uint8_t *at[4];
    uint8_t *e1;
    uint32_t number;
    uint16_t e1_size;
    bool again; /* the very last object once more */
    uint8_t hash[32];
};

/** Syntax, card id and load number. */
static uint16_t load_take(struct load *l, uint8_t *object, const uint8_t *end)
{
    struct value v;
    const struct state *s = card_state();
    if (!object_take(object, end, 0xEC, load_elements, l->at)) return SW_DATA;
    l->e1 = l->at[1] + 4;
    l->e1_size = (uint16_t)(l->at[3] - 2 - l->e1);
    l->number = get32(l->at[1]);
    if (!value_take(l->e1, l->e1 + l->e1_size, &v)) return SW_DATA;
    if (memcmp(l->at[0], card_identity()->card, 8) != 0) return SW_DATA;
    (void)hash_of(1, object, (uint16_t)(end - object), l->hash);
    l->again = l->number != 0 && l->number == s->load && memcmp(l->hash, s->load_hash, 32) == 0;
    return l->again || l->number > s->load ? SW_OK : SW_CONDITIONS;
}

static uint16_t load_signature(const struct load *l)
{
    return signature_check(l->at[0] - 2, l->at[3], "cardbench load v1", NULL, card_identity()->issuer);
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
    nvm_tx_begin();
    entry_new(r, CLASS_VALUE, VALUE_RESERVED);
    change_page(PAGE_STATE)->state.handle = r->handle;
    sw = change_commit();
    if (sw == SW_OK) sw = region_write(r->first, r->pages, l->e1, l->e1_size);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    struct entry *e = entry_change(r->slot);
    e->state = VALUE_ACTIVE;
    e->size = l->e1_size;
    load_note(l, r->handle);
    return change_commit();
}

uint16_t cmd_load(struct request *q)
{
    struct load l;
    struct room r;
    uint16_t sw = load_take(&l, q->a->buf + LEAD, q->end);
    if (sw != SW_OK) return sw;
    if (l.again) return answer_handle(q->a, card_state()->load_handle);
    sw = load_signature(&l);
    if (sw == SW_OK) sw = load_new(&l, &r);
    return sw == SW_OK ? answer_handle(q->a, r.handle) : sw;
}

uint16_t cmd_correct(struct request *q)
{
    struct load l;
    uint16_t handle = get16(q->at[0]);
    uint16_t sw = load_take(&l, q->at[0] + 2, q->end);
    if (sw != SW_OK) return sw;
    if (l.again) return handle == card_state()->load_handle ? answer_handle(q->a, handle) : SW_CONDITIONS;
    if (q->e->state != VALUE_ACTIVE) return SW_CONDITIONS;
    sw = load_signature(&l);
    if (sw == SW_OK) sw = rewrite_prepare(q->slot, l.e1, l.e1_size);
    if (sw != SW_OK) return sw;
    (void)rewrite_flip(q->slot, l.e1_size);
    load_note(&l, handle);
    sw = change_settle(q->slot, -1);
    return sw == SW_OK ? answer_handle(q->a, handle) : sw;
}

/* ---- DELETE ---- */

/** Quantity 0, or nothing left on a pre-paid card or in cash. */
static bool used_up(const struct entry *e)
{
    struct value v;
    if (!entry_value(e, &v)) return false;
    bool money = *v.at[V_CLASS] == 3 || *v.at[V_CLASS] == 5;
    return money ? get32(v.at[V_REMAINING]) == 0 : get16(v.at[V_QUANTITY]) == 0;
}

static bool deletable(const struct entry *e)
{
#if FEATURE_PIECES
    if (e->cls == CLASS_CERTIFICATE && part_deletable(e)) return true;
#endif
    if (e->cls == CLASS_CERTIFICATE) return e->state == CERT_SPENT || key_certified(e);
#if FAULT_DELETE_PENDING
    if (e->state == VALUE_PENDING) return true;
#endif
    if (e->state != VALUE_DEPOSITED) return e->state == VALUE_ACTIVE && used_up(e);
#if FEATURE_PIECES || FEATURE_COUPLE
    if (e->part) return set_deletable(e);
#endif
    int partner = index_find_any(e->partner, CLASS_CERTIFICATE);
    return partner >= 0 && index_at((uint16_t)partner)->state == CERT_STORED &&
           index_at((uint16_t)partner)->partner == e->handle;
}

uint16_t cmd_delete(struct request *q)
{
    if (!deletable(q->e)) return SW_CONDITIONS;
    nvm_tx_begin();
    entry_change(q->slot)->state = DELETING;
#if FAULT_STALE_LIST
    return change_commit();
#else
    return change_settle(q->slot, -1);
#endif
}

#if FEATURE_CONDITIONS
/** Steps 2-10 and 2-11: the value whose certificate is stored makes room; again: done already. */
uint16_t cmd_backup_end(struct request *q)
{
    uint16_t sw = item_find(q);
    for (uint16_t i = 0; sw == SW_NOT_FOUND && i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (e->cls == CLASS_CERTIFICATE && e->state == CERT_STORED && e->partner == get16(q->at[0])) return SW_OK;
    }
    if (sw != SW_OK) return sw;
#if FAULT_DELETES_BEFORE_CERTIFICATE
    if (q->e->state == VALUE_PENDING && q->e->cls == CLASS_VALUE) {
        nvm_tx_begin();
        entry_change(q->slot)->state = DELETING;
        return change_settle(q->slot, -1);
    }
#endif
    return q->e->cls == CLASS_VALUE && q->e->state == VALUE_DEPOSITED ? cmd_delete(q) : SW_CONDITIONS;
}
#endif

/* ---- CANCEL ---- */

/** Begun key registration. */
static uint16_t cancel_key(void)
{
    const struct keyreg *k = key_registration();
#if FEATURE_PIECES
    if (!k && parts_cancel()) return SW_OK;
#endif
    if (!k) return SW_CONDITIONS;
    int slot = index_find_any(k->handle, CLASS_CERTIFICATE);
    nvm_tx_begin();
    nvm_tx_erase(PAGE_KEYREG);
    if (slot >= 0) entry_change((uint16_t)slot)->state = DELETING;
    return change_settle(slot, -1);
}

/** Puts an item back to its first state and frees the partner if that is only a reservation. */
static uint16_t cancel_item(const struct request *q, uint8_t cls, uint8_t reserved)
{
    int partner = index_find_any(q->e->partner, cls);
    if (partner >= 0 && index_at((uint16_t)partner)->state != reserved) partner = -1;
    nvm_tx_begin();
    struct entry *e = entry_change(q->slot);
    e->state = 1;
    if (partner >= 0) {
        e->partner = 0;
        entry_change((uint16_t)partner)->state = DELETING;
    }
    uint16_t sw = change_settle(-1, partner);
#if FEATURE_PIECES || FEATURE_COUPLE
    if (q->e->part) settle();
#endif
    return sw;
}
_Static_assert(VALUE_ACTIVE == 1 && CERT_STORED == 1, "first states");

uint16_t cmd_cancel(struct request *q)
{
    if (q->a->lc == 0) return cancel_key();
    uint16_t sw = item_find(q);
    if (sw != SW_OK) return sw;
    if (q->e->cls == CLASS_VALUE && q->e->state == VALUE_PENDING)
        return cancel_item(q, CLASS_CERTIFICATE, CERT_RESERVED);
    if (q->e->cls == CLASS_CERTIFICATE && q->e->state == CERT_RECOVERING)
        return cancel_item(q, CLASS_VALUE, VALUE_RESERVED);
    return SW_CONDITIONS;
}
