/* type_parse.h: what the readers of types share: descriptors in the making and class strings. */
#ifndef CQLN_TYPES_TYPE_PARSE_H
#define CQLN_TYPES_TYPE_PARSE_H

#include "types/type.h"

/* Brackets around one place in a text: frozen<> and its like make no level of a type, so there are
 * more of them than levels, but they end somewhere too. */
enum { CQLN_TYPE_BRACKETS = 2 * CQLN_TYPE_DEPTH + 2 };

/* What class strings of the server's own begin with. */
#define CQLN_TYPE_PACKAGE "org.apache.cassandra.db.marshal."

/* A descriptor with room for `count` items, all NULL; NULL when memory is out. */
cql_type *cqln_type_new(cqln_arena *a, uint16_t id, uint32_t count);
/* A custom type of that class (copied). NULL when memory is out. */
const cql_type *cqln_type_custom(cqln_arena *a, cql_str name);
/* vector<item, dimension>. CQL_MALFORMED when no value can have that many elements: dimension 0, or
 * more bytes than a value may have. CQL_NO_MEMORY. */
cql_status cqln_type_vector(cqln_arena *a, const cql_type *item, uint64_t dimension,
                            const cql_type **out);
/* cqln_type_parse_class inside of `depth` outer types. */
cql_status cqln_type_parse_class_at(cqln_arena *a, cql_str text, unsigned depth,
                                    const cql_type **out);

#endif
