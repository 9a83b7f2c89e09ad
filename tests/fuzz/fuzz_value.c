/* Values under any type: an [option], then the bytes of a value. They are read by every getter,
 * checked, walked, printed both ways, and what is well-formed is built again from its elements. */
#include "fuzz.h"

#include "types/value.h"

enum { MOST_MEMORY = 1 << 24, BUFFER = 256 };

/* Every getter on every type: only the bytes of the value may be touched. */
static void read_all_ways(const cql_value *v)
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
    cql_value_as_bool(v, &b);
    cql_value_as_int8(v, &i8);
    cql_value_as_int16(v, &i16);
    cql_value_as_int32(v, &i32);
    cql_value_as_int64(v, &i64);
    cql_value_as_float(v, &f);
    cql_value_as_double(v, &d);
    cql_value_as_date(v, &i32);
    cql_value_as_duration(v, &du);
    cql_value_as_uuid(v, &u);
    cql_value_as_inet(v, &in);
    cql_value_as_str(v, &s);
    cql_value_as_decimal(v, &i32, &s);
}

typedef cql_status (*print_fn)(const cql_value *v, const cql_type *type, char *buf, size_t cap,
                               size_t *len);

/* Measured, then printed whole, then cut. */
static cql_status print_one_way(print_fn print, const cql_type *type, const cql_value *v)
{
    size_t len = 0;
    size_t again = 0;
    char small[BUFFER];
    cql_status st = print(v, type, NULL, 0, &len);
    FUZZ_CHECK(st == CQL_OK || st == CQL_MALFORMED || st == CQL_TOO_LARGE);
    FUZZ_CHECK(print(v, type, small, sizeof small, &again) == st && again == len);
    FUZZ_CHECK(strlen(small) <= len);
    if (st == CQL_OK && len < (1 << 20)) {
        char *whole = (char *)fuzz_block(len + 1);
        FUZZ_CHECK(print(v, type, whole, len + 1, &again) == CQL_OK && again == len);
        FUZZ_CHECK(strlen(whole) == len);
        FUZZ_CHECK(memcmp(whole, small, strlen(small)) == 0);
        free(whole);
    }
    return st;
}

static void print_both_ways(const cql_type *type, const cql_value *v, bool wellformed)
{
    cql_status text = print_one_way(cql_value_print, type, v);
    cql_status json = print_one_way(cql_value_print_json, type, v);
    FUZZ_CHECK(text == json);
    FUZZ_CHECK(!wellformed || text != CQL_MALFORMED);
}

static bool is_counted(const cql_type *type)
{
    return cql_type_of(type) == CQL_TYPE_LIST || cql_type_of(type) == CQL_TYPE_SET ||
           cql_type_of(type) == CQL_TYPE_MAP;
}

/* Walks; with `c` what is met is added to it. */
static cql_status walk(const cql_type *type, const cql_value *v, cql_collection *c)
{
    cql_items it;
    cql_value key;
    cql_value element;
    cql_items_init(&it, type, v);
    cql_str bytes = cql_value_bytes(v);
    while (cql_items_next(&it, &key, &element)) {
        cql_str part = cql_value_bytes(&element);
        FUZZ_CHECK(!part.ptr || (part.ptr >= bytes.ptr && part.len <= bytes.len));
        read_all_ways(&element);
        if (c && cql_type_of(type) == CQL_TYPE_MAP)
            FUZZ_CHECK(cql_collection_add_pair(c, key, element) == CQL_OK);
        else if (c)
            FUZZ_CHECK(cql_collection_add(c, element) == CQL_OK);
        /* Fields that are not there need no million rounds. */
        if (it.at == it.end && cql_value_is_null(&element))
            break;
    }
    return cql_items_status(&it);
}

static void build_again(const cql_type *type, const cql_value *v)
{
    cql_collection *c = NULL;
    FUZZ_CHECK(cql_collection_new(cql_type_of(type), NULL, &c) == CQL_OK);
    FUZZ_CHECK(walk(type, v, c) == CQL_OK);
    cql_value built = cql_value_collection(c);
    FUZZ_CHECK(cql_str_equal(cql_value_bytes(&built), cql_value_bytes(v)));
    FUZZ_CHECK(cqln_value_check(type, &built) == CQL_OK);
    cql_collection_free(c);
}

static void look_at(const cql_type *type, const cql_value *v)
{
    cql_status check = cqln_value_check(type, v);
    FUZZ_CHECK(check == CQL_OK || check == CQL_BAD_VALUE);
    FUZZ_CHECK(cqln_value_wellformed(type, cql_value_bytes(v)) == check);
    read_all_ways(v);
    print_both_ways(type, v, check == CQL_OK);
    cql_status walked = walk(type, v, NULL);
    if (check == CQL_OK && cql_type_count(type) > 0)
        FUZZ_CHECK(walked == CQL_OK);
    if (check == CQL_OK && is_counted(type))
        build_again(type, v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cqln_arena a;
    cqln_reader rd;
    const cql_type *type = NULL;
    cqln_arena_init(&a, cqln_alloc_default(), MOST_MEMORY);
    cqln_reader_init(&rd, data, size);
    if (cqln_type_read(&rd, &a, &type) == CQL_OK) {
        size_t len = cqln_reader_left(&rd);
        uint8_t *exact = fuzz_block(len);
        memcpy(exact, rd.at, len);
        cql_value v = cqln_value_view(type, exact, len);
        look_at(type, &v);
        free(exact);
    }
    cqln_arena_fini(&a);
    return 0;
}
