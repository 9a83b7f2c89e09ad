/* error.h: the error object: what failed, where, why, and what can be done about it. */
#ifndef CQLNATIVE_ERROR_H
#define CQLNATIVE_ERROR_H

#include <cqlnative/base.h>

CQL_BEGIN

/* Immutable and counted. A callback gets a borrowed `const cql_error *`; a call that takes
 * `cql_error **err` hands one over (release it with cql_error_unref) or, when err is NULL, none. An
 * error already held in *err is released and replaced, so one variable serves a whole function. A parameter that
 * must not be NULL and is gets an error as well. */
typedef struct cql_error cql_error;

/* Adds a holder and returns err; NULL stays NULL. [any thread] */
CQL_API cql_error *cql_error_ref(const cql_error *err);
/* Drops a holder; the last one frees. NULL is fine. [any thread] */
CQL_API void cql_error_unref(cql_error *err);
/* Makes an error of one's own, for modules and programs built on the library. `text` is the whole line
 * for a person (copied, escaped). `cause` lends all but status and text: host, server message, typed
 * detail, flags, tried nodes; it is borrowed and may be NULL. al may be NULL (the C library's).
 * Never NULL: when memory is out, the out-of-memory error comes instead. Yours: cql_error_unref.
 * [any thread] */
CQL_API cql_error *cql_error_make(const cql_allocator *al, cql_status st, const cql_error *cause,
                                  const char *text);

/* Accessors; all are [any thread], take no NULL, and return views that live as long as the error. */

/* What kind of failure it was. */
CQL_API cql_status cql_error_status(const cql_error *err);
/* One line for a person: what failed, where, why, what to do. Control characters are escaped. */
CQL_API const char *cql_error_text(const cql_error *err);
/* The server's own message, escaped; empty when the error did not come from a server. */
CQL_API const char *cql_error_server_message(const cql_error *err);
/* "address:port" of the node concerned, empty when none was reached. */
CQL_API const char *cql_error_host(const cql_error *err);
/* The code of a server ERROR (native_protocol section 9), -1 for errors made on this side. */
CQL_API int cql_error_server_code(const cql_error *err);

/* True when the statement may have been applied although this error came: never repeat a statement
 * that is not idempotent then. False means that it has certainly not been executed. */
CQL_API bool cql_error_maybe_applied(const cql_error *err);
/* True when the same request may succeed later or on another node. */
CQL_API bool cql_error_retriable(const cql_error *err);

/* Typed detail of unavailable, time-out and failure errors; 0 or "" where the code has no such field.
 * consistency: the level that the server names (it may differ from the request's). required: replicas
 * the level needs. received: those that answered (alive, for unavailable). */
CQL_API int cql_error_consistency(const cql_error *err);
CQL_API int cql_error_required(const cql_error *err);
CQL_API int cql_error_received(const cql_error *err);
CQL_API int cql_error_failures(const cql_error *err);
CQL_API bool cql_error_data_present(const cql_error *err);
CQL_API const char *cql_error_write_type(const cql_error *err);
/* Keyspace and table of an already-exists error, keyspace and function of a function failure. */
CQL_API const char *cql_error_keyspace(const cql_error *err);
CQL_API const char *cql_error_table(const cql_error *err);

/* Types of the arguments of a function failure ("int, text"). */
CQL_API const char *cql_error_argument_types(const cql_error *err);
/* Contentions of a conditional write that timed out (protocol v5). */
CQL_API int cql_error_contentions(const cql_error *err);
/* The id that the server did not know, of CQL_SERVER_UNPREPARED: opaque bytes. */
CQL_API cql_str cql_error_unprepared_id(const cql_error *err);
/* Which replica failed and why: protocol v5 lists them for read and write failures (v4 gives only the
 * number, cql_error_failures). address: 4 or 16 bytes in network order, the address between the nodes,
 * not the one that clients use. Either out-parameter may be NULL. CQL_OUT_OF_RANGE past the end. At
 * most about a thousand are kept. */
CQL_API size_t cql_error_reason_count(const cql_error *err);
CQL_API cql_status cql_error_reason(const cql_error *err, size_t i, cql_str *address, int *code);
/* A reason in words ("node down"), "unknown" for a code without a name. Static storage. */
CQL_API const char *cql_error_reason_name(int code);

/* The nodes that were tried, with the reason of each: for CQL_NO_HOST and failed connects. */
CQL_API size_t cql_error_tried_count(const cql_error *err);
/* Reads row i; CQL_OUT_OF_RANGE past the end. host and reason live as long as the error. */
CQL_API cql_status cql_error_tried(const cql_error *err, size_t i, const char **host,
                                   cql_status *status, const char **reason);

CQL_END
#endif
