/* Runs c.c on random bytes for SECONDS, from SEED on, on each tier: what libFuzzer does, without what it
 * learns from coverage, on a library that any compiler built. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fastloss.h"

enum { MOST = 64, TRIES = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* splitmix64 */
static uint64_t next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int main(int n_arguments, char **arguments) {
    if (n_arguments != 3)
        return 2;
    uint64_t state = strtoull(arguments[2], NULL, 10);
    for (const char *const *tier = fl_isa_available(); *tier; tier++) {
        fl_isa_select(*tier);
        unsigned long tried = 0;
        for (time_t until = time(NULL) + atoi(arguments[1]); time(NULL) < until; tried += TRIES)
            for (int i = 0; i < TRIES; i++) {
                uint8_t data[MOST];
                for (int at = 0; at < MOST; at += 8) {
                    uint64_t bits = next(&state);
                    for (int k = 0; k < 8; k++)
                        data[at + k] = (uint8_t)(bits >> (8 * k));
                }
                LLVMFuzzerTestOneInput(data, 1 + next(&state) % MOST);
            }
        printf("%s: %lu inputs\n", *tier, tried);
    }
    return 0;
}
