/* duty.c: one request after the other:
 *
 *   CHILDREN  the links of the job, when it succeeded; each child is read (CHILD) and, while it
 *             waits for this job, made due (RELEASE)
 *   THENS     the links of the batch; without any there is nothing to find out
 *   MEMBERS   the members of the batch, until one is met that has not ended (MEMBER)
 *   then the jobs of THENS are read and made due as children are
 *   PARENT    instead of all that: the parent of one job
 *
 * The job's end is stored before this begins, so of two members that end at the same time the later
 * one sees both ended. */
#include "jobs/duty.h"
#include "jobs/move.h"

#include <string.h>

enum { PAGE = 100 };

typedef enum step { CHILDREN, THENS, MEMBERS, CHILD, MEMBER, PARENT } step;

typedef struct duty {
    cql_jobs *jobs;
    char *id;    /* whose children; NULL: none are looked for */
    char *batch; /* NULL: no batch */
    char *self;  /* the job that waits for the batch, whether it has its link or not; NULL: any */
    bool members_seen;
    bool counts; /* those that wait are counted and left */
    step step;
    step list;       /* what the keys are */
    cqljob_key *keys; /* of CHILDREN or MEMBERS */
    size_t count, at;
    char *page;
    cqljob_key *thens; /* kept while members are looked at */
    size_t then_count;
    cql_job_info *job;
    size_t released;
    cql_error *err;
    cqljob_duty_fn fn;
    void *user;
    cqljob_request rq;
    cqljob_mover mover;
} duty;

static void on_answer(void *user, cqljob_answer *a);
static void next_key(duty *d);

static void duty_free(duty *d)
{
    const cql_allocator *al = &d->jobs->al;

    cqljob_free(al, d->id);
    cqljob_free(al, d->batch);
    cqljob_free(al, d->self);
    cqljob_free(al, d->keys);
    cqljob_free(al, d->thens);
    cqljob_free(al, d->page);
    cql_job_info_free(d->job);
    cql_error_unref(d->err);
    cqljob_task_free(d);
}

static void finish(duty *d, const cql_error *err)
{
    d->fn(d->user, err, d->released);
    duty_free(d);
}

static void fail(duty *d, cql_status st)
{
    cql_error *err = cqljob_status_error(d->jobs, st, "jobs that wait for another");

    finish(d, err);
    cql_error_unref(err);
}

static cql_status send(duty *d, step s, cql_str id)
{
    static const cqljob_link_kind links[] = {CQLJOB_LINK_CHILD, CQLJOB_LINK_THEN,
                                             CQLJOB_LINK_MEMBER};

    memset(&d->rq, 0, sizeof d->rq);
    d->step = s;
    d->rq.id = id;
    d->rq.verb = s <= MEMBERS ? CQLJOB_LINKS : CQLJOB_GET;
    if (s <= MEMBERS) {
        d->rq.part = (int32_t)links[s];
        d->rq.page_size = PAGE;
        d->rq.page = cql_str_of(d->page);
    }
    return cqljob_send(d->jobs, &d->rq, on_answer, d);
}

static void go(duty *d, step s, cql_str id)
{
    cql_status st = send(d, s, id);

    if (st)
        fail(d, st);
}

static void drop_keys(duty *d)
{
    cqljob_free(&d->jobs->al, d->keys);
    d->keys = NULL;
    d->count = d->at = 0;
}

static void to_batch(duty *d)
{
    drop_keys(d);
    if (d->batch)
        go(d, THENS, cql_str_of(d->batch));
    else
        finish(d, NULL);
}

/* All members have ended: those that wait for the batch. */
static void release_thens(duty *d)
{
    drop_keys(d);
    d->keys = d->thens;
    d->count = d->then_count;
    d->thens = NULL;
    d->list = THENS;
    next_key(d);
}

/* A page of the list at hand is through. */
static void end_of_page(duty *d)
{
    bool more = d->page != NULL;

    drop_keys(d);
    if (more && d->list != THENS)
        go(d, d->list, cql_str_of(d->list == CHILDREN ? d->id : d->batch));
    else if (d->list == CHILDREN)
        to_batch(d);
    else if (d->list == MEMBERS && (d->members_seen || !d->self))
        release_thens(d);
    else
        finish(d, NULL);
}

static void next_key(duty *d)
{
    if (d->at == d->count) {
        end_of_page(d);
        return;
    }
    go(d, d->list == MEMBERS ? MEMBER : CHILD, cql_str_of(d->keys[d->at++].id));
}

/* --- releasing -------------------------------------------------------------------------------- */
static void released(void *user, const cqljob_move_result *r)
{
    duty *d = user;

    cql_job_info_free(d->job);
    d->job = NULL;
    if (r->moved == CQLJOB_MOVE_UNKNOWN || r->moved == CQLJOB_MOVE_FAILED) {
        if (r->err)
            finish(d, r->err);
        else
            fail(d, CQL_OUTCOME_UNKNOWN);
        return;
    }
    d->released += r->moved == CQLJOB_MOVE_DONE; /* refused: somebody else did it */
    next_key(d);
}

static bool waits_for_this(const duty *d, const cql_job_info *job)
{
    if (d->list == CHILDREN)
        return job->state == CQL_JOB_AWAITING_CONTINUATION &&
               cql_str_equal(job->parent_job_id, cql_str_of(d->id));
    return job->state == CQL_JOB_AWAITING_BATCH &&
           cql_str_equal(job->batch_id, cql_str_of(d->batch));
}

/* Makes d->job due. */
static void release(duty *d)
{
    cqljob_facts facts = cqljob_facts_now(d->jobs);
    cql_status st;

    cqljob_plan_release(&d->mover.move, d->job, &facts);
    st = cqljob_mover_start(&d->mover, d->jobs, d->job->id, released, d);
    if (st)
        fail(d, st);
}

/* A link without its job belongs to one that is being stored: who stores it looks by itself. */
static void child(duty *d, cqljob_answer *a)
{
    if (!a->job || !waits_for_this(d, a->job)) {
        next_key(d);
        return;
    }
    if (d->counts) {
        d->released++;
        next_key(d);
        return;
    }
    d->job = a->job;
    a->job = NULL;
    release(d);
}

/* Whoever stored it died before its link was written: the list of those that wait is the job itself. */
static bool take_self(duty *d)
{
    size_t size = strlen(d->self) + 1;
    cqljob_key *key = cqljob_zalloc(&d->jobs->al, sizeof *key + size);

    if (!key)
        return false;
    key->id = (char *)(key + 1);
    memcpy(key->id, d->self, size);
    cqljob_free(&d->jobs->al, d->keys);
    d->keys = key;
    d->count = 1;
    return true;
}

/* --- answers ---------------------------------------------------------------------------------- */
static void took_page(duty *d, cqljob_answer *a)
{
    cqljob_free(&d->jobs->al, d->page);
    d->page = a->page.len ? cqljob_copy(&d->jobs->al, a->page) : NULL;
    if (a->page.len && !d->page) {
        fail(d, CQL_NO_MEMORY);
        return;
    }
    d->list = d->step;
    d->keys = a->keys;
    d->count = a->key_count;
    d->at = 0;
    a->keys = NULL;
    d->members_seen |= d->step == MEMBERS && d->count;
    if (d->step != THENS) {
        next_key(d);
        return;
    }
    if (d->count == 0 && d->self && !take_self(d)) {
        fail(d, CQL_NO_MEMORY);
        return;
    }
    d->thens = d->keys; /* the first page of them; a batch has one or two */
    d->then_count = d->count;
    d->keys = NULL;
    cqljob_free(&d->jobs->al, d->page);
    d->page = NULL;
    if (d->then_count)
        go(d, MEMBERS, cql_str_of(d->batch));
    else
        finish(d, NULL);
}

/* One of those that wait is passed over; a member may be anything, so what waits for its batch goes on waiting. */
static void pass_over(duty *d)
{
    if (d->step == CHILD)
        next_key(d);
    else
        finish(d, NULL);
}

static void on_answer(void *user, cqljob_answer *a)
{
    duty *d = user;

    if ((d->step == CHILD || d->step == MEMBER) && cqljob_is_unreadable(a)) {
        pass_over(d);
        return;
    }
    if (a->outcome == CQLJOB_UNKNOWN || a->outcome == CQLJOB_FAILED) {
        finish(d, a->err);
        return;
    }
    switch (d->step) {
    case CHILDREN:
    case THENS:
    case MEMBERS:
        took_page(d, a);
        break;
    case CHILD:
        child(d, a);
        break;
    case MEMBER: /* one that is gone was deleted */
        if (a->job && !cql_job_state_is_final(a->job->state))
            finish(d, NULL);
        else
            next_key(d);
        break;
    case PARENT:
        if (a->job && a->job->state == CQL_JOB_SUCCEEDED)
            release(d);
        else
            finish(d, NULL);
        break;
    }
}

/* --- beginning -------------------------------------------------------------------------------- */
static duty *duty_new(cql_jobs *jobs, cqljob_duty_fn fn, void *user)
{
    duty *d = cqljob_task_new(jobs, sizeof *d);

    if (!d)
        return NULL;
    d->fn = fn;
    d->user = user;
    return d;
}

static cql_status begin(cql_jobs *jobs, cql_str id, cql_str batch, cql_str self, bool counts,
                        cqljob_duty_fn fn, void *user)
{
    duty *d = duty_new(jobs, fn, user);
    cql_status st = CQL_OK;

    if (!d)
        return CQL_NO_MEMORY;
    d->counts = counts;
    d->id = id.ptr ? cqljob_copy(&jobs->al, id) : NULL;
    d->batch = batch.ptr ? cqljob_copy(&jobs->al, batch) : NULL;
    d->self = self.ptr ? cqljob_copy(&jobs->al, self) : NULL;
    if ((id.ptr && !d->id) || (batch.ptr && !d->batch) || (self.ptr && !d->self))
        st = CQL_NO_MEMORY;
    if (!st)
        st = send(d, d->id ? CHILDREN : THENS, cql_str_of(d->id ? d->id : d->batch));
    if (st)
        duty_free(d);
    return st;
}

cql_status cqljob_duty_ended(cql_jobs *jobs, cql_str id, bool succeeded, cql_str batch,
                             cqljob_duty_fn fn, void *user)
{
    cql_str none = {NULL, 0};

    if (!succeeded && !batch.ptr)
        return CQL_BAD_ARGUMENT;
    return begin(jobs, succeeded ? id : none, batch, none, false, fn, user);
}

cql_status cqljob_duty_leaving(cql_jobs *jobs, const cql_job_info *job, cqljob_duty_fn fn,
                               void *user)
{
    cql_str none = {NULL, 0};

    return begin(jobs, job->id, none, none, job->state != CQL_JOB_SUCCEEDED, fn, user);
}

cql_status cqljob_duty_waiting(cql_jobs *jobs, const cql_job_info *job, cqljob_duty_fn fn,
                               void *user)
{
    cql_str none = {NULL, 0};
    cql_status st = CQL_NO_MEMORY;
    duty *d;

    if (job->state == CQL_JOB_AWAITING_BATCH && job->batch_id.ptr)
        return begin(jobs, none, job->batch_id, job->id, false, fn, user);
    if (job->state != CQL_JOB_AWAITING_CONTINUATION || !job->parent_job_id.ptr)
        return CQL_BAD_ARGUMENT;
    d = duty_new(jobs, fn, user);
    if (!d)
        return CQL_NO_MEMORY;
    d->id = cqljob_copy(&jobs->al, job->parent_job_id);
    d->job = cqljob_info_new(&jobs->al, job);
    d->list = CHILDREN;
    if (d->id && d->job)
        st = send(d, PARENT, cql_str_of(d->id));
    if (st)
        duty_free(d);
    return st;
}
