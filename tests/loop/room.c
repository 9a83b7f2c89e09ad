/* Blocking calls on a session that is full: they wait for room, in turn, and no longer than their time-out. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RUSAGE_THREAD */
#endif
#include "mocksession.h"

#include <poll.h>
#include <sys/resource.h>

static void stall(bool how)
{
    pthread_mutex_lock(&server.lock);
    for (size_t i = 0; i < server.mc.count; i++)
        server.mc.nodes[i].stalled = how;
    pthread_mutex_unlock(&server.lock);
}

typedef struct tally {
    atomic_uint calls;
    atomic_uint errors;
    atomic_uint refused;
    atomic_bool stop;
} tally;

static void count(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    tally *t = user;
    (void)s;
    (void)res;
    t->errors += err != NULL;
    t->calls++;
}

/* As many as the session takes, none of which is answered. */
static unsigned fill(cql_session *s, tally *t)
{
    unsigned n = 0;
    stall(true);
    while (cql_session_query(s, "INSERT INTO t", count, t) == CQL_OK)
        n++;
    return n;
}

/* --- many threads --------------------------------------------------------------------------------- */

enum { THREADS = 16, ROUNDS = 30 };

typedef struct asker {
    cql_session *s;
    const cql_prepared *p;
    pthread_t thread;
    int32_t first;
    unsigned wrong;
} asker;

static bool is_echo(cql_result *res, int32_t value)
{
    cql_rows rows;
    cql_rows_init(&rows, res);
    bool right = cql_rows_next(&rows) && cql_rows_int32(&rows, 0) == value;
    cql_result_unref(res);
    return right;
}

static unsigned echo_and_batch(asker *a, int32_t value)
{
    cql_execute_options opts = {.size = sizeof opts, .timeout_ms = 60000};
    cql_statement *st = cql_prepared_bind(a->p);
    cql_result *res = NULL;
    cql_batch *b = NULL;
    unsigned wrong = cql_statement_bind_int32(st, 0, value) != CQL_OK;
    wrong += cql_session_execute_wait(a->s, st, &res, NULL) != CQL_OK || !is_echo(res, value);
    wrong += cql_session_execute_with_wait(a->s, st, &opts, &res, NULL) != CQL_OK || !is_echo(res, value);
    wrong += cql_batch_new(CQL_BATCH_UNLOGGED, NULL, &b) != CQL_OK || cql_batch_add(b, st) != CQL_OK;
    wrong += cql_session_execute_batch_wait(a->s, b, NULL, NULL) != CQL_OK;
    cql_batch_free(b);
    cql_statement_free(st);
    return wrong;
}

static unsigned read_pages(asker *a)
{
    cql_statement *st = NULL;
    cql_pages *p = NULL;
    cql_rows rows;
    cql_status status = cql_statement_new("SELECT * FROM t rows 25", 0, NULL, &st);
    unsigned n = 0, wrong = status || cql_pages_new(a->s, st, 10, &p);
    while ((status = cql_pages_next_wait(p, &rows, NULL)) == CQL_OK)
        while (cql_rows_next(&rows))
            n++;
    cql_pages_free(p);
    cql_statement_free(st);
    return wrong + (status != CQL_DONE) + (n != 25);
}

static void *ask_everything(void *arg)
{
    asker *a = arg;
    for (int32_t i = 0; i < ROUNDS; i++) {
        cql_prepared *p = NULL;
        a->wrong += echo_and_batch(a, a->first + i);
        a->wrong += cql_session_query_wait(a->s, "SELECT * FROM t rows 3", NULL, NULL) != CQL_OK;
        a->wrong += cql_session_prepare_wait(a->s, "SELECT v FROM t WHERE echo = ?", &p, NULL) != CQL_OK;
        cql_prepared_unref(p);
        if (i % 8 == 0)
            a->wrong += read_pages(a);
    }
    return NULL;
}

static void threads_take_turns_in(const char *form)
{
    cql_session *s = open_session(form);
    cql_prepared *p = NULL;
    asker askers[THREADS];
    assert_int_equal(cql_session_prepare_wait(s, "SELECT v FROM t WHERE echo = ?", &p, NULL), CQL_OK);
    for (int32_t i = 0; i < THREADS; i++) {
        askers[i] = (asker){.s = s, .p = p, .first = i * ROUNDS};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_everything, &askers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(askers[i].thread, NULL);
        assert_int_equal(askers[i].wrong, 0);
    }
    assert_true(metric_of(s, CQL_METRIC_REFUSED) > 0);
    cql_prepared_unref(p);
    close_session(s);
}

static void threads_take_turns(void **state)
{
    (void)state;
    threads_take_turns_in("loop_threads=1&max_pending_requests=2");
    threads_take_turns_in("loop_threads=1&max_pending_requests=7");
    threads_take_turns_in("loop_threads=4&max_pending_requests=2");
}

/* Who comes after a call that waits does not overtake it: each gets its share. */
typedef struct lap {
    cql_session *s;
    tally *t;
    pthread_t thread;
    atomic_uint calls;
} lap;

static void *run_laps(void *arg)
{
    lap *l = arg;
    for (; !l->t->stop; l->calls++)
        l->t->errors += cql_session_query_wait(l->s, "SELECT * FROM t rows 1", NULL, NULL) != CQL_OK;
    return NULL;
}

static unsigned fewest(const lap *laps)
{
    unsigned least = laps[0].calls;
    for (int i = 1; i < THREADS; i++)
        least = laps[i].calls < least ? laps[i].calls : least;
    return least;
}

static unsigned sum_of(const lap *laps)
{
    unsigned sum = 0;
    for (int i = 0; i < THREADS; i++)
        sum += laps[i].calls;
    return sum;
}

static void nobody_is_left_behind(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=1&max_pending_requests=8");
    tally t = {.stop = false};
    lap laps[THREADS];
    for (int i = 0; i < THREADS; i++) {
        laps[i] = (lap){.s = s, .t = &t};
        assert_int_equal(pthread_create(&laps[i].thread, NULL, run_laps, &laps[i]), 0);
    }
    poll(NULL, 0, 500);
    for (int i = 0; i < PATIENCE_MS && fewest(laps) <= 3; i++) /* a thread may hardly have begun */
        poll(NULL, 0, 1);
    t.stop = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(laps[i].thread, NULL);
    assert_true(fewest(laps) > 3);
    assert_int_equal(t.errors, 0);
    close_session(s);
}

/* --- without room ---------------------------------------------------------------------------------- */

static const char *const forms[] = {"loop_threads=1&max_pending_requests=2",
                                    "loop_threads=3&max_pending_requests=6",
                                    "loop_threads=0&max_pending_requests=2"};

static long sleeps_of_this_thread(void)
{
    struct rusage u;
    assert_int_equal(getrusage(RUSAGE_THREAD, &u), 0);
    return u.ru_nvcsw;
}

static void check_no_room(cql_status status, const cql_result *res, const cql_error *err, long sleeps)
{
    assert_int_equal(status, CQL_TIMEOUT);
    assert_in_range(sleeps, 1, 60);
    assert_null(res);
    assert_non_null(strstr(cql_error_text(err), "no room in the queue within 200 ms"));
    assert_non_null(strstr(cql_error_text(err), "max_pending_requests"));
    assert_false(cql_error_maybe_applied(err));
    assert_true(cql_error_retriable(err));
}

/* False: the machine stood still for so long that those before the call had ended, and it had room. */
static bool waits_in_vain(const char *mode)
{
    char form[100];
    snprintf(form, sizeof form, "%s&request_timeout=1500", mode);
    cql_session *s = open_session(form);
    tally t = {.stop = false};
    cql_error *err = NULL;
    cql_result *res = NULL;
    cql_statement *st = NULL;
    unsigned n = fill(s, &t);
    assert_int_equal(cql_statement_new("INSERT INTO t", 0, NULL, &st), CQL_OK);
    cql_statement_set_timeout(st, 200);
    long before = sleeps_of_this_thread();
    cql_status status = cql_session_execute_wait(s, st, &res, &err);
    long sleeps = sleeps_of_this_thread() - before;
    bool full = t.calls == 0;
    if (full)
        check_no_room(status, res, err, sleeps);
    assert_int_equal(cql_session_execute_wait(s, st, NULL, NULL), CQL_TIMEOUT);
    stall(false);
    cql_statement_set_timeout(st, 60000);
    assert_int_equal(cql_session_execute_wait(s, st, NULL, &err), CQL_OK); /* once those before it have ended */
    cql_statement_free(st);
    cql_error_unref(err);
    close_session(s);
    assert_int_equal(t.calls, n);
    return full;
}

static void no_room_in_time_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(forms); i++) {
        int tries = 1;
        while (!waits_in_vain(forms[i]))
            assert_true(tries++ < 5);
    }
}

static void the_session_says_how_long(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=1&max_pending_requests=2&request_timeout=300");
    tally t = {.stop = false};
    cql_error *err = NULL;
    cql_rows rows;
    cql_statement *st = NULL;
    cql_pages *p = NULL;
    unsigned n = fill(s, &t);
    cql_status status = cql_session_query_wait(s, "INSERT INTO t", NULL, &err);
    assert_int_equal(status, CQL_TIMEOUT); /* of the queue, or behind those that it ended for */
    stall(false);
    wait_for(&t.calls, n);
    close_session(s);
    s = open_session("loop_threads=1&max_pending_requests=2&request_timeout=5s");
    fill(s, &t);
    assert_int_equal(cql_statement_new("SELECT * FROM t rows 3", 0, NULL, &st), CQL_OK);
    cql_statement_set_timeout(st, 100);
    assert_int_equal(cql_pages_new(s, st, 10, &p), CQL_OK);
    assert_int_equal(cql_pages_next_wait(p, &rows, &err), CQL_TIMEOUT);
    assert_non_null(strstr(cql_error_text(err), "no room"));
    stall(false);
    mockserver_cut(&server); /* nobody waits for those */
    cql_pages_free(p);
    cql_statement_free(st);
    cql_error_unref(err);
    close_session(s);
}

static void *ask_once(void *arg)
{
    lap *l = arg;
    l->calls = (unsigned)cql_session_query_wait(l->s, "INSERT INTO t", NULL, NULL);
    return NULL;
}

static void closing_ends_the_wait(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char form[100];
        snprintf(form, sizeof form, "%s&close_timeout=60s", forms[i]);
        cql_session *s = open_session(form);
        tally t = {.stop = false};
        lap laps[4];
        unsigned n = fill(s, &t);
        for (size_t j = 0; j < CQL_COUNT(laps); j++) {
            laps[j] = (lap){.s = s, .t = &t};
            assert_int_equal(pthread_create(&laps[j].thread, NULL, ask_once, &laps[j]), 0);
        }
        for (int tries = 0; tries < PATIENCE_MS && metric_of(s, CQL_METRIC_REFUSED) < 2; tries++)
            poll(NULL, 0, 1);
        assert_int_equal(cql_session_close(s, NULL, NULL), CQL_OK); /* those in flight have a minute */
        for (size_t j = 0; j < CQL_COUNT(laps); j++) {
            pthread_join(laps[j].thread, NULL);
            assert_int_equal(laps[j].calls, CQL_BAD_STATE);
        }
        assert_int_equal(t.calls, 0);
        stall(false);
        mockserver_cut(&server);
        close_session(s);
        assert_int_equal(t.calls, n);
    }
}

/* Calls that come to nothing are counted for a moment all the same: a close that meets one goes on when it is over. */
static void *ask_for_nothing(void *arg)
{
    lap *l = arg;
    cql_execute_options opts = {.size = sizeof opts, .host = ""};
    cql_statement *st = NULL;
    cql_statement_new("INSERT INTO t", 0, NULL, &st);
    while (cql_session_execute_with(l->s, st, &opts, NULL, NULL, NULL) != CQL_BAD_STATE)
        l->t->calls++;
    cql_statement_free(st);
    return NULL;
}

static void calls_that_come_to_nothing_hold_up_no_close(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        cql_session *s = open_session("loop_threads=1&close_timeout=60s");
        tally t = {.stop = false};
        lap laps[3];
        time_t began = time(NULL);
        for (size_t j = 0; j < CQL_COUNT(laps); j++) {
            laps[j] = (lap){.s = s, .t = &t};
            assert_int_equal(pthread_create(&laps[j].thread, NULL, ask_for_nothing, &laps[j]), 0);
        }
        while (t.calls < 1000)
            poll(NULL, 0, 1);
        cql_session_close_wait(s);
        bool soon = time(NULL) - began < 30;
        for (size_t j = 0; j < CQL_COUNT(laps); j++)
            pthread_join(laps[j].thread, NULL);
        cql_session_free(s);
        assert_true(soon);
    }
}

/* --- beside a program that fills the queue from its callbacks ---------------------------------------- */

static void refill(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    tally *t = user;
    (void)res;
    t->errors += err != NULL;
    t->calls++;
    while (!t->stop) {
        cql_status st = cql_session_query(s, "INSERT INTO t", refill, t);
        t->refused += st == CQL_WOULD_BLOCK;
        if (st)
            return;
    }
}

static void refill_drained(cql_session *s, void *user)
{
    tally *t = user;
    while (!t->stop && cql_session_query(s, "INSERT INTO t", refill, t) == CQL_OK)
        continue;
}

static void a_full_queue_lets_others_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(forms); i++) {
        cql_session *s = open_session(forms[i]);
        tally t = {.stop = false};
        assert_int_equal(cql_session_on_drain(s, refill_drained, &t), CQL_OK);
        refill_drained(s, &t);
        for (int j = 0; j < 50; j++)
            assert_int_equal(cql_session_query_wait(s, "SELECT * FROM t rows 1", NULL, NULL), CQL_OK);
        assert_true(t.calls > 0);
        t.stop = true;
        close_session(s);
        assert_int_equal(t.errors, 0);
    }
}

static void send_one(cql_session *s, void *user)
{
    tally *t = user;
    t->refused += cql_session_query(s, "INSERT INTO t", count, t) == CQL_WOULD_BLOCK;
}

/* However long a call takes on this machine: what the threads have had says when its turn must have come. */
static void a_drain_callback_has_its_share_beside_threads(void **state)
{
    enum { SHARE = 50, TOO_MANY = 10 * SHARE };
    (void)state;
    static const char *const few[] = {"loop_threads=1&max_pending_requests=1",
                                      "loop_threads=2&max_pending_requests=2"};
    for (size_t i = 0; i < CQL_COUNT(few); i++) {
        cql_session *s = open_session(few[i]);
        tally t = {.stop = false};
        lap laps[THREADS];
        assert_int_equal(cql_session_on_drain(s, send_one, &t), CQL_OK);
        for (int j = 0; j < THREADS; j++) {
            laps[j] = (lap){.s = s, .t = &t};
            assert_int_equal(pthread_create(&laps[j].thread, NULL, run_laps, &laps[j]), 0);
        }
        while (t.calls < SHARE && sum_of(laps) < TOO_MANY)
            poll(NULL, 0, 10);
        unsigned calls = t.calls;
        t.stop = true;
        for (int j = 0; j < THREADS; j++)
            pthread_join(laps[j].thread, NULL);
        close_session(s);
        assert_true(calls >= SHARE);
        assert_int_equal(t.errors, 0);
    }
}

/* --- pages with callbacks beside it ------------------------------------------------------------------ */

typedef struct scroll {
    cql_pages *pages;
    bool pause_first;
    int32_t next;
    atomic_int pages_seen;
    atomic_int ended;
    atomic_int status; /* of the error at the end */
} scroll;

static cql_pages_step on_scroll(cql_session *s, const cql_error *err, const cql_result *page, void *user)
{
    scroll *r = user;
    cql_rows rows;
    (void)s;
    cql_rows_init(&rows, page);
    while (page && cql_rows_next(&rows))
        assert_int_equal(cql_rows_int32(&rows, 0), r->next++);
    r->pages_seen += page != NULL;
    if (!page) {
        r->status = err ? (int)cql_error_status(err) : CQL_OK;
        r->ended = 1;
    }
    return r->pause_first && r->pages_seen == 1 ? CQL_PAGES_PAUSE : CQL_PAGES_GO_ON;
}

static void scroll_in(cql_session *s, scroll *r, int32_t rows)
{
    char text[64];
    cql_statement *st = NULL;
    snprintf(text, sizeof text, "SELECT * FROM t rows %d", (int)rows);
    assert_int_equal(cql_statement_new(text, 0, NULL, &st), CQL_OK);
    assert_int_equal(cql_pages_new(s, st, 10, &r->pages), CQL_OK);
    cql_statement_free(st);
    assert_int_equal(cql_pages_run(r->pages, on_scroll, r), CQL_OK);
}

/* Until it is that much, or for long enough. */
static void turn_until(cql_session *s, atomic_int *what, int wanted)
{
    for (int tries = 0; tries < PATIENCE_MS && *what < wanted; tries++)
        if (cql_session_drive(s, 1))
            poll(NULL, 0, 1);
}

static void pages_have_their_share_beside_callbacks(void **state)
{
    enum { ROWS = 400 };
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(forms); i++) {
        cql_session *s = open_session(forms[i]);
        tally t = {.stop = false};
        scroll r[2] = {{.next = 0}};
        lap laps[4];
        bool threads = cql_session_fd(s) < 0;
        assert_int_equal(cql_session_on_drain(s, refill_drained, &t), CQL_OK);
        for (int j = 0; j < 2; j++)
            scroll_in(s, &r[j], ROWS);
        refill_drained(s, &t);
        for (size_t j = 0; j < CQL_COUNT(laps) && threads; j++) {
            laps[j] = (lap){.s = s, .t = &t};
            assert_int_equal(pthread_create(&laps[j].thread, NULL, run_laps, &laps[j]), 0);
        }
        for (int j = 0; j < 2; j++)
            turn_until(s, &r[j].ended, 1);
        t.stop = true;
        for (size_t j = 0; j < CQL_COUNT(laps) && threads; j++)
            pthread_join(laps[j].thread, NULL);
        for (int j = 0; j < 2; j++)
            cql_pages_free(r[j].pages);
        close_session(s);
        for (int j = 0; j < 2; j++) {
            assert_int_equal(r[j].ended, 1);
            assert_int_equal(r[j].status, CQL_OK);
            assert_int_equal(r[j].next, ROWS);
        }
        assert_int_equal(t.errors, 0);
    }
}

/* The second page is read, and the third to be asked for, when the queue is full of what is not answered. */
static void park(cql_session *s, scroll *r, tally *t, int32_t rows)
{
    r->pause_first = true;
    scroll_in(s, r, rows);
    turn_until(s, &r->pages_seen, 1);
    for (int i = 0; i < 50; i++) /* the second comes, too */
        if (cql_session_drive(s, 1))
            poll(NULL, 0, 1);
    fill(s, t);
    assert_int_equal(cql_pages_resume(r->pages), CQL_OK);
    turn_until(s, &r->pages_seen, 2);
}

/* Waits with its first page, and the second at hand. */
static void scroll_one(cql_session *s, scroll *r)
{
    *r = (scroll){.pause_first = true};
    scroll_in(s, r, 60000); /* the mock nodes count no further */
    turn_until(s, &r->pages_seen, 1);
    for (int i = 0; i < 50; i++)
        if (cql_session_drive(s, 1))
            poll(NULL, 0, 1);
}

/* As many readers as there is room for requests, and more: one of them always waits for room. */
static void calls_have_their_share_beside_pages(void **state)
{
    enum { READERS = 12, CALLS = 20 };
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(forms); i++) {
        char form[100];
        snprintf(form, sizeof form, "%s&request_timeout=15000", forms[i]);
        cql_session *s = open_session(form);
        static scroll r[READERS];
        for (int j = 0; j < READERS; j++)
            scroll_one(s, &r[j]);
        for (int j = 0; j < READERS; j++)
            assert_int_equal(cql_pages_resume(r[j].pages), CQL_OK);
        for (int j = 0; j < CALLS; j++)
            assert_int_equal(cql_session_query_wait(s, "SELECT * FROM t rows 1", NULL, NULL), CQL_OK);
        for (int j = 0; j < READERS; j++) {
            turn_until(s, &r[j].pages_seen, 10);
            assert_true(r[j].pages_seen >= 10);
            assert_int_equal(r[j].ended, 0);
        }
        for (int j = 0; j < READERS; j++)
            cql_pages_free(r[j].pages);
        close_session(s);
    }
}

/* Those that fill the queue are answered by their time-out. */
static void pages_go_on_when_there_is_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(forms); i++) {
        char form[100];
        snprintf(form, sizeof form, "%s&request_timeout=2000", forms[i]);
        cql_session *s = open_session(form);
        tally t = {.stop = false};
        scroll r = {.next = 0};
        park(s, &r, &t, 95);
        stall(false);
        turn_until(s, &r.ended, 1);
        cql_pages_free(r.pages);
        close_session(s);
        assert_int_equal(r.status, CQL_OK);
        assert_int_equal(r.next, 95);
    }
}

static void pages_that_wait_for_room_end_with_the_session(void **state)
{
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(forms); i++)
        for (int freed = 0; freed < 2; freed++) {
            cql_session *s = open_session(forms[i]);
            tally t = {.stop = false};
            scroll r = {.next = 0};
            park(s, &r, &t, 95);
            assert_int_equal(r.ended, 0);
            if (freed)
                cql_pages_free(r.pages);
            assert_int_equal(cql_session_close(s, NULL, NULL), CQL_OK);
            if (!freed)
                turn_until(s, &r.ended, 1);
            stall(false);
            mockserver_cut(&server);
            assert_int_equal(cql_session_close_wait(s), CQL_OK);
            assert_int_equal(r.ended, !freed);
            assert_int_equal(r.status, freed ? CQL_OK : CQL_BAD_STATE);
            if (!freed)
                cql_pages_free(r.pages);
            close_session(s);
        }
}

/* --- the drain callback ------------------------------------------------------------------------------ */

static void *set_and_take_away(void *arg)
{
    lap *l = arg;
    while (!l->t->stop) {
        cql_session_on_drain(l->s, refill_drained, l->t);
        cql_session_on_drain(l->s, NULL, NULL);
    }
    return NULL;
}

static void drain_callback_is_set_by_any_thread(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        cql_session *s = open_session(forms[i]);
        tally t = {.stop = false};
        lap l = {.s = s, .t = &t};
        assert_int_equal(pthread_create(&l.thread, NULL, set_and_take_away, &l), 0);
        for (int j = 0; j < 200; j++) {
            cql_status st = cql_session_query(s, "INSERT INTO t", refill, &t);
            assert_true(st == CQL_OK || st == CQL_WOULD_BLOCK);
            if (j % 20 == 0)
                poll(NULL, 0, 1);
        }
        t.stop = true;
        pthread_join(l.thread, NULL);
        close_session(s);
        assert_int_equal(t.errors, 0);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start_three, stop_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(threads_take_turns),
        CASE(nobody_is_left_behind),
        CASE(no_room_in_time_is_told),
        CASE(the_session_says_how_long),
        CASE(closing_ends_the_wait),
        CASE(calls_that_come_to_nothing_hold_up_no_close),
        CASE(a_full_queue_lets_others_in),
        CASE(a_drain_callback_has_its_share_beside_threads),
        CASE(pages_have_their_share_beside_callbacks),
        CASE(calls_have_their_share_beside_pages),
        CASE(pages_go_on_when_there_is_room),
        CASE(pages_that_wait_for_room_end_with_the_session),
        CASE(drain_callback_is_set_by_any_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
