/** Mailbox of the vector image: the bench writes an operation and its inputs, runs to the next BKPT, reads the outcome. */
#ifndef VECTORS_H
#define VECTORS_H

#include <stdint.h>

#define VECTORS_MAGIC 0x31564243u /* "CBV1" */
#define VECTORS_INPUTS 6u
#define VECTORS_IN_BYTES 2304u
#define VECTORS_OUT_BYTES 1280u

typedef enum {
    OP_INIT = 1,        /**< parameter 0: use the coprocessor */
    OP_AES_ENCRYPT,     /**< key, block -> block */
    OP_AES_DECRYPT,     /**< key, block -> block */
    OP_GCM_SEAL,        /**< key, nonce, aad, text -> text, tag; parameter 0: in place */
    OP_GCM_OPEN,        /**< key, nonce, aad, text, tag -> text; parameter 0: in place */
    OP_HASH,            /**< data -> digest; parameters: algorithm, bytes a piece, repeats */
    OP_SHA512,          /**< data -> digest; parameters: -, bytes a piece, repeats */
    OP_HMAC,            /**< key, data -> mac */
    OP_HKDF_EXTRACT,    /**< salt, ikm -> prk */
    OP_HKDF_EXPAND,     /**< prk, info -> okm; parameter 0: bytes */
    OP_X25519,          /**< scalar, u -> u; parameter 0: iterations as in RFC 7748, 5.2 */
    OP_ED25519_PUBLIC,  /**< seed -> public key */
    OP_ED25519_SIGN,    /**< seed, message -> signature */
    OP_ED25519_VERIFY,  /**< public key, message, signature -> nothing */
    OP_HPKE_DERIVE,     /**< ikm -> private key, public key */
    OP_HPKE_SEAL,       /**< recipient, ephemeral, info, aad, text -> enc, ciphertext */
    OP_HPKE_OPEN,       /**< private key, public key or nothing, enc, info, aad, ciphertext -> text */
    OP_HPKE_SCHEDULE,   /**< dh, enc, recipient, info -> shared secret, key, nonce */
    OP_HPKE_SEAL_RANDOM,/**< recipient, random bytes or nothing (source fails), info, aad, text -> enc, ciphertext */
    OP_CRC32,           /**< data, more data -> crc, lowest byte first */
    OP_EQUAL,           /**< two strings -> 1 or 0 */
    OP_FIELD,           /**< two numbers below 2^256 -> number below p; parameter 0: + - * square, times 121665, 1 / a */
} vectors_operation;

typedef struct {
    uint32_t magic;
    uint32_t operation;
    uint32_t parameter[3];
    uint32_t length[VECTORS_INPUTS];    /**< the inputs lie one after the other in `in` */
    uint32_t result;                    /**< crypto_status */
    uint32_t out_length;
    uint32_t idle;                      /**< calls of crypto_idle() */
    uint32_t stack;                     /**< bytes of stack used below the dispatcher; 0 on the host */
    uint8_t in[VECTORS_IN_BYTES];
    uint8_t out[VECTORS_OUT_BYTES];
} vectors_mailbox;

extern vectors_mailbox mailbox;

/** Carries out mailbox.operation. 255 as result: unknown operation or inputs that do not fit. */
void vectors_dispatch(void);

#endif
