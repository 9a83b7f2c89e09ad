/* Random types with random values: built, checked, walked, compared and printed. */
#include "types_help.h"

#include "base/rand.h"

/* A failure names the seed of its round; TYPES_SEED in the environment runs that one alone. */
enum { ROUNDS = 3000, LEVELS = 4, TEXT_MAX = 40, CLASS_MAX = 20000 };

static size_t below(cqln_rand *r, size_t bound)
{
    return (size_t)cqln_rand_below(r, bound);
}

/* --- a random class string -------------------------------------------------------------------- */

typedef struct text {
    char at[CLASS_MAX];
    size_t len;
} text;

static void put(text *t, const char *s)
{
    assert_true(t->len + strlen(s) < sizeof t->at);
    memcpy(t->at + t->len, s, strlen(s) + 1);
    t->len += strlen(s);
}

static void put_scalar(text *t, cqln_rand *r)
{
    static const char *const names[] = {
        "AsciiType", "LongType",    "BytesType",    "BooleanType",     "DecimalType",
        "FloatType", "DoubleType",  "Int32Type",    "TimestampType",   "UUIDType",
        "UTF8Type",  "IntegerType", "TimeUUIDType", "InetAddressType", "SimpleDateType",
        "TimeType",  "ShortType",   "ByteType",     "DurationType",
    };
    put(t, names[cqln_rand_below(r, CQL_COUNT(names))]);
}

static void put_type(text *t, cqln_rand *r, unsigned level)
{
    static const char *const opens[] = {"ListType(",  "SetType(",      "MapType(",
                                        "TupleType(", "UserType(ks,", "VectorType("};
    /* f, My "x", set, F_1 and ü: those that need quotes too */
    static const char *const names[] = {"66", "4d7920227822", "736574", "465f31", "c3bc"};
    uint64_t kind = level == 0 ? 9 : cqln_rand_below(r, 9);
    if (kind >= CQL_COUNT(opens)) {
        put_scalar(t, r);
        return;
    }
    size_t parts = kind == 2 ? 2 : kind == 3 || kind == 4 ? 1 + below(r, 3) : 1;
    put(t, opens[kind]);
    if (kind == 4) {
        put(t, names[below(r, CQL_COUNT(names))]);
        put(t, ",");
    }
    size_t first = below(r, 3);
    for (size_t i = 0; i < parts; i++) {
        if (i > 0)
            put(t, ",");
        if (kind == 4) {
            put(t, names[first + i]);
            put(t, ":");
        }
        put_type(t, r, level - 1);
    }
    if (kind == 5)
        put(t, cqln_rand_below(r, 2) ? " , 3" : " , 1");
    put(t, ")");
}

/* --- a random value of a type ----------------------------------------------------------------- */

/* The value borrows from `room`. */
static cql_value bytes_value(const cql_type *t, cqln_rand *r, uint8_t room[TEXT_MAX])
{
    size_t len = below(r, TEXT_MAX - 8) + 5;
    bool wild = len % 4 == 0; /* control characters and backslashes, which are printed escaped */
    for (size_t i = 0; i < len; i++)
        room[i] = (uint8_t)cqln_rand_next(r);
    if (t->id == CQL_TYPE_TEXT || t->id == CQL_TYPE_ASCII)
        for (size_t i = 0; i < len; i++)
            room[i] = wild ? room[i] & 0x7f : (uint8_t)(' ' + room[i] % ('\\' - ' '));
    return cql_value_raw((cql_type_id)t->id, room, len);
}

static cql_value number_value(const cql_type *t, cqln_rand *r)
{
    uint64_t n = cqln_rand_next(r);
    double d = (double)(int64_t)n * 1e-9;
    cql_duration negative = {-(int32_t)(n >> 34), -(int32_t)(n & 0xffff), -(int64_t)(n >> 1)};
    switch (t->id) {
    case CQL_TYPE_BOOLEAN:
        return cql_value_bool(n & 1);
    case CQL_TYPE_TINYINT:
        return cql_value_int8((int8_t)(n & 0x7f));
    case CQL_TYPE_SMALLINT:
        return cql_value_int16((int16_t)(n & 0x7fff));
    case CQL_TYPE_INT:
        return cql_value_int32((int32_t)(uint32_t)n);
    case CQL_TYPE_FLOAT:
        return cql_value_float((float)d);
    case CQL_TYPE_DOUBLE:
        return cql_value_double(d);
    case CQL_TYPE_DATE:
        return cql_value_date((int32_t)(uint32_t)n);
    case CQL_TYPE_TIME:
        return cql_value_time((int64_t)(n % UINT64_C(86400000000000)));
    case CQL_TYPE_DURATION:
        return cql_value_duration(negative);
    case CQL_TYPE_TIMESTAMP:
        return cql_value_timestamp((int64_t)n);
    default:
        return cql_value_int64((int64_t)n);
    }
}

static cql_value scalar_value(const cql_type *t, cqln_rand *r, uint8_t room[TEXT_MAX])
{
    cql_uuid u;
    cql_inet in = {.len = cqln_rand_below(r, 2) ? 4 : 16};
    switch (t->id) {
    case CQL_TYPE_ASCII:
    case CQL_TYPE_BLOB:
    case CQL_TYPE_TEXT:
    case CQL_TYPE_VARINT:
    case CQL_TYPE_DECIMAL:
        return bytes_value(t, r, room);
    case CQL_TYPE_UUID:
    case CQL_TYPE_TIMEUUID:
        for (size_t i = 0; i < sizeof u.bytes; i++)
            u.bytes[i] = (uint8_t)cqln_rand_next(r);
        u.bytes[6] = (uint8_t)((u.bytes[6] & 0x0f) | 0x10);
        return cql_value_uuid(u);
    case CQL_TYPE_INET:
        for (size_t i = 0; i < in.len; i++)
            in.bytes[i] = (uint8_t)cqln_rand_next(r);
        return cql_value_inet(in);
    default:
        return number_value(t, r);
    }
}

static bool has_fields(const cql_type *t)
{
    return t->id == CQL_TYPE_TUPLE || t->id == CQL_TYPE_UDT;
}

static size_t random_count(const cql_type *t, cqln_rand *r)
{
    if (t->id == CQL_TYPE_VECTOR)
        return t->dimension;
    return has_fields(t) ? t->count : below(r, 4);
}

static const cql_type *item_type(const cql_type *t, size_t i)
{
    return has_fields(t) ? cql_type_at(t, i) : cql_type_at(t, t->id == CQL_TYPE_MAP ? 1 : 0);
}

static cql_collection *build(const cql_type *t, cqln_rand *r);

static void add_random(cql_collection *c, const cql_type *t, cqln_rand *r)
{
    if (t->id < CQL_TYPE_LIST) {
        uint8_t room[TEXT_MAX];
        assert_int_equal(cql_collection_add(c, scalar_value(t, r, room)), CQL_OK);
        return;
    }
    cql_collection *inner = build(t, r);
    assert_int_equal(cql_collection_add(c, cql_value_collection(inner)), CQL_OK);
    cql_collection_free(inner);
}

static bool is_left_null(const cql_type *t, cqln_rand *r)
{
    return has_fields(t) && cqln_rand_below(r, 4) == 0;
}

static cql_collection *build(const cql_type *t, cqln_rand *r)
{
    cql_collection *c = NULL;
    assert_int_equal(cql_collection_new((cql_type_id)t->id, NULL, &c), CQL_OK);
    size_t count = random_count(t, r);
    for (size_t i = 0; i < count; i++) {
        if (is_left_null(t, r)) {
            assert_int_equal(cql_collection_add(c, cql_value_null()), CQL_OK);
            continue;
        }
        if (t->id == CQL_TYPE_MAP)
            add_random(c, cql_type_at(t, 0), r);
        add_random(c, item_type(t, i), r);
    }
    return c;
}

/* --- the same random numbers again, against what the walk gives
 * ----------------------------------- */

static void compare(const cql_type *t, const cql_value *v, cqln_rand *r)
{
    if (t->id < CQL_TYPE_LIST) {
        uint8_t room[TEXT_MAX];
        cql_value want = scalar_value(t, r, room);
        assert_int_equal(v->type, t->id);
        assert_true(cql_str_equal(cql_value_bytes(v), cql_value_bytes(&want)));
        return;
    }
    cql_items it;
    cql_value key;
    cql_value element;
    size_t count = random_count(t, r);
    assert_int_equal(cql_items_init(&it, t, v), CQL_OK);
    assert_int_equal(it.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(cql_items_next(&it, &key, &element));
        if (is_left_null(t, r)) {
            assert_true(cql_value_is_null(&element));
            continue;
        }
        if (t->id == CQL_TYPE_MAP)
            compare(cql_type_at(t, 0), &key, r);
        compare(item_type(t, i), &element, r);
    }
    assert_false(cql_items_next(&it, &key, &element));
    assert_int_equal(cql_items_status(&it), CQL_OK);
}

static void print_both(const cql_type *t, const cql_value *v)
{
    size_t len = 0;
    assert_int_equal(cql_value_print(v, t, NULL, 0, &len), CQL_OK);
    char *buf = malloc(len + 1);
    assert_non_null(buf);
    assert_int_equal(cql_value_print(v, t, buf, len + 1, NULL), CQL_OK);
    assert_int_equal(strlen(buf), len);
    free(buf);
    assert_int_equal(cql_value_print_json(v, t, NULL, 0, &len), CQL_OK);
    buf = malloc(len + 1);
    assert_non_null(buf);
    assert_int_equal(cql_value_print_json(v, t, buf, len + 1, NULL), CQL_OK);
    assert_int_equal(strlen(buf), len);
    free(buf);
}

/* What was printed, read again, is the value: but for what is printed escaped. */
static void parse_printed(const cql_type *t, const cql_value *v)
{
    size_t len = 0;
    size_t wire_len = 0;
    assert_int_equal(cql_value_print(v, t, NULL, 0, &len), CQL_OK);
    char *once = malloc(len + 1);
    char *again = malloc(len + 1);
    size_t cap = 2 * len + 65536;
    uint8_t *wire = malloc(cap);
    assert_true(once && again && wire);
    assert_int_equal(cql_value_print(v, t, once, len + 1, NULL), CQL_OK);
    if (!strchr(once, '\\')) {
        cql_status st = cql_value_parse(t, (cql_str){once, len}, wire, cap, &wire_len);
        if (st)
            fail_msg("%s: %s", cql_status_text(st), once);
        cql_value back = cqln_value_view(t, wire, wire_len);
        assert_int_equal(cqln_value_check(t, &back), CQL_OK);
        assert_int_equal(cql_value_print(&back, t, again, len + 1, &wire_len), CQL_OK);
        assert_string_equal(once, again);
    }
    free(once);
    free(again);
    free(wire);
}

static bool has_user_type(const cql_type *t)
{
    for (size_t i = 0; i < cql_type_count(t); i++)
        if (has_user_type(cql_type_at(t, i)))
            return true;
    return t->id == CQL_TYPE_UDT;
}

/* The type, printed as CQL and read again, takes the value too. UDTs lose their fields on the way.
 */
static void check_printed_type(cqln_arena *a, const cql_type *t, const cql_value *v)
{
    static char buf[CLASS_MAX], same[CLASS_MAX];
    const cql_type *again = NULL;
    assert_int_equal(cql_type_print(t, buf, sizeof buf, NULL), CQL_OK);
    assert_int_equal(cqln_type_parse_cql(a, cql_str_of(buf), &again), CQL_OK);
    if (!has_user_type(t))
        assert_int_equal(cqln_value_check(again, v), CQL_OK);
    assert_int_equal(cql_type_print(again, same, sizeof same, NULL), CQL_OK);
    assert_string_equal(buf, same);
}

static void one_round(uint64_t seed)
{
    static text class_text;
    cqln_arena a;
    cqln_rand r;
    const cql_type *t = NULL;
    uint8_t room[TEXT_MAX];
    cqln_arena_init(&a, cqln_alloc_default(), 0);
    cqln_rand_seed(&r, seed);
    class_text.len = 0;
    put_type(&class_text, &r, LEVELS);
    cql_str text_view = {class_text.at, class_text.len};
    assert_int_equal(cqln_type_parse_class(&a, text_view, &t), CQL_OK);
    assert_int_not_equal(cql_type_of(t), CQL_TYPE_CUSTOM);
    cqln_rand again = r;
    bool nested = t->id >= CQL_TYPE_LIST;
    cql_collection *c = nested ? build(t, &r) : NULL;
    cql_value v = nested ? cql_value_collection(c) : scalar_value(t, &r, room);
    assert_int_equal(cqln_value_check(t, &v), CQL_OK);
    cql_str bytes = cql_value_bytes(&v);
    cql_value view = cqln_value_view(t, (const uint8_t *)bytes.ptr, bytes.len);
    compare(t, &view, &again);
    assert_memory_equal(&r, &again, sizeof r);
    print_both(t, &view);
    parse_printed(t, &view);
    check_printed_type(&a, t, &view);
    cql_collection_free(c);
    cqln_arena_fini(&a);
}

static void random_values_come_back(void **state)
{
    (void)state;
    const char *given = getenv("TYPES_SEED");
    if (given) {
        one_round(strtoull(given, NULL, 0));
        return;
    }
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        print_message("\rTYPES_SEED=%llu", (unsigned long long)seed);
        one_round(seed);
    }
    print_message("\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_values_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
