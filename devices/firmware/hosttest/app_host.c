/**
 * The application on the development machine: memory in a file, commands on standard input.
 *
 * usage: app_host FILE PAGES RAM
 * A line is one of
 *   HEX          a command: CLA INS P1 P2 and data of any length (no Lc); answered by
 *                {"answer":"HEX","sw":"HEX","steps":["embodiment:a-b:outcome",...],"ops":memory operations}
 *   reset        power off and on
 *   cut N        power goes in the middle of the N-th memory operation from here (0: the next one); the command
 *                in progress is answered by {"cut":true} and the card is on again
 *   wear PAGE    that page can no longer be written
 *   seed N       the random numbers from here on are others than those of cards with another N
 *   fill BYTE    the byte found in pages that a cut left half written (default A5)
 * Memory operations: a data page written or erased, a change of one or two pages committed. A cut in a commit
 * leaves the old state when N counts it the first time and the new one when power goes behind it (N + 1).
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "hal/hal.h"
#include "link/apdu.h"
#include "nvm/nvm.h"

/** Longest command and answer, as on chips with 2 KB of RAM and with more. */
#define CAPACITY_SMALL 640
#define CAPACITY 2048
#define MAX_PAGES 8192

static uint8_t *memory;
static uint16_t pages;
static uint32_t ram;
static long cut_in = -1;
static unsigned ops;
static uint8_t half = 0xA5;
static uint8_t worn[MAX_PAGES];
static jmp_buf power;
static char steps[4096];

/* ---- hal ---- */

uint32_t hal_ram_size(void) { return ram; }
uint32_t hal_eeprom_size(void) { return pages * NVM_PAGE; }
void hal_trace_step(uint8_t embodiment, uint8_t a, uint8_t b, uint8_t outcome)
{
    size_t n = strlen(steps);
    snprintf(steps + n, sizeof steps - n, "%s\"%u:%u-%u:%u\"", n ? "," : "", embodiment, a, b, outcome);
}
static uint32_t counter;
/** Repeatable numbers: SHA-256 of a counter. */
void hal_random(uint8_t *out, size_t length)
{
    uint8_t block[32];
    while (length > 0) {
        size_t n = length < 32 ? length : 32;
        counter++;
        (void)crypto_sha256(&counter, sizeof counter, block);
        memcpy(out, block, n);
        out += n;
        length -= n;
    }
}

/* ---- nvm ---- */

static uint8_t image[2][NVM_PAGE];
static uint16_t target[2];
static unsigned count;
static int broken;

/** True when power goes during this operation. */
static int operation(void)
{
    ops++;
    if (cut_in < 0) return 0;
    return cut_in-- == 0;
}

uint16_t nvm_pages(void) { return pages; }
const uint8_t *nvm_at(uint16_t page) { return page < pages ? memory + page * NVM_PAGE : NULL; }
bool nvm_page_valid(uint16_t page)
{
    const uint8_t *p = nvm_at(page);
    uint32_t crc;
    memcpy(&crc, p + NVM_CRC, 4);
    return crc == crypto_crc32(CRYPTO_CRC32_START, p, NVM_CRC);
}
bool nvm_page_absent(uint16_t page)
{
    for (unsigned i = 0; i < NVM_PAGE; i++)
        if (nvm_at(page)[i] != 0xFF) return false;
    return true;
}
static int write_page(uint16_t page, const uint8_t *data)
{
    uint8_t copy[NVM_PAGE];
    memcpy(copy, data, NVM_PAGE);
    if (page >= pages) return NVM_ERROR;
    if (operation()) {
        memset(memory + page * NVM_PAGE, half, NVM_PAGE);
        longjmp(power, 1);
    }
    if (worn[page]) return NVM_WORN;
    memcpy(memory + page * NVM_PAGE, copy, NVM_PAGE);
    return NVM_OK;
}
int nvm_put(uint16_t page, const uint8_t data[NVM_PAGE]) { return write_page(page, data); }
int nvm_erase(uint16_t page)
{
    uint8_t blank[NVM_PAGE];
    memset(blank, 0xFF, sizeof blank);
    return write_page(page, blank);
}
void nvm_tx_begin(void)
{
    count = 0;
    broken = 0;
}
uint8_t *nvm_tx_page(uint16_t page)
{
    for (unsigned i = 0; i < count; i++)
        if (target[i] == page) return image[i];
    if (count == 2 || page >= pages) {
        broken = 1;
        return NULL;
    }
    target[count] = page;
    memcpy(image[count], nvm_at(page), NVM_PAGE);
    if (nvm_page_absent(page)) memset(image[count], 0, NVM_PAGE);
    return image[count++];
}
static uint8_t erased[MAX_PAGES];
void nvm_tx_erase(uint16_t page)
{
    if (nvm_tx_page(page)) erased[page] = 1;
}
int nvm_tx_commit(void)
{
    if (broken || count == 0) {
        fprintf(stderr, "bad change\n");
        abort();
    }
    if (operation()) longjmp(power, 1);
    for (unsigned i = 0; i < count; i++)
        if (worn[target[i]]) return NVM_WORN;
    for (unsigned i = 0; i < count; i++) {
        uint32_t crc = crypto_crc32(CRYPTO_CRC32_START, image[i], NVM_CRC);
        memcpy(image[i] + NVM_CRC, &crc, 4);
        if (erased[target[i]]) memset(image[i], 0xFF, NVM_PAGE);
        erased[target[i]] = 0;
        memcpy(memory + target[i] * NVM_PAGE, image[i], NVM_PAGE);
    }
    count = 0;
    return NVM_OK;
}

/* ---- commands ---- */

static int nibble(int c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

static int unhex(const char *text, uint8_t *out, int limit)
{
    int n = 0;
    while (nibble(text[0]) >= 0 && nibble(text[1]) >= 0 && n < limit) {
        out[n++] = (uint8_t)(nibble(text[0]) << 4 | nibble(text[1]));
        text += 2;
    }
    return n;
}

static void command(const char *line)
{
    static uint8_t raw[4 + CAPACITY], buf[CAPACITY];
    int n = unhex(line, raw, ram > 2048 ? (int)sizeof raw : 4 + CAPACITY_SMALL);
    uint16_t capacity = ram > 2048 ? CAPACITY : CAPACITY_SMALL;
    struct apdu a = {raw[0], raw[1], raw[2], raw[3], (uint16_t)(n - 4), buf, capacity, 0, false};
    steps[0] = 0;
    ops = 0;
    memcpy(buf, raw + 4, (size_t)n - 4);
    for (unsigned i = 0; i < MAX_PAGES; i++) erased[i] = 0;
    if (setjmp(power)) {
        cut_in = -1;
        app_boot();
        printf("{\"cut\":true,\"steps\":[%s]}\n", steps);
        return;
    }
    uint16_t sw = app_command(&a);
    printf("{\"answer\":\"");
    for (unsigned i = 0; i < a.out; i++) printf("%02X", buf[i]);
    printf("\",\"sw\":\"%04X\",\"steps\":[%s],\"ops\":%u}\n", sw, steps, ops);
}

static int map_file(const char *name)
{
    int f = open(name, O_RDWR | O_CREAT, 0644);
    off_t size = (off_t)pages * NVM_PAGE, old = lseek(f, 0, SEEK_END);
    if (f < 0 || ftruncate(f, size) != 0) return 0;
    memory = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
    if (memory == MAP_FAILED) return 0;
    if (old < size) memset(memory + old, 0xFF, (size_t)(size - old));
    return 1;
}

int main(int argc, char **argv)
{
    static char line[4096];
    if (argc != 4) return 2;
    pages = (uint16_t)atoi(argv[2]);
    ram = (uint32_t)atoi(argv[3]);
    if (!map_file(argv[1])) return 1;
    crypto_init(false);
    app_boot();
    while (fgets(line, sizeof line, stdin)) {
        if (strncmp(line, "reset", 5) == 0) {
            app_boot();
            printf("{\"reset\":true}\n");
        } else if (strncmp(line, "cut ", 4) == 0) {
            cut_in = atol(line + 4);
            printf("{\"armed\":true}\n");
        } else if (strncmp(line, "wear ", 5) == 0) {
            worn[atoi(line + 5)] = 1;
            printf("{\"worn\":true}\n");
        } else if (strncmp(line, "seed ", 5) == 0) {
            counter = (uint32_t)atol(line + 5) << 20;
            printf("{\"seed\":true}\n");
        } else if (strncmp(line, "fill ", 5) == 0) {
            half = (uint8_t)strtol(line + 5, NULL, 16);
            printf("{\"fill\":true}\n");
        } else {
            command(line);
        }
        fflush(stdout);
    }
    return 0;
}
