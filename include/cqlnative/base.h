/* base.h: what every other header stands on: status codes, string views, the allocator table and
 * the log sink. */
#ifndef CQLNATIVE_BASE_H
#define CQLNATIVE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CQL_BEGIN extern "C" {
#define CQL_END }
#else
#define CQL_BEGIN
#define CQL_END
#endif

#if defined(__GNUC__)
#define CQL_API __attribute__((visibility("default")))
#define CQL_MUST_CHECK __attribute__((warn_unused_result))
#else
#define CQL_API
#define CQL_MUST_CHECK
#endif

/* Elements of an array, for the calls that take a pointer and a count. */
#define CQL_COUNT(array) (sizeof(array) / sizeof((array)[0]))

CQL_BEGIN

/* Every function that can fail returns a cql_status; CQL_OK is 0. The ranges:
 *   below 0   not a failure: an iteration ended
 *   1-99      misuse: the caller passed something that cannot be done
 *   100-199   resources: memory, queues, limits
 *   200-299   network: resolving, connecting, time-outs
 *   300-399   protocol: what the server sent cannot be understood or accepted
 *   400-499   modules (schema, jobs)
 *   0x10000+  an ERROR answer of the server: 0x10000 + the code on the wire, so that a code unknown
 *             to this version of the library still comes through
 * Columns: name, number, text. */
#define CQL_STATUS_MAP(X)                                                                          \
    X(CQL_DONE, -1, "no more items")                                                               \
    X(CQL_OK, 0, "ok")                                                                             \
    X(CQL_BAD_ARGUMENT, 1, "bad argument")                                                         \
    X(CQL_BAD_STATE, 2, "not possible in this state")                                              \
    X(CQL_TYPE_MISMATCH, 3, "wrong type")                                                          \
    X(CQL_OUT_OF_RANGE, 4, "index out of range")                                                   \
    X(CQL_IS_NULL, 5, "value is null")                                                             \
    X(CQL_UNBOUND, 6, "a marker has no value")                                                     \
    X(CQL_NO_SUCH_NAME, 7, "no such name")                                                         \
    X(CQL_WRONG_THREAD, 8, "not allowed on this thread")                                           \
    X(CQL_BAD_VALUE, 9, "value does not fit")                                                      \
    X(CQL_UNSUPPORTED, 10, "not supported by this build or version")                               \
    X(CQL_NO_MEMORY, 100, "out of memory")                                                         \
    X(CQL_WOULD_BLOCK, 101, "queue is full, wait for the drain callback")                          \
    X(CQL_TOO_LARGE, 102, "larger than the limit")                                                 \
    X(CQL_NO_STREAM, 103, "no free stream id")                                                     \
    X(CQL_SYSTEM, 104, "the operating system refused")                                             \
    X(CQL_RESOLVE_FAILED, 200, "host name could not be resolved")                                  \
    X(CQL_CONNECT_FAILED, 201, "connection failed")                                                \
    X(CQL_TLS_FAILED, 202, "TLS failed")                                                           \
    X(CQL_CLOSED, 203, "connection closed")                                                        \
    X(CQL_TIMEOUT, 204, "query timeout")                                                           \
    X(CQL_NO_HOST, 205, "no alive connections")                                                    \
    X(CQL_CANCELLED, 206, "cancelled")                                                             \
    X(CQL_MALFORMED, 300, "malformed data from the server")                                        \
    X(CQL_BAD_CHECKSUM, 301, "checksum mismatch")                                                  \
    X(CQL_BAD_VERSION, 302, "no common protocol version")                                          \
    X(CQL_AUTH_FAILED, 303, "authentication failed")                                               \
    X(CQL_UNEXPECTED, 304, "unexpected message from the server")                                   \
    X(CQL_PREPARED_CHANGED, 305, "prepared statement is another one now")                          \
    X(CQL_NOT_AGREED, 400, "the nodes do not agree on the schema")                                 \
    X(CQL_SCHEMA_DIFFERS, 401, "the live schema differs")                                          \
    X(CQL_BAD_CQL_FILE, 402, "the CQL text cannot be split into statements")                       \
    X(CQL_NOT_FOUND, 403, "not found")                                                             \
    X(CQL_CLAIM_LOST, 404, "the claim was lost")                                                   \
    X(CQL_OUTCOME_UNKNOWN, 405, "the outcome is unknown")                                          \
    X(CQL_SERVER_ERROR, 0x10000, "server error")                                                   \
    X(CQL_SERVER_PROTOCOL_ERROR, 0x1000a, "protocol error")                                        \
    X(CQL_SERVER_BAD_CREDENTIALS, 0x10100, "bad credentials")                                      \
    X(CQL_SERVER_UNAVAILABLE, 0x11000, "unavailable")                                              \
    X(CQL_SERVER_OVERLOADED, 0x11001, "overloaded")                                                \
    X(CQL_SERVER_IS_BOOTSTRAPPING, 0x11002, "is bootstrapping")                                    \
    X(CQL_SERVER_TRUNCATE_ERROR, 0x11003, "truncate error")                                        \
    X(CQL_SERVER_WRITE_TIMEOUT, 0x11100, "write timeout")                                          \
    X(CQL_SERVER_READ_TIMEOUT, 0x11200, "read timeout")                                            \
    X(CQL_SERVER_READ_FAILURE, 0x11300, "read failure")                                            \
    X(CQL_SERVER_FUNCTION_FAILURE, 0x11400, "function failure")                                    \
    X(CQL_SERVER_WRITE_FAILURE, 0x11500, "write failure")                                          \
    X(CQL_SERVER_CDC_WRITE_FAILURE, 0x11600, "CDC write failure")                                  \
    X(CQL_SERVER_CAS_WRITE_UNKNOWN, 0x11700, "conditional write with unknown outcome")             \
    X(CQL_SERVER_SYNTAX_ERROR, 0x12000, "syntax error")                                            \
    X(CQL_SERVER_UNAUTHORIZED, 0x12100, "unauthorized")                                            \
    X(CQL_SERVER_INVALID, 0x12200, "invalid query")                                                \
    X(CQL_SERVER_CONFIG_ERROR, 0x12300, "configuration error")                                     \
    X(CQL_SERVER_ALREADY_EXISTS, 0x12400, "already exists")                                        \
    X(CQL_SERVER_UNPREPARED, 0x12500, "unprepared")

typedef enum cql_status {
#define CQL_STATUS_ENUM(name, number, text) name = number,
    CQL_STATUS_MAP(CQL_STATUS_ENUM)
#undef CQL_STATUS_ENUM
} cql_status;

/* The code of a server ERROR as a status, and back (-1 when st is not a server error). */
#ifdef __cplusplus
#define CQL_STATUS_OF_SERVER(code) (static_cast<cql_status>(0x10000 + (code)))
#define CQL_SERVER_CODE(st) ((st) >= 0x10000 ? (st)-0x10000 : -1)
#else
#define CQL_STATUS_OF_SERVER(code) ((cql_status)(0x10000 + (code)))
#define CQL_SERVER_CODE(st) ((int)(st) >= 0x10000 ? (int)(st)-0x10000 : -1)
#endif

/* Short lower-case text for a status, "unknown status" for a number without a name. Static storage.
 * [any thread] */
CQL_API const char *cql_status_text(cql_status st);
/* The constant's own name ("CQL_TIMEOUT"), NULL when it has none. Static storage. [any thread] */
CQL_API const char *cql_status_name(cql_status st);

/* A view of bytes that somebody else owns. Text is UTF-8; it is not NUL-terminated. */
typedef struct cql_str {
    const char *ptr;
    size_t len;
} cql_str;

/* A view of a NUL-terminated string; NULL gives the empty view. [any thread] */
CQL_API cql_str cql_str_of(const char *nul_terminated);
/* True when both views hold the same bytes. [any thread] */
CQL_API bool cql_str_equal(cql_str a, cql_str b);

/* Memory functions that a program supplies. All three take `context` first. realloc_fn with a NULL
 * block allocates; free_fn takes NULL. They are called on any thread that calls the library. Objects
 * keep the pointer: the table must outlive every object made with it. */
typedef struct cql_allocator {
    void *context;
    void *(*malloc_fn)(void *context, size_t size);
    void *(*realloc_fn)(void *context, void *block, size_t size);
    void (*free_fn)(void *context, void *block);
} cql_allocator;

typedef enum cql_log_level {
    CQL_LOG_OFF = 0,
    CQL_LOG_ERROR = 1,
    CQL_LOG_WARN = 2,
    CQL_LOG_INFO = 3,
    CQL_LOG_DEBUG = 4,
    CQL_LOG_TRACE = 5
} cql_log_level;

/* Receives one line (no newline at the end, control characters escaped, secrets never). `text` is
 * borrowed for the call. Called on the thread that met the event; it must not call the session. */
typedef void (*cql_log_fn)(void *user, cql_log_level level, cql_str text);

CQL_END
#endif
