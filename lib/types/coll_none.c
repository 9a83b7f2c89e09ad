/* coll_none.c: a build that makes no values of several parts (configure --disable-collections): there is never a
 * builder, and so no shape. */
#include "types/coll.h"

cql_status cql_collection_new(cql_type_id type, const cql_allocator *al, cql_collection **out)
{
    (void)type;
    (void)al;
    if (out)
        *out = NULL;
    return CQL_UNSUPPORTED;
}

cql_status cql_collection_add(cql_collection *c, cql_value element)
{
    (void)c;
    (void)element;
    return CQL_UNSUPPORTED;
}

cql_status cql_collection_add_pair(cql_collection *c, cql_value key, cql_value value)
{
    (void)c;
    (void)key;
    (void)value;
    return CQL_UNSUPPORTED;
}

cql_status cql_collection_add_floats(cql_collection *c, const float *v, size_t n)
{
    (void)c;
    (void)v;
    (void)n;
    return CQL_UNSUPPORTED;
}

cql_status cql_collection_set_field(cql_collection *c, const cql_type *type, const char *name, cql_value value)
{
    (void)c;
    (void)type;
    (void)name;
    (void)value;
    return CQL_UNSUPPORTED;
}

void cql_collection_clear(cql_collection *c)
{
    (void)c;
}

void cql_collection_free(cql_collection *c)
{
    (void)c;
}

/* Which every bind refuses. */
cql_value cql_value_collection(const cql_collection *c)
{
    (void)c;
    return (cql_value){.state = CQL_VALUE_UNBOUND};
}

cql_status cql_value_as_floats(const cql_value *v, const cql_type *type, float *out, size_t n)
{
    (void)v;
    (void)type;
    (void)out;
    (void)n;
    return CQL_UNSUPPORTED;
}

bool cqln_shape_fits(const cql_collection *c, const cql_type *type)
{
    (void)c;
    (void)type;
    return false;
}

void cqln_shape_print(cqln_sink *out, const cql_collection *c)
{
    (void)out;
    (void)c;
}
