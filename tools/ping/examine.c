/* Questions to one node, over a session that knows only this node. */
#include "common/escape.h"
#include "common/memory.h"
#include "ping/clock.h"
#include "ping/doctor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define LOCAL                                                                                      \
    "SELECT cluster_name, release_version, data_center, rack, host_id, schema_version, tokens, "  \
    "toUnixTimestamp(now()) FROM system.local"
#define PEERS   "SELECT native_address, native_port FROM system.peers_v2"
#define PEERS_3 "SELECT rpc_address FROM system.peers"
#define THREADS "SELECT name, active_tasks, pending_tasks, blocked_tasks FROM system_views.thread_pools"
#define TASKS   "SELECT keyspace_name, table_name, kind, progress, total FROM system_views.sstable_tasks"
#define DISK    "SELECT keyspace_name, table_name, mebibytes FROM system_views.disk_usage"
#define HINTS   "SELECT host_id, files, total_bytes FROM system_views.pending_hints"

typedef struct answer {
    cql_result *res;
    cql_rows rows;
} answer;

/* False where the server has no such table, or the role may not read it: then the line is left out. */
static bool ask(ping_chart *c, cql_session *s, const char *cql, answer *a)
{
    cql_status st = cql_session_query_wait(s, cql, &a->res, NULL);
    c->withheld = c->withheld || st == CQL_SERVER_UNAUTHORIZED;
    if (st != CQL_OK)
        return false;
    cql_rows_init(&a->rows, a->res);
    return true;
}

static char *text_of(answer *a, size_t column)
{
    if (cql_rows_is_null(&a->rows, column))
        return NULL;
    const char *text = cql_rows_cstr(&a->rows, column);
    return tool_escaped(cql_str_of(text));
}

static int64_t unix_ms(void)
{
    struct timeval now;
    gettimeofday(&now, NULL);
    return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

static void read_local(ping_patient *p, answer *a, int64_t middle)
{
    ping_chart *c = &p->chart;
    cql_items tokens;
    if (!cql_rows_next(&a->rows) || cql_result_column_count(a->res) < 8)
        return;
    c->cluster = text_of(a, 0);
    c->release = text_of(a, 1);
    c->data_center = text_of(a, 2);
    c->rack = text_of(a, 3);
    c->host_id = text_of(a, 4);
    c->schema_version = text_of(a, 5);
    cql_value v = cql_rows_value(&a->rows, 6);
    if (cql_items_init(&tokens, cql_result_column_type(a->res, 6), &v) == CQL_OK)
        c->tokens = tokens.count;
    c->has_clock = !cql_rows_is_null(&a->rows, 7);
    c->clock_ms = cql_rows_int64(&a->rows, 7) - middle;
}

static bool first_query(ping_patient *p, cql_session *s)
{
    cql_error *err = NULL;
    answer a = {0};
    int64_t before = unix_ms();
    uint64_t began = ping_now_us();
    cql_status st = cql_session_query_wait(s, LOCAL, &a.res, &err);
    p->query.done = true;
    p->query.ok = st == CQL_OK;
    p->query.us = ping_now_us() - began;
    p->query.text = st == CQL_OK ? tool_copy("answered")
                                 : tool_copy(err ? cql_error_text(err) : cql_status_text(st));
    if (st == CQL_OK) {
        cql_str host = cql_result_host(a.res);
        p->address = host.len ? tool_copy_str(host) : NULL;
        cql_rows_init(&a.rows, a.res);
        read_local(p, &a, before + (unix_ms() - before) / 2);
    }
    cql_result_unref(a.res);
    cql_error_unref(err);
    return st == CQL_OK;
}

/* The port of "address:port", for servers before 4.0: all their nodes have the same. */
static int32_t port_of(const char *address)
{
    const char *colon = address ? strrchr(address, ':') : NULL;
    return colon ? (int32_t)strtol(colon + 1, NULL, 10) : 0;
}

static void add_peer(ping_doctor *d, answer *a, int32_t port)
{
    char *address = text_of(a, 0);
    if (!address)
        return;
    bool v6 = strchr(address, ':') != NULL;
    char *host =
        tool_format(v6 ? "[%s]:%d" : "%s:%d", address, port > 0 && port < 65536 ? port : 9042);
    ping_doctor_add(d, host, true);
    free(host);
    free(address);
}

/* The nodes that the cluster announces join the queue, under the addresses for clients. */
static void add_peers(ping_doctor *d, ping_patient *p, cql_session *s)
{
    answer a = {0};
    int32_t port = port_of(p->address);
    bool with_ports = ask(&p->chart, s, PEERS, &a);
    if (!with_ports && !ask(&p->chart, s, PEERS_3, &a))
        return;
    while (cql_rows_next(&a.rows)) /* each moves the list: p is no longer good */
        add_peer(d, &a, with_ports ? cql_rows_int32(&a.rows, 1) : port);
    cql_result_unref(a.res);
}

static void ask_threads(ping_chart *c, cql_session *s)
{
    answer a = {0};
    uint64_t pools = 0, pending = 0;
    char *busiest = NULL;
    int64_t most = 0;
    if (!ask(c, s, THREADS, &a))
        return;
    while (cql_rows_next(&a.rows)) {
        int64_t waiting = cql_rows_int64(&a.rows, 2), blocked = cql_rows_int64(&a.rows, 3);
        pools++;
        pending += waiting > 0 ? (uint64_t)waiting : 0;
        c->blocked += blocked > 0 ? (uint64_t)blocked : 0;
        if (waiting > most) {
            most = waiting;
            free(busiest);
            busiest = text_of(&a, 0);
        }
    }
    c->threads = tool_format("%" PRIu64 " pools, %" PRIu64 " tasks pending, %" PRIu64 " blocked%s%s",
                             pools, pending, c->blocked, busiest ? "; most in " : "",
                             busiest ? busiest : "");
    free(busiest);
    cql_result_unref(a.res);
}

static void ask_compactions(ping_chart *c, cql_session *s)
{
    answer a = {0};
    if (!ask(c, s, TASKS, &a))
        return;
    char *first = NULL;
    while (cql_rows_next(&a.rows)) {
        c->pending_compactions++;
        if (first)
            continue;
        char *ks = text_of(&a, 0), *table = text_of(&a, 1), *kind = text_of(&a, 2);
        first = tool_format(": %s of %s.%s", kind ? kind : "?", ks ? ks : "?", table ? table : "?");
        free(ks);
        free(table);
        free(kind);
    }
    c->compactions = tool_format("%" PRIu64 " under way%s", c->pending_compactions, first ? first : "");
    free(first);
    cql_result_unref(a.res);
}

static void ask_disk(ping_chart *c, cql_session *s)
{
    answer a = {0};
    uint64_t sum = 0;
    int64_t most = -1;
    char *largest = NULL;
    if (!ask(c, s, DISK, &a))
        return;
    while (cql_rows_next(&a.rows)) {
        int64_t size = cql_rows_int64(&a.rows, 2);
        sum += size > 0 ? (uint64_t)size : 0;
        if (size <= most)
            continue;
        char *ks = text_of(&a, 0), *table = text_of(&a, 1);
        most = size;
        free(largest);
        largest = tool_format("; most in %s.%s, %" PRId64 " MiB", ks ? ks : "?", table ? table : "?", size);
        free(ks);
        free(table);
    }
    c->disk = tool_format("%" PRIu64 " MiB in tables%s", sum, largest && most > 0 ? largest : "");
    free(largest);
    cql_result_unref(a.res);
}

static void ask_hints(ping_chart *c, cql_session *s)
{
    answer a = {0};
    if (!ask(c, s, HINTS, &a))
        return;
    size_t nodes = cql_result_row_count(a.res);
    if (nodes)
        c->hints = tool_format("kept for %zu other node%s", nodes, nodes == 1 ? "" : "s");
    cql_result_unref(a.res);
}

void ping_examine(ping_doctor *d, size_t index, cql_session *s)
{
    ping_patient *p = &d->patients[index];
    if (!first_query(p, s))
        return;
    ask_threads(&p->chart, s);
    ask_compactions(&p->chart, s);
    ask_disk(&p->chart, s);
    ask_hints(&p->chart, s);
    if (!p->by_proxy) /* else only the proxy can dial their addresses */
        add_peers(d, p, s); /* moves the list: p is no longer good */
}

void ping_examine_bundle(ping_doctor *d, cql_session *s)
{
    cql_host_info host;
    cql_hosts *hosts = d->count == 1 ? cql_session_hosts(s) : NULL;
    for (size_t i = 0; hosts && cql_hosts_at(hosts, i, &host); i++)
        ping_doctor_add(d, host.address, true);
    cql_hosts_free(hosts);
}
