/* Branchy load over newlib: snprintf, strtod, qsort, malloc, strings; returns a checksum of all output. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef ROUNDS
#define ROUNDS 6
#endif

extern char end;
static char *brk = &end;

void *_sbrk(int increment) {
    char *old = brk;
    brk += increment;
    return old;
}

static uint32_t seed = 12345;
static uint32_t rnd(void) { return seed = seed * 1664525u + 1013904223u; }
static uint32_t sum;
static void add(const char *text) { while (*text) sum = sum * 31 + (uint8_t)*text++; }

static int by_value(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void sort_round(void) {
    int32_t values[64];
    for (int k = 0; k < 64; k++) values[k] = (int32_t)rnd();
    qsort(values, 64, sizeof values[0], by_value);
    for (int k = 0; k < 64; k++) sum = sum * 17 + (uint32_t)values[k];
}

static void text_round(int round) {
    char *words[16], line[96];
    for (int k = 0; k < 16; k++) {
        snprintf(line, sizeof line, "%08lx-%d-%s-%5.3f", (unsigned long)rnd(), k * round, k & 1 ? "odd" : "even", (double)(int32_t)rnd() / 65536.0);
        words[k] = malloc(strlen(line) + 1);
        strcpy(words[k], line);
    }
    qsort(words, 16, sizeof words[0], by_text);
    for (int k = 0; k < 16; k++) {
        char *dash = strrchr(words[k], '-');
        sum += (uint32_t)(int32_t)(strtod(dash, NULL) * 16.0) + (uint32_t)strtoul(words[k], NULL, 16);
        add(words[k]);
        free(words[k]);
    }
}

static uint32_t classify(uint32_t x) {
    switch (x % 11) {
    case 0: return x / 7;
    case 1: return x % 13;
    case 2: return x << 3;
    case 3: return (uint32_t)((int32_t)x >> 5);
    case 4: return x ^ 0x55;
    case 5: return ~x;
    case 6: return x * x;
    case 7: return x / (x % 5 + 1);
    case 8: return (uint32_t)((uint64_t)x * 0x9e3779b97f4a7c15u >> 40);
    case 9: return (uint32_t)((uint64_t)x * x / 1000003u);
    default: return x + 1;
    }
}

int main(void) {
    for (int round = 1; round <= ROUNDS; round++) {
        sort_round();
        text_round(round);
        for (int k = 0; k < 200; k++) sum += classify(rnd());
    }
    return (int)sum;
}
