/* Prepared statements: what they own, and how many versions of their metadata they keep. */
#include "meta/prepared.h"
#include "respond.h"
#include "unit.h"

static const respond_column columns[] = {{"k", CQL_TYPE_INT}, {"v", CQL_TYPE_TEXT}};
static const respond_table two = {"ks", "t", columns, 2};

/* The views in head lie in an answer that stays until the next one. */
static void decode_table(const cql_allocator *al, const respond_table *t, cqln_prepared_head *head, cql_status *st)
{
    static uint8_t answer[1024];
    cqln_writer wr;
    cqln_reader rd;
    cqln_writer_init(&wr, cqln_alloc_default(), 1 << 20);
    respond_prepared(&wr, 5, 1, cql_str_of("0123456789abcdef"), cql_str_of("metadata-id-0001"), t,
                     NULL, 0, t);
    assert_int_equal(wr.status, CQL_OK);
    assert_in_range(wr.len, CQLN_FRAME_HEADER, sizeof answer);
    memcpy(answer, wr.data, wr.len);
    cqln_reader_init(&rd, answer + CQLN_FRAME_HEADER, wr.len - CQLN_FRAME_HEADER);
    assert_int_equal(cqln_read_u32(&rd), CQLN_RESULT_PREPARED);
    cqln_writer_fini(&wr);
    *st = cqln_decode_prepared(&rd, 5, al, head);
}

static void decode(const cql_allocator *al, cqln_prepared_head *head, cql_status *st)
{
    decode_table(al, &two, head, st);
}

static cql_status make(const cql_allocator *al, const char *cql, cql_prepared **out)
{
    cqln_prepared_head head;
    cql_status st;
    *out = NULL;
    decode(al, &head, &st);
    if (st)
        return st;
    st = cqln_prepared_new(al, cql_str_of(cql), cql_str_of("ks"), &head, out);
    if (st) {
        cqln_metadata_unref(head.bind);
        cqln_metadata_unref(head.result);
    }
    return st;
}

static void it_keeps_text_id_and_markers(void **state)
{
    (void)state;
    cql_prepared *p;
    assert_int_equal(make(cqln_alloc_default(), "SELECT * FROM t WHERE k = ?", &p), CQL_OK);
    assert_true(cql_str_equal(cql_prepared_cql(p), cql_str_of("SELECT * FROM t WHERE k = ?")));
    assert_true(cql_str_equal(p->id, cql_str_of("0123456789abcdef")));
    assert_int_equal(cql_prepared_marker_count(p), 2);
    assert_true(cql_str_equal(cql_prepared_marker_name(p, 1), cql_str_of("v")));
    assert_int_equal(cql_type_of(cql_prepared_marker_type(p, 0)), CQL_TYPE_INT);
    assert_null(cql_prepared_marker_type(p, 2));
    assert_ptr_equal(cql_prepared_ref(p), p);
    cql_prepared_unref(p);
    cql_prepared_unref(p);
    cql_prepared_unref(NULL);
}

static bool star(const char *cql)
{
    cql_prepared *p;
    assert_int_equal(make(cqln_alloc_default(), cql, &p), CQL_OK);
    bool result = p->select_star;
    cql_prepared_unref(p);
    return result;
}

static void a_star_is_noticed_but_not_that_of_count(void **state)
{
    (void)state;
    assert_true(star("SELECT * FROM t"));
    assert_true(star("select json * from t"));
    assert_false(star("SELECT count(*) FROM t"));
    assert_false(star("SELECT k, v FROM t"));
}

static cqln_metadata *markers_of(const respond_table *t)
{
    cqln_prepared_head head;
    cql_status st;
    decode_table(cqln_alloc_default(), t, &head, &st);
    assert_int_equal(st, CQL_OK);
    cqln_metadata_unref(head.result);
    return head.bind;
}

static void metadata_are_the_same_if_every_column_is(void **state)
{
    (void)state;
    static const respond_column names[] = {{"k", CQL_TYPE_INT}, {"w", CQL_TYPE_TEXT}};
    static const respond_column types[] = {{"k", CQL_TYPE_INT}, {"v", CQL_TYPE_BLOB}};
    static const respond_table tables[] = {{"ks", "t", columns, 2}, {"ks", "t", columns, 1},
                                           {"ks", "u", columns, 2}, {"kt", "t", columns, 2},
                                           {"ks", "t", names, 2},   {"ks", "t", types, 2}};
    for (size_t i = 0; i < CQL_COUNT(tables); i++) {
        for (size_t k = 0; k < CQL_COUNT(tables); k++) {
            cqln_metadata *a = markers_of(&tables[i]), *b = markers_of(&tables[k]);
            assert_int_equal(cqln_metadata_same(a, b), i == k);
            cqln_metadata_unref(a);
            cqln_metadata_unref(b);
        }
    }
}

/* A table that was made anew with another key: rows are in other partitions. */
static void metadata_of_another_key_are_others(void **state)
{
    (void)state;
    static const uint16_t first = 0, second = 1, both[] = {0, 1};
    cqln_metadata *a = markers_of(&two), *b = markers_of(&two);
    a->pk_index = &first;
    a->pk_count = b->pk_count = 1;
    b->pk_index = &second;
    assert_false(cqln_metadata_same(a, b));
    b->pk_index = both;
    assert_true(cqln_metadata_same(a, b));
    b->pk_count = 2;
    assert_false(cqln_metadata_same(a, b));
    cqln_metadata_unref(a);
    cqln_metadata_unref(b);
}

static void markers_of_other_types_do_not_fit(void **state)
{
    (void)state;
    static const respond_column types[] = {{"k", CQL_TYPE_INT}, {"v", CQL_TYPE_BLOB}},
                                names[] = {{"k", CQL_TYPE_INT}, {"w", CQL_TYPE_TEXT}};
    static const respond_table tables[] = {{"ks", "t", columns, 2}, {"kt", "u", names, 2}, {"ks", "t", types, 2},
                                           {"ks", "t", columns, 1}};
    static const bool fit[] = {true, true, false, false};
    cql_prepared *p;
    assert_int_equal(make(cqln_alloc_default(), "INSERT INTO t (k, v) VALUES (?, ?)", &p), CQL_OK);
    for (size_t i = 0; i < CQL_COUNT(tables); i++) {
        cqln_metadata *m = markers_of(&tables[i]);
        assert_int_equal(cqln_prepared_fits(p, m), fit[i]);
        cqln_metadata_unref(m);
    }
    cql_prepared_unref(p);
}

/* Whoever looks at the result alone sees that there is something to look at. */
static void what_is_retired_has_no_result_until_it_is_back(void **state)
{
    (void)state;
    cql_prepared *p;
    cqln_prepared_head head;
    cql_status st;
    assert_int_equal(make(cqln_alloc_default(), "SELECT k FROM t", &p), CQL_OK);
    cqln_metadata *first = cqln_prepared_result(p);
    decode(cqln_alloc_default(), &head, &st);
    cqln_prepared_retire(p, true);
    cqln_prepared_learn(p, head.result);
    cqln_prepared_update(p, cqln_metadata_ref(head.result));
    assert_true(cqln_prepared_retired(p));
    assert_null(cqln_prepared_result(p));
    cqln_prepared_retire(p, false);
    cqln_prepared_learn(p, first);
    assert_false(cqln_prepared_retired(p));
    assert_non_null(cqln_prepared_result(p));
    cqln_metadata_unref(head.bind);
    cqln_metadata_unref(head.result);
    cql_prepared_unref(p);
}

static void versions_of_metadata_are_bounded(void **state)
{
    (void)state;
    cql_prepared *p;
    cqln_prepared_head head;
    cql_status st;
    failmalloc memory;
    failmalloc_init(&memory);
    assert_int_equal(make(&memory.al, "SELECT k FROM t", &p), CQL_OK);
    cqln_metadata *first = cqln_prepared_result(p);
    assert_non_null(first);
    for (unsigned i = 1; i < CQLN_PREPARED_VERSIONS; i++) {
        decode(&memory.al, &head, &st);
        assert_int_equal(st, CQL_OK);
        cqln_metadata_unref(head.bind);
        cqln_prepared_update(p, head.result);
        assert_ptr_equal(cqln_prepared_result(p), head.result);
    }
    size_t live = memory.live;
    for (unsigned i = 0; i < 100; i++) { /* from here on it relies on no metadata of its own */
        decode(&memory.al, &head, &st);
        cqln_metadata_unref(head.bind);
        cqln_prepared_update(p, head.result);
        assert_null(cqln_prepared_result(p));
    }
    assert_int_equal(memory.live, live);
    assert_int_equal(first->count, 2); /* still there for requests that use it */
    cql_prepared_unref(p);
    assert_int_equal(memory.live, 0);
}

/* A v4 server sends no metadata id: what it says again is known by its columns. */
static void the_same_columns_again_are_no_new_version(void **state)
{
    (void)state;
    cql_prepared *p;
    cqln_prepared_head head;
    cql_status st;
    assert_int_equal(make(cqln_alloc_default(), "SELECT k FROM t", &p), CQL_OK);
    cqln_metadata *first = cqln_prepared_result(p);
    for (int i = 0; i < 100; i++) {
        decode(cqln_alloc_default(), &head, &st);
        head.result->id = (cql_str){NULL, 0};
        first->id = (cql_str){NULL, 0};
        cqln_prepared_learn(p, head.result);
        assert_ptr_equal(cqln_prepared_result(p), first);
        cqln_metadata_unref(head.bind);
        cqln_metadata_unref(head.result);
    }
    assert_int_equal(p->version_count, 1);
    decode(cqln_alloc_default(), &head, &st);
    head.result->count = 1; /* a column was dropped */
    cqln_prepared_learn(p, head.result);
    assert_ptr_equal(cqln_prepared_result(p), head.result);
    assert_int_equal(p->version_count, 2);
    cqln_metadata_unref(head.bind);
    cqln_metadata_unref(head.result);
    cql_prepared_unref(p);
}

static void distrusted_metadata_is_not_used_until_it_is_heard_again(void **state)
{
    (void)state;
    cql_prepared *p;
    cqln_prepared_head head;
    cql_status st;
    assert_int_equal(make(cqln_alloc_default(), "SELECT k FROM t", &p), CQL_OK);
    cqln_metadata *first = cqln_prepared_result(p);
    cqln_prepared_distrust(p);
    assert_null(cqln_prepared_result(p));
    decode(cqln_alloc_default(), &head, &st);
    cqln_prepared_learn(p, head.result);
    assert_ptr_equal(cqln_prepared_result(p), first);
    cqln_metadata_unref(head.bind);
    cqln_metadata_unref(head.result);
    cql_prepared_unref(p);
}

static cql_status make_and_free(const cql_allocator *al, void *user)
{
    cql_prepared *p;
    (void)user;
    cql_status st = make(al, "SELECT k FROM t", &p);
    cql_prepared_unref(p);
    return st;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    assert_true(failmalloc_each(make_and_free, NULL, false) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_keeps_text_id_and_markers),
        cmocka_unit_test(a_star_is_noticed_but_not_that_of_count),
        cmocka_unit_test(metadata_are_the_same_if_every_column_is),
        cmocka_unit_test(metadata_of_another_key_are_others),
        cmocka_unit_test(markers_of_other_types_do_not_fit),
        cmocka_unit_test(what_is_retired_has_no_result_until_it_is_back),
        cmocka_unit_test(versions_of_metadata_are_bounded),
        cmocka_unit_test(the_same_columns_again_are_no_new_version),
        cmocka_unit_test(distrusted_metadata_is_not_used_until_it_is_heard_again),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
