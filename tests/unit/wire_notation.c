/* The notations of the protocol, both ways. */
#include "unit.h"

#include "wire/notation.h"

static cqln_writer start(void)
{
    cqln_writer wr;
    cqln_writer_init(&wr, cqln_alloc_default(), 1 << 20);
    return wr;
}

static void vints_are_golden_both_ways(void **state)
{
    (void)state;
    static const struct {
        uint64_t v;
        const char *text;
    } rows[] = {
        {0, "00"}, {1, "01"}, {127, "7f"}, {128, "8080"}, {255, "80ff"}, {16383, "bfff"},
        {16384, "c04000"}, {256000, "c3e800"}, {2097151, "dfffff"}, {2097152, "e0200000"},
        {2147483647, "f07fffffff"}, {(UINT64_C(1) << 35) - 1, "f7ffffffff"},
        {UINT64_C(1) << 35, "f80800000000"}, {(UINT64_C(1) << 56) - 1, "feffffffffffffff"},
        {UINT64_C(1) << 56, "ff0100000000000000"}, {INT64_MAX, "ff7fffffffffffffff"},
        {UINT64_MAX, "ffffffffffffffffff"},
    };
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        cqln_writer wr = start();
        cqln_write_uvint(&wr, rows[i].v);
        assert_hex(wr.data, wr.len, rows[i].text);
        cqln_reader rd;
        cqln_reader_init(&rd, wr.data, wr.len);
        assert_true(cqln_read_uvint(&rd) == rows[i].v);
        assert_false(rd.failed);
        assert_int_equal(cqln_reader_left(&rd), 0);
        cqln_writer_fini(&wr);
    }
}

static void signed_vints_are_golden_both_ways(void **state)
{
    (void)state;
    static const struct {
        int64_t v;
        const char *text;
    } rows[] = {
        {0, "00"}, {-1, "01"}, {1, "02"}, {63, "7e"}, {-64, "7f"}, {64, "8080"}, {-65, "8081"},
        {1000000000, "f077359400"}, {-1000000000, "f0773593ff"}, {INT32_MAX, "f0fffffffe"},
        {INT32_MIN, "f0ffffffff"}, {INT64_MAX, "fffffffffffffffffe"},
        {INT64_MIN, "ffffffffffffffffff"},
    };
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        cqln_writer wr = start();
        cqln_write_vint(&wr, rows[i].v);
        assert_hex(wr.data, wr.len, rows[i].text);
        uint8_t stored[9];
        assert_int_equal(cqln_store_vint(stored, rows[i].v), wr.len);
        assert_memory_equal(stored, wr.data, wr.len);
        cqln_reader rd;
        cqln_reader_init(&rd, wr.data, wr.len);
        assert_true(cqln_read_vint(&rd) == rows[i].v);
        assert_false(rd.failed);
        cqln_writer_fini(&wr);
    }
}

static void vints_round_trip_around_every_power_of_two(void **state)
{
    (void)state;
    guard g;
    guard_init(&g, 9);
    for (int bit = 0; bit < 64; bit++) {
        for (uint64_t d = 0; d < 3; d++) {
            uint64_t v = (UINT64_C(1) << bit) + d - 1;
            uint8_t out[9];
            size_t n = cqln_store_uvint(out, v);
            cqln_reader rd;
            cqln_reader_init(&rd, guard_place(&g, out, n), n);
            assert_true(cqln_read_uvint(&rd) == v);
            assert_true(!rd.failed && cqln_reader_left(&rd) == 0);
            for (size_t cut = 0; cut < n; cut++) {
                cqln_reader_init(&rd, guard_place(&g, out, cut), cut);
                assert_true(cqln_read_uvint(&rd) == 0);
                assert_true(rd.failed);
            }
            n = cqln_store_vint(out, (int64_t)v);
            cqln_reader_init(&rd, out, n);
            assert_true(cqln_read_vint(&rd) == (int64_t)v);
        }
    }
    guard_fini(&g);
}

/* Longer than needed is unusual but has one meaning. */
static void a_vint_longer_than_needed_is_read(void **state)
{
    (void)state;
    hex in = hex_bytes("8005 ff0000000000000007");
    cqln_reader rd;
    cqln_reader_init(&rd, in.data, in.len);
    assert_true(cqln_read_uvint(&rd) == 5);
    assert_true(cqln_read_uvint(&rd) == 7);
    assert_false(rd.failed);
    hex_free(&in);
}

static void strings_are_golden_both_ways(void **state)
{
    (void)state;
    cqln_writer wr = start();
    cql_str abc = {"abc", 3}, empty = {"", 0}, null = {NULL, 0};
    cqln_write_string(&wr, abc);
    cqln_write_string(&wr, null);
    cqln_write_long_string(&wr, abc);
    cqln_write_nbytes(&wr, abc);
    cqln_write_nbytes(&wr, empty);
    cqln_write_nbytes(&wr, null);
    cqln_write_short_bytes(&wr, abc);
    assert_hex(wr.data, wr.len, "0003 616263  0000  00000003 616263"
                                "00000003 616263  00000000  ffffffff  0003 616263");
    cqln_reader rd;
    cqln_reader_init(&rd, wr.data, wr.len);
    assert_true(cql_str_equal(cqln_read_string(&rd), abc));
    assert_int_equal(cqln_read_string(&rd).len, 0);
    assert_true(cql_str_equal(cqln_read_long_string(&rd), abc));
    cql_str got = {"x", 1};
    assert_true(cqln_read_nbytes(&rd, &got));
    assert_true(cql_str_equal(got, abc));
    assert_true(cqln_read_nbytes(&rd, &got));
    assert_non_null(got.ptr);
    assert_int_equal(got.len, 0);
    assert_false(cqln_read_nbytes(&rd, &got));
    assert_null(got.ptr);
    assert_false(rd.failed);
    assert_true(cql_str_equal(cqln_read_short_bytes(&rd), abc));
    assert_int_equal(cqln_reader_left(&rd), 0);
    cqln_writer_fini(&wr);
}

static void lengths_that_do_not_fit_are_refused_in_writing(void **state)
{
    (void)state;
    static char big[65536];
    cqln_writer wr = start();
    cql_str s = {big, 65535};
    cqln_write_string(&wr, s);
    assert_int_equal(wr.status, CQL_OK);
    assert_int_equal(wr.len, 65537);
    s.len++;
    cqln_write_string(&wr, s);
    assert_int_equal(wr.status, CQL_TOO_LARGE);
    assert_int_equal(wr.len, 65537);
    cqln_writer_reset(&wr);
    cqln_write_short_bytes(&wr, s);
    assert_int_equal(wr.status, CQL_TOO_LARGE);
    cqln_writer_reset(&wr);
    s.len = (size_t)INT32_MAX + 1; /* never read: refused by the number alone */
    cqln_write_long_string(&wr, s);
    assert_int_equal(wr.status, CQL_TOO_LARGE);
    cqln_writer_reset(&wr);
    cqln_write_nbytes(&wr, s);
    assert_int_equal(wr.status, CQL_TOO_LARGE);
    assert_int_equal(wr.len, 0);
    cqln_writer_fini(&wr);
}

static void hostile_lengths_fail(void **state)
{
    (void)state;
    static const char *const strings[] = {"ffff", "0004 616263", "0001"};
    static const char *const longs[] = {"7fffffff 61", "80000000 61", "ffffffff 61", "00000002 61"};
    cqln_reader rd;
    for (size_t i = 0; i < CQL_COUNT(strings); i++) {
        hex in = hex_bytes(strings[i]);
        cqln_reader_init(&rd, in.data, in.len);
        cql_str s = cqln_read_string(&rd);
        assert_true(rd.failed && s.len == 0 && !s.ptr);
        cqln_reader_init(&rd, in.data, in.len);
        s = cqln_read_short_bytes(&rd);
        assert_true(rd.failed && s.len == 0);
        hex_free(&in);
    }
    for (size_t i = 0; i < CQL_COUNT(longs); i++) {
        hex in = hex_bytes(longs[i]);
        cqln_reader_init(&rd, in.data, in.len);
        cql_str s = cqln_read_long_string(&rd);
        assert_true(rd.failed && s.len == 0 && !s.ptr);
        bool negative = (in.data[0] & 0x80) != 0;
        cqln_reader_init(&rd, in.data, in.len);
        assert_false(cqln_read_nbytes(&rd, &s));
        assert_int_equal(rd.failed, !negative); /* a negative length of [bytes] is null */
        assert_true(s.len == 0 && !s.ptr);
        hex_free(&in);
    }
}

static void addresses_are_read(void **state)
{
    (void)state;
    hex in = hex_bytes("04 7f000001 00002352   10 20010db8000000000000000000000001 0000ffff"
                       "04 0a000002   10 fe800000000000000000000000000001");
    cqln_reader rd;
    cqln_reader_init(&rd, in.data, in.len);
    cqln_inet_port a = cqln_read_inet(&rd);
    assert_int_equal(a.len, 4);
    assert_hex(a.address, 16, "7f000001 000000000000000000000000");
    assert_int_equal(a.port, 9042);
    a = cqln_read_inet(&rd);
    assert_int_equal(a.len, 16);
    assert_hex(a.address, 16, "20010db8000000000000000000000001");
    assert_int_equal(a.port, 65535);
    a = cqln_read_inetaddr(&rd);
    assert_int_equal(a.len, 4);
    assert_int_equal(a.port, 0);
    a = cqln_read_inetaddr(&rd);
    assert_int_equal(a.len, 16);
    assert_false(rd.failed);
    assert_int_equal(cqln_reader_left(&rd), 0);
    hex_free(&in);
}

static void impossible_addresses_fail(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "05 7f00000100 00002352", "00 00002352", "ff 00002352", "04 7f000001 00010000",
        "04 7f000001 ffffffff", "04 7f000001 80000001", "10 7f000001 00002352",
    };
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        hex in = hex_bytes(rows[i]);
        cqln_reader rd;
        cqln_reader_init(&rd, in.data, in.len);
        cqln_inet_port a = cqln_read_inet(&rd);
        assert_true(rd.failed);
        assert_int_equal(a.len, 0);
        assert_int_equal(a.port, 0);
        hex_free(&in);
    }
}

static void string_lists_are_stepped_over(void **state)
{
    (void)state;
    hex in = hex_bytes("0003 0001 61 0000 0002 6263  0000  0002 0001 61 ee");
    cqln_reader rd;
    cqln_reader_init(&rd, in.data, in.len);
    assert_int_equal(cqln_skip_string_list(&rd), 3);
    assert_int_equal(cqln_skip_string_list(&rd), 0);
    assert_false(rd.failed);
    assert_int_equal(cqln_skip_string_list(&rd), 0);
    assert_true(rd.failed);
    hex_free(&in);
    in = hex_bytes("ffff 0000");
    cqln_reader_init(&rd, in.data, in.len);
    assert_int_equal(cqln_skip_string_list(&rd), 0);
    assert_true(rd.failed);
    hex_free(&in);
}

/* One body that holds every notation; each of its prefixes must end in failure. */
static void read_every_notation(cqln_reader *rd)
{
    cql_str s;
    cqln_read_string(rd);
    cqln_read_long_string(rd);
    cqln_read_nbytes(rd, &s);
    cqln_read_nbytes(rd, &s);
    cqln_read_short_bytes(rd);
    cqln_read_inet(rd);
    cqln_read_inetaddr(rd);
    cqln_skip_string_list(rd);
    cqln_read_uvint(rd);
    cqln_read_vint(rd);
}

static void cut_body(const uint8_t *bytes, size_t len, void *user)
{
    (void)user;
    cqln_reader rd;
    cqln_reader_init(&rd, bytes, len);
    read_every_notation(&rd);
    assert_true(rd.failed);
    assert_int_equal(cqln_reader_left(&rd), 0);
}

static void a_body_cut_at_any_length_fails(void **state)
{
    (void)state;
    hex in = hex_bytes("0003 616263  00000003 616263  00000002 6162  ffffffff  0001 61"
                       "04 7f000001 00002352  10 20010db8000000000000000000000001"
                       "0002 0001 61 0001 62  c04000  ffffffffffffffffff");
    cqln_reader rd;
    cqln_reader_init(&rd, in.data, in.len);
    read_every_notation(&rd);
    assert_false(rd.failed);
    assert_int_equal(cqln_reader_left(&rd), 0);
    guard_each_cut(in.data, in.len, cut_body, NULL);
    hex_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vints_are_golden_both_ways),
        cmocka_unit_test(signed_vints_are_golden_both_ways),
        cmocka_unit_test(vints_round_trip_around_every_power_of_two),
        cmocka_unit_test(a_vint_longer_than_needed_is_read),
        cmocka_unit_test(strings_are_golden_both_ways),
        cmocka_unit_test(lengths_that_do_not_fit_are_refused_in_writing),
        cmocka_unit_test(hostile_lengths_fail),
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(impossible_addresses_fail),
        cmocka_unit_test(string_lists_are_stepped_over),
        cmocka_unit_test(a_body_cut_at_any_length_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
