/* types_cases.c: the table of values. Collections are built once and kept. */
#include "types_cases.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CASES_MAX = 256, KEPT_MAX = 128 };

typedef struct table {
    types_case rows[CASES_MAX];
    size_t count;
    bool failed;
} table;

static void add(table *t, const char *name, const char *type, cql_value v)
{
    if (t->count == CASES_MAX) {
        t->failed = true;
        return;
    }
    t->rows[t->count++] = (types_case){name, type, v, strncmp(type, "vector", 6) == 0};
}

/* --- scalars -------------------------------------------------------------------------------------
 */

static void add_integers(table *t)
{
    add(t, "true", "boolean", cql_value_bool(true));
    add(t, "false", "boolean", cql_value_bool(false));
    add(t, "tinyint_min", "tinyint", cql_value_int8(INT8_MIN));
    add(t, "tinyint_max", "tinyint", cql_value_int8(INT8_MAX));
    add(t, "smallint_min", "smallint", cql_value_int16(INT16_MIN));
    add(t, "smallint_max", "smallint", cql_value_int16(INT16_MAX));
    add(t, "tinyint_zero", "tinyint", cql_value_int8(0));
    add(t, "tinyint_one", "tinyint", cql_value_int8(1));
    add(t, "tinyint_minus_one", "tinyint", cql_value_int8(-1));
    add(t, "smallint_zero", "smallint", cql_value_int16(0));
    add(t, "smallint_one", "smallint", cql_value_int16(1));
    add(t, "smallint_minus_one", "smallint", cql_value_int16(-1));
    add(t, "int_zero", "int", cql_value_int32(0));
    add(t, "int_one", "int", cql_value_int32(1));
    add(t, "int_minus_one", "int", cql_value_int32(-1));
    add(t, "int_min", "int", cql_value_int32(INT32_MIN));
    add(t, "int_max", "int", cql_value_int32(INT32_MAX));
    add(t, "bigint_zero", "bigint", cql_value_int64(0));
    add(t, "bigint_one", "bigint", cql_value_int64(1));
    add(t, "bigint_minus_one", "bigint", cql_value_int64(-1));
    add(t, "bigint_minus_two", "bigint", cql_value_int64(-2));
    add(t, "bigint_min", "bigint", cql_value_int64(INT64_MIN));
    add(t, "bigint_max", "bigint", cql_value_int64(INT64_MAX));
    add(t, "counter_five", "counter", cql_value_int64(5));
    add(t, "counter_minus_one", "counter", cql_value_int64(-1));
    add(t, "counter_max", "counter", cql_value_int64(INT64_MAX));
    add(t, "counter_min", "counter", cql_value_int64(INT64_MIN));
}

static void add_floats(table *t)
{
    add(t, "float_zero", "float", cql_value_float(0));
    add(t, "float_one", "float", cql_value_float(1));
    add(t, "float_minus_one", "float", cql_value_float(-1));
    add(t, "float_1_5", "float", cql_value_float(1.5f));
    add(t, "float_tenth", "float", cql_value_float(0.1f));
    add(t, "float_minus_zero", "float", cql_value_float(-0.0f));
    add(t, "float_max", "float", cql_value_float(FLT_MAX));
    add(t, "float_smallest", "float", cql_value_float(0x1p-149f));
    add(t, "float_nan", "float", cql_value_float(NAN));
    add(t, "float_minus_inf", "float", cql_value_float(-INFINITY));
    add(t, "double_zero", "double", cql_value_double(0));
    add(t, "double_one", "double", cql_value_double(1));
    add(t, "double_minus_one", "double", cql_value_double(-1));
    add(t, "double_1_5", "double", cql_value_double(1.5));
    add(t, "double_tenth", "double", cql_value_double(0.1));
    add(t, "double_minus_zero", "double", cql_value_double(-0.0));
    add(t, "double_max", "double", cql_value_double(DBL_MAX));
    add(t, "double_smallest", "double", cql_value_double(0x1p-1074));
    add(t, "double_nan", "double", cql_value_double((double)NAN));
    add(t, "double_inf", "double", cql_value_double((double)INFINITY));
}

static cql_value varint(const uint8_t *bytes, size_t len)
{
    return cql_value_varint(bytes, len);
}

static cql_value decimal(const void *bytes, size_t len)
{
    return cql_value_raw(CQL_TYPE_DECIMAL, bytes, len);
}

static void add_varints(table *t)
{
    static const uint8_t numbers[][9] = {
        {0x00}, {0x7f}, {0x00, 0x80}, {0x80}, {0xff, 0x7f}, {0xff}, {0x01},
    };
    static uint8_t power[126] = {0x01}; /* 2^1000 */
    static uint8_t minus_power[126] = {0xff};
    static const uint8_t power_64[9] = {0x01};
    static const uint8_t minus_power_64[9] = {0xff};
    add(t, "varint_0", "varint", varint(numbers[0], 1));
    add(t, "varint_1", "varint", varint(numbers[6], 1));
    add(t, "varint_127", "varint", varint(numbers[1], 1));
    add(t, "varint_128", "varint", varint(numbers[2], 2));
    add(t, "varint_minus_128", "varint", varint(numbers[3], 1));
    add(t, "varint_minus_129", "varint", varint(numbers[4], 2));
    add(t, "varint_minus_1", "varint", varint(numbers[5], 1));
    add(t, "varint_2_64", "varint", varint(power_64, sizeof power_64));
    add(t, "varint_minus_2_64", "varint", varint(minus_power_64, sizeof minus_power_64));
    add(t, "varint_2_1000", "varint", varint(power, sizeof power));
    add(t, "varint_minus_2_1000", "varint", varint(minus_power, sizeof minus_power));
}

static void add_decimals(table *t)
{
    static const uint8_t d1_50[] = {0, 0, 0, 2, 0, 0x96};
    static const uint8_t d0_001[] = {0, 0, 0, 3, 0xff};
    static const uint8_t zero[] = {0, 0, 0, 0, 0};
    static const uint8_t zero_00[] = {0, 0, 0, 2, 0};
    static const uint8_t one[] = {0, 0, 0, 0, 1};
    static const uint8_t minus_one[] = {0, 0, 0, 0, 0xff};
    static const uint8_t many[] = {0,    0,    0,    1,    0x06, 0xb1, 0x4e,
                                   0x9f, 0x81, 0x2f, 0x36, 0x6c, 0x39};
    static const uint8_t thousand[] = {0xff, 0xff, 0xff, 0xfd, 0x01};
    static const uint8_t tiny[] = {0, 0, 0x03, 0xe8, 0x07};
    static const uint8_t vast[] = {0xff, 0xff, 0xfc, 0x18, 0xf9};
    static const uint8_t minus_128[] = {0, 0, 0, 0, 0x80};
    add(t, "decimal_1", "decimal", decimal(one, sizeof one));
    add(t, "decimal_minus_1", "decimal", decimal(minus_one, sizeof minus_one));
    add(t, "decimal_1_50", "decimal", decimal(d1_50, sizeof d1_50));
    add(t, "decimal_minus_0_001", "decimal", decimal(d0_001, sizeof d0_001));
    add(t, "decimal_0", "decimal", decimal(zero, sizeof zero));
    add(t, "decimal_0_00", "decimal", decimal(zero_00, sizeof zero_00));
    add(t, "decimal_long", "decimal", decimal(many, sizeof many));
    add(t, "decimal_1e3", "decimal", decimal(thousand, sizeof thousand));
    add(t, "decimal_7e_minus_1000", "decimal", decimal(tiny, sizeof tiny));
    add(t, "decimal_minus_7e1000", "decimal", decimal(vast, sizeof vast));
    add(t, "decimal_minus_128", "decimal", decimal(minus_128, sizeof minus_128));
}

static cql_uuid uuid(table *t, const char *text)
{
    cql_uuid u = {{0}};
    if (cql_uuid_parse(cql_str_of(text), &u))
        t->failed = true;
    return u;
}

static cql_inet address(uint8_t len, const uint8_t *bytes)
{
    cql_inet in = {.len = len};
    memcpy(in.bytes, bytes, len);
    return in;
}

static void add_moments(table *t)
{
    add(t, "timestamp_epoch", "timestamp", cql_value_timestamp(0));
    add(t, "timestamp_2024", "timestamp", cql_value_timestamp(INT64_C(1704164645678)));
    add(t, "timestamp_minus_1", "timestamp", cql_value_timestamp(-1));
    add(t, "timestamp_year_1", "timestamp", cql_value_timestamp(INT64_C(-62135596800000)));
    add(t, "timestamp_year_9999", "timestamp", cql_value_timestamp(INT64_C(253402300799999)));
    add(t, "date_epoch", "date", cql_value_date(0));
    add(t, "date_leap_day", "date", cql_value_date(19782));
    add(t, "date_minus_1", "date", cql_value_date(-1));
    add(t, "date_min", "date", cql_value_date(INT32_MIN));
    add(t, "date_max", "date", cql_value_date(INT32_MAX));
    add(t, "time_midnight", "time", cql_value_time(0));
    add(t, "time_afternoon", "time", cql_value_time(INT64_C(48654234567891)));
    add(t, "time_last", "time", cql_value_time(INT64_C(86399999999999)));
}

static cql_value duration(int32_t months, int32_t days, int64_t nanos)
{
    return cql_value_duration((cql_duration){months, days, nanos});
}

static void add_durations(table *t)
{
    add(t, "duration_1_2_3", "duration", duration(1, 2, 3));
    add(t, "duration_minus_1_2_3", "duration", duration(-1, -2, -3));
    add(t, "duration_12h30m", "duration", duration(0, 0, INT64_C(45000000000000)));
    add(t, "duration_minus_1us", "duration", duration(0, 0, -1000));
    add(t, "duration_max", "duration", duration(INT32_MAX, INT32_MAX, INT64_MAX));
}

static void add_identities(table *t)
{
    static const uint8_t loopback[] = {127, 0, 0, 1};
    static const uint8_t documentation[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    static const uint8_t any[16] = {0};
    add(t, "uuid_nil", "uuid", cql_value_uuid((cql_uuid){{0}}));
    add(t, "uuid_v4", "uuid", cql_value_uuid(uuid(t, "f47ac10b-58cc-4372-a567-0e02b2c3d479")));
    add(t, "timeuuid_2015", "timeuuid",
        cql_value_uuid(uuid(t, "50554d6e-29bb-11e5-b345-feff819cdc9f")));
    add(t, "inet_4", "inet", cql_value_inet(address(4, loopback)));
    add(t, "inet_6", "inet", cql_value_inet(address(16, documentation)));
    add(t, "inet_any_6", "inet", cql_value_inet(address(16, any)));
}

static void add_texts(table *t)
{
    static uint8_t all[256];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    add(t, "text_empty", "text", cql_value_text(""));
    add(t, "text_hello", "text", cql_value_text("h\xc3\xa9llo"));
    add(t, "text_emoji", "text", cql_value_text("\xf0\x9f\x98\x80 \xe2\x82\xac"));
    add(t, "text_control", "text", cql_value_str((cql_str){"a\0b\n\t\x1b'\"\\\x7f\xc2\x85", 12}));
    add(t, "ascii_hi", "ascii", cql_value_raw(CQL_TYPE_ASCII, "hi", 2));
    add(t, "ascii_all", "ascii", cql_value_raw(CQL_TYPE_ASCII, all, 128));
    add(t, "blob_empty", "blob", cql_value_blob("", 0));
    add(t, "blob_all", "blob", cql_value_blob(all, sizeof all));
}

/* Of each type. */
static void add_nulls(table *t)
{
    static const char *const names[][2] = {
        {"null_ascii", "ascii"},       {"null_text", "text"},         {"null_blob", "blob"},
        {"null_boolean", "boolean"},   {"null_tinyint", "tinyint"},   {"null_smallint", "smallint"},
        {"null_int", "int"},           {"null_bigint", "bigint"},     {"null_varint", "varint"},
        {"null_decimal", "decimal"},   {"null_float", "float"},       {"null_double", "double"},
        {"null_date", "date"},         {"null_time", "time"},         {"null_timestamp", "timestamp"},
        {"null_duration", "duration"}, {"null_uuid", "uuid"},         {"null_timeuuid", "timeuuid"},
        {"null_inet", "inet"},         {"null_list", "list<int>"},    {"null_set", "set<text>"},
        {"null_map", "map<text, int>"}, {"null_udt", "frozen<addr>"}, {"null_vector", "vector<float, 3>"},
        {"null_tuple", "frozen<tuple<int, text, boolean>>"}};
    for (size_t i = 0; i < CQL_COUNT(names); i++)
        add(t, names[i][0], names[i][1], cql_value_null());
}

/* No bytes, and yet not null: of each type whose servers take that. */
static void add_empties(table *t)
{
    static const struct {
        const char *name, *type;
        cql_type_id id;
    } rows[] = {{"empty_ascii", "ascii", CQL_TYPE_ASCII},
                {"empty_boolean", "boolean", CQL_TYPE_BOOLEAN},
                {"empty_int", "int", CQL_TYPE_INT},
                {"empty_bigint", "bigint", CQL_TYPE_BIGINT},
                {"empty_varint", "varint", CQL_TYPE_VARINT},
                {"empty_decimal", "decimal", CQL_TYPE_DECIMAL},
                {"empty_float", "float", CQL_TYPE_FLOAT},
                {"empty_double", "double", CQL_TYPE_DOUBLE},
                {"empty_timestamp", "timestamp", CQL_TYPE_TIMESTAMP},
                {"empty_uuid", "uuid", CQL_TYPE_UUID},
                {"empty_timeuuid", "timeuuid", CQL_TYPE_TIMEUUID},
                {"empty_inet", "inet", CQL_TYPE_INET}};
    for (size_t i = 0; i < CQL_COUNT(rows); i++)
        add(t, rows[i].name, rows[i].type, cql_value_raw(rows[i].id, "", 0));
}

/* --- collections ---------------------------------------------------------------------------------
 */

static cql_collection *kept[KEPT_MAX];
static size_t kept_count;

static cql_collection *begin(table *t, cql_type_id type)
{
    cql_collection *c = NULL;
    if (kept_count == KEPT_MAX || cql_collection_new(type, NULL, &c)) {
        t->failed = true;
        return NULL;
    }
    kept[kept_count++] = c;
    return c;
}

static cql_value collect(table *t, cql_type_id type, const cql_value *elements, size_t count)
{
    cql_collection *c = begin(t, type);
    for (size_t i = 0; c && i < count; i++)
        if (cql_collection_add(c, elements[i]))
            t->failed = true;
    return c ? cql_value_collection(c) : cql_value_null();
}

#define COLLECT(t, type, ...)                                                                      \
    collect((t), CQL_TYPE_##type, (const cql_value[]){__VA_ARGS__},                                \
            CQL_COUNT(((const cql_value[]){__VA_ARGS__})))
#define I32(n)  cql_value_int32(n)
#define TEXT(s) cql_value_text(s)

static void add_collections(table *t)
{
    add(t, "list_int", "list<int>", COLLECT(t, LIST, I32(3), I32(1), I32(3)));
    add(t, "list_empty", "frozen<list<int>>", collect(t, CQL_TYPE_LIST, NULL, 0));
    add(t, "set_text", "set<text>", COLLECT(t, SET, TEXT("a"), TEXT("b'c")));
    add(t, "map_text_int", "map<text, int>", COLLECT(t, MAP, TEXT("a"), I32(1), TEXT("b"), I32(2)));
    add(t, "list_timestamp", "list<timestamp>",
        COLLECT(t, LIST, cql_value_int64(0), cql_value_int64(INT64_C(1704164645678))));
    add(t, "map_deep", "map<text, frozen<map<int, frozen<set<text>>>>>",
        COLLECT(t, MAP, TEXT("k"),
                COLLECT(t, MAP, I32(7), COLLECT(t, SET, TEXT("x"), TEXT("y")), I32(8),
                        COLLECT(t, SET, TEXT("z")))));
}

/* Three types deep, with every kind of collection. */
static void add_nested(table *t)
{
    cql_value addr = COLLECT(t, UDT, TEXT("s"), I32(5), COLLECT(t, LIST, TEXT("x"), TEXT("y")));
    add(t, "nested_set", "list<frozen<set<int>>>",
        COLLECT(t, LIST, COLLECT(t, SET, I32(-1), I32(1)), COLLECT(t, SET, I32(0))));
    add(t, "nested_tuple", "list<frozen<map<text, frozen<tuple<int, text>>>>>",
        COLLECT(t, LIST,
                COLLECT(t, MAP, TEXT("k"), COLLECT(t, TUPLE, I32(1), TEXT("\xc3\xa9")))));
    add(t, "nested_udt", "frozen<tuple<int, frozen<map<text, frozen<addr>>>>>",
        COLLECT(t, TUPLE, I32(7), COLLECT(t, MAP, TEXT("home"), addr)));
    add(t, "nested_lists", "list<frozen<list<frozen<list<bigint>>>>>",
        COLLECT(t, LIST,
                COLLECT(t, LIST, COLLECT(t, LIST, cql_value_int64(INT64_MIN), cql_value_int64(1)),
                        collect(t, CQL_TYPE_LIST, NULL, 0))));
}

static void add_tuples(table *t)
{
    const char *three = "frozen<tuple<int, text, boolean>>";
    add(t, "tuple_full", three, COLLECT(t, TUPLE, I32(1), TEXT("a"), cql_value_bool(true)));
    add(t, "tuple_nulls", three, COLLECT(t, TUPLE, I32(1), cql_value_null(), cql_value_null()));
    add(t, "udt_full", "frozen<addr>",
        COLLECT(t, UDT, TEXT("s"), I32(5), COLLECT(t, LIST, TEXT("x"), TEXT("y"))));
    add(t, "udt_nulls", "frozen<addr>",
        COLLECT(t, UDT, cql_value_null(), I32(5), cql_value_null()));
    add(t, "list_udt", "list<frozen<addr>>",
        COLLECT(t, LIST,
                COLLECT(t, UDT, TEXT("s"), I32(5), COLLECT(t, LIST, TEXT("x"), TEXT("y")))));
}

/* As wide as embeddings are. */
static cql_value wide_vector(table *t)
{
    static float numbers[1536];
    cql_collection *c = begin(t, CQL_TYPE_VECTOR);
    for (size_t i = 0; i < CQL_COUNT(numbers); i++)
        numbers[i] = (float)i * 0.25f - 192.0f;
    if (!c || cql_collection_add_floats(c, numbers, CQL_COUNT(numbers)))
        t->failed = true;
    return c ? cql_value_collection(c) : cql_value_null();
}

static void add_vectors(table *t)
{
    static const uint8_t loopback[] = {127, 0, 0, 1};
    add(t, "vector_float", "vector<float, 3>",
        COLLECT(t, VECTOR, cql_value_float(1), cql_value_float(2), cql_value_float(-3.5f)));
    add(t, "vector_wide", "vector<float, 1536>", wide_vector(t));
    add(t, "vector_double", "vector<double, 1>", COLLECT(t, VECTOR, cql_value_double(0.1)));
    add(t, "vector_int", "vector<int, 2>", COLLECT(t, VECTOR, I32(1), I32(-2)));
    add(t, "vector_bigint", "vector<bigint, 2>",
        COLLECT(t, VECTOR, cql_value_int64(INT64_MIN), cql_value_int64(1)));
    add(t, "vector_boolean", "vector<boolean, 2>",
        COLLECT(t, VECTOR, cql_value_bool(true), cql_value_bool(false)));
    add(t, "vector_timestamp", "vector<timestamp, 1>",
        COLLECT(t, VECTOR, cql_value_timestamp(INT64_C(1704164645678))));
    add(t, "vector_uuid", "vector<uuid, 1>",
        COLLECT(t, VECTOR, cql_value_uuid(uuid(t, "f47ac10b-58cc-4372-a567-0e02b2c3d479"))));
    add(t, "vector_text", "vector<text, 2>", COLLECT(t, VECTOR, TEXT("a"), TEXT("bcd")));
    add(t, "vector_smallint", "vector<smallint, 2>",
        COLLECT(t, VECTOR, cql_value_int16(1), cql_value_int16(2)));
    add(t, "vector_tinyint", "vector<tinyint, 2>",
        COLLECT(t, VECTOR, cql_value_int8(1), cql_value_int8(2)));
    add(t, "vector_date", "vector<date, 2>",
        COLLECT(t, VECTOR, cql_value_date(0), cql_value_date(1)));
    add(t, "vector_time", "vector<time, 1>", COLLECT(t, VECTOR, cql_value_time(1000000000)));
    add(t, "vector_inet", "vector<inet, 1>",
        COLLECT(t, VECTOR, cql_value_inet(address(4, loopback))));
    add(t, "vector_duration", "vector<duration, 1>", COLLECT(t, VECTOR, duration(1, 2, 3)));
    add(t, "vector_varint", "vector<varint, 1>",
        COLLECT(t, VECTOR, cql_value_varint("\x00\x80", 2)));
    add(t, "vector_vector", "vector<vector<float, 2>, 2>",
        COLLECT(t, VECTOR, COLLECT(t, VECTOR, cql_value_float(1), cql_value_float(2)),
                COLLECT(t, VECTOR, cql_value_float(3), cql_value_float(4))));
    add(t, "vector_list", "vector<frozen<list<int>>, 2>",
        COLLECT(t, VECTOR, COLLECT(t, LIST, I32(1)), COLLECT(t, LIST, I32(2), I32(3))));
    add(t, "vector_tuple", "vector<frozen<tuple<int, text>>, 1>",
        COLLECT(t, VECTOR, COLLECT(t, TUPLE, I32(1), TEXT("a"))));
}

static void forget(void)
{
    while (kept_count > 0)
        cql_collection_free(kept[--kept_count]);
}

const types_case *types_cases(size_t *count)
{
    static table t;
    atexit(forget);
    add_integers(&t);
    add_floats(&t);
    add_varints(&t);
    add_decimals(&t);
    add_moments(&t);
    add_durations(&t);
    add_identities(&t);
    add_texts(&t);
    add_nulls(&t);
    add_empties(&t);
    add_collections(&t);
    add_nested(&t);
    add_tuples(&t);
    add_vectors(&t);
    *count = t.count;
    return t.failed ? NULL : t.rows;
}
