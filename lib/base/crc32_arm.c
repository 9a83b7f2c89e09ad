/* CRC-32 with the instructions of ARMv8, where the compiler was told that they are there. */
#include "base/crc32.h"

#if defined(__ARM_FEATURE_CRC32) && defined(__ARM_ARCH) && __ARM_ARCH >= 8

#include <arm_acle.h>
#include <string.h>

bool cqln_crc32_arm_usable(void)
{
    return true;
}

/* The instructions take their operand as it lies in a little-endian memory. */
static uint64_t load_le64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

uint32_t cqln_crc32_arm(uint32_t crc, const uint8_t *bytes, size_t len)
{
    crc = ~crc;
    for (; len >= 8; len -= 8, bytes += 8)
        crc = __crc32d(crc, load_le64(bytes));
    for (; len > 0; len--)
        crc = __crc32b(crc, *bytes++);
    return ~crc;
}

#else

bool cqln_crc32_arm_usable(void)
{
    return false;
}

uint32_t cqln_crc32_arm(uint32_t crc, const uint8_t *bytes, size_t len)
{
    return cqln_crc32_portable(crc, bytes, len);
}

#endif
