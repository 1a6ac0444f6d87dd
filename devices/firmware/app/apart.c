/** Embodiment 3: a key and what it opens lie at different safes (docs/protocol.md 2.8). */
#include "app.h"

#include <string.h>

#if FEATURE_TWO_SAFES

/** A certificate of this safe that counts: of the key itself, or of a value under it. */
static bool meets(bool of_key, uint8_t key, const uint8_t *safe)
{
    struct cert c;
    for (uint16_t i = 0; i < index_slots(); i++) {
        const struct entry *e = index_at(i);
        if (e->cls != CLASS_CERTIFICATE || !entry_listed(e) || e->state == CERT_SPENT) continue;
        if ((IS_KEY(e->kind) != of_key && !COUPLED(e)) || !key_concerns(e, key) || !entry_cert(e, &c)) continue;
        if (memcmp(c.at[C_SAFE], safe, 8) == 0) return true;
    }
    return false;
}

bool apart_key(uint8_t key, const uint8_t *safe)
{
#if FAULT_KEY_BESIDE_VALUE
    return true;
#endif
    return !meets(false, key, safe);
}

bool apart_value(uint8_t key, const uint8_t *safe)
{
#if FAULT_VALUE_BESIDE_KEY
    return true;
#endif
    const struct keyreg *k = key_registration();
    bool begun = k && memcmp(k->safe, safe, 8) == 0 && (k->kind == key || (k->kind == KEY_SEED && key == KEY_DECODING));
    return !begun && !meets(true, key, safe);
}

#endif
