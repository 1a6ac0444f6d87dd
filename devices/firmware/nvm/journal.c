/**
 * Atomic change of two pages by a redo journal (docs/firmware.md): slots, then header (the commit), then
 * targets, then the header is erased.
 *
 * Why a cut at any cycle is safe, weak cells included: the slots are solid before the header is touched, the
 * header before a target is, the targets before the header is erased. Only the header may be weak when the
 * power comes back. It is judged by one reading into RAM, and made solid before anything depends on it: a
 * valid one is programmed again before a target is, any other is erased again even where it reads as erased,
 * since what reads as erased now might read as valid at a later boot. Programming again comes without an
 * erase: the header may be the solid one of a change whose targets are half written, and a second cut must
 * not lose it.
 */
#include "nvm/journal.h"

#include "crypto/crypto.h"
#include "hal/eeprom.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

#define PAGES_MAX 2u
#define MAGIC 0x314E524Au

/** The header page. */
struct header {
    uint32_t magic;
    uint32_t number;
    uint8_t count;
    uint8_t zero[3];
    uint16_t target[PAGES_MAX];
    uint32_t slot_crc[PAGES_MAX];
    uint8_t rest[36];
    uint32_t crc;
};
_Static_assert(sizeof(struct header) == NVM_PAGE, "the header is one page");

/** The change being prepared. */
static struct {
    uint32_t image[PAGES_MAX][NVM_PAGE / 4u];
    uint16_t target[PAGES_MAX];
    bool erase[PAGES_MAX];
    uint8_t count;
    bool refused;
} change;

/** Committed targets that could not be written: page + 1, read from the slot meanwhile; 0 = none. */
static uint16_t stranded[PAGES_MAX];
static uint32_t last_number;

uint16_t journal_place(uint16_t page)
{
    for (uint16_t i = 0; i < PAGES_MAX; i++) {
        if (stranded[i] == page + 1u) {
            return (uint16_t)(NVM_JOURNAL_SLOT + i);
        }
    }
    return page;
}

static bool is_stranded(void)
{
    return (stranded[0] | stranded[1]) != 0u;
}

void nvm_tx_begin(void)
{
    change.count = 0;
    change.refused = false;
}

/** Index of the image of a page, a new one where needed; PAGES_MAX if there is none. */
static uint32_t image_of(uint16_t page)
{
    const uint8_t *now = nvm_at(page);
    uint32_t i = 0;
    while (i < change.count && change.target[i] != page) {
        i++;
    }
    bool of_journal = page >= NVM_JOURNAL_HEADER && page < NVM_JOURNAL_SLOT + PAGES_MAX;
    if (i >= PAGES_MAX || now == NULL || of_journal) {
        change.refused = true;
        return PAGES_MAX;
    }
    if (i == change.count) {
        if (page_is_erased(now)) {
            memset(change.image[i], 0, NVM_PAGE);
        } else {
            memcpy(change.image[i], now, NVM_PAGE);
        }
        change.target[i] = page;
        change.erase[i] = false;
        change.count++;
    }
    return i;
}

uint8_t *nvm_tx_page(uint16_t page)
{
    uint32_t i = image_of(page);
    if (i == PAGES_MAX) {
        return NULL;
    }
    change.erase[i] = false;
    return (uint8_t *)change.image[i];
}

void nvm_tx_erase(uint16_t page)
{
    uint32_t i = image_of(page);
    if (i < PAGES_MAX) {
        change.erase[i] = true;
    }
}

/** Writes one target; where it does not take the content, reading goes to the slot from now on. */
static void apply(uint32_t slot, uint16_t target, const uint8_t *content)
{
    bool done = page_write(target, page_is_erased(content) ? NULL : content) == NVM_OK;
    stranded[slot] = done ? 0u : (uint16_t)(target + 1u);
}

/** Ends a committed change whose targets are written. While one is stranded the header must stay. */
static void close_journal(void)
{
    if (!is_stranded()) {
        (void)page_write(NVM_JOURNAL_HEADER, NULL);
    }
}

/** Tries stranded targets again. */
static void rescue(void)
{
    if (!is_stranded()) {
        return;
    }
    for (uint32_t i = 0; i < PAGES_MAX; i++) {
        if (stranded[i] != 0u) {
            apply(i, (uint16_t)(stranded[i] - 1u), eeprom_window() + NVM_PAGE * (NVM_JOURNAL_SLOT + i));
        }
    }
    close_journal();
}

static void finish_images(struct header *header)
{
    memset(header, 0, sizeof *header);
    header->magic = MAGIC;
    header->number = ++last_number;
    header->count = change.count;
    for (uint32_t i = 0; i < change.count; i++) {
        uint8_t *image = (uint8_t *)change.image[i];
        change.image[i][NVM_CRC / 4u] = page_crc(image);
        if (change.erase[i]) {
            memset(image, 0xFF, NVM_PAGE);
        }
        header->target[i] = change.target[i];
        header->slot_crc[i] = crypto_crc32(CRYPTO_CRC32_START, image, NVM_PAGE);
    }
    header->crc = page_crc((const uint8_t *)header);
}

/** The header did not take the commit: makes sure that nobody ever reads one. */
static void revoke(void)
{
    if (page_write(NVM_JOURNAL_HEADER, NULL) != NVM_OK) {
        change.image[0][0] = ~change.image[0][0];
        (void)page_write(NVM_JOURNAL_SLOT, (const uint8_t *)change.image[0]);
    }
}

#ifdef FAULT_COMMIT_WORD
/** A page that was free has nothing to lose: it is written at once, and its first byte says that it is there. */
static uint32_t write_free_pages(void)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < change.count; i++) {
        uint32_t *image = change.image[i];
        if (page_is_erased(nvm_at(change.target[i]))) {
            image[NVM_CRC / 4u] = page_crc((const uint8_t *)image);
            (void)page_write(change.target[i], (const uint8_t *)image);
        } else {
            memmove(change.image[kept], image, NVM_PAGE);
            change.erase[kept] = change.erase[i];
            change.target[kept++] = change.target[i];
        }
    }
    change.count = (uint8_t)kept;
    return kept;
}
#endif

int nvm_tx_commit(void)
{
    struct header header;
    uint32_t count = change.count;
    if (change.refused) {
        return NVM_ERROR;
    }
    rescue();
    if (is_stranded()) {
        return NVM_WORN;
    }
#ifdef FAULT_COMMIT_WORD
    count = write_free_pages();
#endif
    finish_images(&header);
    change.count = 0;
#ifdef FAULT_NO_JOURNAL
    for (uint32_t i = 0; i < count; i++) {
        apply(i, change.target[i], (const uint8_t *)change.image[i]);
    }
    return is_stranded() ? NVM_WORN : NVM_OK;
#endif
    for (uint32_t i = 0; i < count; i++) {
        if (page_write((uint16_t)(NVM_JOURNAL_SLOT + i), (const uint8_t *)change.image[i]) != NVM_OK) {
            return NVM_WORN;
        }
    }
    if (count != 0u && page_write(NVM_JOURNAL_HEADER, (const uint8_t *)&header) != NVM_OK) {
        revoke();
        return NVM_WORN;
    }
#ifdef FAULT_JOURNAL_ENDS_EARLY
    close_journal();
#endif
    for (uint32_t i = 0; i < count; i++) {
        apply(i, change.target[i], (const uint8_t *)change.image[i]);
    }
#ifndef FAULT_JOURNAL_NOT_CLEARED
    if (count != 0u) {
        close_journal();
    }
#endif
    return NVM_OK;
}

static bool is_target(uint16_t page)
{
    return page < nvm_pages() && (page < NVM_JOURNAL_HEADER || page >= NVM_JOURNAL_SLOT + PAGES_MAX);
}

/** True if the header is one; the slots are then in the images and fit it. */
static bool load(const struct header *header)
{
    bool good = header->magic == MAGIC && header->crc == page_crc((const uint8_t *)header) && header->count >= 1u
        && header->count <= PAGES_MAX;
    for (uint32_t i = 0; good && i < header->count; i++) {
        memcpy(change.image[i], eeprom_window() + NVM_PAGE * (NVM_JOURNAL_SLOT + i), NVM_PAGE);
        good = is_target(header->target[i])
            && crypto_crc32(CRYPTO_CRC32_START, change.image[i], NVM_PAGE) == header->slot_crc[i];
#ifdef FAULT_JOURNAL_NOT_CLEARED
        good = is_target(header->target[i]);
#endif
    }
    return good;
}

int nvm_settle(void)
{
    struct header header;
    nvm_tx_begin();
    stranded[0] = 0;
    stranded[1] = 0;
    if (nvm_pages() == 0u) {
        return NVM_ERROR;
    }
    eeprom_wait();
    memcpy(&header, eeprom_window() + NVM_PAGE * NVM_JOURNAL_HEADER, sizeof header);
    if (!load(&header)) {
#ifdef FAULT_NO_REFRESH
        if (page_is_erased((const uint8_t *)&header)) {
            return NVM_OK;
        }
#endif
        return page_write(NVM_JOURNAL_HEADER, NULL);
    }
    last_number = header.number;
#if defined FAULT_REFRESH_ERASES
    (void)page_write(NVM_JOURNAL_HEADER, (const uint8_t *)&header);
#elif !defined FAULT_NO_REFRESH
    (void)eeprom_program(NVM_JOURNAL_HEADER, (const uint8_t *)&header);
#endif
#ifdef FAULT_RECOVERY_ENDS_EARLY
    close_journal();
#endif
    for (uint32_t i = 0; i < header.count; i++) {
#ifdef FAULT_TARGET_NOT_REWRITTEN
        if (memcmp(nvm_at(header.target[i]), change.image[i], NVM_PAGE) == 0) {
            continue;
        }
#endif
        apply(i, header.target[i], (const uint8_t *)change.image[i]);
    }
#ifndef FAULT_RECOVERY_ENDS_EARLY
    close_journal();
#endif
    return is_stranded() ? NVM_WORN : NVM_OK;
}
