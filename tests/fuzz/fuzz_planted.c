/* A target with a fault planted in it: after three right bytes it reads one byte too many. `make
 * fuzz-short` runs it first and goes on only when the fuzzer finds that, so that "found nothing" means
 * something. Not part of `make check`, which would end there. */
#include "fuzz.h"

static volatile unsigned char sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3 || data[0] != 'c' || data[1] != 'q' || data[2] != 'l')
        return 0;
    uint8_t *block = fuzz_block(size);
    memcpy(block, data, size);
    const volatile uint8_t *at = block;
    sink = at[size]; /* the planted fault */
    free(block);
    return 0;
}
