/* Snapshots of what a session counted. */
#include "api/metrics.h"

#include "api/loops.h"
#include "api/options.h"
#include "cluster/view.h"

#include <string.h>

#define NAME_OF(name, text, type, help) text,
static const char *const names[] = {CQL_METRIC_MAP(NAME_OF)};
#define HELP_OF(name, text, type, help) help,
static const char *const helps[] = {CQL_METRIC_MAP(HELP_OF)};

/* --- taking one ----------------------------------------------------------------------------------- */

static uint64_t load(const cqln_counter *c)
{
    return atomic_load_explicit((cqln_counter *)(uintptr_t)c, memory_order_relaxed);
}

static void read_meter(const cqln_meter *from, cqln_reading *to)
{
    for (int i = 0; i < CQL_METRIC_COUNT; i++)
        to->values[i] = load(&from->values[i]);
    for (int i = 0; i < CQLN_METER_BUCKETS; i++) {
        to->buckets[i] = load(&from->buckets[i]);
        to->count += to->buckets[i];
    }
    to->sum_us = load(&from->sum_us);
    to->max_us = load(&from->max_us);
}

/* host NULL: of one that is removed. */
static void read_node(const cqln_meter *from, const cql_host_info *host, cqln_reading *to)
{
    read_meter(from, to);
    const cqln_traffic *t = &from->traffic;
    cqln_traffic *traffic = (cqln_traffic *)(uintptr_t)t;
    to->host = host;
    to->values[CQL_METRIC_BYTES_IN] = load(&traffic->in);
    to->values[CQL_METRIC_BYTES_OUT] = load(&traffic->out);
    to->values[CQL_METRIC_IN_FLIGHT] =
        atomic_load_explicit(&traffic->in_flight, memory_order_relaxed);
    to->values[CQL_METRIC_CONNECTIONS] = host ? host->connections : 0;
    to->values[CQL_METRIC_REQUESTS] = to->count;
    for (int i = CQL_METRIC_ERROR_TIMEOUT; i < CQL_METRIC_COUNT; i++)
        to->values[CQL_METRIC_REQUESTS] += to->values[i];
}

/* What only nodes have, summed up. */
static void add_node(cqln_reading *session, const cqln_reading *node)
{
    static const cql_metric summed[] = {
        CQL_METRIC_IN_FLIGHT,   CQL_METRIC_BYTES_IN, CQL_METRIC_BYTES_OUT,
        CQL_METRIC_CONNECTIONS, CQL_METRIC_OPENED,   CQL_METRIC_LOST,
        CQL_METRIC_CONNECT_FAILED};
    for (size_t i = 0; i < CQL_COUNT(summed); i++)
        session->values[summed[i]] += node->values[summed[i]];
}

/* Removed nodes whose connections are still being closed. */
static void add_gone(cqln_reading *session, const struct cql_hosts *view)
{
    for (size_t i = view->count; i < view->meter_count; i++) {
        cqln_reading node = {.host = NULL};
        read_node(view->meters[i], NULL, &node);
        add_node(session, &node);
    }
}

static void add_reading(cqln_reading *to, const cqln_reading *more)
{
    for (int i = 0; i < CQL_METRIC_COUNT; i++)
        to->values[i] += more->values[i];
    for (int i = 0; i < CQLN_METER_BUCKETS; i++)
        to->buckets[i] += more->buckets[i];
    to->count += more->count;
    to->sum_us += more->sum_us;
    to->max_us = more->max_us > to->max_us ? more->max_us : to->max_us;
}

/* The row of that address in the snapshot; NULL: the loops are not of one mind about this node just now. */
static cqln_reading *row_of(cql_metrics *m, const char *address)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->nodes[i].host->address, address) == 0)
            return &m->nodes[i];
    return NULL;
}

/* What a further loop counted. */
static void add_loop(cql_metrics *m, cqln_cluster *c)
{
    struct cql_hosts *view = cqln_cluster_view(c);
    cqln_reading own = {.host = NULL};
    read_meter(c->meter, &own);
    add_reading(&m->session, &own);
    for (size_t i = 0; view && i < view->count; i++) {
        cqln_reading node = {.host = NULL};
        read_node(view->meters[i], &view->rows[i], &node);
        add_node(&m->session, &node);
        cqln_reading *row = row_of(m, view->rows[i].address);
        if (row)
            add_reading(row, &node);
    }
    if (view)
        add_gone(&m->session, view);
    cql_hosts_free(view);
}

cql_metrics *cql_session_metrics(cql_session *s)
{
    struct cql_hosts *view = s ? cqln_cluster_view(&s->cluster) : NULL;
    cql_metrics *m = NULL;
    uint64_t pending = 0;
    if (view)
        m = cqln_alloc_zero(s->al, sizeof *m + view->count * sizeof m->nodes[0]);
    if (!m) {
        cql_hosts_free(view);
        return NULL;
    }
    m->al = s->al;
    m->view = view;
    m->count = view->count;
    read_meter(s->cluster.meter, &m->session);
    for (size_t i = 0; i < m->count; i++) {
        read_node(view->meters[i], &view->rows[i], &m->nodes[i]);
        add_node(&m->session, &m->nodes[i]);
    }
    add_gone(&m->session, view);
    for (uint32_t i = 1; i < cqln_session_loop_count(s); i++)
        add_loop(m, cqln_session_cluster(s, i));
    for (uint32_t i = 0; i < cqln_session_loop_count(s); i++)
        pending += atomic_load_explicit(&cqln_session_cluster(s, i)->pending, memory_order_relaxed);
    uint64_t *values = m->session.values;
    uint64_t sent = values[CQL_METRIC_IN_FLIGHT];
    values[CQL_METRIC_QUEUED] = pending > sent ? pending - sent : 0;
    return m;
}

void cql_metrics_free(cql_metrics *m)
{
    if (!m)
        return;
    cql_hosts_free(m->view);
    cqln_free(m->al, m);
}

/* --- looking at it -------------------------------------------------------------------------------- */

static const cqln_reading *reading_of(const cql_metrics *m, size_t node)
{
    if (!m)
        return NULL;
    if (node == CQL_METRICS_SESSION)
        return &m->session;
    return node < m->count ? &m->nodes[node] : NULL;
}

size_t cql_metrics_nodes(const cql_metrics *m)
{
    return m ? m->count : 0;
}

const char *cql_metrics_node(const cql_metrics *m, size_t node)
{
    const cqln_reading *r = reading_of(m, node);
    return r && r->host ? r->host->address : "";
}

uint64_t cql_metrics_value(const cql_metrics *m, size_t node, cql_metric which)
{
    const cqln_reading *r = reading_of(m, node);
    return r && (size_t)which < CQL_METRIC_COUNT ? r->values[which] : 0;
}

const char *cql_metric_name(cql_metric which)
{
    return (size_t)which < CQL_METRIC_COUNT ? names[which] : "";
}

const char *cql_metric_help(cql_metric which)
{
    return (size_t)which < CQL_METRIC_COUNT ? helps[which] : "";
}

/* The middle of the bucket in which that share of the answers ends, never above the largest. */
static uint64_t quantile(const cqln_reading *r, double share)
{
    if (r->count == 0)
        return 0;
    double wanted = !(share > 0) ? 0 : share > 1 ? 1 : share; /* what is no number is none */
    uint64_t rank = (uint64_t)(wanted * (double)r->count + 0.999999);
    uint64_t passed = 0;
    for (unsigned i = 0; i < CQLN_METER_BUCKETS; i++) {
        passed += r->buckets[i];
        if (passed < rank || passed == 0)
            continue;
        uint64_t low = cqln_meter_bound(i), high = cqln_meter_bound(i + 1) - 1;
        uint64_t middle = low + (high - low) / 2;
        return middle < r->max_us ? middle : r->max_us;
    }
    return r->max_us;
}

uint64_t cql_metrics_quantile(const cql_metrics *m, size_t node, double share)
{
    const cqln_reading *r = reading_of(m, node);
    return r ? quantile(r, share) : 0;
}

bool cql_metrics_latency(const cql_metrics *m, size_t node, cql_latency *out)
{
    const cqln_reading *r = reading_of(m, node);
    if (!r || !out)
        return false;
    *out = (cql_latency){
        .count = r->count,
        .mean_us = r->count ? r->sum_us / r->count : 0,
        .p50_us = quantile(r, 0.5),
        .p90_us = quantile(r, 0.9),
        .p99_us = quantile(r, 0.99),
        .p999_us = quantile(r, 0.999),
        .max_us = r->max_us,
    };
    return true;
}

/* --- hooks ----------------------------------------------------------------------------------------- */

cql_status cql_options_set_request_hooks(cql_options *o, const cql_request_hooks *hooks)
{
    if (!o || (hooks && hooks->size != sizeof *hooks))
        return CQL_BAD_ARGUMENT;
    o->config.hooks = hooks;
    return CQL_OK;
}
