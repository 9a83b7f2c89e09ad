/* ddl.h: what a statement does to the schema, read from its text. The files themselves are the
 * description that verification compares with; there is no second one. */
#ifndef CQLSCH_DDL_H
#define CQLSCH_DDL_H

#include "schema/lexer.h"
#include "schema/model.h"

typedef enum cqlsch_verb {
    CQLSCH_OTHER, /* changes no object that is tracked: INSERT, GRANT, SELECT … */
    CQLSCH_CREATE,
    CQLSCH_ALTER,
    CQLSCH_DROP,
    CQLSCH_USE
} cqlsch_verb;

typedef enum cqlsch_change {
    CQLSCH_CHANGE_UNKNOWN,
    CQLSCH_ADD_COLUMNS,
    CQLSCH_DROP_COLUMNS,
    CQLSCH_RENAME_COLUMNS, /* pairs from, to in `renames` */
    CQLSCH_SET_OPTIONS
} cqlsch_change;

/* A statement as read. Names are without quotes; views are in memory of the parse or in the text.
 */
typedef struct cqlsch_ddl {
    cqlsch_verb verb;
    bool conditional; /* IF NOT EXISTS, IF EXISTS */
    bool replaces;    /* CREATE OR REPLACE */
    /* CREATE: the object with its shape. ALTER, DROP, USE: its kind and names, and for ALTER what
     * the change brings (columns, options). The keyspace is empty when the statement names none. */
    cqlsch_object object;
    cqlsch_change change;
    cqlsch_list renames; /* cqlsch_pair */
    bool nameless;       /* about an object whose keyspace is not known (cqlsch_settle) */
    bool has_with;       /* there is a WITH clause to add to */
} cqlsch_ddl;

/* Reads one statement. Never fails for what it does not understand: the verb is CQLSCH_OTHER then,
 * or object.unread says what was not understood. CQL_NO_MEMORY. */
cql_status cqlsch_ddl_read(cqlsch_mem *mem, cql_str text, cqlsch_ddl *out);

/* Applies a statement to the model of expected objects; `keyspace` is the one in use (empty: none).
 * An ALTER of an object that the model does not hold is passed over. */
cql_status cqlsch_model_take(cqlsch_model *m, const cqlsch_ddl *ddl, cql_str keyspace, size_t step);

/* Reads an option's value from its text: number, word, 'string' or {map}. */
cql_status cqlsch_option_read(cqlsch_mem *mem, cql_str name, cql_str value, cqlsch_option *out);

#endif
