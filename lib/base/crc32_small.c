/* The portable form of CRC-32 in a build without zlib (configure --without-zlib): four bits at a time, from
 * a table of 64 bytes that needs no making. Slower than zlib's by far; processors with instructions for it
 * use those, but for the smallest build (--enable-small). */
#include "base/crc32.h"

uint32_t cqln_crc32_portable(uint32_t crc, const void *bytes, size_t len)
{
    static const uint32_t half[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    const uint8_t *p = bytes;
    crc = ~crc;
    while (len--) {
        crc ^= *p++;
        crc = half[crc & 15] ^ crc >> 4;
        crc = half[crc & 15] ^ crc >> 4;
    }
    return ~crc;
}
