/* session.h: a session is the program's hold on a cluster: connections, routing, execution.
 *
 * Three ways to run it; the same code under each:
 *   own thread    cql_session_new with loop_threads=1 (the default): one thread of the library's runs
 *                 the loop; every call is [any thread]; callbacks come on that thread.
 *   driven        loop_threads=0: nothing runs until the program calls a _wait function or
 *                 cql_session_drive; calls and callbacks are on that thread, [one at a time].
 *   caller's loop cql_session_new_uv (uv.h): no thread; all calls on the loop's thread.
 * Every callback is called exactly once, never from inside the call that registered it, never with a
 * lock held. It may call the session, and close it.
 *
 * Several loops: loop_threads=2 to 64 spreads the connections and the limits of the session over so many
 * threads, for programs that one core does not serve. Each request is handled on one of them, from its
 * sending to its callback; a request made inside a callback stays on that callback's loop, all pages of a
 * cql_pages are on one, others go to each in turn. So callbacks of different requests come on several
 * threads, also at the same time: what they share is the program's to guard. The same holds for the log,
 * hooks, policies, authenticator and name callbacks, and for callbacks of modules. On the first loop alone
 * are timers, node and schema events, and the callbacks of connect, close, agreement, explain and trace.
 * "On the loop's thread" elsewhere means: on the thread of that loop.
 *
 * fork: a child may not use or free a session made before the fork; it can make its own. exit: a
 * program may exit with open sessions, requests in flight are then simply lost. */
#ifndef CQLNATIVE_SESSION_H
#define CQLNATIVE_SESSION_H

#include <cqlnative/error.h>
#include <cqlnative/options.h>
#include <cqlnative/result.h>
#include <cqlnative/statement.h>

CQL_BEGIN

typedef struct cql_session cql_session;
/* Handle of one request, for cql_request_cancel. */
typedef struct cql_request {
    uint64_t id;
} cql_request;

/* Exactly one of err and res is set; both are borrowed for the call. */
typedef void (*cql_result_cb)(cql_session *s, const cql_error *err, const cql_result *res,
                              void *user);
/* err is NULL when it went well. */
typedef void (*cql_session_cb)(cql_session *s, const cql_error *err, void *user);
/* Exactly one of err and prepared is set; prepared is borrowed, cql_prepared_ref keeps it. */
typedef void (*cql_prepared_cb)(cql_session *s, const cql_error *err, const cql_prepared *prepared,
                                void *user);

/* --- life ---------------------------------------------------------------------------------------- */
/* Makes a session; does not connect, does not block. Options are copied. Yours: free with
 * cql_session_free. CQL_NO_MEMORY, CQL_SYSTEM (no thread), CQL_UNSUPPORTED (a build without threads, and
 * loop_threads is not 0), CQL_BAD_ARGUMENT. */
CQL_API cql_status cql_session_new(const cql_options *o, cql_session **out, cql_error **err);
/* Options from a connection string, session, connect: all in one. *out is yours: free with cql_session_free;
 * NULL when it failed. */
CQL_API cql_status cql_session_open_wait(const char *url, cql_session **out, cql_error **err);
/* The same with a log-in, since a connection string has no password. Both are copied, and wiped when the session
 * is freed; user NULL: no log-in. Programs that should not hold a password take it from where they run:
 * cql_options_from_environment or cql_options_load, then cql_session_new and cql_session_connect_wait. */
CQL_API cql_status cql_session_open_login_wait(const char *url, const char *user,
                                               const char *password, cql_session **out,
                                               cql_error **err);
CQL_API cql_status cql_session_connect(cql_session *s, cql_session_cb cb, void *user);
CQL_API cql_status cql_session_connect_wait(cql_session *s, cql_error **err);
/* Stops taking requests, lets those in flight finish until `close_timeout` (option), cancels the rest,
 * closes every connection. cb may be NULL. Closing again while it closes is fine; CQL_BAD_STATE once it
 * is closed (then cb does not come; cql_session_close_wait gives CQL_OK). CQL_NO_MEMORY: it goes on as before.
 * cql_session_close_wait and cql_session_free need no memory. */
CQL_API cql_status cql_session_close(cql_session *s, cql_session_cb cb, void *user);
CQL_API cql_status cql_session_close_wait(cql_session *s);
/* Frees; NULL is fine. An open session is closed first: in the own-thread and driven modes that
 * blocks, in the caller's-loop mode it must have been closed (else the session closes itself at once,
 * cancels everything, and frees its memory when the loop has run its close callbacks). From inside a
 * callback it is closed and freed once that callback returned; in the driven mode by the call that the
 * callback came from, before it returns. */
CQL_API void cql_session_free(cql_session *s);

/* --- executing ----------------------------------------------------------------------------------- */
/* Sends a statement. CQL_OK: cb is called once. Any other status: it is not; CQL_WOULD_BLOCK: the
 * queue is full (options max_pending_requests, max_pending_bytes), the drain callback tells when to go
 * on; CQL_UNBOUND (cql_statement_check says which marker), CQL_BAD_STATE (not connected or closing),
 * CQL_NO_MEMORY, CQL_TOO_LARGE, CQL_PREPARED_CHANGED (see cql_prepared_bind).
 * The _wait functions do not give CQL_WOULD_BLOCK: they wait for room, one behind the other, then for the
 * answer, both within the time-out of the call. CQL_TIMEOUT when there was no room in time: nothing was sent. */
CQL_API cql_status cql_session_execute(cql_session *s, const cql_statement *stmt, cql_result_cb cb,
                                       void *user);
CQL_API cql_status cql_session_execute_wait(cql_session *s, const cql_statement *stmt,
                                            cql_result **res, cql_error **err);
/* The same with more to say; opts and request may be NULL. */
typedef struct cql_execute_options {
    size_t size;         /* sizeof(cql_execute_options) */
    uint32_t timeout_ms; /* 0: that of the statement or batch, then the session's */
    const char *host;    /* "address:port" of the only node to use; NULL: any */
} cql_execute_options;
CQL_API cql_status cql_session_execute_with(cql_session *s, const cql_statement *stmt,
                                            const cql_execute_options *opts, cql_request *request,
                                            cql_result_cb cb, void *user);
CQL_API cql_status cql_session_execute_with_wait(cql_session *s, const cql_statement *stmt,
                                                 const cql_execute_options *opts, cql_result **res,
                                                 cql_error **err);
/* A batch in the same way. */
CQL_API cql_status cql_session_execute_batch_with(cql_session *s, const cql_batch *batch,
                                                  const cql_execute_options *opts,
                                                  cql_request *request, cql_result_cb cb, void *user);
/* Gives a request up: its callback comes with CQL_CANCELLED unless it was already on its way. The
 * server may still apply it. CQL_NO_SUCH_NAME when it has ended. [any thread] */
CQL_API cql_status cql_request_cancel(cql_session *s, cql_request request);
/* A statement without markers, given as text. */
CQL_API cql_status cql_session_query(cql_session *s, const char *cql, cql_result_cb cb, void *user);
CQL_API cql_status cql_session_query_wait(cql_session *s, const char *cql, cql_result **res,
                                          cql_error **err);
CQL_API cql_status cql_session_execute_batch(cql_session *s, const cql_batch *batch,
                                             cql_result_cb cb, void *user);
CQL_API cql_status cql_session_execute_batch_wait(cql_session *s, const cql_batch *batch,
                                                  cql_result **res, cql_error **err);
CQL_API cql_status cql_session_prepare(cql_session *s, const char *cql, cql_prepared_cb cb,
                                       void *user);
CQL_API cql_status cql_session_prepare_wait(cql_session *s, const char *cql, cql_prepared **out,
                                            cql_error **err);
/* Prepares with a keyspace for the tables that the text does not qualify, whatever the session's is
 * (NULL: the session's). Protocol v5 (section 4.1.5); CQL_UNSUPPORTED below. */
CQL_API cql_status cql_session_prepare_in(cql_session *s, const char *keyspace, const char *cql,
                                          cql_prepared_cb cb, void *user);
CQL_API cql_status cql_session_prepare_in_wait(cql_session *s, const char *keyspace,
                                               const char *cql, cql_prepared **out,
                                               cql_error **err);
/* Called when the queue has room again after a CQL_WOULD_BLOCK, once per full-to-room edge, on the
 * loop's thread; of several loops the one that had room first. It may come after a blocking call or pages had to
 * wait for room, too, and others may have taken the room by then. One per session; NULL takes it away.
 * [any thread]: from another thread than the loop's, a call that has begun may still run with what was set
 * before, after this returned. */
typedef void (*cql_drain_cb)(cql_session *s, void *user);
CQL_API cql_status cql_session_on_drain(cql_session *s, cql_drain_cb cb, void *user);

/* Waits until all nodes that are up report one schema version (native_protocol: schema changes are
 * only known to the node that made them). CQL_NOT_AGREED after timeout_ms (0: the option
 * schema_agreement_timeout). Requests that change the schema do this by themselves before they
 * answer, see cql_result_schema_agreed. */
CQL_API cql_status cql_session_agree(cql_session *s, uint32_t timeout_ms, cql_session_cb cb,
                                     void *user);
CQL_API cql_status cql_session_agree_wait(cql_session *s, uint32_t timeout_ms, cql_error **err);

/* --- driven mode --------------------------------------------------------------------------------- */
/* A descriptor that turns readable when there is something to do (-1 in the other modes); the
 * milliseconds until cql_session_drive must be called at the latest (-1: no deadline); and the call
 * that does what is to be done, waiting at most timeout_ms for something (0: not at all, -1: no
 * limit). CQL_BAD_STATE in the other modes. */
CQL_API int cql_session_fd(const cql_session *s);
CQL_API int cql_session_deadline(const cql_session *s);
CQL_API cql_status cql_session_drive(cql_session *s, int timeout_ms);

/* --- looking at it ------------------------------------------------------------------------------- */
/* The protocol version in use (4 or 5), 0 before it is known. */
CQL_API int cql_session_protocol_version(const cql_session *s);
/* A snapshot of the nodes known now: counted, immutable, [any thread]. NULL when memory is out. */
typedef struct cql_hosts cql_hosts;
typedef struct cql_host_info {
    const char *address; /* "address:port" to which clients connect; by a secure_bundle the host id */
    const char *data_center;
    const char *rack;
    const char *release_version;
    cql_uuid host_id;
    bool up;              /* at least one connection is ready */
    unsigned connections; /* ready ones, of all loops */
    const char *reason;   /* why it is not up: the last failure; "" when it is up */
} cql_host_info;
CQL_API cql_hosts *cql_session_hosts(cql_session *s);
CQL_API size_t cql_hosts_count(const cql_hosts *hosts);
/* Strings live as long as hosts. False past the end. */
CQL_API bool cql_hosts_at(const cql_hosts *hosts, size_t i, cql_host_info *out);
CQL_API void cql_hosts_free(cql_hosts *hosts);
/* The cluster's own name, as a view that lives as long as the session; empty before it is known. */
CQL_API cql_str cql_session_cluster_name(cql_session *s);
/* The allocator the session was made with, for modules built on top. */
CQL_API const cql_allocator *cql_session_allocator(const cql_session *s);
/* CQL_OK when a call that blocks may be made on this thread; CQL_WRONG_THREAD on each of the session's
 * loop threads and for a session on the caller's loop. For modules that bring blocking calls of their
 * own. [any thread] */
CQL_API cql_status cql_session_may_wait(const cql_session *s);

/* --- timers -------------------------------------------------------------------------------------- */
/* A call on the session's (first) loop at a later time, for modules and programs that keep times of their own
 * without a thread. Driven sessions take it into account in cql_session_deadline. */
typedef struct cql_timer cql_timer;
typedef void (*cql_timer_cb)(cql_session *s, void *user);
/* Makes a timer that is not set. The session must outlive it. CQL_NO_MEMORY. [any thread] */
CQL_API cql_status cql_timer_new(cql_session *s, cql_timer_cb cb, void *user, cql_timer **out);
/* cb comes once, after ms milliseconds (0: in the next turn; not before, up to 8 ms later). Replaces
 * an earlier setting; -1 takes it away, though a call may be on its way. It does not come any more once
 * the session is closed. [any thread] */
CQL_API void cql_timer_set(cql_timer *t, int ms);
/* Frees; NULL is fine. From another thread a call may still be on its way: gone (may be NULL) is called
 * with the timer's session and user when cb will not come any more, on the session's loop, or at the
 * latest when the session is freed. [any thread] */
CQL_API void cql_timer_free(cql_timer *t, cql_timer_cb gone);

CQL_END
#endif
