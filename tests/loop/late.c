/* Calls that come while a session closes, or after: each is refused or ends once, and nothing is left. */
#include "failmalloc.h"
#include "mocksession.h"

#include <poll.h>

typedef struct counts {
    bool freed;
    atomic_uint calls;
    atomic_uint closes;
    cql_status last;
} counts;

static void on_session(cql_session *s, const cql_error *err, void *user)
{
    counts *c = user;
    (void)s;
    c->last = err ? cql_error_status(err) : CQL_OK;
    c->calls++;
}

static void on_close(cql_session *s, const cql_error *err, void *user)
{
    (void)s;
    assert_null(err);
    ((counts *)user)->closes++;
}

/* A session whose memory is counted. */
static cql_session *made(failmalloc *f, const char *more)
{
    char url[300];
    cql_options *o = NULL;
    cql_session *s = NULL;
    failmalloc_init(f);
    snprintf(url, sizeof url, "cql://%s/?request_timeout=60s&connect_timeout=60s&%s", mockserver_host(&server, 0), more);
    assert_int_equal(cql_options_new(&f->al, &o), CQL_OK);
    assert_int_equal(cql_options_parse(o, url, NULL), CQL_OK);
    assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
    cql_options_free(o);
    return s;
}

/* --- connecting ----------------------------------------------------------------------------------- */

static void connect_behind_a_close_is_cancelled(void **state)
{
    failmalloc f;
    counts c = {.calls = 0};
    cql_session *s = made(&f, "loop_threads=0");
    (void)state;
    assert_int_equal(cql_session_close(s, on_close, &c), CQL_OK);
    assert_int_equal(cql_session_connect(s, on_session, &c), CQL_OK);
    for (int i = 0; i < 1000 && cql_session_drive(s, 10) == CQL_OK; i++)
        continue;
    assert_int_equal(c.closes, 1);
    assert_int_equal(c.calls, 1);
    assert_int_equal(c.last, CQL_CANCELLED);
    assert_int_equal(cql_session_connect(s, on_session, &c), CQL_BAD_STATE);
    cql_session_free(s);
    assert_int_equal(f.live, 0);
}

static void close_again(cql_session *s, const cql_error *err, void *user)
{
    on_session(s, err, user);
    assert_int_equal(cql_session_close(s, on_close, user), CQL_OK);
}

static void close_inside_the_connect_it_cancels_is_told_too(void **state)
{
    failmalloc f;
    counts c = {.calls = 0};
    cql_session *s = made(&f, "loop_threads=0");
    (void)state;
    assert_int_equal(cql_session_connect(s, close_again, &c), CQL_OK);
    assert_int_equal(cql_session_close(s, on_close, &c), CQL_OK);
    for (int i = 0; i < 1000 && cql_session_drive(s, 10) == CQL_OK; i++)
        continue;
    assert_int_equal(c.calls, 1);
    assert_int_equal(c.last, CQL_CANCELLED);
    assert_int_equal(c.closes, 2);
    cql_session_free(s);
    assert_int_equal(f.live, 0);
}

/* --- pages ---------------------------------------------------------------------------------------- */

static cql_pages_step pause_always(cql_session *s, const cql_error *err, const cql_result *page,
                                   void *user)
{
    (void)s;
    assert_null(err);
    assert_non_null(page);
    ((counts *)user)->calls++;
    return CQL_PAGES_PAUSE;
}

static void paused_pages_of_a_closed_session_stay_paused(void **state)
{
    static const char *const modes[] = {"loop_threads=0", "loop_threads=1", "loop_threads=3"};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(modes); i++) {
        failmalloc f;
        counts c = {.calls = 0};
        cql_statement *st = NULL;
        cql_pages *pages = NULL;
        cql_session *s = made(&f, modes[i]);
        assert_int_equal(cql_session_connect_wait(s, NULL), CQL_OK);
        assert_int_equal(cql_statement_new("SELECT * FROM t rows 25", 0, &f.al, &st), CQL_OK);
        assert_int_equal(cql_pages_new(s, st, 10, &pages), CQL_OK);
        assert_int_equal(cql_pages_run(pages, pause_always, &c), CQL_OK);
        while (i == 0 && c.calls < 1)
            assert_int_equal(cql_session_drive(s, 100), CQL_OK);
        wait_for(&c.calls, 1);
        assert_int_equal(cql_session_close_wait(s), CQL_OK);
        assert_int_equal(cql_pages_resume(pages), CQL_BAD_STATE);
        assert_int_equal(cql_pages_resume(pages), CQL_BAD_STATE);
        cql_pages_free(pages);
        cql_statement_free(st);
        cql_session_free(s);
        assert_int_equal(c.calls, 1);
        assert_int_equal(f.live, 0);
    }
}

/* --- freed inside a callback of a driven session -------------------------------------------------- */

static void free_it(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    (void)err;
    (void)res;
    ((counts *)user)->calls++;
    ((counts *)user)->freed = true;
    cql_session_free(s);
}

static void count(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    (void)s;
    (void)err;
    (void)res;
    ((counts *)user)->calls++;
}

static void driven_session_freed_inside_a_callback_is_gone(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        failmalloc f;
        counts c = {.calls = 0};
        cql_session *s = made(&f, "loop_threads=0");
        assert_int_equal(cql_session_connect_wait(s, NULL), CQL_OK);
        assert_int_equal(cql_session_query(s, "SELECT * FROM t rows 1", free_it, &c), CQL_OK);
        for (int i = 0; i < 20; i++)
            assert_int_equal(cql_session_query(s, "SELECT * FROM t rows 1", count, &c), CQL_OK);
        if (way == 1) {
            cql_result *res = NULL;
            cql_status st = cql_session_query_wait(s, "SELECT * FROM t rows 1", &res, NULL);
            assert_true(st == CQL_OK || st == CQL_CANCELLED);
            cql_result_unref(res);
        } else if (way == 2) {
            assert_int_equal(cql_session_close_wait(s), CQL_OK);
        }
        while (!c.freed) /* its node may answer after the others */
            assert_int_equal(cql_session_drive(s, 100), CQL_OK);
        assert_int_equal(c.calls, 21);
        assert_int_equal(f.live, 0);
    }
}

/* --- several loops ---------------------------------------------------------------------------------- */

static _Atomic(failmalloc *) starved;

/* Memory is out from the first loop's connection to the third node on, until its connect is over. */
static void starve(void *user, cql_log_level level, cql_str text)
{
    static const char start[] = "connected to ";
    unsigned *seen = user;
    failmalloc *f = starved;
    (void)level;
    if (!f || text.len < sizeof start || memcmp(text.ptr, start, sizeof start - 1) != 0 || ++*seen < 3)
        return;
    f->fail_after = true;
    f->fail_at = 1;
}

static void on_starved_connect(cql_session *s, const cql_error *err, void *user)
{
    failmalloc *f = starved;
    if (f) {
        f->fail_after = false;
        f->fail_at = 0;
    }
    starved = NULL;
    on_session(s, err, user);
}

static void loops_that_join_later_do_not_connect_twice(void **state)
{
    char url[300];
    failmalloc f;
    counts c = {.calls = 0};
    unsigned seen = 0;
    cql_options *o = NULL;
    cql_session *s = NULL;
    (void)state;
    failmalloc_init(&f);
    snprintf(url, sizeof url, "cql://%s/?loop_threads=3&refresh_interval=1s&connect_timeout=60s",
             mockserver_host(&server, 0));
    assert_int_equal(cql_options_new(&f.al, &o), CQL_OK);
    assert_int_equal(cql_options_parse(o, url, NULL), CQL_OK);
    cql_options_set_log(o, starve, &seen, CQL_LOG_DEBUG);
    assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
    cql_options_free(o);
    starved = &f;
    assert_int_equal(cql_session_connect(s, on_starved_connect, &c), CQL_OK);
    wait_for(&c.calls, 1);
    assert_int_equal(c.last, CQL_OK);
    pthread_mutex_lock(&server.lock);
    server.mc.nodes[3].member = true; /* a new picture, whichever node is asked; nobody is there */
    pthread_mutex_unlock(&server.lock);
    wait_connections(s, 9);
    poll(NULL, 0, 50);
    assert_int_equal(c.calls, 1);
    close_session(s);
    assert_int_equal(f.live, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start_three, stop_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(connect_behind_a_close_is_cancelled),
        CASE(close_inside_the_connect_it_cancels_is_told_too),
        CASE(paused_pages_of_a_closed_session_stay_paused),
        CASE(driven_session_freed_inside_a_callback_is_gone),
        CASE(loops_that_join_later_do_not_connect_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
