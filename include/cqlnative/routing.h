/* routing.h: to which nodes a request goes, and why: routing keys, load balancing policies of the program's
 * own, and the explanation of a plan. What the library does by itself is told in doc/routing.md. */
#ifndef CQLNATIVE_ROUTING_H
#define CQLNATIVE_ROUTING_H

#include <cqlnative/session.h>

CQL_BEGIN

/* --- routing keys --------------------------------------------------------------------------------- */
/* Statements bound to a prepared one know their partition key as soon as all its columns are markers. For
 * all others it may be said here; it then counts more than what the statement knows by itself.
 *
 * The key as the server hashes it: the bytes of the only partition key column, or for several [short]
 * length, bytes, and a zero byte for each of them (native_protocol has no section for it). Copied; len 0
 * takes it away. CQL_NO_MEMORY, CQL_TOO_LARGE beyond 65,535 bytes, CQL_BAD_ARGUMENT. */
CQL_API cql_status cql_statement_set_routing_key(cql_statement *stmt, const void *key, size_t len);
/* The same from the values of the partition key columns, in the table's order. CQL_IS_NULL for one that
 * is not set. */
CQL_API cql_status cql_statement_set_routing_values(cql_statement *stmt, cql_values values);
/* A token in place of a key, for a statement that asks for tokens (token(k) > ?): it goes to the replicas of that
 * token. What was said last counts, key or token. Of use with Murmur3Partitioner alone. CQL_NO_MEMORY. */
CQL_API cql_status cql_statement_set_routing_token(cql_statement *stmt, int64_t token);
/* The keyspace of the table, when it is not that of the prepared statement (it is known when there are markers) or of
 * the session. Copied; NULL
 * or "" takes it away. CQL_NO_MEMORY. */
CQL_API cql_status cql_statement_set_routing_keyspace(cql_statement *stmt, const char *keyspace);
/* Of a batch, instead of those of the first member that has a key. */
CQL_API cql_status cql_batch_set_routing_key(cql_batch *batch, const void *key, size_t len);
CQL_API cql_status cql_batch_set_routing_keyspace(cql_batch *batch, const char *keyspace);

/* --- whole tables --------------------------------------------------------------------------------- */
/* The rows whose token is above `after` and at most `upto`. */
typedef struct cql_token_range {
    int64_t after;
    int64_t upto;
} cql_token_range;

/* Cuts the tokens of the cluster into ranges, so that a whole table can be read by several at the same time:
 *
 *   SELECT … FROM t WHERE token(k) > ? AND token(k) <= ?
 *
 * with both ends bound and cql_statement_set_routing_token(stmt, upto), in pages. All rows of one range have
 * the same replicas, and no range is wider than one of `parts` equal parts of all tokens (0: as wide as they are;
 * at most 1,048,576). Together they have each row once, also later, when nodes have joined or left.
 * Writes at most cap of them to out, rising, and to *count how many there are; out may be NULL with cap 0.
 * CQL_TOO_LARGE: more than cap, ask again with more room. CQL_BAD_STATE: the tokens are not known, as before
 * the session is connected and with token_aware=false. CQL_UNSUPPORTED: the partitioner is not
 * Murmur3Partitioner. CQL_BAD_ARGUMENT. [any thread] */
CQL_API cql_status cql_session_token_ranges(cql_session *s, size_t parts, cql_token_range *out,
                                            size_t cap, size_t *count);

/* --- policies of the program ---------------------------------------------------------------------- */
typedef enum cql_distance {
    CQL_DISTANCE_LOCAL = 0,  /* connections are kept; takes requests */
    CQL_DISTANCE_REMOTE = 1, /* the same, but comes behind all local ones */
    CQL_DISTANCE_IGNORED = 2 /* no connections, no requests */
} cql_distance;

/* A node as policies see it. Strings live as long as the call. */
typedef struct cql_balancing_node {
    size_t size;         /* sizeof(cql_balancing_node) of the library */
    const char *address; /* "address:port" */
    const char *data_center;
    const char *rack;
    cql_uuid host_id;
    cql_distance distance; /* as it is now; in `distance`: what the library would say */
    bool local_rack;       /* it is in the rack of the option local_rack */
    bool up;               /* at least one connection takes requests */
    bool slow;             /* option latency_awareness: slower than the others */
} cql_balancing_node;

/* A request that needs a node. */
typedef struct cql_balancing_query cql_balancing_query;
struct cql_balancing_query {
    size_t size; /* sizeof(cql_balancing_query) of the library */
    const cql_balancing_node *nodes;
    size_t node_count;
    const uint16_t *replicas; /* indexes into nodes, in the order of the ring */
    size_t replica_count;     /* 0: not known */
    cql_str keyspace;         /* of the replicas; empty: not known */
    bool conditional;         /* a lightweight transaction: replicas best in the order of the ring */
    bool local_only;          /* its consistency level counts replicas of the local data centre only */
    unsigned attempt;         /* 0 for the first; nodes that had it are passed over by the library */
    uint64_t random;          /* drawn for this call */
    /* Requests in flight to a node, and the mean time of its answers in microseconds (0: not known; only
     * with the option latency_awareness). */
    uint32_t (*in_flight)(const cql_balancing_query *q, size_t node);
    uint64_t (*latency_us)(const cql_balancing_query *q, size_t node);
    const void *context; /* the library's */
};

/* Functions are called on the session's loop thread, for every attempt of every request: they decide over
 * what they are given, do not block and do not call the session. Each may be NULL: the library's own. */
typedef struct cql_balancing_policy {
    size_t size; /* sizeof(cql_balancing_policy) */
    void *self;
    /* How far a node is; asked whenever the list of nodes was read. */
    cql_distance (*distance)(void *self, const cql_balancing_node *node);
    /* Writes indexes of nodes into `order`, at most `cap`, best first; returns their number. Nodes that are
     * down, ignored, named twice or have no free stream are passed over; a node that is not named does
     * not get the request. */
    size_t (*plan)(void *self, const cql_balancing_query *q, uint16_t *order, size_t cap);
} cql_balancing_policy;

/* The policy of sessions made with these options. The table is copied; what `self` points at must outlive
 * the sessions. NULL: the library's own. CQL_BAD_ARGUMENT for a table that is too small. */
CQL_API cql_status cql_options_set_balancing_policy(cql_options *o,
                                                    const cql_balancing_policy *policy);

/* --- explaining ----------------------------------------------------------------------------------- */
/* The nodes that a statement would be sent to, in that order, and why. What is drawn at random is drawn
 * anew for every plan, as it is for every request. Yours: free with cql_plan_free. Immutable,
 * [any thread]; outlives its session. */
typedef struct cql_plan cql_plan;
typedef struct cql_plan_node {
    const char *address; /* strings live as long as the plan */
    const char *data_center;
    const char *rack;
    cql_distance distance;
    bool replica;       /* it has the row */
    bool up;
    bool tried;         /* it is part of the order; else `reason` says why not */
    uint32_t in_flight; /* requests in flight to it now */
    uint64_t latency_us; /* mean time of its answers; 0: not known */
    const char *reason; /* for people */
} cql_plan_node;

/* err set: no plan. Else the plan is the program's. */
typedef void (*cql_plan_cb)(cql_session *s, const cql_error *err, cql_plan *plan, void *user);
/* CQL_BAD_STATE while not connected; CQL_UNBOUND, CQL_NO_MEMORY. */
CQL_API cql_status cql_session_explain(cql_session *s, const cql_statement *stmt, cql_plan_cb cb,
                                       void *user);
CQL_API cql_status cql_session_explain_wait(cql_session *s, const cql_statement *stmt,
                                            cql_plan **out, cql_error **err);
CQL_API void cql_plan_free(cql_plan *plan);
/* Nodes of the order first, then those that are not used. */
CQL_API size_t cql_plan_count(const cql_plan *plan);
/* False past the end. */
CQL_API bool cql_plan_at(const cql_plan *plan, size_t i, cql_plan_node *out);
/* What is known of the key: the token as cqlsh shows it ("" when there is none), the keyspace, how it is
 * replicated ("NetworkTopologyStrategy dc1:3"), and in a sentence what the plan goes by. */
CQL_API const char *cql_plan_token(const cql_plan *plan);
CQL_API const char *cql_plan_keyspace(const cql_plan *plan);
CQL_API const char *cql_plan_replication(const cql_plan *plan);
CQL_API const char *cql_plan_summary(const cql_plan *plan);
/* All of it as lines of text, or as one JSON object; NUL-terminated, good as long as the plan. */
CQL_API const char *cql_plan_text(const cql_plan *plan);
CQL_API const char *cql_plan_json(const cql_plan *plan);

CQL_END
#endif
