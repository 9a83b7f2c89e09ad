/* A build without values as text (configure --disable-text): none is bound by what it looks like. */
#include "api/statement.h"
#include "base/error.h"

cql_status cql_statement_bind_parsed(cql_statement *s, size_t index, const char *text,
                                     cql_error **err)
{
    (void)index;
    (void)text;
    return cqln_fail(err, s ? s->al : cqln_alloc_default(), CQL_UNSUPPORTED,
                     "this build of the library reads no values from text (it was configured "
                     "--disable-text)");
}

bool cqln_could_be_parsed(const cql_allocator *al, const cql_type *type, const cql_value *v)
{
    (void)al;
    (void)type;
    (void)v;
    return false;
}
