/* Types as text: class strings and CQL to descriptors, and descriptors to CQL. */
#include "types_help.h"

#include <time.h>

#define M "org.apache.cassandra.db.marshal."

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

static const cql_type *class(const char *text)
{
    const cql_type *t = NULL;
    assert_int_equal(cqln_type_parse_class(&arena, cql_str_of(text), &t), CQL_OK);
    assert_non_null(t);
    return t;
}

static void assert_prints(const cql_type *t, const char *want)
{
    char buf[1024];
    size_t len = 0;
    assert_int_equal(cql_type_print(t, buf, sizeof buf, &len), CQL_OK);
    assert_string_equal(buf, want);
    assert_int_equal(len, strlen(want));
}

/* --- class strings ---------------------------------------------------------------------------- */

static void classes_give_their_types(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *cql;
    } cases[] = {
        {M "AsciiType", "ascii"},
        {M "LongType", "bigint"},
        {M "BytesType", "blob"},
        {M "BooleanType", "boolean"},
        {M "CounterColumnType", "counter"},
        {M "DecimalType", "decimal"},
        {M "DoubleType", "double"},
        {M "FloatType", "float"},
        {M "Int32Type", "int"},
        {M "TimestampType", "timestamp"},
        {M "DateType", "timestamp"},
        {M "UUIDType", "uuid"},
        {M "UTF8Type", "text"},
        {M "IntegerType", "varint"},
        {M "TimeUUIDType", "timeuuid"},
        {M "InetAddressType", "inet"},
        {M "SimpleDateType", "date"},
        {M "TimeType", "time"},
        {M "ShortType", "smallint"},
        {M "ByteType", "tinyint"},
        {M "DurationType", "duration"},
        {"Int32Type", "int"},
        {"  Int32Type ", "int"},
        {M "ListType(" M "Int32Type)", "list<int>"},
        {M "SetType(" M "UTF8Type)", "set<text>"},
        {M "MapType(" M "UTF8Type," M "LongType)", "map<text, bigint>"},
        {M "FrozenType(" M "ListType(" M "Int32Type))", "list<int>"},
        {M "ReversedType(" M "TimestampType)", "timestamp"},
        {M "TupleType(" M "Int32Type," M "UTF8Type," M "BooleanType)",
         "frozen<tuple<int, text, boolean>>"},
        {M "VectorType(" M "FloatType , 3)", "vector<float, 3>"},
        {M "VectorType(" M "VectorType(" M "FloatType , 2) , 2)", "vector<vector<float, 2>, 2>"},
        {M "VectorType(" M "FloatType,3)", "vector<float, 3>"},
        {"ListType ( FrozenType( MapType ( UTF8Type , Int32Type ) ) )",
         "list<frozen<map<text, int>>>"},
        {M "ListType(com.example.Point(a,b))", "list<'com.example.Point(a,b)'>"},
        {M "MapType(com.example.A," M "Int32Type)", "map<'com.example.A', int>"},
    };
    for (size_t i = 0; i < CQL_COUNT(cases); i++)
        assert_prints(class(cases[i].text), cases[i].cql);
}

static void user_classes_have_names_in_hex(void **state)
{
    (void)state;
    const cql_type *t = class(M "UserType(ks,61646472,737472656574:" M "UTF8Type,74616773:" M
                                "FrozenType(" M "ListType(" M "Int32Type)))");
    assert_int_equal(cql_type_of(t), CQL_TYPE_UDT);
    assert_str(cql_type_keyspace(t), "ks");
    assert_str(cql_type_name(t), "addr");
    assert_int_equal(cql_type_count(t), 2);
    assert_str(cql_type_field(t, 0), "street");
    assert_str(cql_type_field(t, 1), "tags");
    assert_int_equal(cql_type_of(cql_type_at(t, 1)), CQL_TYPE_LIST);
    t = class("UserType(ks,)");
    assert_int_equal(cql_type_of(t), CQL_TYPE_UDT);
    assert_int_equal(cql_type_count(t), 0);
}

static void what_is_not_understood_stays_custom(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "x",
        "com.example.Type",
        M "EmptyType",
        M "CompositeType(" M "UTF8Type," M "Int32Type)",
        M "DynamicCompositeType(a=>" M "BytesType)",
        M "PointType",
        /* unbalanced */
        "(",
        ")",
        "ListType",
        "ListType(",
        "ListType(Int32Type",
        "ListType(Int32Type))",
        "ListType)Int32Type(",
        "MapType(Int32Type,ListType(Int32Type)",
        /* wrong arguments */
        "ListType()",
        "ListType(,)",
        "ListType(Int32Type,Int32Type)",
        "MapType(Int32Type)",
        "TupleType()",
        "TupleType(Int32Type,)",
        "Int32Type Int32Type",
        "Int32Type()",
        "Int32Type,",
        "VectorType(FloatType)",
        "VectorType(FloatType,)",
        "VectorType(FloatType,0)",
        "VectorType(FloatType,-1)",
        "VectorType(FloatType,1x)",
        "VectorType(FloatType,3.5)",
        "VectorType(FloatType,2147483648)",
        "VectorType(FloatType,536870912)", /* more bytes than a value may have */
        "VectorType(FloatType,99999999999999999999999999999999)",
        "VectorType(3,FloatType)",
        "UserType()",
        "UserType(ks)",
        "UserType(ks,xyz)",
        "UserType(ks,616)",
        "UserType(ks,61,61)",
        "UserType(ks,61,zz:Int32Type)",
        "UserType(ks,61,61:)",
        "UserType(ks,61,61:Int32Type",
    };
    for (size_t i = 0; i < CQL_COUNT(texts); i++) {
        const cql_type *t = class(texts[i]);
        assert_int_equal(cql_type_of(t), CQL_TYPE_CUSTOM);
        assert_str(cql_type_name(t), texts[i]);
        cql_value v = cqln_value_view(t, (const uint8_t *)"any", 3);
        cql_str s;
        assert_int_equal(cql_value_as_str(&v, &s), CQL_OK);
    }
}

static void largest_vector_is_what_a_value_can_hold(void **state)
{
    (void)state;
    assert_int_equal(cql_type_dimension(class("VectorType(FloatType,536870911)")), 536870911);
    assert_int_equal(cql_type_dimension(class("VectorType(UTF8Type,2147483647)")), 2147483647);
    assert_int_equal(cql_type_dimension(class("VectorType(VectorType(BooleanType,65536),32767)")),
                     32767);
    assert_int_equal(cql_type_of(class("VectorType(VectorType(BooleanType,65536),32768)")),
                     CQL_TYPE_CUSTOM);
}

/* open × n, middle, close × n */
static char *nested_text(const char *open, const char *middle, const char *close, size_t n)
{
    size_t each = strlen(open) + strlen(close);
    char *text = malloc(n * each + strlen(middle) + 1);
    assert_non_null(text);
    char *at = text;
    for (size_t i = 0; i < n; i++, at += strlen(open))
        memcpy(at, open, strlen(open));
    memcpy(at, middle, strlen(middle));
    at += strlen(middle);
    for (size_t i = 0; i < n; i++, at += strlen(close))
        memcpy(at, close, strlen(close));
    *at = '\0';
    return text;
}

static unsigned depth_of(const cql_type *t)
{
    unsigned depth = 0;
    for (; cql_type_at(t, 0); t = cql_type_at(t, 0))
        depth++;
    return depth;
}

static void deep_classes_are_custom_below_the_limit(void **state)
{
    (void)state;
    static const size_t levels[] = {CQLN_TYPE_DEPTH, CQLN_TYPE_DEPTH + 1, 10000};
    for (size_t i = 0; i < CQL_COUNT(levels); i++) {
        char *text = nested_text("ListType(", "Int32Type", ")", levels[i]);
        const cql_type *t = class(text);
        assert_int_equal(depth_of(t), CQLN_TYPE_DEPTH);
        while (cql_type_at(t, 0))
            t = cql_type_at(t, 0);
        assert_int_equal(cql_type_of(t), i == 0 ? CQL_TYPE_INT : CQL_TYPE_CUSTOM);
        free(text);
        /* Classes that only wrap others make no level, but there is a limit to them too. */
        text = nested_text("ListType(FrozenType(", "Int32Type", "))", levels[i]);
        t = class(text);
        assert_int_equal(depth_of(t), CQLN_TYPE_DEPTH);
        while (cql_type_at(t, 0))
            t = cql_type_at(t, 0);
        assert_int_equal(cql_type_of(t), i == 0 ? CQL_TYPE_INT : CQL_TYPE_CUSTOM);
        free(text);
        text = nested_text("FrozenType(", "Int32Type", ")", levels[i]);
        assert_int_equal(cql_type_of(class(text)), i < 2 ? CQL_TYPE_INT : CQL_TYPE_CUSTOM);
        free(text);
    }
}

/* Of the processor: others may be at work on the machine. */
static double seconds_for(const char *text)
{
    struct timespec from;
    struct timespec to;
    cqln_arena a;
    const cql_type *t = NULL;
    cqln_arena_init(&a, cqln_alloc_default(), 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    assert_int_equal(cqln_type_parse_class(&a, cql_str_of(text), &t), CQL_OK);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    cqln_arena_fini(&a);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* 1 MiB of the worst that was thought of; anything worse than linear would take minutes. */
static void long_classes_take_little_time(void **state)
{
    (void)state;
    static const struct {
        const char *open;
        const char *close;
    } forms[] = {
        {"ListType(", ")"},
        {"ListType(", ""},
        {"TupleType(Int32Type,", ")"},
        {"VectorType(", ",0)"},
        {"x(", ")"},
        {"UserType(k,61,61:", ")"},
        {"TupleType(x,x,x,", ""},
        {"(", ")"},
        {",", ""},
        {"Int32Type,", ""},
        {"FrozenType( ", ")"},
    };
    for (size_t i = 0; i < CQL_COUNT(forms); i++) {
        size_t each = strlen(forms[i].open) + strlen(forms[i].close);
        char *text = nested_text(forms[i].open, "Int32Type", forms[i].close, (1 << 20) / each);
        double seconds = seconds_for(text);
        if (seconds > 10)
            print_error("%s: %f s\n", forms[i].open, seconds);
        assert_true(seconds < 10);
        free(text);
    }
}

typedef struct parse_case {
    const char *text;
    cql_status (*parse)(cqln_arena *a, cql_str text, const cql_type **out);
} parse_case;

static void cut_is_read_within_bounds(const uint8_t *bytes, size_t len, void *user)
{
    const parse_case *c = user;
    cqln_arena a;
    const cql_type *t = NULL;
    cqln_arena_init(&a, cqln_alloc_default(), 0);
    cql_status st = c->parse(&a, (cql_str){(const char *)bytes, len}, &t);
    if (c->parse == cqln_type_parse_class) {
        assert_int_equal(st, CQL_OK);
        assert_int_equal(cql_type_of(t), CQL_TYPE_CUSTOM);
        assert_int_equal(cql_type_name(t).len, len);
    } else {
        /* "m" and "ma" are names of user types. */
        assert_int_equal(st, len == 1 || len == 2 ? CQL_OK : CQL_MALFORMED);
    }
    cqln_arena_fini(&a);
}

static void every_cut_is_read_within_bounds(void **state)
{
    (void)state;
    parse_case cases[] = {
        {"MapType(UserType(ks,61,61:TupleType(Int32Type)),VectorType(FloatType , 3))",
         cqln_type_parse_class},
        {"map<frozen<tuple<int, \"My\"\"T\", 'ListType(Int32Type)'>>, vector<float, 3>>",
         cqln_type_parse_cql},
    };
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        const cql_type *t = NULL;
        assert_int_equal(cases[i].parse(&arena, cql_str_of(cases[i].text), &t), CQL_OK);
        assert_int_equal(cql_type_of(t), CQL_TYPE_MAP);
        guard_each_cut(cases[i].text, strlen(cases[i].text), cut_is_read_within_bounds, &cases[i]);
    }
}

/* --- CQL text --------------------------------------------------------------------------------- */

static void cql_text_comes_back_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "ascii",
        "bigint",
        "blob",
        "boolean",
        "counter",
        "date",
        "decimal",
        "double",
        "duration",
        "float",
        "inet",
        "int",
        "smallint",
        "text",
        "time",
        "timestamp",
        "timeuuid",
        "tinyint",
        "uuid",
        "varint",
        "list<int>",
        "map<int, frozen<set<text>>>",
        "map<text, frozen<list<int>>>",
        "frozen<tuple<int, text, frozen<list<int>>>>",
        "vector<float, 3>",
        "vector<vector<float, 2>, 2>",
        "addr",
        "addr_2b",
        "\"a-b\"",
        "list<frozen<addr>>",
        "\"MixedCase\"",
        "map<text, frozen<\"MixedCase\">>",
        "\"a\"\"b\"",
        "\"int\"",
        "\"list\"",
        "\"select\"",
        "\"\"",
        "\"1a\"",
        "'org.example.Own'",
    };
    for (size_t i = 0; i < CQL_COUNT(texts); i++)
        assert_prints(cql_text_type(&arena, texts[i]), texts[i]);
}

static void types_are_the_same_down_to_their_leaves(void **state)
{
    (void)state;
    static const char *const types[] = {
        "int", "text", "list<int>", "set<int>", "list<text>", "map<int, text>", "map<text, text>", "map<int, int>",
        "tuple<int>", "tuple<int, text>", "vector<float, 2>", "vector<float, 3>", "addr", "list<frozen<addr>>",
        "list<frozen<other>>",
    };
    for (size_t i = 0; i < CQL_COUNT(types); i++)
        for (size_t k = 0; k < CQL_COUNT(types); k++)
            assert_int_equal(cqln_type_same(cql_text_type(&arena, types[i]), cql_text_type(&arena, types[k])), i == k);
    /* User types by their names and fields too. */
    static const char *const classes[] = {
        M "UserType(ks,61,6b:" M "Int32Type)", M "UserType(kt,61,6b:" M "Int32Type)",
        M "UserType(ks,62,6b:" M "Int32Type)", M "UserType(ks,61,6c:" M "Int32Type)",
        M "UserType(ks,61,6b:" M "LongType)",
    };
    for (size_t i = 0; i < CQL_COUNT(classes); i++)
        for (size_t k = 0; k < CQL_COUNT(classes); k++)
            assert_int_equal(cqln_type_same(class(classes[i]), class(classes[k])), i == k);
}

/* Values that were bound for the one may go where the other is now. */
static void bytes_fit_where_they_mean_the_same(void **state)
{
    (void)state;
    static const char *const types[] = {
        "int", "text", "blob", "list<int>", "set<int>", "list<text>", "map<int, text>", "map<text, text>",
        "tuple<int>", "tuple<int, text>", "vector<float, 2>", "vector<float, 3>",
    };
    for (size_t i = 0; i < CQL_COUNT(types); i++)
        for (size_t k = 0; k < CQL_COUNT(types); k++)
            assert_int_equal(cqln_type_fits(cql_text_type(&arena, types[i]), cql_text_type(&arena, types[k])), i == k);
    const cql_type *was = class(M "ListType(" M "UserType(ks,61,6b:" M "Int32Type))");
    assert_true(cqln_type_fits(was, class(M "ListType(" M "UserType(ks,61,6d:" M "Int32Type,6c:" M "LongType))")));
    assert_true(cqln_type_fits(class(M "UserType(ks,61,6b:" M "Int32Type,6c:" M "LongType)"), was->items[0]));
    assert_false(cqln_type_fits(was, class(M "ListType(" M "UserType(ks,61,6b:" M "LongType))")));
    /* Made anew with its fields in another order: the value of the one would be read as the other's. */
    was = class(M "UserType(ks,61,6b:" M "Int32Type,6c:" M "Int32Type)");
    assert_false(cqln_type_fits(was, class(M "UserType(ks,61,6c:" M "Int32Type,6b:" M "Int32Type)")));
    assert_false(cqln_type_fits(was, class(M "UserType(ks,61,6d:" M "Int32Type,6b:" M "Int32Type)")));
    assert_false(cqln_type_fits(was, class(M "UserType(ks,61,6c:" M "Int32Type)")));
    assert_true(cqln_type_fits(was, class(M "UserType(ks,61,6b:" M "Int32Type,6d:" M "Int32Type)")));
    assert_true(cqln_type_fits(was, class("org.example.Own")));
    assert_true(cqln_type_fits(class("org.example.Own"), was));
}

static void cql_text_is_read_loosely(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *prints;
    } cases[] = {
        {"varchar", "text"},
        {"TEXT", "text"},
        {" Map < Int ,\tText >\n", "map<int, text>"},
        {"frozen<list<int>>", "list<int>"},
        {"frozen<frozen<addr>>", "addr"},
        {"tuple<int>", "frozen<tuple<int>>"},
        {"MyType", "mytype"},
        {"'org.apache.cassandra.db.marshal.DurationType'", "duration"},
        {"list<'DurationType'>", "list<duration>"},
        {"tuple<'MapType(Int32Type,UTF8Type)', int>", "frozen<tuple<frozen<map<int, text>>, int>>"},
        {"empty", "'org.apache.cassandra.db.marshal.EmptyType'"},
    };
    for (size_t i = 0; i < CQL_COUNT(cases); i++)
        assert_prints(cql_text_type(&arena, cases[i].text), cases[i].prints);
    const cql_type *t = cql_text_type(&arena, "\"Ks\".addr");
    assert_str(cql_type_keyspace(t), "Ks");
    assert_str(cql_type_name(t), "addr");
    assert_int_equal(cql_type_count(t), 0);
}

static void unbalanced_cql_text_is_malformed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        " ",
        "<",
        "list",
        "list<",
        "list<int",
        "list<int>>",
        "list<>",
        "list<int,int>",
        "list int",
        "map<int>",
        "map<int,>",
        "map<,int>",
        "map<a,b,c>",
        "tuple<>",
        "tuple<int,>",
        "int>",
        "int<text>",
        "int int",
        "\"open",
        "'open",
        "a.",
        ".a",
        "a.b.c",
        "vector<int>",
        "vector<int,>",
        "vector<int,0>",
        "vector<int,-1>",
        "vector<int,x>",
        "vector<3,int>",
        "vector<int,99999999999999999999>",
        "vector<int, 2147483647>",
        "frozen<>",
        "frozen",
        "a-b",
        "list<int>x",
        "\xc3\xa9",
    };
    for (size_t i = 0; i < CQL_COUNT(texts); i++) {
        const cql_type *t = NULL;
        cql_status st = cqln_type_parse_cql(&arena, cql_str_of(texts[i]), &t);
        if (st != CQL_MALFORMED)
            print_error("\"%s\": %d\n", texts[i], st);
        assert_int_equal(st, CQL_MALFORMED);
        assert_null(t);
    }
}

static void deep_cql_text_is_malformed_beyond_the_limit(void **state)
{
    (void)state;
    static const struct {
        const char *open;
        const char *close;
        size_t most;
    } forms[] = {
        {"list<", ">", CQLN_TYPE_DEPTH},
        {"tuple<", ">", CQLN_TYPE_DEPTH},
        {"list<frozen<", ">>", CQLN_TYPE_DEPTH},
        {"frozen<", ">", 66},
    };
    for (size_t i = 0; i < CQL_COUNT(forms); i++) {
        const size_t levels[] = {forms[i].most, forms[i].most + 1, 10000};
        for (size_t k = 0; k < CQL_COUNT(levels); k++) {
            const cql_type *t = NULL;
            char *text = nested_text(forms[i].open, "int", forms[i].close, levels[k]);
            assert_int_equal(cqln_type_parse_cql(&arena, cql_str_of(text), &t),
                             k == 0 ? CQL_OK : CQL_MALFORMED);
            free(text);
        }
    }
}

static cql_status parse_once(const cql_allocator *al, void *user)
{
    const parse_case *c = user;
    cqln_arena a;
    const cql_type *t = NULL;
    cqln_arena_init(&a, al, 0);
    cql_status st = c->parse(&a, cql_str_of(c->text), &t);
    cqln_arena_fini(&a);
    return st;
}

static void parsers_say_when_memory_ends(void **state)
{
    (void)state;
    parse_case cases[] = {
        {"MapType(UserType(ks,61,61:TupleType(Int32Type)),VectorType(com.x(y) , 3))",
         cqln_type_parse_class},
        {"VectorType(UserType(ks,61,zz:TupleType(Int32Type)),0)", cqln_type_parse_class},
        {"map<frozen<tuple<int, \"My\"\"T\", 'ListType(Int32Type)'>>, vector<float, 3>>",
         cqln_type_parse_cql},
        {"list<empty>", cqln_type_parse_cql},
    };
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        assert_true(failmalloc_each(parse_once, &cases[i], false) >= 1);
        cql_status st = CQL_NO_MEMORY;
        for (size_t max = 1; st != CQL_OK; max += 4) {
            cqln_arena a;
            const cql_type *t = NULL;
            cqln_arena_init(&a, cqln_alloc_default(), max);
            st = cases[i].parse(&a, cql_str_of(cases[i].text), &t);
            assert_true(st == CQL_OK || st == CQL_NO_MEMORY);
            assert_true(max < 100000);
            cqln_arena_fini(&a);
        }
    }
}

/* --- printing --------------------------------------------------------------------------------- */

static void printing_is_cut_and_counted(void **state)
{
    (void)state;
    const cql_type *t = cql_text_type(&arena, "map<int, text>");
    for (size_t cap = 0; cap <= 16; cap++) {
        char buf[17];
        size_t len = 0;
        memset(buf, '#', sizeof buf);
        assert_int_equal(cql_type_print(t, cap ? buf : NULL, cap, &len), CQL_OK);
        assert_int_equal(len, 14);
        size_t kept = cap == 0 ? 0 : cap - 1 < len ? cap - 1 : len;
        assert_memory_equal(buf, "map<int, text>", kept);
        if (cap)
            assert_int_equal(buf[kept], '\0');
        assert_int_equal(buf[cap], '#');
    }
    assert_int_equal(cql_type_print(t, NULL, 8, NULL), CQL_BAD_ARGUMENT);
    char buf[8] = "xyz";
    assert_int_equal(cql_type_print(NULL, buf, sizeof buf, NULL), CQL_BAD_ARGUMENT);
    assert_string_equal(buf, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_give_their_types),
        cmocka_unit_test(user_classes_have_names_in_hex),
        cmocka_unit_test(what_is_not_understood_stays_custom),
        cmocka_unit_test(largest_vector_is_what_a_value_can_hold),
        cmocka_unit_test(deep_classes_are_custom_below_the_limit),
        cmocka_unit_test(long_classes_take_little_time),
        cmocka_unit_test(every_cut_is_read_within_bounds),
        cmocka_unit_test(cql_text_comes_back_the_same),
        cmocka_unit_test(types_are_the_same_down_to_their_leaves),
        cmocka_unit_test(bytes_fit_where_they_mean_the_same),
        cmocka_unit_test(cql_text_is_read_loosely),
        cmocka_unit_test(unbalanced_cql_text_is_malformed),
        cmocka_unit_test(deep_cql_text_is_malformed_beyond_the_limit),
        cmocka_unit_test(parsers_say_when_memory_ends),
        cmocka_unit_test(printing_is_cut_and_counted),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
