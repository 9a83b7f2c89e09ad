/* CRC-32 in the smallest build (configure --enable-small): the portable form alone. */
#include "base/crc32.h"

uint32_t cqln_crc32(uint32_t crc, const void *bytes, size_t len)
{
    return cqln_crc32_portable(crc, bytes, len);
}

bool cqln_crc32_x86_usable(void)
{
    return false;
}

uint32_t cqln_crc32_x86(uint32_t crc, const uint8_t *bytes, size_t len)
{
    return cqln_crc32_portable(crc, bytes, len);
}

bool cqln_crc32_arm_usable(void)
{
    return false;
}

uint32_t cqln_crc32_arm(uint32_t crc, const uint8_t *bytes, size_t len)
{
    return cqln_crc32_portable(crc, bytes, len);
}
