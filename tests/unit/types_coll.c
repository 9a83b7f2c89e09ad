/* Collections: built, checked against types and walked, by the vectors that servers stored. */
#include "types_help.h"

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

static const cql_type *cql(const char *text)
{
    return cql_text_type(&arena, text);
}

static cql_collection *made(cql_type_id type)
{
    cql_collection *c = NULL;
    assert_int_equal(cql_collection_new(type, NULL, &c), CQL_OK);
    return c;
}

static void add(cql_collection *c, cql_value v)
{
    assert_int_equal(cql_collection_add(c, v), CQL_OK);
}

/* The bytes of c, and that a marker of the type takes them. Frees c. */
static void check_built(cql_collection *c, const char *type, const char *text)
{
    cql_value v = cql_value_collection(c);
    assert_bytes(cql_value_bytes(&v), text);
    assert_int_equal(cqln_value_check(cql(type), &v), CQL_OK);
    assert_int_equal(cqln_value_wellformed(cql(type), cql_value_bytes(&v)), CQL_OK);
    cql_collection_free(c);
}

static void lists_sets_and_maps_have_the_wire_form(void **state)
{
    (void)state;
    cql_collection *c = made(CQL_TYPE_LIST);
    add(c, cql_value_int32(1));
    add(c, cql_value_int32(2));
    check_built(c, "list<int>", "00000002 00000004 00000001 00000004 00000002");
    c = made(CQL_TYPE_SET);
    add(c, cql_value_text("a"));
    add(c, cql_value_text("b"));
    check_built(c, "set<text>", "00000002 00000001 61 00000001 62");
    c = made(CQL_TYPE_MAP);
    assert_int_equal(cql_collection_add_pair(c, cql_value_text("a"), cql_value_int32(1)), CQL_OK);
    add(c, cql_value_text("b"));
    add(c, cql_value_int32(2));
    check_built(c, "map<text, int>",
                "00000002 00000001 61 00000004 00000001 00000001 62 00000004 00000002");
    check_built(made(CQL_TYPE_LIST), "list<int>", "00000000");
    check_built(made(CQL_TYPE_MAP), "map<int, int>", "00000000");
}

static void tuples_and_user_types_have_the_wire_form(void **state)
{
    (void)state;
    cql_collection *c = made(CQL_TYPE_TUPLE);
    add(c, cql_value_int32(1));
    add(c, cql_value_text("a"));
    add(c, cql_value_bool(true));
    check_built(c, "tuple<int, text, boolean>", "00000004 00000001 00000001 61 00000001 01");
    c = made(CQL_TYPE_TUPLE);
    add(c, cql_value_int32(1));
    add(c, cql_value_null());
    add(c, cql_value_null());
    check_built(c, "tuple<int, text, boolean>", "00000004 00000001 ffffffff ffffffff");
    c = made(CQL_TYPE_TUPLE);
    add(c, cql_value_int32(1));
    check_built(c, "tuple<int, text, boolean>", "00000004 00000001");
    check_built(made(CQL_TYPE_TUPLE), "tuple<int, text>", "");

    cql_collection *tags = made(CQL_TYPE_LIST);
    add(tags, cql_value_text("x"));
    c = made(CQL_TYPE_UDT);
    add(c, cql_value_text("s"));
    add(c, cql_value_int32(5));
    add(c, cql_value_collection(tags));
    check_built(c,
                "'UserType(6b,61646472,737472656574:UTF8Type,6e756d:Int32Type,"
                "74616773:ListType(UTF8Type))'",
                "00000001 73 00000004 00000005 00000009 00000001 00000001 78");
    cql_collection_free(tags);
}

static cql_value list_of(cql_collection *c, int32_t a, int32_t b, int count)
{
    cql_collection_clear(c);
    if (count > 0)
        add(c, cql_value_int32(a));
    if (count > 1)
        add(c, cql_value_int32(b));
    return cql_value_collection(c);
}

static void vectors_of_fixed_elements_have_no_lengths(void **state)
{
    (void)state;
    cql_collection *c = made(CQL_TYPE_VECTOR);
    add(c, cql_value_float(1));
    add(c, cql_value_float(2));
    add(c, cql_value_float(-3.5f));
    check_built(c, "vector<float, 3>", "3f800000 40000000 c0600000");
    c = made(CQL_TYPE_VECTOR);
    add(c, cql_value_bool(true));
    add(c, cql_value_bool(false));
    check_built(c, "vector<boolean, 2>", "0100");
    cql_collection *inner = made(CQL_TYPE_VECTOR);
    c = made(CQL_TYPE_VECTOR);
    for (int i = 0; i < 2; i++) {
        cql_collection_clear(inner);
        add(inner, cql_value_float((float)(2 * i + 1)));
        add(inner, cql_value_float((float)(2 * i + 2)));
        add(c, cql_value_collection(inner));
    }
    check_built(c, "vector<vector<float, 2>, 2>", "3f800000400000004040000040800000");
    cql_collection_free(inner);
    c = made(CQL_TYPE_VECTOR);
    add(c, cql_value_int64(5)); /* bigint also fits timestamp */
    check_built(c, "vector<timestamp, 1>", "0000000000000005");
}

static void vectors_of_other_elements_have_lengths(void **state)
{
    (void)state;
    cql_collection *c = made(CQL_TYPE_VECTOR);
    add(c, cql_value_text("a"));
    add(c, cql_value_text("bcd"));
    check_built(c, "vector<text, 2>", "016103626364");
    c = made(CQL_TYPE_VECTOR);
    add(c, cql_value_int16(1));
    add(c, cql_value_int16(2));
    check_built(c, "vector<smallint, 2>", "020001020002");
    c = made(CQL_TYPE_VECTOR);
    add(c, cql_value_int8(1));
    add(c, cql_value_int8(2));
    check_built(c, "vector<tinyint, 2>", "01010102");
    c = made(CQL_TYPE_VECTOR);
    add(c, cql_value_date(0));
    add(c, cql_value_date(1));
    check_built(c, "vector<date, 2>", "04800000000480000001");
    c = made(CQL_TYPE_VECTOR);
    add(c, cql_value_time(1000000000));
    check_built(c, "vector<time, 1>", "08000000003b9aca00");
    c = made(CQL_TYPE_VECTOR);
    add(c, cql_value_inet((cql_inet){.len = 4, .bytes = {127, 0, 0, 1}}));
    check_built(c, "vector<inet, 1>", "047f000001");
    cql_collection *inner = made(CQL_TYPE_TUPLE);
    add(inner, cql_value_int32(1));
    add(inner, cql_value_text("a"));
    c = made(CQL_TYPE_VECTOR);
    add(c, cql_value_collection(inner));
    check_built(c, "vector<tuple<int, text>, 1>", "0d00000004000000010000000161");
    cql_collection_free(inner);
    inner = made(CQL_TYPE_LIST);
    c = made(CQL_TYPE_VECTOR);
    add(c, list_of(inner, 1, 0, 1));
    add(c, list_of(inner, 2, 3, 2));
    check_built(c, "vector<list<int>, 2>",
                "0c 00000001 00000004 00000001 14 00000002 00000004 00000002 00000004 00000003");
    cql_collection_free(inner);
}

static void what_may_not_come_leaves_all_as_it_was(void **state)
{
    (void)state;
    cql_value unbound = cql_value_null();
    unbound.state = CQL_VALUE_UNBOUND;
    static const cql_type_id types[] = {CQL_TYPE_LIST, CQL_TYPE_SET, CQL_TYPE_VECTOR};
    for (size_t i = 0; i < CQL_COUNT(types); i++) {
        cql_collection *c = made(types[i]);
        add(c, cql_value_int32(1));
        cql_value before = cql_value_collection(c);
        size_t len = before.len;
        assert_int_equal(cql_collection_add(c, cql_value_null()), CQL_IS_NULL);
        assert_int_equal(cql_collection_add(c, cql_value_unset()), CQL_BAD_ARGUMENT);
        assert_int_equal(cql_collection_add(c, unbound), CQL_UNBOUND);
        assert_int_equal(cql_collection_add(c, cql_value_text("x")), CQL_TYPE_MISMATCH);
        assert_int_equal(cql_collection_add(c, cql_value_int64(1)), CQL_TYPE_MISMATCH);
        assert_int_equal(cql_collection_add(c, cql_value_raw((cql_type_id)0x77, "x", 1)),
                         CQL_BAD_ARGUMENT);
        assert_int_equal(cql_collection_add(c, cql_value_blob("x", SIZE_MAX)), CQL_TOO_LARGE);
        assert_int_equal(cql_collection_add(c, cql_value_collection(c)), CQL_BAD_ARGUMENT);
        assert_int_equal(cql_value_collection(c).len, len);
        cql_value v = cql_value_collection(c);
        if (types[i] == CQL_TYPE_LIST)
            assert_int_equal(cqln_value_check(cql("list<int>"), &v), CQL_OK);
        cql_collection_free(c);
    }
}

static void map_pairs_come_whole_or_not_at_all(void **state)
{
    (void)state;
    cql_collection *c = made(CQL_TYPE_MAP);
    assert_int_equal(cql_collection_add_pair(c, cql_value_text("k"), cql_value_null()),
                     CQL_IS_NULL);
    assert_int_equal(cql_value_collection(c).len, 4);
    /* The key that did not stay does not set the type of the keys. */
    assert_int_equal(cql_collection_add_pair(c, cql_value_int32(1), cql_value_int32(2)), CQL_OK);
    assert_int_equal(cql_collection_add_pair(c, cql_value_int32(1), cql_value_text("x")),
                     CQL_TYPE_MISMATCH);
    assert_int_equal(cql_collection_add_pair(c, cql_value_text("x"), cql_value_int32(1)),
                     CQL_TYPE_MISMATCH);
    assert_int_equal(cql_value_collection(c).len, 20);
    add(c, cql_value_int32(3));
    assert_int_equal(cql_value_collection(c).state, CQL_VALUE_UNBOUND);
    assert_int_equal(cql_collection_add_pair(c, cql_value_int32(1), cql_value_int32(1)),
                     CQL_BAD_STATE);
    cql_value v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(cql("map<int, int>"), &v), CQL_UNBOUND);
    add(c, cql_value_int32(4));
    check_built(c, "map<int, int>",
                "00000002 00000004 00000001 00000004 00000002 00000004 00000003 00000004 00000004");
    c = made(CQL_TYPE_LIST);
    assert_int_equal(cql_collection_add_pair(c, cql_value_int32(1), cql_value_int32(1)),
                     CQL_BAD_STATE);
    cql_collection_free(c);
}

/* Nor does the key of a refused pair tell what the keys are that stay. */
static void refused_pairs_leave_no_trace(void **state)
{
    (void)state;
    cql_collection *c = made(CQL_TYPE_MAP);
    cql_collection *key = made(CQL_TYPE_LIST);
    assert_int_equal(cql_collection_add_pair(c, cql_value_collection(key), cql_value_int32(1)),
                     CQL_OK);
    add(key, cql_value_int32(5));
    assert_int_equal(cql_collection_add_pair(c, cql_value_collection(key), cql_value_null()),
                     CQL_IS_NULL);
    assert_int_equal(cql_collection_add_pair(c, cql_value_collection(key), cql_value_text("x")),
                     CQL_TYPE_MISMATCH);
    cql_collection_clear(key);
    add(key, cql_value_text("a"));
    assert_int_equal(cql_collection_add_pair(c, cql_value_collection(key), cql_value_int32(2)),
                     CQL_OK);
    cql_collection_free(key);
    check_built(c, "map<list<text>, int>",
                "00000002 00000004 00000000 00000004 00000001"
                "00000009 00000001 00000001 61 00000004 00000002");
}

static void misuse_is_a_status(void **state)
{
    (void)state;
    cql_collection *c = (cql_collection *)&arena;
    assert_int_equal(cql_collection_new(CQL_TYPE_INT, NULL, &c), CQL_BAD_ARGUMENT);
    assert_null(c);
    assert_int_equal(cql_collection_new(CQL_TYPE_LIST, NULL, NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_collection_add(NULL, cql_value_int32(1)), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_collection_add_pair(NULL, cql_value_int32(1), cql_value_int32(1)),
                     CQL_BAD_ARGUMENT);
    assert_int_equal(cql_value_collection(NULL).state, CQL_VALUE_UNBOUND);
    cql_collection_clear(NULL);
    cql_collection_free(NULL);
}

/* The element types of a builder count, although the bytes alone would fit. */
static void element_types_are_checked_at_the_bind(void **state)
{
    (void)state;
    cql_collection *inner = made(CQL_TYPE_LIST);
    cql_collection *c = made(CQL_TYPE_LIST);
    cql_value v = list_of(inner, 1, 2, 2);
    assert_int_equal(cqln_value_check(cql("list<int>"), &v), CQL_OK);
    assert_int_equal(cqln_value_check(cql("list<float>"), &v), CQL_TYPE_MISMATCH);
    assert_int_equal(cqln_value_check(cql("list<text>"), &v), CQL_TYPE_MISMATCH);
    assert_int_equal(cqln_value_check(cql("set<int>"), &v), CQL_TYPE_MISMATCH);
    assert_int_equal(cqln_value_check(cql("int"), &v), CQL_TYPE_MISMATCH);
    /* An empty list first: what it holds becomes known with the second. */
    add(c, list_of(inner, 0, 0, 0));
    v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(cql("list<list<float>>"), &v), CQL_OK);
    add(c, list_of(inner, 1, 2, 2));
    add(c, list_of(inner, 0, 0, 0));
    v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(cql("list<list<int>>"), &v), CQL_OK);
    assert_int_equal(cqln_value_check(cql("list<list<float>>"), &v), CQL_TYPE_MISMATCH);
    assert_int_equal(cqln_value_check(cql("list<set<int>>"), &v), CQL_TYPE_MISMATCH);
    cql_collection_clear(inner);
    add(inner, cql_value_text("x"));
    assert_int_equal(cql_collection_add(c, cql_value_collection(inner)), CQL_TYPE_MISMATCH);
    /* Bytes of a list that came from elsewhere pass for any element type. */
    add(c, cql_value_raw(CQL_TYPE_LIST, "\0\0\0\0", 4));
    assert_int_equal(cql_collection_add(c, cql_value_raw(CQL_TYPE_SET, "\0\0\0\0", 4)),
                     CQL_TYPE_MISMATCH);
    v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(cql("list<list<int>>"), &v), CQL_OK);
    cql_collection_free(c);
    c = made(CQL_TYPE_TUPLE);
    add(c, cql_value_null());
    add(c, cql_value_int64(7));
    v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(cql("tuple<float, timestamp>"), &v), CQL_OK);
    assert_int_equal(cqln_value_check(cql("tuple<float, double>"), &v), CQL_TYPE_MISMATCH);
    assert_int_equal(cqln_value_check(cql("tuple<float>"), &v), CQL_BAD_VALUE);
    cql_collection_free(c);
    c = made(CQL_TYPE_MAP);
    add(c, cql_value_int32(1));
    add(c, list_of(inner, 1, 2, 2));
    v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(cql("map<int, list<int>>"), &v), CQL_OK);
    assert_int_equal(cqln_value_check(cql("map<float, list<int>>"), &v), CQL_TYPE_MISMATCH);
    assert_int_equal(cqln_value_check(cql("map<int, list<float>>"), &v), CQL_TYPE_MISMATCH);
    cql_collection_free(c);
    cql_collection_free(inner);
}

/* What only one of the elements says of a field is known of all, and compared with the column. */
static void elements_tell_together_what_they_are(void **state)
{
    (void)state;
    cql_collection *c = made(CQL_TYPE_LIST);
    cql_collection *first = made(CQL_TYPE_TUPLE);
    cql_collection *second = made(CQL_TYPE_TUPLE);
    add(first, cql_value_int32(1));
    add(first, cql_value_null());
    add(second, cql_value_null());
    add(second, cql_value_text("four"));
    add(c, cql_value_collection(first));
    add(c, cql_value_collection(second));
    cql_value v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(cql("list<tuple<int, text>>"), &v), CQL_OK);
    assert_int_equal(cqln_value_check(cql("list<tuple<int, float>>"), &v), CQL_TYPE_MISMATCH);
    assert_int_equal(cqln_value_check(cql("list<tuple<float, text>>"), &v), CQL_TYPE_MISMATCH);
    cql_collection_clear(second);
    add(second, cql_value_text("four"));
    assert_int_equal(cql_collection_add(c, cql_value_collection(second)), CQL_TYPE_MISMATCH);
    /* The same for fields that the elements before did not have. */
    cql_collection_clear(c);
    cql_collection_clear(first);
    cql_collection_clear(second);
    add(first, cql_value_int32(1));
    add(second, cql_value_int32(2));
    add(second, cql_value_text("four"));
    add(c, cql_value_collection(first));
    add(c, cql_value_collection(second));
    v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(cql("list<tuple<int, text>>"), &v), CQL_OK);
    assert_int_equal(cqln_value_check(cql("list<tuple<int, float>>"), &v), CQL_TYPE_MISMATCH);
    add(first, cql_value_float(1));
    assert_int_equal(cql_collection_add(c, cql_value_collection(first)), CQL_TYPE_MISMATCH);
    /* Also when the longer one came first. */
    cql_collection_clear(c);
    cql_collection_clear(first);
    add(first, cql_value_int32(3));
    add(c, cql_value_collection(second));
    add(c, cql_value_collection(first));
    v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(cql("list<tuple<int, text>>"), &v), CQL_OK);
    assert_int_equal(cqln_value_check(cql("list<tuple<int, float>>"), &v), CQL_TYPE_MISMATCH);
    add(first, cql_value_float(1));
    assert_int_equal(cql_collection_add(c, cql_value_collection(first)), CQL_TYPE_MISMATCH);
    /* Nested: the keys of one map, the values of another. */
    cql_collection_clear(c);
    cql_collection *map = made(CQL_TYPE_MAP);
    cql_collection *none = made(CQL_TYPE_LIST);
    cql_collection *some = made(CQL_TYPE_LIST);
    add(some, cql_value_text("four"));
    assert_int_equal(cql_collection_add_pair(map, cql_value_collection(some),
                                             cql_value_collection(none)),
                     CQL_OK);
    add(c, cql_value_collection(map));
    cql_collection_clear(map);
    assert_int_equal(cql_collection_add_pair(map, cql_value_collection(none),
                                             cql_value_collection(some)),
                     CQL_OK);
    add(c, cql_value_collection(map));
    v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(cql("list<map<list<text>, list<text>>>"), &v), CQL_OK);
    assert_int_equal(cqln_value_check(cql("list<map<list<text>, list<int>>>"), &v),
                     CQL_TYPE_MISMATCH);
    assert_int_equal(cqln_value_check(cql("list<map<list<int>, list<text>>>"), &v),
                     CQL_TYPE_MISMATCH);
    cql_collection_free(map);
    cql_collection_free(none);
    cql_collection_free(some);
    cql_collection_free(c);
    cql_collection_free(first);
    cql_collection_free(second);
}

static void values_of_elements_are_checked_at_the_bind(void **state)
{
    (void)state;
    cql_collection *c = made(CQL_TYPE_LIST);
    add(c, cql_value_time(-1));
    cql_value v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(cql("list<time>"), &v), CQL_BAD_VALUE);
    cql_collection_clear(c);
    add(c, cql_value_uuid(cql_uuid_time()));
    v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(cql("list<timeuuid>"), &v), CQL_OK);
    assert_int_equal(cqln_value_check(cql("list<uuid>"), &v), CQL_OK);
    add(c, cql_value_uuid(cql_uuid_random()));
    v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(cql("list<timeuuid>"), &v), CQL_BAD_VALUE);
    cql_collection_free(c);
}

static void scalars_fit_the_columns_they_should(void **state)
{
    (void)state;
    const struct {
        cql_value v;
        const char *type;
        cql_status want;
    } cases[] = {
        {cql_value_int64(1), "counter", CQL_OK},
        {cql_value_int64(1), "timestamp", CQL_OK},
        {cql_value_int64(1), "time", CQL_OK},
        {cql_value_int64(1), "int", CQL_TYPE_MISMATCH},
        {cql_value_int64(1), "varint", CQL_TYPE_MISMATCH},
        {cql_value_int32(1), "bigint", CQL_TYPE_MISMATCH},
        {cql_value_int32(1), "float", CQL_TYPE_MISMATCH},
        {cql_value_double(1), "float", CQL_TYPE_MISMATCH},
        {cql_value_timestamp(1), "bigint", CQL_TYPE_MISMATCH},
        {cql_value_text("plain"), "ascii", CQL_OK},
        {cql_value_text("h\xc3\xa9llo"), "ascii", CQL_BAD_VALUE},
        {cql_value_text("h\xc3\xa9llo"), "text", CQL_OK},
        {cql_value_text("\xff\xfe"), "text", CQL_BAD_VALUE},
        {cql_value_text("12345678\xff"), "text", CQL_BAD_VALUE},
        {cql_value_text("\xc3"), "text", CQL_BAD_VALUE},
        {cql_value_text("\xe2\x82\xac \xf0\x9f\x98\x80"), "text", CQL_OK},
        {cql_value_text("\xe2\x82"), "text", CQL_BAD_VALUE},
        {cql_value_text("\xf0\x9f\x98"), "text", CQL_BAD_VALUE},
        {cql_value_text("\xf4\x90\x80\x80"), "text", CQL_BAD_VALUE},
        {cql_value_text("\xc1\x80"), "text", CQL_BAD_VALUE},
        {cql_value_text("\xe0\x80\x80"), "text", CQL_BAD_VALUE},
        {cql_value_text("\xc0\x80 \xed\xa0\x80"), "text", CQL_OK}, /* as servers take it */
        {cql_value_text("x"), "blob", CQL_TYPE_MISMATCH},
        {cql_value_blob("x", 1), "text", CQL_TYPE_MISMATCH},
        {cql_value_blob("x", 1), "'com.example.Own'", CQL_OK},
        {cql_value_raw(CQL_TYPE_ASCII, "a", 1), "ascii", CQL_OK},
        {cql_value_raw(CQL_TYPE_ASCII, "a", 1), "text", CQL_TYPE_MISMATCH},
        {cql_value_raw(CQL_TYPE_ASCII, "\x80", 1), "ascii", CQL_BAD_VALUE},
        {cql_value_raw(CQL_TYPE_DECIMAL, "\0\0\0\2\1", 5), "decimal", CQL_OK},
        {cql_value_raw(CQL_TYPE_DECIMAL, "\0\0\0\2", 4), "decimal", CQL_BAD_VALUE},
        {cql_value_raw(CQL_TYPE_DECIMAL, "", 0), "decimal", CQL_OK},
        {cql_value_raw(CQL_TYPE_SMALLINT, "", 0), "smallint", CQL_BAD_VALUE},
        {cql_value_raw(CQL_TYPE_TINYINT, "", 0), "tinyint", CQL_BAD_VALUE},
        {cql_value_raw(CQL_TYPE_DATE, "", 0), "date", CQL_BAD_VALUE},
        {cql_value_raw(CQL_TYPE_TIME, "", 0), "time", CQL_BAD_VALUE},
        {cql_value_raw(CQL_TYPE_DURATION, "", 0), "duration", CQL_BAD_VALUE},
        {cql_value_raw(CQL_TYPE_VECTOR, "", 0), "vector<int, 1>", CQL_BAD_VALUE},
        {cql_value_raw(CQL_TYPE_LIST, "", 0), "list<int>", CQL_BAD_VALUE},
        {cql_value_raw(CQL_TYPE_UDT, "", 0), "some_type", CQL_OK},
        {cql_value_raw(CQL_TYPE_INT, "abc", 3), "int", CQL_BAD_VALUE},
    };
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        cql_status got = cqln_value_check(cql(cases[i].type), &cases[i].v);
        if (got != cases[i].want)
            print_message("case %zu: %s\n", i, cases[i].type);
        assert_int_equal(got, cases[i].want);
    }
}

/* Raw bytes of a collection against a type. */
static void malformed_collections_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *hex;
        cql_status want;
    } cases[] = {
        {"list<int>", "00000001 00000004 00000001", CQL_OK},
        {"list<int>", "00000001 00000003 000001", CQL_BAD_VALUE},
        {"list<int>", "00000001 ffffffff", CQL_BAD_VALUE},
        {"list<int>", "00000001 fffffffe", CQL_BAD_VALUE},
        {"list<int>", "ffffffff", CQL_BAD_VALUE},
        {"list<int>", "7fffffff 00000004 00000001", CQL_BAD_VALUE},
        {"list<int>", "00000002 00000004 00000001", CQL_BAD_VALUE},
        {"list<int>", "00000001 00000004 00000001 00", CQL_BAD_VALUE},
        {"list<int>", "00000001 00000000", CQL_OK}, /* an empty int */
        {"list<date>", "00000001 00000000", CQL_BAD_VALUE},
        {"map<int, int>", "00000001 00000004 00000001", CQL_BAD_VALUE},
        {"map<int, int>", "00000001 ffffffff 00000004 00000001", CQL_BAD_VALUE},
        {"map<int, int>", "00000001 00000004 00000001 ffffffff", CQL_BAD_VALUE},
        {"map<int, int>", "00000001 00000002 0001 00000004 00000001", CQL_BAD_VALUE},
        {"map<int, int>", "00000001 00000004 00000001 00000004 00000001", CQL_OK},
        {"tuple<int, int>", "00000004 00000001", CQL_OK},
        {"tuple<int, int>", "ffffffff fffffffe", CQL_OK},
        {"tuple<int, int>", "ffffffff ffffffff ffffffff", CQL_BAD_VALUE},
        {"tuple<int, int>", "00000003 000001", CQL_BAD_VALUE},
        {"tuple<int, int>", "000000", CQL_BAD_VALUE},
        {"vector<int, 2>", "00000001 00000002", CQL_OK},
        {"vector<int, 2>", "00000001", CQL_BAD_VALUE},
        {"vector<int, 2>", "00000001 00000002 00", CQL_BAD_VALUE},
        {"vector<text, 2>", "0161 0162", CQL_OK},
        {"vector<text, 2>", "0161", CQL_BAD_VALUE},
        {"vector<text, 2>", "0161 0162 00", CQL_BAD_VALUE},
        {"vector<text, 1>", "ffffffffffffffffff", CQL_BAD_VALUE},
        {"vector<text, 1>", "01", CQL_BAD_VALUE},
    };
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        hex b = hex_bytes(cases[i].hex);
        cql_status got = cqln_value_wellformed(cql(cases[i].type), hex_str(b));
        if (got != cases[i].want)
            print_message("case %zu: %s %s\n", i, cases[i].type, cases[i].hex);
        assert_int_equal(got, cases[i].want);
        hex_free(&b);
    }
}

static void walking_gives_the_elements(void **state)
{
    (void)state;
    hex b = hex_bytes("00000002 00000001 61 00000004 00000001 00000001 62 ffffffff");
    const cql_type *t = cql("map<text, int>");
    cql_value v = cqln_value_view(t, b.data, b.len);
    cql_items it;
    cql_value key;
    cql_value element;
    cql_str s;
    int32_t n;
    assert_int_equal(cql_items_init(&it, t, &v), CQL_OK);
    assert_int_equal(it.count, 2);
    assert_true(cql_items_next(&it, &key, &element));
    assert_int_equal(cql_value_as_str(&key, &s), CQL_OK);
    assert_str(s, "a");
    assert_int_equal(cql_value_as_int32(&element, &n), CQL_OK);
    assert_int_equal(n, 1);
    assert_true(cql_items_next(&it, NULL, &element)); /* a null value is delivered as it was sent */
    assert_true(cql_value_is_null(&element));
    assert_false(cql_items_next(&it, &key, &element));
    assert_int_equal(cql_items_status(&it), CQL_OK);
    hex_free(&b);
}

static void short_tuples_end_in_nulls(void **state)
{
    (void)state;
    hex b = hex_bytes("00000004 00000001");
    const cql_type *t = cql("tuple<int, text, list<int>>");
    cql_value v = cqln_value_view(t, b.data, b.len);
    cql_items it;
    cql_value element;
    assert_int_equal(cql_items_init(&it, t, &v), CQL_OK);
    int sets = 0;
    int nulls = 0;
    while (cql_items_next(&it, NULL, &element))
        *(cql_value_is_null(&element) ? &nulls : &sets) += 1;
    assert_int_equal(cql_items_status(&it), CQL_OK);
    assert_int_equal(sets, 1);
    assert_int_equal(nulls, 2);
    /* A null collection has no elements. */
    cql_items_init(&it, t, &v);
    while (cql_items_next(&it, NULL, &element))
        ;
    cql_items inner;
    assert_int_equal(cql_items_init(&inner, cql_type_at(t, 2), &element), CQL_OK);
    assert_false(cql_items_next(&inner, NULL, &element));
    assert_int_equal(cql_items_status(&inner), CQL_OK);
    hex_free(&b);
}

/* Walks over all elements; the status at the end. */
static cql_status walk(const cql_type *t, const uint8_t *bytes, size_t len)
{
    cql_value v = cqln_value_view(t, bytes, len);
    cql_items it;
    cql_value key;
    cql_value element;
    cql_items_init(&it, t, &v);
    while (cql_items_next(&it, &key, &element))
        ;
    return cql_items_status(&it);
}

static void nothing_may_follow_the_last_element(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *bytes;
        cql_status want;
    } longer[] = {
        {"list<int>", "00000001 00000004 00000001 00", CQL_MALFORMED},
        {"list<int>", "00000000 00", CQL_MALFORMED},
        {"map<int, int>", "00000001 00000004 00000001 00000004 00000001 00", CQL_MALFORMED},
        {"vector<text, 1>", "0161 00", CQL_MALFORMED},
        {"vector<int, 1>", "00000001 00", CQL_MALFORMED},
        {"tuple<int>", "00000004 00000001 00000004 00000002", CQL_OK}, /* a field of a later type */
    };
    for (size_t i = 0; i < CQL_COUNT(longer); i++) {
        const cql_type *t = cql(longer[i].type);
        hex b = hex_bytes(longer[i].bytes);
        assert_int_equal(walk(t, b.data, b.len), longer[i].want);
        assert_int_equal(cqln_value_wellformed(t, hex_str(b)), CQL_BAD_VALUE);
        hex_free(&b);
    }
}

static void walking_what_is_no_collection_fails(void **state)
{
    (void)state;
    cql_items it;
    cql_value element;
    cql_value v = cql_value_int32(1);
    assert_int_equal(cql_items_init(&it, cql("int"), &v), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_items_init(&it, cql("list<int>"), &v), CQL_TYPE_MISMATCH);
    assert_false(cql_items_next(&it, NULL, &element));
    assert_int_equal(cql_items_status(&it), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_items_init(&it, NULL, &v), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_items_init(&it, cql("list<int>"), NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_items_init(NULL, cql("list<int>"), &v), CQL_BAD_ARGUMENT);
    assert_false(cql_items_next(NULL, NULL, &element));
    assert_int_equal(cql_items_status(NULL), CQL_BAD_ARGUMENT);
    v = cql_value_null();
    assert_int_equal(cql_items_init(&it, cql("list<int>"), &v), CQL_OK);
    assert_false(cql_items_next(&it, NULL, &element));
}

static void cut_is_noticed(const uint8_t *bytes, size_t len, void *user)
{
    const cql_type *t = user;
    cql_value v = cqln_value_view(t, bytes, len);
    assert_int_equal(cqln_value_check(t, &v), CQL_BAD_VALUE);
    assert_int_equal(walk(t, bytes, len), CQL_MALFORMED);
}

static void every_cut_of_a_collection_is_noticed(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *hex;
    } values[] = {
        {"list<int>", "00000002 00000004 00000001 00000004 00000002"},
        {"set<text>", "00000002 00000001 61 00000001 62"},
        {"map<text, list<int>>", "00000001 00000001 61 0000000c 00000001 00000004 00000001"},
        {"vector<text, 2>", "016103626364"},
        {"vector<float, 3>", "3f80000040000000c0600000"},
        {"vector<list<int>, 1>", "0c 00000001 00000004 00000001"},
        {"list<duration>", "00000001 00000003 020406"},
    };
    for (size_t i = 0; i < CQL_COUNT(values); i++) {
        const cql_type *t = cql(values[i].type);
        hex b = hex_bytes(values[i].hex);
        assert_int_equal(cqln_value_wellformed(t, hex_str(b)), CQL_OK);
        assert_int_equal(walk(t, b.data, b.len), CQL_OK);
        cql_type copy = *t;
        guard_each_cut(b.data, b.len, cut_is_noticed, &copy);
        hex_free(&b);
    }
}

/* Builds list<map<int, text>> with the nth allocation failing; what failed is tried once more. */
static bool build_failing(failmalloc *f)
{
    cql_collection *list = NULL;
    cql_collection *map = NULL;
    char *text = calloc(1, 1001);
    bool failed = false;
    assert_non_null(text);
    memset(text, 'x', 1000);
    for (int i = 0; i < 2 && !list; i++)
        if (cql_collection_new(CQL_TYPE_LIST, &f->al, &list) == CQL_NO_MEMORY)
            failed = true;
    for (int i = 0; i < 2 && !map; i++)
        if (cql_collection_new(CQL_TYPE_MAP, &f->al, &map) == CQL_NO_MEMORY)
            failed = true;
    for (int i = 0; i < 3; i++) {
        cql_value v = cql_value_text(text);
        while (cql_collection_add_pair(map, cql_value_int32(i), v) == CQL_NO_MEMORY)
            failed = true;
    }
    for (int i = 0; i < 3; i++)
        while (cql_collection_add(list, cql_value_collection(map)) == CQL_NO_MEMORY)
            failed = true;
    cql_value v = cql_value_collection(list);
    assert_int_equal(v.len, 4 + 3 * (4 + 4 + 3 * (4 + 4 + 4 + 1000)));
    assert_int_equal(cqln_value_check(cql("list<map<int, text>>"), &v), CQL_OK);
    cql_collection_free(list);
    cql_collection_free(map);
    free(text);
    return failed;
}

static void collections_survive_any_failing_allocation(void **state)
{
    (void)state;
    size_t n = 0;
    for (bool failed = true; failed; n++) {
        failmalloc f;
        failmalloc_init(&f);
        f.fail_at = n + 1;
        failed = build_failing(&f);
        assert_int_equal(f.live, 0);
        assert_true(n < 1000);
    }
    assert_true(n >= 6);
}

static void nesting_of_builders_has_a_limit(void **state)
{
    (void)state;
    cql_collection *levels[CQLN_TYPE_DEPTH + 1];
    levels[0] = made(CQL_TYPE_LIST);
    add(levels[0], cql_value_int32(1));
    for (int i = 1; i < CQLN_TYPE_DEPTH; i++) {
        levels[i] = made(CQL_TYPE_LIST);
        add(levels[i], cql_value_collection(levels[i - 1]));
    }
    levels[CQLN_TYPE_DEPTH] = made(CQL_TYPE_LIST);
    assert_int_equal(cql_collection_add(levels[CQLN_TYPE_DEPTH],
                                        cql_value_collection(levels[CQLN_TYPE_DEPTH - 1])),
                     CQL_TOO_LARGE);
    for (int i = 0; i <= CQLN_TYPE_DEPTH; i++)
        cql_collection_free(levels[i]);
}

static void cleared_builder_takes_another_type(void **state)
{
    (void)state;
    cql_collection *c = made(CQL_TYPE_VECTOR);
    add(c, cql_value_float(1));
    cql_collection_clear(c);
    add(c, cql_value_text("ab"));
    check_built(c, "vector<text, 1>", "026162");
}

static void vectors_refuse_what_cannot_stand_beside(void **state)
{
    (void)state;
    cql_collection *c = made(CQL_TYPE_VECTOR);
    cql_collection *inner = made(CQL_TYPE_VECTOR);
    assert_int_equal(cql_collection_add(c, cql_value_raw(CQL_TYPE_INT, "abc", 3)), CQL_BAD_VALUE);
    assert_int_equal(cql_collection_add(c, cql_value_raw(CQL_TYPE_VECTOR, "abcd", 4)),
                     CQL_BAD_ARGUMENT);
    add(inner, cql_value_float(1));
    add(c, cql_value_collection(inner));
    add(inner, cql_value_float(2));
    assert_int_equal(cql_collection_add(c, cql_value_collection(inner)), CQL_TYPE_MISMATCH);
    cql_collection_free(inner);
    check_built(c, "vector<vector<float, 1>, 1>", "3f800000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_sets_and_maps_have_the_wire_form),
        cmocka_unit_test(tuples_and_user_types_have_the_wire_form),
        cmocka_unit_test(vectors_of_fixed_elements_have_no_lengths),
        cmocka_unit_test(vectors_of_other_elements_have_lengths),
        cmocka_unit_test(what_may_not_come_leaves_all_as_it_was),
        cmocka_unit_test(map_pairs_come_whole_or_not_at_all),
        cmocka_unit_test(refused_pairs_leave_no_trace),
        cmocka_unit_test(misuse_is_a_status),
        cmocka_unit_test(element_types_are_checked_at_the_bind),
        cmocka_unit_test(elements_tell_together_what_they_are),
        cmocka_unit_test(values_of_elements_are_checked_at_the_bind),
        cmocka_unit_test(scalars_fit_the_columns_they_should),
        cmocka_unit_test(malformed_collections_are_refused),
        cmocka_unit_test(walking_gives_the_elements),
        cmocka_unit_test(short_tuples_end_in_nulls),
        cmocka_unit_test(nothing_may_follow_the_last_element),
        cmocka_unit_test(walking_what_is_no_collection_fails),
        cmocka_unit_test(every_cut_of_a_collection_is_noticed),
        cmocka_unit_test(collections_survive_any_failing_allocation),
        cmocka_unit_test(nesting_of_builders_has_a_limit),
        cmocka_unit_test(cleared_builder_takes_another_type),
        cmocka_unit_test(vectors_refuse_what_cannot_stand_beside),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
