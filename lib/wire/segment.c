/* v5 segment headers and trailers. */
#include "wire/segment.h"

#include "base/crc32.h"

enum { LENGTH_BITS = 17, CRC24_BYTES = 3 };

/* cqln_crc32 over fa 2d 55 ca, with which every payload checksum starts. */
#define CRC32_OF_PREFIX UINT32_C(0x44777ed3)

static uint64_t load_le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static void store_le(uint8_t *p, size_t n, uint64_t v)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static size_t data_bytes(bool lz4)
{
    return lz4 ? CQLN_SEGMENT_HEADER_LZ4 - CRC24_BYTES : CQLN_SEGMENT_HEADER - CRC24_BYTES;
}

uint32_t cqln_segment_crc32(const uint8_t *payload, size_t len)
{
    return cqln_crc32(CRC32_OF_PREFIX, payload, len);
}

/* The bits behind the self-contained flag are reserved: a sender sets them to 0, and they are not
 * judged here, as other implementations do not. */
cql_status cqln_segment_decode(const uint8_t *header, bool lz4, cqln_segment *out)
{
    size_t n = data_bytes(lz4);
    if (load_le(header + n, CRC24_BYTES) != cqln_crc24(header, n))
        return CQL_BAD_CHECKSUM;
    uint64_t bits = load_le(header, n);
    out->payload = (uint32_t)(bits & CQLN_SEGMENT_MAX);
    bits >>= LENGTH_BITS;
    out->plain = out->payload;
    out->compressed = false;
    if (lz4) {
        uint32_t plain = (uint32_t)(bits & CQLN_SEGMENT_MAX);
        bits >>= LENGTH_BITS;
        out->compressed = plain != 0;
        if (out->compressed)
            out->plain = plain;
    }
    out->self_contained = bits & 1;
    return CQL_OK;
}

void cqln_segment_encode(uint8_t *header, bool lz4, uint32_t payload, uint32_t plain,
                         bool self_contained)
{
    size_t n = data_bytes(lz4);
    uint64_t bits = self_contained;
    if (lz4)
        bits = bits << LENGTH_BITS | (plain & CQLN_SEGMENT_MAX);
    bits = bits << LENGTH_BITS | (payload & CQLN_SEGMENT_MAX);
    store_le(header, n, bits);
    store_le(header + n, CRC24_BYTES, cqln_crc24(header, n));
}

bool cqln_segment_trailer_ok(const uint8_t *payload, uint32_t len, const uint8_t trailer[4])
{
    return load_le(trailer, CQLN_SEGMENT_TRAILER) == cqln_segment_crc32(payload, len);
}

void cqln_segment_trailer(const uint8_t *payload, uint32_t len, uint8_t trailer[4])
{
    store_le(trailer, CQLN_SEGMENT_TRAILER, cqln_segment_crc32(payload, len));
}
