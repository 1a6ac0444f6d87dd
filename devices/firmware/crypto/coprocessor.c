/** The chip's coprocessor as a back end (docs/chip.md, CRYPTO). */
#include "internal.h"

#if CRYPTO_COPROCESSOR

typedef struct {
    volatile uint32_t cmd;
    volatile uint32_t status;
    volatile uint32_t ie;
    volatile uint32_t src;
    volatile uint32_t dst;
    volatile uint32_t key;
    volatile uint32_t len;
    volatile uint32_t aux;
} registers;

#define CRYPTO_REGISTERS ((registers *)0x40005000u)

enum { STATUS_BUSY = 1, STATUS_DONE = 2, STATUS_ERR = 4, STATUS_RESULT = 8 };
enum {
    CMD_AES128_ENCRYPT = 1,
    CMD_SHA256_BLOCKS = 6,
    CMD_X25519 = 7,
    CMD_ED25519_PUBLIC = 8,
    CMD_ED25519_SIGN = 9,
    CMD_ED25519_VERIFY = 10
};

/** Address as the bus sees it. */
static uint32_t address(const void *pointer)
{
    return (uint32_t)(uintptr_t)pointer;
}

/** Starts an operation and polls to its end; gives the final STATUS. */
static uint32_t run(uint32_t command, void *dst, const void *key, const void *src, size_t length)
{
    registers *chip = CRYPTO_REGISTERS;
    uint32_t status;
    chip->src = address(src);
    chip->dst = address(dst);
    chip->key = address(key);
    chip->len = (uint32_t)length;
    __asm__ volatile("" : : : "memory");
    chip->cmd = command;
    while (((status = chip->status) & STATUS_BUSY) != 0u) {
        if (command >= CMD_X25519) {
            crypto_idle();
        }
    }
    __asm__ volatile("" : : : "memory");
    chip->status = STATUS_DONE | STATUS_ERR;
    return status;
}

static crypto_status outcome(uint32_t status)
{
    return (status & (STATUS_DONE | STATUS_ERR)) == STATUS_DONE ? CRYPTO_OK : CRYPTO_ERR_HARDWARE;
}

crypto_status coprocessor_aes(const uint8_t *key, size_t key_length, const uint8_t in[16], uint8_t out[16],
                              bool decrypt)
{
    uint32_t command = CMD_AES128_ENCRYPT + (key_length == 32u ? 2u : 0u) + (decrypt ? 1u : 0u);
    return outcome(run(command, out, key, in, 16));
}

crypto_status coprocessor_sha256(uint32_t state[8], const uint32_t block[16])
{
    return outcome(run(CMD_SHA256_BLOCKS, state, NULL, block, 64));
}

crypto_status coprocessor_x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32])
{
    if ((run(CMD_X25519, out, scalar, u, 32) & STATUS_ERR) == 0u) {
        return CRYPTO_OK;
    }
    crypto_wipe(out, 32);
    return CRYPTO_ERR_WEAK;
}

crypto_status coprocessor_ed25519_public(uint8_t public_key[32], const uint8_t seed[32])
{
    return outcome(run(CMD_ED25519_PUBLIC, public_key, seed, seed, 32));
}

crypto_status coprocessor_ed25519_sign(uint8_t signature[64], const uint8_t seed[32], const void *message,
                                       size_t length)
{
    return outcome(run(CMD_ED25519_SIGN, signature, seed, length == 0u ? seed : message, length));
}

crypto_status coprocessor_ed25519_verify(const uint8_t signature[64], const uint8_t public_key[32],
                                         const void *message, size_t length)
{
    CRYPTO_REGISTERS->aux = address(signature);
    uint32_t status = run(CMD_ED25519_VERIFY, NULL, public_key, length == 0u ? public_key : message, length);
    if (outcome(status) != CRYPTO_OK) {
        return CRYPTO_ERR_HARDWARE;
    }
    return (status & STATUS_RESULT) != 0u ? CRYPTO_OK : CRYPTO_ERR_AUTH;
}

#endif
