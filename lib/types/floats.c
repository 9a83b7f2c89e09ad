/* floats.c: many floats at once, as vectors of embeddings have them. */
#include "types/value.h"

enum { BLOCK = 8 };

/* A block of a fixed size is what the compiler makes vector instructions of. */
static inline void load_block(float *out, const uint8_t *from)
{
    uint32_t bits[BLOCK];
    for (int i = 0; i < BLOCK; i++)
        bits[i] = cqln_load_u32(from + 4 * i);
    memcpy(out, bits, sizeof bits);
}

void cqln_floats_load(float *out, const uint8_t *from, size_t n)
{
    size_t i = 0;
    for (; n - i >= BLOCK; i += BLOCK)
        load_block(out + i, from + 4 * i);
    for (; i < n; i++) {
        uint32_t bits = cqln_load_u32(from + 4 * i);
        memcpy(out + i, &bits, sizeof bits);
    }
}
