/* types_cases.h: the values with which this library and the Python driver are compared: for every
 * type its edges, each under a name that types_cross.py knows too. */
#ifndef TESTS_LIVE_TYPES_CASES_H
#define TESTS_LIVE_TYPES_CASES_H

#include <cqlnative/cql.h>

typedef struct types_case {
    const char *name;
    const char *type; /* CQL, of the column */
    cql_value value;
    bool vector; /* only for servers that know vectors */
} types_case;

/* All of them; the count goes to *count. They live until the program ends. NULL when memory is out.
 */
const types_case *types_cases(size_t *count);

#endif
