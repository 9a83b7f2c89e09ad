/* Connecting, opening the store, telling what went wrong. */
#include "jobcli/run.h"

#include "common/exit_code.h"
#include "common/interrupt.h"
#include "common/memory.h"
#include "common/progress.h"
#include "common/report.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RETRY_MS 2000
#define AGAIN_MS 600000

static void on_log(void *user, cql_log_level level, cql_str text)
{
    (void)user;
    (void)level;
    fprintf(stderr, "%.*s\n", (int)text.len, text.ptr);
}

bool jobs_prepare(jobs_run *run, jobs_cli *cli)
{
    const char *keyspace = cli->keyspace;
    cql_status st;

    memset(run, 0, sizeof *run);
    run->cli = cli;
    run->options = tool_connection_build(&cli->connection, &cli->args);
    if (!run->options)
        return false;
    /* As the session's it would make connecting fail where the keyspace is not there yet. */
    if (!keyspace)
        keyspace = cql_options_value(run->options, "keyspace");
    run->keyspace = tool_copy(keyspace && *keyspace ? keyspace : "jobsharp");
    st = cql_options_set_keyspace(run->options, NULL);
    if (st) {
        tool_args_fail(&cli->args, "%s", cql_status_text(st));
        return false;
    }
    if (cli->verbose)
        cql_options_set_log(run->options, on_log, NULL, CQL_LOG_INFO);
    return true;
}

int jobs_report(const cql_error *err)
{
    if (tool_missing_object(err) || cql_error_status(err) == CQL_MALFORMED) /* its text says it all */
        tool_report_briefly(JOBS_NAME, err);
    else
        tool_report(JOBS_NAME, err, "jobsharp.cql");
    return (int)tool_exit_of_statement(err);
}

static uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static cql_status try_to_connect(jobs_run *run, cql_error **err)
{
    cql_status st = cql_session_new(run->options, &run->s, err);

    if (!st)
        st = cql_session_connect_wait(run->s, err);
    if (st) {
        cql_session_free(run->s);
        run->s = NULL;
    }
    return st;
}

int jobs_connect(jobs_run *run)
{
    uint64_t end = now_ms() + run->cli->wait_ms;
    cql_error *err = NULL;
    int code;

    if (cql_options_set(run->options, "loop_threads", "0", &err))
        return jobs_report(err);
    while (try_to_connect(run, &err) != CQL_OK) {
        code = (int)tool_exit_of_connect(err);
        if (code != TOOL_EXIT_UNREACHED || now_ms() + RETRY_MS > end || tool_interrupted()) {
            tool_report(JOBS_NAME, err, NULL);
            cql_error_unref(err);
            return code;
        }
        tool_progress("waiting for the cluster, %llu s left",
                      (unsigned long long)((end - now_ms()) / 1000));
        (void)tool_poll(NULL, 0, RETRY_MS);
    }
    tool_progress_clear();
    cql_error_unref(err);
    return TOOL_EXIT_OK;
}

bool jobs_warning_is_new(jobs_warned *warned, const char *text, uint64_t now_ms)
{
    char key[sizeof warned->text[0]];
    size_t n = 0;

    for (const char *p = text; *p && n + 1 < sizeof key; p++)
        if (*p < '0' || *p > '9')
            key[n++] = *p;
    key[n] = '\0';
    for (size_t i = 0; i < CQL_COUNT(warned->text); i++)
        if (strcmp(warned->text[i], key) == 0 && now_ms - warned->at_ms[i] < AGAIN_MS)
            return false;
    memcpy(warned->text[warned->next], key, n + 1);
    warned->at_ms[warned->next] = now_ms;
    warned->next = (warned->next + 1) % CQL_COUNT(warned->text);
    return true;
}

/* A queue is full of tombstones, so servers warn of nearly every look at it. */
static void on_warning(void *user, cql_str text)
{
    jobs_run *run = user;
    char *copy = tool_copy_str(text);

    if (jobs_warning_is_new(&run->warned, copy, now_ms()) || run->cli->verbose)
        tool_remark(JOBS_NAME, "warning: %s", copy);
    free(copy);
}

int jobs_open(jobs_run *run)
{
    const jobs_cli *cli = run->cli;
    cql_error *err = NULL;
    cql_jobs_options o = {.size = sizeof o,
                          .keyspace = run->keyspace,
                          .buckets = (uint32_t)cli->buckets,
                          .consistency = cli->consistency,
                          .serial_consistency = cli->serial_consistency,
                          .on_warning = on_warning,
                          .user = run};

    if (cql_jobs_new_with(run->s, &o, &run->jobs, &err) == CQL_OK)
        return TOOL_EXIT_OK;
    tool_report(JOBS_NAME, err, NULL);
    cql_error_unref(err);
    return TOOL_EXIT_USAGE;
}

void jobs_close(jobs_run *run)
{
    jobs_command c = run->cli ? run->cli->command : JOBS_GET;
    bool reads = c == JOBS_GET || c == JOBS_LIST || c == JOBS_STATS || c == JOBS_WATCH ||
                 c == JOBS_RECURRING;

    if (run->jobs && run->s && !reads)
        (void)cql_jobs_flush_wait(run->jobs, NULL);
    cql_jobs_free(run->jobs);
    if (run->s)
        cql_session_close_wait(run->s);
    cql_session_free(run->s);
    cql_options_free(run->options);
    free(run->keyspace);
}
