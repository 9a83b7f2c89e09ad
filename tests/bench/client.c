/*
 * The library under the benchmark's three workloads, through its public headers only.
 *
 * loop: the session runs on the program's own loop; each callback submits the next request, as a
 *     program with one thread does.
 * thread: the session has its own thread; the main thread submits everything and the callbacks, on
 *     the session's thread, count. When the window is full the main thread sleeps until half of it
 * is free (all of it, when it is one request), as a program with a bounded number of requests in
 *     flight does. Every request crosses from one thread to the other.
 * thread-callback: the same, but after the first window each callback submits the next request, so
 *     that nothing crosses.
 *
 * With --loops the session has that many threads, each with connections of its own. What the callbacks of
 * one of them touch is that thread's alone, but for the count of what is answered.
 *
 *     client --target HOST:PORT [--protocol 4|5] [--workload W] [--inflight N] [--mode M]
 *         [--loops N] < rounds
 */
#include <cqlnative/cql.h>
#include <cqlnative/uv.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "meter.h"

enum { SENT_TIMES = 16384 }; /* the largest window */

/* What the callbacks on one thread have, on cache lines of its own. The latencies are the first one's. */
typedef struct lane {
    _Alignas(128) cql_statement *stmt;
    uint64_t next; /* thread-callback: the request that its next callback submits */
    uint64_t sum;
    bool first;
} lane;

/*
 * The state of the one session. `answered` and `wake_at` are what the threads share; what the
 * callbacks add up is read by the main thread after it saw the last `answered`.
 */
typedef struct client {
    bench_options options;
    uv_loop_t loop; /* loop mode */
    cql_session *session;
    cql_prepared *prepared;
    cql_statement *stmt; /* for the thread that submits the first window */
    lane lanes[METER_LOOPS];
    atomic_uint lanes_taken; /* each thread takes one with its first callback */

    uint64_t total;
    uint64_t submitted;     /* by the main thread */
    uint64_t answered_here; /* loop mode */
    atomic_uint_fast64_t answered;
    atomic_uint_fast64_t wake_at; /* the main thread sleeps until this many are answered */
    pthread_mutex_t lock;
    pthread_cond_t wake;

    uint64_t sent_ns[SENT_TIMES];
    meter meter;
} client;

static client cl = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
static _Thread_local lane *my_lane;

static _Noreturn void fail(const char *text, const char *detail)
{
    meter_fail("client", text, detail);
}

static void check(cql_status st, const char *what, const cql_error *err)
{
    if (st != CQL_OK)
        fail(what, err ? cql_error_text(err) : cql_status_text(st));
}

/* ---- one request ---- */

static void answered(cql_session *s, const cql_error *err, const cql_result *res, void *user);

static cql_status bind_row(cql_statement *stmt, uint64_t id)
{
    bench_row row = bench_row_of((int64_t)id);
    cql_str name = {row.name, row.name_size};

    return cql_statement_bind(stmt,
                              CQL_VALUES(cql_value_str(name), cql_value_int32(row.number),
                                         cql_value_int64(row.id), cql_value_timestamp(row.at),
                                         cql_value_blob(row.data, BENCH_DATA_SIZE)),
                              NULL);
}

static void submit(cql_statement *stmt, uint64_t id)
{
    cql_status st = CQL_OK;

    uint64_t sent_ns = meter_sent(&cl.meter, id);
    if (sent_ns)
        cl.sent_ns[id % SENT_TIMES] = sent_ns;
    if (cl.options.workload == WORKLOAD_INSERT)
        st = bind_row(stmt, id);
    else if (cl.options.workload == WORKLOAD_SELECT)
        st = cql_statement_bind_int64(stmt, 0, (int64_t)id);
    if (st == CQL_OK)
        st = cql_session_execute(cl.session, stmt, answered, (void *)(uintptr_t)id);
    check(st, "execute", NULL);
}

static uint64_t read_row(cql_rows *rows, int64_t *id)
{
    cql_str name = cql_rows_str(rows, 0);
    int32_t number = cql_rows_int32(rows, 1);
    *id = cql_rows_int64(rows, 2);
    int64_t at = cql_rows_int64(rows, 3);
    cql_str data = cql_rows_str(rows, 4);

    return sum_cells((const uint8_t *)name.ptr, name.len, number, *id, at,
                     (const uint8_t *)data.ptr, data.len);
}

static void read_rows(lane *l, const cql_result *res, uint64_t id)
{
    uint64_t count = 0;
    int64_t row_id = 0;
    cql_rows rows;

    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows)) {
        l->sum += read_row(&rows, &row_id);
        count++;
    }
    check(cql_rows_status(&rows), "rows", NULL);
    if (count != (cl.options.workload == WORKLOAD_SELECT ? 1 : BENCH_PAGE_ROWS))
        fail("rows", "not as many as asked for");
    if (cl.options.workload == WORKLOAD_SELECT && (uint64_t)row_id != id)
        fail("select", "another row than asked for");
}

static void count_answer(void)
{
    if (!cl.options.thread) {
        if (++cl.answered_here == cl.total)
            uv_stop(&cl.loop);
        return;
    }
    /* What the main thread waits for: it changes after everything else. */
    if (atomic_fetch_add(&cl.answered, 1) + 1 == atomic_load(&cl.wake_at)) {
        pthread_mutex_lock(&cl.lock);
        pthread_cond_signal(&cl.wake);
        pthread_mutex_unlock(&cl.lock);
    }
}

static void answered(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    uint64_t id = (uintptr_t)user;
    lane *l = my_lane;

    (void)s;
    if (err)
        fail("request", cql_error_text(err));
    if (!l)
        l = my_lane = &cl.lanes[atomic_fetch_add(&cl.lanes_taken, 1)];
    if (l->first && meter_sampled(&cl.meter, id))
        meter_sample(&cl.meter, cl.sent_ns[id % SENT_TIMES]);
    if (cl.options.workload != WORKLOAD_INSERT)
        read_rows(l, res, id);
    if (l->next < cl.total) {
        uint64_t next = l->next;
        l->next += cl.options.loops;
        submit(l->stmt, next);
    }
    count_answer();
}

/* ---- rounds ---- */

static void wait_for_answers(uint64_t n)
{
    pthread_mutex_lock(&cl.lock);
    atomic_store(&cl.wake_at, n);
    while (atomic_load(&cl.answered) < n)
        pthread_cond_wait(&cl.wake, &cl.lock);
    pthread_mutex_unlock(&cl.lock);
}

/* The main thread submits all: it sleeps when the window is full and goes on when half is free. */
static void submit_all(void)
{
    while (cl.submitted < cl.total) {
        if (cl.submitted - atomic_load(&cl.answered) >= cl.options.inflight)
            wait_for_answers(cl.submitted - cl.options.inflight / 2);
        submit(cl.stmt, cl.submitted++);
    }
}

/* Callbacks may run before the last of it is out. */
static void submit_window(uint64_t window)
{
    for (uint64_t id = 0; id < window; id++)
        submit(cl.stmt, id);
}

static uint64_t window_of(uint64_t requests)
{
    return cl.options.inflight < requests ? cl.options.inflight : requests;
}

/* Behind the window the lanes have the requests in turn. A lane without any in flight would leave its own
 * undone: the window has some for each loop, since the session gives them to its loops in turn. */
static void begin_lanes(void)
{
    bool on_callback = !cl.options.thread || cl.options.on_callback;

    for (unsigned i = 0; i < METER_LOOPS; i++) {
        cl.lanes[i].next = on_callback ? window_of(cl.total) + i : cl.total;
        cl.lanes[i].sum = 0;
        cl.lanes[i].first = i == 0;
    }
}

static uint64_t lanes_sum(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < METER_LOOPS; i++)
        sum += cl.lanes[i].sum;
    return sum;
}

static uint64_t expected_sum(void)
{
    if (cl.options.workload == WORKLOAD_SELECT)
        return bench_rows_sum(0, cl.total);
    if (cl.options.workload == WORKLOAD_PAGE)
        return bench_rows_sum(0, BENCH_PAGE_ROWS) * cl.total;
    return 0;
}

static void run_round(uint64_t requests)
{
    cl.total = requests;
    cl.submitted = cl.answered_here = 0;
    begin_lanes();
    atomic_store(&cl.answered, 0);
    atomic_store(&cl.wake_at, 0);
    meter_begin(&cl.meter, &cl.options, requests);
    if (cl.options.thread && !cl.options.on_callback)
        submit_all();
    else
        submit_window(window_of(requests));
    if (cl.options.thread)
        wait_for_answers(cl.total);
    else
        uv_run(&cl.loop, UV_RUN_DEFAULT);
    meter_end(&cl.meter);
    if (lanes_sum() != expected_sum())
        fail("rows", "the cells do not add up");
    meter_print(&cl.meter, "client", &cl.options);
}

/* ---- setting up ---- */

static void set(cql_options *o, const char *name, const char *value)
{
    cql_error *err = NULL;
    check(cql_options_set(o, name, value, &err), name, err);
}

/* The defaults, but one connection to a node and loop, as the floor has: by default a busy pool grows. */
static cql_options *make_options(void)
{
    cql_options *o = NULL;
    char protocol[2] = {(char)('0' + cl.options.protocol), 0};
    char loops[2] = {(char)('0' + (cl.options.thread ? cl.options.loops : 0)), 0};

    check(cql_options_new(NULL, &o), "options", NULL);
    check(cql_options_add_contact_point(o, cl.options.host, (uint16_t)cl.options.port), "target",
          NULL);
    set(o, "loop_threads", loops);
    set(o, "protocol", protocol);
    set(o, "max_connections_per_host", "1");
    return o;
}

static void connected(cql_session *s, const cql_error *err, void *user)
{
    (void)s, (void)user;
    if (err)
        fail("connect", cql_error_text(err));
    uv_stop(&cl.loop);
}

static void prepared(cql_session *s, const cql_error *err, const cql_prepared *p, void *user)
{
    (void)s, (void)user;
    if (err)
        fail("prepare", cql_error_text(err));
    cl.prepared = cql_prepared_ref(p);
    uv_stop(&cl.loop);
}

static void open_on_loop(const cql_options *o, const char *cql)
{
    cql_error *err = NULL;

    if (uv_loop_init(&cl.loop) != 0)
        fail("loop", "cannot be made");
    check(cql_session_new_uv(&cl.loop, o, &cl.session, &err), "session", err);
    check(cql_session_connect(cl.session, connected, NULL), "connect", NULL);
    uv_run(&cl.loop, UV_RUN_DEFAULT);
    check(cql_session_prepare(cl.session, cql, prepared, NULL), "prepare", NULL);
    uv_run(&cl.loop, UV_RUN_DEFAULT);
}

static void open_with_thread(const cql_options *o, const char *cql)
{
    cql_error *err = NULL;

    check(cql_session_new(o, &cl.session, &err), "session", err);
    check(cql_session_connect_wait(cl.session, &err), "connect", err);
    check(cql_session_prepare_wait(cl.session, cql, &cl.prepared, &err), "prepare", err);
}

static cql_statement *make_statement(void)
{
    cql_statement *stmt = cql_prepared_bind(cl.prepared);

    if (!stmt)
        fail("statement", "out of memory");
    cql_statement_set_idempotent(stmt, true);
    if (cl.options.workload == WORKLOAD_PAGE)
        check(cql_statement_set_page_size(stmt, BENCH_PAGE_ROWS), "page size", NULL);
    return stmt;
}

static unsigned nodes_up(void)
{
    cql_hosts *hosts = cql_session_hosts(cl.session);
    cql_host_info info;
    unsigned up = 0;

    for (size_t i = 0; cql_hosts_at(hosts, i, &info); i++)
        up += info.up;
    cql_hosts_free(hosts);
    return up;
}

static void wait_for_nodes(void)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    if (cl.options.thread)
        nanosleep(&moment, NULL);
    else
        uv_run(&cl.loop, UV_RUN_NOWAIT);
}

static void open_client(void)
{
    static const char *const texts[] = {BENCH_INSERT, BENCH_SELECT, BENCH_PAGE};
    const char *cql = texts[cl.options.workload];
    cql_options *o = make_options();

    if (cl.options.thread)
        open_with_thread(o, cql);
    else
        open_on_loop(o, cql);
    cql_options_free(o);
    while (nodes_up() < cl.options.nodes)
        wait_for_nodes();
    if ((unsigned)cql_session_protocol_version(cl.session) != cl.options.protocol)
        fail("protocol", "another version than asked for");
    cl.stmt = make_statement();
    for (unsigned i = 0; i < METER_LOOPS; i++)
        cl.lanes[i].stmt = make_statement();
}

static void close_client(void)
{
    cql_statement_free(cl.stmt);
    for (unsigned i = 0; i < METER_LOOPS; i++)
        cql_statement_free(cl.lanes[i].stmt);
    cql_prepared_unref(cl.prepared);
    if (cl.options.thread) {
        check(cql_session_close_wait(cl.session), "close", NULL);
        cql_session_free(cl.session);
        return;
    }
    check(cql_session_close(cl.session, NULL, NULL), "close", NULL);
    uv_run(&cl.loop, UV_RUN_DEFAULT);
    cql_session_free(cl.session);
    uv_run(&cl.loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&cl.loop) != 0)
        fail("loop", "the closed session left handles on it");
}

int main(int argc, char **argv)
{
    uint64_t requests;

    bench_workload_init();
    meter_options(argc, argv, &cl.options);
    if (cl.options.loops > 1 && (!cl.options.thread || cl.options.inflight < 64))
        fail("options", "several loops want threads, and 64 requests in flight");
    open_client();
    while (meter_next(&requests))
        run_round(requests);
    close_client();
    return 0;
}
