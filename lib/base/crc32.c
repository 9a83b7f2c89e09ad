/* Chooses the form of CRC-32 that suits the processor and the length; the portable one is in
 * crc32_zlib.c or, in a build without zlib, in crc32_small.c. */
#include "base/crc32.h"

#include <stdatomic.h>

enum { UNKNOWN, PORTABLE, X86, ARM };

/* Every thread that finds UNKNOWN comes to the same answer, so that a race does no harm. */
static atomic_int chosen = UNKNOWN;

static int choose(void)
{
    int form = PORTABLE;
    if (cqln_crc32_x86_usable())
        form = X86;
    else if (cqln_crc32_arm_usable())
        form = ARM;
    atomic_store_explicit(&chosen, form, memory_order_relaxed);
    return form;
}

uint32_t cqln_crc32(uint32_t crc, const void *bytes, size_t len)
{
    int form = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (form == UNKNOWN)
        form = choose();
    if (form == X86 && len >= 16)
        return cqln_crc32_x86(crc, bytes, len);
    if (form == ARM)
        return cqln_crc32_arm(crc, bytes, len);
    return cqln_crc32_portable(crc, bytes, len);
}
