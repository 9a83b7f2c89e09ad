/* lz4 blocks, as v4 bodies and as v5 payloads. */
#include "unit.h"

#include "base/rand.h"
#include "wire/compress.h"

enum { MOST = 300000 };
static uint8_t plain[MOST], packed[MOST + 2000], back[MOST + 1];

/* Text with repetitions: noise 0 repeats everything, 255 nothing. */
static void make_text(size_t n, unsigned noise, uint64_t seed)
{
    cqln_rand r;
    cqln_rand_seed(&r, seed);
    for (size_t i = 0; i < n; i++)
        plain[i] = cqln_rand_below(&r, 256) < noise ? (uint8_t)cqln_rand_next(&r)
                                                    : (uint8_t)("abcdefghij"[i % 10]);
}

static bool comes_back(size_t made, size_t n)
{
    memset(back, 0x5a, n + 1);
    return cqln_lz4_decompress(packed, made, back, n) && memcmp(plain, back, n) == 0 &&
           back[n] == 0x5a;
}

static void blocks_round_trip(void **state)
{
    (void)state;
    assert_true(cqln_lz4_available());
    cqln_lz4 *codec = cqln_lz4_new(cqln_alloc_default());
    static const size_t sizes[] = {0, 1, 4, 12, 13, 14, 64, 100, 255, 256, 1000, 65536, 131071, MOST};
    static const unsigned noises[] = {0, 16, 255};
    for (size_t i = 0; i < CQL_COUNT(sizes); i++) {
        for (size_t k = 0; k < CQL_COUNT(noises); k++) {
            make_text(sizes[i], noises[k], i * 10 + k);
            size_t bound = cqln_lz4_bound(sizes[i]);
            assert_true(bound >= sizes[i] && bound <= sizeof packed);
            size_t made = cqln_lz4_compress(plain, sizes[i], packed, bound);
            assert_true(made > 0 && made <= bound);
            assert_true(comes_back(made, sizes[i]));
            made = cqln_lz4_compress_using(codec, plain, sizes[i], packed, bound);
            assert_true(made > 0 && made <= bound);
            assert_true(comes_back(made, sizes[i]));
        }
    }
    cqln_lz4_free(codec);
    cqln_lz4_free(NULL);
}

static void blocks_of_a_kept_codec_stand_alone(void **state)
{
    (void)state;
    cqln_lz4 *codec = cqln_lz4_new(cqln_alloc_default());
    for (uint64_t i = 0; i < 5000; i++) {
        size_t n = 100 + (size_t)(i * 37 % 400);
        make_text(n, 20, 1); /* each like the one before: a dictionary would show */
        size_t made = cqln_lz4_compress_using(codec, plain, n, packed, sizeof packed);
        assert_true(made > 0);
        assert_true(comes_back(made, n));
        if (i % 3 == 0) /* one that does not fit leaves the codec usable */
            assert_int_equal(cqln_lz4_compress_using(codec, plain, n, packed, 10), 0);
    }
    cqln_lz4_free(codec);
}

static void what_does_not_fit_gives_nothing(void **state)
{
    (void)state;
    make_text(1000, 30, 3);
    size_t whole = cqln_lz4_compress(plain, 1000, packed, sizeof packed);
    assert_true(whole > 0 && whole < 1000);
    guard g;
    guard_init(&g, whole);
    for (size_t cap = 0; cap < whole; cap++) {
        uint8_t *out = guard_place(&g, packed, cap);
        assert_int_equal(cqln_lz4_compress(plain, 1000, out, cap), 0);
    }
    uint8_t *out = guard_place(&g, packed, whole);
    assert_true(cqln_lz4_compress(plain, 1000, out, whole) > 0);
    guard_fini(&g);
    assert_int_equal(cqln_lz4_bound(SIZE_MAX), 0);
    assert_int_equal(cqln_lz4_bound((size_t)INT32_MAX), 0);
    assert_int_equal(cqln_lz4_compress(plain, (size_t)INT32_MAX, packed, sizeof packed), 0);
}

/* Server bytes: READY on a compressed v4 connection, a v5 payload, a block of literals. */
static void golden_blocks_decompress(void **state)
{
    (void)state;
    assert_true(cqln_lz4_decompress((const uint8_t *)"", 1, back, 0));
    assert_true(cqln_lz4_decompress((const uint8_t *)"", 1, NULL, 0));
    hex in = hex_bytes("ff1b05000002070000008a0000008053454c454354206b65792046524f4d20737973"
                       "74656d2e6c6f63616c2001005060000100000000");
    assert_int_equal(in.len, 0x36);
    assert_true(cqln_lz4_decompress(in.data, in.len, back, 0x93));
    assert_hex(back, 0x2d + 2, "05 00 0002 07 0000008a 00000080"
                               "53454c454354206b65792046524f4d2073797374656d2e6c6f63616c 202020202020");
    assert_hex(back + 0x93 - 7, 7, "20 000100000000");
    hex_free(&in);
}

static void decompress_cut(const uint8_t *bytes, size_t len, void *user)
{
    size_t n = *(size_t *)user;
    assert_false(cqln_lz4_decompress(bytes, len, back, n));
}

static void a_cut_block_is_refused(void **state)
{
    (void)state;
    size_t n = 700;
    make_text(n, 40, 9);
    size_t made = cqln_lz4_compress(plain, n, packed, sizeof packed);
    guard_each_cut(packed, made, decompress_cut, &n);
}

static void a_wrong_length_is_refused(void **state)
{
    (void)state;
    make_text(700, 40, 9);
    size_t made = cqln_lz4_compress(plain, 700, packed, sizeof packed);
    guard g;
    guard_init(&g, 2000);
    for (size_t n = 0; n < 2000; n++) {
        if (n != 700)
            assert_false(cqln_lz4_decompress(packed, made, guard_place(&g, back, n), n));
    }
    guard_fini(&g);
    assert_false(cqln_lz4_decompress(packed, made, back, SIZE_MAX));
    assert_false(cqln_lz4_decompress(packed, SIZE_MAX, back, 700));
    assert_false(cqln_lz4_decompress(packed, 0, back, 0));
}

/* No checksum covers a v4 body: damaged bytes must never make the decompressor leave its blocks. */
static void damaged_blocks_stay_in_bounds(void **state)
{
    (void)state;
    make_text(400, 60, 11);
    size_t made = cqln_lz4_compress(plain, 400, packed, sizeof packed);
    guard in, out;
    guard_init(&in, made);
    guard_init(&out, 400);
    for (size_t at = 0; at < made; at++) {
        for (unsigned v = 0; v < 256; v++) {
            uint8_t *p = guard_place(&in, packed, made);
            p[at] = (uint8_t)v;
            uint8_t *q = out.end - 400;
            bool ok = cqln_lz4_decompress(p, made, q, 400);
            if (v == packed[at])
                assert_true(ok && memcmp(q, plain, 400) == 0);
        }
    }
    guard_fini(&in);
    guard_fini(&out);
}

static void v4_body_carries_its_length(void **state)
{
    (void)state;
    static const char query[] = "SELECT key FROM system.local                              ";
    cqln_writer wr;
    cqln_writer_init(&wr, cqln_alloc_default(), 1000);
    cqln_write_u8(&wr, 0xee);
    assert_true(cqln_lz4_v4_body(&wr, (const uint8_t *)query, sizeof query));
    assert_true(wr.len < sizeof query);
    assert_hex(wr.data, 5, "ee 0000003b");
    size_t n = 0;
    assert_int_equal(cqln_lz4_v4_length(wr.data + 1, wr.len - 1, 1000, &n), CQL_OK);
    assert_int_equal(n, sizeof query);
    assert_true(cqln_lz4_decompress(wr.data + 5, wr.len - 5, back, n));
    assert_memory_equal(back, query, n);
    cqln_lz4 *codec = cqln_lz4_new(cqln_alloc_default());
    size_t before = wr.len;
    assert_true(cqln_lz4_v4_body_using(codec, &wr, (const uint8_t *)query, sizeof query));
    assert_int_equal(wr.len, 2 * before - 1);
    assert_memory_equal(wr.data + before, wr.data + 1, before - 1);
    cqln_lz4_free(codec);
    cqln_writer_fini(&wr);
}

static void v4_body_that_does_not_shrink_is_left(void **state)
{
    (void)state;
    cqln_writer wr;
    cqln_writer_init(&wr, cqln_alloc_default(), 100000);
    cqln_write_u8(&wr, 1);
    make_text(5000, 256, 4);
    for (size_t n = 0; n < 5000; n += n < 40 ? 1 : 409) {
        assert_false(cqln_lz4_v4_body(&wr, plain, n));
        assert_int_equal(wr.status, CQL_OK);
        assert_int_equal(wr.len, 1);
    }
    cqln_writer_fini(&wr);
}

static void v4_body_without_room_says_so(void **state)
{
    (void)state;
    make_text(500, 0, 4);
    cqln_writer wr;
    cqln_writer_init(&wr, cqln_alloc_default(), 100);
    assert_false(cqln_lz4_v4_body(&wr, plain, 500));
    assert_int_equal(wr.status, CQL_TOO_LARGE);
    cqln_writer_fini(&wr);
    failmalloc f;
    failmalloc_init(&f);
    f.fail_at = 1;
    cqln_writer_init(&wr, &f.al, 10000);
    assert_false(cqln_lz4_v4_body(&wr, plain, 500));
    assert_int_equal(wr.status, CQL_NO_MEMORY);
    cqln_writer_fini(&wr);
    f.fail_at = 2;
    assert_null(cqln_lz4_new(&f.al));
    assert_int_equal(atomic_load(&f.live), 0);
}

static void v4_length_is_judged_before_memory_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        size_t max;
        cql_status st;
        size_t plain;
    } rows[] = {
        {"", 100, CQL_MALFORMED, 0},
        {"000000", 100, CQL_MALFORMED, 0},
        {"00000000", 100, CQL_OK, 0},
        {"00000000 00", 100, CQL_OK, 0},
        {"00000001", 100, CQL_MALFORMED, 0},          /* no block, yet a byte */
        {"000000ff 00", 1000, CQL_OK, 255},
        {"00000100 00", 1000, CQL_MALFORMED, 0},      /* more than a byte can hold */
        {"000000ff 00", 255, CQL_OK, 255},
        {"000000ff 00", 254, CQL_TOO_LARGE, 0},
        {"80000000 00", SIZE_MAX, CQL_MALFORMED, 0},
        {"ffffffff 00", SIZE_MAX, CQL_MALFORMED, 0},
        {"7fffffff 0000", SIZE_MAX, CQL_MALFORMED, 0},
    };
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        hex in = hex_bytes(rows[i].body);
        guard g;
        guard_init(&g, 16);
        size_t n = 4711;
        cql_status st = cqln_lz4_v4_length(guard_place(&g, in.data, in.len), in.len, rows[i].max, &n);
        assert_int_equal(st, rows[i].st);
        assert_int_equal(n, st == CQL_OK ? rows[i].plain : 4711);
        guard_fini(&g);
        hex_free(&in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_round_trip),
        cmocka_unit_test(blocks_of_a_kept_codec_stand_alone),
        cmocka_unit_test(what_does_not_fit_gives_nothing),
        cmocka_unit_test(golden_blocks_decompress),
        cmocka_unit_test(a_cut_block_is_refused),
        cmocka_unit_test(a_wrong_length_is_refused),
        cmocka_unit_test(damaged_blocks_stay_in_bounds),
        cmocka_unit_test(v4_body_carries_its_length),
        cmocka_unit_test(v4_body_that_does_not_shrink_is_left),
        cmocka_unit_test(v4_body_without_room_says_so),
        cmocka_unit_test(v4_length_is_judged_before_memory_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
