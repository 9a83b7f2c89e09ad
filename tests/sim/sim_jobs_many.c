/* What claiming costs while a heap of jobs is worked off: eight workers, each a process of its own,
 * share job tables in memory. Requests (but for the counters) are counted by tenths of the jobs. The
 * last tenth, when few rows are left and all workers look at the same ones, may cost at most 1.5
 * times the first, and where a bucket has many pages one passes at most a fifth of its removed rows.
 * Every job ends, and then the workers do, also where requests take so long that what a page says is
 * mostly old.
 *
 *   sim_jobs_many [JOBS [SEED [SLOWER [PAGE]]]]   one run, printed; SLOWER: servers are so many times
 *                                                 slower; PAGE: rows read at once
 *   sim_jobs_many                           the runs of the test */
#include "jobs/worker.h"
#include "jobstore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 8, CONCURRENCY = 8, TENTHS = 10, VERBS = CQLJOB_R_DELETE + 1, LIMIT_S = 3600 };
enum { BUCKETS = 10, WAITED_S = 3600 };
#define MOST_PASSED 0.2

typedef struct sim sim;

typedef struct process {
    sim *s;
    jobstore_client client;
    cql_jobs *jobs;
    cql_worker *w;
    int64_t wake_us;
} process;

struct sim {
    jobstore *db;
    process p[WORKERS];
    jobstore_client storer;
    int count;
    uint32_t page; /* rows; 0: as workers do it by themselves */
    int ended;
    size_t sent[TENTHS + 1][VERBS]; /* behind the last: when all had ended */
};

static void broken(const char *what)
{
    (void)fprintf(stderr, "sim_jobs_many: %s\n", what);
    exit(1);
}

static int tenth(const sim *s)
{
    return (int)((int64_t)s->ended * TENTHS / s->count);
}

static jobstore_fate count_request(jobstore_client *c, const cqljob_request *rq, void *user)
{
    process *p = user;

    (void)c;
    p->s->sent[tenth(p->s)][rq->verb]++;
    return JOBSTORE_OK;
}

static void note_change(void *user, const char *id, const cqljob_change *c)
{
    sim *s = user;

    (void)id;
    if (c->state == CQL_JOB_SUCCEEDED)
        s->ended++;
}

static void handler(cql_job *job, void *user)
{
    (void)user;
    if (cql_job_complete(job, "done"))
        broken("a job that cannot be completed");
}

static void on_wake(cql_worker *w, void *user)
{
    process *p = user;

    (void)w;
    p->wake_us = INT64_MIN;
}

static void start(sim *s, int i)
{
    process *p = &s->p[i];
    char name[16];
    cql_worker_options o = {.size = sizeof o,
                            .concurrency = CONCURRENCY,
                            .poll_ms = 500,
                            .batch = s->page,
                            .drain = true,
                            .no_recurring = true,
                            .name = name,
                            .on_wake = on_wake,
                            .user = p};

    (void)snprintf(name, sizeof name, "w%d", i);
    p->s = s;
    jobstore_client_init(&p->client, s->db);
    p->client.fate = count_request;
    p->client.user = p;
    p->jobs = jobstore_open(&p->client, NULL);
    if (!p->jobs || cql_jobs_handle(p->jobs, NULL, handler, p) ||
        cql_worker_new(p->jobs, &o, &p->w, NULL))
        broken("a worker that does not start");
    p->wake_us = INT64_MIN;
}

static void store_jobs(sim *s)
{
    cql_jobs *jobs;

    jobstore_client_init(&s->storer, s->db);
    jobs = jobstore_open(&s->storer, NULL);
    for (int i = 0; i < s->count; i++) {
        char id[40];
        cql_job_spec spec = {.size = sizeof spec, .type = "t", .id = id};

        (void)snprintf(id, sizeof id, "%08x-0000-4000-8000-%012x", i,
                       (unsigned)(jobstore_random(s->db) >> 34));
        if (!jobs || cql_jobs_enqueue_wait(jobs, &spec, NULL, NULL))
            broken("a job that is not stored");
    }
    jobstore_settle(s->db, 10);
    jobstore_run_until(s->db, jobstore_time(s->db) + WAITED_S * INT64_C(1000000));
    cql_jobs_free(jobs);
}

/* --- a run ------------------------------------------------------------------------------------ */
static bool turn(process *p)
{
    int64_t now = jobstore_time(p->s->db);
    int ms;

    if (!p->w)
        return false;
    if (p->wake_us > now)
        return true;
    p->wake_us = INT64_MAX;
    ms = cql_worker_step(p->w);
    if (ms >= 0 && p->wake_us == INT64_MAX)
        p->wake_us = now + ms * INT64_C(1000);
    if (!cql_worker_is_finished(p->w))
        return true;
    cql_worker_free(p->w);
    p->w = NULL;
    return false;
}

static void work_all(sim *s)
{
    int64_t limit = jobstore_time(s->db) + LIMIT_S * INT64_C(1000000);
    bool any = true;

    for (int i = 0; i < WORKERS; i++)
        start(s, i);
    while (any) {
        int64_t next = INT64_MAX;

        any = false;
        for (int i = 0; i < WORKERS; i++) {
            any |= turn(&s->p[i]);
            if (s->p[i].w && s->p[i].wake_us < next)
                next = s->p[i].wake_us;
        }
        if (jobstore_next(s->db) < next)
            next = jobstore_next(s->db);
        if (any && (next == INT64_MAX || jobstore_time(s->db) > limit))
            broken("workers that do not end");
        if (any)
            jobstore_run_until(s->db, next);
    }
}

static double requests_a_job(const sim *s, int part)
{
    size_t sum = 0;

    for (int v = 0; v < VERBS; v++)
        sum += s->sent[part][v];
    return (double)sum * TENTHS / s->count;
}

static void print(const sim *s)
{
    (void)printf("tenth  requests a job  looks  changes  lost  index  pages  links  marks\n");
    for (int i = 0; i < TENTHS; i++) {
        const size_t *sent = s->sent[i];
        double jobs = (double)s->count / TENTHS;

        (void)printf("%5d  %14.2f  %5.2f  %7.2f  %5.2f  %5.2f  %5.2f  %5.2f  %5.2f\n", i + 1,
                     requests_a_job(s, i), (double)sent[CQLJOB_GET] / jobs,
                     (double)sent[CQLJOB_CHANGE] / jobs, (double)sent[CQLJOB_CHANGE] / jobs - 2,
                     (double)sent[CQLJOB_INDEX] / jobs, (double)sent[CQLJOB_DUE] / jobs,
                     (double)sent[CQLJOB_LINKS] / jobs,
                     (double)(sent[CQLJOB_MARKS] + sent[CQLJOB_PUT_MARK]) / jobs);
    }
}

/* Removed rows that a page passed on average, in parts of those that a bucket has in the end. */
static double tombstones(const sim *s)
{
    size_t pages = 0;

    for (int i = 0; i <= TENTHS; i++)
        pages += s->sent[i][CQLJOB_DUE];
    return (double)jobstore_tombstones(s->db) / (double)pages * BUCKETS / s->count;
}

static bool run(int count, uint64_t seed, int slower, uint32_t page, bool show)
{
    static sim s;
    double first, last, passed;

    memset(&s, 0, sizeof s);
    s.count = count;
    s.page = page;
    s.db = jobstore_new(seed);
    store_jobs(&s);
    jobstore_slow(s.db, slower);
    jobstore_on_change(s.db, note_change, &s);
    work_all(&s);
    if (s.ended != count)
        broken("a job that did not end");
    first = requests_a_job(&s, 0);
    last = requests_a_job(&s, TENTHS - 1);
    passed = tombstones(&s);
    if (show)
        print(&s);
    (void)printf("%d jobs, seed %llu, %d times slower: %.2f requests a job at first, %.2f at the "
                 "end: %.2f times; a page passed %.2f of a bucket's removed rows\n",
                 count, (unsigned long long)seed, slower, first, last, last / first, passed);
    for (int i = 0; i < WORKERS; i++)
        cql_jobs_free(s.p[i].jobs);
    jobstore_free(s.db);
    return last <= 1.5 * first && (!page || passed <= MOST_PASSED);
}

int main(int argc, char **argv)
{
    bool good = true;

    if (argc > 1)
        return !run((int)strtol(argv[1], NULL, 10), argc > 2 ? strtoull(argv[2], NULL, 10) : 1,
                    argc > 3 ? (int)strtol(argv[3], NULL, 10) : 1,
                    argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0, true);
    for (uint64_t seed = 1; seed <= 3; seed++)
        good &= run(2000, seed, 1, 0, false);
    good &= run(2000, 1, 30, 0, false);
    good &= run(4000, 1, 30, 20, false); /* heaps of many pages */
    if (!good)
        (void)fprintf(stderr, "sim_jobs_many: claims cost more at the end, or pages pass too many removed rows\n");
    return !good;
}
