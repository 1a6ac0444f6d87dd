/** Purse applet: command dispatcher (docs/purse.md 2). */
#include "features.h"

#if FEATURE_PURSE
#include "applets.h"
#include "purse.h"

uint16_t purse_command(struct apdu *a)
{
    return a->cla == 0x80 ? SW_INS : SW_CLA;
}

void purse_forget(void)
{
}
#endif
