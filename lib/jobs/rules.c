/* rules.c: the state machine of a job as plans of writes. rules.h says why they are ordered so. */
#include "jobs/rules.h"

#include <string.h>

/* Steps within one claim; write times rise with them. */
enum { STEP_CLAIMED = 0, STEP_LEFT = 1, STEP_CANCELLED = 2, STEP_GONE = 999 };
enum { STEPS = 1000 };

uint64_t cqljob_hash(uint64_t so_far, cql_str text)
{
    for (size_t i = 0; i < text.len; i++)
        so_far = (so_far ^ (unsigned char)text.ptr[i]) * UINT64_C(1099511628211);
    return so_far;
}

int32_t cqljob_bucket(cql_str id, uint32_t buckets)
{
    return (int32_t)(cqljob_hash(CQLJOB_HASH, id) % buckets);
}

bool cqljob_next_token(const cql_job_info *job, int64_t now_ms, int64_t *token)
{
    int64_t above = job->executed_at > job->created_at ? job->executed_at : job->created_at;

    if (above >= INT64_MAX / STEPS - 1)
        return false;
    *token = now_ms > above ? now_ms : above + 1;
    return *token < INT64_MAX / STEPS;
}

/* base * STEPS + step, kept within what a write time can be. */
static int64_t stamp(int64_t base, int step)
{
    if (base == CQL_JOB_NO_TIME)
        return step;
    if (base >= INT64_MAX / STEPS)
        return INT64_MAX - STEPS + step;
    if (base <= INT64_MIN / STEPS + 1)
        return INT64_MIN + 1 + step;
    return base * STEPS + step;
}

static int64_t base_of(const cql_job_info *job)
{
    return job->executed_at != CQL_JOB_NO_TIME ? job->executed_at : job->created_at;
}

int64_t cqljob_write_time(const cql_job_info *job)
{
    switch (job->state) {
    case CQL_JOB_SCHEDULED: /* also one that waited for others: it has left that state */
    case CQL_JOB_SUCCEEDED:
    case CQL_JOB_FAILED:
    case CQL_JOB_ABANDONED:
        return stamp(base_of(job), STEP_LEFT);
    case CQL_JOB_CANCELLED:
        return stamp(base_of(job), STEP_CANCELLED);
    default:
        return stamp(base_of(job), STEP_CLAIMED);
    }
}

/* --- changes ---------------------------------------------------------------------------------- */
static bool same_text(cql_str a, cql_str b)
{
    return (a.ptr == NULL) == (b.ptr == NULL) && cql_str_equal(a, b);
}

bool cqljob_change_is_done(const cqljob_change *c, const cql_job_info *job)
{
    if (c->remove)
        return job == NULL;
    if (!job || job->state != c->state)
        return false;
    if ((c->sets & CQLJOB_SET_TOKEN) ? job->executed_at != c->token
                                     : job->executed_at != c->from_token)
        return false;
    if ((c->sets & CQLJOB_SET_TIME) && job->scheduled_at != c->scheduled_at)
        return false;
    if ((c->sets & CQLJOB_SET_RETRIES) && job->retry_count != c->retry_count)
        return false;
    if ((c->sets & CQLJOB_SET_ERROR) && !same_text(job->error_message, c->error_message))
        return false;
    if (!(c->sets & CQLJOB_SET_RESULT))
        return true;
    return same_text(c->state == CQL_JOB_PROCESSING ? job->claim : job->result, c->result);
}

bool cqljob_change_can_be(const cqljob_change *c, const cql_job_info *job)
{
    return job && job->state == c->from_state && job->executed_at == c->from_token;
}

static void change_from(cqljob_change *c, const cql_job_info *job, int32_t to)
{
    memset(c, 0, sizeof *c);
    c->from_state = job->state;
    c->from_token = job->executed_at;
    c->state = to;
}

static void set_token(cqljob_change *c, int64_t token, cql_str claim)
{
    c->sets |= CQLJOB_SET_TOKEN | CQLJOB_SET_RESULT;
    c->token = token;
    c->result = claim;
}

static void set_error(cqljob_change *c, cql_str text)
{
    c->sets |= CQLJOB_SET_ERROR;
    c->error_message = text;
}

static void set_result(cqljob_change *c, cql_str text)
{
    c->sets |= CQLJOB_SET_RESULT;
    c->result = text;
}

/* --- plans ------------------------------------------------------------------------------------ */
/* Rows without a time cannot exist: both tables have it in their key. */
static void add(cqljob_indexes *rows, cqljob_index_kind kind, int32_t part, int64_t at,
                int64_t write)
{
    if (at == CQL_JOB_NO_TIME || rows->count == CQLJOB_INDEX_MAX)
        return;
    rows->rows[rows->count++] =
        (cqljob_index){.kind = kind, .part = part, .at = at, .write_us = write};
}

static void add_link(cqljob_indexes *rows, cqljob_index_kind kind, cqljob_link_kind link,
                     cql_str of, int64_t write)
{
    if (rows->count == CQLJOB_INDEX_MAX || !of.ptr)
        return;
    rows->rows[rows->count++] =
        (cqljob_index){.kind = kind, .part = (int32_t)link, .write_us = write, .of = of};
}

static void drop_backoff(cqljob_indexes *rows, int64_t write)
{
    if (rows->count < CQLJOB_INDEX_MAX)
        rows->rows[rows->count++] = (cqljob_index){.kind = CQLJOB_DROP_BACKOFF, .write_us = write};
}

void cqljob_plan_links(cqljob_indexes *rows, const cql_job_info *job, bool then)
{
    int64_t write = cqljob_write_time(job);

    rows->count = 0;
    add_link(rows, CQLJOB_PUT_LINK, CQLJOB_LINK_CHILD, job->parent_job_id, write);
    add_link(rows, CQLJOB_PUT_LINK, then ? CQLJOB_LINK_THEN : CQLJOB_LINK_MEMBER, job->batch_id,
             write);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int32_t due_bucket(const cql_job_info *job, const cqljob_facts *facts)
{
    return facts->due_bucket >= 0 ? facts->due_bucket : cqljob_bucket(job->id, facts->buckets);
}

void cqljob_plan_enqueue(cqljob_indexes *rows, const cql_job_info *job, uint32_t buckets,
                         const cql_job_backoff *backoff)
{
    int64_t write = cqljob_write_time(job);

    rows->count = 0;
    if (job->state == CQL_JOB_SCHEDULED)
        add(rows, CQLJOB_PUT_DUE, cqljob_bucket(job->id, buckets), job->scheduled_at, write);
    add(rows, CQLJOB_PUT_STATE, job->state, job->created_at, write);
    if (backoff)
        rows->rows[rows->count++] =
            (cqljob_index){.kind = CQLJOB_PUT_BACKOFF, .write_us = write, .backoff = backoff};
}

void cqljob_plan_claim(cqljob_move *m, const cql_job_info *job, int64_t token, cql_str claim)
{
    int64_t write = stamp(token, STEP_CLAIMED);

    memset(m, 0, sizeof *m);
    change_from(&m->change, job, CQL_JOB_PROCESSING);
    set_token(&m->change, token, claim);
    add(&m->after, CQLJOB_PUT_STATE, CQL_JOB_PROCESSING, job->created_at, write);
    add(&m->after, CQLJOB_DROP_STATE, job->state, job->created_at, write);
}

void cqljob_plan_renew(cqljob_move *m, const cql_job_info *job, int64_t token)
{
    memset(m, 0, sizeof *m);
    change_from(&m->change, job, CQL_JOB_PROCESSING);
    set_token(&m->change, token, job->claim);
}

/* What all ways out of state 2 share: the new state's row first, the old one's last. */
static int64_t leave(cqljob_move *m, const cql_job_info *job, int32_t to, const cqljob_facts *facts)
{
    int64_t write = stamp(base_of(job), STEP_LEFT);

    memset(m, 0, sizeof *m);
    change_from(&m->change, job, to);
    add(&m->before, CQLJOB_PUT_STATE, to, job->created_at, write);
    add(&m->after, CQLJOB_DROP_STATE, job->state, job->created_at, write);
    if (facts->index_behind && to != CQL_JOB_SCHEDULED)
        add(&m->after, CQLJOB_DROP_STATE, CQL_JOB_SCHEDULED, job->created_at, write);
    return write;
}

/* A job that ended needs its scheduled_jobs row no more. Nothing will be put there again, so the
 * removal may use the clock: that also takes rows which were written with one. */
static void leave_for_good(cqljob_move *m, const cql_job_info *job, int32_t to,
                           const cqljob_facts *facts)
{
    int64_t write = leave(m, job, to, facts);

    m->ends = true;
    m->batch_id = job->batch_id;
    add(&m->after, CQLJOB_DROP_DUE, due_bucket(job, facts), job->scheduled_at,
        later(write, facts->now_us));
}

void cqljob_plan_complete(cqljob_move *m, const cql_job_info *job, cql_str result,
                          const cqljob_facts *facts)
{
    leave_for_good(m, job, CQL_JOB_SUCCEEDED, facts);
    set_result(&m->change, result);
    if (job->error_message.ptr)
        set_error(&m->change, (cql_str){NULL, 0});
}

/* Back to waiting, always under a time it has not had: workers remember rows of jobs that run, and
 * a row that puts and removes can then never be one and the same. */
static void leave_to_wait(cqljob_move *m, const cql_job_info *job, int64_t at,
                          const cqljob_facts *facts)
{
    int64_t write = leave(m, job, CQL_JOB_SCHEDULED, facts);

    if (job->scheduled_at != CQL_JOB_NO_TIME && at <= job->scheduled_at)
        at = job->scheduled_at + 1;
    set_result(&m->change, (cql_str){NULL, 0});
    m->change.sets |= CQLJOB_SET_TIME;
    m->change.scheduled_at = at;
    add(&m->before, CQLJOB_PUT_DUE, cqljob_bucket(job->id, facts->buckets), at, write);
    add(&m->after, CQLJOB_DROP_DUE, due_bucket(job, facts), job->scheduled_at, write);
}

void cqljob_plan_give_back(cqljob_move *m, const cql_job_info *job, const cqljob_facts *facts)
{
    leave_to_wait(m, job, facts->now_us / STEPS, facts);
}

static void plan_abandon(cqljob_move *m, const cql_job_info *job, cql_str why,
                         const cqljob_facts *facts)
{
    leave_for_good(m, job, CQL_JOB_ABANDONED, facts);
    set_result(&m->change, (cql_str){NULL, 0});
    set_error(&m->change, why);
}

static bool may_retry(const cql_job_info *job)
{
    return job->retry_count < job->max_retry_count;
}

static void plan_again(cqljob_move *m, const cql_job_info *job, cql_str why, int64_t delay_ms,
                       const cqljob_facts *facts)
{
    leave_to_wait(m, job, facts->now_us / STEPS + delay_ms, facts);
    set_error(&m->change, why);
    m->change.sets |= CQLJOB_SET_RETRIES;
    m->change.retry_count = job->retry_count + 1;
}

bool cqljob_plan_fail(cqljob_move *m, const cql_job_info *job, cql_str why, int64_t delay_ms,
                      const cqljob_facts *facts)
{
    if (may_retry(job))
        plan_again(m, job, why, delay_ms, facts);
    else
        plan_abandon(m, job, why, facts);
    return m->change.state == CQL_JOB_SCHEDULED;
}

bool cqljob_plan_reclaim(cqljob_move *m, const cql_job_info *job, cql_str why,
                         const cqljob_facts *facts)
{
    return cqljob_plan_fail(m, job, why, 0, facts);
}

void cqljob_plan_release(cqljob_move *m, const cql_job_info *job, const cqljob_facts *facts)
{
    int64_t write = stamp(base_of(job), STEP_LEFT);
    int64_t now = facts->now_us / STEPS;
    int64_t at = job->scheduled_at > now ? job->scheduled_at : now;

    memset(m, 0, sizeof *m);
    change_from(&m->change, job, CQL_JOB_SCHEDULED);
    m->change.sets |= CQLJOB_SET_TIME;
    m->change.scheduled_at = at;
    add(&m->before, CQLJOB_PUT_DUE, cqljob_bucket(job->id, facts->buckets), at, write);
    add(&m->before, CQLJOB_PUT_STATE, CQL_JOB_SCHEDULED, job->created_at, write);
    add(&m->after, CQLJOB_DROP_STATE, job->state, job->created_at, write);
}

bool cqljob_plan_retry(cqljob_move *m, const cql_job_info *job, const cqljob_facts *facts)
{
    int64_t now = facts->now_us / STEPS;
    int64_t at = now, token, write;

    /* Never its last time; and a later one where it ran, so that rows of its runs are told from this. */
    if (at == job->scheduled_at || (at < job->scheduled_at && job->state != CQL_JOB_CANCELLED))
        at = job->scheduled_at < INT64_MAX ? job->scheduled_at + 1 : now;
    memset(m, 0, sizeof *m);
    if (!cqljob_next_token(job, now, &token))
        return false;
    write = stamp(token, STEP_LEFT);
    change_from(&m->change, job, CQL_JOB_SCHEDULED);
    set_token(&m->change, token, (cql_str){NULL, 0});
    m->change.sets |= CQLJOB_SET_TIME | CQLJOB_SET_RETRIES;
    m->change.scheduled_at = at;
    add(&m->before, CQLJOB_PUT_DUE, cqljob_bucket(job->id, facts->buckets), m->change.scheduled_at,
        write);
    add(&m->before, CQLJOB_PUT_STATE, CQL_JOB_SCHEDULED, job->created_at, write);
    add(&m->after, CQLJOB_DROP_STATE, job->state, job->created_at, write);
    return true;
}

bool cqljob_backoff_is_sound(const cql_job_backoff *b)
{
    return b->kind >= CQL_BACKOFF_UNSET && b->kind <= CQL_BACKOFF_EXPONENTIAL &&
           b->jitter_percent <= 100;
}

int64_t cqljob_backoff_ms(const cql_job_backoff *b, int32_t run, uint64_t random)
{
    int64_t delay = b->delay_ms ? b->delay_ms : 30000;
    int64_t most = b->most_ms ? b->most_ms : 3600000;
    int64_t spread;

    if (b->kind == CQL_BACKOFF_EXPONENTIAL) {
        for (int32_t i = 1; i < run && delay < most; i++)
            delay *= 2;
        delay = delay < most ? delay : most;
    }
    spread = delay * (b->jitter_percent < 100 ? b->jitter_percent : 100) / 100;
    if (spread)
        delay += (int64_t)(random % (uint64_t)(2 * spread + 1)) - spread;
    return delay;
}

void cqljob_plan_cancel(cqljob_move *m, const cql_job_info *job, const cqljob_facts *facts)
{
    int64_t write = stamp(base_of(job), STEP_CANCELLED);

    memset(m, 0, sizeof *m);
    m->ends = true;
    m->batch_id = job->batch_id;
    change_from(&m->change, job, CQL_JOB_CANCELLED);
    add(&m->before, CQLJOB_PUT_STATE, CQL_JOB_CANCELLED, job->created_at, write);
    add(&m->after, CQLJOB_DROP_STATE, job->state, job->created_at, write);
    add(&m->after, CQLJOB_DROP_DUE, due_bucket(job, facts), job->scheduled_at,
        later(write, facts->now_us));
}

void cqljob_plan_delete(cqljob_move *m, const cql_job_info *job, const cqljob_facts *facts)
{
    int64_t write = later(stamp(base_of(job), STEP_GONE), facts->now_us);

    memset(m, 0, sizeof *m);
    change_from(&m->change, job, job->state);
    m->change.remove = true;
    m->ends = !cql_job_state_is_final(job->state);
    m->batch_id = job->batch_id;
    add(&m->after, CQLJOB_DROP_STATE, job->state, job->created_at, write);
    add(&m->after, CQLJOB_DROP_DUE, due_bucket(job, facts), job->scheduled_at, write);
    add_link(&m->after, CQLJOB_DROP_LINK, CQLJOB_LINK_CHILD, job->parent_job_id, write);
    add_link(&m->after, CQLJOB_DROP_LINK, CQLJOB_LINK_MEMBER, job->batch_id, write);
    add_link(&m->after, CQLJOB_DROP_LINK, CQLJOB_LINK_THEN, job->batch_id, write);
    drop_backoff(&m->after, write);
}

/* --- looking ---------------------------------------------------------------------------------- */
cqljob_sight cqljob_look(const cql_job_info *job, int64_t row_at, int64_t now_ms, int64_t lease_ms,
                         int64_t seen_ms)
{
    if (!job)
        return CQLJOB_SEE_ORPHAN;
    if (cql_job_state_is_final(job->state))
        return CQLJOB_SEE_ENDED;
    if (job->state != CQL_JOB_SCHEDULED && job->state != CQL_JOB_PROCESSING)
        return CQLJOB_SEE_RUNNING;
    if (job->scheduled_at != row_at)
        return CQLJOB_SEE_STALE;
    if (job->state == CQL_JOB_SCHEDULED)
        return job->scheduled_at <= now_ms ? CQLJOB_SEE_CLAIM : CQLJOB_SEE_RUNNING;
    if (seen_ms >= lease_ms)
        return CQLJOB_SEE_EXPIRED;
    if (job->executed_at == CQL_JOB_NO_TIME)
        return CQLJOB_SEE_RUNNING;
    return job->executed_at <= now_ms - lease_ms ? CQLJOB_SEE_EXPIRED : CQLJOB_SEE_RUNNING;
}

bool cqljob_is_next_row(const cql_job_info *job, int64_t row_at)
{
    return job && cql_job_state_is_final(job->state) &&
           (row_at > job->scheduled_at ||
            (row_at < job->scheduled_at && job->state == CQL_JOB_CANCELLED));
}

void cqljob_plan_sweep(cqljob_indexes *rows, const cql_job_info *job, int32_t bucket,
                       int64_t row_at, int64_t now_us, uint32_t buckets)
{
    int64_t write;

    rows->count = 0;
    if (!job) { /* whoever stored it died in between: all that it may have put before */
        add(rows, CQLJOB_DROP_DUE, bucket, row_at, later(stamp(row_at, STEP_GONE), now_us));
        add(rows, CQLJOB_DROP_STATE, CQL_JOB_SCHEDULED, row_at, stamp(row_at, STEP_GONE));
        drop_backoff(rows, stamp(row_at, STEP_GONE));
        return;
    }
    write = cqljob_write_time(job);
    if (cql_job_state_is_final(job->state)) { /* where a retry is under way: see cqljob_is_next_row */
        add(rows, CQLJOB_DROP_DUE, bucket, row_at, later(write, now_us));
        add(rows, CQLJOB_DROP_STATE, CQL_JOB_SCHEDULED, job->created_at, write);
        add(rows, CQLJOB_DROP_STATE, CQL_JOB_PROCESSING, job->created_at, write);
        return;
    }
    add(rows, CQLJOB_PUT_DUE, cqljob_bucket(job->id, buckets), job->scheduled_at, write);
    add(rows, CQLJOB_DROP_DUE, bucket, row_at, write);
}

void cqljob_plan_sweep_state(cqljob_indexes *rows, const cql_job_info *job, int32_t state,
                             int64_t row_at, int64_t until_us)
{
    int64_t write = job ? cqljob_write_time(job) : stamp(row_at, STEP_GONE);

    rows->count = 0;
    if (job)
        add(rows, CQLJOB_PUT_STATE, job->state, job->created_at, write);
    if (!job || cql_job_state_is_final(job->state))
        write = later(write, until_us);
    add(rows, CQLJOB_DROP_STATE, state, row_at, write);
    if (!job)
        drop_backoff(rows, stamp(row_at, STEP_GONE));
}
