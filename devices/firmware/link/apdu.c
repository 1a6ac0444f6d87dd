/** Chaining of commands and GET RESPONSE, common to T=0 and T=1 (ISO/IEC 7816-4, 5.3). */
#include "link/apdu.h"

#include "hal/hal.h"
#include "link/link.h"
#include "nvm/nvm.h"

#define SW_OK 0x9000u
#define SW_MORE 0x6100u
#define SW_MEMORY 0x6581u
#define SW_LENGTH 0x6700u
#define SW_CONDITIONS 0x6985u
#define SW_P1P2 0x6A86u
#define INS_GET_RESPONSE 0xC0u
#define CLA_CHAIN 0x10u
/** These class bits must be 0 for bit 4 to mean chaining (secure messaging and logical channels are not known). */
#define CLA_OTHER 0x60u

static struct {
    uint8_t *buf;
    uint16_t capacity;
    /** Bytes of the links before this one, and of this one. */
    uint16_t before;
    uint16_t now;
    uint8_t header[4];
    bool chain;
    bool overflow;
    uint16_t rest_from;
    uint16_t rest;
    uint16_t sw;
} c;

uint16_t apdu_capacity(void)
{
    return c.capacity;
}

void apdu_start(uint8_t *buf, uint16_t capacity)
{
    c.buf = buf;
    c.capacity = capacity;
    apdu_reset();
}

static void drop_chain(void)
{
    c.chain = false;
    c.before = 0;
    c.now = 0;
    c.overflow = false;
}

void apdu_reset(void)
{
    drop_chain();
    c.rest = 0;
}

static bool is_link(void)
{
    return (c.header[0] & CLA_OTHER) == 0u && (c.header[0] & CLA_CHAIN) != 0u;
}

bool apdu_is_get_response(void)
{
    return c.header[0] == 0u && c.header[1] == INS_GET_RESPONSE;
}

void apdu_open(const uint8_t header[4])
{
    bool same = ((header[0] ^ c.header[0]) & (uint8_t)~CLA_CHAIN) == 0u && memcmp(header + 1, c.header + 1, 3) == 0;
    if (!same || !c.chain) {
        drop_chain();
    }
    memcpy(c.header, header, sizeof c.header);
    c.now = 0;
    if (!apdu_is_get_response()) {
        c.rest = 0;
    }
}

bool apdu_fits(uint16_t count)
{
    return (uint32_t)c.before + c.now + count <= c.capacity;
}

void apdu_data(const uint8_t *bytes, uint16_t count)
{
    if (apdu_fits(count) && !c.overflow) {
        if (!apdu_is_get_response()) {
            memcpy(c.buf + c.before + c.now, bytes, count);
        }
        c.now += count;
    } else {
        c.overflow = true;
    }
}

void apdu_refuse(uint16_t sw)
{
    drop_chain();
    if (!apdu_is_get_response()) {
        c.rest = 0;
        c.sw = sw;
    }
}

static uint16_t get_response(void)
{
    if (c.now != 0u) {
        return SW_LENGTH;
    }
    if (c.header[2] != 0u || c.header[3] != 0u) {
        return SW_P1P2;
    }
    return SW_CONDITIONS;
}

/** The command once it is complete. Its frame lies below all the application's: kept small. */
static bool carry_out(enum line_keep keep)
{
    struct apdu a = {
        .cla = c.header[0], .ins = c.header[1], .p1 = c.header[2], .p2 = c.header[3],
        .lc = (uint16_t)(c.before + c.now), .buf = c.buf, .cap = c.capacity, .chained = c.chain,
    };
    drop_chain();
    line_work_begin(keep);
    /* The journal may have failed to settle (a chip with other pages): nothing is carried out then. */
    c.sw = nvm_pages() == 0u ? SW_MEMORY : app_command(&a);
    c.rest_from = 0;
    c.rest = a.out <= c.capacity ? a.out : c.capacity;
    return line_work_end();
}

bool apdu_run(enum line_keep keep)
{
    if (apdu_is_get_response()) {
        if (c.rest == 0u || c.now != 0u || (c.header[2] | c.header[3]) != 0u) {
            c.sw = get_response();
            c.rest = 0;
        }
        return true;
    }
    if (c.overflow) {
        apdu_refuse(SW_LENGTH);
        return true;
    }
    if (is_link()) {
        c.chain = true;
        c.before += c.now;
        c.sw = SW_OK;
        return true;
    }
    return carry_out(keep);
}

uint16_t apdu_rest(void)
{
    return c.rest;
}

struct piece apdu_take(uint16_t le)
{
    struct piece piece = {c.buf + c.rest_from, le < c.rest ? le : c.rest, 0};
    c.rest_from += piece.count;
    c.rest -= piece.count;
    piece.sw = c.rest == 0u ? c.sw : (uint16_t)(SW_MORE | (c.rest < 0x100u ? c.rest : 0u));
    return piece;
}
