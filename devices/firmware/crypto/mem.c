/** The memory functions that the compiler may call by itself. Weak: an image may bring its own. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);

#ifdef __arm__
__attribute__((weak)) void *memcpy(void *to, const void *from, size_t length)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((((uintptr_t)to | (uintptr_t)from) & 3u) == 0u) {
        for (; length >= 4u; length -= 4u, t += 4, f += 4) {
            *(uint32_t *)(void *)t = *(const uint32_t *)(const void *)f;
        }
    }
    while (length-- != 0u) {
        *t++ = *f++;
    }
    return to;
}

__attribute__((weak)) void *memmove(void *to, const void *from, size_t length)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((uintptr_t)t - (uintptr_t)f >= length) {
        return memcpy(to, from, length);
    }
    while (length-- != 0u) {
        t[length] = f[length];
    }
    return to;
}

__attribute__((weak)) void *memset(void *to, int value, size_t length)
{
    uint8_t *t = to;
    while (length-- != 0u) {
        *t++ = (uint8_t)value;
    }
    return to;
}

__attribute__((weak)) int memcmp(const void *a, const void *b, size_t length)
{
    const uint8_t *x = a;
    const uint8_t *y = b;
    for (; length != 0u; length--, x++, y++) {
        if (*x != *y) {
            return *x < *y ? -1 : 1;
        }
    }
    return 0;
}
#endif
