/**
 * The application half of the reference firmware: commands, wallet, registration, recovery, keys.
 *
 * Contracts: docs/protocol.md sections 1 and 2 (objects, commands, rules), docs/firmware.md (NVM layout and
 * commit points). Works in place in the APDU buffer and reads objects straight from the EEPROM window.
 * Functions that can refuse return a status word; SW_OK means done.
 */
#ifndef APP_H
#define APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/features.h"
#include "link/apdu.h"

/* ---- Status words, protocol 2.5 ---- */
#define SW_OK 0x9000u
#define SW_PIN 0x63C0u
#define SW_MEMORY 0x6581u
#define SW_LENGTH 0x6700u
#define SW_SECURITY 0x6982u
#define SW_BLOCKED 0x6983u
#define SW_CONDITIONS 0x6985u
#define SW_DATA 0x6A80u
#define SW_NOT_FOUND 0x6A82u
#define SW_ROOM 0x6A84u
#define SW_P1P2 0x6A86u
#define SW_INS 0x6D00u
#define SW_CLA 0x6E00u

/* ---- NVM layout, docs/firmware.md ---- */
#define PAGE_BYTES 64u
#define PAGE_SUPER 0u
#define PAGE_SLOT0 2u
#define PAGE_STATE 4u
#define PAGE_IDENTITY 5u
#define PAGE_SIGNING 6u
#define PAGE_TRANSPORT 7u
#define PAGE_CREDENTIAL 8u
#define PAGE_PIN 10u
#define PAGE_DECODING 11u
#define PAGE_COMMON 12u
#define PAGE_SECRET 13u
#define PAGE_KEYREG 14u
#define PAGE_SEED 15u
#define PAGE_SAFES 16u
#define PAGE_INDEX 24u
#define SAFES 4u

/** Life cycle, protocol 2.2 DF04; UNREADABLE: the state page is neither absent nor valid. */
enum { LIFE_BLANK = 0, LIFE_INITIALISED = 1, LIFE_OPERATIONAL = 2, LIFE_UNREADABLE = 0xFF };
/** Index classes, protocol 8C. */
enum { CLASS_VALUE = 'A', CLASS_CERTIFICATE = 'B' };
/** States of class A, protocol 2.3. */
enum { VALUE_ACTIVE = 1, VALUE_PENDING = 2, VALUE_DEPOSITED = 3, VALUE_RESERVED = 4 };
/** States of class B, protocol 2.3. */
enum { CERT_STORED = 1, CERT_RESERVED = 2, CERT_RECOVERING = 3, CERT_SPENT = 4, CERT_HELD = 6 };
/** State of both classes: being erased. */
enum { DELETING = 5 };
/** Protocol 9B. */
enum {
    KIND_PLAIN = 1, KIND_REGISTERED = 2, KIND_KEY = 3, KIND_SEED = 4, KIND_PIECE = 5, KIND_BUNDLE = 6, KIND_PART = 7,
    KIND_COUPLED = 8 /* in certificates; its entry is that of the part, with FLAG_COUPLED */
};
#if FEATURE_PIECES || FEATURE_COUPLE
#define KIND_LAST KIND_COUPLED
#else
#define KIND_LAST KIND_SEED
#endif
/** True for the kinds that stand for a key, its seed or a part of it. */
#define IS_KEY(kind) ((kind) == KIND_KEY || (kind) == KIND_SEED || (kind) == KIND_PART)
/** Key kinds of GENERATE KEY, and the seed; 1 and 2 are also the variants of protocol 90; 1, 2 and 5 the kinds of 8A. */
enum { KEY_DECODING = 1, KEY_COMMON = 2, KEY_SIGNING = 3, KEY_TRANSPORT = 4, KEY_SEED = 5 };
/** Settings, protocol DF14. */
enum { SET_EMPTY_DIGEST = 1, SET_LEGACY_HASHES = 2 };
/**
 * entry.flags: the alternative region holds data being prepared or to be erased; of a set: order 02; of a bundle: all
 * its values are PENDING; of a key part's certificate: the part is coupled with a value.
 */
enum { FLAG_ALTERNATIVE = 1, FLAG_SEALED_FIRST = 2, FLAG_READY = 4, FLAG_COUPLED = 8 };
/** True for the certificate of a value's ciphertext that is coupled with the first part of its key. */
#define COUPLED(e) (FEATURE_COUPLED && ((e)->flags & FLAG_COUPLED) != 0)
/** Kind that the certificate of an entry has. */
#define KIND_AT(e) ((uint8_t)((e)->kind + (FEATURE_COUPLED ? (e)->flags >> 3 & 1 : 0)))

/** Index entry, one page. */
struct entry {
    uint8_t cls, state;
    uint16_t handle, first, size, pages, partner;
    uint32_t sequence;
    uint8_t hash[32];
    uint8_t kind, variant, algorithm, flags;
    uint16_t alt, alt_pages, value_size; /* of a value: the day it came, see conditions.c */
    uint8_t part, wanted; /* of a set: count * 16 + index; wanted pieces, or pages of the values of a bundle */
    uint32_t crc;
};
_Static_assert(sizeof(struct entry) == PAGE_BYTES, "index entry is one page");

/** State page. */
struct state {
    uint8_t life, tries, settings, unused;
    uint32_t sequence, load;
    uint16_t load_handle, handle;
    uint8_t load_hash[32];
    uint8_t rest[12];
    uint32_t crc;
};
_Static_assert(sizeof(struct state) == PAGE_BYTES, "state is one page");

/** Key registration in progress. */
struct keyreg {
    uint8_t open, kind, algorithm, unused;
    uint32_t sequence;
    uint8_t safe[8];
    uint8_t x3[32];
    uint16_t handle;
    uint8_t rest[10];
    uint32_t crc;
};
_Static_assert(sizeof(struct keyreg) == PAGE_BYTES, "key registration is one page");

/** Identity page. */
struct identity {
    uint8_t card[8], issuer[32], rest[20];
    uint32_t crc;
};
_Static_assert(sizeof(struct identity) == PAGE_BYTES, "identity is one page");

/** Page under construction: any of the above. */
union page {
    uint8_t bytes[PAGE_BYTES];
    struct entry entry;
    struct state state;
    struct keyreg keyreg;
    struct identity identity;
    uint32_t words[PAGE_BYTES / 4];
};

/* ---- tlv.c: BER-TLV, definite shortest lengths, protocol 1 ---- */

/**
 * Elements of a template in order: tag, shortest and longest content (255: no limit of its own) each, 0 at the end.
 * Tag ANY stands for any one.
 */
typedef const uint8_t syntax[];
#define ANY 0xFFu
/**
 * Reads exactly these elements, nothing behind them, and gives their contents. An element of at most 127 bytes has
 * its length at out[i][-1] and its tag at out[i][-2].
 */
bool fields_take(uint8_t *from, const uint8_t *end, const uint8_t *elements, uint8_t **out);
/** The same inside a template of this tag that fills from..end. */
bool object_take(uint8_t *from, const uint8_t *end, uint8_t tag, const uint8_t *elements, uint8_t **out);
/** Content length of an element of at most 127 bytes by its content. */
#define LENGTH(content) ((content)[-1])
/** Bytes of an element with content of this length. */
uint16_t tlv_size(uint16_t length);
/** First byte behind the well-formed element at p, NULL: none. */
uint8_t *tlv_next(uint8_t *p, const uint8_t *end);
/** Writes tag and length; answers where the content goes. */
uint8_t *tlv_head(uint8_t *to, uint8_t tag, uint16_t length);
/** Writes a whole element; answers the first byte behind it. */
uint8_t *tlv_put(uint8_t *to, uint8_t tag, const void *content, uint16_t length);
/** Copies a whole element of at most 127 bytes by its content. */
uint8_t *tlv_copy(uint8_t *to, const uint8_t *content);
/** Element with a 2-byte number. */
uint8_t *tlv_put16(uint8_t *to, uint8_t tag, uint16_t value);
/** Element with a 4-byte number. */
uint8_t *tlv_put32(uint8_t *to, uint8_t tag, uint32_t value);
/** Big-endian number of two bytes. */
uint16_t get16(const uint8_t *p);
/** Big-endian number of four bytes. */
uint32_t get32(const uint8_t *p);
/** Writes a big-endian number; answers the first byte behind it. */
uint8_t *put16(uint8_t *p, uint16_t v);
/** Writes a big-endian number; answers the first byte behind it. */
uint8_t *put32(uint8_t *p, uint32_t v);

/* ---- objects.c: the objects of protocol 1 ---- */

/** Elements of value information E1. */
enum { V_CLASS, V_NAME, V_UNIT, V_QUANTITY, V_TOTAL, V_PLACE, V_TERM, V_REMAINING, V_REMARKS, V_ISSUE, V_ELEMENTS };
/** Elements of a certificate E6. */
enum {
    C_VERSION, C_KIND, C_CARD, C_SEQUENCE, C_DIGEST, C_ALGORITHM, C_HASH, C_COUNTER, C_SAFE, C_SIGNATURE, C_ELEMENTS
};

/** Value information: contents of its elements. */
struct value {
    uint8_t *at[V_ELEMENTS];
};
/** Certificate: contents of its elements. */
struct cert {
    uint8_t *at[C_ELEMENTS];
};
/** Reads an encoded E1 that fills from..end. */
bool value_take(uint8_t *from, const uint8_t *end, struct value *v);
/** Reads an encoded E6 that fills from..end. */
bool cert_take(uint8_t *from, const uint8_t *end, struct cert *c);
/** Size of the full digest of a value as encoded E2. */
uint16_t digest_size(const struct value *v);
/** Writes the full digest. */
uint8_t *digest_put(uint8_t *to, const struct value *v);
/** Size of the digest that the card itself gives out (settings). */
uint16_t card_digest_size(const struct value *v);
/** Writes the digest that the card itself gives out (settings). */
uint8_t *card_digest_put(uint8_t *to, const struct value *v);
/** True if a digest (content of E2) is the full one of the value. */
bool digest_is(const uint8_t *digest, const struct value *v);
/** Largest E6 for a digest of this encoded size. */
uint16_t cert_room(uint16_t digest);

/* ---- store.c: pages, room, entries ---- */
/** State page as it lies in memory; meaningful unless the card is blank. */
const struct state *card_state(void);
/** Identity page as it lies in memory. */
const struct identity *card_identity(void);
/** Life cycle. */
uint8_t card_life(void);
/** Clears what lives in RAM. */
void store_boot(void);
/** INS of the running command, for DF01. */
extern uint8_t running_ins;
/** A page of the running change (nvm_tx_begin), preloaded with what is there. */
union page *change_page(uint16_t page);
/** A page of the change, zeroed. */
union page *change_new(uint16_t page);
/** Commits: SW_OK or SW_MEMORY (then nothing has changed). */
uint16_t change_commit(void);

/** Entries of index 851: a quarter of the pages. */
uint16_t index_slots(void);
/** Entry in the window; its class is 0xFF when the slot is free. */
const struct entry *index_at(uint16_t slot);
/** Slot -> page. */
#define index_page(slot) ((uint16_t)(PAGE_INDEX + (slot)))
/** Slot of a live item that may be named by a terminal (listed states); -1: none. */
int index_find(uint16_t handle);
/** Slot of an entry by handle and class in any state but DELETING; -1: none. */
int index_find_any(uint16_t handle, uint8_t cls);
/** True if a terminal may see the entry (protocol 2.3). */
bool entry_listed(const struct entry *e);
/** The object of an entry. */
uint8_t *entry_object(const struct entry *e);
/** Reads the value of an entry of class A. */
bool entry_value(const struct entry *e, struct value *v);
/** Reads the certificate of an entry of class B. */
bool entry_cert(const struct entry *e, struct cert *c);

/** Room for a new entry and its region, and what is free altogether. */
struct room {
    uint16_t first, pages, slot, handle;
    uint16_t free_pages, run, entries; /* pages in all, longest run of pages, index entries */
    uint16_t fits;                     /* regions of `pages` pages that there is room for */
};
/** Looks at the whole memory: what is free and, for `pages`, the first fit (first 0: none) and the first free entry. */
void room_survey(struct room *r, uint16_t pages);
/** Finds room for `bytes` and, if asked, an entry and handle; SW_ROOM fills DF01. Changes nothing. */
uint16_t room_find(struct room *r, uint16_t bytes, bool entry);
/** Finds room for `count` regions of `bytes` and as many entries; SW_ROOM fills DF01. Changes nothing. */
uint16_t room_find_all(uint16_t bytes, uint16_t count);
/** Adds a new entry to the change: class, state, handle and region filled in. */
struct entry *entry_new(const struct room *r, uint8_t cls, uint8_t state);
/** Adds an existing entry to the change. */
struct entry *entry_change(uint16_t slot);
/** Writes an object into a region that does not count yet, padded with FF; read back. */
uint16_t region_write(uint16_t first, uint16_t pages, const uint8_t *data, uint16_t size);
/** Commits a change and then erases the leftovers of up to two slots (-1: none). */
uint16_t change_settle(int slot, int other);
/** Erases all leftovers; at the start of every writing command. */
void settle(void);
/** Content of DF01: length 0 or 11. */
uint16_t shortage_get(uint8_t *to);

/* ---- cipher.c ---- */
/** Key bytes of a key page, NULL when the key is absent. */
const uint8_t *key_at(uint8_t kind);
/** Page of a key; kind 0 is the card secret. */
uint16_t key_page_of(uint8_t kind);
/** Bytes of a key of this kind. */
uint16_t key_length(uint8_t kind);
/** Public half of a key pair. */
uint16_t key_public(uint8_t kind, uint8_t out[32]);
/** Key id, protocol 1.4. */
uint16_t key_id(uint8_t kind, uint8_t out[8]);
/** Key id of a key that is given, not a signing key. */
uint16_t key_id_of(uint8_t kind, const uint8_t *key, uint8_t out[8]);
/** Key digest 306 as encoded E2 of a key that is present: 16 bytes. */
uint16_t key_digest(uint8_t kind, uint8_t out[16]);
/** Hash of protocol 1.5 (95/97 algorithm); answers its length, 0 on failure. `out` is padded with zeros to 32. */
uint8_t hash_of(uint8_t algorithm, const uint8_t *data, uint16_t length, uint8_t out[32]);
/** Length of a hash by algorithm (95, 97), 0 when unknown. */
uint8_t hash_bytes(uint8_t algorithm);
/** True if this hash algorithm is known and allowed by the settings. */
bool hash_allowed(uint8_t algorithm);

/** What signatures and ciphertexts are bound to: card id || sequence || safe id || counter, as far as used. */
struct binding {
    uint8_t bytes[24];
    uint8_t length;
};
/** Card id and sequence. */
void bind_card(struct binding *b, uint32_t sequence);
/** Adds safe id or counter. */
void bind_more(struct binding *b, const uint8_t *bytes, uint8_t length);
/** Bytes in front of signed or sealed elements that these functions overwrite; commands are moved up by as much. */
#define LEAD 48u
/**
 * Verifies a signature over label || 0 || binding || elements, which element 92 with this content follows.
 * Overwrites LEAD bytes in front of `elements`.
 */
uint16_t signature_check(uint8_t *elements, const uint8_t *signature, const char *label, const struct binding *b,
                         const uint8_t *key);
/** Signs likewise with the card's signing key and appends element 92; answers the end or NULL. */
uint8_t *signature_put(uint8_t *elements, uint8_t *end, const char *label, const struct binding *b);

/** What is sealed or opened: binding, the encoded digest (aad), and LEAD bytes of room for HPKE's info. */
struct sealing {
    const char *label;
    struct binding bind;
    uint8_t *e2, *info;
    uint16_t e2_size;
};
/**
 * HPKE seal with the card's deterministic ephemeral key: out = enc || ciphertext || tag. Uses 32 bytes behind that.
 */
uint16_t seal_public(struct sealing *s, const uint8_t *recipient, const uint8_t *in, uint16_t length, uint8_t *out);
/** Opens enc || ciphertext || tag in place (plaintext at in + 32) with an own key. */
uint16_t open_public(struct sealing *s, uint8_t kind, uint8_t *in, uint16_t length);
/** AES-GCM variant 02: out = nonce || ciphertext || tag. Overwrites LEAD bytes in front of e2. */
uint16_t seal_common(struct sealing *s, const uint8_t *in, uint16_t length, uint8_t *out);
/** Opens nonce || ciphertext || tag in place (plaintext at in + 12). Overwrites LEAD bytes in front of e2. */
uint16_t open_common(struct sealing *s, uint8_t *in, uint16_t length);


/* ---- perso.c ---- */
/** Writes the card credential E9; NULL when it is missing. */
uint8_t *credential_put(uint8_t *to);
/** Pages of a safe: first page, or 0 when the id is not known. */
uint16_t safe_page(const uint8_t *id);
/** Verification key of the safe at a page. */
const uint8_t *safe_verify_key(uint16_t page);
/** X25519 key of the safe at a page. */
const uint8_t *safe_transport_key(uint16_t page);

/* ---- register.c, keys.c ---- */
/** Puts a registration request together in buf: E4 head, then elements..end, inside a template of `tag` unless 0. */
uint16_t request_finish(struct apdu *a, uint8_t tag, const uint8_t *elements, const uint8_t *end, uint32_t sequence,
                        uint8_t algorithm);
/** No slot at all. */
#define NO_SLOT 0xFFFFu
/** What a certificate must say: noted in the value, in the key registration, or in the certificate's entry. */
struct expected {
    const uint8_t *hash;
    int certificate; /* slot of its reserved entry */
    uint16_t slot;   /* of the value; NO_SLOT: it is not given up with this certificate */
    uint8_t kind, key, algorithm;
};
/** Kind, safe, digest, hash and signature, in the order of rule 2. */
uint16_t certificate_check(const struct expected *x, const struct cert *c, uint8_t embodiment);
/** Takes the next sequence, durably; also notes the handle given with it (0: none). */
uint16_t sequence_take(uint32_t *sequence, uint16_t handle);
/** The open key registration, NULL: none. */
const struct keyreg *key_registration(void);
/** True for a STORED certificate of exactly the key that is on the card, or of its seed. */
bool key_certified(const struct entry *e);
/** The certificate of a replaced key is SPENT once that of the key in its place is STORED: a change behind that one. */
uint16_t renewal_settle(void);


struct request;

/** The entry is about a key of this kind; a seed is about the decoding key. */
bool key_concerns(const struct entry *e, uint8_t kind);

/* ---- apart.c: embodiment 3, protocol 2.8 ---- */
/** P1 of the commands of embodiment 3. */
#define APART_EMBODIMENT 3u
/** P1 of the commands of embodiment 12, which keep keys apart as those of embodiment 3 do (protocol 2.11). */
#define RENEWAL_EMBODIMENT 12u
/** True for P1 of an embodiment that keeps keys apart from values. */
#define KEEPS_APART(p1) ((p1) == APART_EMBODIMENT || (FEATURE_RENEWAL && (p1) == RENEWAL_EMBODIMENT))
/** No value under this kind of key lies at the safe. */
bool apart_key(uint8_t key, const uint8_t *safe);
/** The key of this kind neither lies at the safe nor is on its way there. */
bool apart_value(uint8_t key, const uint8_t *safe);

/* ---- conditions.c: embodiment 11, protocol 6 ---- */
/** P1 of the commands of embodiment 11. */
#define CONDITIONS_EMBODIMENT 11u
/** The day that DATE has told, as an entry notes when its item came; 0: not known. */
uint16_t day_of_arrival(void);
/** Forgets the day. */
void conditions_forget(void);
uint16_t cmd_date(struct request *q);
uint16_t cmd_put_condition(struct request *q);
uint16_t cmd_get_condition(struct request *q);
uint16_t cmd_extract(struct request *q);
/** In wallet.c. */
uint16_t cmd_backup_end(struct request *q);
/* ---- register.c, recover.c: embodiments 8, 9 and 10, protocol 2.9 ---- */
/** True for P1 of the commands of embodiments 8, 9 and 10. */
#define IS_OWNER(p1) (FEATURE_OWNER && (uint8_t)((p1) - 8) < 3)
/** Their own instructions. */
#define INS_PATH_REGISTER 0x58u
#define INS_PATH_RECOVER 0x5Au
/** Bytes of the id of a path. */
#define PATH_BYTES 12u

/* ---- seed.c: embodiment 7, protocol 2.7 ---- */
/** P1 of the commands of embodiment 7. */
#define SEED_EMBODIMENT 7u
/** The key that a recovered seed gives takes the seed's place; SW_DATA when it is not the one certified. */
uint16_t seed_derive(const struct entry *e, uint8_t seed[32]);
/** Erases the registration of a seed that is no longer on the card. */
void seed_settle(void);
uint16_t cmd_generate_seed(struct request *q);
uint16_t cmd_seed_recover_begin(struct request *q);

/* ---- cipher.c, register.c, recover.c, keys.c: what sets share with single values and keys ---- */
/** A key or key part on its way to a safe. */
struct wrapping {
    const uint8_t *key;
    const char *label; /* of the signature */
    uint32_t sequence;
    uint16_t safe; /* first page */
    uint8_t kind, algorithm, tag;
};
#if FEATURE_PIECES || FEATURE_COUPLE
/** Seals for this card by one of its keys, which is the variant of a value; out = content of element 91. Uses 96 bytes behind that. */
uint16_t seal_own(struct sealing *s, uint8_t key, const uint8_t *in, uint16_t length, uint8_t *out);
/** Opens in place what seal_own has made. */
uint16_t open_own(struct sealing *s, uint8_t key, uint8_t *in, uint16_t length);
/** Writes a certificate into its room; it becomes STORED, or HELD, and what it stands for is given up with it. */
uint16_t certificate_store(const struct expected *x, const struct cert *c, uint8_t *e6, uint16_t size);
/** The certificate becomes RECOVERING; room for its value is reserved with it when the value is gone. */
uint16_t recovering(uint16_t slot);
/** The value of a certificate is back: ACTIVE and, together with it, the certificate SPENT. */
uint16_t take_back(uint16_t slot, const uint8_t *e1, uint16_t size);
/** The key is the certified one: its id is computed as that of a stored key is. */
bool key_fits(const struct entry *e, const uint8_t *key);
/** Puts the request for a key or part together: wraps it behind `p`, credential, signature. */
uint16_t wrapped_request(struct apdu *a, struct sealing *s, uint8_t *p, const struct wrapping *w);
/**
 * A key, seed or part that a safe has sealed for this card: signature, digest, decryption, certified hash. It is in
 * clear 32 bytes behind the beginning of `sealed` afterwards. `s`: label, info, digest.
 */
uint16_t reply_open(struct sealing *s, const struct entry *e, uint8_t *sealed, const uint8_t *signature, const char *label);
#endif

/* ---- pieces.c, couple.c, parts.c: sets of values, certificates and key parts (protocol 5) ---- */
/** Index within its set, from 1, and count. */
#define PART_INDEX(e) ((uint8_t)((e)->part & 15))
#define PART_COUNT(e) ((uint8_t)((e)->part >> 4))
/** First sequence of the set of an entry. */
uint32_t set_of(const struct entry *e);
/** Writes the piece identity C5 of an entry's set. */
uint8_t *identity_put(uint8_t *to, const struct entry *e, uint8_t index, uint16_t whole);
/** Slot of a set's value or certificate by kind and index in any state but DELETING; -1: none. */
int set_find(uint8_t cls, uint8_t kind, uint32_t set, uint8_t index);
/** State that an entry of a set must be given because of what has happened to the set; 0: it stays. */
uint8_t set_fate(const struct entry *e);
/** True if a DEPOSITED value of a set may be deleted. */
bool set_deletable(const struct entry *e);
/** Takes `count` sequences, durably, and notes the handle given with them (0: none). */
uint16_t sequences_take(uint32_t *first, uint8_t count, uint16_t handle);
/** True when enough STORED part certificates of one set stand for exactly the key that is on the card. */
bool parts_certified(uint8_t kind);
/** True for a STORED part certificate of exactly the key that is on the card. */
bool part_deletable(const struct entry *e);
/** Drops the key parts whose certificates have not come; false when there are none. */
bool parts_cancel(void);
/** True while something on the card or at a safe still depends on the present key. */
bool key_in_use(uint8_t kind);
/** Writes a key in one change; NULL: a random one. */
uint16_t key_write(uint8_t kind, const uint8_t *key);
/** Stores a key that has come back unless it is there already; another key is never overwritten. */
uint16_t key_restore(uint8_t kind, const uint8_t *key);
/** STORED certificates of the set of a key part. */
uint8_t parts_stored(const struct entry *e);
/** The part of the key that an entry stands for. Uses 32 bytes behind `out`. */
uint16_t part_make(const struct entry *c, uint8_t *out);
/** A coupled object that has come back for its certificate: checks it and opens the part in it. */
uint16_t coupled_open(uint8_t *info, const struct entry *c, uint8_t *from, const uint8_t *end, uint8_t **part);
uint16_t bundle_gather(uint16_t slot);
uint16_t bundle_combine(struct request *q);
uint16_t parts_combine(struct request *q);
uint16_t part_request(struct request *q);

/* ---- dispatch.c ---- */

/** A command whose data is well formed: contents of its elements, and the item that 8B names. */
struct request {
    struct apdu *a;
    uint8_t *at[4];
    const uint8_t *end; /* of the command data */
    const struct entry *e;
    uint16_t slot;
};
/** Certificate kind (9B) that P1 and P2 stand for. */
uint8_t kind_of(const struct apdu *a);
/** Marks the next step of the running command as done (protocol 2.6). */
void step(void);
/** For commands whose data may also be empty: reads 8B and finds the item. */
uint16_t item_find(struct request *q);
/** Answer 8B handle. */
uint16_t answer_handle(struct apdu *a, uint16_t handle);

/* ---- Handlers: the commands of protocol 2.1 by name; each answers the status word ---- */
/** Forgets that the PIN was verified. */
void pin_reset(void);
/** True once VERIFY has succeeded since reset and SELECT. */
bool pin_verified(void);
/** Stores a new PIN of 4 to 12 digits with all its tries. */
uint16_t pin_store(const uint8_t *pin, uint16_t length);
uint16_t cmd_verify(struct request *q);
uint16_t cmd_change_pin(struct request *q);
uint16_t cmd_get_data(struct request *q);
uint16_t cmd_put_data(struct request *q);
uint16_t cmd_initialise(struct request *q);
uint16_t cmd_issue(struct request *q);
uint16_t cmd_generate_key(struct request *q);
uint16_t cmd_delete_key(struct request *q);
uint16_t cmd_renew_key(struct request *q);
uint16_t cmd_list_values(struct request *q);
uint16_t cmd_list_certificates(struct request *q);
uint16_t cmd_list(struct request *q);
uint16_t cmd_read(struct request *q);
uint16_t cmd_use(struct request *q);
uint16_t cmd_load(struct request *q);
uint16_t cmd_correct(struct request *q);
uint16_t cmd_delete(struct request *q);
uint16_t cmd_cancel(struct request *q);
uint16_t cmd_register_begin(struct request *q);
uint16_t cmd_register_end(struct request *q);
uint16_t cmd_recover_begin(struct request *q);
uint16_t cmd_recover_end(struct request *q);
uint16_t cmd_key_register_begin(struct request *q);
uint16_t cmd_key_recover_end(struct request *q);
uint16_t cmd_receipt(struct request *q);
uint16_t cmd_divide(struct request *q);
uint16_t cmd_piece(struct request *q);
uint16_t cmd_set_end(struct request *q);
uint16_t cmd_gather(struct request *q);
uint16_t cmd_combine(struct request *q);
uint16_t cmd_couple(struct request *q);
uint16_t cmd_divide_key(struct request *q);
uint16_t cmd_couple_key(struct request *q);

#endif
