/* The portable form of CRC-32: zlib's. */
#include "base/crc32.h"

#include <zlib.h>

uint32_t cqln_crc32_portable(uint32_t crc, const void *bytes, size_t len)
{
    return len ? (uint32_t)crc32_z(crc, bytes, len) : crc;
}
