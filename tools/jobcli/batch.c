/* batch: the jobs of a batch from the lines of a file; cleanup: deletes jobs that ended. */
#include "jobcli/run.h"

#include "common/exit_code.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct members {
    cql_job_spec *specs;
    size_t count, capacity;
} members;

static void members_free(members *m)
{
    for (size_t i = 0; i < m->count; i++)
        free((void *)(uintptr_t)m->specs[i].arguments.ptr);
    free(m->specs);
}

static bool add_line(const jobs_cli *cli, members *m, char *line, size_t n, unsigned long long at)
{
    line = jobs_trim_line(line, &n, at == 1);
    if (!n)
        return true;
    if (strlen(line) != n || !tool_json_is_value(line)) {
        tool_fail(JOBS_NAME, "%s:%llu: not JSON, and nothing was stored", cli->lines, at);
        return false;
    }
    m->specs = tool_grow(m->specs, &m->capacity, m->count + 1, sizeof m->specs[0]);
    m->specs[m->count] = (cql_job_spec){.size = sizeof m->specs[0],
                                        .type = cli->words[0],
                                        .max_retries = cli->max_retries,
                                        .backoff = cli->backoff};
    m->specs[m->count++].arguments = cql_str_of(tool_copy(line));
    return true;
}

/* False after a message. */
static bool read_members(const jobs_cli *cli, members *m)
{
    FILE *file = strcmp(cli->lines, "-") == 0 ? stdin : fopen(cli->lines, "re");
    unsigned long long at = 0;
    size_t capacity = 0;
    char *line = NULL;
    bool good = file != NULL;
    ssize_t n;

    while (good && (n = getline(&line, &capacity, file)) >= 0)
        good = add_line(cli, m, line, (size_t)n, ++at);
    if (!file || ferror(file)) {
        tool_fail(JOBS_NAME, "%s: %s", cli->lines, strerror(errno));
        good = false;
    } else if (good && !m->count) {
        tool_fail(JOBS_NAME, "%s: no line, no batch", cli->lines);
        good = false;
    }
    if (file && file != stdin)
        fclose(file);
    free(line);
    return good;
}

int jobs_batch(jobs_run *run)
{
    const jobs_cli *cli = run->cli;
    members m = {0};
    cql_job_spec then = {.size = sizeof then, .type = cli->then, .max_retries = cli->max_retries};
    cql_job_list *list = NULL;
    cql_error *err = NULL;
    int code = TOOL_EXIT_OK;

    then.arguments = cql_str_of(cli->then_json ? cli->then_json : "{}");
    if (!read_members(cli, &m)) {
        code = TOOL_EXIT_FAILED;
    } else if (cql_jobs_enqueue_batch_wait(run->jobs, cli->id, m.specs, m.count,
                                           cli->then ? &then : NULL, &list, &err)) {
        code = jobs_report(err);
    } else if (cli->json) {
        for (size_t i = 0; i < cql_job_list_count(list); i++)
            jobs_show_json(stdout, "created", cql_job_list_at(list, i));
    } else {
        printf("%s\n", cql_job_list_at(list, 0)->batch_id.ptr);
    }
    cql_job_list_free(list);
    cql_error_unref(err);
    members_free(&m);
    return code;
}

int jobs_cleanup(jobs_run *run)
{
    const jobs_cli *cli = run->cli;
    cql_cleanup_options o = {.size = sizeof o,
                             .older_than_s = (int64_t)(cli->older_ms / 1000),
                             .states = cli->has_state ? 1U << cli->state : 0,
                             .limit = (uint32_t)cli->limit};
    cql_error *err = NULL;
    int64_t count = 0;
    int code = TOOL_EXIT_OK;

    if (cql_jobs_cleanup_wait(run->jobs, &o, &count, &err)) {
        code = jobs_report(err);
    } else if (cli->json) {
        cJSON *line = tool_json_object(NULL);

        tool_json_int(line, "deleted", count);
        tool_json_line(stdout, line);
    } else {
        printf("%lld deleted\n", (long long)count);
    }
    cql_error_unref(err);
    return code;
}
