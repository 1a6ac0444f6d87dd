/** Twin applet: table, PIN, backup, promotion, invalidation, restore (docs/twin.md 3). */
#include "features.h"

#if FEATURE_TWIN
#include "twin.h"

#include <string.h>

#include "crypto/crypto.h"
#include "nvm/nvm.h"

/** Copy as it crosses: the copied fields, the balance, which is always 0, and the black list. */
#define COPY_FIXED (T_COPIED + 4u)

/** Table as it lies in memory; set with each command. */
static const struct twin_table *table_now;

/** Begins a change with the table in it. */
static struct twin_table *table_change(void)
{
    nvm_tx_begin();
    return (struct twin_table *)change_page(twin_page(T_TABLE));
}

static struct twin_list *list_change(void)
{
    return (struct twin_list *)change_page(twin_page(T_LIST));
}

static bool same(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, T_NUMBER) == 0;
}

static bool blank(const uint8_t *number)
{
    return number[0] == 0;
}

/** A shop takes a card whose number is the primary number. */
static bool is_primary(void)
{
    return same(table_now->card, table_now->primary);
}

static bool is_secondary(void)
{
    return same(table_now->card, table_now->secondary);
}

/** Neither primary nor secondary of anybody: only such a card is restored. */
static bool invalidated(void)
{
    return blank(table_now->primary) && blank(table_now->secondary);
}

/* ---- black list ---- */

static const struct twin_list *list_now(void)
{
    return (const struct twin_list *)nvm_at(twin_page(T_LIST));
}

/** Place of the card's own number in a list; `count`: it is not there. */
static uint8_t own_place(const uint8_t *numbers, uint8_t count)
{
    uint8_t i = 0;
    while (i < count && !same(numbers + i * T_NUMBER, table_now->card)) i++;
    return i;
}

static bool own_listed(void)
{
    const struct twin_list *list = list_now();
    return own_place(list->number[0], list->count) < list->count;
}

/** Adds a number to the list in the running change; of a full list the oldest one goes. */
static void list_add(const uint8_t *number)
{
    struct twin_list *list = list_change();
    if (list->count == T_LISTED) {
        memmove(list->number[0], list->number[1], (T_LISTED - 1) * T_NUMBER);
        list->count--;
    }
    memcpy(list->number[list->count++], number, T_NUMBER);
}

static uint8_t *list_put(uint8_t *p)
{
    const struct twin_list *list = list_now();
    uint16_t size = (uint16_t)(list->count * T_NUMBER);
    memcpy(p, list->number, size);
    return p + size;
}

/* ---- commands ---- */

static uint16_t read_table(struct apdu *a)
{
    const struct twin_table *t = table_now;
    uint8_t *p = a->buf;
    if (a->p1 != FOR_LOOK) {
        twin_step();
        if (a->p1 == FOR_PRIMARY ? !is_primary() : a->p1 != FOR_RESTORE && !is_secondary()) return SW_CONDITIONS;
    }
    memcpy(p, t->card, 4 * T_NUMBER);
    memcpy(p + 4 * T_NUMBER, t->money, T_NUMBER);
    p = put32(p + 5 * T_NUMBER, t->balance);
    *p++ = t->tries;
    *p++ = !blank(t->credit_pin);
    a->out = (uint16_t)(list_put(p) - a->buf);
    return SW_OK;
}

void twin_pin_hash(const uint8_t *salt, const uint8_t *pin, uint16_t length, uint8_t out[32])
{
    uint8_t work[16 + 12];
    memcpy(work, salt, 16);
    memcpy(work + 16, pin, length);
    (void)crypto_sha256(work, 16u + length, out);
    crypto_wipe(work, sizeof work);
}

static uint16_t tries_set(uint8_t tries)
{
    table_change()->tries = tries;
    return change_commit();
}

static uint16_t verify(struct apdu *a)
{
    const uint8_t *page = nvm_at(twin_page(T_PIN));
    uint8_t hash[32], tries = table_now->tries;
    twin_session.purpose = 0;
    if (tries == 0) return SW_BLOCKED;
    if (a->lc < 4 || a->lc > 12) return SW_LENGTH;
    uint16_t sw = tries_set((uint8_t)(tries - 1));
    if (sw != SW_OK) return sw;
    twin_pin_hash(page + 4, a->buf, a->lc, hash);
    bool right = crypto_equal(hash, page + 20, 32);
    crypto_wipe(hash, sizeof hash);
    if (!right) return (uint16_t)(SW_PIN | (tries - 1u));
    sw = tries_set(T_TRIES);
    if (sw != SW_OK) return sw;
    twin_step();
    if (own_listed()) return SW_CONDITIONS;
    twin_session.purpose = a->p1;
    return SW_OK;
}

/** Step 310 on the primary, 511 on the secondary: what is copied. The balance stays where it is. */
static uint16_t export_copy(struct apdu *a)
{
    bool backup = a->p1 == 1;
    if (a->lc != (backup ? T_NUMBER : 0)) return SW_LENGTH;
    if (backup ? twin_session.purpose != FOR_PRIMARY || !is_primary() : !is_secondary()) return SW_CONDITIONS;
    if (own_listed()) return SW_CONDITIONS;
    if (backup && !same(a->buf, table_now->secondary)) {
        if (same(a->buf, table_now->card)) return SW_DATA;
        memcpy(table_change()->secondary, a->buf, T_NUMBER);
        uint16_t sw = change_commit();
        if (sw != SW_OK) return sw;
    }
    memcpy(a->buf, table_now->primary, T_COPIED);
#if FAULT_TWIN_BALANCE_COPIED
    uint8_t *p = put32(a->buf + T_COPIED, table_now->balance);
#else
    uint8_t *p = put32(a->buf + T_COPIED, 0);
#endif
    a->out = (uint16_t)(list_put(p) - a->buf);
    return SW_OK;
}

/** Step 310 on the secondary, 511 on the card to be restored: one atomic change of table and list. */
static uint16_t store_copy(struct apdu *a)
{
    bool backup = a->p1 == 1;
    const uint8_t *own = table_now->card, *numbers = a->buf + COPY_FIXED;
    if (a->lc < COPY_FIXED || (a->lc - COPY_FIXED) % T_NUMBER != 0) return SW_LENGTH;
    uint8_t count = (uint8_t)((a->lc - COPY_FIXED) / T_NUMBER);
    if (twin_session.purpose != (backup ? FOR_SECONDARY : FOR_INVALID)) return SW_CONDITIONS;
    if (backup ? is_primary() : !invalidated()) return SW_CONDITIONS;
    if (count > T_LISTED || own_place(numbers, count) < count) return SW_DATA;
    if (!same(own, backup ? a->buf + T_NUMBER : a->buf) || same(a->buf, a->buf + T_NUMBER)) return SW_DATA;
#if !FAULT_TWIN_BALANCE_COPIED
    if (get32(a->buf + T_COPIED) != 0) return SW_DATA;
#endif
    struct twin_table *table = table_change();
    struct twin_list *list = list_change();
    memcpy(table->primary, a->buf, T_COPIED);
#if FAULT_TWIN_BALANCE_COPIED
    table->balance = get32(a->buf + T_COPIED);
#endif
    list->count = count;
    memcpy(list->number, numbers, count * T_NUMBER);
    return change_commit();
}

/** Steps 406 and 407 on the card, one atomic change: the old primary number is black-listed with it. */
static uint16_t promote(struct apdu *a)
{
    uint8_t old[T_NUMBER];
    if (twin_session.purpose != FOR_PROMOTE || !is_secondary() || blank(table_now->primary)) return SW_CONDITIONS;
    memcpy(old, table_now->primary, T_NUMBER);
    struct twin_table *table = table_change();
    memcpy(table->primary, table->card, T_NUMBER);
    memset(table->secondary, 0, T_NUMBER);
#if FAULT_TWIN_TWO_WRITES
    if (change_commit() != SW_OK) return SW_MEMORY;
    nvm_tx_begin();
#endif
    list_add(old);
    uint16_t sw = change_commit();
    if (sw != SW_OK) return sw;
    twin_session.purpose = 0;
    twin_step();
    memcpy(a->buf, old, T_NUMBER);
    a->out = T_NUMBER;
    return SW_OK;
}

/** Step 506: the own number is black-listed, everything else erased, in one atomic change. */
static uint16_t invalidate(void)
{
    twin_session.purpose = 0;
    bool listed = own_listed();
    struct twin_table *table = table_change();
    memset(table->primary, 0, T_COPIED);
    table->balance = 0;
    if (!listed) list_add(table->card);
    return change_commit();
}

/** The issuer takes the own number off the list and gives the PIN its tries back. */
static uint16_t withdraw(void)
{
    table_change()->tries = T_TRIES;
    if (own_listed()) {
        struct twin_list *list = list_change();
        uint8_t i = own_place(list->number[0], list->count);
        list->count--;
        memmove(list->number[i], list->number[i + 1], (size_t)(list->count - i) * T_NUMBER);
    }
    return change_commit();
}

/** The issuer's balance, once for each order. */
static uint16_t balance_set(const struct apdu *a)
{
    if (a->lc != 8) return SW_LENGTH;
    uint32_t order = get32(a->buf);
    if (!is_primary() || own_listed() || order < table_now->order) return SW_CONDITIONS;
    if (order == table_now->order) return SW_OK;
    struct twin_table *table = table_change();
    table->order = order;
    table->balance = get32(a->buf + 4);
    return change_commit();
}

/** Whether a shop may take the card, and a payment. */
static uint16_t shop(struct apdu *a)
{
    const struct twin_table *t = table_now;
    if (a->lc != 4) return SW_LENGTH;
    uint32_t amount = get32(a->buf);
#if !FAULT_TWIN_SECONDARY_ACCEPTED
    if (!is_primary()) return SW_CONDITIONS;
#endif
    if (own_listed()) return SW_CONDITIONS;
    uint32_t balance = t->balance;
    if (amount > balance) return SW_DATA;
    balance -= amount;
    memcpy(a->buf, t->card, 2 * T_NUMBER);
    a->out = (uint16_t)(put32(a->buf + 2 * T_NUMBER, balance) - a->buf);
    if (amount == 0) return SW_OK;
    table_change()->balance = balance;
    return change_commit();
}

/** Commands with data, a bit for each INS from 10. */
#define WITH_DATA (1u << 3 | 1u << 4 | 1u << 5 | 1u << 9 | 1u << 10)

uint16_t twin_run(struct apdu *a)
{
    bool anybody = a->ins == 0x24 || (a->ins == 0x14 && a->p1 == FOR_LOOK);
    table_now = (const struct twin_table *)nvm_at(twin_page(T_TABLE));
    if (!anybody && twin_session.role != (a->ins >= 0x20 ? ROLE_ISSUER : ROLE_DEVICE)) return SW_SECURITY;
    if (a->lc != 0 && !(WITH_DATA >> ((a->ins - 0x10) >> 1) & 1)) return SW_LENGTH;
    switch (a->ins) {
    case 0x12:
        memcpy(a->buf, table_now->card, T_NUMBER);
        a->out = T_NUMBER;
        return SW_OK;
    case 0x14:
        return read_table(a);
    case 0x16:
        return verify(a);
    case 0x18:
        return export_copy(a);
    case 0x1A:
        return store_copy(a);
    case 0x1C:
        return promote(a);
    case 0x1E:
        return invalidate();
    case 0x20:
        return withdraw();
    case 0x22:
        return balance_set(a);
    default:
        return shop(a);
    }
}
#endif
