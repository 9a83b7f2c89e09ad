/* Cases that other drivers' users met, each by its number (README.md), over the simulated network. */
#include "api/options.h"
#include "api/statement.h"
#include "failmalloc.h"
#include "simio.h"
#include "unit.h"

#include "base/error.h"
#include "cluster/lessons.h"

#include <stdio.h>
#include <string.h>

enum { ASKED_MAX = 4000 };

typedef struct world {
    failmalloc memory;
    mockcluster mc;
    simio io;
    cql_options *options;
    cqln_cluster c;
    bool connected;
    bool closed;
    cql_prepared *echo;
    cql_prepared *insert;
} world;

/* One request and what came of it. */
typedef struct asked {
    world *w;
    int32_t value;
    unsigned calls;
    cql_status status;
    bool maybe_applied;
    bool right;
    char text[200]; /* of the error, or the first cell of a request in text */
    size_t tried;
    uint64_t at;
    uint64_t handle;
} asked;

static world w;
static asked all[ASKED_MAX];

/* --- the frame ------------------------------------------------------------------------------------ */

static int begin(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    memset(all, 0, sizeof all);
    failmalloc_init(&w.memory);
    mockcluster_init(&w.mc, 2);
    simio_init(&w.io, &w.mc, 1);
    return cql_options_new(&w.memory.al, &w.options) != CQL_OK;
}

static void option(const char *name, const char *value)
{
    assert_int_equal(cql_options_set(w.options, name, value, NULL), CQL_OK);
}

static void pass(uint64_t ms)
{
    simio_run(&w.io, w.io.now + ms);
}

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    (void)s;
    (void)user;
    if (err)
        fail_msg("%s", cql_error_text(err));
    w.connected = true;
}

static void on_prepared(cql_session *s, const cql_error *err, const cql_prepared *p, void *user)
{
    (void)s;
    if (err)
        fail_msg("%s", cql_error_text(err));
    *(cql_prepared **)user = cql_prepared_ref(p);
}

static void prepare(const char *cql, cql_prepared **out)
{
    cqln_request *req;
    cql_str text = cql_str_of(cql);
    assert_int_equal(cqln_request_begin(&w.c, &req), CQL_OK);
    assert_int_equal(cqln_encode_prepare(&req->env, (uint8_t)w.c.version, text, (cql_str){NULL, 0}),
                     CQL_OK);
    req->is_prepare = true;
    req->cb.prepared = on_prepared;
    req->user = out;
    req->cql = (cql_str){(const char *)req->env.data + CQLN_FRAME_HEADER + 4, text.len};
    cqln_request_start(req);
}

static void start(size_t nodes)
{
    w.mc.count = nodes;
    for (size_t i = 0; i < MOCK_NODES; i++)
        w.mc.nodes[i].member = i < nodes;
    option("read_buffer", "4096");
    assert_int_equal(cql_options_set_contact_points(w.options, "127.9.0.1", NULL), CQL_OK);
    assert_int_equal(
        cqln_cluster_init(&w.c, &w.io.io, &w.memory.al, &w.options->config, &w), CQL_OK);
    cqln_cluster_connect(&w.c, on_connected, NULL);
    pass(2000);
    assert_true(w.connected);
    prepare("SELECT v FROM t WHERE echo = ?", &w.echo);
    prepare("INSERT INTO t (v) VALUES (?)", &w.insert);
    pass(500);
    assert_non_null(w.echo);
    assert_non_null(w.insert);
}

static void on_closed(void *user)
{
    (void)user;
    w.closed = true;
}

static int end(void **state)
{
    (void)state;
    if (!w.closed)
        cqln_cluster_close(&w.c, on_closed, NULL);
    for (int i = 0; i < 100 && !w.closed; i++)
        pass(100);
    cql_prepared_unref(w.echo);
    cql_prepared_unref(w.insert);
    cqln_cluster_fini(&w.c);
    cql_options_free(w.options);
    bool clean = w.closed && w.memory.live == 0 && w.mc.reused == 0;
    simio_fini(&w.io);
    mockcluster_fini(&w.mc);
    return !clean;
}

static void on_result(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    asked *a = user;
    cql_rows rows;
    (void)s;
    a->calls++;
    a->at = w.io.now;
    a->status = err ? cql_error_status(err) : CQL_OK;
    a->maybe_applied = err && cql_error_maybe_applied(err);
    a->tried = err ? cql_error_tried_count(err) : 0;
    snprintf(a->text, sizeof a->text, "%s", err ? cql_error_text(err) : "");
    if (!res)
        return;
    cql_rows_init(&rows, res);
    a->right = cql_rows_next(&rows) && cql_rows_int32(&rows, 0) == a->value;
}

static const cql_retry_policy *next_policy; /* of the requests that follow */
static bool unsaid; /* nothing is said of their idempotence */

/* All but the start, which the loop's thread does later for requests of other threads. */
static cql_status make(size_t i, cql_prepared *p, bool idempotent, uint32_t timeout,
                       cqln_request **out)
{
    cqln_request *req;
    cql_status st = cqln_request_begin(&w.c, &req);
    if (st)
        return st;
    all[i].value = (int32_t)i + 1;
    cql_statement *stmt = cql_prepared_bind(p);
    cql_statement_bind_int32(stmt, 0, all[i].value);
    if (!unsaid)
        cql_statement_set_idempotent(stmt, idempotent);
    if (next_policy)
        cql_statement_set_retry_policy(stmt, next_policy);
    assert_int_equal(cqln_encode_statement(&w.c, stmt, req), CQL_OK);
    cql_statement_free(stmt);
    req->timeout_ms = timeout;
    req->cb.result = on_result;
    req->user = &all[i];
    all[i].handle = cqln_request_handle(req);
    *out = req;
    return CQL_OK;
}

static cql_status ask(size_t i, cql_prepared *p, bool idempotent, uint32_t timeout)
{
    cqln_request *req;
    cql_status st = make(i, p, idempotent, timeout, &req);
    if (st)
        return st;
    cqln_request_start(req);
    return CQL_OK;
}

static void on_text(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    asked *a = user;
    cql_rows rows;
    on_result(s, err, res, user);
    if (!res)
        return;
    cql_rows_init(&rows, res);
    if (!cql_rows_next(&rows))
        return;
    cql_str cell = cql_rows_str(&rows, 0);
    snprintf(a->text, sizeof a->text, "%.*s", (int)cell.len, cell.ptr);
}

static bool with_payload; /* statements as text */

/* A statement as text, to that node; only NULL: to any. */
static void say(size_t i, const char *cql, const char *only, uint32_t timeout)
{
    cqln_request *req;
    cql_statement *stmt;
    assert_int_equal(cqln_request_begin(&w.c, &req), CQL_OK);
    assert_int_equal(cql_statement_new(cql, 0, NULL, &stmt), CQL_OK);
    if (with_payload) {
        assert_int_equal(cql_statement_add_payload(stmt, "tag", "x", 1), CQL_OK);
        assert_int_equal(cql_statement_add_payload(stmt, "none", NULL, 0), CQL_OK);
    }
    assert_int_equal(cqln_encode_statement(&w.c, stmt, req), CQL_OK);
    cql_statement_free(stmt);
    if (only)
        snprintf(req->only_host, sizeof req->only_host, "%s", only);
    req->bound = only ? CQLN_BOUND_HOST : CQLN_BOUND_NOT;
    req->timeout_ms = timeout;
    req->cb.result = on_text;
    req->user = &all[i];
    cqln_request_start(req);
}

static void read_many(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        assert_int_equal(ask(i, w.echo, true, 0), CQL_OK);
}

static void expect(size_t from, size_t to, cql_status status)
{
    for (size_t i = from; i < to; i++) {
        assert_int_equal(all[i].calls, 1);
        assert_int_equal(all[i].status, status);
        assert_true(status != CQL_OK || all[i].right);
    }
}

static cqln_node *node(size_t i)
{
    cqln_node *n = cqln_node_find(&w.c, i == 0 ? "127.9.0.1:9042" : "127.9.0.2:9042");
    assert_non_null(n);
    return n;
}

/* --- 1a streams, time-outs, callbacks ------------------------------------------------------------- */

static void r1_a_stream_waits_for_its_late_answer(void **state)
{
    (void)state;
    option("max_requests_per_connection", "64");
    start(1);
    w.io.hosts[0].delay_ms = 700;
    for (size_t i = 0; i < 20; i++)
        ask(i, w.echo, false, 200);
    pass(300);
    expect(0, 20, CQL_TIMEOUT);
    w.io.hosts[0].delay_ms = 0;
    for (size_t i = 20; i < 2000; i++) {
        ask(i, w.echo, false, 2000);
        pass(1);
    }
    pass(1000);
    expect(20, 2000, CQL_OK);
    assert_int_equal(w.c.loop.late, 20);
}

static void r2_a_connection_full_of_orphans_is_replaced(void **state)
{
    (void)state;
    option("max_requests_per_connection", "32");
    option("max_connections_per_host", "1");
    option("heartbeat", "100");
    start(1);
    size_t flat = 0;
    for (unsigned round = 0; round < 10; round++) {
        size_t at = round * 40;
        w.mc.nodes[0].stalled = true;
        for (size_t i = at; i < at + 20; i++)
            ask(i, w.echo, false, 50);
        pass(200);
        expect(at, at + 20, CQL_TIMEOUT);
        w.mc.nodes[0].stalled = false;
        for (size_t i = at + 20; i < at + 40; i++)
            ask(i, w.echo, false, 500);
        pass(200);
        expect(at + 20, at + 40, CQL_OK);
        if (round == 1)
            flat = w.memory.live;
    }
    assert_int_equal(w.c.counts.replaced, 10);
    assert_int_equal(w.memory.live, flat);
    assert_int_equal(w.c.links, 2); /* the control connection, and one */
}

static void requests_wait_for_the_connection_that_replaces_a_full_one(void **state)
{
    (void)state;
    option("max_requests_per_connection", "32");
    option("max_connections_per_host", "1");
    start(1);
    w.io.hosts[0].delay_ms = 20;
    for (size_t i = 0; i < 20; i++)
        ask(i, w.echo, false, 0);
    pass(5);
    for (size_t i = 0; i < 17; i++)
        assert_int_equal(cqln_request_cancel(&w.c, all[i].handle), CQL_OK);
    for (size_t i = 20; i < 40; i++)
        ask(i, w.echo, false, 0);
    pass(5);
    assert_int_equal(w.c.counts.replaced, 1);
    for (size_t i = 40; i < 60; i++) /* now there is none that is ready */
        ask(i, w.echo, false, 0);
    pass(1000);
    expect(0, 17, CQL_CANCELLED);
    expect(17, 60, CQL_OK);
}

/* Not asked of the next node, whose answer would be as large; what else is on the connection is answered on it. */
static void an_answer_that_is_too_large_is_the_error_of_its_request(void **state)
{
    (void)state;
    cql_prepared *many = NULL;
    option("max_response_bytes", "65536");
    option("page_size", "20000");
    start(1);
    prepare("SELECT v FROM t WHERE k = ? AND rows 12000", &many);
    pass(100);
    w.io.hosts[0].delay_ms = 20;
    uint64_t connects = w.mc.nodes[0].connects;
    ask(0, many, true, 0);
    for (size_t i = 1; i < 20; i++)
        ask(i, w.echo, false, 0);
    ask(20, many, false, 0);
    pass(1000);
    for (size_t i = 0; i <= 20; i += 20) {
        expect(i, i + 1, CQL_TOO_LARGE);
        assert_non_null(strstr(all[i].text, "127.9.0.1"));
        assert_non_null(strstr(all[i].text, "max_response_bytes"));
        assert_true(all[i].maybe_applied);
        assert_int_equal(all[i].tried, 0);
    }
    expect(1, 20, CQL_OK);
    assert_int_equal(w.mc.nodes[0].connects, connects);
    assert_int_equal(w.c.nodes->meter->values[CQL_METRIC_LOST], 0);
    assert_int_equal(w.c.nodes->meter->values[CQL_METRIC_ERROR_OTHER], 2);
    assert_int_equal(w.c.nodes->room, 0); /* it was well: it need not begin slowly */
    cql_prepared_unref(many);
}

/* The same of another attempt of it: from a third node it would be as large. */
static void an_answer_that_is_too_large_ends_a_race(void **state)
{
    (void)state;
    cql_prepared *many = NULL;
    option("max_response_bytes", "65536");
    option("page_size", "20000");
    option("speculation", "constant");
    option("speculation_delay", "20");
    start(3);
    prepare("SELECT v FROM t WHERE k = ? AND rows 12000", &many);
    pass(1000);
    for (size_t i = 0; i < 3; i++)
        w.io.hosts[i].delay_ms = i ? 1 : 300;
    for (size_t i = 0; i < 30; i++)
        ask(i, many, true, 0);
    pass(100);
    expect(0, 30, CQL_TOO_LARGE);
    pass(1000);
    assert_true(w.c.meter->values[CQL_METRIC_SPECULATIONS] > 0);
    for (const cqln_node *n = w.c.nodes; n; n = n->next)
        assert_int_equal(n->meter->values[CQL_METRIC_LOST], 0);
    cql_prepared_unref(many);
}

/* Errors say what they know: this one has no write type. */
static void errors_name_what_they_know(void **state)
{
    (void)state;
    start(1);
    w.mc.nodes[0].error_code = 0x1100;
    ask(0, w.insert, false, 0);
    pass(100);
    expect(0, 1, CQL_SERVER_WRITE_TIMEOUT);
    assert_non_null(strstr(all[0].text, "received 1, write type BATCH_LOG)"));
    w.mc.nodes[0].error_code = 0x1700;
    ask(1, w.insert, false, 0);
    pass(100);
    expect(1, 2, CQL_SERVER_CAS_WRITE_UNKNOWN);
    assert_non_null(strstr(all[1].text, "(consistency LOCAL_QUORUM: required 2, received 2)"));
    w.mc.nodes[0].error_code = 0;
}

/* Of all nodes, and of the one at a host. */
static uint64_t counted_at(size_t host, cql_metric which)
{
    uint64_t sum = 0;
    for (const cqln_node *n = w.c.nodes; n; n = n->next)
        if (host == SIZE_MAX || n->address.bytes[3] == host + 1)
            sum += n->meter->values[which];
    return sum;
}

/* A replica that the ALTER has not reached yet: another coordinator does without it, or it has learnt by then. */
static void reads_that_fail_on_another_schema_are_asked_of_the_next_node(void **state)
{
    (void)state;
    start(2);
    w.mc.nodes[0].error_code = 0x1300;
    w.mc.nodes[0].error_reason = 3;
    read_many(0, 20);
    pass(1000);
    expect(0, 20, CQL_OK);
    assert_int_equal(w.c.meter->values[CQL_METRIC_ERROR_SERVER_FAILURE], 0);
    assert_true(w.c.meter->values[CQL_METRIC_RETRIES] > 0);
    assert_int_equal(counted_at(0, CQL_METRIC_RETRIES), w.c.meter->values[CQL_METRIC_RETRIES]); /* none at the other */
    w.mc.nodes[0].error_reason = 1; /* too many tombstones */
    w.mc.nodes[1].error_code = 0x1300;
    uint64_t requests = w.mc.nodes[0].requests + w.mc.nodes[1].requests;
    w.mc.nodes[1].error_reason = 1;
    read_many(20, 40);
    pass(1000);
    expect(20, 40, CQL_SERVER_READ_FAILURE);
    assert_int_equal(w.mc.nodes[0].requests + w.mc.nodes[1].requests, requests + 20);
    w.mc.nodes[0].error_code = w.mc.nodes[1].error_code = 0;
}

static void note_elapsed(void *self, const cql_request_note *note, void **slot)
{
    (void)slot;
    *(uint64_t *)self = note->elapsed_us;
}

/* A number of microseconds that 32 bits do not hold, once and thrice. */
static void hooks_tell_the_time_of_long_requests(void **state)
{
    uint64_t elapsed = 0;
    const cql_request_hooks hooks = {.size = sizeof hooks, .self = &elapsed, .end = note_elapsed};
    (void)state;
    option("request_timeout", "86400000");
    assert_int_equal(cql_options_set_request_hooks(w.options, &hooks), CQL_OK);
    start(1);
    w.mc.nodes[0].stalled = true;
    for (size_t i = 0; i < 3; i++) {
        static const uint64_t minutes[] = {60, 80, 250};
        ask(i, w.echo, false, 0);
        pass(minutes[i] * 60000);
        assert_int_equal(cqln_request_cancel(&w.c, all[i].handle), CQL_OK);
        pass(5);
        expect(i, i + 1, CQL_CANCELLED);
        uint64_t us = minutes[i] * 60000000;
        assert_true(elapsed >= us - 100000 && elapsed <= us + 100000);
    }
}

static void r3_errors_give_their_streams_back(void **state)
{
    (void)state;
    option("max_requests_per_connection", "8");
    option("retry", "none");
    start(1);
    w.mc.nodes[0].error_code = 0x2200;
    for (unsigned round = 0; round < 1000; round++) {
        for (size_t i = 0; i < 8; i++) {
            all[i].calls = 0;
            ask(i, w.echo, false, 0);
        }
        pass(20);
        expect(0, 8, CQL_SERVER_INVALID);
    }
    assert_int_equal(cqln_conn_in_flight(node(0)->slots[0].link->conn), 0);
}

/* Such as would make CQL_OK of the status, or leave what an int can hold. */
static void error_codes_that_are_no_status_are_server_errors(void **state)
{
    static const uint32_t codes[] = {0xffff0000, 0xffffffff, 0x80000000, 0x7fffffff, 0x7fff0000};
    (void)state;
    option("retry", "none");
    start(1);
    for (size_t i = 0; i < CQL_COUNT(codes); i++) {
        w.mc.nodes[0].error_code = codes[i];
        ask(i, w.echo, false, 0);
        pass(20);
    }
    expect(0, CQL_COUNT(codes), CQL_SERVER_ERROR);
}

static void say_in_batch(size_t i, const char *cql)
{
    cqln_request *req;
    cql_statement *stmt;
    cql_batch *batch;
    assert_int_equal(cqln_request_begin(&w.c, &req), CQL_OK);
    assert_int_equal(cql_statement_new(cql, 0, NULL, &stmt), CQL_OK);
    assert_int_equal(cql_batch_new(CQL_BATCH_LOGGED, NULL, &batch), CQL_OK);
    assert_int_equal(cql_batch_add(batch, stmt), CQL_OK);
    assert_int_equal(cqln_encode_batch_request(&w.c, batch, req), CQL_OK);
    cql_statement_free(stmt);
    cql_batch_free(batch);
    req->cb.result = on_result;
    req->user = &all[i];
    cqln_request_start(req);
}

/* Servers look again for replicas when a conditional statement is decided, and say UNAVAILABLE at its level when there
 * are too few: sent again, it would find what it has done itself. Others have not run at all. */
static void what_is_unavailable_at_its_commit_may_be_applied(void **state)
{
    (void)state;
    cql_prepared *conditional = NULL;
    start(2);
    prepare("INSERT INTO t (v) VALUES (?) IF NOT EXISTS", &conditional);
    pass(500);
    for (size_t i = 0; i < 2; i++) {
        w.mc.nodes[i].error_code = 0x1000;
        w.mc.nodes[i].batch_errors = true;
    }
    uint64_t before = w.mc.nodes[0].requests + w.mc.nodes[1].requests;
    ask(0, conditional, false, 0);
    say(1, "UPDATE t SET v = 1 WHERE k = 1 IF v = 2", NULL, 0);
    say_in_batch(2, "DELETE FROM t WHERE k = 1 IF EXISTS");
    with_payload = true;
    say(6, "UPDATE t SET v = 1 WHERE k = 1 IF v = 3", NULL, 0);
    with_payload = false;
    pass(200);
    assert_int_equal(w.mc.nodes[0].requests + w.mc.nodes[1].requests - before, 4);
    expect(0, 3, CQL_SERVER_UNAVAILABLE);
    expect(6, 7, CQL_SERVER_UNAVAILABLE);
    for (size_t i = 0; i < 3; i++)
        assert_true(all[i].maybe_applied);
    assert_true(all[6].maybe_applied);
    ask(3, w.insert, false, 0);
    say(4, "UPDATE t SET v = 1 WHERE k = 1", NULL, 0);
    say_in_batch(5, "DELETE FROM t WHERE k = 1");
    pass(200);
    assert_int_equal(w.mc.nodes[0].requests + w.mc.nodes[1].requests - before, 4 + 2 * 3);
    expect(3, 6, CQL_SERVER_UNAVAILABLE);
    for (size_t i = 3; i < 6; i++)
        assert_false(all[i].maybe_applied);
    cql_prepared_unref(conditional);
}

static void r4_r5_few_streams_serve_many_requests(void **state)
{
    (void)state;
    option("max_requests_per_connection", "8");
    option("max_connections_per_host", "2");
    start(1);
    read_many(0, 1000);
    pass(3000);
    expect(0, 1000, CQL_OK);
}

static void r8_a_late_cancel_does_not_touch_the_next_request(void **state)
{
    (void)state;
    start(1);
    w.io.hosts[0].delay_ms = 100;
    ask(0, w.echo, false, 20);
    pass(50);
    expect(0, 1, CQL_TIMEOUT);
    ask(1, w.echo, false, 1000);
    assert_int_equal(cqln_request_cancel(&w.c, all[0].handle), CQL_NO_SUCH_NAME);
    pass(1000);
    expect(1, 2, CQL_OK);
}

static void r10_a_cut_connection_fails_its_requests_at_once(void **state)
{
    (void)state;
    start(1);
    w.io.hosts[0].delay_ms = 1000;
    for (size_t i = 0; i < 500; i++)
        ask(i, w.insert, false, 10000);
    pass(20);
    uint64_t cut = w.io.now;
    simio_cut(&w.io, 0);
    pass(10);
    expect(0, 500, CQL_CLOSED);
    for (size_t i = 0; i < 500; i++)
        assert_true(all[i].at <= cut + 1 && all[i].maybe_applied);
}

static void r13_a_race_that_all_lose_gives_the_last_error_once(void **state)
{
    (void)state;
    option("speculation", "constant");
    option("speculation_delay", "20");
    option("retry", "none");
    start(2);
    w.mc.nodes[0].error_code = 0x1001;
    w.mc.nodes[1].error_code = 0x1001;
    w.io.hosts[0].delay_ms = 200;
    w.io.hosts[1].delay_ms = 200;
    uint64_t began = w.io.now;
    ask(0, w.echo, true, 2000);
    pass(1000);
    expect(0, 1, CQL_SERVER_OVERLOADED);
    assert_int_equal(w.c.meter->values[CQL_METRIC_SPECULATIONS], 1);
    assert_int_equal(counted_at(SIZE_MAX, CQL_METRIC_SPECULATIONS), 1);
    assert_true(all[0].at >= began + 220); /* the second attempt was waited for */
}

/* Requests go to two nodes in turn: the next one goes to the second. */
static void aim_at_the_second(size_t i)
{
    for (uint64_t before = w.mc.nodes[0].requests; w.mc.nodes[0].requests == before; pass(10))
        say(i, "SELECT echo", NULL, 0);
    memset(&all[i], 0, sizeof all[i]);
}

/* Of two attempts one gets that error soon, the other an answer late. */
static void race_with_error(size_t i, uint32_t code, bool of_the_second)
{
    size_t bad = of_the_second ? 0 : 1;
    for (size_t k = 0; k < 2; k++) {
        w.mc.nodes[k].error_code = 0;
        w.io.hosts[k].delay_ms = 0;
    }
    aim_at_the_second(i);
    w.mc.nodes[bad].error_code = code;
    w.io.hosts[bad].delay_ms = of_the_second ? 0 : 60;
    w.io.hosts[!bad].delay_ms = 300;
    assert_int_equal(ask(i, w.echo, true, 2000), CQL_OK);
    pass(150);
}

/* What says something of the node does not end a race that another may win; what says something of the statement ends
 * it at once, since others would say the same. */
static void only_errors_about_the_statement_end_a_race(void **state)
{
    static const uint32_t of_the_node[] = {0x1000, 0x1001, 0x1002, 0x1003, 0x1100,
                                           0x1200, 0x1300, 0x1500, 0x1600, 0x1700};
    static const uint32_t of_the_statement[] = {0x1400, 0x2000, 0x2100, 0x2200, 0x2300, 0x2400};
    (void)state;
    option("speculation", "constant");
    option("speculation_delay", "20");
    option("speculation_max", "1");
    option("retry", "none");
    start(2);
    for (size_t k = 0; k < 2 * CQL_COUNT(of_the_node); k++) {
        race_with_error(k, of_the_node[k / 2], k % 2);
        if (all[k].calls)
            fail_msg("ended by 0x%x of attempt %zu", of_the_node[k / 2], k % 2);
        pass(300);
        expect(k, k + 1, CQL_OK);
    }
    for (size_t k = 0; k < 2 * CQL_COUNT(of_the_statement); k++) {
        race_with_error(k, of_the_statement[k / 2], k % 2);
        expect(k, k + 1, cqln_server_status(of_the_statement[k / 2]));
        pass(300);
    }
    assert_int_equal(w.c.meter->values[CQL_METRIC_SPECULATIONS],
                     2 * (CQL_COUNT(of_the_node) + CQL_COUNT(of_the_statement)));
}

/* The first attempt is cut off after it was sent, and what the second one hears says that it did not run: it is in
 * doubt all the same. */
static void a_lost_attempt_leaves_its_doubt_to_the_last_error(void **state)
{
    (void)state;
    option("speculation", "constant");
    option("speculation_delay", "20");
    option("speculation_max", "1");
    option("retry", "none");
    start(2);
    aim_at_the_second(0);
    w.mc.nodes[0].error_code = 0x1000;
    w.io.hosts[0].delay_ms = w.io.hosts[1].delay_ms = 200;
    assert_int_equal(ask(0, w.insert, true, 2000), CQL_OK);
    pass(50);
    simio_cut(&w.io, 1);
    pass(50);
    assert_int_equal(all[0].calls, 0);
    pass(500);
    expect(0, 1, CQL_SERVER_UNAVAILABLE);
    assert_true(all[0].maybe_applied);
}

/* That it has to be taught the statement says nothing to the program. */
static void a_race_that_ends_with_a_node_that_forgot_gives_the_error_before(void **state)
{
    (void)state;
    option("speculation", "constant");
    option("speculation_delay", "20");
    option("speculation_max", "1");
    option("retry", "none");
    start(2);
    aim_at_the_second(0);
    mocknode_forget(&w.mc.nodes[0]);
    w.mc.nodes[1].error_code = 0x1001;
    w.io.hosts[0].delay_ms = 300;
    w.io.hosts[1].delay_ms = 60;
    ask(0, w.echo, true, 2000);
    pass(500);
    expect(0, 1, CQL_SERVER_OVERLOADED);
    assert_int_equal(w.c.meter->values[CQL_METRIC_SPECULATIONS], 1);
}

static void a_slow_node_is_overtaken(void **state)
{
    (void)state;
    option("speculation", "constant");
    option("speculation_delay", "20");
    start(2);
    w.io.hosts[0].delay_ms = 1000;
    uint64_t began = w.io.now;
    read_many(0, 20);
    pass(100);
    expect(0, 20, CQL_OK);
    for (size_t i = 0; i < 20; i++)
        assert_true(all[i].at - began <= 60);
    assert_int_equal(w.c.counts.races_won, 10);
    ask(20, w.insert, false, 100); /* a write that is not idempotent never races */
    ask(21, w.insert, false, 100);
    pass(200);
    assert_int_equal(w.c.meter->values[CQL_METRIC_SPECULATIONS], 10);
}

static void at_a_percentile_only_slow_answers_are_overtaken(void **state)
{
    (void)state;
    option("speculation", "percentile");
    option("speculation_percentile", "90");
    option("speculation_delay", "3000");
    start(2);
    for (size_t i = 0; i < 400; i++) {
        ask(i, w.echo, true, 0);
        pass(20);
    }
    expect(0, 400, CQL_OK);
    assert_true(w.c.meter->values[CQL_METRIC_SPECULATIONS] <= 60);
    uint64_t before = w.c.meter->values[CQL_METRIC_SPECULATIONS];
    w.io.hosts[0].delay_ms = 1000;
    uint64_t began = w.io.now;
    read_many(400, 402);
    pass(200);
    expect(400, 402, CQL_OK);
    assert_true(w.c.meter->values[CQL_METRIC_SPECULATIONS] > before);
    assert_true(all[400].at - began < 100 && all[401].at - began < 100);
}

/* --- 1b pools, reconnection, heartbeat ------------------------------------------------------------ */

static void r20_a_failed_refill_is_tried_again(void **state)
{
    (void)state;
    option("connections_per_host", "2");
    option("reconnect_base", "200");
    start(1);
    w.io.hosts[0].down = true;
    simio_cut(&w.io, 0);
    pass(400);
    w.io.hosts[0].down = false;
    pass(600);
    assert_int_equal(node(0)->usable, 2);
}

/* Those to the node that take requests; the control connection stays. */
static void end_pool(void)
{
    for (uint32_t i = 0; i < node(0)->slot_count; i++)
        if (node(0)->slots[i].link)
            cqln_link_close(node(0)->slots[i].link, "the test ends it");
}

/* Connections that end together are one failure: the first attempt after it does not wait for as many times as long. */
static void a_node_with_many_connections_is_tried_as_soon_as_one_with_few(void **state)
{
    (void)state;
    option("connections_per_host", "8");
    option("reconnect_base", "1000");
    start(1);
    assert_int_equal(node(0)->usable, 8);
    end_pool();
    pass(100);
    assert_int_equal(node(0)->usable, 0);
    pass(1400);
    assert_int_equal(node(0)->usable, 8);
}

/* Seconds after its loss at which a node that is down is tried. */
static void tried_at(unsigned *at, size_t count, uint64_t until)
{
    uint64_t began = w.io.now, seen = w.io.connects;
    size_t n = 0;
    while (w.io.now - began < until && n < count) {
        pass(100);
        for (; seen < w.io.connects && n < count; seen++)
            at[n++] = (unsigned)((w.io.now - began) / 1000);
    }
    assert_int_equal(n, count);
}

static void lose_the_second(const char *policy, const char *jitter)
{
    option("reconnect_policy", policy);
    option("reconnect_jitter", jitter);
    option("reconnect_base", "1s");
    option("reconnect_max", "600s");
    start(2);
    w.io.hosts[1].down = true;
    simio_cut(&w.io, 1);
}

/* The control connection is at the other node: it has no part in this. */
static void a_lost_node_is_tried_as_the_options_say(void **state)
{
    static const unsigned doubled[] = {1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1623, 2223, 2823};
    unsigned at[CQL_COUNT(doubled)];
    lose_the_second("exponential", "0");
    tried_at(at, CQL_COUNT(doubled), 3600000);
    for (size_t i = 0; i < CQL_COUNT(doubled); i++)
        assert_int_equal(at[i], doubled[i]);
    assert_int_equal(end(state), 0);
    assert_int_equal(begin(state), 0);
    lose_the_second("constant", "0");
    tried_at(at, CQL_COUNT(doubled), 60000);
    for (size_t i = 0; i < CQL_COUNT(doubled); i++)
        assert_int_equal(at[i], i + 1);
    assert_int_equal(end(state), 0);
    assert_int_equal(begin(state), 0);
    lose_the_second("exponential", "50");
    tried_at(at, CQL_COUNT(doubled), 3 * 3600000);
    unsigned moved = 0;
    for (size_t i = 4; i < CQL_COUNT(doubled); i++) {
        unsigned pause = at[i] - at[i - 1], plain = doubled[i] - doubled[i - 1];
        assert_in_range(pause, plain / 2 - 1, plain + plain / 2 + 1 < 601 ? plain + plain / 2 + 1 : 601);
        moved += pause < plain - 1 || pause > plain + 1;
    }
    assert_true(moved > 3);
}

static void expect_attempts(const char *policy, unsigned least, unsigned most)
{
    option("reconnect_policy", policy);
    option("reconnect_jitter", "0");
    option("reconnect_base", "1s");
    option("reconnect_max", "600s");
    start(1);
    w.io.hosts[0].down = true;
    simio_cut(&w.io, 0);
    uint64_t connects = w.io.connects;
    pass(30500);
    assert_in_range(w.io.connects - connects, least, most);
}

/* With one node: its pool and the control connection try it, each by its own clock. */
static void the_control_connection_is_tried_as_the_options_say(void **state)
{
    expect_attempts("constant", 58, 62);
    assert_int_equal(end(state), 0);
    assert_int_equal(begin(state), 0);
    expect_attempts("exponential", 8, 10);
}

static void r21_all_nodes_come_back_without_an_event(void **state)
{
    (void)state;
    option("reconnect_max", "10000");
    start(2);
    w.io.hosts[0].down = w.io.hosts[1].down = true;
    simio_cut(&w.io, 0);
    simio_cut(&w.io, 1);
    uint64_t connects = w.io.connects;
    pass(120000);
    ask(0, w.echo, true, 0);
    pass(50);
    expect(0, 1, CQL_NO_HOST); /* and at once */
    assert_true(w.io.connects - connects <= 3 * 120);
    w.io.hosts[0].down = w.io.hosts[1].down = false;
    pass(11000);
    read_many(1, 21);
    pass(100);
    expect(1, 21, CQL_OK);
    assert_true(node(0)->usable && node(1)->usable);
}

/* It may be sent again, but the connection that it was lost with was the last one. */
static void a_request_lost_with_the_last_connection_says_where_and_why(void **state)
{
    (void)state;
    start(1);
    w.mc.nodes[0].stalled = true;
    ask(0, w.insert, true, 0);
    pass(50);
    w.io.hosts[0].down = true;
    simio_cut(&w.io, 0);
    pass(50);
    expect(0, 1, CQL_NO_HOST);
    assert_true(all[0].maybe_applied);
    assert_int_equal(all[0].tried, 1);
    assert_non_null(strstr(all[0].text, "127.9.0.1:9042: "));
}

/* A server, or what lies between, ends connections that are idle sooner than a heartbeat is sent: they are made again
 * before anybody asks, and nobody hears of it. */
static void idle_connections_that_are_ended_are_made_again_at_once(void **state)
{
    (void)state;
    option("connections_per_host", "4");
    start(1);
    for (int i = 0; i < 3; i++) {
        uint64_t connects = w.mc.nodes[0].connects;
        pass(20000);
        simio_cut(&w.io, 0);
        pass(1); /* the ends have come; the new connections are on their way */
        assert_int_equal(node(0)->usable, 0);
        ask(2 * (size_t)i, w.insert, false, 0);
        pass(50);
        ask(2 * (size_t)i + 1, w.echo, true, 0);
        pass(50);
        assert_int_equal(w.mc.nodes[0].connects - connects, 5);
    }
    expect(1, 2, CQL_OK);
    for (size_t i = 0; i < 6; i++)
        assert_true(all[i].calls == 1 && all[i].status == CQL_OK);
    assert_int_equal(node(0)->usable, 4);
    assert_int_equal(node(0)->room, 0); /* it was well: it need not begin slowly */
    assert_true(node(0)->told_up);
}

/* What lies between may forget a connection and say so only when something is sent: that is not lost if it may be
 * repeated. */
static void a_request_that_finds_an_idle_connection_ended_takes_the_next(void **state)
{
    (void)state;
    start(1);
    pass(20000);
    w.mc.nodes[0].stalled = true;
    ask(0, w.insert, true, 0);
    ask(1, w.insert, false, 0);
    simio_cut(&w.io, 0);
    w.mc.nodes[0].stalled = false;
    pass(50);
    assert_true(all[0].calls == 1 && all[0].status == CQL_OK);
    expect(1, 2, CQL_CLOSED);
}

/* That the idle connection ended may be the first that is seen of the end of its server. */
static void an_idle_connection_of_a_server_that_is_gone_is_tried_once(void **state)
{
    (void)state;
    option("reconnect_base", "1000");
    start(2);
    pass(20000);
    w.io.hosts[0].down = w.io.hosts[1].down = true;
    uint64_t connects = w.io.connects;
    simio_cut(&w.io, 0);
    simio_cut(&w.io, 1);
    pass(1);
    ask(0, w.insert, false, 0);
    say(1, "SELECT echo", "127.9.0.1:9042", 0);
    pass(10);
    expect(0, 2, CQL_NO_HOST);
    pass(700);
    assert_in_range(w.io.connects - connects, 2, 6); /* with those of the control connection */
    assert_true(node(0)->told_down);
    w.io.hosts[0].down = w.io.hosts[1].down = false;
    pass(10000);
    assert_int_equal(node(0)->room, 1);
}

/* Only what served for a while is made again at once. */
static void a_connection_that_ends_as_soon_as_it_is_made_is_not_stormed(void **state)
{
    (void)state;
    start(1);
    pass(20000);
    uint64_t connects = w.mc.nodes[0].connects;
    w.io.hosts[0].slams = true;
    simio_cut(&w.io, 0);
    pass(60000);
    assert_in_range(w.mc.nodes[0].connects - connects, 5, 20); /* two connections that back off */
    w.io.hosts[0].slams = false;
    pass(60000);
    connects = w.mc.nodes[0].connects;
    for (uint64_t end = w.io.now + 60000; w.io.now < end; pass(100))
        if (node(0)->usable)
            simio_cut(&w.io, 0);
    assert_true(w.mc.nodes[0].connects - connects <= 2 * 90);
}

/* The end of a connection is known a moment before its place is free. */
static void who_comes_while_an_idle_connection_ends_waits_for_the_next(void **state)
{
    (void)state;
    start(1);
    for (size_t i = 0; i < 2; i++) {
        pass(20000);
        simio_cut(&w.io, 0);
        while (!node(0)->slots[0].link->closing)
            assert_true(simio_step(&w.io, w.io.now + 1));
        w.io.hosts[0].down = i;
        ask(i, w.echo, false, 0);
        pass(50);
    }
    expect(0, 1, CQL_OK);
    expect(1, 2, CQL_NO_HOST);
}

/* Requests of many that were answered so far. */
static size_t answered(size_t from, size_t to)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++)
        n += all[i].calls == 1 && all[i].status == CQL_OK;
    return n;
}

/* Cuts the connection to one of two nodes in the middle of so many requests. */
static void lose_half(size_t count, cql_prepared *p)
{
    unsaid = true;
    w.io.hosts[0].delay_ms = 1000;
    for (size_t i = 0; i < count; i++)
        ask(i, p, false, 10000);
    unsaid = false;
    pass(20);
    simio_cut(&w.io, 0);
    pass(3000);
}

static void what_nothing_is_said_of_is_not_sent_again(void **state)
{
    (void)state;
    start(2);
    lose_half(40, w.insert);
    assert_int_equal(answered(0, 40), 20);
    for (size_t i = 0; i < 40; i++)
        assert_true(all[i].status == CQL_OK || (all[i].status == CQL_CLOSED && all[i].maybe_applied));
}

static void what_nothing_is_said_of_is_sent_again_where_the_option_says_so(void **state)
{
    (void)state;
    option("idempotent", "true");
    start(2);
    lose_half(40, w.insert);
    assert_int_equal(answered(0, 40), 40);
    simio_cut(&w.io, 1);
    pass(30000);
    w.io.hosts[0].delay_ms = 1000;
    for (size_t i = 40; i < 80; i++)
        ask(i, w.insert, false, 10000); /* of these it is said that they may not */
    pass(20);
    simio_cut(&w.io, 0);
    pass(3000);
    assert_in_range(answered(40, 80), 1, 39);
}

static void the_option_does_not_stand_for_conditional_statements(void **state)
{
    (void)state;
    cql_prepared *lwt = NULL;
    option("idempotent", "true");
    option("speculation", "constant");
    option("speculation_delay", "20");
    start(2);
    prepare("UPDATE t SET v = ? WHERE k = 1 IF v = 0", &lwt);
    pass(100);
    lose_half(40, lwt);
    assert_in_range(answered(0, 40), 1, 39);
    assert_int_equal(w.c.meter->values[CQL_METRIC_SPECULATIONS], 0);
    cql_prepared_unref(lwt);
}

/* A server that has just started may be slow at first: few requests find that out. */
static void a_node_that_is_back_begins_with_one_request(void **state)
{
    (void)state;
    start(3);
    assert_int_equal(node(1)->room, 0); /* at the beginning all nodes are alike */
    w.io.hosts[1].down = true;
    simio_cut(&w.io, 1);
    pass(100);
    w.io.hosts[1].down = false;
    pass(30000);
    assert_int_equal(node(1)->room, 1);
    w.io.hosts[1].frozen = true;
    read_many(0, 60);
    pass(100);
    assert_in_range(answered(0, 60), 59, 60);
    read_many(60, 120);
    pass(100);
    assert_in_range(answered(0, 120), 119, 120);
    w.io.hosts[1].frozen = false;
    pass(100);
    expect(0, 120, CQL_OK);
    assert_int_equal(node(1)->room, 2);
    for (size_t i = 120; i < 600; i += 20) {
        read_many(i, i + 20);
        pass(20);
    }
    expect(120, 600, CQL_OK);
    assert_int_equal(node(1)->room, 0);
    assert_false(w.c.watched);
}

/* Where there is no other it gets all there is. */
static void a_node_that_is_back_alone_gets_all(void **state)
{
    (void)state;
    start(2);
    for (size_t i = 0; i < 2; i++) {
        w.io.hosts[i].down = true;
        simio_cut(&w.io, i);
    }
    pass(100);
    w.io.hosts[1].down = false;
    pass(60000);
    assert_int_equal(node(1)->room, 1);
    read_many(0, 50);
    pass(5);
    assert_true(w.mc.nodes[1].requests > 40); /* not one after the other */
    pass(100);
    expect(0, 50, CQL_OK);
    w.io.hosts[0].down = false;
    pass(60000);
    assert_int_equal(node(0)->room, 1);
    w.io.hosts[1].down = true;
    simio_cut(&w.io, 1);
    read_many(50, 100);
    pass(200);
    expect(50, 100, CQL_OK);
}

static void r23_an_unanswered_heartbeat_moves_the_requests(void **state)
{
    (void)state;
    option("heartbeat", "500");
    option("heartbeat_timeout", "200");
    start(2);
    w.io.hosts[0].frozen = true;
    read_many(0, 10);
    pass(1200);
    expect(0, 10, CQL_OK);
    assert_int_equal(node(0)->usable, 0);
}

/* A node that hangs is found out by the requests it does not answer, long before the heartbeat of a quiet connection. */
static void requests_without_an_answer_find_a_hanging_node(void **state)
{
    (void)state;
    option("heartbeat", "30000");
    option("heartbeat_timeout", "1000");
    start(2);
    w.io.hosts[0].frozen = true;
    for (size_t i = 0; i < 10; i++)
        ask(i, w.echo, true, 300);
    pass(900);
    assert_true(node(0)->usable > 0);
    pass(1300);
    assert_int_equal(node(0)->usable, 0);
    read_many(10, 20);
    pass(300);
    expect(10, 20, CQL_OK);
    w.io.hosts[0].frozen = false;
    pass(10000);
    assert_true(node(0)->usable > 0);
}

static void r32_a_node_that_slams_the_door_is_not_stormed(void **state)
{
    (void)state;
    start(2);
    w.io.hosts[1].slams = true;
    simio_cut(&w.io, 1);
    uint64_t connects = w.mc.nodes[1].connects;
    pass(60000);
    assert_true(w.mc.nodes[1].connects - connects <= 60);
    read_many(0, 10);
    pass(100);
    expect(0, 10, CQL_OK);
}

static void r33_a_removed_node_is_left_alone(void **state)
{
    (void)state;
    option("refresh_interval", "1000");
    start(2);
    w.mc.nodes[1].member = false; /* and no event says so */
    pass(3000);
    assert_null(cqln_node_find(&w.c, "127.9.0.2:9042"));
    uint64_t connects = w.mc.nodes[1].connects;
    pass(60000);
    assert_int_equal(w.mc.nodes[1].connects, connects);
}

/* What is in flight to it may end; nothing new goes there. */
static void a_removed_node_may_end_what_it_began(void **state)
{
    (void)state;
    option("refresh_interval", "1000");
    start(2);
    w.io.hosts[1].delay_ms = 3000;
    for (size_t i = 0; i < 40; i++)
        ask(i, w.insert, false, 10000);
    w.mc.nodes[1].member = false;
    pass(2000);
    assert_null(cqln_node_find(&w.c, "127.9.0.2:9042"));
    assert_true(answered(0, 40) < 40);
    uint64_t requests = w.mc.nodes[1].requests;
    for (size_t i = 40; i < 60; i++)
        ask(i, w.insert, false, 0);
    pass(100);
    assert_int_equal(answered(40, 60), 20);
    assert_int_equal(w.mc.nodes[1].requests, requests);
    pass(5000);
    assert_int_equal(answered(0, 40), 40);
    assert_int_equal(w.c.links, 2);
}

static void a_pool_grows_under_load_and_shrinks_at_rest(void **state)
{
    (void)state;
    option("connections_per_host", "2");
    option("max_connections_per_host", "8");
    option("connection_grow_requests", "10");
    option("connection_idle_timeout", "2000");
    start(1);
    assert_int_equal(node(0)->usable, 2); /* warm when connect is over */
    w.io.hosts[0].delay_ms = 20;
    for (size_t round = 0; round < 30; round++) {
        read_many(round * 100, round * 100 + 100);
        pass(10);
    }
    assert_in_range(node(0)->usable, 5, 8);
    pass(2000);
    expect(0, 3000, CQL_OK);
    pass(20000);
    assert_int_equal(node(0)->usable, 2);
    assert_int_equal(w.c.links, 3);
}

static void requests_of_one_turn_leave_in_one_write(void **state)
{
    (void)state;
    start(1);
    pass(1000);
    uint64_t before = w.io.writes;
    read_many(0, 200);
    assert_int_equal(w.io.writes, before);
    pass(100);
    expect(0, 200, CQL_OK);
    assert_int_equal(w.io.writes, before + 1);
}

static void a_long_request_outlives_the_place_of_its_connection(void **state)
{
    (void)state;
    option("connections_per_host", "1");
    option("max_connections_per_host", "4");
    option("connection_grow_requests", "4");
    option("connection_idle_timeout", "1000");
    option("request_timeout", "500");
    option("heartbeat", "0");
    start(1);
    w.io.hosts[0].delay_ms = 20;
    for (size_t round = 0; round < 20; round++) {
        read_many(round * 40, round * 40 + 40);
        pass(10);
    }
    pass(100);
    expect(0, 800, CQL_OK);
    assert_int_equal(node(0)->usable, 4);
    w.io.hosts[0].delay_ms = 20000;
    for (size_t i = 800; i < 808; i++)
        assert_int_equal(ask(i, w.echo, false, 60000), CQL_OK);
    pass(10000);
    assert_int_equal(node(0)->usable, 1); /* the other three take no more requests */
    for (size_t i = 800; i < 808; i++)
        assert_int_equal(all[i].calls, 0);
    pass(15000);
    w.io.hosts[0].delay_ms = 0;
    expect(800, 808, CQL_OK);
    pass(5000);
    assert_int_equal(w.c.links, 2);
}

/* --- what servers do besides ---------------------------------------------------------------------- */

static const char first_host[] = "127.9.0.1:9042", second_host[] = "127.9.0.2:9042";

/* Each connection speaks one version, and all of a cluster the same: the lowest of those that were met. */
static void two_versions(const char *release)
{
    option("connections_per_host", "2");
    w.mc.nodes[1].max_version = 4;
    w.mc.nodes[1].release = release;
    start(2);
    pass(8000);
    w.io.hosts[1].delay_ms = 0;
    assert_int_equal(node(0)->usable, 2);
    assert_int_equal(node(1)->usable, 2);
    read_many(0, 40);
    pass(500);
    expect(0, 40, CQL_OK);
    assert_true(w.mc.nodes[0].requests && w.mc.nodes[1].requests);
}

static void nodes_of_two_versions_are_spoken_to_in_the_lower(void **state)
{
    (void)state;
    two_versions("5.0.6"); /* its refusal says it */
}

static void an_older_release_is_told_by_the_tables(void **state)
{
    (void)state;
    w.io.hosts[1].delay_ms = 1000; /* connecting is over before it refuses */
    two_versions(NULL);
}

/* A request that is never answered does not keep its connection from the session's keyspace. */
static void a_keyspace_reaches_connections_with_orphans(void **state)
{
    (void)state;
    start(2);
    w.mc.nodes[1].stalled = true;
    say(0, "SELECT v FROM t rows 1", second_host, 50);
    pass(100);
    assert_int_equal(all[0].status, CQL_TIMEOUT);
    w.mc.nodes[1].stalled = false;
    say(1, "USE other", first_host, 500);
    pass(5000);
    assert_int_equal(all[1].status, CQL_OK);
    assert_int_equal(node(1)->usable, 1);
    say(2, "SELECT keyspace?", second_host, 500);
    pass(100);
    assert_string_equal(all[2].text, "other");
}

/* The same when the request is given up after the change. */
static void a_keyspace_reaches_connections_with_later_orphans(void **state)
{
    (void)state;
    start(2);
    w.mc.nodes[1].stalled = true;
    say(0, "SELECT v FROM t rows 1", second_host, 1000);
    say(1, "USE other", first_host, 500);
    pass(500);
    w.mc.nodes[1].stalled = false;
    pass(600);
    assert_int_equal(all[0].status, CQL_TIMEOUT);
    pass(5000);
    assert_int_equal(node(1)->usable, 1);
}

static void a_keyspace_that_is_not_answered_is_set_again(void **state)
{
    (void)state;
    option("request_timeout", "60000");
    option("connect_timeout", "1000");
    start(2);
    w.mc.nodes[1].stalled = true;
    say(0, "USE other", first_host, 500);
    pass(100);
    w.mc.nodes[1].stalled = false;
    pass(5000);
    assert_int_equal(node(1)->usable, 1);
}

/* It was not idle: it owed the answer. */
static void a_node_that_takes_no_keyspace_has_failed(void **state)
{
    (void)state;
    option("reconnect_base", "1000");
    start(2);
    w.mc.nodes[1].stalled = true;
    uint64_t connects = w.mc.nodes[1].connects;
    say(0, "USE other", first_host, 500);
    pass(5100);
    assert_int_equal(w.mc.nodes[1].connects, connects);
    assert_int_equal(node(1)->last_status, CQL_CLOSED);
    say(1, "SELECT echo", second_host, 500);
    pass(20);
    expect(1, 2, CQL_NO_HOST);
    w.mc.nodes[1].stalled = false;
    pass(2000);
    assert_int_equal(node(1)->usable, 1);
}

/* R38: no request may run in another keyspace than the session's, also when USE was given up. */
static void a_late_use_does_not_change_a_keyspace_alone(void **state)
{
    (void)state;
    start(1);
    w.io.hosts[0].delay_ms = 300;
    say(0, "USE other", NULL, 100);
    pass(1000);
    assert_int_equal(all[0].status, CQL_TIMEOUT);
    w.io.hosts[0].delay_ms = 0;
    pass(2000);
    say(1, "SELECT keyspace?", NULL, 500);
    pass(100);
    assert_int_equal(all[1].status, CQL_OK);
    assert_string_equal(all[1].text, w.c.keyspace);
}

/* A node that was asked whether the others agree, and hangs, is waited for no longer than agreement is. */
static void agreement_ends_in_time(void **state)
{
    (void)state;
    option("request_timeout", "60000");
    option("schema_agreement_timeout", "1000");
    option("heartbeat", "0");
    start(1);
    w.io.hosts[0].delay_ms = 20;
    say(0, "CREATE TABLE x", NULL, 0);
    pass(10);
    assert_int_equal(w.mc.tables, 1);
    w.mc.nodes[0].mute = true;
    pass(2000);
    assert_int_equal(all[0].calls, 1);
    assert_int_equal(all[0].status, CQL_OK);
}

/* Goes by another address than the tables say. */
static bool translate_second(void *user, const char *from, char *to, size_t size)
{
    (void)user;
    if (strcmp(from, second_host) != 0)
        return false;
    snprintf(to, size, "127.9.0.4:9042");
    return true;
}

static void expect_agreement(uint64_t within)
{
    w.mc.nodes[1].schema_version.bytes[5] = 9; /* of before it went down */
    say(0, "CREATE TABLE x", first_host, 0);
    pass(within);
    assert_int_equal(all[0].calls, 1);
    assert_int_equal(all[0].status, CQL_OK);
}

static void a_node_that_is_down_behind_a_translator_does_not_disagree(void **state)
{
    (void)state;
    cql_options_set_address_translator(w.options, translate_second, NULL);
    start(2);
    assert_non_null(cqln_node_find(&w.c, "127.9.0.4:9042"));
    w.io.hosts[3].down = true;
    simio_cut(&w.io, 3);
    pass(1000);
    expect_agreement(1000);
}

/* Nobody dials it, but the others say that it is down, and when it is up again. */
static void a_far_node_that_is_down_does_not_disagree(void **state)
{
    (void)state;
    snprintf(w.mc.nodes[1].data_center, sizeof w.mc.nodes[1].data_center, "far");
    option("schema_agreement_timeout", "5000");
    start(2);
    simio_event(&w.io, "STATUS_CHANGE", "DOWN", 1);
    pass(3000);
    expect_agreement(1000);
    simio_event(&w.io, "STATUS_CHANGE", "UP", 1);
    pass(3000);
    all[0].calls = 0;
    say(0, "CREATE TABLE x", first_host, 0);
    pass(3000);
    assert_int_equal(all[0].calls, 0); /* it has to agree now */
    pass(3000);
    assert_int_equal(all[0].calls, 1);
}

/* A request of its first ones that is never answered does not keep a node that is back from getting more. */
static void a_node_that_is_back_gets_over_an_orphan(void **state)
{
    (void)state;
    start(2);
    w.io.hosts[1].down = true;
    simio_cut(&w.io, 1);
    pass(100);
    w.io.hosts[1].down = false;
    pass(30000);
    assert_int_equal(node(1)->room, 1);
    w.mc.nodes[1].stalled = true;
    for (size_t i = 0; i < 4; i++)
        ask(i, w.echo, false, 50);
    pass(200);
    assert_true(cqln_conn_orphans(node(1)->slots[0].link->conn) > 0);
    w.mc.nodes[1].stalled = false;
    for (size_t i = 4; i < 1000; i += 20) {
        read_many(i, i + 20);
        pass(20);
    }
    assert_int_equal(node(1)->room, 0);
}

/* The tables were read over it. */
static bool control_is_idle(void)
{
    const cqln_link *link = cqln_control_link(w.c.control);
    return link && cqln_conn_in_flight(link->conn) == 0;
}

static void end_control_link(void)
{
    assert_non_null(cqln_control_link(w.c.control));
    cqln_link_close(cqln_control_link(w.c.control), "the test ends it");
}

/* A server that takes the control connection and ends it each time is not stormed. */
static void a_control_connection_that_never_lasts_is_not_stormed(void **state)
{
    (void)state;
    start(2);
    uint64_t connects = w.io.connects;
    for (uint64_t end = w.io.now + 60000; w.io.now < end; pass(2))
        if (control_is_idle())
            end_control_link();
    assert_true(w.io.connects - connects <= 60);
    pass(40000);
    assert_non_null(cqln_control_link(w.c.control));
}

/* Nor is another node that is down: each time it moves that is tried, but once. */
static void a_control_connection_that_moves_does_not_storm_who_is_down(void **state)
{
    (void)state;
    option("reconnect_base", "1000");
    option("reconnect_max", "600000");
    start(2);
    w.io.hosts[1].down = true;
    simio_cut(&w.io, 1);
    pass(600000);
    uint64_t connects = w.io.connects, reached = w.mc.nodes[0].connects;
    for (int i = 0; i < 60; i++) {
        if (control_is_idle())
            end_control_link();
        pass(10000);
    }
    reached = w.mc.nodes[0].connects - reached;
    assert_in_range(w.io.connects - connects - reached, 50, 80);
    assert_int_equal(node(1)->usable, 0);
}

/* A latency in 32 bits of microseconds wraps after 71 minutes: it counts as long, in the session's sums and the node's. */
static void what_takes_hours_is_no_short_latency(void **state)
{
    (void)state;
    option("heartbeat", "0");
    start(1);
    for (unsigned minutes = 40; minutes <= 240; minutes += 32) {
        uint64_t session_us = w.c.meter->sum_us, node_us = node(0)->meter->sum_us;
        w.io.hosts[0].delay_ms = minutes * 60000;
        ask(0, w.echo, false, 86000000);
        pass((uint64_t)minutes * 60000 - 60000);
        w.io.hosts[0].delay_ms = 0;
        pass(200000);
        assert_int_equal(all[0].status, CQL_OK);
        assert_int_equal(all[0].calls, 1);
        all[0].calls = 0;
        assert_true(w.c.meter->sum_us - session_us > UINT64_C(30) * 60000000);
        assert_true(node(0)->meter->sum_us - node_us > UINT64_C(30) * 60000000);
    }
}

/* What the first outage taught to be patient about is over with it. */
static void a_later_outage_begins_with_short_pauses(void **state)
{
    (void)state;
    option("reconnect_base", "100");
    start(1);
    for (int outage = 0; outage < 2; outage++) {
        w.io.hosts[0].down = true;
        simio_cut(&w.io, 0);
        pass(outage ? 500 : 60000);
        assert_null(cqln_control_link(w.c.control));
        w.io.hosts[0].down = false;
        pass(outage ? 2000 : 31000);
        assert_non_null(cqln_control_link(w.c.control));
    }
}

static void a_control_connection_that_lasted_is_as_good_as_the_first(void **state)
{
    (void)state;
    option("reconnect_base", "100");
    start(2);
    for (uint64_t end = w.io.now + 60000; w.io.now < end; pass(2))
        if (control_is_idle())
            end_control_link();
    pass(40000);
    end_control_link(); /* that one lasted; */
    for (int i = 0; i < 1000 && !control_is_idle(); i++)
        pass(1);
    end_control_link(); /* this one did not */
    pass(1000);
    assert_non_null(cqln_control_link(w.c.control));
}

/* The attempt that is under way is one of many that fail: who wants that node and no other hears of it now. */
static void a_request_to_a_node_that_fails_does_not_wait_for_it(void **state)
{
    (void)state;
    option("connect_timeout", "5000");
    start(2);
    w.io.hosts[1].frozen = true;
    simio_cut(&w.io, 1);
    pass(10000); /* the first attempt has failed, */
    for (int i = 0; i < 20000 && !node(1)->slots[0].link; i++)
        pass(1); /* and another is under way */
    assert_non_null(node(1)->slots[0].link);
    say(0, "SELECT echo", "127.9.0.2:9042", 4000);
    pass(10);
    assert_int_equal(all[0].calls, 1);
    assert_int_equal(all[0].status, CQL_NO_HOST);
}

/* Others answer; but who waits for that node and no other hears of its end at once, as does who comes then. */
static void who_waits_for_a_node_that_is_lost_hears_of_it(void **state)
{
    (void)state;
    option("max_requests_per_connection", "8");
    option("max_connections_per_host", "1");
    start(2);
    w.mc.nodes[1].stalled = true;
    for (size_t i = 0; i < 20; i++)
        say(i, "SELECT echo", "127.9.0.2:9042", 10000);
    pass(20);
    w.io.hosts[1].down = true;
    simio_cut(&w.io, 1);
    pass(20);
    say(20, "SELECT echo", "127.9.0.2:9042", 10000);
    pass(20);
    expect(0, 8, CQL_CLOSED);
    expect(8, 21, CQL_NO_HOST);
}

static size_t all_nodes(void *self, const cql_balancing_query *q, uint16_t *order, size_t cap)
{
    size_t n = 0;
    ++*(unsigned *)self;
    for (; n < q->node_count && n < cap; n++)
        order[n] = (uint16_t)n;
    return n;
}

/* However long the queue is, a connection that ends costs nothing while its node has others. */
static void the_end_of_one_of_several_connections_asks_nobody_who_waits(void **state)
{
    (void)state;
    unsigned plans = 0;
    const cql_balancing_policy mine = {.size = sizeof mine, .self = &plans, .plan = all_nodes};
    assert_int_equal(cql_options_set_balancing_policy(w.options, &mine), CQL_OK);
    option("max_requests_per_connection", "8");
    option("connections_per_host", "4");
    option("max_connections_per_host", "4");
    start(2);
    w.mc.nodes[0].stalled = w.mc.nodes[1].stalled = true;
    for (size_t i = 0; i < 1000; i++)
        ask(i, w.echo, false, 0);
    pass(20);
    w.io.hosts[0].down = w.io.hosts[1].down = true;
    plans = 0;
    for (size_t i = 0; i < 3; i++)
        cqln_link_close(node(0)->slots[i].link, "the test ends it");
    pass(20);
    assert_in_range(plans, 0, 100);
    cqln_link_close(node(0)->slots[3].link, "the test ends it");
    pass(20);
    assert_in_range(plans, 900, 1100);
    simio_cut(&w.io, 1);
    pass(20);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(all[i].calls, 1);
    expect(900, 1000, CQL_NO_HOST);
}

/* Who waits for one busy node stands in nobody's way. */
static void requests_pass_those_that_wait_for_one_node(void **state)
{
    (void)state;
    option("max_requests_per_connection", "8");
    option("max_connections_per_host", "1");
    start(2);
    w.mc.nodes[1].stalled = true;
    for (size_t i = 0; i < 12; i++)
        say(i, "SELECT echo", "127.9.0.2:9042", 5000);
    pass(100);
    for (size_t i = 12; i < 16; i++) {
        ask(i, w.echo, false, 0);
        pass(20);
        expect(i, i + 1, CQL_OK);
    }
    say(16, "SELECT echo", "127.9.0.1:9042", 5000);
    pass(20);
    assert_int_equal(all[16].calls, 1);
    w.mc.nodes[1].stalled = false;
}

/* Its last connection does not stand in the place that is given up at rest. */
static void a_pool_shrinks_to_a_connection_that_works(void **state)
{
    (void)state;
    option("connections_per_host", "1");
    option("max_connections_per_host", "2");
    option("connection_grow_requests", "4");
    option("connection_idle_timeout", "2000");
    option("reconnect_base", "30000");
    start(1);
    w.io.hosts[0].delay_ms = 20;
    read_many(0, 50);
    pass(200);
    expect(0, 50, CQL_OK);
    w.io.hosts[0].delay_ms = 0;
    assert_int_equal(node(0)->usable, 2);
    w.io.hosts[0].down = true;
    cqln_link_close(node(0)->slots[0].link, "the test ends it");
    pass(10000);
    assert_int_equal(node(0)->usable, 1);
    ask(50, w.echo, false, 0);
    pass(20);
    expect(50, 51, CQL_OK);
    w.io.hosts[0].down = false;
    pass(60000);
    assert_int_equal(node(0)->want, 1);
    assert_int_equal(node(0)->usable, 1);
}

/* Places that its server does not fill say nothing of the end of the one that served. */
static void a_node_that_is_lost_is_tried_soon_whatever_failed_before(void **state)
{
    (void)state;
    option("connections_per_host", "2");
    option("reconnect_base", "1000");
    w.io.hosts[0].most = 2; /* one is for control */
    start(1);
    for (int i = 0; i < 200; i++) {
        ask(0, w.echo, false, 0);
        all[0].calls = 0;
        pass(1000);
    }
    assert_int_equal(node(0)->usable, 1);
    end_pool();
    pass(100);
    assert_int_equal(node(0)->usable, 0);
    pass(1400);
    assert_int_equal(node(0)->usable, 1);
}

/* The control connection is tried more often: the node that it found is tried at once, however long it was gone. */
static void a_node_that_answers_the_control_connection_is_used(void **state)
{
    (void)state;
    option("reconnect_max", "600000");
    start(1);
    for (size_t i = 0; i < 5; i++) {
        w.io.hosts[0].down = true;
        simio_cut(&w.io, 0);
        pass(3600000 + i * 77000);
        w.io.hosts[0].down = false;
        pass(36000);
        assert_non_null(cqln_control_link(w.c.control));
        ask(i, w.echo, false, 0);
        pass(50);
        expect(i, i + 1, CQL_OK);
    }
}

static cql_status no_filter(void *user, const cqln_address *to, cqln_filter **out, char *why)
{
    (void)user;
    (void)to;
    *out = NULL;
    snprintf(why, CQLN_FILTER_REASON, "the test gives none");
    return CQL_NO_MEMORY;
}

static cql_status no_way(void *user, const cqln_address *to, cqln_address *real, char *why)
{
    (void)user;
    (void)to;
    (void)real;
    snprintf(why, CQLN_FILTER_REASON, "the test knows none");
    return CQL_NO_HOST;
}

/* Neither reaches the network: it ends in the next turn, says why, and is tried again. */
static void connections_that_cannot_begin_are_tried_again(void **state)
{
    (void)state;
    start(2);
    for (int i = 0; i < 2; i++) {
        if (i)
            w.c.loop.dial = no_way;
        else
            w.c.loop.filter = no_filter;
        for (size_t k = 0; k < 2; k++)
            simio_cut(&w.io, k);
        uint64_t connects = w.io.connects;
        pass(5000);
        assert_int_equal(w.io.connects, connects);
        assert_null(cqln_control_link(w.c.control));
        assert_string_equal(node(0)->last_reason, i ? "the test knows none" : "the test gives none");
        assert_int_equal(node(0)->last_status, i ? CQL_NO_HOST : CQL_NO_MEMORY);
        w.c.loop.filter = NULL;
        w.c.loop.dial = NULL;
        pass(40000);
        assert_non_null(cqln_control_link(w.c.control));
        assert_true(node(0)->usable && node(1)->usable);
    }
}

/* --- 1e prepared statements ----------------------------------------------------------------------- */

static void r70_another_id_is_one_error(void **state)
{
    (void)state;
    start(1);
    w.mc.salt = 1;
    mocknode_forget(&w.mc.nodes[0]);
    ask(0, w.echo, true, 0);
    pass(200);
    expect(0, 1, CQL_PREPARED_CHANGED);
    assert_false(all[0].maybe_applied);
    assert_int_equal(w.c.meter->values[CQL_METRIC_REPREPARES], 1);
}

static cql_status encode_alone(cql_prepared *p)
{
    cqln_request *req;
    assert_int_equal(cqln_request_begin(&w.c, &req), CQL_OK);
    cql_statement *stmt = cql_prepared_bind(p);
    cql_statement_bind_int32(stmt, 0, 1);
    cql_status st = cqln_encode_statement(&w.c, stmt, req);
    cql_statement_free(stmt);
    cqln_request_abandon(req);
    return st;
}

/* Its values would be stored as what they are not. Prepared again it is another statement, and the old one is of
 * use again when the types are back. */
static void a_table_made_anew_takes_nothing_that_was_bound_before(void **state)
{
    (void)state;
    cql_prepared *wide = NULL, *back = NULL;
    start(1);
    w.mc.wide_values = true;
    mocknode_forget(&w.mc.nodes[0]);
    ask(0, w.insert, true, 0);
    ask(1, w.insert, false, 0);
    pass(200);
    expect(0, 2, CQL_PREPARED_CHANGED);
    assert_false(all[0].maybe_applied || all[1].maybe_applied);
    assert_non_null(strstr(all[0].text, "other types"));
    assert_int_equal(encode_alone(w.insert), CQL_PREPARED_CHANGED);
    assert_int_equal(encode_alone(w.echo), CQL_OK);
    prepare("INSERT INTO t (v) VALUES (?)", &wide);
    pass(200);
    assert_ptr_not_equal(wide, w.insert);
    assert_int_equal(encode_alone(wide), CQL_OK);
    mocknode_forget(&w.mc.nodes[0]);
    ask(3, wide, true, 0);
    cqln_lessons_begin(node(0)); /* of the old one too, which has the same id: it is no lesson of this one */
    pass(200);
    assert_int_equal(all[3].calls, 1);
    assert_int_equal(all[3].status, CQL_OK);
    w.mc.wide_values = false;
    mocknode_forget(&w.mc.nodes[0]);
    prepare("INSERT INTO t (v) VALUES (?)", &back);
    pass(200);
    assert_ptr_equal(back, w.insert);
    assert_int_equal(encode_alone(wide), CQL_PREPARED_CHANGED);
    ask(2, w.insert, true, 0);
    pass(200);
    assert_int_equal(all[2].status, CQL_OK);
    cql_prepared_unref(wide);
    cql_prepared_unref(back);
}

/* The nodes know the id again by that, so that none asks for it anew. */
static void what_was_prepared_before_is_outdated_by_what_is_prepared_anew(void **state)
{
    (void)state;
    cql_prepared *wide = NULL;
    start(2);
    w.mc.wide_values = true;
    mocknode_forget(&w.mc.nodes[0]);
    mocknode_forget(&w.mc.nodes[1]);
    prepare("INSERT INTO t (v) VALUES (?)", &wide);
    pass(200);
    assert_int_equal(encode_alone(wide), CQL_OK);
    assert_int_equal(encode_alone(w.insert), CQL_PREPARED_CHANGED);
    assert_int_equal(encode_alone(w.echo), CQL_OK);
    cql_prepared_unref(wide);
}

/* Also one that had been sent by then. */
static void what_is_outdated_is_not_sent_again(void **state)
{
    (void)state;
    start(2);
    w.mc.nodes[0].stalled = w.mc.nodes[1].stalled = true;
    ask(0, w.insert, true, 0);
    pass(100);
    cqln_prepared_retire(w.insert, true);
    w.mc.nodes[0].stalled = w.mc.nodes[1].stalled = false;
    simio_cut(&w.io, cqln_conn_in_flight(node(0)->slots[0].link->conn) ? 0 : 1);
    pass(5000);
    expect(0, 1, CQL_PREPARED_CHANGED);
    assert_true(all[0].maybe_applied);
}

/* A node that comes up may not know the newest schema yet, or alone know it: another one is asked. */
static void a_node_that_comes_up(size_t nodes, bool agree)
{
    size_t last = nodes - 1;
    start(nodes);
    w.io.hosts[last].down = true;
    simio_cut(&w.io, last);
    mocknode_forget(&w.mc.nodes[last]);
    pass(1000);
    w.mc.wide_values = true;
    w.mc.nodes[0].behind = !agree;
    w.io.hosts[last].down = false;
    pass(5000);
    assert_int_equal(w.mc.nodes[last].statements, 2);
    assert_int_equal(encode_alone(w.insert), agree ? CQL_PREPARED_CHANGED : CQL_OK);
}

static void a_node_that_comes_up_retires_no_statement(void **state)
{
    (void)state;
    a_node_that_comes_up(2, false);
}

static void nodes_that_agree_retire_a_statement_that_one_was_taught(void **state)
{
    (void)state;
    a_node_that_comes_up(2, true);
}

static void a_lone_node_that_comes_up_is_believed(void **state)
{
    (void)state;
    a_node_that_comes_up(1, true);
}

/* An answer without metadata is read with what its request knew, though a later one has brought newer before. */
static void a_slow_answer_is_read_with_the_columns_it_was_asked_with(void **state)
{
    (void)state;
    cql_prepared *star = NULL;
    start(2);
    prepare("SELECT * FROM t WHERE echo = ?", &star);
    pass(100);
    w.io.hosts[0].delay_ms = 300;
    for (size_t i = 0; i < 20; i++)
        ask(i, star, true, 0);
    pass(100);
    w.mc.columns = 2;
    for (size_t i = 20; i < 40; i++)
        ask(i, star, true, 0);
    pass(100);
    assert_in_range(answered(0, 20), 5, 15);
    assert_int_equal(cqln_prepared_result(star)->count, 2);
    pass(1000);
    expect(0, 40, CQL_OK);
    assert_int_equal(cqln_prepared_result(star)->count, 2);
    cql_prepared_unref(star);
}

static void r71_a_server_that_never_learns_is_asked_with_the_text(void **state)
{
    (void)state;
    start(1);
    w.mc.nodes[0].forgetful = true;
    mocknode_forget(&w.mc.nodes[0]);
    ask(0, w.echo, true, 0);
    ask(1, w.insert, false, 0);
    pass(500);
    expect(0, 1, CQL_OK); /* the echo of what was bound: its values went with the text */
    assert_int_equal(all[1].status, CQL_OK);
    assert_int_equal(w.mc.executed[2], 1);
    assert_in_range(w.c.meter->values[CQL_METRIC_REPREPARES], 3, 6);
    assert_int_equal(atomic_load(&w.c.pending_bytes), 0);
}

/* A statement that was prepared for another keyspace than the connections have means something else as
 * text. */
static void r71_where_the_text_means_something_else_it_is_an_error(void **state)
{
    (void)state;
    start(1);
    w.mc.nodes[0].forgetful = true;
    mocknode_forget(&w.mc.nodes[0]);
    w.echo->keyspace = cql_str_of("elsewhere");
    ask(0, w.echo, true, 0);
    pass(500);
    expect(0, 1, CQL_SERVER_UNPREPARED);
    assert_int_equal(w.c.meter->values[CQL_METRIC_REPREPARES], 3);
    assert_int_equal(counted_at(SIZE_MAX, CQL_METRIC_REPREPARES), 3);
}

static void one_lesson_serves_all_that_wait_for_it(void **state)
{
    (void)state;
    start(1);
    mocknode_forget(&w.mc.nodes[0]);
    read_many(0, 500);
    pass(500);
    expect(0, 500, CQL_OK);
    assert_true(w.c.meter->values[CQL_METRIC_REPREPARES] <= 2); /* a second one for answers that crossed it */
}

static void a_node_that_comes_up_is_taught_before_it_is_asked(void **state)
{
    (void)state;
    start(2);
    uint64_t prepared = w.mc.nodes[1].prepares;
    w.io.hosts[1].down = true;
    simio_cut(&w.io, 1);
    mocknode_forget(&w.mc.nodes[1]);
    pass(1000);
    w.io.hosts[1].down = false;
    pass(5000);
    assert_int_equal(w.mc.nodes[1].statements, 2);
    assert_int_equal(w.mc.nodes[1].prepares, prepared + 2);
    read_many(0, 20);
    pass(200);
    expect(0, 20, CQL_OK);
    assert_int_equal(w.mc.nodes[1].prepares, prepared + 2);
}

/* A server that has just started is not overrun with what it has to learn. */
static void a_node_that_comes_up_is_taught_a_few_at_a_time(void **state)
{
    (void)state;
    enum { MANY = 40 };
    cql_prepared *p[MANY] = {NULL};
    uint32_t most = 0;
    start(2);
    for (unsigned i = 0; i < MANY; i++) {
        char cql[64];
        snprintf(cql, sizeof cql, "SELECT v FROM t%u WHERE echo = ?", i);
        prepare(cql, &p[i]);
    }
    pass(500);
    w.io.hosts[1].down = true;
    simio_cut(&w.io, 1);
    mocknode_forget(&w.mc.nodes[1]);
    pass(1000);
    w.io.hosts[1].down = false;
    for (int i = 0; i < 5000; i++) {
        pass(1);
        uint32_t now = node(1)->usable ? cqln_conn_in_flight(node(1)->slots[0].link->conn) : 0;
        most = now > most ? now : most;
    }
    assert_int_equal(most, 8);
    assert_int_equal(w.mc.nodes[1].statements, MANY + 2);
    for (unsigned i = 0; i < MANY; i++)
        cql_prepared_unref(p[i]);
}

/* However long the program's own requests may take: others wait for the lesson too. */
static void a_lesson_that_is_not_answered_is_repeated(void **state)
{
    (void)state;
    option("request_timeout", "60000");
    option("connect_timeout", "1000");
    option("heartbeat", "0");
    start(1);
    mocknode_forget(&w.mc.nodes[0]);
    uint64_t requests = w.mc.nodes[0].requests;
    ask(0, w.echo, true, 500);
    while (w.mc.nodes[0].requests == requests)
        pass(1);
    w.mc.nodes[0].stalled = true; /* what comes now, the lesson, is swallowed */
    pass(100);
    w.mc.nodes[0].stalled = false;
    ask(1, w.echo, true, 3000);
    pass(3100);
    expect(0, 1, CQL_TIMEOUT);
    expect(1, 2, CQL_OK);
}

static void r73_only_so_many_statements_are_remembered(void **state)
{
    (void)state;
    option("max_prepared", "4");
    start(1);
    size_t flat = 0;
    for (unsigned i = 0; i < 2000; i++) {
        char cql[64];
        cql_prepared *p = NULL;
        snprintf(cql, sizeof cql, "SELECT v FROM t%u WHERE echo = ?", i);
        prepare(cql, &p);
        pass(20);
        assert_non_null(p);
        cql_prepared_unref(p);
        assert_true(w.c.lessons.count <= 4);
        if (i == 10)
            flat = w.memory.live;
    }
    assert_int_equal(w.memory.live, flat);
}

static void r78_a_node_that_hangs_holds_up_no_prepare(void **state)
{
    (void)state;
    start(2);
    w.io.hosts[1].frozen = true;
    cql_prepared *p = NULL, *q = NULL;
    prepare("SELECT v FROM t WHERE echo = ? AND a", &p);
    prepare("SELECT v FROM t WHERE echo = ? AND b", &q);
    pass(100);
    assert_true(p || q); /* one of them went to the node that hangs */
    w.io.hosts[1].frozen = false;
    pass(1000);
    cql_prepared_unref(p);
    cql_prepared_unref(q);
}

/* --- 1f retries ------------------------------------------------------------------------------------ */

static cql_retry_verdict always(void *self, const cql_retry_info *info)
{
    (void)info;
    ++*(unsigned *)self;
    return CQL_RETRY_SAME_HOST;
}

static void r87_a_policy_that_always_repeats_comes_to_an_end(void **state)
{
    (void)state;
    unsigned decisions = 0;
    cql_retry_policy policy = {sizeof policy, &decisions, always};
    start(1);
    w.mc.nodes[0].error_code = 0x1001;
    next_policy = &policy;
    ask(0, w.echo, true, 0);
    next_policy = NULL;
    pass(500);
    expect(0, 1, CQL_SERVER_OVERLOADED);
    assert_int_equal(w.mc.nodes[0].requests > 0, true);
    assert_in_range(decisions, 2, 9);
}

static void x15_an_overloaded_cluster_gets_few_retries(void **state)
{
    (void)state;
    start(2);
    w.mc.nodes[0].error_code = 0x1001;
    w.mc.nodes[1].error_code = 0x1001;
    for (size_t i = 0; i < 3000; i++) {
        ask(i, w.echo, true, 0);
        if (i % 100 == 0)
            pass(10);
    }
    pass(500);
    expect(0, 3000, CQL_SERVER_OVERLOADED);
    assert_true(w.c.meter->values[CQL_METRIC_RETRIES] <= 100 + 300 + 20);
    assert_true(w.c.counts.unaffordable > 2000);
}

static void without_retries_each_error_is_the_program_s(void **state)
{
    (void)state;
    option("retry", "none");
    start(2);
    w.mc.nodes[0].error_code = 0x1001;
    read_many(0, 20);
    pass(500);
    size_t failed = 0;
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(all[i].calls, 1);
        failed += all[i].status == CQL_SERVER_OVERLOADED;
    }
    assert_in_range(failed, 5, 15);
    assert_int_equal(w.c.meter->values[CQL_METRIC_RETRIES], 0);
}

/* One that answers slowly gets few speculative attempts besides. */
static void x15_a_slow_cluster_gets_few_attempts_more(void **state)
{
    (void)state;
    option("speculation", "constant");
    option("speculation_delay", "20");
    option("max_requests_per_connection", "4096");
    start(2);
    w.io.hosts[0].delay_ms = w.io.hosts[1].delay_ms = 400;
    for (size_t i = 0; i < 2000; i += 20) {
        read_many(i, i + 20);
        pass(20);
    }
    pass(2000);
    expect(0, 2000, CQL_OK);
    assert_in_range(w.c.meter->values[CQL_METRIC_SPECULATIONS], 200, 100 + 200 + 10 * 6);
}

static void x15_one_overloaded_node_is_left_for_the_other(void **state)
{
    (void)state;
    start(2);
    w.mc.nodes[0].error_code = 0x1001;
    read_many(0, 100);
    pass(500);
    expect(0, 100, CQL_OK);
    assert_int_equal(w.c.meter->values[CQL_METRIC_RETRIES], 50); /* one for each that came to that node */
}

/* A drained server refuses what reaches it, also what may not be repeated: it has run nowhere. */
static void x4_a_server_that_shuts_down_is_left_at_the_first_word(void **state)
{
    (void)state;
    start(2);
    uint64_t connects = w.mc.nodes[0].connects;
    w.mc.nodes[0].leaving = true;
    for (size_t i = 0; i < 400; i++) {
        ask(i, w.insert, false, 0);
        if (i % 20 == 19)
            pass(5);
    }
    for (size_t i = 0; i < 400; i++) {
        assert_int_equal(all[i].status, CQL_OK);
        assert_int_equal(w.mc.executed[all[i].value], 1);
    }
    assert_in_range(w.mc.nodes[0].turned_away, 1, 30); /* those on their way when it spoke, and the control connection */
    assert_int_equal(w.c.counts.unaffordable, 0);
    w.mc.nodes[0].leaving = false;
    pass(20000);
    assert_true(w.mc.nodes[0].connects > connects);
    uint64_t before = w.mc.nodes[0].requests;
    read_many(400, 500);
    pass(500);
    expect(400, 500, CQL_OK);
    assert_true(w.mc.nodes[0].requests > before);
}

static void x4_alone_it_is_an_error_that_says_so(void **state)
{
    (void)state;
    start(1);
    w.mc.nodes[0].leaving = true;
    ask(0, w.insert, false, 0);
    pass(100);
    expect(0, 1, CQL_SERVER_OVERLOADED);
    assert_false(all[0].maybe_applied);
    ask(1, w.insert, false, 500);
    pass(1000);
    assert_int_equal(all[1].calls, 1);
    assert_int_not_equal(all[1].status, CQL_OK);
    assert_false(all[1].maybe_applied);
    w.mc.nodes[0].leaving = false;
    pass(20000);
    ask(2, w.echo, false, 0);
    pass(100);
    expect(2, 3, CQL_OK);
}

/* Two of three: one was lost, the next one refuses, and the third was not asked yet. */
static void a_node_that_was_not_asked_is_asked_however_many_failed(void **state)
{
    (void)state;
    start(3);
    for (size_t i = 0; i < 60; i++)
        ask(i, w.echo, true, 0);
    w.mc.nodes[1].error_code = 0x1001;
    simio_cut(&w.io, 0);
    w.io.hosts[0].down = true;
    pass(500);
    expect(0, 60, CQL_OK);
}

/* --- requests that were begun and not sent --------------------------------------------------------- */

static void on_room(cql_session *s, void *user)
{
    (void)s;
    ++*(unsigned *)user;
}

static void a_place_given_back_is_told_to_who_waits_for_it(void **state)
{
    (void)state;
    unsigned rooms = 0;
    cqln_request *a, *b, *none;
    option("max_pending_requests", "2");
    start(1);
    w.c.drain_cb = on_room;
    w.c.drain_user = &rooms;
    assert_int_equal(cqln_request_begin(&w.c, &a), CQL_OK);
    assert_int_equal(cqln_request_begin(&w.c, &b), CQL_OK);
    assert_int_equal(cqln_request_begin(&w.c, &none), CQL_WOULD_BLOCK);
    pass(10);
    cqln_request_abandon(a);
    pass(10);
    assert_int_equal(rooms, 0);
    cqln_request_abandon(b);
    pass(10);
    assert_int_equal(rooms, 1);
}

static void a_place_given_back_lets_the_close_go_on(void **state)
{
    (void)state;
    cqln_request *req;
    start(1);
    assert_int_equal(cqln_request_begin(&w.c, &req), CQL_OK);
    cqln_cluster_close(&w.c, on_closed, NULL);
    pass(50);
    assert_false(w.closed);
    cqln_request_abandon(req);
    pass(50);
    assert_true(w.closed);
}

/* It was on its way to the loop's thread when the time-out of closing ended. */
static void a_request_that_comes_behind_the_close_is_cancelled(void **state)
{
    (void)state;
    cqln_request *req;
    option("close_timeout", "100");
    start(1);
    assert_int_equal(make(0, w.echo, true, 0, &req), CQL_OK);
    cqln_cluster_close(&w.c, on_closed, NULL);
    pass(500);
    assert_false(w.closed);
    cqln_request_start(req);
    pass(50);
    expect(0, 1, CQL_CANCELLED);
    assert_false(all[0].maybe_applied);
    assert_true(w.closed);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(r1_a_stream_waits_for_its_late_answer),
        CASE(r2_a_connection_full_of_orphans_is_replaced),
        CASE(requests_wait_for_the_connection_that_replaces_a_full_one),
        CASE(an_answer_that_is_too_large_is_the_error_of_its_request),
        CASE(an_answer_that_is_too_large_ends_a_race),
        CASE(errors_name_what_they_know),
        CASE(reads_that_fail_on_another_schema_are_asked_of_the_next_node),
        CASE(hooks_tell_the_time_of_long_requests),
        CASE(r3_errors_give_their_streams_back),
        CASE(error_codes_that_are_no_status_are_server_errors),
        CASE(what_is_unavailable_at_its_commit_may_be_applied),
        CASE(r4_r5_few_streams_serve_many_requests),
        CASE(r8_a_late_cancel_does_not_touch_the_next_request),
        CASE(r10_a_cut_connection_fails_its_requests_at_once),
        CASE(what_nothing_is_said_of_is_not_sent_again),
        CASE(what_nothing_is_said_of_is_sent_again_where_the_option_says_so),
        CASE(the_option_does_not_stand_for_conditional_statements),
        CASE(r13_a_race_that_all_lose_gives_the_last_error_once),
        CASE(only_errors_about_the_statement_end_a_race),
        CASE(a_lost_attempt_leaves_its_doubt_to_the_last_error),
        CASE(a_race_that_ends_with_a_node_that_forgot_gives_the_error_before),
        CASE(a_slow_node_is_overtaken),
        CASE(at_a_percentile_only_slow_answers_are_overtaken),
        CASE(r20_a_failed_refill_is_tried_again),
        CASE(a_node_with_many_connections_is_tried_as_soon_as_one_with_few),
        CASE(a_lost_node_is_tried_as_the_options_say),
        CASE(the_control_connection_is_tried_as_the_options_say),
        CASE(r21_all_nodes_come_back_without_an_event),
        CASE(a_request_lost_with_the_last_connection_says_where_and_why),
        CASE(idle_connections_that_are_ended_are_made_again_at_once),
        CASE(a_request_that_finds_an_idle_connection_ended_takes_the_next),
        CASE(who_comes_while_an_idle_connection_ends_waits_for_the_next),
        CASE(an_idle_connection_of_a_server_that_is_gone_is_tried_once),
        CASE(a_connection_that_ends_as_soon_as_it_is_made_is_not_stormed),
        CASE(a_node_that_is_back_begins_with_one_request),
        CASE(a_node_that_is_back_alone_gets_all),
        CASE(r23_an_unanswered_heartbeat_moves_the_requests),
        CASE(requests_without_an_answer_find_a_hanging_node),
        CASE(r32_a_node_that_slams_the_door_is_not_stormed),
        CASE(r33_a_removed_node_is_left_alone),
        CASE(a_removed_node_may_end_what_it_began),
        CASE(a_pool_grows_under_load_and_shrinks_at_rest),
        CASE(requests_of_one_turn_leave_in_one_write),
        CASE(a_long_request_outlives_the_place_of_its_connection),
        CASE(nodes_of_two_versions_are_spoken_to_in_the_lower),
        CASE(an_older_release_is_told_by_the_tables),
        CASE(a_keyspace_reaches_connections_with_orphans),
        CASE(a_keyspace_reaches_connections_with_later_orphans),
        CASE(a_keyspace_that_is_not_answered_is_set_again),
        CASE(a_node_that_takes_no_keyspace_has_failed),
        CASE(a_late_use_does_not_change_a_keyspace_alone),
        CASE(agreement_ends_in_time),
        CASE(a_node_that_is_down_behind_a_translator_does_not_disagree),
        CASE(a_far_node_that_is_down_does_not_disagree),
        CASE(a_node_that_is_back_gets_over_an_orphan),
        CASE(a_control_connection_that_never_lasts_is_not_stormed),
        CASE(a_control_connection_that_moves_does_not_storm_who_is_down),
        CASE(what_takes_hours_is_no_short_latency),
        CASE(connections_that_cannot_begin_are_tried_again),
        CASE(a_later_outage_begins_with_short_pauses),
        CASE(a_control_connection_that_lasted_is_as_good_as_the_first),
        CASE(a_request_to_a_node_that_fails_does_not_wait_for_it),
        CASE(who_waits_for_a_node_that_is_lost_hears_of_it),
        CASE(a_node_that_answers_the_control_connection_is_used),
        CASE(the_end_of_one_of_several_connections_asks_nobody_who_waits),
        CASE(requests_pass_those_that_wait_for_one_node),
        CASE(a_pool_shrinks_to_a_connection_that_works),
        CASE(a_node_that_is_lost_is_tried_soon_whatever_failed_before),
        CASE(r70_another_id_is_one_error),
        CASE(a_table_made_anew_takes_nothing_that_was_bound_before),
        CASE(what_was_prepared_before_is_outdated_by_what_is_prepared_anew),
        CASE(what_is_outdated_is_not_sent_again),
        CASE(a_node_that_comes_up_retires_no_statement),
        CASE(nodes_that_agree_retire_a_statement_that_one_was_taught),
        CASE(a_lone_node_that_comes_up_is_believed),
        CASE(a_slow_answer_is_read_with_the_columns_it_was_asked_with),
        CASE(r71_a_server_that_never_learns_is_asked_with_the_text),
        CASE(r71_where_the_text_means_something_else_it_is_an_error),
        CASE(one_lesson_serves_all_that_wait_for_it),
        CASE(x4_a_server_that_shuts_down_is_left_at_the_first_word),
        CASE(x4_alone_it_is_an_error_that_says_so),
        CASE(a_node_that_was_not_asked_is_asked_however_many_failed),
        CASE(a_node_that_comes_up_is_taught_before_it_is_asked),
        CASE(a_node_that_comes_up_is_taught_a_few_at_a_time),
        CASE(a_lesson_that_is_not_answered_is_repeated),
        CASE(r73_only_so_many_statements_are_remembered),
        CASE(r78_a_node_that_hangs_holds_up_no_prepare),
        CASE(r87_a_policy_that_always_repeats_comes_to_an_end),
        CASE(x15_an_overloaded_cluster_gets_few_retries),
        CASE(without_retries_each_error_is_the_program_s),
        CASE(x15_a_slow_cluster_gets_few_attempts_more),
        CASE(x15_one_overloaded_node_is_left_for_the_other),
        CASE(a_place_given_back_is_told_to_who_waits_for_it),
        CASE(a_place_given_back_lets_the_close_go_on),
        CASE(a_request_that_comes_behind_the_close_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
