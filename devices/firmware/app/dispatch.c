/** Command dispatcher: one table of class, instruction, parameters, life cycle, PIN and step marks (docs/protocol.md 2.1). */
#include "app.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"

/** What a command demands. */
enum {
    NEED_PIN = 1,         /* VERIFY, on an operational card */
    NEED_OPERATIONAL = 2, /* life cycle */
    WRITES = 4,           /* leftovers are erased first */
    MARKS = 8             /* protocol command: P1 is the embodiment, steps are marked */
};
/** Rules for P1 P2. */
enum {
    ANY_P1P2, /* the handler looks */
    FIXED,    /* exactly as in the table */
    EMB,      /* P1 embodiment, P2 00 */
    REGISTER, /* embodiment 1 with variant 00, embodiment 2 with variant 01 or 02 */
    KEY_KIND  /* embodiment 2, P2 01 or 02 */
};
/** P2 is the phase: the first one from `p2`, or the key phase from `key_phase` (embodiment 2 only). */
#define PHASE 5

struct command {
    uint8_t cla, ins, rule, p1, p2, needs;
    uint8_t phase, first, key_first; /* step marks: phase and number of the first step */
    uint16_t (*handler)(struct apdu *a);
};

static uint16_t cmd_select(struct apdu *a);

static const struct command commands[] = {
    {0x00, 0xA4, FIXED, 4, 0, 0, 0, 0, 0, cmd_select},
    {0x00, 0x20, FIXED, 0, 1, NEED_OPERATIONAL, 0, 0, 0, cmd_verify},
    {0x00, 0x24, FIXED, 1, 1, NEED_OPERATIONAL | NEED_PIN | WRITES, 0, 0, 0, cmd_change_pin},
    {0x80, 0xCA, ANY_P1P2, 0, 0, 0, 0, 0, 0, cmd_get_data},
    {0x80, 0x10, EMB, 0, 0, NEED_OPERATIONAL | NEED_PIN | MARKS, 1, 1, 0, cmd_list_values},
    {0x80, 0x12, REGISTER, 0, 0, NEED_OPERATIONAL | NEED_PIN | WRITES | MARKS, 1, 5, 0, cmd_register_begin},
    {0x80, 0x14, PHASE, 1, 3, NEED_OPERATIONAL | NEED_PIN | WRITES | MARKS, 1, 12, 8, cmd_register_end},
    {0x80, 0x16, PHASE, 2, 4, NEED_OPERATIONAL | NEED_PIN | MARKS, 2, 1, 1, cmd_list_certificates},
    {0x80, 0x18, PHASE, 2, 4, NEED_OPERATIONAL | NEED_PIN | WRITES | MARKS, 2, 5, 5, cmd_recover_begin},
    {0x80, 0x1A, EMB, 0, 0, NEED_OPERATIONAL | NEED_PIN | WRITES | MARKS, 2, 11, 0, cmd_recover_end},
    {0x80, 0x1C, KEY_KIND, 0, 0, NEED_OPERATIONAL | NEED_PIN | WRITES | MARKS, 3, 1, 0, cmd_key_register_begin},
    {0x80, 0x1E, FIXED, 2, 0, NEED_OPERATIONAL | NEED_PIN | WRITES | MARKS, 4, 11, 0, cmd_key_recover_end},
    {0x80, 0x22, FIXED, 0, 0, NEED_OPERATIONAL | NEED_PIN, 0, 0, 0, cmd_receipt},
    {0x80, 0x24, FIXED, 0, 0, NEED_OPERATIONAL | NEED_PIN | WRITES, 0, 0, 0, cmd_delete},
    {0x80, 0x26, FIXED, 0, 0, NEED_OPERATIONAL | NEED_PIN | WRITES, 0, 0, 0, cmd_cancel},
    {0x80, 0x28, FIXED, 0, 0, NEED_OPERATIONAL | NEED_PIN, 0, 0, 0, cmd_read},
    {0x80, 0x2A, FIXED, 0, 0, NEED_OPERATIONAL | NEED_PIN | WRITES, 0, 0, 0, cmd_use},
    {0x80, 0x2C, ANY_P1P2, 0, 0, NEED_OPERATIONAL | NEED_PIN, 0, 0, 0, cmd_list},
    {0x80, 0x2E, FIXED, 0, 0, NEED_OPERATIONAL | WRITES, 0, 0, 0, cmd_load},
    {0x80, 0x30, FIXED, 0, 0, NEED_OPERATIONAL | WRITES, 0, 0, 0, cmd_correct},
    {0x80, 0x40, ANY_P1P2, 0, 0, NEED_PIN | WRITES, 0, 0, 0, cmd_generate_key},
    {0x80, 0x42, ANY_P1P2, 0, 0, NEED_OPERATIONAL | NEED_PIN | WRITES, 0, 0, 0, cmd_delete_key},
    {0x80, 0x46, FIXED, 0, 0, 0, 0, 0, 0, cmd_initialise},
    {0x80, 0xDA, ANY_P1P2, 0, 0, 0, 0, 0, 0, cmd_put_data},
    {0x80, 0x48, FIXED, 0, 0, 0, 0, 0, 0, cmd_issue},
};

/** Step marks of the running command. */
static struct {
    uint8_t embodiment, phase, next;
} mark;

void step(void)
{
    hal_trace_step(mark.embodiment, mark.phase, mark.next++, 0);
}

static bool parameters_fit(const struct command *c, const struct apdu *a)
{
    bool embodiment = a->p1 == 1 || a->p1 == 2;
    switch (c->rule) {
    case FIXED:
        return a->p1 == c->p1 && a->p2 == c->p2;
    case EMB:
        return embodiment && a->p2 == 0;
    case REGISTER:
        return (a->p1 == 1 && a->p2 == 0) || (a->p1 == 2 && (a->p2 == 1 || a->p2 == 2));
    case KEY_KIND:
        return a->p1 == 2 && (a->p2 == 1 || a->p2 == 2);
    case PHASE:
        return (embodiment && a->p2 == c->p1) || (a->p1 == 2 && a->p2 == c->p2);
    default:
        return true;
    }
}

static uint16_t access_check(const struct command *c)
{
    uint8_t life = card_life();
    if (life == LIFE_UNREADABLE && c->needs) return SW_MEMORY;
    if ((c->needs & NEED_OPERATIONAL) && life != LIFE_OPERATIONAL) return SW_CONDITIONS;
    if ((c->needs & NEED_PIN) && life == LIFE_OPERATIONAL && !pin_verified()) return SW_SECURITY;
    return SW_OK;
}

static void mark_start(const struct command *c, const struct apdu *a)
{
    bool key = c->rule == PHASE && a->p2 == c->p2;
    mark.embodiment = a->p1;
    mark.phase = key ? c->p2 : c->phase;
    mark.next = key ? c->key_first : c->first;
    if (c->handler == cmd_register_end && a->p1 == 2 && !key) mark.next++;
}

static uint16_t run(const struct command *c, struct apdu *a)
{
    if (!parameters_fit(c, a)) return SW_P1P2;
    if (c->needs & MARKS) mark_start(c, a);
    uint16_t sw = access_check(c);
    if (sw == SW_OK) {
        if (c->needs & WRITES) settle();
        sw = c->handler(a);
    }
    if (sw != SW_OK) a->out = 0;
    if (c->needs & MARKS) hal_trace_step(mark.embodiment, mark.phase, mark.next, sw != SW_OK);
    return sw;
}

uint16_t app_command(struct apdu *a)
{
    bool known = false;
    a->out = 0;
    running_ins = a->ins;
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (commands[i].cla == a->cla) known = true;
        if (commands[i].cla != a->cla || commands[i].ins != a->ins) continue;
        uint16_t sw = run(&commands[i], a);
        if (a->out < a->cap) crypto_wipe(a->buf + a->out, (size_t)(a->cap - a->out));
        return sw;
    }
    return known ? SW_INS : SW_CLA;
}

void app_boot(void)
{
    pin_reset();
    store_boot();
}

static uint16_t cmd_select(struct apdu *a)
{
    static const uint8_t aid[] = {0xF0, 0x43, 0x41, 0x52, 0x44, 0x42, 0x45, 0x4E, 0x43, 0x48};
    if (a->lc != sizeof aid || memcmp(a->buf, aid, sizeof aid) != 0) return SW_NOT_FOUND;
    pin_reset();
    uint8_t *p = tlv_head(a->buf, 0x6F, tlv_size(sizeof aid));
    a->out = (uint16_t)(tlv_put(p, 0x84, aid, sizeof aid) - a->buf);
    return SW_OK;
}

void data_cursor(const struct apdu *a, struct cursor *c)
{
    c->at = a->buf;
    c->end = a->buf + a->lc;
}

uint16_t data_lift(struct apdu *a, struct cursor *c)
{
    if (a->lc + LEAD > a->cap) return SW_LENGTH;
    memmove(a->buf + LEAD, a->buf, a->lc);
    c->at = a->buf + LEAD;
    c->end = c->at + a->lc;
    return SW_OK;
}

uint16_t answer_handle(struct apdu *a, uint16_t handle)
{
    a->out = (uint16_t)(tlv_put16(a->buf, 0x8B, handle) - a->buf);
    return SW_OK;
}

uint16_t item_take(struct cursor *c, uint16_t *slot)
{
    uint8_t *p = tlv_fixed(c, 0x8B, 2);
    if (!p) return SW_DATA;
    int found = index_find(get16(p));
    *slot = (uint16_t)found;
    return found < 0 ? SW_NOT_FOUND : SW_OK;
}
