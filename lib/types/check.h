/* check.h: pieces of the checks that other files of the layer use. */
#ifndef CQLN_TYPES_CHECK_H
#define CQLN_TYPES_CHECK_H

#include "types/value.h"

/* UTF-8 as the servers take it. */
bool cqln_text_wellformed(cql_str text);
/* Has it the form of its type, or no bytes at all? Unlike cqln_value_wellformed this asks only for
 * what is needed to take the value apart: text may be any bytes. For scalars. */
bool cqln_value_readable(const cql_type *type, cql_str bytes);
/* May a value of type id `value` stand where `column` is asked for? */
bool cqln_type_takes(uint16_t column, uint16_t value);

#endif
