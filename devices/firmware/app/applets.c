/** Selection by full DF name and the memory of the applets (docs/firmware.md, Applets). */
#include "applets.h"

#include <string.h>

#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

#if FEATURE_PURSE
#include "purse.h"
#endif
#if FEATURE_TWIN
#include "twin.h"
#endif
#if FEATURE_MEMBER
#include "member.h"
#endif

/** Every AID begins so: F0 "CARD". */
static const uint8_t aid_head[] = {0xF0, 'C', 'A', 'R', 'D'};
#define TAIL_MAX 6u

/** An applet. Called by number, not by pointer, so that the stack report sees who calls whom. */
struct applet_entry {
    uint8_t number, pages, tail_size;
    char tail[TAIL_MAX];
};

/** Areas lie in this order. */
static const struct applet_entry applets[] = {
    {APPLET_BACKUP, 0, 5, "BENCH"},
#if FEATURE_PURSE
    {APPLET_PURSE, PURSE_PAGES, 5, "PURSE"},
#endif
#if FEATURE_TWIN
    {APPLET_TWIN, TWIN_PAGES, 4, "TWIN"},
#endif
#if FEATURE_MEMBER
    {APPLET_MEMBER, MEMBER_PAGES, 6, "MEMBER"},
#endif
#if FEATURE_AUTH_DEVICE
    {APPLET_DEVICE, DEVICE_PAGES, 6, "DEVICE"},
#endif
};
#define APPLETS (sizeof applets / sizeof *applets)

static uint8_t selected;

static uint16_t run(struct apdu *a)
{
    switch (selected) {
#if FEATURE_PURSE
    case APPLET_PURSE:
        return purse_command(a);
#endif
#if FEATURE_TWIN
    case APPLET_TWIN:
        return twin_command(a);
#endif
#if FEATURE_MEMBER
    case APPLET_MEMBER:
        return member_command(a);
#endif
#if FEATURE_AUTH_DEVICE
    case APPLET_DEVICE:
        return device_command(a);
#endif
    default:
        return backup_command(a);
    }
}

/** What no applet keeps over a SELECT. */
static void forget(void)
{
    pin_reset();
#if FEATURE_CONDITIONS
    conditions_forget();
#endif
#if FEATURE_PURSE
    purse_forget();
#endif
#if FEATURE_TWIN
    twin_forget();
#endif
#if FEATURE_MEMBER
    member_forget();
#endif
#if FEATURE_AUTH_DEVICE
    device_forget();
#endif
}

/* ---- memory ---- */

/** Pages of an applet's area on this chip. */
static uint16_t area_pages(unsigned i)
{
    return nvm_pages() < APPLET_PAGES_MIN ? 0 : applets[i].pages;
}

uint16_t data_end(void)
{
    uint16_t page = nvm_pages();
    for (unsigned i = 1; i < APPLETS; i++) page = (uint16_t)(page - area_pages(i));
    return page;
}

uint16_t applet_first(uint8_t applet)
{
    uint16_t page = data_end();
    for (unsigned i = 1; i < APPLETS; i++) {
        if (applets[i].number == applet) return area_pages(i) ? page : 0;
        page = (uint16_t)(page + area_pages(i));
    }
    return 0;
}

uint8_t *put_le16(uint8_t *p, uint32_t v)
{
    *p++ = (uint8_t)v;
    *p++ = (uint8_t)(v >> 8);
    return p;
}

void applets_describe(uint8_t *superblock)
{
    uint8_t *p = put_le16(superblock + 16, data_end()) + 2;
    for (unsigned i = 1; i < APPLETS; i++) {
        if (!area_pages(i)) continue;
        superblock[18]++;
        p = put_le16(put_le16(p, applets[i].number), applets[i].pages);
    }
}

/* ---- selection ---- */

static uint16_t applet_select(struct apdu *a)
{
    const uint8_t *aid = a->buf;
    if (a->p1 != 4 || a->p2 != 0) return SW_P1P2;
    if (a->lc <= sizeof aid_head || memcmp(aid, aid_head, sizeof aid_head) != 0) return SW_NOT_FOUND;
    for (unsigned i = 0; i < APPLETS; i++) {
        uint16_t size = applets[i].tail_size;
        if (a->lc != sizeof aid_head + size || memcmp(aid + sizeof aid_head, applets[i].tail, size) != 0) continue;
        if (i != 0 && !area_pages(i)) break;
        selected = applets[i].number;
        forget();
        size = a->lc;
        memmove(a->buf + 4, a->buf, size);
        tlv_head(tlv_head(a->buf, 0x6F, (uint16_t)(size + 2)), 0x84, size);
        a->out = (uint16_t)(size + 4);
        return SW_OK;
    }
    return SW_NOT_FOUND;
}

uint16_t app_command(struct apdu *a)
{
    running_ins = a->ins;
    uint16_t sw = a->cla == 0 && a->ins == 0xA4 ? applet_select(a) : run(a);
    if (sw != SW_OK) a->out = 0;
    if (a->out < a->cap) crypto_wipe(a->buf + a->out, (size_t)(a->cap - a->out));
    return sw;
}

void app_boot(void)
{
    selected = APPLET_BACKUP;
    forget();
    store_boot();
}
