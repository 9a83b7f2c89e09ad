/* Processes that die between any two steps of what they do with jobs: of storing (single jobs,
 * chained ones, a batch with its continuation, a schedule), claiming, renewing, ending, releasing
 * what waits, taking back and firing occurrences. For each seed one process stores, two workers die
 * at a request of theirs, which may or may not reach the servers, and later; a third one, which takes
 * over what they leave, often dies as well, and one that follows it lives on.
 * It must hold that
 *   - tokens of a job strictly rise, only the newest ends a run, and a job ends once;
 *   - nobody runs a job that another living process believes to hold;
 *   - a chained job is released after its parent's success, a continuation after the end of all
 *     members, each once;
 *   - an occurrence of a schedule becomes one job, and none is left out while a worker lives;
 *   - what was reported as stored is stored, what was reported as not stored is not;
 *   - every job ends, and no row is left that does not belong there.
 * Over 10,000 seeds and more somebody must have died at every step there is, in each of three ways: the
 * request is lost, or arrives, or arrives late.
 *
 *   sim_jobs_crash [SEEDS [SEED0]] */
#include "jobs/recurring.h"
#include "jobs/worker.h"
#include "jobstore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 3, MEMBERS = 3, HELD_MAX = 32, RECORDS_MAX = 128, LEASE_S = 10, MINUTE_MS = 60000 };
enum { AT_LEAST_S = 70, AT_MOST_S = 2400, OLD_S = 1300 };

typedef struct sim sim;

typedef struct held {
    cql_job *job;
    int index; /* of the record */
    int64_t ends_us;
    bool told_lost;
} held;

typedef struct process {
    sim *s;
    jobstore_client client;
    cql_jobs *jobs;
    cql_worker *w;
    size_t dies_at; /* its request of this number is the last; 0: none */
    int dies_in;    /* or one of that place, after so many others of it; 0: none */
    int others;
    jobstore_fate last;
    int64_t wake_us;
    held held[HELD_MAX];
    size_t held_count;
} process;

typedef struct record {
    char id[40];
    bool told, told_stored; /* what its storing was answered with */
    cql_status st;
    int64_t last_token;
    int ends, releases;
} record;

struct sim {
    uint64_t seed;
    jobstore *db;
    process w[WORKERS];
    process storer;
    int step; /* of the storer */
    record jobs[RECORDS_MAX];
    int count;
    char parent[40], child[40], late[40], batch[40], then[40], members[MEMBERS][40];
    int64_t scheduled_ms; /* the schedule is stored since then */
    int lives;            /* of the last worker: the first may die, the next one does not */
    int64_t lives_ms; /* when the last of them began */
    bool faulty;
};

static void broken(const sim *s, const char *what)
{
    (void)fprintf(stderr, "sim_jobs_crash: seed %llu at %lld ms: %s\n", (unsigned long long)s->seed,
                  (long long)(jobstore_time(s->db) / 1000), what);
    exit(1);
}

static uint64_t below(sim *s, uint64_t n)
{
    return jobstore_random(s->db) % n;
}

static record *record_of(sim *s, const char *id)
{
    for (int i = 0; i < s->count; i++)
        if (!strcmp(s->jobs[i].id, id))
            return &s->jobs[i];
    if (s->count == RECORDS_MAX)
        broken(s, "more jobs than there can be");
    memset(&s->jobs[s->count], 0, sizeof s->jobs[0]);
    (void)snprintf(s->jobs[s->count].id, sizeof s->jobs[0].id, "%s", id);
    s->jobs[s->count].last_token = CQL_JOB_NO_TIME;
    return &s->jobs[s->count++];
}

static bool is_over(const sim *s, const char *id)
{
    const cql_job_info *job = jobstore_job(s->db, id);

    return !job || cql_job_state_is_final(job->state);
}

/* --- what the tables saw ---------------------------------------------------------------------- */
static void check_release(sim *s, const char *id, const cqljob_change *c, record *r)
{
    const cql_job_info *parent = jobstore_job(s->db, s->parent);

    if (++r->releases > 1)
        broken(s, "released twice");
    if (c->from_state == CQL_JOB_AWAITING_CONTINUATION &&
        (!parent || parent->state != CQL_JOB_SUCCEEDED))
        broken(s, "a chained job released before its parent's success");
    for (int i = 0; i < MEMBERS && c->from_state == CQL_JOB_AWAITING_BATCH; i++)
        if (!is_over(s, s->members[i]))
            broken(s, "a continuation released before the last member");
    (void)id;
}

static void note_change(void *user, const char *id, const cqljob_change *c)
{
    sim *s = user;
    record *r = record_of(s, id);

    if (c->state == CQL_JOB_PROCESSING) {
        if (c->token <= r->last_token)
            broken(s, "a token that does not rise");
        r->last_token = c->token;
        return;
    }
    if (c->from_token != r->last_token)
        broken(s, "changed by an old token");
    if (c->from_state == CQL_JOB_AWAITING_CONTINUATION || c->from_state == CQL_JOB_AWAITING_BATCH)
        check_release(s, id, c, r);
    r->ends += cql_job_state_is_final(c->state);
    if (r->ends > 1)
        broken(s, "a job that ended twice");
}

/* --- handlers --------------------------------------------------------------------------------- */
static void on_wake(cql_worker *w, void *user)
{
    process *p = user;

    (void)w;
    p->wake_us = INT64_MIN;
}

static void on_lost(cql_job *job, void *user)
{
    process *p = user;

    for (size_t i = 0; i < p->held_count; i++)
        if (p->held[i].job == job)
            p->held[i].told_lost = true;
}

static void handler(cql_job *job, void *user)
{
    process *p = user;
    sim *s = p->s;
    record *r = record_of(s, cql_job_info_of(job)->id.ptr);
    int index = (int)(r - s->jobs);

    for (int i = 0; i < WORKERS; i++)
        for (size_t k = 0; k < s->w[i].held_count; k++)
            if (s->w[i].held[k].index == index && !s->w[i].held[k].told_lost)
                broken(s, "a job held by two");
    if (p->held_count == HELD_MAX)
        broken(s, "more jobs than places");
    cql_job_on_lost(job, on_lost, p);
    p->held[p->held_count] = (held){job, index, jobstore_time(s->db), false};
    if (below(s, 3) == 0) /* some take several renewals */
        p->held[p->held_count].ends_us += (int64_t)below(s, 12000000);
    p->held_count++;
}

static void end_handlers(process *p)
{
    sim *s = p->s;

    for (size_t i = 0; i < p->held_count;) {
        held h = p->held[i];

        if (h.ends_us > jobstore_time(s->db) && !h.told_lost) {
            i++;
            continue;
        }
        p->held[i] = p->held[--p->held_count];
        switch (below(s, 8)) {
        case 0:
            (void)cql_job_fail(h.job, "no");
            break;
        case 1:
            cql_job_give_back(h.job);
            break;
        default:
            (void)cql_job_complete(h.job, "yes");
            break;
        }
    }
}

/* --- where they died -------------------------------------------------------------------------- */
enum {
    STORE_ROWS = 1, /* of storing */
    STORE,
    STORE_LINKS,
    STORE_PARENT,
    SCHEDULE,
    LOOK, /* of working */
    CLAIM,
    CLAIM_ROWS,
    RENEW,
    END_ROWS,
    END,
    END_LINKS,
    END_GONE,
    RETRY_ROWS, /* also of giving back and of taking back */
    RETRY,
    RECLAIM,
    RELEASE,
    RELEASE_GONE,
    FIRE_ROWS,
    FIRE,
    FIRE_MOVED,
    PLACES,
    ELSEWHERE = PLACES, /* pages, marks, back-off */
    FATES = 3,
    SEEDS_FOR_ALL = 10000
};
static const char *const places[PLACES] = {
    "", "rows of a job to store", "storing", "links",    "the parent",    "a schedule",
    "a look",                 "a claim", "its rows", "a renewal",     "rows before the end",
    "the end",                "who waits", "rows after the end", "rows of a retry", "a retry",
    "taking back",            "a release", "rows after a release", "rows of an occurrence",
    "an occurrence",          "the schedule's next time"};
static unsigned long long deaths[PLACES + 1][FATES];
static const jobstore_fate fates[FATES] = {JOBSTORE_DROPPED, JOBSTORE_SILENT, JOBSTORE_LATE};

static int place_of_change(const cqljob_change *c)
{
    bool late = c->error_message.ptr && strstr(c->error_message.ptr, "lease run out");

    if (c->state == CQL_JOB_PROCESSING)
        return c->from_state == CQL_JOB_PROCESSING ? RENEW : CLAIM;
    if (c->from_state != CQL_JOB_PROCESSING)
        return RELEASE;
    if (late)
        return RECLAIM;
    return c->state == CQL_JOB_SCHEDULED ? RETRY : END;
}

/* The first row tells: index rows of a step are always put in the same order. */
static int place_of_rows(const process *p, const cqljob_request *rq)
{
    const cqljob_index *row = &rq->indexes->rows[0];
    const cql_job_info *job = jobstore_job(p->s->db, rq->id.ptr);

    if (row->kind == CQLJOB_PUT_LINK)
        return STORE_LINKS;
    if (row->kind == CQLJOB_DROP_STATE)
        return row->part >= CQL_JOB_AWAITING_CONTINUATION ? RELEASE_GONE : END_GONE;
    if (!p->w && p == &p->s->storer)
        return STORE_ROWS;
    if (!job)
        return FIRE_ROWS;
    if (row->kind != CQLJOB_PUT_STATE)
        return RETRY_ROWS;
    return row->part == CQL_JOB_PROCESSING ? CLAIM_ROWS : row->part == CQL_JOB_SCHEDULED ? RETRY_ROWS
                                                                                        : END_ROWS;
}

static int place_of(const process *p, const cqljob_request *rq)
{
    bool storing = p == &p->s->storer;

    switch (rq->verb) {
    case CQLJOB_INSERT:
        return storing ? STORE : FIRE;
    case CQLJOB_R_INSERT:
        return SCHEDULE;
    case CQLJOB_R_NEXT:
        return FIRE_MOVED;
    case CQLJOB_GET:
        return storing ? STORE_PARENT : LOOK;
    case CQLJOB_LINKS:
        return END_LINKS;
    case CQLJOB_CHANGE:
        return place_of_change(rq->change);
    case CQLJOB_INDEX:
        return rq->indexes->count ? place_of_rows(p, rq) : ELSEWHERE;
    default:
        return ELSEWHERE;
    }
}

static void note_death(const process *p, const cqljob_request *rq)
{
    for (int i = 0; i < FATES; i++)
        deaths[place_of(p, rq)][i] += p->last == fates[i];
}

/* 0: everywhere, in each way. */
static int check_deaths(bool all)
{
    int bad = 0;

    for (int i = 1; i < PLACES; i++) {
        bool some = deaths[i][0] && deaths[i][1] && deaths[i][2];

        (void)printf("%6llu died at: %s%s\n", deaths[i][0] + deaths[i][1] + deaths[i][2], places[i],
                     some || !all ? "" : " - not in each way");
        bad |= all && !some;
    }
    return bad;
}

/* --- processes -------------------------------------------------------------------------------- */
static jobstore_fate fate_of(jobstore_client *c, const cqljob_request *rq, void *user)
{
    process *p = user;

    if (p->dies_at && c->sent > p->dies_at)
        c->dead = true;
    if (p->dies_in && !p->dies_at && place_of(p, rq) == p->dies_in && p->others-- == 0)
        p->dies_at = c->sent;
    if (p->dies_at && c->sent == p->dies_at) {
        note_death(p, rq);
        return p->last;
    }
    return p->s->faulty && below(p->s, 40) == 0 ? JOBSTORE_BUSY : JOBSTORE_OK;
}

static void begin(sim *s, process *p, size_t dies_at)
{
    p->s = s;
    p->dies_at = dies_at;
    p->last = fates[below(s, FATES)];
    jobstore_client_init(&p->client, s->db);
    p->client.ahead_us = (int64_t)below(s, 400000) - 200000;
    p->client.fate = fate_of;
    p->client.user = p;
    p->jobs = jobstore_open(&p->client, NULL);
}

static void begin_worker(sim *s, process *p, size_t dies_at)
{
    cql_worker_options o = {.size = sizeof o,
                            .concurrency = 1 + (uint32_t)below(s, 4),
                            .lease_s = LEASE_S,
                            .poll_ms = 4000,
                            .retry_delay_ms = 500,
                            .recurring_poll_ms = 5000,
                            .batch = 4,
                            .name = "sim",
                            .on_wake = on_wake,
                            .user = p};

    begin(s, p, dies_at);
    if (!p->jobs || cql_jobs_handle(p->jobs, NULL, handler, p) ||
        cql_worker_new(p->jobs, &o, &p->w, NULL))
        broken(s, "a worker that does not start");
    p->wake_us = INT64_MIN;
}

/* The last worker: in its first life it may die at any of the places of working. */
static void begin_last_worker(sim *s)
{
    process *p = &s->w[WORKERS - 1];

    begin_worker(s, p, 0);
    s->lives_ms = jobstore_time(s->db) / 1000;
    p->dies_in = 0;
    if (s->lives++ == 0 && below(s, 4)) {
        p->dies_in = LOOK + (int)below(s, PLACES - LOOK);
        p->others = (int)below(s, 3);
    }
}

/* As SIGKILL does it. Its requests may still reach the servers. */
static void end_process(process *p)
{
    p->client.dead = true;
    cql_worker_free(p->w);
    p->w = NULL;
    for (size_t i = 0; i < p->held_count; i++)
        cql_job_give_back(p->held[i].job);
    p->held_count = 0;
    cql_jobs_free(p->jobs);
    p->jobs = NULL;
}

static void turn(process *p)
{
    int64_t now;
    int ms;

    if (p->w && p->client.dead)
        end_process(p);
    if (!p->w)
        return;
    now = jobstore_time(p->s->db);
    end_handlers(p);
    if (p->wake_us > now)
        return;
    p->wake_us = INT64_MAX;
    ms = cql_worker_step(p->w);
    if (ms >= 0 && p->wake_us == INT64_MAX)
        p->wake_us = now + ms * INT64_C(1000);
}

/* --- storing: one call after the other, until it is done or dead ------------------------------- */
static void next_step(sim *s);

static void told(sim *s, const char *id, const cql_error *err)
{
    record *r = record_of(s, id);

    r->told = true;
    r->st = err ? cql_error_status(err) : CQL_OK;
    r->told_stored = !err;
}

static const char *id_of_step(const sim *s)
{
    return s->step == 1 ? s->parent : s->step == 2 ? s->child : s->late;
}

static void stored(cql_jobs *jobs, const cql_error *err, const cql_job_info *job, void *user)
{
    sim *s = user;

    (void)jobs;
    (void)job;
    told(s, id_of_step(s), err);
    next_step(s);
}

static void batch_stored(cql_jobs *jobs, const cql_error *err, const cql_job_list *list, void *user)
{
    sim *s = user;

    (void)jobs;
    (void)list;
    for (int i = 0; i < MEMBERS && !err; i++)
        told(s, s->members[i], NULL);
    if (!err)
        told(s, s->then, NULL);
    next_step(s);
}

static void schedule_stored(cql_jobs *jobs, const cql_error *err, void *user)
{
    sim *s = user;

    (void)jobs;
    if (!err)
        s->scheduled_ms = jobstore_time(s->db) / 1000;
    next_step(s);
}

static cql_status store_one(sim *s, const char *id, const char *parent)
{
    cql_job_spec spec = {
        .size = sizeof spec, .type = "t", .id = id, .parent_id = parent, .max_retries = 40};

    spec.backoff = (cql_job_backoff){.kind = CQL_BACKOFF_FIXED, .delay_ms = 700};
    return cql_jobs_enqueue(s->storer.jobs, &spec, stored, s);
}

static cql_status store_batch(sim *s)
{
    cql_job_spec specs[MEMBERS], then = {.size = sizeof then, .type = "then", .id = s->then};

    then.max_retries = 40;
    memset(specs, 0, sizeof specs);
    for (int i = 0; i < MEMBERS; i++) {
        specs[i].size = sizeof specs[i];
        specs[i].type = "m";
        specs[i].id = s->members[i];
        specs[i].max_retries = 40;
    }
    return cql_jobs_enqueue_batch(s->storer.jobs, s->batch, specs, MEMBERS, &then, batch_stored, s);
}

static void next_step(sim *s)
{
    cql_recurring_spec each = {.size = sizeof each, .id = "each", .cron = "* * * * *", .type = "r"};
    cql_status st = CQL_OK;

    if (s->storer.client.dead)
        return;
    each.max_retries = 40;
    switch (++s->step) {
    case 1:
        st = store_one(s, s->parent, NULL);
        break;
    case 2:
        st = store_one(s, s->child, s->parent);
        break;
    case 3:
        st = store_batch(s);
        break;
    case 4:
        st = cql_jobs_recurring_set(s->storer.jobs, &each, schedule_stored, s);
        break;
    case 5:
        st = store_one(s, s->late, s->parent);
        break;
    default:
        break;
    }
    if (st && st != CQL_CLOSED)
        broken(s, "a call that is refused");
}

/* --- a run ------------------------------------------------------------------------------------ */
static bool waits_for_ever(const sim *s, const cql_job_info *job)
{
    const cql_job_info *parent = jobstore_job(s->db, s->parent);

    return job->state == CQL_JOB_AWAITING_CONTINUATION &&
           (!parent || (cql_job_state_is_final(parent->state) && parent->state != CQL_JOB_SUCCEEDED));
}

static bool all_over(const sim *s)
{
    for (int i = 0; i < s->count; i++) {
        const cql_job_info *job = jobstore_job(s->db, s->jobs[i].id);

        if (job && !cql_job_state_is_final(job->state) && !waits_for_ever(s, job))
            return false;
    }
    return jobstore_due_rows(s->db, NULL, -1) == 0 && (s->step > 5 || s->storer.client.dead);
}

static int64_t next_moment(const sim *s)
{
    int64_t next = jobstore_next(s->db);

    for (int i = 0; i < WORKERS; i++) {
        const process *p = &s->w[i];

        if (p->w && p->wake_us < next)
            next = p->wake_us;
        for (size_t k = 0; p->w && k < p->held_count; k++)
            if (p->held[k].ends_us < next)
                next = p->held[k].ends_us;
    }
    return next;
}

static void pass(sim *s)
{
    int64_t began = jobstore_time(s->db);

    while (jobstore_time(s->db) < began + INT64_C(1000000) * AT_MOST_S) {
        int64_t now = jobstore_time(s->db), next;

        for (int i = 0; i < WORKERS; i++)
            turn(&s->w[i]);
        if (!s->w[2].w && (now > began + 20000000 || (!s->w[0].w && !s->w[1].w)))
            begin_last_worker(s);
        if (now > began + INT64_C(1000000) * AT_LEAST_S && s->w[2].w && !s->w[2].client.dead &&
            !s->w[0].w && !s->w[1].w && all_over(s))
            return;
        next = next_moment(s);
        if (now > began + 30000000) /* whoever has not died yet does so now */
            for (int i = 0; i < 2; i++)
                s->w[i].client.dead = true;
        jobstore_run_until(s->db, next > now ? (next < now + 1000000 ? next : now + 1000000) : now + 1000);
    }
    broken(s, "a job that does not end");
}

/* Each minute since the schedule is stored and the last worker lives has its job, but one that is so young that the
 * look for it may still wait for an answer that was lost. */
static void check_occurrences(sim *s, int64_t alive_ms, int64_t young_ms)
{
    int64_t now = jobstore_time(s->db) / 1000, from = s->scheduled_ms;
    char id[CQL_UUID_TEXT_SIZE];

    from = from > alive_ms ? from : alive_ms;
    for (int64_t at = (from / MINUTE_MS + 1) * MINUTE_MS; s->scheduled_ms && at < now - young_ms;
         at += MINUTE_MS) {
        cqljob_occurrence_id(cql_str_of("each"), at, id);
        if (!jobstore_job(s->db, id))
            broken(s, "an occurrence that was left out");
    }
}

static void check_lists(sim *s)
{
    for (int st = 0; st <= 8; st++) {
        cql_job_list *list = NULL;

        if (cql_jobs_list_wait(s->w[2].jobs, (cql_job_state)st, 0, &list, NULL) ||
            cql_job_list_count(list) != jobstore_jobs(s->db, st))
            broken(s, "a list that is not complete");
        cql_job_list_free(list);
    }
}

static void check_end(sim *s)
{
    for (int i = 0; i < s->count; i++) {
        const record *r = &s->jobs[i];
        const cql_job_info *job = jobstore_job(s->db, r->id);

        if (r->told_stored && !job)
            broken(s, "a stored job that is not there");
        if (r->told && !r->told_stored && r->st != CQL_OUTCOME_UNKNOWN && job &&
            !s->storer.client.dead)
            broken(s, "a job that was reported as not stored");
        if (job && r->ends != cql_job_state_is_final(job->state))
            broken(s, "an end that nobody wrote");
    }
    check_lists(s);
    jobstore_run_until(s->db, jobstore_time(s->db) + INT64_C(1000000) * OLD_S);
    check_lists(s); /* removes what is of jobs that never came */
    jobstore_settle(s->db, 10);
    for (int i = 0; i < s->count; i++) {
        const cql_job_info *job = jobstore_job(s->db, s->jobs[i].id);

        if (job && (jobstore_state_rows(s->db, s->jobs[i].id, -1) != 1 ||
                    jobstore_state_rows(s->db, s->jobs[i].id, job->state) != 1))
            broken(s, "a row left in jobs_by_state");
        if (!job && (jobstore_link_rows(s->db, s->jobs[i].id) ||
                     jobstore_state_rows(s->db, s->jobs[i].id, -1)))
            broken(s, "a row left of a job that was not stored");
    }
}

static void make_id(sim *s, char out[40], unsigned n)
{
    (void)snprintf(out, 40, "%08x-0000-4000-8000-%012llx", n, (unsigned long long)below(s, 1U << 30));
    (void)record_of(s, out);
}

static void run(uint64_t seed)
{
    static sim s;

    memset(&s, 0, sizeof s);
    s.seed = seed;
    s.db = jobstore_new(seed);
    s.faulty = below(&s, 2) == 0;
    jobstore_on_change(s.db, note_change, &s);
    make_id(&s, s.parent, 1);
    make_id(&s, s.child, 2);
    make_id(&s, s.late, 3);
    make_id(&s, s.then, 4);
    for (unsigned i = 0; i < MEMBERS; i++)
        make_id(&s, s.members[i], 10 + i);
    (void)snprintf(s.batch, sizeof s.batch, "%s", "bbbbbbbb-0000-4000-8000-000000000000");
    begin(&s, &s.storer, below(&s, 2) ? 0 : 1 + (size_t)below(&s, 30));
    begin_worker(&s, &s.w[0], 1 + (size_t)below(&s, 60));
    begin_worker(&s, &s.w[1], 1 + (size_t)below(&s, 120));
    next_step(&s);
    pass(&s);
    int64_t young_ms = s.faulty ? 15000 : 3000;
    s.faulty = false;
    s.w[WORKERS - 1].dies_in = 0; /* from here on it lives */
    s.w[WORKERS - 1].dies_at = 0;
    int64_t alive_ms = jobstore_time(s.db) / 1000 - 40000;
    check_occurrences(&s, s.lives_ms > alive_ms ? s.lives_ms : alive_ms, young_ms);
    check_end(&s);
    for (int i = 0; i < WORKERS; i++)
        if (s.w[i].w)
            end_process(&s.w[i]);
    cql_jobs_free(s.storer.jobs);
    jobstore_free(s.db);
}

int main(int argc, char **argv)
{
    unsigned long long usual = getenv("CQL_TESTS_SLOWER") ? 500 : 10000; /* as under valgrind */
    unsigned long long seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : usual;
    unsigned long long first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

    for (unsigned long long i = 0; i < seeds; i++)
        run(first + i);
    (void)printf("%llu seeds, from %llu: all hold\n", seeds, first);
    return check_deaths(seeds >= SEEDS_FOR_ALL);
}
