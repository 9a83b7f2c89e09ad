/* class_none.c: a build that takes no values of several parts from classes (configure --disable-collections). On
 * protocol v4 a class names durations, too; vectors and all else are bytes of a custom type. */
#include "types/type_parse.h"

cql_status cqln_type_parse_class_at(cqln_arena *a, cql_str text, unsigned depth,
                                    const cql_type **out)
{
    (void)depth;
    bool duration = cql_str_equal(text, cql_str_of(CQLN_TYPE_PACKAGE "DurationType"));
    *out = duration ? cqln_type_scalar(CQL_TYPE_DURATION) : cqln_type_custom(a, text);
    return *out ? CQL_OK : CQL_NO_MEMORY;
}
