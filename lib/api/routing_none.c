/* A build that knows no tokens (configure --disable-routing): keys lead nowhere, and none is kept. */
#include "api/routing.h"

void cqln_routing_free(const cql_allocator *al, cqln_routing *r)
{
    (void)al;
    (void)r;
}

cql_status cqln_routing_copy(cql_statement *to, const cql_statement *from)
{
    (void)to;
    (void)from;
    return CQL_OK;
}

cql_status cqln_routing_add(cql_batch *b, const cql_statement *s)
{
    (void)b;
    (void)s;
    return CQL_OK;
}

void cqln_routing_clear(cql_batch *b)
{
    (void)b;
}

void cqln_route_slowly(cqln_cluster *c, const cql_statement *s, uint8_t partitioner,
                       cqln_route *out)
{
    (void)c;
    (void)s;
    (void)partitioner;
    (void)out;
}

void cqln_route_batch(cqln_cluster *c, const cql_batch *b, cqln_route *out)
{
    cqln_route_level(c, b->ex.consistency, out);
}
