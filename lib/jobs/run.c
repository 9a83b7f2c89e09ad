/* run.c: a worker on the calling thread. */
#include "jobs/wait.h"
#include "jobs/worker.h"
#include "os/steady.h"
#include "seat/wait.h"

#include <string.h>

enum { TURN_MS = 250 };

typedef struct runner {
    pthread_mutex_t lock;
    pthread_cond_t come;
    bool woken;
    void (*on_event)(void *user, const cql_worker_event *event);
    void *user;
} runner;

static void on_wake(cql_worker *w, void *user)
{
    runner *r = user;

    (void)w;
    (void)pthread_mutex_lock(&r->lock);
    r->woken = true;
    (void)pthread_cond_signal(&r->come);
    (void)pthread_mutex_unlock(&r->lock);
}

static void pass_event(void *user, const cql_worker_event *event)
{
    runner *r = user;

    if (r->on_event)
        r->on_event(r->user, event);
}

/* Until the worker wants to be stepped again. A driven session is turned in short pieces, since
 * only its own answers end a turn and a stop may come from elsewhere. */
static cql_status rest(cql_jobs *jobs, runner *r, int ms)
{
    const cqljob_store *store = &jobs->store;
    cql_status st = CQL_OK;
    bool woken;

    (void)pthread_mutex_lock(&r->lock);
    if (!store->is_driven(store->self) && ms != 0)
        cqljob_sleep(&r->come, &r->lock, &r->woken, ms);
    woken = r->woken;
    r->woken = false;
    (void)pthread_mutex_unlock(&r->lock);
    if (store->is_driven(store->self) && !woken)
        st = store->turn(store->self, ms < 0 || ms > TURN_MS ? TURN_MS : ms);
    return st;
}

static cql_status run(cql_jobs *jobs, runner *r, const cql_worker_options *options, cql_error **err)
{
    cql_worker *w;
    cql_status st = cql_worker_new(jobs, options, &w, err);

    if (st)
        return st;
    for (;;) {
        int ms = cql_worker_step(w);

        if (cql_worker_is_finished(w))
            break;
        st = rest(jobs, r, ms);
        if (st)
            break;
    }
    cql_worker_free(w);
    if (!st)
        (void)cql_jobs_flush_wait(jobs, NULL); /* a counter that lags is no failure of the worker */
    if (st)
        return cqljob_give(err, cqljob_status_error(jobs, st, "worker"));
    return CQL_OK;
}

cql_status cql_jobs_run_wait(cql_jobs *jobs, const cql_worker_options *options, cql_error **err)
{
    cql_worker_options o = {0};
    runner r = {.woken = false};
    cql_status st;

    if (!jobs)
        return cqlseat_fail(NULL, CQL_BAD_ARGUMENT, "bad argument: the job store is NULL", err);
    st = jobs->store.may_wait(jobs->store.self);
    if (options && options->size < sizeof options->size)
        st = CQL_BAD_ARGUMENT;
    else if (options)
        memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    if (!st && o.on_wake)
        st = CQL_BAD_ARGUMENT;
    if (st)
        return cqljob_give(err, cqljob_status_error(jobs, st, "worker"));
    r.on_event = o.on_event;
    r.user = o.user;
    o.size = sizeof o;
    o.on_event = pass_event;
    o.on_wake = on_wake;
    o.user = &r;
    if (pthread_mutex_init(&r.lock, NULL))
        return CQL_NO_MEMORY;
    if (!cqlos_cond_init(&r.come)) {
        st = run(jobs, &r, &o, err);
        (void)pthread_cond_destroy(&r.come);
    } else {
        st = CQL_NO_MEMORY;
    }
    (void)pthread_mutex_destroy(&r.lock);
    return st;
}
