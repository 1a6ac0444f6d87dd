/** From reset to serving: RAM laid out for this chip, ATR, recovery, protocol. */
#include "crypto/crypto.h"
#include "hal/chip.h"
#include "hal/hal.h"
#include "link/apdu.h"
#include "link/link.h"
#include "nvm/nvm.h"

/** Below this RAM the information field is short. */
#define LARGE_RAM 4096u
#define IFSC_SMALL 32u
#define IFSC_LARGE 254u
#define BUFFER_MAX 2048u

uint8_t link_ifsc(void)
{
    return hal_ram_size() < LARGE_RAM ? IFSC_SMALL : IFSC_LARGE;
}

/** RAM from bottom to top: static data, characters received, APDU buffer, stack. */
static __attribute__((noinline)) void lay_out(void)
{
    uint8_t *ring = hal_ram_free();
    uint16_t ring_size = (uint16_t)((link_ifsc() + 4u + 3u) & ~3u);
    uint8_t *buffer = ring + ring_size;
    uint32_t others = hal_stack_reserve() + (uint32_t)((uintptr_t)buffer - CHIP_RAM_BASE);
    uint32_t room = hal_ram_size() > others ? hal_ram_size() - others : 0u;
    uint16_t size = (uint16_t)(room < BUFFER_MAX ? room : BUFFER_MAX);
    SYSCTL_STACK_LIMIT = (uint32_t)(uintptr_t)(buffer + size);
    line_start(ring, ring_size);
    apdu_start(buffer, size);
}

_Noreturn void firmware_main(void)
{
    crypto_init(hal_coprocessor());
    lay_out();
    atr_send();
    if (nvm_settle() != NVM_ERROR) {
        app_boot();
    }
    if (pps_choose() == 0u) {
        t0_serve();
    }
    line_block_mode();
    t1_serve();
}
