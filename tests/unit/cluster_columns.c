/* Whole columns, the answers of conditional statements, custom payloads, and what a kept page costs. */
#include "cluster/result.h"
#include "unit.h"

#include "base/alloc.h"

/* a int, b bigint, c double, d uuid, e boolean, f date, g text; two rows, the second of nulls. */
#define HEAD                                                                                       \
    "00000002 00000001 00000007 0002 6b73 0001 74 0001 61 0009 0001 62 000b 0001 63 0007"          \
    "0001 64 000c 0001 65 0004 0001 66 0011 0001 67 000d 00000002"
#define ROW                                                                                        \
    "00000004 fffffffe  00000008 fffffffffffffffd  00000008 3ff8000000000000"                      \
    "00000010 000102030405060708090a0b0c0d0e0f  00000001 01  00000004 80000001  00000001 78"
#define NULLS "ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff"

typedef struct decoded {
    hex bytes;
    cql_result res;
    cqln_metadata *fresh;
} decoded;

static void decode(decoded *d, const char *text, uint8_t flags)
{
    d->bytes = hex_bytes(text);
    assert_int_equal(cqln_result_decode(&d->res, cqln_alloc_default(), d->bytes.data, d->bytes.len,
                                        flags, NULL, NULL, &d->fresh),
                     CQL_OK);
}

static void done(decoded *d)
{
    cqln_result_done(&d->res);
    cqln_metadata_unref(d->fresh);
    hex_free(&d->bytes);
}

static void columns_become_arrays(void **state)
{
    (void)state;
    decoded d;
    bool nulls[2];
    int32_t i32[2];
    int64_t i64[2];
    double dbl[2];
    cql_uuid id[2];
    bool flag[2];
    size_t n = 0;
    decode(&d, HEAD ROW NULLS, 0);
    assert_int_equal(cql_result_column_int32(&d.res, 0, i32, nulls, 2, &n), CQL_OK);
    assert_true(n == 2 && i32[0] == -2 && i32[1] == 0 && !nulls[0] && nulls[1]);
    assert_int_equal(cql_result_column_int64(&d.res, 1, i64, nulls, 2, &n), CQL_OK);
    assert_true(n == 2 && i64[0] == -3 && i64[1] == 0 && nulls[1]);
    assert_int_equal(cql_result_column_double(&d.res, 2, dbl, nulls, 9, &n), CQL_OK);
    assert_true(n == 2 && dbl[0] > 1.4 && dbl[0] < 1.6);
    assert_int_equal(cql_result_column_uuid(&d.res, 3, id, nulls, 2, &n), CQL_OK);
    assert_true(id[0].bytes[15] == 15 && id[1].bytes[15] == 0);
    assert_int_equal(cql_result_column_bool(&d.res, 4, flag, nulls, 2, &n), CQL_OK);
    assert_true(flag[0] && !flag[1]);
    assert_int_equal(cql_result_column_int32(&d.res, 5, i32, nulls, 2, &n), CQL_OK);
    assert_int_equal(i32[0], 1);
    assert_int_equal(cql_result_column_int32(&d.res, 0, i32, NULL, 1, &n), CQL_OK);
    assert_int_equal(n, 1);
    assert_int_equal(cql_result_column_int32(&d.res, 0, i32, NULL, 2, &n), CQL_IS_NULL);
    assert_int_equal(cql_result_column_int32(&d.res, 1, i32, nulls, 2, &n), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_result_column_int64(&d.res, 6, i64, nulls, 2, &n), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_result_column_int64(&d.res, 7, i64, nulls, 2, &n), CQL_OUT_OF_RANGE);
    assert_int_equal(cql_result_column_int64(NULL, 0, i64, nulls, 2, &n), CQL_BAD_ARGUMENT);
    done(&d);
}

/* a smallint, b tinyint, c varint, d float, e double, f vector<float, 2>, g text. */
#define NUMBERS                                                                                    \
    "00000002 00000001 00000007 0002 6b73 0001 74 0001 61 0013 0001 62 0014 0001 63 000e 0001 64 0008 0001 65 0007" \
    "0001 66 0000 0058 6f72672e6170616368652e63617373616e6472612e64622e6d61727368616c2e566563" \
    "746f7254797065286f72672e6170616368652e63617373616e6472612e64622e6d6172" \
    "7368616c2e466c6f6174547970652c203229" \
    "0001 67 000d 00000001"
#define SMALL                                                                                      \
    "00000002 fffe 00000001 fd 00000003 010000 00000004 3fc00000 00000008 4004000000000000"           \
    "00000008 3f800000 c0000000 00000002 6869"
/* Each a byte too long, but for the text. */
#define LONG                                                                                       \
    "00000003 00fffe 00000002 00fd 00000009 010000000000000000 00000005 003fc00000"                   \
    "00000009 004004000000000000 00000009 003f800000c0000000 00000001 68"

static void numbers_of_every_size_are_read(void **state)
{
    (void)state;
    decoded d;
    cql_rows rows;
    int32_t i32;
    double dbl;
    float two[2];
    decode(&d, NUMBERS SMALL, 0);
    cql_rows_init(&rows, &d.res);
    assert_true(cql_rows_next(&rows));
    assert_int_equal(cql_rows_int32(&rows, 0), -2);
    assert_int_equal(cql_rows_int64(&rows, 0), -2);
    assert_int_equal(cql_rows_int32(&rows, 1), -3);
    assert_int_equal(cql_rows_int64(&rows, 2), 65536);
    assert_true(cql_rows_double(&rows, 3) == 1.5 && cql_rows_double(&rows, 4) == 2.5);
    assert_int_equal(cql_rows_status(&rows), CQL_OK);
    assert_int_equal(cql_result_column_int32(&d.res, 0, &i32, NULL, 1, NULL), CQL_OK);
    assert_int_equal(i32, -2);
    assert_int_equal(cql_result_column_int32(&d.res, 1, &i32, NULL, 1, NULL), CQL_OK);
    assert_int_equal(i32, -3);
    assert_int_equal(cql_result_column_double(&d.res, 3, &dbl, NULL, 1, NULL), CQL_OK);
    assert_true(dbl == 1.5);
    assert_int_equal(cql_result_column_floats(&d.res, 5, two, 2, NULL, 1, NULL), CQL_OK);
    assert_true(two[0] == 1 && two[1] == -2);
    assert_int_equal(cql_result_column_floats(&d.res, 5, two, 3, NULL, 1, NULL), CQL_TYPE_MISMATCH);
    assert_int_equal(cql_result_column_floats(&d.res, 6, two, 2, NULL, 1, NULL), CQL_TYPE_MISMATCH);
    done(&d);
}

typedef enum reading { INT32, INT64, DOUBLE, BOOL } reading;

/* The status of a reader that took one cell in that way. */
static cql_status read_as(const char *text, size_t column, reading how)
{
    decoded d;
    cql_rows rows;
    decode(&d, text, 0);
    cql_rows_init(&rows, &d.res);
    assert_true(cql_rows_next(&rows));
    assert_int_equal(cql_rows_failed_column(&rows), SIZE_MAX);
    int64_t zero = how == INT32    ? cql_rows_int32(&rows, column)
                   : how == INT64  ? cql_rows_int64(&rows, column)
                   : how == DOUBLE ? (int64_t)cql_rows_double(&rows, column)
                                   : cql_rows_bool(&rows, column);
    assert_int_equal(zero, 0);
    assert_int_equal(cql_rows_failed_column(&rows), column);
    cql_status st = cql_rows_status(&rows);
    done(&d);
    return st;
}

static void another_type_is_told_from_a_bad_length(void **state)
{
    static const struct {
        size_t column;
        reading how;
        cql_status of_small, of_long;
    } cases[] = {{2, INT32, CQL_TYPE_MISMATCH, CQL_TYPE_MISMATCH}, {6, INT64, CQL_TYPE_MISMATCH, CQL_TYPE_MISMATCH},
                 {6, DOUBLE, CQL_TYPE_MISMATCH, CQL_TYPE_MISMATCH}, {6, BOOL, CQL_TYPE_MISMATCH, CQL_TYPE_MISMATCH},
                 {0, INT32, CQL_OK, CQL_BAD_VALUE},                {1, INT64, CQL_OK, CQL_BAD_VALUE},
                 {2, INT64, CQL_OK, CQL_BAD_VALUE},                {3, DOUBLE, CQL_OK, CQL_BAD_VALUE},
                 {4, DOUBLE, CQL_OK, CQL_BAD_VALUE}};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        if (cases[i].of_small)
            assert_int_equal(read_as(NUMBERS SMALL, cases[i].column, cases[i].how), cases[i].of_small);
        assert_int_equal(read_as(NUMBERS LONG, cases[i].column, cases[i].how), cases[i].of_long);
    }
}

/* Every cut of the cells is malformed for the last column, and no byte behind is touched. */
static void cut(const uint8_t *bytes, size_t len, void *user)
{
    cql_result res;
    cqln_metadata *fresh;
    bool flag[2];
    bool nulls[2];
    size_t *seen = user;
    if (cqln_result_decode(&res, cqln_alloc_default(), bytes, len, 0, NULL, NULL, &fresh) != CQL_OK)
        return;
    assert_int_equal(cql_result_column_bool(&res, 4, flag, nulls, 2, NULL), CQL_MALFORMED);
    ++*seen;
    cqln_metadata_unref(fresh);
}

static void cut_columns_are_malformed(void **state)
{
    (void)state;
    size_t seen = 0;
    hex h = hex_bytes(HEAD ROW ROW);
    guard_each_cut(h.data, h.len, cut, &seen);
    assert_true(seen > 40);
    hex_free(&h);
}

static void values_of_wrong_length_are_told(void **state)
{
    (void)state;
    decoded d;
    int32_t i32;
    bool null;
    decode(&d, "00000002 00000001 00000001 0002 6b73 0001 74 0001 61 0009 00000001 00000000", 0);
    assert_int_equal(cql_result_column_int32(&d.res, 0, &i32, &null, 1, NULL), CQL_BAD_VALUE);
    done(&d);
}

#define APPLIED "00000002 00000001 00000002 0002 6b73 0001 74 0009 5b6170706c6965645d 0004 0001 76 0009"

static void conditional_answers_in_one_call(void **state)
{
    (void)state;
    decoded d;
    bool applied = false;
    cql_rows rows;
    decode(&d, "00000002 00000001 00000001 0002 6b73 0001 74 0009 5b6170706c6965645d 0004"
               "00000001 00000001 01", 0);
    assert_int_equal(cql_result_conditional(&d.res, &applied, &rows), CQL_OK);
    assert_true(applied && !cql_rows_next(&rows));
    done(&d);
    decode(&d, APPLIED "00000001 00000001 00 00000004 00000007", 0);
    assert_int_equal(cql_result_conditional(&d.res, &applied, &rows), CQL_OK);
    assert_false(applied);
    assert_true(cql_rows_next(&rows));
    assert_int_equal(cql_rows_int32(&rows, 1), 7);
    assert_false(cql_rows_next(&rows));
    done(&d);
    decode(&d, HEAD ROW NULLS, 0);
    assert_int_equal(cql_result_conditional(&d.res, &applied, NULL), CQL_TYPE_MISMATCH);
    done(&d);
    decode(&d, "00000001", 0);
    assert_int_equal(cql_result_conditional(&d.res, &applied, NULL), CQL_TYPE_MISMATCH);
    done(&d);
    decode(&d, APPLIED "00000000", 0);
    assert_int_equal(cql_result_conditional(&d.res, &applied, NULL), CQL_MALFORMED);
    done(&d);
}

static void payload_entries_are_found(void **state)
{
    (void)state;
    decoded d;
    cql_str name;
    cql_str bytes = {NULL, 0};
    decode(&d, "0003 0001 6b 00000002 7677 0001 6e ffffffff 0001 65 00000000 00000001", 4);
    assert_int_equal(cql_result_payload_count(&d.res), 3);
    assert_int_equal(cql_result_payload(&d.res, "k", &bytes), CQL_OK);
    assert_true(cql_str_equal(bytes, cql_str_of("vw")));
    assert_int_equal(cql_result_payload_at(&d.res, 1, &name, &bytes), CQL_OK);
    assert_true(cql_str_equal(name, cql_str_of("n")) && !bytes.ptr);
    assert_int_equal(cql_result_payload(&d.res, "e", &bytes), CQL_OK);
    assert_true(bytes.ptr && bytes.len == 0);
    assert_int_equal(cql_result_payload(&d.res, "z", &bytes), CQL_NO_SUCH_NAME);
    assert_int_equal(cql_result_payload_at(&d.res, 3, NULL, NULL), CQL_OUT_OF_RANGE);
    done(&d);
}

/* --- memory ------------------------------------------------------------------------------------------- */

static size_t asked;

static void *count_malloc(void *context, size_t size)
{
    (void)context;
    asked += size;
    return malloc(size);
}

static void *count_realloc(void *context, void *block, size_t size)
{
    (void)context;
    asked += size;
    return realloc(block, size);
}

static void count_free(void *context, void *block)
{
    (void)context;
    free(block);
}

static const cql_allocator counting = {NULL, count_malloc, count_realloc, count_free};

/* A page of 5,000 rows of an int and a blob of 100 bytes, without metadata: 540 KB. */
static size_t large_page(uint8_t **out)
{
    enum { ROWS = 5000, ROW_BYTES = 4 + 4 + 4 + 100 };
    size_t size = 16 + (size_t)ROWS * ROW_BYTES;
    uint8_t *p = *out = calloc(1, size);
    assert_non_null(p);
    cqln_store_u32(p, CQLN_RESULT_ROWS);
    cqln_store_u32(p + 4, CQLN_ROWS_NO_METADATA);
    cqln_store_u32(p + 8, 2);
    cqln_store_u32(p + 12, ROWS);
    for (uint8_t *row = p + 16; row < p + size; row += ROW_BYTES) {
        cqln_store_u32(row, 4);
        cqln_store_u32(row + 8, 100);
    }
    return size;
}

static void a_kept_page_costs_its_body_and_little_more(void **state)
{
    (void)state;
    decoded known;
    uint8_t *page;
    cql_result res;
    cqln_metadata *fresh;
    decode(&known, "00000002 00000001 00000002 0002 6b73 0001 74 0001 61 0009 0001 62 0003 00000000",
           0);
    size_t size = large_page(&page);
    asked = 0;
    assert_int_equal(cqln_result_decode(&res, &counting, page, size, 0, NULL, known.fresh, &fresh),
                     CQL_OK);
    cql_result *kept = cql_result_ref(&res);
    assert_non_null(kept);
    print_message("a kept page of %zu bytes takes %zu bytes more\n", size, asked - size);
    assert_true(asked >= size && asked - size < 4096);
    assert_ptr_equal(kept->metadata, known.fresh); /* borrowed, counted */
    cql_rows rows;
    cql_rows_init(&rows, kept);
    size_t before = asked;
    size_t n = 0;
    while (cql_rows_next(&rows))
        n += cql_rows_str(&rows, 1).len + (size_t)cql_rows_int32(&rows, 0);
    assert_int_equal(n, 500000);
    assert_int_equal(asked, before); /* reading takes none */
    cql_result_unref(kept);
    free(page);
    done(&known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_become_arrays),
        cmocka_unit_test(numbers_of_every_size_are_read),
        cmocka_unit_test(another_type_is_told_from_a_bad_length),
        cmocka_unit_test(cut_columns_are_malformed),
        cmocka_unit_test(values_of_wrong_length_are_told),
        cmocka_unit_test(conditional_answers_in_one_call),
        cmocka_unit_test(payload_entries_are_found),
        cmocka_unit_test(a_kept_page_costs_its_body_and_little_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
