/* recurring: schedules that workers turn into jobs. */
#include "jobcli/run.h"

#include "common/escape.h"
#include "common/exit_code.h"
#include "common/json.h"
#include "common/table.h"

#include <stdlib.h>
#include <string.h>

static void text_cell(tool_table *t, cql_str text)
{
    char *safe = tool_escaped(text);

    tool_table_cell(t, safe);
    free(safe);
}

static void time_cell(tool_table *t, int64_t unix_ms)
{
    char text[JOBS_TIME_SIZE];

    jobs_print_time(unix_ms, text);
    tool_table_cell(t, *text ? text : "-");
}

static void print_all(const cql_recurring_list *list)
{
    static const char *const heads[] = {"id", "cron (UTC)", "type", "enabled", "next", "last"};
    tool_table *t = tool_table_new();

    for (size_t i = 0; i < CQL_COUNT(heads); i++)
        tool_table_column(t, heads[i], TOOL_LEFT);
    for (size_t i = 0; i < cql_recurring_list_count(list); i++) {
        const cql_recurring_info *r = cql_recurring_list_at(list, i);

        text_cell(t, r->id);
        text_cell(t, r->cron);
        text_cell(t, r->type);
        tool_table_cell(t, r->is_enabled ? "yes" : "no");
        time_cell(t, r->is_enabled ? r->next_execution : CQL_JOB_NO_TIME);
        time_cell(t, r->last_execution);
    }
    tool_table_print(t, stdout);
    tool_table_free(t);
}

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

static void print_json(const cql_recurring_info *r)
{
    cJSON *line = tool_json_object(NULL);

    json_text(line, "id", r->id);
    json_text(line, "cron", r->cron);
    json_text(line, "type", r->type);
    json_text(line, "arguments", r->arguments);
    tool_json_int(line, "max_retry_count", r->max_retry_count);
    tool_json_bool(line, "enabled", r->is_enabled);
    json_time(line, "next_execution", r->next_execution);
    json_time(line, "last_execution", r->last_execution);
    json_time(line, "created_at", r->created_at);
    tool_json_line(stdout, line);
}

static int list_all(jobs_run *run)
{
    cql_recurring_list *list = NULL;
    cql_error *err = NULL;
    int code = TOOL_EXIT_OK;

    if (cql_jobs_recurring_list_wait(run->jobs, &list, &err))
        code = jobs_report(err);
    else if (run->cli->json)
        for (size_t i = 0; i < cql_recurring_list_count(list); i++)
            print_json(cql_recurring_list_at(list, i));
    else
        print_all(list);
    cql_recurring_list_free(list);
    cql_error_unref(err);
    return code;
}

static int add(jobs_run *run)
{
    const jobs_cli *cli = run->cli;
    cql_recurring_spec spec = {.size = sizeof spec,
                               .id = cli->words[1],
                               .cron = cli->words[2],
                               .type = cli->words[3],
                               .max_retries = cli->max_retries,
                               .disabled = cli->disabled};
    cql_error *err = NULL;
    int code = TOOL_EXIT_OK;

    spec.arguments = cql_str_of(cli->word_count > 4 ? cli->words[4] : "{}");
    if (cql_jobs_recurring_set_wait(run->jobs, &spec, &err))
        code = jobs_report(err);
    if (cli->json) {
        cJSON *line = tool_json_object(NULL);

        tool_json_text(line, "id", cli->words[1]);
        tool_json_bool(line, "stored", !err);
        if (err)
            tool_json_error(line, err);
        tool_json_line(stdout, line);
    } else if (!err) {
        printf("stored %s\n", cli->words[1]);
    }
    cql_error_unref(err);
    return code;
}

static int each(jobs_run *run)
{
    const jobs_cli *cli = run->cli;
    bool removes = strcmp(cli->words[0], "remove") == 0;
    bool enables = strcmp(cli->words[0], "enable") == 0;
    int worst = TOOL_EXIT_OK;

    for (size_t i = 1; i < cli->word_count; i++) {
        cql_error *err = NULL;
        cql_status st =
            removes ? cql_jobs_recurring_remove_wait(run->jobs, cli->words[i], &err)
                    : cql_jobs_recurring_enable_wait(run->jobs, cli->words[i], enables, &err);

        if (st) {
            int code = jobs_report(err);

            worst = code > worst ? code : worst;
        } else if (!cli->json) {
            printf("%sd %s\n", cli->words[0], cli->words[i]);
        }
        cql_error_unref(err);
    }
    return worst;
}

int jobs_recurring(jobs_run *run)
{
    const char *verb = run->cli->words[0];

    if (strcmp(verb, "list") == 0)
        return list_all(run);
    return strcmp(verb, "add") == 0 ? add(run) : each(run);
}
