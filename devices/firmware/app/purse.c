/** Purse applet: command dispatcher and step marks (docs/purse.md 2 and 3.2). */
#include "features.h"

#if FEATURE_PURSE
#include "purse.h"

#include <string.h>

#include "applets.h"
#include "hal/hal.h"

struct purse_work *purse;

#if FAULT_PURSE_DEBIT_LATE
uint16_t purse_debit_late(void);
void purse_debit_forget(void);
#endif

/** Rules for P1 P2. */
enum { ANY_P, ZERO, EMBODIMENT, ALTERNATIVE, SECOND };
/** Life cycles, as bits. */
enum { BLANK = 1 << LIFE_BLANK, INITIALISED = 1 << LIFE_INITIALISED, OPERATIONAL = 1 << LIFE_OPERATIONAL, NO_DATA = 8 };

struct purse_command {
    uint8_t ins, rule, needs, first; /* first step, 0: no marks */
    uint16_t (*handler)(struct apdu *a);
};

static const struct purse_command commands[] = {
    {0xCA, ANY_P, BLANK | INITIALISED | OPERATIONAL | NO_DATA, 0, purse_get_data},
    {0xDA, ANY_P, INITIALISED, 0, purse_put_data},
    {0x46, ZERO, BLANK | INITIALISED | NO_DATA, 0, purse_initialise},
    {0x40, ZERO, INITIALISED | NO_DATA, 0, purse_generate},
    {0x48, ZERO, INITIALISED | NO_DATA, 0, purse_activate},
    {0x70, ZERO, OPERATIONAL, 0, purse_load},
    {0x72, ALTERNATIVE, OPERATIONAL, 1, purse_ask},
    {0x74, EMBODIMENT, OPERATIONAL, 1, purse_pay},
    {0x76, EMBODIMENT, OPERATIONAL, 2, purse_receive},
    {0x78, SECOND, OPERATIONAL, STEP_3B, purse_accept},
    {0x7A, ZERO, OPERATIONAL, 0, purse_log},
    {0x7C, ZERO, OPERATIONAL, 0, purse_log_taken},
    {0x7E, ZERO, OPERATIONAL, 0, purse_drop},
};

/** The running command's marks. */
static struct {
    uint8_t embodiment, step;
} mark;

static void mark_now(bool refused)
{
    if (mark.step) hal_trace_step(mark.embodiment, 'P', mark.step, refused);
}

void purse_step(uint8_t next)
{
    mark_now(false);
    mark.step = next;
}

static bool parameters_fit(uint8_t rule, const struct apdu *a)
{
    if (rule == ANY_P) return true;
    if (rule == ZERO) return (a->p1 | a->p2) == 0;
    if (rule == SECOND) return a->p1 == 2 && a->p2 == 0;
    if (a->p1 != 1 && a->p1 != 2) return false;
    return rule == ALTERNATIVE ? a->p2 >= 1 && a->p2 <= 4 : a->p2 == 0;
}

static uint16_t access_check(const struct purse_command *c, const struct apdu *a)
{
    uint8_t life = purse_life();
    if (a->cap < PURSE_BUFFER) return SW_LENGTH;
    if (life == LIFE_UNREADABLE) return SW_MEMORY;
    if (!(c->needs >> life & 1)) return SW_CONDITIONS;
    return (c->needs & NO_DATA) && a->lc != 0 ? SW_LENGTH : SW_OK;
}

static uint16_t carry_out(const struct purse_command *c, struct apdu *a)
{
    if (!parameters_fit(c->rule, a)) return SW_P1P2;
    mark.embodiment = a->p1;
    mark.step = c->first;
    purse = (struct purse_work *)(a->buf + PURSE_WORK);
    uint16_t sw = access_check(c, a);
    if (sw == SW_OK) sw = c->handler(a);
    mark_now(sw != SW_OK);
    return sw;
}

uint16_t purse_command(struct apdu *a)
{
    if (a->cla != 0x80) return a->cla == 0 ? SW_INS : SW_CLA;
#if FAULT_PURSE_DEBIT_LATE
    uint16_t late = purse_debit_late();
    if (late != SW_OK) return late;
#endif
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++)
        if (commands[i].ins == a->ins) return carry_out(&commands[i], a);
    return SW_INS;
}

void purse_forget(void)
{
    purse_unprepare();
#if FAULT_PURSE_DEBIT_LATE
    purse_debit_forget();
#endif
}
#endif
