/** Pages, atomic changes, index 851 and room in wallet storage (docs/firmware.md). */
#include "app.h"

#include <string.h>

#include "crypto/crypto.h"
#include "nvm/nvm.h"

/** Pages that failed since power-on; not offered again until the next one. */
static uint16_t worn[4];
static uint8_t worn_next;
/** Content of DF01. */
static uint8_t shortage[11];
static bool short_of_room;
/** INS of the running command, for DF01. */
uint8_t running_ins;

void store_boot(void)
{
    memset(worn, 0, sizeof worn);
    worn_next = 0;
    short_of_room = false;
}

const struct state *card_state(void)
{
    return (const struct state *)nvm_at(PAGE_STATE);
}

const struct identity *card_identity(void)
{
    return (const struct identity *)nvm_at(PAGE_IDENTITY);
}

uint8_t card_life(void)
{
    if (nvm_page_valid(PAGE_STATE)) return card_state()->life;
    return nvm_page_absent(PAGE_STATE) ? LIFE_BLANK : LIFE_UNREADABLE;
}

void change_begin(void)
{
    nvm_tx_begin();
}

union page *change_page(uint16_t page)
{
    return (union page *)nvm_tx_page(page);
}

union page *change_new(uint16_t page)
{
    union page *p = change_page(page);
    memset(p->bytes, 0, PAGE_BYTES);
    return p;
}

void change_erase(uint16_t page)
{
    nvm_tx_erase(page);
}

uint16_t change_commit(void)
{
    return nvm_tx_commit() == NVM_OK ? SW_OK : SW_MEMORY;
}

/* ---- index ---- */

uint16_t index_slots(void)
{
    return (uint16_t)(nvm_pages() / 8);
}

static uint16_t data_first(void)
{
    return (uint16_t)(PAGE_INDEX + index_slots());
}

uint16_t index_page(uint16_t slot)
{
    return (uint16_t)(PAGE_INDEX + slot);
}

const struct entry *index_at(uint16_t slot)
{
    return (const struct entry *)nvm_at(index_page(slot));
}

static bool used(const struct entry *e)
{
    return e->cls == CLASS_VALUE || e->cls == CLASS_CERTIFICATE;
}

bool entry_listed(const struct entry *e)
{
    if (e->cls == CLASS_VALUE) return e->state >= VALUE_ACTIVE && e->state <= VALUE_DEPOSITED;
    if (e->cls != CLASS_CERTIFICATE) return false;
    return e->state == CERT_STORED || e->state == CERT_RECOVERING || e->state == CERT_SPENT;
}

int index_find(uint16_t handle)
{
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (e->handle == handle && entry_listed(e) && nvm_page_valid(index_page(i))) return i;
    }
    return -1;
}

int index_find_any(uint16_t handle, uint8_t cls)
{
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (e->handle == handle && e->cls == cls && e->state != DELETING) return i;
    }
    return -1;
}

int index_find_sequence(uint8_t cls, uint8_t state, uint32_t sequence)
{
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (e->cls == cls && e->state == state && e->sequence == sequence) return i;
    }
    return -1;
}

const uint8_t *entry_object(const struct entry *e)
{
    return nvm_at(e->first);
}

/** A handle that names no live item, is no item's partner and is not the last load's. */
static uint16_t handle_next(void)
{
    uint16_t handle = card_state()->handle;
    bool taken;
    do {
        handle = handle >= 0xFFFE ? 1 : (uint16_t)(handle + 1);
        taken = handle == card_state()->load_handle;
        for (uint16_t i = 0; i < index_slots() && !taken; i++) {
            const struct entry *e = index_at(i);
            taken = used(e) && (e->handle == handle || e->partner == handle);
        }
    } while (taken);
    return handle;
}

/* ---- room ---- */

static bool overlaps(uint16_t a, uint16_t a_pages, uint16_t b, uint16_t b_pages)
{
    return a < b + b_pages && b < a + a_pages;
}

/** First page behind whatever is in the way of a run, 0 when it is free. */
static uint16_t blocked(uint16_t first, uint16_t pages)
{
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (!used(e)) continue;
        if (overlaps(first, pages, e->first, e->pages)) return (uint16_t)(e->first + e->pages);
        if ((e->flags & FLAG_ALTERNATIVE) && overlaps(first, pages, e->alt, e->alt_pages))
            return (uint16_t)(e->alt + e->alt_pages);
    }
    for (unsigned i = 0; i < 4; i++)
        if (worn[i] && overlaps(first, pages, worn[i], 1)) return (uint16_t)(worn[i] + 1);
    return 0;
}

static uint16_t first_fit(uint16_t pages)
{
    uint32_t at = data_first();
    while (at + pages <= nvm_pages()) {
        uint16_t next = blocked((uint16_t)at, pages);
        if (next == 0) return (uint16_t)at;
        at = next;
    }
    return 0;
}

static int slot_free(void)
{
    for (uint16_t i = 0; i < index_slots(); i++)
        if (nvm_page_absent(index_page(i))) return i;
    return -1;
}

/** Lowest start of anything at or behind a page; *behind is the page behind it. */
static uint16_t next_used(uint16_t from, uint16_t *behind)
{
    uint16_t start = (uint16_t)nvm_pages();
    *behind = start;
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (!used(e)) continue;
        if (e->first >= from && e->first < start) {
            start = e->first;
            *behind = (uint16_t)(e->first + e->pages);
        }
        if ((e->flags & FLAG_ALTERNATIVE) && e->alt >= from && e->alt < start) {
            start = e->alt;
            *behind = (uint16_t)(e->alt + e->alt_pages);
        }
    }
    return start;
}

void room_report(uint32_t *free_bytes, uint32_t *run_bytes, uint16_t *entries)
{
    uint32_t total = 0, largest = 0;
    uint16_t at = data_first(), behind;
    while (at < nvm_pages()) {
        uint32_t run = (uint32_t)(next_used(at, &behind) - at);
        total += run;
        if (run > largest) largest = run;
        at = behind;
    }
    *free_bytes = total * PAGE_BYTES;
    *run_bytes = largest * PAGE_BYTES;
    *entries = 0;
    for (uint16_t i = 0; i < index_slots(); i++)
        if (nvm_page_absent(index_page(i))) (*entries)++;
}

static void shortage_note(uint32_t needed)
{
    uint32_t free_bytes, run;
    uint16_t entries;
    room_report(&free_bytes, &run, &entries);
    put16(put32(put32(shortage, needed), free_bytes), entries);
    shortage[10] = running_ins;
    short_of_room = true;
}

uint16_t shortage_get(uint8_t *to)
{
    if (!short_of_room) return 0;
    memcpy(to, shortage, sizeof shortage);
    return sizeof shortage;
}

uint16_t room_find(struct room *r, uint16_t bytes, bool entry)
{
    int slot = entry ? slot_free() : 0;
    r->pages = (uint16_t)((bytes + PAGE_BYTES - 1) / PAGE_BYTES);
    r->first = first_fit(r->pages);
    if (slot < 0 || r->first == 0) {
        shortage_note(r->pages * PAGE_BYTES);
        return SW_ROOM;
    }
    r->slot = (uint16_t)slot;
    r->handle = entry ? handle_next() : 0;
    return SW_OK;
}

struct entry *entry_new(const struct room *r, uint8_t cls, uint8_t state)
{
    struct entry *e = &change_new(index_page(r->slot))->entry;
    e->cls = cls;
    e->state = state;
    e->handle = r->handle;
    e->first = r->first;
    e->pages = r->pages;
    return e;
}

struct entry *entry_change(uint16_t slot)
{
    return &change_page(index_page(slot))->entry;
}

uint16_t region_write(uint16_t first, uint16_t pages, const uint8_t *data, uint16_t size)
{
    uint32_t page[PAGE_BYTES / 4];
    uint16_t sw = SW_OK;
    for (uint16_t i = 0; i < pages && sw == SW_OK; i++) {
        uint16_t n = size < PAGE_BYTES ? size : PAGE_BYTES;
        memset(page, 0xFF, sizeof page);
        memcpy(page, data, n);
        data += n;
        size = (uint16_t)(size - n);
        if (nvm_put((uint16_t)(first + i), (const uint8_t *)page) != NVM_OK) {
            worn[worn_next++ & 3] = (uint16_t)(first + i);
            sw = SW_MEMORY;
        }
    }
    crypto_wipe(page, sizeof page);
    return sw;
}

/* ---- leftovers ---- */

static bool region_erase(uint16_t first, uint16_t pages)
{
    for (uint16_t i = 0; i < pages; i++)
        if (nvm_erase((uint16_t)(first + i)) != NVM_OK) return false;
    return true;
}

/** A reserved value that no RECOVERING certificate waits for. */
static bool orphan(const struct entry *e)
{
    if (e->cls != CLASS_VALUE || e->state != VALUE_RESERVED) return false;
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *c = index_at(i);
        if (c->cls == CLASS_CERTIFICATE && c->state == CERT_RECOVERING && c->partner == e->handle) return false;
    }
    return true;
}

void settle_slot(uint16_t slot)
{
    const struct entry *e = index_at(slot);
    if (!used(e)) return;
    if (e->flags & FLAG_ALTERNATIVE) {
        if (!region_erase(e->alt, e->alt_pages)) return;
        change_begin();
        struct entry *n = entry_change(slot);
        n->flags = 0;
        n->alt = n->alt_pages = 0;
        if (change_commit() != SW_OK) return;
    }
    if (e->state == DELETING || orphan(e)) {
        if (!region_erase(e->first, e->pages)) return;
        change_begin();
        change_erase(index_page(slot));
        (void)change_commit();
    }
}

void settle(void)
{
    for (uint16_t i = 0; i < index_slots(); i++) settle_slot(i);
}
