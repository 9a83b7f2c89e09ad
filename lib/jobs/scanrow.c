/* scanrow.c: one row of a page: its job is read, and what it says decides what becomes of both. */
#include "jobs/worker.h"

#include <stdio.h>
#include <string.h>

enum { CLAIM_MAX = 160 };
/* Milliseconds until a row is looked at again. */
enum { LOST = 1000, FRESH = 2000, ORPHAN_LEAST = 50, STRANGE = 60000, UNHANDLED = 600000 };

void cqljob_scan_remember(const cql_job *job, int64_t ms)
{
    cql_worker *w = job->w;

    (void)cqljob_memo_keep(&w->memo, &w->jobs->al, job->id, job->due_bucket, job->due_at,
                           cqljob_worker_now(w) + ms);
}

/* The row is most likely gone soon, or already: only a page that is read after ms and still has it
 * makes it worth a look. */
static void expect_gone(cql_job *job, int64_t ms, bool swept)
{
    cqljob_memo_row *row;

    cqljob_scan_remember(job, ms);
    row = cqljob_memo_find(&job->w->memo, job->id, job->due_at);
    if (row) {
        row->by_page = true;
        row->swept = swept;
    }
}

/* Another worker was faster. */
static void missed(cql_job *job, int64_t ms)
{
    expect_gone(job, ms, false);
    if (job->page_number == job->w->scan.page_number)
        job->w->scan.misses++;
}

void cqljob_scan_forget(const cql_job *job)
{
    cqljob_memo_row *row = cqljob_memo_find(&job->w->memo, job->id, job->due_at);

    if (row)
        cqljob_memo_drop(&job->w->memo, row);
}

/* --- what is to be done ----------------------------------------------------------------------- */
/* Whoever ended the job may be about to do this, so it gets a moment. When that is long ago, the row
 * may have gone since its page was read: a new page tells for less than doing it in vain. */
static void mind(cql_job *job, int64_t seen)
{
    const cql_job_info *info = job->info;
    int64_t age = cqljob_worker_wall(job->w) - info->executed_at;
    bool fresh = info->executed_at != CQL_JOB_NO_TIME && age >= 0 && age < FRESH;

    if (fresh || !seen) {
        job->w->scan.contested |= !fresh;
        missed(job, fresh ? FRESH : 0);
        cqljob_job_over(job);
        return;
    }
    job->phase = CQLJOB_MINDING;
    if (cqljob_job_mind(job))
        cqljob_job_over(job);
}

static void sweep(cql_job *job, const cql_job_info *info)
{
    cql_worker *w = job->w;

    job->phase = CQLJOB_SWEEPING;
    cqljob_plan_sweep(&job->indexes, info, job->due_bucket, job->due_at, cqljob_now_us(w->jobs),
                      w->jobs->set.buckets);
    memset(&job->rq, 0, sizeof job->rq);
    job->rq.verb = CQLJOB_INDEX;
    job->rq.id = cql_str_of(job->id);
    job->rq.indexes = &job->indexes;
    if (cqljob_job_request(job))
        cqljob_job_over(job);
}

/* There is something to do for the job: if its page is still at hand, that page was worth it. */
static void note_worth(cql_job *job)
{
    cqljob_scan *scan = &job->w->scan;

    scan->worth = scan->worth || job->page_number == scan->page_number;
}

/* The note is in the column that later takes the result. It tells this claim from all others. */
static char *claim_note(const cql_worker *w)
{
    cql_uuid id = cql_uuid_random();
    char uuid[CQL_UUID_TEXT_SIZE];
    char text[CLAIM_MAX];

    cql_uuid_print(&id, uuid);
    (void)snprintf(text, sizeof text, "{\"claimed_by\":\"%s\",\"claim\":\"%s\"}", w->name, uuid);
    return cqljob_copy(&w->jobs->al, cql_str_of(text));
}

static void claim(cql_job *job)
{
    cql_worker *w = job->w;
    int64_t token;

    note_worth(job);
    job->phase = CQLJOB_CLAIMING;
    job->claim = claim_note(w);
    job->op_started = cqljob_worker_now(w);
    if (!job->claim || !cqljob_next_token(job->info, cqljob_worker_wall(w), &token)) {
        cqljob_job_over(job);
        return;
    }
    cqljob_plan_claim(&job->mover.move, job->info, token, cql_str_of(job->claim));
    if (cqljob_job_move(job)) {
        w->scan.contested = true;
        cqljob_job_over(job);
    }
}

static void reclaim(cql_job *job)
{
    cqljob_facts facts = cqljob_job_facts(job);
    bool again;

    facts.index_behind = true; /* its worker may have died right after the claim */
    again = cqljob_plan_reclaim(
        &job->mover.move, job->info,
        cql_str_of("the worker that ran the job let its lease run out"), &facts);

    note_worth(job);
    job->phase = CQLJOB_RECLAIMING;
    job->verdict = again ? CQLJOB_VERDICT_GIVE_BACK : CQLJOB_VERDICT_FAIL;
    if (cqljob_job_move(job))
        cqljob_job_over(job);
}

/* How long this has been seen: jobs that are held or have ended by their token, rows that may be those
 * of a job to come by the time. */
static int64_t seen_for(cql_job *job)
{
    cql_worker *w = job->w;
    int64_t mark = job->info ? job->info->executed_at : job->due_at;

    if (cqljob_is_next_row(job->info, job->due_at))
        mark = job->due_at;
    else if (job->info && cql_job_state_is_final(job->info->state))
        mark = -1 - mark; /* not since it was seen running */
    else if (job->info && job->info->state != CQL_JOB_PROCESSING)
        return 0;
    return cqljob_watch_see(w->watch, cql_str_of(job->id), mark, cqljob_worker_now(w));
}

/* How long a job that somebody holds can be left alone. */
static int64_t lease_left(const cql_job *job)
{
    const cql_worker *w = job->w;
    int64_t left = w->set.lease_ms;

    if (job->info->state != CQL_JOB_PROCESSING)
        return STRANGE;
    if (job->info->executed_at != CQL_JOB_NO_TIME)
        left = job->info->executed_at + w->set.lease_ms - cqljob_worker_wall(w);
    if (left > w->set.lease_ms)
        left = w->set.lease_ms;
    return left > 0 ? left : 1;
}

/* True: it was claimed after its page was read, by the clocks. */
static bool was_taken_since(const cql_job *job)
{
    const cqljob_scan *scan = &job->w->scan;

    return job->page_number == scan->page_number && job->info->state == CQL_JOB_PROCESSING &&
           job->info->executed_at > scan->page_until;
}

static void leave_alone(cql_job *job, int64_t ms)
{
    cqljob_scan_remember(job, ms);
    cqljob_job_over(job);
}

/* The job may be on its way. */
static void leave_for_grace(cql_job *job, int64_t seen)
{
    int64_t half = seen / 2 < CQLJOB_SCAN_SOON ? seen / 2 : CQLJOB_SCAN_SOON;

    leave_alone(job, half > ORPHAN_LEAST ? half : ORPHAN_LEAST);
}

static void leave_unhandled(cql_job *job)
{
    cqljob_worker_unhandled(job->w, job);
    leave_alone(job, UNHANDLED);
}

/* An insert that is half done on the servers may be finished by anybody, at any time, and its rows would
 * then be gone: a serial read finishes it now or rules it out. */
static void look_serially(cql_job *job)
{
    job->rq.serial = true;
    if (cqljob_job_request(job))
        cqljob_job_over(job);
}

static void decide(cql_job *job)
{
    cql_worker *w = job->w;
    int64_t seen = seen_for(job);

    switch (cqljob_look(job->info, job->due_at, cqljob_worker_wall(w), w->set.lease_ms, seen)) {
    case CQLJOB_SEE_CLAIM:
        if (w->stopping)
            break;
        if (cqljob_handler_for(w->jobs, job->info->type))
            claim(job);
        else
            leave_unhandled(job);
        return;
    case CQLJOB_SEE_EXPIRED:
        if (w->stopping)
            break;
        reclaim(job);
        return;
    case CQLJOB_SEE_ENDED:
        if (cqljob_is_next_row(job->info, job->due_at) && seen < w->jobs->set.grace_ms)
            leave_for_grace(job, seen);
        else if (job->info->state == CQL_JOB_SUCCEEDED || job->info->batch_id.ptr)
            mind(job, seen);
        else
            sweep(job, job->info);
        return;
    case CQLJOB_SEE_STALE:
        sweep(job, job->info);
        return;
    case CQLJOB_SEE_ORPHAN:
        if (seen < w->jobs->set.grace_ms)
            leave_for_grace(job, seen);
        else if (job->rq.serial)
            sweep(job, NULL);
        else
            look_serially(job);
        return;
    case CQLJOB_SEE_RUNNING:
        if (was_taken_since(job))
            w->scan.misses++;
        leave_alone(job, lease_left(job));
        return;
    }
    cqljob_job_over(job);
}

static void looked(cql_job *job)
{
    if (job->outcome == CQLJOB_UNKNOWN || job->outcome == CQLJOB_FAILED) {
        bool strange = job->err && cql_error_status(job->err) == CQL_MALFORMED;

        cqljob_worker_trouble(job->w, job->err);
        if (strange) { /* this one alone: the others go on as ever */
            leave_alone(job, STRANGE);
            return;
        }
        job->w->scan.failed = true;
        cqljob_job_over(job);
        return;
    }
    job->info = job->answer;
    job->answer = NULL;
    decide(job);
}

static void claimed(cql_job *job)
{
    cql_worker *w = job->w;

    switch (job->moved) {
    case CQLJOB_MOVE_DONE:
        w->scan.found = true;
        cqljob_scan_remember(job, w->set.lease_ms);
        cqljob_held_begin(job);
        return;
    case CQLJOB_MOVE_REFUSED:
        missed(job, LOST);
        break;
    case CQLJOB_MOVE_UNKNOWN: /* not clearly ours: the lease settles it */
        cqljob_worker_event(w, CQL_WORKER_UNKNOWN, job, "", job->err);
        if (job->err && cql_error_status(job->err) == CQL_SERVER_UNAVAILABLE)
            w->scan.failed = true; /* replicas are missing for all others too */
        else
            w->scan.contested = true;
        break;
    case CQLJOB_MOVE_FAILED:
        w->scan.failed = true;
        cqljob_worker_trouble(w, job->err);
        break;
    }
    cqljob_job_over(job);
}

static void reclaimed(cql_job *job)
{
    cql_worker *w = job->w;

    if (job->moved == CQLJOB_MOVE_DONE) {
        bool again = job->verdict == CQLJOB_VERDICT_GIVE_BACK;

        w->scan.found = true;
        cqljob_scan_forget(job);
        cqljob_worker_event(w, again ? CQL_WORKER_RECLAIMED : CQL_WORKER_ABANDONED, job,
                            "the worker that ran the job let its lease run out", NULL);
    } else if (job->moved == CQLJOB_MOVE_REFUSED) {
        cqljob_scan_remember(job, LOST);
    } else {
        w->scan.failed = true;
        cqljob_worker_trouble(w, job->err);
    }
    cqljob_job_over(job);
}

void cqljob_scan_answer(cql_job *job)
{
    job->op = CQLJOB_OP_NONE;
    switch (job->phase) {
    case CQLJOB_LOOKING:
        looked(job);
        break;
    case CQLJOB_CLAIMING:
        claimed(job);
        break;
    case CQLJOB_RECLAIMING:
        reclaimed(job);
        break;
    case CQLJOB_MINDING:
        if (job->outcome == CQLJOB_DONE)
            sweep(job, job->info);
        else
            cqljob_job_over(job); /* remembered: again soon */
        break;
    case CQLJOB_SWEEPING:
        if (job->outcome == CQLJOB_DONE) { /* pages without it, or behind it, make it forgotten */
            expect_gone(job, CQLJOB_SCAN_SOON, true);
            cqljob_memo_passed(&job->w->memo, job->due_bucket,
                               job->w->scan.from[job->due_bucket]);
        }
        cqljob_job_over(job);
        break;
    case CQLJOB_HELD:
    case CQLJOB_ENDING:
    case CQLJOB_OVER:
        cqljob_job_over(job);
        break;
    }
}
