/** The twin applet: primary and secondary card (docs/twin.md). */
#ifndef TWIN_H
#define TWIN_H

#include "app.h"

/** Pages of the applet's area, and what each holds. */
#define TWIN_PAGES 4u
enum { T_TABLE = 0, T_LIST = 1, T_PIN = 2, T_KEYS = 3 };
/** Tries of the card PIN. */
#define T_TRIES 3u
/** Bytes of a card, credit or e-money number. */
#define T_NUMBER 8u
/** Numbers a black list has room for. */
#define T_LISTED 7u

/** Card control table with life cycle and PIN tries. What backup and restore copy begins at `primary`. */
struct twin_table {
    uint8_t life, tries, unused[2];
    uint32_t balance;
    uint8_t card[T_NUMBER];
    uint8_t primary[T_NUMBER], secondary[T_NUMBER], credit[T_NUMBER], credit_pin[T_NUMBER], money[T_NUMBER];
    uint32_t order; /* last balance order of the issuer */
    uint32_t crc;
};
_Static_assert(sizeof(struct twin_table) == PAGE_BYTES, "table is one page");
/** Bytes of the fields that are copied. */
#define T_COPIED (5u * T_NUMBER)

/** Black list, oldest number first. */
struct twin_list {
    uint8_t count, unused[3];
    uint8_t number[T_LISTED][T_NUMBER];
    uint32_t crc;
};
_Static_assert(sizeof(struct twin_list) == PAGE_BYTES, "list is one page");

/** Who is at the other end of a session (P1 of OPEN). */
enum { ROLE_DEVICE = 1, ROLE_ISSUER = 2 };
/** What for table and PIN are asked (P1 of READ and VERIFY). */
enum { FOR_LOOK = 0, FOR_PRIMARY = 1, FOR_SECONDARY = 2, FOR_PROMOTE = 3, FOR_RESTORE = 4, FOR_INVALID = 5 };

/** What lives until reset, SELECT, OPEN or a message that is not genuine. */
struct twin_session {
    uint8_t key[16];
    uint16_t counter;
    uint8_t role;    /* 0: no session */
    uint8_t purpose; /* for which the PIN was right, 0: none */
};
extern struct twin_session twin_session;

/** A step of the catalogue in a byte: 310 is 3A; it is marked as C3, 0A. */
#define STEP(n) ((n) / 100 << 4 | (n) % 100)
/** Marks the step that is due as done; the one with the next number is then due. */
void twin_step(void);
/** First page of the area and further. */
uint16_t twin_page(uint16_t offset);
/** Carries out a command of an operational card with its data in clear (docs/twin.md 2). */
uint16_t twin_run(struct apdu *a);
/** SHA-256(salt || PIN) with the salt of the PIN page in RAM or memory. */
void twin_pin_hash(const uint8_t *salt, const uint8_t *pin, uint16_t length, uint8_t out[32]);

#endif
