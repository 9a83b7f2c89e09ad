/* enqueue.c: storing a job. What it waits for is read first (LOOK). Index rows first, then the job by INSERT IF NOT EXISTS: what a crash
 * leaves is an index row without a job, which sweepers remove after the grace period. The insert is
 * therefore sent only within half of that period. Then its links, so that each leads to a job; until they
 * are there the job is not reported as stored, and who repeats it writes them. Last, what it waits for is
 * looked at again: it may have come while the job was being stored. */
#include "jobs/duty.h"
#include "jobs/enqueue.h"

#include <string.h>

enum { LOOK, PUT, INSERT, SETTLE, UNDO, LINK };
enum { TRIES = 4, TYPE_MAX = 255 };

typedef struct enqueue {
    cql_jobs *jobs;
    cql_job_info *mine;
    cql_job_info *found; /* a job that was there before */
    cql_job_backoff backoff;
    bool counted; /* stored by this call */
    bool parent_ended;
    int64_t started;
    int32_t first_state;
    int step;
    int tries;
    bool doubt; /* an answer was lost: the job may have been stored */
    cql_error *err;
    cql_job_cb cb;
    void *user;
    cqljob_request rq;
    cqljob_indexes indexes;
} enqueue;

static void on_answer(void *user, cqljob_answer *a);

static void enqueue_free(enqueue *e)
{
    cql_job_info_free(e->mine);
    cql_job_info_free(e->found);
    cql_error_unref(e->err);
    cqljob_task_free(e);
}

static void tally(enqueue *e)
{
    cqljob_tally_end(e->jobs, -1, e->counted ? e->first_state : -1);
}

static cql_job_info *the_job(const enqueue *e)
{
    return e->found ? e->found : e->mine;
}

static void answer_job(enqueue *e)
{
    cql_job_info *job = the_job(e);

    tally(e);
    job->was_there = job == e->found;
    job->parent_ended = e->parent_ended && job->state == CQL_JOB_AWAITING_CONTINUATION;
    e->cb(e->jobs, NULL, job, e->user);
    enqueue_free(e);
}

/* Whatever came of it, the job is stored; workers look again from time to time. */
static void waited(void *user, const cql_error *err, size_t released)
{
    enqueue *e = user;

    (void)err;
    if (released)
        the_job(e)->state = CQL_JOB_SCHEDULED;
    answer_job(e);
}

static void linked(enqueue *e)
{
    cql_job_info *job = the_job(e);
    bool waits =
        job->state == CQL_JOB_AWAITING_CONTINUATION || job->state == CQL_JOB_AWAITING_BATCH;

    if (!waits || cqljob_duty_waiting(e->jobs, job, waited, e))
        answer_job(e);
}

static void fail(enqueue *e, cql_status st, const char *what)
{
    cql_error *err =
        cqljob_error(e->jobs, st, e->err, "job %.*s %s: %s", (int)e->mine->id.len, e->mine->id.ptr,
                     what, e->err ? cql_error_text(e->err) : cql_status_text(st));

    tally(e);
    e->cb(e->jobs, err, NULL, e->user);
    cql_error_unref(err);
    enqueue_free(e);
}

static void fail_somehow(enqueue *e, cql_status st)
{
    if (e->doubt)
        fail(e, CQL_OUTCOME_UNKNOWN, "may or may not have been stored; repeat it with the same id");
    else
        fail(e, e->err ? cql_error_status(e->err) : st, "was not stored");
}

static cql_status send(enqueue *e, int step)
{
    e->step = step;
    e->rq.serial = step == SETTLE;
    e->rq.verb = step == INSERT ? CQLJOB_INSERT : step == SETTLE ? CQLJOB_GET : CQLJOB_INDEX;
    return cqljob_send(e->jobs, &e->rq, on_answer, e);
}

/* The job is stored, by this call or by an earlier one. */
static void succeed(enqueue *e, cql_job_info *job)
{
    cql_status st;

    e->counted = job == e->mine;
    cqljob_plan_links(&e->indexes, job,
                      job->state == CQL_JOB_AWAITING_BATCH || e->first_state == CQL_JOB_AWAITING_BATCH);
    if (e->indexes.count == 0) {
        linked(e);
        return;
    }
    e->rq.id = job->id;
    st = send(e, LINK);
    if (st) {
        e->doubt = true;
        fail_somehow(e, st);
    }
}

static void go(enqueue *e, int step)
{
    bool late = cqljob_steady_ms(e->jobs) - e->started > e->jobs->set.grace_ms / 2;
    cql_status st = step == INSERT && late ? CQL_TIMEOUT : send(e, step);

    if (st && step == UNDO)
        succeed(e, e->found); /* sweepers will remove them */
    else if (st)
        fail_somehow(e, st);
}

/* Another job has the id: our index rows go, unless they are its own. */
static void was_there(enqueue *e, cql_job_info *found)
{
    size_t kept = 0;

    e->found = found;
    for (size_t i = 0; i < e->indexes.count; i++) {
        cqljob_index row = e->indexes.rows[i];
        bool due = row.kind == CQLJOB_PUT_DUE;

        if (!due && row.kind != CQLJOB_PUT_STATE)
            continue; /* a back-off of its own goes with the job */
        if (row.at == (due ? found->scheduled_at : found->created_at))
            continue;
        row.kind = due ? CQLJOB_DROP_DUE : CQLJOB_DROP_STATE;
        e->indexes.rows[kept++] = row;
    }
    e->indexes.count = kept;
    if (kept)
        go(e, UNDO);
    else
        succeed(e, found);
}

/* A row under our id: ours if we lost an answer and it is what we sent. Takes it. */
static void met(enqueue *e, cqljob_answer *a)
{
    cql_job_info *job = a->job;

    a->job = NULL;
    if (e->doubt && job->created_at == e->mine->created_at &&
        cql_str_equal(job->type, e->mine->type) &&
        cql_str_equal(job->arguments, e->mine->arguments)) {
        cql_job_info_free(job);
        succeed(e, e->mine);
        return;
    }
    was_there(e, job);
}

static void settle(enqueue *e)
{
    e->doubt = true;
    if (e->tries++ < TRIES)
        go(e, SETTLE);
    else
        fail_somehow(e, CQL_OUTCOME_UNKNOWN);
}

static void inserted(enqueue *e, cqljob_answer *a)
{
    if (a->outcome == CQLJOB_DONE)
        succeed(e, e->mine);
    else if (a->outcome == CQLJOB_REFUSED)
        met(e, a);
    else if (a->outcome == CQLJOB_UNKNOWN || e->doubt)
        settle(e);
    else
        fail_somehow(e, CQL_UNEXPECTED);
}

static void settled(enqueue *e, cqljob_answer *a)
{
    if (a->outcome == CQLJOB_DONE)
        met(e, a);
    else if (a->outcome == CQLJOB_REFUSED && e->tries < TRIES)
        go(e, INSERT);
    else
        settle(e);
}

/* The rows of the job as it begins. */
static void plan(enqueue *e, int32_t state)
{
    e->mine->state = e->first_state = state;
    cqljob_plan_enqueue(&e->indexes, e->mine, e->jobs->set.buckets,
                        e->backoff.kind ? &e->backoff : NULL);
}

static void looked(enqueue *e, cqljob_answer *a)
{
    bool batch = e->mine->state == CQL_JOB_AWAITING_BATCH;

    if (a->outcome == CQLJOB_UNKNOWN || a->outcome == CQLJOB_FAILED) {
        fail_somehow(e, CQL_UNEXPECTED);
        return;
    }
    if (batch ? a->key_count == 0 : a->outcome == CQLJOB_REFUSED) {
        cql_str of = batch ? e->mine->batch_id : e->mine->parent_job_id;

        e->err = cqljob_error(e->jobs, CQL_NOT_FOUND, NULL, "%s %.*s %s",
                              batch ? "the batch" : "the parent job", (int)of.len, of.ptr,
                              batch ? "has no members; store them first" : "is not there");
        fail_somehow(e, CQL_NOT_FOUND);
        return;
    }
    if (a->job && a->job->state == CQL_JOB_SUCCEEDED) /* who looks again might find it deleted */
        plan(e, CQL_JOB_SCHEDULED);
    else if (a->job)
        e->parent_ended = cql_job_state_is_final(a->job->state);
    e->rq.id = e->mine->id;
    go(e, PUT);
}

static void on_answer(void *user, cqljob_answer *a)
{
    enqueue *e = user;

    if (a->err)
        cqljob_keep_newest(&e->err, a->err);
    switch (e->step) {
    case LOOK:
        looked(e, a);
        break;
    case PUT:
        if (a->outcome == CQLJOB_DONE)
            go(e, INSERT);
        else
            fail_somehow(e, CQL_UNEXPECTED);
        break;
    case INSERT:
        inserted(e, a);
        break;
    case SETTLE:
        settled(e, a);
        break;
    case UNDO:
        succeed(e, e->found);
        break;
    case LINK:
        if (a->outcome == CQLJOB_DONE) {
            linked(e);
        } else {
            e->doubt = true;
            fail_somehow(e, CQL_OUTCOME_UNKNOWN);
        }
        break;
    }
}

/* --- beginning -------------------------------------------------------------------------------- */
static cql_status check_links(const cql_job_spec *spec, const char **why)
{
    const char *of[] = {spec->batch_id, spec->parent_id, spec->after_batch_id};
    static const char *const names[] = {"batch_id: not a UUID", "parent_id: not a UUID",
                                        "after_batch_id: not a UUID"};

    for (size_t i = 0; i < CQL_COUNT(of); i++)
        if (of[i] && cqljob_check_id(of[i])) {
            *why = names[i];
            return CQL_BAD_VALUE;
        }
    *why = "at most one of batch_id, parent_id and after_batch_id";
    if (!!spec->batch_id + !!spec->parent_id + !!spec->after_batch_id > 1)
        return CQL_BAD_ARGUMENT;
    *why = "backoff: kind 0 to 2, jitter_percent 0 to 100";
    return cqljob_backoff_is_sound(&spec->backoff) ? CQL_OK : CQL_BAD_ARGUMENT;
}

static cql_status check_spec(const cql_jobs *jobs, const cql_job_spec *spec, const char **why)
{
    size_t type_len = spec->type ? strlen(spec->type) : 0;

    *why = "type: 1 to 255 bytes";
    if (type_len == 0 || type_len > TYPE_MAX)
        return CQL_BAD_ARGUMENT;
    *why = "max_retries: -1 or more; at_ms: 0 or more";
    if (spec->max_retries < -1 || spec->at_ms < 0)
        return CQL_BAD_ARGUMENT;
    *why = "arguments: larger than max_bytes";
    if (spec->arguments.len > jobs->set.max_bytes)
        return CQL_TOO_LARGE;
    *why = "type and arguments: must be UTF-8";
    if (!cqljob_is_utf8(cql_str_of(spec->type)) || !cqljob_is_utf8(spec->arguments))
        return CQL_BAD_VALUE;
    *why = "id: not a UUID";
    if (spec->id && cqljob_check_id(spec->id))
        return CQL_BAD_VALUE;
    return check_links(spec, why);
}

static cql_job_info *new_job(const cql_jobs *jobs, const cql_job_spec *spec)
{
    char text[CQL_UUID_TEXT_SIZE];
    cql_job_info job;

    cqljob_info_init(&job);
    if (!spec->id) {
        cql_uuid id = cql_uuid_random();

        cql_uuid_print(&id, text);
    }
    job.id = cql_str_of(spec->id ? spec->id : text);
    job.type = cql_str_of(spec->type);
    job.arguments = spec->arguments.ptr ? spec->arguments : cql_str_of("");
    if (!job.arguments.ptr)
        job.arguments = (cql_str){"", 0};
    job.state = CQL_JOB_SCHEDULED;
    job.parent_job_id = cql_str_of(spec->parent_id);
    job.batch_id = cql_str_of(spec->after_batch_id ? spec->after_batch_id : spec->batch_id);
    if (spec->parent_id)
        job.state = CQL_JOB_AWAITING_CONTINUATION;
    else if (spec->after_batch_id)
        job.state = CQL_JOB_AWAITING_BATCH;
    job.max_retry_count = spec->max_retries < 0 ? 0 : spec->max_retries;
    if (spec->max_retries == 0)
        job.max_retry_count = jobs->set.max_retries;
    job.created_at = cqljob_wall_ms(jobs);
    job.scheduled_at = spec->at_ms > job.created_at ? spec->at_ms : job.created_at;
    return cqljob_info_new(&jobs->al, &job);
}

cql_status cqljob_enqueue_check(const cql_jobs *jobs, const cql_job_spec *from, const char **why)
{
    cql_job_spec spec;

    *why = "size: must be sizeof(cql_job_spec)";
    if (!from || !cqljob_take_sized(&spec, sizeof spec, from))
        return CQL_BAD_ARGUMENT;
    return check_spec(jobs, &spec, why);
}

/* What it waits for, or at once the index rows. */
static cql_status send_first(enqueue *e)
{
    if (e->mine->state == CQL_JOB_SCHEDULED)
        return send(e, PUT);
    e->step = LOOK;
    if (e->mine->state == CQL_JOB_AWAITING_BATCH) {
        e->rq.verb = CQLJOB_LINKS;
        e->rq.id = e->mine->batch_id;
        e->rq.part = CQLJOB_LINK_MEMBER;
        e->rq.page_size = 1;
    } else {
        e->rq.verb = CQLJOB_GET;
        e->rq.id = e->mine->parent_job_id;
    }
    return cqljob_send(e->jobs, &e->rq, on_answer, e);
}

cql_status cql_jobs_enqueue(cql_jobs *jobs, const cql_job_spec *from, cql_job_cb cb, void *user)
{
    const char *why;
    cql_job_spec spec;
    enqueue *e;
    cql_status st = cqljob_enqueue_check(jobs, from, &why);

    if (st)
        return st;
    (void)cqljob_take_sized(&spec, sizeof spec, from);
    e = cqljob_task_new(jobs, sizeof *e);
    if (!e)
        return CQL_NO_MEMORY;
    e->mine = new_job(jobs, &spec);
    if (!e->mine) {
        enqueue_free(e);
        return CQL_NO_MEMORY;
    }
    e->backoff = spec.backoff;
    plan(e, e->mine->state);
    e->rq.id = e->mine->id;
    e->rq.job = e->mine;
    e->rq.indexes = &e->indexes;
    e->started = cqljob_steady_ms(jobs);
    e->cb = cb;
    e->user = user;
    cqljob_tally_begin(jobs);
    st = send_first(e);
    if (st) {
        cqljob_tally_end(jobs, -1, -1);
        enqueue_free(e);
    }
    return st;
}
