/* Sessions on several loops: each request on one of them, everything else as with one. */
#include "mocksession.h"

#include <cqlnative/uv.h>
#include <cqlnative/writer.h>
#include <poll.h>

enum { LOOPS_MAX = 8 };

/* --- who called ----------------------------------------------------------------------------------- */

/* Threads on which callbacks came. */
typedef struct threads {
    pthread_mutex_t lock;
    pthread_t seen[LOOPS_MAX * 2];
    unsigned count;
} threads;

static void note_thread(threads *t)
{
    pthread_mutex_lock(&t->lock);
    unsigned i = 0;
    while (i < t->count && !pthread_equal(t->seen[i], pthread_self()))
        i++;
    if (i == t->count && t->count < CQL_COUNT(t->seen))
        t->seen[t->count++] = pthread_self();
    pthread_mutex_unlock(&t->lock);
}

/* --- each callback once ---------------------------------------------------------------------------- */

enum { PRODUCERS = 3, EACH = 600 };

typedef struct work work;

typedef struct request {
    work *w;
    int32_t value;
    unsigned calls;
    pthread_t thread; /* of the first callback */
} request;

struct work {
    cql_session *s;
    cql_prepared *p;
    request *all;
    threads threads;
    atomic_uint ended;
    atomic_uint wrong;
    atomic_uint refused;
};

typedef struct producer {
    work *w;
    unsigned first;
} producer;

static void on_echo(cql_session *s, const cql_error *err, const cql_result *res, void *user);

static cql_status ask_echo(request *r)
{
    cql_statement *st = cql_prepared_bind(r->w->p);
    cql_statement_bind_int32(st, 0, r->value);
    cql_status status = cql_session_execute(r->w->s, st, on_echo, r);
    cql_statement_free(st);
    return status;
}

/* Each request is asked twice, the second time inside its own callback: that stays on the loop. */
static void on_echo(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    request *r = user;
    cql_rows rows;
    cql_rows_init(&rows, res);
    if (s != r->w->s || err || !cql_rows_next(&rows) || cql_rows_int32(&rows, 0) != r->value ||
        cql_session_may_wait(s) != CQL_WRONG_THREAD)
        r->w->wrong++;
    if (r->calls++ == 0) {
        note_thread(&r->w->threads);
        r->thread = pthread_self();
        cql_status st = ask_echo(r);
        if (st == CQL_OK)
            return;
        r->w->refused += st == CQL_WOULD_BLOCK;
        r->w->wrong += st != CQL_WOULD_BLOCK;
    } else if (!pthread_equal(r->thread, pthread_self())) {
        r->w->wrong++;
    }
    r->w->ended++;
}

static void *produce(void *arg)
{
    producer *p = arg;
    for (unsigned i = 0; i < EACH; i++) {
        cql_status st;
        while ((st = ask_echo(&p->w->all[p->first + i])) == CQL_WOULD_BLOCK)
            poll(NULL, 0, 1);
        p->w->wrong += st != CQL_OK;
    }
    return NULL;
}

static void check_sums(cql_session *s, unsigned loops, unsigned requests)
{
    cql_latency l;
    for (int i = 0; i < PATIENCE_MS && metric_of(s, CQL_METRIC_IN_FLIGHT); i++)
        poll(NULL, 0, 1); /* it is shown at the end of a read */
    cql_metrics *m = cql_session_metrics(s);
    cql_hosts *hosts = cql_session_hosts(s);
    uint64_t of_nodes = 0, connections = 0;
    assert_int_equal(cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_REQUESTS), requests);
    assert_true(cql_metrics_latency(m, CQL_METRICS_SESSION, &l));
    assert_int_equal(l.count, requests);
    assert_int_equal(cql_metrics_nodes(m), 3);
    assert_int_equal(cql_hosts_count(hosts), 3);
    for (size_t i = 0; i < 3; i++) {
        cql_host_info host;
        assert_true(cql_hosts_at(hosts, i, &host));
        assert_true(host.up);
        assert_int_equal(host.connections, loops);
        assert_string_equal(host.reason, "");
        assert_int_equal(cql_metrics_value(m, i, CQL_METRIC_CONNECTIONS), loops);
        of_nodes += cql_metrics_value(m, i, CQL_METRIC_REQUESTS);
        connections += cql_metrics_value(m, i, CQL_METRIC_CONNECTIONS);
    }
    assert_true(of_nodes >= requests); /* and what the session taught them */
    assert_int_equal(connections,
                     cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_CONNECTIONS));
    assert_true(cql_metrics_prometheus(m, NULL, 0) > 1000);
    cql_hosts_free(hosts);
    cql_metrics_free(m);
}

static void answers_on(unsigned loops, const char *more)
{
    char text[200];
    producer producers[PRODUCERS];
    pthread_t ids[PRODUCERS];
    work w = {.threads = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    snprintf(text, sizeof text, "loop_threads=%u&connections_per_host=%u&max_connections_per_host=%u%s",
             loops, loops, loops, more);
    w.s = open_session(text);
    w.all = calloc(PRODUCERS * EACH, sizeof *w.all);
    assert_int_equal(cql_session_prepare_wait(w.s, "SELECT v FROM t WHERE echo = ?", &w.p, NULL),
                     CQL_OK);
    wait_connections(w.s, 3 * loops);
    uint64_t before = metric_of(w.s, CQL_METRIC_REQUESTS);
    assert_int_equal(before, 1);
    for (unsigned i = 0; i < PRODUCERS * EACH; i++)
        w.all[i] = (request){.w = &w, .value = (int32_t)i};
    for (unsigned i = 0; i < PRODUCERS; i++) {
        producers[i] = (producer){&w, i * EACH};
        assert_int_equal(pthread_create(&ids[i], NULL, produce, &producers[i]), 0);
    }
    for (unsigned i = 0; i < PRODUCERS; i++)
        pthread_join(ids[i], NULL);
    wait_for(&w.ended, PRODUCERS * EACH);
    assert_int_equal(w.wrong, 0);
    assert_int_equal(w.threads.count, loops);
    unsigned calls = 0;
    for (unsigned i = 0; i < PRODUCERS * EACH; i++)
        calls += w.all[i].calls;
    assert_int_equal(calls, 2 * PRODUCERS * EACH - w.refused);
    check_sums(w.s, loops, calls + 1);
    close_session(w.s);
    cql_prepared_unref(w.p);
    free(w.all);
}

static void one_loop_answers(void **state)
{
    (void)state;
    answers_on(1, "");
}

static void two_loops_answer(void **state)
{
    (void)state;
    answers_on(2, "&protocol=4");
}

static void four_loops_answer(void **state)
{
    (void)state;
    answers_on(4, "");
}

static void narrow_queues_lose_nothing(void **state)
{
    (void)state;
    answers_on(4, "&max_pending_requests=24");
}

/* --- counting ------------------------------------------------------------------------------------- */

typedef struct tally {
    atomic_uint calls;
    atomic_uint errors;
    atomic_uint drains;
    atomic_int last_status;
    threads threads;
    bool free_it;
} tally;

#define TALLY {.threads = {.lock = PTHREAD_MUTEX_INITIALIZER}}

static void count(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    tally *t = user;
    (void)s;
    assert_true((err != NULL) != (res != NULL));
    note_thread(&t->threads);
    if (err)
        t->last_status = (int)cql_error_status(err);
    t->errors += err != NULL;
    t->calls++;
}

static void count_drain(cql_session *s, void *user)
{
    tally *t = user;
    (void)s;
    t->drains++;
}

static void stall(bool how)
{
    pthread_mutex_lock(&server.lock);
    for (size_t i = 0; i < server.mc.count; i++)
        server.mc.nodes[i].stalled = how;
    pthread_mutex_unlock(&server.lock);
}

/* --- handles, pages ------------------------------------------------------------------------------- */

static void cancelled_wherever_they_are(void **state)
{
    (void)state;
    enum { COUNT = 96 };
    cql_session *s = open_session("loop_threads=4");
    cql_request handles[COUNT];
    cql_statement *st = NULL;
    tally t = TALLY;
    stall(true);
    assert_int_equal(cql_statement_new("INSERT INTO t", 0, NULL, &st), CQL_OK);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(cql_session_execute_with(s, st, NULL, &handles[i], count, &t), CQL_OK);
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_true(handles[i].id != handles[j].id);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(cql_request_cancel(s, handles[i]), CQL_OK);
    wait_for(&t.calls, COUNT);
    assert_int_equal(t.errors, COUNT);
    assert_int_equal(t.last_status, CQL_CANCELLED);
    assert_int_equal(t.threads.count, 4);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(cql_request_cancel(s, handles[i]), CQL_NO_SUCH_NAME);
    cql_request none = {UINT64_MAX};
    assert_int_equal(cql_request_cancel(s, none), CQL_NO_SUCH_NAME);
    stall(false);
    cql_statement_free(st);
    close_session(s);
}

typedef struct reading {
    pthread_t thread;
    unsigned pages;
    unsigned rows;
    atomic_uint paused;
    atomic_uint over;
    atomic_uint wrong;
} reading;

static cql_pages_step on_page(cql_session *s, const cql_error *err, const cql_result *page,
                              void *user)
{
    reading *r = user;
    (void)s;
    if (r->pages == 0)
        r->thread = pthread_self();
    r->wrong += err != NULL || !pthread_equal(r->thread, pthread_self());
    if (!page) {
        r->over++;
        return CQL_PAGES_GO_ON;
    }
    r->rows += (unsigned)cql_result_row_count(page);
    if (++r->pages % 3 != 0)
        return CQL_PAGES_GO_ON;
    r->paused++;
    return CQL_PAGES_PAUSE;
}

static void pages_stay_on_one_loop(void **state)
{
    (void)state;
    enum { READERS = 24, ROWS = 70 };
    cql_session *s = open_session("loop_threads=4");
    cql_statement *st = NULL;
    cql_pages *pages[READERS];
    reading readers[READERS];
    cql_rows rows;
    unsigned n = 0;
    assert_int_equal(cql_statement_new("SELECT * FROM t rows 70", 0, NULL, &st), CQL_OK);
    for (int i = 0; i < READERS; i++) {
        readers[i] = (reading){.pages = 0};
        assert_int_equal(cql_pages_new(s, st, 10, &pages[i]), CQL_OK);
        assert_int_equal(cql_pages_run(pages[i], on_page, &readers[i]), CQL_OK);
    }
    for (int i = 0; i < READERS; i++) {
        for (unsigned stop = 1; stop <= 2; stop++) {
            wait_for(&readers[i].paused, stop);
            assert_int_equal(cql_pages_resume(pages[i]), CQL_OK);
        }
        wait_for(&readers[i].over, 1);
        assert_int_equal(readers[i].wrong, 0);
        assert_int_equal(readers[i].rows, ROWS);
        cql_pages_free(pages[i]);
    }
    assert_int_equal(cql_pages_new(s, st, 10, &pages[0]), CQL_OK);
    while (cql_pages_next_wait(pages[0], &rows, NULL) == CQL_OK)
        while (cql_rows_next(&rows))
            n++;
    assert_int_equal(n, ROWS);
    cql_pages_free(pages[0]);
    cql_statement_free(st);
    close_session(s);
}

/* --- keyspaces ------------------------------------------------------------------------------------ */

typedef struct spaces {
    const char *wanted;
    atomic_uint calls;
    atomic_uint others;
} spaces;

static void on_keyspace(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    spaces *sp = user;
    cql_rows rows;
    (void)s;
    cql_rows_init(&rows, res);
    if (err || !cql_rows_next(&rows) ||
        !cql_str_equal(cql_rows_str(&rows, 0), cql_str_of(sp->wanted)))
        sp->others++;
    sp->calls++;
}

static void all_in(cql_session *s, const char *keyspace)
{
    spaces sp = {.wanted = keyspace};
    for (int i = 0; i < 100; i++)
        assert_int_equal(cql_session_query(s, "SELECT keyspace?", on_keyspace, &sp), CQL_OK);
    wait_for(&sp.calls, 100);
    assert_int_equal(sp.others, 0);
}

static void use_is_for_all_loops(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=4");
    all_in(s, "");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(cql_session_query_wait(s, i % 2 ? "USE one" : "USE two", NULL, NULL), CQL_OK);
        all_in(s, i % 2 ? "one" : "two");
    }
    close_session(s);
}

static void *use_often(void *arg)
{
    static const char *const texts[] = {"USE one", "USE two", "USE three"};
    for (int i = 0; i < 30; i++)
        if (cql_session_query_wait(arg, texts[i % 3], NULL, NULL) != CQL_OK)
            return arg;
    return NULL;
}

/* Whichever comes last, it is the same on all loops. */
static void uses_at_once_end_alike(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=4");
    pthread_t ids[3];
    cql_result *res = NULL;
    cql_rows rows;
    char last[20];
    void *failed;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, use_often, s), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(ids[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(cql_session_query_wait(s, "SELECT keyspace?", &res, NULL), CQL_OK);
    cql_rows_init(&rows, res);
    assert_true(cql_rows_next(&rows));
    cql_str now = cql_rows_str(&rows, 0);
    snprintf(last, sizeof last, "%.*s", (int)now.len, now.ptr);
    cql_result_unref(res);
    all_in(s, last);
    close_session(s);
}

/* --- prepared ------------------------------------------------------------------------------------- */

static void execute_on_all(cql_session *s, cql_statement *st)
{
    tally t = TALLY;
    for (int32_t i = 0; i < 100; i++) {
        cql_statement_bind_int32(st, 0, i);
        assert_int_equal(cql_session_execute(s, st, count, &t), CQL_OK);
    }
    wait_for(&t.calls, 100);
    assert_int_equal(t.errors, 0);
    assert_int_equal(t.threads.count, 4);
}

static void prepared_on_one_is_known_to_all(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=4");
    cql_prepared *p = NULL, *again = NULL;
    assert_int_equal(cql_session_prepare_wait(s, "SELECT v FROM t WHERE echo = ?", &p, NULL), CQL_OK);
    assert_int_equal(cql_session_prepare_wait(s, "SELECT v FROM t WHERE echo = ?", &again, NULL),
                     CQL_OK);
    assert_ptr_equal(p, again);
    cql_statement *st = cql_prepared_bind(p);
    execute_on_all(s, st);
    for (int round = 0; round < 5; round++) {
        pthread_mutex_lock(&server.lock);
        for (size_t i = 0; i < 3; i++)
            mocknode_forget(&server.mc.nodes[i]);
        server.mc.columns = round % 2 ? 1 : 2; /* new metadata come to several loops at once */
        pthread_mutex_unlock(&server.lock);
        execute_on_all(s, st);
    }
    server.mc.columns = 1;
    cql_statement_free(st);
    cql_prepared_unref(again);
    cql_prepared_unref(p);
    close_session(s);
}

enum { TIMES = 100 };

typedef struct prepared_often {
    cql_prepared *each[TIMES]; /* by several loops, each of which has its own */
    atomic_uint count;
} prepared_often;

static void keep_prepared(cql_session *s, const cql_error *err, const cql_prepared *p, void *user)
{
    prepared_often *o = user;
    (void)s;
    (void)err;
    o->each[atomic_fetch_add(&o->count, 1)] = cql_prepared_ref(p);
}

static void prepare_here(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    (void)err;
    (void)res;
    if (cql_session_prepare(s, "INSERT INTO t (v) VALUES (?)", keep_prepared, user))
        keep_prepared(s, NULL, NULL, user);
}

static void becomes_outdated(cql_session *s, cql_prepared *p)
{
    assert_non_null(p);
    cql_statement *st = cql_prepared_bind(p);
    cql_statement_bind_int32(st, 0, 1);
    assert_int_equal(cql_session_execute_wait(s, st, NULL, NULL), CQL_PREPARED_CHANGED);
    cql_statement_free(st);
    cql_prepared_unref(p);
}

/* By what one loop prepares, or hears as it prepares it again: the nodes ask none of the others for it any more. */
static void is_outdated_on_all_loops(bool prepared_anew)
{
    cql_session *s = open_session("loop_threads=4");
    cql_prepared *anew = NULL;
    prepared_often old = {.count = 0};
    for (int i = 0; i < TIMES; i++)
        assert_int_equal(cql_session_query(s, "SELECT echo", prepare_here, &old), CQL_OK);
    wait_for(&old.count, TIMES);
    bool all_the_same = true;
    for (int i = 1; i < TIMES; i++)
        all_the_same = all_the_same && old.each[i] == old.each[0];
    assert_false(all_the_same);
    pthread_mutex_lock(&server.lock);
    server.mc.wide_values = true;
    for (size_t i = 0; i < server.mc.count; i++)
        mocknode_forget(&server.mc.nodes[i]);
    pthread_mutex_unlock(&server.lock);
    if (prepared_anew)
        assert_int_equal(cql_session_prepare_wait(s, "INSERT INTO t (v) VALUES (?)", &anew, NULL), CQL_OK);
    for (int i = 0; i < TIMES; i++)
        becomes_outdated(s, old.each[i]);
    cql_prepared_unref(anew);
    close_session(s);
}

static void what_all_loops_know_is_outdated_on_one(void **state)
{
    (void)state;
    is_outdated_on_all_loops(true);
}

static void what_is_outdated_on_one_is_so_on_all_loops(void **state)
{
    (void)state;
    is_outdated_on_all_loops(false);
}

/* --- room ----------------------------------------------------------------------------------------- */

static void full_when_all_are_and_drains_once(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=4&max_pending_requests=10");
    tally t = TALLY;
    unsigned accepted = 0;
    stall(true);
    assert_int_equal(cql_session_on_drain(s, count_drain, &t), CQL_OK);
    while (cql_session_query(s, "INSERT INTO t", count, &t) == CQL_OK)
        accepted++;
    assert_int_equal(accepted, 10);
    for (int i = 0; i < 5; i++)
        assert_int_equal(cql_session_query(s, "INSERT INTO t", count, &t), CQL_WOULD_BLOCK);
    assert_int_equal(t.drains, 0);
    assert_int_equal(metric_of(s, CQL_METRIC_REFUSED), 6);
    mockserver_cut(&server);
    stall(false);
    wait_for(&t.calls, accepted);
    wait_for(&t.drains, 1);
    wait_connections(s, 12);
    unsigned more = 0;
    while (more < 10 && cql_session_query(s, "INSERT INTO t", count, &t) == CQL_OK)
        more++;
    wait_for(&t.calls, accepted + more);
    close_session(s);
    assert_int_equal(t.drains, more < 10 ? 2 : 1);
}

/* --- nodes ---------------------------------------------------------------------------------------- */

typedef struct told {
    atomic_uint events[4];
} told;

static void on_node(void *user, cql_session *s, cql_node_event event, const cql_host_info *host)
{
    told *t = user;
    (void)s;
    (void)host;
    t->events[event]++;
}

static void nodes_are_told_once_and_come_back(void **state)
{
    (void)state;
    told seen = {.events = {0}};
    cql_options *o = options("loop_threads=4&reconnect_base=10&reconnect_max=50");
    cql_options_on_node_event(o, on_node, &seen);
    cql_session *s = open_with(o);
    tally t = TALLY;
    wait_connections(s, 12);
    wait_for(&seen.events[CQL_NODE_ADDED], 3);
    wait_for(&seen.events[CQL_NODE_UP], 3);
    assert_int_equal(seen.events[CQL_NODE_DOWN], 0);
    for (int round = 0; round < 3; round++) {
        mockserver_cut(&server);
        wait_for(&seen.events[CQL_NODE_DOWN], 3 * ((unsigned)round + 1));
        wait_for(&seen.events[CQL_NODE_UP], 3 * ((unsigned)round + 2));
        wait_connections(s, 12);
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(cql_session_query(s, "SELECT * FROM t rows 1", count, &t), CQL_OK);
    wait_for(&t.calls, 100);
    assert_int_equal(t.errors, 0);
    assert_int_equal(t.threads.count, 4);
    close_session(s);
    assert_int_equal(seen.events[CQL_NODE_ADDED], 3);
    assert_int_equal(seen.events[CQL_NODE_REMOVED], 0);
}

typedef struct asking {
    cql_session *s;
    cql_prepared *p;
    atomic_bool over;
    atomic_uint well, failed, wrong;
} asking;

static void *ask_on(void *arg)
{
    asking *a = arg;
    for (int32_t i = 0; !a->over; i++) {
        cql_result *res = NULL;
        cql_rows rows;
        cql_statement *st = cql_prepared_bind(a->p);
        cql_statement_bind_int32(st, 0, i);
        cql_statement_set_idempotent(st, true);
        if (cql_session_execute_wait(a->s, st, &res, NULL) == CQL_OK) {
            cql_rows_init(&rows, res);
            a->wrong += !cql_rows_next(&rows) || cql_rows_int32(&rows, 0) != i;
            a->well++;
        } else {
            a->failed++;
            poll(NULL, 0, 1); /* no node is up for a moment */
        }
        cql_result_unref(res);
        cql_statement_free(st);
    }
    return NULL;
}

/* Nodes go and come back, which changes how requests are chosen for, under threads that ask all the time. */
static void threads_ask_while_nodes_come_back(void **state)
{
    (void)state;
    static const char *const counts[] = {"loop_threads=1&reconnect_base=10&reconnect_max=50",
                                         "loop_threads=2&reconnect_base=10&reconnect_max=50"};
    for (size_t k = 0; k < CQL_COUNT(counts); k++) {
        asking a = {.s = open_session(counts[k])};
        pthread_t ids[PRODUCERS];
        assert_int_equal(
            cql_session_prepare_wait(a.s, "SELECT v FROM t WHERE echo = ?", &a.p, NULL), CQL_OK);
        for (unsigned i = 0; i < PRODUCERS; i++)
            assert_int_equal(pthread_create(&ids[i], NULL, ask_on, &a), 0);
        for (unsigned round = 1; round <= 4; round++) {
            mockserver_cut(&server);
            unsigned enough = a.well + 300;
            for (int i = 0; i < PATIENCE_MS && a.well < enough; i++)
                poll(NULL, 0, 1);
            assert_true(a.well >= enough);
        }
        a.over = true;
        for (unsigned i = 0; i < PRODUCERS; i++)
            pthread_join(ids[i], NULL);
        assert_int_equal(a.wrong, 0);
        close_session(a.s);
        cql_prepared_unref(a.p);
    }
}

static size_t registered(void)
{
    size_t n = 0;
    pthread_mutex_lock(&server.lock);
    for (size_t i = 0; i < server.count; i++)
        n += server.conns[i].registered;
    pthread_mutex_unlock(&server.lock);
    return n;
}

/* A node that leaves is forgotten by all loops, one that joins is used by all; one loop asks. */
static void list_of_nodes_reaches_all(void **state)
{
    (void)state;
    server.mc.nodes[2].member = false;
    cql_session *s = open_session("loop_threads=4&refresh_interval=1000");
    wait_connections(s, 8);
    assert_int_equal(registered(), 1);
    pthread_mutex_lock(&server.lock);
    server.mc.nodes[2].member = true;
    pthread_mutex_unlock(&server.lock);
    wait_connections(s, 12);
    pthread_mutex_lock(&server.lock);
    server.mc.nodes[1].member = false;
    pthread_mutex_unlock(&server.lock);
    wait_connections(s, 8);
    cql_hosts *hosts = cql_session_hosts(s);
    assert_int_equal(cql_hosts_count(hosts), 2);
    cql_hosts_free(hosts);
    pthread_mutex_lock(&server.lock);
    server.mc.nodes[1].member = true;
    pthread_mutex_unlock(&server.lock);
    wait_connections(s, 12);
    assert_int_equal(registered(), 1);
    close_session(s);
}

/* --- the end -------------------------------------------------------------------------------------- */

static void closing_ends_every_request_once(void **state)
{
    (void)state;
    cql_session *s = open_session("loop_threads=4&close_timeout=20");
    tally t = TALLY;
    stall(true);
    for (int i = 0; i < 100; i++)
        assert_int_equal(cql_session_query(s, "INSERT INTO t", count, &t), CQL_OK);
    assert_int_equal(cql_session_close_wait(s), CQL_OK);
    assert_int_equal(t.calls, 100);
    assert_int_equal(t.errors, 100);
    assert_int_equal(t.last_status, CQL_CANCELLED);
    assert_int_equal(cql_session_query(s, "INSERT INTO t", count, &t), CQL_BAD_STATE);
    assert_int_equal(cql_session_close_wait(s), CQL_OK);
    cql_session_free(s);
    assert_int_equal(t.calls, 100);
    stall(false);
}

static void count_close(cql_session *s, const cql_error *err, void *user)
{
    (void)s;
    assert_null(err);
    atomic_fetch_add((atomic_uint *)user, 1);
}

static void close_and_free(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    tally *t = user;
    (void)res;
    t->errors += err != NULL;
    if (t->calls++ == 5) {
        assert_int_equal(cql_session_close(s, count_close, &t->drains), CQL_OK);
        if (t->free_it)
            cql_session_free(s);
    }
}

static void closed_inside_a_callback(void **state)
{
    (void)state;
    for (int round = 0; round < 8; round++) {
        cql_session *s = open_session("loop_threads=3");
        tally t = TALLY;
        t.free_it = round % 2;
        unsigned sent = 0;
        stall(true);
        while (sent < 40 && cql_session_query(s, "SELECT * FROM t rows 1", close_and_free, &t) == CQL_OK)
            sent++;
        pthread_mutex_lock(&server.lock);
        pthread_mutex_unlock(&server.lock);
        mockserver_cut(&server); /* all end, on all loops */
        stall(false);
        wait_for(&t.drains, 1);
        assert_int_equal(t.calls, sent);
        if (!t.free_it)
            cql_session_free(s);
    }
}

static void count_connect(cql_session *s, const cql_error *err, void *user)
{
    tally *t = user;
    (void)s;
    t->errors += err != NULL;
    t->calls++;
}

static void closed_while_it_connects(void **state)
{
    (void)state;
    for (int round = 0; round < 12; round++) {
        cql_options *o = options("loop_threads=4");
        cql_session *s = NULL;
        tally t = TALLY;
        assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
        cql_options_free(o);
        assert_int_equal(cql_session_connect(s, count_connect, &t), CQL_OK);
        if (round % 3)
            poll(NULL, 0, round);
        close_session(s);
        assert_int_equal(t.calls, 1);
    }
}

static void never_connected_is_freed(void **state)
{
    (void)state;
    cql_options *o = options("loop_threads=4");
    cql_session *s = NULL;
    cql_error *err = NULL;
    assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
    assert_int_equal(cql_session_query(s, "SELECT 1", NULL, NULL), CQL_BAD_STATE);
    cql_session_free(s);
    assert_int_equal(cql_options_set(o, "contact_points", "127.0.0.1:1", NULL), CQL_OK);
    assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(cql_session_connect_wait(s, &err), CQL_NO_HOST);
    cql_error_unref(err);
    cql_session_free(s);
    cql_options_free(o);
}

/* --- without memory ------------------------------------------------------------------------------- */

static cql_status make_and_free(const cql_allocator *al, void *user)
{
    cql_options *o = NULL;
    cql_session *s = NULL;
    (void)user;
    cql_status st = cql_options_new(al, &o);
    if (st == CQL_OK)
        st = cql_options_parse(o, "cql://127.0.0.1:1/?loop_threads=3", NULL);
    if (st == CQL_OK)
        st = cql_session_new(o, &s, NULL);
    cql_session_free(s);
    cql_options_free(o);
    return st;
}

static void memory_may_be_out_where_it_is_made(void **state)
{
    (void)state;
    assert_true(failmalloc_each(make_and_free, NULL, true) > 20);
}

/* A change that cannot be told to all is none: it fails, and the next one works on every loop. */
static void a_keyspace_without_memory_stays_what_it_was(void **state)
{
    unsigned failed = 0;
    (void)state;
    for (size_t at = 1; at <= 40; at++) {
        failmalloc f;
        cql_options *o = NULL;
        cql_session *s = NULL;
        cql_error *err = NULL;
        char url[200];
        snprintf(url, sizeof url, "cql://%s/?loop_threads=2&connect_timeout=60s&reconnect_base=10&reconnect_max=50",
                 mockserver_host(&server, 0));
        failmalloc_init(&f);
        assert_int_equal(cql_options_new(&f.al, &o), CQL_OK);
        assert_int_equal(cql_options_parse(o, url, NULL), CQL_OK);
        assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
        cql_options_free(o);
        assert_int_equal(cql_session_connect_wait(s, NULL), CQL_OK);
        poll(NULL, 0, 5);
        f.fail_at = f.requests + at;
        cql_status st = cql_session_query_wait(s, "USE one", NULL, &err);
        if (st != CQL_OK && st != CQL_NO_MEMORY)
            fail_msg("%zu: %s", at, cql_error_text(err));
        failed += st == CQL_NO_MEMORY;
        cql_error_unref(err);
        f.fail_at = 0;
        for (int i = 0; i < 2000 && cql_session_query_wait(s, "USE two", NULL, NULL) != CQL_OK; i++)
            poll(NULL, 0, 1); /* its connection is made anew */
        for (int i = 0; i < 4; i++)
            assert_int_equal(cql_session_query_wait(s, "SELECT keyspace?", NULL, NULL), CQL_OK);
        close_session(s);
        assert_int_equal(f.live, 0);
    }
    assert_true(failed >= 2);
}

/* Everything ends, once, whatever could not be had; and nothing is left behind. */
static void try_with(failmalloc *f, size_t fail_at)
{
    cql_options *o = NULL;
    cql_session *s = NULL;
    char url[200];
    tally t = TALLY;
    unsigned sent = 0;
    snprintf(url, sizeof url,
             "cql://%s/?loop_threads=3&request_timeout=2s&reconnect_base=10&reconnect_max=50",
             mockserver_host(&server, 0));
    failmalloc_init(f);
    assert_int_equal(cql_options_new(&f->al, &o), CQL_OK);
    assert_int_equal(cql_options_parse(o, url, NULL), CQL_OK);
    assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
    cql_options_free(o);
    f->fail_at = f->requests + fail_at;
    if (cql_session_connect_wait(s, NULL) == CQL_OK) {
        for (int i = 0; i < 6; i++)
            sent += cql_session_query(s, i % 2 ? "USE one" : "USE two", count, &t) == CQL_OK;
        for (int i = 0; i < 30; i++)
            sent += cql_session_query(s, "SELECT keyspace?", count, &t) == CQL_OK;
        cql_hosts_free(cql_session_hosts(s));
        cql_metrics_free(cql_session_metrics(s));
        wait_for(&t.calls, sent);
    }
    close_session(s);
    assert_int_equal(f->live, 0);
}

static void memory_may_be_out_at_work(void **state)
{
    (void)state;
    failmalloc f;
    for (size_t fail_at = 1; fail_at < 420; fail_at += 1 + fail_at / 16)
        try_with(&f, fail_at);
}

/* --- where it cannot be --------------------------------------------------------------------------- */

static void callers_loop_is_one(void **state)
{
    (void)state;
    uv_loop_t loop;
    cql_session *s = NULL;
    cql_error *err = NULL;
    cql_options *o = options("loop_threads=2");
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(cql_session_new_uv(&loop, o, &s, &err), CQL_BAD_VALUE);
    assert_null(s);
    assert_non_null(strstr(cql_error_text(err), "loop_threads=2"));
    assert_int_equal(cql_options_set(o, "loop_threads", "65", &err), CQL_BAD_VALUE);
    cql_error_unref(err);
    assert_int_equal(uv_loop_close(&loop), 0);
    cql_options_free(o);
}

/* --- statements of modules ------------------------------------------------------------------------ */

typedef struct rows_written {
    atomic_uint ended;
    atomic_uint failed;
} rows_written;

static void on_row(cql_writer *w, const cql_error *err, void *user)
{
    rows_written *r = user;
    (void)w;
    r->failed += err != NULL;
    r->ended++;
}

static void writer_on_several_loops(void **state)
{
    (void)state;
    enum { ROWS = 600 };
    cql_session *s = open_session("loop_threads=4");
    cql_prepared *p = NULL;
    cql_writer *w = NULL;
    rows_written r = {0};
    cql_writer_options wo = {.size = sizeof wo, .flush_ms = 20};
    assert_int_equal(cql_session_prepare_wait(s, "INSERT INTO t (v) VALUES (?)", &p, NULL), CQL_OK);
    assert_int_equal(cql_writer_new(s, &wo, &w, NULL), CQL_OK);
    cql_statement *st = cql_prepared_bind(p);
    for (int32_t i = 0; i < ROWS; i++) {
        cql_status status;
        cql_statement_bind_int32(st, 0, i);
        while ((status = cql_writer_add(w, st, on_row, &r)) == CQL_WOULD_BLOCK)
            poll(NULL, 0, 1);
        assert_int_equal(status, CQL_OK);
    }
    wait_for(&r.ended, ROWS);
    assert_int_equal(r.failed, 0);
    cql_writer_free(w);
    cql_statement_free(st);
    cql_prepared_unref(p);
    close_session(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_loop_answers, start_three, stop_server),
        cmocka_unit_test_setup_teardown(two_loops_answer, start_three, stop_server),
        cmocka_unit_test_setup_teardown(four_loops_answer, start_three, stop_server),
        cmocka_unit_test_setup_teardown(narrow_queues_lose_nothing, start_three, stop_server),
        cmocka_unit_test_setup_teardown(cancelled_wherever_they_are, start_three, stop_server),
        cmocka_unit_test_setup_teardown(pages_stay_on_one_loop, start_three, stop_server),
        cmocka_unit_test_setup_teardown(use_is_for_all_loops, start_three, stop_server),
        cmocka_unit_test_setup_teardown(uses_at_once_end_alike, start_three, stop_server),
        cmocka_unit_test_setup_teardown(prepared_on_one_is_known_to_all, start_three, stop_server),
        cmocka_unit_test_setup_teardown(what_all_loops_know_is_outdated_on_one, start_three, stop_server),
        cmocka_unit_test_setup_teardown(what_is_outdated_on_one_is_so_on_all_loops, start_three, stop_server),
        cmocka_unit_test_setup_teardown(full_when_all_are_and_drains_once, start_three, stop_server),
        cmocka_unit_test_setup_teardown(nodes_are_told_once_and_come_back, start_three, stop_server),
        cmocka_unit_test_setup_teardown(threads_ask_while_nodes_come_back, start_three, stop_server),
        cmocka_unit_test_setup_teardown(list_of_nodes_reaches_all, start_three, stop_server),
        cmocka_unit_test_setup_teardown(closing_ends_every_request_once, start_three, stop_server),
        cmocka_unit_test_setup_teardown(closed_inside_a_callback, start_three, stop_server),
        cmocka_unit_test_setup_teardown(closed_while_it_connects, start_three, stop_server),
        cmocka_unit_test_setup_teardown(never_connected_is_freed, start_three, stop_server),
        cmocka_unit_test_setup_teardown(callers_loop_is_one, start_three, stop_server),
        cmocka_unit_test_setup_teardown(writer_on_several_loops, start_three, stop_server),
        cmocka_unit_test(memory_may_be_out_where_it_is_made),
        cmocka_unit_test_setup_teardown(a_keyspace_without_memory_stays_what_it_was, start_three, stop_server),
        cmocka_unit_test_setup_teardown(memory_may_be_out_at_work, start_three, stop_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
