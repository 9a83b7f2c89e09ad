/* cqlinit: waits for a cluster, applies CQL, verifies. Reads the command line and runs. */
#include "common/args.h"
#include "common/connection.h"
#include "common/exit_code.h"
#include "common/interrupt.h"
#include "common/memory.h"
#include "common/report.h"
#include "init/run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_MS      86400000u
#define DEFAULT_WAIT_MS 120000
#define DEFAULT_NEXT_MS 2000

enum {
    OPT_FILE = TOOL_OPT_OWN,
    OPT_EXECUTE,
    OPT_REPLICATION,
    OPT_KEYSPACES_ONLY,
    OPT_SET,
    OPT_VERIFY,
    OPT_VERIFY_ONLY,
    OPT_RESET,
    OPT_YES,
    OPT_DRY_RUN,
    OPT_PRINT,
    OPT_STATUS,
    OPT_CONSISTENCY,
    OPT_WAIT,
    OPT_INTERVAL,
    OPT_JSON,
    OPT_QUIET,
    OPT_VERBOSE,
    OPT_MIGRATE,
    OPT_BASELINE,
    OPT_KEPT_IN,
    OPT_SCOPE,
    OPT_LEASE,
    OPT_LOCK_WAIT
};

static const tool_option what_rows[] = {
    {'f', "file", "FILE", OPT_FILE, "apply FILE, as a word does; - is standard input"},
    {'e', "execute", "CQL", OPT_EXECUTE, "run CQL and print the rows it gives"},
    {0, "verify-only", NULL, OPT_VERIFY_ONLY, "compare, change nothing; what is missing differs"},
    {0, "migrate", "FOLDER", OPT_MIGRATE,
     "apply the files NUMBER_NAME.cql of FOLDER that were not\napplied yet, each once; see cqlinit(1)"},
    {0, "baseline", "NAME", OPT_BASELINE,
     "with --migrate: write the files up to NAME down as\napplied, without running them"},
    {0, "status", NULL, OPT_STATUS, "show nodes, agreement and, with files, each object"},
    {0, "reset", NULL, OPT_RESET,
     "drop the keyspaces that the files create, WITH ALL\nDATA, then apply; needs --yes"},
    {0, "yes", NULL, OPT_YES, "confirms --reset"},
    {0, "dry-run", NULL, OPT_DRY_RUN, "look at the server and print what would be sent"},
    {0, "print", NULL, OPT_PRINT,
     "print all statements as they would be sent to an\nempty server; connects nowhere"},
};
static const tool_option how_rows[] = {
    {0, "replication", "SPEC", OPT_REPLICATION,
     "of every keyspace: 3 (SimpleStrategy) or dc1:3,dc2:2\n(NetworkTopologyStrategy)"},
    {0, "keyspaces-only", NULL, OPT_KEYSPACES_ONLY, "only the statements about keyspaces"},
    {0, "set", "KS.TABLE.OPTION=VALUE", OPT_SET,
     "an option of a table: put into its CREATE, altered\nwhere it exists, expected by the "
     "comparison"},
    {0, "verify", "[=full|shape|off]", OPT_VERIFY,
     "full: everything that the files name (default);\nshape: options and replication are only "
     "noted;\n"
     "off: nothing is compared"},
    {0, "consistency", "LEVEL", OPT_CONSISTENCY, "of statements, until the text says CONSISTENCY"},
    {0, "wait", "SECONDS", OPT_WAIT,
     "how long to wait for an answer of the cluster (120);\n0: try once"},
    {0, "interval", "SECONDS", OPT_INTERVAL, "pause between attempts (2)"},
    {0, "kept-in", "KEYSPACE", OPT_KEPT_IN, "where --migrate keeps its record (cql_migrations)"},
    {0, "scope", "NAME", OPT_SCOPE, "which list of --migrate it is (default)"},
    {0, "lease", "SECONDS", OPT_LEASE,
     "of the lock of --migrate: more than the longest\nstatement takes (300)"},
    {0, "lock-wait", "SECONDS", OPT_LOCK_WAIT, "how long to wait for somebody else's lock (600)"},
    {0, "json", NULL, OPT_JSON, "one JSON object a line, errors too (fields: cqlinit(1))"},
    {'q', "quiet", NULL, OPT_QUIET, "only differences and errors"},
    {'v', "verbose", NULL, OPT_VERBOSE, "each statement and the library's log on standard error"},
};
static const tool_option_set sets[] = {
    {"What to do", what_rows, CQL_COUNT(what_rows)},
    {"How", how_rows, CQL_COUNT(how_rows)},
    {"Connection", tool_connection_options, TOOL_CONNECTION_OPTION_COUNT},
};
static const tool_program program = {
    .name = INIT_NAME,
    .usage = "[options] [HOST[:PORT] | cql://...] [FILE]...",
    .purpose =
        "Waits for a Cassandra cluster, applies CQL files in order, and compares the live schema\n"
        "with them. Without a target: CQL_CONTACT_POINTS, else 127.0.0.1:9042. Without a file:\n"
        "standard input; on a terminal a prompt.",
    .sets = sets,
    .set_count = CQL_COUNT(sets),
    .notes =
        "Examples:\n"
        "  cqlinit 10.0.0.5 schema.cql                apply and verify; again: changes nothing\n"
        "  cqlinit --replication dc1:3 HOST *.cql     with the copies of this cluster\n"
        "  cqlinit --verify-only HOST schema.cql      exit 4 when anything differs\n"
        "  cqlinit --reset --yes HOST schema.cql      drop all data and begin anew\n"
        "  cqlinit HOST -e 'DESCRIBE KEYSPACES'       ask\n"
        "  cqlinit HOST < schema.cql                  from standard input\n"
        "  cqlinit --migrate migrations HOST          what was not applied yet\n",
    .exit_codes = "  0  everything is there, as the files say\n"
                  "  1  a statement or a file failed; nothing after it was sent\n"
                  "  2  the command line cannot be followed; nothing was done\n"
                  "  3  not ready or not reachable in time\n"
                  "  4  the live schema differs\n"
                  "  5  authentication or TLS failed\n",
};

typedef struct command_line {
    init_config config;
    tool_connection connection;
    bool mode_given;
} command_line;

static void add_input(init_config *config, bool is_statement, const char *text)
{
    config->inputs = tool_grow(config->inputs, &config->input_capacity, config->input_count + 1,
                               sizeof *config->inputs);
    config->inputs[config->input_count++] = (init_input){is_statement, text};
}

static void set_mode(command_line *line, tool_args *a, init_mode mode)
{
    if (line->mode_given && line->config.mode != mode)
        tool_args_fail(a,
                       "--%s does not go together with another of --verify-only, --status, --reset, "
                       "--migrate and --print",
                       a->option->name);
    line->mode_given = true;
    line->config.mode = mode;
}

static void take_verify(init_config *config, tool_args *a)
{
    static const char *const words[] = {"full", "shape", "off"};
    static const cql_schema_verify values[] = {CQL_SCHEMA_VERIFY_FULL, CQL_SCHEMA_VERIFY_SHAPE,
                                               CQL_SCHEMA_VERIFY_OFF};
    const char *word = a->value ? a->value : words[0];
    for (size_t i = 0; i < CQL_COUNT(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            config->verify = values[i];
            return;
        }
    }
    tool_args_fail(a, "--verify: '%s' is not one of full, shape, off", word);
}

static void add_setting(init_config *config, const char *text)
{
    config->settings = tool_grow(config->settings, &config->setting_capacity,
                                 config->setting_count + 1, sizeof *config->settings);
    config->settings[config->setting_count++] = text;
}

static void take_what(command_line *line, tool_args *a)
{
    init_config *config = &line->config;
    switch (a->id) {
    case OPT_FILE:
        add_input(config, false, a->value);
        break;
    case OPT_EXECUTE:
        add_input(config, true, a->value);
        break;
    case OPT_VERIFY_ONLY:
        set_mode(line, a, INIT_VERIFY);
        break;
    case OPT_STATUS:
        set_mode(line, a, INIT_STATUS);
        break;
    case OPT_RESET:
        set_mode(line, a, INIT_RESET);
        break;
    case OPT_PRINT:
        set_mode(line, a, INIT_PRINT);
        break;
    case OPT_MIGRATE:
        set_mode(line, a, INIT_MIGRATE);
        config->folder = a->value;
        break;
    case OPT_YES:
        config->confirmed = true;
        break;
    case OPT_DRY_RUN:
        config->dry_run = true;
        break;
    default:
        break;
    }
}

static void take_migration(command_line *line, tool_args *a)
{
    init_config *config = &line->config;
    switch (a->id) {
    case OPT_BASELINE:
        config->baseline = a->value;
        break;
    case OPT_KEPT_IN:
        config->kept_in = a->value;
        break;
    case OPT_SCOPE:
        config->scope = a->value;
        break;
    case OPT_LEASE:
        (void)tool_args_seconds(a, 5000, LONGEST_MS, &config->lease_ms);
        break;
    case OPT_LOCK_WAIT:
        (void)tool_args_seconds(a, 1, LONGEST_MS, &config->lock_wait_ms);
        break;
    default:
        take_what(line, a);
        break;
    }
}

static void take_how(command_line *line, tool_args *a)
{
    init_config *config = &line->config;
    switch (a->id) {
    case OPT_REPLICATION:
        config->replication = a->value;
        break;
    case OPT_KEYSPACES_ONLY:
        config->keyspaces_only = true;
        break;
    case OPT_SET:
        add_setting(config, a->value);
        break;
    case OPT_VERIFY:
        take_verify(config, a);
        break;
    case OPT_CONSISTENCY:
        config->consistency = a->value;
        break;
    case OPT_WAIT:
        (void)tool_args_seconds(a, 0, LONGEST_MS, &config->wait_ms);
        break;
    case OPT_INTERVAL:
        (void)tool_args_seconds(a, 1, LONGEST_MS, &config->interval_ms);
        break;
    case OPT_JSON:
        config->json = true;
        break;
    case OPT_QUIET:
        config->quiet = true;
        break;
    case OPT_VERBOSE:
        config->verbose = true;
        break;
    default:
        take_migration(line, a);
        break;
    }
}

/* Targets come before the first file. */
static void take_word(command_line *line, tool_args *a, bool *files)
{
    if (!*files && tool_word_is_target(a->value)) {
        (void)tool_connection_word(&line->connection, a);
        return;
    }
    *files = true;
    add_input(&line->config, false, a->value);
}

/* What does not go together. */
static void check(command_line *line, tool_args *a)
{
    const init_config *config = &line->config;
    bool compares = config->mode == INIT_VERIFY || config->mode == INIT_STATUS;
    if (a->ended)
        return;
    if (config->mode == INIT_RESET && !config->confirmed && !config->dry_run)
        tool_args_fail(
            a, "--reset drops the keyspaces of the files with all their data: confirm it with "
               "--yes (nothing was done)");
    else if (config->confirmed && config->mode != INIT_RESET)
        tool_args_fail(a, "--yes confirms --reset, which is not there");
    else if (config->dry_run && compares)
        tool_args_fail(
            a, "--dry-run does not go together with --verify-only and --status, which change "
               "nothing anyway");
    else if (config->mode == INIT_MIGRATE && config->input_count)
        tool_args_fail(a, "--migrate takes the files of its folder, and no others");
    else if (config->mode != INIT_MIGRATE &&
             (config->baseline || config->kept_in || config->scope || config->lease_ms ||
              config->lock_wait_ms))
        tool_args_fail(a, "--baseline, --kept-in, --scope, --lease and --lock-wait belong to "
                          "--migrate");
    else if (config->mode == INIT_VERIFY && config->verify == CQL_SCHEMA_VERIFY_OFF)
        tool_args_fail(a, "--verify-only with --verify=off would do nothing");
}

static void read_line(command_line *line, tool_args *a)
{
    bool files = false;
    while (tool_args_next(a)) {
        if (tool_connection_take(&line->connection, a))
            continue;
        if (a->id == TOOL_OPT_WORD)
            take_word(line, a, &files);
        else
            take_how(line, a);
    }
    check(line, a);
}

int main(int argc, char **argv)
{
    command_line line;
    tool_args a;
    memset(&line, 0, sizeof line);
    line.config.wait_ms = DEFAULT_WAIT_MS;
    line.config.interval_ms = DEFAULT_NEXT_MS;
    tool_connection_init(&line.connection);
    (void)signal(SIGPIPE, SIG_IGN);
    tool_args_init(&a, &program, argc, argv);
    read_line(&line, &a);
    tool_report_json(line.config.json);
    int code = a.ended ? a.exit_code : init_run(&line.config, &line.connection, &a);
    tool_connection_free(&line.connection);
    free(line.config.inputs);
    free(line.config.settings);
    return tool_finish(INIT_NAME, code);
}
