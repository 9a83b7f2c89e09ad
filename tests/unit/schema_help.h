/* schema_help.h: reading DDL in tests. */
#ifndef SCHEMA_HELP_H
#define SCHEMA_HELP_H

#include "schema/ddl.h"

/* The model that statements (split at semicolons) describe. */
void schema_read(cqlsch_mem *mem, const char *cql, cqlsch_model *out);
/* An object in one line: kind, name, columns with types and roles, options. */
const char *schema_print(cqlsch_mem *mem, const cqlsch_object *o);
/* All objects that are not dropped, a line each. */
const char *schema_print_all(cqlsch_mem *mem, const cqlsch_model *m);
/* All of a file under the source folder; the test fails when it cannot be read. */
cql_str schema_slurp(cqlsch_mem *mem, const char *path);

#endif
