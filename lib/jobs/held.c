/* held.c: a job from its claim to the end of it.
 *
 * One operation at a time. Every write is conditional on the token; when one is refused, or its
 * outcome stays open, the row is read again (serially) before anything else: while it carries this
 * claim's note the job is still ours, with whatever token the row shows, since nobody else can have
 * written that note. */
#include "jobs/worker.h"

#include <stdio.h>
#include <string.h>

enum { WAIT_FIRST = 100, WAIT_MOST = 5000, FULL_LEAST = 50, FULL_MOST = 1000, TEXT_MAX = 512 };

static void settle_row(cql_job *job);

static cql_worker *worker_of(const cql_job *job)
{
    return job->w;
}

static int64_t lapse_at(const cql_job *job)
{
    return job->lease_from + job->w->set.lease_ms * 9 / 10;
}

static void set_token(cql_job *job, int64_t token)
{
    job->now.executed_at = token;
    (void)pthread_mutex_lock(&job->hub->lock);
    job->token = token;
    (void)pthread_mutex_unlock(&job->hub->lock);
}

/* The session's queue is full: nothing was sent, and there may be room at any moment. */
static void wait_for_room(cql_job *job)
{
    int64_t ms = job->w->set.lease_ms / 100;

    ms = ms > FULL_MOST ? FULL_MOST : ms < FULL_LEAST ? FULL_LEAST : ms;
    job->retry_at = cqljob_worker_now(job->w) + ms;
}

static void wait_a_little(cql_job *job)
{
    job->retry_wait = job->retry_wait ? job->retry_wait * 2 : WAIT_FIRST;
    if (job->retry_wait > WAIT_MOST)
        job->retry_wait = WAIT_MOST;
    job->retry_at = cqljob_worker_now(job->w) + job->retry_wait;
}

static void troubled(cql_job *job)
{
    cqljob_worker_trouble(job->w, job->err);
    wait_a_little(job);
}

/* Tells the handler, once, that it is to stop: somebody else may have the job, or soon will. True:
 * there was something to call. */
static bool tell_handler(cql_job *job)
{
    cql_job_handler fn = NULL;
    void *user;

    (void)pthread_mutex_lock(&job->hub->lock);
    if (!job->lost) {
        job->lost = true;
        fn = job->on_lost;
    }
    user = job->on_lost_user;
    job->on_lost = NULL;
    (void)pthread_mutex_unlock(&job->hub->lock);
    if (fn)
        fn(job, user);
    return fn != NULL;
}

/* Somebody else has it, for certain. */
static void lose(cql_job *job, const char *why)
{
    char text[TEXT_MAX + 64];
    const char *what = job->phase == CQLJOB_ENDING ? "the outcome of this run was refused: " : "";

    job->gone = true;
    (void)snprintf(text, sizeof text, "%s%s", what, why);
    if (!job->announced)
        cqljob_worker_event(job->w, CQL_WORKER_CLAIM_LOST, job, text, NULL);
    job->announced = true;
    (void)tell_handler(job);
}

/* --- beginning -------------------------------------------------------------------------------- */
/* Nobody is to run it here: as if the handler had given it back. */
static void give_back_now(cql_job *job)
{
    job->verdict = CQLJOB_VERDICT_GIVE_BACK;
    cqljob_held_tick(job, false);
}

static void call_handler(cql_job *job)
{
    const cqljob_handler *h = cqljob_handler_for(job->w->jobs, job->now.type);

    cqljob_job_ref(job); /* the handler's */
    if (!h->blocking) {
        h->fn(job, h->user);
    } else if (cqljob_pool_run(job->w->pool, h->fn, job, h->user)) {
        cqljob_job_unref(job);
        give_back_now(job);
    }
}

void cqljob_held_begin(cql_job *job)
{
    cql_worker *w = worker_of(job);

    job->phase = CQLJOB_HELD;
    w->looking--;
    w->held++;
    job->info->state = CQL_JOB_PROCESSING;
    job->info->executed_at = job->mover.move.change.token;
    job->info->claim = cql_str_of(job->claim);
    job->info->result = (cql_str){NULL, 0};
    job->shown = job->info;
    job->now = *job->info;
    set_token(job, job->now.executed_at);
    job->lease_from = job->op_started;
    job->renew_at = job->op_started + w->set.lease_ms / 3;
    /* Settling an unclear claim can take longer than the lease: somebody else may run it now. */
    if (w->stopping || cqljob_worker_now(w) >= lapse_at(job)) {
        give_back_now(job);
        return;
    }
    cqljob_worker_event(w, CQL_WORKER_CLAIMED, job, "", NULL);
    call_handler(job);
}

/* --- operations ------------------------------------------------------------------------------- */
/* After an operation could not be started. */
static void not_started(cql_job *job, cql_status st)
{
    if (st == CQL_WOULD_BLOCK)
        wait_for_room(job);
    else if (st)
        wait_a_little(job);
}

/* After one that certainly did nothing. */
static void failed(cql_job *job)
{
    if (job->err && cql_error_status(job->err) == CQL_WOULD_BLOCK) {
        wait_for_room(job);
        return;
    }
    troubled(job);
}

static void renew(cql_job *job)
{
    int64_t token;

    (void)pthread_mutex_lock(&job->hub->lock);
    job->renew_asked = false;
    (void)pthread_mutex_unlock(&job->hub->lock);
    job->op_started = cqljob_worker_now(job->w);
    if (!cqljob_next_token(&job->now, cqljob_worker_wall(job->w), &token)) {
        job->renew_at = INT64_MAX; /* no greater time is left; the lease will end */
        return;
    }
    cqljob_plan_renew(&job->mover.move, &job->now, token);
    job->renewing = true;
    not_started(job, cqljob_job_move(job));
}

/* The job's own, its type's, the worker's. */
static int64_t backoff_of(const cql_job *job)
{
    const cqljob_handler *h = cqljob_handler_for(job->w->jobs, job->now.type);
    const cql_job_backoff *b = &job->w->set.retry;

    if (h && h->backoff.kind)
        b = &h->backoff;
    if (job->own_backoff.kind)
        b = &job->own_backoff;
    return cqljob_backoff_ms(b, job->now.retry_count + 1, cqljob_worker_random(job->w));
}

/* Only a job that will run again needs to know how long it waits. */
static bool needs_backoff(const cql_job *job)
{
    return job->verdict == CQLJOB_VERDICT_FAIL && !job->asked &&
           job->now.retry_count < job->now.max_retry_count;
}

static void ask_backoff(cql_job *job)
{
    memset(&job->rq, 0, sizeof job->rq);
    job->rq.verb = CQLJOB_BACKOFF;
    job->rq.id = cql_str_of(job->id);
    job->asking = true;
    not_started(job, cqljob_job_request(job));
}

static void took_backoff(cql_job *job)
{
    job->asking = false;
    if (job->outcome == CQLJOB_DONE || job->outcome == CQLJOB_REFUSED) {
        job->asked = true;
        return;
    }
    troubled(job);
}

static void write_verdict(cql_job *job)
{
    cqljob_facts facts = cqljob_job_facts(job);
    cqljob_move *m = &job->mover.move;

    switch (job->verdict) {
    case CQLJOB_VERDICT_COMPLETE:
        cqljob_plan_complete(m, &job->now, job->verdict_text, &facts);
        break;
    case CQLJOB_VERDICT_FAIL:
        job->again_at = CQL_JOB_NO_TIME;
        if (cqljob_plan_fail(m, &job->now, job->verdict_text, backoff_of(job), &facts))
            job->again_at = m->change.scheduled_at;
        break;
    case CQLJOB_VERDICT_GIVE_BACK:
    case CQLJOB_VERDICT_NONE:
        cqljob_plan_give_back(m, &job->now, &facts);
        break;
    }
    job->renewing = false;
    not_started(job, cqljob_job_move(job));
}

static void read_row(cql_job *job)
{
    memset(&job->rq, 0, sizeof job->rq);
    job->asking = false;
    job->rq.verb = CQLJOB_GET;
    job->rq.serial = true;
    job->rq.id = cql_str_of(job->id);
    not_started(job, cqljob_job_request(job));
}

/* --- answers ---------------------------------------------------------------------------------- */
static void ended(cql_job *job)
{
    cql_worker *w = worker_of(job);

    if (!job->index_behind) /* else the row is still there, and to be looked after */
        cqljob_scan_forget(job);

    switch (job->verdict) {
    case CQLJOB_VERDICT_COMPLETE:
        job->now.state = CQL_JOB_SUCCEEDED;
        cqljob_worker_event(w, CQL_WORKER_SUCCEEDED, job, "", NULL);
        break;
    case CQLJOB_VERDICT_FAIL:
        if (job->again_at == CQL_JOB_NO_TIME) {
            cqljob_worker_event(w, CQL_WORKER_ABANDONED, job, job->verdict_text.ptr, NULL);
            break;
        }
        cqljob_worker_event(w, CQL_WORKER_RETRY, job, job->verdict_text.ptr, NULL);
        cqljob_scan_expect(w, cqljob_worker_now(w) + job->again_at - cqljob_worker_wall(w));
        break;
    case CQLJOB_VERDICT_GIVE_BACK:
    case CQLJOB_VERDICT_NONE:
        cqljob_worker_event(w, CQL_WORKER_GIVEN_BACK, job, "", NULL);
        break;
    }
    cqljob_job_over(job);
}

/* A move that did not go through. */
static void not_moved(cql_job *job)
{
    if (job->moved == CQLJOB_MOVE_FAILED) {
        failed(job);
        return;
    }
    job->redo = true;
    if (job->moved == CQLJOB_MOVE_UNKNOWN)
        troubled(job);
}

static void renewed(cql_job *job)
{
    if (job->moved != CQLJOB_MOVE_DONE) {
        not_moved(job);
        return;
    }
    set_token(job, job->mover.move.change.token);
    job->lease_from = job->op_started;
    job->renew_at = job->op_started + job->w->set.lease_ms / 3;
    job->retry_wait = 0;
    cqljob_worker_resumed(job->w);
}

/* True for errors that the same statement would meet again. */
static bool is_permanent(const cql_error *err)
{
    switch (err ? cql_error_status(err) : CQL_OK) {
    case CQL_TOO_LARGE:
    case CQL_BAD_VALUE:
    case CQL_TYPE_MISMATCH:
    case CQL_SERVER_INVALID:
    case CQL_SERVER_SYNTAX_ERROR:
    case CQL_SERVER_UNAUTHORIZED:
    case CQL_SERVER_CONFIG_ERROR:
        return true;
    default:
        return false;
    }
}

/* A result that cannot be stored makes the run a failed one; a failure that cannot be stored is
 * left to the lease. */
static void cannot_write(cql_job *job)
{
    const cql_allocator *al = &job->w->jobs->al;
    char text[TEXT_MAX];

    if (job->verdict != CQLJOB_VERDICT_COMPLETE) {
        cqljob_worker_event(job->w, CQL_WORKER_UNKNOWN, job, "", job->err);
        cqljob_job_over(job);
        return;
    }
    (void)snprintf(text, sizeof text, "the result could not be stored: %s",
                   cql_error_text(job->err));
    cqljob_mend_utf8(text, strlen(text)); /* it may be cut within a character */
    cqljob_free(al, job->said_text);
    job->said_text = cqljob_copy(al, cql_str_of(text));
    job->verdict = CQLJOB_VERDICT_FAIL;
    job->verdict_text = cql_str_of(job->said_text ? job->said_text : "");
}

static void written(cql_job *job)
{
    if (job->moved == CQLJOB_MOVE_DONE) {
        cqljob_worker_resumed(job->w);
        ended(job);
    } else if (job->moved == CQLJOB_MOVE_FAILED && is_permanent(job->err)) {
        cannot_write(job);
    } else {
        not_moved(job);
    }
}

static bool is_ours(const cql_job *job, const cql_job_info *row)
{
    return row->state == CQL_JOB_PROCESSING && cql_str_equal(row->claim, cql_str_of(job->claim));
}

static void settle_row(cql_job *job)
{
    const cql_job_info *row = job->answer;
    char text[TEXT_MAX];

    if (job->outcome == CQLJOB_UNKNOWN || job->outcome == CQLJOB_FAILED) {
        troubled(job);
        return;
    }
    job->redo = false;
    cqljob_worker_resumed(job->w);
    if (row && is_ours(job, row)) {
        set_token(job, row->executed_at);
        job->renew_at = cqljob_worker_now(job->w);
        return;
    }
    if (row && job->phase == CQLJOB_ENDING && !job->renewing &&
        cqljob_change_is_done(&job->mover.move.change, row)) {
        cqljob_tally_begin(job->w->jobs);
        cqljob_tally_end(job->w->jobs, CQL_JOB_PROCESSING, row->state);
        job->index_behind = true;
        ended(job);
        return;
    }
    if (!row)
        (void)snprintf(text, sizeof text, "the job was deleted");
    else if (row->state == CQL_JOB_PROCESSING)
        (void)snprintf(text, sizeof text, "another worker holds the job");
    else
        (void)snprintf(text, sizeof text, "the job is %s now", cql_job_state_name(row->state));
    lose(job, text);
}

void cqljob_held_answer(cql_job *job)
{
    cqljob_op op = job->op;

    job->op = CQLJOB_OP_NONE;
    if (op == CQLJOB_OP_REQUEST && job->asking)
        took_backoff(job);
    else if (op == CQLJOB_OP_REQUEST)
        settle_row(job);
    else if (job->renewing)
        renewed(job);
    else
        written(job);
    if (job->phase != CQLJOB_OVER)
        cqljob_held_tick(job, false);
}

/* --- time ------------------------------------------------------------------------------------- */
static bool renewal_asked(const cql_job *job)
{
    bool asked;

    (void)pthread_mutex_lock(&job->hub->lock);
    asked = job->renew_asked;
    (void)pthread_mutex_unlock(&job->hub->lock);
    return asked;
}

static bool is_lost(const cql_job *job)
{
    return cql_job_is_lost(job);
}

static void tick_held(cql_job *job, int64_t now)
{
    bool due = renewal_asked(job) || (!job->w->set.manual_renew && now >= job->renew_at);

    if (job->gone || is_lost(job) || now < job->retry_at)
        return;
    if (job->redo)
        read_row(job);
    else if (due)
        renew(job);
}

static void tick_ending(cql_job *job, int64_t now)
{
    if (job->gone)
        cqljob_job_over(job);
    else if (now < job->retry_at)
        return;
    else if (job->redo)
        read_row(job);
    else if (needs_backoff(job))
        ask_backoff(job);
    else
        write_verdict(job);
}

/* The worker waits no longer. A handler that can be told to stop gets a moment to do so, so that
 * the job is not given back while it still runs. */
static void force(cql_job *job, int64_t now)
{
    if (!job->force_at)
        job->force_at = tell_handler(job) ? now + CQLJOB_TOLD_MS : now;
    if (now >= job->force_at && job->verdict == CQLJOB_VERDICT_NONE)
        job->verdict = CQLJOB_VERDICT_GIVE_BACK;
}

void cqljob_held_tick(cql_job *job, bool forced)
{
    int64_t now = cqljob_worker_now(job->w);

    if (job->phase == CQLJOB_HELD && now >= lapse_at(job))
        (void)tell_handler(job);
    if (job->phase == CQLJOB_HELD && job->verdict == CQLJOB_VERDICT_NONE && forced)
        force(job, now);
    if (job->op != CQLJOB_OP_NONE)
        return;
    if (job->phase == CQLJOB_HELD && job->verdict != CQLJOB_VERDICT_NONE) {
        job->phase = CQLJOB_ENDING;
        job->retry_at = 0;
    }
    if (job->phase == CQLJOB_HELD)
        tick_held(job, now);
    else if (job->phase == CQLJOB_ENDING)
        tick_ending(job, now);
}

int64_t cqljob_held_deadline(const cql_job *job)
{
    int64_t at = INT64_MAX;

    if (job->phase == CQLJOB_HELD && job->force_at && job->verdict == CQLJOB_VERDICT_NONE)
        return job->force_at;

    if (job->phase == CQLJOB_HELD && !is_lost(job)) {
        at = lapse_at(job);
        if (job->op == CQLJOB_OP_NONE && !job->gone) {
            int64_t next = job->redo ? 0 : job->renew_at;

            if (job->w->set.manual_renew && !job->redo)
                next = renewal_asked(job) ? 0 : INT64_MAX;
            if (next < job->retry_at)
                next = job->retry_at;
            if (next < at)
                at = next;
        }
    } else if (job->phase == CQLJOB_ENDING && job->op == CQLJOB_OP_NONE) {
        at = job->retry_at;
    }
    return at;
}
