/* Values as text in the form of cqlsh, and as JSON. */
#include "types_help.h"

#include "types/number_text.h"
#include "types/print.h"

#include <arpa/inet.h>
#include <float.h>
#include <math.h>
#include <time.h>

static cqln_arena arena;

static int open_arena(void **state)
{
    (void)state;
    cqln_arena_init(&arena, cqln_alloc_default(), 0);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    cqln_arena_fini(&arena);
    return 0;
}

typedef cql_status (*print_fn)(const cql_value *v, const cql_type *type, char *buf, size_t cap,
                               size_t *len);

static void assert_printed(print_fn print, const cql_value *v, const cql_type *type,
                           const char *want)
{
    char buf[4096];
    size_t len = 0;
    assert_int_equal(print(v, type, buf, sizeof buf, &len), CQL_OK);
    assert_string_equal(buf, want);
    assert_int_equal(len, strlen(want));
}

/* Bytes of a type, their text and their JSON. */
typedef struct print_case {
    const char *type;
    const char *bytes;
    const char *text;
    const char *json;
} print_case;

static const print_case cases[] = {
    {"boolean", "01", "True", "true"},
    {"boolean", "05", "True", "true"},
    {"boolean", "00", "False", "false"},
    {"tinyint", "80", "-128", "-128"},
    {"smallint", "fffe", "-2", "-2"},
    {"int", "ffffffff", "-1", "-1"},
    {"int", "80000000", "-2147483648", "-2147483648"},
    {"bigint", "8000000000000000", "-9223372036854775808", "-9223372036854775808"},
    {"counter", "fffffffffffffffd", "-3", "-3"},
    {"float", "3fc00000", "1.5", "1.5"},
    {"float", "7fc00000", "NaN", "null"},
    {"float", "ff800000", "-Infinity", "null"},
    {"double", "3ff8000000000000", "1.5", "1.5"},
    {"double", "8000000000000000", "-0", "-0"},
    {"double", "7ff8000000000000", "NaN", "null"},
    {"double", "7ff0000000000000", "Infinity", "null"},
    {"varint", "00", "0", "0"},
    {"varint", "7f", "127", "127"},
    {"varint", "0080", "128", "128"},
    {"varint", "ff7f", "-129", "-129"},
    {"varint", "ff00", "-256", "-256"},
    {"varint", "ffffffff80", "-128", "-128"},
    {"varint", "010000000000000000", "18446744073709551616", "18446744073709551616"},
    {"decimal", "000000020096", "1.50", "1.50"},
    {"decimal", "00000003ff", "-0.001", "-0.001"},
    {"decimal", "0000000000", "0", "0"},
    {"decimal", "0000000200", "0.00", "0.00"},
    {"decimal", "fffffffd00", "0E+3", "0E+3"},
    {"decimal", "0000000106b14e9f812f366c39", "12345678901234567890.5", "12345678901234567890.5"},
    {"decimal", "fffffffd01", "1E+3", "1E+3"},
    {"decimal", "0000000080", "-128", "-128"},
    {"decimal", "0000000601", "0.000001", "0.000001"},
    {"decimal", "0000000701", "1E-7", "1E-7"},
    {"decimal", "000000080c", "1.2E-7", "1.2E-7"},
    {"decimal", "7fffffff01", "1E-2147483647", "1E-2147483647"},
    {"decimal", "8000000001", "1E+2147483648", "1E+2147483648"},
    {"decimal", "8000000080", "-1.28E+2147483650", "-1.28E+2147483650"},
    {"timestamp", "0000018cc820db2e", "2024-01-02 03:04:05.678000+0000",
     "\"2024-01-02 03:04:05.678000+0000\""},
    {"timestamp", "ffffffffffffffff", "1969-12-31 23:59:59.999000+0000",
     "\"1969-12-31 23:59:59.999000+0000\""},
    {"timestamp", "7fffffffffffffff", "292278994-08-17 07:12:55.807000+0000",
     "\"292278994-08-17 07:12:55.807000+0000\""},
    {"timestamp", "8000000000000000", "-292275055-05-16 16:47:04.192000+0000",
     "\"-292275055-05-16 16:47:04.192000+0000\""},
    {"date", "80000000", "1970-01-01", "\"1970-01-01\""},
    {"date", "80004d46", "2024-02-29", "\"2024-02-29\""},
    {"date", "7fffffff", "1969-12-31", "\"1969-12-31\""},
    {"date", "00000000", "-5877641-06-23", "\"-5877641-06-23\""},
    {"date", "ffffffff", "+5881580-07-11", "\"+5881580-07-11\""},
    {"date", "802cc0a0", "9999-12-31", "\"9999-12-31\""},
    {"date", "802cc0a1", "+10000-01-01", "\"+10000-01-01\""},
    {"date", "7ff50593", "0000-02-29", "\"0000-02-29\""},
    {"time", "00002c40325e44d3", "13:30:54.234567891", "\"13:30:54.234567891\""},
    {"time", "00004e94914effff", "23:59:59.999999999", "\"23:59:59.999999999\""},
    {"time", "0000000000000000", "00:00:00.000000000", "\"00:00:00.000000000\""},
    {"duration", "020406", "1mo2d3ns", "\"1mo2d3ns\""},
    {"duration", "010305", "-1mo2d3ns", "\"-1mo2d3ns\""},
    {"duration", "180000", "1y", "\"1y\""},
    {"duration", "0000fc51dac207a000", "12h30m", "\"12h30m\""},
    {"duration", "000087cf", "-1us", "\"-1us\""},
    {"duration", "000000", "0s", "\"0s\""},
    {"duration", "f0fffffffef0fffffffefffffffffffffffffe",
     "178956970y7mo2147483647d2562047h47m16s854ms775us807ns",
     "\"178956970y7mo2147483647d2562047h47m16s854ms775us807ns\""},
    {"duration", "f0fffffffff0ffffffffffffffffffffffffff",
     "-178956970y8mo2147483648d2562047h47m16s854ms775us808ns",
     "\"-178956970y8mo2147483648d2562047h47m16s854ms775us808ns\""},
    {"uuid", "50554d6e29bb11e5b345feff819cdc9f", "50554d6e-29bb-11e5-b345-feff819cdc9f",
     "\"50554d6e-29bb-11e5-b345-feff819cdc9f\""},
    {"timeuuid", "50554d6e29bb11e5b345feff819cdc9f", "50554d6e-29bb-11e5-b345-feff819cdc9f",
     "\"50554d6e-29bb-11e5-b345-feff819cdc9f\""},
    {"inet", "7f000001", "127.0.0.1", "\"127.0.0.1\""},
    {"inet", "20010db8000000000000000000000001", "2001:db8::1", "\"2001:db8::1\""},
    {"text", "68c3a96c6c6f", "h\xc3\xa9llo", "\"h\xc3\xa9llo\""},
    {"text", "6f27735c22", "o's\\\\\"", "\"o's\\\\\\\"\""},
    {"text", "000a0d091b7fc285c2a0", "\\x00\\n\\r\\t\\x1b\\x7f\\x85\\xa0",
     "\"\\u0000\\n\\r\\t\\u001b\\u007f\\u0085\xc2\xa0\""},
    {"text", "ff61eda080", "\\xffa\\xed\\xa0\\x80", "\"\\ufffda\\ufffd\\ufffd\\ufffd\""},
    {"text", "", "", "\"\""},
    {"ascii", "6869", "hi", "\"hi\""},
    {"blob", "cafe", "0xcafe", "\"0xcafe\""},
    {"blob", "", "0x", "\"0x\""},
    {"'com.example.Own'", "01", "0x01", "\"0x01\""},
    {"int", "", "", "\"\""},
    {"list<int>", "00000002 00000004 00000001 00000004 00000002", "[1, 2]", "[1, 2]"},
    {"list<int>", "00000000", "[]", "[]"},
    {"list<int>", "00000001 ffffffff", "[null]", "[null]"},
    {"list<int>", "00000001 00000000", "['']", "[\"\"]"},
    {"set<text>", "00000002 00000001 61 00000001 62", "{'a', 'b'}", "[\"a\", \"b\"]"},
    {"list<text>", "00000001 00000003 612762", "['a''b']", "[\"a'b\"]"},
    {"map<text, int>", "00000002 00000001 61 00000004 00000001 00000001 62 00000004 00000002",
     "{'a': 1, 'b': 2}", "{\"a\": 1, \"b\": 2}"},
    {"map<int, boolean>", "00000001 00000004 00000001 00000001 01", "{1: True}", "{\"1\": true}"},
    /* the same key twice and a null one: as they came */
    {"map<text, int>",
     "00000003 00000001 61 ffffffff 00000001 61 00000004 00000002 ffffffff 00000004 00000003",
     "{'a': null, 'a': 2, null: 3}", "{\"a\": null, \"a\": 2, \"null\": 3}"},
    {"map<frozen<list<text>>, int>", "00000001 0000000a 00000001 00000002 225c 00000004 00000001",
     "{['\"\\\\']: 1}", "{\"['\\\"\\\\\\\\']\": 1}"},
    {"tuple<int, text, boolean>", "00000004 00000001 00000001 61 00000001 01", "(1, 'a', True)",
     "[1, \"a\", true]"},
    {"tuple<int, text, boolean>", "00000004 00000001", "(1, null, null)", "[1, null, null]"},
    {"'UserType(6b,61646472,737472656574:UTF8Type,6e756d:Int32Type,74616773:ListType(UTF8Type))'",
     "00000001 73 00000004 00000005 00000009 00000001 00000001 78",
     "{street: 's', num: 5, tags: ['x']}", "{\"street\": \"s\", \"num\": 5, \"tags\": [\"x\"]}"},
    {"vector<float, 3>", "3f80000040000000c0600000", "[1, 2, -3.5]", "[1, 2, -3.5]"},
    {"vector<text, 2>", "016103626364", "['a', 'bcd']", "[\"a\", \"bcd\"]"},
    {"'UserType(ks,75,412062:Int32Type,612262:Int32Type,61315f:Int32Type)'", "00000004 00000001 ffffffff ffffffff",
     "{\"A b\": 1, \"a\"\"b\": null, a1_: null}", "{\"A b\": 1, \"a\\\"b\": null, \"a1_\": null}"},
    {"list<inet>", "00000001 00000004 7f000001", "['127.0.0.1']", "[\"127.0.0.1\"]"},
    {"list<timestamp>", "00000001 00000008 ffffffffffffffff", "['1969-12-31 23:59:59.999000+0000']",
     "[\"1969-12-31 23:59:59.999000+0000\"]"},
    {"list<date>", "00000001 00000004 80000000", "[1970-01-01]", "[\"1970-01-01\"]"},
    {"list<blob>", "00000001 00000001 01", "[0x01]", "[\"0x01\"]"},
    {"list<double>", "00000001 00000008 7ff8000000000000", "[NaN]", "[null]"},
};

static void values_print_as_they_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        const cql_type *t = cql_text_type(&arena, cases[i].type);
        hex b = hex_bytes(cases[i].bytes);
        cql_value v = cqln_value_view(t, b.data, b.len);
        assert_printed(cql_value_print, &v, t, cases[i].text);
        assert_printed(cql_value_print_json, &v, t, cases[i].json);
        if (cql_type_of(t) < CQL_TYPE_LIST) {
            assert_printed(cql_value_print, &v, NULL, cases[i].text);
            assert_printed(cql_value_print_json, &v, NULL, cases[i].json);
        }
        hex_free(&b);
    }
}

static void states_print_as_words(void **state)
{
    (void)state;
    cql_value v = cql_value_null();
    assert_printed(cql_value_print, &v, NULL, "null");
    assert_printed(cql_value_print_json, &v, NULL, "null");
    assert_printed(cql_value_print, &v, cql_text_type(&arena, "list<int>"), "null");
    v = cql_value_unset();
    assert_printed(cql_value_print, &v, NULL, "unset");
    assert_printed(cql_value_print_json, &v, NULL, "null");
    v = cql_value_int64(1704164645678);
    assert_printed(cql_value_print, &v, cql_text_type(&arena, "timestamp"),
                   "2024-01-02 03:04:05.678000+0000");
}

static void misuse_is_a_status(void **state)
{
    (void)state;
    const print_fn prints[] = {cql_value_print, cql_value_print_json};
    for (size_t i = 0; i < CQL_COUNT(prints); i++) {
        char buf[8] = "xyz";
        size_t len = 7;
        cql_value v = cql_value_int32(1);
        assert_int_equal(prints[i](NULL, NULL, buf, sizeof buf, &len), CQL_BAD_ARGUMENT);
        assert_string_equal(buf, "");
        assert_int_equal(prints[i](&v, NULL, NULL, 8, &len), CQL_BAD_ARGUMENT);
        assert_int_equal(prints[i](&v, cql_text_type(&arena, "text"), buf, sizeof buf, &len),
                         CQL_TYPE_MISMATCH);
        v = cql_value_raw(CQL_TYPE_LIST, "\0\0\0\0", 4);
        assert_int_equal(prints[i](&v, NULL, buf, sizeof buf, &len), CQL_BAD_ARGUMENT);
        assert_int_equal(len, 7);
        assert_int_equal(prints[i](&v, cql_text_type(&arena, "list<int>"), NULL, 0, &len), CQL_OK);
        assert_int_equal(len, 2);
        assert_int_equal(prints[i](&v, cql_text_type(&arena, "list<int>"), buf, sizeof buf, NULL),
                         CQL_OK);
        assert_string_equal(buf, "[]");
    }
}

static void bytes_that_are_no_value_are_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *bytes;
    } bad[] = {
        {"int", "000000"},
        {"int", "0000000000"},
        {"uuid", "00"},
        {"boolean", "0101"},
        {"inet", "0102030405"},
        {"decimal", "00000000"},
        {"duration", "02"},
        {"duration", "020405"},
        {"time", "00004e94914f0000"},
        {"time", "ffffffffffffffff"},
        {"list<int>", ""},
        {"list<int>", "00000002 00000004 00000001"},
        {"list<int>", "00000001 00000003 000000"},
        {"list<int>", "00000001 fffffffe"},
        {"list<int>", "7fffffff"},
        {"map<text, int>", "00000001 00000001 61"},
        {"map<int, int>", "00000001 00000001 61 00000004 00000001"},
        {"tuple<int, int>", "00000004 0000"},
        {"vector<float, 2>", "3f800000"},
        {"list<int>", "00000000 00"},
        {"list<int>", "00000001 00000004 00000001 00"},
    };
    const print_fn prints[] = {cql_value_print, cql_value_print_json};
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        const cql_type *t = cql_text_type(&arena, bad[i].type);
        hex b = hex_bytes(bad[i].bytes);
        cql_value v = cqln_value_view(t, b.data, b.len);
        for (size_t k = 0; k < CQL_COUNT(prints); k++) {
            char buf[64] = "xyz";
            size_t len = 7;
            cql_status st = prints[k](&v, t, buf, sizeof buf, &len);
            if (st != CQL_MALFORMED)
                print_error("%s %s: \"%s\"\n", bad[i].type, bad[i].bytes, buf);
            assert_int_equal(st, CQL_MALFORMED);
            assert_string_equal(buf, "");
            assert_int_equal(len, 7);
        }
        hex_free(&b);
    }
}

static void text_is_cut_and_counted(void **state)
{
    (void)state;
    const char *text = "a\xc3\xa9\xe2\x82\xac";
    cql_value v = cql_value_text(text);
    /* A character that does not fit whole is left away. */
    static const size_t kept[] = {0, 0, 1, 1, 3, 3, 3, 6, 6};
    for (size_t cap = 1; cap < CQL_COUNT(kept); cap++) {
        char buf[16];
        size_t len = 0;
        memset(buf, '#', sizeof buf);
        assert_int_equal(cql_value_print(&v, NULL, buf, cap, &len), CQL_OK);
        assert_int_equal(len, 6);
        assert_int_equal(strlen(buf), kept[cap]);
        assert_memory_equal(buf, text, kept[cap]);
        assert_int_equal(buf[cap], '#');
    }
}

typedef struct cut {
    const cql_type *type;
} cut;

static void cut_prints_within_bounds(const uint8_t *bytes, size_t len, void *user)
{
    const cut *c = user;
    char buf[512];
    cql_value v = cqln_value_view(c->type, bytes, len);
    size_t n;
    cql_status st = cql_value_print(&v, c->type, buf, sizeof buf, &n);
    assert_true(st == CQL_OK || st == CQL_MALFORMED);
    assert_int_equal(cql_value_print_json(&v, c->type, buf, sizeof buf, &n), st);
}

static void every_cut_prints_within_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        cut c = {cql_text_type(&arena, cases[i].type)};
        hex b = hex_bytes(cases[i].bytes);
        guard_each_cut(b.data, b.len, cut_prints_within_bounds, &c);
        hex_free(&b);
    }
}

/* --- floats ----------------------------------------------------------------------------------- */

static void print_double(double d, char *buf, size_t cap)
{
    cql_value v = cql_value_double(d);
    assert_int_equal(cql_value_print(&v, NULL, buf, cap, NULL), CQL_OK);
}

static void doubles_take_the_shortest_form(void **state)
{
    (void)state;
    static const struct {
        double d;
        const char *text;
    } doubles[] = {
        {0, "0"},
        {1, "1"},
        {-1, "-1"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {100000, "100000"},
        {123456789012345680.0, "1.2345678901234568e+17"},
        {9007199254740992.0, "9007199254740992"},
        {1e15, "1000000000000000"},
        {1e16, "1e+16"},
        {1e22, "1e+22"},
        {1e-4, "0.0001"},
        {1e-5, "1e-05"},
        {1.5e-7, "1.5e-07"},
        {1e100, "1e+100"},
        {5e-324, "5e-324"},
        {2.5e-322, "2.5e-322"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {123.456, "123.456"},
        {0x1p-1017, "7.120236347223045e-307"}, /* not the nearest 16 digits */
    };
    for (size_t i = 0; i < CQL_COUNT(doubles); i++) {
        char buf[64];
        print_double(doubles[i].d, buf, sizeof buf);
        assert_string_equal(buf, doubles[i].text);
    }
    static const struct {
        float f;
        const char *text;
    } floats[] = {
        {0.1f, "0.1"},
        {16777216.0f, "16777216"},
        {3.4028235e38f, "3.4028235e+38"},
        {1.1754944e-38f, "1.1754944e-38"},
        {1e-45f, "1e-45"},
        {0.3f, "0.3"},
        {1.0f / 3, "0.33333334"},
    };
    for (size_t i = 0; i < CQL_COUNT(floats); i++) {
        cql_value v = cql_value_float(floats[i].f);
        assert_printed(cql_value_print, &v, NULL, floats[i].text);
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void random_floats_read_back(void **state)
{
    (void)state;
    uint64_t seed = 20240102;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = next_random(&seed);
        uint32_t bits32 = (uint32_t)next_random(&seed);
        char buf[64];
        double d;
        float f;
        memcpy(&d, &bits, sizeof d);
        memcpy(&f, &bits32, sizeof f);
        if (isfinite(d)) {
            print_double(d, buf, sizeof buf);
            assert_true(strtod(buf, NULL) == d);
            assert_in_range(strlen(buf), 1, 24);
        }
        if (isfinite(f)) {
            cql_value v = cql_value_float(f);
            assert_int_equal(cql_value_print(&v, NULL, buf, sizeof buf, NULL), CQL_OK);
            assert_true(strtof(buf, NULL) == f);
            assert_in_range(strlen(buf), 1, 17);
        }
    }
}

/* --- big numbers ------------------------------------------------------------------------------ */

/* Decimal text of hex digits by schoolbook doubling, as a second way. */
static void double_and_add(char *digits, size_t *count, unsigned bit)
{
    unsigned carry = bit;
    for (size_t i = 0; i < *count; i++) {
        unsigned n = (unsigned)digits[i] * 2 + carry;
        digits[i] = (char)(n % 10);
        carry = n / 10;
    }
    if (carry)
        digits[(*count)++] = (char)carry;
}

static void slow_digits(const uint8_t *bytes, size_t len, char *out)
{
    char digits[2000] = {0};
    size_t count = 1;
    for (size_t i = 0; i < len * 8; i++)
        double_and_add(digits, &count, (unsigned)bytes[i / 8] >> (7 - i % 8) & 1u);
    for (size_t i = 0; i < count; i++)
        out[i] = (char)('0' + digits[count - 1 - i]);
    out[count] = '\0';
}

static void varints_of_any_length_have_the_right_digits(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (size_t len = 1; len <= CQLN_VARINT_TEXT_MAX; len += len < 40 ? 1 : 59) {
        uint8_t bytes[CQLN_VARINT_TEXT_MAX] = {0};
        uint8_t negated[CQLN_VARINT_TEXT_MAX];
        char want[2001] = "-";
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)next_random(&seed);
        bytes[0] &= 0x7f;
        bytes[len - 1] |= 1; /* not zero, so that it has a negative */
        unsigned carry = 1;
        for (size_t i = len; i-- > 0;) {
            carry += (uint8_t)~bytes[i];
            negated[i] = (uint8_t)carry;
            carry >>= 8;
        }
        slow_digits(bytes, len, want + 1);
        cql_value v = cql_value_varint(bytes, len);
        assert_printed(cql_value_print, &v, NULL, want + 1);
        v = cql_value_varint(negated, len);
        assert_printed(cql_value_print, &v, NULL, want);
    }
}

static void huge_numbers_print_as_hex_in_little_time(void **state)
{
    (void)state;
    enum { HUGE_LEN = 1 << 20 };
    uint8_t *bytes = malloc(HUGE_LEN);
    assert_non_null(bytes);
    memset(bytes, 0x7f, HUGE_LEN);
    char buf[32];
    size_t len = 0;
    clock_t from = clock();
    cql_value v = cql_value_varint(bytes, HUGE_LEN);
    assert_int_equal(cql_value_print(&v, NULL, buf, sizeof buf, &len), CQL_OK);
    assert_int_equal(len, 2 + 2 * HUGE_LEN);
    assert_memory_equal(buf, "0x7f7f7f", 8);
    assert_int_equal(cql_value_print_json(&v, NULL, buf, sizeof buf, &len), CQL_OK);
    assert_int_equal(len, 4 + 2 * HUGE_LEN);
    assert_memory_equal(buf, "\"0x7f7f", 7);
    v = cql_value_raw(CQL_TYPE_DECIMAL, bytes, HUGE_LEN);
    assert_int_equal(cql_value_print(&v, NULL, buf, sizeof buf, &len), CQL_OK);
    assert_int_equal(len, 2 + 2 * HUGE_LEN);
    /* Zeros in front make no number large. */
    memset(bytes, 0, HUGE_LEN);
    bytes[HUGE_LEN - 1] = 5;
    v = cql_value_varint(bytes, HUGE_LEN);
    assert_printed(cql_value_print, &v, NULL, "5");
    assert_true((double)(clock() - from) / CLOCKS_PER_SEC < 5);
    /* The longest that still has digits, and the first that has none. */
    memset(bytes, 0x7f, CQLN_VARINT_TEXT_MAX + 1);
    v = cql_value_varint(bytes, CQLN_VARINT_TEXT_MAX);
    assert_int_equal(cql_value_print(&v, NULL, buf, sizeof buf, &len), CQL_OK);
    assert_int_equal(len, 1233);
    v = cql_value_varint(bytes, CQLN_VARINT_TEXT_MAX + 1);
    assert_int_equal(cql_value_print(&v, NULL, buf, sizeof buf, &len), CQL_OK);
    assert_int_equal(len, 2 + 2 * (CQLN_VARINT_TEXT_MAX + 1));
    free(bytes);
}

/* A list of empty tuples whose type has very many fields: bytes by the hundred, nulls by the
 * million. */
static void absent_fields_are_limited(void **state)
{
    (void)state;
    enum { FIELDS = 20000, TUPLES = 100 };
    const cql_type **items = calloc(FIELDS, sizeof *items);
    uint8_t *bytes = calloc(1, 4 + 4 * TUPLES);
    assert_non_null(items);
    assert_non_null(bytes);
    for (size_t i = 0; i < FIELDS; i++)
        items[i] = cqln_type_scalar(CQL_TYPE_INT);
    const cql_type tuple = {
        .id = CQL_TYPE_TUPLE, .count = FIELDS, .items = items, .empty_ok = true};
    const cql_type *item = &tuple;
    const cql_type list = {.id = CQL_TYPE_LIST, .count = 1, .items = &item};
    cqln_store_u32(bytes, TUPLES);
    cql_value v = cqln_value_view(&list, bytes, 4 + 4 * TUPLES);
    char buf[16] = "x";
    size_t len = 7;
    assert_int_equal(cql_value_print(&v, &list, buf, sizeof buf, &len), CQL_TOO_LARGE);
    assert_string_equal(buf, "");
    assert_int_equal(cql_value_print_json(&v, &list, buf, sizeof buf, &len), CQL_TOO_LARGE);
    assert_int_equal(len, 7);
    assert_int_equal(cqln_value_check(&list, &v), CQL_OK);
    cqln_store_u32(bytes, 10);
    v.len = 4 + 4 * 10;
    assert_int_equal(cql_value_print(&v, &list, buf, sizeof buf, &len), CQL_OK);
    assert_int_equal(len, 2 + 9 * 2 + 10 * (2 + FIELDS * 6 - 2));
    free(items);
    free(bytes);
}

/* --- calendar and addresses ------------------------------------------------------------------- */

static void calendar_agrees_with_the_system(void **state)
{
    (void)state;
    uint64_t seed = 1582;
    for (int i = 0; i < 20000; i++) {
        int64_t days = (int64_t)(next_random(&seed) % 8000000) - 4000000;
        if (sizeof(time_t) < 8)
            days %= 24000; /* what 32 bits of seconds hold */
        time_t seconds = (time_t)days * 86400;
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        int64_t year;
        unsigned month;
        unsigned day;
        cqln_civil_from_days(days, &year, &month, &day);
        assert_int_equal(year, tm.tm_year + 1900);
        assert_int_equal(month, tm.tm_mon + 1);
        assert_int_equal(day, tm.tm_mday);
        assert_true(cqln_days_from_civil(year, month, day) == days);
    }
    static const int64_t far[] = {INT64_MIN, INT64_MAX, INT64_C(-106751991168), INT32_MIN,
                                  INT32_MAX};
    for (size_t i = 0; i < CQL_COUNT(far); i++) {
        int64_t year;
        unsigned month;
        unsigned day;
        cqln_civil_from_days(far[i], &year, &month, &day);
        assert_in_range(month, 1, 12);
        assert_in_range(day, 1, 31);
        if (i > 1)
            assert_true(cqln_days_from_civil(year, month, day) == far[i]);
    }
}

/* Of zeros of the same length the first are left out (RFC 5952); musl takes others. */
static bool system_knows_the_rule(void)
{
    static const uint8_t equal[16] = {[5] = 1, [7] = 1, [9] = 1, [15] = 1};
    char text[INET6_ADDRSTRLEN];
    return strcmp(inet_ntop(AF_INET6, equal, text, sizeof text), "::1:1:1:0:0:1") == 0;
}

static void assert_reads_back(const cql_inet *a)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    cql_value v = cql_value_inet(*a);
    size_t len;
    assert_int_equal(cql_value_print(&v, NULL, text, sizeof text, &len), CQL_OK);
    assert_int_equal(inet_pton(a->len == 4 ? AF_INET : AF_INET6, text, bytes), 1);
    assert_memory_equal(bytes, a->bytes, a->len);
}

static void addresses_print_as_the_system_does(void **state)
{
    (void)state;
    uint64_t seed = 6;
    const bool compare = system_knows_the_rule();
    for (int i = 0; i < 5000; i++) {
        cql_inet a = {.len = i % 8 ? 16 : 4};
        char want[INET6_ADDRSTRLEN];
        uint64_t zeros = next_random(&seed);
        for (int k = 0; k < 16; k++) {
            uint64_t r = next_random(&seed);
            a.bytes[k] = zeros >> (k / 2 * 2) & 3 ? 0 : (uint8_t)(r >> 8 & 1 ? r : r & 0x0f);
        }
        /* The system writes the long-dead form ::1.2.3.4 where RFC 5952 has ::102:304. */
        if (memcmp(a.bytes, (const uint8_t[12]){0}, 12) == 0)
            continue;
        assert_non_null(inet_ntop(a.len == 4 ? AF_INET : AF_INET6, a.bytes, want, sizeof want));
        cql_value v = cql_value_inet(a);
        if (compare)
            assert_printed(cql_value_print, &v, NULL, want);
        assert_reads_back(&a);
    }
    static const struct {
        const char *bytes;
        const char *text;
    } fixed[] = {
        {"00000000000000000000000000000000", "::"},
        {"00000000000000000000000000000001", "::1"},
        {"00010000000000000000000000000000", "1::"},
        {"00000000000000000000000001020304", "::102:304"},
        {"00000000000000000000ffff01020304", "::ffff:1.2.3.4"},
        {"00010000000200000003000400050006", "1:0:2:0:3:4:5:6"},
        {"00010000000000020003000000000004", "1::2:3:0:0:4"},
        {"00000000000100010001000000000001", "::1:1:1:0:0:1"},
    };
    for (size_t i = 0; i < CQL_COUNT(fixed); i++) {
        hex b = hex_bytes(fixed[i].bytes);
        cql_value v = cql_value_raw(CQL_TYPE_INET, b.data, b.len);
        assert_printed(cql_value_print, &v, NULL, fixed[i].text);
        hex_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_print_as_they_should),
        cmocka_unit_test(states_print_as_words),
        cmocka_unit_test(misuse_is_a_status),
        cmocka_unit_test(bytes_that_are_no_value_are_malformed),
        cmocka_unit_test(text_is_cut_and_counted),
        cmocka_unit_test(every_cut_prints_within_bounds),
        cmocka_unit_test(doubles_take_the_shortest_form),
        cmocka_unit_test(random_floats_read_back),
        cmocka_unit_test(varints_of_any_length_have_the_right_digits),
        cmocka_unit_test(huge_numbers_print_as_hex_in_little_time),
        cmocka_unit_test(absent_fields_are_limited),
        cmocka_unit_test(calendar_agrees_with_the_system),
        cmocka_unit_test(addresses_print_as_the_system_does),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
