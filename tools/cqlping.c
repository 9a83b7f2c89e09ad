/* cqlping: is the cluster there, who answers, how fast. Reads the command line and runs. */
#include "common/args.h"
#include "common/connection.h"
#include "common/interrupt.h"
#include "common/memory.h"
#include "common/report.h"
#include "ping/config.h"
#include "ping/discover.h"
#include "ping/doctor.h"
#include "ping/load.h"
#include "ping/loop.h"
#include "ping/nagios.h"
#include "ping/print.h"
#include "ping/prometheus.h"
#include "ping/query.h"
#include "ping/watch.h"

#include <stdlib.h>
#include <string.h>

#define LONGEST_MS          86400000u
#define DEFAULT_INTERVAL_MS 1000
#define DEFAULT_ANSWER_MS   5000
#define DEFAULT_DURATION_MS 10000
#define DEFAULT_RATE        100 /* of --latency */
#define DEFAULT_IN_FLIGHT   32
#define LATENCY_IN_FLIGHT   1000 /* a silent server holds up no probe that is due */
#define DEFAULT_KEYS        1000
#define MOST_IN_FLIGHT      30000
#define MOST_PER_SECOND     1000000

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
    OPT_VERBOSE,
    OPT_DOCTOR,
    OPT_LATENCY,
    OPT_LOAD,
    OPT_RATE,
    OPT_IN_FLIGHT,
    OPT_DURATION,
    OPT_KEYS,
    OPT_WATCH,
    OPT_PROMETHEUS
};

static const tool_option own_rows[] = {
    {'c', "count", "N", OPT_COUNT, "stop after N probes of each target (until Ctrl-C)"},
    {'i', "interval", "SECONDS", OPT_INTERVAL, "from one probe to the next (1)"},
    {'W', "answer-timeout", "SECONDS", OPT_ANSWER, "a probe not answered by then is lost (5)"},
    {0, "wait", "SECONDS", OPT_WAIT,
     "keep trying for so long until the server answers\nqueries; one probe unless -c says more"},
    {0, "all", NULL, OPT_ALL, "probe every node of the cluster"},
    {0, "query", "CQL", OPT_QUERY, "run one SELECT, DESCRIBE or LIST and print its rows"},
    {0, "doctor", NULL, OPT_DOCTOR,
     "examine every phase of a connection to every node,\nand say what is wrong and what to do"},
    {0, "latency", NULL, OPT_LATENCY,
     "probe at a fixed rate and draw the distribution of the\ntimes, corrected for coordinated "
     "omission"},
    {0, "load", "CQL", OPT_LOAD,
     "repeat one SELECT, INSERT, UPDATE or DELETE; each ? is\nfilled with a number or a text made "
     "of it"},
    {0, "rate", "N", OPT_RATE,
     "requests a second of --latency (100) and --load\n(without: each answer brings the next "
     "request)"},
    {0, "in-flight", "N", OPT_IN_FLIGHT, "of --load at once (32)"},
    {0, "duration", "SECONDS", OPT_DURATION, "of --latency and --load (10)"},
    {0, "keys", "N", OPT_KEYS, "of --load: numbers from 0 to N-1 in turn (1000)"},
    {0, "watch", NULL, OPT_WATCH, "print what happens to nodes and schema; -c N: N events"},
    {0, "json", NULL, OPT_JSON, "one JSON object a line (fields: cqlping(1))"},
    {0, "nagios", NULL, OPT_NAGIOS, "one line and the exit codes of Nagios plugins"},
    {0, "warning", "MS", OPT_WARNING, "with --nagios: mean time that is a warning"},
    {0, "critical", "MS", OPT_CRITICAL, "with --nagios: mean time that is critical"},
    {0, "prometheus", "FILE", OPT_PROMETHEUS,
     "figures for Prometheus into FILE, replaced as a whole;\n- is standard output"},
    {'q', "quiet", NULL, OPT_QUIET, "only the summary"},
    {'v', "verbose", NULL, OPT_VERBOSE, "the library's log on standard error"},
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
             "  cqlping --wait 120 && cqlinit ...  go on when the server is ready\n"
             "  cqlping --doctor 10.0.0.5          what is wrong with this cluster?\n"
             "  cqlping --load 'SELECT * FROM k.t WHERE id = ?' --rate 500 --duration 30\n",
    .exit_codes = "  0  every probe was answered\n"
                  "  1  some probes were answered, some not; a statement failed; the\n"
                  "     doctor found a problem\n"
                  "  2  the command line cannot be followed\n"
                  "  3  no probe was answered: not reachable or not ready in time\n"
                  "  5  authentication or TLS failed\n"
                  "  with --nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN\n",
};

typedef struct command_line {
    ping_config config;
    tool_connection connection;
    ping_load_spec load;
    tool_args *args;
    const char *query;
    const char *prometheus;
    bool doctor, latency, watch;
} command_line;

typedef struct ping_nodes {
    const ping_config *config;
    ping_node *items;
    size_t count, capacity;
} ping_nodes;

static void take_level(tool_args *a, uint64_t *us)
{
    uint64_t ms;
    if (tool_args_count(a, 1, LONGEST_MS, &ms))
        *us = ms * 1000;
}

static void take_load(command_line *line, tool_args *a)
{
    ping_load_spec *load = &line->load;
    uint64_t ms;
    switch (a->id) {
    case OPT_LATENCY:
        line->latency = true;
        break;
    case OPT_LOAD:
        load->statement = a->value;
        break;
    case OPT_RATE:
        (void)tool_args_count(a, 1, MOST_PER_SECOND, &load->rate);
        break;
    case OPT_IN_FLIGHT:
        (void)tool_args_count(a, 1, MOST_IN_FLIGHT, &load->in_flight);
        break;
    case OPT_DURATION:
        if (tool_args_seconds(a, 1, LONGEST_MS, &ms))
            load->duration_us = ms * 1000;
        break;
    case OPT_KEYS:
        (void)tool_args_count(a, 1, INT32_MAX, &load->keys);
        break;
    }
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
    case OPT_DOCTOR:
        line->doctor = true;
        break;
    case OPT_WATCH:
        line->watch = true;
        break;
    case OPT_PROMETHEUS:
        line->prometheus = a->value;
        config->output = PING_FIGURES;
        break;
    default:
        take_load(line, a);
        break;
    }
}

/* How many of the things that cqlping can do instead of probing were asked for. */
static int modes(const command_line *line)
{
    return (line->query != NULL) + (line->load.statement != NULL) + line->latency + line->doctor +
           line->watch;
}

/* What goes with a load, and what is left of it to be filled in. */
static void settle_load(command_line *line, tool_args *a)
{
    ping_load_spec *load = &line->load;
    bool given = load->rate || load->in_flight || load->duration_us || load->keys;
    if (given && !line->latency && !load->statement)
        tool_args_fail(a, "--rate, --in-flight, --duration and --keys belong to --latency and --load");
    else if (line->latency && (load->in_flight || load->keys))
        tool_args_fail(a, "--in-flight and --keys belong to --load");
    else if (load->statement && !ping_may_repeat(load->statement))
        tool_args_fail(a, "--load takes one SELECT, INSERT, UPDATE or DELETE");
    load->output = line->config.output;
    load->quiet = line->config.quiet;
    load->count = line->config.count;
    load->drain_us = line->config.answer_ms * 1000;
    if (line->latency && !load->rate)
        load->rate = DEFAULT_RATE;
    if (!load->in_flight)
        load->in_flight = line->latency ? LATENCY_IN_FLIGHT : DEFAULT_IN_FLIGHT;
    if (!load->duration_us && !load->count)
        load->duration_us = (uint64_t)DEFAULT_DURATION_MS * 1000;
    if (!load->keys)
        load->keys = DEFAULT_KEYS;
}

/* What the options mean together. */
static void settle(command_line *line, tool_args *a)
{
    ping_config *config = &line->config;
    bool levels = config->warning_us || config->critical_us;
    bool people = config->output == PING_PEOPLE || config->output == PING_JSON;
    if (levels && config->output != PING_NAGIOS)
        tool_args_fail(a, "--warning and --critical belong to --nagios");
    else if (modes(line) > 1)
        tool_args_fail(a, "--query, --load, --latency, --doctor and --watch do not go together");
    else if (modes(line) && (!people || config->wait_ms))
        tool_args_fail(a, "--nagios, --prometheus and --wait go with probes only");
    else if ((line->query || line->load.statement || line->doctor || line->watch) && config->all)
        tool_args_fail(a, "--all goes with probes and --latency only");
    else if (line->query && !ping_is_read_only(line->query))
        tool_args_fail(a, "--query takes statements that only read: SELECT, DESCRIBE, LIST");
    else
        settle_load(line, a);
    if (!config->count && !modes(line) && (config->wait_ms || config->output >= PING_NAGIOS))
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

/* A copy of o with this host as its only contact point; NULL when that cannot be. */
static cql_options *for_host(const cql_options *o, const char *host)
{
    cql_options *own = NULL;
    cql_error *err = NULL;
    bool fine = cql_options_copy(o, &own) == CQL_OK &&
                cql_options_set_contact_points(own, host, &err) == CQL_OK;
    cql_error_unref(err);
    if (fine)
        return own;
    cql_options_free(own);
    return NULL;
}

typedef void (*take_host)(void *user, const char *host, cql_options *o);

/* A connection string may name several hosts: each is taken by itself, with the string's options. The
 * options become take's. */
static bool each_host(command_line *line, tool_args *a, const char *target, take_host take, void *user)
{
    char why[300] = "out of memory";
    cql_options *o = options_for(line, a, target, false);
    if (!o)
        return false;
    tool_targets each = {0};
    char *hosts = tool_target_hosts(target);
    bool fine = tool_targets_add(&each, hosts, why, sizeof why);
    for (size_t i = 0; fine && i < each.count; i++) {
        cql_options *own = for_host(o, each.items[i]);
        fine = own != NULL;
        if (fine)
            take(user, each.items[i], own);
    }
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
    if (line->prometheus && !ping_prometheus_to(line->prometheus, nodes, count))
        return TOOL_EXIT_FAILED;
    for (size_t i = 0; i < count; i++)
        ping_print_summary(&nodes[i]);
    return (int)ping_exit_code(nodes, count);
}

static void add_node(void *user, const char *host, cql_options *o)
{
    ping_nodes *nodes = user;
    nodes->items =
        tool_grow(nodes->items, &nodes->capacity, nodes->count + 1, sizeof *nodes->items);
    ping_node_init(&nodes->items[nodes->count++], nodes->config, host, o);
}

static int ping_targets(command_line *line, tool_args *a, const tool_targets *targets)
{
    ping_nodes nodes = {.config = &line->config};
    bool fine = true;
    for (size_t i = 0; fine && i < targets->count; i++)
        fine = each_host(line, a, targets->items[i], add_node, &nodes);
    int code = fine ? probe(line, nodes.items, nodes.count) : a->exit_code;
    for (size_t i = 0; i < nodes.count; i++)
        ping_node_free(&nodes.items[i]);
    free(nodes.items);
    return code;
}

typedef struct ping_loads {
    const ping_load_spec *spec;
    ping_load *items;
    size_t count, capacity;
} ping_loads;

static void add_load(void *user, const char *host, cql_options *o)
{
    ping_loads *loads = user;
    loads->items =
        tool_grow(loads->items, &loads->capacity, loads->count + 1, sizeof *loads->items);
    ping_load_init(&loads->items[loads->count++], loads->spec, host, o);
}

static int run_loads(ping_loads *loads, bool fine, const tool_args *a)
{
    if (fine)
        tool_catch_interrupts();
    int code = fine ? ping_run_loads(loads->items, loads->count) : a->exit_code;
    for (size_t i = 0; i < loads->count; i++)
        ping_load_free(&loads->items[i]);
    free(loads->items);
    return code;
}

/* --latency: each target by itself. */
static int measure(command_line *line, tool_args *a, const tool_targets *targets)
{
    ping_loads loads = {.spec = &line->load};
    bool fine = true;
    for (size_t i = 0; fine && i < targets->count; i++)
        fine = each_host(line, a, targets->items[i], add_load, &loads);
    return run_loads(&loads, fine, a);
}

/* --load: one session over the cluster, as a program has it. */
static int load(command_line *line, tool_args *a)
{
    ping_loads loads = {.spec = &line->load};
    const tool_targets *targets = tool_connection_targets(&line->connection, a);
    char *all = targets ? tool_targets_join(targets) : NULL;
    cql_options *o = targets ? options_for(line, a, all, true) : NULL;
    if (o)
        add_load(&loads, all, o);
    free(all);
    return run_loads(&loads, o != NULL, a);
}

static cql_options *options_of_patient(void *user, const char *host)
{
    command_line *line = user;
    return options_for(line, line->args, host, false);
}

static void add_patient(void *user, const char *host, cql_options *o)
{
    ping_doctor_add(user, host, false);
    cql_options_free(o);
}

static int examine(command_line *line, tool_args *a, const tool_targets *targets)
{
    ping_doctor d;
    bool fine = true;
    ping_doctor_init(&d, &line->config, options_of_patient, line);
    for (size_t i = 0; fine && i < targets->count; i++)
        fine = each_host(line, a, targets->items[i], add_patient, &d);
    int code = fine ? ping_doctor_run(&d) : a->exit_code;
    ping_doctor_free(&d);
    return code;
}

/* What takes one session over the first target. */
static int one_session(command_line *line, tool_args *a, const char *target)
{
    cql_options *o = options_for(line, a, target, line->watch);
    int code = !o            ? a->exit_code
               : line->watch ? ping_watch(&line->config, o)
                             : ping_query(&line->config, o, line->query);
    cql_options_free(o);
    return code;
}

static int run(command_line *line, tool_args *a)
{
    tool_targets found = {0};
    const tool_targets *targets = tool_connection_targets(&line->connection, a);
    if (!targets)
        return a->exit_code;
    if (line->query || line->watch)
        return one_session(line, a, targets->items[0]);
    if (line->doctor)
        return examine(line, a, targets);
    if (line->load.statement)
        return load(line, a);
    int code = line->config.all ? discover(line, a, targets, &found) : TOOL_EXIT_OK;
    if (line->config.all)
        targets = &found;
    if (code == TOOL_EXIT_OK)
        code = line->latency ? measure(line, a, targets) : ping_targets(line, a, targets);
    tool_targets_free(&found);
    return code;
}

int main(int argc, char **argv)
{
    command_line line = {0};
    tool_args a;
    line.config.interval_ms = DEFAULT_INTERVAL_MS;
    line.config.answer_ms = DEFAULT_ANSWER_MS;
    line.args = &a;
    tool_connection_init(&line.connection);
    read_line(&line, &a, argc, argv);
    int code = a.ended ? a.exit_code : run(&line, &a);
    tool_connection_free(&line.connection);
    return tool_finish(PING_NAME, code);
}
