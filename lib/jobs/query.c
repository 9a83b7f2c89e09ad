/* query.c: reading: one job, the jobs of a state, how many they are; and whether the tables are
 * there. */
#include "jobs/core.h"

#include <string.h>

/* --- one request, one answer ------------------------------------------------------------------ */
typedef struct ask {
    cql_jobs *jobs;
    char *id;
    cql_job_cb job_cb;
    cql_job_count_cb count_cb;
    cql_jobs_cb check_cb;
    void *user;
    cqljob_request rq;
} ask;

static void ask_free(ask *q)
{
    cqljob_free(&q->jobs->al, q->id);
    cqljob_task_free(q);
}

static ask *ask_new(cql_jobs *jobs, cqljob_verb verb, void *user)
{
    ask *q = cqljob_task_new(jobs, sizeof *q);

    if (q) {
        q->rq.verb = verb;
        q->user = user;
    }
    return q;
}

static cql_status ask_send(ask *q, cqljob_answer_fn fn)
{
    cql_status st = cqljob_send(q->jobs, &q->rq, fn, q);

    if (st)
        ask_free(q);
    return st;
}

static void got(void *user, cqljob_answer *a)
{
    ask *q = user;
    cql_error *missing = NULL;

    if (a->outcome == CQLJOB_REFUSED)
        missing = cqljob_error(q->jobs, CQL_NOT_FOUND, NULL, "job %s: not found in %s.jobs", q->id,
                               q->jobs->keyspace);
    if (a->outcome == CQLJOB_DONE)
        q->job_cb(q->jobs, NULL, a->job, q->user);
    else
        q->job_cb(q->jobs, missing ? missing : a->err, NULL, q->user);
    cql_error_unref(missing);
    ask_free(q);
}

cql_status cql_jobs_get(cql_jobs *jobs, const char *id, cql_job_cb cb, void *user)
{
    ask *q;

    if (cqljob_check_id(id))
        return CQL_BAD_VALUE;
    q = ask_new(jobs, CQLJOB_GET, user);
    if (!q)
        return CQL_NO_MEMORY;
    q->id = cqljob_copy(&jobs->al, cql_str_of(id));
    if (!q->id) {
        ask_free(q);
        return CQL_NO_MEMORY;
    }
    q->rq.id = cql_str_of(q->id);
    q->job_cb = cb;
    return ask_send(q, got);
}

static void counted(void *user, cqljob_answer *a)
{
    ask *q = user;

    q->count_cb(q->jobs, a->outcome == CQLJOB_DONE ? NULL : a->err, a->count < 0 ? 0 : a->count,
                q->user);
    ask_free(q);
}

cql_status cql_jobs_count(cql_jobs *jobs, cql_job_state state, cql_job_count_cb cb, void *user)
{
    ask *q;

    if ((int)state < CQL_JOB_CREATED || state > CQL_JOB_AWAITING_BATCH)
        return CQL_BAD_ARGUMENT;
    q = ask_new(jobs, CQLJOB_COUNT, user);
    if (!q)
        return CQL_NO_MEMORY;
    q->rq.part = (int32_t)state;
    q->count_cb = cb;
    return ask_send(q, counted);
}

static void checked(void *user, cqljob_answer *a)
{
    ask *q = user;

    q->check_cb(q->jobs, a->outcome == CQLJOB_DONE ? NULL : a->err, q->user);
    ask_free(q);
}

cql_status cql_jobs_check(cql_jobs *jobs, cql_jobs_cb cb, void *user)
{
    ask *q = ask_new(jobs, CQLJOB_CHECK, user);

    if (!q)
        return CQL_NO_MEMORY;
    q->check_cb = cb;
    return ask_send(q, checked);
}
