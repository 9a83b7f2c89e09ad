/* Storing, claiming, cancelling and deleting jobs against a store that loses answers: an outcome is
 * believed only when it is certain, and a crash between any two steps loses nothing. */
#include "unit.h"

#include "jobs/move.h"
#include "jobstore.h"

static char the_place[8];
static const char id_a[] = "aaaaaaaa-1111-4222-8333-444455556666";

/* What becomes of the first, second, ... request; those after the end go well. */
typedef struct script {
    jobstore_fate fates[16];
    size_t count;
    size_t at;
    size_t dies_at; /* the client is dead from this request on, 0: never */
} script;

static jobstore_fate by_script(jobstore_client *c, const cqljob_request *rq, void *user)
{
    script *s = user;
    (void)rq;
    if (s->dies_at && c->sent >= s->dies_at)
        c->dead = true;
    return s->at < s->count ? s->fates[s->at++] : JOBSTORE_OK;
}

typedef struct scene {
    jobstore *db;
    jobstore_client client;
    cql_jobs *jobs;
    script plan;
    failmalloc f;
} scene;

static void begin(scene *s)
{
    memset(s, 0, sizeof *s);
    failmalloc_init(&s->f);
    s->db = jobstore_new(0);
    jobstore_client_init(&s->client, s->db);
    s->client.fate = by_script;
    s->client.user = &s->plan;
    s->jobs = jobstore_open(&s->client, &s->f.al);
}

static void end(scene *s)
{
    cql_jobs_free(s->jobs);
    jobstore_free(s->db);
    assert_int_equal(atomic_load(&s->f.live), 0);
}

#define SCRIPT(s, ...)                                                                             \
    do {                                                                                           \
        const jobstore_fate fates_[] = {__VA_ARGS__};                                              \
        memcpy((s)->plan.fates, fates_, sizeof fates_);                                            \
        (s)->plan.count = CQL_COUNT(fates_);                                                       \
        (s)->plan.at = 0;                                                                          \
    } while (0)

#define OK   JOBSTORE_OK
#define DROP JOBSTORE_DROPPED
#define MUTE JOBSTORE_SILENT
#define LATE JOBSTORE_LATE
#define NO   JOBSTORE_REFUSED
#define FULL JOBSTORE_BLOCKED
#define BUSY JOBSTORE_BUSY

static cql_job_spec spec_of(const char *id)
{
    cql_job_spec spec = {.size = sizeof spec, .type = "mail", .id = id};
    spec.arguments = cql_str_of("{\"to\":1}");
    return spec;
}

static cql_status add(scene *s, const char *id, cql_job_info **out)
{
    cql_job_spec spec = spec_of(id);
    return cql_jobs_enqueue_wait(s->jobs, &spec, out, NULL);
}

/* --- enqueue ---------------------------------------------------------------------------------- */
static void enqueue_writes_job_and_both_index_rows(void **state)
{
    scene s;
    cql_job_info *job;
    (void)state;
    begin(&s);
    assert_int_equal(add(&s, NULL, &job), CQL_OK);
    assert_false(job->was_there);
    assert_int_equal(job->state, CQL_JOB_SCHEDULED);
    assert_int_equal(job->max_retry_count, 3);
    assert_int_equal(job->scheduled_at, job->created_at);
    assert_int_equal(job->executed_at, CQL_JOB_NO_TIME);
    assert_int_equal(jobstore_due_rows(s.db, job->id.ptr, cqljob_bucket(job->id, 10)), 1);
    assert_int_equal(jobstore_state_rows(s.db, job->id.ptr, 1), 1);
    assert_string_equal(jobstore_job(s.db, job->id.ptr)->arguments.ptr, "{\"to\":1}");
    assert_int_equal(s.client.sent, 2);
    cql_job_info_free(job);
    end(&s);
}

/* A node under load: index rows are sent again, the insert is settled by a serial read. */
static void enqueue_outlasts_servers_that_are_busy(void **state)
{
    scene s;
    cql_error *err = NULL;
    cql_job_spec spec = spec_of(id_a);
    (void)state;
    begin(&s);
    SCRIPT(&s, BUSY, BUSY, BUSY, OK, BUSY, BUSY, OK);
    assert_int_equal(add(&s, id_a, NULL), CQL_OK);
    assert_int_equal(s.client.sent, 7);
    assert_int_equal(jobstore_due_rows(s.db, id_a, -1), 1);
    assert_int_equal(jobstore_state_rows(s.db, id_a, 1), 1);
    SCRIPT(&s, OK, BUSY, BUSY, OK); /* get, then the index rows of the end: those are repeated */
    assert_int_equal(cql_jobs_cancel_wait(s.jobs, id_a, NULL), CQL_OK);
    end(&s);
    begin(&s); /* but not for ever */
    SCRIPT(&s, BUSY, BUSY, BUSY, BUSY, BUSY, BUSY, BUSY, BUSY, BUSY, BUSY);
    assert_int_equal(cql_jobs_enqueue_wait(s.jobs, &spec, NULL, &err), CQL_SERVER_WRITE_TIMEOUT);
    assert_non_null(strstr(cql_error_text(err), "was not stored"));
    assert_int_equal(s.client.sent, 6);
    assert_null(jobstore_job(s.db, id_a));
    cql_error_unref(err);
    end(&s);
}

static void enqueue_refuses_what_cannot_be_stored(void **state)
{
    scene s;
    cql_job_spec spec = spec_of(id_a);
    static char big[1024 * 1024 + 2];
    static char type[300];
    (void)state;
    begin(&s);
    memset(big, 'x', sizeof big - 1);
    memset(type, 't', sizeof type - 1);
    spec.id = "not a uuid";
    assert_int_equal(cql_jobs_enqueue_wait(s.jobs, &spec, NULL, NULL), CQL_BAD_VALUE);
    spec = spec_of(id_a);
    spec.arguments = cql_str_of("\xff");
    assert_int_equal(cql_jobs_enqueue_wait(s.jobs, &spec, NULL, NULL), CQL_BAD_VALUE);
    spec.arguments = cql_str_of(big);
    assert_int_equal(cql_jobs_enqueue_wait(s.jobs, &spec, NULL, NULL), CQL_TOO_LARGE);
    spec = spec_of(id_a);
    spec.type = "";
    assert_int_equal(cql_jobs_enqueue_wait(s.jobs, &spec, NULL, NULL), CQL_BAD_ARGUMENT);
    spec.type = NULL;
    assert_int_equal(cql_jobs_enqueue_wait(s.jobs, &spec, NULL, NULL), CQL_BAD_ARGUMENT);
    spec.type = type;
    assert_int_equal(cql_jobs_enqueue_wait(s.jobs, &spec, NULL, NULL), CQL_BAD_ARGUMENT);
    spec = spec_of(id_a);
    spec.max_retries = -2;
    assert_int_equal(cql_jobs_enqueue_wait(s.jobs, &spec, NULL, NULL), CQL_BAD_ARGUMENT);
    spec.size = 1;
    assert_int_equal(cql_jobs_enqueue_wait(s.jobs, &spec, NULL, NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_jobs_get_wait(s.jobs, "x", NULL, NULL), CQL_BAD_VALUE);
    assert_int_equal(s.client.sent, 0);
    end(&s);
}

static void options_of_a_job_are_kept(void **state)
{
    scene s;
    cql_job_info *job;
    cql_job_spec spec = spec_of(id_a);
    int64_t now;
    (void)state;
    begin(&s);
    now = jobstore_time(s.db) / 1000;
    spec.max_retries = -1;
    spec.at_ms = now + 10000;
    assert_int_equal(cql_jobs_enqueue_wait(s.jobs, &spec, &job, NULL), CQL_OK);
    assert_int_equal(job->max_retry_count, 0);
    assert_int_equal(job->scheduled_at, now + 10000);
    assert_string_equal(job->id.ptr, id_a);
    cql_job_info_free(job);
    spec.id = NULL;
    spec.at_ms = 5; /* past: now */
    spec.max_retries = 7;
    assert_int_equal(cql_jobs_enqueue_wait(s.jobs, &spec, &job, NULL), CQL_OK);
    assert_int_equal(job->max_retry_count, 7);
    assert_int_equal(job->scheduled_at, job->created_at);
    cql_job_info_free(job);
    end(&s);
}

static void same_id_again_stores_nothing(void **state)
{
    scene s;
    cql_job_info *job;
    cql_job_spec spec = spec_of(id_a);
    (void)state;
    begin(&s);
    assert_int_equal(add(&s, id_a, NULL), CQL_OK);
    spec.type = "other";
    assert_int_equal(cql_jobs_enqueue_wait(s.jobs, &spec, &job, NULL), CQL_OK);
    assert_true(job->was_there);
    assert_string_equal(job->type.ptr, "mail");
    cql_job_info_free(job);
    assert_int_equal(jobstore_due_rows(s.db, id_a, -1), 1);
    assert_int_equal(jobstore_state_rows(s.db, id_a, -1), 1);
    end(&s);
}

/* What one run with some fates has to end in. */
static void enqueue_ends(const script *plan, cql_status expected, bool stored)
{
    scene s;
    cql_job_info *job = NULL;
    begin(&s);
    s.plan = *plan;
    assert_int_equal(add(&s, id_a, &job), expected);
    if (expected == CQL_OK)
        assert_false(job->was_there);
    cql_job_info_free(job);
    jobstore_settle(s.db, 60);
    assert_int_equal(jobstore_job(s.db, id_a) != NULL, stored);
    if (stored) {
        assert_int_equal(jobstore_due_rows(s.db, id_a, -1), 1);
        assert_int_equal(jobstore_state_rows(s.db, id_a, 1), 1);
    }
    end(&s);
}

static void lost_answers_of_enqueue_are_settled(void **state)
{
    (void)state;
    /* index rows, insert, serial read, insert, ... */
    enqueue_ends(&(script){{OK, MUTE}, 2, 0, 0}, CQL_OK, true);
    enqueue_ends(&(script){{OK, DROP}, 2, 0, 0}, CQL_OK, true);
    enqueue_ends(&(script){{OK, LATE}, 2, 0, 0}, CQL_OK, true);
    enqueue_ends(&(script){{OK, MUTE, NO, NO, OK}, 5, 0, 0}, CQL_OK, true);
    enqueue_ends(&(script){{OK, DROP, OK, NO, OK}, 5, 0, 0}, CQL_OK, true);
    enqueue_ends(&(script){{OK, DROP, OK, LATE, OK, OK}, 6, 0, 0}, CQL_OK, true);
    enqueue_ends(&(script){{OK, MUTE, DROP, DROP, DROP, DROP, DROP}, 7, 0, 0}, CQL_OUTCOME_UNKNOWN,
                 true);
    enqueue_ends(&(script){{OK, DROP, DROP, DROP, DROP, DROP, DROP}, 7, 0, 0}, CQL_OUTCOME_UNKNOWN,
                 false);
}

static void keep_status(cql_jobs *jobs, const cql_error *err, const cql_job_info *job, void *user)
{
    (void)jobs;
    (void)job;
    *(cql_status *)user = err ? cql_error_status(err) : CQL_OK;
}

static void certain_failures_of_enqueue_are_told_as_such(void **state)
{
    scene s;
    cql_job_spec spec = spec_of(id_a);
    cql_status st = CQL_OK;
    (void)state;
    enqueue_ends(&(script){{NO}, 1, 0, 0}, CQL_SERVER_UNAVAILABLE, false);
    enqueue_ends(&(script){{MUTE}, 1, 0, 0}, CQL_TIMEOUT, false);
    enqueue_ends(&(script){{OK, NO}, 2, 0, 0}, CQL_SERVER_UNAVAILABLE, false);
    enqueue_ends(&(script){{FULL}, 1, 0, 0}, CQL_OK, true); /* there is room soon */
    begin(&s);
    SCRIPT(&s, OK, FULL);
    assert_int_equal(cql_jobs_enqueue(s.jobs, &spec, keep_status, &st), CQL_OK);
    jobstore_settle(s.db, 60);
    assert_int_equal(st, CQL_WOULD_BLOCK);
    assert_null(jobstore_job(s.db, id_a));
    end(&s);
    enqueue_ends(&(script){{OK, MUTE, FULL}, 3, 0, 0}, CQL_OUTCOME_UNKNOWN, true);
}

static void slow_enqueue_gives_up_before_sweepers_come(void **state)
{
    scene s;
    cql_job_spec spec = spec_of(id_a);
    (void)state;
    begin(&s);
    s.jobs->set.grace_ms = 3000; /* half of it is less than the time-out of the first answer */
    SCRIPT(&s, OK, DROP, OK);
    assert_int_equal(cql_jobs_enqueue_wait(s.jobs, &spec, NULL, NULL), CQL_OUTCOME_UNKNOWN);
    assert_int_equal(s.client.sent, 3); /* no second insert */
    assert_null(jobstore_job(s.db, id_a));
    end(&s);
}

static void crash_in_enqueue_leaves_all_or_an_index_row_too_many(void **state)
{
    (void)state;
    for (size_t dies_at = 1; dies_at <= 3; dies_at++) {
        for (int applied = 0; applied < 2; applied++) {
            scene s;
            cql_job_spec spec = spec_of(id_a);
            begin(&s);
            s.plan.dies_at = dies_at;
            for (size_t i = 0; i < 4; i++)
                s.plan.fates[i] = applied ? MUTE : OK;
            s.plan.count = 4;
            (void)cql_jobs_enqueue_wait(s.jobs, &spec, NULL, NULL);
            jobstore_settle(s.db, 60);
            if (jobstore_job(s.db, id_a)) {
                assert_int_equal(jobstore_due_rows(s.db, id_a, -1), 1);
                assert_int_equal(jobstore_state_rows(s.db, id_a, 1), 1);
            }
            end(&s);
        }
    }
}

/* --- claims ----------------------------------------------------------------------------------- */
typedef struct outcome {
    int calls;
    cqljob_moved moved;
    bool index_behind;
    bool has_error;
} outcome;

static void on_moved(void *user, const cqljob_move_result *r)
{
    outcome *o = user;
    o->calls++;
    o->moved = r->moved;
    o->index_behind = r->index_behind;
    o->has_error = r->err != NULL;
}

/* Reads the job as it is and plans its claim. */
static cql_job_info *plan_claim(scene *s, cqljob_mover *m, int64_t token, const char *note)
{
    cql_job_info *job = cqljob_info_new(&s->f.al, jobstore_job(s->db, id_a));
    cqljob_plan_claim(&m->move, job, token, cql_str_of(note));
    return job;
}

static outcome claim(scene *s, int64_t token, const char *note)
{
    outcome o = {0};
    cqljob_mover m;
    cql_job_info *job = plan_claim(s, &m, token, note);
    assert_int_equal(cqljob_mover_start(&m, s->jobs, job->id, on_moved, &o), CQL_OK);
    jobstore_settle(s->db, 60);
    assert_int_equal(o.calls, 1);
    cql_job_info_free(job);
    return o;
}

static bool is_held(const scene *s, int64_t token, const char *note)
{
    const cql_job_info *job = jobstore_job(s->db, id_a);
    return job->state == CQL_JOB_PROCESSING && job->executed_at == token &&
           cql_str_equal(job->claim, cql_str_of(note));
}

static int64_t ms(const scene *s)
{
    return jobstore_time(s->db) / 1000;
}

static void claim_takes_the_job_and_moves_its_row(void **state)
{
    scene s;
    outcome o;
    int64_t token;
    (void)state;
    begin(&s);
    add(&s, id_a, NULL);
    token = ms(&s) + 1;
    o = claim(&s, token, "me");
    assert_int_equal(o.moved, CQLJOB_MOVE_DONE);
    assert_true(is_held(&s, token, "me"));
    assert_int_equal(jobstore_state_rows(s.db, id_a, 1), 0);
    assert_int_equal(jobstore_state_rows(s.db, id_a, 2), 1);
    assert_int_equal(jobstore_due_rows(s.db, id_a, -1), 1); /* until the job ends */
    end(&s);
}

static void claim_of_a_claimed_job_is_refused(void **state)
{
    scene s;
    outcome o = {0};
    cqljob_mover m;
    cql_job_info *job;
    int64_t token;
    (void)state;
    begin(&s);
    add(&s, id_a, NULL);
    token = ms(&s) + 1;
    job = plan_claim(&s, &m, token, "late"); /* read before the other's claim */
    assert_int_equal(claim(&s, token, "first").moved, CQLJOB_MOVE_DONE);
    assert_int_equal(cqljob_mover_start(&m, s.jobs, job->id, on_moved, &o), CQL_OK);
    jobstore_settle(s.db, 10);
    assert_int_equal(o.moved, CQLJOB_MOVE_REFUSED);
    assert_false(o.has_error);
    assert_true(is_held(&s, token, "first"));
    cql_job_info_free(job);
    end(&s);
}

static void claim_ends(const script *plan, cqljob_moved expected, bool held)
{
    scene s;
    outcome o;
    int64_t token;
    begin(&s);
    add(&s, id_a, NULL);
    s.plan = *plan;
    token = ms(&s) + 1;
    o = claim(&s, token, "me");
    assert_int_equal(o.moved, expected);
    assert_int_equal(o.has_error,
                     expected == CQLJOB_MOVE_UNKNOWN || expected == CQLJOB_MOVE_FAILED);
    jobstore_settle(s.db, 60);
    assert_int_equal(is_held(&s, token, "me"), held);
    end(&s);
}

static void lost_answers_of_a_claim_are_settled(void **state)
{
    (void)state;
    /* update, serial read, update, ... */
    claim_ends(&(script){{MUTE}, 1, 0, 0}, CQLJOB_MOVE_DONE, true);
    claim_ends(&(script){{DROP}, 1, 0, 0}, CQLJOB_MOVE_DONE, true);
    claim_ends(&(script){{LATE}, 1, 0, 0}, CQLJOB_MOVE_DONE, true);
    claim_ends(&(script){{MUTE, NO, OK}, 3, 0, 0}, CQLJOB_MOVE_DONE, true);
    claim_ends(&(script){{MUTE, DROP, DROP, OK}, 4, 0, 0}, CQLJOB_MOVE_DONE, true);
    claim_ends(&(script){{DROP, OK, MUTE, OK}, 4, 0, 0}, CQLJOB_MOVE_DONE, true);
    claim_ends(&(script){{DROP, OK, NO, OK, OK}, 5, 0, 0}, CQLJOB_MOVE_DONE, true);
    claim_ends(&(script){{NO}, 1, 0, 0}, CQLJOB_MOVE_FAILED, false);
    claim_ends(&(script){{MUTE, DROP, DROP, DROP, DROP, DROP}, 6, 0, 0}, CQLJOB_MOVE_UNKNOWN, true);
    claim_ends(&(script){{DROP, DROP, DROP, DROP, DROP, DROP}, 6, 0, 0}, CQLJOB_MOVE_UNKNOWN,
               false);
    claim_ends(&(script){{MUTE, FULL}, 2, 0, 0}, CQLJOB_MOVE_UNKNOWN, true);
}

/* The first update is lost for good, meanwhile another worker takes the job. */
static void unclear_claim_that_another_won_is_not_believed(void **state)
{
    scene s;
    outcome o = {0};
    cqljob_mover m;
    cql_job_info *job;
    jobstore_client other;
    cqljob_change change;
    int64_t token;
    (void)state;
    begin(&s);
    add(&s, id_a, NULL);
    token = ms(&s) + 1;
    job = plan_claim(&s, &m, token, "me");
    SCRIPT(&s, DROP);
    assert_int_equal(cqljob_mover_start(&m, s.jobs, job->id, on_moved, &o), CQL_OK);
    /* Same millisecond, so the same token: only the note tells the two apart. */
    jobstore_client_init(&other, s.db);
    change = m.move.change;
    change.result = cql_str_of("other");
    {
        cql_jobs *theirs = jobstore_open(&other, &s.f.al);
        cqljob_mover m2 = {.move = m.move};
        outcome o2 = {0};
        m2.move.change = change;
        assert_int_equal(cqljob_mover_start(&m2, theirs, job->id, on_moved, &o2), CQL_OK);
        jobstore_settle(s.db, 10);
        assert_int_equal(o2.moved, CQLJOB_MOVE_DONE);
        cql_jobs_free(theirs);
    }
    assert_int_equal(o.moved, CQLJOB_MOVE_REFUSED);
    assert_true(is_held(&s, token, "other"));
    cql_job_info_free(job);
    end(&s);
}

static void claim_stands_when_its_index_rows_fail(void **state)
{
    scene s;
    outcome o;
    (void)state;
    begin(&s);
    add(&s, id_a, NULL);
    SCRIPT(&s, OK, NO);
    o = claim(&s, ms(&s) + 1, "me");
    assert_int_equal(o.moved, CQLJOB_MOVE_DONE);
    assert_true(o.index_behind);
    end(&s);
    begin(&s);
    add(&s, id_a, NULL);
    SCRIPT(&s, OK, FULL);
    o = claim(&s, ms(&s) + 1, "me");
    assert_int_equal(o.moved, CQLJOB_MOVE_DONE);
    assert_true(o.index_behind);
    end(&s);
}

/* --- cancel and delete ------------------------------------------------------------------------ */
static void waiting_job_is_cancelled(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, NULL);
    assert_int_equal(cql_jobs_cancel_wait(s.jobs, id_a, NULL), CQL_OK);
    assert_int_equal(jobstore_job(s.db, id_a)->state, CQL_JOB_CANCELLED);
    assert_int_equal(jobstore_due_rows(s.db, id_a, -1), 0);
    assert_int_equal(jobstore_state_rows(s.db, id_a, 5), 1);
    assert_int_equal(jobstore_state_rows(s.db, id_a, -1), 1);
    assert_int_equal(cql_jobs_cancel_wait(s.jobs, id_a, NULL), CQL_BAD_STATE);
    end(&s);
}

static void running_job_is_neither_cancelled_nor_deleted(void **state)
{
    scene s;
    cql_error *err = NULL;
    int64_t token;
    (void)state;
    begin(&s);
    add(&s, id_a, NULL);
    token = ms(&s) + 1;
    claim(&s, token, "me");
    assert_int_equal(cql_jobs_cancel_wait(s.jobs, id_a, &err), CQL_BAD_STATE);
    assert_non_null(strstr(cql_error_text(err), "a worker holds it"));
    assert_int_equal(cql_jobs_delete_wait(s.jobs, id_a, &err), CQL_BAD_STATE);
    assert_true(is_held(&s, token, "me"));
    cql_error_unref(err);
    end(&s);
}

/* Claims the job right before the cancel's conditional update, which is its third request. */
static jobstore_fate claim_before_third(jobstore_client *c, const cqljob_request *rq, void *user)
{
    (void)user;
    if (c->sent == 3 && rq->verb == CQLJOB_CHANGE) {
        cql_job_info job = *jobstore_job(c->db, id_a);
        job.state = CQL_JOB_PROCESSING;
        job.executed_at = jobstore_time(c->db) / 1000;
        job.claim = cql_str_of("worker");
        jobstore_put_job(c->db, &job);
    }
    return JOBSTORE_OK;
}

static void cancel_that_comes_too_late_is_refused(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, NULL);
    s.client.sent = 0;
    s.client.fate = claim_before_third;
    assert_int_equal(cql_jobs_cancel_wait(s.jobs, id_a, NULL), CQL_BAD_STATE);
    assert_int_equal(jobstore_job(s.db, id_a)->state, CQL_JOB_PROCESSING);
    end(&s);
}

static void delete_removes_every_row(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, NULL);
    assert_int_equal(cql_jobs_delete_wait(s.jobs, id_a, NULL), CQL_OK);
    assert_null(jobstore_job(s.db, id_a));
    assert_int_equal(jobstore_due_rows(s.db, id_a, -1), 0);
    assert_int_equal(jobstore_state_rows(s.db, id_a, -1), 0);
    assert_int_equal(cql_jobs_delete_wait(s.jobs, id_a, NULL), CQL_NOT_FOUND);
    assert_int_equal(cql_jobs_cancel_wait(s.jobs, id_a, NULL), CQL_NOT_FOUND);
    end(&s);
}

static void lost_answers_of_cancel_and_delete_are_settled(void **state)
{
    scene s;
    (void)state;
    begin(&s);
    add(&s, id_a, NULL);
    SCRIPT(&s, OK, OK, MUTE); /* read, index row, update */
    assert_int_equal(cql_jobs_cancel_wait(s.jobs, id_a, NULL), CQL_OK);
    assert_int_equal(jobstore_job(s.db, id_a)->state, CQL_JOB_CANCELLED);
    SCRIPT(&s, OK, OK, DROP); /* read, who waits for it, delete */
    assert_int_equal(cql_jobs_delete_wait(s.jobs, id_a, NULL), CQL_OK);
    assert_null(jobstore_job(s.db, id_a));
    end(&s);
    begin(&s);
    add(&s, id_a, NULL);
    SCRIPT(&s, OK, OK, MUTE, DROP, DROP, DROP, DROP, DROP);
    assert_int_equal(cql_jobs_cancel_wait(s.jobs, id_a, NULL), CQL_OUTCOME_UNKNOWN);
    end(&s);
}

/* --- lists ------------------------------------------------------------------------------------ */
static void list_follows_pages_and_drops_what_moved_on(void **state)
{
    scene s;
    cql_job_list *list;
    int64_t count;
    (void)state;
    begin(&s);
    for (int i = 0; i < 1200; i++) {
        char id[40];
        cql_job_spec spec = spec_of(id);
        snprintf(id, sizeof id, "%08x-1111-4222-8333-444455556666", i);
        assert_int_equal(cql_jobs_enqueue_wait(s.jobs, &spec, NULL, NULL), CQL_OK);
    }
    assert_int_equal(cql_jobs_list_wait(s.jobs, CQL_JOB_SCHEDULED, 1100, &list, NULL), CQL_OK);
    assert_int_equal(cql_job_list_count(list), 1100);
    for (size_t i = 1; i < 1100; i++)
        assert_true(cql_job_list_at(list, i)->created_at >=
                    cql_job_list_at(list, i - 1)->created_at);
    assert_string_equal(cql_job_list_at(list, 1099)->id.ptr,
                        "0000044b-1111-4222-8333-444455556666");
    assert_null(cql_job_list_at(list, 1100));
    cql_job_list_free(list);
    /* Without a limit a hundred; a row of the wrong state is left out and removed. */
    jobstore_put_state(s.db, 3, 1, "00000000-1111-4222-8333-444455556666");
    assert_int_equal(cql_jobs_list_wait(s.jobs, CQL_JOB_SUCCEEDED, 0, &list, NULL), CQL_OK);
    assert_int_equal(cql_job_list_count(list), 0);
    cql_job_list_free(list);
    assert_int_equal(cql_jobs_count_wait(s.jobs, CQL_JOB_SCHEDULED, &count, NULL), CQL_OK);
    assert_int_equal(count, 1200);
    assert_int_equal(cql_jobs_list_wait(s.jobs, CQL_JOB_SCHEDULED, 0, &list, NULL), CQL_OK);
    assert_int_equal(cql_job_list_count(list), 100);
    cql_job_list_free(list);
    end(&s);
}

static void list_removes_rows_that_the_job_contradicts(void **state)
{
    scene s;
    cql_job_list *list;
    const cql_job_info *job;
    int64_t now;
    (void)state;
    begin(&s);
    now = ms(&s);
    add(&s, id_a, NULL);
    job = jobstore_job(s.db, id_a);
    /* Left behind by a worker that crashed before it could finish. */
    jobstore_put_state(s.db, 3, job->created_at, id_a);
    jobstore_put_state(s.db, 3, now, "bbbbbbbb-1111-4222-8333-444455556666");
    jobstore_put_state(s.db, 3, now - 2000000, "cccccccc-1111-4222-8333-444455556666");
    assert_int_equal(cql_jobs_list_wait(s.jobs, CQL_JOB_SUCCEEDED, 0, &list, NULL), CQL_OK);
    assert_int_equal(cql_job_list_count(list), 0);
    cql_job_list_free(list);
    jobstore_settle(s.db, 10);
    assert_int_equal(jobstore_state_rows(s.db, "cccccccc-1111-4222-8333-444455556666", 3), 0);
    /* A young row without a job may belong to one that is just being stored. */
    assert_int_equal(jobstore_state_rows(s.db, "bbbbbbbb-1111-4222-8333-444455556666", 3), 1);
    assert_int_equal(jobstore_state_rows(s.db, id_a, 1), 1);
    end(&s);
}

static void list_passes_failures_on(void **state)
{
    scene s;
    cql_job_list *list;
    (void)state;
    begin(&s);
    for (int i = 0; i < 3; i++)
        add(&s, NULL, NULL);
    SCRIPT(&s, NO);
    assert_int_equal(cql_jobs_list_wait(s.jobs, CQL_JOB_SCHEDULED, 0, &list, NULL),
                     CQL_SERVER_UNAVAILABLE);
    assert_null(list);
    SCRIPT(&s, OK, OK, NO, OK);
    assert_int_equal(cql_jobs_list_wait(s.jobs, CQL_JOB_SCHEDULED, 0, &list, NULL),
                     CQL_SERVER_UNAVAILABLE);
    SCRIPT(&s, OK, FULL); /* nothing is under way that could make room: begins anew */
    assert_int_equal(cql_jobs_list_wait(s.jobs, CQL_JOB_SCHEDULED, 0, &list, NULL), CQL_OK);
    assert_int_equal(cql_job_list_count(list), 3);
    cql_job_list_free(list);
    SCRIPT(&s, OK, OK, FULL, OK); /* the queue is full for a moment: goes on with the next answer */
    assert_int_equal(cql_jobs_list_wait(s.jobs, CQL_JOB_SCHEDULED, 0, &list, NULL), CQL_OK);
    assert_int_equal(cql_job_list_count(list), 3);
    cql_job_list_free(list);
    assert_int_equal(cql_jobs_list_wait(s.jobs, (cql_job_state)9, 0, &list, NULL),
                     CQL_BAD_ARGUMENT);
    end(&s);
}

static void get_tells_what_is_missing(void **state)
{
    scene s;
    cql_job_info *job;
    cql_error *err = NULL;
    (void)state;
    begin(&s);
    assert_int_equal(cql_jobs_get_wait(s.jobs, id_a, &job, &err), CQL_NOT_FOUND);
    assert_string_equal(cql_error_text(err),
                        "job aaaaaaaa-1111-4222-8333-444455556666: not found in "
                        "jobsharp.jobs");
    SCRIPT(&s, DROP);
    assert_int_equal(cql_jobs_get_wait(s.jobs, id_a, &job, &err), CQL_TIMEOUT);
    assert_null(job);
    add(&s, id_a, NULL);
    assert_int_equal(cql_jobs_get_wait(s.jobs, id_a, &job, &err), CQL_OK);
    assert_string_equal(job->id.ptr, id_a);
    cql_job_info_free(job);
    cql_error_unref(err);
    end(&s);
}

/* --- memory ----------------------------------------------------------------------------------- */
static cql_status whole_round(const cql_allocator *al, void *user)
{
    jobstore *db = jobstore_new(0);
    jobstore_client c;
    cql_jobs *jobs;
    cql_job_list *list = NULL;
    cql_job_spec spec = spec_of(id_a);
    cql_status st = CQL_NO_MEMORY;
    (void)user;
    jobstore_client_init(&c, db);
    jobs = jobstore_open(&c, al);
    if (jobs) {
        st = cql_jobs_enqueue_wait(jobs, &spec, NULL, NULL);
        if (!st)
            st = cql_jobs_enqueue_wait(jobs, &spec, NULL, NULL);
        if (!st)
            st = cql_jobs_list_wait(jobs, CQL_JOB_SCHEDULED, 0, &list, NULL);
        cql_job_list_free(list);
        if (!st)
            st = cql_jobs_cancel_wait(jobs, id_a, NULL);
        if (!st)
            st = cql_jobs_delete_wait(jobs, id_a, NULL);
        cql_jobs_free(jobs);
    }
    jobstore_free(db);
    return st;
}

static void opening_needs_a_session_and_a_place(void **state)
{
    cql_session *some = (cql_session *)(void *)&the_place; /* never looked at */
    cql_jobs *jobs = some ? (cql_jobs *)(void *)&the_place : NULL;
    cql_error *err = NULL;
    (void)state;
    assert_int_equal(cql_jobs_new_with(NULL, NULL, &jobs, &err), CQL_BAD_ARGUMENT);
    assert_null(jobs);
    assert_string_equal(cql_error_text(err), "session: must not be NULL");
    assert_int_equal(cql_jobs_new_with(some, NULL, NULL, &err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "out: must not be NULL");
    cql_error_unref(err);
    assert_int_equal(cql_jobs_new_with(NULL, NULL, NULL, NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_jobs_new(NULL, "jobsharp", &jobs), CQL_BAD_ARGUMENT);
}

static void want_of_memory_is_a_status(void **state)
{
    (void)state;
    assert_true(failmalloc_each(whole_round, NULL, true) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enqueue_writes_job_and_both_index_rows),
        cmocka_unit_test(enqueue_outlasts_servers_that_are_busy),
        cmocka_unit_test(enqueue_refuses_what_cannot_be_stored),
        cmocka_unit_test(options_of_a_job_are_kept),
        cmocka_unit_test(same_id_again_stores_nothing),
        cmocka_unit_test(lost_answers_of_enqueue_are_settled),
        cmocka_unit_test(certain_failures_of_enqueue_are_told_as_such),
        cmocka_unit_test(slow_enqueue_gives_up_before_sweepers_come),
        cmocka_unit_test(crash_in_enqueue_leaves_all_or_an_index_row_too_many),
        cmocka_unit_test(claim_takes_the_job_and_moves_its_row),
        cmocka_unit_test(claim_of_a_claimed_job_is_refused),
        cmocka_unit_test(lost_answers_of_a_claim_are_settled),
        cmocka_unit_test(unclear_claim_that_another_won_is_not_believed),
        cmocka_unit_test(claim_stands_when_its_index_rows_fail),
        cmocka_unit_test(waiting_job_is_cancelled),
        cmocka_unit_test(running_job_is_neither_cancelled_nor_deleted),
        cmocka_unit_test(cancel_that_comes_too_late_is_refused),
        cmocka_unit_test(delete_removes_every_row),
        cmocka_unit_test(lost_answers_of_cancel_and_delete_are_settled),
        cmocka_unit_test(list_follows_pages_and_drops_what_moved_on),
        cmocka_unit_test(list_removes_rows_that_the_job_contradicts),
        cmocka_unit_test(list_passes_failures_on),
        cmocka_unit_test(get_tells_what_is_missing),
        cmocka_unit_test(opening_needs_a_session_and_a_place),
        cmocka_unit_test(want_of_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
