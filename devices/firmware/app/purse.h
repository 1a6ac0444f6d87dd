/** The purse applet: card-to-card money (docs/purse.md). */
#ifndef PURSE_H
#define PURSE_H

#include "app.h"

/** Pages of the applet's area. */
#define PURSE_PAGES 52u

#endif
