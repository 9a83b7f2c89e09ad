/* v5 segments: header, both checksums. The vectors were accepted by or come from real servers. */
#include "unit.h"

#include "base/alloc.h"
#include "wire/segment.h"

#define QUERY_ENVELOPE                                                                             \
    "05 00 0002 07 00000026"                                                                       \
    "0000001c 53454c454354206b65792046524f4d2073797374656d2e6c6f63616c 0001 00000000"

typedef struct row {
    bool lz4;
    uint32_t payload;
    uint32_t plain; /* as cqln_segment_encode takes it */
    bool self_contained;
    const char *header;
} row;

static const row rows[] = {
    {false, 9, 0, true, "090002 a4c8c1"},
    {false, 47, 0, true, "2f0002 acf306"},
    {true, 47, 0, true, "2f00000004 4146d0"},
    {true, 0x36, 0x93, true, "3600260104 67194a"},
};

/* From the definition, one bit at a time. */
static uint32_t crc24_by_definition(const uint8_t *p, size_t n)
{
    uint32_t crc = 0x875060;
    for (size_t i = 0; i < n; i++) {
        crc ^= (uint32_t)p[i] << 16;
        for (int bit = 0; bit < 8; bit++) {
            crc <<= 1;
            if (crc & 0x1000000)
                crc ^= 0x1974f0b;
        }
    }
    return crc;
}

static void crc24_is_as_defined(void **state)
{
    (void)state;
    assert_int_equal(cqln_crc24(NULL, 0), 0x875060);
    assert_int_equal(cqln_crc24((const uint8_t *)"\x09\x00\x02", 3), 0xc1c8a4);
    for (uint32_t v = 0; v < 1u << 18; v++) {
        const uint8_t p[] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v * 7),
                             (uint8_t)(v * 31)};
        if (cqln_crc24(p, 3) != crc24_by_definition(p, 3) ||
            cqln_crc24(p, 5) != crc24_by_definition(p, 5))
            fail_msg("crc24 differs for %u", v);
    }
}

static void headers_are_golden_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        size_t n = rows[i].lz4 ? CQLN_SEGMENT_HEADER_LZ4 : CQLN_SEGMENT_HEADER;
        uint8_t header[CQLN_SEGMENT_HEADER_LZ4];
        cqln_segment_encode(header, rows[i].lz4, rows[i].payload, rows[i].plain,
                            rows[i].self_contained);
        assert_hex(header, n, rows[i].header);
        cqln_segment seg;
        assert_int_equal(cqln_segment_decode(header, rows[i].lz4, &seg), CQL_OK);
        assert_int_equal(seg.payload, rows[i].payload);
        assert_int_equal(seg.compressed, rows[i].plain != 0);
        assert_int_equal(seg.plain, rows[i].plain ? rows[i].plain : rows[i].payload);
        assert_int_equal(seg.self_contained, rows[i].self_contained);
    }
}

static void every_length_round_trips(void **state)
{
    (void)state;
    guard g;
    guard_init(&g, CQLN_SEGMENT_HEADER_LZ4);
    for (uint32_t len = 0; len <= CQLN_SEGMENT_MAX; len += len < 300 ? 1 : 257) {
        for (int mode = 0; mode < 8; mode++) {
            bool lz4 = mode & 1, whole = mode & 2;
            uint32_t plain = lz4 && (mode & 4) ? CQLN_SEGMENT_MAX - len : 0;
            uint8_t header[CQLN_SEGMENT_HEADER_LZ4];
            cqln_segment_encode(header, lz4, len, plain, whole);
            size_t n = lz4 ? CQLN_SEGMENT_HEADER_LZ4 : CQLN_SEGMENT_HEADER;
            cqln_segment seg;
            assert_int_equal(cqln_segment_decode(guard_place(&g, header, n), lz4, &seg), CQL_OK);
            assert_int_equal(seg.payload, len);
            assert_int_equal(seg.plain, plain ? plain : len);
            assert_int_equal(seg.compressed, plain != 0);
            assert_int_equal(seg.self_contained, whole);
        }
    }
    guard_fini(&g);
}

static void the_largest_length_has_all_bits(void **state)
{
    (void)state;
    uint8_t header[CQLN_SEGMENT_HEADER_LZ4];
    cqln_segment_encode(header, false, CQLN_SEGMENT_MAX, 0, false);
    assert_hex(header, 3, "ffff01");
    cqln_segment_encode(header, true, CQLN_SEGMENT_MAX, CQLN_SEGMENT_MAX, true);
    assert_hex(header, 5, "ffffffff07");
}

/* Reserved bits are left for later versions: with a right checksum they change nothing. */
static void reserved_bits_are_ignored(void **state)
{
    (void)state;
    uint8_t header[] = {0x09, 0x00, 0xfe, 0, 0, 0};
    uint32_t crc = crc24_by_definition(header, 3);
    for (int i = 0; i < 3; i++)
        header[3 + i] = (uint8_t)(crc >> (8 * i));
    cqln_segment seg;
    assert_int_equal(cqln_segment_decode(header, false, &seg), CQL_OK);
    assert_int_equal(seg.payload, 9);
    assert_true(seg.self_contained);
}

static void every_flipped_header_bit_is_caught(void **state)
{
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        hex h = hex_bytes(rows[i].header);
        for (size_t a = 0; a < h.len * 8; a++) {
            for (size_t b = a; b < h.len * 8; b++) { /* one bit (a == b) and every two */
                h.data[a / 8] ^= (uint8_t)(1u << a % 8);
                if (b != a)
                    h.data[b / 8] ^= (uint8_t)(1u << b % 8);
                cqln_segment seg = {.payload = 4711};
                assert_int_equal(cqln_segment_decode(h.data, rows[i].lz4, &seg), CQL_BAD_CHECKSUM);
                assert_int_equal(seg.payload, 4711);
                h.data[a / 8] ^= (uint8_t)(1u << a % 8);
                if (b != a)
                    h.data[b / 8] ^= (uint8_t)(1u << b % 8);
            }
        }
        hex_free(&h);
    }
}

/* What an unframed v4 answer looks like to a framed connection. */
static void a_bare_envelope_is_no_segment(void **state)
{
    (void)state;
    hex h = hex_bytes("84 00 0001 02 00000000");
    cqln_segment seg;
    assert_int_equal(cqln_segment_decode(h.data, false, &seg), CQL_BAD_CHECKSUM);
    assert_int_equal(cqln_segment_decode(h.data, true, &seg), CQL_BAD_CHECKSUM);
    hex_free(&h);
}

static void trailers_are_golden_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *payload, *trailer;
    } golden[] = {
        {"", "d37e7744"},
        {"050000010500000000", "b5557486"},
        {QUERY_ENVELOPE, "47b8a6eb"},
        {"ff1b05000002070000008a0000008053454c454354206b65792046524f4d2073797374656d2e6c6f63616c"
         "2001005060000100000000", "cd495e6a"},
    };
    for (size_t i = 0; i < CQL_COUNT(golden); i++) {
        hex payload = hex_bytes(golden[i].payload);
        uint8_t trailer[CQLN_SEGMENT_TRAILER];
        cqln_segment_trailer(payload.data, (uint32_t)payload.len, trailer);
        assert_hex(trailer, sizeof trailer, golden[i].trailer);
        assert_true(cqln_segment_trailer_ok(payload.data, (uint32_t)payload.len, trailer));
        hex_free(&payload);
    }
    assert_int_equal(cqln_segment_crc32(NULL, 0), 0x44777ed3);
}

static void every_flipped_payload_or_trailer_bit_is_caught(void **state)
{
    (void)state;
    hex h = hex_bytes(QUERY_ENVELOPE "47b8a6eb");
    uint32_t len = (uint32_t)h.len - CQLN_SEGMENT_TRAILER;
    assert_true(cqln_segment_trailer_ok(h.data, len, h.data + len));
    for (size_t bit = 0; bit < h.len * 8; bit++) {
        h.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(cqln_segment_trailer_ok(h.data, len, h.data + len));
        h.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    hex_free(&h);
}

static void trailer_of_a_cut(const uint8_t *bytes, size_t len, void *user)
{
    assert_false(cqln_segment_trailer_ok(bytes, (uint32_t)len, user));
}

static void a_cut_payload_is_caught(void **state)
{
    (void)state;
    hex h = hex_bytes(QUERY_ENVELOPE "47b8a6eb");
    size_t len = h.len - CQLN_SEGMENT_TRAILER;
    guard_each_cut(h.data, len, trailer_of_a_cut, h.data + len);
    hex_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc24_is_as_defined),
        cmocka_unit_test(headers_are_golden_both_ways),
        cmocka_unit_test(every_length_round_trips),
        cmocka_unit_test(the_largest_length_has_all_bits),
        cmocka_unit_test(reserved_bits_are_ignored),
        cmocka_unit_test(every_flipped_header_bit_is_caught),
        cmocka_unit_test(a_bare_envelope_is_no_segment),
        cmocka_unit_test(trailers_are_golden_both_ways),
        cmocka_unit_test(every_flipped_payload_or_trailer_bit_is_caught),
        cmocka_unit_test(a_cut_payload_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
