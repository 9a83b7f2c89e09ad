/* scan.h: values from text: the cursor over the text, and scalars. */
#ifndef CQLN_TYPES_SCAN_H
#define CQLN_TYPES_SCAN_H

#include "types/value.h"

/* Appends the wire form of a scalar that the text means, without its quotes. CQL_BAD_VALUE for a text that is
 * none; a failure of the writer. */
cql_status cqln_scan_scalar(const cql_type *type, cql_str text, cqln_writer *out);

/* A duration in one of its forms, the whole text. */
bool cqln_scan_duration(cql_str text, cql_duration *out);

#endif
