/** Choice of the back end, dispatch of the primitives, helpers. */
#include "internal.h"

#if CRYPTO_COPROCESSOR
bool crypto_hardware;
#endif

void crypto_init(bool have_coprocessor)
{
#if CRYPTO_COPROCESSOR
    crypto_hardware = have_coprocessor;
#else
    (void)have_coprocessor;
#endif
}

__attribute__((weak)) void crypto_idle(void) {}

bool crypto_equal(const void *a, const void *b, size_t length)
{
    const volatile uint8_t *x = a;
    const volatile uint8_t *y = b;
    uint32_t difference = 0;
    while (length-- != 0u) {
        difference |= (uint32_t)(*x++ ^ *y++);
    }
    return ((difference - 1u) >> 31) != 0u;
}

void crypto_wipe(void *data, size_t length)
{
    memset(data, 0, length);
    __asm__ volatile("" : : "r"(data) : "memory");
}

__attribute__((noinline)) void crypto_burn(void)
{
    uint8_t used[256];
    crypto_wipe(used, sizeof used);
}

uint32_t crypto_crc32(uint32_t crc, const void *data, size_t length)
{
    static const uint32_t nibble[16] = {
        0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
        0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
    };
    const uint8_t *byte = data;
    crc = ~crc;
    while (length-- != 0u) {
        crc ^= *byte++;
        crc = (crc >> 4) ^ nibble[crc & 15u];
        crc = (crc >> 4) ^ nibble[crc & 15u];
    }
    return ~crc;
}

static crypto_status aes_block(const uint8_t *key, size_t key_length, const uint8_t in[16], uint8_t out[16],
                               bool decrypt)
{
    if (key_length != 16u && key_length != 32u) {
        return CRYPTO_ERR_PARAMETER;
    }
    if (crypto_hardware) {
        return coprocessor_aes(key, key_length, in, out, decrypt);
    }
    aes_software(key, key_length, in, out, decrypt);
    return CRYPTO_OK;
}

crypto_status crypto_aes_encrypt(const uint8_t *key, size_t key_length, const uint8_t in[16], uint8_t out[16])
{
    return aes_block(key, key_length, in, out, false);
}

crypto_status crypto_aes_decrypt(const uint8_t *key, size_t key_length, const uint8_t in[16], uint8_t out[16])
{
    return aes_block(key, key_length, in, out, true);
}

crypto_status crypto_x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32])
{
    if (crypto_hardware) {
        return coprocessor_x25519(out, scalar, u);
    }
#if CRYPTO_SOFTWARE
    return x25519_software(out, scalar, u);
#else
    (void)out, (void)scalar, (void)u;
    return CRYPTO_ERR_UNSUPPORTED;
#endif
}

crypto_status crypto_x25519_base(uint8_t out[32], const uint8_t scalar[32])
{
    static const uint8_t base[32] = {9};
    return crypto_x25519(out, scalar, base);
}

crypto_status crypto_ed25519_public(uint8_t public_key[32], const uint8_t seed[32])
{
    if (crypto_hardware) {
        return coprocessor_ed25519_public(public_key, seed);
    }
#if CRYPTO_SOFTWARE
    ed25519_software_public(public_key, seed);
    return CRYPTO_OK;
#else
    (void)public_key, (void)seed;
    return CRYPTO_ERR_UNSUPPORTED;
#endif
}

crypto_status crypto_ed25519_sign(uint8_t signature[64], const uint8_t seed[32], const void *message, size_t length)
{
    if (length > 65535u) {
        return CRYPTO_ERR_PARAMETER;
    }
    if (crypto_hardware) {
        return coprocessor_ed25519_sign(signature, seed, message, length);
    }
#if CRYPTO_SOFTWARE
    ed25519_software_sign(signature, seed, message, length);
    return CRYPTO_OK;
#else
    (void)signature, (void)seed, (void)message;
    return CRYPTO_ERR_UNSUPPORTED;
#endif
}

/** a < b, both 32 bytes little-endian and public; `top` masks the last byte of a. */
static bool below(const uint8_t a[32], const uint8_t b[32], uint8_t top)
{
    for (uint32_t i = 32; i-- != 0u;) {
        uint8_t byte = i == 31u ? (uint8_t)(a[i] & top) : a[i];
        if (byte != b[i]) {
            return byte < b[i];
        }
    }
    return false;
}

crypto_status crypto_ed25519_verify(const uint8_t signature[64], const uint8_t public_key[32], const void *message,
                                    size_t length)
{
    static const uint8_t order[32] = {0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7,
                                      0xA2, 0xDE, 0xF9, 0xDE, 0x14, [31] = 0x10};
    static const uint8_t prime[32] = {0xED, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                      0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                      0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F};
    if (length > 65535u) {
        return CRYPTO_ERR_PARAMETER;
    }
    if (!below(signature + 32, order, 0xFF) || !below(signature, prime, 0x7F) || !below(public_key, prime, 0x7F)) {
        return CRYPTO_ERR_AUTH;
    }
    if (crypto_hardware) {
        return coprocessor_ed25519_verify(signature, public_key, message, length);
    }
#if CRYPTO_SOFTWARE
    return ed25519_software_verify(signature, public_key, message, length) ? CRYPTO_OK : CRYPTO_ERR_AUTH;
#else
    (void)message;
    return CRYPTO_ERR_UNSUPPORTED;
#endif
}
