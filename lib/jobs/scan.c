/* scan.c: finding work. A sweep visits every bucket once, from one chosen at random, so that workers
 * spread; of a bucket it reads a page of what has been due for longest, and a next one only when
 * there was nothing to look at on it. For each row that is due the job is read, and what it says
 * decides (scanrow.c): claim it, take it back, remove the row, or remember when to look again. No more
 * rows are looked at than there are free places, so that a claim that is won has one.
 *
 * A row does not tell whether its job has been claimed, so looks at rows that other workers have
 * taken since the page was read are in vain. Workers begin at different rows; a page on which that
 * happened twice, or that is old, is left for the next bucket; and what is most likely gone waits for a
 * page that still has it.
 *
 * A bucket is full of tombstones, one for each job that ended. Each sweep therefore begins where the
 * one before found the first row that is worth looking at. Rows behind that place are in the memo:
 * old ones whose jobs run elsewhere or have no handler here. A job that waits again always has a row
 * with a new time (rules.c), so nothing that can be claimed appears there, but for programs whose
 * clock is far behind; for them a deep sweep comes by from time to time (chores.c). */
#include "jobs/worker.h"

#include <string.h>

enum { IDLE_FIRST = 50, CONTESTED = 20, MISSES = 2, TROUBLE_LEAST = 1000 };
enum { OLD_ROW = 60000, SLICE_LEAST = 1000 };

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

static bool is_held_here(const cql_worker *w, const char *id)
{
    for (const cql_job *job = w->first; job; job = job->next)
        if (job->phase >= CQLJOB_HELD && !strcmp(job->id, id))
            return true;
    return false;
}

/* Marks what the memo has of the page and finds the first row that sweeps cannot begin behind. */
static void note_page(cql_worker *w, bool whole)
{
    cqljob_scan *scan = &w->scan;
    int64_t old = cqljob_worker_wall(w) - OLD_ROW;
    int64_t until = scan->page_until;

    scan->page_number++;
    for (size_t i = 0; i < scan->count; i++) {
        const cqljob_key *key = &scan->keys[i];
        cqljob_memo_row *row = cqljob_memo_find(&w->memo, key->id, key->at);

        if (row)
            row->seen = scan->page_number;
        if (row && row->check_ms <= cqljob_worker_now(w) && is_held_here(w, key->id))
            row->check_ms = cqljob_worker_now(w) + w->set.lease_ms;
        if ((!row || (row->by_page && !row->swept) || key->at >= old) && key->at < scan->open_at)
            scan->open_at = key->at;
    }
    if (scan->count && !whole)
        until = scan->keys[scan->count - 1].at - 1; /* rows of that time may be on the next page */
    /* Rows of its first time may have been on the page before. */
    cqljob_memo_unseen(&w->memo, scan->bucket, scan->page_from, until, scan->walk_page,
                       scan->page_number);
    scan->page_from = until + 1 > scan->page_from ? until + 1 : scan->page_from;
}

static void take_page(cql_worker *w, cqljob_pager *p)
{
    cqljob_scan *scan = &w->scan;

    scan->keys = p->keys;
    scan->count = p->count;
    scan->page = p->page;
    scan->page_len = p->page_len;
    p->keys = NULL;
    p->page = NULL;
    note_page(w, !scan->page);
    scan->misses = 0;
    /* Workers begin at different rows, so that they meet less often. */
    scan->turn = scan->count ? (size_t)(cqljob_worker_random(w) % scan->count) : 0;
    if (scan->slice_ms)
        scan->slice_ms = scan->page_until < scan->sweep_ms ? scan->slice_ms * 2 : 0;
    cqljob_worker_resumed(w);
}

/* True: too many tombstones, a shorter stretch of time may do. */
static bool halve(cql_worker *w, const cql_error *err)
{
    cqljob_scan *scan = &w->scan;
    cql_status st = err ? cql_error_status(err) : CQL_OK;
    int64_t span = scan->page_until - scan->page_from;

    if ((st != CQL_SERVER_READ_FAILURE && st != CQL_SERVER_READ_TIMEOUT) || span < SLICE_LEAST)
        return false;
    scan->slice_ms = span / 2;
    scan->page_until = scan->page_from - 1; /* the next slice begins where this one did */
    return true;
}

static void page_deliver(cql_worker *w, cqljob_mail *mail)
{
    cqljob_pager *p = (cqljob_pager *)(void *)mail;
    cqljob_scan *scan = &w->scan;

    drop_page(w);
    scan->flying = NULL;
    scan->looked = scan->worth = false;
    scan->page_ms = cqljob_worker_now(w);
    if (p->outcome == CQLJOB_DONE) {
        take_page(w, p);
    } else if (!halve(w, p->err)) {
        scan->failed = true;
        scan->done = w->jobs->set.buckets; /* the other buckets would fail as well */
        scan->page_until = INT64_MAX;
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
    p->err = cql_error_ref(a->err);
    cqljob_free(&hub->jobs->al, p->page);
    p->page = NULL;
    if (a->page.len) /* without memory the rest of this bucket waits */
        p->page = cqljob_copy(&hub->jobs->al, a->page);
    p->page_len = p->page ? a->page.len : 0;
    cqljob_hub_post(hub, &p->mail);
}

typedef enum which_page { FIRST, MORE, NEXT_SLICE } which_page;

/* Where the bucket was last left, unless that is still to come: then the clock was ahead and has been set
 * right, and what others stored meanwhile lies behind that place. */
static int64_t bucket_from(cql_worker *w)
{
    int64_t *from = &w->scan.from[w->scan.bucket];
    int64_t now = cqljob_worker_wall(w);

    if (*from > now)
        *from = now > CQLJOB_DEEP_BACK_MS ? now - CQLJOB_DEEP_BACK_MS : 0;
    return *from;
}

/* Asks for the first page of the bucket, for the one after the page at hand, or for the next stretch
 * of time. */
static cql_status ask_page(cql_worker *w, which_page which)
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
    p->rq.page_size = w->set.batch;
    if (which == FIRST) {
        scan->page_from = scan->visit_from = bucket_from(w);
        scan->open_at = INT64_MAX;
    } else if (which == NEXT_SLICE) {
        scan->page_from = scan->page_until + 1;
    }
    if (which != MORE) {
        scan->page_until = cqljob_worker_wall(w);
        if (scan->slice_ms && scan->page_until - scan->page_from > scan->slice_ms)
            scan->page_until = scan->page_from + scan->slice_ms;
        scan->walk_from = scan->page_from;
        scan->walk_page = scan->page_number + 1;
    } else {
        p->page = scan->page;
        p->page_len = scan->page_len;
        scan->page = NULL;
        scan->page_len = 0;
        p->rq.page = (cql_str){p->page, p->page_len};
    }
    p->rq.from_ms = scan->walk_from;
    p->rq.until_ms = scan->page_until;
    drop_page(w);
    scan->flying = p;
    st = cqljob_send(w->jobs, &p->rq, on_page, p);
    if (st) {
        scan->flying = NULL;
        pager_free(p);
    }
    return st;
}

/* The visit of a bucket is over; complete: all of it was read. */
static void end_bucket(cql_worker *w, bool complete)
{
    cqljob_scan *scan = &w->scan;
    int64_t edge = cqljob_worker_wall(w) - w->jobs->set.grace_ms; /* rows of other clocks may come until then */
    int64_t from = scan->open_at;

    if (from == INT64_MAX)
        from = complete ? scan->page_until : scan->page_from;
    from = from < edge ? from : edge;
    if (from > scan->from[scan->bucket] && scan->from[scan->bucket] >= scan->visit_from)
        scan->from[scan->bucket] = from; /* else a deep look wants more of it meanwhile */
    cqljob_memo_passed(&w->memo, scan->bucket, scan->from[scan->bucket]);
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
static bool look_at(cql_worker *w, const cqljob_key *key, int32_t bucket)
{
    cql_job *job;

    if (is_known(w, key->id))
        return true;
    job = cqljob_job_new(w, key->id);
    if (!job)
        return false;
    job->due_bucket = bucket;
    job->due_at = key->at;
    job->page_number = w->scan.page_number;
    cqljob_scan_remember(job, CQLJOB_SCAN_SOON);
    w->scan.looked = true;
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
    scan->rounds += !scan->failed;
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
    scan->sweep_ms = cqljob_worker_wall(w);
    scan->visiting = false;
    scan->start = (uint32_t)(cqljob_worker_random(w) % w->jobs->set.buckets);
    scan->done = 0;
}

static size_t free_places(const cql_worker *w)
{
    size_t taken = w->held + w->looking;

    return taken < w->set.concurrency ? w->set.concurrency - taken : 0;
}

/* What a page says is old after a while: jobs that were due then have been taken since. Rows that
 * others have taken show it sooner: where one is, there are more. */
static bool page_is_old(const cql_worker *w)
{
    int64_t age = cqljob_worker_now(w) - w->scan.page_ms;

    return w->scan.misses >= MISSES || age > (w->set.poll_ms > 1000 ? w->set.poll_ms : 1000);
}

static which_page rest_of_bucket(const cql_worker *w)
{
    const cqljob_scan *scan = &w->scan;

    if (scan->page)
        return MORE;
    return scan->slice_ms && scan->page_until < scan->sweep_ms ? NEXT_SLICE : FIRST;
}

/* Rows that cannot be remembered would be all that is seen of a bucket, if the next sweep began with them
 * again; so what is behind them is read in this one. */
static bool must_go_on(const cql_worker *w)
{
    return cqljob_memo_is_full(&w->memo) && !w->scan.worth && rest_of_bucket(w) != FIRST;
}

/* What there is to read next of the bucket at hand; FIRST: nothing, on to the next bucket. */
static which_page next_of_bucket(const cql_worker *w)
{
    if (w->scan.looked && !must_go_on(w))
        return FIRST; /* there is work; the other buckets have some too */
    return rest_of_bucket(w);
}

/* Moves the sweep to its next page, or ends it. */
static void next_page(cql_worker *w)
{
    cqljob_scan *scan = &w->scan;
    uint32_t buckets = w->jobs->set.buckets;
    which_page next = scan->done ? next_of_bucket(w) : FIRST;
    cql_status st;

    if (next != FIRST && scan->looked && w->looking)
        return; /* the page may yet be worth it */
    if (next == FIRST && scan->visiting) {
        scan->contested = scan->contested || (!scan->failed && rest_of_bucket(w) != FIRST);
        end_bucket(w, !scan->page && !scan->failed);
        scan->visiting = false;
    }
    if (next == FIRST && scan->done >= buckets) {
        if (w->looking == 0)
            end_sweep(w);
        return;
    }
    if (next == FIRST) {
        scan->bucket = (int32_t)((scan->start + scan->done++) % buckets);
        scan->visiting = true;
    }
    st = ask_page(w, next);
    if (!st)
        return;
    scan->failed = true;
    scan->done = buckets;
    scan->visiting = false;
    drop_page(w);
    if (w->looking == 0)
        end_sweep(w);
}

/* Jobs that were left alone until now. */
static void look_again(cql_worker *w)
{
    int64_t now = cqljob_worker_now(w);
    cqljob_memo_row *row;

    while (free_places(w) && (row = cqljob_memo_first(&w->memo, w->scan.from)) != NULL &&
           row->check_ms <= now) {
        char id[CQLJOB_MEMO_ID];
        cqljob_key key = {.at = row->due_at, .id = id};
        int32_t bucket = row->bucket;

        memcpy(id, row->id, sizeof id);
        row->check_ms = now + (is_known(w, id) ? w->set.lease_ms : CQLJOB_SCAN_SOON);
        if (!look_at(w, &key, bucket))
            return;
    }
}

/* True while rows of the page are left that there is no place for. */
static bool walk_page(cql_worker *w)
{
    cqljob_scan *scan = &w->scan;

    while (scan->at < scan->count && free_places(w)) {
        const cqljob_key *key = &scan->keys[(scan->turn + scan->at++) % scan->count];
        const cqljob_memo_row *row = cqljob_memo_find(&w->memo, key->id, key->at);

        if (row && row->check_ms > (row->by_page ? scan->page_ms : cqljob_worker_now(w)))
            continue;
        if (!look_at(w, key, scan->bucket)) {
            scan->contested = true; /* the rest of the page in a next sweep, soon */
            scan->at = scan->count;
        }
    }
    return scan->at < scan->count;
}

/* On to the next bucket, though there is more here: jobs of all buckets get their turn, and the next
 * visit begins where the first row of this page was, past the tombstones of those before it. */
static void leave_page(cql_worker *w)
{
    w->scan.at = w->scan.count;
    w->scan.looked = w->scan.worth = true;
    w->scan.contested = true; /* the next sweep soon */
}

void cqljob_scan_pump(cql_worker *w)
{
    cqljob_scan *scan = &w->scan;

    if (w->stopping || w->drained || !w->chores.ready)
        return;
    look_again(w);
    if (!scan->sweeping && cqljob_worker_now(w) >= scan->next_ms && free_places(w))
        begin_sweep(w);
    if (!scan->sweeping || scan->flying)
        return;
    if (scan->at < scan->count && free_places(w) && page_is_old(w))
        leave_page(w);
    if (!walk_page(w) && free_places(w))
        next_page(w);
}

int64_t cqljob_scan_deadline(const cql_worker *w)
{
    const cqljob_memo_row *row = cqljob_memo_first(&w->memo, w->scan.from);
    int64_t at = w->scan.sweeping ? INT64_MAX : w->scan.next_ms;

    if (w->stopping || w->drained || !w->chores.ready || !free_places(w))
        return INT64_MAX;
    return row && row->check_ms < at ? row->check_ms : at;
}

void cqljob_scan_free(cql_worker *w)
{
    drop_page(w);
    cqljob_free(&w->jobs->al, w->scan.from);
    cqljob_memo_free(&w->memo, &w->jobs->al);
}
