/** SHA-512 (FIPS 180-4, 6.4), and the round constants of SHA-256. */
#include "internal.h"

#if CRYPTO_SOFTWARE

const uint64_t sha512_constants[80] = {
    0x428A2F98D728AE22u, 0x7137449123EF65CDu, 0xB5C0FBCFEC4D3B2Fu,
    0xE9B5DBA58189DBBCu, 0x3956C25BF348B538u, 0x59F111F1B605D019u,
    0x923F82A4AF194F9Bu, 0xAB1C5ED5DA6D8118u, 0xD807AA98A3030242u,
    0x12835B0145706FBEu, 0x243185BE4EE4B28Cu, 0x550C7DC3D5FFB4E2u,
    0x72BE5D74F27B896Fu, 0x80DEB1FE3B1696B1u, 0x9BDC06A725C71235u,
    0xC19BF174CF692694u, 0xE49B69C19EF14AD2u, 0xEFBE4786384F25E3u,
    0x0FC19DC68B8CD5B5u, 0x240CA1CC77AC9C65u, 0x2DE92C6F592B0275u,
    0x4A7484AA6EA6E483u, 0x5CB0A9DCBD41FBD4u, 0x76F988DA831153B5u,
    0x983E5152EE66DFABu, 0xA831C66D2DB43210u, 0xB00327C898FB213Fu,
    0xBF597FC7BEEF0EE4u, 0xC6E00BF33DA88FC2u, 0xD5A79147930AA725u,
    0x06CA6351E003826Fu, 0x142929670A0E6E70u, 0x27B70A8546D22FFCu,
    0x2E1B21385C26C926u, 0x4D2C6DFC5AC42AEDu, 0x53380D139D95B3DFu,
    0x650A73548BAF63DEu, 0x766A0ABB3C77B2A8u, 0x81C2C92E47EDAEE6u,
    0x92722C851482353Bu, 0xA2BFE8A14CF10364u, 0xA81A664BBC423001u,
    0xC24B8B70D0F89791u, 0xC76C51A30654BE30u, 0xD192E819D6EF5218u,
    0xD69906245565A910u, 0xF40E35855771202Au, 0x106AA07032BBD1B8u,
    0x19A4C116B8D2D0C8u, 0x1E376C085141AB53u, 0x2748774CDF8EEB99u,
    0x34B0BCB5E19B48A8u, 0x391C0CB3C5C95A63u, 0x4ED8AA4AE3418ACBu,
    0x5B9CCA4F7763E373u, 0x682E6FF3D6B2B8A3u, 0x748F82EE5DEFB2FCu,
    0x78A5636F43172F60u, 0x84C87814A1F0AB72u, 0x8CC702081A6439ECu,
    0x90BEFFFA23631E28u, 0xA4506CEBDE82BDE9u, 0xBEF9A3F7B2C67915u,
    0xC67178F2E372532Bu, 0xCA273ECEEA26619Cu, 0xD186B8C721C0C207u,
    0xEADA7DD6CDE0EB1Eu, 0xF57D4F7FEE6ED178u, 0x06F067AA72176FBAu,
    0x0A637DC5A2C898A6u, 0x113F9804BEF90DAEu, 0x1B710B35131C471Bu,
    0x28DB77F523047D84u, 0x32CAAB7B40C72493u, 0x3C9EBE0A15C9BEBCu,
    0x431D67C49C100D4Cu, 0x4CC5D4BECB3E42B6u, 0x597F299CFC657E2Au,
    0x5FCB6FAB3AD6FAECu, 0x6C44198C4A475817u,
};

static const uint64_t initial[8] = {
    0x6A09E667F3BCC908u, 0xBB67AE8584CAA73Bu, 0x3C6EF372FE94F82Bu, 0xA54FF53A5F1D36F1u,
    0x510E527FADE682D1u, 0x9B05688C2B3E6C1Fu, 0x1F83D9ABFB41BD6Bu, 0x5BE0CD19137E2179u,
};

/** For n that is no multiple of 32. Not inlined, and in halves, which keeps it small and free of library calls. */
__attribute__((noinline)) static uint64_t ror(uint64_t w, uint32_t n)
{
    uint32_t low = (uint32_t)w;
    uint32_t high = (uint32_t)(w >> 32);
    if (n >= 32u) {
        uint32_t other = low;
        low = high;
        high = other;
        n -= 32u;
    }
    return (uint64_t)(high >> n | low << (32u - n)) << 32 | (low >> n | high << (32u - n));
}

__attribute__((noinline)) static uint64_t swap(uint64_t w)
{
    return (uint64_t)__builtin_bswap32((uint32_t)w) << 32 | __builtin_bswap32((uint32_t)(w >> 32));
}

/** The next 16 words of the message schedule, in place. */
static void next_words(uint64_t block[16])
{
    for (uint32_t i = 0; i < 16u; i++) {
        uint64_t x = block[(i + 1u) & 15u];
        uint64_t y = block[(i + 14u) & 15u];
        block[i] += (ror(x, 1) ^ ror(x, 8) ^ x >> 7) + block[(i + 9u) & 15u] + (ror(ror(y, 42) ^ y, 19) ^ y >> 6);
    }
}

static void compress(uint64_t state[8], uint64_t block[16])
{
    /* a to h are v[0] to v[7]; each round puts the new a before them and moves v down. */
    uint64_t window[24];
    memcpy(window, state, 64);
    for (uint32_t i = 0; i < 16u; i++) {
        block[i] = swap(block[i]);
    }
    for (uint32_t first = 0; first < 80u; first += 16u) {
        if (first != 0u) {
            next_words(block);
        }
        memcpy(window + 16, window, 64);
        uint64_t *v = window + 16;
        for (uint32_t t = 0; t < 16u; t++) {
            uint64_t e = v[4];
            uint64_t sum = v[7] + block[t] + sha512_constants[first + t] + ror(ror(ror(e, 23) ^ e, 4) ^ e, 14) +
                           (v[6] ^ (e & (v[5] ^ v[6])));
            uint64_t a = v[0];
            v[3] += sum;
            v--;
            v[0] = sum + ror(ror(ror(a, 5) ^ a, 6) ^ a, 28) + ((a & v[2]) | (v[3] & (a | v[2])));
        }
        crypto_idle();
    }
    for (uint32_t i = 0; i < 8u; i++) {
        state[i] += window[i];
    }
    crypto_wipe(window, sizeof window);
}

void crypto_sha512_init(crypto_sha512_state *hash)
{
    memcpy(hash->state, initial, sizeof initial);
    hash->length = 0;
}

void crypto_sha512_update(crypto_sha512_state *hash, const void *data, size_t length)
{
    const uint8_t *byte = data;
    for (; length != 0u; length--) {
        ((uint8_t *)hash->block)[hash->length++ & 127u] = *byte++;
        if ((hash->length & 127u) == 0u) {
            compress(hash->state, hash->block);
        }
    }
}

void crypto_sha512_final(crypto_sha512_state *hash, uint8_t digest[64])
{
    uint64_t bits = swap((uint64_t)hash->length << 3);
    static const uint8_t padding[2] = {0x80, 0};
    crypto_sha512_update(hash, padding, 1);
    while ((hash->length & 127u) != 112u) {
        crypto_sha512_update(hash, padding + 1, 1);
    }
    memset(&hash->block[14], 0, 8);
    hash->block[15] = bits;
    compress(hash->state, hash->block);
    for (uint32_t i = 0; i < 8u; i++) {
        uint64_t word = swap(hash->state[i]);
        memcpy(digest + 8u * i, &word, 8);
    }
    crypto_wipe(hash, sizeof *hash);
}

#else

const uint32_t sha256_constants[64] = {
    0x428A2F98u, 0x71374491u, 0xB5C0FBCFu, 0xE9B5DBA5u, 0x3956C25Bu, 0x59F111F1u, 0x923F82A4u, 0xAB1C5ED5u,
    0xD807AA98u, 0x12835B01u, 0x243185BEu, 0x550C7DC3u, 0x72BE5D74u, 0x80DEB1FEu, 0x9BDC06A7u, 0xC19BF174u,
    0xE49B69C1u, 0xEFBE4786u, 0x0FC19DC6u, 0x240CA1CCu, 0x2DE92C6Fu, 0x4A7484AAu, 0x5CB0A9DCu, 0x76F988DAu,
    0x983E5152u, 0xA831C66Du, 0xB00327C8u, 0xBF597FC7u, 0xC6E00BF3u, 0xD5A79147u, 0x06CA6351u, 0x14292967u,
    0x27B70A85u, 0x2E1B2138u, 0x4D2C6DFCu, 0x53380D13u, 0x650A7354u, 0x766A0ABBu, 0x81C2C92Eu, 0x92722C85u,
    0xA2BFE8A1u, 0xA81A664Bu, 0xC24B8B70u, 0xC76C51A3u, 0xD192E819u, 0xD6990624u, 0xF40E3585u, 0x106AA070u,
    0x19A4C116u, 0x1E376C08u, 0x2748774Cu, 0x34B0BCB5u, 0x391C0CB3u, 0x4ED8AA4Au, 0x5B9CCA4Fu, 0x682E6FF3u,
    0x748F82EEu, 0x78A5636Fu, 0x84C87814u, 0x8CC70208u, 0x90BEFFFAu, 0xA4506CEBu, 0xBEF9A3F7u, 0xC67178F2u,
};

#endif
