/* metrics.h: what a session did and does: counters, gauges and latencies of the session and of each
 * node, as a snapshot and as Prometheus text; and hooks at the start, the attempts and the end of each
 * request, on which a tracer can be hung. doc/metrics.md explains them with examples.
 *
 * Counting costs a few instructions per request and no lock; a snapshot is taken on any thread without
 * stopping the session, so numbers in it may be a request or two apart. */
#ifndef CQLNATIVE_METRICS_H
#define CQLNATIVE_METRICS_H

#include <cqlnative/session.h>

CQL_BEGIN

/* What is counted. Columns: constant, Prometheus name without its prefix, type, text. Kept for the
 * session and for each node, save what waits and what was refused for that: requests wait in one
 * queue, for any node. What connections count is of nodes, and the session's the sum of them; control
 * connections are not in it. Errors are counted by class where a request ended with them (session),
 * or where a node answered with them (node), also when it was sent again. */
#define CQL_METRIC_MAP(X)                                                                          \
    X(CQL_METRIC_REQUESTS, "requests_total", "counter",                                            \
      "requests begun (of a node: answers and failures)")                                          \
    X(CQL_METRIC_IN_FLIGHT, "in_flight", "gauge", "requests sent and not answered yet")            \
    X(CQL_METRIC_QUEUED, "queued", "gauge", "requests that wait for a connection")                 \
    X(CQL_METRIC_REFUSED, "refused_total", "counter",                                              \
      "requests that found the queue full: refused, or a call that blocks had to wait")            \
    X(CQL_METRIC_BYTES_IN, "received_bytes_total", "counter", "bytes received")                    \
    X(CQL_METRIC_BYTES_OUT, "sent_bytes_total", "counter", "bytes sent")                           \
    X(CQL_METRIC_RETRIES, "retries_total", "counter",                                              \
      "requests sent again after a failure (of a node: after one of its own)")                     \
    X(CQL_METRIC_SPECULATIONS, "speculations_total", "counter",                                    \
      "requests sent to a further node before the first answered (of a node: sent to it so)")      \
    X(CQL_METRIC_REPREPARES, "reprepares_total", "counter", "statements prepared again on a node") \
    X(CQL_METRIC_CONNECTIONS, "connections", "gauge", "connections that take requests")            \
    X(CQL_METRIC_OPENED, "connections_opened_total", "counter", "connections that became ready")   \
    X(CQL_METRIC_LOST, "connections_lost_total", "counter", "ready connections that ended")        \
    X(CQL_METRIC_CONNECT_FAILED, "connects_failed_total", "counter",                               \
      "connections that never became ready")                                                       \
    X(CQL_METRIC_ERROR_TIMEOUT, "timeout", "error", "no answer in time")                           \
    X(CQL_METRIC_ERROR_CONNECTION, "connection", "error", "connection lost or no node to send to") \
    X(CQL_METRIC_ERROR_CANCELLED, "cancelled", "error", "given up by the program or by closing")   \
    X(CQL_METRIC_ERROR_OVERLOADED, "overloaded", "error", "node overloaded or bootstrapping")      \
    X(CQL_METRIC_ERROR_UNAVAILABLE, "unavailable", "error", "too few replicas alive")              \
    X(CQL_METRIC_ERROR_SERVER_TIMEOUT, "server_timeout", "error",                                  \
      "read, write or conditional time-out between the nodes")                                     \
    X(CQL_METRIC_ERROR_SERVER_FAILURE, "server_failure", "error", "replicas failed")               \
    X(CQL_METRIC_ERROR_REFUSED, "refused", "error",                                                \
      "statement refused: syntax, rights, what does not exist")                                    \
    X(CQL_METRIC_ERROR_UNPREPARED, "unprepared", "error", "statement unknown to the node")         \
    X(CQL_METRIC_ERROR_OTHER, "other", "error", "anything else")

typedef enum cql_metric {
#define CQL_METRIC_ENUM(name, text, type, help) name,
    CQL_METRIC_MAP(CQL_METRIC_ENUM)
#undef CQL_METRIC_ENUM
    CQL_METRIC_COUNT
} cql_metric;

/* An immutable snapshot. [any thread] */
typedef struct cql_metrics cql_metrics;

/* In place of a node's index: the whole session. */
#define CQL_METRICS_SESSION SIZE_MAX

/* Latencies in microseconds, from a histogram of fixed buckets: true to one eighth. The session's are
 * those of whole requests that ended well, waiting and retries included; a node's those of single
 * answers. All 0 when there was none. */
typedef struct cql_latency {
    uint64_t count;
    uint64_t mean_us;
    uint64_t p50_us;
    uint64_t p90_us;
    uint64_t p99_us;
    uint64_t p999_us;
    uint64_t max_us;
} cql_latency;

/* A snapshot of now; counters begin with the session. NULL when memory is out or s is NULL. Yours: free
 * with cql_metrics_free. [any thread] */
CQL_API cql_metrics *cql_session_metrics(cql_session *s);
/* NULL is fine. [any thread] */
CQL_API void cql_metrics_free(cql_metrics *m);
/* Nodes in it: those known now. Their indexes go from 0 to the count. [any thread] */
CQL_API size_t cql_metrics_nodes(const cql_metrics *m);
/* "address:port" of a node, "" for the session and past the end; lives as long as m. [any thread] */
CQL_API const char *cql_metrics_node(const cql_metrics *m, size_t node);
/* One number of a node or of the session (CQL_METRICS_SESSION); 0 past the end and for what is not
 * kept there. [any thread] */
CQL_API uint64_t cql_metrics_value(const cql_metrics *m, size_t node, cql_metric which);
/* The constant's words: Prometheus name without prefix, and meaning; "" past the end. [any thread] */
CQL_API const char *cql_metric_name(cql_metric which);
CQL_API const char *cql_metric_help(cql_metric which);
/* Latencies; false past the end. [any thread] */
CQL_API bool cql_metrics_latency(const cql_metrics *m, size_t node, cql_latency *out);
/* The latency in microseconds that a share of the answers (0 to 1) did not exceed; 0 without answers.
 * [any thread] */
CQL_API uint64_t cql_metrics_quantile(const cql_metrics *m, size_t node, double share);
/* The snapshot in Prometheus' text format (version 0.0.4), metrics named cqlnative_…, nodes as labels.
 * Writes at most cap bytes, the NUL included, and returns the bytes that the whole text has without
 * it: cap was too small when that is >= cap. out may be NULL with cap 0. [any thread] */
CQL_API size_t cql_metrics_prometheus(const cql_metrics *m, char *out, size_t cap);

/* --- hooks ---------------------------------------------------------------------------------------- */

/* What a hook learns; all views are borrowed for the call. */
typedef struct cql_request_note {
    uint64_t id;         /* as cql_request.id; of one request at a time */
    const char *kind;    /* "query", "execute", "batch" or "prepare" */
    const char *host;    /* attempt: where it is sent, "address:port"; end: where it was sent last; "" */
    unsigned attempt;    /* attempt and end: 1 for the first; one sent beside it (speculation) has the
                          * same number */
    uint64_t elapsed_us; /* since the session's loop took the request; start: 0 */
    cql_status status;   /* end: CQL_OK or what the callback gets */
    const cql_error *err; /* end: the error, NULL when it went well */
    cql_str cql;          /* the statement's text, with its markers; of a batch that of its first one */
} cql_request_note;

/* Called for every request of the session, cql_session_prepare's too. `slot` is a word of the request's
 * own, NULL at first: what start puts there, the others find. start is called on the thread that
 * executes, inside the call; attempt each time that the request is handed to a connection, and end once,
 * right before the request's own callback, on the loop's thread. Members may be NULL. A hook must not
 * call the session. */
typedef struct cql_request_hooks {
    size_t size; /* sizeof(cql_request_hooks) */
    void *self;
    void (*start)(void *self, const cql_request_note *note, void **slot);
    void (*attempt)(void *self, const cql_request_note *note, void **slot);
    void (*end)(void *self, const cql_request_note *note, void **slot);
} cql_request_hooks;

/* Hooks of the sessions made with o; the table is borrowed and must outlive them, NULL takes it away.
 * CQL_BAD_ARGUMENT for a table of another size. Costs one branch per step while there are none.
 * [one at a time] */
CQL_API cql_status cql_options_set_request_hooks(cql_options *o, const cql_request_hooks *hooks);

CQL_END
#endif
