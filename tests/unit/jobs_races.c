/* Two that meet: what one process does between the writes of another, rows that are in the way of others,
 * and times that are not what they should be. */
#include "unit.h"

#include "jobs/cqlstore.h"
#include "jobs/worker.h"
#include "jobstore.h"

#include <stdio.h>

static const char id_a[] = "aaaaaaaa-1111-4222-8333-444455556666";
static const char id_b[] = "bbbbbbbb-1111-4222-8333-444455556666";
static const char id_c[] = "cccccccc-1111-4222-8333-444455556666";
static const char id_d[] = "dddddddd-1111-4222-8333-444455556666";
static const char batch_id[] = "eeeeeeee-1111-4222-8333-444455556666";

typedef struct process {
    jobstore_client client;
    cql_jobs *jobs;
    cql_worker *w;
    jobstore *db;
    cqljob_verb verb; /* the first request of that kind meets the fate */
    jobstore_fate fate;
    int32_t from_state; /* of a change; 0: any */
    const char *only;   /* of this job; NULL: any */
    size_t meets;       /* so many of them */
    bool fails;
    int runs;
    cql_job *held;
    bool holds;
} process;

static jobstore_fate fate_of(jobstore_client *c, const cqljob_request *rq, void *user)
{
    process *p = user;
    (void)c;
    if (!p->meets || rq->verb != p->verb)
        return JOBSTORE_OK;
    if (p->only && strcmp(p->only, rq->id.ptr) != 0)
        return JOBSTORE_OK;
    if (p->from_state && rq->change->from_state != p->from_state)
        return JOBSTORE_OK;
    p->meets--;
    return p->fate;
}

static void handler(cql_job *job, void *user)
{
    process *p = user;
    p->runs++;
    if (p->holds)
        p->held = job;
    else if (p->fails)
        assert_int_equal(cql_job_fail(job, "no"), CQL_OK);
    else
        assert_int_equal(cql_job_complete(job, "yes"), CQL_OK);
}

static void begin(process *p, jobstore *db)
{
    jobstore_client_init(&p->client, db);
    p->client.fate = fate_of;
    p->client.user = p;
    p->db = db;
    p->jobs = jobstore_open(&p->client, NULL);
    assert_int_equal(cql_jobs_handle(p->jobs, "t", handler, p), CQL_OK);
}

static void work(process *p, size_t places, bool drain)
{
    cql_worker_options o = {.size = sizeof o, .lease_s = 30, .poll_ms = 1000};
    o.retry_delay_ms = 500;
    o.concurrency = (uint32_t)places;
    o.drain = drain;
    o.no_recurring = true;
    assert_int_equal(cql_worker_new(p->jobs, &o, &p->w, NULL), CQL_OK);
}

static void end(process *p)
{
    cql_worker_free(p->w);
    cql_jobs_free(p->jobs);
}

static void pass(process *p, int seconds)
{
    for (int i = 0; i < seconds * 50; i++) {
        (void)cql_worker_step(p->w);
        jobstore_run_until(p->db, jobstore_time(p->db) + 20000);
    }
}

static cql_job_spec spec_of(const char *id)
{
    return (cql_job_spec){.size = sizeof(cql_job_spec), .type = "t", .id = id, .max_retries = -1};
}

static void store(process *p, const cql_job_spec *spec)
{
    cql_error *err = NULL;
    if (cql_jobs_enqueue_wait(p->jobs, spec, NULL, &err))
        fail_msg("%s", cql_error_text(err));
}

static int state_of(jobstore *db, const char *id)
{
    const cql_job_info *job = jobstore_job(db, id);
    return job ? job->state : -1;
}

static int64_t now_ms(jobstore *db)
{
    return jobstore_time(db) / 1000;
}

static void on_job(cql_jobs *jobs, const cql_error *err, const cql_job_info *job, void *user)
{
    (void)jobs;
    (void)job;
    *(int *)user = err ? (int)cql_error_status(err) : 1;
}

/* --- retry by hand ---------------------------------------------------------------------------- */
/* A worker that comes by between the writes of a retry believes the job, which has ended. */
static void retry_survives_workers_that_sweep(void **state)
{
    jobstore *db = jobstore_new(0);
    process operator= {.verb = CQLJOB_CHANGE, .fate = JOBSTORE_DROPPED}, p = {.fails = true};
    cql_job_spec spec = spec_of(id_a);
    int done = 0;
    (void)state;
    begin(&operator, db);
    begin(&p, db);
    store(&operator, &spec);
    work(&p, 4, false);
    pass(&p, 5);
    assert_int_equal(state_of(db, id_a), CQL_JOB_ABANDONED);
    assert_int_equal(jobstore_due_rows(db, id_a, -1), 0);
    p.fails = false;
    operator.meets = 1;
    assert_int_equal(cql_jobs_retry(operator.jobs, id_a, on_job, &done), CQL_OK);
    pass(&p, 20);
    assert_int_equal(done, 1);
    assert_int_equal(state_of(db, id_a), CQL_JOB_SUCCEEDED);
    end(&operator);
    end(&p);
    jobstore_free(db);
}

/* The same for whoever lists, and the index of states. */
static void retry_survives_readers_that_sweep(void **state)
{
    jobstore *db = jobstore_new(0);
    process operator= {.verb = CQLJOB_CHANGE, .fate = JOBSTORE_DROPPED}, p = {.fails = false};
    cql_job_spec spec = spec_of(id_a);
    cql_job_list *list = NULL;
    int done = 0;
    (void)state;
    begin(&operator, db);
    begin(&p, db);
    spec.at_ms = now_ms(db) + 3600000;
    store(&operator, &spec);
    assert_int_equal(cql_jobs_cancel_wait(operator.jobs, id_a, NULL), CQL_OK);
    operator.meets = 1;
    assert_int_equal(cql_jobs_retry(operator.jobs, id_a, on_job, &done), CQL_OK);
    jobstore_run_until(db, jobstore_time(db) + 100000);
    assert_int_equal(cql_jobs_list_wait(p.jobs, CQL_JOB_SCHEDULED, 0, &list, NULL), CQL_OK);
    cql_job_list_free(list);
    jobstore_settle(db, 30);
    assert_int_equal(done, 1);
    assert_int_equal(state_of(db, id_a), CQL_JOB_SCHEDULED);
    assert_int_equal(jobstore_state_rows(db, id_a, CQL_JOB_SCHEDULED), 1);
    end(&operator);
    end(&p);
    jobstore_free(db);
}

static void retry_is_due_now(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = false};
    cql_job_spec spec = spec_of(id_a);
    (void)state;
    begin(&p, db);
    spec.at_ms = now_ms(db) + 7 * 86400000;
    store(&p, &spec);
    assert_int_equal(cql_jobs_cancel_wait(p.jobs, id_a, NULL), CQL_OK);
    assert_int_equal(cql_jobs_retry_wait(p.jobs, id_a, NULL), CQL_OK);
    work(&p, 4, false);
    pass(&p, 5);
    assert_int_equal(state_of(db, id_a), CQL_JOB_SUCCEEDED);
    assert_int_equal(jobstore_due_rows(db, id_a, -1), 0);
    assert_int_equal(jobstore_state_rows(db, id_a, -1), 1);
    end(&p);
    jobstore_free(db);
}

/* --- release ---------------------------------------------------------------------------------- */
static void release_survives_readers_that_sweep(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = false}, q = {.verb = CQLJOB_CHANGE, .fate = JOBSTORE_DROPPED};
    cql_job_spec spec = spec_of(id_a);
    cql_job_list *list = NULL;
    (void)state;
    begin(&p, db);
    begin(&q, db);
    store(&p, &spec);
    spec = spec_of(id_b);
    spec.type = "u"; /* runs nowhere here */
    spec.parent_id = id_a;
    store(&p, &spec);
    q.from_state = CQL_JOB_AWAITING_CONTINUATION;
    q.meets = 1;
    work(&q, 1, false);
    for (int i = 0; i < 200 && q.meets; i++) {
        (void)cql_worker_step(q.w);
        jobstore_run_until(db, jobstore_time(db) + 20000);
    }
    assert_int_equal(state_of(db, id_b), CQL_JOB_AWAITING_CONTINUATION);
    assert_int_equal(jobstore_state_rows(db, id_b, CQL_JOB_SCHEDULED), 1);
    assert_int_equal(cql_jobs_list_wait(p.jobs, CQL_JOB_SCHEDULED, 0, &list, NULL), CQL_OK);
    cql_job_list_free(list);
    pass(&q, 10);
    assert_int_equal(state_of(db, id_b), CQL_JOB_SCHEDULED);
    assert_int_equal(jobstore_state_rows(db, id_b, CQL_JOB_SCHEDULED), 1);
    assert_int_equal(jobstore_state_rows(db, id_b, -1), 1);
    end(&p);
    end(&q);
    jobstore_free(db);
}

/* The parent had succeeded when the child was stored, and was deleted before it was looked at again. */
static void child_runs_although_its_parent_was_deleted_meanwhile(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = false}, q = {.fails = false};
    cql_job_spec spec = spec_of(id_a);
    int done = 0;
    (void)state;
    begin(&p, db);
    begin(&q, db);
    store(&p, &spec);
    work(&q, 1, true);
    pass(&q, 2);
    assert_int_equal(state_of(db, id_a), CQL_JOB_SUCCEEDED);
    spec = spec_of(id_b);
    spec.parent_id = id_a;
    p.verb = CQLJOB_INSERT;
    p.fate = JOBSTORE_DROPPED;
    p.meets = 1;
    assert_int_equal(cql_jobs_enqueue(p.jobs, &spec, on_job, &done), CQL_OK);
    jobstore_run_until(db, jobstore_time(db) + 1000000);
    assert_int_equal(cql_jobs_delete_wait(q.jobs, id_a, NULL), CQL_OK);
    jobstore_settle(db, 30);
    assert_int_equal(done, 1);
    assert_int_equal(state_of(db, id_b), CQL_JOB_SCHEDULED);
    end(&p);
    end(&q);
    jobstore_free(db);
}

/* Repeating a call whose continuation was released in between makes it no member of its own batch. */
static void released_continuation_is_no_member(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = false}, q = {.fails = false};
    cql_job_spec member = spec_of(id_a), then = spec_of(id_b), late = spec_of(id_c);
    cql_job_info *job = NULL;
    (void)state;
    begin(&p, db);
    begin(&q, db);
    then.type = "u"; /* runs nowhere here */
    assert_int_equal(
        cql_jobs_enqueue_batch_wait(p.jobs, batch_id, &member, 1, &then, NULL, NULL), CQL_OK);
    work(&q, 1, false);
    pass(&q, 3);
    assert_int_equal(state_of(db, id_b), CQL_JOB_SCHEDULED);
    assert_int_equal(
        cql_jobs_enqueue_batch_wait(p.jobs, batch_id, &member, 1, &then, NULL, NULL), CQL_OK);
    assert_int_equal(jobstore_link_rows(db, id_b), 1);
    late.after_batch_id = batch_id;
    assert_int_equal(cql_jobs_enqueue_wait(p.jobs, &late, &job, NULL), CQL_OK);
    assert_int_equal(job->state, CQL_JOB_SCHEDULED);
    cql_job_info_free(job);
    end(&p);
    end(&q);
    jobstore_free(db);
}

/* Nobody would ever release it. */
static void a_parent_that_others_wait_for_is_not_deleted(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = true};
    cql_job_spec spec = spec_of(id_a);
    cql_cleanup_options o = {.size = sizeof o};
    cql_error *err = NULL;
    int64_t count = -1;
    (void)state;
    begin(&p, db);
    store(&p, &spec);
    spec = spec_of(id_b);
    spec.parent_id = id_a;
    store(&p, &spec);
    assert_int_equal(cql_jobs_delete_wait(p.jobs, id_a, &err), CQL_BAD_STATE);
    assert_non_null(strstr(cql_error_text(err), "other jobs wait for it"));
    work(&p, 1, true);
    pass(&p, 2);
    assert_int_equal(state_of(db, id_a), CQL_JOB_ABANDONED);
    assert_int_equal(cql_jobs_cleanup_wait(p.jobs, &o, &count, NULL), CQL_OK);
    assert_int_equal(count, 0);
    assert_int_equal(cql_jobs_cancel_wait(p.jobs, id_b, NULL), CQL_OK);
    assert_int_equal(cql_jobs_delete_wait(p.jobs, id_a, NULL), CQL_OK);
    assert_int_equal(cql_jobs_delete_wait(p.jobs, id_b, NULL), CQL_OK);
    assert_int_equal(jobstore_link_rows(db, NULL), 0);
    cql_error_unref(err);
    end(&p);
    jobstore_free(db);
}

/* Its worker died before it released the other. */
static void a_parent_that_is_deleted_releases_first(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.verb = CQLJOB_LINKS, .fate = JOBSTORE_DROPPED}, q = {.fails = false};
    cql_job_spec spec = spec_of(id_a);
    cql_cleanup_options o = {.size = sizeof o};
    int64_t count = -1;
    (void)state;
    begin(&p, db);
    begin(&q, db);
    store(&p, &spec);
    spec = spec_of(id_b);
    spec.parent_id = id_a;
    store(&p, &spec);
    p.meets = 1000000;
    work(&p, 1, false);
    pass(&p, 1);
    assert_int_equal(state_of(db, id_a), CQL_JOB_SUCCEEDED);
    p.client.dead = true;
    assert_int_equal(state_of(db, id_b), CQL_JOB_AWAITING_CONTINUATION);
    assert_int_equal(cql_jobs_cleanup_wait(q.jobs, &o, &count, NULL), CQL_OK);
    assert_int_equal(count, 1);
    assert_int_equal(state_of(db, id_b), CQL_JOB_SCHEDULED);
    end(&p);
    end(&q);
    jobstore_free(db);
}

/* More jobs wait for something that does not come than are looked at in one go. */
static void jobs_behind_many_that_wait_are_looked_after(void **state)
{
    enum { MANY = 1100 };
    jobstore *db = jobstore_new(0);
    process p = {.fails = false};
    cql_job_spec spec = spec_of(id_a);
    cql_job_info job;
    (void)state;
    begin(&p, db);
    cqljob_info_init(&job);
    job.type = cql_str_of("t");
    job.arguments = cql_str_of("");
    job.parent_job_id = cql_str_of(id_c); /* not there */
    job.state = CQL_JOB_AWAITING_CONTINUATION;
    for (int i = 0; i < MANY; i++) {
        char id[40];
        (void)snprintf(id, sizeof id, "%08x-1111-4222-8333-444455556666", (unsigned)i);
        job.id = cql_str_of(id);
        job.created_at = job.scheduled_at = 1000000 + i / 700; /* many in one millisecond */
        jobstore_put_job(db, &job);
        jobstore_put_state(db, job.state, job.created_at, id);
    }
    store(&p, &spec);
    job.id = cql_str_of(id_b); /* as another program would have stored it */
    job.parent_job_id = cql_str_of(id_a);
    job.created_at = job.scheduled_at = now_ms(db) - 5000;
    jobstore_put_job(db, &job);
    jobstore_put_state(db, job.state, job.created_at, id_b);
    work(&p, 4, false);
    pass(&p, 300);
    assert_int_equal(state_of(db, id_b), CQL_JOB_SUCCEEDED);
    end(&p);
    jobstore_free(db);
}

/* --- rows in the way -------------------------------------------------------------------------- */
static void fill_with_strangers(jobstore *db, int count, int bucket)
{
    cql_job_info job;
    cqljob_info_init(&job);
    job.type = cql_str_of("stranger");
    job.arguments = cql_str_of("");
    job.state = CQL_JOB_SCHEDULED;
    job.max_retry_count = 3;
    for (int i = 0; i < count; i++) {
        char id[40];
        (void)snprintf(id, sizeof id, "%08x-1111-4222-8333-444455556666", (unsigned)i);
        job.id = cql_str_of(id);
        job.created_at = job.scheduled_at = now_ms(db) - 3600000 + i / 10;
        jobstore_put_job(db, &job);
        jobstore_put_due(db, bucket, job.scheduled_at, id);
    }
}

static void drain_reads_behind_jobs_of_others(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = false};
    cql_job_spec spec = spec_of(id_a);
    (void)state;
    begin(&p, db);
    fill_with_strangers(db, 250, cqljob_bucket(cql_str_of(id_a), 10));
    store(&p, &spec);
    work(&p, 4, true);
    for (int i = 0; i < 3000 && !cql_worker_is_finished(p.w); i++) {
        (void)cql_worker_step(p.w);
        jobstore_run_until(db, jobstore_time(db) + 20000);
    }
    assert_true(cql_worker_is_finished(p.w));
    assert_int_equal(state_of(db, id_a), CQL_JOB_SUCCEEDED);
    end(&p);
    jobstore_free(db);
}

/* Jobs that run elsewhere, more than a page of them: all are taken back when their worker is gone. */
static void jobs_at_the_edges_of_pages_are_taken_back(void **state)
{
    enum { MANY = 35 };
    jobstore *db = jobstore_new(0);
    process p = {.fails = false};
    cql_worker_options o = {.size = sizeof o, .lease_s = 30, .poll_ms = 1000, .batch = 10};
    cql_job_info job;
    (void)state;
    begin(&p, db);
    cqljob_info_init(&job);
    job.type = cql_str_of("t");
    job.arguments = cql_str_of("");
    job.claim = cql_str_of("{}");
    job.state = CQL_JOB_PROCESSING;
    job.max_retry_count = 3;
    job.executed_at = now_ms(db);
    for (int i = 0; i < MANY; i++) {
        char id[40];
        (void)snprintf(id, sizeof id, "%08x-1111-4222-8333-444455556666", (unsigned)i);
        job.id = cql_str_of(id);
        job.created_at = job.scheduled_at = now_ms(db) - 100000 + i / 3;
        jobstore_put_job(db, &job);
        jobstore_put_due(db, 5, job.scheduled_at, id);
    }
    assert_int_equal(cql_worker_new(p.jobs, &o, &p.w, NULL), CQL_OK);
    pass(&p, 200);
    assert_int_equal(p.runs, MANY);
    end(&p);
    jobstore_free(db);
}

/* A row that no program of ours has written, and that none can read. */
static void a_job_that_cannot_be_read_slows_nobody(void **state)
{
    enum { MANY = 2500 };
    jobstore *db = jobstore_new(0);
    cql_worker_options o = {.size = sizeof o, .concurrency = 100, .drain = true, .no_recurring = true};
    process p = {.verb = CQLJOB_GET, .fate = JOBSTORE_GARBLED, .meets = 1000000, .only = id_b};
    cql_job_spec spec = spec_of(id_b);
    (void)state;
    begin(&p, db);
    store(&p, &spec);
    for (int i = 0; i < MANY; i++) {
        spec = spec_of(NULL);
        store(&p, &spec);
    }
    assert_int_equal(cql_worker_new(p.jobs, &o, &p.w, NULL), CQL_OK);
    for (int i = 0; i < 6 * 50 && !cql_worker_is_finished(p.w); i++) {
        (void)cql_worker_step(p.w);
        jobstore_run_until(db, jobstore_time(db) + 20000);
    }
    assert_true(cql_worker_is_finished(p.w));
    assert_int_equal(p.runs, MANY);
    end(&p);
    jobstore_free(db);
}

/* As another program would have stored it. */
static void put(jobstore *db, const char *id, const char *parent, int32_t state, int64_t at_ms)
{
    cql_job_info job;
    cqljob_info_init(&job);
    job.id = cql_str_of(id);
    job.type = cql_str_of("t");
    job.arguments = cql_str_of("");
    job.parent_job_id = cql_str_of(parent);
    job.state = state;
    job.created_at = job.scheduled_at = at_ms;
    jobstore_put_job(db, &job);
    jobstore_put_state(db, state, at_ms, id);
}

/* One of those that wait cannot be read, or what it waits for. */
static void a_job_that_cannot_be_read_keeps_nobody_waiting(void **state)
{
    static const char *const parents[] = {id_c, id_b};
    (void)state;
    for (int i = 0; i < 2; i++) {
        jobstore *db = jobstore_new(0);
        process p = {.verb = CQLJOB_GET, .fate = JOBSTORE_GARBLED, .meets = 1000000, .only = id_b};
        begin(&p, db);
        put(db, id_a, NULL, CQL_JOB_SUCCEEDED, now_ms(db) - 9000);
        put(db, i ? id_d : id_b, parents[i], CQL_JOB_AWAITING_CONTINUATION, now_ms(db) - 8000);
        put(db, id_c, id_a, CQL_JOB_AWAITING_CONTINUATION, now_ms(db) - 7000);
        work(&p, 4, false);
        pass(&p, 150);
        assert_int_equal(state_of(db, id_c), CQL_JOB_SUCCEEDED);
        end(&p);
        jobstore_free(db);
    }
}

/* More than a round puts up with, in front of one that can be released. */
static void jobs_behind_many_that_fail_are_looked_after(void **state)
{
    enum { MANY = 60 };
    jobstore *db = jobstore_new(0);
    process p = {.verb = CQLJOB_GET, .fate = JOBSTORE_GARBLED, .meets = 1000000, .only = id_b};
    (void)state;
    begin(&p, db);
    put(db, id_a, NULL, CQL_JOB_SUCCEEDED, now_ms(db) - 9000);
    for (int i = 0; i < MANY; i++) {
        char id[40];
        (void)snprintf(id, sizeof id, "%08x-1111-4222-8333-444455556666", (unsigned)i);
        put(db, id, id_b, CQL_JOB_AWAITING_CONTINUATION, now_ms(db) - 8000 + i / 10);
    }
    put(db, id_c, id_a, CQL_JOB_AWAITING_CONTINUATION, now_ms(db) - 7000);
    work(&p, 4, false);
    pass(&p, 600);
    assert_int_equal(state_of(db, id_c), CQL_JOB_SUCCEEDED);
    end(&p);
    jobstore_free(db);
}

static void siblings_of_a_job_that_cannot_be_read_are_released(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.verb = CQLJOB_GET, .fate = JOBSTORE_GARBLED, .only = id_b};
    cql_job_spec spec = spec_of(id_a);
    (void)state;
    begin(&p, db);
    store(&p, &spec);
    spec = spec_of(id_b);
    spec.parent_id = id_a;
    store(&p, &spec);
    spec = spec_of(id_c);
    spec.parent_id = id_a;
    store(&p, &spec);
    p.meets = 1000000;
    work(&p, 4, false);
    pass(&p, 5);
    assert_int_equal(state_of(db, id_c), CQL_JOB_SUCCEEDED);
    assert_int_equal(jobstore_due_rows(db, id_a, -1), 0);
    end(&p);
    jobstore_free(db);
}

static void keep_warning(void *user, cql_str text)
{
    char **kept = user;
    assert_null(*kept);
    *kept = strndup(text.ptr, text.len);
}

static void a_job_that_cannot_be_read_is_left_out_of_lists(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.verb = CQLJOB_GET, .fate = JOBSTORE_GARBLED, .meets = 1000000, .only = id_b};
    static const char *const ids[] = {id_a, id_b, id_c};
    cql_job_list *list = NULL;
    char *warning = NULL;
    (void)state;
    begin(&p, db);
    p.jobs->set.on_warning = keep_warning;
    p.jobs->set.user = &warning;
    for (int i = 0; i < 3; i++) {
        cql_job_spec spec = spec_of(ids[i]);
        store(&p, &spec);
    }
    assert_int_equal(cql_jobs_list_wait(p.jobs, CQL_JOB_SCHEDULED, 0, &list, NULL), CQL_OK);
    assert_int_equal(cql_job_list_count(list), 2);
    assert_non_null(warning);
    assert_non_null(strstr(warning, id_b));
    assert_int_equal(jobstore_state_rows(db, id_b, CQL_JOB_SCHEDULED), 1);
    free(warning);
    cql_job_list_free(list);
    end(&p);
    jobstore_free(db);
}

/* More than a worker remembers. */
static void jobs_behind_very_many_of_others_are_run(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = false};
    cql_job_spec spec = spec_of(id_a);
    (void)state;
    begin(&p, db);
    fill_with_strangers(db, CQLJOB_MEMO_MOST + 300, cqljob_bucket(cql_str_of(id_a), 10));
    store(&p, &spec);
    work(&p, 100, false);
    for (int i = 0; i < 120 && !p.runs; i++)
        pass(&p, 5);
    assert_int_equal(p.runs, 1);
    end(&p);
    jobstore_free(db);
}

/* --- clocks ----------------------------------------------------------------------------------- */
/* A worker whose clock was an hour ahead has left marks that are still to come. */
static void marks_of_a_clock_ahead_hide_nothing(void **state)
{
    jobstore *db = jobstore_new(0);
    process ahead = {.fails = false}, p = {.fails = false};
    cql_job_spec spec = spec_of(id_a);
    (void)state;
    begin(&ahead, db);
    begin(&p, db);
    ahead.client.ahead_us = INT64_C(3600) * 1000000;
    work(&ahead, 1, false);
    pass(&ahead, 300);
    store(&p, &spec);
    cql_worker_free(ahead.w);
    ahead.w = NULL;
    work(&p, 1, false);
    pass(&p, 10);
    assert_int_equal(state_of(db, id_a), CQL_JOB_SUCCEEDED);
    end(&ahead);
    end(&p);
    jobstore_free(db);
}

/* A clock that was set right again is not waited for. */
static void clock_that_was_ahead_for_a_moment_hides_nothing(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = false}, q = {.fails = false};
    cql_job_spec spec = spec_of(id_a);
    (void)state;
    begin(&p, db);
    begin(&q, db);
    work(&p, 4, false);
    pass(&p, 5);
    p.client.ahead_us = INT64_C(86400) * 1000000;
    pass(&p, 30);
    store(&q, &spec);
    pass(&p, 5);
    p.client.ahead_us = 0;
    spec = spec_of(id_b);
    store(&q, &spec);
    pass(&p, 10);
    assert_int_equal(state_of(db, id_b), CQL_JOB_SUCCEEDED);
    assert_int_equal(state_of(db, id_a), CQL_JOB_SUCCEEDED); /* stored behind where it looked */
    end(&p);
    end(&q);
    jobstore_free(db);
}

/* A deep look that begins while a bucket is being visited holds for that bucket too. */
static void deep_looks_see_the_bucket_at_hand(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = false};
    cql_job_info job;
    int32_t bucket = cqljob_bucket(cql_str_of(id_a), 10);
    (void)state;
    begin(&p, db);
    work(&p, 1, false);
    pass(&p, 300);
    cqljob_info_init(&job);
    job.id = cql_str_of(id_a);
    job.type = cql_str_of("t");
    job.arguments = cql_str_of("");
    job.state = CQL_JOB_SCHEDULED;
    job.created_at = job.scheduled_at = now_ms(db) - 3600000; /* by a clock far behind */
    jobstore_put_job(db, &job);
    jobstore_put_due(db, bucket, job.scheduled_at, id_a);
    for (int i = 0; i < 100000 && !(p.w->scan.flying && p.w->scan.bucket == bucket); i++) {
        (void)cql_worker_step(p.w);
        jobstore_run_until(db, jobstore_time(db) + 500);
    }
    assert_non_null(p.w->scan.flying);
    p.w->scan.from[bucket] = 0; /* as the chore does */
    pass(&p, 10);
    assert_int_equal(state_of(db, id_a), CQL_JOB_SUCCEEDED);
    end(&p);
    jobstore_free(db);
}

/* Whatever their age: also those of a program whose clock is ahead. */
static void cleanup_of_all_takes_jobs_of_clocks_ahead(void **state)
{
    jobstore *db = jobstore_new(0);
    process ahead = {.fails = false}, p = {.fails = false};
    cql_job_spec spec = spec_of(id_a);
    int64_t count = -1;
    (void)state;
    begin(&ahead, db);
    begin(&p, db);
    ahead.client.ahead_us = INT64_C(60) * 1000000;
    store(&ahead, &spec);
    assert_int_equal(cql_jobs_cancel_wait(p.jobs, id_a, NULL), CQL_OK);
    assert_int_equal(cql_jobs_cleanup_wait(p.jobs, NULL, &count, NULL), CQL_OK);
    assert_int_equal(count, 1);
    end(&ahead);
    end(&p);
    jobstore_free(db);
}

/* Each that is deleted makes room for one more that has just ended. */
static jobstore_fate end_another(jobstore_client *c, const cqljob_request *rq, void *user)
{
    process *p = user;
    char id[40];
    if (rq->verb != CQLJOB_CHANGE || !rq->change->remove || p->meets > 2000)
        return JOBSTORE_OK;
    (void)snprintf(id, sizeof id, "%08zx-1111-4222-8333-444455556666", ++p->meets);
    put(c->db, id, NULL, CQL_JOB_CANCELLED, now_ms(c->db));
    return JOBSTORE_OK;
}

static void cleanup_of_all_ends_although_jobs_go_on_ending(void **state)
{
    enum { MANY = 150 };
    jobstore *db = jobstore_new(0);
    process p = {.fails = false};
    int64_t count = -1;
    (void)state;
    begin(&p, db);
    for (unsigned i = 0; i < MANY; i++) {
        char id[40];
        (void)snprintf(id, sizeof id, "%08x-2222-4222-8333-444455556666", i);
        put(db, id, NULL, CQL_JOB_CANCELLED, now_ms(db) - MANY + i);
    }
    jobstore_run_until(db, jobstore_time(db) + 1000000);
    p.client.fate = end_another;
    assert_int_equal(cql_jobs_cleanup_wait(p.jobs, NULL, &count, NULL), CQL_OK);
    assert_int_equal(count, MANY);
    assert_int_equal(jobstore_jobs(db, CQL_JOB_CANCELLED), MANY);
    end(&p);
    jobstore_free(db);
}

/* More than a page of one time, each of which another job waits for; and one that cannot be deleted. */
static void cleanup_goes_past_what_it_leaves(void **state)
{
    enum { MANY = 70 };
    jobstore *db = jobstore_new(0);
    process p = {.verb = CQLJOB_CHANGE, .fate = JOBSTORE_REFUSED, .only = id_c};
    int64_t count = -1;
    (void)state;
    begin(&p, db);
    for (unsigned i = 0; i < MANY; i++) {
        char id[40], child[40];
        cql_job_spec spec = spec_of(child);
        (void)snprintf(id, sizeof id, "%08x-3333-4222-8333-444455556666", i);
        (void)snprintf(child, sizeof child, "%08x-4444-4222-8333-444455556666", i);
        put(db, id, NULL, CQL_JOB_ABANDONED, 3000);
        spec.parent_id = id;
        store(&p, &spec);
    }
    put(db, id_c, NULL, CQL_JOB_ABANDONED, 2000);
    put(db, id_a, NULL, CQL_JOB_ABANDONED, now_ms(db) - 1000);
    p.meets = 1000000;
    assert_int_equal(cql_jobs_cleanup_wait(p.jobs, NULL, &count, NULL), CQL_SERVER_UNAVAILABLE);
    assert_int_equal(count, 1);
    assert_int_equal(state_of(db, id_a), -1);
    assert_int_equal(jobstore_jobs(db, CQL_JOB_ABANDONED), MANY + 1);
    p.meets = 0;
    assert_int_equal(cql_jobs_cleanup_wait(p.jobs, NULL, &count, NULL), CQL_OK);
    assert_int_equal(count, 1);
    end(&p);
    jobstore_free(db);
}

/* Jobs of one time, of which `left` cannot go since others wait for them; whatever the order, those that can do. */
static void cleans_up(unsigned left, unsigned free_ones, uint32_t limit)
{
    jobstore *db = jobstore_new(0);
    process p = {0};
    cql_cleanup_options o = {.size = sizeof o, .limit = limit};
    int64_t count = -1;
    begin(&p, db);
    for (unsigned i = 0; i < left + free_ones; i++) {
        char id[40], child[40];
        cql_job_spec spec = spec_of(child);
        (void)snprintf(id, sizeof id, "%08x-3333-4222-8333-444455556666", i);
        (void)snprintf(child, sizeof child, "%08x-4444-4222-8333-444455556666", i);
        put(db, id, NULL, CQL_JOB_ABANDONED, 3000);
        spec.parent_id = id;
        if (i < left)
            store(&p, &spec);
    }
    for (unsigned gone = 0; gone < free_ones; gone += (unsigned)count) {
        assert_int_equal(cql_jobs_cleanup_wait(p.jobs, &o, &count, NULL), CQL_OK);
        assert_int_equal(count, limit < free_ones - gone ? limit : free_ones - gone);
    }
    assert_int_equal(jobstore_jobs(db, CQL_JOB_ABANDONED), left);
    end(&p);
    jobstore_free(db);
}

static void cleanup_with_a_limit_passes_over_nothing(void **state)
{
    (void)state;
    cleans_up(1, 2, 1);
    cleans_up(5, 7, 2);
    cleans_up(70, 3, 2); /* more than a page that is left */
    cleans_up(200, 100, 60);
}

/* --- answers that are lost -------------------------------------------------------------------- */
/* The insert is half done on the servers: nobody sees it until somebody asks serially. */
static void insert_half_done_keeps_its_rows(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.verb = CQLJOB_INSERT, .fate = JOBSTORE_HALF}, q = {.fails = false};
    cql_job_spec spec = spec_of(id_a);
    int done = 0;
    (void)state;
    begin(&p, db);
    begin(&q, db);
    p.meets = 1;
    assert_int_equal(cql_jobs_enqueue(p.jobs, &spec, on_job, &done), CQL_OK);
    jobstore_run_until(db, jobstore_time(db) + 10000);
    p.client.dead = true;
    work(&q, 4, false);
    pass(&q, 300); /* well over the grace period */
    p.client.dead = false;
    store(&p, &spec); /* whoever repeats it is told that it is there */
    pass(&q, 10);
    assert_int_equal(state_of(db, id_a), CQL_JOB_SUCCEEDED);
    end(&p);
    end(&q);
    jobstore_free(db);
}

/* The rows after the claim were not written, and the lease is renewed before the job ends. */
static void rows_of_a_claim_are_made_up_for_after_renewals(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.verb = CQLJOB_INDEX, .fate = JOBSTORE_REFUSED, .holds = true};
    cql_job_spec spec = spec_of(id_a);
    (void)state;
    begin(&p, db);
    store(&p, &spec);
    p.meets = 1;
    work(&p, 1, false);
    pass(&p, 15); /* a renewal */
    assert_non_null(p.held);
    assert_int_equal(p.meets, 0);
    assert_int_equal(cql_job_complete(p.held, NULL), CQL_OK);
    pass(&p, 5);
    assert_int_equal(state_of(db, id_a), CQL_JOB_SUCCEEDED);
    assert_int_equal(jobstore_state_rows(db, id_a, -1), 1);
    end(&p);
    jobstore_free(db);
}

/* Nodes may find too few replicas when all but the last round of a conditional write is done. */
static void only_clear_refusals_are_certain(void **state)
{
    static const cql_status open[] = {CQL_SERVER_UNAVAILABLE,   CQL_SERVER_WRITE_TIMEOUT,
                                      CQL_SERVER_READ_TIMEOUT,  CQL_SERVER_WRITE_FAILURE,
                                      CQL_SERVER_CAS_WRITE_UNKNOWN, CQL_TIMEOUT},
                            certain[] = {CQL_SERVER_INVALID, CQL_SERVER_OVERLOADED,
                                         CQL_SERVER_UNAUTHORIZED, CQL_WOULD_BLOCK};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(open); i++) {
        cql_error *err = cql_error_make(NULL, open[i], NULL, "");
        assert_true(cqljob_is_open(err));
        cql_error_unref(err);
    }
    for (size_t i = 0; i < CQL_COUNT(certain); i++) {
        cql_error *err = cql_error_make(NULL, certain[i], NULL, "");
        assert_false(cqljob_is_open(err));
        cql_error_unref(err);
    }
}

static void flushed(cql_jobs *jobs, const cql_error *err, void *user)
{
    (void)jobs;
    *(int *)user = err ? (int)cql_error_status(err) : 1;
}

/* The counters cannot be sent: whoever waits for them is told. */
static void flush_that_cannot_send_is_told(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.fails = false};
    cql_job_spec spec = spec_of(id_a);
    int first = 0, done = 0;
    (void)state;
    begin(&p, db);
    assert_int_equal(cql_jobs_enqueue(p.jobs, &spec, on_job, &first), CQL_OK);
    jobstore_run_until(db, jobstore_time(db) + 1500); /* the insert is under way */
    p.client.dead = true;                             /* what is under way is answered */
    jobstore_settle(db, 10);
    assert_int_equal(first, 1);
    p.client.dead = false;
    assert_int_equal(cql_jobs_flush(p.jobs, flushed, &done), CQL_OK);
    p.client.dead = true;
    jobstore_settle(db, 10);
    assert_int_equal(done, CQL_CLOSED);
    end(&p);
    jobstore_free(db);
}

/* Somebody changes a schedule, by a clock that is a little behind, while an occurrence of it becomes a job. */
static void firing_leaves_changes_of_others_alone(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.verb = CQLJOB_INSERT, .fate = JOBSTORE_DROPPED, .meets = 1}, q = {.fails = false};
    cql_worker_options o = {.size = sizeof o, .poll_ms = 1000};
    cql_recurring_spec spec = {.size = sizeof spec, .id = "each minute", .cron = "* * * * *", .type = "t"};
    const cql_recurring_info *row;
    (void)state;
    begin(&p, db);
    begin(&q, db);
    q.client.ahead_us = -5 * INT64_C(1000000);
    spec.arguments = cql_str_of("old");
    assert_int_equal(cql_jobs_recurring_set_wait(q.jobs, &spec, NULL), CQL_OK);
    assert_int_equal(cql_worker_new(p.jobs, &o, &p.w, NULL), CQL_OK);
    for (int i = 0; i < 60 * 50 && p.meets; i++) {
        (void)cql_worker_step(p.w);
        jobstore_run_until(db, jobstore_time(db) + 20000);
    }
    spec.arguments = cql_str_of("new");
    assert_int_equal(cql_jobs_recurring_set_wait(q.jobs, &spec, NULL), CQL_OK);
    pass(&p, 10);
    row = cql_recurring_list_at(jobstore_recurring(db), 0);
    assert_int_equal(p.runs, 1);
    assert_string_equal(row->arguments.ptr, "new");
    assert_true(row->next_execution > now_ms(db));
    assert_true(row->last_execution < row->next_execution);
    end(&p);
    end(&q);
    jobstore_free(db);
}

/* --- a full queue ----------------------------------------------------------------------------- */
static void calls_that_wait_wait_for_room(void **state)
{
    jobstore *db = jobstore_new(0);
    process p = {.verb = CQLJOB_INDEX, .fate = JOBSTORE_BLOCKED, .meets = 3};
    cql_job_spec spec = spec_of(id_a);
    cql_job_list *list = NULL;
    cql_error *err = NULL;
    int64_t count = -1;
    (void)state;
    begin(&p, db);
    store(&p, &spec);
    p.verb = CQLJOB_INSERT; /* in the middle of the call */
    p.meets = 3;
    spec.id = id_b;
    store(&p, &spec);
    p.verb = CQLJOB_LIST;
    p.meets = 3;
    assert_int_equal(cql_jobs_list_wait(p.jobs, CQL_JOB_SCHEDULED, 0, &list, NULL), CQL_OK);
    assert_int_equal(cql_job_list_count(list), 2);
    cql_job_list_free(list);
    p.verb = CQLJOB_CHANGE;
    p.meets = 3;
    assert_int_equal(cql_jobs_cancel_wait(p.jobs, id_a, NULL), CQL_OK);
    p.verb = CQLJOB_COUNT;
    p.meets = 3;
    assert_int_equal(cql_jobs_flush_wait(p.jobs, NULL), CQL_OK);
    assert_int_equal(cql_jobs_count_wait(p.jobs, CQL_JOB_SCHEDULED, &count, NULL), CQL_OK);
    assert_int_equal(count, 1);
    p.verb = CQLJOB_GET;
    p.meets = 1000000; /* there never is room */
    assert_int_equal(cql_jobs_get_wait(p.jobs, id_a, NULL, &err), CQL_WOULD_BLOCK);
    cql_error_unref(err);
    end(&p);
    jobstore_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry_survives_workers_that_sweep),
        cmocka_unit_test(retry_survives_readers_that_sweep),
        cmocka_unit_test(retry_is_due_now),
        cmocka_unit_test(release_survives_readers_that_sweep),
        cmocka_unit_test(child_runs_although_its_parent_was_deleted_meanwhile),
        cmocka_unit_test(released_continuation_is_no_member),
        cmocka_unit_test(a_parent_that_others_wait_for_is_not_deleted),
        cmocka_unit_test(a_parent_that_is_deleted_releases_first),
        cmocka_unit_test(jobs_behind_many_that_wait_are_looked_after),
        cmocka_unit_test(drain_reads_behind_jobs_of_others),
        cmocka_unit_test(jobs_at_the_edges_of_pages_are_taken_back),
        cmocka_unit_test(a_job_that_cannot_be_read_slows_nobody),
        cmocka_unit_test(jobs_behind_very_many_of_others_are_run),
        cmocka_unit_test(marks_of_a_clock_ahead_hide_nothing),
        cmocka_unit_test(clock_that_was_ahead_for_a_moment_hides_nothing),
        cmocka_unit_test(deep_looks_see_the_bucket_at_hand),
        cmocka_unit_test(cleanup_of_all_takes_jobs_of_clocks_ahead),
        cmocka_unit_test(cleanup_of_all_ends_although_jobs_go_on_ending),
        cmocka_unit_test(cleanup_goes_past_what_it_leaves),
        cmocka_unit_test(cleanup_with_a_limit_passes_over_nothing),
        cmocka_unit_test(a_job_that_cannot_be_read_keeps_nobody_waiting),
        cmocka_unit_test(jobs_behind_many_that_fail_are_looked_after),
        cmocka_unit_test(siblings_of_a_job_that_cannot_be_read_are_released),
        cmocka_unit_test(a_job_that_cannot_be_read_is_left_out_of_lists),
        cmocka_unit_test(insert_half_done_keeps_its_rows),
        cmocka_unit_test(rows_of_a_claim_are_made_up_for_after_renewals),
        cmocka_unit_test(only_clear_refusals_are_certain),
        cmocka_unit_test(flush_that_cannot_send_is_told),
        cmocka_unit_test(firing_leaves_changes_of_others_alone),
        cmocka_unit_test(calls_that_wait_wait_for_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
