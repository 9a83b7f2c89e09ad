/* events.h: what a session learns of its cluster, told as it happens; and the say that a program has in
 * the addresses of nodes. Both are set on the options, so that nothing is missed. */
#ifndef CQLNATIVE_EVENTS_H
#define CQLNATIVE_EVENTS_H

#include <cqlnative/session.h>

CQL_BEGIN

typedef enum cql_node_event {
    CQL_NODE_ADDED,   /* it is in the cluster's list of nodes; at the first list too */
    CQL_NODE_UP,      /* at least one connection takes requests */
    CQL_NODE_DOWN,    /* none does any more, or the first attempts failed; host->reason says why */
    CQL_NODE_REMOVED  /* it is not in the list any more */
} cql_node_event;

/* host is borrowed for the call. Called on the loop's thread, in a turn after what happened; changes that
 * are undone within that turn are not told. The order for one node is ADDED, then UP and DOWN, then
 * REMOVED. The session may be called, and closed. */
typedef void (*cql_node_event_fn)(void *user, cql_session *s, cql_node_event event,
                                  const cql_host_info *host);

/* NULL takes it away. The same events are in the log, once each: joined, up, left (CQL_LOG_INFO), down
 * (CQL_LOG_WARN). [one at a time] */
CQL_API void cql_options_on_node_event(cql_options *o, cql_node_event_fn fn, void *user);

typedef enum cql_schema_event {
    CQL_SCHEMA_CREATED,
    CQL_SCHEMA_UPDATED,
    CQL_SCHEMA_DROPPED,
    CQL_SCHEMA_OTHER,  /* a change of a kind that this version does not know */
    CQL_SCHEMA_MISSED  /* the connection that brings the events was lost and is back: changes in between
                        * are not told, so look at whatever you keep. All views are empty */
} cql_schema_event;

/* What changed (native_protocol section 4.2.6). The server's own text, borrowed for the call. */
typedef struct cql_schema_note {
    cql_schema_event event;
    cql_str target;   /* "KEYSPACE", "TABLE" (views too), "TYPE", "FUNCTION", "AGGREGATE" */
    cql_str keyspace;
    cql_str name;     /* of what changed in the keyspace; empty for a keyspace itself */
} cql_schema_note;

/* Called on the loop's thread for every schema change that the cluster announces, whoever made it. A hint
 * rather than a log: the server sends it once the node behind the control connection knows of the change,
 * and not at all while there is no such connection. The session may be called, and closed. */
typedef void (*cql_schema_event_fn)(void *user, cql_session *s, const cql_schema_note *note);

/* NULL takes it away; without one the session does not ask the server for these events.
 * [one at a time] */
CQL_API void cql_options_on_schema_event(cql_options *o, cql_schema_event_fn fn, void *user);

/* Turns the address that a node has inside the cluster into the one at which this program reaches it:
 * for clusters behind address translation. `from` and what is written to `to` (to_size bytes) look like
 * "10.0.0.5:9042" or "[2001:db8::5]:9042"; true: `to` was written; false: `from` is right as it is.
 * Asked for the rows of the peers tables and for the addresses in events; not for contact points, nor for
 * the node behind the control connection, which keeps the address at which it was reached. The same
 * `from` must always give the same `to`. An answer that is no address leaves the node out and is logged.
 * Called on the loop's thread; it must not call the session. */
typedef bool (*cql_translate_fn)(void *user, const char *from, char *to, size_t to_size);

/* NULL takes it away. [one at a time] */
CQL_API void cql_options_set_address_translator(cql_options *o, cql_translate_fn fn, void *user);

CQL_END
#endif
