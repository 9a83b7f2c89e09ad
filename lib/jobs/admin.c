/* admin.c: what operators do to a job by its id: cancel, delete, retry. */
#include "jobs/duty.h"
#include "jobs/list.h"
#include "jobs/move.h"

#include <string.h>

enum { ROUNDS = 3 };
enum { CANCEL, DELETE, RETRY };

typedef struct order {
    cql_jobs *jobs;
    char *id;
    cql_job_info *job;
    int what;
    int rounds;
    cql_job_cb cb;
    void *user;
    cqljob_request rq;
    cqljob_mover mover;
} order;

static void on_job(void *user, cqljob_answer *a);

static void order_free(order *o)
{
    cql_job_info_free(o->job);
    cqljob_free(&o->jobs->al, o->id);
    cqljob_task_free(o);
}

static void finish(order *o, const cql_error *err)
{
    o->cb(o->jobs, err, err ? NULL : o->job, o->user);
    order_free(o);
}

static void fail(order *o, cql_status st, const cql_error *cause, const char *text)
{
    cql_error *err = cqljob_error(o->jobs, st, cause, "job %s: %s", o->id, text);

    finish(o, err);
    cql_error_unref(err);
}

static void look(order *o)
{
    cql_status st = cqljob_send(o->jobs, &o->rq, on_job, o);

    if (st)
        fail(o, st, NULL, cql_status_text(st));
}

static void moved(void *user, const cqljob_move_result *r)
{
    order *o = user;

    switch (r->moved) {
    case CQLJOB_MOVE_DONE:
        if (o->what != DELETE)
            o->job->state = o->mover.move.change.state;
        if (o->what == RETRY) {
            o->job->retry_count = 0;
            o->job->scheduled_at = o->mover.move.change.scheduled_at;
        }
        finish(o, NULL);
        break;
    case CQLJOB_MOVE_REFUSED: /* it changed since it was read */
        cql_job_info_free(o->job);
        o->job = NULL;
        if (o->rounds++ < ROUNDS)
            look(o);
        else
            fail(o, CQL_BAD_STATE, NULL, "its state keeps changing, nothing was done");
        break;
    case CQLJOB_MOVE_UNKNOWN:
        fail(o, CQL_OUTCOME_UNKNOWN, r->err, r->err ? cql_error_text(r->err) : "outcome unknown");
        break;
    case CQLJOB_MOVE_FAILED:
        fail(o, r->err ? cql_error_status(r->err) : CQL_UNEXPECTED, r->err,
             r->err ? cql_error_text(r->err) : "not done");
        break;
    }
}

/* NULL when the order can be carried out on a job in this state. */
static const char *objection(const order *o, int32_t state)
{
    if (o->what == RETRY)
        return state == CQL_JOB_ABANDONED || state == CQL_JOB_CANCELLED
                   ? NULL
                   : "only a job that was abandoned or cancelled can be retried";
    if (state == CQL_JOB_PROCESSING)
        return o->what == DELETE ? "a worker holds it, it cannot be deleted now"
                                 : "a worker holds it, it cannot be cancelled";
    if (o->what == CANCEL && cql_job_state_is_final(state))
        return state == CQL_JOB_CANCELLED ? "it was cancelled before" : "it has already ended";
    return NULL;
}

static void start_move(order *o)
{
    cql_status st = cqljob_mover_start(&o->mover, o->jobs, o->job->id, moved, o);

    if (st)
        fail(o, st, NULL, cql_status_text(st));
}

/* Those that wait for the job to be deleted were looked after. */
static void left(void *user, const cql_error *err, size_t count)
{
    order *o = user;
    cqljob_facts facts = cqljob_facts_now(o->jobs);

    if (err) {
        finish(o, err);
        return;
    }
    if (count && o->job->state != CQL_JOB_SUCCEEDED) {
        fail(o, CQL_BAD_STATE, NULL,
             "other jobs wait for it and would wait for ever: cancel or delete those first");
        return;
    }
    cqljob_plan_delete(&o->mover.move, o->job, &facts);
    start_move(o);
}

static void act(order *o)
{
    cqljob_facts facts = cqljob_facts_now(o->jobs);
    const char *text = objection(o, o->job->state);
    cql_status st;

    if (text) {
        fail(o, CQL_BAD_STATE, NULL, text);
    } else if (o->what == DELETE) {
        st = cqljob_duty_leaving(o->jobs, o->job, left, o);
        if (st)
            fail(o, st, NULL, cql_status_text(st));
    } else if (o->what == CANCEL) {
        cqljob_plan_cancel(&o->mover.move, o->job, &facts);
        start_move(o);
    } else if (cqljob_plan_retry(&o->mover.move, o->job, &facts)) {
        start_move(o);
    } else {
        fail(o, CQL_OUT_OF_RANGE, NULL, "its times leave no room for another run");
    }
}

static void on_job(void *user, cqljob_answer *a)
{
    order *o = user;

    if (a->outcome == CQLJOB_REFUSED) {
        fail(o, CQL_NOT_FOUND, NULL, "not found");
        return;
    }
    if (a->outcome != CQLJOB_DONE) {
        finish(o, a->err);
        return;
    }
    o->job = a->job;
    a->job = NULL;
    act(o);
}

static cql_status begin(cql_jobs *jobs, const char *id, int what, cql_job_cb cb, void *user)
{
    order *o;
    cql_status st = CQL_NO_MEMORY;

    if (cqljob_check_id(id))
        return CQL_BAD_VALUE;
    o = cqljob_task_new(jobs, sizeof *o);
    if (!o)
        return CQL_NO_MEMORY;
    o->id = cqljob_copy(&jobs->al, cql_str_of(id));
    o->what = what;
    o->cb = cb;
    o->user = user;
    o->rq.verb = CQLJOB_GET;
    o->rq.id = cql_str_of(o->id);
    if (o->id)
        st = cqljob_send(jobs, &o->rq, on_job, o);
    if (st)
        order_free(o);
    return st;
}

cql_status cql_jobs_cancel(cql_jobs *jobs, const char *id, cql_job_cb cb, void *user)
{
    return begin(jobs, id, CANCEL, cb, user);
}

cql_status cql_jobs_delete(cql_jobs *jobs, const char *id, cql_job_cb cb, void *user)
{
    return begin(jobs, id, DELETE, cb, user);
}

cql_status cql_jobs_retry(cql_jobs *jobs, const char *id, cql_job_cb cb, void *user)
{
    return begin(jobs, id, RETRY, cb, user);
}

/* Reads nothing first: the job is at hand. When it has changed it is left alone. */
cql_status cqljob_delete_final(cql_jobs *jobs, const cql_job_info *job, cql_job_cb cb, void *user)
{
    order *o = cqljob_task_new(jobs, sizeof *o);
    cql_status st = CQL_NO_MEMORY;

    if (!o)
        return CQL_NO_MEMORY;
    o->id = cqljob_copy(&jobs->al, job->id);
    o->job = cqljob_info_new(&jobs->al, job);
    o->what = DELETE;
    o->rounds = ROUNDS + 1;
    o->cb = cb;
    o->user = user;
    if (o->id && o->job)
        st = cqljob_duty_leaving(jobs, o->job, left, o);
    if (st)
        order_free(o);
    return st;
}
