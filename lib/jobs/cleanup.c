/* cleanup.c: deletes jobs that ended long ago: one state after the other, a page of them, all of the
 * page at once, the next page from where it ended, so that the rows just removed are not read
 * again. */
#include "jobs/list.h"

#include <string.h>

enum { PAGE = 64, FAILURES_MOST = 20 };

typedef struct cleanup {
    cql_jobs *jobs;
    unsigned states;
    int32_t state; /* the one at hand */
    int64_t from_ms, until_ms;
    int64_t old_ms; /* of those created until then; of all ages it is when this began */
    bool all;       /* of all ages: then also those of clocks that are ahead, the present left out */
    int64_t limit;  /* 0: none */
    int64_t deleted;
    int64_t page_from, page_deleted; /* as they were before the page */
    size_t flying;
    unsigned failures; /* jobs that could not be deleted: they are not in the way of the others */
    bool stop;
    bool last_page;
    bool begun; /* all of the page are sent */
    cql_error *err;
    cql_job_count_cb cb;
    void *user;
} cleanup;

static void finish(cleanup *c)
{
    cql_jobs *jobs = c->jobs;

    c->cb(jobs, c->err, c->deleted, c->user);
    cql_error_unref(c->err);
    cqljob_free(&jobs->al, c);
    cqljob_unref(jobs);
}

static void keep_error(cleanup *c, cql_status st, const cql_error *err)
{
    if (!c->err)
        c->err = err ? cql_error_ref(err)
                     : cqljob_error(c->jobs, st, NULL, "clean-up: %s", cql_status_text(st));
}

static void fail(cleanup *c, cql_status st, const cql_error *err)
{
    keep_error(c, st, err);
    c->stop = c->stop || ++c->failures == FAILURES_MOST;
}

static void next_page(cleanup *c);

static void to_state(cleanup *c, int32_t state)
{
    c->state = state;
    c->from_ms = INT64_MIN;
    c->until_ms = c->old_ms;
}

/* What is stored and ended while this is at work is left, or it might never end. */
static void next_range(cleanup *c)
{
    if (!c->all || c->until_ms != c->old_ms) {
        to_state(c, c->state + 1);
        return;
    }
    c->from_ms = cqljob_now_us(c->jobs) / 1000 + 1;
    c->until_ms = INT64_MAX;
}

static void page_done(cleanup *c)
{
    if (c->flying || !c->begun)
        return;
    if (c->last_page)
        next_range(c);
    else if (c->deleted == c->page_deleted && c->from_ms == c->page_from)
        c->from_ms++; /* a whole page of one time that is left */
    next_page(c);
}

/* A job that somebody else has deleted or retried meanwhile is no failure. */
static void deleted(cql_jobs *jobs, const cql_error *err, const cql_job_info *job, void *user)
{
    cleanup *c = user;

    (void)jobs;
    (void)job;
    c->flying--;
    if (!err)
        c->deleted++;
    else if (cql_error_status(err) != CQL_NOT_FOUND && cql_error_status(err) != CQL_BAD_STATE)
        fail(c, CQL_UNEXPECTED, err);
    page_done(c);
}

static void on_list(cql_jobs *jobs, const cql_error *err, const cql_job_list *list, void *user)
{
    cleanup *c = user;
    size_t n = cql_job_list_count(list);
    size_t asked = c->limit && c->limit - c->deleted < PAGE ? (size_t)(c->limit - c->deleted) : PAGE;

    if (err)
        keep_error(c, CQL_UNEXPECTED, err);
    c->stop = c->stop || err;
    c->page_from = c->from_ms;
    c->page_deleted = c->deleted;
    c->begun = false;
    c->last_page = n < asked;
    for (size_t i = 0; i < n && !c->stop; i++) {
        const cql_job_info *job = cql_job_list_at(list, i);
        cql_status st = cqljob_delete_final(jobs, job, deleted, c);

        c->from_ms = job->created_at;
        if (st)
            fail(c, st, NULL);
        else
            c->flying++;
    }
    c->begun = true;
    page_done(c);
}

static void next_page(cleanup *c)
{
    uint32_t asked = PAGE;
    cql_status st;

    while (c->state < CQLJOB_STATES && !(c->states & (1U << c->state)))
        c->state++;
    if (c->stop || c->state == CQLJOB_STATES || (c->limit && c->deleted >= c->limit)) {
        finish(c);
        return;
    }
    if (c->limit && c->limit - c->deleted < PAGE)
        asked = (uint32_t)(c->limit - c->deleted);
    st = cqljob_list_range(c->jobs, c->state, c->from_ms, c->until_ms, asked, on_list, c);
    if (!st)
        return;
    keep_error(c, st, NULL);
    finish(c);
}

cql_status cql_jobs_cleanup(cql_jobs *jobs, const cql_cleanup_options *options,
                            cql_job_count_cb cb, void *user)
{
    const unsigned all = 1U << CQL_JOB_SUCCEEDED | 1U << CQL_JOB_CANCELLED | 1U << CQL_JOB_ABANDONED;
    cql_cleanup_options o = {0};
    cleanup *c;
    cql_status st;

    if (options && (options->size < sizeof options->size || options->size > 4096))
        return CQL_BAD_ARGUMENT;
    if (options)
        memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    if ((o.states & ~all) || o.older_than_s < 0 || o.older_than_s > INT64_C(100000000000))
        return CQL_BAD_ARGUMENT;
    c = cqljob_zalloc(&jobs->al, sizeof *c);
    if (!c)
        return CQL_NO_MEMORY;
    c->jobs = cqljob_ref(jobs);
    c->states = o.states ? o.states : all;
    c->all = !o.older_than_s;
    c->old_ms = cqljob_now_us(jobs) / 1000 - o.older_than_s * 1000;
    to_state(c, 0);
    while (!(c->states & (1U << c->state)))
        c->state++;
    c->limit = o.limit;
    c->cb = cb;
    c->user = user;
    st = cqljob_list_range(jobs, c->state, c->from_ms, c->until_ms,
                           c->limit && c->limit < PAGE ? (uint32_t)c->limit : PAGE, on_list, c);
    if (st) {
        cqljob_free(&jobs->al, c);
        cqljob_unref(jobs);
    }
    return st;
}
