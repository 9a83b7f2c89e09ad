/* User types by the names of their fields: built in any order, read whatever the server's type has got since. */
#include "failmalloc.h"
#include "types_help.h"

#include "types/check.h"

#define STREET "737472656574:UTF8Type"
#define NUM    "6e756d:LongType"
#define TAGS   "74616773:ListType(UTF8Type)"
#define TYPE(fields) "'UserType(6b,61646472," fields ")'"

static const char addr[] = TYPE(STREET "," NUM "," TAGS);
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

static const cql_type *type(const char *text)
{
    return cql_text_type(&arena, text);
}

static cql_collection *made(cql_type_id id)
{
    cql_collection *c = NULL;
    assert_int_equal(cql_collection_new(id, NULL, &c), CQL_OK);
    return c;
}

static void set(cql_collection *c, const cql_type *t, const char *name, cql_value v)
{
    assert_int_equal(cql_collection_set_field(c, t, name, v), CQL_OK);
}

static void assert_built(const cql_collection *c, const cql_type *t, const char *bytes)
{
    cql_value v = cql_value_collection(c);
    assert_bytes(cql_value_bytes(&v), bytes);
    assert_int_equal(cqln_value_check(t, &v), CQL_OK);
}

/* --- names ---------------------------------------------------------------------------------------- */

static size_t index_of(const cql_type *t, const char *name)
{
    size_t i = 99;
    cql_status st = cql_type_field_index(t, name, &i);
    assert_int_equal(st, i == 99 ? CQL_NO_SUCH_NAME : CQL_OK);
    return i;
}

static void names_are_the_servers_or_as_in_cql(void **state)
{
    (void)state;
    const cql_type *t = type(TYPE("7a6970:Int32Type,5a6970:Int32Type,6e:Int32Type,4e4f:Int32Type")); /* zip, Zip, n, NO */
    assert_int_equal(index_of(t, "zip"), 0);
    assert_int_equal(index_of(t, "Zip"), 1); /* the very name comes before what CQL makes of it */
    assert_int_equal(index_of(t, "ZIP"), 0);
    assert_int_equal(index_of(t, "\"Zip\""), 1);
    assert_int_equal(index_of(t, "\"zip\""), 0);
    assert_int_equal(index_of(t, "\"ZIP\""), 99);
    assert_int_equal(index_of(t, "N"), 2);
    assert_int_equal(index_of(t, "\"N\""), 99);
    assert_int_equal(index_of(t, "NO"), 3);
    assert_int_equal(index_of(t, "no"), 99);
    assert_int_equal(index_of(t, ""), 99);
    assert_int_equal(index_of(t, "\""), 99);
    assert_int_equal(index_of(t, "\"\""), 99);
    assert_int_equal(index_of(t, "zi"), 99);
    assert_int_equal(index_of(type("some_type"), "zip"), 99);
}

static void what_has_no_fields_is_told(void **state)
{
    (void)state;
    size_t i = 7;
    cql_value v = cql_value_int32(1), out = cql_value_int32(5);
    cql_collection *c = made(CQL_TYPE_UDT), *tuple = made(CQL_TYPE_TUPLE);
    assert_int_equal(cql_type_field_index(type("tuple<int, int>"), "a", &i), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_type_field_index(NULL, "a", &i), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_type_field_index(type(addr), NULL, &i), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_type_field_index(type(addr), "num", NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(i, 7);
    assert_int_equal(cql_value_field(&v, type("int"), "a", &out), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_value_field(&v, type(addr), "num", &out), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_value_field(&v, type(addr), "nothing", &out), CQL_NO_SUCH_NAME);
    assert_int_equal(cql_value_field(NULL, type(addr), "num", &out), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_value_field(&v, type(addr), "num", NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(out.u.bytes[3], 5);
    assert_int_equal(cql_collection_set_field(NULL, type(addr), "num", v), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_collection_set_field(c, NULL, "num", v), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_collection_set_field(c, type(addr), NULL, v), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_collection_set_field(c, type("list<int>"), "num", v), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_collection_set_field(tuple, type(addr), "num", v), CQL_BAD_STATE);
    cql_collection_free(tuple);
    cql_collection_free(c);
}

/* --- building ------------------------------------------------------------------------------------- */

static void fields_come_in_any_order_and_the_rest_is_null(void **state)
{
    (void)state;
    const cql_type *t = type(addr);
    cql_collection *c = made(CQL_TYPE_UDT), *tags = made(CQL_TYPE_LIST);
    assert_int_equal(cql_collection_add(tags, cql_value_text("x")), CQL_OK);
    set(c, t, "num", cql_value_int64(5));
    assert_built(c, t, "ffffffff 00000008 0000000000000005 ffffffff");
    set(c, t, "TAGS", cql_value_collection(tags));
    set(c, t, "street", cql_value_text("s"));
    assert_built(c, t, "00000001 73 00000008 0000000000000005 00000009 00000001 00000001 78");
    set(c, t, "street", cql_value_text("longer"));
    set(c, t, "tags", cql_value_null());
    set(c, t, "num", cql_value_int8(-2)); /* becomes a bigint, as at a bind */
    assert_built(c, t, "00000006 6c6f6e676572 00000008 fffffffffffffffe ffffffff");
    cql_collection_clear(c);
    set(c, t, "street", cql_value_text(""));
    assert_built(c, t, "00000000 ffffffff ffffffff");
    cql_collection_free(tags);
    cql_collection_free(c);
}

static void what_does_not_fit_its_field_leaves_all_as_it_was(void **state)
{
    (void)state;
    const cql_type *t = type(addr);
    cql_collection *c = made(CQL_TYPE_UDT), *ints = made(CQL_TYPE_LIST);
    assert_int_equal(cql_collection_set_field(c, t, "num", cql_value_text("5")), CQL_TYPE_MISMATCH);
    assert_built(c, t, "");
    set(c, t, "street", cql_value_text("s"));
    assert_int_equal(cql_collection_add(ints, cql_value_int32(1)), CQL_OK);
    assert_int_equal(cql_collection_set_field(c, t, "tags", cql_value_collection(ints)), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_collection_set_field(c, t, "street", cql_value_text("\xff")), CQL_BAD_VALUE);
    assert_int_equal(cql_collection_set_field(c, t, "zip", cql_value_null()), CQL_NO_SUCH_NAME);
    assert_int_equal(cql_collection_set_field(c, t, "num", cql_value_unset()), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_collection_set_field(c, t, "num", (cql_value){.state = CQL_VALUE_UNBOUND}), CQL_UNBOUND);
    assert_built(c, t, "00000001 73 ffffffff ffffffff");
    cql_collection_free(ints);
    cql_collection_free(c);
}

/* What was set tells its type where it is bound to another column. */
static void the_bind_knows_what_was_set(void **state)
{
    (void)state;
    cql_collection *c = made(CQL_TYPE_UDT);
    set(c, type(addr), "num", cql_value_int64(1));
    set(c, type(addr), "tags", cql_value_raw(CQL_TYPE_LIST, "\0\0\0\0", 4));
    set(c, type(addr), "street", cql_value_text("s"));
    cql_value v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(type(TYPE(STREET "," NUM "," TAGS)), &v), CQL_OK);
    assert_int_equal(cqln_value_check(type(TYPE(STREET ",6e756d:DoubleType," TAGS)), &v), CQL_TYPE_MISMATCH);
    assert_int_equal(cqln_value_check(type(TYPE(NUM "," STREET "," TAGS)), &v), CQL_TYPE_MISMATCH);
    assert_int_equal(cqln_value_check(type(TYPE(STREET "," NUM "," NUM)), &v), CQL_TYPE_MISMATCH);
    cql_collection_free(c);
}

/* In a list, and within another: the field's own type comes from cql_type_at. */
static void user_types_within_others_are_built_the_same_way(void **state)
{
    (void)state;
    const cql_type *outer = type(TYPE("6e:Int32Type,696e:UserType(6b,61," STREET "," NUM ")"));
    size_t i;
    assert_int_equal(cql_type_field_index(outer, "in", &i), CQL_OK);
    cql_collection *in = made(CQL_TYPE_UDT), *c = made(CQL_TYPE_UDT);
    set(in, cql_type_at(outer, i), "num", cql_value_int64(1));
    set(c, outer, "in", cql_value_collection(in));
    set(c, outer, "n", cql_value_int32(9));
    assert_built(c, outer, "00000004 00000009 00000010 ffffffff 00000008 0000000000000001");
    cql_value v = cql_value_collection(c), inner, num;
    assert_int_equal(cql_value_field(&v, outer, "in", &inner), CQL_OK);
    assert_int_equal(cql_value_field(&inner, cql_type_at(outer, i), "num", &num), CQL_OK);
    int64_t n = 0;
    assert_int_equal(cql_value_as_int64(&num, &n), CQL_OK);
    assert_int_equal(n, 1);
    assert_int_equal(cql_collection_set_field(c, outer, "in", cql_value_collection(c)), CQL_TYPE_MISMATCH);
    cql_collection_free(in);
    cql_collection_free(c);
}

/* ALTER TYPE … ADD: the builder has the old type, then the new one, then it is bound where the old one is known. */
static void a_type_that_got_a_field_goes_on(void **state)
{
    (void)state;
    const cql_type *old = type(TYPE(STREET)), *now = type(TYPE(STREET "," NUM));
    cql_collection *c = made(CQL_TYPE_UDT);
    set(c, old, "street", cql_value_text("s"));
    assert_built(c, now, "00000001 73");
    assert_int_equal(cql_collection_set_field(c, old, "num", cql_value_int64(1)), CQL_NO_SUCH_NAME);
    set(c, now, "num", cql_value_int64(1));
    assert_built(c, now, "00000001 73 00000008 0000000000000001");
    set(c, old, "street", cql_value_text("t"));
    assert_built(c, now, "00000001 74 00000008 0000000000000001");
    cql_value v = cql_value_collection(c);
    assert_int_equal(cqln_value_check(old, &v), CQL_BAD_VALUE); /* the server would refuse it too */
    cql_collection_free(c);
}

static bool build_failing(failmalloc *f, const cql_type *t)
{
    bool failed = false;
    cql_collection *c = NULL;
    char text[1000];
    memset(text, 'x', sizeof text);
    cql_value street = cql_value_str((cql_str){text, sizeof text});
    while (cql_collection_new(CQL_TYPE_UDT, &f->al, &c) == CQL_NO_MEMORY)
        failed = true;
    for (int i = 0; i < 3; i++) {
        while (cql_collection_set_field(c, t, "num", cql_value_int64(i)) == CQL_NO_MEMORY)
            failed = true;
        while (cql_collection_set_field(c, t, "street", street) == CQL_NO_MEMORY)
            failed = true;
    }
    cql_value v = cql_value_collection(c), num;
    int64_t n = 0;
    assert_int_equal(cqln_value_check(t, &v), CQL_OK);
    assert_int_equal(v.len, 4 + sizeof text + 4 + 8 + 4);
    assert_int_equal(cql_value_field(&v, t, "num", &num), CQL_OK);
    assert_int_equal(cql_value_as_int64(&num, &n), CQL_OK);
    assert_int_equal(n, 2);
    cql_collection_free(c);
    return failed;
}

static void any_failing_allocation_is_survived(void **state)
{
    (void)state;
    size_t n = 0;
    for (bool failed = true; failed; n++) {
        failmalloc f;
        failmalloc_init(&f);
        f.fail_at = n + 1;
        failed = build_failing(&f, type(addr));
        assert_int_equal(f.live, 0);
        assert_true(n < 1000);
    }
    assert_true(n > 3);
}

/* --- reading -------------------------------------------------------------------------------------- */

static cql_status read_field(const char *text, const char *bytes, const char *name, cql_value *out)
{
    hex b = hex_bytes(bytes);
    static uint8_t kept[100];
    assert_true(b.len <= sizeof kept);
    memcpy(kept, b.data, b.len);
    cql_value v = cql_value_raw(CQL_TYPE_UDT, kept, b.len);
    hex_free(&b);
    return cql_value_field(&v, type(text), name, out);
}

static void assert_field(const char *text, const char *bytes, const char *name, const char *want)
{
    cql_value out;
    assert_int_equal(read_field(text, bytes, name, &out), CQL_OK);
    assert_int_equal(cql_value_is_null(&out), want == NULL);
    if (want)
        assert_bytes(cql_value_bytes(&out), want);
}

static void fields_are_found_by_name(void **state)
{
    (void)state;
    static const char whole[] = "00000001 73 00000008 0000000000000005 00000004 00000000";
    assert_field(addr, whole, "street", "73");
    assert_field(addr, whole, "NUM", "0000000000000005");
    assert_field(addr, whole, "\"tags\"", "00000000");
    assert_field(addr, "ffffffff 00000000 fffffffe", "street", NULL);
    assert_field(addr, "ffffffff 00000000 fffffffe", "num", ""); /* empty is not null */
    assert_field(addr, "ffffffff 00000000 fffffffe", "tags", NULL);
}

static void fields_that_are_not_there_are_null(void **state)
{
    (void)state;
    cql_value none = cql_value_null(), out = cql_value_int32(1);
    assert_field(addr, "00000001 73", "street", "73");
    assert_field(addr, "00000001 73", "num", NULL);
    assert_field(addr, "00000001 73", "tags", NULL);
    assert_field(addr, "", "street", NULL);
    assert_int_equal(cql_value_field(&none, type(addr), "street", &out), CQL_OK);
    assert_true(cql_value_is_null(&out));
    assert_int_equal(cql_value_field(&none, type(addr), "zip", &out), CQL_NO_SUCH_NAME);
}

/* The server's type has got fields, or other names, since the one that is known here was got. */
static void an_altered_type_is_read_by_the_names_that_are_known(void **state)
{
    (void)state;
    static const char more[] = "00000001 73 00000008 0000000000000005";
    cql_value out;
    assert_field(TYPE(STREET), more, "street", "73");
    assert_int_equal(read_field(TYPE(STREET), more, "num", &out), CQL_NO_SUCH_NAME);
    assert_field(TYPE("726f6164:UTF8Type," NUM), more, "road", "73");
    assert_int_equal(read_field(TYPE("726f6164:UTF8Type," NUM), more, "street", &out), CQL_NO_SUCH_NAME);
}

static void malformed_values_are_told(void **state)
{
    (void)state;
    cql_value out = cql_value_int32(5);
    assert_int_equal(read_field(addr, "00000002 73", "street", &out), CQL_MALFORMED);
    assert_int_equal(read_field(addr, "00000002 73", "tags", &out), CQL_MALFORMED);
    assert_int_equal(read_field(addr, "000000", "num", &out), CQL_MALFORMED);
    assert_int_equal(out.u.bytes[3], 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_the_servers_or_as_in_cql),
        cmocka_unit_test(what_has_no_fields_is_told),
        cmocka_unit_test(fields_come_in_any_order_and_the_rest_is_null),
        cmocka_unit_test(what_does_not_fit_its_field_leaves_all_as_it_was),
        cmocka_unit_test(the_bind_knows_what_was_set),
        cmocka_unit_test(user_types_within_others_are_built_the_same_way),
        cmocka_unit_test(a_type_that_got_a_field_goes_on),
        cmocka_unit_test(any_failing_allocation_is_survived),
        cmocka_unit_test(fields_are_found_by_name),
        cmocka_unit_test(fields_that_are_not_there_are_null),
        cmocka_unit_test(an_altered_type_is_read_by_the_names_that_are_known),
        cmocka_unit_test(malformed_values_are_told),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
