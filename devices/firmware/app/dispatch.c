/** Command dispatcher of the backup applet: a table of instruction, parameters, life cycle, PIN, data and step marks (protocol 2.1). */
#include "app.h"
#include "applets.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"

/** What a command demands. */
enum {
    PIN = 1,         /* VERIFY, on an operational card */
    OPERATIONAL = 2, /* life cycle */
    WRITES = 4,      /* leftovers are erased first */
    ISO = 8,         /* class 00 instead of 80 */
    VALUES = 16,     /* 8B must name a value */
    CERTS = 32,      /* 8B must name a certificate */
    KIND = 64,       /* and P1 P2 must fit its kind */
    INNER = 128,     /* its first step is one of the handler */
    USUAL = PIN | OPERATIONAL | WRITES
};
/** Rules for P1 P2. */
enum {
    OWN,      /* the handler looks */
    FIXED,    /* exactly as in the table */
    EMB,      /* P1 embodiment, P2 00 */
    REGISTER, /* embodiment 1 with variant 00, embodiment 2 with variant 01 or 02 */
    KEY_KIND, /* embodiment 2, P2 01 or 02 */
    PHASE,    /* P2 is the phase: `p1` in both embodiments, `p2` (keys) in embodiment 2 */
    LISTS,    /* the same for lists, of all embodiments */
    SETS,     /* P1 one of the embodiments in `p1` (bits), P2 one of those in `p2` (bits), or 00; embodiment 6: or 01, coupled */
    NUMBERED, /* embodiment 11, P2 a number of at least `p2` */
    OWNER     /* P1 08, 09 or 0A, P2 00; P1 03, P2 the variant of a registration or 00 */
};
/** Variants as bits of P2. */
#define VARIANTS (1 << KEY_DECODING | 1 << KEY_COMMON)
/** Forms of the command data. */
enum {
    RAW, NOTHING, ITEM, ITEM_HASH, ITEM_ANY, SAFE_HASH, OBJECT, ITEM_OBJECT, DIVISION,
#if FEATURE_CONDITIONS
    DATE,
#endif
#if FEATURE_OWNER
    ITEM_HASH_OBJECT,
#endif
    FORMS
};

static syntax form_nothing = {0}, form_item = {0x8B, 2, 2, 0}, form_item_hash = {0x8B, 2, 2, 0x95, 1, 1, 0},
              form_item_any = {0x8B, 2, 2, ANY, 2, 4, 0}, form_safe_hash = {0x9A, 8, 8, 0x95, 1, 1, 0},
              form_object = {ANY, 0, 0xFF, 0}, form_item_object = {0x8B, 2, 2, ANY, 0, 0xFF, 0},
              form_division = {0x8B, 2, 2, 0x95, 1, 1, 0xC4, 1, 1, 0xC6, 2, 2, 0};
#if FEATURE_CONDITIONS
static syntax form_date = {0xB0, 4, 4, 0};
#endif
#if FEATURE_OWNER
static syntax form_item_hash_object = {0x8B, 2, 2, 0x95, 1, 1, ANY, 0, 0xFF, 0};
#endif
static const uint8_t *const forms[FORMS] = {
    form_nothing, form_nothing, form_item, form_item_hash, form_item_any, form_safe_hash, form_object, form_item_object,
    form_division,
#if FEATURE_CONDITIONS
    form_date,
#endif
#if FEATURE_OWNER
    form_item_hash_object,
#endif
};

struct command {
    uint8_t ins, rule, p1, p2, needs, form;
    uint8_t mark, key_mark; /* first step: phase * 16 + number; 0: no marks */
    uint16_t (*handler)(struct request *q);
};

static const struct command commands[] = {
    {0x20, FIXED, 0, 1, ISO | OPERATIONAL | WRITES, RAW, 0, 0, cmd_verify},
    {0x24, FIXED, 1, 1, ISO | USUAL, RAW, 0, 0, cmd_change_pin},
    {0xCA, OWN, 0, 0, 0, NOTHING, 0, 0, cmd_get_data},
    {0x10, LISTS, 0, 0, OPERATIONAL | PIN, RAW, 0x11, 0, cmd_list_values},
    {0x12, REGISTER, 0, 0, USUAL | VALUES, ITEM_HASH, 0x15, 0, cmd_register_begin},
    {0x14, PHASE, 1, 3, USUAL, OBJECT, 0x1C, 0x38, cmd_register_end},
    {0x16, LISTS, 2, 4, OPERATIONAL | PIN, RAW, 0x21, 0x41, cmd_list_certificates},
    {0x18, PHASE, 2, 4, USUAL | CERTS | KIND, ITEM, 0x25, 0x45, cmd_recover_begin},
    {0x1A, EMB, 0, 0, USUAL | CERTS | KIND, ITEM_OBJECT, 0x2B, 0, cmd_recover_end},
    {0x1C, KEY_KIND, 0, 0, USUAL, SAFE_HASH, 0x31, 0, cmd_key_register_begin},
    {0x1E, FIXED, 2, 0, USUAL | CERTS, ITEM_OBJECT, 0x4B, 0, cmd_key_recover_end},
#if FEATURE_SEED
    {0x50, FIXED, SEED_EMBODIMENT, 0, USUAL, NOTHING, 0, 0, cmd_generate_seed},
    {0x52, FIXED, SEED_EMBODIMENT, 0, USUAL, SAFE_HASH, 0x11, 0, cmd_key_register_begin},
    {0x54, FIXED, SEED_EMBODIMENT, 0, USUAL, RAW, 0x31, 0, cmd_seed_recover_begin},
    {0x56, FIXED, SEED_EMBODIMENT, 0, USUAL | CERTS | INNER, ITEM_OBJECT, 0x35, 0, cmd_key_recover_end},
#endif
#if FEATURE_CONDITIONS
    {0x5E, FIXED, CONDITIONS_EMBODIMENT, 0, OPERATIONAL | PIN, DATE, 0, 0, cmd_date},
    {0x4A, NUMBERED, 0, 1, PIN | WRITES, RAW, 0, 0, cmd_put_condition},
    {0x4C, NUMBERED, 0, 0, OPERATIONAL | PIN, NOTHING, 0, 0, cmd_get_condition},
    {0x4E, NUMBERED, 0, 0, OPERATIONAL | PIN, RAW, 0x21, 0, cmd_extract},
    {0x5C, FIXED, CONDITIONS_EMBODIMENT, 0, USUAL, RAW, 0x2B, 0, cmd_backup_end},
#endif
#if FEATURE_OWNER
    {INS_PATH_REGISTER, OWNER, 0, 0, USUAL | VALUES, ITEM_HASH_OBJECT, 0x15, 0, cmd_register_begin},
    {INS_PATH_RECOVER, OWNER, 0, 0, USUAL | CERTS | KIND, ITEM_OBJECT, 0x2B, 0, cmd_recover_end},
#endif
    {0x22, FIXED, 0, 0, OPERATIONAL | PIN | CERTS, ITEM, 0, 0, cmd_receipt},
    {0x24, FIXED, 0, 0, USUAL, ITEM, 0, 0, cmd_delete},
    {0x26, FIXED, 0, 0, USUAL, RAW, 0, 0, cmd_cancel},
    {0x28, FIXED, 0, 0, OPERATIONAL | PIN, ITEM, 0, 0, cmd_read},
    {0x2A, FIXED, 0, 0, USUAL | VALUES, ITEM_ANY, 0, 0, cmd_use},
    {0x2C, OWN, 0, 0, OPERATIONAL | PIN, RAW, 0, 0, cmd_list},
    {0x2E, FIXED, 0, 0, OPERATIONAL | WRITES, OBJECT, 0, 0, cmd_load},
    {0x30, FIXED, 0, 0, OPERATIONAL | WRITES | VALUES, ITEM_OBJECT, 0, 0, cmd_correct},
#if FEATURE_PIECES
    {0x32, SETS, 1 << 4, VARIANTS, USUAL | VALUES, DIVISION, 0x15, 0, cmd_divide},
    {0x34, SETS, 1 << 4 | 1 << 6, 0x3E, OPERATIONAL | PIN, OBJECT, 0x18, 0x33, cmd_piece},
    {0x3E, SETS, 1 << 6, VARIANTS | FEATURE_SEED << KEY_SEED, USUAL, RAW, 0x31, 0, cmd_divide_key},
#endif
#if FEATURE_COUPLE
    {0x3C, SETS, 1 << 5, VARIANTS, USUAL, RAW, 0x15, 0, cmd_couple},
#endif
#if FEATURE_COUPLED
    {0x70, SETS, 1 << 6, VARIANTS, USUAL | VALUES, ITEM_ANY, 0x15, 0, cmd_couple_key},
#endif
#if FEATURE_PIECES || FEATURE_COUPLE
    {0x36, SETS, 7 << 4, 0, USUAL, OBJECT, 0x1D, 0x38, cmd_set_end},
    {0x38, SETS, 7 << 4, 0, USUAL | CERTS | KIND, ITEM, 0x25, 0x45, cmd_gather},
    {0x3A, SETS, 7 << 4, 0, USUAL | CERTS | KIND, ITEM_OBJECT, 0x2B, 0x4B, cmd_combine},
#endif
    {0x40, OWN, 0, 0, PIN | WRITES, NOTHING, 0, 0, cmd_generate_key},
#if FEATURE_RENEWAL
    {0x44, FIXED, RENEWAL_EMBODIMENT, KEY_DECODING, USUAL, NOTHING, 0x31, 0, cmd_renew_key},
#endif
    {0x42, OWN, 0, 0, USUAL, NOTHING, 0, 0, cmd_delete_key},
    {0x46, FIXED, 0, 0, 0, NOTHING, 0, 0, cmd_initialise},
    {0xDA, OWN, 0, 0, 0, RAW, 0, 0, cmd_put_data},
    {0x48, FIXED, 0, 0, 0, NOTHING, 0, 0, cmd_issue},
};

/** Step marks of the running command. */
static struct {
    uint8_t embodiment, phase, next;
    uint8_t last; /* step that the end of the command marks, at most */
} mark;

void step(void)
{
    if (mark.next < mark.last) hal_trace_step(mark.embodiment, mark.phase, mark.next++, 0);
}

#if FEATURE_SEED
/** P2 of LIST VALUES, REGISTER BEGIN and REGISTER END in embodiment 7. */
static bool seed_fits(uint8_t ins, uint8_t p2)
{
    if (ins == 0x10) return p2 == 0;
    return p2 == 1 ? ins == 0x12 || ins == 0x14 : ins == 0x14 && p2 == 3;
}
#endif

static bool parameters_fit(const struct command *c, const struct apdu *a)
{
    uint8_t p1 = a->p1, p2 = a->p2;
    if (c->rule == OWN) return true;
    if (FEATURE_TWO_SAFES && KEEPS_APART(p1) && (c->rule != FIXED || c->p1 == 2)) p1 = 2;
    if (c->rule == FIXED) return p1 == c->p1 && p2 == c->p2;
#if FEATURE_SEED
    if (p1 == SEED_EMBODIMENT) return seed_fits(c->ins, p2);
#endif
#if FEATURE_CONDITIONS
    if (c->rule == NUMBERED) return p1 == CONDITIONS_EMBODIMENT && p2 >= c->p2 && p2 != 0xFF;
    /* Values are registered as in embodiment 2. */
    if (p1 == CONDITIONS_EMBODIMENT) return c->ins == 0x12 ? p2 == 1 || p2 == 2 : c->ins == 0x14 && p2 == 1;
#endif
#if FEATURE_PIECES || FEATURE_COUPLE
    if (c->rule == SETS) return p1 < 8 && (c->p1 >> p1 & 1) && (c->p2 ? p2 < 8 && (c->p2 >> p2 & 1) : p2 <= (p1 == 6));
    if (c->rule == LISTS && p1 >= 4 && p1 <= 6) return p2 == c->p1;
#endif
#if FEATURE_OWNER
    if (c->rule == OWNER) {
        if (FEATURE_SEALED && a->p1 == APART_EMBODIMENT && c->ins == INS_PATH_REGISTER) return p2 == 1 || p2 == 2;
        return p2 == 0 && (IS_OWNER(p1) || (FEATURE_SEALED && a->p1 == APART_EMBODIMENT));
    }
    /* Lists, certificates and the beginning of a recovery are those of embodiment 1. */
    if (IS_OWNER(p1) && (c->rule == LISTS || c->rule == PHASE)) p1 = 1;
#endif
    if (p1 != 1 && p1 != 2) return false;
    if (c->rule == LISTS) return p2 == c->p1 || (p1 == 2 && c->p2 && p2 == c->p2);
    if (c->rule == EMB) return p2 == 0;
    if (c->rule == PHASE) return p2 == c->p1 || (p1 == 2 && p2 == c->p2);
    if (p1 == 1) return c->rule == REGISTER && p2 == 0;
    return p2 == 1 || p2 == 2;
}

static uint16_t access_check(const struct command *c)
{
    uint8_t life = card_life();
    if (life == LIFE_UNREADABLE && (c->needs & ~ISO)) return SW_MEMORY;
    if ((c->needs & OPERATIONAL) && life != LIFE_OPERATIONAL) return SW_CONDITIONS;
    if ((c->needs & PIN) && life == LIFE_OPERATIONAL && !pin_verified()) return SW_SECURITY;
    return SW_OK;
}

static void mark_start(const struct command *c, const struct apdu *a)
{
    bool key = c->rule == SETS || c->rule == LISTS ? (a->p1 == 6 && (c->p2 || !a->p2)) || ((a->p1 < 4 || (FEATURE_RENEWAL && a->p1 == RENEWAL_EMBODIMENT)) && a->p2 == c->p2) : a->p2 == c->p2;
    uint8_t first = c->key_mark && key ? c->key_mark : c->mark;
    mark.embodiment = a->p1;
    mark.phase = first >> 4;
    mark.next = first & 15;
    /* Embodiment 2 has one step more before the certificate is handed over. */
    if (first == 0x1C && a->p1 != 1) mark.next++;
    mark.last = 0xFF;
#if FEATURE_CONDITIONS
    if (a->p1 == CONDITIONS_EMBODIMENT && c->rule != NUMBERED && c->rule != FIXED) {
        /* BEGIN: 2-6 and 2-7; END: 2-10. */
        mark.phase = 2;
        mark.next = c->ins == 0x12 ? 6 : 10;
        mark.last = c->ins == 0x12 ? 7 : 10;
    }
#endif
#if FEATURE_SEED
    if (a->p1 != SEED_EMBODIMENT || c->rule == FIXED) return;
    /* Values: one step, 2-1, 2-2 or 2-4, for each command; the certificate of a seed: 1-6 and 1-7. */
    bool seed = a->p2 == 3;
    mark.phase = seed ? 1 : 2;
    mark.next = seed ? 6 : c->ins == 0x10 ? 1 : c->ins == 0x12 ? 2 : 4;
    mark.last = seed ? 7 : mark.next;
#endif
}

/** Moves the data up by LEAD and takes it apart. */
static uint16_t data_take(uint8_t form, struct request *q)
{
    struct apdu *a = q->a;
    if (form == RAW) return SW_OK;
    if (form == NOTHING) return a->lc == 0 ? SW_OK : SW_LENGTH;
    if (a->lc + LEAD > a->cap) return SW_LENGTH;
    memmove(a->buf + LEAD, a->buf, a->lc);
    q->end = a->buf + LEAD + a->lc;
    return fields_take(a->buf + LEAD, q->end, forms[form], q->at) ? SW_OK : SW_DATA;
}

uint8_t kind_of(const struct apdu *a)
{
#if FEATURE_PIECES || FEATURE_COUPLE
    if (a->p1 >= 4 && a->p1 <= 6) return (uint8_t)(a->p1 + 1 + (a->p2 == 1));
#endif
    if (a->p2 == 4) return KIND_KEY;
    return a->p1 == 1 || IS_OWNER(a->p1) ? KIND_PLAIN : KIND_REGISTERED;
}

/** The item that 8B names. */
static uint16_t item_take(uint8_t form, uint8_t needs, struct request *q)
{
    if (forms[form][0] != 0x8B) return SW_OK;
    int slot = index_find(get16(q->at[0]));
    if (slot < 0) return SW_NOT_FOUND;
    q->slot = (uint16_t)slot;
    q->e = index_at(q->slot);
    if ((needs & VALUES) && q->e->cls != CLASS_VALUE) return SW_CONDITIONS;
    if ((needs & CERTS) && q->e->cls != CLASS_CERTIFICATE) return SW_CONDITIONS;
    return (needs & KIND) && KIND_AT(q->e) != kind_of(q->a) ? SW_DATA : SW_OK;
}

uint16_t item_find(struct request *q)
{
    uint16_t sw = data_take(ITEM, q);
    return sw == SW_OK ? item_take(ITEM, 0, q) : sw;
}

static uint16_t carry_out(const struct command *c, struct apdu *a)
{
    struct request q = {.a = a};
    if (!parameters_fit(c, a)) return SW_P1P2;
    mark_start(c, a);
    uint16_t sw = access_check(c);
    if (sw == SW_OK) sw = data_take(c->form, &q);
    if (sw == SW_OK) {
        if (c->mark && c->form != RAW && !(c->needs & INNER) &&
            (!FEATURE_CONDITIONS || a->p1 != CONDITIONS_EMBODIMENT))
            step();
        if (c->needs & WRITES) settle();
        sw = item_take(c->form, c->needs, &q);
    }
    if (sw == SW_OK) sw = c->handler(&q);
#if FAULT_FULL_IS_SUCCESS
    if (sw == SW_ROOM) sw = SW_OK;
#endif
    if (c->mark) hal_trace_step(mark.embodiment, mark.phase, mark.next, sw != SW_OK);
    return sw;
}

uint16_t backup_command(struct apdu *a)
{
    uint16_t sw = a->cla == 0 || a->cla == 0x80 ? SW_INS : SW_CLA;
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (a->cla != (commands[i].needs & ISO ? 0 : 0x80) || commands[i].ins != a->ins) continue;
        sw = carry_out(&commands[i], a);
        break;
    }
    return sw;
}

uint16_t answer_handle(struct apdu *a, uint16_t handle)
{
    a->out = (uint16_t)(tlv_put16(a->buf, 0x8B, handle) - a->buf);
    return SW_OK;
}
