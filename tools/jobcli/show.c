/* Jobs for people and for programs: get, list, stats. */
#include "jobcli/run.h"

#include "common/escape.h"
#include "common/exit_code.h"
#include "common/interrupt.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CELL_MAX 48

/* --- JSON ------------------------------------------------------------------------------------- */
static void json_text(cJSON *line, const char *name, cql_str text)
{
    if (text.ptr)
        tool_json_str(line, name, text);
    else
        tool_json_text(line, name, NULL);
}

static void json_time(cJSON *line, const char *name, int64_t unix_ms)
{
    char text[JOBS_TIME_SIZE];

    jobs_print_time(unix_ms, text);
    tool_json_text(line, name, *text ? text : NULL);
}

void jobs_show_json(FILE *out, const char *event, const cql_job_info *job)
{
    cJSON *line = tool_json_object(event);

    json_text(line, "id", job->id);
    json_text(line, "type", job->type);
    tool_json_text(line, "state", cql_job_state_name(job->state));
    tool_json_int(line, "state_number", job->state);
    json_text(line, "arguments", job->arguments);
    json_text(line, "result", job->result);
    json_text(line, "error_message", job->error_message);
    tool_json_int(line, "retry_count", job->retry_count);
    tool_json_int(line, "max_retry_count", job->max_retry_count);
    json_time(line, "created_at", job->created_at);
    json_time(line, "scheduled_at", job->scheduled_at);
    json_time(line, "executed_at", job->executed_at);
    json_text(line, "batch_id", job->batch_id);
    json_text(line, "parent_job_id", job->parent_job_id);
    if (job->claim.ptr)
        json_text(line, "claim", job->claim);
    tool_json_line(out, line);
}

/* --- one job ---------------------------------------------------------------------------------- */
static void print_text(const char *name, cql_str text)
{
    if (!text.ptr)
        return;
    printf("%-14s ", name);
    tool_put_escaped(stdout, text);
    putchar('\n');
}

static void print_time(const char *name, int64_t unix_ms)
{
    char text[JOBS_TIME_SIZE];

    jobs_print_time(unix_ms, text);
    if (*text)
        printf("%-14s %s\n", name, text);
}

static void print_job(const cql_job_info *job)
{
    print_text("id", job->id);
    print_text("type", job->type);
    printf("%-14s %s\n", "state", cql_job_state_name(job->state));
    print_text("arguments", job->arguments);
    print_text("result", job->result);
    print_text("error", job->error_message);
    printf("%-14s %d of %d\n", "retries", (int)job->retry_count, (int)job->max_retry_count);
    print_time("created", job->created_at);
    print_time("scheduled", job->scheduled_at);
    print_time("executed", job->executed_at);
    print_text("held by", job->claim);
    print_text("batch", job->batch_id);
    print_text("parent", job->parent_job_id);
}

int jobs_get(jobs_run *run)
{
    cql_error *err = NULL;
    cql_job_info *job = NULL;
    int code = TOOL_EXIT_OK;

    if (cql_jobs_get_wait(run->jobs, run->cli->words[0], &job, &err))
        code = jobs_report(err);
    else if (run->cli->json)
        jobs_show_json(stdout, NULL, job);
    else
        print_job(job);
    cql_job_info_free(job);
    cql_error_unref(err);
    return code;
}

/* --- many jobs -------------------------------------------------------------------------------- */
/* Cut so that a row stays readable. */
static void text_cell(tool_table *t, cql_str text)
{
    char *safe = tool_escaped(text);
    size_t width = tool_text_width(safe);

    while (width > CELL_MAX) { /* from the end, whole characters */
        size_t n = strlen(safe);

        do
            n--;
        while (n && ((unsigned char)safe[n] & 0xc0) == 0x80);
        safe[n] = '\0';
        width = tool_text_width(safe) + 3;
    }
    if (strlen(safe) < text.len && tool_text_width(safe) + 3 >= CELL_MAX)
        tool_table_cellf(t, "%s...", safe);
    else
        tool_table_cell(t, safe);
    free(safe);
}

static void add_row(tool_table *t, const cql_job_info *job)
{
    char text[JOBS_TIME_SIZE];

    text_cell(t, job->id);
    text_cell(t, job->type);
    jobs_print_time(job->created_at, text);
    tool_table_cell(t, text);
    jobs_print_time(job->scheduled_at, text);
    tool_table_cell(t, text);
    tool_table_cellf(t, "%d/%d", (int)job->retry_count, (int)job->max_retry_count);
    text_cell(t, job->state == CQL_JOB_SUCCEEDED || !job->error_message.ptr ? job->result
                                                                            : job->error_message);
}

static void print_list(const cql_job_list *list, const char *which)
{
    tool_table *t = tool_table_new();

    tool_table_column(t, "id", TOOL_LEFT);
    tool_table_column(t, "type", TOOL_LEFT);
    tool_table_column(t, "created", TOOL_LEFT);
    tool_table_column(t, "scheduled", TOOL_LEFT);
    tool_table_column(t, "retries", TOOL_RIGHT);
    tool_table_column(t, "result or error", TOOL_LEFT);
    for (size_t i = 0; i < cql_job_list_count(list); i++)
        add_row(t, cql_job_list_at(list, i));
    tool_table_print(t, stdout);
    printf("(%zu %s)\n", cql_job_list_count(list), which);
    tool_table_free(t);
}

int jobs_list(jobs_run *run)
{
    const jobs_cli *cli = run->cli;
    cql_error *err = NULL;
    cql_job_list *list = NULL;
    int code = TOOL_EXIT_OK;

    if (cli->batch ? cql_jobs_list_batch_wait(run->jobs, cli->batch, (uint32_t)cli->limit, &list, &err)
                   : cql_jobs_list_wait(run->jobs, cli->state, (uint32_t)cli->limit, &list, &err)) {
        code = jobs_report(err);
    } else if (cli->json) {
        for (size_t i = 0; i < cql_job_list_count(list); i++)
            jobs_show_json(stdout, NULL, cql_job_list_at(list, i));
    } else {
        print_list(list, cli->batch ? "in the batch" : cql_job_state_name((int)cli->state));
    }
    cql_job_list_free(list);
    cql_error_unref(err);
    return code;
}

/* --- counts ----------------------------------------------------------------------------------- */
#define STATES (CQL_JOB_AWAITING_BATCH + 1)

static void print_counts(const int64_t counts[STATES])
{
    tool_table *t = tool_table_new();

    tool_table_column(t, "state", TOOL_LEFT);
    tool_table_column(t, "jobs", TOOL_RIGHT);
    for (int i = 0; i < STATES; i++) {
        tool_table_cell(t, cql_job_state_name(i));
        tool_table_cellf(t, "%" PRId64, counts[i]);
    }
    tool_table_print(t, stdout);
    tool_table_free(t);
}

static void print_counts_json(const int64_t counts[STATES])
{
    cJSON *line = tool_json_object(NULL);

    for (int i = 0; i < STATES; i++)
        tool_json_int(line, cql_job_state_name(i), counts[i]);
    tool_json_line(stdout, line);
}

static cql_status count_state(const jobs_run *run, int state, int64_t *count, cql_error **err)
{
    if (run->cli->recount)
        return cql_jobs_recount_wait(run->jobs, (cql_job_state)state, count, err);
    return cql_jobs_count_wait(run->jobs, (cql_job_state)state, count, err);
}

int jobs_stats(jobs_run *run)
{
    int64_t counts[STATES];
    cql_error *err = NULL;

    for (int i = 0; i < STATES; i++)
        if (count_state(run, i, &counts[i], &err)) {
            int code = jobs_report(err);

            cql_error_unref(err);
            return code;
        }
    if (run->cli->json)
        print_counts_json(counts);
    else
        print_counts(counts);
    return TOOL_EXIT_OK;
}

/* --- watch ------------------------------------------------------------------------------------ */
#define WATCH_MS 2000

static void print_watch(const jobs_run *run, const int64_t now[STATES], const int64_t before[STATES],
                        bool first, double seconds)
{
    int64_t ended = 0;
    cJSON *line;

    for (int i = 0; i < STATES && !first; i++) /* what clean-up took did not un-end */
        ended += cql_job_state_is_final(i) && now[i] > before[i] ? now[i] - before[i] : 0;
    if (run->cli->json) {
        line = tool_json_object(NULL);
        for (int i = 0; i < STATES; i++)
            tool_json_int(line, cql_job_state_name(i), now[i]);
        tool_json_int(line, "ended_per_minute", (int64_t)((double)ended * 60 / seconds));
        tool_json_line(stdout, line);
        fflush(stdout);
        return;
    }
    if (isatty(STDOUT_FILENO) && !first)
        printf("\033[%dA", STATES + 1); /* over what was printed last */
    for (int i = 0; i < STATES; i++)
        printf("%-22s %12" PRId64 " %+10.1f/s\n", cql_job_state_name(i), now[i],
               first ? 0.0 : (double)(now[i] - before[i]) / seconds);
    printf("%-22s %12s %10.1f/s\n", "ended", "", (double)ended / seconds);
    fflush(stdout);
}

int jobs_watch(jobs_run *run)
{
    uint64_t ms = run->cli->interval_ms ? run->cli->interval_ms : WATCH_MS;
    int64_t before[STATES] = {0}, now[STATES];
    cql_error *err = NULL;

    for (uint64_t n = 0; !tool_interrupted(); n++) {
        for (int i = 0; i < STATES; i++)
            if (count_state(run, i, &now[i], &err)) {
                int code = jobs_report(err);

                cql_error_unref(err);
                return code;
            }
        print_watch(run, now, before, n == 0, (double)ms / 1000);
        memcpy(before, now, sizeof before);
        if (run->cli->count && n + 1 >= run->cli->count)
            break;
        (void)tool_poll(NULL, 0, (int)ms);
    }
    return TOOL_EXIT_OK;
}
