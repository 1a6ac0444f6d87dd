/** Member applet: passwords, key file, registration (docs/member.md rules 1 to 8). */
#include "features.h"

#if FEATURE_MEMBER
#include "member.h"

#include <string.h>

#include "applets.h"
#include "crypto/crypto.h"
#include "hal/hal.h"
#include "nvm/nvm.h"

#define ITERATIONS 64u
#define PACKED 60u

/* ---- bytes over pages ---- */

uint16_t packed_write(uint16_t page, const uint8_t *data, uint16_t size)
{
    for (; size > 0; page++) {
        union page p;
        uint16_t n = size < PACKED ? size : PACKED;
        memset(&p, 0, sizeof p);
        memcpy(p.bytes, data, n);
        p.words[15] = crypto_crc32(CRYPTO_CRC32_START, p.bytes, PACKED);
        if (nvm_put(page, p.bytes) != NVM_OK) return SW_MEMORY;
        data += n;
        size = (uint16_t)(size - n);
    }
    return SW_OK;
}

bool packed_read(uint16_t page, uint8_t *out, uint16_t size)
{
    for (; size > 0; page++) {
        uint16_t n = size < PACKED ? size : PACKED;
        if (!nvm_page_valid(page)) return false;
        memcpy(out, nvm_at(page), n);
        out += n;
        size = (uint16_t)(size - n);
    }
    return true;
}

/* ---- passwords and key file ---- */

bool password_fits(const uint8_t *password)
{
    for (uint8_t i = 0; i < LENGTH(password); i++)
        if (password[i] < 0x20 || password[i] > 0x7E) return false;
    return true;
}

void password_key(uint8_t which, const uint8_t *password, uint8_t length, uint8_t key[16])
{
    uint8_t u[32], salted[21] = {0};
    memcpy(salted, nvm_at(member_page(M_SECRET)) + 4, 16);
    salted[16] = which;
    salted[20] = 1;
    (void)crypto_hmac_sha256(password, length, salted, sizeof salted, u);
    memcpy(key, u, 16);
    for (unsigned n = 1; n < ITERATIONS; n++) {
        (void)crypto_hmac_sha256(password, length, u, 32, u);
        for (unsigned i = 0; i < 16; i++) key[i] ^= u[i];
    }
    crypto_wipe(u, sizeof u);
}

static uint16_t file_page(uint8_t copy)
{
    return member_page((uint16_t)(M_FILE + copy * M_COPY));
}

bool file_open(const uint8_t key_a[16], uint8_t *clear)
{
    if (!packed_read(file_page(member_state()->copy & 1), clear - 12, M_CLEAR + 28)) return false;
    return crypto_gcm_open(key_a, 16, clear - 12, NULL, 0, clear, M_CLEAR, clear + M_CLEAR, clear) == CRYPTO_OK;
}

uint16_t file_write(uint8_t *clear)
{
    hal_random(clear - 12, 12);
    if (crypto_gcm_seal(session.key_a, 16, clear - 12, NULL, 0, clear, M_CLEAR, clear, clear + M_CLEAR) != CRYPTO_OK)
        return SW_MEMORY;
#if FAULT_MEMBER_FILE_IN_PLACE
    return packed_write(file_page(member_state()->copy & 1), clear - 12, M_CLEAR + 28);
#endif
    return packed_write(file_page(!(member_state()->copy & 1)), clear - 12, M_CLEAR + 28);
}

bool inner_open(uint8_t *clear, const uint8_t *key_b)
{
#if FAULT_MEMBER_A_OPENS
    key_b = NULL;
#endif
    if (!key_b) {
        memcpy(session.seed, clear + 12, 32);
        return true;
    }
    return crypto_gcm_open(key_b, 16, clear, NULL, 0, clear + 12, 32, clear + 44, session.seed) == CRYPTO_OK;
}

/** The inner part of a new key file. */
static void inner_make(uint8_t *clear)
{
    memset(clear, 0, M_CLEAR);
#if FAULT_MEMBER_A_OPENS
    session.fresh_b = false;
#endif
    if (!session.fresh_b) {
        memcpy(clear + 12, session.seed, 32);
        return;
    }
    hal_random(clear, 12);
    (void)crypto_gcm_seal(session.key_b, 16, clear, NULL, 0, session.seed, 32, clear + 12, clear + 44);
}

/** The saved telegram into the session. */
static bool saved_open(uint8_t *work, const uint8_t *key_a)
{
    if (!packed_read(member_page(M_SAVED), work, M_COPY * PACKED)) return false;
    uint16_t size = (uint16_t)(work[0] | work[1] << 8);
    if (size > M_TELEGRAM) return false;
    if (crypto_gcm_open(key_a, 16, work + 2, NULL, 0, work + 14, size, work + 14 + size, session.text) != CRYPTO_OK)
        return false;
    session.contents = 0;
    session.telegram = size;
    return true;
}

static bool opened(enum opens what, uint8_t *work, const uint8_t *key)
{
    if (what == OPENS_SAVED) return saved_open(work, key);
    if (what == OPENS_FILE) return file_open(key, work);
    return file_open(session.key_a, work) && inner_open(work, key);
}

static uint16_t tries_set(bool b, uint8_t tries)
{
    nvm_tx_begin();
    member_change()->tries[b] = tries;
    return change_commit();
}

uint16_t password_try(enum opens what, uint8_t *work, const uint8_t *password, uint8_t length)
{
    bool b = what == OPENS_INNER;
    uint8_t key[16], tries = member_state()->tries[b];
    if (tries == 0) return SW_BLOCKED;
    uint16_t sw = tries_set(b, (uint8_t)(tries - 1));
    if (sw != SW_OK) return sw;
    password_key(b ? 'B' : 'A', password, length, key);
    if (!opened(what, work, key)) {
        crypto_wipe(key, sizeof key);
        member_forget();
        return (uint16_t)(SW_PIN | (tries - 1u));
    }
    memcpy(b ? session.key_b : session.key_a, key, sizeof key);
    crypto_wipe(key, sizeof key);
    session.fresh = session.fresh_b = false;
    if (b) session.key = true;
    else session.a = true;
    return tries_set(b, M_TRIES);
}

/* ---- registration ---- */

static bool registered(void)
{
    return (member_state()->flags & MF_REGISTERED) != 0;
}

uint16_t member_passwords(struct apdu *a, uint8_t *end)
{
    static syntax both = {0xD0, 6, 16, 0xD1, 6, 16, 0}, one = {0xD0, 6, 16, 0};
    uint8_t *at[2], *data = a->buf + LEAD;
    bool b = fields_take(data, end, both, at);
    if (registered()) return SW_CONDITIONS;
    if (!b && !fields_take(data, end, one, at)) return SW_DATA;
    if (!password_fits(at[0]) || (b && !password_fits(at[1]))) return SW_DATA;
    session.a = session.key = false;
    session.fresh = true;
    session.fresh_b = b;
    password_key('A', at[0], LENGTH(at[0]), session.key_a);
    if (b) password_key('B', at[1], LENGTH(at[1]), session.key_b);
    return SW_OK;
}

uint16_t member_contents(struct apdu *a, uint8_t *end)
{
    static syntax form = {0xD2, 1, 160, 0};
    uint8_t *at[1];
    if (registered()) return SW_CONDITIONS;
    if (!fields_take(a->buf + LEAD, end, form, at)) return SW_DATA;
    session.telegram = 0;
    session.contents = (uint16_t)(end - at[0]);
    memcpy(session.text, at[0], session.contents);
    return SW_OK;
}

/** The signature key: from the text typed, or random. */
static uint16_t seed_draw(uint8_t *data, const uint8_t *end)
{
    static syntax form = {0xD3, 1, 64, 0};
    static const char label[] = "cardbench member seed v1";
    uint8_t *at[1];
    if (data == end) {
        hal_random(session.seed, 32);
        return SW_OK;
    }
    if (!fields_take(data, end, form, at)) return SW_DATA;
    memcpy(at[0] - sizeof label, label, sizeof label);
    (void)crypto_sha256(at[0] - sizeof label, sizeof label + (size_t)(end - at[0]), session.seed);
    return SW_OK;
}

uint16_t member_seed(struct apdu *a, uint8_t *end)
{
    uint8_t *clear = WORK(a) + 12, public_key[32];
    if (registered()) return SW_CONDITIONS;
    if (!session.fresh) return SW_SECURITY;
    uint16_t sw = seed_draw(a->buf + LEAD, end);
    if (sw != SW_OK) return sw;
    member_step(4);
    if (crypto_ed25519_public(public_key, session.seed) != CRYPTO_OK) return SW_MEMORY;
    member_step(5);
    inner_make(clear);
    sw = file_write(clear);
    if (sw != SW_OK) return sw;
    nvm_tx_begin();
    struct member_state *s = member_change();
    s->flags = (uint8_t)(MF_KEY | (session.fresh_b ? MF_B : 0));
    s->tries[0] = s->tries[1] = M_TRIES;
#if !FAULT_MEMBER_FILE_IN_PLACE
    s->copy = !(s->copy & 1);
#endif
    uint8_t *page = change_new(member_page(M_KEY))->bytes;
    page[0] = 1;
    memcpy(page + 8, public_key, 32);
    sw = change_commit();
    if (sw != SW_OK) return sw;
    session.fresh = session.fresh_b = false;
    session.a = session.key = true;
    a->out = (uint16_t)(tlv_put(a->buf, 0xD4, public_key, 32) - a->buf);
    return SW_OK;
}

uint8_t *member_sign(uint8_t *from, uint8_t *end, const char *label)
{
    size_t length = 0;
    while (label[length++]) {
    }
    uint8_t *signature = tlv_head(end, 0xD5, 64);
    memcpy(from - length, label, length);
    if (crypto_ed25519_sign(signature, session.seed, from - length, (size_t)(end - from) + length) != CRYPTO_OK)
        return NULL;
    return signature + 64;
}

/** Contents, verification key and signature as F0 into the session. */
static uint16_t registration_make(struct apdu *a)
{
    uint8_t *from = WORK(a) + LEAD, *p = tlv_put(from, 0xD2, session.text, session.contents);
    p = tlv_put(p, 0xD4, member_at(M_KEY) + 8, 32);
    p = member_sign(from, p, "cardbench member registration v1");
    if (!p) return SW_MEMORY;
    uint16_t size = (uint16_t)(p - from);
    uint8_t *to = tlv_head(session.text, 0xF0, size);
    memcpy(to, from, size);
    session.contents = 0;
    session.telegram = (uint16_t)(to - session.text + size);
    return SW_OK;
}

static uint16_t saved_flag(bool set)
{
    nvm_tx_begin();
    struct member_state *s = member_change();
    s->flags = (uint8_t)((s->flags & ~MF_SAVED) | (set ? MF_SAVED : 0));
    return change_commit();
}

/** Method 1: what is in the session encrypted under A, durably; the session keeps nothing of it. */
static uint16_t registration_save(struct apdu *a)
{
    uint8_t *work = WORK(a);
    uint16_t size = session.telegram;
    uint16_t sw = member_state()->flags & MF_SAVED ? saved_flag(false) : SW_OK;
    if (sw != SW_OK) return sw;
    memset(work, 0, M_COPY * PACKED);
    put_le16(work, size);
    hal_random(work + 2, 12);
    (void)crypto_gcm_seal(session.key_a, 16, work + 2, NULL, 0, session.text, size, work + 14, work + 14 + size);
    crypto_wipe(session.text, sizeof session.text);
    session.telegram = 0;
    sw = packed_write(member_page(M_SAVED), work, M_COPY * PACKED);
    return sw == SW_OK ? saved_flag(true) : sw;
}

uint16_t member_sign_registration(struct apdu *a, uint8_t *end)
{
    if (end != a->buf + LEAD) return SW_LENGTH;
    if (registered()) return SW_CONDITIONS;
    if (!session.key) return SW_SECURITY;
    if (session.contents == 0) return SW_CONDITIONS;
    uint16_t sw = registration_make(a);
    return sw == SW_OK && a->p1 == 1 ? registration_save(a) : sw;
}

uint16_t member_fetch(struct apdu *a, uint8_t *end)
{
    static syntax form = {0xD0, 6, 16, 0};
    uint8_t *at[1];
    if (!(member_state()->flags & MF_SAVED)) return SW_NOT_FOUND;
    if (!fields_take(a->buf + LEAD, end, form, at) || !password_fits(at[0])) return SW_DATA;
    return password_try(OPENS_SAVED, WORK(a), at[0], LENGTH(at[0]));
}

uint16_t member_connect(struct apdu *a, uint8_t *end)
{
    static syntax elements = {0xD7, 8, 8, 0xD5, 64, 64, 0};
    uint8_t *at[2];
    if (!object_take(a->buf + LEAD, end, 0xF4, elements, at)) return SW_DATA;
    uint16_t sw = signature_check(at[0] - 2, at[1], "cardbench member connection v1", NULL, member_at(M_CENTRE) + 8);
    if (sw != SW_OK) return sw;
    memcpy(session.connection, at[0], 8);
    session.connected = true;
    return SW_OK;
}

/** HKDF over card secret and hash of connection and object. */
static void ephemeral(const uint8_t *object, uint16_t size, uint8_t out[32])
{
    static const char label[] = "cardbench member ephemeral v1";
    uint8_t info[sizeof label + 32];
    crypto_hash hash;
    memcpy(info, label, sizeof label);
    (void)crypto_hash_init(&hash, CRYPTO_SHA256);
    (void)crypto_hash_update(&hash, session.connection, 8);
    (void)crypto_hash_update(&hash, object, size);
    (void)crypto_hash_final(&hash, info + sizeof label);
    (void)crypto_hkdf_expand(member_at(M_SECRET) + 20, 32, info, sizeof info, out, 32);
}

uint16_t telegram_seal(struct apdu *a, const uint8_t *object, uint16_t size)
{
    static const char label[] = "cardbench member telegram v1";
    uint8_t info[sizeof label + 8], private_key[32];
    memcpy(info, label, sizeof label);
    memcpy(info + sizeof label, session.connection, 8);
    ephemeral(object, size, private_key);
    crypto_hpke_inputs inputs = {info, sizeof info, NULL, 0};
    crypto_status s = crypto_hpke_seal(member_at(M_SEAL) + 8, private_key, &inputs, object, size, a->buf, a->buf + 32);
    crypto_wipe(private_key, sizeof private_key);
    if (s != CRYPTO_OK) return SW_DATA;
    a->out = (uint16_t)(size + 48);
    return SW_OK;
}

uint16_t member_send(struct apdu *a, uint8_t *end)
{
    if (end != a->buf + LEAD) return SW_LENGTH;
    if (session.telegram == 0 || !session.connected) return SW_CONDITIONS;
    return telegram_seal(a, session.text, session.telegram);
}

uint16_t member_admitted(struct apdu *a, uint8_t *end)
{
    static syntax elements = {0xD6, 8, 8, 0xD4, 32, 32, 0xD5, 64, 64, 0};
    const struct member_state *s = member_state();
    uint8_t *at[3], any = 0;
    if (!(s->flags & MF_KEY)) return SW_CONDITIONS;
    if (!object_take(a->buf + LEAD, end, 0xF1, elements, at)) return SW_DATA;
    for (int i = 0; i < 8; i++) any |= at[0][i];
    if (memcmp(at[1], member_at(M_KEY) + 8, 32) != 0 || any == 0) return SW_DATA;
    uint16_t sw = signature_check(at[0] - 2, at[2], "cardbench member admission v1", NULL, member_at(M_CENTRE) + 8);
    if (sw != SW_OK) return sw;
    if (registered()) return memcmp(at[0], s->number, 8) == 0 ? SW_OK : SW_CONDITIONS;
    nvm_tx_begin();
    struct member_state *change = member_change();
    change->flags = (uint8_t)((change->flags | MF_REGISTERED) & ~MF_SAVED);
    memcpy(change->number, at[0], 8);
    return change_commit();
}
#endif
