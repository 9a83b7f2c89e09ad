/* crc32.h: the CRC-32 of zlib and Ethernet (reflected, 0xedb88320), as v5 segments use it. */
#ifndef CQLN_BASE_CRC32_H
#define CQLN_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Continues `crc` over the bytes; start with 0, like zlib's crc32(). Picks a carry-less-multiply form
 * once where the processor has one, zlib's otherwise. Same results everywhere. */
uint32_t cqln_crc32(uint32_t crc, const void *bytes, size_t len);
/* The portable form, for comparison in tests. */
uint32_t cqln_crc32_portable(uint32_t crc, const void *bytes, size_t len);

#endif
