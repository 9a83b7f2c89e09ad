/* scan.c: finding work. A sweep walks every bucket once, from one chosen at random, so that workers
 * spread; in a bucket the jobs that have waited longest come first. For each row that is due the
 * job is read, and what it says decides: claim it, take it back, remove the row, or leave it. No
 * more rows are looked at than there are free places, so that a claim that is won has one. */
#include "jobs/worker.h"

#include <stdio.h>
#include <string.h>

enum { IDLE_FIRST = 50, CONTESTED = 20, TROUBLE_LEAST = 1000, BLOCKED = 50, CLAIM_MAX = 160 };

/* --- one row ---------------------------------------------------------------------------------- */
static void sweep(cql_job *job, const cql_job_info *info)
{
    cql_worker *w = job->w;

    job->phase = CQLJOB_SWEEPING;
    cqljob_plan_sweep(&job->indexes, info, job->due_bucket, job->due_at, cqljob_now_us(w->jobs),
                      w->jobs->set.buckets);
    memset(&job->rq, 0, sizeof job->rq);
    job->rq.verb = CQLJOB_INDEX;
    job->rq.id = cql_str_of(job->id);
    job->rq.indexes = &job->indexes;
    if (cqljob_job_request(job))
        cqljob_job_over(job);
}

/* The note is in the column that later takes the result. It tells this claim from all others. */
static char *claim_note(const cql_worker *w)
{
    cql_uuid id = cql_uuid_random();
    char uuid[CQL_UUID_TEXT_SIZE];
    char text[CLAIM_MAX];

    cql_uuid_print(&id, uuid);
    (void)snprintf(text, sizeof text, "{\"claimed_by\":\"%s\",\"claim\":\"%s\"}", w->name, uuid);
    return cqljob_copy(&w->jobs->al, cql_str_of(text));
}

static void claim(cql_job *job)
{
    cql_worker *w = job->w;
    int64_t token;

    job->phase = CQLJOB_CLAIMING;
    job->claim = claim_note(w);
    job->op_started = cqljob_worker_now(w);
    if (!job->claim || !cqljob_next_token(job->info, cqljob_now_us(w->jobs) / 1000, &token)) {
        cqljob_job_over(job);
        return;
    }
    cqljob_plan_claim(&job->mover.move, job->info, token, cql_str_of(job->claim));
    if (cqljob_job_move(job)) {
        w->scan.contested = true;
        cqljob_job_over(job);
    }
}

static void reclaim(cql_job *job)
{
    cqljob_facts facts = cqljob_job_facts(job);
    bool again = cqljob_plan_reclaim(
        &job->mover.move, job->info,
        cql_str_of("the worker that ran the job let its lease run out"), &facts);

    job->phase = CQLJOB_RECLAIMING;
    job->verdict = again ? CQLJOB_VERDICT_GIVE_BACK : CQLJOB_VERDICT_FAIL;
    if (cqljob_job_move(job))
        cqljob_job_over(job);
}

/* How long this has been seen: jobs that are held by their token, missing ones by the time. */
static int64_t seen_for(cql_job *job)
{
    cql_worker *w = job->w;
    int64_t mark = job->info ? job->info->executed_at : job->due_at;

    if (job->info && job->info->state != CQL_JOB_PROCESSING)
        return 0;
    return cqljob_watch_see(w->watch, cql_str_of(job->id), mark, cqljob_worker_now(w));
}

static void decide(cql_job *job)
{
    cql_worker *w = job->w;
    int64_t seen = seen_for(job);

    switch (
        cqljob_look(job->info, job->due_at, cqljob_now_us(w->jobs) / 1000, w->set.lease_ms, seen)) {
    case CQLJOB_SEE_CLAIM:
        if (!w->stopping && cqljob_handler_for(w->jobs, job->info->type)) {
            claim(job);
            return;
        }
        break;
    case CQLJOB_SEE_EXPIRED:
        if (!w->stopping) {
            reclaim(job);
            return;
        }
        break;
    case CQLJOB_SEE_STALE:
        sweep(job, job->info);
        return;
    case CQLJOB_SEE_ORPHAN:
        if (seen >= w->jobs->set.grace_ms) {
            sweep(job, NULL);
            return;
        }
        break;
    case CQLJOB_SEE_RUNNING:
        break;
    }
    cqljob_job_over(job);
}

static void looked(cql_job *job)
{
    if (job->outcome == CQLJOB_UNKNOWN || job->outcome == CQLJOB_FAILED) {
        job->w->scan.failed = true;
        cqljob_worker_trouble(job->w, job->err);
        cqljob_job_over(job);
        return;
    }
    job->info = job->answer;
    job->answer = NULL;
    decide(job);
}

static void claimed(cql_job *job)
{
    cql_worker *w = job->w;

    switch (job->moved) {
    case CQLJOB_MOVE_DONE:
        w->scan.found = true;
        cqljob_held_begin(job);
        return;
    case CQLJOB_MOVE_REFUSED:
        w->scan.contested = true;
        break;
    case CQLJOB_MOVE_UNKNOWN: /* not clearly ours: the lease settles it */
        w->scan.contested = true;
        cqljob_worker_event(w, CQL_WORKER_UNKNOWN, job, "", job->err);
        break;
    case CQLJOB_MOVE_FAILED:
        w->scan.failed = true;
        cqljob_worker_trouble(w, job->err);
        break;
    }
    cqljob_job_over(job);
}

static void reclaimed(cql_job *job)
{
    cql_worker *w = job->w;

    if (job->moved == CQLJOB_MOVE_DONE) {
        bool again = job->verdict == CQLJOB_VERDICT_GIVE_BACK;

        w->scan.found = true;
        cqljob_worker_event(w, again ? CQL_WORKER_RECLAIMED : CQL_WORKER_ABANDONED, job,
                            "the worker that ran the job let its lease run out", NULL);
    } else if (job->moved == CQLJOB_MOVE_REFUSED) {
        w->scan.contested = true;
    } else {
        w->scan.failed = true;
        cqljob_worker_trouble(w, job->err);
    }
    cqljob_job_over(job);
}

void cqljob_scan_answer(cql_job *job)
{
    job->op = CQLJOB_OP_NONE;
    switch (job->phase) {
    case CQLJOB_LOOKING:
        looked(job);
        break;
    case CQLJOB_CLAIMING:
        claimed(job);
        break;
    case CQLJOB_RECLAIMING:
        reclaimed(job);
        break;
    case CQLJOB_SWEEPING:
    case CQLJOB_HELD:
    case CQLJOB_ENDING:
    case CQLJOB_OVER:
        cqljob_job_over(job);
        break;
    }
}

/* --- pages ------------------------------------------------------------------------------------ */
static void pager_free(cqljob_pager *p)
{
    cqljob_hub *hub = p->hub;
    const cql_allocator *al = &hub->jobs->al;

    cqljob_free(al, p->keys);
    cqljob_free(al, p->page);
    cql_error_unref(p->err);
    cqljob_free(al, p);
    cqljob_hub_unref(hub);
}

static void drop_page(cql_worker *w)
{
    cqljob_free(&w->jobs->al, w->scan.keys);
    cqljob_free(&w->jobs->al, w->scan.page);
    w->scan.keys = NULL;
    w->scan.page = NULL;
    w->scan.count = w->scan.at = w->scan.page_len = 0;
}

static void page_deliver(cql_worker *w, cqljob_mail *mail)
{
    cqljob_pager *p = (cqljob_pager *)(void *)mail;
    cqljob_scan *scan = &w->scan;

    drop_page(w);
    scan->flying = NULL;
    scan->page_ms = cqljob_worker_now(w);
    if (p->outcome == CQLJOB_DONE) {
        scan->keys = p->keys;
        scan->count = p->count;
        scan->page = p->page;
        scan->page_len = p->page_len;
        p->keys = NULL;
        p->page = NULL;
        cqljob_worker_resumed(w);
    } else {
        scan->failed = true;
        scan->done = w->jobs->set.buckets; /* the other buckets would fail as well */
        cqljob_worker_trouble(w, p->err);
    }
    pager_free(p);
}

static void page_discard(cqljob_mail *mail)
{
    pager_free((cqljob_pager *)(void *)mail);
}

/* On the session's loop. */
static void on_page(void *user, cqljob_answer *a)
{
    cqljob_pager *p = user;
    cqljob_hub *hub = p->hub;

    p->outcome = a->outcome;
    p->keys = a->keys;
    p->count = a->key_count;
    a->keys = NULL;
    p->err = a->err ? cql_error_ref(a->err) : NULL;
    if (a->page.len) {
        char *page =
            cqljob_copy(&hub->jobs->al, a->page); /* without it the rest of this bucket waits */

        cqljob_free(&hub->jobs->al, p->page);
        p->page = page;
        p->page_len = page ? a->page.len : 0;
    } else {
        cqljob_free(&hub->jobs->al, p->page);
        p->page = NULL;
        p->page_len = 0;
    }
    cqljob_hub_post(hub, &p->mail);
}

/* Asks for the first page of the bucket, or for the one after the page at hand. */
static cql_status ask_page(cql_worker *w, bool first)
{
    cqljob_scan *scan = &w->scan;
    cqljob_pager *p = cqljob_zalloc(&w->jobs->al, sizeof *p);
    cql_status st;

    if (!p)
        return CQL_NO_MEMORY;
    cqljob_hub_ref(w->hub);
    p->hub = w->hub;
    p->mail.deliver = page_deliver;
    p->mail.discard = page_discard;
    p->rq.verb = CQLJOB_DUE;
    p->rq.part = scan->bucket;
    p->rq.until_ms = cqljob_now_us(w->jobs) / 1000;
    p->rq.page_size = w->set.batch;
    if (!first) {
        p->page = scan->page;
        p->page_len = scan->page_len;
        scan->page = NULL;
        scan->page_len = 0;
        p->rq.page = (cql_str){p->page, p->page_len};
    }
    drop_page(w);
    scan->flying = p;
    st = cqljob_send(w->jobs, &p->rq, on_page, p);
    if (st) {
        scan->flying = NULL;
        pager_free(p);
    }
    return st;
}

/* --- the sweep -------------------------------------------------------------------------------- */
static bool is_known(const cql_worker *w, const char *id)
{
    for (const cql_job *job = w->first; job; job = job->next)
        if (!strcmp(job->id, id))
            return true;
    return false;
}

/* False when the queue is full or memory is out. */
static bool look_at(cql_worker *w, const cqljob_key *key)
{
    cql_job *job;

    if (is_known(w, key->id))
        return true;
    job = cqljob_job_new(w, key->id);
    if (!job)
        return false;
    job->due_bucket = w->scan.bucket;
    job->due_at = key->at;
    job->rq.verb = CQLJOB_GET;
    job->rq.id = cql_str_of(job->id);
    if (cqljob_job_request(job)) {
        cqljob_job_over(job);
        return false;
    }
    return true;
}

static int64_t idle_time(cql_worker *w)
{
    cqljob_scan *scan = &w->scan;
    int64_t poll = w->set.poll_ms;
    int64_t idle = scan->idle_ms ? scan->idle_ms * 2 : IDLE_FIRST;

    if (scan->contested)
        idle = CONTESTED;
    if (idle > poll)
        idle = poll;
    scan->idle_ms = idle;
    if (scan->failed)
        return poll > TROUBLE_LEAST ? poll : TROUBLE_LEAST;
    return idle - (int64_t)(cqljob_worker_random(w) % ((uint64_t)idle / 5 + 1));
}

/* Never later than a job that is known to become due. */
static void set_next(cql_worker *w, int64_t next)
{
    cqljob_scan *scan = &w->scan;

    scan->next_ms = scan->due_ms && scan->due_ms < next ? scan->due_ms : next;
}

void cqljob_scan_expect(cql_worker *w, int64_t due_ms)
{
    cqljob_scan *scan = &w->scan;

    if (!scan->due_ms || due_ms < scan->due_ms)
        scan->due_ms = due_ms;
    set_next(w, scan->next_ms);
}

static void end_sweep(cql_worker *w)
{
    cqljob_scan *scan = &w->scan;
    int64_t now = cqljob_worker_now(w);

    scan->sweeping = false;
    drop_page(w);
    if (scan->found && !scan->failed) {
        scan->idle_ms = 0;
        scan->next_ms = now;
        return;
    }
    set_next(w, now + idle_time(w));
    if (w->set.drain && !scan->contested && !scan->failed && w->held == 0)
        w->drained = true;
}

static void begin_sweep(cql_worker *w)
{
    cqljob_scan *scan = &w->scan;

    scan->sweeping = true;
    if (cqljob_worker_now(w) >= scan->due_ms)
        scan->due_ms = 0;
    scan->found = scan->contested = scan->failed = false;
    scan->start = (uint32_t)(cqljob_worker_random(w) % w->jobs->set.buckets);
    scan->done = 0;
}

static size_t free_places(const cql_worker *w)
{
    size_t taken = w->held + w->looking;

    return taken < w->set.concurrency ? w->set.concurrency - taken : 0;
}

/* What a page says is old after a while: jobs that were due then have been taken since. */
static bool page_is_old(const cql_worker *w)
{
    int64_t age = cqljob_worker_now(w) - w->scan.page_ms;

    return w->scan.count && age > (w->set.poll_ms > 1000 ? w->set.poll_ms : 1000);
}

/* Moves the sweep to its next page. True: a page is on its way or the sweep ended. */
static void next_page(cql_worker *w)
{
    cqljob_scan *scan = &w->scan;
    uint32_t buckets = w->jobs->set.buckets;
    bool more = scan->page != NULL;
    cql_status st;

    if (!more && scan->done >= buckets) {
        if (w->looking == 0)
            end_sweep(w);
        return;
    }
    if (!more)
        scan->bucket = (int32_t)((scan->start + scan->done++) % buckets);
    st = ask_page(w, !more);
    if (!st)
        return;
    scan->failed = true;
    scan->done = buckets;
    drop_page(w);
    if (w->looking == 0)
        end_sweep(w);
}

void cqljob_scan_pump(cql_worker *w)
{
    cqljob_scan *scan = &w->scan;

    if (w->stopping || w->drained)
        return;
    if (!scan->sweeping && cqljob_worker_now(w) >= scan->next_ms && free_places(w))
        begin_sweep(w);
    if (!scan->sweeping || scan->flying)
        return;
    if (scan->at < scan->count && free_places(w) && page_is_old(w)) {
        scan->failed |= ask_page(w, true) != CQL_OK;
        return;
    }
    while (scan->at < scan->count && free_places(w))
        if (!look_at(w, &scan->keys[scan->at++])) {
            scan->contested = true; /* the rest of the page in a next sweep, soon */
            scan->at = scan->count;
        }
    if (scan->at == scan->count && free_places(w))
        next_page(w);
}

int64_t cqljob_scan_deadline(const cql_worker *w)
{
    if (w->stopping || w->drained || w->scan.sweeping || !free_places(w))
        return INT64_MAX;
    return w->scan.next_ms;
}

void cqljob_scan_free(cql_worker *w)
{
    drop_page(w);
}
