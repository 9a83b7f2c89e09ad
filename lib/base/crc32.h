/* crc32.h: the CRC-32 of zlib and Ethernet (reflected, 0xedb88320), as v5 segments use it. */
#ifndef CQLN_BASE_CRC32_H
#define CQLN_BASE_CRC32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Continues `crc` over the bytes; start with 0, like zlib's crc32(). Picks a carry-less-multiply form
 * once where the processor has one, the portable form otherwise (zlib's, or a small one of our own) and in the
 * smallest build. Same results everywhere. */
uint32_t cqln_crc32(uint32_t crc, const void *bytes, size_t len);
/* The portable form, for comparison in tests. */
uint32_t cqln_crc32_portable(uint32_t crc, const void *bytes, size_t len);

/* The forms for one processor, for crc32.c and tests: crc32_x86.c and crc32_arm.c. Where a form is not
 * built in, its _usable() is false and it must not be called. */
bool cqln_crc32_x86_usable(void);
uint32_t cqln_crc32_x86(uint32_t crc, const uint8_t *bytes, size_t len); /* len >= 16 */
bool cqln_crc32_arm_usable(void);
uint32_t cqln_crc32_arm(uint32_t crc, const uint8_t *bytes, size_t len);

#endif
