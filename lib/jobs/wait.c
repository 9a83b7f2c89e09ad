/* wait.c: the blocking twins. */
#include "jobs/wait.h"

#include "jobs/enqueue.h"
#include "os/steady.h"
#include "seat/wait.h"

#include <string.h>

enum { TURN_MS = 1000, ROOM_MS = 5, PATIENCE_MS = 12000 };

/* --- waiting ---------------------------------------------------------------------------------- */
void cqljob_sleep(pthread_cond_t *cond, pthread_mutex_t *lock, const bool *flag, int ms)
{
    struct timespec until;

    if (ms < 0) {
        while (!*flag)
            (void)pthread_cond_wait(cond, lock);
        return;
    }
    until = cqlseat_from_now((uint32_t)ms);
    while (!*flag)
        if (cqlos_cond_wait(cond, lock, &until))
            return;
}

cql_status cqljob_wait_new(cql_jobs *jobs, cqljob_wait **out)
{
    cql_status st = jobs->store.may_wait(jobs->store.self);
    cqljob_wait *w;

    *out = NULL;
    if (st)
        return st;
    w = cqljob_task_new(jobs, sizeof *w);
    if (!w)
        return CQL_NO_MEMORY;
    if (pthread_mutex_init(&w->lock, NULL))
        goto fail_block;
    if (cqlos_cond_init(&w->come))
        goto fail_mutex;
    w->owners = 1;
    w->began = cqljob_steady_ms(jobs);
    *out = w;
    return CQL_OK;

fail_mutex:
    (void)pthread_mutex_destroy(&w->lock);
fail_block:
    cqljob_task_free(w);
    return CQL_NO_MEMORY;
}

void cqljob_wait_free(cqljob_wait *w)
{
    bool last;

    if (!w)
        return;
    (void)pthread_mutex_lock(&w->lock);
    last = --w->owners == 0;
    (void)pthread_mutex_unlock(&w->lock);
    if (!last)
        return;
    (void)pthread_cond_destroy(&w->come);
    (void)pthread_mutex_destroy(&w->lock);
    cql_error_unref(w->err);
    cql_job_info_free(w->job);
    cql_job_list_free(w->list);
    cql_recurring_list_free(w->recurring);
    cqljob_task_free(w);
}

void cqljob_wait_done(cqljob_wait *w, const cql_error *err)
{
    (void)pthread_mutex_lock(&w->lock);
    if (err)
        w->err = cql_error_ref(err);
    w->done = true;
    (void)pthread_cond_signal(&w->come);
    (void)pthread_mutex_unlock(&w->lock);
    cqljob_wait_free(w);
}

void cqljob_wait_lacks(cqljob_wait *w)
{
    cql_error *lack = cqljob_error(w->jobs, CQL_NO_MEMORY, NULL, "%s", cql_status_text(CQL_NO_MEMORY));

    cqljob_wait_done(w, lack);
    cql_error_unref(lack);
}

/* Turns the session's loop, or sleeps while its own thread does. */
static cql_status wait_for(cqljob_wait *w)
{
    const cqljob_store *store = &w->jobs->store;
    cql_status st = CQL_OK;

    (void)pthread_mutex_lock(&w->lock);
    if (!store->is_driven(store->self))
        cqljob_sleep(&w->come, &w->lock, &w->done, -1);
    while (!w->done && !st) {
        (void)pthread_mutex_unlock(&w->lock);
        st = store->turn(store->self, TURN_MS);
        (void)pthread_mutex_lock(&w->lock);
    }
    if (w->done)
        st = CQL_OK;
    (void)pthread_mutex_unlock(&w->lock);
    return st;
}

/* Until there may be room again. */
static cql_status rest(const cqljob_wait *w)
{
    const cqljob_store *store = &w->jobs->store;
    struct timespec pause = {0, ROOM_MS * 1000000};

    if (store->is_driven(store->self))
        return store->turn(store->self, ROOM_MS);
    (void)nanosleep(&pause, NULL);
    return CQL_OK;
}

bool cqljob_wait_again(cqljob_wait *w, cql_status started)
{
    int64_t most = w->jobs->set.timeout_ms ? w->jobs->set.timeout_ms : PATIENCE_MS;
    int64_t now = cqljob_steady_ms(w->jobs);
    bool full;

    if (!started && wait_for(w))
        return false;
    full = (started ? started : w->err ? cql_error_status(w->err) : CQL_OK) == CQL_WOULD_BLOCK;
    if (!full || now - w->began >= most || rest(w))
        return false;
    if (started)
        return true;
    (void)pthread_mutex_lock(&w->lock);
    w->owners++;
    w->done = false;
    (void)pthread_mutex_unlock(&w->lock);
    cql_error_unref(w->err);
    w->err = NULL;
    return true;
}

cql_status cqljob_wait_end(cqljob_wait *w, cql_status started, cql_error **err)
{
    cql_status st = started ? started : wait_for(w);

    if (started)
        w->owners--; /* no callback will come for its half */
    if (st)
        return cqljob_give(err, cqljob_error(w->jobs, st, NULL, "%s", cql_status_text(st)));
    if (w->err)
        return cqljob_give(err, cql_error_ref(w->err));
    return CQL_OK;
}

/* --- callbacks that keep what they get -------------------------------------------------------- */
static void keep_job(cql_jobs *jobs, const cql_error *err, const cql_job_info *job, void *user)
{
    cqljob_wait *w = user;

    if (job)
        w->job = cqljob_info_new(&jobs->al, job);
    if (job && !w->job)
        cqljob_wait_lacks(w);
    else
        cqljob_wait_done(w, err);
}

static cql_status copy_list(const cql_allocator *al, const cql_job_list *from, cql_job_list **out)
{
    cql_job_list *list = cqljob_list_new(al);
    cql_status st = list ? CQL_OK : CQL_NO_MEMORY;

    for (size_t i = 0; i < cql_job_list_count(from) && !st; i++) {
        cql_job_info *copy = cqljob_info_new(al, cql_job_list_at(from, i));

        st = copy ? cqljob_list_add(list, copy) : CQL_NO_MEMORY;
    }
    if (st) {
        cql_job_list_free(list);
        list = NULL;
    }
    *out = list;
    return st;
}

void cqljob_keep_list(cql_jobs *jobs, const cql_error *err, const cql_job_list *list, void *user)
{
    cqljob_wait *w = user;

    if (list && copy_list(&jobs->al, list, &w->list))
        cqljob_wait_lacks(w);
    else
        cqljob_wait_done(w, err);
}

void cqljob_keep_count(cql_jobs *jobs, const cql_error *err, int64_t count, void *user)
{
    cqljob_wait *w = user;

    (void)jobs;
    w->count = count;
    cqljob_wait_done(w, err);
}

void cqljob_keep_nothing(cql_jobs *jobs, const cql_error *err, void *user)
{
    (void)jobs;
    cqljob_wait_done(user, err);
}

/* --- the calls -------------------------------------------------------------------------------- */
cql_status cqljob_wait_begin(cql_jobs *jobs, cqljob_wait **w, cql_error **err)
{
    cql_status st;

    if (!jobs)
        return cqlseat_fail(NULL, CQL_BAD_ARGUMENT, "bad argument: the job store is NULL", err);
    st = cqljob_wait_new(jobs, w);
    if (st)
        return cqljob_give(err, cqljob_error(jobs, st, NULL, "%s", cql_status_text(st)));
    (*w)->owners = 2;
    return CQL_OK;
}

/* Ends a call that answers with a job; out may be NULL. */
static cql_status end_with_job(cqljob_wait *w, cql_status started, cql_job_info **out,
                               cql_error **err)
{
    cql_status st = cqljob_wait_end(w, started, err);

    if (!st && out) {
        *out = w->job;
        w->job = NULL;
    }
    cqljob_wait_free(w);
    return st;
}

cql_status cql_jobs_enqueue_wait(cql_jobs *jobs, const cql_job_spec *spec, cql_job_info **out,
                                 cql_error **err)
{
    const char *why;
    cqljob_wait *w;
    cql_status st;

    if (out)
        *out = NULL;
    if (!jobs)
        return cqlseat_fail(NULL, CQL_BAD_ARGUMENT, "bad argument: the job store is NULL", err);
    st = cqljob_enqueue_check(jobs, spec, &why);
    if (st)
        return cqljob_give(err, cqljob_error(jobs, st, NULL, "job: %s", why));
    st = cqljob_wait_begin(jobs, &w, err);
    if (st)
        return st;
    do
        st = cql_jobs_enqueue(jobs, spec, keep_job, w);
    while (cqljob_wait_again(w, st));
    return end_with_job(w, st, out, err);
}

/* The calls on one job; out may be NULL. */
static cql_status by_id(cql_jobs *jobs, const char *id,
                        cql_status (*call)(cql_jobs *, const char *, cql_job_cb, void *),
                        cql_job_info **out, cql_error **err)
{
    cqljob_wait *w;
    cql_status st = cqljob_wait_begin(jobs, &w, err);

    if (out)
        *out = NULL;
    if (st)
        return st;
    do
        st = call(jobs, id, keep_job, w);
    while (cqljob_wait_again(w, st));
    return end_with_job(w, st, out, err);
}

cql_status cql_jobs_get_wait(cql_jobs *jobs, const char *id, cql_job_info **out, cql_error **err)
{
    return by_id(jobs, id, cql_jobs_get, out, err);
}

cql_status cql_jobs_cancel_wait(cql_jobs *jobs, const char *id, cql_error **err)
{
    return by_id(jobs, id, cql_jobs_cancel, NULL, err);
}

cql_status cql_jobs_delete_wait(cql_jobs *jobs, const char *id, cql_error **err)
{
    return by_id(jobs, id, cql_jobs_delete, NULL, err);
}

cql_status cql_jobs_retry_wait(cql_jobs *jobs, const char *id, cql_error **err)
{
    return by_id(jobs, id, cql_jobs_retry, NULL, err);
}

cql_status cqljob_wait_list(cqljob_wait *w, cql_status started, cql_job_list **out,
                            cql_error **err)
{
    cql_status st = cqljob_wait_end(w, started, err);

    if (!st && out) {
        *out = w->list;
        w->list = NULL;
    }
    cqljob_wait_free(w);
    return st;
}

cql_status cqljob_wait_count(cqljob_wait *w, cql_status started, int64_t *count, cql_error **err)
{
    cql_status st = cqljob_wait_end(w, started, err);

    if (count && (!st || w->count)) /* a clean-up may have done much before it failed */
        *count = w->count;
    cqljob_wait_free(w);
    return st;
}

cql_status cqljob_wait_nothing(cqljob_wait *w, cql_status started, cql_error **err)
{
    cql_status st = cqljob_wait_end(w, started, err);

    cqljob_wait_free(w);
    return st;
}

cql_status cql_jobs_list_wait(cql_jobs *jobs, cql_job_state state, uint32_t limit,
                              cql_job_list **out, cql_error **err)
{
    cqljob_wait *w;
    cql_status st;

    if (!out)
        return cqlseat_fail(NULL, CQL_BAD_ARGUMENT, "bad argument: out is NULL", err);
    *out = NULL;
    st = cqljob_wait_begin(jobs, &w, err);
    if (st)
        return st;
    do
        st = cql_jobs_list(jobs, state, limit, cqljob_keep_list, w);
    while (cqljob_wait_again(w, st));
    return cqljob_wait_list(w, st, out, err);
}

static cql_status by_state(cql_jobs *jobs, cql_job_state state,
                           cql_status (*call)(cql_jobs *, cql_job_state, cql_job_count_cb, void *),
                           int64_t *count, cql_error **err)
{
    cqljob_wait *w;
    cql_status st = cqljob_wait_begin(jobs, &w, err);

    if (st)
        return st;
    do
        st = call(jobs, state, cqljob_keep_count, w);
    while (cqljob_wait_again(w, st));
    return cqljob_wait_count(w, st, count, err);
}

cql_status cql_jobs_count_wait(cql_jobs *jobs, cql_job_state state, int64_t *count, cql_error **err)
{
    return by_state(jobs, state, cql_jobs_count, count, err);
}

cql_status cql_jobs_recount_wait(cql_jobs *jobs, cql_job_state state, int64_t *count,
                                 cql_error **err)
{
    return by_state(jobs, state, cql_jobs_recount, count, err);
}

static cql_status bare(cql_jobs *jobs, cql_status (*call)(cql_jobs *, cql_jobs_cb, void *),
                       cql_error **err)
{
    cqljob_wait *w;
    cql_status st = cqljob_wait_begin(jobs, &w, err);

    if (st)
        return st;
    do
        st = call(jobs, cqljob_keep_nothing, w);
    while (cqljob_wait_again(w, st));
    return cqljob_wait_nothing(w, st, err);
}

cql_status cql_jobs_check_wait(cql_jobs *jobs, cql_error **err)
{
    return bare(jobs, cql_jobs_check, err);
}

cql_status cql_jobs_flush_wait(cql_jobs *jobs, cql_error **err)
{
    return bare(jobs, cql_jobs_flush, err);
}
