/* Pages by waiting and with callbacks, in each mode, against mock nodes on the loopback. */
#include "mocksession.h"

#include <poll.h>

static cql_pages *pages_of(cql_session *s, const char *cql, int32_t size)
{
    cql_statement *st = NULL;
    cql_pages *p = NULL;
    assert_int_equal(cql_statement_new(cql, 0, NULL, &st), CQL_OK);
    assert_int_equal(cql_pages_new(s, st, size, &p), CQL_OK);
    cql_statement_free(st); /* it was copied */
    return p;
}

static void every_row_once(cql_session *s, const char *cql, int32_t size, int32_t wanted)
{
    cql_error *err = NULL;
    cql_rows rows;
    cql_status st;
    int32_t next = 0;
    cql_pages *p = pages_of(s, cql, size);
    assert_null(cql_pages_result(p));
    while ((st = cql_pages_next_wait(p, &rows, &err)) == CQL_OK) {
        assert_non_null(cql_pages_result(p));
        while (cql_rows_next(&rows))
            assert_int_equal(cql_rows_int32(&rows, 0), next++);
    }
    assert_int_equal(st, CQL_DONE);
    assert_int_equal(next, wanted);
    assert_int_equal(cql_pages_next_wait(p, &rows, &err), CQL_DONE); /* and stays so */
    assert_null(err);
    cql_pages_free(p);
}

static void waiting_in(const char *mode)
{
    cql_session *s = open_session(mode);
    every_row_once(s, "SELECT * FROM t rows 95", 10, 95);
    every_row_once(s, "SELECT * FROM t rows 100", 10, 100);
    every_row_once(s, "SELECT * FROM t rows 3", 0, 3);
    every_row_once(s, "INSERT nothing", 10, 0);
    cql_pages_free(pages_of(s, "SELECT * FROM t rows 3", 1)); /* never asked */
    cql_pages_free(NULL);
    close_session(s);
}

static void pages_come_by_waiting(void **state)
{
    (void)state;
    waiting_in("loop_threads=1");
    waiting_in("loop_threads=0");
}

/* As servers send them where all that they looked at was deleted. */
static void pages_without_rows_are_not_the_end(void **state)
{
    (void)state;
    static const char *const modes[] = {"loop_threads=1", "loop_threads=0&protocol=4"};
    for (size_t i = 0; i < CQL_COUNT(modes); i++) {
        cql_session *s = open_session(modes[i]);
        every_row_once(s, "SELECT hollow FROM t rows 35", 10, 35);
        every_row_once(s, "SELECT hollow FROM t rows 1", 10, 1);
        close_session(s);
    }
}

/* After each page every connection is lost. */
static void pages_go_on_over_other_connections(const char *mode)
{
    cql_error *err = NULL;
    cql_rows rows;
    cql_status st;
    int32_t next = 0;
    cql_session *s = open_session(mode);
    cql_pages *p = pages_of(s, "SELECT * FROM t rows 60", 10);
    for (int failures = 0; (st = cql_pages_next_wait(p, &rows, &err)) != CQL_DONE;) {
        if (st == CQL_OK) {
            while (cql_rows_next(&rows))
                assert_int_equal(cql_rows_int32(&rows, 0), next++);
            mockserver_cut(&server);
            continue;
        }
        assert_true(++failures < PATIENCE_MS);
        cql_error_unref(err);
        err = NULL;
        if (cql_session_drive(s, 1) != CQL_OK)
            poll(NULL, 0, 1);
    }
    assert_int_equal(next, 60);
    cql_pages_free(p);
    close_session(s);
}

static void lost_connections_cost_no_page(void **state)
{
    (void)state;
    pages_go_on_over_other_connections("loop_threads=1&reconnect_base=10");
    pages_go_on_over_other_connections("loop_threads=0&reconnect_base=10");
}

static void a_failure_can_be_tried_again(void **state)
{
    (void)state;
    cql_error *err = NULL;
    cql_rows rows;
    cql_session *s = open_session("loop_threads=0");
    cql_pages *p = pages_of(s, "SELECT * FROM t rows 20", 10);
    for (int i = 0; i < 2; i++)
        server.mc.nodes[i].error_code = 0x2200;
    assert_int_equal(cql_pages_next_wait(p, &rows, &err), CQL_SERVER_INVALID);
    assert_false(cql_rows_next(&rows));
    for (int i = 0; i < 2; i++)
        server.mc.nodes[i].error_code = 0;
    assert_int_equal(cql_pages_next_wait(p, &rows, &err), CQL_OK);
    assert_true(cql_rows_next(&rows));
    assert_int_equal(cql_rows_int32(&rows, 0), 0);
    cql_pages_free(p); /* with a page on its way */
    cql_error_unref(err);
    close_session(s);
}

static void a_page_outlives_its_pages(void **state)
{
    (void)state;
    cql_rows rows;
    cql_session *s = open_session("loop_threads=1");
    cql_pages *p = pages_of(s, "SELECT * FROM t rows 20", 10);
    assert_int_equal(cql_pages_next_wait(p, &rows, NULL), CQL_OK);
    cql_result *kept = cql_result_ref(cql_pages_result(p));
    cql_pages_free(p);
    close_session(s);
    cql_rows_init(&rows, kept);
    for (int32_t i = 0; i < 10; i++) {
        assert_true(cql_rows_next(&rows));
        assert_int_equal(cql_rows_int32(&rows, 0), i);
    }
    cql_result_unref(kept);
}

/* --- with callbacks ---------------------------------------------------------------------------------- */

typedef struct reader {
    cql_pages *pages;
    int32_t next;
    int calls;
    int pause_every; /* 0: never */
    int stop_after;  /* calls; 0: never */
    bool free_inside;
    bool resume_early;
    atomic_int paused;
    atomic_int ended;
    atomic_int failed;
} reader;

static cql_pages_step on_page(cql_session *s, const cql_error *err, const cql_result *page,
                              void *user)
{
    reader *r = user;
    cql_rows rows;
    (void)s;
    if (err || !page) {
        atomic_store(err ? &r->failed : &r->ended, 1);
        return CQL_PAGES_GO_ON;
    }
    cql_rows_init(&rows, page);
    while (cql_rows_next(&rows))
        assert_int_equal(cql_rows_int32(&rows, 0), r->next++);
    r->calls++;
    if (r->free_inside) {
        cql_pages_free(r->pages);
        atomic_store(&r->ended, 1);
        return CQL_PAGES_GO_ON;
    }
    if (r->stop_after && r->calls >= r->stop_after) {
        atomic_store(&r->ended, 1);
        return CQL_PAGES_STOP;
    }
    if (!r->pause_every || r->calls % r->pause_every)
        return CQL_PAGES_GO_ON;
    if (r->resume_early)
        assert_int_equal(cql_pages_resume(r->pages), CQL_OK);
    else
        atomic_store(&r->paused, 1);
    return CQL_PAGES_PAUSE;
}

static void wait_reader(cql_session *s, const char *mode, atomic_int *what, reader *r)
{
    while (!atomic_load(what) && !atomic_load(&r->failed)) {
        if (strcmp(mode, "loop_threads=0") == 0)
            cql_session_drive(s, 20);
        if (atomic_exchange(&r->paused, 0)) /* the pause may be about to take effect still */
            assert_int_equal(cql_pages_resume(r->pages), CQL_OK);
    }
}

static reader run(const char *mode, const char *cql, reader r)
{
    cql_session *s = open_session(mode);
    r.pages = pages_of(s, cql, 10);
    assert_int_equal(cql_pages_run(r.pages, NULL, &r), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_pages_run(r.pages, on_page, &r), CQL_OK);
    wait_reader(s, mode, &r.ended, &r);
    if (!r.free_inside)
        cql_pages_free(r.pages);
    close_session(s);
    return r;
}

static void callbacks_in(const char *mode)
{
    reader r = run(mode, "SELECT * FROM t rows 95", (reader){.next = 0});
    assert_int_equal(r.next, 95);
    assert_false(r.failed);
    r = run(mode, "SELECT * FROM t rows 95", (reader){.pause_every = 2});
    assert_int_equal(r.next, 95);
    r = run(mode, "SELECT * FROM t rows 95", (reader){.pause_every = 1, .resume_early = true});
    assert_int_equal(r.next, 95);
    r = run(mode, "SELECT * FROM t rows 95", (reader){.stop_after = 3});
    assert_int_equal(r.next, 30);
    assert_int_equal(r.calls, 3);
    r = run(mode, "SELECT * FROM t rows 95", (reader){.free_inside = true});
    assert_int_equal(r.calls, 1);
    r = run(mode, "syntax", (reader){.next = 0});
    assert_int_equal(r.failed, 1);
    assert_int_equal(r.calls, 0);
}

static void pages_come_with_callbacks(void **state)
{
    (void)state;
    callbacks_in("loop_threads=1");
    callbacks_in("loop_threads=0");
}

static cql_pages_step on_any_page(cql_session *s, const cql_error *err, const cql_result *page, void *user)
{
    (void)s;
    (void)err;
    (void)page;
    atomic_fetch_add((atomic_int *)user, 1);
    return CQL_PAGES_GO_ON;
}

static void pages_are_freed_from_another_thread(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=1");
    for (int i = 0; i < 200; i++) {
        atomic_int calls = 0;
        cql_pages *p = pages_of(s, "SELECT * FROM t rows 1000", 1);
        assert_int_equal(cql_pages_run(p, on_any_page, &calls), CQL_OK);
        while (atomic_load(&calls) < i % 10)
            sched_yield();
        cql_pages_free(p);
        assert_int_equal(cql_session_query_wait(s, "SELECT * FROM t rows 1", NULL, NULL), CQL_OK); /* none runs now */
    }
    close_session(s);
}

static void misuse_is_told(void **state)
{
    (void)state;
    cql_rows rows;
    cql_pages *p = NULL;
    cql_statement *st = NULL;
    reader r = {.pause_every = 1};
    cql_session *s = open_session("loop_threads=0");
    assert_int_equal(cql_statement_new("SELECT", 1, NULL, &st), CQL_OK);
    assert_int_equal(cql_pages_new(s, st, 0, &p), CQL_UNBOUND);
    assert_int_equal(cql_pages_new(s, st, -1, &p), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_pages_new(NULL, st, 0, &p), CQL_BAD_ARGUMENT);
    cql_statement_free(st);
    p = pages_of(s, "SELECT * FROM t rows 20", 10);
    r.pages = p;
    assert_int_equal(cql_pages_resume(p), CQL_BAD_STATE);
    assert_int_equal(cql_pages_run(p, on_page, &r), CQL_OK);
    assert_int_equal(cql_pages_run(p, on_page, &r), CQL_BAD_STATE);
    assert_int_equal(cql_pages_next_wait(p, &rows, NULL), CQL_BAD_STATE);
    while (!atomic_load(&r.paused))
        cql_session_drive(s, 20);
    assert_int_equal(r.calls, 1);
    cql_pages_free(p); /* while it pauses */
    close_session(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_come_by_waiting),
        cmocka_unit_test(pages_without_rows_are_not_the_end),
        cmocka_unit_test(lost_connections_cost_no_page),
        cmocka_unit_test(a_failure_can_be_tried_again),
        cmocka_unit_test(a_page_outlives_its_pages),
        cmocka_unit_test(pages_come_with_callbacks),
        cmocka_unit_test(pages_are_freed_from_another_thread),
        cmocka_unit_test(misuse_is_told),
    };
    return cmocka_run_group_tests(tests, start_two, stop_server);
}
