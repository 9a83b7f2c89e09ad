/* The command line of cqlping: its options, and what they mean together. */
#include "ping/cli.h"
#include "ping/live.h"
#include "ping/query.h"

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
    {0, "json", NULL, OPT_JSON, "one JSON object a line, errors too (fields: cqlping(1))"},
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

static void take_level(tool_args *a, uint64_t *us)
{
    uint64_t ms;
    if (tool_args_count(a, 1, LONGEST_MS, &ms))
        *us = ms * 1000;
}

static void take_load(ping_cli *line, tool_args *a)
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

static void choose_output(tool_args *a, ping_config *config, ping_output output)
{
    if (config->output != PING_PEOPLE && config->output != output)
        tool_args_fail(a, "--json, --nagios and --prometheus do not go together");
    config->output = output;
}

static void take_own(ping_cli *line, tool_args *a)
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
        choose_output(a, config, PING_JSON);
        break;
    case OPT_NAGIOS:
        choose_output(a, config, PING_NAGIOS);
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
        choose_output(a, config, PING_FIGURES);
        break;
    default:
        take_load(line, a);
        break;
    }
}

/* How many of the things that cqlping can do instead of probing were asked for. */
static int modes(const ping_cli *line)
{
    return (line->query != NULL) + (line->load.statement != NULL) + line->latency + line->doctor +
           line->watch;
}

/* What goes with a load, and what is left of it to be filled in. */
static void settle_load(ping_cli *line, tool_args *a)
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
static void settle(ping_cli *line, tool_args *a)
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
    config->live = !modes(line) && ping_live_wanted(config);
}

void ping_cli_read(ping_cli *line, tool_args *a, int argc, char **argv)
{
    line->config.interval_ms = DEFAULT_INTERVAL_MS;
    line->config.answer_ms = DEFAULT_ANSWER_MS;
    line->args = a;
    tool_connection_init(&line->connection);
    tool_args_init(a, &program, argc, argv);
    while (tool_args_next(a))
        if (a->id == TOOL_OPT_WORD)
            (void)tool_connection_word(&line->connection, a);
        else if (!tool_connection_take(&line->connection, a))
            take_own(line, a);
    if (!a->ended)
        settle(line, a);
}

bool ping_cli_wants_nagios(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--nagios") == 0)
            return true;
    return false;
}
