/* Segment headers, trailers and payloads. The first byte picks the header's form. Random bytes hardly
 * ever have a right checksum, so after a look at them as they are the checksums are made right. */
#include "fuzz.h"

#include "wire/compress.h"
#include "wire/segment.h"

static void set_crc24(uint8_t *header, size_t n)
{
    uint32_t crc = cqln_crc24(header, n);
    for (size_t i = 0; i < 3; i++)
        header[n + i] = (uint8_t)(crc >> (8 * i));
}

static void payload(const cqln_segment *seg, const uint8_t *bytes, size_t left)
{
    if (left < CQLN_SEGMENT_TRAILER || seg->payload > left - CQLN_SEGMENT_TRAILER)
        return;
    uint8_t trailer[CQLN_SEGMENT_TRAILER];
    cqln_segment_trailer(bytes, seg->payload, trailer);
    FUZZ_CHECK(cqln_segment_trailer_ok(bytes, seg->payload, trailer));
    bool same = memcmp(bytes + seg->payload, trailer, sizeof trailer) == 0;
    FUZZ_CHECK(cqln_segment_trailer_ok(bytes, seg->payload, bytes + seg->payload) == same);
    if (!seg->compressed)
        return;
    uint8_t *plain = fuzz_block(seg->plain);
    (void)cqln_lz4_decompress(bytes, seg->payload, plain, seg->plain);
    free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    bool lz4 = data[0] & 1;
    size_t n = lz4 ? CQLN_SEGMENT_HEADER_LZ4 : CQLN_SEGMENT_HEADER;
    if (size - 1 < n)
        return 0;
    cqln_segment seg;
    if (cqln_segment_decode(data + 1, lz4, &seg) == CQL_OK)
        payload(&seg, data + 1 + n, size - 1 - n);

    uint8_t header[CQLN_SEGMENT_HEADER_LZ4];
    memcpy(header, data + 1, n);
    set_crc24(header, n - 3);
    FUZZ_CHECK(cqln_segment_decode(header, lz4, &seg) == CQL_OK);
    FUZZ_CHECK(seg.payload <= CQLN_SEGMENT_MAX && seg.plain <= CQLN_SEGMENT_MAX);
    payload(&seg, data + 1 + n, size - 1 - n);

    uint8_t again[CQLN_SEGMENT_HEADER_LZ4];
    cqln_segment back;
    cqln_segment_encode(again, lz4, seg.payload, seg.compressed ? seg.plain : 0, seg.self_contained);
    FUZZ_CHECK(cqln_segment_decode(again, lz4, &back) == CQL_OK);
    FUZZ_CHECK(back.payload == seg.payload && back.plain == seg.plain);
    FUZZ_CHECK(back.compressed == seg.compressed && back.self_contained == seg.self_contained);
    return 0;
}
