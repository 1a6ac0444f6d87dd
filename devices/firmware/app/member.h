/** The member applet: registration of signed information (docs/member.md). */
#ifndef MEMBER_H
#define MEMBER_H

#include "app.h"

/** Pages of the applet's area, and what each holds. */
#define MEMBER_PAGES 20u
enum { M_STATE = 0, M_CENTRE = 1, M_SEAL = 2, M_SECRET = 3, M_KEY = 4, M_FILE = 5, M_SAVED = 15 };
/** Pages of one copy of the key file and of the saved telegram. */
#define M_COPY 5u
/** Flags of DF40. */
enum { MF_KEY = 1, MF_SAVED = 2, MF_REGISTERED = 4, MF_B = 8 };
/** Tries of a password. */
#define M_TRIES 3u
/** Entries of the history, bytes of one. */
#define M_ENTRIES 8u
#define M_ENTRY 20u
/** The key file in clear: inner, number of entries, entries. */
#define M_INNER 60u
#define M_CLEAR (M_INNER + 1u + M_ENTRIES * M_ENTRY)
/** Longest F0. */
#define M_TELEGRAM 268u

/** State page. */
struct member_state {
    uint8_t life, flags, tries[2];
    uint32_t transaction, settled;
    uint8_t copy, unused[3];
    uint8_t number[8], order[32];
    uint8_t rest[4];
    uint32_t crc;
};
_Static_assert(sizeof(struct member_state) == PAGE_BYTES, "state is one page");

/** What lives until reset, SELECT or a wrong password. */
struct member_session {
    bool fresh, fresh_b; /* keys A and B are those of PASSWORDS, not yet in use */
    bool a, key, connected;
    uint8_t key_a[16], key_b[16], seed[32], connection[8];
    uint16_t contents, telegram; /* bytes of D2 and F0 in `text`, 0: none */
    uint8_t text[M_TELEGRAM];
};
extern struct member_session session;
/** Ends the session. */
void member_forget(void);

/** First page of the area. */
uint16_t member_page(uint16_t offset);
/** State as it lies in memory. */
const struct member_state *member_state(void);
/** The state page in the running change. */
struct member_state *member_change(void);
/** Key or secret page: content, NULL when it is not there. */
const uint8_t *member_at(uint16_t offset);
/** Marks the step that is due as done; the next one is then due. */
void member_step(uint8_t next);
/** Room for opened files and objects under construction, behind any command data and in front of the end of the buffer. */
#define WORK(a) ((a)->buf + 400u)
/** Smallest buffer for that. */
#define M_BUFFER 704u

/** Key of a password (docs/member.md 1.5): `which` is 'A' or 'B'. */
void password_key(uint8_t which, const uint8_t *password, uint8_t length, uint8_t key[16]);
/** Opens the key file with key A into `clear` (M_CLEAR bytes, 12 free before, 16 behind); false: wrong key. */
bool file_open(const uint8_t key_a[16], uint8_t *clear);
/** Writes `clear` (as for file_open) under key A of the session into the copy that does not count. */
uint16_t file_write(uint8_t *clear);
/** What a password has to open: the key file, the saved telegram, the signature key inside the key file. */
enum opens { OPENS_FILE, OPENS_SAVED, OPENS_INNER };
/**
 * One try of a password, counted: A for file and saved telegram, B for the inner key. Afterwards its key is in the session,
 * or the session is over. `work` as for file_open().
 */
uint16_t password_try(enum opens what, uint8_t *work, const uint8_t *password, uint8_t length);
/** D0 or D1, whose content is this. */
bool password_fits(const uint8_t *password);
/** Takes the signature key out of an opened key file with key B, or as it lies there; false: wrong key. */
bool inner_open(uint8_t *clear, const uint8_t *key_b);
/** Writes bytes over pages, 60 in each, at once (not atomic). */
uint16_t packed_write(uint16_t page, const uint8_t *data, uint16_t size);
/** Reads bytes packed over pages; false when a page is not valid. */
bool packed_read(uint16_t page, uint8_t *out, uint16_t size);
/** Signs the elements from..end with the signature key; element D5 follows. `from` has LEAD bytes of room in front. */
uint8_t *member_sign(uint8_t *from, uint8_t *end, const char *label);
/** Seals `object` for the centre (docs/member.md 1.4): answers enc || ciphertext || tag in the buffer. */
uint16_t telegram_seal(struct apdu *a, const uint8_t *object, uint16_t size);

/** Commands; the data begins at buf + LEAD. */
uint16_t member_passwords(struct apdu *a, uint8_t *end);
uint16_t member_contents(struct apdu *a, uint8_t *end);
uint16_t member_seed(struct apdu *a, uint8_t *end);
uint16_t member_sign_registration(struct apdu *a, uint8_t *end);
uint16_t member_fetch(struct apdu *a, uint8_t *end);
uint16_t member_connect(struct apdu *a, uint8_t *end);
uint16_t member_send(struct apdu *a, uint8_t *end);
uint16_t member_admitted(struct apdu *a, uint8_t *end);
uint16_t member_enter_a(struct apdu *a, uint8_t *end);
uint16_t member_history(struct apdu *a, uint8_t *end);
uint16_t member_enter_b(struct apdu *a, uint8_t *end);
uint16_t member_pay(struct apdu *a, uint8_t *end);
uint16_t member_settled(struct apdu *a, uint8_t *end);

#endif
