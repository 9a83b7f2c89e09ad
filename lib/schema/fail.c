/* Errors of the schema module. */
#include "schema/fail.h"

cql_status cqlsch_fail(cql_error **err, const cql_allocator *al, cql_status st,
                       const cql_error *cause, const char *text)
{
    if (!err)
        return st;
    cql_error *old = *err;
    *err = cql_error_make(al, st, cause, text);
    cql_error_unref(old);
    return st;
}

cql_status cqlsch_failf(cqlsch_mem *mem, cql_error **err, cql_status st, const cql_error *cause,
                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    st = cqlsch_fail(err, &mem->al, st, cause, cqlsch_format_v(mem, format, args));
    va_end(args);
    return st;
}

cql_status cqlsch_no_memory(cql_error **err, const cql_allocator *al)
{
    return cqlsch_fail(err, al, CQL_NO_MEMORY, NULL, "out of memory while reading the schema");
}
