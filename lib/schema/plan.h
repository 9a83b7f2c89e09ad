/* plan.h: texts and files as one list of steps, and the objects that they describe. */
#ifndef CQLSCH_PLAN_H
#define CQLSCH_PLAN_H

#include "schema/ddl.h"
#include "schema/split.h"

#include <cqlnative/schema.h>

/* One thing to do, in order. */
typedef struct cqlsch_step {
    cqlsch_piece_kind kind; /* never CQLSCH_SOURCE: what it names is in the list itself */
    cql_str text;           /* what is sent, with a NUL behind it */
    const char *file;       /* for messages */
    cqlsch_place place;
    size_t part;           /* number of the text or file that was added to the plan */
    cql_consistency level; /* of CQLSCH_CONSISTENCY */
    cqlsch_ddl ddl;
    cql_str keyspace; /* in use here, empty: none */
    bool rewritten;   /* positions that the server names are not those of the file */
} cqlsch_step;

/* One of cql_schema_options.settings. */
typedef struct cqlsch_setting {
    cql_str keyspace;
    cql_str table;
    cqlsch_option option;
    cql_str text; /* of the value, as CQL */
} cqlsch_setting;

typedef struct cqlsch_file {
    uint64_t device;
    uint64_t inode;
} cqlsch_file;

struct cql_schema_plan {
    cqlsch_mem mem;
    cqlsch_list steps;    /* cqlsch_step */
    cqlsch_list settings; /* cqlsch_setting */
    cqlsch_list open;     /* cqlsch_file: being read now, outermost first */
    cqlsch_model model;   /* expected objects; built by cqlsch_settle */
    size_t parts;
    cql_str first_keyspace; /* in use at the start of each part */
};

/* All of a file; *why: what is the matter with it. CQL_NOT_FOUND, CQL_TOO_LARGE, CQL_NO_MEMORY. */
cql_status cqlsch_read_file(cqlsch_mem *mem, const char *path, cql_str *out, const char **why);
cqlsch_step *cqlsch_plan_step(const cql_schema_plan *plan, size_t i);
/* "file:line" of a step. */
const char *cqlsch_step_place(cqlsch_mem *mem, const cqlsch_step *step);
/* The keyspace of the object that a step is about: its own, else the one in use. */
cql_str cqlsch_step_keyspace(const cqlsch_step *step);

#endif
