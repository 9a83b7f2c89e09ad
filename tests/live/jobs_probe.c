/* jobs_probe URL KEYSPACE: the job store as a program uses it, against real tables: asynchronous
 * calls and their blocking twins, handlers that finish at once, later from another thread, and on
 * threads of the worker's pool. The mode of the session is that of the URL (loop_threads=1 or 0).
 * Prints what does not hold and ends with 1. */
#include <cqlnative/cql.h>
#include <cqlnative/jobs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EACH = 20, LATER_MAX = 64 };

#define HOLDS(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "jobs_probe:%d: not so: %s\n", __LINE__, #what);                       \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

typedef struct probe {
    cql_session *s;
    cql_jobs *jobs;
    atomic_int at_once, later, pooled, failed_first;
    pthread_mutex_t lock;
    cql_job *waiting[LATER_MAX]; /* for the finisher */
    size_t waiting_count;
    atomic_bool over;
    atomic_int answers;
    atomic_int wrong_thread;
} probe;

static void check(cql_status st, cql_error *err, const char *what)
{
    if (st == CQL_OK)
        return;
    fprintf(stderr, "jobs_probe: %s: %s\n", what, err ? cql_error_text(err) : cql_status_text(st));
    exit(1);
}

/* --- handlers --------------------------------------------------------------------------------- */
static void finish_at_once(cql_job *job, void *user)
{
    probe *p = user;

    atomic_fetch_add(&p->at_once, 1);
    HOLDS(cql_job_complete(job, "at once") == CQL_OK);
}

static void finish_later(cql_job *job, void *user)
{
    probe *p = user;

    pthread_mutex_lock(&p->lock);
    p->waiting[p->waiting_count++] = job;
    pthread_mutex_unlock(&p->lock);
}

static void *finisher(void *user)
{
    probe *p = user;

    while (!atomic_load(&p->over)) {
        cql_job *job = NULL;

        pthread_mutex_lock(&p->lock);
        if (p->waiting_count)
            job = p->waiting[--p->waiting_count];
        pthread_mutex_unlock(&p->lock);
        usleep(2000);
        if (!job)
            continue;
        cql_job_renew(job);
        atomic_fetch_add(&p->later, 1);
        HOLDS(!cql_job_is_lost(job));
        HOLDS(cql_job_complete(job, NULL) == CQL_OK);
    }
    return NULL;
}

static void on_pool(cql_job *job, void *user)
{
    probe *p = user;

    usleep(5000);
    atomic_fetch_add(&p->pooled, 1);
    if (cql_job_info_of(job)->retry_count == 0 && atomic_fetch_add(&p->failed_first, 1) == 0)
        HOLDS(cql_job_fail(job, "once") == CQL_OK);
    else
        HOLDS(cql_job_complete(job, "pooled") == CQL_OK);
}

/* --- asynchronous calls ----------------------------------------------------------------------- */
static void on_job(cql_jobs *jobs, const cql_error *err, const cql_job_info *job, void *user)
{
    probe *p = user;
    cql_job_info *again;

    HOLDS((err == NULL) == (job != NULL));
    /* A call that would hang the loop says so. */
    if (job && cql_jobs_get_wait(jobs, job->id.ptr, &again, NULL) == CQL_WRONG_THREAD)
        atomic_fetch_add(&p->wrong_thread, 1);
    atomic_fetch_add(&p->answers, 1);
}

static void on_list(cql_jobs *jobs, const cql_error *err, const cql_job_list *list, void *user)
{
    probe *p = user;

    (void)jobs;
    HOLDS(!err && cql_job_list_count(list) == 1);
    atomic_fetch_add(&p->answers, 1);
}

static void on_count(cql_jobs *jobs, const cql_error *err, int64_t count, void *user)
{
    probe *p = user;

    (void)jobs;
    HOLDS(!err && count == 1);
    atomic_fetch_add(&p->answers, 1);
}

static void await(probe *p, int answers)
{
    for (int i = 0; i < 2000 && atomic_load(&p->answers) < answers; i++) {
        if (cql_session_fd(p->s) >= 0)
            (void)cql_session_drive(p->s, 10);
        else
            usleep(10000);
    }
    HOLDS(atomic_load(&p->answers) == answers);
}

static void use_callbacks(probe *p)
{
    static const char id[] = "0f0f0f0f-1111-4222-8333-444444444444";
    cql_job_spec spec = {.size = sizeof spec, .type = "none", .id = id};

    HOLDS(cql_jobs_enqueue(p->jobs, &spec, on_job, p) == CQL_OK);
    await(p, 1);
    HOLDS(cql_jobs_flush_wait(p->jobs, NULL) == CQL_OK); /* the counter is written afterwards */
    HOLDS(cql_jobs_get(p->jobs, id, on_job, p) == CQL_OK);
    HOLDS(cql_jobs_list(p->jobs, CQL_JOB_SCHEDULED, 10, on_list, p) == CQL_OK);
    HOLDS(cql_jobs_count(p->jobs, CQL_JOB_SCHEDULED, on_count, p) == CQL_OK);
    await(p, 4);
    HOLDS(cql_jobs_cancel(p->jobs, id, on_job, p) == CQL_OK);
    await(p, 5);
    HOLDS(cql_jobs_delete(p->jobs, id, on_job, p) == CQL_OK);
    await(p, 6);
    HOLDS(cql_jobs_get(p->jobs, id, on_job, p) == CQL_OK); /* not found */
    await(p, 7);
    HOLDS(atomic_load(&p->wrong_thread) == 4);
}

/* --- workers ---------------------------------------------------------------------------------- */
static void store_jobs(probe *p, const char *type)
{
    cql_job_spec spec = {.size = sizeof spec, .type = type};
    cql_error *err = NULL;

    for (int i = 0; i < EACH; i++)
        check(cql_jobs_enqueue_wait(p->jobs, &spec, NULL, &err), err, "enqueue");
}

static void run_drained(probe *p)
{
    cql_worker_options o = {
        .size = sizeof o, .concurrency = 8, .poll_ms = 100, .retry_delay_ms = 1, .drain = true};
    cql_error *err = NULL;
    int64_t count = 0;

    do { /* a job that waits for its retry is not due, and so no reason to stay */
        check(cql_jobs_run_wait(p->jobs, &o, &err), err, "run");
        check(cql_jobs_count_wait(p->jobs, CQL_JOB_SUCCEEDED, &count, &err), err, "count");
    } while (count < 3 * EACH);
    HOLDS(atomic_load(&p->at_once) == EACH);
    HOLDS(atomic_load(&p->later) == EACH);
    HOLDS(atomic_load(&p->pooled) == EACH + 1);
}

static void *stopper(void *user)
{
    probe *p = user;

    usleep(300000);
    cql_jobs_stop(p->jobs);
    return NULL;
}

static void run_until_stopped(probe *p)
{
    cql_error *err = NULL;
    pthread_t thread;

    HOLDS(pthread_create(&thread, NULL, stopper, p) == 0);
    check(cql_jobs_run_wait(p->jobs, NULL, &err), err, "run until stopped");
    pthread_join(thread, NULL);
}

static void look_at_results(probe *p)
{
    cql_job_list *list = NULL;
    cql_error *err = NULL;
    int with = 0, without = 0;

    check(cql_jobs_list_wait(p->jobs, CQL_JOB_SUCCEEDED, 1000, &list, &err), err, "list");
    HOLDS(cql_job_list_count(list) == 3 * EACH);
    for (size_t i = 0; i < cql_job_list_count(list); i++) {
        const cql_job_info *job = cql_job_list_at(list, i);

        with += job->result.ptr != NULL;
        without += job->result.ptr == NULL;
        HOLDS(job->claim.ptr == NULL);
    }
    HOLDS(with == 2 * EACH && without == EACH);
    cql_job_list_free(list);
}

int main(int argc, char **argv)
{
    static probe p;
    cql_error *err = NULL;
    pthread_t thread;

    if (argc != 3)
        return 2;
    pthread_mutex_init(&p.lock, NULL);
    check(cql_session_open_wait(argv[1], &p.s, &err), err, "open");
    check(cql_jobs_new(p.s, argv[2], &p.jobs), NULL, "new");
    check(cql_jobs_check_wait(p.jobs, &err), err, "check");
    use_callbacks(&p);
    HOLDS(cql_jobs_handle(p.jobs, "at-once", finish_at_once, &p) == CQL_OK);
    HOLDS(cql_jobs_handle(p.jobs, "later", finish_later, &p) == CQL_OK);
    HOLDS(cql_jobs_handle_blocking(p.jobs, "pooled", on_pool, &p) == CQL_OK);
    store_jobs(&p, "at-once");
    store_jobs(&p, "later");
    store_jobs(&p, "pooled");
    HOLDS(pthread_create(&thread, NULL, finisher, &p) == 0);
    run_drained(&p);
    run_until_stopped(&p);
    atomic_store(&p.over, true);
    pthread_join(thread, NULL);
    look_at_results(&p);
    cql_jobs_free(p.jobs);
    cql_session_close_wait(p.s);
    cql_session_free(p.s);
    printf("all holds\n");
    return 0;
}
