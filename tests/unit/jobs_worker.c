/* The worker: claiming, running, renewing, retrying, taking back, stopping, with clocks and answers
 * that fail. Time is the test's. */
#include "unit.h"

#include "jobs/worker.h"
#include "jobstore.h"

static const char id_a[] = "aaaaaaaa-1111-4222-8333-444455556666";

enum { JOBS_MAX = 64 };

/* A process: a client with a clock, its store object, a worker, and what its handler did. */
typedef struct process {
    jobstore_client client;
    cql_jobs *jobs;
    cql_worker *w;
    int64_t wake_us; /* when it wants to be stepped */
    int events[CQL_WORKER_UNHANDLED + 1];
    char text[256]; /* of the newest event that had one */
    int64_t retry_at;
    /* what the handler does with a job */
    enum { SUCCEED, FAIL, KEEP, BACK } habit;
    int fails_first; /* FAIL for so many runs, then SUCCEED */
    const char *result;
    cql_job *kept[JOBS_MAX]; /* by KEEP */
    size_t kept_count;
    int64_t tokens[JOBS_MAX];
    size_t runs;
    int lost;
    int block_calls; /* requests to let through before the rest meets `fate`, */
    int meets;       /* and how many do; 0: all */
    jobstore_fate fate;
    bool faulty;
    cqljob_verb faulty_verb;
    bool any_verb;
    bool deaf; /* nor can it look what came of it */
} process;

typedef struct scene {
    jobstore *db;
    failmalloc f;
    process a, b;
} scene;

static void on_event(void *user, const cql_worker_event *e)
{
    process *p = user;
    p->events[e->kind]++;
    if (e->text[0])
        snprintf(p->text, sizeof p->text, "%s", e->text);
    if (e->kind == CQL_WORKER_RETRY)
        p->retry_at = e->at_ms;
    assert_int_equal(e->job != NULL,
                     e->kind != CQL_WORKER_TROUBLE && e->kind != CQL_WORKER_RESUMED);
    assert_int_equal(e->err != NULL && e->kind != CQL_WORKER_UNKNOWN,
                     e->kind == CQL_WORKER_TROUBLE || e->kind == CQL_WORKER_UNHANDLED);
    if (e->kind == CQL_WORKER_UNHANDLED)
        snprintf(p->text, sizeof p->text, "%d %s", (int)cql_error_status(e->err) == CQL_NOT_FOUND,
                 cql_error_text(e->err));
}

static void on_wake(cql_worker *w, void *user)
{
    process *p = user;
    (void)w;
    p->wake_us = INT64_MIN;
}

static void on_lost(cql_job *job, void *user)
{
    process *p = user;
    assert_true(cql_job_is_lost(job));
    p->lost++;
}

static void handler(cql_job *job, void *user)
{
    process *p = user;
    p->tokens[p->runs % JOBS_MAX] = cql_job_token(job);
    p->runs++;
    if (p->habit == KEEP) {
        cql_job_on_lost(job, on_lost, p);
        p->kept[p->kept_count++] = job;
    } else if (p->habit == BACK) {
        cql_job_give_back(job);
    } else if (p->habit == FAIL || (int)p->runs <= p->fails_first) {
        assert_int_equal(cql_job_fail(job, "handler said no"), CQL_OK);
    } else {
        assert_int_equal(cql_job_complete(job, p->result), CQL_OK);
    }
}

static jobstore_fate fate_of(jobstore_client *c, const cqljob_request *rq, void *user)
{
    process *p = user;
    (void)c;
    if (!p->faulty)
        return JOBSTORE_OK;
    if (p->deaf && rq->verb == CQLJOB_GET)
        return JOBSTORE_DROPPED;
    if (!p->any_verb && rq->verb != p->faulty_verb)
        return JOBSTORE_OK;
    if (p->block_calls-- > 0)
        return JOBSTORE_OK;
    p->faulty = p->meets-- != 1;
    return p->fate;
}

static void process_begin(process *p, scene *s)
{
    memset(p, 0, sizeof *p);
    jobstore_client_init(&p->client, s->db);
    p->client.fate = fate_of;
    p->client.user = p;
    p->jobs = jobstore_open(&p->client, &s->f.al);
    p->result = "42";
    assert_int_equal(cql_jobs_handle(p->jobs, NULL, handler, p), CQL_OK);
}

static void process_work(process *p, const cql_worker_options *more)
{
    cql_worker_options o = {.size = sizeof o};
    if (more)
        o = *more;
    o.on_event = on_event;
    o.on_wake = on_wake;
    o.user = p;
    assert_int_equal(cql_worker_new(p->jobs, &o, &p->w, NULL), CQL_OK);
    p->wake_us = INT64_MIN;
}

/* As SIGKILL would end it: nothing is said to anybody. */
static void process_die(process *p)
{
    p->client.dead = true;
    cql_worker_free(p->w);
    p->w = NULL;
    for (size_t i = 0; i < p->kept_count; i++)
        cql_job_give_back(p->kept[i]); /* frees what the handler held */
    p->kept_count = 0;
}

static void begin(scene *s)
{
    memset(s, 0, sizeof *s);
    failmalloc_init(&s->f);
    s->db = jobstore_new(0);
    process_begin(&s->a, s);
    process_begin(&s->b, s);
}

static void process_end(process *p)
{
    cql_worker_free(p->w);
    for (size_t i = 0; i < p->kept_count; i++)
        cql_job_give_back(p->kept[i]);
    cql_jobs_free(p->jobs);
}

static void end(scene *s)
{
    process_end(&s->a);
    process_end(&s->b);
    jobstore_free(s->db);
    assert_int_equal(atomic_load(&s->f.live), 0);
}

static void step(process *p, const scene *s)
{
    int ms;
    if (!p->w || p->wake_us > jobstore_time(s->db))
        return;
    p->wake_us = INT64_MAX;
    ms = cql_worker_step(p->w);
    if (ms >= 0 && p->wake_us == INT64_MAX)
        p->wake_us = jobstore_time(s->db) + ms * 1000LL;
}

/* Lets `ms` of time pass. */
static void pass(scene *s, int64_t ms)
{
    int64_t until = jobstore_time(s->db) + ms * 1000;
    for (;;) {
        int64_t next = jobstore_next(s->db);
        step(&s->a, s);
        step(&s->b, s);
        next = jobstore_next(s->db) < next ? jobstore_next(s->db) : next;
        if (s->a.w && s->a.wake_us < next)
            next = s->a.wake_us;
        if (s->b.w && s->b.wake_us < next)
            next = s->b.wake_us;
        if (next > until)
            break;
        jobstore_run_until(s->db, next > jobstore_time(s->db) ? next : jobstore_time(s->db));
    }
    jobstore_run_until(s->db, until);
}

static void add(scene *s, const char *id, int32_t max_retries)
{
    cql_job_spec spec = {.size = sizeof spec, .type = "mail", .id = id, .max_retries = max_retries};
    spec.arguments = cql_str_of("{}");
    assert_int_equal(cql_jobs_enqueue_wait(s->a.jobs, &spec, NULL, NULL), CQL_OK);
}

static const cql_job_info *job(const scene *s)
{
    return jobstore_job(s->db, id_a);
}

static int64_t now_ms(const scene *s)
{
    return jobstore_time(s->db) / 1000;
}

/* The tables hold exactly what belongs to an ended job. */
static void assert_ended(const scene *s, int32_t state)
{
    assert_int_equal(job(s)->state, state);
    assert_int_equal(jobstore_due_rows(s->db, id_a, -1), 0);
    assert_int_equal(jobstore_state_rows(s->db, id_a, state), 1);
    assert_int_equal(jobstore_state_rows(s->db, id_a, -1), 1);
}

/* --- one worker ------------------------------------------------------------------------------- */
static void job_is_run_and_its_result_stored(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    process_work(&s.a, NULL);
    pass(&s, 1000);
    assert_int_equal(s.a.runs, 1);
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    assert_string_equal(job(&s)->result.ptr, "42");
    assert_int_equal(job(&s)->executed_at, s.a.tokens[0]);
    assert_int_equal(s.a.events[CQL_WORKER_CLAIMED], 1);
    assert_int_equal(s.a.events[CQL_WORKER_SUCCEEDED], 1);
    assert_int_equal(cql_worker_running(s.a.w), 0);
    end(&s);
}

static void job_that_always_fails_runs_four_times(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.habit = FAIL;
    process_work(&s.a, NULL);
    pass(&s, 1000);
    assert_int_equal(s.a.runs, 1);
    assert_int_equal(job(&s)->state, CQL_JOB_SCHEDULED);
    assert_int_equal(job(&s)->retry_count, 1);
    assert_int_equal(job(&s)->scheduled_at, s.a.retry_at);
    assert_string_equal(job(&s)->error_message.ptr, "handler said no");
    assert_int_equal(jobstore_due_rows(s.db, id_a, -1), 1);
    assert_int_equal(jobstore_state_rows(s.db, id_a, 1), 1);
    assert_int_equal(jobstore_state_rows(s.db, id_a, -1), 1);
    pass(&s, 28000); /* the retry delay is kept */
    assert_int_equal(s.a.runs, 1);
    pass(&s, 3000);
    assert_int_equal(s.a.runs, 2);
    pass(&s, 100000);
    assert_int_equal(s.a.runs, 4);
    assert_ended(&s, CQL_JOB_ABANDONED);
    assert_int_equal(job(&s)->retry_count, 3);
    assert_string_equal(job(&s)->error_message.ptr, "handler said no");
    assert_int_equal(s.a.events[CQL_WORKER_RETRY], 3);
    assert_int_equal(s.a.events[CQL_WORKER_ABANDONED], 1);
    for (int i = 1; i < 4; i++)
        assert_true(s.a.tokens[i] > s.a.tokens[i - 1]);
    end(&s);
}

static void job_that_fails_twice_then_succeeds_shows_it(void **state)
{
    scene s;
    cql_worker_options o = {.size = sizeof o, .retry_delay_ms = 10};
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.fails_first = 2;
    process_work(&s.a, &o);
    pass(&s, 6000);
    assert_int_equal(s.a.runs, 3);
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    assert_int_equal(job(&s)->retry_count, 2);
    assert_null(job(&s)->error_message.ptr);
    end(&s);
}

static void job_without_retries_is_abandoned_at_once(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, -1);
    s.a.habit = FAIL;
    process_work(&s.a, NULL);
    pass(&s, 1000);
    assert_int_equal(s.a.runs, 1);
    assert_ended(&s, CQL_JOB_ABANDONED);
    end(&s);
}

static void job_ahead_is_not_run_early(void **state)
{
    scene s;
    cql_job_spec spec = {.size = sizeof spec, .type = "mail", .id = id_a};
    (void)state;
    begin(&s);
    spec.at_ms = now_ms(&s) + 10000;
    assert_int_equal(cql_jobs_enqueue_wait(s.a.jobs, &spec, NULL, NULL), CQL_OK);
    process_work(&s.a, NULL);
    pass(&s, 9900);
    assert_int_equal(s.a.runs, 0);
    pass(&s, 5200); /* within one poll interval after its time */
    assert_int_equal(s.a.runs, 1);
    end(&s);
}

static void all_buckets_and_pages_are_worked(void **state)
{
    scene s;
    cql_worker_options o = {.size = sizeof o, .concurrency = 3, .batch = 5};
    (void)state;
    begin(&s);
    for (int i = 0; i < 200; i++)
        add(&s, NULL, 0);
    process_work(&s.a, &o);
    pass(&s, 10000);
    assert_int_equal(s.a.runs, 200);
    assert_int_equal(jobstore_jobs(s.db, CQL_JOB_SUCCEEDED), 200);
    assert_int_equal(jobstore_due_rows(s.db, NULL, -1), 0);
    assert_int_equal(jobstore_state_rows(s.db, NULL, -1), 200);
    end(&s);
}

static void no_more_jobs_are_held_than_allowed(void **state)
{
    scene s;
    cql_worker_options o = {.size = sizeof o, .concurrency = 3};
    (void)state;
    begin(&s);
    for (int i = 0; i < 20; i++)
        add(&s, NULL, 0);
    s.a.habit = KEEP;
    process_work(&s.a, &o);
    pass(&s, 10000);
    assert_int_equal(s.a.runs, 3);
    assert_int_equal(cql_worker_running(s.a.w), 3);
    assert_int_equal(jobstore_jobs(s.db, CQL_JOB_PROCESSING), 3);
    s.a.kept_count--;
    assert_int_equal(cql_job_complete(s.a.kept[s.a.kept_count], NULL), CQL_OK);
    pass(&s, 1000);
    assert_int_equal(s.a.runs, 4);
    assert_int_equal(cql_worker_running(s.a.w), 3);
    end(&s);
}

static void types_without_a_handler_are_left(void **state)
{
    scene s;
    jobstore_client c;
    cql_jobs *jobs;
    cql_worker *w;
    cql_worker_options o = {.size = sizeof o, .on_event = on_event, .user = &s.a, .batch = 1};
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    jobstore_client_init(&c, s.db);
    jobs = jobstore_open(&c, &s.f.al);
    assert_int_equal(cql_worker_new(jobs, &o, &w, NULL), CQL_BAD_ARGUMENT); /* no handler at all */
    assert_int_equal(cql_jobs_handle(jobs, "print", handler, &s.a), CQL_OK);
    assert_int_equal(cql_jobs_handle(jobs, "", handler, &s.a), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_jobs_handle(jobs, "x", NULL, &s.a), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_worker_new(jobs, &o, &w, NULL), CQL_OK);
    assert_int_equal(cql_jobs_handle(jobs, "mail", handler, &s.a), CQL_BAD_STATE);
    for (int i = 0; i < 50; i++) {
        (void)cql_worker_step(w);
        jobstore_run_until(s.db, jobstore_time(s.db) + 10000);
    }
    assert_int_equal(s.a.runs, 0);
    assert_int_equal(job(&s)->state, CQL_JOB_SCHEDULED);
    /* It is told, once for a type, however many jobs there are and however often they are met. */
    assert_int_equal(s.a.events[CQL_WORKER_UNHANDLED], 1);
    assert_string_equal(s.a.text, "1 no handler for the type \"mail\": job "
                                  "aaaaaaaa-1111-4222-8333-444455556666 is left to other workers");
    for (int i = 0; i < 20; i++)
        add(&s, NULL, 0);
    for (int i = 0; i < 2000; i++) {
        (void)cql_worker_step(w);
        jobstore_run_until(s.db, jobstore_time(s.db) + 1000000);
    }
    assert_int_equal(s.a.events[CQL_WORKER_UNHANDLED], 1);
    assert_int_equal(jobstore_jobs(s.db, CQL_JOB_SCHEDULED), 21);
    cql_worker_free(w);
    cql_jobs_free(jobs);
    end(&s);
}

static void options_out_of_range_are_named(void **state)
{
    scene s;
    cql_worker *w;
    cql_error *err = NULL;
    cql_worker_options bad[] = {{.size = 1},
                                {.size = sizeof bad[0], .concurrency = 10001},
                                {.size = sizeof bad[0], .lease_s = 86401},
                                {.size = sizeof bad[0], .poll_ms = 86400001},
                                {.size = sizeof bad[0], .batch = 5001},
                                {.size = sizeof bad[0], .name = "a b"},
                                {.size = sizeof bad[0], .name = "\"quoted\""},
                                {.size = sizeof bad[0], .name = ""}};
    static const char *const words[] = {"size",  "concurrency", "lease_s", "poll_ms",
                                        "batch", "name",        "name",    "name"};
    (void)state;
    begin(&s);
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        assert_int_equal(cql_worker_new(s.a.jobs, &bad[i], &w, &err), CQL_BAD_ARGUMENT);
        assert_memory_equal(cql_error_text(err), words[i], strlen(words[i]));
        assert_null(w);
    }
    cql_error_unref(err);
    end(&s);
}

/* --- results that cannot be stored ------------------------------------------------------------ */
static void results_are_checked_before_they_are_taken(void **state)
{
    scene s;
    static char big[1024 * 1024 + 2];
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.habit = KEEP;
    process_work(&s.a, NULL);
    pass(&s, 1000);
    memset(big, 'x', sizeof big - 1);
    assert_int_equal(cql_job_complete(s.a.kept[0], "\xff"), CQL_BAD_VALUE);
    assert_int_equal(cql_job_complete(s.a.kept[0], big), CQL_TOO_LARGE);
    s.a.kept_count = 0;
    assert_int_equal(cql_job_fail(s.a.kept[0], "bad \xff byte"), CQL_OK);
    pass(&s, 1000);
    assert_string_equal(job(&s)->error_message.ptr, "bad ? byte");
    end(&s);
}

/* --- leases ----------------------------------------------------------------------------------- */
static void lease_is_renewed_while_the_handler_works(void **state)
{
    scene s;
    int64_t token;
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.habit = KEEP;
    process_work(&s.a, NULL);
    pass(&s, 1000);
    assert_int_equal(s.a.runs, 1);
    process_work(&s.b, NULL);
    token = cql_job_token(s.a.kept[0]);
    pass(&s, 2000000); /* more than six leases */
    assert_int_equal(s.a.runs, 1);
    assert_int_equal(s.b.runs, 0);
    assert_true(cql_job_token(s.a.kept[0]) > token);
    assert_int_equal(cql_job_token(s.a.kept[0]), job(&s)->executed_at);
    assert_int_equal(cql_job_info_of(s.a.kept[0])->executed_at, token); /* as it was claimed */
    assert_false(cql_job_is_lost(s.a.kept[0]));
    s.a.kept_count = 0;
    assert_int_equal(cql_job_complete(s.a.kept[0], "late but mine"), CQL_OK);
    pass(&s, 1000);
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    end(&s);
}

/* Another part of the program fills the session's queue for more than half of a lease. */
static void lease_outlasts_a_full_queue(void **state)
{
    cql_worker_options o = {.size = sizeof o, .lease_s = 5};
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.habit = KEEP;
    process_work(&s.a, &o);
    pass(&s, 1000);
    assert_int_equal(s.a.runs, 1);
    process_work(&s.b, &o);
    pass(&s, 600);
    s.a.faulty = s.a.any_verb = true;
    s.a.fate = JOBSTORE_BLOCKED;
    pass(&s, 2800);
    s.a.faulty = false;
    pass(&s, 20000);
    assert_int_equal(s.a.lost, 0);
    assert_int_equal(s.b.runs, 0);
    s.a.kept_count = 0;
    s.a.faulty = true; /* and its result waits as well */
    assert_int_equal(cql_job_complete(s.a.kept[0], "mine"), CQL_OK);
    pass(&s, 3000);
    s.a.faulty = false;
    pass(&s, 200);
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    end(&s);
}

static void job_of_a_dead_worker_runs_elsewhere_after_the_lease(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.habit = KEEP;
    process_work(&s.a, NULL);
    pass(&s, 1000);
    assert_int_equal(s.a.runs, 1);
    process_die(&s.a);
    process_work(&s.b, NULL);
    pass(&s, 298000);
    assert_int_equal(s.b.runs, 0);
    pass(&s, 7000); /* the lease and a poll interval */
    assert_int_equal(s.b.runs, 1);
    assert_int_equal(s.b.events[CQL_WORKER_RECLAIMED], 1);
    assert_true(s.b.tokens[0] > s.a.tokens[0]);
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    assert_int_equal(job(&s)->retry_count, 1); /* counts as a retry */
    end(&s);
}

static void worker_that_dies_with_a_job_each_time_gets_it_abandoned(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, -1);
    s.a.habit = KEEP;
    process_work(&s.a, NULL);
    pass(&s, 1000);
    process_die(&s.a);
    process_work(&s.b, NULL);
    pass(&s, 310000);
    assert_int_equal(s.b.runs, 0);
    assert_ended(&s, CQL_JOB_ABANDONED);
    assert_non_null(strstr(job(&s)->error_message.ptr, "lease"));
    end(&s);
}

/* The worker does not get through to the servers for longer than its lease, then it comes back. */
static void late_result_is_refused(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.habit = KEEP;
    process_work(&s.a, NULL);
    pass(&s, 1000);
    s.a.faulty = s.a.any_verb = true;
    s.a.fate = JOBSTORE_DROPPED;
    process_work(&s.b, NULL);
    pass(&s, 280000);
    assert_int_equal(s.a.lost, 1); /* told to stop before the lease was over for others */
    assert_int_equal(s.b.runs, 0);
    assert_int_equal(s.a.events[CQL_WORKER_TROUBLE], 1); /* said once */
    pass(&s, 30000);
    assert_int_equal(s.b.runs, 1);
    assert_string_equal(job(&s)->result.ptr, "42");
    s.a.kept_count = 0;
    assert_int_equal(cql_job_complete(s.a.kept[0], "too late"), CQL_OK);
    s.a.faulty = false;
    pass(&s, 30000);
    assert_int_equal(s.a.events[CQL_WORKER_CLAIM_LOST], 1);
    assert_non_null(strstr(s.a.text, "refused: the job is succeeded now"));
    assert_int_equal(s.a.events[CQL_WORKER_RESUMED], 1);
    assert_int_equal(s.a.events[CQL_WORKER_SUCCEEDED], 0);
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    assert_string_equal(job(&s)->result.ptr, "42");
    assert_int_equal(cql_worker_running(s.a.w), 0);
    end(&s);
}

static void result_is_kept_until_the_cluster_is_back(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.habit = KEEP;
    process_work(&s.a, NULL);
    pass(&s, 1000);
    s.a.faulty = s.a.any_verb = true;
    s.a.fate = JOBSTORE_REFUSED;
    s.a.kept_count = 0;
    assert_int_equal(cql_job_complete(s.a.kept[0], "patience"), CQL_OK);
    pass(&s, 3600000); /* nobody else took it in the meantime */
    assert_int_equal(job(&s)->state, CQL_JOB_PROCESSING);
    assert_int_equal(s.a.events[CQL_WORKER_TROUBLE], 1);
    s.a.faulty = false;
    pass(&s, 30000);
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    assert_string_equal(job(&s)->result.ptr, "patience");
    assert_int_equal(s.a.events[CQL_WORKER_RESUMED], 1);
    end(&s);
}

/* Keeps a job that two processes may see, and lets nothing more of the first one through but by that fate. */
static void keep_and_meet(scene *s, jobstore_fate fate)
{
    begin(s);
    add(s, id_a, 2);
    s->a.habit = KEEP;
    process_work(&s->a, NULL);
    pass(s, 1000);
    s->a.faulty = true;
    s->a.faulty_verb = CQLJOB_CHANGE;
    s->a.fate = fate;
    s->a.habit = SUCCEED;
    s->a.kept_count = 0;
}

static void a_result_that_cannot_be_stored_makes_a_failed_run(void **state)
{
    scene s;
    (void)state;
    keep_and_meet(&s, JOBSTORE_INVALID);
    s.a.meets = 1;
    assert_int_equal(cql_job_complete(s.a.kept[0], "no server takes this"), CQL_OK);
    pass(&s, 1000);
    assert_int_equal(s.a.events[CQL_WORKER_RETRY], 1);
    assert_int_equal(job(&s)->state, CQL_JOB_SCHEDULED);
    assert_int_equal(job(&s)->retry_count, 1);
    assert_non_null(strstr(job(&s)->error_message.ptr, "the result could not be stored: "));
    assert_true(cqljob_is_utf8(job(&s)->error_message)); /* else no server would take that either */
    pass(&s, 100000);
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    end(&s);
}

static void a_failure_that_cannot_be_stored_is_left_to_the_lease(void **state)
{
    scene s;
    (void)state;
    keep_and_meet(&s, JOBSTORE_INVALID);
    assert_int_equal(cql_job_fail(s.a.kept[0], "no server takes this"), CQL_OK);
    pass(&s, 1000);
    assert_int_equal(s.a.events[CQL_WORKER_UNKNOWN], 1);
    assert_int_equal(cql_worker_running(s.a.w), 0);
    assert_int_equal(job(&s)->state, CQL_JOB_PROCESSING);
    s.a.faulty = false;
    pass(&s, 7200000); /* the row put for the run that was not to be is swept, too */
    assert_int_equal(s.a.runs, 2);
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    end(&s);
}

/* The outcome is there, and no answer of the many that told it ever came. */
static void a_result_whose_answers_are_all_lost_is_found_in_the_row(void **state)
{
    scene s;
    (void)state;
    keep_and_meet(&s, JOBSTORE_SILENT);
    s.a.deaf = true;
    assert_int_equal(cql_job_complete(s.a.kept[0], "42"), CQL_OK);
    pass(&s, 120000);
    assert_int_equal(job(&s)->state, CQL_JOB_SUCCEEDED);
    assert_int_equal(s.a.events[CQL_WORKER_SUCCEEDED], 0);
    s.a.faulty = false;
    pass(&s, 30000);
    assert_int_equal(s.a.events[CQL_WORKER_SUCCEEDED], 1);
    assert_int_equal(s.a.events[CQL_WORKER_CLAIM_LOST], 0);
    assert_int_equal(cql_worker_running(s.a.w), 0);
    pass(&s, 700000);
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    end(&s);
}

/* Somebody else ran it meanwhile, and deleted it. */
static void a_result_of_a_deleted_job_is_refused(void **state)
{
    scene s;
    (void)state;
    keep_and_meet(&s, JOBSTORE_DROPPED);
    s.a.any_verb = true;
    assert_int_equal(cql_job_complete(s.a.kept[0], "42"), CQL_OK);
    pass(&s, 1000);
    process_work(&s.b, NULL);
    pass(&s, 400000);
    assert_int_equal(job(&s)->state, CQL_JOB_SUCCEEDED);
    assert_int_equal(cql_jobs_delete_wait(s.b.jobs, id_a, NULL), CQL_OK);
    assert_null(job(&s));
    s.a.faulty = false;
    pass(&s, 60000);
    assert_int_equal(s.a.events[CQL_WORKER_CLAIM_LOST], 1);
    assert_string_equal(s.a.text, "the outcome of this run was refused: the job was deleted");
    assert_int_equal(cql_worker_running(s.a.w), 0);
    assert_null(job(&s));
    end(&s);
}

/* Every answer of one kind is lost once, twice, ...: the job still ends, once. */
static void lost_answers_are_settled(void **state)
{
    static const cqljob_verb verbs[] = {CQLJOB_CHANGE, CQLJOB_INDEX, CQLJOB_GET, CQLJOB_DUE};
    static const jobstore_fate fates[] = {JOBSTORE_DROPPED, JOBSTORE_SILENT, JOBSTORE_LATE,
                                          JOBSTORE_REFUSED, JOBSTORE_BLOCKED};
    (void)state;
    for (size_t v = 0; v < CQL_COUNT(verbs); v++)
        for (size_t f = 0; f < CQL_COUNT(fates); f++)
            for (int skip = 0; skip < 8; skip++)
                for (int failing = 0; failing < 2; failing++) {
                    scene s;
                    begin(&s);
                    add(&s, id_a, 0);
                    s.a.fails_first = failing;
                    s.a.faulty_verb = verbs[v];
                    s.a.fate = fates[f];
                    s.a.block_calls = skip;
                    process_work(&s.a, NULL);
                    s.a.faulty = true;
                    pass(&s, 20000);
                    s.a.faulty = false;
                    pass(&s, 700000);
                    assert_int_equal(job(&s)->state, CQL_JOB_SUCCEEDED);
                    assert_int_equal(jobstore_due_rows(s.db, id_a, -1), 0);
                    assert_int_equal(s.a.events[CQL_WORKER_SUCCEEDED], 1);
                    end(&s);
                }
}

/* --- clocks ----------------------------------------------------------------------------------- */
static void clock_of_the_dead_worker_was_ahead(void **state)
{
    scene s;
    cql_worker_options o = {.size = sizeof o, .no_recurring = true}; /* those make it look at once */
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.client.ahead_us = 86400LL * 1000000; /* a day */
    s.a.habit = KEEP;
    process_work(&s.a, NULL);
    process_work(&s.b, &o);
    s.b.w->scan.next_ms = INT64_MAX; /* looks away until the other has it */
    pass(&s, 1000);
    assert_int_equal(s.a.runs, 1);
    s.b.w->scan.next_ms = 0;
    s.b.wake_us = INT64_MIN;
    process_die(&s.a);
    pass(&s, 310000); /* not a day: the other watched it for a lease */
    assert_int_equal(s.b.runs, 1);
    assert_true(s.b.tokens[0] > s.a.tokens[0]); /* above, although its clock is behind */
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    end(&s);
}

static void index_rows_survive_clocks_that_disagree(void **state)
{
    scene s;
    cql_worker_options o = {.size = sizeof o, .retry_delay_ms = 1};
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.client.ahead_us = 3600LL * 1000000;
    s.a.habit = KEEP;
    process_work(&s.a, &o);
    pass(&s, 1000);
    s.a.kept_count = 0;
    cql_job_give_back(s.a.kept[0]);
    cql_worker_stop(s.a.w);
    pass(&s, 1000);
    assert_true(cql_worker_is_finished(s.a.w));
    assert_int_equal(jobstore_state_rows(s.db, id_a, 1), 1);
    /* The other one is an hour behind; what it writes must still win. */
    s.b.fails_first = 1;
    process_work(&s.b, &o);
    pass(&s, 3590000); /* given back with the time of the one that is ahead */
    assert_int_equal(s.b.runs, 0);
    pass(&s, 20000);
    assert_int_equal(s.b.runs, 2);
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    end(&s);
}

/* --- sweeping --------------------------------------------------------------------------------- */
static void index_row_without_a_job_goes_after_the_grace(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    jobstore_put_due(s.db, 3, now_ms(&s) - 100000, id_a);
    process_work(&s.a, NULL);
    pass(&s, 110000);
    assert_int_equal(jobstore_due_rows(s.db, id_a, -1), 1);
    pass(&s, 20000);
    assert_int_equal(jobstore_due_rows(s.db, id_a, -1), 0);
    end(&s);
}

static void job_found_in_another_bucket_is_run_and_its_row_goes(void **state)
{
    scene s;
    cql_job_info job_;
    (void)state;
    begin(&s);
    cqljob_info_init(&job_); /* as another program inserts it: plainly, in a bucket of its choice */
    job_.id = cql_str_of(id_a);
    job_.type = cql_str_of("mail");
    job_.arguments = cql_str_of("{}");
    job_.state = CQL_JOB_SCHEDULED;
    job_.created_at = job_.scheduled_at = now_ms(&s) - 5;
    job_.max_retry_count = 3;
    jobstore_put_job(s.db, &job_);
    jobstore_put_due(s.db, (cqljob_bucket(job_.id, 10) + 3) % 10, job_.scheduled_at, id_a);
    jobstore_put_state(s.db, 1, job_.created_at, id_a);
    process_work(&s.a, NULL);
    pass(&s, 1000);
    assert_int_equal(s.a.runs, 1);
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    end(&s);
}

static void rows_of_ended_and_moved_jobs_are_removed(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    process_work(&s.a, NULL);
    pass(&s, 1000);
    jobstore_put_due(s.db, 2, job(&s)->scheduled_at, id_a);
    pass(&s, 6000);
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    assert_int_equal(s.a.runs, 1);
    end(&s);
}

/* The right row got lost, an old one is left: the job is found by it all the same. */
static void waiting_job_with_a_wrong_row_gets_the_right_one(void **state)
{
    scene s;
    cql_job_info job_;
    (void)state;
    begin(&s);
    cqljob_info_init(&job_);
    job_.id = cql_str_of(id_a);
    job_.type = cql_str_of("mail");
    job_.arguments = cql_str_of("{}");
    job_.state = CQL_JOB_SCHEDULED;
    job_.created_at = job_.scheduled_at = now_ms(&s) - 5000;
    jobstore_put_job(s.db, &job_);
    jobstore_put_due(s.db, 4, job_.scheduled_at - 1, id_a);
    jobstore_put_state(s.db, 1, job_.created_at, id_a);
    process_work(&s.a, NULL);
    pass(&s, 12000);
    assert_int_equal(s.a.runs, 1);
    end(&s);
}

/* --- stopping --------------------------------------------------------------------------------- */
static void stop_waits_for_handlers(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.habit = KEEP;
    process_work(&s.a, NULL);
    pass(&s, 1000);
    add(&s, NULL, 0);
    cql_jobs_stop(s.a.jobs);
    pass(&s, 20000);
    assert_false(cql_worker_is_finished(s.a.w));
    assert_int_equal(s.a.runs, 1); /* nothing new is claimed */
    s.a.kept_count = 0;
    assert_int_equal(cql_job_complete(s.a.kept[0], "done"), CQL_OK);
    pass(&s, 100);
    assert_true(cql_worker_is_finished(s.a.w));
    assert_ended(&s, CQL_JOB_SUCCEEDED);
    end(&s);
}

static void stop_gives_back_what_does_not_end(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.habit = KEEP;
    process_work(&s.a, NULL);
    pass(&s, 1000);
    cql_worker_stop(s.a.w);
    pass(&s, 29000);
    assert_int_equal(s.a.lost, 0);
    assert_false(cql_worker_is_finished(s.a.w));
    pass(&s, 2000);
    assert_int_equal(s.a.lost, 1); /* told, and given a moment to stop */
    assert_int_equal(job(&s)->state, CQL_JOB_PROCESSING);
    pass(&s, 4000);
    assert_true(cql_worker_is_finished(s.a.w));
    assert_int_equal(s.a.events[CQL_WORKER_GIVEN_BACK], 1);
    assert_int_equal(job(&s)->state, CQL_JOB_SCHEDULED);
    assert_int_equal(job(&s)->retry_count, 0);
    process_work(&s.b, NULL);
    pass(&s, 1000);
    assert_int_equal(s.b.runs, 1);
    /* What the handler says now comes too late and does no harm. */
    s.a.kept_count = 0;
    assert_int_equal(cql_job_complete(s.a.kept[0], "too late"), CQL_OK);
    pass(&s, 1000);
    assert_string_equal(job(&s)->result.ptr, "42");
    end(&s);
}

static void second_stop_does_not_wait(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.habit = KEEP;
    process_work(&s.a, NULL);
    pass(&s, 1000);
    cql_worker_stop(s.a.w);
    pass(&s, 100);
    cql_worker_stop(s.a.w);
    pass(&s, 100);
    assert_int_equal(s.a.lost, 1);
    s.a.kept_count = 0;
    cql_job_give_back(s.a.kept[0]);
    pass(&s, 100);
    assert_true(cql_worker_is_finished(s.a.w));
    assert_int_equal(job(&s)->state, CQL_JOB_SCHEDULED);
    end(&s);
}

static void stop_ends_although_the_cluster_is_away(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.habit = KEEP;
    process_work(&s.a, NULL);
    pass(&s, 1000);
    s.a.faulty = s.a.any_verb = true;
    s.a.fate = JOBSTORE_DROPPED;
    cql_worker_stop(s.a.w);
    pass(&s, 60000);
    assert_true(cql_worker_is_finished(s.a.w));
    assert_int_equal(s.a.events[CQL_WORKER_UNKNOWN], 1);
    end(&s);
}

static void drain_ends_when_nothing_is_due(void **state)
{
    scene s;
    cql_worker_options o = {.size = sizeof o, .concurrency = 2, .drain = true};
    (void)state;
    begin(&s);
    for (int i = 0; i < 30; i++)
        add(&s, NULL, 0);
    s.a.faulty_verb = CQLJOB_DUE; /* trouble on the way is no end */
    s.a.faulty = true;
    s.a.block_calls = 2;
    s.a.fate = JOBSTORE_REFUSED;
    process_work(&s.a, &o);
    pass(&s, 20000);
    assert_false(cql_worker_is_finished(s.a.w));
    s.a.faulty = false;
    pass(&s, 20000);
    assert_true(cql_worker_is_finished(s.a.w));
    assert_int_equal(jobstore_jobs(s.db, CQL_JOB_SUCCEEDED), 30);
    end(&s);
}

static void handlers_may_give_back_at_once(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.habit = BACK;
    process_work(&s.a, NULL);
    pass(&s, 100);
    cql_worker_stop(s.a.w);
    pass(&s, 100);
    assert_int_equal(job(&s)->state, CQL_JOB_SCHEDULED);
    assert_int_equal(job(&s)->retry_count, 0);
    assert_true(s.a.runs > 0);
    end(&s);
}

static void manual_renewal_is_the_handlers(void **state)
{
    scene s;
    cql_worker_options o = {.size = sizeof o, .manual_renew = true};
    int64_t token;
    (void)state;
    begin(&s);
    add(&s, id_a, 0);
    s.a.habit = KEEP;
    process_work(&s.a, &o);
    pass(&s, 200000);
    token = cql_job_token(s.a.kept[0]);
    assert_int_equal(token, s.a.tokens[0]);
    cql_job_renew(s.a.kept[0]);
    pass(&s, 1000);
    assert_true(cql_job_token(s.a.kept[0]) > token);
    pass(&s, 200000);
    assert_int_equal(s.a.lost, 0);
    pass(&s, 200000);
    assert_int_equal(s.a.lost, 1);
    end(&s);
}

/* --- run_wait --------------------------------------------------------------------------------- */
static void blocking_handler(cql_job *job_, void *user)
{
    atomic_int *calls = user;
    atomic_fetch_add(calls, 1);
    (void)cql_job_complete(job_, "from a thread");
}

static void worker_runs_on_the_calling_thread(void **state)
{
    jobstore *db = jobstore_new(0);
    jobstore_client c;
    failmalloc f;
    cql_jobs *jobs;
    cql_worker_options o = {.size = sizeof o, .drain = true};
    cql_worker_options wrong = {.size = sizeof o, .on_wake = on_wake};
    cql_job_spec spec = {.size = sizeof spec, .type = "mail"};
    atomic_int calls = 0;
    (void)state;
    failmalloc_init(&f);
    jobstore_client_init(&c, db);
    jobs = jobstore_open(&c, &f.al);
    for (int i = 0; i < 20; i++)
        assert_int_equal(cql_jobs_enqueue_wait(jobs, &spec, NULL, NULL), CQL_OK);
    assert_int_equal(cql_jobs_run_wait(jobs, &o, NULL), CQL_BAD_ARGUMENT); /* no handler */
    assert_int_equal(cql_jobs_handle_blocking(jobs, "mail", blocking_handler, &calls), CQL_OK);
    assert_int_equal(cql_jobs_run_wait(jobs, &wrong, NULL), CQL_BAD_ARGUMENT);
    wrong.size = 1;
    assert_int_equal(cql_jobs_run_wait(jobs, &wrong, NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_jobs_run_wait(jobs, &o, NULL), CQL_OK);
    assert_int_equal(atomic_load(&calls), 20);
    assert_int_equal(jobstore_jobs(db, CQL_JOB_SUCCEEDED), 20);
    cql_jobs_free(jobs);
    jobstore_free(db);
    assert_int_equal(atomic_load(&f.live), 0);
}

/* --- memory ----------------------------------------------------------------------------------- */
static void simple_handler(cql_job *job_, void *user)
{
    (void)user;
    if (cql_job_complete(job_, "r"))
        cql_job_give_back(job_);
}

static cql_status whole_round(const cql_allocator *al, void *user)
{
    jobstore *db = jobstore_new(0);
    jobstore_client c, good;
    cql_jobs *jobs, *giver;
    cql_worker *w = NULL;
    cql_worker_options o = {.size = sizeof o, .drain = true};
    cql_job_spec spec = {.size = sizeof spec, .type = "mail", .id = id_a};
    cql_status st = CQL_NO_MEMORY;
    (void)user;
    jobstore_client_init(&good, db);
    giver = jobstore_open(&good, NULL);
    assert_int_equal(cql_jobs_enqueue_wait(giver, &spec, NULL, NULL), CQL_OK);
    jobstore_client_init(&c, db);
    jobs = jobstore_open(&c, al);
    if (jobs && !cql_jobs_handle(jobs, "mail", simple_handler, NULL))
        st = cql_worker_new(jobs, &o, &w, NULL);
    for (int i = 0; w && i < 500 && !cql_worker_is_finished(w); i++) {
        (void)cql_worker_step(w);
        jobstore_run_until(db, jobstore_time(db) + 10000);
    }
    if (!st && jobstore_job(db, id_a)->state != CQL_JOB_SUCCEEDED)
        st = CQL_NO_MEMORY;
    cql_worker_free(w);
    if (jobs)
        cql_jobs_free(jobs);
    cql_jobs_free(giver);
    jobstore_free(db);
    return st;
}

static void want_of_memory_costs_no_job(void **state)
{
    (void)state;
    assert_true(failmalloc_each(whole_round, NULL, true) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_is_run_and_its_result_stored),
        cmocka_unit_test(job_that_always_fails_runs_four_times),
        cmocka_unit_test(job_that_fails_twice_then_succeeds_shows_it),
        cmocka_unit_test(job_without_retries_is_abandoned_at_once),
        cmocka_unit_test(job_ahead_is_not_run_early),
        cmocka_unit_test(all_buckets_and_pages_are_worked),
        cmocka_unit_test(no_more_jobs_are_held_than_allowed),
        cmocka_unit_test(types_without_a_handler_are_left),
        cmocka_unit_test(options_out_of_range_are_named),
        cmocka_unit_test(results_are_checked_before_they_are_taken),
        cmocka_unit_test(lease_is_renewed_while_the_handler_works),
        cmocka_unit_test(lease_outlasts_a_full_queue),
        cmocka_unit_test(job_of_a_dead_worker_runs_elsewhere_after_the_lease),
        cmocka_unit_test(worker_that_dies_with_a_job_each_time_gets_it_abandoned),
        cmocka_unit_test(late_result_is_refused),
        cmocka_unit_test(result_is_kept_until_the_cluster_is_back),
        cmocka_unit_test(a_result_that_cannot_be_stored_makes_a_failed_run),
        cmocka_unit_test(a_failure_that_cannot_be_stored_is_left_to_the_lease),
        cmocka_unit_test(a_result_whose_answers_are_all_lost_is_found_in_the_row),
        cmocka_unit_test(a_result_of_a_deleted_job_is_refused),
        cmocka_unit_test(lost_answers_are_settled),
        cmocka_unit_test(clock_of_the_dead_worker_was_ahead),
        cmocka_unit_test(index_rows_survive_clocks_that_disagree),
        cmocka_unit_test(index_row_without_a_job_goes_after_the_grace),
        cmocka_unit_test(job_found_in_another_bucket_is_run_and_its_row_goes),
        cmocka_unit_test(rows_of_ended_and_moved_jobs_are_removed),
        cmocka_unit_test(waiting_job_with_a_wrong_row_gets_the_right_one),
        cmocka_unit_test(stop_waits_for_handlers),
        cmocka_unit_test(stop_gives_back_what_does_not_end),
        cmocka_unit_test(second_stop_does_not_wait),
        cmocka_unit_test(stop_ends_although_the_cluster_is_away),
        cmocka_unit_test(drain_ends_when_nothing_is_due),
        cmocka_unit_test(handlers_may_give_back_at_once),
        cmocka_unit_test(manual_renewal_is_the_handlers),
        cmocka_unit_test(worker_runs_on_the_calling_thread),
        cmocka_unit_test(want_of_memory_costs_no_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
