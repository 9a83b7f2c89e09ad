/* Executing as usual: what is sent is what the long way sends, whatever is said of an execution leaves the short way, and
 * what a statement's executions have in common is made again when it is out of date. */
#include "api/usual.h"
#include "cluster/record.h"
#include "respond.h"
#include "unit.h"

#include <string.h>

enum { STATEMENTS = 40 };

static respond_column key[] = {{"k", CQL_TYPE_BIGINT}};
static const respond_column cells[] = {{"k", CQL_TYPE_BIGINT}, {"v", CQL_TYPE_TEXT}};
static const respond_table markers = {"ks", "t", key, 1}, rows = {"ks", "t", cells, 2},
                           nothing = {"ks", "t", cells, 0};

static int64_t wall_us(cqln_io *io)
{
    (void)io;
    return 1700000000000000;
}

static const cqln_io_ops ops = {.wall_us = wall_us};
static cqln_io io = {.ops = &ops};
static cqln_config config;
static cqln_cluster cluster;
static cqln_request request;

static int set_up(void **state)
{
    (void)state;
    memset(&config, 0, sizeof config);
    config.consistency = CQL_CONSISTENCY_LOCAL_QUORUM;
    config.serial_consistency = CQLN_SERIAL_STANDARD;
    config.page_size = 5000;
    config.client_timestamps = 1;
    memset(&cluster, 0, sizeof cluster);
    cluster.config = &config;
    cluster.loop.io = &io;
    cluster.al = cqln_alloc_default();
    cluster.alone = true;
    atomic_init(&cluster.version, 4);
    memset(&request, 0, sizeof request);
    cqln_record_init(&cluster, &request);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cqln_holds_fini(&cluster.holds);
    cqln_writer_fini(&request.env);
    return 0;
}

static cql_prepared *make_prepared(const char *cql, uint8_t version, const char *id,
                                   const respond_table *result)
{
    cqln_prepared_head head;
    cqln_writer wr;
    cqln_reader rd;
    cql_prepared *p = NULL;
    uint16_t first = 0;
    cqln_writer_init(&wr, cqln_alloc_default(), 1 << 20);
    respond_prepared(&wr, version, 1, cql_str_of(id), cql_str_of("metadata-id-0001"), &markers, &first, 1,
                     result);
    assert_int_equal(wr.status, CQL_OK);
    cqln_reader_init(&rd, wr.data + CQLN_FRAME_HEADER, wr.len - CQLN_FRAME_HEADER);
    assert_int_equal(cqln_read_u32(&rd), CQLN_RESULT_PREPARED);
    assert_int_equal(cqln_decode_prepared(&rd, version, cqln_alloc_default(), &head), CQL_OK);
    assert_int_equal(cqln_prepared_new(cqln_alloc_default(), cql_str_of(cql), cql_str_of("ks"), &head, &p),
                     CQL_OK);
    cqln_writer_fini(&wr);
    return p;
}

static cql_statement *bound(const cql_prepared *p)
{
    cql_statement *s = cql_prepared_bind(p);
    assert_non_null(s);
    assert_int_equal(cql_statement_bind_int64(s, 0, 42), CQL_OK);
    return s;
}

/* Encodes into a request as it begins, as where all calls are made on one thread; not usual: the long way. */
static void encode(bool usual, cql_statement *s)
{
    uint8_t said = s->ex.said;
    if (!usual)
        cqln_execution_say(&s->ex, CQLN_SAID_COMMON);
    cqln_record_clean_all(&request);
    assert_int_equal(cqln_encode_statement(&cluster, s, &request), CQL_OK);
    assert_ptr_equal(request.prepared, s->prepared);
    cqln_holds_drop(&cluster.holds, request.prepared);
    s->ex.said = said;
}

/* Both ways, but for a write time, which is later each time. */
static void assert_same_bytes(cql_statement *s, size_t tail)
{
    uint8_t other[256];
    encode(false, s);
    size_t len = request.env.len;
    const cqln_metadata *known = request.known;
    assert_in_range(len, 1, sizeof other);
    memcpy(other, request.env.data, len);
    for (int round = 0; round < 2; round++) { /* made, and found */
        encode(true, s);
        assert_int_equal(request.env.len, len);
        assert_memory_equal(request.env.data, other, len - tail);
        assert_ptr_equal(request.known, known);
    }
}

static const cqln_hold *hold_of(const cql_prepared *p)
{
    const cqln_hold *e = cqln_holds_entry(&cluster.holds, p);
    return e->prepared == p && e->usual.newest != &cqln_usual_none ? e : NULL;
}

static void it_is_what_the_long_way_sends(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        atomic_store(&cluster.version, version);
        cql_prepared *select = make_prepared("SELECT k, v FROM t WHERE k = ?", version, "0123456789abcdef", &rows);
        cql_prepared *star = make_prepared("SELECT * FROM t WHERE k = ?", version, "0123456789abcdef", &rows);
        cql_prepared *insert = make_prepared("INSERT INTO t (k) VALUES (?)", version, "0123456789abcdeF", &nothing);
        cql_statement *s[] = {bound(select), bound(star), bound(insert)};
        assert_same_bytes(s[0], 0);
        assert_non_null(hold_of(select));
        assert_same_bytes(s[1], 0);
        assert_same_bytes(s[2], 8);
        config.client_timestamps = 0;
        cqln_holds_fini(&cluster.holds); /* an option does not change in a session */
        assert_same_bytes(s[2], 0);
        config.client_timestamps = 1;
        for (size_t i = 0; i < CQL_COUNT(s); i++)
            cql_statement_free(s[i]);
        cqln_holds_fini(&cluster.holds);
        cql_prepared_unref(select);
        cql_prepared_unref(star);
        cql_prepared_unref(insert);
    }
}

/* Neither is there a short way for a session with an option of its own, nor for an id that has no room in it. */
static void what_has_no_usual_is_sent_all_the_same(void **state)
{
    (void)state;
    cql_prepared *p = make_prepared("SELECT k, v FROM t WHERE k = ?", 4, "0123456789abcdef", &rows);
    cql_prepared *long_id = make_prepared("SELECT k, v FROM t WHERE k = ?", 4,
                                          "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", &rows);
    cql_statement *s = bound(p), *t = bound(long_id);
    assert_same_bytes(t, 0);
    assert_null(hold_of(long_id));
    config.serial_consistency = CQL_CONSISTENCY_LOCAL_SERIAL;
    assert_same_bytes(s, 0);
    assert_null(hold_of(p));
    cql_statement_free(s);
    cql_statement_free(t);
    cql_prepared_unref(p);
    cql_prepared_unref(long_id);
}

static void what_is_said_is_sent(void **state)
{
    (void)state;
    cql_prepared *p = make_prepared("SELECT k, v FROM t WHERE k = ?", 4, "0123456789abcdef", &rows);
    for (int what = 0; what < 6; what++) {
        cql_statement *s = bound(p);
        uint8_t plain[256];
        encode(true, s);
        size_t len = request.env.len;
        memcpy(plain, request.env.data, len);
        switch (what) {
        case 0:
            cql_statement_set_consistency(s, CQL_CONSISTENCY_ALL);
            break;
        case 1:
            assert_int_equal(cql_statement_set_page_size(s, 17), CQL_OK);
            break;
        case 2:
            assert_int_equal(cql_statement_set_paging_state(s, cql_str_of("there")), CQL_OK);
            break;
        case 3:
            cql_statement_set_timestamp(s, 1);
            break;
        case 4:
            cql_statement_set_tracing(s, true);
            break;
        default:
            assert_int_equal(cql_statement_set_serial_consistency(s, CQL_CONSISTENCY_LOCAL_SERIAL), CQL_OK);
            break;
        }
        encode(true, s);
        assert_true(request.env.len != len || memcmp(request.env.data, plain, len) != 0);
        assert_same_bytes(s, 0);
        cql_statement_set_timeout(s, 77);
        encode(true, s);
        assert_int_equal(request.timeout_ms, 77);
        cql_statement_free(s);
    }
    cql_statement *s = bound(p);
    cql_statement_set_idempotent(s, true);
    cql_statement_set_timeout(s, 78);
    encode(true, s);
    assert_int_equal(request.idempotent, CQLN_IDEMPOTENT_YES);
    assert_int_equal(request.timeout_ms, 78);
    cql_statement_free(s);
    cql_prepared_unref(p);
}

static bool may_run_twice(cql_prepared *p, int word)
{
    cql_statement *s = bound(p);
    if (word)
        cql_statement_set_idempotent(s, word > 0);
    encode(true, s);
    cql_statement_free(s);
    return cqln_request_idempotent(&request);
}

static void the_option_stands_for_what_nothing_is_said_of(void **state)
{
    (void)state;
    cql_prepared *plain = make_prepared("INSERT INTO t (k) VALUES (?)", 5, "id1", &nothing);
    cql_prepared *conditional = make_prepared("INSERT INTO t (k) VALUES (?) IF NOT EXISTS", 5, "id2", &nothing);
    key[0].type = CQL_TYPE_COUNTER;
    cql_prepared *counter = make_prepared("UPDATE t SET n = n + ? WHERE k = 1", 5, "id3", &nothing);
    key[0].type = CQL_TYPE_BIGINT;
    cql_prepared *one_more = make_prepared("BEGIN COUNTER BATCH UPDATE t SET n = n + 1 WHERE k = ? APPLY BATCH", 5, "id4", &nothing);
    cql_prepared *create = make_prepared("CREATE TABLE u (k int PRIMARY KEY)", 5, "id5", &nothing);
    cql_prepared *const all[] = {plain, conditional, counter, one_more, create};
    for (uint32_t option = 0; option < 2; option++) {
        config.idempotent = option;
        for (size_t i = 0; i < CQL_COUNT(all); i++) {
            assert_true(may_run_twice(all[i], 1)); /* the program must know */
            assert_false(may_run_twice(all[i], -1));
            assert_int_equal(may_run_twice(all[i], 0), option && all[i] == plain);
        }
    }
    for (size_t i = 0; i < CQL_COUNT(all); i++)
        cql_prepared_unref(all[i]);
}

/* words: of the batch, then of its members; 0: nothing is said. */
static bool batch_may_run_twice(cql_batch_type type, const char *cql, const int words[3])
{
    cql_batch *b;
    assert_int_equal(cql_batch_new(type, NULL, &b), CQL_OK);
    if (words[0])
        cql_batch_set_idempotent(b, words[0] > 0);
    for (int i = 1; i < 3; i++) {
        cql_statement *s;
        assert_int_equal(cql_statement_new(cql, 0, NULL, &s), CQL_OK);
        if (words[i])
            cql_statement_set_idempotent(s, words[i] > 0);
        assert_int_equal(cql_batch_add(b, s), CQL_OK);
        cql_statement_free(s);
    }
    cqln_record_clean_all(&request);
    assert_int_equal(cqln_encode_batch_request(&cluster, b, &request), CQL_OK);
    cql_batch_free(b);
    return cqln_request_idempotent(&request);
}

static void a_batch_counts_as_it_or_all_its_members_say(void **state)
{
    (void)state;
    static const char insert[] = "INSERT INTO t (k) VALUES (1)", lwt[] = "UPDATE t SET v = 1 WHERE k = 1 IF v = 0";
    static const struct {
        int words[3];
        bool without, with;
    } cases[] = {
        {{0, 0, 0}, false, true}, {{0, 1, 0}, false, true}, {{0, 0, 1}, false, true},
        {{0, 1, 1}, true, true},  {{0, 1, -1}, false, false}, {{0, -1, 1}, false, false},
        {{0, 0, -1}, false, false}, {{1, -1, 0}, true, true}, {{-1, 1, 1}, false, false},
    };
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        config.idempotent = 0;
        assert_int_equal(batch_may_run_twice(CQL_BATCH_LOGGED, insert, cases[i].words), cases[i].without);
        config.idempotent = 1;
        assert_int_equal(batch_may_run_twice(CQL_BATCH_LOGGED, insert, cases[i].words), cases[i].with);
    }
    assert_false(batch_may_run_twice(CQL_BATCH_UNLOGGED, lwt, cases[0].words));
    assert_false(batch_may_run_twice(CQL_BATCH_COUNTER, "UPDATE t SET n = n + 1 WHERE k = 1", cases[0].words));
    assert_true(batch_may_run_twice(CQL_BATCH_COUNTER, "UPDATE t SET n = n + 1 WHERE k = 1", cases[3].words));
}

static bool text_may_run_twice(const char *cql)
{
    cqln_record_clean_all(&request);
    assert_int_equal(cqln_encode_text(&cluster, cql_str_of(cql), &request), CQL_OK);
    return cqln_request_idempotent(&request);
}

static void the_option_stands_for_texts_about_rows_alone(void **state)
{
    (void)state;
    config.idempotent = 1;
    assert_true(text_may_run_twice("SELECT v FROM t"));
    assert_true(text_may_run_twice("INSERT INTO t (k) VALUES (1)"));
    assert_false(text_may_run_twice("INSERT INTO t (k) VALUES (1) IF NOT EXISTS"));
    assert_false(text_may_run_twice("BEGIN COUNTER BATCH UPDATE t SET n = n + 1 WHERE k = 1; APPLY BATCH"));
    assert_false(text_may_run_twice("CREATE TABLE IF NOT EXISTS u (k int PRIMARY KEY)"));
    assert_false(text_may_run_twice("TRUNCATE t"));
    assert_false(text_may_run_twice("USE ks"));
    config.idempotent = 0;
    assert_false(text_may_run_twice("SELECT v FROM t"));
}

/* Servers take updates of counters in an unlogged batch too. */
static void a_batch_with_an_update_of_a_counter_does_not_run_twice(void **state)
{
    (void)state;
    cql_batch *b;
    key[0].type = CQL_TYPE_COUNTER;
    cql_prepared *counter = make_prepared("UPDATE t SET n = n + ? WHERE k = 1", 5, "id3", &nothing);
    cql_statement *s = bound(counter);
    key[0].type = CQL_TYPE_BIGINT;
    config.idempotent = 1;
    assert_int_equal(cql_batch_new(CQL_BATCH_UNLOGGED, NULL, &b), CQL_OK);
    assert_int_equal(cql_batch_add(b, s), CQL_OK);
    cqln_record_clean(&request);
    assert_int_equal(cqln_encode_batch_request(&cluster, b, &request), CQL_OK);
    assert_false(cqln_request_idempotent(&request));
    cqln_record_drop_rare(&request);
    cql_batch_free(b);
    cql_statement_free(s);
    cql_prepared_unref(counter);
}

static void newer_metadata_is_used_at_once(void **state)
{
    (void)state;
    cql_prepared *p = make_prepared("SELECT k, v FROM t WHERE k = ?", 5, "0123456789abcdef", &rows);
    cql_prepared *other = make_prepared("SELECT k FROM t WHERE k = ?", 5, "0123456789abcdef", &markers);
    cql_statement *s = bound(p);
    atomic_store(&cluster.version, 5);
    assert_same_bytes(s, 0);
    cqln_prepared_update(p, cqln_metadata_ref(cqln_prepared_result(other)));
    assert_same_bytes(s, 0);
    assert_ptr_equal(request.known, cqln_prepared_result(other));
    cqln_prepared_distrust(p);
    assert_same_bytes(s, 0);
    assert_null(request.known);
    cql_statement_free(s);
    cqln_holds_fini(&cluster.holds);
    cql_prepared_unref(p);
    cql_prepared_unref(other);
}

/* However it was executed before: by the short way, and after its result was distrusted by the long one. */
static void what_is_retired_is_not_executed(void **state)
{
    (void)state;
    for (int distrusted = 0; distrusted < 2; distrusted++) {
        cql_prepared *p = make_prepared("INSERT INTO t (k) VALUES (?)", 4, "0123456789abcdef", &nothing);
        cql_statement *s = bound(p);
        cql_batch *b;
        assert_int_equal(cql_batch_new(CQL_BATCH_LOGGED, NULL, &b), CQL_OK);
        assert_int_equal(cql_batch_add(b, s), CQL_OK);
        if (distrusted)
            cqln_prepared_distrust(p);
        encode(true, s);
        cqln_prepared_retire(p, true);
        cqln_record_clean_all(&request);
        assert_int_equal(cqln_encode_statement(&cluster, s, &request), CQL_PREPARED_CHANGED);
        assert_int_equal(cqln_encode_batch_request(&cluster, b, &request), CQL_PREPARED_CHANGED);
        assert_null(request.prepared);
        assert_null(request.members);
        cqln_prepared_retire(p, false);
        encode(true, s);
        cql_batch_free(b);
        cql_statement_free(s);
        cqln_holds_fini(&cluster.holds);
        cql_prepared_unref(p);
    }
}

/* More statements than there are places for what is usual. */
static void statements_take_turns(void **state)
{
    (void)state;
    cql_prepared *p[STATEMENTS];
    cql_statement *s[STATEMENTS];
    for (int i = 0; i < STATEMENTS; i++) {
        char id[] = "0123456789abcdxx";
        id[14] = (char)('0' + i / 10);
        id[15] = (char)('0' + i % 10);
        p[i] = make_prepared("SELECT k, v FROM t WHERE k = ?", 4, id, &rows);
        s[i] = bound(p[i]);
    }
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < STATEMENTS; i++)
            assert_same_bytes(s[i], 0);
    for (int i = 0; i < STATEMENTS; i++) {
        cql_statement_free(s[i]);
        cql_prepared_unref(p[i]);
    }
}

static void it_may_go_anywhere_where_every_node_has_every_row(void **state)
{
    (void)state;
    cql_prepared *p = make_prepared("SELECT k, v FROM t WHERE k = ?", 4, "0123456789abcdef", &rows);
    cql_prepared *lwt = make_prepared("UPDATE t SET v = '' WHERE k = ? IF EXISTS", 4, "0123456789abcdeF", &rows);
    cql_statement *s = bound(p), *t = bound(lwt);
    atomic_store(&cluster.router.partitioner, CQLN_PARTITIONER_MURMUR3);
    cqln_router_turn(&cluster);
    encode(true, s);
    assert_false(request.route.anywhere);
    assert_true(request.route.has_token);
    atomic_store(&cluster.router.whole_mark, cqln_keyspace_mark(cql_str_of("ks")));
    cqln_router_turn(&cluster);
    encode(true, s);
    assert_true(request.route.anywhere);
    assert_false(request.route.has_token);
    encode(true, t);
    assert_false(request.route.anywhere);
    assert_true(request.route.has_token && request.route.conditional);
    atomic_store(&cluster.router.whole_mark, cqln_keyspace_mark(cql_str_of("another")));
    cqln_router_turn(&cluster);
    encode(true, s);
    assert_false(request.route.anywhere);
    assert_int_equal(cql_statement_set_routing_key(s, "abc", 3), CQL_OK);
    atomic_store(&cluster.router.whole_mark, cqln_keyspace_mark(cql_str_of("ks")));
    cqln_router_turn(&cluster);
    encode(true, s);
    assert_false(request.route.anywhere);
    cql_statement_free(s);
    cql_statement_free(t);
    cql_prepared_unref(p);
    cql_prepared_unref(lwt);
}

#define with_cluster(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_cluster(it_is_what_the_long_way_sends),
        with_cluster(what_has_no_usual_is_sent_all_the_same),
        with_cluster(what_is_said_is_sent),
        with_cluster(the_option_stands_for_what_nothing_is_said_of),
        with_cluster(a_batch_counts_as_it_or_all_its_members_say),
        with_cluster(the_option_stands_for_texts_about_rows_alone),
        with_cluster(a_batch_with_an_update_of_a_counter_does_not_run_twice),
        with_cluster(newer_metadata_is_used_at_once),
        with_cluster(what_is_retired_is_not_executed),
        with_cluster(statements_take_turns),
        with_cluster(it_may_go_anywhere_where_every_node_has_every_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
