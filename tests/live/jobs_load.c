/* How fast jobs are stored, claimed and ended on a live cluster, beside the bare cost of the same
 * statements.
 *
 *   jobs_load cost URL KEYSPACE BARE_KEYSPACE JOBS [ENQUEUE WORK]
 *       in turns the statements by hand and the same through the store, as many at once, each in a
 *       keyspace of its own; fails when the store costs more than so many times as much
 *   jobs_load many URL KEYSPACE JOBS WORKERS [FACTOR]
 *       stores JOBS jobs, works them with so many workers (threads, a session each) and cleans up;
 *       fails when claims take more than FACTOR (1.5) times as long at the end as at the start */
#include <cqlnative/cql.h>
#include <cqlnative/jobs.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { AT_ONCE = 128, WORKERS_MAX = 64, CONCURRENCY = 8, SHARE = 10, ROUNDS = 5 };

static double now_s(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int fail(const char *what, const cql_error *err)
{
    (void)fprintf(stderr, "jobs_load: %s%s%s\n", what, err ? ": " : "",
                  err ? cql_error_text(err) : "");
    return 1;
}

/* --- many calls under way, counted ------------------------------------------------------------ */
typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t room;
    int flying;
    int64_t failed;
} gate;

static gate the_gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};

static void enter(gate *g)
{
    (void)pthread_mutex_lock(&g->lock);
    while (g->flying >= AT_ONCE)
        (void)pthread_cond_wait(&g->room, &g->lock);
    g->flying++;
    (void)pthread_mutex_unlock(&g->lock);
}

static void leave(gate *g, bool failed)
{
    (void)pthread_mutex_lock(&g->lock);
    g->flying--;
    g->failed += failed;
    (void)pthread_cond_broadcast(&g->room);
    (void)pthread_mutex_unlock(&g->lock);
}

static void wait_until_empty(gate *g)
{
    (void)pthread_mutex_lock(&g->lock);
    while (g->flying)
        (void)pthread_cond_wait(&g->room, &g->lock);
    (void)pthread_mutex_unlock(&g->lock);
}

/* --- storing ---------------------------------------------------------------------------------- */
static void on_stored(cql_jobs *jobs, const cql_error *err, const cql_job_info *job, void *user)
{
    (void)jobs;
    (void)job;
    if (err && !((gate *)user)->failed)
        (void)fail("storing", err);
    leave(user, err != NULL);
}

static int store(cql_jobs *jobs, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        cql_job_spec spec = {.size = sizeof spec, .type = "load"};

        spec.arguments = cql_str_of("{\"to\":\"ann@example.org\"}");
        enter(&the_gate);
        if (cql_jobs_enqueue(jobs, &spec, on_stored, &the_gate))
            return fail("enqueue is refused", NULL);
    }
    wait_until_empty(&the_gate);
    return the_gate.failed ? fail("not every job was stored", NULL) : 0;
}

/* --- the bare statements ---------------------------------------------------------------------- */
/* The statements of lib/jobs, word for word. */
enum { PUT_STATE, PUT_DUE, INSERT, GET, UPDATE, LINKS, DROP_STATE, DROP_DUE, STATEMENTS };
static const char *const bare[STATEMENTS] = {
    "INSERT INTO \"%s\".jobs_by_state (state, created_at, job_id) VALUES (?, ?, ?) "
    "USING TIMESTAMP ?",
    "INSERT INTO \"%s\".scheduled_jobs (bucket, scheduled_at, job_id) VALUES (?, ?, ?) "
    "USING TIMESTAMP ?",
    "INSERT INTO \"%s\".jobs (id, type_name, arguments, state, created_at, scheduled_at, "
    "retry_count, max_retry_count, batch_id, parent_job_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "IF NOT EXISTS",
    "SELECT id, type_name, arguments, state, created_at, scheduled_at, executed_at, retry_count, "
    "max_retry_count, error_message, result, batch_id, parent_job_id FROM \"%s\".jobs WHERE id = ?",
    "UPDATE \"%s\".jobs SET state = ?, executed_at = ?, scheduled_at = ?, retry_count = ?, "
    "error_message = ?, result = ? WHERE id = ? IF state = ? AND executed_at = ?",
    "SELECT job_id FROM \"%s\".job_links WHERE awaited = ? AND kind = ?",
    "DELETE FROM \"%s\".jobs_by_state USING TIMESTAMP ? WHERE state = ? AND created_at = ? AND "
    "job_id = ?",
    "DELETE FROM \"%s\".scheduled_jobs USING TIMESTAMP ? WHERE bucket = ? AND scheduled_at = ? AND "
    "job_id = ?",
};

typedef struct by_hand {
    cql_session *s;
    cql_prepared *prepared[STATEMENTS];
} by_hand;

/* One that fails just ends; whoever made it frees it. */
typedef struct chain {
    by_hand *h;
    int step;
    bool working; /* or storing */
    int64_t at;
    char id[CQL_UUID_TEXT_SIZE];
} chain;

static void chain_next(chain *c);

static void on_step(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    chain *c = user;

    (void)s;
    (void)res;
    if (!err) {
        chain_next(c);
        return;
    }
    if (!the_gate.failed)
        (void)fail("a bare statement", err);
    leave(&the_gate, true);
}

/* What the claim leaves in the row, as long as a real one. */
static const char claim_note[] =
    "{\"claimed_by\":\"pid-12345\",\"claim\":\"01234567-89ab-4cde-8f01-23456789abcd\"}";

static cql_status bind_jobs(cql_statement *stmt, const chain *c, int which)
{
    cql_value id = cql_value_text(c->id), at = cql_value_timestamp(c->at);
    cql_value none = cql_value_unset(), three = cql_value_int32(3);
    bool claiming = c->step < 4;

    if (which == INSERT)
        return cql_statement_bind(stmt,
                                  CQL_VALUES(id, cql_value_text("load"),
                                             cql_value_text("{\"to\":\"ann@example.org\"}"),
                                             cql_value_int32(1), at, at, cql_value_int32(0), three,
                                             none, none),
                                  NULL);
    if (which == UPDATE && claiming)
        return cql_statement_bind(stmt,
                                  CQL_VALUES(cql_value_int32(2), at, none, none, none,
                                             cql_value_text(claim_note), id, cql_value_int32(1),
                                             cql_value_null()),
                                  NULL);
    if (which == UPDATE)
        return cql_statement_bind(stmt,
                                  CQL_VALUES(three, none, none, none, none, cql_value_text("done"),
                                             id, cql_value_int32(2), at),
                                  NULL);
    if (which == LINKS)
        return cql_statement_bind(stmt, CQL_VALUES(id, cql_value_int32(0)), NULL);
    return cql_statement_bind(stmt, CQL_VALUES(id), NULL);
}

static cql_status bind_index(cql_statement *stmt, const chain *c, int which)
{
    cql_value id = cql_value_text(c->id), at = cql_value_timestamp(c->at);
    cql_value write = cql_value_int64(c->at * 1000 + c->step);
    int state = which == PUT_STATE ? (c->working ? (c->step < 4 ? 2 : 3) : 1) : (c->step < 4 ? 1 : 2);
    bool by_state = which == PUT_STATE || which == DROP_STATE;
    cql_value part = cql_value_int32(by_state ? state : (int32_t)(c->at % 10));

    if (which == PUT_STATE || which == PUT_DUE)
        return cql_statement_bind(stmt, CQL_VALUES(part, at, id, write), NULL);
    return cql_statement_bind(stmt, CQL_VALUES(write, part, at, id), NULL);
}

static cql_statement *bound(const chain *c, int which)
{
    bool index = which == PUT_STATE || which == PUT_DUE || which == DROP_STATE || which == DROP_DUE;
    cql_statement *stmt = cql_prepared_bind(c->h->prepared[which]);

    if (!stmt)
        return NULL;
    cql_statement_set_consistency(stmt, CQL_CONSISTENCY_LOCAL_QUORUM);
    (void)cql_statement_set_serial_consistency(stmt, CQL_CONSISTENCY_LOCAL_SERIAL);
    if (!(index ? bind_index(stmt, c, which) : bind_jobs(stmt, c, which)))
        return stmt;
    cql_statement_free(stmt);
    return NULL;
}

static cql_status send_batch(chain *c, const int *which, size_t count)
{
    cql_batch *batch = NULL;
    cql_status st = cql_batch_new(CQL_BATCH_UNLOGGED, NULL, &batch);

    if (!st)
        cql_batch_set_consistency(batch, CQL_CONSISTENCY_LOCAL_QUORUM);
    for (size_t i = 0; i < count && !st; i++) {
        cql_statement *stmt = bound(c, which[i]);

        st = stmt ? cql_batch_add(batch, stmt) : CQL_NO_MEMORY;
        cql_statement_free(stmt);
    }
    if (!st)
        st = cql_session_execute_batch(c->h->s, batch, on_step, c);
    cql_batch_free(batch);
    return st;
}

static cql_status send_one(chain *c, int which)
{
    cql_statement *stmt = bound(c, which);
    cql_status st = stmt ? cql_session_execute(c->h->s, stmt, on_step, c) : CQL_NO_MEMORY;

    cql_statement_free(stmt);
    return st;
}

/* The same requests in the same order as the store sends when all goes well. */
static cql_status chain_step(chain *c)
{
    static const int put[] = {PUT_DUE, PUT_STATE}, moved[] = {PUT_STATE, DROP_STATE},
                     ended[] = {DROP_STATE, DROP_DUE};

    switch (c->working ? 10 + c->step : c->step) {
    case 1:
        return send_batch(c, put, 2);
    case 2:
        return send_one(c, INSERT);
    case 11:
        return send_one(c, GET);
    case 12:
        return send_one(c, UPDATE);
    case 13:
        return send_batch(c, moved, 2);
    case 14:
        return send_batch(c, put + 1, 1);
    case 15:
        return send_one(c, UPDATE);
    case 16:
        return send_one(c, LINKS);
    case 17:
        return send_batch(c, ended, 2);
    default:
        return CQL_DONE;
    }
}

static void chain_next(chain *c)
{
    cql_status st;

    c->step++;
    st = chain_step(c);
    if (!st)
        return;
    leave(&the_gate, st != CQL_DONE);
}

static void chain_init(chain *c, by_hand *h, int64_t i)
{
    cql_uuid id = cql_uuid_random();

    c->h = h;
    c->at = (int64_t)time(NULL) * 1000 + i % 1000;
    cql_uuid_print(&id, c->id);
}

static int prepare_bare(by_hand *h, const char *keyspace)
{
    cql_error *err = NULL;
    char text[512];
    int failed = 0;

    for (int i = 0; i < STATEMENTS && !failed; i++) {
        int n = (int)(strstr(bare[i], "%s") - bare[i]);

        (void)snprintf(text, sizeof text, "%.*s%s%s", n, bare[i], keyspace, bare[i] + n + 2);
        if (cql_session_prepare_wait(h->s, text, &h->prepared[i], &err))
            failed = fail(text, err);
    }
    cql_error_unref(err);
    return failed;
}

/* Seconds of one round: storing, or working. */
static double run_chains(chain *chains, int64_t count, bool working)
{
    double began = now_s();

    for (int64_t i = 0; i < count; i++) {
        chains[i].working = working;
        chains[i].step = 0;
        enter(&the_gate);
        chain_next(&chains[i]);
    }
    wait_until_empty(&the_gate);
    return now_s() - began;
}

/* Seconds for storing and for working `count` jobs. */
static int bare_cost(cql_session *s, const char *keyspace, int64_t count, double seconds[2])
{
    by_hand h = {.s = s};
    chain *chains = calloc((size_t)count, sizeof *chains);
    int failed = chains ? prepare_bare(&h, keyspace) : fail("out of memory", NULL);

    for (int64_t i = 0; i < count && !failed; i++)
        chain_init(&chains[i], &h, i);
    for (int round = 0; round < 2 && !failed; round++) {
        seconds[round] = run_chains(chains, count, round == 1);
        if (the_gate.failed)
            failed = fail("a bare statement failed", NULL);
    }
    for (int i = 0; i < STATEMENTS; i++)
        cql_prepared_unref(h.prepared[i]);
    free(chains);
    return failed;
}

/* --- workers ---------------------------------------------------------------------------------- */
typedef struct crew {
    const char *url, *keyspace;
    uint32_t concurrency;
    int64_t count;
    double began;
    bool from_open; /* one worker, timed from when it is connected */
    _Atomic int64_t ended;
    double *claim_s; /* by the order of the ends: how long the claim of it took */
    int64_t marks[4];                  /* ends at which requests are counted: begin and end of the */
    _Atomic uint64_t requests[4];      /* first and of the last stretch that is measured */
    cql_session *_Atomic sessions[WORKERS_MAX];
    _Atomic int session_count;
} crew;

typedef struct hand {
    crew *c;
    pthread_t thread;
    int bad;
    double last; /* when the place was free */
} hand;

/* All that the workers have sent so far: unlike times, it does not depend on who else is busy. */
static uint64_t requests_of(crew *c)
{
    uint64_t sum = 0;

    for (int i = 0; i < atomic_load(&c->session_count); i++) {
        cql_session *s = atomic_load(&c->sessions[i]);
        cql_metrics *m = s ? cql_session_metrics(s) : NULL;

        sum += m ? cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_REQUESTS) : 0;
        cql_metrics_free(m);
    }
    return sum;
}

/* What a claim costs is seen as what a worker gets done: time between ends, times its places. */
static void on_job(cql_job *job, void *user)
{
    hand *h = user;
    crew *c = h->c;
    int64_t n = atomic_fetch_add(&c->ended, 1);

    if (n < c->count)
        c->claim_s[n] = now_s() - c->began;
    for (int i = 0; i < 4; i++)
        if (c->marks[i] && n == c->marks[i])
            atomic_store(&c->requests[i], requests_of(c));
    if (cql_job_complete(job, "done"))
        cql_job_give_back(job);
}

static void *work(void *user)
{
    hand *h = user;
    cql_worker_options o = {.size = sizeof o,
                            .concurrency = h->c->concurrency,
                            .poll_ms = 500,
                            .drain = true,
                            .no_recurring = true};
    cql_error *err = NULL;
    cql_session *s = NULL;
    cql_jobs *jobs = NULL;

    if (!cql_session_open_wait(h->c->url, &s, &err))
        atomic_store(&h->c->sessions[atomic_fetch_add(&h->c->session_count, 1)], s);
    if (h->c->from_open)
        h->c->began = now_s();
    if (err || cql_jobs_new(s, h->c->keyspace, &jobs) ||
        cql_jobs_handle(jobs, NULL, on_job, h) || cql_jobs_run_wait(jobs, &o, &err))
        h->bad = fail("a worker", err);
    cql_error_unref(err);
    cql_jobs_free(jobs);
    if (s)
        (void)cql_session_close_wait(s);
    return NULL; /* the session goes when all have ended: others count its requests */
}

/* Works until nothing is due; seconds it took. */
static int work_all(crew *c, int workers, double *seconds)
{
    hand hands[WORKERS_MAX] = {{0}};
    int bad = 0;

    c->claim_s = calloc((size_t)c->count, sizeof *c->claim_s);
    if (!c->claim_s)
        return fail("out of memory", NULL);
    c->began = now_s();
    for (int i = 0; i < workers; i++) {
        hands[i].c = c;
        if (pthread_create(&hands[i].thread, NULL, work, &hands[i]))
            return fail("no thread", NULL);
    }
    for (int i = 0; i < workers; i++) {
        (void)pthread_join(hands[i].thread, NULL);
        bad |= hands[i].bad;
    }
    for (int i = 0; i < atomic_load(&c->session_count); i++)
        cql_session_free(atomic_load(&c->sessions[i]));
    *seconds = c->claim_s[c->count - 1]; /* without the last, empty sweeps */
    if (!bad && atomic_load(&c->ended) != c->count)
        bad = fail("not every job was run exactly once", NULL);
    return bad;
}

/* Milliseconds of one worker's place for a job, over the jobs from..until of the order of their ends. */
static double pace(const crew *c, int64_t from, int64_t until, int places)
{
    return (c->claim_s[until - 1] - c->claim_s[from]) * 1000 * places / (double)(until - from);
}

static double requests_a_job(const crew *c, int stretch)
{
    uint64_t sent = atomic_load(&c->requests[2 * stretch + 1]) - atomic_load(&c->requests[2 * stretch]);

    return (double)sent / (double)(c->marks[2 * stretch + 1] - c->marks[2 * stretch]);
}

/* --- what is measured ------------------------------------------------------------------------- */
static int open_all(const char *url, const char *keyspace, cql_session **s, cql_jobs **jobs)
{
    cql_error *err = NULL;

    if (cql_session_open_wait(url, s, &err) || cql_jobs_new(*s, keyspace, jobs) ||
        cql_jobs_check_wait(*jobs, &err))
        return fail("the store", err);
    return 0;
}

/* One alternation: seconds for storing and working by hand, then through the store. */
static int compare(char **argv, cql_session *s, cql_jobs *jobs, int64_t count, double seconds[4])
{
    crew c = {.url = argv[2],
              .keyspace = argv[3],
              .count = count,
              .concurrency = AT_ONCE,
              .from_open = true};
    int bad = bare_cost(s, argv[4], count, seconds);
    double began = now_s();

    bad = bad ? bad : store(jobs, count);
    seconds[2] = now_s() - began;
    bad = bad ? bad : work_all(&c, 1, &seconds[3]);
    free(c.claim_s);
    return bad;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Rates of the fastest rounds, and the middle one of the rounds' quotients. */
static double verdict(const char *what, double (*seconds)[4], int rounds, int which, int64_t count)
{
    double quotients[ROUNDS], by_hand_s = seconds[0][which], whole = seconds[0][which + 2];

    for (int i = 0; i < rounds; i++) {
        quotients[i] = seconds[i][which + 2] / seconds[i][which];
        by_hand_s = seconds[i][which] < by_hand_s ? seconds[i][which] : by_hand_s;
        whole = seconds[i][which + 2] < whole ? seconds[i][which + 2] : whole;
    }
    qsort(quotients, (size_t)rounds, sizeof quotients[0], by_size);
    (void)printf("%-9s bare %.0f/s, store %.0f/s: %.2f times the cost (%.2f to %.2f in %d rounds)\n",
                 what, (double)count / by_hand_s, (double)count / whole, quotients[rounds / 2],
                 quotients[0], quotients[rounds - 1], rounds);
    return quotients[rounds / 2];
}

static int cost(int argc, char **argv)
{
    int64_t count = strtoll(argv[5], NULL, 10) / ROUNDS;
    double seconds[ROUNDS + 1][4], stored, worked;
    cql_session *s = NULL;
    cql_jobs *jobs = NULL;
    int bad = open_all(argv[2], argv[3], &s, &jobs);

    if (count < 100)
        return fail("500 jobs or more", NULL);
    for (int i = 0; i <= ROUNDS && !bad; i++) { /* the first one warms up */
        bad = compare(argv, s, jobs, count, seconds[i]);
        if (!bad && i)
            (void)printf("round %d: enqueue %.2f s bare, %.2f s store; work %.2f s bare, %.2f s store\n",
                         i, seconds[i][0], seconds[i][2], seconds[i][1], seconds[i][3]);
        (void)fflush(stdout);
    }
    if (!bad) {
        stored = verdict("enqueue", seconds + 1, ROUNDS, 0, count);
        worked = verdict("work", seconds + 1, ROUNDS, 1, count);
        if (argc > 7 && (stored > strtod(argv[6], NULL) || worked > strtod(argv[7], NULL)))
            bad = fail("the store costs more than it may", NULL);
    }
    cql_jobs_free(jobs);
    if (s)
        (void)cql_session_close_wait(s);
    cql_session_free(s);
    return bad;
}

static int clean(cql_jobs *jobs, int64_t count)
{
    cql_cleanup_options o = {.size = sizeof o};
    cql_error *err = NULL;
    int64_t deleted = 0, left = 0;

    if (cql_jobs_cleanup_wait(jobs, &o, &deleted, &err) ||
        cql_jobs_recount_wait(jobs, CQL_JOB_SUCCEEDED, &left, &err))
        return fail("clean-up", err);
    (void)printf("%" PRId64 " deleted, %" PRId64 " left\n", deleted, left);
    return deleted == count && left == 0 ? 0 : fail("clean-up left something", NULL);
}

static int many(int argc, char **argv)
{
    int64_t count = strtoll(argv[4], NULL, 10), share = count / SHARE;
    int workers = (int)strtol(argv[5], NULL, 10);
    double most = argc > 6 ? strtod(argv[6], NULL) : 1.5, began, seconds, first, last;
    crew c = {.url = argv[2], .keyspace = argv[3], .count = count, .concurrency = CONCURRENCY};
    cql_session *s = NULL;
    cql_jobs *jobs = NULL;
    int bad = open_all(argv[2], argv[3], &s, &jobs);

    if (workers < 1 || workers > WORKERS_MAX || share < 100)
        return fail("1 to 64 workers, 1000 jobs or more", NULL);
    c.marks[0] = share / 2;
    c.marks[1] = share + share / 2;
    c.marks[2] = count - share - share / 2;
    c.marks[3] = count - share / 2;
    began = now_s();
    bad = bad ? bad : store(jobs, count);
    (void)printf("%" PRId64 " jobs stored, %.0f/s\n", count, (double)count / (now_s() - began));
    (void)fflush(stdout);
    bad = bad ? bad : work_all(&c, workers, &seconds);
    if (!bad) {
        /* The first and the last share are warm-up and the end, when workers have nothing to do. */
        first = pace(&c, share / 2, share + share / 2, workers * CONCURRENCY);
        last = pace(&c, count - share - share / 2, count - share / 2, workers * CONCURRENCY);
        (void)printf("%" PRId64 " jobs worked by %d workers, %.0f/s; claim to claim %.2f ms at the start, "
                     "%.2f ms at the end: %.2f times\n",
                     count, workers, (double)count / seconds, first, last, last / first);
        (void)printf("%.2f requests a job at the start, %.2f at the end\n", requests_a_job(&c, 0),
                     requests_a_job(&c, 1));
        (void)fflush(stdout);
        if (last > most * first)
            bad = fail("claims have become slower", NULL);
    }
    began = now_s();
    bad = bad ? bad : clean(jobs, count);
    (void)printf("cleaned up in %.0f s\n", now_s() - began);
    free(c.claim_s);
    cql_jobs_free(jobs);
    if (s)
        (void)cql_session_close_wait(s);
    cql_session_free(s);
    return bad;
}

int main(int argc, char **argv)
{
    if ((argc == 6 || argc == 8) && !strcmp(argv[1], "cost"))
        return cost(argc, argv);
    if ((argc == 6 || argc == 7) && !strcmp(argv[1], "many"))
        return many(argc, argv);
    return fail("wrong arguments", NULL);
}
