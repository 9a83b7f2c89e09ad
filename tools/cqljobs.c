/* cqljobs: stores, runs and shows jobs that live in Cassandra tables. */
#include "jobcli/cli.h"
#include "jobcli/run.h"

#include "common/exit_code.h"
#include "common/interrupt.h"
#include "common/report.h"

/* What goes from line to line or from look to look; all else ends as any program does. */
static bool looks_at_interrupts(const jobs_cli *cli)
{
    return cli->command == JOBS_WATCH ||
           (cli->lines && (cli->command == JOBS_ENQUEUE || cli->command == JOBS_SCHEDULE));
}

static int run_command(jobs_run *run)
{
    int code;

    if (run->cli->command == JOBS_WORK)
        return jobs_work(run);
    code = jobs_connect(run);
    if (!looks_at_interrupts(run->cli))
        tool_release_interrupts();
    if (code == TOOL_EXIT_OK && run->cli->command == JOBS_INIT)
        return jobs_init(run);
    if (code == TOOL_EXIT_OK)
        code = jobs_open(run);
    if (code != TOOL_EXIT_OK)
        return code;
    switch (run->cli->command) {
    case JOBS_ENQUEUE:
    case JOBS_SCHEDULE:
        return jobs_enqueue(run);
    case JOBS_GET:
        return jobs_get(run);
    case JOBS_LIST:
        return jobs_list(run);
    case JOBS_STATS:
        return jobs_stats(run);
    case JOBS_CANCEL:
    case JOBS_DELETE:
    case JOBS_RETRY:
        return jobs_each_id(run);
    case JOBS_BATCH:
        return jobs_batch(run);
    case JOBS_RECURRING:
        return jobs_recurring(run);
    case JOBS_CLEANUP:
        return jobs_cleanup(run);
    case JOBS_WATCH:
        return jobs_watch(run);
    case JOBS_INIT:
    case JOBS_WORK:
        break;
    }
    return TOOL_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    jobs_cli cli;
    jobs_run run = {.cli = &cli};
    int code;

    if (!jobs_cli_read(&cli, argc, argv) || !jobs_cli_is_sound(&cli) || !jobs_prepare(&run, &cli)) {
        code = cli.args.exit_code;
    } else {
        tool_catch_interrupts();
        tool_report_json(cli.json);
        code = run_command(&run);
    }
    jobs_close(&run);
    jobs_cli_free(&cli);
    return tool_finish(JOBS_NAME, code);
}
