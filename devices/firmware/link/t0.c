/** T=0 (ISO/IEC 7816-3, 10), card side. */
#include "hal/hal.h"
#include "link/link.h"

/** WI = 10: waiting time 960 * WI * D etu (10.2); so long a gap within a command ends it. D is at most 16. */
#define WAITING_TIME (960u * 10u * 16u)
/** Leading edges in opposite directions are at least 16 etu apart. */
#define TURNAROUND 6u
#define INS_GET_DATA 0xCAu
#define SW_LENGTH 0x6700u
#define SW_INS 0x6D00u
#define SW_WRONG_LE 0x6C00u

/** Reads `count` bytes; false when the terminal stopped in between. */
static bool read_bytes(uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int byte = line_get();
        if (byte < 0) {
            return false;
        }
        bytes[i] = (uint8_t)byte;
    }
    return true;
}

static bool read_header(uint8_t header[5])
{
    line_timeout(0);
    if (!read_bytes(header, 1)) {
        return false;
    }
    line_timeout(WAITING_TIME);
    return read_bytes(header + 1, 4);
}

static void send_sw(uint16_t sw)
{
    line_gap(TURNAROUND);
    line_send((uint8_t)(sw >> 8));
    line_send((uint8_t)sw);
}

/** Procedure byte INS: all data in one go. */
static void acknowledge(uint8_t ins)
{
    line_gap(TURNAROUND);
    line_send(ins);
}

static bool read_data(uint8_t count)
{
    uint8_t byte;
    for (uint32_t i = 0; i < count; i++) {
        if (!read_bytes(&byte, 1)) {
            return false;
        }
        apdu_data(&byte, 1);
    }
    return true;
}

/** Sends `le` bytes of the answer, or 6Cxx with the right number. True: the answer is kept for that. */
static bool send_answer(uint8_t ins, uint16_t le)
{
    uint16_t rest = apdu_rest();
    if (le > rest && rest != 0u) {
        send_sw((uint16_t)(SW_WRONG_LE | rest));
        return true;
    }
    struct piece piece = apdu_take(le);
    if (piece.count != 0u) {
        acknowledge(ins);
    }
    for (uint32_t i = 0; i < piece.count; i++) {
        line_send(piece.bytes[i]);
    }
    send_sw(piece.sw);
    return false;
}

/** INS values that a procedure byte cannot acknowledge (10.3.2). */
static bool is_ins(uint8_t ins)
{
    return (ins & 0xF0u) != 0x60u && (ins & 0xF0u) != 0x90u;
}

/** One command. True: its answer is held for the same header with the Le of 6Cxx. */
static bool command(const uint8_t header[5])
{
    uint8_t ins = header[1];
    uint8_t p3 = header[4];
    apdu_open(header);
    if (!is_ins(ins)) {
        apdu_refuse(SW_INS);
        send_sw(SW_INS);
        return false;
    }
    bool outgoing = apdu_is_get_response() || ins == INS_GET_DATA;
    if (!outgoing && p3 != 0u) {
        if (!apdu_fits(p3)) {
            apdu_refuse(SW_LENGTH);
            send_sw(SW_LENGTH);
            return false;
        }
        acknowledge(ins);
        if (!read_data(p3)) {
            apdu_reset();
            return false;
        }
    }
    (void)apdu_run(KEEP_NULL);
    if (!outgoing && p3 != 0u) {
        send_sw(apdu_take(0).sw);
        return false;
    }
    return send_answer(ins, p3 != 0u ? p3 : 0x100u);
}

_Noreturn void t0_serve(void)
{
    uint8_t header[5];
    uint8_t held[4];
    bool holding = false;
    for (;;) {
        if (!read_header(header)) {
            line_drop();
            continue;
        }
        if (holding && memcmp(header, held, sizeof held) == 0 && header[4] != 0u) {
            holding = send_answer(header[1], header[4]);
            continue;
        }
        memcpy(held, header, sizeof held);
        holding = command(header);
    }
}
