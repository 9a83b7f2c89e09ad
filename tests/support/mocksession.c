/* One mockserver for a test program. */
#include "mocksession.h"

#include <poll.h>

mockserver server;

int start_two(void **state)
{
    (void)state;
    mockserver_start(&server, 2);
    return 0;
}

int start_three(void **state)
{
    (void)state;
    mockserver_start(&server, 3);
    return 0;
}

int stop_server(void **state)
{
    (void)state;
    mockserver_stop(&server);
    return 0;
}

static void url_of(const char *more, char *out, size_t cap)
{
    int n = snprintf(out, cap, "cql://%s/?request_timeout=60s&connect_timeout=60s&%s",
                     mockserver_host(&server, 0), more);
    assert_true(n > 0 && (size_t)n < cap);
}

cql_options *options(const char *more)
{
    char url[500];
    cql_options *o = NULL;
    cql_error *err = NULL;
    url_of(more, url, sizeof url);
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    if (cql_options_parse(o, url, &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
    return o;
}

cql_session *open_with(cql_options *o)
{
    cql_error *err = NULL;
    cql_session *s = NULL;
    if (cql_session_new(o, &s, &err) != CQL_OK || cql_session_connect_wait(s, &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
    cql_options_free(o);
    return s;
}

cql_session *open_session(const char *more)
{
    char url[500];
    cql_error *err = NULL;
    cql_session *s = NULL;
    url_of(more, url, sizeof url);
    if (cql_session_open_wait(url, &s, &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
    return s;
}

void close_session(cql_session *s)
{
    assert_int_equal(cql_session_close_wait(s), CQL_OK);
    assert_int_equal(cql_session_close_wait(s), CQL_OK); /* closed is closed */
    cql_session_free(s);
}

void wait_for(const atomic_uint *n, unsigned wanted)
{
    for (int i = 0; i < PATIENCE_MS && *n < wanted; i++)
        poll(NULL, 0, 1);
    assert_int_equal(*n, wanted);
}

uint64_t metric_of(cql_session *s, cql_metric which)
{
    cql_metrics *m = cql_session_metrics(s);
    assert_non_null(m);
    uint64_t n = cql_metrics_value(m, CQL_METRICS_SESSION, which);
    cql_metrics_free(m);
    return n;
}

void wait_connections(cql_session *s, unsigned n)
{
    for (int i = 0; i < PATIENCE_MS && metric_of(s, CQL_METRIC_CONNECTIONS) != n; i++)
        poll(NULL, 0, 1);
    assert_int_equal(metric_of(s, CQL_METRIC_CONNECTIONS), n);
}

void hold_nodes(void)
{
    pthread_mutex_lock(&server.lock);
}

void let_nodes_go(void)
{
    pthread_mutex_unlock(&server.lock);
}

void change_ids(uint8_t salt)
{
    pthread_mutex_lock(&server.lock);
    server.mc.salt = salt;
    for (size_t i = 0; i < server.mc.count; i++)
        mocknode_forget(&server.mc.nodes[i]);
    pthread_mutex_unlock(&server.lock);
}

uint64_t prepares(void)
{
    uint64_t n = 0;
    pthread_mutex_lock(&server.lock);
    for (size_t i = 0; i < server.mc.count; i++)
        n += server.mc.nodes[i].prepares;
    pthread_mutex_unlock(&server.lock);
    return n;
}
