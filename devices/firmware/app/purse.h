/**
 * The purse applet: card-to-card money with a third-party log (docs/purse.md).
 *
 * purse.c commands and step marks; purse_store.c pages and keys; purse_perso.c personalisation and data objects;
 * purse_pay.c the payer; purse_take.c the payee; purse_challenge.c challenges that come back.
 */
#ifndef PURSE_H
#define PURSE_H

#include "app.h"

/** Pages of the applet's area. */
#define PURSE_PAGES 52u
/** From here on the APDU buffer is for work: no command and no answer is longer. */
#define PURSE_WORK 336u
/** Bytes of the APDU buffer that the applet needs. */
#define PURSE_BUFFER 1400u

/* ---- Memory, docs/purse.md 5: pages from the area's first ---- */
enum {
    P_STATE = 0, P_CHALLENGES = 1, P_IDENTITY = 2, P_ISSUER = 3, P_THIRD = 4, P_SEED = 5, P_SECRET = 6,
    P_CERTIFICATE = 7, P_ISSUES = 9, P_PAYMENTS = 17, P_KEPT = 25, P_ENTRIES = 31
};
#define ISSUES 4u
#define PAYMENTS 8u
#define CHALLENGES 6u
#define ENTRIES 4u
#define ENTRY_PAGES 5u
/** Setting: embodiment 2 only. */
enum { PURSE_SET_ASK = 1 };

/** State page. */
struct purse_state {
    uint8_t life, settings, issue_place, unused;
    uint32_t balance, issued, received, paid, issue_number, payments;
    uint8_t places[ENTRIES];
    uint8_t rest[28];
    uint32_t crc;
};
_Static_assert(sizeof(struct purse_state) == PAGE_BYTES, "purse state is one page");

/** Challenges page. */
struct purse_challenges {
    uint32_t counter;
    struct {
        uint8_t alternative, id[8];
    } open[CHALLENGES];
    uint8_t rest[2];
    uint32_t crc;
};
_Static_assert(sizeof(struct purse_challenges) == PAGE_BYTES, "challenges are one page");

/** A payment made. */
struct purse_payment {
    uint8_t present, unused[3];
    uint32_t x;
    uint8_t id[8], hash[32];
    uint32_t issue, number;
    uint8_t rest[4];
    uint32_t crc;
};
_Static_assert(sizeof(struct purse_payment) == PAGE_BYTES, "a payment is one page");

/** What is kept of a challenge of alternative 04. */
struct purse_kept {
    uint8_t id[8], r[32];
    uint8_t x[4];
    uint8_t rest[16];
    uint32_t crc;
};
_Static_assert(sizeof(struct purse_kept) == PAGE_BYTES, "a kept challenge is one page");

/* Packed over pages, numbers as in their elements. */
struct purse_certificate {
    uint8_t key[32], ca[64];
};
struct purse_issue {
    uint8_t w[4], number[4], signature[64];
};
struct purse_entry {
    uint8_t x[4], r1[16], g2[32], id[8], w[4], number[4], key[32], issue[64], ca[64], s[64];
};
_Static_assert(sizeof(struct purse_entry) == 292, "a log entry as docs/purse.md has it");
_Static_assert(offsetof(struct purse_entry, id) + 8 == PAGE_BYTES - 4, "the challenge id lies on the first page");

/** What is hashed or signed: label, zero byte, then bytes and elements. */
struct purse_message {
    uint8_t length, bytes[127];
};
/** A challenge in the clear. */
struct purse_challenge {
    uint8_t alternative, x[4], id[8], r[32]; /* R1, R2 */
};
/** What a command works with, behind its data in the APDU buffer; wiped with it. No stack is spent on it. */
struct purse_work {
    struct purse_entry entry;
    struct purse_message m, clear;
    struct purse_certificate own;
    struct purse_issue issue;
    struct purse_challenge challenge;
    uint8_t g1[32], g2[32], hash[32], signature[64], d4[80];
};
_Static_assert(PURSE_WORK + sizeof(struct purse_work) <= PURSE_BUFFER, "the work fits the buffer");
extern struct purse_work *purse;

/** First page of the area. */
uint16_t purse_page(unsigned page);
/** State page; meaningful unless the applet is blank. */
const struct purse_state *purse_state(void);
/** Challenges page; NULL when it is not there (then there are none). */
const struct purse_challenges *purse_challenges(void);
/** Life cycle. */
uint8_t purse_life(void);
/** Payment in a slot, NULL: none. */
const struct purse_payment *purse_payment(unsigned slot);
/** The state page in the running change. */
struct purse_state *purse_change_state(void);
/** The challenges page in the running change. */
struct purse_challenges *purse_change_challenges(void);
/** Writes packed bytes into pages that do not count yet. */
uint16_t purse_pack(unsigned page, const void *from, uint16_t size);
/** Reads packed bytes; false when a page is not valid. */
bool purse_unpack(unsigned page, void *to, uint16_t size);
/** The content of a page with a present flag, NULL: absent. */
const uint8_t *purse_key(unsigned page);
/** Own id (8) and, behind it, CA's key (32); zeros where not set; NULL: neither. */
const uint8_t *purse_identity(void);
/** Reads the own certificate into purse->own; SW_MEMORY when it cannot be read. */
uint16_t purse_own(void);
/** Reads the issue with this number, the newest when it is no longer kept, into purse->issue. */
uint16_t purse_issue_get(uint32_t number);
/** True for at least one byte that is not 0. */
bool purse_set(const uint8_t *p, uint16_t length);

/* ---- What is hashed and signed ---- */

/** Begins purse->m with "cardbench purse " || name || " v1" || 00. */
void purse_say(const char *name);
/** Adds bytes. */
void purse_add(const void *bytes, uint8_t length);
/** Adds an element. */
void purse_element(uint8_t tag, const void *content, uint8_t length);
/** SHA-256 of purse->m. */
void purse_hash(uint8_t out[32]);
/** Signature of purse->m: SW_OK or SW_SECURITY. */
uint16_t purse_verify(const uint8_t *signature, const uint8_t *key);
/** Signs purse->m with the own key. */
uint16_t purse_sign(uint8_t signature[64]);
/** What the payer signs: x, G1, G2, challenge id. */
void purse_say_payment(const uint8_t *x, const uint8_t *g1, const uint8_t *g2, const uint8_t *id);
/** What the CA signs. */
void purse_say_key(const uint8_t *key);
/** What the issuer signs. */
void purse_say_issue(const uint8_t *w, const uint8_t *number, const uint8_t *key);

/* ---- Challenges ---- */

/** Draws or derives R1 and R2 of purse->challenge, a new one. */
uint16_t purse_challenge_fill(void);
/** Writes purse->challenge as content of D4, at most 77 bytes; answers its length, 0 on failure. */
uint8_t purse_protect(uint8_t *to);
/** Shape of a content of D4: SW_OK or SW_DATA. The challenge id lies at content + 5. */
uint16_t purse_protected_shape(const uint8_t *content);
/** Opens the content of D4 for open challenge `slot` into purse->challenge; SW_DATA when this card did not make it. */
uint16_t purse_unprotect(const uint8_t *content, unsigned slot);
/** G1 and G2 of purse->challenge, into purse->g1 and g2. */
uint16_t purse_g(void);
/** Slot of an open challenge, CHALLENGES: none. */
unsigned purse_challenge_find(const uint8_t *id);

/** True if W + more is a number of 4 bytes. */
bool purse_fits(uint32_t more);

/* ---- Step marks: P-1 to P-6 are 1 to 6 ---- */
enum { STEP_3A = 0x3A, STEP_3B = 0x3B };
/** The step under way is done, the next one begins. */
void purse_step(uint8_t next);

/* ---- Commands of docs/purse.md 2 ---- */
/** Forgets a log entry that was prepared. */
void purse_unprepare(void);
uint16_t purse_get_data(struct apdu *a);
uint16_t purse_put_data(struct apdu *a);
uint16_t purse_initialise(struct apdu *a);
uint16_t purse_generate(struct apdu *a);
uint16_t purse_activate(struct apdu *a);
uint16_t purse_load(struct apdu *a);
uint16_t purse_pay(struct apdu *a);
uint16_t purse_ask(struct apdu *a);
uint16_t purse_receive(struct apdu *a);
uint16_t purse_accept(struct apdu *a);
uint16_t purse_log(struct apdu *a);
uint16_t purse_log_taken(struct apdu *a);
uint16_t purse_drop(struct apdu *a);

#endif
