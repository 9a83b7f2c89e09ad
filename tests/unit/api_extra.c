/* What few statements say: keyspace, clock, payload, names, borrowed values; byte for byte. */
#include "api/statement.h"
#include "unit.h"

static cqln_config config = {.consistency = 1, .page_size = 100};
static cqln_cluster cluster;
static cqln_request request;

static void use_version(int version)
{
    cluster.config = &config;
    cluster.al = cqln_alloc_default();
    atomic_store(&cluster.version, version);
}

static cql_status encode(const cql_statement *st)
{
    memset(&request, 0, sizeof request);
    request.cluster = &cluster;
    cqln_writer_init(&request.env, cluster.al, SIZE_MAX);
    return cqln_encode_statement(&cluster, st, &request);
}

static void wrote(const char *golden)
{
    assert_int_equal(request.env.status, CQL_OK);
    assert_hex(request.env.data, request.env.len, golden);
    cqln_writer_fini(&request.env);
}

static cql_statement *query(const char *cql, size_t markers)
{
    cql_statement *st = NULL;
    assert_int_equal(cql_statement_new(cql, markers, NULL, &st), CQL_OK);
    return st;
}

static void payload_keyspace_and_now_have_their_places(void **state)
{
    (void)state;
    use_version(5);
    cql_statement *st = query("Q", 0);
    assert_int_equal(cql_statement_set_keyspace(st, "other"), CQL_OK);
    assert_int_equal(cql_statement_set_keyspace(st, "ks"), CQL_OK);
    assert_int_equal(cql_statement_set_now(st, 5), CQL_OK);
    assert_int_equal(cql_statement_set_now(st, (int64_t)1 << 32), CQL_BAD_VALUE);
    assert_int_equal(cql_statement_add_payload(st, "k", "vw", 2), CQL_OK);
    assert_int_equal(cql_statement_add_payload(st, "n", NULL, 0), CQL_OK);
    assert_int_equal(cql_statement_add_payload(st, NULL, NULL, 0), CQL_BAD_ARGUMENT);
    cql_statement_set_tracing(st, true);
    assert_int_equal(encode(st), CQL_OK);
    wrote("05 06 0000 07 00000029"                      /* traced, with a payload */
          "0002 0001 6b 00000002 7677 0001 6e ffffffff" /* k: vw, n: null */
          "00000001 51  0001 00000184 00000064"         /* ONE, page size, keyspace, now; 100 rows */
          "0002 6b73  00000005");
    assert_int_equal(cql_statement_set_keyspace(st, NULL), CQL_OK);
    assert_int_equal(encode(st), CQL_OK);
    cqln_writer_fini(&request.env);
    cql_statement_free(st);
}

static void v4_says_that_it_cannot(void **state)
{
    (void)state;
    use_version(4);
    cql_statement *st = query("Q", 0);
    assert_int_equal(cql_statement_add_payload(st, "k", "", 0), CQL_OK);
    assert_int_equal(encode(st), CQL_OK); /* a payload is for v4 too */
    wrote("04 04 0000 07 00000015  0001 0001 6b 00000000  00000001 51  0001 04 00000064");
    assert_int_equal(cql_statement_set_now(st, 5), CQL_OK);
    assert_int_equal(encode(st), CQL_UNSUPPORTED);
    cqln_writer_fini(&request.env);
    cql_statement_free(st);
    st = query("Q", 0);
    assert_int_equal(cql_statement_set_keyspace(st, "ks"), CQL_OK);
    assert_int_equal(encode(st), CQL_UNSUPPORTED);
    cqln_writer_fini(&request.env);
    cql_statement_free(st);
}

static void batches_say_the_same(void **state)
{
    (void)state;
    cql_batch *b = NULL;
    use_version(5);
    assert_int_equal(cql_batch_new(CQL_BATCH_LOGGED, NULL, &b), CQL_OK);
    assert_int_equal(cql_batch_set_keyspace(b, "ks"), CQL_OK);
    assert_int_equal(cql_batch_set_now(b, -1), CQL_OK);
    assert_int_equal(cql_batch_add_payload(b, "k", "v", 1), CQL_OK);
    cql_batch_set_tracing(b, true);
    memset(&request, 0, sizeof request);
    request.cluster = &cluster;
    cqln_writer_init(&request.env, cluster.al, SIZE_MAX);
    assert_int_equal(cqln_encode_batch_request(&cluster, b, &request), CQL_OK);
    wrote("05 06 0000 0d 0000001b  0001 0001 6b 00000001 76  00 0000  0001 00000180"
          "0002 6b73  ffffffff");
    use_version(4);
    cqln_writer_init(&request.env, cluster.al, SIZE_MAX);
    assert_int_equal(cqln_encode_batch_request(&cluster, b, &request), CQL_UNSUPPORTED);
    cqln_writer_fini(&request.env);
    cql_batch_free(b);
}

static void names_travel_with_their_values(void **state)
{
    (void)state;
    cql_batch *b = NULL;
    use_version(4);
    cql_statement *st = query("Q", 2);
    assert_int_equal(cql_statement_bind_name(st, "b", cql_value_text("x")), CQL_OK);
    assert_int_equal(encode(st), CQL_UNBOUND);
    assert_int_equal(cql_statement_bind_name(st, "a", cql_value_null()), CQL_OK);
    assert_int_equal(cql_statement_bind_name(st, "b", cql_value_text("yz")), CQL_OK);
    assert_int_equal(cql_statement_bind_name(st, "c", cql_value_null()), CQL_NO_SUCH_NAME);
    assert_int_equal(encode(st), CQL_OK);
    wrote("04 00 0000 07 0000001e  00000001 51  0001 45"
          "0002 0001 62 00000002 797a 0001 61 ffffffff  00000064");
    assert_int_equal(cql_batch_new(CQL_BATCH_LOGGED, NULL, &b), CQL_OK);
    assert_int_equal(cql_batch_add(b, st), CQL_UNSUPPORTED);
    cql_batch_free(b);
    cql_statement_free(st);
    st = query("Q", 2);
    assert_int_equal(cql_statement_bind_name(st, "a", cql_value_int32(1)), CQL_OK);
    assert_int_equal(cql_statement_bind_int32(st, 1, 2), CQL_OK);
    assert_int_equal(encode(st), CQL_BAD_STATE); /* one with a name, one without */
    cqln_writer_fini(&request.env);
    cql_statement_free(st);
}

enum { LARGE = 300 };

static void fill(cql_statement *st, bool borrow, const char *a, const char *b)
{
    cql_value va = cql_value_blob(a, LARGE);
    cql_value vb = cql_value_text(b);
    assert_int_equal(cql_statement_bind_int32(st, 1, 7), CQL_OK);
    if (borrow) {
        assert_int_equal(cql_statement_bind_borrowed(st, 0, va), CQL_OK);
        assert_int_equal(cql_statement_bind_borrowed(st, 2, vb), CQL_OK);
        assert_int_equal(cql_statement_bind_borrowed(st, 3, cql_value_int32(8)), CQL_OK);
    } else {
        assert_int_equal(cql_statement_bind_value(st, 0, va), CQL_OK);
        assert_int_equal(cql_statement_bind_value(st, 2, vb), CQL_OK);
        assert_int_equal(cql_statement_bind_value(st, 3, cql_value_int32(8)), CQL_OK);
    }
}

/* The bytes of one encoding, in a block of their own. */
static cqln_writer encoded(const cql_statement *st)
{
    assert_int_equal(encode(st), CQL_OK);
    return request.env;
}

static void same(cqln_writer a, cqln_writer b)
{
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    cqln_writer_fini(&a);
    cqln_writer_fini(&b);
}

static void borrowed_values_are_sent_like_copied_ones(void **state)
{
    (void)state;
    char a[LARGE];
    char b[LARGE + 1];
    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    b[LARGE] = '\0';
    for (int version = 4; version <= 5; version++) {
        use_version(version);
        cql_statement *copied = query("INSERT", 4);
        cql_statement *borrowed = query("INSERT", 4);
        fill(copied, false, a, b);
        fill(borrowed, true, a, b);
        assert_true(cqln_extra_has_pieces(borrowed));
        assert_true(cqln_statement_values(borrowed).bytes.len < LARGE);
        same(encoded(copied), encoded(borrowed));
        same(encoded(copied), encoded(borrowed)); /* as often as wanted */
        cql_statement *copy = cqln_statement_copy(borrowed);
        assert_non_null(copy);
        same(encoded(copied), encoded(copy));
        cql_statement_free(copy);
        /* what is bound again is borrowed no longer */
        assert_int_equal(cql_statement_bind_value(borrowed, 0, cql_value_null()), CQL_OK);
        assert_int_equal(cql_statement_bind_value(copied, 0, cql_value_null()), CQL_OK);
        assert_int_equal(cql_statement_bind_text(borrowed, 2, "s"), CQL_OK);
        assert_int_equal(cql_statement_bind_text(copied, 2, "s"), CQL_OK);
        assert_false(cqln_extra_has_pieces(borrowed));
        same(encoded(copied), encoded(borrowed));
        cql_statement_free(copied);
        cql_statement_free(borrowed);
    }
}

static void borrowed_values_go_into_batches(void **state)
{
    (void)state;
    char a[LARGE];
    char b[LARGE + 1];
    cql_batch *one = NULL;
    cql_batch *two = NULL;
    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    b[LARGE] = '\0';
    cql_statement *copied = query("INSERT", 4);
    cql_statement *borrowed = query("INSERT", 4);
    fill(copied, false, a, b);
    fill(borrowed, true, a, b);
    assert_int_equal(cql_batch_new(CQL_BATCH_LOGGED, NULL, &one), CQL_OK);
    assert_int_equal(cql_batch_new(CQL_BATCH_LOGGED, NULL, &two), CQL_OK);
    assert_int_equal(cql_batch_add(one, copied), CQL_OK);
    assert_int_equal(cql_batch_add(two, borrowed), CQL_OK);
    assert_int_equal(one->entries.len, two->entries.len);
    assert_memory_equal(one->entries.data, two->entries.data, one->entries.len);
    cql_batch_free(one);
    cql_batch_free(two);
    cql_statement_free(copied);
    cql_statement_free(borrowed);
}

static cql_status copy_with(const cql_allocator *al, void *user)
{
    cql_statement *st = user;
    const cql_allocator *before = st->al;
    st->al = al;
    cql_statement *copy = cqln_statement_copy(st);
    st->al = before;
    cql_statement_free(copy);
    return copy ? CQL_OK : CQL_NO_MEMORY;
}

static void copies_are_whole_or_not_at_all(void **state)
{
    (void)state;
    use_version(5);
    cql_statement *st = query("Q", 1);
    assert_int_equal(cql_statement_set_keyspace(st, "ks"), CQL_OK);
    assert_int_equal(cql_statement_add_payload(st, "k", "v", 1), CQL_OK);
    assert_int_equal(cql_statement_bind_name(st, "n", cql_value_int32(1)), CQL_OK);
    assert_int_equal(cql_statement_set_paging_state(st, cql_str_of("state")), CQL_OK);
    assert_true(failmalloc_each(copy_with, st, false) > 5);
    cql_statement *copy = cqln_statement_copy(st);
    assert_non_null(copy);
    same(encoded(st), encoded(copy));
    cql_statement_free(copy);
    cql_statement_free(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payload_keyspace_and_now_have_their_places),
        cmocka_unit_test(v4_says_that_it_cannot),
        cmocka_unit_test(batches_say_the_same),
        cmocka_unit_test(names_travel_with_their_values),
        cmocka_unit_test(borrowed_values_are_sent_like_copied_ones),
        cmocka_unit_test(borrowed_values_go_into_batches),
        cmocka_unit_test(copies_are_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
