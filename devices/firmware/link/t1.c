/**
 * T=1 (ISO/IEC 7816-3, 11), card side, LRC. The rules named are those of 11.6.3.
 * The card never sends S(IFS request): the ATR has its IFSC. It asks for S(WTX) from interrupts (line.c).
 */
#include "hal/hal.h"
#include "link/link.h"

#define CWT (11u + (1u << LINE_CWI) + 4u)
/** Block guard time 22 etu between leading edges, from a character that is complete after 10. */
#define BLOCK_GAP 13u
#define PROLOGUE 3u
#define IFS_START 32u
#define SW_LENGTH 0x6700u

#define PCB_R 0x80u
#define PCB_S 0xC0u
#define PCB_MORE 0x20u
#define PCB_I_N 0x40u
#define PCB_R_N 0x10u
#define PCB_S_RESPONSE 0x20u
enum { S_RESYNCH = 0xC0, S_IFS = 0xC1, S_ABORT = 0xC2 };
/** Error in an R-block: none, parity or EDC, other. */
enum { R_NONE = 0, R_EDC = 1, R_OTHER = 2 };

static struct {
    /** N(S) of the card's latest I-block, and N(S) expected from the terminal. */
    uint8_t sent;
    uint8_t expected;
    uint8_t ifsd;
    /** Answer as one string: `count` bytes, then the status word; [from, from + size) is the latest I-block. */
    struct piece answer;
    uint16_t from;
    uint16_t size;
    /** The latest I-block may still be asked for. */
    bool pending;
    /** Position within the command that is coming in. */
    uint16_t position;
    uint8_t header[4];
    uint8_t p3;
    uint8_t le;
    bool refused;
} t;

/** One block as received. */
struct block {
    uint8_t pcb;
    uint8_t length;
    const uint8_t *inf;
};

static void forget_command(void)
{
    t.position = 0;
    t.refused = false;
}

static void restart(void)
{
    t.sent = 1;
    t.expected = 0;
    t.ifsd = IFS_START;
    t.pending = false;
    forget_command();
    apdu_reset();
}

/** Byte `i` of answer and status word. */
static uint8_t answer_byte(uint16_t i)
{
    if (i < t.answer.count) {
        return t.answer.bytes[i];
    }
    return (uint8_t)(i == t.answer.count ? t.answer.sw >> 8 : t.answer.sw);
}

static uint8_t send_with(uint8_t byte, uint8_t check)
{
    line_send(byte);
    return check ^ byte;
}

static uint8_t send_prologue(uint8_t pcb, uint8_t length)
{
    line_gap(BLOCK_GAP);
    line_drop();
    line_send(0);
    line_send(pcb);
    line_send(length);
    return pcb ^ length;
}

static void send_short(uint8_t pcb, uint8_t length, uint8_t inf)
{
    uint8_t check = send_prologue(pcb, length);
    if (length != 0u) {
        check = send_with(inf, check);
    }
    line_send(check);
}

static void send_r(uint8_t error)
{
    send_short((uint8_t)(PCB_R | (t.expected != 0u ? PCB_R_N : 0u) | error), 0, 0);
}

/** Sends the I-block [from, ...) with N(S) = sent: anew or again (rule 7). */
static void send_i(void)
{
    uint16_t left = (uint16_t)(t.answer.count + 2u - t.from);
    t.size = left < t.ifsd ? left : t.ifsd;
    uint8_t pcb = (uint8_t)((t.sent != 0u ? PCB_I_N : 0u) | (left > t.size ? PCB_MORE : 0u));
    uint8_t check = send_prologue(pcb, (uint8_t)t.size);
    for (uint16_t i = 0; i < t.size; i++) {
        check = send_with(answer_byte((uint16_t)(t.from + i)), check);
    }
    line_send(check);
    t.pending = true;
}

static bool more_to_send(void)
{
    return t.pending && t.from + t.size < t.answer.count + 2u;
}

static void send_answer(struct piece answer)
{
    t.answer = answer;
    t.from = 0;
    t.sent ^= 1u;
    send_i();
}

/** A block, or the error to report: R_EDC, R_OTHER. After an error the line has been silent for CWT. */
static uint8_t receive(struct block *block)
{
    const uint8_t *bytes = line_block();
    uint8_t check = 0;
    uint8_t error = R_OTHER;
    line_timeout(0);
    (void)line_fill(1);
    line_timeout(CWT);
    if (line_fill(PROLOGUE) && bytes[2] <= link_ifsc() && line_fill((uint16_t)(PROLOGUE + 1u + bytes[2]))) {
        for (uint32_t i = 0; i <= PROLOGUE + (uint32_t)bytes[2]; i++) {
            check ^= bytes[i];
        }
        error = check != 0u || line_bad() ? R_EDC : bytes[0] != 0u ? R_OTHER : R_NONE;
    }
    block->pcb = bytes[1];
    block->length = bytes[2];
    block->inf = bytes + PROLOGUE;
    if (error != R_NONE) {
        line_silence(CWT);
    }
    return error;
}

/** Command bytes of one I-block: header, P3, data, Le. */
static void take_in(const uint8_t *bytes, uint16_t count)
{
    while (count != 0u) {
        if (t.position < 4u) {
            t.header[t.position] = *bytes;
            if (t.position == 3u) {
                apdu_open(t.header);
            }
        } else if (t.position == 4u) {
            t.p3 = *bytes;
        } else {
            uint16_t left = t.position < 5u + t.p3 ? (uint16_t)(5u + t.p3 - t.position) : 0u;
            uint16_t part = left < count ? left : count;
            if (part != 0u) {
                apdu_data(bytes, part);
                bytes += part;
                count -= part;
                t.position += part;
                continue;
            }
            t.refused = t.refused || t.p3 == 0u || t.position > 5u + t.p3;
            t.le = *bytes;
        }
        bytes++;
        count--;
        t.position++;
    }
}

/** The command is complete: cases 1 to 4 by its length. */
static void carry_out(void)
{
    uint16_t position = t.position;
    uint16_t le = 0;
    bool wrong = t.refused || position < 4u || (position > 5u && position < 5u + t.p3);
    forget_command();
    if (wrong) {
        apdu_reset();
        send_answer((struct piece){0, 0, SW_LENGTH});
        return;
    }
    if (position == 5u) {
        le = t.p3 != 0u ? t.p3 : 0x100u;
    } else if (position == 6u + t.p3) {
        le = t.le != 0u ? t.le : 0x100u;
    }
    if (!apdu_run(KEEP_WTX)) {
        restart();
        send_short(S_RESYNCH | PCB_S_RESPONSE, 0, 0);
        return;
    }
    send_answer(apdu_take(le));
}

static void on_i(const struct block *block)
{
    uint8_t number = (block->pcb & PCB_I_N) != 0u;
    if ((block->pcb & 0x1Fu) != 0u || number != t.expected || more_to_send()) {
        send_r(R_OTHER);
        return;
    }
    t.pending = false;
    t.expected ^= 1u;
    take_in(block->inf, block->length);
    if ((block->pcb & PCB_MORE) != 0u) {
        send_r(R_NONE);
    } else {
        carry_out();
    }
}

/** R-block: acknowledges a chained I-block (rule 2.2), or asks for the latest again (rule 7). */
static void on_r(const struct block *block)
{
    uint8_t number = (block->pcb & PCB_R_N) != 0u;
    if (block->length != 0u || (block->pcb & 0x2Cu) != 0u) {
        send_r(R_OTHER);
    } else if (t.pending && number == t.sent) {
        send_i();
    } else if (more_to_send()) {
        t.from += t.size;
        t.sent ^= 1u;
        send_i();
    } else {
        send_r(R_NONE);
    }
}

static void on_s(const struct block *block)
{
    uint8_t pcb = block->pcb;
    if (pcb == S_RESYNCH && block->length == 0u) {
        restart();
    } else if (pcb == S_IFS && block->length == 1u && block->inf[0] != 0u && block->inf[0] != 0xFFu) {
        t.ifsd = block->inf[0];
    } else if (pcb == S_ABORT && block->length == 0u) {
        forget_command();
        t.pending = false;
        apdu_reset();
    } else {
        send_r(R_OTHER);
        return;
    }
    send_short(pcb | PCB_S_RESPONSE, block->length, block->inf[0]);
}

_Noreturn void t1_serve(void)
{
    struct block block;
    restart();
    line_drop();
    for (;;) {
        uint8_t error = receive(&block);
        if (error != R_NONE) {
            send_r(error);
        } else if ((block.pcb & PCB_R) == 0u) {
            on_i(&block);
        } else if ((block.pcb & PCB_S) == PCB_R) {
            on_r(&block);
        } else {
            on_s(&block);
        }
    }
}
