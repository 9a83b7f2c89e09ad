/* cancel, delete and retry: each id for itself, the worst outcome as exit code. */
#include "jobcli/run.h"

#include "common/exit_code.h"
#include "common/json.h"
#include "common/report.h"

static void tell(const jobs_run *run, const char *id, const cql_error *err)
{
    jobs_command command = run->cli->command;
    const char *done = command == JOBS_DELETE  ? "deleted"
                       : command == JOBS_RETRY ? "retried"
                                               : "cancelled";
    cJSON *line;

    if (!run->cli->json) {
        if (!err)
            printf("%s %s\n", done, id);
        return;
    }
    line = tool_json_object(NULL);
    tool_json_text(line, "id", id);
    tool_json_bool(line, done, !err);
    if (err)
        tool_json_error(line, err);
    tool_json_line(stdout, line);
}

static cql_status act(const jobs_run *run, const char *id, cql_error **err)
{
    if (run->cli->command == JOBS_DELETE)
        return cql_jobs_delete_wait(run->jobs, id, err);
    if (run->cli->command == JOBS_RETRY)
        return cql_jobs_retry_wait(run->jobs, id, err);
    return cql_jobs_cancel_wait(run->jobs, id, err);
}

int jobs_each_id(jobs_run *run)
{
    const jobs_cli *cli = run->cli;
    int worst = TOOL_EXIT_OK;

    for (size_t i = 0; i < cli->word_count; i++) {
        const char *id = cli->words[i];
        cql_error *err = NULL;
        cql_status st = act(run, id, &err);

        if (st) {
            int code = jobs_report(err);

            worst = code > worst ? code : worst;
        }
        tell(run, id, err);
        cql_error_unref(err);
    }
    return worst;
}
