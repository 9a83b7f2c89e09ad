/* list.c: the jobs of a state: a page of the index, each of its jobs from `jobs` in parallel, the
 * next page, until there are enough. A row whose job is in another state is left out and removed; a
 * row without a job only when it is older than ten grace periods, since its job may be on its way
 * in. */
#include "jobs/core.h"

#include <string.h>

enum { PAGE = 500, AT_ONCE = 64, LIMIT_STANDARD = 100, LIMIT_MAX = 100000, GRACES = 10 };

typedef struct listing listing;

/* One job being fetched; lives as long as its page. */
typedef struct fetch {
    listing *of;
    cqljob_request rq;
    cql_job_info *job;
} fetch;

struct listing {
    cql_jobs *jobs;
    cqljob_request page_rq;
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
    cql_error *err;
    cql_job_list_cb cb;
    void *user;
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
    cql_jobs *jobs = w->jobs;

    cqljob_free(&jobs->al, w->id);
    cqljob_free(&jobs->al, w);
    cqljob_unref(jobs);
}

/* Whether it went well does not matter: the next reader tries again. */
static void swept(void *user, cqljob_answer *a)
{
    (void)a;
    sweep_free(user);
}

static void sweep_row(const listing *l, const cqljob_key *key, const cql_job_info *job)
{
    sweep *w = cqljob_zalloc(&l->jobs->al, sizeof *w);

    if (!w)
        return;
    w->jobs = cqljob_ref(l->jobs);
    w->id = cqljob_copy(&l->jobs->al, cql_str_of(key->id));
    cqljob_plan_sweep_state(&w->indexes, job, l->state, key->at, cqljob_now_us(l->jobs));
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
    cql_jobs *jobs = l->jobs;

    page_free(l);
    cql_job_list_free(l->list);
    cql_error_unref(l->err);
    cqljob_free(&jobs->al, l->page);
    cqljob_free(&jobs->al, l);
    cqljob_unref(jobs);
}

static void finish(listing *l)
{
    l->cb(l->jobs, l->err, l->err ? NULL : l->list, l->user);
    listing_free(l);
}

static void keep_error(listing *l, cql_status st, const cql_error *err)
{
    if (l->err)
        return;
    l->err = err ? cql_error_ref(err)
                 : cqljob_error(l->jobs, st, NULL, "listing jobs: %s", cql_status_text(st));
}

/* --- pages ------------------------------------------------------------------------------------ */
static void fill(listing *l);
static void on_page(void *user, cqljob_answer *a);

static bool is_old(const listing *l, const cqljob_key *key)
{
    return key->at < cqljob_now_us(l->jobs) / 1000 - GRACES * l->jobs->set.grace_ms;
}

/* A second row of a job that has its own. */
static bool is_double(const cql_job_info *job, const cqljob_key *key)
{
    return job->created_at != CQL_JOB_NO_TIME && job->created_at != key->at;
}

/* All jobs of the page are here: into the list in the page's order. */
static void take_page(listing *l)
{
    for (size_t i = 0; i < l->sent && !l->err; i++) {
        fetch *f = &l->fetches[i];
        cql_job_info *job = f->job;
        cql_status st;

        if (!job || job->state != l->state || is_double(job, &l->keys[i])) {
            if (job || is_old(l, &l->keys[i]))
                sweep_row(l, &l->keys[i], job);
            continue;
        }
        if (cql_job_list_count(l->list) >= l->limit)
            continue;
        f->job = NULL;
        st = cqljob_list_add(l->list, job);
        if (st)
            keep_error(l, st, NULL);
    }
    page_free(l);
    if (!l->err && l->more && cql_job_list_count(l->list) < l->limit) {
        cql_status st = cqljob_send(l->jobs, &l->page_rq, on_page, l);

        if (!st)
            return;
        keep_error(l, st, NULL);
    }
    finish(l);
}

static void on_job(void *user, cqljob_answer *a)
{
    fetch *f = user;
    listing *l = f->of;

    l->flying--;
    if (a->outcome == CQLJOB_DONE) {
        f->job = a->job;
        a->job = NULL;
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
    if (st) {
        keep_error(l, st, a->err);
        finish(l);
        return;
    }
    fill(l);
}

cql_status cql_jobs_list(cql_jobs *jobs, cql_job_state state, uint32_t limit, cql_job_list_cb cb,
                         void *user)
{
    listing *l;
    cql_status st;

    if ((int)state < CQL_JOB_CREATED || state > CQL_JOB_AWAITING_BATCH || limit > LIMIT_MAX)
        return CQL_BAD_ARGUMENT;
    l = cqljob_zalloc(&jobs->al, sizeof *l);
    if (!l)
        return CQL_NO_MEMORY;
    l->jobs = cqljob_ref(jobs);
    l->list = cqljob_list_new(&jobs->al);
    l->state = (int32_t)state;
    l->limit = limit ? limit : LIMIT_STANDARD;
    l->cb = cb;
    l->user = user;
    l->page_rq.verb = CQLJOB_LIST;
    l->page_rq.part = (int32_t)state;
    l->page_rq.page_size = l->limit < PAGE ? (int32_t)l->limit : PAGE;
    st = l->list ? cqljob_send(jobs, &l->page_rq, on_page, l) : CQL_NO_MEMORY;
    if (st)
        listing_free(l);
    return st;
}
