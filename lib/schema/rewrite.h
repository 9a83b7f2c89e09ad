/* rewrite.h: changes to the steps of a plan that the files do not know of: replication and table
 * options of one installation. */
#ifndef CQLSCH_REWRITE_H
#define CQLSCH_REWRITE_H

#include "schema/plan.h"

/* "3", "dc1:3" or "dc1:3,dc2:2" as the map of a replication option. CQL_BAD_ARGUMENT, with *why. */
cql_status cqlsch_replication_map(cqlsch_mem *mem, cql_str text, cql_str *map, const char **why);
/* "KEYSPACE.TABLE.OPTION=VALUE" in its parts. CQL_BAD_ARGUMENT, with *why. */
cql_status cqlsch_setting_read(cqlsch_mem *mem, cql_str text, cqlsch_setting *out,
                               const char **why);
/* Sets an option in the text of CREATE or ALTER: replaces its value, or adds it. Reads the step
 * anew. */
cql_status cqlsch_step_set_option(cqlsch_mem *mem, cqlsch_step *step, cql_str name, cql_str value);

#endif
