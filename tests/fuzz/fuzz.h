/* fuzz.h: what every fuzz target shares. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program, so that the fuzzer keeps the input, unless what must hold does. */
#define FUZZ_CHECK(holds)                                                                          \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A block of exactly n bytes, so that the address sanitizer knows where it ends. */
static inline uint8_t *fuzz_block(size_t n)
{
    uint8_t *block = malloc(n ? n : 1);
    FUZZ_CHECK(block);
    return block;
}

#endif
