/* Scalars from C types to wire form and back, by the vectors that servers stored. */
#include "types_help.h"

#include <float.h>
#include <math.h>

static cql_value raw(cql_type_id type, hex b)
{
    return cql_value_raw(type, b.data, b.len);
}

static void check_value(cql_value v, cql_type_id type, const char *text)
{
    assert_int_equal(v.type, type);
    assert_int_equal(v.state, CQL_VALUE_SET);
    assert_bytes(cql_value_bytes(&v), text);
    const cql_type *t = cqln_type_scalar((uint16_t)type);
    assert_int_equal(cqln_value_check(t, &v), CQL_OK);
}

static void integers_have_the_wire_form(void **state)
{
    (void)state;
    check_value(cql_value_bool(true), CQL_TYPE_BOOLEAN, "01");
    check_value(cql_value_bool(false), CQL_TYPE_BOOLEAN, "00");
    check_value(cql_value_int8(-2), CQL_TYPE_TINYINT, "fe");
    check_value(cql_value_int8(INT8_MIN), CQL_TYPE_TINYINT, "80");
    check_value(cql_value_int16(-2), CQL_TYPE_SMALLINT, "fffe");
    check_value(cql_value_int16(INT16_MAX), CQL_TYPE_SMALLINT, "7fff");
    check_value(cql_value_int32(-1), CQL_TYPE_INT, "ffffffff");
    check_value(cql_value_int32(INT32_MIN), CQL_TYPE_INT, "80000000");
    check_value(cql_value_int64(1), CQL_TYPE_BIGINT, "0000000000000001");
    check_value(cql_value_int64(-2), CQL_TYPE_BIGINT, "fffffffffffffffe");
    check_value(cql_value_int64(INT64_MIN), CQL_TYPE_BIGINT, "8000000000000000");
}

static void floats_have_the_wire_form(void **state)
{
    (void)state;
    check_value(cql_value_double(1.5), CQL_TYPE_DOUBLE, "3ff8000000000000");
    check_value(cql_value_double(-0.0), CQL_TYPE_DOUBLE, "8000000000000000");
    check_value(cql_value_double((double)NAN), CQL_TYPE_DOUBLE, "7ff8000000000000");
    check_value(cql_value_double(DBL_MAX), CQL_TYPE_DOUBLE, "7fefffffffffffff");
    check_value(cql_value_float(1.5f), CQL_TYPE_FLOAT, "3fc00000");
    check_value(cql_value_float(NAN), CQL_TYPE_FLOAT, "7fc00000");
    check_value(cql_value_float(-INFINITY), CQL_TYPE_FLOAT, "ff800000");
}

static void moments_have_the_wire_form(void **state)
{
    (void)state;
    check_value(cql_value_timestamp(INT64_C(1704164645678)), CQL_TYPE_TIMESTAMP,
                "0000018cc820db2e");
    check_value(cql_value_timestamp(-1), CQL_TYPE_TIMESTAMP, "ffffffffffffffff");
    check_value(cql_value_date(0), CQL_TYPE_DATE, "80000000");
    check_value(cql_value_date(0x4d46), CQL_TYPE_DATE, "80004d46");
    check_value(cql_value_date(-1), CQL_TYPE_DATE, "7fffffff");
    check_value(cql_value_date(INT32_MIN), CQL_TYPE_DATE, "00000000");
    check_value(cql_value_date(INT32_MAX), CQL_TYPE_DATE, "ffffffff");
    check_value(cql_value_time(INT64_C(48654234567891)), CQL_TYPE_TIME, "00002c40325e44d3");
    check_value(cql_value_time(INT64_C(86399999999999)), CQL_TYPE_TIME, "00004e94914effff");
}

/* Bytes and the duration that they stand for. */
typedef struct duration_vector {
    cql_duration d;
    const char *hex;
} duration_vector;

static const duration_vector durations[] = {
    {{1, 2, 3}, "020406"},
    {{-1, -2, -3}, "010305"},
    {{0, 0, 0}, "000000"},
    {{12, 0, 0}, "180000"},
    {{0, 0, -1000}, "000087cf"},
    {{0, 0, INT64_C(45000000000000)}, "0000fc51dac207a000"},
    {{INT32_MAX, 0, 0}, "f0fffffffe0000"},
    {{0, 106751, INT64_C(85636854775807)}, "00c341fefc9bc5c49dfffe"},
    {{INT32_MAX, INT32_MAX, INT64_MAX}, "f0fffffffe f0fffffffe fffffffffffffffffe"},
    {{INT32_MIN, INT32_MIN, INT64_MIN}, "f0ffffffff f0ffffffff ffffffffffffffffff"},
};

static void durations_go_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(durations); i++) {
        cql_duration got = {7, 7, 7};
        cql_value v = cql_value_duration(durations[i].d);
        check_value(v, CQL_TYPE_DURATION, durations[i].hex);
        assert_int_equal(cql_value_as_duration(&v, &got), CQL_OK);
        assert_int_equal(got.months, durations[i].d.months);
        assert_int_equal(got.days, durations[i].d.days);
        assert_true(got.nanos == durations[i].d.nanos);
    }
}

static void bad_durations_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "02",
        "0204",
        "02 04 80",  /* cut off */
        "020406 00", /* something behind it */
        "020405",
        "010400",
        "000301 ff",        /* mixed signs */
        "f100000000 00 00", /* months over 32 bits */
        "00 f200000000 00", /* days over 32 bits */
    };
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        hex b = hex_bytes(bad[i]);
        cql_value v = raw(CQL_TYPE_DURATION, b);
        cql_duration d = {7, 7, 7};
        assert_int_equal(cql_value_as_duration(&v, &d), CQL_BAD_VALUE);
        assert_int_equal(d.months, 7);
        assert_int_equal(cqln_value_check(cqln_type_scalar(CQL_TYPE_DURATION), &v), CQL_BAD_VALUE);
        hex_free(&b);
    }
    cql_value mixed = cql_value_duration((cql_duration){1, -1, 0});
    assert_int_equal(cqln_value_check(cqln_type_scalar(CQL_TYPE_DURATION), &mixed), CQL_BAD_VALUE);
}

static void uuids_and_addresses_are_copied(void **state)
{
    (void)state;
    cql_uuid id = {{0x50, 0x55, 0x4d, 0x6e, 0x29, 0xbb, 0x11, 0xe5, 0xb3, 0x45, 0xfe, 0xff, 0x81,
                    0x9c, 0xdc, 0x9f}};
    cql_value v = cql_value_uuid(id);
    check_value(v, CQL_TYPE_UUID, "50554d6e29bb11e5b345feff819cdc9f");
    memset(&id, 0, sizeof id);
    assert_int_equal(cql_value_as_uuid(&v, &id), CQL_OK);
    assert_int_equal(id.bytes[15], 0x9f);

    cql_inet loopback = {.len = 4, .bytes = {127, 0, 0, 1}};
    check_value(cql_value_inet(loopback), CQL_TYPE_INET, "7f000001");
    cql_inet six = {.len = 16, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    v = cql_value_inet(six);
    check_value(v, CQL_TYPE_INET, "20010db8000000000000000000000001");
    cql_inet got;
    assert_int_equal(cql_value_as_inet(&v, &got), CQL_OK);
    assert_int_equal(got.len, 16);
    assert_memory_equal(got.bytes, six.bytes, 16);
}

static void address_of_another_length_is_refused(void **state)
{
    (void)state;
    static const uint8_t lengths[] = {0, 1, 3, 5, 15, 17, 255};
    for (size_t i = 0; i < CQL_COUNT(lengths); i++) {
        cql_inet bad = {.len = lengths[i], .bytes = {1}};
        cql_value v = cql_value_inet(bad);
        assert_int_equal(cqln_value_check(cqln_type_scalar(CQL_TYPE_INET), &v), CQL_BAD_VALUE);
        assert_int_equal(cql_value_as_inet(&v, &bad), CQL_BAD_VALUE);
    }
}

static void text_and_bytes_are_borrowed(void **state)
{
    (void)state;
    const char *text = "h\xc3\xa9llo";
    cql_value v = cql_value_text(text);
    check_value(v, CQL_TYPE_TEXT, "68c3a96c6c6f");
    assert_ptr_equal(cql_value_bytes(&v).ptr, text);
    check_value(cql_value_str((cql_str){"hi", 2}), CQL_TYPE_TEXT, "6869");
    check_value(cql_value_str((cql_str){"a\0b", 3}), CQL_TYPE_TEXT, "610062");
    check_value(cql_value_blob("\xca\xfe", 2), CQL_TYPE_BLOB, "cafe");
    check_value(cql_value_varint("\x01\0\0\0\0\0\0\0\0", 9), CQL_TYPE_VARINT, "010000000000000000");
    cql_str got;
    assert_int_equal(cql_value_as_str(&v, &got), CQL_OK);
    assert_ptr_equal(got.ptr, text);
    assert_int_equal(got.len, 6);
}

static void null_pointers_give_null(void **state)
{
    (void)state;
    const cql_value nulls[] = {
        cql_value_null(),        cql_value_text(NULL),      cql_value_str((cql_str){NULL, 0}),
        cql_value_blob(NULL, 0), cql_value_varint(NULL, 3), cql_value_raw(CQL_TYPE_INT, NULL, 4),
    };
    for (size_t i = 0; i < CQL_COUNT(nulls); i++) {
        assert_int_equal(nulls[i].state, CQL_VALUE_NULL);
        assert_true(cql_value_is_null(&nulls[i]));
        assert_int_equal(nulls[i].len, 0);
    }
    cql_value empty = cql_value_text("");
    assert_false(cql_value_is_null(&empty));
    assert_true(cql_value_is_empty(&empty));
}

/* Calls every typed getter; each must give `want`, but for the type's own one where `own` counts.
 */
static void all_getters(const cql_value *v, cql_status want)
{
    bool b;
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    float f;
    double d;
    cql_duration du;
    cql_uuid u;
    cql_inet in;
    cql_str s;
    assert_int_equal(cql_value_as_bool(v, &b), want);
    assert_int_equal(cql_value_as_int8(v, &i8), want);
    assert_int_equal(cql_value_as_int16(v, &i16), want);
    assert_int_equal(cql_value_as_int32(v, &i32), want);
    assert_int_equal(cql_value_as_int64(v, &i64), want);
    assert_int_equal(cql_value_as_float(v, &f), want);
    assert_int_equal(cql_value_as_double(v, &d), want);
    assert_int_equal(cql_value_as_date(v, &i32), want);
    assert_int_equal(cql_value_as_duration(v, &du), want);
    assert_int_equal(cql_value_as_uuid(v, &u), want);
    assert_int_equal(cql_value_as_inet(v, &in), want);
    assert_int_equal(cql_value_as_str(v, &s), want);
    assert_int_equal(cql_value_as_decimal(v, &i32, &s), want);
}

static void every_getter_tells_null_and_other_types_apart(void **state)
{
    (void)state;
    cql_value v = cql_value_null();
    all_getters(&v, CQL_IS_NULL);
    v = cql_value_unset();
    all_getters(&v, CQL_IS_NULL);
    v.state = CQL_VALUE_UNBOUND;
    all_getters(&v, CQL_IS_NULL);
    v = cql_value_raw(CQL_TYPE_LIST, "\0\0\0\0", 4);
    all_getters(&v, CQL_TYPE_MISMATCH);
    all_getters(NULL, CQL_BAD_ARGUMENT);
    v = cql_value_int32(1);
    assert_int_equal(cql_value_as_int32(&v, NULL), CQL_BAD_ARGUMENT);
}

static void longer_getters_read_shorter_numbers(void **state)
{
    (void)state;
    const cql_value ints[] = {cql_value_int8(-3), cql_value_int16(-3), cql_value_int32(-3), cql_value_int64(-3)};
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    double d = 0;
    for (size_t i = 0; i < CQL_COUNT(ints); i++) {
        i8 = -3, i16 = -3, i32 = -3, i64 = 0;
        assert_int_equal(cql_value_as_int8(&ints[i], &i8), i <= 0 ? CQL_OK : CQL_TYPE_MISMATCH);
        assert_int_equal(cql_value_as_int16(&ints[i], &i16), i <= 1 ? CQL_OK : CQL_TYPE_MISMATCH);
        assert_int_equal(cql_value_as_int32(&ints[i], &i32), i <= 2 ? CQL_OK : CQL_TYPE_MISMATCH);
        assert_int_equal(cql_value_as_int64(&ints[i], &i64), CQL_OK);
        assert_true(i8 == -3 && i16 == -3 && i32 == -3 && i64 == -3);
    }
    cql_value v = cql_value_raw(CQL_TYPE_SMALLINT, "abc", 3);
    assert_int_equal(cql_value_as_int64(&v, &i64), CQL_BAD_VALUE);
    v = cql_value_float(-0.25f);
    assert_int_equal(cql_value_as_double(&v, &d), CQL_OK);
    assert_true(d == -0.25);
    v = cql_value_double(1);
    assert_int_equal(cql_value_as_float(&v, &(float){0}), CQL_TYPE_MISMATCH);
    v = cql_value_bool(true);
    assert_int_equal(cql_value_as_int64(&v, &i64), CQL_TYPE_MISMATCH);
}

static void getters_refuse_every_other_length(void **state)
{
    (void)state;
    static const cql_type_id types[] = {
        CQL_TYPE_BOOLEAN, CQL_TYPE_TINYINT,  CQL_TYPE_SMALLINT,  CQL_TYPE_INT,  CQL_TYPE_BIGINT,
        CQL_TYPE_COUNTER, CQL_TYPE_FLOAT,    CQL_TYPE_DOUBLE,    CQL_TYPE_DATE, CQL_TYPE_TIME,
        CQL_TYPE_UUID,    CQL_TYPE_TIMEUUID, CQL_TYPE_TIMESTAMP, CQL_TYPE_INET};
    union {
        bool b;
        int64_t i;
        double d;
        cql_uuid u;
        cql_inet in;
    } out;
    guard g;
    guard_init(&g, 18);
    for (size_t t = 0; t < CQL_COUNT(types); t++) {
        uint8_t fixed = cqln_type_scalar((uint16_t)types[t])->fixed;
        for (size_t len = 0; len <= 18; len++) {
            static const uint8_t bytes[18] = {[6] = 0x10};
            const uint8_t *block = guard_place(&g, bytes, len);
            cql_value v = cql_value_raw(types[t], block, len);
            bool right = types[t] == CQL_TYPE_INET ? len == 4 || len == 16 : len == fixed;
            cql_status want = right ? CQL_OK : CQL_BAD_VALUE;
            cql_status st = CQL_UNSUPPORTED;
            switch (types[t]) {
            case CQL_TYPE_BOOLEAN:
                st = cql_value_as_bool(&v, &out.b);
                break;
            case CQL_TYPE_TINYINT:
                st = cql_value_as_int8(&v, (int8_t *)&out);
                break;
            case CQL_TYPE_SMALLINT:
                st = cql_value_as_int16(&v, (int16_t *)&out);
                break;
            case CQL_TYPE_INT:
                st = cql_value_as_int32(&v, (int32_t *)&out);
                break;
            case CQL_TYPE_FLOAT:
                st = cql_value_as_float(&v, (float *)&out);
                break;
            case CQL_TYPE_DOUBLE:
                st = cql_value_as_double(&v, &out.d);
                break;
            case CQL_TYPE_DATE:
                st = cql_value_as_date(&v, (int32_t *)&out);
                break;
            case CQL_TYPE_UUID:
            case CQL_TYPE_TIMEUUID:
                st = cql_value_as_uuid(&v, &out.u);
                break;
            case CQL_TYPE_INET:
                st = cql_value_as_inet(&v, &out.in);
                break;
            default:
                st = cql_value_as_int64(&v, &out.i);
                break;
            }
            assert_int_equal(st, want);
            bool may_be_empty = cqln_type_scalar((uint16_t)types[t])->empty_ok;
            assert_int_equal(
                cqln_value_wellformed(cqln_type_scalar((uint16_t)types[t]), cql_value_bytes(&v)),
                right || (len == 0 && may_be_empty) ? CQL_OK : CQL_BAD_VALUE);
        }
    }
    guard_fini(&g);
}

static void text_is_delivered_as_it_came(void **state)
{
    (void)state;
    static const char odd[] = "a\0\xff\xc0\x80\xed\xa0\x80";
    static const cql_type_id types[] = {CQL_TYPE_TEXT, CQL_TYPE_ASCII, CQL_TYPE_BLOB,
                                        CQL_TYPE_CUSTOM};
    for (size_t i = 0; i < CQL_COUNT(types); i++) {
        cql_value v = cql_value_raw(types[i], odd, sizeof odd - 1);
        cql_str s = {NULL, 0};
        assert_int_equal(cql_value_as_str(&v, &s), CQL_OK);
        assert_ptr_equal(s.ptr, odd);
        assert_int_equal(s.len, sizeof odd - 1);
        v = cql_value_raw(types[i], odd, 0);
        assert_int_equal(cql_value_as_str(&v, &s), CQL_OK);
        assert_int_equal(s.len, 0);
    }
}

static void any_boolean_byte_but_zero_is_true(void **state)
{
    (void)state;
    bool out = false;
    cql_value v = cql_value_raw(CQL_TYPE_BOOLEAN, "\x05", 1);
    assert_int_equal(cql_value_as_bool(&v, &out), CQL_OK);
    assert_true(out);
}

static void numbers_come_back(void **state)
{
    (void)state;
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    float f;
    double d;
    cql_value v = cql_value_int8(-128);
    assert_int_equal(cql_value_as_int8(&v, &i8), CQL_OK);
    assert_int_equal(i8, -128);
    v = cql_value_int16(-32768);
    assert_int_equal(cql_value_as_int16(&v, &i16), CQL_OK);
    assert_int_equal(i16, -32768);
    v = cql_value_int32(INT32_MIN);
    assert_int_equal(cql_value_as_int32(&v, &i32), CQL_OK);
    assert_int_equal(i32, INT32_MIN);
    v = cql_value_timestamp(INT64_MIN);
    assert_int_equal(cql_value_as_int64(&v, &i64), CQL_OK);
    assert_true(i64 == INT64_MIN);
    v = cql_value_float(FLT_MIN);
    assert_int_equal(cql_value_as_float(&v, &f), CQL_OK);
    assert_true(f == FLT_MIN);
    v = cql_value_double(-DBL_MAX);
    assert_int_equal(cql_value_as_double(&v, &d), CQL_OK);
    assert_true(d == -DBL_MAX);
    v = cql_value_date(INT32_MIN);
    assert_int_equal(cql_value_as_date(&v, &i32), CQL_OK);
    assert_int_equal(i32, INT32_MIN);
}

static void time_outside_a_day_is_refused(void **state)
{
    (void)state;
    static const int64_t bad[] = {-1, INT64_C(86400000000000), INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        int64_t out = 7;
        cql_value v = cql_value_time(bad[i]);
        assert_int_equal(cqln_value_check(cqln_type_scalar(CQL_TYPE_TIME), &v), CQL_BAD_VALUE);
        assert_int_equal(cql_value_as_int64(&v, &out), CQL_BAD_VALUE);
        assert_true(out == 7);
        v = cql_value_int64(bad[i]);
        assert_int_equal(cqln_value_check(cqln_type_scalar(CQL_TYPE_TIME), &v), CQL_BAD_VALUE);
    }
}

typedef struct varint_vector {
    const char *hex;
    bool fits;
    int64_t n;
} varint_vector;

static const varint_vector varints[] = {
    {"00", true, 0},
    {"7f", true, 127},
    {"0080", true, 128},
    {"00ff", true, 255},
    {"0100", true, 256},
    {"ff", true, -1},
    {"80", true, -128},
    {"ff7f", true, -129},
    {"ff00", true, -256},
    {"7fffffffffffffff", true, INT64_MAX},
    {"8000000000000000", true, INT64_MIN},
    {"00 7fffffffffffffff", true, INT64_MAX},
    {"ffffff 8000000000000000", true, INT64_MIN},
    {"0000000000000000000000 01", true, 1},
    {"00 8000000000000000", false, 0},
    {"ff 7fffffffffffffff", false, 0},
    {"01 0000000000000000", false, 0},
    {"0100 0000000000000000", false, 0},
    {"", false, 0},
};

static void varints_give_64_bits_when_they_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(varints); i++) {
        hex b = hex_bytes(varints[i].hex);
        cql_value v = raw(CQL_TYPE_VARINT, b);
        int64_t out = 7;
        assert_int_equal(cql_value_as_int64(&v, &out), varints[i].fits ? CQL_OK : CQL_BAD_VALUE);
        assert_true(out == (varints[i].fits ? varints[i].n : 7));
        hex_free(&b);
    }
}

static void decimals_are_scale_and_number(void **state)
{
    (void)state;
    int32_t scale = 0;
    cql_str unscaled = {NULL, 0};
    hex b = hex_bytes("fffffffd01");
    cql_value v = raw(CQL_TYPE_DECIMAL, b);
    assert_int_equal(cql_value_as_decimal(&v, &scale, &unscaled), CQL_OK);
    assert_int_equal(scale, -3);
    assert_bytes(unscaled, "01");
    assert_int_equal(cql_value_as_decimal(&v, &scale, NULL), CQL_BAD_ARGUMENT);
    hex_free(&b);
    static const char *const bad[] = {"", "00", "000000", "00000000"};
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        b = hex_bytes(bad[i]);
        v = raw(CQL_TYPE_DECIMAL, b);
        assert_int_equal(cql_value_as_decimal(&v, &scale, &unscaled), CQL_BAD_VALUE);
        hex_free(&b);
    }
}

static void numbers_of_64_bits_have_the_shortest_form(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        const char *wire;
    } rows[] = {{0, "00"},          {1, "01"},       {-1, "ff"},      {127, "7f"},
                {128, "0080"},      {-128, "80"},    {-129, "ff7f"},  {255, "00ff"},
                {-256, "ff00"},     {150, "0096"},   {INT64_MAX, "7fffffffffffffff"},
                {INT64_MIN, "8000000000000000"}};
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        int64_t back = 7;
        int32_t scale = 7;
        char wire[64];
        cql_value v = cql_value_varint64(rows[i].n);
        assert_hex(v.u.bytes, v.len, rows[i].wire);
        assert_int_equal(cql_value_as_int64(&v, &back), CQL_OK);
        assert_int_equal(back, rows[i].n);
        v = cql_value_decimal64(rows[i].n, -3);
        snprintf(wire, sizeof wire, "fffffffd %s", rows[i].wire);
        assert_hex(v.u.bytes, v.len, wire);
        assert_int_equal(cql_value_as_decimal64(&v, &back, &scale), CQL_OK);
        assert_true(back == rows[i].n && scale == -3);
    }
    int64_t n = 7;
    int32_t scale = 7;
    cql_value wide = cql_value_raw(CQL_TYPE_DECIMAL, "\0\0\0\2\1\0\0\0\0\0\0\0\0", 13);
    assert_int_equal(cql_value_as_decimal64(&wide, &n, &scale), CQL_BAD_VALUE);
    cql_value number = cql_value_int64(1);
    assert_int_equal(cql_value_as_decimal64(&number, &n, &scale), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_value_as_decimal64(&wide, NULL, &scale), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_value_as_decimal64(&wide, &n, NULL), CQL_BAD_ARGUMENT);
    assert_true(n == 7 && scale == 7);
}

static void states_keep_apart(void **state)
{
    (void)state;
    const cql_type *t = cqln_type_scalar(CQL_TYPE_INT);
    cql_value v = cql_value_unset();
    assert_int_equal(v.state, CQL_VALUE_UNSET);
    assert_int_equal(cqln_value_check(t, &v), CQL_OK);
    assert_null(cql_value_bytes(&v).ptr);
    v = cql_value_null();
    assert_int_equal(cqln_value_check(t, &v), CQL_OK);
    v.state = CQL_VALUE_UNBOUND;
    assert_int_equal(cqln_value_check(t, &v), CQL_UNBOUND);
    v = cql_value_raw(CQL_TYPE_INT, "", 0);
    assert_int_equal(cqln_value_check(t, &v), CQL_OK);
    assert_true(cql_value_is_empty(&v));
    assert_true(cql_value_is_null(NULL));
    assert_false(cql_value_is_empty(NULL));
}

static void longer_than_the_wire_can_say_is_refused(void **state)
{
    (void)state;
    cql_value v = cql_value_blob("x", (size_t)INT32_MAX + 1);
    assert_int_equal(cqln_value_check(cqln_type_scalar(CQL_TYPE_BLOB), &v), CQL_TOO_LARGE);
    if (SIZE_MAX > UINT32_MAX) {
        v = cql_value_blob("x", SIZE_MAX);
        assert_int_equal(cqln_value_check(cqln_type_scalar(CQL_TYPE_BLOB), &v), CQL_TOO_LARGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_have_the_wire_form),
        cmocka_unit_test(floats_have_the_wire_form),
        cmocka_unit_test(moments_have_the_wire_form),
        cmocka_unit_test(durations_go_both_ways),
        cmocka_unit_test(bad_durations_are_refused),
        cmocka_unit_test(uuids_and_addresses_are_copied),
        cmocka_unit_test(address_of_another_length_is_refused),
        cmocka_unit_test(text_and_bytes_are_borrowed),
        cmocka_unit_test(null_pointers_give_null),
        cmocka_unit_test(every_getter_tells_null_and_other_types_apart),
        cmocka_unit_test(longer_getters_read_shorter_numbers),
        cmocka_unit_test(getters_refuse_every_other_length),
        cmocka_unit_test(text_is_delivered_as_it_came),
        cmocka_unit_test(any_boolean_byte_but_zero_is_true),
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(time_outside_a_day_is_refused),
        cmocka_unit_test(varints_give_64_bits_when_they_fit),
        cmocka_unit_test(decimals_are_scale_and_number),
        cmocka_unit_test(numbers_of_64_bits_have_the_shortest_form),
        cmocka_unit_test(states_keep_apart),
        cmocka_unit_test(longer_than_the_wire_can_say_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
