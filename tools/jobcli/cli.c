/* Reads the command line of cqljobs. Options may stand before and after the command; words before
 * it are targets, words after it are the command's, and targets where it takes none of its own. */
#include "jobcli/cli.h"

#include "common/exit_code.h"
#include "common/memory.h"
#include "common/nearest.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_MS 86400000u

enum {
    OPT_KEYSPACE = TOOL_OPT_OWN,
    OPT_JSON,
    OPT_VERBOSE,
    OPT_CONSISTENCY,
    OPT_SERIAL,
    OPT_BUCKETS,
    OPT_WAIT,
    OPT_REPLICATION,
    OPT_ID,
    OPT_LINES,
    OPT_MAX_RETRIES,
    OPT_AT,
    OPT_IN,
    OPT_STATE,
    OPT_LIMIT,
    OPT_EXEC,
    OPT_NAME,
    OPT_CONCURRENCY,
    OPT_LEASE,
    OPT_POLL,
    OPT_RETRY_DELAY,
    OPT_STOP,
    OPT_DRAIN
};

static const tool_option general_rows[] = {
    {'k', "keyspace", "NAME", OPT_KEYSPACE, "keyspace of the job tables (jobsharp)"},
    {0, "json", NULL, OPT_JSON, "one JSON object a line (fields: cqljobs(1))"},
    {0, "wait", "SECONDS", OPT_WAIT, "keep trying for so long until the cluster answers"},
    {0, "consistency", "LEVEL", OPT_CONSISTENCY, "of reads and writes (LOCAL_QUORUM)"},
    {0, "serial-consistency", "LEVEL", OPT_SERIAL,
     "of conditional updates (LOCAL_SERIAL); workers in several\ndata centres need SERIAL"},
    {0, "buckets", "N", OPT_BUCKETS, "of scheduled_jobs, the same for all (10)"},
    {'v', "verbose", NULL, OPT_VERBOSE, "more about what happens, on standard error"},
};
static const tool_option init_rows[] = {
    {0, "replication", "COPIES", OPT_REPLICATION,
     "3, or dc1:3[,dc2:3] (3 in the local data centre, or as\nmany as it has live nodes)"},
};
static const tool_option enqueue_rows[] = {
    {0, "id", "UUID", OPT_ID, "the job's id; storing the same id again changes nothing"},
    {0, "max-retries", "N", OPT_MAX_RETRIES, "runs after a failed one (3)"},
    {0, "lines", "FILE", OPT_LINES,
     "one job for each line of FILE (-: standard input), which\nis its JSON"},
    {0, "in", "SECONDS", OPT_IN, "schedule: so long from now"},
    {0, "at", "TIME", OPT_AT, "schedule: at 2026-05-01T12:00:00Z, or milliseconds"},
};
static const tool_option list_rows[] = {
    {'s', "state", "STATE", OPT_STATE, "name or number of the state"},
    {'n', "limit", "N", OPT_LIMIT, "at most so many jobs (100)"},
};
static const tool_option work_rows[] = {
    {'e', "exec", "COMMAND", OPT_EXEC, "what runs a job, by the shell"},
    {'j', "concurrency", "N", OPT_CONCURRENCY, "jobs at once (10)"},
    {0, "lease", "SECONDS", OPT_LEASE, "a worker silent for so long has lost its job (300)"},
    {0, "poll", "SECONDS", OPT_POLL, "between two looks when nothing is due (5)"},
    {0, "retry-delay", "SECONDS", OPT_RETRY_DELAY, "before a failed job runs again (30)"},
    {0, "stop-timeout", "SECONDS", OPT_STOP, "given to running commands at the end (30)"},
    {0, "drain", NULL, OPT_DRAIN, "end when no job is due any more"},
    {0, "name", "NAME", OPT_NAME, "what the worker is called while it holds a job"},
};
static const tool_option_set sets[] = {
    {"Options", general_rows, CQL_COUNT(general_rows)},
    {"Options of init", init_rows, CQL_COUNT(init_rows)},
    {"Options of enqueue and schedule", enqueue_rows, CQL_COUNT(enqueue_rows)},
    {"Options of list", list_rows, CQL_COUNT(list_rows)},
    {"Options of work", work_rows, CQL_COUNT(work_rows)},
    {"Connection", tool_connection_options, TOOL_CONNECTION_OPTION_COUNT},
};
static const tool_program program = {
    .name = JOBS_NAME,
    .usage = "[options] [HOST[:PORT] | cql://...] COMMAND",
    .purpose = "Durable jobs in Cassandra tables: stores them, runs them, shows them.\n"
               "Commands:\n"
               "  init                     make the keyspace and its tables\n"
               "  enqueue TYPE JSON        store a job that is due now; prints its id\n"
               "  schedule TYPE JSON       the same for later: --in or --at\n"
               "  get ID                   show a job\n"
               "  list --state STATE       show the jobs of a state, oldest first\n"
               "  stats                    how many jobs are in each state\n"
               "  work --exec COMMAND      run jobs until stopped\n"
               "  cancel ID...             jobs that have not started\n"
               "  delete ID...             jobs that do not run, with all their rows",
    .sets = sets,
    .set_count = CQL_COUNT(sets),
    .notes = "A job's JSON is the standard input of its command, the output becomes its result.\n"
             "The command finds CQL_JOB_ID, CQL_JOB_TYPE, CQL_JOB_ATTEMPT and CQL_JOB_TOKEN in\n"
             "its environment; any exit status but 0 is a failure.\n"
             "Examples:\n"
             "  cqljobs init 10.0.0.5\n"
             "  cqljobs enqueue send-mail '{\"to\":\"ann@example.org\"}'\n"
             "  cqljobs work --exec './send-mail' --concurrency 4\n"
             "  cqljobs list --state succeeded --json --limit 10\n",
};

/* --- commands --------------------------------------------------------------------------------- */
#define BIT(option) (1ULL << ((option)-TOOL_OPT_OWN))
#define GENERAL                                                                                    \
    (BIT(OPT_KEYSPACE) | BIT(OPT_JSON) | BIT(OPT_VERBOSE) | BIT(OPT_CONSISTENCY) |                 \
     BIT(OPT_SERIAL) | BIT(OPT_BUCKETS) | BIT(OPT_WAIT))

typedef struct command_row {
    const char *name;
    jobs_command command;
    uint64_t options;
    size_t least, most; /* words of its own; more, in front, are targets */
    const char *words;
} command_row;

#define MANY ((size_t)-1)
static const command_row commands[] = {
    {"init", JOBS_INIT, GENERAL | BIT(OPT_REPLICATION), 0, 0, ""},
    {"enqueue", JOBS_ENQUEUE, GENERAL | BIT(OPT_ID) | BIT(OPT_MAX_RETRIES) | BIT(OPT_LINES), 2, 2,
     "TYPE JSON"},
    {"schedule", JOBS_SCHEDULE,
     GENERAL | BIT(OPT_ID) | BIT(OPT_MAX_RETRIES) | BIT(OPT_LINES) | BIT(OPT_IN) | BIT(OPT_AT), 2,
     2, "TYPE JSON"},
    {"get", JOBS_GET, GENERAL, 1, 1, "ID"},
    {"list", JOBS_LIST, GENERAL | BIT(OPT_STATE) | BIT(OPT_LIMIT), 0, 0, ""},
    {"stats", JOBS_STATS, GENERAL, 0, 0, ""},
    {"work", JOBS_WORK,
     GENERAL | BIT(OPT_EXEC) | BIT(OPT_NAME) | BIT(OPT_CONCURRENCY) | BIT(OPT_LEASE) |
         BIT(OPT_POLL) | BIT(OPT_RETRY_DELAY) | BIT(OPT_STOP) | BIT(OPT_DRAIN),
     0, 0, ""},
    {"cancel", JOBS_CANCEL, GENERAL, 1, MANY, "ID..."},
    {"delete", JOBS_DELETE, GENERAL, 1, MANY, "ID..."},
};
/* Known, but not in this version. */
static const char *const later[] = {"retry", "batch", "recurring", "cleanup", "watch"};

static const command_row *command_named(const char *word)
{
    for (size_t i = 0; i < CQL_COUNT(commands); i++)
        if (!strcmp(commands[i].name, word))
            return &commands[i];
    return NULL;
}

static bool is_later(const char *word)
{
    for (size_t i = 0; i < CQL_COUNT(later); i++)
        if (!strcmp(later[i], word))
            return true;
    return false;
}

static void add_word(jobs_cli *cli, char *word)
{
    cli->words =
        tool_grow(cli->words, &cli->word_capacity, cli->word_count + 1, sizeof cli->words[0]);
    cli->words[cli->word_count++] = word;
}

/* --- options ---------------------------------------------------------------------------------- */
static void take_level(jobs_cli *cli, int *level, bool serial)
{
    cql_consistency found;
    bool is_serial;

    if (cql_consistency_parse(cql_str_of(cli->args.value), &found)) {
        tool_args_fail(&cli->args, "--%s: '%s' is no consistency level", cli->args.option->name,
                       cli->args.value);
        return;
    }
    is_serial = found == CQL_CONSISTENCY_SERIAL || found == CQL_CONSISTENCY_LOCAL_SERIAL;
    if (is_serial != serial || found == CQL_CONSISTENCY_ANY)
        tool_args_fail(&cli->args, "--%s: %s", cli->args.option->name,
                       serial ? "SERIAL or LOCAL_SERIAL" : "ONE to ALL, LOCAL_QUORUM and the like");
    *level = (int)found;
}

static void take_retries(jobs_cli *cli)
{
    uint64_t n;

    if (tool_args_count(&cli->args, 0, 1000000, &n))
        cli->max_retries = n ? (int32_t)n : -1;
}

static void take_state(jobs_cli *cli)
{
    if (cql_job_state_parse(cql_str_of(cli->args.value), &cli->state))
        tool_args_fail(&cli->args,
                       "--state: '%s' is no state; created, scheduled, processing, succeeded, "
                       "failed, cancelled, abandoned, awaiting-continuation or awaiting-batch",
                       cli->args.value);
}

static void take_time(jobs_cli *cli)
{
    cli->has_time = true;
    if (!jobs_parse_time(cli->args.value, &cli->at_ms))
        tool_args_fail(&cli->args,
                       "--at: '%s' is no time; 2026-05-01T12:00:00Z is one (UTC), and so "
                       "are milliseconds since 1970",
                       cli->args.value);
}

/* Seconds that are kept as milliseconds; lease and stop time-out as whole seconds. */
static void take_seconds(jobs_cli *cli, uint64_t *ms, bool whole)
{
    if (tool_args_seconds(&cli->args, 1, LONGEST_MS, ms) && whole && *ms % 1000)
        tool_args_fail(&cli->args, "--%s: whole seconds", cli->args.option->name);
}

static void take_work(jobs_cli *cli)
{
    tool_args *a = &cli->args;

    switch (a->id) {
    case OPT_EXEC:
        cli->exec = a->value;
        break;
    case OPT_NAME:
        cli->name = a->value;
        break;
    case OPT_CONCURRENCY:
        (void)tool_args_count(a, 1, 10000, &cli->concurrency);
        break;
    case OPT_LEASE:
        take_seconds(cli, &cli->lease_ms, true);
        break;
    case OPT_POLL:
        take_seconds(cli, &cli->poll_ms, false);
        break;
    case OPT_RETRY_DELAY:
        take_seconds(cli, &cli->retry_delay_ms, false);
        break;
    case OPT_STOP:
        take_seconds(cli, &cli->stop_ms, true);
        break;
    case OPT_DRAIN:
        cli->drain = true;
        break;
    default:
        break;
    }
}

static void take_own(jobs_cli *cli)
{
    tool_args *a = &cli->args;

    switch (a->id) {
    case OPT_KEYSPACE:
        cli->keyspace = a->value;
        break;
    case OPT_JSON:
        cli->json = true;
        break;
    case OPT_VERBOSE:
        cli->verbose = true;
        break;
    case OPT_CONSISTENCY:
        take_level(cli, &cli->consistency, false);
        break;
    case OPT_SERIAL:
        take_level(cli, &cli->serial_consistency, true);
        break;
    case OPT_BUCKETS:
        (void)tool_args_count(a, 1, 1000, &cli->buckets);
        break;
    case OPT_WAIT:
        (void)tool_args_seconds(a, 1, LONGEST_MS, &cli->wait_ms);
        break;
    case OPT_REPLICATION:
        cli->replication = a->value;
        break;
    case OPT_ID:
        cli->id = a->value;
        break;
    case OPT_LINES:
        cli->lines = a->value;
        break;
    case OPT_MAX_RETRIES:
        take_retries(cli);
        break;
    case OPT_AT:
        take_time(cli);
        break;
    case OPT_IN:
        cli->has_time = true;
        (void)tool_args_seconds(a, 0, UINT32_MAX, &cli->in_ms);
        break;
    case OPT_STATE:
        take_state(cli);
        break;
    case OPT_LIMIT:
        (void)tool_args_count(a, 1, 100000, &cli->limit);
        break;
    default:
        take_work(cli);
        break;
    }
}

/* --- words ------------------------------------------------------------------------------------ */
static void take_target(jobs_cli *cli, char *word)
{
    cli->args.id = TOOL_OPT_WORD;
    cli->args.value = word;
    (void)tool_connection_word(&cli->connection, &cli->args);
}

static void no_command(jobs_cli *cli)
{
    const char *meant = NULL;
    size_t best = 0;

    if (!cli->word_count) {
        tool_args_fail(&cli->args, "a command is needed");
        return;
    }
    for (size_t i = 0; i < CQL_COUNT(commands); i++)
        tool_nearest(cli->words[0], commands[i].name, &best, &meant);
    if (meant)
        tool_args_fail(&cli->args, "unknown command '%s'; did you mean '%s'?", cli->words[0],
                       meant);
    else
        tool_args_fail(&cli->args, "unknown command '%s'", cli->words[0]);
}

/* Finds the command among the words; what is before it are targets. */
static const command_row *find_command(jobs_cli *cli, size_t *at)
{
    for (size_t i = 0; i < cli->word_count; i++) {
        const command_row *row = command_named(cli->words[i]);

        if (is_later(cli->words[i])) {
            tool_args_fail(&cli->args, "%s is not part of this version", cli->words[i]);
            return NULL;
        }
        if (!row)
            continue;
        *at = i;
        return row;
    }
    no_command(cli);
    return NULL;
}

static bool is_id(const char *word)
{
    cql_uuid id;

    return cql_uuid_parse(cql_str_of(word), &id) == CQL_OK;
}

/* Words of the command that are targets: those in front of as many as it takes, and connection
 * strings. For commands with any number of ids: what is no id and can only be a host. */
static size_t leading_targets(const jobs_cli *cli, const command_row *row, size_t first)
{
    size_t n = 0;
    size_t own = row->most == MANY ? 1 : row->most;

    if (cli->lines && row->most == 2)
        own = 1;
    while (cli->word_count - first - n > own) {
        const char *word = cli->words[first + n];

        if (row->most == MANY && (is_id(word) || !strpbrk(word, ".:")))
            break;
        n++;
    }
    return n;
}

static bool take_words(jobs_cli *cli, const command_row *row, size_t at)
{
    size_t targets = leading_targets(cli, row, at + 1);
    size_t least = cli->lines && row->most == 2 ? 1 : row->least;
    size_t first = at + 1 + targets;
    size_t count = cli->word_count - first;

    for (size_t i = 0; i < at && !cli->args.ended; i++)
        take_target(cli, cli->words[i]);
    for (size_t i = at + 1; i < first && !cli->args.ended; i++)
        take_target(cli, cli->words[i]);
    if (!cli->args.ended && count < least)
        tool_args_fail(&cli->args, "%s needs %s", row->name, row->words);
    memmove(cli->words, cli->words + first, count * sizeof cli->words[0]);
    cli->word_count = count;
    return !cli->args.ended;
}

/* --- what belongs together -------------------------------------------------------------------- */
static void check_options(jobs_cli *cli, const command_row *row, uint64_t given)
{
    for (size_t s = 0; s + 1 < CQL_COUNT(sets); s++)
        for (size_t i = 0; i < sets[s].count; i++)
            if (given & ~row->options & BIT(sets[s].rows[i].id)) {
                tool_args_fail(&cli->args, "--%s is not an option of %s", sets[s].rows[i].name,
                               row->name);
                return;
            }
}

static void check_ids(jobs_cli *cli)
{
    for (size_t i = 0; i < cli->word_count && !cli->args.ended; i++)
        if (!is_id(cli->words[i]))
            tool_args_fail(&cli->args, "'%s' is not the id of a job (a UUID)", cli->words[i]);
}

static void check_command(jobs_cli *cli, uint64_t given)
{
    tool_args *a = &cli->args;

    switch (cli->command) {
    case JOBS_SCHEDULE:
        if (!cli->has_time)
            tool_args_fail(a, "schedule needs --in SECONDS or --at TIME");
        else if ((given & BIT(OPT_IN)) && (given & BIT(OPT_AT)))
            tool_args_fail(a, "--in and --at exclude each other");
        __attribute__((fallthrough));
    case JOBS_ENQUEUE:
        if (!a->ended && cli->id && cli->lines)
            tool_args_fail(a, "--id and --lines exclude each other");
        if (!a->ended && cli->id && !is_id(cli->id))
            tool_args_fail(a, "--id: '%s' is not a UUID", cli->id);
        break;
    case JOBS_GET:
    case JOBS_CANCEL:
    case JOBS_DELETE:
        check_ids(cli);
        break;
    case JOBS_LIST:
        if (!(given & BIT(OPT_STATE)))
            tool_args_fail(a, "list needs --state STATE");
        break;
    case JOBS_WORK:
        if (!cli->exec || !*cli->exec)
            tool_args_fail(a, "work needs --exec COMMAND");
        break;
    case JOBS_INIT:
    case JOBS_STATS:
        break;
    }
}

bool jobs_cli_read(jobs_cli *cli, int argc, char **argv)
{
    uint64_t given = 0;
    const command_row *row;
    size_t at = 0;

    memset(cli, 0, sizeof *cli);
    tool_connection_init(&cli->connection);
    tool_args_init(&cli->args, &program, argc, argv);
    while (tool_args_next(&cli->args)) {
        if (tool_connection_take(&cli->connection, &cli->args))
            continue;
        if (cli->args.id == TOOL_OPT_WORD) {
            add_word(cli, argv[cli->args.next - 1]);
            continue;
        }
        given |= BIT(cli->args.id);
        take_own(cli);
    }
    if (cli->args.ended)
        return false;
    row = find_command(cli, &at);
    if (!row)
        return false;
    cli->command = row->command;
    check_options(cli, row, given);
    if (!cli->args.ended && take_words(cli, row, at))
        check_command(cli, given);
    return !cli->args.ended;
}

void jobs_cli_free(jobs_cli *cli)
{
    tool_connection_free(&cli->connection);
    free(cli->words);
}
