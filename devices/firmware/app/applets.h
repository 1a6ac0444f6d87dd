/** The applets of an image: names, memory set aside for each, selection (docs/firmware.md, Applets). */
#ifndef APPLETS_H
#define APPLETS_H

#include "app.h"
#include "features.h"

/** Applets by their number in the superblock. */
enum applet { APPLET_BACKUP = 0, APPLET_PURSE = 1, APPLET_TWIN = 2, APPLET_MEMBER = 3, APPLET_DEVICE = 4 };

/** Smallest memory, in pages, that has areas for applets beside the backup; on smaller chips those are not there. */
#define APPLET_PAGES_MIN 512u

/** First page behind the data regions of the backup applet: the areas of the others follow, up to the end. */
uint16_t data_end(void);
/** First page of an applet's area, 0 where it has none. */
uint16_t applet_first(uint8_t applet);
/** Writes bytes 16 and up of the superblock: first page of the areas, how many, and of each its applet and pages. */
void applets_describe(uint8_t *superblock);

/** Writes a little-endian number, as memory has them; answers the first byte behind it. */
uint8_t *put_le16(uint8_t *p, uint32_t v);

/* Each applet: a command; what it forgets at reset and whenever SELECT is carried out. */
/** Backup (dispatch.c). */
uint16_t backup_command(struct apdu *a);
#if FEATURE_PURSE
/** Purse (purse.c). */
uint16_t purse_command(struct apdu *a);
void purse_forget(void);
#endif
#if FEATURE_TWIN
/** Twin (twin.c). */
uint16_t twin_command(struct apdu *a);
void twin_forget(void);
#endif
#if FEATURE_MEMBER
/** Member (member.c). */
uint16_t member_command(struct apdu *a);
void member_forget(void);
#endif
#if FEATURE_AUTH_DEVICE
/** Pages of the authentication device. */
#define DEVICE_PAGES 1
/** Authentication device (device.c). */
uint16_t device_command(struct apdu *a);
void device_forget(void);
#endif

#endif
