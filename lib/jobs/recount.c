/* recount.c: sets the counter of a state to what jobs_by_state has: rows counted, the counter read,
 * the difference added. */
#include "jobs/list.h"

typedef struct recount {
    cql_jobs *jobs;
    int32_t state;
    int64_t rows;
    cql_job_count_cb cb;
    void *user;
    cqljob_request rq;
    int64_t tally[CQLJOB_STATES];
} recount;

static void finish(recount *r, const cql_error *err)
{
    r->cb(r->jobs, err, r->rows, r->user);
    cqljob_task_free(r);
}

static void send(recount *r, cqljob_answer_fn fn)
{
    cql_status st = cqljob_send(r->jobs, &r->rq, fn, r);
    cql_error *err;

    if (!st)
        return;
    err = cqljob_status_error(r->jobs, st, "recount");
    finish(r, err);
    cql_error_unref(err);
}

static void corrected(void *user, cqljob_answer *a)
{
    recount *r = user;

    finish(r, a->outcome == CQLJOB_DONE ? NULL : a->err);
}

static void read_counter(void *user, cqljob_answer *a)
{
    recount *r = user;

    r->tally[r->state] = r->rows - a->count;
    if (a->outcome != CQLJOB_DONE || r->tally[r->state] == 0) {
        finish(r, a->outcome == CQLJOB_DONE ? NULL : a->err);
        return;
    }
    r->rq.verb = CQLJOB_TALLY;
    r->rq.tally = r->tally;
    send(r, corrected);
}

static void counted(cql_jobs *jobs, const cql_error *err, int64_t rows, void *user)
{
    recount *r = user;

    (void)jobs;
    r->rows = rows;
    if (err) {
        finish(r, err);
        return;
    }
    r->rq.verb = CQLJOB_COUNT;
    r->rq.part = r->state;
    send(r, read_counter);
}

cql_status cql_jobs_recount(cql_jobs *jobs, cql_job_state state, cql_job_count_cb cb, void *user)
{
    recount *r;
    cql_status st;

    if ((int)state < CQL_JOB_CREATED || state > CQL_JOB_AWAITING_BATCH)
        return CQL_BAD_ARGUMENT;
    r = cqljob_task_new(jobs, sizeof *r);
    if (!r)
        return CQL_NO_MEMORY;
    r->state = (int32_t)state;
    r->cb = cb;
    r->user = user;
    st = cqljob_count_rows(jobs, r->state, counted, r);
    if (st)
        cqljob_task_free(r);
    return st;
}
