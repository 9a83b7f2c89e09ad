/* model.h: the objects of a schema, in one form for what files say and for what a server has. */
#ifndef CQLSCH_MODEL_H
#define CQLSCH_MODEL_H

#include "schema/mem.h"

typedef enum cqlsch_kind {
    CQLSCH_NO_OBJECT,
    CQLSCH_KEYSPACE,
    CQLSCH_TYPE,
    CQLSCH_TABLE,
    CQLSCH_INDEX,
    CQLSCH_VIEW,
    CQLSCH_FUNCTION,
    CQLSCH_AGGREGATE,
    CQLSCH_TRIGGER
} cqlsch_kind;

typedef enum cqlsch_column_kind {
    CQLSCH_REGULAR,
    CQLSCH_STATIC,
    CQLSCH_CLUSTERING,
    CQLSCH_PARTITION
} cqlsch_column_kind;

/* A column of a table or a field of a type. `type` is in the canonical form of typetext.h. */
typedef struct cqlsch_column {
    cql_str name;
    cql_str type;
    cqlsch_column_kind kind;
    int32_t position; /* within the partition or clustering key, else -1 */
    bool descending;
    bool ordered; /* the text says so; what a view leaves open is as in its table */
} cqlsch_column;

typedef struct cqlsch_pair {
    cql_str key;
    cql_str value;
} cqlsch_pair;

/* An option of a table (any), or `replication` and `durable_writes` of a keyspace. */
typedef struct cqlsch_option {
    cql_str name; /* lower case */
    bool is_map;
    bool is_null;
    cql_str value;     /* without quotes */
    cqlsch_list pairs; /* cqlsch_pair, for maps */
    /* The value's place in the statement's text; 0, 0 for live objects. */
    size_t from;
    size_t to;
} cqlsch_option;

typedef struct cqlsch_object {
    cqlsch_kind kind;
    bool altered;     /* a later statement changes it (expected objects) */
    bool dropped;     /* a later statement drops it (expected objects) */
    cql_str keyspace; /* of a keyspace object: its own name */
    cql_str name;     /* empty for a keyspace, and for an index without a name in the file */
    cql_str table;    /* of an index, view or trigger */
    /* What tells objects of one name apart: of a function or aggregate its argument types, as a tuple in
     * canonical form; of a trigger its table. Empty: there is none, or it is not known. */
    cql_str signature;
    const char
        *unread; /* why the shape is not known, so that only existence is compared; or NULL */
    size_t step; /* of the statement that creates it (expected objects) */
    cqlsch_list columns;
    cqlsch_list options;
    /* cqlsch_pair, of views, functions, aggregates and triggers: what system_schema keeps of them, by the
     * names of its columns. A value without ptr: null. */
    cqlsch_list parts;
    cql_str target;     /* of an index: "col", "values(col)" … */
    cql_str class_name; /* of a custom index, else empty */
} cqlsch_object;

typedef struct cqlsch_model {
    cqlsch_mem *mem;
    cqlsch_list objects; /* cqlsch_object */
} cqlsch_model;

void cqlsch_model_init(cqlsch_model *m, cqlsch_mem *mem);
/* A new object; NULL when memory is out. The pointer is good until the next addition. */
cqlsch_object *cqlsch_model_add(cqlsch_model *m, cqlsch_kind kind, cql_str keyspace, cql_str name);
/* The object, dropped ones left out; NULL when there is none. */
cqlsch_object *cqlsch_model_find(const cqlsch_model *m, cqlsch_kind kind, cql_str keyspace,
                                 cql_str name);
/* The same object as `o`: kind, names, and the signature where both are known. */
cqlsch_object *cqlsch_model_find_like(const cqlsch_model *m, const cqlsch_object *o);
bool cqlsch_same_object(const cqlsch_object *a, const cqlsch_object *b);
size_t cqlsch_model_count(const cqlsch_model *m);
cqlsch_object *cqlsch_model_at(const cqlsch_model *m, size_t i);

cqlsch_column *cqlsch_column_find(const cqlsch_object *o, cql_str name);
cqlsch_option *cqlsch_option_find(const cqlsch_object *o, cql_str name);
const cqlsch_pair *cqlsch_part_find(const cqlsch_object *o, cql_str name);
const cqlsch_pair *cqlsch_pair_find(const cqlsch_option *option, cql_str key);

/* "keyspace", "table" … */
const char *cqlsch_kind_name(cqlsch_kind kind);
/* The name as CQL writes it, quoted where it must be: ks, ks.table, "Ks".t */
const char *cqlsch_full_name(cqlsch_mem *mem, const cqlsch_object *o);
/* One identifier, quoted where it must be. */
cql_str cqlsch_identifier(cqlsch_mem *mem, cql_str name);
/* 'text' with its quotes doubled. */
cql_str cqlsch_quote(cqlsch_mem *mem, cql_str text);

#endif
