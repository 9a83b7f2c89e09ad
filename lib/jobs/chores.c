/* chores.c: what a worker does beside running jobs: remembers in job_marks where its sweeps begin,
 * turns occurrences of recurring jobs into jobs, and takes its turn at what the fleet does together.
 * Two workers may begin the same chore at the same moment; that is a waste and no harm. */
#include "jobs/recurring.h"
#include "jobs/waiting.h"
#include "jobs/worker.h"

#include <string.h>

enum {
    RETRY_MS = 1000,
    LOW_MS = 10000,
    LOW_BACK_MS = 600000, /* marks stay so far behind: for clocks that are behind */
    LOOK_MS = 20000,
    WAITING_MS = 60000,
    HOUR_MS = 3600000,
    RECUR_LEAST_MS = 50
};

typedef enum chore { CHORE_WAITING, CHORE_RETENTION, CHORE_DEEP, CHORES } chore;

/* --- something on its way ----------------------------------------------------------------------- */
typedef enum errand_kind { BUCKETS, FLEET, RECUR, SILENT } errand_kind;

typedef struct errand {
    cqljob_mail mail;
    cqljob_hub *hub; /* one reference */
    errand_kind kind;
    bool failed;
    cqljob_key *keys;
    size_t count;
    int64_t next_ms;
    cql_error *err;
    cqljob_request rq;
} errand;

static void errand_free(errand *e)
{
    cqljob_hub *hub = e->hub;

    cqljob_free(&hub->jobs->al, e->keys);
    cql_error_unref(e->err);
    cqljob_free(&hub->jobs->al, e);
    cqljob_hub_unref(hub);
}

static void discard(cqljob_mail *mail)
{
    errand_free((errand *)(void *)mail);
}

static void deliver(cql_worker *w, cqljob_mail *mail);

static errand *errand_new(cql_worker *w, errand_kind kind)
{
    errand *e = cqljob_zalloc(&w->jobs->al, sizeof *e);

    if (!e)
        return NULL;
    cqljob_hub_ref(w->hub);
    e->hub = w->hub;
    e->kind = kind;
    e->mail.deliver = deliver;
    e->mail.discard = discard;
    return e;
}

static void on_marks(void *user, cqljob_answer *a)
{
    errand *e = user;

    e->failed = a->outcome != CQLJOB_DONE;
    e->keys = a->keys;
    e->count = a->key_count;
    a->keys = NULL;
    e->err = cql_error_ref(a->err);
    if (e->kind == SILENT)
        errand_free(e);
    else
        cqljob_hub_post(e->hub, &e->mail);
}

static void on_fired(void *user, const cql_error *err, int64_t next_ms)
{
    errand *e = user;

    e->failed = err != NULL;
    e->err = cql_error_ref(err);
    e->next_ms = next_ms;
    cqljob_hub_post(e->hub, &e->mail);
}

static bool ask_marks(cql_worker *w, errand_kind kind)
{
    errand *e = errand_new(w, kind);

    if (!e)
        return false;
    e->rq.verb = CQLJOB_MARKS;
    e->rq.part = kind == BUCKETS ? CQLJOB_MARK_BUCKET : CQLJOB_MARK_CHORE;
    if (!cqljob_send(w->jobs, &e->rq, on_marks, e))
        return true;
    errand_free(e);
    return false;
}

static void put_mark(cql_worker *w, cqljob_mark_kind kind, int32_t part, int64_t at)
{
    errand *e = errand_new(w, SILENT);

    if (!e)
        return;
    e->rq.verb = CQLJOB_PUT_MARK;
    e->rq.mark = (cqljob_mark){(int32_t)kind, part, at};
    if (cqljob_send(w->jobs, &e->rq, on_marks, e))
        errand_free(e);
}

/* ms, up to half as much longer. */
static int64_t about(cql_worker *w, int64_t ms)
{
    return ms + (int64_t)(cqljob_worker_random(w) % (uint64_t)(ms / 2 + 1));
}

/* --- where sweeps begin --------------------------------------------------------------------------- */
static void took_buckets(cql_worker *w, const errand *e)
{
    int64_t now = cqljob_worker_now(w);

    w->chores.marks_flying = false;
    if (e->failed) {
        cqljob_worker_trouble(w, e->err);
        w->chores.marks_at = now + (w->set.poll_ms > RETRY_MS ? w->set.poll_ms : RETRY_MS);
        return;
    }
    for (size_t i = 0; i < e->count; i++) /* one that is still to come is of a clock that was ahead */
        if (e->keys[i].part >= 0 && (uint32_t)e->keys[i].part < w->jobs->set.buckets &&
            e->keys[i].at > 0 && e->keys[i].at <= cqljob_worker_wall(w))
            w->scan.from[e->keys[i].part] = e->keys[i].at;
    w->chores.ready = true;
    w->chores.low_at = now + about(w, LOW_MS);
    w->chores.look_at = now + about(w, LOOK_MS / 4);
    w->chores.recur_at = w->set.recurring_ms ? now : INT64_MAX;
    cqljob_worker_resumed(w);
}

static void save_low(cql_worker *w)
{
    uint32_t bucket = w->chores.low_bucket++ % w->jobs->set.buckets;
    int64_t low = w->scan.from[bucket];
    int64_t oldest = cqljob_memo_oldest(&w->memo, (int32_t)bucket);
    int64_t edge = cqljob_worker_wall(w) - LOW_BACK_MS;

    w->chores.low_at = cqljob_worker_now(w) + about(w, LOW_MS);
    low = oldest < low ? oldest : low;
    low = edge < low ? edge : low;
    if (w->scan.rounds && low > 0)
        put_mark(w, CQLJOB_MARK_BUCKET, (int32_t)bucket, low);
}

static void look_deep(cql_worker *w)
{
    for (uint32_t i = 0; i < w->jobs->set.buckets; i++) {
        int64_t from = w->scan.from[i] - CQLJOB_DEEP_BACK_MS;

        w->scan.from[i] = from > 0 ? from : 0;
    }
}

/* --- the fleet's chores ------------------------------------------------------------------------- */
static void cleaned(cql_jobs *jobs, const cql_error *err, int64_t count, void *user)
{
    (void)jobs;
    (void)err;
    (void)count;
    (void)user;
}

static int64_t interval(const cql_worker *w, chore c)
{
    if (c == CHORE_WAITING)
        return WAITING_MS;
    return c == CHORE_RETENTION && !w->set.retention_s ? INT64_MAX : HOUR_MS;
}

static void do_chore(cql_worker *w, chore c)
{
    cql_cleanup_options o = {.size = sizeof o, .older_than_s = w->set.retention_s};

    put_mark(w, CQLJOB_MARK_CHORE, (int32_t)c, cqljob_worker_wall(w));
    if (c == CHORE_WAITING)
        cqljob_mind_waiting(w->jobs);
    else if (c == CHORE_RETENTION)
        (void)cql_jobs_cleanup(w->jobs, &o, cleaned, NULL);
    else
        look_deep(w);
}

static void took_fleet(cql_worker *w, const errand *e)
{
    int64_t now = cqljob_worker_wall(w);

    w->chores.look_flying = false;
    w->chores.look_at = cqljob_worker_now(w) + about(w, LOOK_MS);
    for (int c = 0; c < CHORES && !e->failed; c++) {
        int64_t last = CQL_JOB_NO_TIME;

        for (size_t i = 0; i < e->count; i++)
            if (e->keys[i].part == c)
                last = e->keys[i].at;
        if (last == CQL_JOB_NO_TIME && c == CHORE_DEEP)
            put_mark(w, CQLJOB_MARK_CHORE, c, now); /* all of it was just read */
        else if (interval(w, (chore)c) != INT64_MAX &&
                 (last == CQL_JOB_NO_TIME || last > now + HOUR_MS ||
                  now - last >= interval(w, (chore)c)))
            do_chore(w, (chore)c);
    }
}

/* --- recurring jobs ------------------------------------------------------------------------------- */
static void took_fired(cql_worker *w, const errand *e)
{
    int64_t wait = about(w, w->set.recurring_ms * 2 / 3);

    w->chores.recur_flying = false;
    if (e->failed)
        cqljob_worker_trouble(w, e->err);
    if (e->next_ms != INT64_MAX && e->next_ms - cqljob_worker_wall(w) < wait)
        wait = e->next_ms - cqljob_worker_wall(w);
    if (e->failed) /* what is due may not have been seen */
        wait = RETRY_MS;
    if (wait < RECUR_LEAST_MS)
        wait = RECUR_LEAST_MS;
    w->chores.recur_at = cqljob_worker_now(w) + wait;
    w->scan.idle_ms = 0; /* there may be something to do */
    if (w->scan.next_ms > cqljob_worker_now(w))
        w->scan.next_ms = cqljob_worker_now(w);
}

static bool fire(cql_worker *w)
{
    errand *e = errand_new(w, RECUR);

    if (!e)
        return false;
    if (!cqljob_fire(w->jobs, on_fired, e))
        return true;
    errand_free(e);
    return false;
}

/* --- time ----------------------------------------------------------------------------------------- */
static void deliver(cql_worker *w, cqljob_mail *mail)
{
    errand *e = (errand *)(void *)mail;

    switch (e->kind) {
    case BUCKETS:
        took_buckets(w, e);
        break;
    case FLEET:
        took_fleet(w, e);
        break;
    case RECUR:
        took_fired(w, e);
        break;
    case SILENT:
        break;
    }
    errand_free(e);
}

void cqljob_chores_tick(cql_worker *w)
{
    cqljob_chores *c = &w->chores;
    int64_t now = cqljob_worker_now(w);

    if (w->stopping || w->drained)
        return;
    if (!c->ready) {
        if (!c->marks_flying && now >= c->marks_at) {
            c->marks_flying = ask_marks(w, BUCKETS);
            c->marks_at = now + RETRY_MS;
        }
        return;
    }
    if (now >= c->low_at)
        save_low(w);
    if (!c->look_flying && now >= c->look_at) {
        c->look_at = now + LOOK_MS;
        c->look_flying = ask_marks(w, FLEET);
    }
    if (w->set.recurring_ms && !c->recur_flying && now >= c->recur_at) {
        c->recur_at = now + RETRY_MS;
        c->recur_flying = fire(w);
    }
}

int64_t cqljob_chores_deadline(const cql_worker *w)
{
    const cqljob_chores *c = &w->chores;
    int64_t at;

    if (w->stopping || w->drained)
        return INT64_MAX;
    if (!c->ready)
        return c->marks_flying ? INT64_MAX : c->marks_at;
    at = c->low_at;
    if (!c->look_flying && c->look_at < at)
        at = c->look_at;
    if (w->set.recurring_ms && !c->recur_flying && c->recur_at < at)
        at = c->recur_at;
    return at;
}
