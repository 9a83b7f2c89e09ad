/* cqlping: is the cluster there, who answers, how fast. Reads the command line and runs. */
#include "common/args.h"
#include "common/connection.h"
#include "common/interrupt.h"
#include "common/memory.h"
#include "common/report.h"
#include "ping/config.h"
#include "ping/discover.h"
#include "ping/loop.h"
#include "ping/nagios.h"
#include "ping/print.h"
#include "ping/query.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_MS          86400000u
#define DEFAULT_INTERVAL_MS 1000
#define DEFAULT_ANSWER_MS   5000

enum {
    OPT_COUNT = TOOL_OPT_OWN,
    OPT_INTERVAL,
    OPT_ANSWER,
    OPT_WAIT,
    OPT_JSON,
    OPT_QUIET,
    OPT_ALL,
    OPT_QUERY,
    OPT_NAGIOS,
    OPT_WARNING,
    OPT_CRITICAL,
    OPT_VERBOSE
};

static const tool_option own_rows[] = {
    {'c', "count", "N", OPT_COUNT, "stop after N probes of each target (until Ctrl-C)"},
    {'i', "interval", "SECONDS", OPT_INTERVAL, "from one probe to the next (1)"},
    {'W', "answer-timeout", "SECONDS", OPT_ANSWER, "a probe not answered by then is lost (5)"},
    {0, "wait", "SECONDS", OPT_WAIT,
     "keep trying for so long until the server answers\nqueries; one probe unless -c says more"},
    {0, "all", NULL, OPT_ALL, "probe every node of the cluster"},
    {0, "query", "CQL", OPT_QUERY, "run one SELECT, DESCRIBE or LIST and print its rows"},
    {0, "json", NULL, OPT_JSON, "one JSON object a line (fields: cqlping(1))"},
    {0, "nagios", NULL, OPT_NAGIOS, "one line and the exit codes of Nagios plugins"},
    {0, "warning", "MS", OPT_WARNING, "with --nagios: mean time that is a warning"},
    {0, "critical", "MS", OPT_CRITICAL, "with --nagios: mean time that is critical"},
    {'q', "quiet", NULL, OPT_QUIET, "only the summary"},
    {'v', "verbose", NULL, OPT_VERBOSE, "the library's log on standard error"},
    {0, "doctor", NULL, TOOL_OPT_LATER, NULL},
    {0, "latency", NULL, TOOL_OPT_LATER, NULL},
    {0, "load", NULL, TOOL_OPT_LATER, NULL},
    {0, "watch", NULL, TOOL_OPT_LATER, NULL},
    {0, "prometheus", NULL, TOOL_OPT_LATER, NULL},
};
static const tool_option_set sets[] = {
    {"Options", own_rows, CQL_COUNT(own_rows)},
    {"Connection", tool_connection_options, TOOL_CONNECTION_OPTION_COUNT},
};
static const tool_program program = {
    .name = PING_NAME,
    .usage = "[options] [HOST[:PORT] | cql://...]...",
    .purpose = "Connects to Cassandra nodes and measures how long they take to answer a query.\n"
               "Without a target: CQL_CONTACT_POINTS, else 127.0.0.1:9042.",
    .sets = sets,
    .set_count = CQL_COUNT(sets),
    .notes = "Examples:\n"
             "  cqlping 10.0.0.5                   probe once a second until Ctrl-C\n"
             "  cqlping -c 3 --json 10.0.0.5:9042  three probes for a program to read\n"
             "  cqlping --wait 120 && cqlinit ...  go on when the server is ready\n",
    .exit_codes = "  0  every probe was answered\n"
                  "  1  some probes were answered, some not; or the statement failed\n"
                  "  2  the command line cannot be followed\n"
                  "  3  no probe was answered: not reachable or not ready in time\n"
                  "  5  authentication or TLS failed\n"
                  "  with --nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN\n",
};

typedef struct command_line {
    ping_config config;
    tool_connection connection;
    const char *query;
} command_line;

typedef struct ping_nodes {
    ping_node *items;
    size_t count, capacity;
} ping_nodes;

static void take_level(tool_args *a, uint64_t *us)
{
    uint64_t ms;
    if (tool_args_count(a, 1, LONGEST_MS, &ms))
        *us = ms * 1000;
}

static void take_own(command_line *line, tool_args *a)
{
    ping_config *config = &line->config;
    switch (a->id) {
    case OPT_COUNT:
        (void)tool_args_count(a, 1, UINT32_MAX, &config->count);
        break;
    case OPT_INTERVAL:
        (void)tool_args_seconds(a, 1, LONGEST_MS, &config->interval_ms);
        break;
    case OPT_ANSWER:
        (void)tool_args_seconds(a, 1, LONGEST_MS, &config->answer_ms);
        break;
    case OPT_WAIT:
        (void)tool_args_seconds(a, 1, LONGEST_MS, &config->wait_ms);
        break;
    case OPT_JSON:
        config->output = PING_JSON;
        break;
    case OPT_NAGIOS:
        config->output = PING_NAGIOS;
        break;
    case OPT_WARNING:
        take_level(a, &config->warning_us);
        break;
    case OPT_CRITICAL:
        take_level(a, &config->critical_us);
        break;
    case OPT_QUIET:
        config->quiet = true;
        break;
    case OPT_VERBOSE:
        config->verbose = true;
        break;
    case OPT_ALL:
        config->all = true;
        break;
    case OPT_QUERY:
        line->query = a->value;
        break;
    }
}

/* What the options mean together. */
static void settle(command_line *line, tool_args *a)
{
    ping_config *config = &line->config;
    bool levels = config->warning_us || config->critical_us;
    if (levels && config->output != PING_NAGIOS)
        tool_args_fail(a, "--warning and --critical belong to --nagios");
    else if (line->query && (config->all || config->output == PING_NAGIOS || config->wait_ms))
        tool_args_fail(a, "--query goes with none of --all, --nagios and --wait");
    else if (line->query && !ping_is_read_only(line->query))
        tool_args_fail(a, "--query takes statements that only read: SELECT, DESCRIBE, LIST");
    if (!config->count && (config->wait_ms || config->output == PING_NAGIOS))
        config->count = 1;
}

static void read_line(command_line *line, tool_args *a, int argc, char **argv)
{
    tool_args_init(a, &program, argc, argv);
    while (tool_args_next(a))
        if (a->id == TOOL_OPT_WORD)
            (void)tool_connection_word(&line->connection, a);
        else if (!tool_connection_take(&line->connection, a))
            take_own(line, a);
    if (!a->ended)
        settle(line, a);
}

static void write_log(void *user, cql_log_level level, cql_str text)
{
    static const char *const names[] = {"", "error", "warn", "info", "debug", "trace"};
    (void)user;
    fprintf(stderr, "%s: %.*s\n", names[level], (int)text.len, text.ptr);
}

static bool set_option(tool_args *a, cql_options *o, const char *name, const char *value)
{
    cql_error *err = NULL;
    cql_status st = cql_options_set(o, name, value, &err);
    if (st != CQL_OK)
        tool_args_fail(a, "%s", err ? cql_error_text(err) : cql_status_text(st));
    cql_error_unref(err);
    return st == CQL_OK;
}

/* Options for a session of this tool: no thread, and only what one probe needs of a session. */
static cql_options *options_for(command_line *line, tool_args *a, const char *target,
                                bool discovery)
{
    char limit[32];
    cql_options *o = tool_connection_build_for(&line->connection, a, target);
    if (!o)
        return NULL;
    snprintf(limit, sizeof limit, "%llums", (unsigned long long)line->config.answer_ms);
    if (line->config.verbose)
        cql_options_set_log(o, write_log, NULL, CQL_LOG_DEBUG);
    if (set_option(a, o, "loop_threads", "0") && set_option(a, o, "connect_timeout", limit) &&
        set_option(a, o, "close_timeout", "200ms") &&
        set_option(a, o, "discovery", discovery ? "true" : "false"))
        return o;
    cql_options_free(o);
    return NULL;
}

/* One node of a run: a copy of o with this host as its only contact point. */
static bool add_node(command_line *line, const cql_options *o, ping_nodes *nodes, const char *host)
{
    cql_options *own = NULL;
    cql_error *err = NULL;
    bool fine = cql_options_copy(o, &own) == CQL_OK &&
                cql_options_set_contact_points(own, host, &err) == CQL_OK;
    cql_error_unref(err);
    if (!fine) {
        cql_options_free(own);
        return false;
    }
    nodes->items =
        tool_grow(nodes->items, &nodes->capacity, nodes->count + 1, sizeof *nodes->items);
    ping_node_init(&nodes->items[nodes->count++], &line->config, host, own);
    return true;
}

/* A connection string may name several hosts: each is probed by itself, with the string's options.
 */
static bool add_target(command_line *line, tool_args *a, ping_nodes *nodes, const char *target)
{
    char why[300] = "out of memory";
    cql_options *o = options_for(line, a, target, false);
    if (!o)
        return false;
    tool_targets each = {0};
    char *hosts = tool_target_hosts(target);
    bool fine = tool_targets_add(&each, hosts, why, sizeof why);
    for (size_t i = 0; fine && i < each.count; i++)
        fine = add_node(line, o, nodes, each.items[i]);
    if (!fine)
        tool_args_fail(a, "%s: %s", target, why);
    free(hosts);
    tool_targets_free(&each);
    cql_options_free(o);
    return fine;
}

/* Replaces the targets by the nodes of the first one's cluster. */
static int discover(command_line *line, tool_args *a, const tool_targets *named,
                    tool_targets *found)
{
    cql_options *o = options_for(line, a, named->items[0], true);
    if (!o)
        return a->exit_code;
    int code = ping_discover(o, found);
    cql_options_free(o);
    return code;
}

static int probe(command_line *line, ping_node *nodes, size_t count)
{
    tool_catch_interrupts();
    ping_run(nodes, count);
    if (line->config.output == PING_NAGIOS)
        return ping_nagios(stdout, nodes, count);
    for (size_t i = 0; i < count; i++)
        ping_print_summary(&nodes[i]);
    return (int)ping_exit_code(nodes, count);
}

static int ping_targets(command_line *line, tool_args *a, const tool_targets *targets)
{
    ping_nodes nodes = {0};
    bool fine = true;
    for (size_t i = 0; fine && i < targets->count; i++)
        fine = add_target(line, a, &nodes, targets->items[i]);
    int code = fine ? probe(line, nodes.items, nodes.count) : a->exit_code;
    for (size_t i = 0; i < nodes.count; i++)
        ping_node_free(&nodes.items[i]);
    free(nodes.items);
    return code;
}

static int run(command_line *line, tool_args *a)
{
    tool_targets found = {0};
    const tool_targets *targets = tool_connection_targets(&line->connection, a);
    if (!targets)
        return a->exit_code;
    if (line->query) {
        cql_options *o = options_for(line, a, targets->items[0], false);
        int code = o ? ping_query(&line->config, o, line->query) : a->exit_code;
        cql_options_free(o);
        return code;
    }
    int code = line->config.all ? discover(line, a, targets, &found) : TOOL_EXIT_OK;
    if (code == TOOL_EXIT_OK)
        code = ping_targets(line, a, line->config.all ? &found : targets);
    tool_targets_free(&found);
    return code;
}

int main(int argc, char **argv)
{
    command_line line = {0};
    tool_args a;
    line.config.interval_ms = DEFAULT_INTERVAL_MS;
    line.config.answer_ms = DEFAULT_ANSWER_MS;
    tool_connection_init(&line.connection);
    read_line(&line, &a, argc, argv);
    int code = a.ended ? a.exit_code : run(&line, &a);
    tool_connection_free(&line.connection);
    return tool_finish(PING_NAME, code);
}
