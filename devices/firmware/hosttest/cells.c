#include "hosttest/cells.h"

#include <math.h>
#include <string.h>

#include "hal/eeprom.h"
#include "hal/hal.h"

#define BITS (8u * 64u)
#define MEAN 0.3

enum kind { SOLID, WEAK };

struct cell {
    uint8_t kind;
    uint8_t old;
    uint8_t now;
    uint8_t stuck;
};

static struct cell cells[CELLS_PAGES][BITS];
static uint8_t view[CELLS_PAGES * 64u];
static bool unsteady[CELLS_PAGES];
static uint64_t state;
static double width, deviation;
static enum policy reading;
static long operations, cut_operation, reads;
static double cut_at;
static jmp_buf *cut_where;

static uint64_t next(void)
{
    state += 0x9E3779B97F4A7C15u;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint32_t cells_random(uint32_t bound)
{
    return (uint32_t)(next() % bound);
}

static double gaussian(void)
{
    double u = ((double)(next() >> 11) + 1.0) / 9007199254740993.0;
    double v = (double)(next() >> 11) / 9007199254740992.0;
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void cells_reset(uint64_t seed, double weak, double spread)
{
    state = seed;
    width = weak;
    deviation = spread;
    for (uint32_t page = 0; page < CELLS_PAGES; page++) {
        for (uint32_t bit = 0; bit < BITS; bit++) {
            cells[page][bit] = (struct cell){SOLID, 1, 1, 0};
        }
        unsteady[page] = true;
    }
    cells_boot(READ_NEW);
}

void cells_boot(enum policy policy)
{
    reading = policy;
    operations = 0;
    reads = 0;
    cut_operation = -1;
}

void cells_cut(long operation, double at, jmp_buf *where)
{
    cut_operation = operation < 0 ? -1 : operations + operation;
    cut_at = at;
    cut_where = where;
}

long cells_operations(void)
{
    return operations;
}

void cells_wear(uint32_t page, uint32_t bit)
{
    cells[page][bit].stuck = 1;
}

static uint8_t read_cell(const struct cell *cell)
{
    if (cell->kind == SOLID) {
        return cell->now;
    }
    switch (reading) {
    case READ_OLD:
        return cell->old;
    case READ_ZERO:
        return 0;
    case READ_ONE:
        return 1;
    case READ_RANDOM:
        return (uint8_t)(next() >> 63);
    case READ_FLIP:
        return reads == 1 ? cell->now : cell->old;
    default:
        return cell->now;
    }
}

/** Reads a page into the view; notes whether the next reading may differ. */
static void read_page(uint32_t page)
{
    memset(view + 64u * page, 0, 64);
    unsteady[page] = false;
    for (uint32_t bit = 0; bit < BITS; bit++) {
        view[64u * page + bit / 8u] |= (uint8_t)(read_cell(&cells[page][bit]) << (bit % 8u));
        unsteady[page] |= cells[page][bit].kind == WEAK;
    }
}

const uint8_t *eeprom_window(void)
{
    reads++;
    for (uint32_t page = 0; page < CELLS_PAGES; page++) {
        if (unsteady[page]) {
            read_page(page);
        }
    }
    return view;
}

uint32_t eeprom_page_size(void)
{
    return 64;
}

uint32_t hal_eeprom_size(void)
{
    return 64u * CELLS_PAGES;
}

void eeprom_wait(void)
{
}

/** Moves one cell towards `value`; `time` in parts of the phase, above 1 = the phase ends. */
static void drive(struct cell *cell, uint8_t value, double time)
{
    bool solid = cell->kind == SOLID;
    if (cell->stuck || (solid && cell->now == value)) {
        return;
    }
    double moment = MEAN * exp(deviation * gaussian());
    if (time > 1.0 || time > moment * (1.0 + width)) {
        *cell = (struct cell){SOLID, value, value, 0};
    } else if (time > moment * (1.0 - width)) {
        *cell = (struct cell){WEAK, solid ? cell->now : cell->old, value, 0};
    }
}

static void phase(uint32_t page, const uint8_t *data, double time)
{
    for (uint32_t bit = 0; bit < BITS; bit++) {
        if (data == NULL) {
            drive(&cells[page][bit], 1, time);
        } else if ((data[bit / 8u] >> (bit % 8u) & 1u) == 0u) {
            drive(&cells[page][bit], 0, time);
        }
    }
}

/** An operation of one or two phases; `cut_at` counts over both. */
static int run(uint32_t page, const uint8_t *data, bool erase)
{
    uint8_t wanted[64];
    bool cut = operations++ == cut_operation;
    double phases = erase && data != NULL ? 2.0 : 1.0;
    double time = cut ? cut_at * phases : 9.0;
    memset(wanted, 0xFF, sizeof wanted);
    if (data != NULL) {
        memcpy(wanted, data, sizeof wanted);
    }
    if (erase) {
        phase(page, NULL, time >= 1.0 ? 9.0 : time);
        time -= 1.0;
    }
    if (data != NULL && time >= 0.0) {
        phase(page, wanted, time);
    }
    unsteady[page] = true;
    if (cut) {
        longjmp(*cut_where, 1);
    }
    return memcmp(eeprom_window() + 64u * page, wanted, sizeof wanted) != 0;
}

int eeprom_write(uint32_t page, const uint8_t *data)
{
    return run(page, data, true);
}

int eeprom_program(uint32_t page, const uint8_t *data)
{
    return run(page, data, false);
}
