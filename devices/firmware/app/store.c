/** Pages, atomic changes, index 851 and room in wallet storage (docs/firmware.md). */
#include "app.h"
#include "applets.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

/** Pages that failed since power-on; not offered again until the next one. */
static uint16_t worn[4];
static uint8_t worn_next;
/** Content of DF01. */
static uint8_t shortage[11];
static bool short_of_room;
#if FAULT_RESERVE_FREED
/** The first writing command since power-on has cleaned up. */
static bool cleaned;
#endif
/** INS of the running command, for DF01. */
uint8_t running_ins;

void store_boot(void)
{
    memset(worn, 0, sizeof worn);
    worn_next = 0;
    short_of_room = false;
#if FAULT_RESERVE_FREED
    cleaned = false;
#endif
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

uint16_t change_commit(void)
{
    return nvm_tx_commit() == NVM_OK ? SW_OK : SW_MEMORY;
}

/* ---- index ---- */

uint16_t index_slots(void)
{
    return (uint16_t)(nvm_pages() / 4);
}

static uint16_t data_first(void)
{
    return (uint16_t)(PAGE_INDEX + index_slots());
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
#if FAULT_STALE_LIST
    if (e->state == DELETING) return true;
#endif
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

uint8_t *entry_object(const struct entry *e)
{
    return (uint8_t *)nvm_at(e->first);
}

bool entry_value(const struct entry *e, struct value *v)
{
    uint8_t *object = entry_object(e);
    return value_take(object, object + e->size, v);
}

bool entry_cert(const struct entry *e, struct cert *c)
{
    uint8_t *object = entry_object(e);
    return cert_take(object, object + e->size, c);
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

/** Pages looked at together: 128 bytes of stack, one pass over the index for 64 KB. */
#define WINDOW 1024u

static void mark(uint8_t *map, uint16_t base, uint16_t first, uint16_t pages)
{
    for (uint16_t page = first; page < first + pages; page++) {
        uint16_t at = (uint16_t)(page - base);
        if (page >= base && at < WINDOW) map[at / 8] |= (uint8_t)(1u << at % 8);
    }
}

/** One bit for each page from `base` that a region or a worn page takes. */
static void mark_taken(uint8_t *map, uint16_t base)
{
    uint16_t slots = index_slots();
    memset(map, 0, WINDOW / 8);
    for (uint16_t i = 0; i < slots; i++) {
        const struct entry *e = index_at(i);
        if (!used(e)) continue;
        mark(map, base, e->first, e->pages);
        if (e->flags & FLAG_ALTERNATIVE) mark(map, base, e->alt, e->alt_pages);
    }
    for (unsigned i = 0; i < 4; i++)
        if (worn[i]) mark(map, base, worn[i], 1);
}

void room_survey(struct room *r, uint16_t pages)
{
    uint8_t map[WINDOW / 8];
    uint16_t run = 0, fit = 0, last = data_end();
    memset(r, 0, sizeof *r);
    r->pages = pages;
    for (uint16_t page = data_first(), base = page; page < last; page++) {
        uint16_t at = (uint16_t)((page - base) % WINDOW);
        if (at == 0) mark_taken(map, page);
        if (map[at / 8] >> at % 8 & 1) {
            run = fit = 0;
            continue;
        }
        r->free_pages++;
        if (++run > r->run) r->run = run;
        if (run == pages && !r->first) r->first = (uint16_t)(page + 1 - pages);
        if (++fit < pages) continue;
        fit = 0;
        r->fits++;
    }
    for (uint16_t i = index_slots(); i-- > 0;) {
        if (!nvm_page_absent(index_page(i))) continue;
        r->entries++;
        r->slot = i;
    }
}

uint16_t shortage_get(uint8_t *to)
{
    if (!short_of_room) return 0;
    memcpy(to, shortage, sizeof shortage);
    return sizeof shortage;
}

/** Notes what `count` regions would have needed. */
static uint16_t room_short(const struct room *r, uint16_t count)
{
    put16(put32(put32(shortage, r->pages * PAGE_BYTES * count), r->free_pages * PAGE_BYTES), r->entries);
    shortage[10] = running_ins;
    short_of_room = true;
    return SW_ROOM;
}

uint16_t room_find(struct room *r, uint16_t bytes, bool entry)
{
    room_survey(r, (uint16_t)((bytes + PAGE_BYTES - 1) / PAGE_BYTES));
    if (r->first == 0 || (entry && r->entries == 0)) return room_short(r, 1);
    if (entry) r->handle = handle_next();
    return SW_OK;
}

#if FEATURE_PIECES || FEATURE_COUPLE
uint16_t room_find_all(uint16_t bytes, uint16_t count)
{
    struct room r;
    room_survey(&r, (uint16_t)((bytes + PAGE_BYTES - 1) / PAGE_BYTES));
    return r.fits < count || r.entries < count ? room_short(&r, count) : SW_OK;
}
#endif

struct entry *entry_new(const struct room *r, uint8_t cls, uint8_t state)
{
    struct entry *e = &change_new(index_page(r->slot))->entry;
    e->cls = cls;
    e->state = state;
    e->handle = r->handle;
    e->first = r->first;
    e->pages = r->pages;
#if FEATURE_CONDITIONS
    if (cls == CLASS_VALUE) e->value_size = day_of_arrival();
#endif
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
#if FAULT_WRITE_SKIPPED
        if (memcmp(nvm_at((uint16_t)(first + i)), page, PAGE_BYTES) == 0) continue;
#endif
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
#if FAULT_RESERVE_FREED
    if (e->cls == CLASS_CERTIFICATE && e->state == CERT_RESERVED) return !cleaned;
#endif
    if (e->cls != CLASS_VALUE || e->state != VALUE_RESERVED || e->kind == KIND_BUNDLE) return false;
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *c = index_at(i);
        if (c->cls == CLASS_CERTIFICATE && c->state == CERT_RECOVERING && c->partner == e->handle) return false;
    }
    return true;
}

static void settle_slot(uint16_t slot)
{
    const struct entry *e = index_at(slot);
    if (!used(e)) return;
    if (e->flags & FLAG_ALTERNATIVE) {
        if (!region_erase(e->alt, e->alt_pages)) return;
        nvm_tx_begin();
        struct entry *n = entry_change(slot);
        n->flags &= (uint8_t)~FLAG_ALTERNATIVE;
        n->alt = n->alt_pages = 0;
        if (change_commit() != SW_OK) return;
    }
#if FEATURE_PIECES || FEATURE_COUPLE
    uint8_t fate = set_fate(e);
    if (fate) {
        nvm_tx_begin();
        entry_change(slot)->state = fate;
        if (change_commit() != SW_OK) return;
        e = index_at(slot);
    }
#endif
    if (e->state == DELETING || orphan(e)) {
#if FAULT_ENTRY_BEFORE_REGION
        uint16_t first = e->first, pages = e->pages;
#else
        if (!region_erase(e->first, e->pages)) return;
#endif
        nvm_tx_begin();
        nvm_tx_erase(index_page(slot));
        (void)change_commit();
#if FAULT_ENTRY_BEFORE_REGION
        (void)region_erase(first, pages);
#endif
    }
}

uint16_t change_settle(int slot, int other)
{
#if FAULT_FREED_FIRST
    if (slot >= 0) (void)region_erase(index_at((uint16_t)slot)->first, index_at((uint16_t)slot)->pages);
#endif
    uint16_t sw = change_commit();
    if (sw == SW_OK && slot >= 0) settle_slot((uint16_t)slot);
    if (sw == SW_OK && other >= 0) settle_slot((uint16_t)other);
    return sw;
}

void settle(void)
{
    for (uint16_t i = 0; i < index_slots(); i++) settle_slot(i);
#if FEATURE_SEED
    seed_settle();
#endif
#if FAULT_RESERVE_FREED
    cleaned = true;
#endif
}
