/* statement.h: what can be sent: statements, prepared statements, batches. */
#ifndef CQLNATIVE_STATEMENT_H
#define CQLNATIVE_STATEMENT_H

#include <cqlnative/error.h>
#include <cqlnative/value.h>

CQL_BEGIN

typedef enum cql_consistency {
    CQL_CONSISTENCY_ANY = 0,
    CQL_CONSISTENCY_ONE = 1,
    CQL_CONSISTENCY_TWO = 2,
    CQL_CONSISTENCY_THREE = 3,
    CQL_CONSISTENCY_QUORUM = 4,
    CQL_CONSISTENCY_ALL = 5,
    CQL_CONSISTENCY_LOCAL_QUORUM = 6,
    CQL_CONSISTENCY_EACH_QUORUM = 7,
    CQL_CONSISTENCY_SERIAL = 8,
    CQL_CONSISTENCY_LOCAL_SERIAL = 9,
    CQL_CONSISTENCY_LOCAL_ONE = 10
} cql_consistency;

/* Upper-case name ("LOCAL_QUORUM"), "UNKNOWN" for other numbers; and back, either case. */
CQL_API const char *cql_consistency_name(int consistency);
CQL_API cql_status cql_consistency_parse(cql_str name, cql_consistency *out);

/* A statement with its values and options. [one at a time]: use it from one thread at a time. It may
 * be changed or freed as soon as an execute call returned, since that call encodes it. */
typedef struct cql_statement cql_statement;
/* A statement known to the servers. Immutable, counted, [any thread]. Outlives its session. */
typedef struct cql_prepared cql_prepared;
/* Several statements in one request. [one at a time] */
typedef struct cql_batch cql_batch;

/* Several values for cql_statement_bind: pointer and count in one. */
typedef struct cql_values {
    const cql_value *ptr;
    size_t count;
} cql_values;

#ifdef __cplusplus
CQL_END
namespace cql_detail {
template <unsigned long N> struct values_holder {
    cql_value v[N ? N : 1]; /* a pack of arguments may be empty */
    operator cql_values() const { return cql_values{v, N}; }
};
template <typename... T> inline values_holder<sizeof...(T)> hold(T... v) {
    return values_holder<sizeof...(T)>{{v...}};
}
} // namespace cql_detail
/* A temporary that lives until the end of the full expression, as in C. */
#define CQL_VALUES(...) (::cql_detail::hold(__VA_ARGS__))
CQL_BEGIN
#else
#define CQL_VALUES(...)                                                                            \
    ((cql_values){(const cql_value[]){__VA_ARGS__},                                                \
                  sizeof((const cql_value[]){__VA_ARGS__}) / sizeof(cql_value)})
#endif

/* --- statements ---------------------------------------------------------------------------------- */
/* An unprepared statement; the text is copied. markers: number of `?` in it. Values go as they are
 * (the server checks the types). al may be NULL. CQL_NO_MEMORY, CQL_TOO_LARGE (over 65,535 markers).
 * Yours: free with cql_statement_free. */
CQL_API cql_status cql_statement_new(const char *cql, size_t markers, const cql_allocator *al,
                                     cql_statement **out);
/* A statement bound to a prepared one, which it holds; every marker starts unbound. NULL when memory
 * is out. Yours: free with cql_statement_free.
 * Executing gives CQL_PREPARED_CHANGED from when on a server says that the markers have other types, since the table
 * was made anew: prepare it again, and bind that. A user type that got fields is no other type. */
CQL_API cql_statement *cql_prepared_bind(const cql_prepared *prepared);
CQL_API void cql_statement_free(cql_statement *stmt);

/* Binds all markers from the first on. Fewer values than markers leave the rest as they are; more are
 * CQL_OUT_OF_RANGE. A value that does not fit names the column, the expected and the given type in
 * *err. Nothing is changed from the failing value on. */
CQL_API cql_status cql_statement_bind(cql_statement *stmt, cql_values values, cql_error **err);
/* Binds one marker, by index or by name. Prepared: every marker of that name, CQL_NO_SUCH_NAME. Not
 * prepared: for a text with `:name` markers; each new name takes the next marker without one, so
 * `markers` of cql_statement_new is the number of different names. The name travels with the value, so
 * all markers must then be bound by name (else executing gives CQL_BAD_STATE); not in batches
 * (CQL_UNSUPPORTED from cql_batch_add).
 * Prepared, by these and all the other binds: numbers go into columns of a longer type where nothing can
 * be lost, int8, int16, int32 and int64 into smallint, int, bigint, counter and varint, float into double. Not the
 * other way, even where the number would fit: CQL_TYPE_MISMATCH. Nor inside collections. */
CQL_API cql_status cql_statement_bind_value(cql_statement *stmt, size_t index, cql_value value);
CQL_API cql_status cql_statement_bind_name(cql_statement *stmt, const char *name, cql_value value);
CQL_API cql_status cql_statement_bind_null(cql_statement *stmt, size_t index);
CQL_API cql_status cql_statement_bind_bool(cql_statement *stmt, size_t index, bool v);
CQL_API cql_status cql_statement_bind_int8(cql_statement *stmt, size_t index, int8_t v);
CQL_API cql_status cql_statement_bind_int16(cql_statement *stmt, size_t index, int16_t v);
CQL_API cql_status cql_statement_bind_int32(cql_statement *stmt, size_t index, int32_t v);
CQL_API cql_status cql_statement_bind_int64(cql_statement *stmt, size_t index, int64_t v);
CQL_API cql_status cql_statement_bind_float(cql_statement *stmt, size_t index, float v);
CQL_API cql_status cql_statement_bind_double(cql_statement *stmt, size_t index, double v);
CQL_API cql_status cql_statement_bind_text(cql_statement *stmt, size_t index, const char *v);
CQL_API cql_status cql_statement_bind_blob(cql_statement *stmt, size_t index, const void *bytes,
                                           size_t len);
CQL_API cql_status cql_statement_bind_uuid(cql_statement *stmt, size_t index, cql_uuid v);
/* As cql_statement_bind_value, but the bytes of a text, blob or collection are not copied: they are
 * read where they are each time the statement is executed or added to a batch, and must stay as they
 * are until that call returned. Short values, numbers and parts of the
 * partition key are copied all the same. The text is checked
 * now. For values of many kilobytes. */
CQL_API cql_status cql_statement_bind_borrowed(cql_statement *stmt, size_t index, cql_value value);
/* Binds what the text means for the marker's type, as cql_value_parse reads it; NULL binds null. For
 * prepared statements (CQL_UNSUPPORTED for others, whose types are not known). *err names the marker,
 * its type and the text. */
CQL_API cql_status cql_statement_bind_parsed(cql_statement *stmt, size_t index, const char *text,
                                             cql_error **err);
/* What was wrong with the last value that a bind of this statement refused, since it was made or
 * cleared: a line that names the marker, its type, and the type and value given. NULL: none was. For
 * the binds that have no cql_error of their own. Borrowed until the next bind. */
CQL_API const cql_error *cql_statement_error(const cql_statement *stmt);
/* Whether every marker has a value: CQL_OK, or CQL_UNBOUND and in *err (may be NULL) the first marker without
 * one, by position and name, and what its bind refused. For the calls with a callback, which answer a bare
 * CQL_UNBOUND. *err is the caller's. */
CQL_API cql_status cql_statement_check(const cql_statement *stmt, cql_error **err);
/* Makes every marker unbound again; keeps the memory. */
CQL_API void cql_statement_clear(cql_statement *stmt);
/* Number of markers. */
CQL_API size_t cql_statement_marker_count(const cql_statement *stmt);
/* The partition key of a bound statement in the servers' form, for grouping by partition: the bytes of
 * the value or, for a key of several columns, of each its length in two bytes, the value and a zero byte
 * (native_protocol section 4.2.5.4 names the markers). Writes at most cap bytes to buf, the length to
 * *len. CQL_NO_SUCH_NAME: not prepared, or not all of the key is in markers. CQL_UNBOUND: a part has no
 * value. CQL_TOO_LARGE: longer than cap, *len says how long. */
CQL_API cql_status cql_statement_partition_key(const cql_statement *stmt, void *buf, size_t cap,
                                               size_t *len);

/* Options of one statement; what is not set comes from the session. Several at once: profile.h. A NULL statement, from a bind that found no memory, is
 * passed over by those that return nothing: executing it answers CQL_BAD_ARGUMENT. The same for batches. */
CQL_API void cql_statement_set_consistency(cql_statement *stmt, cql_consistency level);
/* CQL_BAD_ARGUMENT unless SERIAL or LOCAL_SERIAL. */
CQL_API cql_status cql_statement_set_serial_consistency(cql_statement *stmt, cql_consistency level);
/* True: running it twice is the same as once, so it may be sent again after an unclear failure; false: it may not. Where
 * neither is said the session's option `idempotent` counts, which says no unless it is set. */
CQL_API void cql_statement_set_idempotent(cql_statement *stmt, bool idempotent);
/* Rows per page; -1 for all in one. */
CQL_API cql_status cql_statement_set_page_size(cql_statement *stmt, int32_t rows);
/* Continues after the page that gave this state (copied); an empty one starts at the first page. */
CQL_API cql_status cql_statement_set_paging_state(cql_statement *stmt, cql_str state);
/* Write time in microseconds since the epoch instead of the session's rising clock. */
CQL_API void cql_statement_set_timestamp(cql_statement *stmt, int64_t unix_us);
CQL_API void cql_statement_set_tracing(cql_statement *stmt, bool tracing);
/* Time-out of the whole request in milliseconds, 0 for the session's. */
CQL_API void cql_statement_set_timeout(cql_statement *stmt, uint32_t timeout_ms);

/* The keyspace of tables that the text does not qualify, instead of the session's; NULL takes it back.
 * For statements that are not prepared (those keep the keyspace they were prepared in). The seconds
 * since the epoch that count as "now" for the time to live of cells: CQL_BAD_VALUE outside of 32 bits.
 * Both need protocol v5 (section 4.1.4): on v4 executing gives CQL_UNSUPPORTED. CQL_NO_MEMORY. */
CQL_API cql_status cql_statement_set_keyspace(cql_statement *stmt, const char *keyspace);
CQL_API cql_status cql_statement_set_now(cql_statement *stmt, int64_t unix_seconds);
/* Adds an entry to the custom payload of the request (section 2.2): bytes for a server that looks at
 * them; Cassandra itself does not. bytes NULL with len 0 is a null entry. Copied. CQL_TOO_LARGE,
 * CQL_NO_MEMORY. What a server sends back: cql_result_payload. */
CQL_API cql_status cql_statement_add_payload(cql_statement *stmt, const char *name,
                                             const void *bytes, size_t len);

/* --- prepared statements ------------------------------------------------------------------------- */
/* One holder more, and one less; the last one frees it. NULL is fine for both. */
CQL_API cql_prepared *cql_prepared_ref(const cql_prepared *prepared);
CQL_API void cql_prepared_unref(cql_prepared *prepared);
/* Its text, as it was given; this and its keyspace end with a NUL. Borrowed, as all that these functions return. */
CQL_API cql_str cql_prepared_cql(const cql_prepared *prepared);
/* The keyspace that it was prepared in, for the tables that its text does not qualify; empty: none. */
CQL_API cql_str cql_prepared_keyspace(const cql_prepared *prepared);
/* Number of markers; name and type of marker i, an empty view and NULL past the end. */
CQL_API size_t cql_prepared_marker_count(const cql_prepared *prepared);
CQL_API cql_str cql_prepared_marker_name(const cql_prepared *prepared, size_t i);
CQL_API const cql_type *cql_prepared_marker_type(const cql_prepared *prepared, size_t i);

/* --- batches ------------------------------------------------------------------------------------- */
typedef enum cql_batch_type {
    CQL_BATCH_LOGGED = 0,
    CQL_BATCH_UNLOGGED = 1,
    CQL_BATCH_COUNTER = 2
} cql_batch_type;

/* al may be NULL. Yours: free with cql_batch_free. CQL_NO_MEMORY, CQL_BAD_ARGUMENT. */
CQL_API cql_status cql_batch_new(cql_batch_type type, const cql_allocator *al, cql_batch **out);
/* Appends a statement as it is now (copied in wire form). CQL_UNBOUND when a marker has no value,
 * CQL_TOO_LARGE beyond 65,535 statements. */
CQL_API cql_status cql_batch_add(cql_batch *batch, const cql_statement *stmt);
CQL_API size_t cql_batch_count(const cql_batch *batch);
/* Bytes of its members in wire form. */
CQL_API size_t cql_batch_bytes(const cql_batch *batch);
/* Prepared statement i of those among its members, each once; NULL past the end. Borrowed as long as the
 * batch is not changed. */
CQL_API const cql_prepared *cql_batch_prepared(const cql_batch *batch, size_t i);
/* After CQL_PREPARED_CHANGED: members of `old` are members of `now` from here on, with the values that they have, so
 * that the batch can be sent again as it is. CQL_PREPARED_CHANGED, and nothing is done, when `now` is another
 * statement and not the same one prepared anew: text, keyspace, and name, type and table of each marker count. */
CQL_API cql_status cql_batch_renew(cql_batch *batch, const cql_prepared *old, const cql_prepared *now);
CQL_API void cql_batch_clear(cql_batch *batch);
CQL_API void cql_batch_free(cql_batch *batch);
CQL_API void cql_batch_set_consistency(cql_batch *batch, cql_consistency level);
CQL_API cql_status cql_batch_set_serial_consistency(cql_batch *batch, cql_consistency level);
/* What is said here counts. Else it is what was said of the members: no if no was said of one, yes if yes was said
 * of all, and otherwise the session's option `idempotent`. */
CQL_API void cql_batch_set_idempotent(cql_batch *batch, bool idempotent);
CQL_API void cql_batch_set_timestamp(cql_batch *batch, int64_t unix_us);
CQL_API void cql_batch_set_timeout(cql_batch *batch, uint32_t timeout_ms);
CQL_API void cql_batch_set_tracing(cql_batch *batch, bool tracing);
/* As for statements. */
CQL_API cql_status cql_batch_set_keyspace(cql_batch *batch, const char *keyspace);
CQL_API cql_status cql_batch_set_now(cql_batch *batch, int64_t unix_seconds);
CQL_API cql_status cql_batch_add_payload(cql_batch *batch, const char *name, const void *bytes,
                                         size_t len);

CQL_END
#endif
