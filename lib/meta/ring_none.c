/* A build that knows no tokens (configure --disable-routing): sessions do not ask for them, so that no ring is
 * ever made and nothing of one is looked up. */
#include "meta/tokenmap.h"

bool cqln_ring_available(void)
{
    return false;
}

cqln_partitioner cqln_partitioner_of(cql_str class_name)
{
    (void)class_name;
    return CQLN_PARTITIONER_UNKNOWN;
}

const char *cqln_partitioner_name(cqln_partitioner p)
{
    (void)p;
    return "unknown";
}

bool cqln_token_parse(cqln_partitioner p, cql_str text, cqln_token *out)
{
    (void)p;
    (void)text;
    (void)out;
    return false;
}

void cqln_token_print(cqln_partitioner p, cqln_token t, char out[CQLN_TOKEN_TEXT])
{
    (void)p;
    (void)t;
    out[0] = '\0';
}

cql_status cqln_ring_new(const cql_allocator *al, cqln_partitioner partitioner,
                         const cqln_member *members, size_t count, cqln_ring **out)
{
    (void)al;
    (void)partitioner;
    (void)members;
    (void)count;
    *out = NULL;
    return CQL_UNSUPPORTED;
}

cqln_ring *cqln_ring_ref(cqln_ring *r)
{
    return r;
}

void cqln_ring_unref(cqln_ring *r)
{
    (void)r;
}

uint32_t cqln_ring_find_exactly(const cqln_ring *r, cqln_token t, uint32_t from)
{
    (void)r;
    (void)t;
    return from;
}

void cqln_replication_init(cqln_replication *r)
{
    (void)r;
}

void cqln_replication_add(cqln_replication *r, cql_str key, cql_str value)
{
    (void)r;
    (void)key;
    (void)value;
}

void cqln_replication_end(cqln_replication *r)
{
    (void)r;
}

void cqln_replication_print(const cqln_replication *r, char *out, size_t cap)
{
    (void)r;
    if (cap)
        *out = '\0';
}

cql_status cqln_tokenmap_new(cqln_ring *ring, size_t keyspaces, cqln_tokenmap **out)
{
    (void)ring;
    (void)keyspaces;
    *out = NULL;
    return CQL_UNSUPPORTED;
}

cql_status cqln_tokenmap_add(cqln_tokenmap *m, cql_str keyspace, const cqln_replication *r,
                             const cqln_tokenmap *older)
{
    (void)m;
    (void)keyspace;
    (void)r;
    (void)older;
    return CQL_UNSUPPORTED;
}

cqln_tokenmap *cqln_tokenmap_ref(cqln_tokenmap *m)
{
    return m;
}

void cqln_tokenmap_unref(cqln_tokenmap *m)
{
    (void)m;
}
