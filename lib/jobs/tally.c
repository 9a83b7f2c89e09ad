/* tally.c: the counters of states. Changes are summed up in memory and sent when nothing else is
 * under way, or when the last were sent a while ago: no timer, and under load few writes for many
 * jobs. A sum whose write fails is dropped when it may have been applied and kept when it was not. */
#include "jobs/core.h"

#include <string.h>

enum { EVERY_MS = 100 };

typedef struct tally_call {
    cql_jobs *jobs;
    cqljob_request rq;
    int64_t by[CQLJOB_STATES];
} tally_call;

static bool take(cql_jobs *jobs, tally_call *c)
{
    bool any = false;

    (void)pthread_mutex_lock(&jobs->lock);
    if (!jobs->tally_flying && (jobs->flush_cb || !jobs->under_way ||
                                cqljob_steady_ms(jobs) - jobs->tally_ms >= EVERY_MS)) {
        for (int i = 0; i < CQLJOB_STATES; i++) {
            c->by[i] = jobs->tally[i];
            any = any || c->by[i];
        }
        if (any) {
            memset(jobs->tally, 0, sizeof jobs->tally);
            jobs->tally_flying = true;
        }
    }
    (void)pthread_mutex_unlock(&jobs->lock);
    return any;
}

static void landed(tally_call *c, bool keep)
{
    cql_jobs *jobs = c->jobs;

    (void)pthread_mutex_lock(&jobs->lock);
    jobs->tally_flying = false;
    jobs->tally_ms = cqljob_steady_ms(jobs);
    for (int i = 0; keep && i < CQLJOB_STATES; i++)
        jobs->tally[i] += c->by[i];
    (void)pthread_mutex_unlock(&jobs->lock);
}

/* Whoever waits is told once nothing is left, or that it failed. */
static void tell_flushed(cql_jobs *jobs, const cql_error *err)
{
    cql_jobs_cb cb = NULL;
    void *user;
    bool left;

    (void)pthread_mutex_lock(&jobs->lock);
    left = jobs->tally_flying;
    for (int i = 0; i < CQLJOB_STATES; i++)
        left = left || jobs->tally[i];
    user = jobs->flush_user;
    if (!left || err) {
        cb = jobs->flush_cb;
        jobs->flush_cb = NULL;
    }
    (void)pthread_mutex_unlock(&jobs->lock);
    if (cb)
        cb(jobs, err, user);
}

/* Sends the rest; what cannot be sent is told to whoever waits, for nothing may come after it. */
static void go_on(cql_jobs *jobs, const cql_error *err)
{
    cql_status st = err ? CQL_OK : cqljob_tally_flush(jobs);
    cql_error *own = NULL;

    if (st)
        own = cqljob_status_error(jobs, st, "counters of jobs");
    tell_flushed(jobs, own ? own : err);
    cql_error_unref(own);
}

static void on_answer(void *user, cqljob_answer *a)
{
    tally_call *c = user;
    bool failed = a->outcome != CQLJOB_DONE;

    landed(c, failed && a->err && !cql_error_maybe_applied(a->err));
    go_on(c->jobs, failed ? a->err : NULL);
    cqljob_task_free(c);
}

cql_status cqljob_tally_flush(cql_jobs *jobs)
{
    tally_call *c = cqljob_task_new(jobs, sizeof *c);
    cql_status st = CQL_OK;

    if (!c)
        return CQL_NO_MEMORY;
    if (take(jobs, c)) {
        c->rq.verb = CQLJOB_TALLY;
        c->rq.tally = c->by;
        st = cqljob_send(jobs, &c->rq, on_answer, c);
        if (!st)
            return CQL_OK;
        landed(c, true);
    }
    cqljob_task_free(c);
    return st;
}

/* Nothing to store: an answer has to come later all the same, so a counter is read. */
static void on_nothing(void *user, cqljob_answer *a)
{
    tally_call *c = user;

    go_on(c->jobs, a->outcome == CQLJOB_DONE ? NULL : a->err);
    cqljob_task_free(c);
}

cql_status cql_jobs_flush(cql_jobs *jobs, cql_jobs_cb cb, void *user)
{
    tally_call *c = cqljob_task_new(jobs, sizeof *c);
    cql_status st = CQL_OK;

    if (!c)
        return CQL_NO_MEMORY;
    (void)pthread_mutex_lock(&jobs->lock);
    if (jobs->flush_cb) {
        st = CQL_BAD_STATE;
    } else {
        jobs->flush_cb = cb;
        jobs->flush_user = user;
    }
    (void)pthread_mutex_unlock(&jobs->lock);
    if (!st) {
        c->rq.verb = CQLJOB_COUNT;
        st = cqljob_send(jobs, &c->rq, on_nothing, c);
        if (!st)
            return CQL_OK;
        (void)pthread_mutex_lock(&jobs->lock);
        jobs->flush_cb = NULL;
        (void)pthread_mutex_unlock(&jobs->lock);
    }
    cqljob_task_free(c);
    return st;
}

void cqljob_tally_begin(cql_jobs *jobs)
{
    (void)pthread_mutex_lock(&jobs->lock);
    jobs->under_way++;
    (void)pthread_mutex_unlock(&jobs->lock);
}

void cqljob_tally_end(cql_jobs *jobs, int32_t from, int32_t to)
{
    bool wanted;

    (void)pthread_mutex_lock(&jobs->lock);
    jobs->under_way--;
    if (from >= 0 && from < CQLJOB_STATES)
        jobs->tally[from]--;
    if (to >= 0 && to < CQLJOB_STATES)
        jobs->tally[to]++;
    wanted = !jobs->tally_flying &&
             (!jobs->under_way || cqljob_steady_ms(jobs) - jobs->tally_ms >= EVERY_MS);
    (void)pthread_mutex_unlock(&jobs->lock);
    if (wanted)
        (void)cqljob_tally_flush(jobs);
}
