/** What the crypto sources share among themselves; nothing here is for other folders. Little-endian cores only. */
#ifndef CRYPTO_INTERNAL_H
#define CRYPTO_INTERNAL_H

#include "crypto.h"

void *memcpy(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);

/** Overwrites the part of the stack that callees of the caller have used (256 bytes). */
void crypto_burn(void);

/** Software AES block; `key_length` already checked. */
void aes_software(const uint8_t *key, size_t key_length, const uint8_t in[16], uint8_t out[16], bool decrypt);

/** Compression functions. `state` is kept in the byte order of the digest; `block` is destroyed. */
void md5_compress(uint32_t state[8], uint32_t block[16]);
void sha1_compress(uint32_t state[8], uint32_t block[16]);
void sha256_compress(uint32_t state[8], uint32_t block[16]);

/** Round constants of SHA-512; the upper words of the first 64 are those of SHA-256 (FIPS 180-4, 4.2). */
#if CRYPTO_SOFTWARE
extern const uint64_t sha512_constants[80];
#define SHA256_CONSTANT(i) (((const uint32_t *)sha512_constants)[2 * (i) + 1])
#else
extern const uint32_t sha256_constants[64];
#define SHA256_CONSTANT(i) (sha256_constants[i])
#endif

/* Coprocessor (docs/chip.md, CRYPTO). */
#if CRYPTO_COPROCESSOR
extern bool crypto_hardware;
crypto_status coprocessor_aes(const uint8_t *key, size_t key_length, const uint8_t in[16], uint8_t out[16],
                              bool decrypt);
crypto_status coprocessor_sha256(uint32_t state[8], const uint32_t block[16]);
crypto_status coprocessor_x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]);
crypto_status coprocessor_ed25519_public(uint8_t public_key[32], const uint8_t seed[32]);
crypto_status coprocessor_ed25519_sign(uint8_t signature[64], const uint8_t seed[32], const void *message,
                                       size_t length);
crypto_status coprocessor_ed25519_verify(const uint8_t signature[64], const uint8_t public_key[32],
                                         const void *message, size_t length);
#else
#define crypto_hardware false
#define coprocessor_aes(...) CRYPTO_ERR_UNSUPPORTED
#define coprocessor_sha256(...) CRYPTO_ERR_UNSUPPORTED
#define coprocessor_x25519(...) CRYPTO_ERR_UNSUPPORTED
#define coprocessor_ed25519_public(...) CRYPTO_ERR_UNSUPPORTED
#define coprocessor_ed25519_sign(...) CRYPTO_ERR_UNSUPPORTED
#define coprocessor_ed25519_verify(...) CRYPTO_ERR_UNSUPPORTED
#endif

/* Software public-key operations; the arguments are checked. */
#if CRYPTO_SOFTWARE
crypto_status x25519_software(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]);
void ed25519_software_public(uint8_t public_key[32], const uint8_t seed[32]);
void ed25519_software_sign(uint8_t signature[64], const uint8_t seed[32], const void *message, size_t length);
bool ed25519_software_verify(const uint8_t signature[64], const uint8_t public_key[32], const void *message,
                             size_t length);
#endif

/** HPKE's inner values, for tests against RFC 9180, A.1. */
typedef struct {
    uint8_t shared_secret[32];
    uint8_t key[16];
    uint8_t nonce[12];
} hpke_secrets;

/** ExtractAndExpand and KeySchedule (RFC 9180, 4.1 and 5.1). `dh` is X25519's result. */
crypto_status hpke_schedule(hpke_secrets *secrets, const uint8_t dh[32], const uint8_t enc[32],
                            const uint8_t recipient[32], const uint8_t *info, size_t info_length);

#endif
