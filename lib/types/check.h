/* check.h: pieces of the checks that other files of the layer use. */
#ifndef CQLN_TYPES_CHECK_H
#define CQLN_TYPES_CHECK_H

#include "types/value.h"

/* UTF-8 as the servers take it. */
bool cqln_text_wellformed(cql_str text);
/* May a value of type id `value` stand where `column` is asked for? */
bool cqln_type_takes(uint16_t column, uint16_t value);

#endif
