/* result.h: results: rows under a cursor, columns, paging state, warnings. */
#ifndef CQLNATIVE_RESULT_H
#define CQLNATIVE_RESULT_H

#include <cqlnative/value.h>

CQL_BEGIN

/* An answer of the server. In a callback it is borrowed; the blocking calls hand it over (release it
 * with cql_result_unref). It holds all its bytes and outlives its session. Reading it is [any
 * thread], one thread at a time for one result. */
typedef struct cql_result cql_result;
struct cql_rows; /* a cursor, below */

typedef enum cql_result_kind {
    CQL_RESULT_VOID = 1,
    CQL_RESULT_ROWS = 2,
    CQL_RESULT_SET_KEYSPACE = 3,
    CQL_RESULT_SCHEMA_CHANGE = 5
} cql_result_kind;

/* Keeps a result beyond its callback: adds a holder, or copies a borrowed one into a block of its own.
 * Release with cql_result_unref. NULL when memory is out (or res is NULL). */
CQL_API cql_result *cql_result_ref(const cql_result *res);
CQL_API void cql_result_unref(cql_result *res);

/* What kind of answer it is. */
CQL_API cql_result_kind cql_result_kind_of(const cql_result *res);
/* Rows of this page; 0 for results without rows. */
CQL_API size_t cql_result_row_count(const cql_result *res);
CQL_API size_t cql_result_column_count(const cql_result *res);
/* Name, keyspace and table of column i (empty past the end), and its type (NULL past the end). */
CQL_API cql_str cql_result_column_name(const cql_result *res, size_t i);
CQL_API cql_str cql_result_column_keyspace(const cql_result *res, size_t i);
CQL_API cql_str cql_result_column_table(const cql_result *res, size_t i);
CQL_API const cql_type *cql_result_column_type(const cql_result *res, size_t i);
/* Index of the first column with that name, exact bytes; CQL_NO_SUCH_NAME. Look it up once, then use
 * the index. */
CQL_API cql_status cql_result_column_index(const cql_result *res, const char *name, size_t *i);

/* True when another page follows; hand the state to cql_statement_set_paging_state. Opaque bytes,
 * borrowed from the result; good for other sessions and later processes with the same statement. */
CQL_API bool cql_result_has_more(const cql_result *res);
CQL_API cql_str cql_result_paging_state(const cql_result *res);
/* Warnings that the server attached, as it sent them: escape control characters before printing. */
CQL_API size_t cql_result_warning_count(const cql_result *res);
CQL_API cql_str cql_result_warning(const cql_result *res, size_t i);
/* The keyspace that a USE set; empty otherwise. */
CQL_API cql_str cql_result_keyspace(const cql_result *res);
/* "address:port" of the node that answered. */
CQL_API cql_str cql_result_host(const cql_result *res);
/* True unless the result is that of a conditional statement whose condition did not hold: reads the
 * `[applied]` column of the first row; results without that column count as applied. */
CQL_API bool cql_result_applied(const cql_result *res);
/* The answer of a conditional statement (INSERT … IF NOT EXISTS, UPDATE … IF, batches of them) in one
 * call: *applied, and in *rows (may be NULL) a cursor before the first row of the values that were in
 * the way; their first column is `[applied]`. The cursor is empty when the condition held or nothing
 * was there. CQL_TYPE_MISMATCH for the result of any other statement, CQL_MALFORMED. */
CQL_API cql_status cql_result_conditional(const cql_result *res, bool *applied,
                                          struct cql_rows *rows);
/* Custom payload that the server attached (native_protocol section 2.2): the number of entries, entry
 * i (CQL_OUT_OF_RANGE past the end; either out-parameter may be NULL), and the first one of a name
 * (CQL_NO_SUCH_NAME). A null entry gives a view with a NULL pointer. */
CQL_API size_t cql_result_payload_count(const cql_result *res);
CQL_API cql_status cql_result_payload_at(const cql_result *res, size_t i, cql_str *name,
                                         cql_str *bytes);
CQL_API cql_status cql_result_payload(const cql_result *res, const char *name, cql_str *bytes);
/* 16 bytes of the trace id; false when the request was not traced. */
CQL_API bool cql_result_tracing_id(const cql_result *res, cql_uuid *out);
/* False when schema agreement was awaited after this schema change and not reached in time. */
CQL_API bool cql_result_schema_agreed(const cql_result *res);

/* A whole column into an array: the first `cap` rows of the page, nulls as zero with nulls[i] true (nulls
 * may be NULL: then a null is CQL_IS_NULL). *count (may be NULL) is how many were written; all or an
 * error. CQL_OUT_OF_RANGE (no such column), CQL_TYPE_MISMATCH, CQL_BAD_VALUE (an empty value among
 * others), CQL_MALFORMED. The fastest way to read numbers: one walk over the cells.
 *   _bool    boolean                      _int64   bigint, counter, timestamp, time
 *   _int32   int, smallint, tinyint, and  _double  double, float
 *            date as days since 1970      _uuid    uuid, timeuuid
 *   _floats  vector<float, dimension>: out has room for cap * dimension */
CQL_API cql_status cql_result_column_bool(const cql_result *res, size_t column, bool *out,
                                          bool *nulls, size_t cap, size_t *count);
CQL_API cql_status cql_result_column_int32(const cql_result *res, size_t column, int32_t *out,
                                           bool *nulls, size_t cap, size_t *count);
CQL_API cql_status cql_result_column_int64(const cql_result *res, size_t column, int64_t *out,
                                           bool *nulls, size_t cap, size_t *count);
CQL_API cql_status cql_result_column_double(const cql_result *res, size_t column, double *out,
                                            bool *nulls, size_t cap, size_t *count);
CQL_API cql_status cql_result_column_uuid(const cql_result *res, size_t column, cql_uuid *out,
                                          bool *nulls, size_t cap, size_t *count);
CQL_API cql_status cql_result_column_floats(const cql_result *res, size_t column, float *out,
                                            size_t dimension, bool *nulls, size_t cap,
                                            size_t *count);

/* A cursor over the rows of a result. Caller-allocated, borrows the result, free to be dropped. */
typedef struct cql_rows {
    uint64_t opaque[32];
} cql_rows;

/* Sets the cursor before the first row. A result without rows gives an empty cursor. */
CQL_API void cql_rows_init(cql_rows *rows, const cql_result *res);
/* Steps to the next row; false after the last one or at malformed bytes (cql_rows_status tells). */
CQL_API bool cql_rows_next(cql_rows *rows);
/* CQL_OK while everything read so far was right; else the first failure since _init, which stays:
 * CQL_TYPE_MISMATCH, CQL_OUT_OF_RANGE, CQL_IS_NULL (a null read by a typed getter), CQL_BAD_VALUE,
 * CQL_MALFORMED. One check after a loop is enough. */
CQL_API cql_status cql_rows_status(const cql_rows *rows);
/* Column of the first failure, for messages; (size_t)-1 when there is none. */
CQL_API size_t cql_rows_failed_column(const cql_rows *rows);

/* Cells of the current row by column index. A null gives 0 or an empty view and does not count as a
 * failure for _is_null, _value, _str and _cstr. Views live as long as the result. */
CQL_API bool cql_rows_is_null(const cql_rows *rows, size_t column);
CQL_API cql_value cql_rows_value(cql_rows *rows, size_t column);
CQL_API bool cql_rows_bool(cql_rows *rows, size_t column);
/* tinyint, smallint, int. */
CQL_API int32_t cql_rows_int32(cql_rows *rows, size_t column);
/* Every integer type that fits, counter, timestamp, time. */
CQL_API int64_t cql_rows_int64(cql_rows *rows, size_t column);

CQL_API double cql_rows_double(cql_rows *rows, size_t column); /* float and double */
/* uuid and timeuuid. */
CQL_API cql_uuid cql_rows_uuid(cql_rows *rows, size_t column);
/* The bytes of text, ascii, blob and any other type as they are. */
CQL_API cql_str cql_rows_str(cql_rows *rows, size_t column);
/* The cell as text, NUL-terminated: text as it is, other types as cqlsh prints them, null as "null".
 * A copy that is good until the next row. "" when memory is out (the status then says so). */
CQL_API const char *cql_rows_cstr(cql_rows *rows, size_t column);

CQL_END
#endif
