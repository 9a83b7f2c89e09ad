/* trace.h: what the nodes did for a request that was traced (cql_statement_set_tracing,
 * cql_batch_set_tracing), read from system_traces. */
#ifndef CQLNATIVE_TRACE_H
#define CQLNATIVE_TRACE_H

#include <cqlnative/session.h>

CQL_BEGIN

/* Immutable; [any thread] once it is there. Outlives its session. Yours: free with cql_trace_free. */
typedef struct cql_trace cql_trace;

/* Exactly one of err (borrowed) and trace (yours) is set. */
typedef void (*cql_trace_cb)(cql_session *s, const cql_error *err, cql_trace *trace, void *user);

/* Fetches the trace with this id (cql_result_tracing_id). The nodes write it some time after the answer:
 * it is asked for until it is complete, for at most timeout_ms (0: 2 seconds), then CQL_NOT_FOUND. */
CQL_API cql_status cql_session_trace(cql_session *s, cql_uuid id, uint32_t timeout_ms,
                                     cql_trace_cb cb, void *user);
CQL_API cql_status cql_session_trace_wait(cql_session *s, cql_uuid id, uint32_t timeout_ms,
                                          cql_trace **out, cql_error **err);
CQL_API void cql_trace_free(cql_trace *trace);

/* Views live as long as the trace; empty where the server has nothing. */
typedef struct cql_trace_info {
    cql_uuid id;
    cql_str request; /* "Execute CQL3 query" */
    cql_str command; /* "QUERY" */
    cql_inet coordinator;
    cql_inet client; /* len 0: not known */
    int64_t started_at_ms;
    int32_t duration_us;
} cql_trace_info;
CQL_API void cql_trace_info_of(const cql_trace *trace, cql_trace_info *out);
/* A parameter of the request ("query", "page_size", "consistency_level"); CQL_NO_SUCH_NAME. */
CQL_API cql_status cql_trace_parameter(const cql_trace *trace, const char *name, cql_str *value);

/* The steps, in the order of their times. */
typedef struct cql_trace_event {
    cql_str activity;
    cql_str thread;
    cql_inet source;           /* the node that did it */
    int32_t source_elapsed_us; /* since the request came to that node */
    cql_uuid event_id;         /* version 1: cql_uuid_unix_ms gives the time */
} cql_trace_event;
CQL_API size_t cql_trace_event_count(const cql_trace *trace);
/* CQL_OUT_OF_RANGE past the end. */
CQL_API cql_status cql_trace_event_at(const cql_trace *trace, size_t i, cql_trace_event *out);

CQL_END
#endif
