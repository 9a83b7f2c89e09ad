/* Jobs under a network and clocks that misbehave: a few processes with workers share job tables;
 * they are killed and restarted, paused, cut off; answers get lost, come late or twice as slow,
 * reads are a little behind. For each seed it must hold that
 *   - tokens of a job strictly rise, and only the newest one can end a run;
 *   - while clocks agree nobody runs a job that somebody else still believes to hold;
 *   - what was reported as stored is stored, what was reported as not stored is not;
 *   - every job ends, once, and no row is left that does not belong there.
 *
 *   sim_jobs [SEEDS [SEED0]] */
#include "jobs/worker.h"
#include "jobstore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TURN_US = 10000,
    PROCESSES = 3,
    JOBS = 12,
    HELD_MAX = 64,
    LEASE_S = 10,
    LIVES = 200,
    CHAOS_S = 240,
    CALM_S = 1200
};

typedef struct sim sim;

typedef struct held {
    cql_job *job;
    int index;       /* of the job */
    int64_t ends_us; /* when the handler is through */
    bool told_lost;
} held;

typedef struct process {
    sim *s;
    jobstore_client lives[LIVES]; /* one for each time it was started */
    size_t life;
    int64_t ahead_us;
    cql_jobs *jobs;
    cql_worker *w;
    int64_t wake_us;
    int64_t restart_us; /* dead until then */
    int64_t resume_us;  /* paused until then */
    int64_t cut_us;     /* cut off until then */
    held held[HELD_MAX];
    size_t held_count;
} process;

typedef struct job_record {
    char id[40];
    cql_status stored; /* what enqueue said */
    bool answered;
    int64_t last_token;
    int ends;
    int successes, success_events;
} job_record;

struct sim {
    uint64_t seed;
    jobstore *db;
    process p[PROCESSES];
    jobstore_client client;
    cql_jobs *jobs;
    job_record job[JOBS];
    int fault_percent;
    bool calm;
    bool clocks_agree;
};

static void broken(const sim *s, const char *what)
{
    (void)fprintf(stderr, "sim_jobs: seed %llu at %lld ms: %s\n", (unsigned long long)s->seed,
                  (long long)(jobstore_time(s->db) / 1000), what);
    exit(1);
}

static uint64_t below(sim *s, uint64_t n)
{
    return jobstore_random(s->db) % n;
}

static int index_of(const sim *s, const char *id)
{
    for (int i = 0; i < JOBS; i++)
        if (!strcmp(s->job[i].id, id))
            return i;
    broken(s, "a job of nobody's");
    return -1;
}

/* --- what the tables saw ---------------------------------------------------------------------- */
static void note_change(void *user, const char *id, const cqljob_change *c)
{
    sim *s = user;
    job_record *r = &s->job[index_of(s, id)];

    if (c->state == CQL_JOB_PROCESSING) {
        if (c->token <= r->last_token)
            broken(s, "a token that does not rise");
        r->last_token = c->token;
        return;
    }
    if (c->from_token != r->last_token)
        broken(s, "a run ended by an old token");
    r->ends += cql_job_state_is_final(c->state);
    r->successes += c->state == CQL_JOB_SUCCEEDED;
    if (r->ends > 1)
        broken(s, "a job that ended twice");
}

static void on_event(void *user, const cql_worker_event *e)
{
    process *p = user;

    if (e->kind == CQL_WORKER_SUCCEEDED)
        p->s->job[index_of(p->s, e->job->id.ptr)].success_events++;
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

/* Somebody who still believes to hold it is one too many, unless it is paused or has only just
 * begun to run again and had no turn yet: that is what tokens are for. */
static void check_overlap(sim *s, int index)
{
    for (int i = 0; i < PROCESSES; i++) {
        const process *p = &s->p[i];

        for (size_t k = 0; k < p->held_count; k++)
            if (p->held[k].index == index && !p->held[k].told_lost &&
                p->resume_us + TURN_US <= jobstore_time(s->db))
                broken(s, "a job held by two");
    }
}

static void handler(cql_job *job, void *user)
{
    process *p = user;
    sim *s = p->s;
    int index = index_of(s, cql_job_info_of(job)->id.ptr);

    if (s->clocks_agree)
        check_overlap(s, index);
    if (p->held_count == HELD_MAX)
        broken(s, "more jobs than places");
    cql_job_on_lost(job, on_lost, p);
    p->held[p->held_count++] = (held){job, index, jobstore_time(s->db), false};
    if (below(s, 4)) /* some end at once */
        p->held[p->held_count - 1].ends_us += (int64_t)below(s, 25000000);
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
        case 1:
            (void)cql_job_fail(h.job, "no");
            break;
        case 2:
            cql_job_give_back(h.job);
            break;
        default:
            (void)cql_job_complete(h.job, "yes");
            break;
        }
    }
}

/* --- processes -------------------------------------------------------------------------------- */
static jobstore_fate fate_of(jobstore_client *c, const cqljob_request *rq, void *user)
{
    process *p = user;
    sim *s = p->s;

    (void)c;
    (void)rq;
    if (s->calm)
        return JOBSTORE_OK;
    if (p->cut_us > jobstore_time(s->db))
        return JOBSTORE_DROPPED;
    if ((int)below(s, 100) >= s->fault_percent)
        return JOBSTORE_OK;
    switch (below(s, 6)) {
    case 0:
        return JOBSTORE_DROPPED;
    case 1:
        return JOBSTORE_SILENT;
    case 2:
        return JOBSTORE_LATE;
    case 3:
        return JOBSTORE_REFUSED;
    case 4:
        return JOBSTORE_BUSY;
    default:
        return JOBSTORE_BLOCKED;
    }
}

static void start(process *p)
{
    cql_worker_options o = {.size = sizeof o,
                            .concurrency = 1 + (uint32_t)below(p->s, 4),
                            .lease_s = LEASE_S,
                            .poll_ms = 1000,
                            .retry_delay_ms = 1500,
                            .stop_s = 5,
                            .batch = 3,
                            .name = "sim", /* a fixed one: it seeds the worker */
                            .on_event = on_event,
                            .on_wake = on_wake,
                            .user = p};

    jobstore_client *c = &p->lives[p->life++];

    jobstore_client_init(c, p->s->db);
    c->ahead_us = p->ahead_us;
    c->fate = fate_of;
    c->user = p;
    p->jobs = jobstore_open(c, NULL);
    if (!p->jobs || cql_jobs_handle(p->jobs, NULL, handler, p) ||
        cql_worker_new(p->jobs, &o, &p->w, NULL))
        broken(p->s, "a worker that does not start");
    p->wake_us = INT64_MIN;
}

/* As SIGKILL does it. Its requests may still reach the servers. */
static void kill_process(process *p)
{
    p->lives[p->life - 1].dead = true;
    cql_worker_free(p->w);
    p->w = NULL;
    for (size_t i = 0; i < p->held_count; i++)
        cql_job_give_back(p->held[i].job);
    p->held_count = 0;
    cql_jobs_free(p->jobs);
    p->jobs = NULL;
}

static void trouble(sim *s, process *p)
{
    int64_t now = jobstore_time(s->db);

    switch (below(s, 3)) {
    case 0:
        kill_process(p);
        p->restart_us = now + (int64_t)below(s, 20000000);
        break;
    case 1:
        p->resume_us = now + (int64_t)below(s, 25000000);
        break;
    default:
        p->cut_us = now + (int64_t)below(s, 25000000);
        break;
    }
}

static void turn(process *p)
{
    sim *s = p->s;
    int64_t now = jobstore_time(s->db);
    int ms;

    if (!p->w && now >= p->restart_us)
        start(p);
    if (!p->w || p->resume_us > now)
        return;
    end_handlers(p);
    if (p->wake_us > now)
        return;
    p->wake_us = INT64_MAX;
    ms = cql_worker_step(p->w);
    if (ms >= 0 && p->wake_us == INT64_MAX)
        p->wake_us = now + ms * INT64_C(1000);
}

/* --- storing ---------------------------------------------------------------------------------- */
static void stored(cql_jobs *jobs, const cql_error *err, const cql_job_info *job, void *user)
{
    job_record *r = user;

    (void)jobs;
    (void)job;
    r->stored = err ? cql_error_status(err) : CQL_OK;
    r->answered = true;
}

static void store_jobs(sim *s)
{
    for (int i = 0; i < JOBS; i++) {
        job_record *r = &s->job[i];
        cql_job_spec spec = {.size = sizeof spec, .type = "t", .id = r->id};

        (void)snprintf(r->id, sizeof r->id, "%08x-0000-4000-8000-%012x", i,
                       (unsigned)below(s, 1u << 30));
        spec.max_retries = (int32_t)below(s, 30) + 5;
        if (below(s, 3) == 0)
            spec.at_ms = jobstore_time(s->db) / 1000 + (int64_t)below(s, 30000);
        r->stored = cql_jobs_enqueue(s->jobs, &spec, stored, r);
        r->answered = r->stored != CQL_OK;
    }
}

/* --- a run ------------------------------------------------------------------------------------ */
static bool all_over(const sim *s)
{
    for (int i = 0; i < JOBS; i++) {
        const cql_job_info *job = jobstore_job(s->db, s->job[i].id);

        if (!s->job[i].answered || (job && !cql_job_state_is_final(job->state)))
            return false;
    }
    return jobstore_due_rows(s->db, NULL, -1) == 0;
}

static void pass(sim *s, int seconds)
{
    int64_t until = jobstore_time(s->db) + (int64_t)seconds * 1000000;
    int64_t next_trouble = 0;

    while (jobstore_time(s->db) < until && !(s->calm && all_over(s))) {
        for (int i = 0; i < PROCESSES; i++)
            turn(&s->p[i]);
        if (!s->calm && jobstore_time(s->db) >= next_trouble) {
            process *p = &s->p[below(s, PROCESSES)];

            if (p->w && next_trouble)
                trouble(s, p);
            next_trouble = jobstore_time(s->db) + 2000000 + (int64_t)below(s, 20000000);
        }
        jobstore_run_until(s->db, jobstore_time(s->db) + TURN_US);
    }
}

static void check_end(sim *s)
{
    for (int i = 0; i < JOBS; i++) {
        const job_record *r = &s->job[i];
        const cql_job_info *job = jobstore_job(s->db, r->id);

        if (!r->answered)
            broken(s, "an enqueue without an answer");
        if (r->stored == CQL_OK && !job)
            broken(s, "a stored job that is not there");
        if (r->stored && r->stored != CQL_OUTCOME_UNKNOWN && job)
            broken(s, "a job that was reported as not stored");
        if (job && !cql_job_state_is_final(job->state))
            broken(s, "a job that does not end");
        if (job && job->retry_count > job->max_retry_count)
            broken(s, "too many retries");
        if (r->success_events > r->successes)
            broken(s, "a success that was reported and is none");
        if (jobstore_due_rows(s->db, r->id, -1))
            broken(s, "a row left in scheduled_jobs");
    }
    jobstore_settle(s->db, 10); /* what a killed process wrote too late is for the readers below to remove */
    for (int st = 0; st <= 8; st++) {
        cql_job_list *list = NULL;

        if (cql_jobs_list_wait(s->jobs, (cql_job_state)st, 0, &list, NULL))
            broken(s, "a list that fails");
        if (cql_job_list_count(list) != jobstore_jobs(s->db, st))
            broken(s, "a list that is not complete");
        cql_job_list_free(list);
    }
    jobstore_settle(s->db, 10);
    for (int i = 0; i < JOBS; i++) {
        const cql_job_info *job = jobstore_job(s->db, s->job[i].id);

        if (job && (jobstore_state_rows(s->db, s->job[i].id, -1) != 1 ||
                    jobstore_state_rows(s->db, s->job[i].id, job->state) != 1))
            broken(s, "a row left in jobs_by_state");
    }
}

static void set_clocks(sim *s)
{
    int64_t most = below(s, 2) ? 400000 : 60000000; /* 0.4 s, or a minute */

    s->clocks_agree = most < 1000000;
    for (int i = 0; i < PROCESSES; i++)
        s->p[i].ahead_us = (int64_t)below(s, 2 * (uint64_t)most) - most;
}

static void run(uint64_t seed)
{
    static sim s;
    static process storer;

    memset(&s, 0, sizeof s);
    s.seed = seed;
    storer.s = &s;
    s.db = jobstore_new(seed);
    jobstore_on_change(s.db, note_change, &s);
    s.fault_percent = (int)(const int[]){0, 2, 10}[below(&s, 3)];
    jobstore_client_init(&s.client, s.db);
    s.client.fate = fate_of;
    s.client.user = &storer;
    s.jobs = jobstore_open(&s.client, NULL);
    for (int i = 0; i < PROCESSES; i++)
        s.p[i].s = &s;
    set_clocks(&s);
    store_jobs(&s);
    pass(&s, CHAOS_S);
    s.calm = true;
    for (int i = 0; i < PROCESSES; i++)
        s.p[i].resume_us = s.p[i].restart_us = 0;
    pass(&s, CALM_S);
    check_end(&s);
    for (int i = 0; i < PROCESSES; i++)
        if (s.p[i].w)
            kill_process(&s.p[i]);
    cql_jobs_free(s.jobs);
    jobstore_free(s.db);
}

int main(int argc, char **argv)
{
    unsigned long long seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 60;
    unsigned long long first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

    for (unsigned long long i = 0; i < seeds; i++)
        run(first + i);
    (void)printf("%llu seeds, from %llu: all hold\n", seeds, first);
    return 0;
}
