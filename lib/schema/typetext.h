/* typetext.h: one way of writing each CQL type, so that a file's text and the server's can be
 * compared byte by byte. */
#ifndef CQLSCH_TYPETEXT_H
#define CQLSCH_TYPETEXT_H

#include "schema/mem.h"

/* The canonical form of a type's text within `keyspace`: keywords in lower case, varchar as text,
 * one space after a comma, `frozen` only where leaving it out would mean another type (what is
 * inside a collection, tuple or vector is always frozen, and so are tuples and vectors themselves),
 * types of the own keyspace without its name, classes without their packages. Text that is no type
 * comes back as it is. */
cql_str cqlsch_type_text(cqlsch_mem *mem, cql_str keyspace, cql_str text);

#endif
