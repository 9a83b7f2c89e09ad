/* One target of cqlping against a session that the test plays: no network, and the test's own
 * clock. The functions of the library that a node calls are defined here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ping/clock.h"
#include "ping/node.h"
#include "tools_capture.h"

#include <stdlib.h>
#include <string.h>

#define SECOND 1000000u

/* --- the scripted session ------------------------------------------------------------------------
 */

struct cql_session {
    cql_session_cb connected;
    cql_result_cb answered;
    void *user;
};

static uint64_t now_us;
static cql_session *live; /* the one session at a time */
static int sessions_made, probes_sent;
static cql_status new_status, execute_status;

uint64_t ping_now_us(void)
{
    return now_us;
}

cql_status cql_session_new(const cql_options *o, cql_session **out, cql_error **err)
{
    (void)o;
    if (new_status != CQL_OK) {
        *err = cql_error_make(NULL, new_status, NULL, "no session");
        return new_status;
    }
    assert_null(live);
    live = calloc(1, sizeof *live);
    *out = live;
    sessions_made++;
    return CQL_OK;
}

cql_status cql_session_connect(cql_session *s, cql_session_cb cb, void *user)
{
    s->connected = cb;
    s->user = user;
    return CQL_OK;
}

cql_status cql_session_execute(cql_session *s, const cql_statement *stmt, cql_result_cb cb,
                               void *user)
{
    assert_non_null(stmt);
    if (execute_status != CQL_OK)
        return execute_status;
    s->answered = cb;
    s->user = user;
    probes_sent++;
    return CQL_OK;
}

cql_status cql_session_drive(cql_session *s, int timeout_ms)
{
    (void)s;
    assert_int_equal(timeout_ms, 0);
    return CQL_OK;
}

int cql_session_protocol_version(const cql_session *s)
{
    (void)s;
    return 5;
}

/* As the real one does, it ends what is under way. */
void cql_session_free(cql_session *s)
{
    cql_error *err = cql_error_make(NULL, CQL_CANCELLED, NULL, "cancelled");
    if (s && s->connected)
        s->connected(s, err, s->user);
    if (s && s->answered)
        s->answered(s, err, NULL, s->user);
    cql_error_unref(err);
    if (s == live)
        live = NULL;
    free(s);
}

static void connect_comes(const cql_error *err)
{
    cql_session_cb cb = live->connected;
    assert_non_null(cb);
    live->connected = NULL;
    cb(live, err, live->user);
}

static void answer_comes(const cql_error *err)
{
    cql_result_cb cb = live->answered;
    assert_non_null(cb);
    live->answered = NULL;
    cb(live, err, NULL, live->user);
}

static cql_error *failure(cql_status st)
{
    return cql_error_make(NULL, st, NULL, "the reason");
}

/* --- a node in it --------------------------------------------------------------------------------
 */

static ping_config config;
static ping_node node;

static int begin(void **state)
{
    (void)state;
    ping_config fresh = {.count = 3, .interval_ms = 1000, .answer_ms = 5000};
    config = fresh;
    now_us = 100 * SECOND;
    sessions_made = probes_sent = 0;
    new_status = execute_status = CQL_OK;
    capture_begin();
    return 0;
}

static int end(void **state)
{
    (void)state;
    ping_node_free(&node);
    (void)capture_end();
    assert_null(live);
    return 0;
}

static void start(void)
{
    ping_node_init(&node, &config, "n1", NULL);
    ping_node_step(&node);
}

/* Lets the library's note arrive and the node act on it. */
static void connect_and_step(const cql_error *err)
{
    connect_comes(err);
    ping_node_step(&node);
}

static void answer_after(uint64_t micros)
{
    now_us += micros;
    answer_comes(NULL);
    ping_node_step(&node);
}

static void fail_connect(cql_status st)
{
    cql_error *err = failure(st);
    connect_and_step(err);
    cql_error_unref(err);
}

static void fail_probe(cql_status st)
{
    cql_error *err = failure(st);
    answer_comes(err);
    ping_node_step(&node);
    cql_error_unref(err);
}

static void rest_until_due(void)
{
    assert_int_equal(node.state, PING_RESTING);
    now_us = ping_node_due_us(&node);
    ping_node_step(&node);
}

static void probes_follow_each_other_at_the_interval(void **state)
{
    (void)state;
    start();
    assert_int_equal(node.state, PING_CONNECTING);
    connect_and_step(NULL);
    assert_int_equal(node.state, PING_PROBING);
    uint64_t began = now_us;
    answer_after(400);
    assert_int_equal(ping_node_due_us(&node), began + SECOND);
    now_us = began + SECOND - 1;
    ping_node_step(&node);
    assert_int_equal(probes_sent, 1);
    rest_until_due();
    answer_after(600);
    rest_until_due();
    answer_after(800);
    assert_int_equal(node.state, PING_FINISHED);
    assert_int_equal(probes_sent, 3);
    assert_int_equal(node.stats.answered, 3);
    assert_int_equal(node.stats.max_us, 800);
    assert_int_equal(sessions_made, 1);
    assert_int_equal(node.failure, TOOL_EXIT_OK);
}

static void a_slow_answer_does_not_pile_probes_up(void **state)
{
    (void)state;
    start();
    connect_and_step(NULL);
    answer_after(3 * SECOND);
    assert_int_equal(ping_node_due_us(&node), now_us);
    rest_until_due();
    assert_int_equal(probes_sent, 2);
}

static void a_first_connection_that_fails_ends_the_target(void **state)
{
    (void)state;
    start();
    fail_connect(CQL_CONNECT_FAILED);
    assert_int_equal(node.state, PING_FINISHED);
    assert_true(node.given_up);
    assert_int_equal(node.failure, TOOL_EXIT_UNREACHED);
    assert_int_equal(node.stats.sent, 1);
    assert_null(live);
}

static void a_session_that_cannot_be_made_ends_the_target(void **state)
{
    (void)state;
    new_status = CQL_BAD_VALUE;
    start();
    assert_int_equal(node.state, PING_FINISHED);
    assert_int_equal(node.failure, TOOL_EXIT_USAGE);
}

static void a_node_that_never_speaks_is_given_up_in_time(void **state)
{
    (void)state;
    start();
    uint64_t limit = ping_node_due_us(&node);
    assert_true(limit >= now_us + 5 * SECOND && limit <= now_us + 6 * SECOND);
    now_us = limit - 1;
    ping_node_step(&node);
    assert_int_equal(node.state, PING_CONNECTING);
    now_us = limit;
    ping_node_step(&node);
    assert_int_equal(node.state, PING_FINISHED);
    assert_int_equal(node.failure, TOOL_EXIT_UNREACHED);
    assert_null(live);
}

static void waiting_tries_again_until_the_time_is_up(void **state)
{
    (void)state;
    config.wait_ms = 10000;
    start();
    for (int i = 0; i < 9; i++) {
        assert_int_equal(sessions_made, i + 1);
        fail_connect(CQL_CONNECT_FAILED);
        rest_until_due();
    }
    fail_connect(CQL_CONNECT_FAILED);
    assert_int_equal(node.state, PING_FINISHED);
    assert_true(now_us <= 110 * SECOND);
    assert_int_equal(node.stats.sent, 1);
    assert_int_equal(node.failure, TOOL_EXIT_UNREACHED);
}

static void waiting_ends_with_the_first_answer(void **state)
{
    (void)state;
    config.wait_ms = 60000;
    config.count = 1;
    start();
    fail_connect(CQL_CONNECT_FAILED);
    rest_until_due();
    connect_and_step(NULL);
    fail_probe(CQL_SERVER_IS_BOOTSTRAPPING); /* an open port is not enough */
    assert_int_equal(node.state, PING_RESTING);
    rest_until_due();
    connect_and_step(NULL);
    answer_after(500);
    assert_int_equal(node.state, PING_FINISHED);
    assert_int_equal(node.stats.sent, 1);
    assert_int_equal(node.stats.answered, 1);
    assert_int_equal(node.failure, TOOL_EXIT_OK);
}

static void an_attempt_does_not_outlast_the_wait(void **state)
{
    (void)state;
    config.wait_ms = 2000;
    start();
    assert_int_equal(ping_node_due_us(&node), 102 * SECOND);
    now_us = 102 * SECOND;
    ping_node_step(&node);
    assert_int_equal(node.state, PING_FINISHED);
}

static void a_refused_log_in_is_tried_for_a_while_only(void **state)
{
    (void)state;
    config.wait_ms = 600000;
    start();
    while (node.state == PING_CONNECTING && sessions_made < 100) {
        fail_connect(CQL_AUTH_FAILED);
        if (node.state == PING_RESTING)
            rest_until_due();
    }
    assert_int_equal(node.state, PING_FINISHED);
    assert_int_equal(node.failure, TOOL_EXIT_DENIED);
    assert_in_range(now_us, 114 * SECOND, 116 * SECOND);
}

static void without_waiting_a_refused_log_in_ends_at_once(void **state)
{
    (void)state;
    start();
    fail_connect(CQL_AUTH_FAILED);
    assert_int_equal(node.failure, TOOL_EXIT_DENIED);
    assert_int_equal(sessions_made, 1);
    assert_int_equal(node.state, PING_FINISHED);
}

static void a_probe_that_times_out_is_lost_and_the_connection_kept(void **state)
{
    (void)state;
    start();
    connect_and_step(NULL);
    answer_after(400);
    rest_until_due();
    now_us += 5 * SECOND;
    fail_probe(CQL_TIMEOUT);
    assert_int_equal(sessions_made, 1);
    rest_until_due();
    answer_after(400);
    assert_int_equal(node.state, PING_FINISHED);
    assert_int_equal(node.stats.sent, 3);
    assert_int_equal(node.stats.answered, 2);
}

static void after_a_lost_connection_the_next_probe_makes_another(void **state)
{
    (void)state;
    start();
    connect_and_step(NULL);
    answer_after(400);
    rest_until_due();
    fail_probe(CQL_CLOSED);
    assert_null(live);
    rest_until_due();
    assert_int_equal(sessions_made, 2);
    assert_int_equal(node.state, PING_CONNECTING);
    connect_and_step(NULL);
    answer_after(400);
    assert_int_equal(node.stats.sent, 3);
    assert_int_equal(node.stats.answered, 2);
    assert_int_equal(node.state, PING_FINISHED);
}

static void a_second_connection_that_fails_is_one_lost_probe(void **state)
{
    (void)state;
    start();
    connect_and_step(NULL);
    answer_after(400);
    rest_until_due();
    fail_probe(CQL_CLOSED);
    rest_until_due();
    fail_connect(CQL_CONNECT_FAILED);
    assert_int_equal(node.state, PING_FINISHED);
    assert_false(node.given_up);
    assert_int_equal(node.stats.sent, 3);
    assert_int_equal(node.stats.answered, 1);
}

static void a_probe_that_cannot_be_sent_is_lost(void **state)
{
    (void)state;
    start();
    connect_and_step(NULL);
    answer_after(400);
    execute_status = CQL_BAD_STATE;
    rest_until_due();
    assert_int_equal(node.state, PING_RESTING);
    assert_int_equal(node.stats.sent, 2);
    assert_int_equal(node.stats.answered, 1);
}

static void stopping_does_not_count_the_probe_under_way(void **state)
{
    (void)state;
    config.count = 0;
    start();
    connect_and_step(NULL);
    answer_after(400);
    rest_until_due();
    assert_int_equal(node.stats.sent, 2);
    ping_node_stop(&node);
    assert_int_equal(node.stats.sent, 1);
    assert_int_equal(node.state, PING_FINISHED);
}

#define NODE_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NODE_TEST(probes_follow_each_other_at_the_interval),
        NODE_TEST(a_slow_answer_does_not_pile_probes_up),
        NODE_TEST(a_first_connection_that_fails_ends_the_target),
        NODE_TEST(a_session_that_cannot_be_made_ends_the_target),
        NODE_TEST(a_node_that_never_speaks_is_given_up_in_time),
        NODE_TEST(waiting_tries_again_until_the_time_is_up),
        NODE_TEST(waiting_ends_with_the_first_answer),
        NODE_TEST(an_attempt_does_not_outlast_the_wait),
        NODE_TEST(a_refused_log_in_is_tried_for_a_while_only),
        NODE_TEST(without_waiting_a_refused_log_in_ends_at_once),
        NODE_TEST(a_probe_that_times_out_is_lost_and_the_connection_kept),
        NODE_TEST(after_a_lost_connection_the_next_probe_makes_another),
        NODE_TEST(a_second_connection_that_fails_is_one_lost_probe),
        NODE_TEST(a_probe_that_cannot_be_sent_is_lost),
        NODE_TEST(stopping_does_not_count_the_probe_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
