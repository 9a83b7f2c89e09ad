/* work: a worker on one loop: session, timers, signals and commands, no thread. */
#include "jobcli/exec.h"
#include "jobcli/run.h"

#include "common/exit_code.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/report.h"
#include "common/escape.h"

#include <cqlnative/uv.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESULT_MAX (1u << 20)

typedef struct work {
    jobs_run *run;
    uv_loop_t loop;
    uv_timer_t timer; /* the worker's next step */
    uv_signal_t signals[2];
    cql_session *s;
    cql_worker *w;
    jobs_exec_settings exec;
    bool woken;
    bool stepping;
    bool closing;
    unsigned stops;
    unsigned long long abandoned;
    int code;
} work;

/* --- telling ---------------------------------------------------------------------------------- */
static const char *word_for(cql_worker_event_kind kind)
{
    switch (kind) {
    case CQL_WORKER_CLAIMED:
        return "claimed";
    case CQL_WORKER_SUCCEEDED:
        return "succeeded";
    case CQL_WORKER_RETRY:
        return "failed";
    case CQL_WORKER_ABANDONED:
        return "abandoned";
    case CQL_WORKER_GIVEN_BACK:
        return "given-back";
    case CQL_WORKER_CLAIM_LOST:
        return "claim-lost";
    case CQL_WORKER_RECLAIMED:
        return "reclaimed";
    case CQL_WORKER_TROUBLE:
        return "trouble";
    case CQL_WORKER_RESUMED:
        return "resumed";
    case CQL_WORKER_UNKNOWN:
        return "unknown";
    case CQL_WORKER_UNHANDLED:
        return "unhandled";
    }
    return "event";
}

static void tell_json(const cql_worker_event *e)
{
    cJSON *line = tool_json_object(word_for(e->kind));
    char at[JOBS_TIME_SIZE];

    if (e->job) {
        tool_json_str(line, "id", e->job->id);
        tool_json_str(line, "type", e->job->type);
        tool_json_int(line, "attempt", e->job->retry_count + 1);
    }
    if (e->token != CQL_JOB_NO_TIME)
        tool_json_int(line, "token", e->token);
    if (e->at_ms != CQL_JOB_NO_TIME) {
        jobs_print_time(e->at_ms, at);
        tool_json_text(line, "again_at", at);
    }
    if (*e->text)
        tool_json_text(line, "reason", e->text);
    if (e->err)
        tool_json_error(line, e->err);
    tool_json_line(stdout, line);
}

/* What follows word, id, type and run. */
static char *rest_of(const cql_worker_event *e)
{
    char at[JOBS_TIME_SIZE];

    switch (e->kind) {
    case CQL_WORKER_RETRY:
        jobs_print_time(e->at_ms, at);
        return tool_format(": %s; again at %s", e->text, at);
    case CQL_WORKER_ABANDONED:
    case CQL_WORKER_CLAIM_LOST:
    case CQL_WORKER_RECLAIMED:
        return tool_format(": %s", e->text);
    case CQL_WORKER_UNKNOWN:
        return tool_format(
            ": whether it was written could not be found out; its lease will settle it%s%s",
            e->err ? " - " : "", e->err ? cql_error_text(e->err) : "");
    default:
        return tool_copy("");
    }
}

static void tell_people(const work *w, const cql_worker_event *e)
{
    char *rest;

    if (e->kind == CQL_WORKER_TROUBLE) {
        tool_remark(JOBS_NAME, "%s; waiting until it works again", cql_error_text(e->err));
        return;
    }
    if (e->kind == CQL_WORKER_RESUMED) {
        tool_remark(JOBS_NAME, "it works again");
        return;
    }
    if (e->kind == CQL_WORKER_CLAIMED && !w->run->cli->verbose)
        return;
    rest = rest_of(e);
    printf("%-10s ", word_for(e->kind));
    tool_put_escaped(stdout, e->job->id);
    putchar(' ');
    tool_put_escaped(stdout, e->job->type);
    printf(" run %d", (int)e->job->retry_count + 1);
    tool_put_escaped(stdout, cql_str_of(rest));
    putchar('\n');
    fflush(stdout);
    free(rest);
}

static void on_event(void *user, const cql_worker_event *e)
{
    work *w = user;

    w->abandoned += e->kind == CQL_WORKER_ABANDONED;
    if (w->run->cli->json)
        tell_json(e);
    else
        tell_people(w, e);
}

/* --- the loop --------------------------------------------------------------------------------- */
static void on_session_closed(cql_session *s, const cql_error *err, void *user)
{
    (void)err;
    (void)user;
    cql_session_free(s);
}

/* Everything that keeps the loop running; commands close what is theirs. */
static void close_down(work *w)
{
    if (w->closing)
        return;
    w->closing = true;
    cql_worker_free(w->w);
    w->w = NULL;
    cql_jobs_free(w->run->jobs);
    w->run->jobs = NULL;
    uv_close((uv_handle_t *)&w->timer, NULL);
    uv_close((uv_handle_t *)&w->signals[0], NULL);
    uv_close((uv_handle_t *)&w->signals[1], NULL);
    if (cql_session_close(w->s, on_session_closed, NULL))
        cql_session_free(w->s);
}

static void on_flushed(cql_jobs *jobs, const cql_error *err, void *user)
{
    (void)jobs;
    (void)err;
    close_down(user);
}

/* The worker goes, and the session once the counters are stored. */
static void finish(work *w)
{
    cql_worker_free(w->w);
    w->w = NULL;
    if (cql_jobs_flush(w->run->jobs, on_flushed, w))
        close_down(w);
}

static void on_step(uv_timer_t *timer)
{
    work *w = timer->data;
    int ms;

    w->woken = false;
    w->stepping = true;
    ms = cql_worker_step(w->w);
    w->stepping = false;
    if (cql_worker_is_finished(w->w)) {
        finish(w);
        return;
    }
    if (w->woken)
        ms = 0;
    if (ms >= 0)
        (void)uv_timer_start(&w->timer, on_step, (uint64_t)ms, 0);
}

static void on_wake(cql_worker *worker, void *user)
{
    work *w = user;

    (void)worker;
    w->woken = true;
    if (!w->stepping && !w->closing)
        (void)uv_timer_start(&w->timer, on_step, 0, 0);
}

static void on_signal(uv_signal_t *signal, int number)
{
    work *w = signal->data;

    (void)number;
    if (!w->w) {
        close_down(w); /* not even connected */
        return;
    }
    w->stops++;
    if (cql_worker_running(w->w) && w->stops == 1)
        tool_remark(JOBS_NAME, "stopping; waiting for %zu running %s, again to end them now",
                    cql_worker_running(w->w), cql_worker_running(w->w) == 1 ? "job" : "jobs");
    cql_worker_stop(w->w);
}

static void on_job(cql_job *job, void *user)
{
    work *w = user;

    jobs_exec_start(&w->exec, job);
}

/* --- beginning -------------------------------------------------------------------------------- */
static cql_status make_worker(work *w, cql_error **err)
{
    const jobs_cli *cli = w->run->cli;
    char *name = cli->name ? tool_copy(cli->name) : NULL;
    cql_worker_options o = {.size = sizeof o,
                            .concurrency = (uint32_t)cli->concurrency,
                            .lease_s = (uint32_t)(cli->lease_ms / 1000),
                            .poll_ms = (uint32_t)cli->poll_ms,
                            .retry_delay_ms = (uint32_t)cli->retry_delay_ms,
                            .stop_s = (uint32_t)(cli->stop_ms / 1000),
                            .drain = cli->drain,
                            .retry = cli->backoff,
                            .recurring_poll_ms = (uint32_t)cli->recurring_ms,
                            .no_recurring = cli->no_recurring,
                            .retention_s = (uint32_t)(cli->retention_ms / 1000),
                            .on_event = on_event,
                            .on_wake = on_wake,
                            .user = w};
    cql_status st = cql_jobs_handle(w->run->jobs, NULL, on_job, w);

    if (!name) {
        char host[40] = "";

        (void)gethostname(host, sizeof host - 1);
        name = tool_format("%s/%ld",
                           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789.-") == strlen(host)
                               ? host
                               : "worker",
                           (long)getpid());
    }
    o.name = name;
    if (!st)
        st = cql_worker_new(w->run->jobs, &o, &w->w, err);
    free(name);
    return st;
}

static void on_connected(cql_session *s, const cql_error *err, void *user)
{
    work *w = user;
    cql_error *own = NULL;

    (void)s;
    if (w->closing)
        return;
    if (err) {
        tool_report(JOBS_NAME, err, NULL);
        w->code = (int)tool_exit_of_connect(err);
        close_down(w);
        return;
    }
    w->run->s = w->s;
    w->code = jobs_open(w->run);
    w->run->s = NULL; /* it is closed here */
    if (w->code == TOOL_EXIT_OK && make_worker(w, &own)) {
        if (own)
            tool_report(JOBS_NAME, own, NULL);
        w->code = TOOL_EXIT_USAGE;
    }
    cql_error_unref(own);
    if (w->code != TOOL_EXIT_OK)
        close_down(w);
    else
        on_wake(w->w, w);
}

/* Whether the cluster and its tables are there, by blocking calls: the worker begins well. */
static int look_first(jobs_run *run)
{
    cql_error *err = NULL;
    int code = jobs_connect(run);

    if (code == TOOL_EXIT_OK)
        code = jobs_open(run);
    if (code == TOOL_EXIT_OK && cql_jobs_check_wait(run->jobs, &err))
        code = jobs_report(err);
    cql_error_unref(err);
    cql_jobs_free(run->jobs);
    run->jobs = NULL;
    if (run->s)
        cql_session_close_wait(run->s);
    cql_session_free(run->s);
    run->s = NULL;
    return code;
}

static int prepare_loop(work *w)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    int rc = uv_loop_init(&w->loop);

    if (rc)
        return rc;
    (void)uv_timer_init(&w->loop, &w->timer);
    w->timer.data = w;
    for (int i = 0; i < 2; i++) {
        (void)uv_signal_init(&w->loop, &w->signals[i]);
        w->signals[i].data = w;
        rc = rc ? rc : uv_signal_start(&w->signals[i], on_signal, numbers[i]);
    }
    return rc;
}

static uint64_t kill_time(const jobs_cli *cli)
{
    uint64_t lease = cli->lease_ms ? cli->lease_ms : 300000;

    return lease / 20 < 2000 ? lease / 20 : 2000; /* what is left of a lease is a tenth of it */
}

int jobs_work(jobs_run *run)
{
    work w = {.run = run};
    cql_error *err = NULL;
    int code = look_first(run);

    if (code != TOOL_EXIT_OK)
        return code;
    w.exec = (jobs_exec_settings){&w.loop, run->cli->exec, RESULT_MAX, kill_time(run->cli)};
    if (prepare_loop(&w) || cql_session_new_uv(&w.loop, run->options, &w.s, &err) ||
        cql_session_connect(w.s, on_connected, &w)) {
        if (err)
            tool_report(JOBS_NAME, err, NULL);
        cql_error_unref(err);
        return TOOL_EXIT_FAILED;
    }
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&w.loop);
    if (w.code == TOOL_EXIT_OK && run->cli->drain && w.abandoned)
        return TOOL_EXIT_FAILED;
    return w.code;
}
