/* model.h: a snapshot from the inside: one sorted array for each kind of thing. */
#ifndef CQLMD_MODEL_H
#define CQLMD_MODEL_H

#include "metadata/arena.h"

#include <cqlnative/metadata.h>
#include <pthread.h>

typedef struct cqlmd_field {
    const char *name;
    const char *type;
} cqlmd_field;

typedef struct cqlmd_udt {
    cql_udt_info info;
    size_t first; /* of its fields */
} cqlmd_udt;


struct cql_metadata {
    pthread_mutex_t lock; /* of refs */
    size_t refs;
    cqlmd_arena arena;
    cqlmd_list keyspaces;  /* cql_keyspace_info */
    cqlmd_list tables;     /* cql_table_info */
    cqlmd_list columns;    /* cql_column_info */
    cqlmd_list indexes;    /* cql_index_info */
    cqlmd_list udts;       /* cqlmd_udt */
    cqlmd_list fields;     /* cqlmd_field, in the order of the udts as they were read */
    cqlmd_list functions;  /* cql_function_info */
    cqlmd_list aggregates; /* cql_aggregate_info */
};

/* What is read, in this order. */
typedef enum cqlmd_step {
    CQLMD_VERSION_BEFORE,
    CQLMD_KEYSPACES,
    CQLMD_TABLES,
    CQLMD_VIEWS,
    CQLMD_COLUMNS,
    CQLMD_INDEXES,
    CQLMD_TYPES,
    CQLMD_FUNCTIONS,
    CQLMD_AGGREGATES,
    CQLMD_VERSION_AFTER,
    CQLMD_STEPS
} cqlmd_step;

/* One reference, empty; NULL when memory is out. */
cql_metadata *cqlmd_new(const cql_allocator *al);
/* Takes the rows of one page. CQL_NO_MEMORY, CQL_MALFORMED. */
cql_status cqlmd_take(cql_metadata *m, cqlmd_step step, const cql_result *res);
/* After the last row. */
void cqlmd_sort(cql_metadata *m);
/* Built anew from the start. */
void cqlmd_clear(cql_metadata *m);

#endif
