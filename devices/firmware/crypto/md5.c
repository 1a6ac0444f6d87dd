/** MD5 compression (RFC 1321, 3.4). */
#include "internal.h"

/** floor(2^32 * abs(sin(i + 1))) */
static const uint32_t sines[64] = {
    0xD76AA478u, 0xE8C7B756u, 0x242070DBu, 0xC1BDCEEEu, 0xF57C0FAFu, 0x4787C62Au, 0xA8304613u, 0xFD469501u,
    0x698098D8u, 0x8B44F7AFu, 0xFFFF5BB1u, 0x895CD7BEu, 0x6B901122u, 0xFD987193u, 0xA679438Eu, 0x49B40821u,
    0xF61E2562u, 0xC040B340u, 0x265E5A51u, 0xE9B6C7AAu, 0xD62F105Du, 0x02441453u, 0xD8A1E681u, 0xE7D3FBC8u,
    0x21E1CDE6u, 0xC33707D6u, 0xF4D50D87u, 0x455A14EDu, 0xA9E3E905u, 0xFCEFA3F8u, 0x676F02D9u, 0x8D2A4C8Au,
    0xFFFA3942u, 0x8771F681u, 0x6D9D6122u, 0xFDE5380Cu, 0xA4BEEA44u, 0x4BDECFA9u, 0xF6BB4B60u, 0xBEBFBC70u,
    0x289B7EC6u, 0xEAA127FAu, 0xD4EF3085u, 0x04881D05u, 0xD9D4D039u, 0xE6DB99E5u, 0x1FA27CF8u, 0xC4AC5665u,
    0xF4292244u, 0x432AFF97u, 0xAB9423A7u, 0xFC93A039u, 0x655B59C3u, 0x8F0CCC92u, 0xFFEFF47Du, 0x85845DD1u,
    0x6FA87E4Fu, 0xFE2CE6E0u, 0xA3014314u, 0x4E0811A1u, 0xF7537E82u, 0xBD3AF235u, 0x2AD7D2BBu, 0xEB86D391u,
};
static const uint8_t shifts[16] = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};
/** Word of the block for step i of a round: first + i * stride. */
static const uint8_t first[4] = {0, 1, 5, 0};
static const uint8_t stride[4] = {1, 5, 3, 7};

void md5_compress(uint32_t state[8], uint32_t block[16])
{
    uint32_t a = state[0];
    uint32_t b = state[1];
    uint32_t c = state[2];
    uint32_t d = state[3];
    for (uint32_t t = 0; t < 64u; t++) {
        uint32_t round = t >> 4;
        uint32_t f = round == 0u   ? d ^ (b & (c ^ d))
                     : round == 1u ? c ^ (d & (b ^ c))
                     : round == 2u ? b ^ c ^ d
                                   : c ^ (b | ~d);
        f += a + sines[t] + block[(first[round] + t * stride[round]) & 15u];
        uint32_t shift = shifts[4u * round + (t & 3u)];
        a = d;
        d = c;
        c = b;
        b += f << shift | f >> (32u - shift);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    crypto_wipe(block, 64);
}
