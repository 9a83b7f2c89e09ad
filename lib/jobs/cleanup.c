/* cleanup.c: deletes jobs that ended long ago: one state after the other, a page of them, all of the
 * page at once or as many as the limit leaves, the next page from where it ended, so that the rows just
 * removed are not read again. */
#include "jobs/list.h"

#include <string.h>

enum { PAGE = 64, PAGE_MOST = 4096, FAILURES_MOST = 20 };

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
    uint32_t page;   /* jobs asked for: more where a page had one time and all of it is left */
    cql_job_info **rest; /* of the page, beyond the limit: for those that are not deleted */
    size_t rest_at, rest_count;
    size_t flying;
    unsigned failures; /* jobs that could not be deleted: they are not in the way of the others */
    bool stop;
    bool last_page;
    bool begun; /* all of the page are sent */
    cql_error *err;
    cql_job_count_cb cb;
    void *user;
} cleanup;

static void drop_rest(cleanup *c)
{
    while (c->rest_count > 0)
        cql_job_info_free(c->rest[--c->rest_count]);
    cqljob_free(&c->jobs->al, c->rest);
    c->rest = NULL;
    c->rest_at = 0;
}

static void finish(cleanup *c)
{
    drop_rest(c);
    c->cb(c->jobs, c->err, c->deleted, c->user);
    cql_error_unref(c->err);
    cqljob_task_free(c);
}

static void keep_error(cleanup *c, cql_status st, const cql_error *err)
{
    cqljob_keep_first(c->jobs, &c->err, st, err, "clean-up");
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
    c->from_ms = cqljob_wall_ms(c->jobs) + 1;
    c->until_ms = INT64_MAX;
}

/* A whole page of one time that is left hides what else has that time. */
static void past_page(cleanup *c)
{
    bool stuck = c->deleted == c->page_deleted && c->from_ms == c->page_from;

    if (stuck && c->page < PAGE_MOST) {
        c->page *= 2;
        return;
    }
    c->from_ms += stuck;
    c->page = PAGE;
}

static bool has_more(const cleanup *c)
{
    return !c->stop && c->rest_at < c->rest_count && c->deleted < c->limit;
}

static void begin_rest(cleanup *c);

static void page_done(cleanup *c)
{
    if (c->flying || !c->begun)
        return;
    if (has_more(c)) {
        begin_rest(c);
        return;
    }
    drop_rest(c);
    if (c->last_page)
        next_range(c);
    else
        past_page(c);
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

static void begin_one(cleanup *c, const cql_job_info *job)
{
    cql_status st = cqljob_delete_final(c->jobs, job, deleted, c);

    c->from_ms = job->created_at;
    if (st)
        fail(c, st, NULL);
    else
        c->flying++;
}

/* Now that some of those before were not deleted. */
static void begin_rest(cleanup *c)
{
    c->begun = false;
    for (int64_t room = c->limit - c->deleted; room > 0 && !c->stop && c->rest_at < c->rest_count; room--)
        begin_one(c, c->rest[c->rest_at++]);
    c->begun = true;
    page_done(c);
}

static void keep_rest(cleanup *c, const cql_job_list *list, size_t from)
{
    size_t n = cql_job_list_count(list);

    c->rest = from < n ? cqljob_zalloc(&c->jobs->al, (n - from) * sizeof *c->rest) : NULL;
    for (size_t i = from; i < n && c->rest; i++) {
        cql_job_info *job = cqljob_info_new(&c->jobs->al, cql_job_list_at(list, i));

        if (!job)
            break;
        c->rest[c->rest_count++] = job;
    }
    if (c->rest_count < n - from)
        fail(c, CQL_NO_MEMORY, NULL);
}

static void on_list(cql_jobs *jobs, const cql_error *err, const cql_job_list *list, void *user)
{
    cleanup *c = user;
    size_t n = cql_job_list_count(list);
    int64_t room = c->limit ? c->limit - c->deleted : (int64_t)n;
    size_t first = (int64_t)n < room ? n : (size_t)room;

    (void)jobs;
    if (err)
        keep_error(c, CQL_UNEXPECTED, err);
    c->stop = c->stop || err;
    c->page_from = c->from_ms;
    c->page_deleted = c->deleted;
    c->begun = false;
    c->last_page = n < c->page;
    if (!c->stop)
        keep_rest(c, list, first);
    for (size_t i = 0; i < first && !c->stop; i++)
        begin_one(c, cql_job_list_at(list, i));
    c->begun = true;
    page_done(c);
}

static void next_page(cleanup *c)
{
    cql_status st;

    while (c->state < CQLJOB_STATES && !(c->states & (1U << c->state)))
        c->state++;
    if (c->stop || c->state == CQLJOB_STATES || (c->limit && c->deleted >= c->limit)) {
        finish(c);
        return;
    }
    st = cqljob_list_range(c->jobs, c->state, c->from_ms, c->until_ms, c->page, on_list, c);
    if (!st)
        return;
    keep_error(c, st, NULL);
    finish(c);
}

cql_status cql_jobs_cleanup(cql_jobs *jobs, const cql_cleanup_options *options,
                            cql_job_count_cb cb, void *user)
{
    const unsigned all = 1U << CQL_JOB_SUCCEEDED | 1U << CQL_JOB_CANCELLED | 1U << CQL_JOB_ABANDONED;
    cql_cleanup_options o;
    cleanup *c;
    cql_status st;

    if (!cqljob_take_sized(&o, sizeof o, options))
        return CQL_BAD_ARGUMENT;
    if ((o.states & ~all) || o.older_than_s < 0 || o.older_than_s > INT64_C(100000000000))
        return CQL_BAD_ARGUMENT;
    c = cqljob_task_new(jobs, sizeof *c);
    if (!c)
        return CQL_NO_MEMORY;
    c->states = o.states ? o.states : all;
    c->all = !o.older_than_s;
    c->old_ms = cqljob_wall_ms(jobs) - o.older_than_s * 1000;
    to_state(c, 0);
    while (!(c->states & (1U << c->state)))
        c->state++;
    c->limit = o.limit;
    c->cb = cb;
    c->user = user;
    c->page = PAGE;
    st = cqljob_list_range(jobs, c->state, c->from_ms, c->until_ms, c->page, on_list, c);
    if (st)
        cqljob_task_free(c);
    return st;
}
