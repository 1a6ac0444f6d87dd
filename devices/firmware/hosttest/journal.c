/**
 * Journal fuzz. Random changes of one or two pages, power cuts at random moments of random operations, also
 * within the recovery, under every way weak cells can read. After each boot: each change is whole or absent,
 * a committed one present, a second boot gives the same state, at most four operations were needed.
 * Arguments: seed, rounds, weak width, spread. Prints one line of counts; status 1 with the first breach.
 */
#include "nvm/nvm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosttest/cells.h"

#define FIRST 4u
#define USED 8u
#define RECOVERY_MAX 4

/** What the pages FIRST.. hold as far as anybody was told, and what they hold if the open change counts. */
static uint8_t before[USED][64], after[USED][64];
static long cuts, deep, committed, worn, refused;
static long current;
static uint64_t current_seed;

static void breach(const char *what)
{
    printf("breach: %s; seed %llu, round %ld\n", what, (unsigned long long)current_seed, current);
    exit(1);
}

static bool holds(uint8_t state[USED][64])
{
    for (uint16_t page = 0; page < USED; page++) {
        if (memcmp(nvm_at((uint16_t)(FIRST + page)), state[page], 64) != 0) {
            return false;
        }
    }
    return true;
}

/** Fills the images of a random change and says in `after` what it makes. */
static void prepare(void)
{
    uint32_t first = cells_random(USED), second = cells_random(USED);
    memcpy(after, before, sizeof after);
    nvm_tx_begin();
    for (uint32_t i = 0; i < 1u + (first != second && cells_random(2)); i++) {
        uint32_t page = i == 0u ? first : second;
        if (cells_random(4) == 0u) {
            nvm_tx_erase((uint16_t)(FIRST + page));
            memset(after[page], 0xFF, 64);
            continue;
        }
        uint8_t *image = nvm_tx_page((uint16_t)(FIRST + page));
        for (uint32_t j = 0; j < NVM_CRC; j++) {
            image[j] = cells_random(3) == 0u ? 0u : (uint8_t)cells_random(256);
        }
        memcpy(after[page], image, NVM_CRC);
    }
}

/** The CRC is the business of the commit: taken over from what it wrote. */
static void adopt_crc(uint8_t state[USED][64])
{
    for (uint16_t page = 0; page < USED; page++) {
        if (nvm_page_valid((uint16_t)(FIRST + page)) && memcmp(nvm_at((uint16_t)(FIRST + page)), state[page], NVM_CRC) == 0) {
            memcpy(state[page] + NVM_CRC, nvm_at((uint16_t)(FIRST + page)) + NVM_CRC, 4);
        }
    }
}

static double moment(void)
{
    return (double)cells_random(10001) / 10000.0;
}

/** Boots until a recovery runs through; cuts it up to `depth` times. */
static void boot(uint32_t depth)
{
    jmp_buf cut;
    volatile uint32_t left = depth;
    (void)setjmp(cut);
    cells_boot((enum policy)cells_random(POLICIES));
    if (left > 0u) {
        left--;
        deep++;
        cells_cut((long)cells_random(5), moment(), &cut);
    }
    if (nvm_settle() != NVM_OK) {
        breach("recovery failed");
    }
    if (cells_operations() > RECOVERY_MAX) {
        breach("more than four operations in a recovery");
    }
    cells_cut(-1, 0, NULL);
}

static void judge(bool must_be_new)
{
    adopt_crc(after);
    bool is_new = holds(after);
    if (!is_new && (must_be_new || !holds(before))) {
        breach(must_be_new ? "a committed change is gone" : "a change is partial");
    }
    for (uint32_t policy = 0; policy < POLICIES; policy++) {
        cells_boot((enum policy)policy);
        if (nvm_settle() != NVM_OK || !holds(is_new ? after : before)) {
            breach("a boot without a command changed the state");
        }
    }
    memcpy(before, is_new ? after : before, sizeof before);
}

/** A change that goes through, so that the next one finds what it leaves in the journal. */
static void change_whole(void)
{
    prepare();
    if (nvm_tx_commit() != NVM_OK) {
        breach("a commit failed without wear");
    }
    adopt_crc(after);
    memcpy(before, after, sizeof before);
}

/** One change with a cut in it, or after it, or none; often one without before it. */
static void round_cut(void)
{
    jmp_buf cut;
    static volatile bool done;
    done = false;
    if (cells_random(2) == 0u) {
        change_whole();
    }
    prepare();
    if (setjmp(cut) == 0) {
        cells_cut((long)cells_random(7), moment(), &cut);
        if (nvm_tx_commit() != NVM_OK) {
            breach("a commit failed without wear");
        }
        done = true;
        committed++;
        if (nvm_put(FIRST + USED, after[0]) != NVM_OK) {
            breach("data page");
        }
    } else {
        cuts++;
    }
    boot(cells_random(3));
    judge(done);
}

/** Pages wear out one after the other: what was told must stay readable, now and after a boot. */
static void round_worn(void)
{
    prepare();
    if (cells_random(8) == 0u) {
        cells_wear(cells_random(2) ? 1u + cells_random(3) : FIRST + cells_random(USED), cells_random(512));
    }
    int result = nvm_tx_commit();
    worn += result == NVM_WORN;
    adopt_crc(after);
    if (!holds(result == NVM_OK ? after : before)) {
        breach(result == NVM_OK ? "worn: committed content not readable" : "worn: state changed without commit");
    }
    cells_boot((enum policy)cells_random(POLICIES));
    (void)nvm_settle();
    if (!holds(result == NVM_OK ? after : before)) {
        breach("worn: a boot changed the state");
    }
    memcpy(before, result == NVM_OK ? after : before, sizeof before);
}

static void limits(void)
{
    nvm_tx_begin();
    bool third = nvm_tx_page(4) != NULL && nvm_tx_page(5) != NULL && nvm_tx_page(4) != NULL && nvm_tx_page(6) == NULL;
    refused += third && nvm_tx_commit() == NVM_ERROR;
    nvm_tx_begin();
    refused += nvm_tx_page(NVM_JOURNAL_HEADER) == NULL && nvm_tx_commit() == NVM_ERROR;
    refused += nvm_put(CELLS_PAGES, before[0]) == NVM_ERROR && nvm_erase(CELLS_PAGES) == NVM_ERROR;
    refused += nvm_at(CELLS_PAGES) == NULL && !nvm_page_valid(CELLS_PAGES) && !nvm_page_valid(63) && nvm_page_absent(63);
    if (refused != 4) {
        breach("a limit is not kept");
    }
}

static void fresh(double weak, double spread)
{
    cells_reset(current_seed, weak, spread);
    memset(before, 0xFF, sizeof before);
    if (nvm_settle() != NVM_OK) {
        breach("a fresh EEPROM does not settle");
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        return 2;
    }
    current_seed = strtoull(argv[1], NULL, 10);
    long rounds = strtol(argv[2], NULL, 10);
    double weak = strtod(argv[3], NULL), spread = strtod(argv[4], NULL);
    fresh(weak, spread);
    limits();
    for (current = 0; current < rounds; current++) {
        round_cut();
    }
    for (current = 0; current < rounds; current++) {
        if (current % 40 == 0) {
            current_seed++;
            fresh(weak, spread);
        }
        round_worn();
    }
    printf("committed %ld, cut %ld, cut in recovery %ld, worn %ld\n", committed, cuts, deep, worn);
    return 0;
}
