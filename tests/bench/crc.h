/*
 * The two checksums of a v5 segment, fast enough not to be what the benchmark measures.
 */
#ifndef BENCH_CRC_H
#define BENCH_CRC_H

#include <stddef.h>
#include <stdint.h>

#include "wire.h"

/* Fills the tables and picks the fastest CRC32 that this processor runs. Call it once, first. */
void crc_init(void);

/* CRC24 of the three header bytes. */
uint32_t crc24(const uint8_t header[3]);

/* CRC32 of a segment's payload, the protocol's four seed bytes included. */
uint32_t crc32_segment(const uint8_t *data, size_t n);

/* The same by the portable code, whatever the processor: what the fast one is checked against. */
uint32_t crc32_segment_portable(const uint8_t *data, size_t n);

/*
 * What the CRC32 of n bytes changes by when the 16-bit big-endian field at `at` turns from 0 to
 * `value`: a CRC is linear, so a large answer's checksum is patched instead of computed again.
 */
uint32_t crc32_patch16(size_t n, size_t at, uint16_t value);

/* Writes the 6 bytes before a payload of n bytes. */
static inline void segment_header(uint8_t *p, size_t n, uint32_t flag)
{
    put_le24(p, (uint32_t)n | flag);
    put_le24(p + 3, crc24(p));
}

#endif
