/* Reads the command line of cqljobs. Options may stand before and after the command; words before
 * it are targets, words after it are the command's, and targets where it takes none of its own. */
#include "jobcli/cli.h"

#include "common/exit_code.h"
#include "common/memory.h"
#include "common/nearest.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_MS 86400000u
#define AGE_MS     UINT64_C(3155760000000) /* a hundred years */

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
    OPT_DRAIN,
    OPT_AFTER,
    OPT_BATCH,
    OPT_AFTER_BATCH,
    OPT_THEN,
    OPT_THEN_JSON,
    OPT_BACKOFF,
    OPT_BACKOFF_DELAY,
    OPT_BACKOFF_MOST,
    OPT_JITTER,
    OPT_RECOUNT,
    OPT_OLDER,
    OPT_RETENTION,
    OPT_NO_RECURRING,
    OPT_RECURRING_POLL,
    OPT_DISABLED,
    OPT_INTERVAL,
    OPT_COUNT
};

static const tool_option general_rows[] = {
    {'k', "keyspace", "NAME", OPT_KEYSPACE, "keyspace of the job tables (jobsharp)"},
    {0, "json", NULL, OPT_JSON, "one JSON object a line, errors too (fields: cqljobs(1))"},
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
    {0, "after", "UUID", OPT_AFTER, "run it when that job has succeeded"},
    {0, "batch", "UUID", OPT_BATCH, "a member of that batch; list: the jobs of that batch"},
    {0, "after-batch", "UUID", OPT_AFTER_BATCH, "run it when all members of that batch ended"},
};
static const tool_option backoff_rows[] = {
    {0, "backoff", "KIND", OPT_BACKOFF, "fixed, or exponential: twice as long each time"},
    {0, "backoff-delay", "SECONDS", OPT_BACKOFF_DELAY, "before the first retry (30)"},
    {0, "backoff-most", "SECONDS", OPT_BACKOFF_MOST, "of exponential (3600)"},
    {0, "jitter", "PERCENT", OPT_JITTER, "so much shorter or longer, at random (0)"},
};
static const tool_option batch_rows[] = {
    {0, "then", "TYPE", OPT_THEN, "the job that runs when all members have ended"},
    {0, "then-json", "JSON", OPT_THEN_JSON, "its arguments ({})"},
};
static const tool_option keep_rows[] = {
    {0, "older-than", "SECONDS", OPT_OLDER, "cleanup: created so long ago; needed"},
    {0, "recount", NULL, OPT_RECOUNT, "stats: count the rows and mend the counters"},
    {0, "disabled", NULL, OPT_DISABLED, "recurring add: does not run until enabled"},
    {0, "interval", "SECONDS", OPT_INTERVAL, "watch: between two looks (2)"},
    {0, "count", "N", OPT_COUNT, "watch: end after so many looks"},
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
    {0, "retention", "SECONDS", OPT_RETENTION, "delete ended jobs of that age, once an hour (never)"},
    {0, "recurring-poll", "SECONDS", OPT_RECURRING_POLL, "between two looks at recurring jobs (60)"},
    {0, "no-recurring", NULL, OPT_NO_RECURRING, "leave recurring jobs to other workers"},
};
static const tool_option_set sets[] = {
    {"Options", general_rows, CQL_COUNT(general_rows)},
    {"Options of init", init_rows, CQL_COUNT(init_rows)},
    {"Options of enqueue and schedule", enqueue_rows, CQL_COUNT(enqueue_rows)},
    {"Options of list", list_rows, CQL_COUNT(list_rows)},
    {"Options of batch", batch_rows, CQL_COUNT(batch_rows)},
    {"Options of work", work_rows, CQL_COUNT(work_rows)},
    {"Retries, for enqueue, schedule, batch and work", backoff_rows, CQL_COUNT(backoff_rows)},
    {"Options of other commands", keep_rows, CQL_COUNT(keep_rows)},
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
               "  watch                    the same again and again, with rates\n"
               "  work --exec COMMAND      run jobs until stopped\n"
               "  cancel ID...             jobs that have not started\n"
               "  retry ID...              jobs that were abandoned or cancelled run again\n"
               "  delete ID...             jobs that do not run, with all their rows\n"
               "  batch TYPE --lines FILE  a batch, one job a line; prints the batch's id\n"
               "  recurring add ID CRON TYPE [JSON]\n"
               "  recurring list\n"
               "  recurring remove|enable|disable ID...\n"
               "  cleanup --older-than S   delete jobs that ended",
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

#define BACKOFF                                                                                    \
    (BIT(OPT_BACKOFF) | BIT(OPT_BACKOFF_DELAY) | BIT(OPT_BACKOFF_MOST) | BIT(OPT_JITTER))
#define LINKS (BIT(OPT_AFTER) | BIT(OPT_BATCH) | BIT(OPT_AFTER_BATCH))
#define MANY  ((size_t)-1)
static const command_row commands[] = {
    {"init", JOBS_INIT, GENERAL | BIT(OPT_REPLICATION), 0, 0, ""},
    {"enqueue", JOBS_ENQUEUE,
     GENERAL | BIT(OPT_ID) | BIT(OPT_MAX_RETRIES) | BIT(OPT_LINES) | LINKS | BACKOFF, 2, 2,
     "TYPE JSON"},
    {"schedule", JOBS_SCHEDULE,
     GENERAL | BIT(OPT_ID) | BIT(OPT_MAX_RETRIES) | BIT(OPT_LINES) | BIT(OPT_IN) | BIT(OPT_AT) |
         LINKS | BACKOFF,
     2, 2, "TYPE JSON"},
    {"get", JOBS_GET, GENERAL, 1, 1, "ID"},
    {"list", JOBS_LIST, GENERAL | BIT(OPT_STATE) | BIT(OPT_LIMIT) | BIT(OPT_BATCH), 0, 0, ""},
    {"stats", JOBS_STATS, GENERAL | BIT(OPT_RECOUNT), 0, 0, ""},
    {"watch", JOBS_WATCH, GENERAL | BIT(OPT_INTERVAL) | BIT(OPT_COUNT), 0, 0, ""},
    {"retry", JOBS_RETRY, GENERAL, 1, MANY, "ID..."},
    {"batch", JOBS_BATCH,
     GENERAL | BIT(OPT_ID) | BIT(OPT_MAX_RETRIES) | BIT(OPT_LINES) | BIT(OPT_THEN) |
         BIT(OPT_THEN_JSON) | BACKOFF,
     1, 1, "TYPE"},
    {"recurring", JOBS_RECURRING, GENERAL | BIT(OPT_MAX_RETRIES) | BIT(OPT_DISABLED), 1, MANY,
     "add, list, remove, enable or disable"},
    {"cleanup", JOBS_CLEANUP, GENERAL | BIT(OPT_OLDER) | BIT(OPT_STATE) | BIT(OPT_LIMIT), 0, 0, ""},
    {"work", JOBS_WORK,
     GENERAL | BIT(OPT_EXEC) | BIT(OPT_NAME) | BIT(OPT_CONCURRENCY) | BIT(OPT_LEASE) |
         BIT(OPT_POLL) | BIT(OPT_RETRY_DELAY) | BIT(OPT_STOP) | BIT(OPT_DRAIN) | BACKOFF |
         BIT(OPT_RETENTION) | BIT(OPT_NO_RECURRING) | BIT(OPT_RECURRING_POLL),
     0, 0, ""},
    {"cancel", JOBS_CANCEL, GENERAL, 1, MANY, "ID..."},
    {"delete", JOBS_DELETE, GENERAL, 1, MANY, "ID..."},
};
static const command_row *command_named(const char *word)
{
    for (size_t i = 0; i < CQL_COUNT(commands); i++)
        if (!strcmp(commands[i].name, word))
            return &commands[i];
    return NULL;
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
    cli->has_state = true;
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

static void take_backoff(jobs_cli *cli)
{
    tool_args *a = &cli->args;
    cql_job_backoff *b = &cli->backoff;
    uint64_t n = 0;

    switch (a->id) {
    case OPT_BACKOFF:
        if (strcmp(a->value, "fixed") == 0)
            b->kind = CQL_BACKOFF_FIXED;
        else if (strcmp(a->value, "exponential") == 0)
            b->kind = CQL_BACKOFF_EXPONENTIAL;
        else
            tool_args_fail(a, "--backoff: '%s' is neither fixed nor exponential", a->value);
        break;
    case OPT_BACKOFF_DELAY:
        if (tool_args_seconds(a, 1, LONGEST_MS, &n))
            b->delay_ms = (uint32_t)n;
        break;
    case OPT_BACKOFF_MOST:
        if (tool_args_seconds(a, 1, LONGEST_MS, &n))
            b->most_ms = (uint32_t)n;
        break;
    case OPT_JITTER:
        if (tool_args_count(a, 0, 100, &n))
            b->jitter_percent = (uint32_t)n;
        break;
    default:
        break;
    }
}

static void take_more(jobs_cli *cli)
{
    tool_args *a = &cli->args;

    switch (a->id) {
    case OPT_AFTER:
        cli->after = a->value;
        break;
    case OPT_BATCH:
        cli->batch = a->value;
        break;
    case OPT_AFTER_BATCH:
        cli->after_batch = a->value;
        break;
    case OPT_THEN:
        cli->then = a->value;
        break;
    case OPT_THEN_JSON:
        cli->then_json = a->value;
        break;
    case OPT_RECOUNT:
        cli->recount = true;
        break;
    case OPT_OLDER:
        cli->has_older = true;
        (void)tool_args_seconds(a, 0, AGE_MS, &cli->older_ms);
        break;
    case OPT_DISABLED:
        cli->disabled = true;
        break;
    case OPT_INTERVAL:
        (void)tool_args_seconds(a, 100, LONGEST_MS, &cli->interval_ms);
        break;
    case OPT_COUNT:
        (void)tool_args_count(a, 1, UINT32_MAX, &cli->count);
        break;
    default:
        take_backoff(cli);
        break;
    }
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
    case OPT_RETENTION:
        (void)tool_args_seconds(a, 1000, AGE_MS, &cli->retention_ms);
        break;
    case OPT_NO_RECURRING:
        cli->no_recurring = true;
        break;
    case OPT_RECURRING_POLL:
        take_seconds(cli, &cli->recurring_ms, false);
        break;
    default:
        take_more(cli);
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

    if (row->command == JOBS_RECURRING)
        return 0;
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

static void check_uuid(jobs_cli *cli, const char *option, const char *value)
{
    if (value && !is_id(value) && !cli->args.ended)
        tool_args_fail(&cli->args, "--%s: '%s' is not a UUID", option, value);
}

static void check_links(jobs_cli *cli, uint64_t given)
{
    uint64_t links = given & LINKS;

    check_uuid(cli, "after", cli->after);
    check_uuid(cli, "batch", cli->batch);
    check_uuid(cli, "after-batch", cli->after_batch);
    if (!cli->args.ended && (links & (links - 1)))
        tool_args_fail(&cli->args, "--after, --batch and --after-batch exclude each other");
}

static void check_recurring(jobs_cli *cli)
{
    static const char *const verbs[] = {"add", "list", "remove", "enable", "disable"};
    static const size_t least[] = {4, 1, 2, 2, 2}, most[] = {5, 1, MANY, MANY, MANY};
    const char *why = NULL;
    int64_t next;
    size_t i = 0;

    while (i < CQL_COUNT(verbs) && strcmp(verbs[i], cli->words[0]) != 0)
        i++;
    if (i == CQL_COUNT(verbs))
        tool_args_fail(&cli->args, "recurring %s: add, list, remove, enable or disable",
                       cli->words[0]);
    else if (cli->word_count < least[i] || cli->word_count > most[i])
        tool_args_fail(&cli->args, "recurring %s %s", verbs[i],
                       i == 0   ? "needs ID CRON TYPE and may have JSON"
                       : i == 1 ? "takes no words"
                                : "needs ID...");
    else if (i == 0 && cql_cron_next(cli->words[2], 0, &next, &why))
        tool_args_fail(&cli->args, "'%s' is no cron expression: %s", cli->words[2], why);
}

static void check_others(jobs_cli *cli, uint64_t given)
{
    tool_args *a = &cli->args;
    bool final = cql_job_state_is_final((int)cli->state);

    if (cli->command == JOBS_BATCH) {
        if (!cli->lines)
            tool_args_fail(a, "batch needs --lines FILE");
        else if ((given & BIT(OPT_THEN_JSON)) && !cli->then)
            tool_args_fail(a, "--then-json needs --then TYPE");
        check_uuid(cli, "id", cli->id);
    } else if (cli->command == JOBS_RECURRING) {
        check_recurring(cli);
    } else if (cli->command == JOBS_CLEANUP) {
        if (!cli->has_older)
            tool_args_fail(a, "cleanup needs --older-than SECONDS");
        else if (cli->has_state && !final)
            tool_args_fail(a, "--state: only succeeded, cancelled and abandoned jobs have ended");
    } else if (cli->command == JOBS_RETRY) {
        check_ids(cli);
    }
}

static void check_command(jobs_cli *cli, uint64_t given)
{
    tool_args *a = &cli->args;

    check_links(cli, given);
    if (!a->ended && (given & BACKOFF) && !cli->backoff.kind)
        tool_args_fail(a, "--backoff-delay, --backoff-most and --jitter need --backoff KIND");
    if (a->ended)
        return;
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
        if (!cli->has_state == !cli->batch)
            tool_args_fail(a, "list needs --state STATE, or --batch UUID");
        break;
    case JOBS_WORK:
        if (!cli->exec || !*cli->exec)
            tool_args_fail(a, "work needs --exec COMMAND");
        break;
    case JOBS_INIT:
    case JOBS_STATS:
        break;
    default:
        check_others(cli, given);
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
