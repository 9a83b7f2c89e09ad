/* list.c: the jobs of a state: a page of the index, each of its jobs from `jobs` in parallel, the
 * next page, until there are enough. A row whose job is in another state is left out and removed; a
 * row without a job only when it is older than ten grace periods, since its job may be on its way
 * in. A job that cannot be read is left out, with a warning: it is not to hide the others.
 *
 * The index has a tombstone for each job that has left the state, and servers refuse to read over
 * too many of them. The range of times is then halved until they do not. */
#include "jobs/list.h"

#include <string.h>

enum { PAGE = 500, AT_ONCE = 64, LIMIT_STANDARD = 100, LIMIT_MAX = 100000, GRACES = 10 };
enum { COUNT_PAGE = 5000, DAY_MS = 86400000 };

typedef struct listing listing;

/* One job being fetched; lives as long as its page. */
typedef struct fetch {
    listing *of;
    cql_job_info *job;
    bool unreadable;
    cqljob_request rq;
} fetch;

struct listing {
    cql_jobs *jobs;
    char *page; /* where the page before ended */
    int32_t state;
    size_t limit;
    cql_job_list *list;
    cqljob_key *keys;
    fetch *fetches;
    size_t count;  /* keys of this page */
    size_t sent;   /* of them asked for */
    size_t flying; /* of them not answered yet */
    bool more;
    bool counting; /* rows only */
    int64_t last_ms; /* of the whole range; the request has the slice of it */
    int64_t rows;
    char *id; /* of the batch */
    cql_error *err;
    cql_job_list_cb cb;
    cql_job_count_cb count_cb;
    void *user;
    cqljob_request page_rq;
};

/* --- removing what the job contradicts -------------------------------------------------------- */
typedef struct sweep {
    cql_jobs *jobs;
    cqljob_request rq;
    cqljob_indexes indexes;
    char *id;
} sweep;

static void sweep_free(sweep *w)
{
    cqljob_free(&w->jobs->al, w->id);
    cqljob_task_free(w);
}

/* Whether it went well does not matter: the next reader tries again. */
static void swept(void *user, cqljob_answer *a)
{
    (void)a;
    sweep_free(user);
}

static void sweep_row(const listing *l, const cqljob_key *key, const cql_job_info *job)
{
    sweep *w = cqljob_task_new(l->jobs, sizeof *w);
    int64_t until_us = cqljob_now_us(l->jobs);

    if (!w)
        return;
    if (job) /* a retry that is under way may have put the row */
        until_us -= l->jobs->set.grace_ms * 1000;
    w->id = cqljob_copy(&l->jobs->al, cql_str_of(key->id));
    cqljob_plan_sweep_state(&w->indexes, job, l->state, key->at, until_us);
    w->rq.verb = CQLJOB_INDEX;
    w->rq.id = cql_str_of(w->id);
    w->rq.indexes = &w->indexes;
    if (!w->id || cqljob_send(w->jobs, &w->rq, swept, w))
        sweep_free(w);
}

/* --- ending ----------------------------------------------------------------------------------- */
static void page_free(listing *l)
{
    for (size_t i = 0; i < l->count; i++)
        cql_job_info_free(l->fetches[i].job);
    cqljob_free(&l->jobs->al, l->fetches);
    cqljob_free(&l->jobs->al, l->keys);
    l->fetches = NULL;
    l->keys = NULL;
    l->count = l->sent = 0;
}

static void listing_free(listing *l)
{
    page_free(l);
    cql_job_list_free(l->list);
    cql_error_unref(l->err);
    cqljob_free(&l->jobs->al, l->page);
    cqljob_free(&l->jobs->al, l->id);
    cqljob_task_free(l);
}

static void finish(listing *l)
{
    if (l->counting)
        l->count_cb(l->jobs, l->err, l->rows, l->user);
    else
        l->cb(l->jobs, l->err, l->err ? NULL : l->list, l->user);
    listing_free(l);
}

static void keep_error(listing *l, cql_status st, const cql_error *err)
{
    cqljob_keep_first(l->jobs, &l->err, st, err, "listing jobs");
}

/* --- pages ------------------------------------------------------------------------------------ */
static void fill(listing *l);
static void on_page(void *user, cqljob_answer *a);

static bool is_old(const listing *l, const cqljob_key *key)
{
    return key->at < cqljob_wall_ms(l->jobs) - GRACES * l->jobs->set.grace_ms;
}

/* A second row of a job that has its own. */
static bool is_double(const cql_job_info *job, const cqljob_key *key)
{
    return job->created_at != CQL_JOB_NO_TIME && job->created_at != key->at;
}

/* --- slices ----------------------------------------------------------------------------------- */
/* True for what too many tombstones in one read look like. */
static bool is_too_much(const cql_error *err)
{
    cql_status st = err ? cql_error_status(err) : CQL_OK;

    return st == CQL_SERVER_READ_FAILURE || st == CQL_SERVER_READ_TIMEOUT;
}

/* The first half of the slice; false when it cannot be halved. */
static bool halve(listing *l)
{
    int64_t now = cqljob_wall_ms(l->jobs);
    int64_t from = l->page_rq.from_ms < 0 ? 0 : l->page_rq.from_ms;
    int64_t until = l->page_rq.until_ms > now + DAY_MS ? now + DAY_MS : l->page_rq.until_ms;

    if (l->page_rq.verb != CQLJOB_LIST || until - from < 2)
        return false;
    l->page_rq.until_ms = from + (until - from) / 2;
    return true;
}

/* The slice after the one that is through; false: it was the last. */
static bool next_slice(listing *l)
{
    int64_t span;

    if (l->page_rq.until_ms >= l->last_ms)
        return false;
    span = l->page_rq.until_ms - (l->page_rq.from_ms < 0 ? 0 : l->page_rq.from_ms) + 1;
    l->page_rq.from_ms = l->page_rq.until_ms + 1;
    l->page_rq.until_ms = l->last_ms;
    if (span < (l->last_ms - l->page_rq.from_ms) / 4)
        l->page_rq.until_ms = l->page_rq.from_ms + 4 * span;
    return true;
}

static bool is_enough(const listing *l)
{
    return !l->counting && cql_job_list_count(l->list) >= l->limit;
}

/* The next page or slice, or the end. */
static void proceed(listing *l)
{
    cql_status st;

    if (l->err || is_enough(l) || (!l->more && !next_slice(l))) {
        finish(l);
        return;
    }
    st = cqljob_send(l->jobs, &l->page_rq, on_page, l);
    if (!st)
        return;
    keep_error(l, st, NULL);
    finish(l);
}

/* All jobs of the page are here: into the list in the page's order. */
static void take_page(listing *l)
{
    for (size_t i = 0; i < l->sent && !l->err; i++) {
        fetch *f = &l->fetches[i];
        cql_job_info *job = f->job;
        bool indexed = l->page_rq.verb == CQLJOB_LIST;
        cql_status st;

        if (f->unreadable)
            continue;
        if (indexed && (!job || job->state != l->state || is_double(job, &l->keys[i]))) {
            if (job || is_old(l, &l->keys[i]))
                sweep_row(l, &l->keys[i], job);
            continue;
        }
        if (!job || is_enough(l))
            continue;
        f->job = NULL;
        st = cqljob_list_add(l->list, job);
        if (st)
            keep_error(l, st, NULL);
    }
    page_free(l);
    proceed(l);
}

static void warn(const listing *l, cql_str id)
{
    const cqljob_settings *set = &l->jobs->set;
    cql_error *err;

    if (!set->on_warning)
        return;
    err = cqljob_error(l->jobs, CQL_MALFORMED, NULL, "the row of job %.*s cannot be read, it is left out",
                       (int)id.len, id.ptr);
    set->on_warning(set->user, cql_str_of(cql_error_text(err)));
    cql_error_unref(err);
}

static void on_job(void *user, cqljob_answer *a)
{
    fetch *f = user;
    listing *l = f->of;

    l->flying--;
    if (a->outcome == CQLJOB_DONE) {
        f->job = a->job;
        a->job = NULL;
    } else if (cqljob_is_unreadable(a)) {
        f->unreadable = true;
        warn(l, f->rq.id);
    } else if (a->outcome != CQLJOB_REFUSED) {
        keep_error(l, CQL_UNEXPECTED, a->err);
    }
    fill(l);
}

/* Keeps AT_ONCE jobs on the way. A full queue is no failure while answers are still to come. */
static void fill(listing *l)
{
    while (!l->err && l->sent < l->count && l->flying < AT_ONCE) {
        fetch *f = &l->fetches[l->sent];
        cql_status st;

        f->of = l;
        f->rq.verb = CQLJOB_GET;
        f->rq.id = cql_str_of(l->keys[l->sent].id);
        st = cqljob_send(l->jobs, &f->rq, on_job, f);
        if (st == CQL_WOULD_BLOCK && l->flying)
            return;
        if (st) {
            keep_error(l, st, NULL);
            break;
        }
        l->sent++;
        l->flying++;
    }
    if (!l->flying && (l->err || l->sent == l->count))
        take_page(l);
}

static cql_status keep_page(listing *l, cqljob_answer *a)
{
    cqljob_free(&l->jobs->al, l->page);
    l->page = NULL;
    l->more = a->page.len > 0;
    if (l->more) {
        l->page = cqljob_copy(&l->jobs->al, a->page);
        if (!l->page)
            return CQL_NO_MEMORY;
    }
    l->page_rq.page = (cql_str){l->page, a->page.len};
    l->rows += (int64_t)a->key_count;
    if (l->counting)
        return CQL_OK;
    l->fetches = cqljob_zalloc(&l->jobs->al, a->key_count * sizeof l->fetches[0]);
    if (!l->fetches)
        return CQL_NO_MEMORY;
    l->keys = a->keys;
    l->count = a->key_count;
    a->keys = NULL;
    return CQL_OK;
}

static void on_page(void *user, cqljob_answer *a)
{
    listing *l = user;
    cql_status st = CQL_UNEXPECTED;

    if (a->outcome == CQLJOB_DONE)
        st = keep_page(l, a);
    if (st && is_too_much(a->err) && halve(l))
        st = cqljob_send(l->jobs, &l->page_rq, on_page, l);
    else if (!st && l->counting)
        proceed(l);
    else if (!st)
        fill(l);
    if (!st)
        return;
    keep_error(l, st, a->err);
    finish(l);
}

/* --- beginning -------------------------------------------------------------------------------- */
static listing *listing_new(cql_jobs *jobs, uint32_t limit, void *user)
{
    listing *l = cqljob_task_new(jobs, sizeof *l);

    if (!l)
        return NULL;
    l->list = cqljob_list_new(&jobs->al);
    l->limit = limit ? limit : LIMIT_STANDARD;
    l->user = user;
    l->page_rq.verb = CQLJOB_LIST;
    l->page_rq.page_size = l->limit < PAGE ? (int32_t)l->limit : PAGE;
    l->page_rq.from_ms = INT64_MIN;
    l->page_rq.until_ms = l->last_ms = INT64_MAX;
    return l;
}

static cql_status begin(listing *l)
{
    cql_status st = l->list ? cqljob_send(l->jobs, &l->page_rq, on_page, l) : CQL_NO_MEMORY;

    if (st)
        listing_free(l);
    return st;
}

cql_status cqljob_list_range(cql_jobs *jobs, int32_t state, int64_t from_ms, int64_t until_ms,
                             uint32_t limit, cql_job_list_cb cb, void *user)
{
    listing *l = listing_new(jobs, limit, user);

    if (!l)
        return CQL_NO_MEMORY;
    l->state = l->page_rq.part = state;
    l->page_rq.from_ms = from_ms;
    l->page_rq.until_ms = l->last_ms = until_ms;
    l->cb = cb;
    return begin(l);
}

cql_status cqljob_count_rows(cql_jobs *jobs, int32_t state, cql_job_count_cb cb, void *user)
{
    listing *l = listing_new(jobs, COUNT_PAGE, user);

    if (!l)
        return CQL_NO_MEMORY;
    l->state = l->page_rq.part = state;
    l->page_rq.page_size = COUNT_PAGE;
    l->counting = true;
    l->count_cb = cb;
    return begin(l);
}

cql_status cql_jobs_list(cql_jobs *jobs, cql_job_state state, uint32_t limit, cql_job_list_cb cb,
                         void *user)
{
    if ((int)state < CQL_JOB_CREATED || state > CQL_JOB_AWAITING_BATCH || limit > LIMIT_MAX)
        return CQL_BAD_ARGUMENT;
    return cqljob_list_range(jobs, (int32_t)state, INT64_MIN, INT64_MAX, limit, cb, user);
}

cql_status cql_jobs_list_batch(cql_jobs *jobs, const char *batch_id, uint32_t limit,
                               cql_job_list_cb cb, void *user)
{
    listing *l;

    if (limit > LIMIT_MAX)
        return CQL_BAD_ARGUMENT;
    if (cqljob_check_id(batch_id))
        return CQL_BAD_VALUE;
    l = listing_new(jobs, limit, user);
    if (!l)
        return CQL_NO_MEMORY;
    l->id = cqljob_copy(&jobs->al, cql_str_of(batch_id));
    if (!l->id) {
        listing_free(l);
        return CQL_NO_MEMORY;
    }
    l->page_rq.verb = CQLJOB_BATCH;
    l->page_rq.id = cql_str_of(l->id);
    l->cb = cb;
    return begin(l);
}
