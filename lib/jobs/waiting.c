/* waiting.c: looks at the jobs that wait for others. Their release follows from the end of what they
 * wait for; this is for the cases in which nobody was left to do it, and for jobs that other
 * programs have stored. A look goes over some of them, and the next one begins where it ended, so that
 * those that wait for what never comes, or cannot be released, are not in the way of the others. */
#include "jobs/duty.h"
#include "jobs/list.h"
#include "jobs/waiting.h"

enum { MOST = 1000, FAILURES_MOST = 20 };

typedef struct waiting {
    cql_jobs *jobs;
    int32_t state;
    int64_t from;
    cql_job_info **items;
    size_t count, at;
    unsigned failures;
} waiting;

static void begin(cql_jobs *jobs, int32_t state);

static void finish(waiting *w)
{
    for (size_t i = 0; i < w->count; i++)
        cql_job_info_free(w->items[i]);
    if (w->state == CQL_JOB_AWAITING_CONTINUATION)
        begin(w->jobs, CQL_JOB_AWAITING_BATCH);
    cqljob_free(&w->jobs->al, w->items);
    cqljob_task_free(w);
}

static void next(waiting *w);
static void move_on(waiting *w);

static void minded(void *user, const cql_error *err, size_t released)
{
    waiting *w = user;

    (void)released;
    w->failures += err != NULL;
    if (w->failures < FAILURES_MOST) {
        next(w);
        return;
    }
    move_on(w); /* the store is away; should it be these jobs, the next round comes to those behind them */
    finish(w);
}

/* The next round begins with the one looked at last. */
static void move_on(waiting *w)
{
    int64_t from = 0;

    if (w->count == MOST || w->at < w->count) { /* there may be more; of one time are never so many */
        from = w->items[w->at - 1]->created_at;
        from += from <= w->from;
    }
    (void)pthread_mutex_lock(&w->jobs->lock);
    w->jobs->waiting_from[w->state] = from;
    (void)pthread_mutex_unlock(&w->jobs->lock);
}

static void next(waiting *w)
{
    while (w->at < w->count)
        if (!cqljob_duty_waiting(w->jobs, w->items[w->at++], minded, w))
            return;
    move_on(w);
    finish(w);
}

static void on_list(cql_jobs *jobs, const cql_error *err, const cql_job_list *list, void *user)
{
    waiting *w = user;

    if (err) { /* the next round begins here again */
        finish(w);
        return;
    }
    w->items = cqljob_zalloc(&jobs->al, cql_job_list_count(list) * sizeof(cql_job_info *) + 1);
    for (size_t i = 0; w->items && i < cql_job_list_count(list); i++) {
        w->items[w->count] = cqljob_info_new(&jobs->al, cql_job_list_at(list, i));
        w->count += w->items[w->count] != NULL;
    }
    next(w);
}

static void begin(cql_jobs *jobs, int32_t state)
{
    waiting *w = cqljob_task_new(jobs, sizeof *w);

    if (!w)
        return;
    w->state = state;
    (void)pthread_mutex_lock(&jobs->lock);
    w->from = jobs->waiting_from[state];
    (void)pthread_mutex_unlock(&jobs->lock);
    if (cqljob_list_range(jobs, state, w->from, INT64_MAX, MOST, on_list, w))
        cqljob_task_free(w);
}

void cqljob_mind_waiting(cql_jobs *jobs)
{
    begin(jobs, CQL_JOB_AWAITING_CONTINUATION);
}
