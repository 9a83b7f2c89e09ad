/* Answers that are malformed, over real sockets: a body costs its request only, an envelope that cannot
 * be costs its connection only; everything else goes on. */
#include "mocksession.h"

#include <unistd.h>

enum { NODES = 2 };

static uint64_t connects(void)
{
    uint64_t sum = 0;
    pthread_mutex_lock(&server.lock);
    for (size_t i = 0; i < NODES; i++)
        sum += server.mc.nodes[i].connects;
    pthread_mutex_unlock(&server.lock);
    return sum;
}

static cql_session *open_quick(const char *mode)
{
    char more[100];
    snprintf(more, sizeof more, "reconnect_base=10ms&%s", mode);
    return open_session(more);
}

static void ask(cql_session *s, unsigned times)
{
    cql_error *err = NULL;
    cql_result *res = NULL;
    while (times-- > 0) {
        if (cql_session_query_wait(s, "SELECT * FROM t rows 2", &res, &err) != CQL_OK)
            fail_msg("%s", cql_error_text(err));
        assert_int_equal(cql_result_row_count(res), 2);
        cql_result_unref(res);
    }
}

/* Nodes are connected one after the other: until nothing is added any more. */
static uint64_t settled(cql_session *s)
{
    uint64_t before;
    uint64_t now = connects();
    do {
        before = now;
        for (int i = 0; i < 20; i++) {
            ask(s, 5);
            usleep(10000);
        }
        now = connects();
    } while (now != before);
    return now;
}

static void a_body_in(const char *mode)
{
    cql_error *err = NULL;
    cql_result *res = NULL;
    cql_session *s = open_quick(mode);
    uint64_t before = settled(s);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(cql_session_query_wait(s, "SELECT garbled", &res, &err), CQL_MALFORMED);
        assert_null(res);
        assert_non_null(strstr(cql_error_text(err), "127.9.0."));
        assert_true(cql_error_maybe_applied(err)); /* the server did answer */
        ask(s, 5);
    }
    assert_int_equal(connects(), before);
    cql_error_unref(err);
    close_session(s);
}

static void a_malformed_body_fails_its_request(void **state)
{
    (void)state;
    a_body_in("loop_threads=0&protocol=5");
    a_body_in("loop_threads=0&protocol=4");
    a_body_in("loop_threads=1");
}

static void an_envelope_in(const char *mode)
{
    cql_error *err = NULL;
    cql_result *res = NULL;
    cql_session *s = open_quick(mode);
    uint64_t before = settled(s);
    assert_int_not_equal(cql_session_query_wait(s, "SELECT strange", &res, &err), CQL_OK);
    assert_int_not_equal(cql_error_status(err), CQL_TIMEOUT);
    assert_null(res);
    for (unsigned waited = 0; connects() == before; waited += 10) {
        if (waited > PATIENCE_MS)
            fail_msg("the connection is not made again");
        ask(s, 5);
        usleep(10000);
    }
    assert_int_equal(settled(s), before + 1); /* no other was lost */
    cql_error_unref(err);
    close_session(s);
}

static void a_malformed_envelope_ends_its_connection(void **state)
{
    (void)state;
    an_envelope_in("loop_threads=0&protocol=5");
    an_envelope_in("loop_threads=0&protocol=4");
    an_envelope_in("loop_threads=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_malformed_body_fails_its_request),
        cmocka_unit_test(a_malformed_envelope_ends_its_connection),
    };
    return cmocka_run_group_tests(tests, start_two, stop_server);
}
