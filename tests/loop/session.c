/* The public API in its three modes against mock nodes on the loopback. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RUSAGE_THREAD */
#endif
#include "failmalloc.h"
#include "mocksession.h"

#include <cqlnative/uv.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the same work in the modes that can block ----------------------------------------------------- */

static void ask_everything(cql_session *s)
{
    cql_error *err = NULL;
    cql_result *res = NULL;
    cql_prepared *p = NULL;
    cql_batch *b = NULL;
    cql_rows rows;

    assert_int_equal(cql_session_query_wait(s, "SELECT * FROM t rows 3", &res, &err), CQL_OK);
    assert_int_equal(cql_result_row_count(res), 3);
    cql_rows_init(&rows, res);
    for (int32_t i = 0; i < 3; i++) {
        assert_true(cql_rows_next(&rows));
        assert_int_equal(cql_rows_int32(&rows, 0), i);
    }
    assert_false(cql_rows_next(&rows));
    assert_int_equal(cql_rows_status(&rows), CQL_OK);
    cql_result_unref(res);

    assert_int_equal(cql_session_prepare_wait(s, "SELECT v FROM t WHERE echo = ?", &p, &err), CQL_OK);
    assert_int_equal(cql_prepared_marker_count(p), 1);
    cql_statement *st = cql_prepared_bind(p);
    assert_int_equal(cql_session_execute_wait(s, st, &res, &err), CQL_UNBOUND);
    for (int32_t i = 1; i < 20; i++) {
        assert_int_equal(cql_statement_bind(st, CQL_VALUES(cql_value_int32(i)), &err), CQL_OK);
        assert_int_equal(cql_session_execute_wait(s, st, &res, NULL), CQL_OK);
        cql_rows_init(&rows, res);
        assert_true(cql_rows_next(&rows));
        assert_int_equal(cql_rows_int32(&rows, 0), i);
        cql_result_unref(res);
    }
    assert_int_equal(cql_statement_bind(st, CQL_VALUES(cql_value_text("no")), &err),
                     CQL_TYPE_MISMATCH);
    assert_non_null(strstr(cql_error_text(err), "int"));

    assert_int_equal(cql_batch_new(CQL_BATCH_UNLOGGED, NULL, &b), CQL_OK);
    assert_int_equal(cql_batch_add(b, st), CQL_OK);
    assert_int_equal(cql_session_execute_batch_wait(s, b, &res, &err), CQL_OK);
    assert_int_equal(cql_result_kind_of(res), CQL_RESULT_VOID);
    cql_result_unref(res);

    assert_int_equal(cql_session_query_wait(s, "syntax", &res, &err), CQL_SERVER_SYNTAX_ERROR);
    assert_null(res);
    assert_non_null(strstr(cql_error_text(err), "no viable alternative"));
    assert_false(cql_error_maybe_applied(err));

    cql_batch_free(b);
    cql_statement_free(st);
    cql_prepared_unref(p);
    cql_error_unref(err);
}

static void what_is_missing_is_an_error_with_a_text(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0");
    cql_prepared *p = NULL;
    cql_result *res = NULL;
    cql_error *err = NULL;
    assert_int_equal(cql_session_execute_wait(s, NULL, &res, &err), CQL_BAD_ARGUMENT);
    assert_non_null(strstr(cql_error_text(err), "NULL"));
    assert_int_equal(cql_session_query_wait(NULL, "SELECT", &res, &err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "bad argument: session is NULL");
    assert_int_equal(cql_session_prepare_wait(s, NULL, &p, &err), CQL_BAD_ARGUMENT);
    assert_non_null(strstr(cql_error_text(err), "NULL"));
    cql_error_unref(err);
    close_session(s);
}

static void what_v4_cannot_is_said(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0&protocol=4");
    cql_prepared *p = NULL;
    cql_error *err = NULL;
    assert_int_equal(cql_session_prepare_in_wait(s, "k", "SELECT v FROM t", &p, &err), CQL_UNSUPPORTED);
    assert_non_null(strstr(cql_error_text(err), "it takes protocol v5"));
    cql_error_unref(err);
    close_session(s);
}

static void own_thread_answers(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=1");
    assert_int_equal(cql_session_protocol_version(s), 5);
    assert_int_equal(cql_session_fd(s), -1);
    assert_int_equal(cql_session_drive(s, 0), CQL_BAD_STATE);
    ask_everything(s);
    close_session(s);
}

static void driven_answers(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0");
    ask_everything(s);
    close_session(s);
}

static void protocol_4_and_lz4_answer(void **state)
{
    (void)state;
    static const char *const forms[] = {"protocol=4", "protocol=4&compression=lz4",
                                        "protocol=5&compression=lz4"};
    for (size_t i = 0; i < CQL_COUNT(forms); i++) {
        cql_session *s = open_session(forms[i]);
        assert_int_equal(cql_session_protocol_version(s), i < 2 ? 4 : 5);
        ask_everything(s);
        close_session(s);
    }
}

static void steps_down_to_version_4(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        server.mc.nodes[i].max_version = 4;
    cql_session *s = open_session("loop_threads=0");
    assert_int_equal(cql_session_protocol_version(s), 4);
    ask_everything(s);
    close_session(s);
    cql_options *o = options("protocol=5");
    cql_error *err = NULL;
    assert_int_equal(cql_session_new(o, &s, &err), CQL_OK);
    assert_int_equal(cql_session_connect_wait(s, &err), CQL_BAD_VERSION);
    cql_error_unref(err);
    cql_options_free(o);
    cql_session_free(s);
}

/* --- results and hosts ----------------------------------------------------------------------------- */

static void result_outlives_its_session(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=1");
    cql_result *res = NULL;
    cql_rows rows;
    int32_t n = 0;
    assert_int_equal(cql_session_query_wait(s, "SELECT * FROM t rows 2000", &res, NULL), CQL_OK);
    close_session(s);
    assert_true(cql_str_equal(cql_result_column_name(res, 0), cql_str_of("v")));
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows))
        assert_int_equal(cql_rows_int32(&rows, 0), n++);
    assert_int_equal(n, 2000);
    cql_result_unref(res);
}

static void pages_are_followed(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0");
    cql_statement *st = NULL;
    cql_result *res = NULL;
    cql_rows rows;
    int32_t n = 0;
    unsigned pages = 0;
    assert_int_equal(cql_statement_new("SELECT * FROM t rows 25", 0, NULL, &st), CQL_OK);
    assert_int_equal(cql_statement_set_page_size(st, 10), CQL_OK);
    do {
        if (res)
            cql_statement_set_paging_state(st, cql_result_paging_state(res));
        cql_result_unref(res);
        assert_int_equal(cql_session_execute_wait(s, st, &res, NULL), CQL_OK);
        pages++;
        cql_rows_init(&rows, res);
        while (cql_rows_next(&rows))
            assert_int_equal(cql_rows_int32(&rows, 0), n++);
    } while (cql_result_has_more(res));
    assert_int_equal(n, 25);
    assert_int_equal(pages, 3);
    cql_result_unref(res);
    cql_statement_free(st);
    close_session(s);
}

static void every_node_is_found_and_used(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0");
    cql_host_info info;
    cql_hosts *hosts = cql_session_hosts(s);
    assert_int_equal(cql_hosts_count(hosts), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(cql_hosts_at(hosts, i, &info));
        assert_true(info.up);
        assert_string_equal(info.data_center, "datacenter1");
        assert_string_equal(info.rack, "rack1");
        assert_string_equal(info.release_version, "5.0.6");
    }
    assert_false(cql_hosts_at(hosts, 3, &info));
    cql_hosts_free(hosts);
    uint64_t before[3];
    for (size_t i = 0; i < 3; i++)
        before[i] = server.mc.nodes[i].requests;
    for (int i = 0; i < 30; i++)
        assert_int_equal(cql_session_query_wait(s, "INSERT INTO t", NULL, NULL), CQL_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(server.mc.nodes[i].requests - before[i], 10);
    assert_true(cql_str_equal(cql_session_cluster_name(s), cql_str_of("mock cluster")));
    close_session(s);
}

static void use_reaches_every_connection(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0&connections_per_host=2");
    cql_result *res = NULL;
    cql_rows rows;
    assert_int_equal(cql_session_query_wait(s, "USE \"Mixed\"", NULL, NULL), CQL_OK);
    for (int i = 0; i < 24; i++) {
        assert_int_equal(cql_session_query_wait(s, "keyspace?", &res, NULL), CQL_OK);
        cql_rows_init(&rows, res);
        assert_true(cql_rows_next(&rows));
        assert_string_equal(cql_rows_cstr(&rows, 0), "Mixed");
        cql_result_unref(res);
    }
    close_session(s);
}

static void text_of_a_cell_is_not_escaped(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0");
    cql_result *res = NULL;
    cql_rows rows;
    assert_int_equal(cql_session_query_wait(s, "USE \"a\\b\tc\"", NULL, NULL), CQL_OK);
    assert_int_equal(cql_session_query_wait(s, "keyspace?", &res, NULL), CQL_OK);
    cql_rows_init(&rows, res);
    assert_true(cql_rows_next(&rows));
    assert_string_equal(cql_rows_cstr(&rows, 0), "a\\b\tc");
    cql_result_unref(res);
    close_session(s);
}

static void schema_change_waits_for_agreement(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0&schema_agreement_timeout=60s");
    cql_result *res = NULL;
    assert_int_equal(cql_session_query_wait(s, "CREATE TABLE t", &res, NULL), CQL_OK);
    assert_true(cql_result_schema_agreed(res));
    cql_result_unref(res);
    close_session(s);
    s = open_session("loop_threads=0&schema_agreement_timeout=300");
    server.mc.nodes[2].schema_version.bytes[5] = 99;
    assert_int_equal(cql_session_query_wait(s, "CREATE TABLE t", &res, NULL), CQL_OK);
    assert_false(cql_result_schema_agreed(res));
    cql_result_unref(res);
    cql_error *err = NULL;
    assert_int_equal(cql_session_agree_wait(s, 250, &err), CQL_NOT_AGREED);
    cql_error_unref(err);
    close_session(s);
}

/* --- inside a callback ------------------------------------------------------------------------------ */

typedef struct inside {
    atomic_uint calls;
    atomic_uint wrong;
} inside;

/* Asks for all that can be asked for, and for more. */
static void ask_inside(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    inside *t = user;
    unsigned call = atomic_load(&t->calls) + 1;
    cql_hosts *hosts = cql_session_hosts(s);
    cql_metrics *m = cql_session_metrics(s);
    cql_error *refused = NULL;
    bool good = !err && cql_result_row_count(res) == 3 && cql_result_host(res).len > 0 && hosts && m &&
                cql_result_column_name(res, 0).len > 0 && cql_session_protocol_version(s) == 5;
    good = good && cql_session_query_wait(s, "SELECT * FROM t rows 3", NULL, &refused) == CQL_WRONG_THREAD;
    if (call < 200)
        good = cql_session_query(s, "SELECT * FROM t rows 3", ask_inside, t) == CQL_OK && good;
    cql_error_unref(refused);
    cql_metrics_free(m);
    cql_hosts_free(hosts);
    atomic_fetch_add(&t->wrong, !good);
    atomic_store(&t->calls, call);
}

static void a_callback_may_ask_everything(void **state)
{
    (void)state;
    inside t = {.calls = 0};
    cql_session *s = open_session("loop_threads=1");
    assert_int_equal(cql_session_query(s, "SELECT * FROM t rows 3", ask_inside, &t), CQL_OK);
    wait_for(&t.calls, 200);
    close_session(s);
    assert_int_equal(t.wrong, 0);
}

/* --- descriptors ------------------------------------------------------------------------------------ */

static void count_word(void *user, cql_log_level level, cql_str text)
{
    (void)level;
    if (memmem(text.ptr, text.len, "too many open files", 19))
        atomic_fetch_add((atomic_uint *)user, 1);
}

enum { AT_ONCE = 60, PRESSED = 1200 };

static void count_good(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    atomic_uint *good = user;
    (void)res;
    if (err)
        return;
    if (atomic_load(good) + AT_ONCE < PRESSED && cql_session_query(s, "SELECT * FROM t rows 3", count_good, good))
        return;
    atomic_fetch_add(good, 1);
}

/* So many at once that each node would get more connections. */
static void press(cql_session *s)
{
    atomic_uint good = 0;
    for (int i = 0; i < AT_ONCE; i++)
        assert_int_equal(cql_session_query(s, "SELECT * FROM t rows 3", count_good, &good), CQL_OK);
    wait_for(&good, PRESSED);
}

static void without_descriptors_a_session_goes_on(void **state)
{
    (void)state;
    enum { MOST = 256 };
    int taken[MOST];
    size_t n = 0;
    struct rlimit usual, low;
    atomic_uint told = 0;
    cql_options *o = options("loop_threads=1&max_connections_per_host=4&connection_grow_requests=1&reconnect_base=10");
    cql_options_set_log(o, count_word, &told, CQL_LOG_TRACE);
    cql_session *s = open_with(o);
    wait_connections(s, 3);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    low = usual;
    low.rlim_cur = MOST;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    while (n < MOST && (taken[n] = dup(0)) >= 0)
        n++;
    press(s);
    press(s);
    assert_true(told >= 1);
    assert_int_equal(metric_of(s, CQL_METRIC_CONNECTIONS), 3);
    while (n > 0)
        close(taken[--n]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    for (int i = 0; i < 1000 && metric_of(s, CQL_METRIC_CONNECTIONS) < 6; i++)
        press(s);
    assert_true(metric_of(s, CQL_METRIC_CONNECTIONS) >= 6);
    close_session(s);
}

static void request_can_be_sent_to_one_node(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=1");
    cql_statement *st = NULL;
    uint64_t before = server.mc.nodes[1].requests;
    cql_execute_options opts = {.size = sizeof opts, .host = mockserver_host(&server, 1)};
    assert_int_equal(cql_statement_new("INSERT INTO t", 0, NULL, &st), CQL_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(cql_session_execute_with(s, st, &opts, NULL, NULL, NULL), CQL_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(cql_session_execute_with_wait(s, st, &opts, NULL, NULL), CQL_OK);
    cql_result *res = NULL;
    cql_error *err = NULL;
    opts.host = "10.9.9.9:1";
    assert_int_equal(cql_session_execute_with_wait(s, st, &opts, &res, &err), CQL_NO_HOST);
    assert_null(res);
    assert_non_null(strstr(cql_error_text(err), "10.9.9.9:1"));
    opts.size = 1;
    assert_int_equal(cql_session_execute_with_wait(s, st, &opts, &res, &err), CQL_BAD_ARGUMENT);
    cql_error_unref(err);
    cql_statement_free(st);
    close_session(s); /* lets what is in flight finish */
    assert_int_equal(server.mc.nodes[1].requests - before, 10);
}

/* --- callbacks ------------------------------------------------------------------------------------- */

typedef struct tally {
    cql_session *s;
    atomic_uint calls;
    atomic_uint errors;
    atomic_uint drains;
    atomic_uint wrong_thread;
    atomic_int last_status;
    uv_loop_t *loop;
    bool free_at_close;
} tally;

static void count(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    tally *t = user;
    assert_true((err != NULL) != (res != NULL));
    t->errors += err != NULL;
    if (err)
        t->last_status = (int)cql_error_status(err);
    if (cql_session_query_wait(s, "SELECT * FROM t rows 1", NULL, NULL) == CQL_WRONG_THREAD)
        t->wrong_thread++;
    t->calls++;
}

static void count_drain(cql_session *s, void *user)
{
    tally *t = user;
    (void)s;
    t->drains++;
}

static void full_queue_says_so_and_drains(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=1&max_pending_requests=8");
    tally t = {.s = s};
    unsigned accepted = 0;
    assert_int_equal(cql_session_on_drain(s, count_drain, &t), CQL_OK);
    hold_nodes();
    while (cql_session_query(s, "INSERT INTO t", count, &t) == CQL_OK)
        accepted++;
    let_nodes_go();
    assert_true(accepted >= 8 && accepted <= 16);
    wait_for(&t.calls, accepted);
    wait_for(&t.drains, 1);
    assert_int_equal(t.errors, 0);
    assert_int_equal(t.wrong_thread, accepted);
    assert_int_equal(cql_session_query(s, "INSERT INTO t", count, &t), CQL_OK);
    wait_for(&t.calls, accepted + 1);
    close_session(s);
}

/* The same of few but large ones. */
static void a_queue_full_of_bytes_says_so_and_drains(void **state)
{
    (void)state;
    static char text[10001];
    cql_session *s = open_session("loop_threads=1&max_pending_bytes=65536");
    tally t = {.s = s};
    unsigned accepted = 0;
    cql_status st;
    snprintf(text, sizeof text, "INSERT INTO t -- %9980s", "");
    assert_int_equal(cql_session_on_drain(s, count_drain, &t), CQL_OK);
    hold_nodes();
    while ((st = cql_session_query(s, text, count, &t)) == CQL_OK && accepted < 100)
        accepted++;
    assert_int_equal(st, CQL_WOULD_BLOCK);
    let_nodes_go();
    assert_in_range(accepted, 6, 7);
    wait_for(&t.calls, accepted);
    wait_for(&t.drains, 1);
    assert_int_equal(t.errors, 0);
    assert_int_equal(cql_session_query(s, text, count, &t), CQL_OK);
    wait_for(&t.calls, accepted + 1);
    close_session(s);
}

static void time_out_then_late_answer_harms_nobody(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0&request_timeout=30&connections_per_host=1");
    cql_error *err = NULL;
    hold_nodes();
    assert_int_equal(cql_session_query_wait(s, "INSERT INTO t", NULL, &err), CQL_TIMEOUT);
    assert_non_null(strstr(cql_error_text(err), "query timeout"));
    assert_non_null(strstr(cql_error_text(err), "30 ms (option request_timeout)"));
    assert_true(cql_error_maybe_applied(err));
    cql_statement *st = NULL;
    assert_int_equal(cql_statement_new("INSERT INTO t", 0, NULL, &st), CQL_OK);
    cql_statement_set_timeout(st, 20);
    assert_int_equal(cql_session_execute_wait(s, st, NULL, &err), CQL_TIMEOUT);
    assert_non_null(strstr(cql_error_text(err), "20 ms (the request's own time-out)"));
    cql_statement_free(st);
    cql_error_unref(err);
    let_nodes_go();
    for (int i = 0; i < 10; i++) /* the late ones come in */
        assert_int_equal(cql_session_drive(s, 10), CQL_OK);
    close_session(s);
    s = open_session("loop_threads=0");
    ask_everything(s);
    close_session(s);
}

static void cancelled_request_is_told(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=1");
    tally t = {.s = s};
    cql_request rq;
    cql_statement *st = NULL;
    assert_int_equal(cql_statement_new("INSERT INTO t", 0, NULL, &st), CQL_OK);
    hold_nodes();
    assert_int_equal(cql_session_execute_with(s, st, NULL, &rq, count, &t), CQL_OK);
    assert_int_equal(cql_request_cancel(s, rq), CQL_OK);
    wait_for(&t.calls, 1);
    let_nodes_go();
    assert_int_equal(t.last_status, CQL_CANCELLED);
    assert_int_equal(cql_request_cancel(s, rq), CQL_NO_SUCH_NAME);
    cql_statement_free(st);
    close_session(s);
}

static void a_batch_can_be_cancelled_and_sent_to_one_node(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=1");
    tally t = {.s = s};
    cql_request rq;
    cql_batch *b = NULL;
    uint64_t before = server.mc.nodes[1].requests;
    cql_execute_options opts = {.size = sizeof opts, .host = mockserver_host(&server, 1)};
    assert_int_equal(cql_batch_new(CQL_BATCH_LOGGED, NULL, &b), CQL_OK);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(cql_session_execute_batch_with(s, b, &opts, NULL, count, &t), CQL_OK);
    wait_for(&t.calls, 5);
    assert_int_equal(t.errors, 0);
    assert_int_equal(server.mc.nodes[1].requests - before, 5);
    hold_nodes();
    assert_int_equal(cql_session_execute_batch_with(s, b, NULL, &rq, count, &t), CQL_OK);
    assert_int_equal(cql_request_cancel(s, rq), CQL_OK);
    wait_for(&t.calls, 6);
    let_nodes_go();
    assert_int_equal(t.last_status, CQL_CANCELLED);
    opts.size = 1;
    assert_int_equal(cql_session_execute_batch_with(s, b, &opts, NULL, count, &t), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_session_execute_batch_with(s, NULL, NULL, NULL, count, &t), CQL_BAD_ARGUMENT);
    cql_batch_free(b);
    close_session(s);
    assert_int_equal(t.calls, 6);
}

static void closing_ends_every_request_once(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=1&close_timeout=20");
    tally t = {.s = s};
    hold_nodes();
    for (int i = 0; i < 50; i++)
        assert_int_equal(cql_session_query(s, "INSERT INTO t", count, &t), CQL_OK);
    close_session(s);
    let_nodes_go();
    assert_int_equal(t.calls, 50);
    assert_int_equal(t.errors, 50);
    assert_int_equal(t.last_status, CQL_CANCELLED);
}

/* --- many threads ---------------------------------------------------------------------------------- */

enum { PRODUCERS = 8, EACH = 1500 };

typedef struct producer {
    cql_session *s;
    cql_prepared *p;
    uint32_t first;
    atomic_uint calls;
    atomic_uint wrong;
} producer;

typedef struct sent {
    producer *owner;
    int32_t value;
} sent;

static void echoed(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    sent *one = user;
    cql_rows rows;
    (void)s;
    cql_rows_init(&rows, res);
    if (err || !cql_rows_next(&rows) || cql_rows_int32(&rows, 0) != one->value)
        one->owner->wrong++;
    one->owner->calls++;
    free(one);
}

static void *produce(void *arg)
{
    producer *p = arg;
    cql_statement *st = cql_prepared_bind(p->p);
    for (uint32_t i = 0; i < EACH; i++) {
        sent *one = malloc(sizeof *one);
        one->owner = p;
        one->value = (int32_t)(p->first + i);
        cql_statement_bind_int32(st, 0, one->value);
        cql_status status;
        while ((status = cql_session_execute(p->s, st, echoed, one)) == CQL_WOULD_BLOCK)
            poll(NULL, 0, 1);
        if (status) {
            fprintf(stderr, "execute: %s\n", cql_status_text(status));
            free(one);
            p->wrong++;
        }
    }
    cql_statement_free(st);
    return NULL;
}

static void many_threads_share_a_session(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=1&max_pending_requests=500");
    cql_prepared *p = NULL;
    producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS];
    assert_int_equal(cql_session_prepare_wait(s, "SELECT v FROM t WHERE echo = ?", &p, NULL), CQL_OK);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        producers[i] = (producer){.s = s, .p = p, .first = i * EACH};
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    for (uint32_t i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    close_session(s);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        assert_int_equal(producers[i].calls, EACH);
        assert_int_equal(producers[i].wrong, 0);
    }
    cql_prepared_unref(p);
}

typedef struct sleeper {
    cql_session *s;
    char host[64];
    cql_status status;
    long slept; /* how often its thread went to sleep during the call */
} sleeper;

static long sleeps_of_this_thread(void)
{
    struct rusage u;
    assert_int_equal(getrusage(RUSAGE_THREAD, &u), 0);
    return u.ru_nvcsw;
}

static cql_status ask_node(cql_session *s, const char *host, uint32_t timeout_ms)
{
    cql_statement *st = NULL;
    cql_execute_options opts = {.size = sizeof opts, .timeout_ms = timeout_ms, .host = host};
    assert_int_equal(cql_statement_new("SELECT * FROM t rows 2", 0, NULL, &st), CQL_OK);
    cql_status status = cql_session_execute_with_wait(s, st, &opts, NULL, NULL);
    cql_statement_free(st);
    return status;
}

static void *sleep_in_a_call(void *arg)
{
    sleeper *z = arg;
    long before = sleeps_of_this_thread();
    z->status = ask_node(z->s, z->host, 3000);
    z->slept = sleeps_of_this_thread() - before;
    return NULL;
}

/* A program with a hundred threads in blocking calls would else wake a hundred for each answer. */
static void the_end_of_a_call_wakes_no_other(void **state)
{
    (void)state;
    server.mc.nodes[1].stalled = true;
    cql_session *s = open_session("loop_threads=1");
    wait_connections(s, 3);
    sleeper z = {.s = s};
    pthread_t thread;
    snprintf(z.host, sizeof z.host, "%s", mockserver_host(&server, 1));
    const char *other = mockserver_host(&server, 0);
    assert_int_equal(pthread_create(&thread, NULL, sleep_in_a_call, &z), 0);
    for (int i = 0; i < 300; i++)
        assert_int_equal(ask_node(s, other, 0), CQL_OK);
    pthread_join(thread, NULL);
    close_session(s);
    assert_int_equal(z.status, CQL_TIMEOUT);
    assert_in_range(z.slept, 1, 30);
}

/* --- the caller's loop ----------------------------------------------------------------------------- */

static void uv_answered(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    tally *t = user;
    (void)res;
    t->errors += err != NULL;
    if (++t->calls < 100)
        t->errors += cql_session_query(s, "SELECT * FROM t rows 2", uv_answered, t) != CQL_OK;
    else
        t->errors += cql_session_close(s, NULL, NULL) != CQL_OK;
}

static void uv_connected(cql_session *s, const cql_error *err, void *user)
{
    tally *t = user;
    t->errors += err != NULL;
    t->wrong_thread += cql_session_may_wait(s) == CQL_WRONG_THREAD;
    t->errors += cql_session_query(s, "SELECT * FROM t rows 2", uv_answered, t) != CQL_OK;
}

static void callers_loop_needs_no_thread(void **state)
{
    (void)state;
    uv_loop_t loop;
    tally t = {.loop = &loop};
    cql_session *s = NULL;
    cql_options *o = options("");
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(cql_session_new_uv(&loop, o, &s, NULL), CQL_OK);
    cql_options_free(o);
    assert_int_equal(cql_session_connect(s, uv_connected, &t), CQL_OK);
    assert_int_equal(cql_session_connect_wait(s, NULL), CQL_WRONG_THREAD);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(t.calls, 100);
    assert_int_equal(t.errors, 0);
    assert_int_equal(t.wrong_thread, 1);
    cql_session_free(s);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void uv_free_inside(cql_session *s, const cql_error *err, void *user)
{
    tally *t = user;
    t->errors += err != NULL;
    t->calls++;
    cql_session_free(s); /* open: it closes itself and goes when the loop has run its callbacks */
}

static void session_may_be_freed_inside_a_callback(void **state)
{
    (void)state;
    uv_loop_t loop;
    tally t = {.loop = &loop};
    cql_session *s = NULL;
    cql_options *o = options("");
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(cql_session_new_uv(&loop, o, &s, NULL), CQL_OK);
    cql_options_free(o);
    assert_int_equal(cql_session_connect(s, uv_free_inside, &t), CQL_OK);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(t.calls, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* --- driven beside a poll of the program's own ------------------------------------------------------- */

static void own_poll_drives_a_session(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0");
    tally t = {.s = s};
    for (int i = 0; i < 20; i++)
        assert_int_equal(cql_session_query(s, "SELECT * FROM t rows 2", count, &t), CQL_OK);
    for (int turns = 0; turns < 1000 && t.calls < 20; turns++) {
        struct pollfd fd = {cql_session_fd(s), POLLIN, 0};
        poll(&fd, 1, cql_session_deadline(s));
        assert_int_equal(cql_session_drive(s, 0), CQL_OK);
    }
    assert_int_equal(t.calls, 20);
    assert_int_equal(t.errors, 0);
    assert_int_equal(t.wrong_thread, 20);
    close_session(s);
}

/* --- failures that people meet ---------------------------------------------------------------------- */

static cql_status connect_to(const char *url, const char *password, cql_error **err)
{
    cql_options *o = NULL;
    cql_session *s = NULL;
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    assert_int_equal(cql_options_parse(o, url, err), CQL_OK);
    if (password)
        cql_options_set_credentials(o, "cassandra", password);
    assert_int_equal(cql_session_new(o, &s, err), CQL_OK);
    cql_status st = cql_session_connect_wait(s, err);
    cql_options_free(o);
    cql_session_free(s);
    return st;
}

static void refused_connection_says_where_and_why(void **state)
{
    (void)state;
    cql_error *err = NULL;
    assert_int_equal(connect_to("cql://127.9.0.77:1,127.9.0.78:1/", NULL, &err), CQL_NO_HOST);
    assert_non_null(strstr(cql_error_text(err), "127.9.0.77:1"));
    assert_non_null(strstr(cql_error_text(err), "127.9.0.78:1"));
    assert_non_null(strstr(cql_error_text(err), "refused"));
    assert_non_null(strstr(cql_error_text(err), "is Cassandra running"));
    assert_int_equal(cql_error_tried_count(err), 2);
    cql_error_unref(err);
}

static void connections_come_from_the_address_that_is_said(void **state)
{
    (void)state;
    static const char *const modes[] = {"loop_threads=0&local_address=127.9.1.7",
                                        "loop_threads=3&local_address=127.9.1.7"};
    for (size_t i = 0; i < CQL_COUNT(modes); i++) {
        uint32_t before = server.strangers;
        cql_session *s = open_session(modes[i]);
        ask_everything(s);
        assert_int_equal(server.strangers, before);
        close_session(s);
    }
    uint32_t before = server.strangers;
    close_session(open_session("local_address=::1")); /* these nodes have none of the kind */
    assert_true(server.strangers > before);
}

static void an_address_of_others_is_told(void **state)
{
    (void)state;
    char url[200];
    cql_session *s = NULL;
    cql_error *err = NULL;
    snprintf(url, sizeof url, "cql://%s/?local_address=192.0.2.1", mockserver_host(&server, 0));
    assert_int_equal(connect_to(url, NULL, &err), CQL_NO_HOST);
    assert_non_null(strstr(cql_error_text(err), "is local_address an address of this machine?"));
    snprintf(url, sizeof url, "cql://%s/?local_address=eth0", mockserver_host(&server, 0));
    assert_int_equal(cql_session_open_wait(url, &s, &err), CQL_BAD_VALUE);
    assert_non_null(strstr(cql_error_text(err), "local_address"));
    cql_error_unref(err);
}

static void log_in_is_asked_for_and_checked(void **state)
{
    (void)state;
    char url[200];
    cql_error *err = NULL;
    for (size_t i = 0; i < 3; i++)
        server.mc.nodes[i].want_login = true;
    snprintf(url, sizeof url, "cql://%s/?connect_timeout=60s", mockserver_host(&server, 0));
    assert_int_equal(connect_to(url, NULL, &err), CQL_AUTH_FAILED);
    assert_int_equal(connect_to(url, "wrong", &err), CQL_SERVER_BAD_CREDENTIALS);
    assert_null(strstr(cql_error_text(err), "wrong"));
    assert_non_null(strstr(cql_error_text(err), "cassandra"));
    assert_int_equal(connect_to(url, "secret", &err), CQL_OK);
    snprintf(url, sizeof url, "cql://%s/?connect_timeout=60s&plain_auth=never", mockserver_host(&server, 0));
    assert_int_equal(connect_to(url, "secret", &err), CQL_AUTH_FAILED);
    cql_error_unref(err);
}

static void one_call_logs_in(void **state)
{
    (void)state;
    char url[200];
    cql_error *err = NULL;
    cql_session *s = NULL;
    for (size_t i = 0; i < 3; i++)
        server.mc.nodes[i].want_login = true;
    snprintf(url, sizeof url, "cql://%s/?connect_timeout=60s&loop_threads=0", mockserver_host(&server, 0));
    assert_int_equal(cql_session_open_login_wait(url, "cassandra", "secret", &s, &err), CQL_OK);
    ask_everything(s);
    close_session(s);
    assert_int_equal(cql_session_open_login_wait(url, "cassandra", "wrong", &s, &err),
                     CQL_SERVER_BAD_CREDENTIALS);
    assert_null(s);
    assert_int_equal(cql_session_open_login_wait(url, NULL, NULL, &s, &err), CQL_AUTH_FAILED);
    assert_int_equal(cql_session_open_login_wait(url, "cassandra", NULL, &s, &err),
                     CQL_SERVER_BAD_CREDENTIALS);
    assert_int_equal(cql_session_open_login_wait(NULL, "cassandra", "secret", &s, NULL), CQL_BAD_ARGUMENT);
    assert_int_not_equal(cql_session_open_login_wait("cql://127.0.0.1:x/", "cassandra", "secret", &s, &err),
                         CQL_OK);
    assert_null(strstr(cql_error_text(err), "secret"));
    cql_error_unref(err);
}

static bool machine_has_ipv6(void)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

/* It is of the loopback too: a password may go there. */
static void a_node_with_an_ipv6_address_answers(void **state)
{
    (void)state;
    if (!machine_has_ipv6())
        skip();
    mockserver_start_at(&server, "::1");
    server.mc.nodes[0].want_login = true;
    cql_options *o = options("loop_threads=1");
    cql_host_info info;
    cql_options_set_credentials(o, "cassandra", "secret");
    cql_session *s = open_with(o);
    ask_everything(s);
    cql_hosts *hosts = cql_session_hosts(s);
    assert_int_equal(cql_hosts_count(hosts), 1);
    assert_true(cql_hosts_at(hosts, 0, &info));
    assert_string_equal(info.address, mockserver_host(&server, 0));
    assert_memory_equal(info.address, "[::1]:", 6);
    cql_hosts_free(hosts);
    close_session(s);
    mockserver_stop(&server);
}

static void wrong_data_centre_names_the_right_ones(void **state)
{
    (void)state;
    char url[200];
    cql_error *err = NULL;
    snprintf(url, sizeof url, "cql://%s/?connect_timeout=60s&local_dc=nowhere", mockserver_host(&server, 0));
    assert_int_equal(connect_to(url, NULL, &err), CQL_BAD_ARGUMENT);
    assert_non_null(strstr(cql_error_text(err), "datacenter1"));
    cql_error_unref(err);
}

static void unresolvable_name_is_told(void **state)
{
    (void)state;
    cql_error *err = NULL;
    assert_int_equal(connect_to("cql://no-such-host.invalid/?connect_timeout=3s", NULL, &err),
                     CQL_RESOLVE_FAILED);
    assert_non_null(strstr(cql_error_text(err), "no-such-host.invalid"));
    cql_error_unref(err);
}

static void lost_connections_come_back(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=1&reconnect_base=10&reconnect_max=50");
    mockserver_cut(&server);
    unsigned good = 0;
    for (int i = 0; i < PATIENCE_MS / 5 && good < 20; i++) {
        good += cql_session_query_wait(s, "SELECT * FROM t rows 2", NULL, NULL) == CQL_OK;
        poll(NULL, 0, 5);
    }
    assert_int_equal(good, 20);
    close_session(s);
}

/* Between calls nobody looks at a driven session: that its idle connections were ended is seen before anything is sent
 * on them. */
static void a_driven_session_that_slept_sees_what_ended_meanwhile(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=0");
    poll(NULL, 0, 5200);
    mockserver_cut(&server);
    poll(NULL, 0, 50);
    assert_int_equal(cql_session_query_wait(s, "INSERT INTO t", NULL, NULL), CQL_OK);
    close_session(s);
}

/* A program that has run out of memory can still end what it began. */
static void closing_needs_no_memory(void **state)
{
    static const char *const modes[] = {"loop_threads=0", "loop_threads=1", "loop_threads=3"};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(modes); i++) {
        char url[300];
        failmalloc f;
        cql_options *o = NULL;
        cql_session *s = NULL;
        failmalloc_init(&f);
        snprintf(url, sizeof url, "cql://%s/?connect_timeout=60s&%s", mockserver_host(&server, 0), modes[i]);
        assert_int_equal(cql_options_new(&f.al, &o), CQL_OK);
        assert_int_equal(cql_options_parse(o, url, NULL), CQL_OK);
        assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
        cql_options_free(o);
        assert_int_equal(cql_session_connect_wait(s, NULL), CQL_OK);
        f.fail_after = true;
        f.fail_at = 1; /* from now on */
        assert_int_equal(cql_session_close(s, NULL, NULL), CQL_NO_MEMORY);
        close_session(s);
        assert_int_equal(f.live, 0);
    }
}

static void session_connects_again_after_a_failed_try(void **state)
{
    (void)state;
    cql_error *err = NULL;
    cql_session *s = NULL;
    cql_options *o = options("loop_threads=0");
    for (size_t i = 0; i < 3; i++)
        server.mc.nodes[i].want_login = true;
    assert_int_equal(cql_session_new(o, &s, &err), CQL_OK);
    assert_int_equal(cql_session_connect_wait(s, &err), CQL_AUTH_FAILED);
    assert_int_equal(cql_session_query_wait(s, "x", NULL, NULL), CQL_BAD_STATE);
    for (size_t i = 0; i < 3; i++)
        server.mc.nodes[i].want_login = false;
    assert_int_equal(cql_session_connect_wait(s, &err), CQL_OK);
    assert_int_equal(cql_session_connect_wait(s, &err), CQL_BAD_STATE);
    assert_non_null(strstr(cql_error_text(err), "connected or connecting already"));
    ask_everything(s);
    close_session(s);
    cql_options_free(o);
    cql_error_unref(err);
}

static void ask_for_log_in(bool wanted)
{
    pthread_mutex_lock(&server.lock);
    for (size_t i = 0; i < 3; i++)
        server.mc.nodes[i].want_login = wanted;
    pthread_mutex_unlock(&server.lock);
}

/* From the first node that was found on, log-in is asked for: the list is known, and no node can be used. */
static void close_the_door(void *user, cql_session *s, cql_node_event event, const cql_host_info *host)
{
    const bool *closing = user;
    (void)s;
    (void)host;
    if (event == CQL_NODE_ADDED && *closing)
        ask_for_log_in(true);
}

static void session_connects_again_when_nodes_were_found_before(void **state)
{
    (void)state;
    cql_session *s = NULL;
    cql_status st = CQL_OK;
    bool closing = true;
    cql_options *o = options("loop_threads=0");
    cql_options_on_node_event(o, close_the_door, &closing);
    for (int i = 0; i < 50 && st == CQL_OK; i++) { /* a connection may be faster */
        cql_session_free(s);
        ask_for_log_in(false);
        assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
        st = cql_session_connect_wait(s, NULL);
    }
    assert_int_not_equal(st, CQL_OK);
    closing = false;
    ask_for_log_in(false);
    assert_int_equal(cql_session_connect_wait(s, NULL), CQL_OK);
    ask_everything(s);
    close_session(s);
    cql_options_free(o);
}

/* How many of these fail when one node answers that it cannot: another one is asked where that harms nobody. */
static unsigned overloaded(cql_session *s, const char *cql)
{
    unsigned failed = 0;
    for (int i = 0; i < 12; i++) {
        cql_status st = cql_session_query_wait(s, cql, NULL, NULL);
        assert_true(st == CQL_OK || st == CQL_SERVER_OVERLOADED);
        failed += st != CQL_OK;
    }
    return failed;
}

static void the_option_says_what_may_run_twice(void **state)
{
    (void)state;
    static const char insert[] = "INSERT INTO t (v) VALUES (1)", lwt[] = "UPDATE t SET v = 1 WHERE k = 1 IF v = 2";
    cql_session *without = open_session(""), *with = open_session("idempotent=true");
    wait_connections(without, 3);
    wait_connections(with, 3);
    pthread_mutex_lock(&server.lock);
    server.mc.nodes[0].error_code = 0x1001;
    pthread_mutex_unlock(&server.lock);
    assert_true(overloaded(without, insert) > 0);
    assert_int_equal(overloaded(with, insert), 0);
    assert_true(overloaded(with, lwt) > 0);
    close_session(without);
    close_session(with);
}

/* --- profiles ------------------------------------------------------------------------------------- */

static uint64_t requests_of(size_t node)
{
    pthread_mutex_lock(&server.lock);
    uint64_t n = server.mc.nodes[node].requests;
    pthread_mutex_unlock(&server.lock);
    return n;
}

static void place_far(size_t from)
{
    pthread_mutex_lock(&server.lock);
    for (size_t i = from; i < 3; i++)
        snprintf(server.mc.nodes[i].data_center, sizeof server.mc.nodes[i].data_center, "far");
    pthread_mutex_unlock(&server.lock);
}

static const cql_profile reports = {.size = sizeof reports, .consistency = CQL_CONSISTENCY_LOCAL_QUORUM, .local_dc = "far"};

/* Prepared or not, in a batch and page by page: 24 requests. */
static void execute_everything(cql_session *s)
{
    cql_prepared *p = NULL;
    cql_statement *text = NULL;
    cql_batch *b = NULL;
    cql_pages *pages = NULL;
    cql_rows rows;
    assert_int_equal(cql_session_prepare_wait(s, "SELECT v FROM t WHERE echo = ?", &p, NULL), CQL_OK);
    cql_statement *st = cql_prepared_bind(p);
    assert_int_equal(cql_statement_bind_int32(st, 0, 1), CQL_OK);
    assert_int_equal(cql_statement_set_profile(st, &reports), CQL_OK);
    assert_int_equal(cql_statement_new("SELECT v FROM t rows 4", 0, NULL, &text), CQL_OK);
    assert_int_equal(cql_statement_set_profile(text, &reports), CQL_OK);
    assert_int_equal(cql_batch_new(CQL_BATCH_UNLOGGED, NULL, &b), CQL_OK);
    assert_int_equal(cql_batch_add(b, st), CQL_OK);
    assert_int_equal(cql_batch_set_profile(b, &reports), CQL_OK);
    uint64_t before = requests_of(2);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(cql_session_execute_wait(s, st, NULL, NULL), CQL_OK);
        assert_int_equal(cql_session_execute_wait(s, text, NULL, NULL), CQL_OK);
        assert_int_equal(cql_session_execute_with_wait(s, st, NULL, NULL, NULL), CQL_OK);
        assert_int_equal(cql_session_execute_batch_wait(s, b, NULL, NULL), CQL_OK);
    }
    assert_int_equal(cql_pages_new(s, text, 1, &pages), CQL_OK);
    while (cql_pages_next_wait(pages, &rows, NULL) == CQL_OK)
        ;
    cql_pages_free(pages);
    assert_int_equal(requests_of(2) - before, 24);
    const cql_execute_options to_first = {.size = sizeof to_first, .host = mockserver_host(&server, 0)};
    assert_int_equal(cql_session_execute_with_wait(s, st, &to_first, NULL, NULL), CQL_OK);
    assert_int_equal(requests_of(2) - before, 24);
    cql_batch_free(b);
    cql_statement_free(text);
    cql_statement_free(st);
    cql_prepared_unref(p);
}

static void a_profile_goes_to_its_data_centre_in(const char *mode)
{
    cql_session *s = open_session(mode);
    for (int i = 0; i < PATIENCE_MS && metric_of(s, CQL_METRIC_CONNECTIONS) < 3; i++)
        (void)cql_session_query_wait(s, "SELECT v FROM t rows 1", NULL, NULL);
    uint64_t others = requests_of(2);
    for (int i = 0; i < 6; i++)
        assert_int_equal(cql_session_query_wait(s, "SELECT v FROM t rows 1", NULL, NULL), CQL_OK);
    assert_int_equal(requests_of(2), others);
    execute_everything(s);
    close_session(s);
}

static void a_profile_goes_to_its_data_centre(void **state)
{
    (void)state;
    place_far(2);
    a_profile_goes_to_its_data_centre_in("loop_threads=0&local_dc=datacenter1&used_hosts_per_remote_dc=1&refresh_interval=1h");
    a_profile_goes_to_its_data_centre_in("local_dc=datacenter1&used_hosts_per_remote_dc=1&refresh_interval=1h");
}

/* There is one connection for everything else. */
static void a_profile_does_not_go_to_the_only_other_node(void **state)
{
    (void)state;
    static const char *const modes[] = {"loop_threads=0&local_dc=datacenter1", "local_dc=datacenter1"};
    place_far(1);
    for (size_t i = 0; i < CQL_COUNT(modes); i++) {
        cql_error *err = NULL;
        cql_prepared *p = NULL;
        cql_session *s = open_session(modes[i]);
        assert_int_equal(cql_session_prepare_wait(s, "SELECT v FROM t WHERE echo = ?", &p, NULL), CQL_OK);
        cql_statement *st = cql_prepared_bind(p);
        assert_int_equal(cql_statement_bind_int32(st, 0, 1), CQL_OK);
        assert_int_equal(cql_session_execute_wait(s, st, NULL, NULL), CQL_OK);
        assert_int_equal(cql_statement_set_profile(st, &reports), CQL_OK);
        assert_int_equal(cql_session_execute_wait(s, st, NULL, &err), CQL_NO_HOST);
        assert_non_null(strstr(cql_error_text(err), "used_hosts_per_remote_dc"));
        assert_false(cql_error_retriable(err));
        cql_error_unref(err);
        cql_statement_free(st);
        cql_prepared_unref(p);
        close_session(s);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start_three, stop_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_missing_is_an_error_with_a_text),
        CASE(what_v4_cannot_is_said),
        CASE(own_thread_answers),
        CASE(driven_answers),
        CASE(protocol_4_and_lz4_answer),
        CASE(steps_down_to_version_4),
        CASE(result_outlives_its_session),
        CASE(pages_are_followed),
        CASE(every_node_is_found_and_used),
        CASE(use_reaches_every_connection),
        CASE(text_of_a_cell_is_not_escaped),
        CASE(schema_change_waits_for_agreement),
        CASE(request_can_be_sent_to_one_node),
        CASE(a_callback_may_ask_everything),
        CASE(without_descriptors_a_session_goes_on),
        CASE(full_queue_says_so_and_drains),
        CASE(a_queue_full_of_bytes_says_so_and_drains),
        CASE(time_out_then_late_answer_harms_nobody),
        CASE(cancelled_request_is_told),
        CASE(a_batch_can_be_cancelled_and_sent_to_one_node),
        CASE(closing_ends_every_request_once),
        CASE(many_threads_share_a_session),
        CASE(the_end_of_a_call_wakes_no_other),
        CASE(callers_loop_needs_no_thread),
        CASE(session_may_be_freed_inside_a_callback),
        CASE(own_poll_drives_a_session),
        CASE(refused_connection_says_where_and_why),
        CASE(connections_come_from_the_address_that_is_said),
        CASE(an_address_of_others_is_told),
        CASE(log_in_is_asked_for_and_checked),
        CASE(one_call_logs_in),
        cmocka_unit_test(a_node_with_an_ipv6_address_answers),
        CASE(wrong_data_centre_names_the_right_ones),
        CASE(unresolvable_name_is_told),
        CASE(lost_connections_come_back),
        CASE(a_driven_session_that_slept_sees_what_ended_meanwhile),
        CASE(the_option_says_what_may_run_twice),
        CASE(a_profile_goes_to_its_data_centre),
        CASE(a_profile_does_not_go_to_the_only_other_node),
        CASE(closing_needs_no_memory),
        CASE(session_connects_again_after_a_failed_try),
        CASE(session_connects_again_when_nodes_were_found_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
