/* cqlping: is the cluster there, who answers, how fast. Runs what the command line asks for. */
#include "common/interrupt.h"
#include "common/memory.h"
#include "common/report.h"
#include "ping/cli.h"
#include "ping/discover.h"
#include "ping/doctor.h"
#include "ping/loop.h"
#include "ping/nagios.h"
#include "ping/print.h"
#include "ping/prometheus.h"
#include "ping/query.h"
#include "ping/watch.h"

#include <stdlib.h>
#include <string.h>

typedef struct ping_nodes {
    const ping_config *config;
    ping_node *items;
    size_t count, capacity;
} ping_nodes;

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
static cql_options *options_for(ping_cli *line, tool_args *a, const char *target,
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

/* A copy of o with this host as its only contact point. With a bundle, which may not name it, as the only
 * one of the nodes that are found. NULL when that cannot be. */
static cql_options *for_host(const cql_options *o, const char *host)
{
    cql_options *own = NULL;
    cql_error *err = NULL;
    bool bundle = cql_options_given(o, "secure_bundle");
    bool fine = cql_options_copy(o, &own) == CQL_OK &&
                (!bundle || cql_options_set(own, "discovery", "true", &err) == CQL_OK) &&
                cql_options_set(own, bundle ? "allow_hosts" : "contact_points", host, &err) == CQL_OK;
    cql_error_unref(err);
    if (fine)
        return own;
    cql_options_free(own);
    return NULL;
}

typedef void (*take_host)(void *user, const char *host, cql_options *o);

/* A connection string may name several hosts: each is taken by itself, with the string's options. The
 * options become take's. */
static bool each_host(ping_cli *line, tool_args *a, const char *target, take_host take, void *user)
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
static int discover(ping_cli *line, tool_args *a, const tool_targets *named,
                    tool_targets *found)
{
    cql_options *o = options_for(line, a, named->items[0], true);
    if (!o)
        return a->exit_code;
    int code = ping_discover(o, found);
    cql_options_free(o);
    return code;
}

static int probe(ping_cli *line, ping_node *nodes, size_t count)
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

static int ping_targets(ping_cli *line, tool_args *a, const tool_targets *targets)
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
static int measure(ping_cli *line, tool_args *a, const tool_targets *targets)
{
    ping_loads loads = {.spec = &line->load};
    bool fine = true;
    for (size_t i = 0; fine && i < targets->count; i++)
        fine = each_host(line, a, targets->items[i], add_load, &loads);
    return run_loads(&loads, fine, a);
}

/* --load: one session over the cluster, as a program has it. */
static int load(ping_cli *line, tool_args *a)
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
    ping_cli *line = user;
    cql_options *o = options_for(line, line->args, host, false);
    /* A bundle may not name the node. */
    if (o && cql_options_given(o, "secure_bundle") && !set_option(line->args, o, "discovery", "true")) {
        cql_options_free(o);
        return NULL;
    }
    return o;
}

static void add_patient(void *user, const char *host, cql_options *o)
{
    bool bundle = cql_options_given(o, "secure_bundle");
    if (bundle)
        ping_doctor_add_bundle(user, TOOL_BUNDLE_TARGET);
    if (!bundle || strcmp(host, TOOL_BUNDLE_TARGET) != 0)
        ping_doctor_add(user, host, false);
    cql_options_free(o);
}

static int examine(ping_cli *line, tool_args *a, const tool_targets *targets)
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
static int one_session(ping_cli *line, tool_args *a, const char *target)
{
    cql_options *o = options_for(line, a, target, line->watch);
    int code = !o            ? a->exit_code
               : line->watch ? ping_watch(&line->config, o)
                             : ping_query(&line->config, o, line->query);
    cql_options_free(o);
    return code;
}

/* A bundle names a cluster, not a node: all of its nodes are meant. The doctor finds them itself. */
static bool settle_bundle(ping_cli *line, tool_args *a, const tool_targets *targets)
{
    char *hosts = tool_target_hosts(targets->items[0]);
    bool none = *hosts == '\0';
    if (strcmp(hosts, TOOL_BUNDLE_TARGET) == 0 && !line->doctor)
        line->config.all = true;
    if (none)
        tool_args_fail(a, "a connection string without a host: cqlping takes a bundle by --bundle");
    free(hosts);
    return !a->ended;
}

static int run(ping_cli *line, tool_args *a)
{
    tool_targets found = {0};
    const tool_targets *targets = tool_connection_targets(&line->connection, a);
    if (!targets || !settle_bundle(line, a, targets))
        return a->exit_code;
    if (line->query || line->watch)
        return one_session(line, a, targets->items[0]);
    if (line->doctor)
        return examine(line, a, targets);
    if (line->load.statement)
        return load(line, a);
    int code = line->config.all ? discover(line, a, targets, &found) : TOOL_EXIT_OK;
    bool monitored = line->config.output == PING_NAGIOS || line->config.output == PING_FIGURES;
    if (line->config.all && code == TOOL_EXIT_OK)
        targets = &found;
    else if (monitored && !a->ended)
        code = TOOL_EXIT_OK; /* who watches has to be told of a cluster that is away: by its targets */
    if (code == TOOL_EXIT_OK)
        code = line->latency ? measure(line, a, targets) : ping_targets(line, a, targets);
    tool_targets_free(&found);
    return code;
}

int main(int argc, char **argv)
{
    ping_cli line = {0};
    tool_args a;
    ping_cli_read(&line, &a, argc, argv);
    tool_report_json(line.config.output == PING_JSON);
    int code = a.ended ? a.exit_code : run(&line, &a);
    if (a.ended && code != TOOL_EXIT_OK && ping_cli_wants_nagios(argc, argv))
        code = ping_nagios_misused(stdout);
    tool_connection_free(&line.connection);
    return tool_finish(PING_NAME, code);
}
