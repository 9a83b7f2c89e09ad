/* metadata.h: the schema that the cluster has: keyspaces, tables and views with their columns and keys, user
 * types, indexes, functions and aggregates, read from system_schema of Cassandra 4.1 and 5.0.
 *
 * A snapshot is read once, or kept up to date by a keeper that watches the cluster's schema events. Nothing is
 * read unless one of the two is used; naming a keyspace reads that one alone. Virtual keyspaces are left out.
 * A snapshot is of one moment: it is read from one node, and again when the schema changed meanwhile.
 *
 * All texts are NUL-terminated and live as long as their snapshot. Types are CQL text ("frozen<list<int>>"). */
#ifndef CQLNATIVE_METADATA_H
#define CQLNATIVE_METADATA_H

#include <cqlnative/events.h>

CQL_BEGIN

/* Counted, immutable, [any thread]. Outlives its session. */
typedef struct cql_metadata cql_metadata;

/* One holder more: the same snapshot, to be released with cql_metadata_unref. */
CQL_API cql_metadata *cql_metadata_ref(const cql_metadata *m);
/* NULL is fine. */
CQL_API void cql_metadata_unref(cql_metadata *m);

/* Exactly one of err and m is set; both are borrowed for the call. */
typedef void (*cql_metadata_cb)(cql_session *s, const cql_error *err, const cql_metadata *m, void *user);
/* Reads everything, or the one keyspace named (NULL: everything; a keyspace that does not exist gives a
 * snapshot without it). CQL_OK: cb comes once, on the loop's thread. Any other status: it does not;
 * CQL_NO_MEMORY, CQL_BAD_ARGUMENT and what cql_session_execute gives. [any thread] */
CQL_API cql_status cql_metadata_read(cql_session *s, const char *keyspace, cql_metadata_cb cb, void *user);
/* The same, blocking. *out is yours: cql_metadata_unref. CQL_WRONG_THREAD as for all such calls. */
CQL_API cql_status cql_metadata_read_wait(cql_session *s, const char *keyspace, cql_metadata **out,
                                          cql_error **err);

/* --- keyspaces ----------------------------------------------------------------------------------- */
typedef struct cql_keyspace_info {
    const char *name;
    const char *replication; /* as cqlsh prints it: {'class': …} */
    bool durable_writes;
} cql_keyspace_info;
/* In the order of names; false past the end. */
CQL_API bool cql_metadata_keyspace_at(const cql_metadata *m, size_t i, cql_keyspace_info *out);
CQL_API bool cql_metadata_keyspace(const cql_metadata *m, const char *name, cql_keyspace_info *out);

/* --- tables and views ---------------------------------------------------------------------------- */
typedef struct cql_table_info {
    const char *keyspace;
    const char *name;
    cql_uuid id;
    const char *comment;
    const char *base_table;   /* of a materialized view; "" for a table */
    const char *where_clause; /* of a view; "" */
    int32_t default_ttl;      /* seconds, 0 none */
} cql_table_info;
/* Tables and views of a keyspace, in the order of names. */
CQL_API bool cql_metadata_table_at(const cql_metadata *m, const char *keyspace, size_t i, cql_table_info *out);
CQL_API bool cql_metadata_table(const cql_metadata *m, const char *keyspace, const char *name,
                                cql_table_info *out);

typedef enum cql_column_kind {
    CQL_COLUMN_PARTITION_KEY,
    CQL_COLUMN_CLUSTERING,
    CQL_COLUMN_STATIC,
    CQL_COLUMN_REGULAR
} cql_column_kind;

typedef struct cql_column_info {
    const char *keyspace;
    const char *table;
    const char *name;
    const char *type;
    cql_column_kind kind;
    int32_t position; /* in the partition key or among the clustering columns; -1 for the others */
    bool descending;  /* clustering order */
} cql_column_info;
/* Of a table or view: partition key, clustering columns, static ones, the rest; within these by position,
 * then by name. */
CQL_API bool cql_metadata_column_at(const cql_metadata *m, const char *keyspace, const char *table, size_t i,
                                    cql_column_info *out);
CQL_API bool cql_metadata_column(const cql_metadata *m, const char *keyspace, const char *table,
                                 const char *name, cql_column_info *out);

typedef struct cql_index_info {
    const char *keyspace;
    const char *table;
    const char *name;
    const char *kind;    /* "COMPOSITES", "KEYS", "CUSTOM" */
    const char *options; /* as cqlsh prints a map: {'target': 'v', …} */
} cql_index_info;
/* Of a table, or of the whole keyspace when table is NULL. */
CQL_API bool cql_metadata_index_at(const cql_metadata *m, const char *keyspace, const char *table, size_t i,
                                   cql_index_info *out);

/* --- user types, functions, aggregates ----------------------------------------------------------- */
typedef struct cql_udt_info {
    const char *keyspace;
    const char *name;
    size_t fields;
} cql_udt_info;
/* User types of a keyspace, in the order of names, or the one of a name; false when there is none. */
CQL_API bool cql_metadata_udt_at(const cql_metadata *m, const char *keyspace, size_t i, cql_udt_info *out);
CQL_API bool cql_metadata_udt(const cql_metadata *m, const char *keyspace, const char *name, cql_udt_info *out);
/* Name and type of field i; false past the end. */
CQL_API bool cql_metadata_udt_field(const cql_metadata *m, const char *keyspace, const char *name, size_t i,
                                    const char **field, const char **type);

typedef struct cql_function_info {
    const char *keyspace;
    const char *name;
    const char *argument_names; /* as cqlsh prints a list: ['a', 'b'] */
    const char *argument_types;
    const char *return_type;
    const char *language;
    const char *body;
    bool called_on_null;
} cql_function_info;
/* Functions of a keyspace, in the order of names; one for each list of arguments. False past the end. */
CQL_API bool cql_metadata_function_at(const cql_metadata *m, const char *keyspace, size_t i,
                                      cql_function_info *out);

typedef struct cql_aggregate_info {
    const char *keyspace;
    const char *name;
    const char *argument_types;
    const char *return_type;
    const char *state_type;
    const char *state_function;
    const char *final_function; /* "" for none */
    const char *initial;        /* of the state, as CQL; "" for none */
} cql_aggregate_info;
/* Aggregates of a keyspace, in the order of names. False past the end. */
CQL_API bool cql_metadata_aggregate_at(const cql_metadata *m, const char *keyspace, size_t i,
                                       cql_aggregate_info *out);

/* --- keeping a snapshot up to date --------------------------------------------------------------- */
/* A keeper belongs to one session. Its way: cql_metadata_keeper_new; cql_metadata_keeper_watch on the options
 * of the session-to-be; cql_metadata_keeper_start once it is connected; and cql_metadata_keeper_free when the
 * session is closed, since events come until then, and before it is freed. */
typedef struct cql_metadata_keeper cql_metadata_keeper;
/* After each new snapshot, on the loop's thread; err instead when reading failed (it is tried again by
 * itself, and the old snapshot stays). */
typedef void (*cql_metadata_changed_fn)(void *user, cql_session *s, const cql_error *err,
                                        const cql_metadata *m);
/* al NULL: the C library's. keyspace NULL: all of them. changed may be NULL. CQL_NO_MEMORY. */
CQL_API cql_status cql_metadata_keeper_new(const cql_allocator *al, const char *keyspace,
                                           cql_metadata_changed_fn changed, void *user,
                                           cql_metadata_keeper **out);
/* Takes the schema events of sessions made with o (cql_options_on_schema_event), so a program that wants
 * these as well gives its function here; fn may be NULL. */
CQL_API void cql_metadata_keeper_watch(cql_metadata_keeper *k, cql_options *o, cql_schema_event_fn fn,
                                       void *user);
/* Reads for the first time and from then on after every change, at most twice a second. [any thread] */
CQL_API cql_status cql_metadata_keeper_start(cql_metadata_keeper *k, cql_session *s);
/* The newest snapshot, yours: cql_metadata_unref; NULL before the first. [any thread] */
CQL_API cql_metadata *cql_metadata_keeper_get(cql_metadata_keeper *k);
/* NULL is fine. What is being read is dropped; nothing is told any more once it returns, except a call that
 * is under way on the loop's thread. [any thread], also inside `changed` */
CQL_API void cql_metadata_keeper_free(cql_metadata_keeper *k);

CQL_END
#endif
