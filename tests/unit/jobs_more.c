/* Cron expressions, continuations, batches, retries, back-off, recurring jobs, clean-up, counters:
 * what is promised, with processes that die before or after each of their requests in turn. */
#include "unit.h"

#include "jobs/recurring.h"
#include "jobs/worker.h"
#include "jobstore.h"

static const char id_a[] = "aaaaaaaa-1111-4222-8333-444455556666";
static const char id_b[] = "bbbbbbbb-1111-4222-8333-444455556666";
static const char id_c[] = "cccccccc-1111-4222-8333-444455556666";
static const char batch_id[] = "dddddddd-1111-4222-8333-444455556666";

enum { STEPS = 30 };

typedef struct process {
    jobstore_client client;
    cql_jobs *jobs;
    cql_worker *w;
    size_t dies_at;
    bool applied;
    bool fails;
    int runs;
} process;

static jobstore_fate fate_of(jobstore_client *c, const cqljob_request *rq, void *user)
{
    process *p = user;
    (void)rq;
    if (p->dies_at && c->sent > p->dies_at)
        c->dead = true;
    if (p->dies_at && c->sent == p->dies_at)
        return p->applied ? JOBSTORE_SILENT : JOBSTORE_DROPPED;
    return JOBSTORE_OK;
}

static void handler(cql_job *job, void *user)
{
    process *p = user;
    p->runs++;
    if (p->fails)
        assert_int_equal(cql_job_fail(job, "no"), CQL_OK);
    else
        assert_int_equal(cql_job_complete(job, "yes"), CQL_OK);
}

static void process_begin(process *p, jobstore *db)
{
    jobstore_client_init(&p->client, db);
    p->client.fate = fate_of;
    p->client.user = p;
    p->jobs = jobstore_open(&p->client, NULL);
    assert_int_equal(cql_jobs_handle(p->jobs, NULL, handler, p), CQL_OK);
}

static void work(process *p)
{
    cql_worker_options o = {
        .size = sizeof o, .lease_s = 10, .poll_ms = 1000, .retry_delay_ms = 500};
    assert_int_equal(cql_worker_new(p->jobs, &o, &p->w, NULL), CQL_OK);
}

static void process_end(process *p)
{
    cql_worker_free(p->w);
    cql_jobs_free(p->jobs);
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

static cql_job_spec spec_of(const char *id)
{
    return (cql_job_spec){.size = sizeof(cql_job_spec), .type = "t", .id = id, .max_retries = 5};
}

static int state_of(jobstore *db, const char *id)
{
    const cql_job_info *job = jobstore_job(db, id);
    return job ? job->state : -1;
}

/* --- cron ------------------------------------------------------------------------------------- */
static void assert_next(const char *cron, int64_t after_s, int64_t next_s)
{
    int64_t next = 0;
    const char *why = "";
    assert_int_equal(cql_cron_next(cron, after_s * 1000, &next, &why), CQL_OK);
    assert_null(why);
    assert_int_equal(next, next_s * 1000);
}

static void cron_names_the_next_time(void **state)
{
    (void)state;
    /* 1767225600 is 2026-01-01T00:00:00Z, a Thursday. */
    assert_next("* * * * *", 1767225600, 1767225660);
    assert_next("*/15 * * * *", 1767225601, 1767226500);
    assert_next("5/20 * * * *", 1767225600, 1767225900);
    assert_next("30 4 * * *", 1767225600, 1767241800);
    assert_next("0 0 1 1 *", 1767225600, 1798761600);
    assert_next("0 0 * * 0", 1767225600, 1767484800);
    assert_next("0 0 * * 7", 1767225600, 1767484800);
    assert_next("0 0 * * 5-7", 1767225600, 1767312000);
    assert_next("0 0 * * 5/2", 1767398400, 1767916800);  /* from Saturday: Fridays alone */
    assert_next("0 0 * * */2", 1767225600, 1767398400);  /* Sundays, and not twice */
    assert_next("0 0 13 * 5", 1767225600, 1767312000);   /* the 13th or a Friday */
    assert_next("0 0 13 * *", 1767225600, 1768262400);
    assert_next("0 0 29 2 *", 1767225600, 1835395200);   /* 2028 */
    assert_next("0 0 29 2 *", 3981398400, 4233686400);   /* 2100 has none: after 2096 comes 2104 */
    assert_next("0 0 29 2 */7", 3728937600, 4991068800); /* and a Sunday: 2088, then 2128 */
    assert_next("1,2,3-5,50/5 23 31 12 *", 1767225600, 1798758060);
    assert_next("0 0 1 1 *", -1, 0); /* the epoch itself */
}

static void cron_that_is_wrong_is_explained(void **state)
{
    static const char *const bad[] = {"",          "* * * *",      "* * * * * *", "60 * * * *",
                                      "* 24 * * *", "* * 0 * *",    "* * * 13 *",  "* * * * 8",
                                      "@daily",    "*/0 * * * *",  "5-1 * * * *", "a * * * *",
                                      "1,, * * * *", "0 0 30 2 *", "1-99999 * * * *", "00005 * * * *",
                                      "0* * * *",  "30-10 * * * *", "0-1x * * * *"};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        int64_t next;
        const char *why = NULL;
        assert_int_equal(cql_cron_next(bad[i], 0, &next, &why), CQL_BAD_VALUE);
        assert_non_null(why);
    }
    assert_int_equal(cql_cron_next(NULL, 0, &(int64_t){0}, NULL), CQL_BAD_VALUE);
}

/* --- back-off --------------------------------------------------------------------------------- */
static void backoff_grows_and_spreads(void **state)
{
    cql_job_backoff b = {.kind = CQL_BACKOFF_EXPONENTIAL, .delay_ms = 100, .most_ms = 1000};
    (void)state;
    assert_int_equal(cqljob_backoff_ms(&b, 1, 7), 100);
    assert_int_equal(cqljob_backoff_ms(&b, 3, 7), 400);
    assert_int_equal(cqljob_backoff_ms(&b, 30, 7), 1000);
    b.kind = CQL_BACKOFF_FIXED;
    assert_int_equal(cqljob_backoff_ms(&b, 9, 7), 100);
    b.jitter_percent = 50;
    for (uint64_t r = 0; r < 300; r++)
        assert_in_range(cqljob_backoff_ms(&b, 1, r), 50, 150);
    b = (cql_job_backoff){.kind = CQL_BACKOFF_FIXED};
    assert_int_equal(cqljob_backoff_ms(&b, 1, 0), 30000);
}

static void jobs_own_backoff_wins(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = true};
    cql_job_spec spec = spec_of(id_a);
    cql_job_backoff of_type = {.kind = CQL_BACKOFF_FIXED, .delay_ms = 7000};
    int64_t before;
    (void)state;
    process_begin(&p, db);
    assert_int_equal(cql_jobs_set_backoff(p.jobs, "other", &of_type), CQL_NOT_FOUND);
    of_type.jitter_percent = 101;
    assert_int_equal(cql_jobs_set_backoff(p.jobs, NULL, &of_type), CQL_BAD_ARGUMENT);
    of_type.jitter_percent = 0;
    assert_int_equal(cql_jobs_set_backoff(p.jobs, NULL, &of_type), CQL_OK);
    spec.backoff = (cql_job_backoff){.kind = CQL_BACKOFF_EXPONENTIAL, .delay_ms = 20000};
    assert_int_equal(cql_jobs_enqueue_wait(p.jobs, &spec, NULL, NULL), CQL_OK);
    spec = spec_of(id_b);
    assert_int_equal(cql_jobs_enqueue_wait(p.jobs, &spec, NULL, NULL), CQL_OK);
    before = jobstore_time(db) / 1000;
    work(&p);
    pass(db, &p, NULL, 2);
    assert_in_range(jobstore_job(db, id_a)->scheduled_at - before, 20000, 21500);
    assert_in_range(jobstore_job(db, id_b)->scheduled_at - before, 7000, 8500);
    pass(db, &p, NULL, 22);
    assert_in_range(jobstore_job(db, id_a)->scheduled_at - before, 60000, 63500);
    process_end(&p);
    jobstore_free(db);
}

/* --- continuations and batches ---------------------------------------------------------------- */
static void continuation_runs_after_its_parent(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = false};
    cql_job_spec spec = spec_of(id_b);
    cql_job_info *job;
    cql_error *err = NULL;
    (void)state;
    process_begin(&p, db);
    spec.parent_id = id_a;
    assert_int_equal(cql_jobs_enqueue_wait(p.jobs, &spec, NULL, &err), CQL_NOT_FOUND);
    assert_non_null(strstr(cql_error_text(err), "the parent job"));
    assert_int_equal(state_of(db, id_b), -1);
    spec.batch_id = batch_id;
    assert_int_equal(cql_jobs_enqueue_wait(p.jobs, &spec, NULL, &err), CQL_BAD_ARGUMENT);
    spec.batch_id = NULL;
    spec = spec_of(id_a);
    assert_int_equal(cql_jobs_enqueue_wait(p.jobs, &spec, NULL, NULL), CQL_OK);
    spec = spec_of(id_b);
    spec.parent_id = id_a;
    assert_int_equal(cql_jobs_enqueue_wait(p.jobs, &spec, &job, NULL), CQL_OK);
    assert_int_equal(job->state, CQL_JOB_AWAITING_CONTINUATION);
    cql_job_info_free(job);
    work(&p);
    pass(db, &p, NULL, 5);
    assert_int_equal(state_of(db, id_a), CQL_JOB_SUCCEEDED);
    assert_int_equal(state_of(db, id_b), CQL_JOB_SUCCEEDED);
    assert_int_equal(p.runs, 2);
    spec = spec_of(id_c); /* added late */
    spec.parent_id = id_b;
    assert_int_equal(cql_jobs_enqueue_wait(p.jobs, &spec, &job, NULL), CQL_OK);
    assert_int_equal(job->state, CQL_JOB_SCHEDULED);
    cql_job_info_free(job);
    pass(db, &p, NULL, 5);
    assert_int_equal(state_of(db, id_c), CQL_JOB_SUCCEEDED);
    assert_int_equal(jobstore_due_rows(db, NULL, -1), 0);
    assert_int_equal(jobstore_counter(db, CQL_JOB_SUCCEEDED), 3);
    for (int st = 0; st < CQL_JOB_SUCCEEDED; st++)
        assert_int_equal(jobstore_counter(db, st), 0);
    assert_int_equal(jobstore_counter(db, CQL_JOB_AWAITING_CONTINUATION), 0);
    cql_error_unref(err);
    process_end(&p);
    jobstore_free(db);
}

static void continuation_of_an_abandoned_job_waits_for_its_retry(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = true};
    cql_job_spec spec = spec_of(id_a);
    cql_job_info *job;
    cql_error *err = NULL;
    (void)state;
    process_begin(&p, db);
    spec.max_retries = -1;
    assert_int_equal(cql_jobs_enqueue_wait(p.jobs, &spec, NULL, NULL), CQL_OK);
    assert_int_equal(cql_jobs_retry_wait(p.jobs, id_a, &err), CQL_BAD_STATE);
    work(&p);
    pass(db, &p, NULL, 5);
    assert_int_equal(state_of(db, id_a), CQL_JOB_ABANDONED);
    spec = spec_of(id_b);
    spec.parent_id = id_a;
    assert_int_equal(cql_jobs_enqueue_wait(p.jobs, &spec, &job, NULL), CQL_OK);
    assert_int_equal(job->state, CQL_JOB_AWAITING_CONTINUATION);
    assert_true(job->parent_ended);
    cql_job_info_free(job);
    p.fails = false;
    pass(db, &p, NULL, 70);
    assert_int_equal(state_of(db, id_b), CQL_JOB_AWAITING_CONTINUATION);
    assert_int_equal(cql_jobs_retry_wait(p.jobs, id_a, NULL), CQL_OK);
    pass(db, &p, NULL, 10);
    assert_int_equal(state_of(db, id_a), CQL_JOB_SUCCEEDED);
    assert_int_equal(state_of(db, id_b), CQL_JOB_SUCCEEDED);
    assert_int_equal(jobstore_state_rows(db, id_a, -1), 1);
    assert_int_equal(cql_jobs_retry_wait(p.jobs, id_a, &err), CQL_BAD_STATE);
    cql_error_unref(err);
    process_end(&p);
    jobstore_free(db);
}

static void batch_is_followed_by_its_continuation(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = false};
    cql_job_spec members[20], then = spec_of(id_c);
    cql_job_list *list = NULL;
    cql_error *err = NULL;
    (void)state;
    process_begin(&p, db);
    then.after_batch_id = batch_id;
    assert_int_equal(cql_jobs_enqueue_wait(p.jobs, &then, NULL, &err), CQL_NOT_FOUND);
    then.after_batch_id = NULL;
    for (size_t i = 0; i < CQL_COUNT(members); i++)
        members[i] = spec_of(NULL);
    assert_int_equal(cql_jobs_enqueue_batch_wait(p.jobs, "x", members, 1, NULL, NULL, &err),
                     CQL_BAD_VALUE);
    assert_int_equal(cql_jobs_enqueue_batch_wait(p.jobs, NULL, members, 0, NULL, NULL, &err),
                     CQL_BAD_ARGUMENT);
    assert_int_equal(
        cql_jobs_enqueue_batch_wait(p.jobs, batch_id, members, 20, &then, &list, NULL), CQL_OK);
    assert_int_equal(cql_job_list_count(list), 21);
    assert_int_equal(state_of(db, id_c), CQL_JOB_AWAITING_BATCH);
    assert_int_equal(cql_jobs_cancel_wait(p.jobs, cql_job_list_at(list, 3)->id.ptr, NULL), CQL_OK);
    cql_job_list_free(list);
    work(&p);
    pass(db, &p, NULL, 10);
    assert_int_equal(p.runs, 20); /* 19 members and it */
    assert_int_equal(state_of(db, id_c), CQL_JOB_SUCCEEDED);
    assert_int_equal(cql_jobs_list_batch_wait(p.jobs, batch_id, 0, &list, NULL), CQL_OK);
    assert_int_equal(cql_job_list_count(list), 21);
    cql_job_list_free(list);
    cql_error_unref(err);
    process_end(&p);
    jobstore_free(db);
}

/* Whoever ends the last member, and whoever stores the continuation, dies at each step. */
static void releases_survive_crashes(void **state)
{
    (void)state;
    for (size_t at = 1; at <= STEPS; at++)
        for (int applied = 0; applied < 2; applied++) {
            jobstore *db = jobstore_new(0);
            process a = {.dies_at = at, .applied = applied != 0}, b = {.fails = false};
            cql_job_spec spec = spec_of(id_a);
            process_begin(&a, db);
            process_begin(&b, db);
            spec.batch_id = batch_id;
            assert_int_equal(cql_jobs_enqueue_wait(b.jobs, &spec, NULL, NULL), CQL_OK);
            spec = spec_of(id_b);
            spec.parent_id = id_a;
            assert_int_equal(cql_jobs_enqueue_wait(b.jobs, &spec, NULL, NULL), CQL_OK);
            spec = spec_of(id_c);
            spec.after_batch_id = batch_id;
            assert_int_equal(cql_jobs_enqueue_wait(b.jobs, &spec, NULL, NULL), CQL_OK);
            work(&a);
            pass(db, &a, NULL, 4);
            a.client.dead = true;
            work(&b);
            pass(db, &a, &b, 200); /* the sweep that finds what was left twice comes every 60 to 90 s */
            assert_int_equal(state_of(db, id_a), CQL_JOB_SUCCEEDED);
            assert_int_equal(state_of(db, id_b), CQL_JOB_SUCCEEDED);
            assert_int_equal(state_of(db, id_c), CQL_JOB_SUCCEEDED);
            assert_int_equal(jobstore_due_rows(db, NULL, -1), 0);
            process_end(&a);
            process_end(&b);
            jobstore_free(db);
        }
}

static void late_continuation_survives_its_storer(void **state)
{
    (void)state;
    for (size_t at = 1; at <= 8; at++)
        for (int applied = 0; applied < 2; applied++) {
            jobstore *db = jobstore_new(0);
            process a = {.dies_at = at, .applied = applied != 0}, b = {.fails = false};
            cql_job_spec spec = spec_of(id_a);
            process_begin(&a, db);
            process_begin(&b, db);
            assert_int_equal(cql_jobs_enqueue_wait(b.jobs, &spec, NULL, NULL), CQL_OK);
            work(&b);
            pass(db, &b, NULL, 3);
            assert_int_equal(state_of(db, id_a), CQL_JOB_SUCCEEDED);
            spec = spec_of(id_b);
            spec.parent_id = id_a;
            (void)cql_jobs_enqueue_wait(a.jobs, &spec, NULL, NULL);
            a.client.dead = true;
            pass(db, &b, NULL, 250); /* the fleet looks at those that wait */
            if (jobstore_job(db, id_b))
                assert_int_equal(state_of(db, id_b), CQL_JOB_SUCCEEDED);
            assert_int_equal(jobstore_due_rows(db, NULL, -1), 0);
            process_end(&a);
            process_end(&b);
            jobstore_free(db);
        }
}

/* --- recurring jobs --------------------------------------------------------------------------- */
static cql_recurring_spec every_minute(const char *id)
{
    return (cql_recurring_spec){
        .size = sizeof(cql_recurring_spec), .id = id, .cron = "* * * * *", .type = "tick"};
}

static void occurrences_become_jobs_once(void **state)
{
    jobstore *db = jobstore_new(0);
    process a = {.fails = false}, b = {.fails = false};
    cql_recurring_spec spec = every_minute("minutely");
    cql_recurring_list *list = NULL;
    cql_error *err = NULL;
    int64_t created;
    int runs;
    (void)state;
    process_begin(&a, db);
    process_begin(&b, db);
    spec.cron = "61 * * * *";
    assert_int_equal(cql_jobs_recurring_set_wait(a.jobs, &spec, &err), CQL_BAD_VALUE);
    assert_non_null(strstr(cql_error_text(err), "the minute"));
    assert_int_equal(cql_jobs_recurring_remove_wait(a.jobs, "minutely", &err), CQL_NOT_FOUND);
    spec.cron = "* * * * *";
    assert_int_equal(cql_jobs_recurring_set_wait(a.jobs, &spec, NULL), CQL_OK);
    created = cql_recurring_list_at(jobstore_recurring(db), 0)->created_at;
    work(&a);
    work(&b);
    pass(db, &a, &b, 300);
    runs = a.runs + b.runs;
    assert_int_equal(runs, 5);
    assert_int_equal(jobstore_jobs(db, -1), 5);
    spec.cron = "*/2 * * * *";
    assert_int_equal(cql_jobs_recurring_set_wait(a.jobs, &spec, NULL), CQL_OK);
    assert_int_equal(cql_jobs_recurring_list_wait(a.jobs, &list, NULL), CQL_OK);
    assert_int_equal(cql_recurring_list_count(list), 1);
    assert_int_equal(cql_recurring_list_at(list, 0)->created_at, created);
    assert_true(cql_recurring_list_at(list, 0)->last_execution > created);
    cql_recurring_list_free(list);
    assert_int_equal(cql_jobs_recurring_enable_wait(a.jobs, "minutely", false, NULL), CQL_OK);
    pass(db, &a, &b, 300);
    assert_int_equal(a.runs + b.runs, runs);
    assert_int_equal(cql_jobs_recurring_enable_wait(a.jobs, "minutely", true, NULL), CQL_OK);
    pass(db, &a, &b, 240);
    assert_int_equal(a.runs + b.runs, runs + 2);
    assert_int_equal(cql_jobs_recurring_remove_wait(a.jobs, "minutely", NULL), CQL_OK);
    pass(db, &a, &b, 300);
    assert_int_equal(a.runs + b.runs, runs + 2);
    cql_error_unref(err);
    process_end(&a);
    process_end(&b);
    jobstore_free(db);
}

static void missed_occurrences_are_made_up_for_once(void **state)
{
    jobstore *db = jobstore_new(0);
    process a = {.fails = false};
    cql_recurring_spec spec = every_minute("m");
    (void)state;
    process_begin(&a, db);
    assert_int_equal(cql_jobs_recurring_set_wait(a.jobs, &spec, NULL), CQL_OK);
    jobstore_run_until(db, jobstore_time(db) + INT64_C(3610) * 1000000);
    work(&a);
    pass(db, &a, NULL, 5);
    assert_int_equal(a.runs, 1);
    process_end(&a);
    jobstore_free(db);
}

static void firing_survives_crashes(void **state)
{
    (void)state;
    for (size_t at = 1; at <= 16; at++)
        for (int applied = 0; applied < 2; applied++) {
            jobstore *db = jobstore_new(0);
            process a = {.dies_at = at, .applied = applied != 0}, b = {.fails = false};
            cql_recurring_spec spec = every_minute("m");
            process_begin(&a, db);
            process_begin(&b, db);
            assert_int_equal(cql_jobs_recurring_set_wait(b.jobs, &spec, NULL), CQL_OK);
            jobstore_run_until(db, jobstore_time(db) + INT64_C(61) * 1000000);
            work(&a);
            pass(db, &a, NULL, 3);
            a.client.dead = true;
            work(&b);
            pass(db, &a, &b, 30); /* not into the next minute */
            assert_int_equal(jobstore_jobs(db, -1), 1);
            assert_int_equal(jobstore_jobs(db, CQL_JOB_SUCCEEDED), 1);
            process_end(&a);
            process_end(&b);
            jobstore_free(db);
        }
}

/* --- clean-up and counters -------------------------------------------------------------------- */
static void cleanup_takes_what_ended_and_is_old(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = false};
    cql_cleanup_options o = {.size = sizeof o, .older_than_s = 60};
    cql_job_spec spec;
    int64_t count = -1;
    (void)state;
    process_begin(&p, db);
    for (int i = 0; i < 150; i++) {
        spec = spec_of(NULL);
        spec.batch_id = batch_id;
        spec.backoff.kind = CQL_BACKOFF_FIXED;
        assert_int_equal(cql_jobs_enqueue_wait(p.jobs, &spec, NULL, NULL), CQL_OK);
    }
    spec = spec_of(id_a);
    spec.at_ms = jobstore_time(db) / 1000 + 86400000;
    assert_int_equal(cql_jobs_enqueue_wait(p.jobs, &spec, NULL, NULL), CQL_OK);
    work(&p);
    pass(db, &p, NULL, 20);
    assert_int_equal(jobstore_jobs(db, CQL_JOB_SUCCEEDED), 150);
    assert_int_equal(cql_jobs_cleanup_wait(p.jobs, &o, &count, NULL), CQL_OK);
    assert_int_equal(count, 0);
    pass(db, &p, NULL, 60);
    o.states = 1U << CQL_JOB_SCHEDULED;
    assert_int_equal(cql_jobs_cleanup_wait(p.jobs, &o, &count, NULL), CQL_BAD_ARGUMENT);
    o.states = 0;
    o.limit = 70;
    assert_int_equal(cql_jobs_cleanup_wait(p.jobs, &o, &count, NULL), CQL_OK);
    assert_int_equal(count, 70);
    o.limit = 0;
    assert_int_equal(cql_jobs_cleanup_wait(p.jobs, &o, &count, NULL), CQL_OK);
    assert_int_equal(count, 80);
    assert_int_equal(jobstore_jobs(db, -1), 1);
    assert_int_equal(jobstore_state_rows(db, NULL, -1), 1);
    assert_int_equal(jobstore_due_rows(db, NULL, -1), 1);
    assert_int_equal(jobstore_link_rows(db, NULL), 0);
    jobstore_settle(db, 5);
    assert_int_equal(jobstore_counter(db, CQL_JOB_SUCCEEDED), 0);
    process_end(&p);
    jobstore_free(db);
}

static void counters_can_be_put_right(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = false};
    cql_job_spec spec = spec_of(id_a);
    int64_t count = -1;
    (void)state;
    process_begin(&p, db);
    assert_int_equal(cql_jobs_enqueue_wait(p.jobs, &spec, NULL, NULL), CQL_OK);
    assert_int_equal(cql_jobs_flush_wait(p.jobs, NULL), CQL_OK);
    assert_int_equal(cql_jobs_count_wait(p.jobs, CQL_JOB_SCHEDULED, &count, NULL), CQL_OK);
    assert_int_equal(count, 1);
    jobstore_put_state(db, 1, 5, id_b); /* by another program */
    assert_int_equal(cql_jobs_recount_wait(p.jobs, CQL_JOB_SCHEDULED, &count, NULL), CQL_OK);
    assert_int_equal(count, 2);
    assert_int_equal(cql_jobs_count_wait(p.jobs, CQL_JOB_SCHEDULED, &count, NULL), CQL_OK);
    assert_int_equal(count, 2);
    process_end(&p);
    jobstore_free(db);
}

static void what_is_missing_is_an_error_with_a_text(void **state)
{
    (void)state;
    cql_error *err = NULL;
    cql_job_info *job = NULL;
    cql_job_list *list = NULL;
    cql_worker *w = NULL;
    assert_int_equal(cql_jobs_get_wait(NULL, "a", &job, &err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "bad argument: the job store is NULL");
    assert_int_equal(cql_jobs_list_wait(NULL, CQL_JOB_SUCCEEDED, 1, &list, &err), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_jobs_list_wait(NULL, CQL_JOB_SUCCEEDED, 1, NULL, &err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "bad argument: out is NULL");
    assert_int_equal(cql_jobs_enqueue_wait(NULL, NULL, &job, &err), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_jobs_recurring_set_wait(NULL, NULL, &err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "bad argument: the job store is NULL");
    assert_int_equal(cql_jobs_run_wait(NULL, NULL, &err), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_worker_new(NULL, NULL, &w, &err), CQL_BAD_ARGUMENT);
    assert_non_null(strstr(cql_error_text(err), "NULL"));
    cql_error_unref(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cron_names_the_next_time),
        cmocka_unit_test(cron_that_is_wrong_is_explained),
        cmocka_unit_test(backoff_grows_and_spreads),
        cmocka_unit_test(jobs_own_backoff_wins),
        cmocka_unit_test(continuation_runs_after_its_parent),
        cmocka_unit_test(continuation_of_an_abandoned_job_waits_for_its_retry),
        cmocka_unit_test(batch_is_followed_by_its_continuation),
        cmocka_unit_test(releases_survive_crashes),
        cmocka_unit_test(late_continuation_survives_its_storer),
        cmocka_unit_test(occurrences_become_jobs_once),
        cmocka_unit_test(missed_occurrences_are_made_up_for_once),
        cmocka_unit_test(firing_survives_crashes),
        cmocka_unit_test(cleanup_takes_what_ended_and_is_old),
        cmocka_unit_test(counters_can_be_put_right),
        cmocka_unit_test(what_is_missing_is_an_error_with_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
