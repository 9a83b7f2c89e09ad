/* What a session with several loops knows of the schema: readings on any loop, one keeper, each event once; and
 * statements that nodes forget while all loops use them. */
#include "mocksession.h"

#include <cqlnative/metadata.h>
#include <poll.h>

enum { LOOPS = 4 };

typedef struct threads {
    pthread_mutex_t lock;
    pthread_t seen[LOOPS + 1];
    unsigned count;
} threads;

static void note_thread(threads *t)
{
    pthread_mutex_lock(&t->lock);
    unsigned i = 0;
    while (i < t->count && !pthread_equal(t->seen[i], pthread_self()))
        i++;
    if (i == t->count && i < CQL_COUNT(t->seen))
        t->seen[t->count++] = pthread_self();
    pthread_mutex_unlock(&t->lock);
}

/* How many tables a snapshot has; SIZE_MAX: it is not of one moment. */
static size_t tables_of(const cql_metadata *m)
{
    cql_table_info t;
    cql_column_info c;
    size_t n = 0;
    for (; cql_metadata_table_at(m, "mock", n, &t); n++)
        if (!cql_metadata_column(m, "mock", t.name, "k", &c) || strcmp(c.type, "int") != 0)
            return SIZE_MAX;
    for (size_t i = 0; i < 1000; i++) {
        char name[20];
        snprintf(name, sizeof name, "t%zu", i);
        if (cql_metadata_column(m, "mock", name, "k", &c) != cql_metadata_table(m, "mock", name, &t))
            return SIZE_MAX;
    }
    return n;
}

static size_t tables_now(void)
{
    pthread_mutex_lock(&server.lock);
    size_t n = server.mc.tables;
    pthread_mutex_unlock(&server.lock);
    return n;
}

/* --- readings -------------------------------------------------------------------------------------- */

enum { READERS = 3, EACH = 12 };

typedef struct readings {
    cql_session *s;
    threads threads;
    atomic_uint over, again, wrong, restless;
} readings;

static void on_second(cql_session *s, const cql_error *err, const cql_metadata *m, void *user)
{
    readings *r = user;
    (void)s;
    if (err)
        r->restless += cql_error_status(err) == CQL_NOT_AGREED;
    r->wrong += err ? cql_error_status(err) != CQL_NOT_AGREED : tables_of(m) == SIZE_MAX;
    r->over++;
}

/* One more begins inside the callback: it stays on the loop. */
static void on_first(cql_session *s, const cql_error *err, const cql_metadata *m, void *user)
{
    readings *r = user;
    note_thread(&r->threads);
    r->again++;
    if (cql_metadata_read(s, "mock", on_second, user) != CQL_OK)
        r->wrong++;
    on_second(s, err, m, user);
}

static void *read_often(void *arg)
{
    readings *r = arg;
    for (int i = 0; i < EACH; i++) {
        r->wrong += cql_metadata_read(r->s, i % 2 ? NULL : "mock", on_first, r) != CQL_OK;
        poll(NULL, 0, 2);
    }
    return NULL;
}

/* While tables are added each snapshot has all of a table or nothing of it. */
static void readings_on_all_loops_are_of_one_moment(void **state)
{
    enum { TABLES = 8 };
    cql_session *s = open_session("loop_threads=4");
    readings r = {.s = s, .threads = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    cql_metadata *m = NULL;
    pthread_t ids[READERS];
    (void)state;
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, read_often, &r), 0);
    for (int i = 0; i < TABLES; i++) {
        assert_int_equal(cql_session_query_wait(s, "CREATE TABLE t", NULL, NULL), CQL_OK);
        poll(NULL, 0, 5);
    }
    for (int i = 0; i < READERS; i++)
        pthread_join(ids[i], NULL);
    wait_for(&r.over, 2 * READERS * EACH);
    assert_int_equal(r.again, READERS * EACH);
    assert_int_equal(r.wrong, 0);
    assert_true(r.restless < READERS * EACH);
    assert_int_equal(r.threads.count, LOOPS);
    assert_int_equal(cql_metadata_read_wait(s, NULL, &m, NULL), CQL_OK);
    assert_int_equal(tables_of(m), TABLES);
    cql_metadata_unref(m);
    close_session(s);
}

/* --- events ---------------------------------------------------------------------------------------- */

typedef struct heard {
    threads threads;
    atomic_uint created, missed, others, snapshots, wrong;
} heard;

static void on_event(void *user, cql_session *s, const cql_schema_note *note)
{
    heard *h = user;
    h->wrong += cql_session_may_wait(s) != CQL_WRONG_THREAD;
    h->created += note->event == CQL_SCHEMA_CREATED && cql_str_equal(note->keyspace, cql_str_of("mock"));
    h->missed += note->event == CQL_SCHEMA_MISSED;
    h->others += note->event != CQL_SCHEMA_CREATED && note->event != CQL_SCHEMA_MISSED;
    note_thread(&h->threads);
}

static void on_changed(void *user, cql_session *s, const cql_error *err, const cql_metadata *m)
{
    heard *h = user;
    (void)s;
    h->snapshots += m != NULL;
    h->wrong += !err && tables_of(m) == SIZE_MAX;
}

static void wait_tables(cql_metadata_keeper *k, size_t wanted)
{
    size_t n = SIZE_MAX;
    for (int i = 0; i < PATIENCE_MS && n != wanted; i++) {
        cql_metadata *m = cql_metadata_keeper_get(k);
        n = m ? tables_of(m) : SIZE_MAX;
        cql_metadata_unref(m);
        poll(NULL, 0, 1);
    }
    assert_int_equal(n, wanted);
}

static void add_table(void)
{
    pthread_mutex_lock(&server.lock);
    mockcluster_add_table(&server.mc);
    pthread_mutex_unlock(&server.lock);
}

static void follow_the_schema(const char *keyspace)
{
    enum { CHANGES = 20 };
    heard h = {.threads = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    cql_metadata_keeper *k = NULL;
    assert_int_equal(cql_metadata_keeper_new(NULL, keyspace, on_changed, &h, &k), CQL_OK);
    cql_options *o = options("loop_threads=4&reconnect_base=10&reconnect_max=50");
    cql_metadata_keeper_watch(k, o, on_event, &h);
    cql_session *s = open_with(o);
    assert_int_equal(cql_metadata_keeper_start(k, s), CQL_OK);
    wait_tables(k, tables_now());
    for (int i = 0; i < CHANGES; i++) {
        add_table();
        mockserver_schema_event(&server, "CREATED", "TABLE", "mock", "t");
    }
    wait_for(&h.created, CHANGES); /* each once, though there are four loops */
    wait_tables(k, tables_now());
    mockserver_cut(&server);
    add_table(); /* nobody is told */
    wait_for(&h.missed, 1);
    wait_tables(k, tables_now());
    assert_int_equal(h.created, CHANGES);
    assert_int_equal(h.others, 0);
    assert_int_equal(h.wrong, 0);
    assert_int_equal(h.threads.count, 1);
    assert_true(h.snapshots >= 3);
    assert_int_equal(cql_session_close_wait(s), CQL_OK);
    cql_metadata_keeper_free(k);
    cql_session_free(s);
}

static void a_keeper_follows_all_of_it(void **state)
{
    (void)state;
    follow_the_schema(NULL);
}

static void a_keeper_follows_one_keyspace(void **state)
{
    (void)state;
    follow_the_schema("mock");
}

/* --- statements that are forgotten ------------------------------------------------------------------ */

enum { PRODUCERS = 3, REQUESTS = 300 };

typedef struct work {
    cql_session *s;
    cql_prepared *p[2];
    threads threads;
    atomic_uint calls, errors, wrong;
    atomic_int last_status;
} work;

typedef struct request {
    work *w;
    int32_t value;
    unsigned calls;
} request;

static void on_echo(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    request *r = user;
    cql_rows rows;
    (void)s;
    if (err) {
        r->w->errors++;
        r->w->last_status = (int)cql_error_status(err);
    } else {
        cql_rows_init(&rows, res);
        r->w->wrong += !cql_rows_next(&rows) || cql_rows_int32(&rows, 0) != r->value;
    }
    r->w->wrong += r->calls++ != 0;
    note_thread(&r->w->threads);
    r->w->calls++;
}

typedef struct producer {
    work *w;
    request requests[REQUESTS];
} producer;

static void *produce(void *arg)
{
    producer *p = arg;
    for (int i = 0; i < REQUESTS; i++) {
        cql_statement *st = cql_prepared_bind(p->w->p[i % 2]);
        cql_status status;
        p->requests[i] = (request){.w = p->w, .value = i};
        cql_statement_bind_int32(st, 0, i);
        while ((status = cql_session_execute(p->w->s, st, on_echo, &p->requests[i])) == CQL_WOULD_BLOCK)
            poll(NULL, 0, 1);
        p->w->wrong += status != CQL_OK;
        cql_statement_free(st);
        if (i % 20 == 0)
            poll(NULL, 0, 1);
    }
    return NULL;
}

static void prepare_both(work *w)
{
    static const char *const texts[] = {"SELECT v FROM t WHERE echo = ?", "SELECT w FROM t WHERE echo = ?"};
    for (int i = 0; i < 2; i++)
        assert_int_equal(cql_session_prepare_wait(w->s, texts[i], &w->p[i], NULL), CQL_OK);
}

static void forget_all(void)
{
    pthread_mutex_lock(&server.lock);
    for (size_t i = 0; i < server.mc.count; i++)
        mocknode_forget(&server.mc.nodes[i]);
    pthread_mutex_unlock(&server.lock);
}

/* All that the producers ask for is answered, while nodes forget every few milliseconds. */
static void work_on(work *w, unsigned rounds_of_forgetting)
{
    static producer producers[PRODUCERS];
    pthread_t ids[PRODUCERS];
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i].w = w;
        assert_int_equal(pthread_create(&ids[i], NULL, produce, &producers[i]), 0);
    }
    for (unsigned i = 0; i < rounds_of_forgetting; i++) {
        forget_all();
        poll(NULL, 0, 3);
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(ids[i], NULL);
    wait_for(&w->calls, PRODUCERS * REQUESTS);
    assert_int_equal(w->wrong, 0);
    assert_int_equal(w->threads.count, LOOPS);
}

static void forgotten_statements_are_learnt_again(void **state)
{
    work w = {.threads = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    (void)state;
    w.s = open_session("loop_threads=4");
    prepare_both(&w);
    work_on(&w, 20);
    assert_int_equal(w.errors, 0);
    assert_true(metric_of(w.s, CQL_METRIC_REPREPARES) > 0);
    cql_prepared_unref(w.p[0]);
    cql_prepared_unref(w.p[1]);
    close_session(w.s);
}

/* Nodes keep one statement and the loops use two. */
static void small_caches_hold_nobody_up(void **state)
{
    work w = {.threads = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    (void)state;
    for (size_t i = 0; i < 3; i++)
        server.mc.nodes[i].most_statements = 1;
    w.s = open_session("loop_threads=4");
    prepare_both(&w);
    work_on(&w, 0);
    assert_int_equal(w.errors, 0);
    assert_true(server.mc.nodes[0].evicted > 0);
    cql_prepared_unref(w.p[0]);
    cql_prepared_unref(w.p[1]);
    close_session(w.s);
}

/* A statement that has become another is an error for whoever executes it, on each loop, and no loop without end. */
static void another_statement_under_the_text_is_an_error(void **state)
{
    work w = {.threads = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    (void)state;
    w.s = open_session("loop_threads=4");
    prepare_both(&w);
    pthread_mutex_lock(&server.lock);
    server.mc.salt = 0x5a;
    for (size_t i = 0; i < 3; i++)
        mocknode_forget(&server.mc.nodes[i]);
    pthread_mutex_unlock(&server.lock);
    work_on(&w, 0);
    assert_int_equal(w.errors, PRODUCERS * REQUESTS);
    assert_int_equal(w.last_status, CQL_PREPARED_CHANGED);
    cql_prepared_unref(w.p[0]);
    cql_prepared_unref(w.p[1]);
    close_session(w.s);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start_three, stop_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(readings_on_all_loops_are_of_one_moment),
        CASE(a_keeper_follows_all_of_it),
        CASE(a_keeper_follows_one_keyspace),
        CASE(forgotten_statements_are_learnt_again),
        CASE(small_caches_hold_nobody_up),
        CASE(another_statement_under_the_text_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
