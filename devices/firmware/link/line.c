#include "link/line.h"

#include "hal/chip.h"
#include "hal/cpu.h"
#include "hal/hal.h"

/** Half of the waiting time for T=0 (WI = 10, Fi = 372) and T=1, in contact clocks. */
#define NULL_CLOCKS (10u * 960u * 372u / 2u)
#define WTX_CLOCKS ((960u * 372u << LINE_BWI) / 2u)
#define CWT (11u + (1u << LINE_CWI))
/** Beyond the standard's figure, so that the latest permitted character is still taken. */
#define CWT_MARGIN 4u
#define WTX_LENGTH 5u
/** Shorter waits are not worth a sleep. */
#define SLEEP_MIN 200u

/** Exchange of S(WTX) (ISO/IEC 7816-3, 11.6.3.1). */
enum wtx { WTX_IDLE, WTX_SEND, WTX_WAIT };

static const uint8_t wtx_request[WTX_LENGTH] = {0x00, 0xC3, 0x01, 0x01, 0xC3};
static const uint8_t wtx_response[WTX_LENGTH] = {0x00, 0xE3, 0x01, 0x01, 0xE3};
static const uint8_t resynch_request[4] = {0x00, 0xC0, 0x00, 0xC0};

static struct {
    uint8_t *ring;
    uint16_t size;
    volatile uint16_t in;
    uint16_t out;
    volatile bool bad;
    volatile bool expired;
    volatile bool resynch;
    volatile uint8_t wtx;
    volatile uint8_t keep;
    uint8_t wtx_count;
    uint8_t wtx_bytes[WTX_LENGTH];
    uint32_t etu;
    /** Cycles of half the waiting time of the keep-alive in force: no division within an interrupt. */
    uint32_t half;
    volatile uint32_t last;
} line;

static void restart_keep(void)
{
    TIMER_CTRL = 0;
    TIMER_STATUS = 1;
    TIMER_LOAD = line.half;
    TIMER_CTRL = TIMER_RUN | TIMER_IRQ | TIMER_PERIODIC;
}

static void wtx_send(void)
{
    line.wtx = WTX_SEND;
    line.wtx_count = 0;
    UART_IE |= UART_TXE;
}

static void wtx_transmit(void)
{
    UART_DATA = wtx_request[line.wtx_count++];
    if (line.wtx_count == WTX_LENGTH) {
        UART_IE &= ~UART_TXE;
        UART_WT = 0;
        line.wtx_count = 0;
        line.bad = false;
        line.wtx = WTX_WAIT;
    }
}

/** A character while S(WTX response) is due. Anything else is waited out, then the request is sent again. */
static void wtx_receive(uint8_t byte)
{
    if (line.wtx_count == 0u) {
        UART_WT = CWT + CWT_MARGIN;
    }
    if (line.wtx_count < WTX_LENGTH) {
        line.wtx_bytes[line.wtx_count] = byte;
    }
    if (line.wtx_count < 0xFFu) {
        line.wtx_count++;
    }
    if (line.bad) {
        return;
    }
    if (line.wtx_count == WTX_LENGTH && memcmp(line.wtx_bytes, wtx_response, WTX_LENGTH) == 0) {
        UART_WT = 0;
        line.wtx = WTX_IDLE;
        if (line.keep != KEEP_OFF) {
            restart_keep();
        }
    }
    if (line.wtx_count == sizeof resynch_request
        && memcmp(line.wtx_bytes, resynch_request, sizeof resynch_request) == 0) {
        UART_WT = 0;
        line.wtx = WTX_IDLE;
        line.resynch = true;
    }
}

static void receive(uint8_t byte)
{
    line.last = hal_cycles();
    if (line.wtx == WTX_WAIT) {
        wtx_receive(byte);
    } else if (line.in < line.size) {
        line.ring[line.in++] = byte;
    } else {
        line.bad = true;
    }
}

void uart_interrupt(void);
void uart_interrupt(void)
{
    uint32_t status = UART_STATUS;
    uint32_t seen = status & (UART_PERR | UART_OVR | UART_TXERR | UART_WTO);
    if ((status & (UART_PERR | UART_OVR)) != 0u) {
        line.bad = true;
    }
    if ((status & UART_RXNE) != 0u) {
        receive((uint8_t)UART_DATA);
    }
    if (seen != 0u) {
        UART_STATUS = seen;
    }
    if ((status & UART_WTO) != 0u) {
        line.expired = true;
        if (line.wtx == WTX_WAIT && line.wtx_count != 0u) {
            wtx_send();
        }
    }
    if (line.wtx == WTX_SEND && (UART_STATUS & UART_TXE) != 0u) {
        wtx_transmit();
    }
}

void timer_interrupt(void);
void timer_interrupt(void)
{
    TIMER_STATUS = 1;
    if (line.keep == KEEP_NULL && (UART_STATUS & UART_TXE) != 0u) {
        UART_DATA = 0x60;
    }
    if (line.keep == KEEP_WTX && line.wtx == WTX_IDLE && !line.resynch) {
        wtx_send();
    }
}

void line_speed(uint32_t f, uint32_t d)
{
    uint32_t core = SYSCTL_CORE_HZ / 100u;
    line.etu = f * core / (d * (SYSCTL_CARD_HZ / 100u)) + 1u;
    UART_FD = d << 16 | f;
}

void line_start(uint8_t *ring, uint16_t size)
{
    TIMER_CTRL = 0;
    TIMER_STATUS = 1;
    memset(&line, 0, sizeof line);
    line.ring = ring;
    line.size = size;
    line_speed(372, 1);
    UART_GT = 12;
    UART_RETRY = 3;
    UART_WT = 0;
    UART_CTRL = UART_ENABLE;
    UART_STATUS = UART_PERR | UART_OVR | UART_TXERR | UART_WTO;
    UART_IE = UART_RXNE | UART_PERR | UART_OVR | UART_TXERR | UART_WTO;
}

void line_block_mode(void)
{
    UART_CTRL = UART_ENABLE | UART_T1;
}

/** Sleeps until a STATUS bit is set. */
static void wait_status(uint32_t bit)
{
    while ((UART_STATUS & bit) == 0u) {
        cpu_disable();
        UART_IE |= bit;
        cpu_sleep();
        UART_IE &= ~bit;
        cpu_enable();
    }
}

void line_send(uint8_t byte)
{
    wait_status(UART_TXE);
    UART_DATA = byte;
}

void line_flush(void)
{
    wait_status(UART_TC);
}

void line_gap(uint32_t etu)
{
    uint32_t wait = etu * line.etu;
    for (;;) {
        uint32_t gone = hal_cycles() - line.last;
        if (gone >= wait) {
            break;
        }
        if (wait - gone > SLEEP_MIN) {
            TIMER_LOAD = wait - gone - SLEEP_MIN / 2u;
            TIMER_CTRL = TIMER_RUN | TIMER_IRQ;
            cpu_disable();
            if (TIMER_VALUE != 0u) {
                cpu_sleep();
            }
            cpu_enable();
        }
    }
    TIMER_CTRL = 0;
}

void line_timeout(uint32_t etu)
{
    cpu_disable();
    UART_WT = etu;
    UART_STATUS = UART_WTO;
    line.expired = false;
    cpu_enable();
}

bool line_fill(uint16_t count)
{
    while (line.in < count) {
        cpu_disable();
        if (line.in < count) {
            if (line.expired) {
                cpu_enable();
                return false;
            }
            cpu_sleep();
        }
        cpu_enable();
    }
    return true;
}

int line_get(void)
{
    if (!line_fill(line.out + 1u)) {
        return -1;
    }
    int byte = line.ring[line.out++];
    cpu_disable();
    if (line.out == line.in) {
        line.out = 0;
        line.in = 0;
    }
    cpu_enable();
    return byte;
}

void line_drop(void)
{
    cpu_disable();
    line.in = 0;
    line.out = 0;
    line.bad = false;
    cpu_enable();
}

const uint8_t *line_block(void)
{
    return line.ring;
}

void line_silence(uint32_t etu)
{
    line_timeout(etu);
    while (!line.expired) {
        cpu_disable();
        line.in = 0;
        if (!line.expired) {
            cpu_sleep();
        }
        cpu_enable();
    }
    line_drop();
}

bool line_bad(void)
{
    return line.bad;
}

void line_work_begin(enum line_keep keep)
{
    line.resynch = false;
    line.keep = (uint8_t)keep;
    line.half = hal_contact_clocks(keep == KEEP_NULL ? NULL_CLOCKS : WTX_CLOCKS);
    restart_keep();
}

bool line_work_end(void)
{
    cpu_disable();
    line.keep = KEEP_OFF;
    TIMER_CTRL = 0;
    TIMER_STATUS = 1;
    cpu_enable();
    for (;;) {
        cpu_disable();
        if (line.wtx == WTX_IDLE) {
            break;
        }
        cpu_sleep();
        cpu_enable();
    }
    cpu_enable();
    return !line.resynch;
}
