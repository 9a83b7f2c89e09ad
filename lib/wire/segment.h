/* segment.h: v5's checksummed outer unit (native_protocol_v5 section 2). Integers little-endian.
 *
 *   plain  3 bytes: payload length (17 bits), self-contained (1), zero (6)   + CRC24 (3)
 *   lz4    5 bytes: compressed length (17), uncompressed length (17), self-contained (1), zero (5)
 *                                                                            + CRC24 (3)
 *   payload, then CRC32 of it (4)
 */
#ifndef CQLN_WIRE_SEGMENT_H
#define CQLN_WIRE_SEGMENT_H

#include "base/bytes.h"

enum {
    CQLN_SEGMENT_MAX = 131071,     /* payload bytes, compressed or not */
    CQLN_SEGMENT_HEADER = 6,       /* plain: 3 + CRC24 */
    CQLN_SEGMENT_HEADER_LZ4 = 8,   /* lz4: 5 + CRC24 */
    CQLN_SEGMENT_TRAILER = 4
};

typedef struct cqln_segment {
    uint32_t payload; /* bytes on the wire */
    uint32_t plain;   /* bytes after decompression; equals payload when stored raw */
    bool compressed;
    bool self_contained;
} cqln_segment;

uint32_t cqln_crc24(const uint8_t *bytes, size_t len);
/* CRC32 as segments use it: over the bytes fa 2d 55 ca and then the payload. */
uint32_t cqln_segment_crc32(const uint8_t *payload, size_t len);

/* Reads and checks a header (6 bytes, 8 with lz4). CQL_BAD_CHECKSUM when the CRC24 is wrong. */
cql_status cqln_segment_decode(const uint8_t *header, bool lz4, cqln_segment *out);
/* Writes a header with its CRC24. compressed length 0..CQLN_SEGMENT_MAX; with lz4, plain == 0 marks a
 * payload that is stored raw. */
void cqln_segment_encode(uint8_t *header, bool lz4, uint32_t payload, uint32_t plain,
                         bool self_contained);
/* Checks the trailer behind a payload. */
bool cqln_segment_trailer_ok(const uint8_t *payload, uint32_t len, const uint8_t trailer[4]);
void cqln_segment_trailer(const uint8_t *payload, uint32_t len, uint8_t trailer[4]);

#endif
