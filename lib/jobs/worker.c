/* worker.c: a worker as a thing that is stepped: it takes its mail, does what is due, and tells
 * when it wants to be called again. */
#include "jobs/worker.h"
#include "seat/wait.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    NAME_MAX_LEN = 64,
    ROUNDS = 16,
    LAST_WRITES_MS = CQLJOB_TOLD_MS + 5000,
    CALM_MS = 10000,
    DAY_S = 86400
};

int64_t cqljob_worker_now(const cql_worker *w)
{
    return cqljob_steady_ms(w->jobs);
}

int64_t cqljob_worker_wall(const cql_worker *w)
{
    return cqljob_wall_ms(w->jobs);
}

/* xorshift64*: spreads workers, nothing more. */
uint64_t cqljob_worker_random(cql_worker *w)
{
    uint64_t x = w->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    w->random = x;
    return (x * UINT64_C(2685821657736338717)) >> 16;
}

void cqljob_worker_event(cql_worker *w, cql_worker_event_kind kind, const cql_job *job,
                         const char *text, const cql_error *err)
{
    cql_worker_event event = {.kind = kind, .text = text ? text : "", .err = err};

    if (!w->set.on_event)
        return;
    event.token = event.at_ms = CQL_JOB_NO_TIME;
    if (job) {
        event.job = job->phase < CQLJOB_HELD ? job->info : &job->now;
        event.token =
            job->phase == CQLJOB_CLAIMING ? job->mover.move.change.token : event.job->executed_at;
        if (kind == CQL_WORKER_RETRY)
            event.at_ms = job->again_at;
    }
    w->set.on_event(w->set.user, &event);
}

void cqljob_worker_trouble(cql_worker *w, const cql_error *err)
{
    if (!w->trouble)
        cqljob_worker_event(w, CQL_WORKER_TROUBLE, NULL, "", err);
    w->trouble = true;
    w->trouble_ms = cqljob_worker_now(w);
}

void cqljob_worker_resumed(cql_worker *w)
{
    if (!w->trouble || cqljob_worker_now(w) - w->trouble_ms < CALM_MS)
        return;
    cqljob_worker_event(w, CQL_WORKER_RESUMED, NULL, "", NULL);
    w->trouble = false;
}

/* Hashes and their number: what is kept does not grow with what other programs store. */
void cqljob_worker_unhandled(cql_worker *w, const cql_job *job)
{
    cql_str type = job->info->type;
    unsigned kept = w->told_count < CQLJOB_TOLD_TYPES ? w->told_count : CQLJOB_TOLD_TYPES;
    uint64_t hash = cqljob_hash(CQLJOB_HASH, type);
    cql_error *err;

    for (unsigned i = 0; i < kept; i++)
        if (w->told_types[i] == hash)
            return;
    w->told_types[w->told_count++ % CQLJOB_TOLD_TYPES] = hash;
    err = cqljob_error(w->jobs, CQL_NOT_FOUND, NULL,
                       "no handler for the type \"%.*s\": job %s is left to other workers",
                       (int)type.len, type.ptr ? type.ptr : "", job->id);
    cqljob_worker_event(w, CQL_WORKER_UNHANDLED, job, "", err);
    cql_error_unref(err);
}

cqljob_facts cqljob_job_facts(const cql_job *job)
{
    cqljob_facts facts = cqljob_facts_now(job->w->jobs);

    facts.due_bucket = job->due_bucket;
    facts.index_behind = job->index_behind;
    return facts;
}

/* --- options ---------------------------------------------------------------------------------- */
static bool is_name(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > NAME_MAX_LEN)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!letter && !strchr("._:@/-", c))
            return false;
    }
    return true;
}

static cql_status refuse(const cql_jobs *jobs, cql_error **err, const char *text)
{
    return cqljob_give(err, cql_error_make(&jobs->al, CQL_BAD_ARGUMENT, NULL, text));
}

static cql_status read_options(const cql_jobs *jobs, cql_worker_options *o,
                               const cql_worker_options *from, cql_error **err)
{
    if (!cqljob_take_sized(o, sizeof *o, from))
        return refuse(jobs, err, "size: must be sizeof(cql_worker_options)");
    if (o->concurrency > 10000)
        return refuse(jobs, err, "concurrency: 1 to 10000");
    if (o->lease_s > DAY_S)
        return refuse(jobs, err, "lease_s: 1 to 86400");
    if (o->poll_ms > DAY_S * 1000)
        return refuse(jobs, err, "poll_ms: up to a day");
    if (o->batch > 5000)
        return refuse(jobs, err, "batch: 1 to 5000");
    if (o->recurring_poll_ms > DAY_S * 1000)
        return refuse(jobs, err, "recurring_poll_ms: up to a day");
    if (!cqljob_backoff_is_sound(&o->retry))
        return refuse(jobs, err, "retry: kind 0 to 2, jitter_percent 0 to 100");
    if (o->name && !is_name(o->name))
        return refuse(jobs, err, "name: 1 to 64 letters, digits and . _ : @ / -");
    return CQL_OK;
}

static void take_options(cqljob_worker_settings *set, const cql_worker_options *o)
{
    set->concurrency = o->concurrency ? o->concurrency : 10;
    set->lease_ms = (o->lease_s ? o->lease_s : 300) * INT64_C(1000);
    set->poll_ms = o->poll_ms ? o->poll_ms : 5000;
    set->retry = o->retry;
    if (!o->retry.kind) {
        set->retry = (cql_job_backoff){.kind = CQL_BACKOFF_FIXED};
        set->retry.delay_ms = o->retry_delay_ms;
    }
    set->recurring_ms = o->recurring_poll_ms ? o->recurring_poll_ms : 60000;
    if (o->no_recurring)
        set->recurring_ms = 0;
    set->retention_s = o->retention_s;
    set->stop_ms = (o->stop_s ? o->stop_s : 30) * INT64_C(1000);
    set->batch = o->batch ? (int32_t)o->batch : 100;
    set->drain = o->drain;
    set->manual_renew = o->manual_renew;
    set->on_event = o->on_event;
    set->user = o->user;
}

/* --- life ------------------------------------------------------------------------------------- */
static char *name_of(const cql_jobs *jobs, const char *name)
{
    char text[NAME_MAX_LEN];

    (void)snprintf(text, sizeof text, "pid-%ld", (long)getpid());
    return cqljob_copy(&jobs->al, cql_str_of(name ? name : text));
}

static bool needs_pool(const cql_jobs *jobs)
{
    for (size_t i = 0; i < jobs->handler_count; i++)
        if (jobs->handlers[i].blocking)
            return true;
    return false;
}

static void seed(cql_worker *w)
{
    uint64_t hash = cqljob_hash((uint64_t)cqljob_worker_now(w) + UINT64_C(0x9e3779b97f4a7c15),
                                cql_str_of(w->name));

    w->random = hash ? hash : 1;
}

cql_status cql_worker_new(cql_jobs *jobs, const cql_worker_options *options, cql_worker **out,
                          cql_error **err)
{
    cql_worker_options o;
    cql_worker *w;
    cql_status st;
    bool pool;

    if (!jobs || !out)
        return cqlseat_fail(NULL, CQL_BAD_ARGUMENT, "bad argument: the job store or out is NULL", err);
    *out = NULL;
    st = read_options(jobs, &o, options, err);
    if (st)
        return st;
    if (jobs->handler_count == 0)
        return refuse(jobs, err, "no handler: give one with cql_jobs_handle first");
    w = cqljob_zalloc(&jobs->al, sizeof *w);
    if (!w)
        return cqljob_give(err, cqljob_error(jobs, CQL_NO_MEMORY, NULL, "worker: out of memory"));
    w->jobs = jobs;
    take_options(&w->set, &o);
    w->name = name_of(jobs, o.name);
    w->watch = cqljob_zalloc(&jobs->al, sizeof *w->watch);
    w->scan.from = cqljob_zalloc(&jobs->al, jobs->set.buckets * sizeof w->scan.from[0]);
    w->hub = cqljob_hub_new(jobs, w, o.on_wake, o.user);
    pool = needs_pool(jobs);
    if (pool)
        w->pool = cqljob_pool_new(&jobs->al, w->set.concurrency);
    if (!w->name || !w->watch || !w->hub || !w->scan.from || (pool && !w->pool)) {
        cql_worker_free(w);
        return cqljob_give(err, cqljob_error(jobs, CQL_NO_MEMORY, NULL, "worker: out of memory"));
    }
    seed(w);
    *out = w;
    return CQL_OK;
}

void cql_worker_free(cql_worker *w)
{
    cql_allocator al;

    if (!w)
        return;
    al = w->jobs->al;
    cqljob_pool_free(w->pool);
    if (w->hub)
        cqljob_hub_close(w->hub);
    while (w->first)
        cqljob_job_over(w->first);
    cqljob_scan_free(w);
    if (w->hub)
        cqljob_hub_unref(w->hub);
    cqljob_free(&al, w->watch);
    cqljob_free(&al, w->name);
    cqljob_free(&al, w);
}

/* --- stepping --------------------------------------------------------------------------------- */
static void take_mail(cql_worker *w)
{
    unsigned stops;
    cqljob_mail *mail = cqljob_hub_take(w->hub, &stops);

    if (stops != w->stops_seen) {
        int64_t now = cqljob_worker_now(w);

        w->stop_at = w->stopping || stops > w->stops_seen + 1 ? now : now + w->set.stop_ms;
        w->stopping = true;
        w->stops_seen = stops;
    }
    while (mail) {
        cqljob_mail *next = mail->next;

        mail->deliver(w, mail);
        mail = next;
    }
}

static void tick_jobs(cql_worker *w)
{
    int64_t now = cqljob_worker_now(w);
    bool forced = w->stopping && now >= w->stop_at;
    bool dropped = w->stopping && now >= w->stop_at + LAST_WRITES_MS;

    for (cql_job *job = w->first, *next; job; job = next) {
        next = job->next;
        if (job->phase < CQLJOB_HELD)
            continue;
        if (dropped && job->op == CQLJOB_OP_NONE) {
            cqljob_worker_event(w, CQL_WORKER_UNKNOWN, job, "", NULL);
            cqljob_job_over(job);
            continue;
        }
        cqljob_held_tick(job, forced);
    }
}

static int64_t deadline(const cql_worker *w)
{
    int64_t at = cqljob_scan_deadline(w);
    int64_t chores = cqljob_chores_deadline(w);

    at = chores < at ? chores : at;
    for (const cql_job *job = w->first; job; job = job->next) {
        int64_t next = job->phase < CQLJOB_HELD ? INT64_MAX : cqljob_held_deadline(job);

        at = next < at ? next : at;
    }
    if (w->stopping && w->held) {
        int64_t now = cqljob_worker_now(w);
        int64_t next = now < w->stop_at ? w->stop_at : w->stop_at + LAST_WRITES_MS;

        if (now < next && next < at) /* past both, only answers are waited for */
            at = next;
    }
    return at;
}

int cql_worker_step(cql_worker *w)
{
    int64_t at, now;
    int rounds = 0;

    do {
        take_mail(w);
        tick_jobs(w);
        cqljob_scan_pump(w);
        cqljob_chores_tick(w);
    } while (cqljob_hub_has_mail(w->hub) && ++rounds < ROUNDS);
    if (cqljob_hub_has_mail(w->hub))
        return 0;
    at = deadline(w);
    if (at == INT64_MAX)
        return -1;
    now = cqljob_worker_now(w);
    if (at <= now)
        return 0;
    return at - now > DAY_S * INT64_C(1000) ? DAY_S * 1000 : (int)(at - now);
}

bool cql_worker_is_finished(const cql_worker *w)
{
    return (w->stopping || w->drained) && w->held == 0 && w->looking == 0;
}

size_t cql_worker_running(const cql_worker *w)
{
    return w->held;
}

void cql_worker_stop(cql_worker *w)
{
    cqljob_hub_stop(w->hub);
}

/* The next worker that this round has not stopped yet, with a reference; NULL: none. */
static cqljob_hub *next_to_stop(cql_jobs *jobs, unsigned round)
{
    cqljob_hub *hub;

    (void)pthread_mutex_lock(&jobs->lock);
    for (hub = jobs->hubs; hub && hub->stop_round == round; hub = hub->next)
        ;
    if (hub) {
        hub->stop_round = round;
        cqljob_hub_ref(hub);
    }
    (void)pthread_mutex_unlock(&jobs->lock);
    return hub;
}

void cql_jobs_stop(cql_jobs *jobs)
{
    cqljob_hub *hub;
    unsigned round;

    (void)pthread_mutex_lock(&jobs->lock);
    round = ++jobs->stop_round;
    (void)pthread_mutex_unlock(&jobs->lock);
    while ((hub = next_to_stop(jobs, round)) != NULL) {
        cqljob_hub_stop(hub);
        cqljob_hub_unref(hub);
    }
}
