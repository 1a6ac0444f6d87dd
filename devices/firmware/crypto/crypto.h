/**
 * Cryptography of the card firmware: one interface, two back ends.
 *
 * crypto_init() chooses at run time between software and the chip's coprocessor (docs/chip.md, CRYPTO).
 * AES blocks, SHA-256 blocks, X25519 and Ed25519 have both back ends; everything else is built over them.
 *
 * Conventions
 *  - All lengths are in bytes, all cycles are core clock cycles. Byte strings as in the standards.
 *  - Every function that can be refused returns a crypto_status; none asserts, allocates or keeps a pointer.
 *  - A pointer may be NULL only where its length is 0 or where stated. Unless stated, outputs must not
 *    overlap inputs; `out == in` is permitted where stated, partial overlap never.
 *  - On any status but CRYPTO_OK the outputs hold nothing secret (unchanged or zeroed).
 *  - Not re-entrant with the coprocessor: crypto_idle() must not call functions of this header.
 *
 * Time
 *  - No branch and no address depends on a secret, with one exception: the AES S-boxes are read at
 *    key-dependent addresses. Cortex-M0 has no cache and code memory has constant wait states, so the
 *    read takes the same time everywhere; do not reuse that code on a core with a data cache.
 *    MULS must be the single-cycle (or any constant-time) multiplier.
 *  - Ed25519 verification and lengths are public and may influence the time.
 *
 * Memory: no static data but one flag byte. Working values are on the stack and wiped before return.
 * Stack figures below are worst cases in bytes for -Os on Cortex-M0 in software, callees included, crypto_idle()
 * excluded; with the coprocessor they are smaller (HPKE 750, X25519 and Ed25519 below 100).
 *
 * Switches
 *  - CRYPTO_SOFTWARE=0 leaves out software X25519, Ed25519 and SHA-512; those calls then return
 *    CRYPTO_ERR_UNSUPPORTED where there is no coprocessor. (Software AES and SHA-256 always stay.)
 *  - CRYPTO_COPROCESSOR=0 leaves out the coprocessor back end.
 *  - CRYPTO_LEGACY_HASHES=0 leaves out MD5 and SHA-1 (CRYPTO_ERR_PARAMETER).
 */
#ifndef CRYPTO_H
#define CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef CRYPTO_SOFTWARE
#define CRYPTO_SOFTWARE 1
#endif
#ifndef CRYPTO_COPROCESSOR
#define CRYPTO_COPROCESSOR 1
#endif

/** Outcome of an operation. */
typedef enum {
    CRYPTO_OK = 0,              /**< Done. */
    CRYPTO_ERR_PARAMETER = 1,   /**< A length or key size that the operation does not have; nothing was done. */
    CRYPTO_ERR_AUTH = 2,        /**< Tag or signature is not valid; no plaintext was released. */
    CRYPTO_ERR_WEAK = 3,        /**< X25519 gave all zeros: the peer's point has small order (RFC 7748, 6.1). */
    CRYPTO_ERR_UNSUPPORTED = 4, /**< No back end for this operation in this build on this chip. */
    CRYPTO_ERR_HARDWARE = 5,    /**< The coprocessor reported ERR. */
    CRYPTO_ERR_RANDOM = 6       /**< The random source failed. */
} crypto_status;

/** Chooses the back end. Call once before anything else with bit 0 of SYSCTL CAPS. */
void crypto_init(bool have_coprocessor);

/**
 * Called again and again while a public-key operation runs: while the coprocessor is busy, and in software
 * at least every 20,000 cycles (field operations: every 2,500). Weak and empty by default; the link layer defines its own to send
 * waiting-time extensions. It may take any time and must not call functions of this header.
 */
void crypto_idle(void);

/* ---- Helpers ---- */

/** True if the two strings are equal; time depends on the length only. */
bool crypto_equal(const void *a, const void *b, size_t length);

/** Overwrites with zeros; not removed by the optimiser. */
void crypto_wipe(void *data, size_t length);

/** Start value for crypto_crc32(). */
#define CRYPTO_CRC32_START 0u

/**
 * CRC-32 (IEEE 802.3: polynomial 0x04C11DB7, reflected, start and final inversion; check value 0xCBF43926).
 * `crc` is CRYPTO_CRC32_START or the result for the preceding bytes. About 30 cycles a byte.
 */
uint32_t crypto_crc32(uint32_t crc, const void *data, size_t length);

/* ---- AES (FIPS 197) ---- */

/**
 * One block. `key_length` is 16 or 32. `out == in` is permitted. The key schedule is computed on the way,
 * so no expanded key is kept. Stack 170.
 */
crypto_status crypto_aes_encrypt(const uint8_t *key, size_t key_length, const uint8_t in[16], uint8_t out[16]);
/** Inverse of crypto_aes_encrypt(); same rules. */
crypto_status crypto_aes_decrypt(const uint8_t *key, size_t key_length, const uint8_t in[16], uint8_t out[16]);

/** Tag length of AES-GCM here, bytes. */
#define CRYPTO_TAG_LENGTH 16u

/**
 * AES-GCM (SP 800-38D) with a 96-bit nonce and a 16-byte tag. `out` takes `length` bytes and may be `in`.
 * `tag` may lie directly behind `out`. Never use a nonce twice with one key. Stack 330.
 */
crypto_status crypto_gcm_seal(const uint8_t *key, size_t key_length, const uint8_t nonce[12],
                              const uint8_t *aad, size_t aad_length, const uint8_t *in, size_t length,
                              uint8_t *out, uint8_t tag[16]);
/** Verifies first, then decrypts; on CRYPTO_ERR_AUTH `out` is untouched. Same rules as crypto_gcm_seal(). */
crypto_status crypto_gcm_open(const uint8_t *key, size_t key_length, const uint8_t nonce[12],
                              const uint8_t *aad, size_t aad_length, const uint8_t *in, size_t length,
                              const uint8_t tag[16], uint8_t *out);

/* ---- Digests: MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180-4) ---- */

/** Which digest. MD5 and SHA-1 are broken for signatures: old certificates only. */
typedef enum { CRYPTO_MD5 = 0, CRYPTO_SHA1 = 1, CRYPTO_SHA256 = 2 } crypto_algorithm;

/** Longest digest of crypto_hash, bytes. */
#define CRYPTO_DIGEST_MAX 32u

/** A digest under way. Total length below 2^32 bytes. */
typedef struct {
    uint32_t state[8];
    uint32_t block[16];
    uint32_t length;
    uint8_t algorithm;
} crypto_hash;

/** Length of a digest in bytes (16, 20 or 32); 0 for an unknown algorithm. */
size_t crypto_digest_length(crypto_algorithm algorithm);
/** Starts; CRYPTO_ERR_PARAMETER for an unknown algorithm. */
crypto_status crypto_hash_init(crypto_hash *hash, crypto_algorithm algorithm);
/** Takes in data, in pieces of any length. Stack 200. */
crypto_status crypto_hash_update(crypto_hash *hash, const void *data, size_t length);
/** Writes crypto_digest_length() bytes and wipes the state. */
crypto_status crypto_hash_final(crypto_hash *hash, uint8_t *digest);
/** SHA-256 in one call. `digest` may be `data`. Stack 330. */
crypto_status crypto_sha256(const void *data, size_t length, uint8_t digest[32]);

/** A SHA-512 under way (FIPS 180-4). Software only; total length below 2^32 bytes. */
typedef struct {
    uint64_t state[8];
    uint64_t block[16];
    uint32_t length;
} crypto_sha512_state;

#if CRYPTO_SOFTWARE
/** Starts a SHA-512. Calls crypto_idle() while working. */
void crypto_sha512_init(crypto_sha512_state *hash);
/** Takes in data, in pieces of any length. Stack 340. */
void crypto_sha512_update(crypto_sha512_state *hash, const void *data, size_t length);
/** Writes the digest and wipes the state. Stack 380. */
void crypto_sha512_final(crypto_sha512_state *hash, uint8_t digest[64]);
#endif

/* ---- HMAC-SHA-256 (FIPS 198-1, RFC 2104) and HKDF-SHA-256 (RFC 5869) ---- */

/** An HMAC under way. */
typedef struct {
    crypto_hash inner;
    uint32_t outer[8];
} crypto_hmac;

/** Starts with a key of any length. */
crypto_status crypto_hmac_init(crypto_hmac *hmac, const uint8_t *key, size_t key_length);
/** Takes in data, in pieces of any length. */
crypto_status crypto_hmac_update(crypto_hmac *hmac, const void *data, size_t length);
/** Writes the 32-byte code and wipes the state. */
crypto_status crypto_hmac_final(crypto_hmac *hmac, uint8_t mac[32]);
/** HMAC in one call. `mac` may be `key` or `data`. Stack 430. */
crypto_status crypto_hmac_sha256(const uint8_t *key, size_t key_length, const void *data, size_t length,
                                 uint8_t mac[32]);
/** RFC 5869, 2.2. An empty salt stands for 32 zeros. `prk` may be `salt` or `ikm`. Stack 450. */
crypto_status crypto_hkdf_extract(const uint8_t *salt, size_t salt_length, const uint8_t *ikm, size_t ikm_length,
                                  uint8_t prk[32]);
/** RFC 5869, 2.3. At most 8160 bytes out; longer gives CRYPTO_ERR_PARAMETER. Stack 500. */
crypto_status crypto_hkdf_expand(const uint8_t *prk, size_t prk_length, const uint8_t *info, size_t info_length,
                                 uint8_t *out, size_t length);

/* ---- X25519 (RFC 7748) and Ed25519 (RFC 8032) ---- */

/**
 * Scalar times u-coordinate, clamped and masked as in RFC 7748, 5. `out` may be an input.
 * CRYPTO_ERR_WEAK for an all-zero result. Stack 580, about 5.7 M cycles in software.
 */
crypto_status crypto_x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]);
/** Public key of a private key: crypto_x25519() with u = 9. */
crypto_status crypto_x25519_base(uint8_t out[32], const uint8_t scalar[32]);

/** Public key of a 32-byte seed (RFC 8032, 5.1.5). Stack 1090, about 3 M cycles in software. */
crypto_status crypto_ed25519_public(uint8_t public_key[32], const uint8_t seed[32]);
/**
 * Signature (RFC 8032, 5.1.6). Deterministic. The public key is recomputed from the seed, so that a wrong
 * one cannot leak the private key. Messages up to 65535 bytes. Stack 1110, about 6.5 M cycles in software.
 */
crypto_status crypto_ed25519_sign(uint8_t signature[64], const uint8_t seed[32], const void *message, size_t length);
/**
 * Verification (RFC 8032, 5.1.7, equation without cofactor). Strict: refuses S >= L, a public key or R with
 * y >= p, x = 0 with sign 1, and (software) public keys of small order. CRYPTO_OK or CRYPTO_ERR_AUTH.
 * Messages up to 65535 bytes. Stack 1100, about 9 M cycles in software.
 */
crypto_status crypto_ed25519_verify(const uint8_t signature[64], const uint8_t public_key[32], const void *message,
                                    size_t length);

/* ---- HPKE (RFC 9180), base mode, single shot ----
 * DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, AES-128-GCM 0x0001. */

/** Bytes a sealed message is longer than its plaintext (`enc` is separate). */
#define CRYPTO_HPKE_OVERHEAD 16u

/** Fills `out` with random bytes. Anything but CRYPTO_OK ends the operation with CRYPTO_ERR_RANDOM. */
typedef crypto_status (*crypto_random)(void *context, uint8_t *out, size_t length);

/** One party's view of the additional inputs of HPKE. Both may be empty. */
typedef struct {
    const uint8_t *info;
    size_t info_length;
    const uint8_t *aad;
    size_t aad_length;
} crypto_hpke_inputs;

/** DeriveKeyPair (RFC 9180, 7.1.3). `ikm` should hold at least 32 bytes of entropy. `private_key` may be `ikm`. Stack 660. */
crypto_status crypto_hpke_derive(const uint8_t *ikm, size_t ikm_length, uint8_t private_key[32],
                                 uint8_t public_key[32]);
/**
 * SealBase with a given ephemeral private key (RFC 9180, 6.1). The key must be fresh for every message.
 * Writes `enc` (32) and `out` (`length` + CRYPTO_HPKE_OVERHEAD); `out` may be `in`. Stack 820.
 */
crypto_status crypto_hpke_seal(const uint8_t recipient[32], const uint8_t ephemeral[32],
                               const crypto_hpke_inputs *inputs, const uint8_t *in, size_t length,
                               uint8_t enc[32], uint8_t *out);
/** SealBase with an ephemeral key drawn as DeriveKeyPair(32 random bytes). */
crypto_status crypto_hpke_seal_random(const uint8_t recipient[32], crypto_random random, void *context,
                                      const crypto_hpke_inputs *inputs, const uint8_t *in, size_t length,
                                      uint8_t enc[32], uint8_t *out);
/**
 * OpenBase (RFC 9180, 6.1). `public_key` belongs to `private_key`; NULL = compute it (one more X25519).
 * `length` includes the overhead; `out` takes `length` - overhead bytes and may be `in`.
 * CRYPTO_ERR_AUTH leaves `out` untouched. Stack 850.
 */
crypto_status crypto_hpke_open(const uint8_t private_key[32], const uint8_t *public_key, const uint8_t enc[32],
                               const crypto_hpke_inputs *inputs, const uint8_t *in, size_t length, uint8_t *out);

#endif
