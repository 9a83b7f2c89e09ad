/* cqlstore.h: the store over a session: CQL through the public API. */
#ifndef CQLJOB_CQLSTORE_H
#define CQLJOB_CQLSTORE_H

#include "jobs/core.h"

/* Makes the store of a session that outlives it. Keeps `set` by value (keyspace is copied into its
 * statements). Freed by store->free. CQL_NO_MEMORY. */
cql_status cqljob_cqlstore_new(cql_session *s, const cql_allocator *al, const cqljob_settings *set,
                               cqljob_store *out);

/* The error of a conditional write of which nobody can say whether it went through. */
bool cqljob_is_open(const cql_error *err);

/* --- cqltext.c: the statements */
typedef enum cqljob_statement {
    CQLJOB_S_PUT_STATE, /* the first eight: as cqljob_index_kind has them */
    CQLJOB_S_DROP_STATE,
    CQLJOB_S_PUT_DUE,
    CQLJOB_S_DROP_DUE,
    CQLJOB_S_PUT_LINK,
    CQLJOB_S_DROP_LINK,
    CQLJOB_S_PUT_BACKOFF,
    CQLJOB_S_DROP_BACKOFF,
    CQLJOB_S_GET,
    CQLJOB_S_INSERT,
    CQLJOB_S_UPDATE,
    CQLJOB_S_DELETE,
    CQLJOB_S_DUE,
    CQLJOB_S_LIST,
    CQLJOB_S_COUNT,
    CQLJOB_S_TALLY,
    CQLJOB_S_LINKS,
    CQLJOB_S_BACKOFF,
    CQLJOB_S_BATCH,
    CQLJOB_S_MARKS,
    CQLJOB_S_PUT_MARK,
    CQLJOB_S_R_LIST,
    CQLJOB_S_R_GET,
    CQLJOB_S_R_INSERT,
    CQLJOB_S_R_UPDATE,
    CQLJOB_S_R_NEXT,
    CQLJOB_S_R_DELETE
} cqljob_statement;
enum { CQLJOB_STATEMENTS = CQLJOB_S_R_DELETE + 1 };

/* Where the values of a statement come from. */
typedef enum cqljob_source {
    CQLJOB_OF_REQUEST,
    CQLJOB_OF_JOB,
    CQLJOB_OF_CHANGE,
    CQLJOB_OF_RECURRING,
    CQLJOB_OF_INDEX,
    CQLJOB_OF_BACKOFF,
    CQLJOB_OF_TALLY
} cqljob_source;
enum { CQLJOB_SOURCES = CQLJOB_OF_TALLY + 1 };

/* One counter's row. */
typedef struct cqljob_count {
    int64_t by;
    int32_t state;
    int32_t shard;
} cqljob_count;

/* Binds a statement's values, each from the member of a source that its table names. Sources that it does
 * not use may be NULL. As cql_statement_bind. */
cql_status cqljob_statement_bind(cql_statement *stmt, cqljob_statement which,
                                 const void *const sources[CQLJOB_SOURCES]);
/* The text of a statement for a keyspace. NULL when memory is out. Yours. */
char *cqljob_statement_text(const cql_allocator *al, cqljob_statement which, const char *keyspace);

/* --- cqldecode.c: answers */
/* Reads the row the cursor is on, columns by name. CQL_MALFORMED when it is no row of jobs. */
cql_status cqljob_read_job(const cql_allocator *al, const cql_result *res, cql_rows *rows,
                           cql_job_info **out);
/* Reads all rows as (id), (time, id) or, as marks are, (time, part); in one block. */
cql_status cqljob_read_keys(const cql_allocator *al, const cql_result *res, bool marks,
                            cqljob_key **keys, size_t *count);
/* CQL_NOT_FOUND: there is no row, or none that says something. */
cql_status cqljob_read_backoff(const cql_result *res, cql_job_backoff *out);
cql_status cqljob_read_recurring(const cql_allocator *al, const cql_result *res,
                                 cql_recurring_list **out);

#endif
