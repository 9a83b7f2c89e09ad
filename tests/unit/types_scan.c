/* Values from text: every type, in the forms that are printed and CQL takes, and what is refused. */
#include "types/value.h"
#include "unit.h"

static cqln_arena arena;

static int set_up(void **state)
{
    (void)state;
    cqln_arena_init(&arena, cqln_alloc_default(), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cqln_arena_fini(&arena);
    return 0;
}

static const cql_type *type_of(const char *cql)
{
    const cql_type *t = NULL;
    assert_int_equal(cqln_type_parse_cql(&arena, cql_str_of(cql), &t), CQL_OK);
    return t;
}

static const struct {
    const char *type, *text, *wire;
} good[] = {
    {"text", "it's \"so\"", "6974277320 22 736f 22"},
    {"text", "", ""},
    {"ascii", "null", "6e756c6c"},
    {"blob", "0xCAfe", "cafe"},
    {"blob", "0x", ""},
    {"boolean", "TRUE", "01"},
    {"boolean", "false", "00"},
    {"tinyint", "-128", "80"},
    {"smallint", "32767", "7fff"},
    {"int", "+7", "00000007"},
    {"bigint", "-9223372036854775808", "8000000000000000"},
    {"counter", "-3", "fffffffffffffffd"},
    {"varint", "0", "00"},
    {"varint", "128", "0080"},
    {"varint", "-128", "80"},
    {"varint", "-129", "ff7f"},
    {"varint", "255", "00ff"},
    {"varint", "-256", "ff00"},
    {"varint", "18446744073709551616", "010000000000000000"},
    {"varint", "-00018446744073709551616", "ff0000000000000000"},
    {"decimal", "1.50", "00000002 0096"},
    {"decimal", "-0.001", "00000003 ff"},
    {"decimal", "12345678901234567890.5", "00000001 06b14e9f812f366c39"},
    {"decimal", "1E+3", "fffffffd 01"},
    {"decimal", "-128", "00000000 80"},
    {"decimal", "1E+2147483648", "80000000 01"},
    {"decimal", "1.28E+2147483650", "80000000 0080"},
    {"decimal", "1.28E-2147483645", "7fffffff 0080"},
    {"decimal", "-0.000", "00000003 00"},
    {"decimal", "0e-2147483647", "7fffffff 00"},
    {"float", "1.5", "3fc00000"},
    {"float", "-Infinity", "ff800000"},
    {"double", "-0.0", "8000000000000000"},
    {"double", "1e-3", "3f50624dd2f1a9fc"},
    {"double", "NaN", "7ff8000000000000"},
    {"double", "nan", "7ff8000000000000"},
    {"double", "-nAn", "7ff8000000000000"},
    {"double", "-infinity", "fff0000000000000"},
    {"float", "INFINITY", "7f800000"},
    {"date", "2024-02-29", "80004d46"},
    {"date", "-5877641-06-23", "00000000"},
    {"date", "+5881580-07-11", "ffffffff"},
    {"date", "5881580-07-11", "ffffffff"},
    {"date", "0", "00000000"},
    {"date", "4294967295", "ffffffff"},
    {"time", "13:30:54.234567891", "00002c40325e44d3"},
    {"time", "00:00", "0000000000000000"},
    {"time", "1:2:3", "00000362d417ae00"},
    {"time", "86399999999999", "00004e94914effff"},
    {"timestamp", "2024-01-02T03:04:05.678Z", "0000018cc820db2e"},
    {"timestamp", "2024-01-02 04:04:05.678+01:00", "0000018cc820db2e"},
    {"timestamp", "2024-01-01 22:04:05.678-0500", "0000018cc820db2e"},
    {"timestamp", "1970-01-01", "0000000000000000"},
    {"timestamp", "1970-01-01+0100", "ffffffffffc91180"},
    {"timestamp", "+10000-01-01", "0000e677d21fdc00"},
    {"timestamp", "-1", "ffffffffffffffff"},
    {"duration", "1mo2d3ns", "020406"},
    {"duration", "-1mo2d3ns", "010305"},
    {"duration", "1y", "180000"},
    {"duration", "12h30m", "0000fc51dac207a000"},
    {"duration", "2w1ms1us", "001cde8c50"},
    {"duration", "1Y2MO3W4D5H6M7S8MS9US10NS", "1c32fc2168cdf9d664"},
    {"duration", "1\xc2\xb5s", "000087d0"},
    {"duration", "1\xc2\xb5S", "000087d0"},
    {"duration", "2147483647mo", "f0fffffffe0000"},
    {"duration", "-2147483648mo", "f0ffffffff0000"},
    {"duration", "9223372036854775807ns", "0000fffffffffffffffffe"},
    {"duration", "-9223372036854775808ns", "0000ffffffffffffffffff"},
    {"duration", "P1Y2M3DT4H5M6S", "1c06fc1ac003cfe800"},
    {"duration", "-P1Y2M3DT4H5M6S", "1b05fc1ac003cfe7ff"},
    {"duration", "P0001-02-03T04:05:06", "1c06fc1ac003cfe800"},
    {"duration", "P3W", "002a00"},
    {"duration", "P1M", "020000"},
    {"duration", "PT1M", "0000f81bf08eb000"},
    {"duration", "P", "000000"},
    {"duration", "P1DT", "000200"},
    {"uuid", "550E8400-e29b-41d4-a716-446655440000", "550e8400e29b41d4a716446655440000"},
    {"timeuuid", "50554d6e-29bb-11e5-b345-feff819cdc9f", "50554d6e29bb11e5b345feff819cdc9f"},
    {"inet", "127.0.0.1", "7f000001"},
    {"inet", "2001:db8::1", "20010db8000000000000000000000001"},
    {"inet", "::ffff:1.2.3.4", "01020304"},
    {"inet", "0:0:0:0:0:FFFF:102:304", "01020304"},
    {"inet", "::1.2.3.4", "00000000000000000000000001020304"},
    {"inet", "::fffe:1.2.3.4", "00000000000000000000fffe01020304"},
    {"set<inet>", "{'::ffff:1.2.3.4'}", "00000001 00000004 01020304"},
    {"list<int>", " [ 1 , 2 ] ", "00000002 00000004 00000001 00000004 00000002"},
    {"list<int>", "[]", "00000000"},
    {"list<duration>", "[P0001-02-03T04:05:06, 1y, -P3W ]",
     "00000003 00000009 1c06fc1ac003cfe800 00000003 180000 00000003 002900"},
    {"blob", "0XCAfe", "cafe"},
    {"list<int>", "[\t1\t,\r\n2\r\n]\t", "00000002 00000004 00000001 00000004 00000002"},
    {"map<int, int>", "{1\t:\t2\t}", "00000001 00000004 00000001 00000004 00000002"},
    {"tuple<int, int>", "(null\t, 1\r)", "ffffffff 00000004 00000001"},
    {"map<time, int>", "{00:00:00.000000001\t: 5}",
     "00000001 00000008 0000000000000001 00000004 00000005"},
    {"list<text>", "['a\\n']", "00000001 00000003 61 5c 6e"},
    {"set<text>", "{'a', 'it''s'}", "00000002 00000001 61 00000004 69742773"},
    {"map<text, int>", "{'a': 1, 'b': 2}",
     "00000002 00000001 61 00000004 00000001 00000001 62 00000004 00000002"},
    {"map<inet, timestamp>", "{'::1': '1970-01-01 00:00:00.001Z'}",
     "00000001 00000010 00000000000000000000000000000001 00000008 0000000000000001"},
    {"map<time, int>", "{00:00:00.000000001: 5}",
     "00000001 00000008 0000000000000001 00000004 00000005"},
    {"set<timestamp>", "{1970-01-01 00:00:00.001000+0000}", "00000001 00000008 0000000000000001"},
    {"map<inet, int>", "{::1: 5}",
     "00000001 00000010 00000000000000000000000000000001 00000004 00000005"},
    {"tuple<int, text, boolean>", "(1, 'a', true)", "00000004 00000001 00000001 61 00000001 01"},
    {"tuple<int, text>", "(null, 'null')", "ffffffff 00000004 6e756c6c"},
    {"vector<float, 3>", "[1, 2, -3.5]", "3f800000 40000000 c0600000"},
    {"vector<text, 2>", "['a', 'bcd']", "01 61 03 626364"},
    {"vector<vector<float, 2>, 2>", "[[1, 2], [3, 4]]", "3f800000 40000000 40400000 40800000"},
    {"list<frozen<map<int, frozen<set<text>>>>>", "[{1: {'x'}}]",
     "00000001 00000019 00000001 00000004 00000001 00000009 00000001 00000001 78"},
};

static void texts_become_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(good); i++) {
        uint8_t wire[200];
        size_t len = 0;
        cql_status st = cql_value_parse(type_of(good[i].type), cql_str_of(good[i].text), wire,
                                        sizeof wire, &len);
        if (st || !hex_equal(wire, len, good[i].wire))
            fail_msg("%s '%s': %s", good[i].type, good[i].text, cql_status_text(st));
        guard g; /* the same right before a page that cannot be touched */
        size_t n = strlen(good[i].text);
        guard_init(&g, n);
        cql_str view = {(const char *)guard_place(&g, good[i].text, n), n};
        assert_int_equal(cql_value_parse(type_of(good[i].type), view, wire, sizeof wire, &len),
                         CQL_OK);
        guard_fini(&g);
    }
}

static void texts_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *type, *text;
    } bad[] = {
        {"ascii", "\xc3\xa9"}, {"text", "\xff"}, {"text", "\xe2\x82\xac\xff"},
        {"text", "\xf0\x9f\x8e\xae\xff"}, {"blob", "cafe"}, {"blob", "0xc"}, {"blob", "0xzz"},
        {"boolean", "yes"}, {"boolean", ""}, {"tinyint", "128"}, {"tinyint", "-129"}, {"int", ""},
        {"int", "1 2"}, {"int", "1.0"}, {"int", "0x1"}, {"int", "2147483648"}, {"int", "-"},
        {"bigint", "9223372036854775808"}, {"varint", "-"}, {"varint", "1a"}, {"decimal", "."},
        {"decimal", "1e"}, {"decimal", "1e99999999999"}, {"decimal", "1.2.3"}, {"float", "0x1p3"},
        {"float", "inf"}, {"double", "1,5"}, {"double", ""}, {"date", "2023-02-29"},
        {"date", "2024-1"}, {"date", "2024-01-01Z"}, {"time", "24:00"}, {"time", "13h"},
        {"time", "86400000000000"}, {"time", "-1"}, {"date", "4294967296"}, {"date", "-1"}, {"date", "--1-01-01"},
        {"date", "-9223372036854775808"},
        {"date", "-+1-01-01"}, {"date", "+-1-01-01"}, {"timestamp", "1970-01-01T"}, {"timestamp", "1970-01-01+"},
        {"float", "infinit"}, {"float", "infinityx"}, {"float", "-"}, {"float", "na"},
        {"time", "01:02:03."}, {"time", "01:02.5"}, {"time", "01:60"},
         {"time", "01:02:60"}, {"time", "01:02:003"}, {"decimal", "1e2147483649"},
        {"decimal", "1e-2147483648"}, {"decimal", "1e-9223372036854775808"},
        {"timestamp", "2024-01-02 03:04.5Z"}, {"timestamp", "2024-01-02 03:04:05+01:"},
        {"timestamp", "yesterday"},
        {"timestamp", "2024-01-02 03:04:05 "}, {"timestamp", "2024-01-02 03:04:05+1"},
        {"duration", ""}, {"duration", "-"}, {"duration", "5"}, {"duration", "1q"},
        {"duration", "1y1y"}, {"duration", "1d1w"}, {"duration", "1ns1us"}, {"duration", "1m1h"}, {"duration", "1mon"},
        {"duration", "1y "}, {"duration", "--1y"}, {"duration", "+1y"}, {"duration", "1.5s"},
        {"duration", "1us1\xc2\xb5s"}, {"duration", "1\xc2\xb5"}, {"duration", "1\xc2"}, {"duration", "2147483648mo"}, {"duration", "-2147483649d"},
        {"duration", "9223372036854775808ns"}, {"duration", "18446744073709551616ns"}, {"duration", "2562048h"},
        {"duration", "p1y"}, {"duration", "P1y"}, {"duration", "P1"}, {"duration", "P1D1M"}, {"duration", "P1H"},
        {"duration", "PT1D"}, {"duration", "PT1HT1M"}, {"duration", "P1W1D"}, {"duration", "P1Y1W"}, {"duration", "PW"},
        {"duration", "P-1Y"}, {"duration", "P001-02-03T04:05:06"}, {"duration", "P0001-02-03"},
        {"duration", "P0001-02-03T04:05"}, {"duration", "P0001-02-03T04:05:06Z"}, {"duration", "P0001-2-03T04:05:06"},
        {"duration", "3000000000mo"}, {"uuid", "550e8400"}, {"timeuuid",
        "550e8400-e29b-41d4-a716-446655440000"}, {"inet", "127.0.0"}, {"inet", ""},
        {"list<int>", ""}, {"list<int>", "[1, 2"}, {"list<int>", "[1 2]"}, {"list<int>", "[1,]"},
        {"list<int>", "[1] 2"}, {"list<int>", "[null]"}, {"list<text>", "[a]"},
        {"list<text>", "['a]"}, {"set<int>", "[1]"}, {"map<int, int>", "{1}"},
        {"map<int, int>", "{1: 2, 3}"}, {"tuple<int, int>", "(1)"},
        {"tuple<int, int>", "(1, 2, 3)"}, {"vector<float, 2>", "[1]"},
        {"vector<float, 2>", "[1, 2, 3]"}, {"vector<int, 2>", "[1, x]"},
    };
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        uint8_t wire[200];
        size_t len = 7;
        cql_status st = cql_value_parse(type_of(bad[i].type), cql_str_of(bad[i].text), wire,
                                        sizeof wire, &len);
        if (st != CQL_BAD_VALUE)
            fail_msg("%s '%s': %s", bad[i].type, bad[i].text, cql_status_text(st));
        assert_int_equal(len, 7);
    }
}

static void a_nul_ends_no_address(void **state)
{
    static const char text[] = "1.2.3.4\0x";
    uint8_t wire[20];
    size_t len;
    (void)state;
    for (size_t n = 8; n < sizeof text; n++)
        assert_int_equal(cql_value_parse(type_of("inet"), (cql_str){text, n}, wire, sizeof wire, &len), CQL_BAD_VALUE);
}

/* Every cut of every good text is a value or refused, in bounds. */
static void no_cut_reads_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(good); i++) {
        const cql_type *t = type_of(good[i].type);
        size_t n = strlen(good[i].text);
        guard g;
        guard_init(&g, n);
        for (size_t cut = 0; cut < n; cut++) {
            uint8_t wire[200];
            size_t len;
            cql_str view = {(const char *)guard_place(&g, good[i].text, cut), cut};
            cql_status st = cql_value_parse(t, view, wire, sizeof wire, &len);
            assert_true(st == CQL_OK || st == CQL_BAD_VALUE);
            if (st == CQL_OK && t->id != CQL_TYPE_TEXT && t->id != CQL_TYPE_BLOB)
                assert_int_equal(cqln_value_wellformed(t, (cql_str){(const char *)wire, len}), CQL_OK);
        }
        guard_fini(&g);
    }
}

static void user_types_go_by_field(void **state)
{
    (void)state;
    static const char wire_type[] = "0030 0002 6b73 0001 75 0003 0001 61 0009 0002 4162 000d 0001 63 0009";
    hex h = hex_bytes(wire_type);
    cqln_reader rd;
    const cql_type *t = NULL;
    uint8_t wire[100];
    size_t len = 0;
    cqln_reader_init(&rd, h.data, h.len);
    assert_int_equal(cqln_type_read(&rd, &arena, &t), CQL_OK);
    assert_int_equal(cql_value_parse(t, cql_str_of("{a: 1, \"Ab\": 'x', c: null}"), wire, 100, &len),
                     CQL_OK);
    assert_hex(wire, len, "00000004 00000001 00000001 78 ffffffff");
    assert_int_equal(cql_value_parse(t, cql_str_of("{Ab: 'x'}"), wire, 100, &len), CQL_OK);
    assert_hex(wire, len, "ffffffff 00000001 78 ffffffff");
    assert_int_equal(cql_value_parse(t, cql_str_of("{b: 1}"), wire, 100, &len), CQL_BAD_VALUE);
    assert_int_equal(cql_value_parse(t, cql_str_of("{C : 1, aB: 'x', A: 2}"), wire, 100, &len),
                     CQL_BAD_VALUE); /* a plain aB is ab */
    assert_int_equal(cql_value_parse(t, cql_str_of("{C : 1, \"Ab\": 'x', A: 2}"), wire, 100, &len), CQL_OK);
    assert_hex(wire, len, "00000004 00000002 00000001 78 00000004 00000001");
    assert_int_equal(cql_value_parse(t, cql_str_of("{c: 1, a: 1, c: null, \"Ab\": 'yz', \"Ab\": 'x'}"), wire,
                                     100, &len), CQL_OK); /* the last is it, as for the servers */
    assert_hex(wire, len, "00000004 00000001 00000001 78 ffffffff");
    assert_int_equal(cql_value_parse(t, cql_str_of("{}"), wire, 100, &len), CQL_OK);
    assert_hex(wire, len, "ffffffff ffffffff ffffffff");
    static const char *const broken[] = {"{", "{a", "{a:", "{a: 1", "{a: 1,", "{a: 1,}", "{a 1}", "{\"a: 1}", "{: 1}"};
    for (size_t i = 0; i < CQL_COUNT(broken); i++)
        assert_int_equal(cql_value_parse(t, cql_str_of(broken[i]), wire, 100, &len), CQL_BAD_VALUE);
    hex_free(&h);
}

static void room_and_digits_are_bounded(void **state)
{
    (void)state;
    uint8_t wire[600];
    char digits[1300];
    size_t len = 0;
    assert_int_equal(cql_value_parse(type_of("int"), cql_str_of("1"), wire, 3, &len), CQL_TOO_LARGE);
    assert_int_equal(len, 4); /* so much is needed */
    memset(digits, '9', sizeof digits);
    assert_int_equal(cql_value_parse(type_of("varint"), (cql_str){digits, 1234}, wire, 600, &len),
                     CQL_OK);
    assert_int_equal(cql_value_parse(type_of("varint"), (cql_str){digits, 1235}, wire, 600, &len),
                     CQL_TOO_LARGE);
    assert_int_equal(cql_value_parse(NULL, cql_str_of("1"), wire, 3, &len), CQL_BAD_ARGUMENT);
}

/* Zeros in front take no room: a number of as many digits as are read may be a small one. */
static void zeros_in_front_are_not_counted(void **state)
{
    (void)state;
    uint8_t wire[600];
    char text[3000];
    size_t len = 0;
    memset(text, '0', sizeof text);
    text[1] = '.';
    memset(text + 1700, '9', 1234);
    assert_int_equal(cql_value_parse(type_of("decimal"), (cql_str){text, 2934}, wire, 600, &len),
                     CQL_OK);
    assert_int_equal(len, 4 + 513);
    assert_hex(wire, 4, "00000b74");
    text[2934] = '9';
    assert_int_equal(cql_value_parse(type_of("decimal"), (cql_str){text, 2935}, wire, 600, &len),
                     CQL_BAD_VALUE);
    assert_int_equal(cql_value_parse(type_of("decimal"), (cql_str){text, 1700}, wire, 600, &len),
                     CQL_OK);
    assert_hex(wire, len, "000006a2 00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(texts_become_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(texts_that_are_none_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_nul_ends_no_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_cut_reads_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(user_types_go_by_field, set_up, tear_down),
        cmocka_unit_test_setup_teardown(room_and_digits_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(zeros_in_front_are_not_counted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
