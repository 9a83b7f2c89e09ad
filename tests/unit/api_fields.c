/* Rows to structs and back: every kind of member, nulls told apart, misfits explained. */
#include "api/statement.h"
#include "unit.h"

#include "cluster/result.h"

#include <cqlnative/fields.h>

typedef struct everything {
    bool flag;
    int8_t tiny;
    int16_t small;
    int32_t number;
    int64_t big;
    uint32_t positive;
    float f;
    double d;
    cql_uuid id;
    cql_inet from;
    cql_duration span;
    char name[8];
    uint8_t hash[3];
    float embedding[2];
    cql_str note;
    bool has_note;
    cql_value any;
    int32_t day;
} everything;

static const cql_field all[] = {
    CQL_FIELD(everything, flag, "a"),      CQL_FIELD(everything, tiny, "b"),
    CQL_FIELD(everything, small, "c"),     CQL_FIELD(everything, number, "d"),
    CQL_FIELD(everything, big, "e"),       CQL_FIELD(everything, positive, "f"),
    CQL_FIELD(everything, f, "g"),         CQL_FIELD(everything, d, "h"),
    CQL_FIELD(everything, id, "i"),        CQL_FIELD(everything, from, "j"),
    CQL_FIELD(everything, span, "k"),      CQL_FIELD(everything, name, "l"),
    CQL_FIELD(everything, hash, "m"),      CQL_FIELD(everything, embedding, "n"),
    CQL_FIELD_OPT(everything, note, has_note, "o"),
    CQL_FIELD(everything, any, "p"),       CQL_FIELD(everything, day, "q"),
};

/* Columns a to q, the vector as its class. */
#define SPEC                                                                                       \
    "0002 6b73 0001 74"                                                                            \
    "0001 61 0004  0001 62 0014  0001 63 0013  0001 64 0009  0001 65 000b  0001 66 000e"           \
    "0001 67 0008  0001 68 0007  0001 69 000c  0001 6a 0010  0001 6b 0015  0001 6c 000d"           \
    "0001 6d 0003  0001 6e 0000 0059"                                                              \
    "6f72672e6170616368652e63617373616e6472612e64622e6d61727368616c2e566563746f7254797065"         \
    "286f72672e6170616368652e63617373616e6472612e64622e6d61727368616c2e466c6f617454797065"         \
    "202c203229"                                                                                   \
    "0001 6f 000d  0001 70 0002  0001 71 0011"

#define CELLS                                                                                      \
    "00000001 01  00000001 fe  00000002 fffe  00000004 7fffffff  00000008 fffffffffffffffe"        \
    "00000002 0100  00000004 3fc00000  00000008 3ff8000000000000"                                  \
    "00000010 000102030405060708090a0b0c0d0e0f  00000004 7f000001  00000003 020406"                \
    "00000002 6869  00000003 aabbcc  00000008 3f80000040000000"

static const char two_rows[] = "00000002 00000001 00000011" SPEC "00000002" CELLS
                               "00000001 78 00000008 0000000000000005 00000004 80000001" CELLS
                               "ffffffff ffffffff 00000004 7fffffff";

typedef struct decoded {
    hex bytes;
    cql_result res;
    cqln_metadata *fresh;
    cql_rows rows;
} decoded;

static void decode(decoded *d, const char *text)
{
    d->bytes = hex_bytes(text);
    assert_int_equal(cqln_result_decode(&d->res, cqln_alloc_default(), d->bytes.data, d->bytes.len,
                                        0, NULL, NULL, &d->fresh),
                     CQL_OK);
    cql_rows_init(&d->rows, &d->res);
}

static void done(decoded *d)
{
    cqln_result_done(&d->res);
    cqln_metadata_unref(d->fresh);
    hex_free(&d->bytes);
}

static void check_first(const everything *e)
{
    static const uint8_t hash[3] = {0xaa, 0xbb, 0xcc};
    assert_true(e->flag);
    assert_int_equal(e->tiny, -2);
    assert_int_equal(e->small, -2);
    assert_int_equal(e->number, INT32_MAX);
    assert_true(e->big == -2 && e->positive == 256);
    assert_true(e->f > 1.4f && e->f < 1.6f && e->d > 1.4 && e->d < 1.6);
    assert_int_equal(e->id.bytes[15], 15);
    assert_int_equal(e->from.len, 4);
    assert_int_equal(e->span.nanos, 3);
    assert_string_equal(e->name, "hi");
    assert_memory_equal(e->hash, hash, sizeof hash);
    assert_true(e->embedding[1] > 1.9f && e->embedding[1] < 2.1f);
}

static void rows_become_structs(void **state)
{
    (void)state;
    decoded d;
    everything e[3];
    size_t n = 9;
    memset(e, 0xee, sizeof e);
    decode(&d, two_rows);
    assert_int_equal(cql_rows_scan(&d.rows, all, CQL_COUNT(all), e, sizeof e[0], 3, &n, NULL),
                     CQL_OK);
    assert_int_equal(n, 2);
    check_first(&e[0]);
    check_first(&e[1]);
    assert_true(e[0].has_note && cql_str_equal(e[0].note, cql_str_of("x")));
    assert_true(!e[1].has_note && !e[1].note.ptr);
    assert_int_equal(e[0].any.state, CQL_VALUE_SET);
    assert_int_equal(e[1].any.state, CQL_VALUE_NULL);
    assert_int_equal(e[0].day, 1);
    assert_int_equal(e[1].day, -1);
    assert_int_equal(cql_rows_scan(&d.rows, all, CQL_COUNT(all), e, sizeof e[0], 3, &n, NULL),
                     CQL_OK);
    assert_int_equal(n, 0);
    done(&d);
}

/* As many bytes apart as the program likes: members may lie anywhere. */
static void structs_may_lie_at_odd_addresses(void **state)
{
    (void)state;
    enum { STRIDE = sizeof(everything) + 1 };
    decoded d;
    everything e;
    size_t n = 0;
    cql_statement *st = NULL;
    char *bytes = malloc(2 * STRIDE);
    assert_non_null(bytes);
    decode(&d, two_rows);
    assert_int_equal(cql_rows_scan(&d.rows, all, CQL_COUNT(all), bytes, STRIDE, 2, &n, NULL), CQL_OK);
    assert_int_equal(n, 2);
    memcpy(&e, bytes + STRIDE, sizeof e);
    check_first(&e);
    assert_int_equal(cql_statement_new("INSERT", CQL_COUNT(all), NULL, &st), CQL_OK);
    assert_int_equal(cql_statement_bind_struct(st, all, CQL_COUNT(all), bytes + STRIDE, NULL), CQL_OK);
    cqln_values_bytes v = cqln_statement_values(st);
    hex odd = {NULL, v.bytes.len};
    odd.data = malloc(odd.len);
    memcpy(odd.data, v.bytes.ptr, odd.len);
    assert_int_equal(cql_statement_bind_struct(st, all, CQL_COUNT(all), &e, NULL), CQL_OK);
    v = cqln_statement_values(st);
    assert_int_equal(v.bytes.len, odd.len);
    assert_memory_equal(v.bytes.ptr, odd.data, odd.len);
    free(odd.data);
    cql_statement_free(st);
    free(bytes);
    done(&d);
}

static void a_scan_goes_on_where_the_last_one_ended(void **state)
{
    (void)state;
    decoded d;
    everything e;
    size_t n = 0;
    decode(&d, two_rows);
    assert_int_equal(cql_rows_scan(&d.rows, all, CQL_COUNT(all), &e, sizeof e, 1, &n, NULL), CQL_OK);
    assert_true(n == 1 && e.has_note);
    assert_int_equal(cql_rows_scan(&d.rows, all, CQL_COUNT(all), &e, sizeof e, 1, &n, NULL), CQL_OK);
    assert_true(n == 1 && !e.has_note);
    done(&d);
}

static void refused(const char *rows, const cql_field *f, cql_status wanted, const char *a,
                    const char *b)
{
    decoded d;
    everything e;
    size_t n = 9;
    cql_error *err = NULL;
    decode(&d, rows);
    assert_int_equal(cql_rows_scan(&d.rows, f, 1, &e, sizeof e, 5, &n, &err), wanted);
    assert_int_equal(n, 0);
    assert_non_null(strstr(cql_error_text(err), a));
    assert_non_null(strstr(cql_error_text(err), b));
    cql_error_unref(err);
    done(&d);
}

static void misfits_are_explained(void **state)
{
    (void)state;
    static const cql_field none = CQL_FIELD(everything, number, "zz");
    static const cql_field type = CQL_FIELD(everything, number, "l");
    static const cql_field dimension = {"n", 0, 12, CQL_FIELD_ALWAYS, CQL_FIELD_FLOATS};
    static const cql_field small = CQL_FIELD(everything, tiny, "d");
    static const cql_field negative = CQL_FIELD(everything, positive, "b");
    static const cql_field longer = {"l", 0, 2, CQL_FIELD_ALWAYS, CQL_FIELD_CHARS};
    static const cql_field bytes = {"m", 0, 2, CQL_FIELD_ALWAYS, CQL_FIELD_BYTES};
    static const cql_field unsound = {"d", 0, 3, CQL_FIELD_ALWAYS, CQL_FIELD_INT};
    refused(two_rows, &none, CQL_NO_SUCH_NAME, "zz", "column");
    refused(two_rows, &type, CQL_TYPE_MISMATCH, "text", "integer");
    refused(two_rows, &dimension, CQL_TYPE_MISMATCH, "vector<float, 2>", "float[3]");
    refused(two_rows, &small, CQL_BAD_VALUE, "row 1", "\"d\" (int)");
    refused(two_rows, &negative, CQL_BAD_VALUE, "unsigned", "tinyint");
    refused(two_rows, &longer, CQL_TOO_LARGE, "\"l\"", "char[]");
    refused(two_rows, &bytes, CQL_BAD_VALUE, "blob", "2 bytes");
    refused(two_rows, &unsound, CQL_BAD_ARGUMENT, "3 bytes", "d");
}

static void a_null_needs_a_place(void **state)
{
    (void)state;
    static const cql_field note[] = {CQL_FIELD(everything, note, "o")};
    decoded d;
    everything e[2];
    size_t n = 0;
    cql_error *err = NULL;
    decode(&d, two_rows);
    assert_int_equal(cql_rows_scan(&d.rows, note, 1, e, sizeof e[0], 2, &n, &err), CQL_IS_NULL);
    assert_int_equal(n, 1); /* the first one is whole */
    assert_non_null(strstr(cql_error_text(err), "row 2"));
    cql_error_unref(err);
    done(&d);
}

/* The struct that was read, bound to a statement, is the row again. */
static void structs_become_rows(void **state)
{
    (void)state;
    decoded d;
    everything e;
    cql_statement *st = NULL;
    size_t n = 0;
    cqln_values_bytes v;
    decode(&d, two_rows);
    const cqln_prepared_head head = {.bind = cqln_metadata_ref(d.fresh),
                                     .result = cqln_metadata_ref(d.fresh)};
    cql_prepared *p = NULL;
    assert_int_equal(cqln_prepared_new(cqln_alloc_default(), cql_str_of("INSERT"), cql_str_of(""),
                                       &head, &p),
                     CQL_OK);
    st = cql_prepared_bind(p);
    assert_non_null(st);
    assert_int_equal(cql_rows_scan(&d.rows, all, CQL_COUNT(all), &e, sizeof e, 1, &n, NULL), CQL_OK);
    assert_int_equal(cql_statement_bind_struct(st, all, CQL_COUNT(all), &e, NULL), CQL_OK);
    v = cqln_statement_values(st);
    assert_hex(v.bytes.ptr, v.bytes.len, CELLS "00000001 78 00000008 0000000000000005"
                                               "00000004 80000001");
    e.has_note = false;
    e.any = cql_value_null();
    e.day = -1;
    assert_int_equal(cql_statement_bind_struct(st, all, CQL_COUNT(all), &e, NULL), CQL_OK);
    v = cqln_statement_values(st);
    assert_hex(v.bytes.ptr, v.bytes.len, CELLS "ffffffff ffffffff 00000004 7fffffff");
    static const cql_field wrong[] = {CQL_FIELD(everything, number, "l")};
    static const cql_field unknown[] = {CQL_FIELD(everything, number, "nobody")};
    static const cql_field narrow[] = {CQL_FIELD(everything, number, "b")};
    cql_error *err = NULL;
    assert_int_equal(cql_statement_bind_struct(st, wrong, 1, &e, &err), CQL_TYPE_MISMATCH);
    assert_non_null(strstr(cql_error_text(err), "text"));
    assert_int_equal(cql_statement_bind_struct(st, unknown, 1, &e, &err), CQL_NO_SUCH_NAME);
    assert_non_null(strstr(cql_error_text(err), "nobody"));
    assert_int_equal(cql_statement_bind_struct(st, narrow, 1, &e, &err), CQL_BAD_VALUE);
    assert_non_null(strstr(cql_error_text(err), "tinyint"));
    cql_error_unref(err);
    cql_statement_free(st);
    cql_prepared_unref(p);
    done(&d);
}

static void structs_bind_without_preparing(void **state)
{
    (void)state;
    static const cql_field some[] = {CQL_FIELD(everything, number, "x"),
                                     CQL_FIELD(everything, name, "y"),
                                     CQL_FIELD(everything, positive, "z")};
    cql_statement *st = NULL;
    everything e = {.number = 1, .name = "ab", .positive = 2};
    assert_int_equal(cql_statement_new("INSERT", 3, NULL, &st), CQL_OK);
    assert_int_equal(cql_statement_bind_struct(st, some, 3, &e, NULL), CQL_OK);
    cqln_values_bytes v = cqln_statement_values(st);
    assert_hex(v.bytes.ptr, v.bytes.len, "00000004 00000001 00000002 6162 00000004 00000002");
    assert_int_equal(cql_statement_bind_struct(st, all, CQL_COUNT(all), &e, NULL),
                     CQL_OUT_OF_RANGE);
    assert_int_equal(cql_statement_bind_struct(st, NULL, 1, &e, NULL), CQL_BAD_ARGUMENT);
    cql_statement_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_structs),
        cmocka_unit_test(structs_may_lie_at_odd_addresses),
        cmocka_unit_test(a_scan_goes_on_where_the_last_one_ended),
        cmocka_unit_test(misfits_are_explained),
        cmocka_unit_test(a_null_needs_a_place),
        cmocka_unit_test(structs_become_rows),
        cmocka_unit_test(structs_bind_without_preparing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
