/* A process dies, as by SIGKILL, before or after each of its requests in turn; another one that
 * lives on must bring every job to its end, once, and leave the tables as they should be. */
#include "unit.h"

#include "jobs/worker.h"
#include "jobstore.h"

static const char id_a[] = "aaaaaaaa-1111-4222-8333-444455556666";

enum { STEPS = 24 };

typedef enum habit { SUCCEED, FAIL_ONCE, FAIL_ALWAYS, GIVE_BACK_ONCE } habit;

typedef struct process {
    jobstore_client client;
    cql_jobs *jobs;
    cql_worker *w;
    size_t dies_at;    /* dead from its request of this number on; 0: never */
    bool last_applied; /* the request it died at still reached the servers */
    habit habit;
    int *runs; /* of all processes */
    int64_t *last_token;
} process;

/* Every change that was applied, as the tables saw it. */
typedef struct ledger {
    int claims, successes, abandons, given_back;
    int64_t last_claim;
} ledger;

static void note_change(void *user, const char *id, const cqljob_change *c)
{
    ledger *l = user;
    (void)id;
    if (c->state == CQL_JOB_PROCESSING) {
        assert_true(c->token > l->last_claim); /* strictly rising, whoever claims or renews */
        l->last_claim = c->token;
        l->claims += c->from_state == CQL_JOB_SCHEDULED;
        return;
    }
    assert_int_equal(c->from_token, l->last_claim); /* only the newest holder's token ends it */
    l->successes += c->state == CQL_JOB_SUCCEEDED;
    l->abandons += c->state == CQL_JOB_ABANDONED;
    l->given_back += c->state == CQL_JOB_SCHEDULED;
}

static jobstore_fate fate_of(jobstore_client *c, const cqljob_request *rq, void *user)
{
    process *p = user;
    (void)rq;
    if (p->dies_at && c->sent > p->dies_at)
        c->dead = true;
    if (p->dies_at && c->sent == p->dies_at)
        return p->last_applied ? JOBSTORE_SILENT : JOBSTORE_DROPPED;
    return JOBSTORE_OK;
}

static void handler(cql_job *job, void *user)
{
    process *p = user;
    int run = ++*p->runs;
    assert_true(cql_job_token(job) > *p->last_token);
    *p->last_token = cql_job_token(job);
    if (p->habit == GIVE_BACK_ONCE && run == 1)
        cql_job_give_back(job);
    else if (p->habit == FAIL_ALWAYS || (p->habit == FAIL_ONCE && run == 1))
        assert_int_equal(cql_job_fail(job, "no"), CQL_OK);
    else
        assert_int_equal(cql_job_complete(job, "yes"), CQL_OK);
}

static void process_begin(process *p, jobstore *db, int64_t ahead_us)
{
    jobstore_client_init(&p->client, db);
    p->client.ahead_us = ahead_us;
    p->client.fate = fate_of;
    p->client.user = p;
    p->jobs = jobstore_open(&p->client, NULL);
    assert_int_equal(cql_jobs_handle(p->jobs, NULL, handler, p), CQL_OK);
}

static void process_end(process *p)
{
    cql_worker_free(p->w);
    cql_jobs_free(p->jobs);
}

static void work(process *p)
{
    cql_worker_options o = {
        .size = sizeof o, .lease_s = 10, .poll_ms = 1000, .retry_delay_ms = 500};
    assert_int_equal(cql_worker_new(p->jobs, &o, &p->w, NULL), CQL_OK);
}

static void pass(jobstore *db, process *p, process *q, int seconds)
{
    for (int i = 0; i < seconds * 50; i++) {
        if (p->w && !p->client.dead)
            (void)cql_worker_step(p->w);
        if (q && q->w)
            (void)cql_worker_step(q->w);
        jobstore_run_until(db, jobstore_time(db) + 20000);
    }
}

static void assert_tables_are_clean(const jobstore *db, int32_t state)
{
    assert_int_equal(jobstore_job(db, id_a)->state, state);
    assert_int_equal(jobstore_due_rows(db, id_a, -1), 0);
    assert_int_equal(jobstore_state_rows(db, id_a, state), 1);
}

/* Rows of other states may be left by a crash; whoever lists them removes them. */
static void list_all(process *p)
{
    for (int st = 0; st <= 8; st++) {
        cql_job_list *list;
        assert_int_equal(cql_jobs_list_wait(p->jobs, (cql_job_state)st, 0, &list, NULL), CQL_OK);
        assert_int_equal(cql_job_list_count(list), jobstore_jobs(p->client.db, st));
        cql_job_list_free(list);
    }
    jobstore_settle(p->client.db, 10);
}

static void one_crash(habit habit_, size_t dies_at, bool applied, int64_t ahead_us)
{
    jobstore *db = jobstore_new(0);
    int runs = 0;
    int64_t last_token = 0;
    ledger l = {0};
    process a = {.dies_at = dies_at, .last_applied = applied, .habit = habit_, .runs = &runs};
    process b = {.habit = habit_, .runs = &runs, .last_token = &last_token};
    cql_job_spec spec = {.size = sizeof spec, .type = "t", .id = id_a, .max_retries = 5};
    a.last_token = &last_token;
    jobstore_on_change(db, note_change, &l);
    process_begin(&b, db, 0);
    assert_int_equal(cql_jobs_enqueue_wait(b.jobs, &spec, NULL, NULL), CQL_OK);
    process_begin(&a, db, ahead_us);
    work(&a);
    pass(db, &a, NULL, 3);
    a.client.dead = true;
    work(&b);
    pass(db, &a, &b, 60);
    assert_int_equal(l.successes + l.abandons, 1);
    assert_tables_are_clean(db, habit_ == FAIL_ALWAYS ? CQL_JOB_ABANDONED : CQL_JOB_SUCCEEDED);
    assert_int_equal(l.abandons, habit_ == FAIL_ALWAYS);
    assert_true(l.claims <= 6 + (habit_ == GIVE_BACK_ONCE));
    list_all(&b);
    assert_int_equal(jobstore_state_rows(db, id_a, -1), 1);
    process_end(&a);
    process_end(&b);
    jobstore_free(db);
}

static void worker_dies_at_every_request(void **state)
{
    static const int64_t clocks[] = {0, -5000000, 5000000};
    (void)state;
    for (int h = SUCCEED; h <= GIVE_BACK_ONCE; h++)
        for (size_t at = 1; at <= STEPS; at++)
            for (size_t c = 0; c < CQL_COUNT(clocks); c++) {
                one_crash((habit)h, at, false, clocks[c]);
                one_crash((habit)h, at, true, clocks[c]);
            }
}

/* The one that takes a dead worker's job back dies as well. */
static void worker_dies_while_taking_back(void **state)
{
    (void)state;
    for (size_t at = 1; at <= STEPS; at++)
        for (int applied = 0; applied < 2; applied++) {
            jobstore *db = jobstore_new(0);
            int runs = 0;
            int64_t last_token = 0;
            ledger l = {0};
            process a = {.runs = &runs, .last_token = &last_token};
            process b = {.dies_at = at,
                         .last_applied = applied != 0,
                         .runs = &runs,
                         .last_token = &last_token};
            process c = {.runs = &runs, .last_token = &last_token};
            cql_job_info job;
            process_begin(&a, db, 0);
            process_begin(&b, db, 0);
            process_begin(&c, db, 0);
            cqljob_info_init(&job); /* held by somebody who died long ago */
            job.id = cql_str_of(id_a);
            job.type = cql_str_of("t");
            job.arguments = cql_str_of("");
            job.state = CQL_JOB_PROCESSING;
            job.max_retry_count = 3;
            job.created_at = job.scheduled_at = jobstore_time(db) / 1000 - 60000;
            job.executed_at = job.created_at + 10;
            job.claim = cql_str_of("gone");
            l.last_claim = job.executed_at;
            jobstore_put_job(db, &job);
            jobstore_put_due(db, cqljob_bucket(job.id, 10), job.scheduled_at, id_a);
            jobstore_put_state(db, 2, job.created_at, id_a);
            jobstore_on_change(db, note_change, &l);
            work(&b);
            pass(db, &b, NULL, 3);
            b.client.dead = true;
            work(&c);
            pass(db, &b, &c, 30);
            assert_int_equal(l.successes, 1);
            assert_tables_are_clean(db, CQL_JOB_SUCCEEDED);
            assert_in_range(jobstore_job(db, id_a)->retry_count, 1, 2);
            list_all(&c);
            assert_int_equal(jobstore_state_rows(db, id_a, -1), 1);
            process_end(&a);
            process_end(&b);
            process_end(&c);
            jobstore_free(db);
        }
}

/* The one that stores the job dies: either the job is there and is run, or its rows vanish. */
static void client_dies_while_storing(void **state)
{
    (void)state;
    for (size_t at = 1; at <= 3; at++)
        for (int applied = 0; applied < 2; applied++) {
            jobstore *db = jobstore_new(0);
            int runs = 0;
            int64_t last_token = 0;
            process a = {.dies_at = at,
                         .last_applied = applied != 0,
                         .runs = &runs,
                         .last_token = &last_token};
            process b = {.runs = &runs, .last_token = &last_token};
            cql_job_spec spec = {.size = sizeof spec, .type = "t", .id = id_a};
            process_begin(&a, db, 0);
            process_begin(&b, db, 0);
            (void)cql_jobs_enqueue_wait(a.jobs, &spec, NULL, NULL);
            a.client.dead = true;
            work(&b);
            pass(db, &b, NULL, 150);
            assert_int_equal(runs, jobstore_job(db, id_a) ? 1 : 0);
            assert_int_equal(jobstore_due_rows(db, NULL, -1), 0);
            if (jobstore_job(db, id_a))
                assert_tables_are_clean(db, CQL_JOB_SUCCEEDED);
            process_end(&a);
            process_end(&b);
            jobstore_free(db);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_dies_at_every_request),
        cmocka_unit_test(worker_dies_while_taking_back),
        cmocka_unit_test(client_dies_while_storing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
