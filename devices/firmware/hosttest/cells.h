/** A torn-write model of the EEPROM for host tests: the fake behind hal/eeprom.h. */
#ifndef CELLS_H
#define CELLS_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#define CELLS_PAGES 64u

/** How a weak cell reads. FLIP: the first read of a boot gives the new value, later ones the old. */
enum policy { READ_NEW, READ_OLD, READ_ZERO, READ_ONE, READ_RANDOM, READ_FLIP, POLICIES };

/** Everything back to erased, solid, unworn. `weak` is the half width of the weak zone, `spread` of the moments. */
void cells_reset(uint64_t seed, double weak, double spread);
/** Power comes on; weak cells read by `policy` from now on. */
void cells_boot(enum policy policy);
/** Power goes in operation `operation` (0 = the next) at the part `at` (0 to 1) of it, by longjmp to `where`; -1 = never. */
void cells_cut(long operation, double at, jmp_buf *where);
/** Operations since cells_boot(). */
long cells_operations(void);
/** One cell of the page keeps its value from now on. */
void cells_wear(uint32_t page, uint32_t bit);
/** A pseudo-random number below `bound`. */
uint32_t cells_random(uint32_t bound);

#endif
