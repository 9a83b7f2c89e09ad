/* A fleet of worker processes over one job store; one after the other is killed by SIGKILL and
 * started again. Every process writes each run of a job into a journal that the store knows nothing
 * of; at the end the journal must show that no job was held by two at once, that the tokens of each
 * job strictly rise, and that every job ended.
 *
 *   jobs_fleet run URL KEYSPACE JOURNAL JOBS WORKERS KILLS LEASE_S      (KILLS 0: one a second to the end)
 *   jobs_fleet work URL KEYSPACE JOURNAL LEASE_S        (what run starts)
 *
 * Lines of the journal: S id token time pid, E id token time pid, D - 0 time pid (it is dead).
 * Times are microseconds of the machine's steady clock. */
#include <cqlnative/jobs.h>

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS_MAX = 32, KILL_EVERY_MS = 1000, GIVE_UP_S = 1500, CONCURRENCY = 4 };

typedef struct fleet {
    const char *self, *url, *keyspace, *journal, *lease;
    pid_t pids[WORKERS_MAX];
    int workers;
    int file;
} fleet;

typedef struct run {
    char id[40];
    int64_t token, start, end;
    long pid;
} run;

static int64_t now_us(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int fail(const char *what, const cql_error *err)
{
    (void)fprintf(stderr, "jobs_fleet: %s%s%s\n", what, err ? ": " : "",
                  err ? cql_error_text(err) : "");
    return 1;
}

/* One write for each line, so that lines of several processes do not mix. */
static void note(int file, char what, const char *id, int64_t token, long pid)
{
    char line[160];
    int n = snprintf(line, sizeof line, "%c %s %" PRId64 " %" PRId64 " %ld\n", what, id, token,
                     now_us(), pid);

    if (n <= 0 || write(file, line, (size_t)n) != n)
        _exit(9);
}

/* --- a worker --------------------------------------------------------------------------------- */
static void handler(cql_job *job, void *user)
{
    const int *file = user;
    const cql_job_info *info = cql_job_info_of(job);
    char id[40];
    int64_t token = cql_job_token(job);
    struct timespec pause = {0, (long)(1 + token % 7) * 10000000};

    (void)snprintf(id, sizeof id, "%s", info->id.ptr);
    note(*file, 'S', id, token, (long)getpid());
    (void)nanosleep(&pause, NULL);
    note(*file, 'E', id, token, (long)getpid()); /* before anybody else can have it */
    if (cql_job_complete(job, "done"))
        cql_job_give_back(job);
}

static int work(char **argv)
{
    cql_worker_options o = {.size = sizeof o,
                            .concurrency = CONCURRENCY,
                            .lease_s = (uint32_t)strtoul(argv[5], NULL, 10),
                            .poll_ms = 500,
                            .no_recurring = true};
    cql_error *err = NULL;
    cql_session *s = NULL;
    cql_jobs *jobs = NULL;
    int file = open(argv[4], O_WRONLY | O_APPEND | O_CLOEXEC);

    if (file < 0 || cql_session_open_wait(argv[2], &s, &err) || cql_jobs_new(s, argv[3], &jobs) ||
        cql_jobs_handle_blocking(jobs, NULL, handler, &file) ||
        cql_jobs_run_wait(jobs, &o, &err))
        return fail("a worker", err);
    return 0; /* it never stops by itself */
}

/* --- the fleet -------------------------------------------------------------------------------- */
static int start(fleet *f, int which)
{
    pid_t pid = fork();

    if (pid < 0)
        return fail("no process", NULL);
    if (pid == 0) {
        (void)execl(f->self, f->self, "work", f->url, f->keyspace, f->journal, f->lease,
                    (char *)NULL);
        _exit(8);
    }
    f->pids[which] = pid;
    return 0;
}

static void end(fleet *f, int which)
{
    (void)kill(f->pids[which], SIGKILL);
    (void)waitpid(f->pids[which], NULL, 0);
    note(f->file, 'D', "-", 0, (long)f->pids[which]);
    f->pids[which] = 0;
}

/* A worker that ended by itself is a failure. */
static bool all_alive(fleet *f)
{
    for (int i = 0; i < f->workers; i++)
        if (waitpid(f->pids[i], NULL, WNOHANG) != 0)
            return false;
    return true;
}

/* Counts the jobs that have ended, beside the killing. */
typedef struct tally {
    _Atomic int64_t count[2];
    _Atomic int flying;
} tally;

static tally ended;

static void on_count(cql_jobs *jobs, const cql_error *err, int64_t count, void *user)
{
    (void)jobs;
    atomic_store((_Atomic int64_t *)user, err ? 0 : count); /* a busy server is no failure here */
    atomic_fetch_sub(&ended.flying, 1);
}

/* The newest count; asks for the next one when none is under way. */
static int64_t count_ended(cql_jobs *jobs)
{
    static const cql_job_state states[] = {CQL_JOB_SUCCEEDED, CQL_JOB_ABANDONED};
    int64_t done;

    if (atomic_load(&ended.flying))
        return 0;
    done = atomic_load(&ended.count[0]) + atomic_load(&ended.count[1]);
    for (int i = 0; i < 2; i++) {
        atomic_fetch_add(&ended.flying, 1);
        if (cql_jobs_recount(jobs, states[i], on_count, &ended.count[i]))
            atomic_fetch_sub(&ended.flying, 1);
    }
    return done;
}

/* Kills one a second, `kills` times or for as long as there are jobs, and waits until all have ended. */
static int shepherd(fleet *f, cql_jobs *jobs, int64_t jobs_count, int kills)
{
    int64_t began = now_us(), next = began + KILL_EVERY_MS * 1000, done = 0;
    struct timespec pause = {0, 50000000};
    int killed = 0;

    while (done < jobs_count || killed < kills) {
        (void)nanosleep(&pause, NULL);
        if (!all_alive(f))
            return fail("a worker ended by itself", NULL);
        if (now_us() - began > INT64_C(1000000) * GIVE_UP_S)
            return fail("not every job ended", NULL);
        if (now_us() < next)
            continue;
        next += KILL_EVERY_MS * 1000;
        if (killed < kills || kills == 0) {
            int which = killed++ % f->workers;

            end(f, which);
            if (start(f, which))
                return 1;
        }
        done = count_ended(jobs);
    }
    (void)printf("%" PRId64 " jobs ended in %.1f s, %d workers killed\n", done,
                 (double)(now_us() - began) / 1e6, killed);
    return 0;
}

/* --- the journal ------------------------------------------------------------------------------ */
typedef struct journal {
    run *runs;
    size_t count, cap;
    int64_t unfinished;
} journal;

static run *find(journal *j, const char *id, int64_t token)
{
    for (size_t i = j->count; i-- > 0;)
        if (j->runs[i].token == token && !strcmp(j->runs[i].id, id))
            return &j->runs[i];
    return NULL;
}

static int take(journal *j, char what, const char *id, int64_t token, int64_t at, long pid)
{
    run *r;

    if (what == 'S') {
        if (j->count == j->cap) {
            j->cap = j->cap ? j->cap * 2 : 4096;
            j->runs = realloc(j->runs, j->cap * sizeof *j->runs);
            if (!j->runs)
                return fail("out of memory", NULL);
        }
        r = &j->runs[j->count++];
        memset(r, 0, sizeof *r);
        (void)snprintf(r->id, sizeof r->id, "%s", id);
        r->token = token;
        r->start = at;
        r->end = INT64_MAX;
        r->pid = pid;
    } else if (what == 'E') {
        r = find(j, id, token);
        if (!r || r->pid != pid || r->end != INT64_MAX)
            return fail("an end without its start", NULL);
        r->end = at;
    } else {
        for (size_t i = 0; i < j->count; i++)
            if (j->runs[i].pid == pid && j->runs[i].end == INT64_MAX) {
                j->runs[i].end = at;
                j->unfinished++;
            }
    }
    return 0;
}

static int read_journal(journal *j, const char *path)
{
    FILE *file = fopen(path, "re");
    char what, id[40];
    int64_t token, at;
    long pid;
    int bad = file ? 0 : fail("no journal", NULL);

    while (file && !bad &&
           fscanf(file, "%c %39s %" SCNd64 " %" SCNd64 " %ld\n", &what, id, &token, &at, &pid) == 5)
        bad = take(j, what, id, token, at, pid);
    if (file && !bad && !feof(file))
        bad = fail("a line of the journal that is none", NULL);
    if (file)
        (void)fclose(file);
    return bad;
}

static int by_job(const void *a, const void *b)
{
    const run *x = a, *y = b;
    int order = strcmp(x->id, y->id);

    return order ? order : (x->start > y->start) - (x->start < y->start);
}

/* The journal's verdict. */
static int check(journal *j, int64_t jobs_count, int64_t lease_us)
{
    int64_t seen = 0, again = 0, shortest = INT64_MAX;

    qsort(j->runs, j->count, sizeof *j->runs, by_job);
    for (size_t i = 0; i < j->count; i++) {
        const run *r = &j->runs[i], *last = i ? &j->runs[i - 1] : NULL;

        if (!last || strcmp(last->id, r->id)) {
            seen++;
            continue;
        }
        again++;
        if (r->start < last->end)
            return fail("a job held by two at once", NULL);
        if (r->token <= last->token)
            return fail("a token that does not rise", NULL);
        shortest = r->start - last->start < shortest ? r->start - last->start : shortest;
    }
    if (seen != jobs_count)
        return fail("not every job was run, or one that was not stored", NULL);
    (void)printf("%zu runs of %" PRId64 " jobs: %" PRId64 " cut short by a kill, %" PRId64
                 " again; none held by two, all tokens rise\n",
                 j->count, seen, j->unfinished, again);
    if (again && shortest < lease_us / 2)
        return fail("a job that ran again long before its lease was over", NULL);
    return 0;
}

static int run_fleet(char **argv)
{
    fleet f = {.self = argv[0], .url = argv[2], .keyspace = argv[3], .journal = argv[4]};
    int64_t jobs_count = strtoll(argv[5], NULL, 10);
    int kills = (int)strtol(argv[7], NULL, 10), bad = 0;
    journal j = {0};
    cql_error *err = NULL;
    cql_session *s = NULL;
    cql_jobs *jobs = NULL;

    f.workers = (int)strtol(argv[6], NULL, 10);
    f.lease = argv[8];
    f.file = open(f.journal, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (f.file < 0 || f.workers < 1 || f.workers > WORKERS_MAX)
        return fail("a journal that is there, or too many workers", NULL);
    if (cql_session_open_wait(f.url, &s, &err) || cql_jobs_new(s, f.keyspace, &jobs))
        return fail("no session", err);
    for (int i = 0; i < f.workers && !bad; i++)
        bad = start(&f, i);
    bad = bad ? bad : shepherd(&f, jobs, jobs_count, kills);
    for (int i = 0; i < f.workers; i++)
        if (f.pids[i] > 0)
            end(&f, i);
    cql_jobs_free(jobs);
    (void)cql_session_close_wait(s);
    cql_session_free(s);
    bad = bad ? bad : read_journal(&j, f.journal);
    bad = bad ? bad : check(&j, jobs_count, strtoll(f.lease, NULL, 10) * 1000000);
    free(j.runs);
    return bad;
}

int main(int argc, char **argv)
{
    if (argc == 6 && !strcmp(argv[1], "work"))
        return work(argv);
    if (argc == 9 && !strcmp(argv[1], "run"))
        return run_fleet(argv);
    return fail("wrong arguments", NULL);
}
