/* worker.c: a worker for jobs of two types: "send-mail", which takes a while and runs on a thread of
 * its own, and "sum", which is done at once. SIGTERM and SIGINT stop it: what runs may finish.
 *
 *   worker [cql://HOST[:PORT]/ [KEYSPACE]]      (cqljobs init makes the keyspace) */
#include <cqlnative/jobs.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

/* Blocks, so it gets a thread. If this process dies here, another worker runs the job again once its
 * lease is over: what it does must bear being done twice, or refuse an older token. */
static void send_mail(cql_job *job, void *user)
{
    const cql_job_info *info = cql_job_info_of(job);
    const struct timespec a_while = {0, 200000000};
    (void)user;
    printf("mail to %s, run %d, token %lld\n", info->arguments.ptr, (int)info->retry_count + 1,
           (long long)cql_job_token(job));
    nanosleep(&a_while, NULL);
    if (cql_job_is_lost(job) || cql_job_complete(job, "{\"sent\":true}") != CQL_OK)
        cql_job_give_back(job);
}

/* Done at once. A job that fails is tried again after its back-off, and abandoned in the end. */
static void sum(cql_job *job, void *user)
{
    int a, b;
    char result[32];
    cql_status st;
    (void)user;
    if (sscanf(cql_job_info_of(job)->arguments.ptr, "[%d,%d]", &a, &b) == 2) {
        snprintf(result, sizeof result, "%lld", (long long)a + b);
        st = cql_job_complete(job, result);
    } else {
        st = cql_job_fail(job, "two numbers are needed: [1,2]");
    }
    if (st != CQL_OK)
        cql_job_give_back(job); /* no memory: somebody else may have some */
}

static void tell(void *user, const cql_worker_event *e)
{
    (void)user;
    if (e->err) /* the cluster is away; nobody handles that type */
        fprintf(stderr, "waiting: %s\n", cql_error_text(e->err));
    else if (e->kind == CQL_WORKER_RETRY || e->kind == CQL_WORKER_ABANDONED)
        fprintf(stderr, "%s failed: %s\n", e->job->id.ptr, e->text);
}

/* Signals go to this thread alone, so that stopping needs no signal handler. */
static void *wait_for_signal(void *user)
{
    cql_jobs *jobs = user;
    sigset_t set;
    int number;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigwait(&set, &number);
    cql_jobs_stop(jobs);
    return NULL;
}

int main(int argc, char **argv)
{
    cql_worker_options options = {.size = sizeof options, .concurrency = 4, .lease_s = 60};
    cql_error *err = NULL;
    cql_session *s = NULL;
    cql_jobs *jobs = NULL;
    sigset_t set;
    pthread_t waiter;
    options.on_event = tell;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before there are other threads */
    cql_status st = cql_session_open_wait(argc > 1 ? argv[1] : "cql://127.0.0.1/", &s, &err);
    if (st == CQL_OK)
        st = cql_jobs_new(s, argc > 2 ? argv[2] : "jobsharp", &jobs);
    if (st == CQL_OK)
        st = cql_jobs_handle_blocking(jobs, "send-mail", send_mail, NULL);
    if (st == CQL_OK)
        st = cql_jobs_handle(jobs, "sum", sum, NULL);
    if (st == CQL_OK)
        st = cql_jobs_check_wait(jobs, &err); /* a missing keyspace shows now */
    if (st == CQL_OK && pthread_create(&waiter, NULL, wait_for_signal, jobs) != 0)
        st = CQL_SYSTEM;
    else if (st == CQL_OK) {
        st = cql_jobs_run_wait(jobs, &options, &err);
        pthread_kill(waiter, SIGTERM); /* should it have ended by itself: nobody else may end that wait */
        pthread_join(waiter, NULL);
    }
    if (st != CQL_OK)
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
    cql_jobs_free(jobs);
    cql_session_free(s);
    cql_error_unref(err);
    return st != CQL_OK;
}
