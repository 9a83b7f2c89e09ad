/* [option] to type descriptors, and stepping over it. */
#include "types_help.h"

#define MARSHAL "org.apache.cassandra.db.marshal."

/* Reads an [option]; *left the bytes behind it. */
static cql_status read_hex(cqln_arena *a, const char *text, const cql_type **out, size_t *left)
{
    hex b = hex_bytes(text);
    cqln_reader rd;
    cqln_reader_init(&rd, b.data, b.len);
    cql_status st = cqln_type_read(&rd, a, out);
    *left = cqln_reader_left(&rd);
    cqln_reader_init(&rd, b.data, b.len);
    /* Stepping over it must agree in everything. */
    assert_int_equal(cqln_type_skip(&rd), st == CQL_OK);
    if (st == CQL_OK)
        assert_int_equal(cqln_reader_left(&rd), *left);
    hex_free(&b);
    return st;
}

static void scalars_are_static(void **state)
{
    (void)state;
    static const char *const texts[] = {"0001", "0002", "0003", "0004", "0005", "0006", "0007",
                                        "0008", "0009", "000b", "000c", "000d", "000e", "000f",
                                        "0010", "0011", "0012", "0013", "0014", "0015"};
    cqln_arena a;
    cqln_arena_init(&a, cqln_alloc_default(), 1); /* no room: nothing may be built */
    for (size_t i = 0; i < CQL_COUNT(texts); i++) {
        const cql_type *t = NULL;
        size_t left;
        assert_int_equal(read_hex(&a, texts[i], &t, &left), CQL_OK);
        assert_int_equal(left, 0);
        assert_int_equal(cql_type_of(t), strtol(texts[i], NULL, 16));
        assert_ptr_equal(t, cqln_type_scalar((uint16_t)cql_type_of(t)));
        assert_int_equal(cql_type_count(t), 0);
        assert_str(cql_type_name(t), cql_type_id_name(cql_type_of(t)));
    }
    cqln_arena_fini(&a);
}

static void ids_without_a_scalar_have_no_descriptor(void **state)
{
    (void)state;
    static const uint16_t ids[] = {0,    0x0a, 0x16, 0x1f,  0x20,  0x21,
                                   0x22, 0x30, 0x31, 0x100, 0xffff};
    for (size_t i = 0; i < CQL_COUNT(ids); i++)
        assert_null(cqln_type_scalar(ids[i]));
}

static void unknown_ids_are_opaque_columns(void **state)
{
    (void)state;
    static const char *const texts[] = {"000a", "0016", "0023", "0100", "7fff", "ffff"};
    cqln_arena a;
    cqln_arena_init(&a, cqln_alloc_default(), 1);
    for (size_t i = 0; i < CQL_COUNT(texts); i++) {
        const cql_type *t = NULL;
        size_t left;
        assert_int_equal(read_hex(&a, texts[i], &t, &left), CQL_OK);
        assert_int_equal(cql_type_of(t), CQL_TYPE_CUSTOM);
        assert_int_equal(cql_type_name(t).len, 0);
        cql_value v = cqln_value_view(t, (const uint8_t *)"xy", 2);
        cql_str s;
        assert_int_equal(cql_value_as_str(&v, &s), CQL_OK);
        assert_int_equal(s.len, 2);
    }
    cqln_arena_fini(&a);
}

static void nested_types_are_read(void **state)
{
    (void)state;
    cqln_arena a;
    const cql_type *t = NULL;
    size_t left;
    cqln_arena_init(&a, cqln_alloc_default(), 0);
    /* map<text, list<tuple<int, set<uuid>>>> and two bytes that follow */
    assert_int_equal(read_hex(&a, "0021 000d 0020 0031 0002 0009 0022 000c abcd", &t, &left),
                     CQL_OK);
    assert_int_equal(left, 2);
    assert_int_equal(cql_type_of(t), CQL_TYPE_MAP);
    assert_int_equal(cql_type_count(t), 2);
    assert_int_equal(cql_type_of(cql_type_at(t, 0)), CQL_TYPE_TEXT);
    assert_null(cql_type_at(t, 2));
    const cql_type *tuple = cql_type_at(cql_type_at(t, 1), 0);
    assert_int_equal(cql_type_of(tuple), CQL_TYPE_TUPLE);
    assert_int_equal(cql_type_of(cql_type_at(cql_type_at(tuple, 1), 0)), CQL_TYPE_UUID);
    cqln_arena_fini(&a);
}

static void user_types_keep_their_names(void **state)
{
    (void)state;
    cqln_arena a;
    const cql_type *t = NULL;
    size_t left;
    cqln_arena_init(&a, cqln_alloc_default(), 0);
    /* ks.addr(street text, num int); the bytes are gone when the names are read */
    assert_int_equal(read_hex(&a,
                              "0030 0002 6b73 0004 61646472 0002 0006 737472656574 000d "
                              "0003 6e756d 0009",
                              &t, &left),
                     CQL_OK);
    assert_str(cql_type_keyspace(t), "ks");
    assert_str(cql_type_name(t), "addr");
    assert_str(cql_type_field(t, 0), "street");
    assert_str(cql_type_field(t, 1), "num");
    assert_int_equal(cql_type_field(t, 2).len, 0);
    assert_int_equal(cql_type_of(cql_type_at(t, 1)), CQL_TYPE_INT);
    cqln_arena_fini(&a);
}

static void empty_and_repeated_fields_are_accepted(void **state)
{
    (void)state;
    cqln_arena a;
    const cql_type *t = NULL;
    size_t left;
    cqln_arena_init(&a, cqln_alloc_default(), 0);
    assert_int_equal(read_hex(&a, "0030 0000 0000 0000", &t, &left), CQL_OK);
    assert_int_equal(cql_type_count(t), 0);
    assert_int_equal(read_hex(&a, "0031 0000", &t, &left), CQL_OK);
    assert_int_equal(cql_type_count(t), 0);
    assert_int_equal(
        read_hex(&a, "0030 0001 6b 0001 74 0003 0000 0009 0001 61 0009 0001 61 000d", &t, &left),
        CQL_OK);
    assert_int_equal(cql_type_count(t), 3);
    assert_int_equal(cql_type_field(t, 0).len, 0);
    assert_str(cql_type_field(t, 2), "a");
    cqln_arena_fini(&a);
}

static const char nested_option[] = "0021 000d 0030 0002 6b73 0001 74 0002 0001 61 0031 0002 "
                                    "0009 0022 000c 0001 62 0000 0003 782e79";

static void prefix_is_malformed(const uint8_t *bytes, size_t len, void *user)
{
    (void)user;
    cqln_arena a;
    cqln_arena_init(&a, cqln_alloc_default(), 0);
    cqln_reader rd;
    const cql_type *t = NULL;
    cqln_reader_init(&rd, bytes, len);
    assert_int_equal(cqln_type_read(&rd, &a, &t), CQL_MALFORMED);
    assert_null(t);
    cqln_reader_init(&rd, bytes, len);
    assert_false(cqln_type_skip(&rd));
    cqln_arena_fini(&a);
}

static void every_prefix_is_malformed(void **state)
{
    (void)state;
    cqln_arena a;
    const cql_type *t = NULL;
    size_t left;
    hex b = hex_bytes(nested_option);
    guard_each_cut(b.data, b.len, prefix_is_malformed, NULL);
    hex_free(&b);
    cqln_arena_init(&a, cqln_alloc_default(), 0);
    assert_int_equal(read_hex(&a, nested_option, &t, &left), CQL_OK);
    assert_int_equal(left, 0);
    cqln_arena_fini(&a);
}

static void hostile_counts_take_no_memory(void **state)
{
    (void)state;
    static const char *const texts[] = {"0031 ffff",           "0031 ffff 0009",
                                        "0030 0000 0000 ffff", "0030 0000 0000 ffff 0000 0009",
                                        "0030 ffff 61",        "0000 ffff 61"};
    for (size_t i = 0; i < CQL_COUNT(texts); i++) {
        cqln_arena a;
        const cql_type *t = NULL;
        size_t left;
        cqln_arena_init(&a, cqln_alloc_default(), 0);
        assert_int_equal(read_hex(&a, texts[i], &t, &left), CQL_MALFORMED);
        assert_int_equal(a.total, 0);
        cqln_arena_fini(&a);
    }
}

static void unknown_id_at_the_deepest_level_is_opaque(void **state)
{
    (void)state;
    cqln_arena a;
    const cql_type *t = NULL;
    size_t left;
    char text[4 * CQLN_TYPE_DEPTH + 5];
    for (size_t i = 0; i < CQLN_TYPE_DEPTH; i++)
        memcpy(text + 4 * i, "0020", 4);
    memcpy(text + 4 * (size_t)CQLN_TYPE_DEPTH, "00a0", 5);
    cqln_arena_init(&a, cqln_alloc_default(), 0);
    assert_int_equal(read_hex(&a, text, &t, &left), CQL_OK);
    while (cql_type_at(t, 0))
        t = cql_type_at(t, 0);
    assert_int_equal(cql_type_of(t), CQL_TYPE_CUSTOM);
    cqln_arena_fini(&a);
}

/* `levels` times list around an int. */
static cql_status read_lists(uint16_t outer, size_t levels, bool *skipped)
{
    size_t each = outer == CQL_TYPE_TUPLE ? 4 : 2;
    size_t len = levels * each + 2;
    uint8_t *bytes = calloc(1, len);
    assert_non_null(bytes);
    for (size_t i = 0; i < levels; i++) {
        cqln_store_u16(bytes + i * each, outer);
        if (each == 4)
            cqln_store_u16(bytes + i * each + 2, 1);
    }
    cqln_store_u16(bytes + len - 2, CQL_TYPE_INT);
    cqln_arena a;
    cqln_arena_init(&a, cqln_alloc_default(), 0);
    cqln_reader rd;
    const cql_type *t = NULL;
    cqln_reader_init(&rd, bytes, len);
    cql_status st = cqln_type_read(&rd, &a, &t);
    cqln_reader_init(&rd, bytes, len);
    *skipped = cqln_type_skip(&rd);
    cqln_arena_fini(&a);
    free(bytes);
    return st;
}

static void nesting_ends_at_the_limit(void **state)
{
    (void)state;
    static const uint16_t outer[] = {CQL_TYPE_LIST, CQL_TYPE_SET, CQL_TYPE_TUPLE};
    bool skipped;
    for (size_t i = 0; i < CQL_COUNT(outer); i++) {
        assert_int_equal(read_lists(outer[i], CQLN_TYPE_DEPTH, &skipped), CQL_OK);
        assert_true(skipped);
        assert_int_equal(read_lists(outer[i], CQLN_TYPE_DEPTH + 1, &skipped), CQL_MALFORMED);
        assert_false(skipped);
        assert_int_equal(read_lists(outer[i], 10000, &skipped), CQL_MALFORMED);
        assert_false(skipped);
    }
}

static void custom_option_gives_the_known_type(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        cql_type_id id;
    } classes[] = {
        {MARSHAL "DurationType", CQL_TYPE_DURATION},
        {"com.example.PointType", CQL_TYPE_CUSTOM},
        {"", CQL_TYPE_CUSTOM},
    };
    for (size_t i = 0; i < CQL_COUNT(classes); i++) {
        size_t len = strlen(classes[i].text);
        uint8_t *bytes = malloc(4 + len);
        assert_non_null(bytes);
        cqln_store_u16(bytes, 0);
        cqln_store_u16(bytes + 2, (uint16_t)len);
        memcpy(bytes + 4, classes[i].text, len);
        cqln_arena a;
        cqln_arena_init(&a, cqln_alloc_default(), 0);
        cqln_reader rd;
        const cql_type *t = NULL;
        cqln_reader_init(&rd, bytes, len + 4);
        assert_int_equal(cqln_type_read(&rd, &a, &t), CQL_OK);
        free(bytes);
        assert_int_equal(cql_type_of(t), classes[i].id);
        if (classes[i].id == CQL_TYPE_CUSTOM)
            assert_str(cql_type_name(t), classes[i].text);
        cqln_arena_fini(&a);
    }
}

static void accessors_take_null(void **state)
{
    (void)state;
    assert_int_equal(cql_type_of(NULL), CQL_TYPE_CUSTOM);
    assert_int_equal(cql_type_count(NULL), 0);
    assert_null(cql_type_at(NULL, 0));
    assert_int_equal(cql_type_dimension(NULL), 0);
    assert_int_equal(cql_type_name(NULL).len, 0);
    assert_int_equal(cql_type_keyspace(NULL).len, 0);
    assert_int_equal(cql_type_field(NULL, 0).len, 0);
    assert_string_equal(cql_type_id_name((cql_type_id)0x77), "unknown");
    assert_string_equal(cql_type_id_name((cql_type_id)0x10009), "unknown");
    assert_string_equal(cql_type_id_name(CQL_TYPE_VECTOR), "vector");
    assert_string_equal(cql_type_id_name(CQL_TYPE_UDT), "udt");
}

static cql_status read_nested(const cql_allocator *al, void *user)
{
    const hex *b = user;
    cqln_arena a;
    cqln_arena_init(&a, al, 0);
    cqln_reader rd;
    const cql_type *t = NULL;
    cqln_reader_init(&rd, b->data, b->len);
    cql_status st = cqln_type_read(&rd, &a, &t);
    assert_true((st == CQL_OK) == (t != NULL));
    cqln_arena_fini(&a);
    return st;
}

static void memory_that_ends_is_a_status(void **state)
{
    (void)state;
    hex b = hex_bytes(nested_option);
    assert_true(failmalloc_each(read_nested, &b, false) >= 1);
    /* An arena takes blocks; its cap reaches every single piece. */
    cql_status st = CQL_NO_MEMORY;
    size_t max = 1;
    for (; st != CQL_OK; max += 8) {
        cqln_arena a;
        cqln_arena_init(&a, cqln_alloc_default(), max);
        cqln_reader rd;
        const cql_type *t = NULL;
        cqln_reader_init(&rd, b.data, b.len);
        st = cqln_type_read(&rd, &a, &t);
        assert_true(st == CQL_OK || st == CQL_NO_MEMORY);
        assert_true((st == CQL_OK) == (t != NULL));
        cqln_arena_fini(&a);
    }
    assert_true(max > 200);
    hex_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_are_static),
        cmocka_unit_test(ids_without_a_scalar_have_no_descriptor),
        cmocka_unit_test(unknown_ids_are_opaque_columns),
        cmocka_unit_test(nested_types_are_read),
        cmocka_unit_test(user_types_keep_their_names),
        cmocka_unit_test(empty_and_repeated_fields_are_accepted),
        cmocka_unit_test(every_prefix_is_malformed),
        cmocka_unit_test(hostile_counts_take_no_memory),
        cmocka_unit_test(nesting_ends_at_the_limit),
        cmocka_unit_test(unknown_id_at_the_deepest_level_is_opaque),
        cmocka_unit_test(custom_option_gives_the_known_type),
        cmocka_unit_test(accessors_take_null),
        cmocka_unit_test(memory_that_ends_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
