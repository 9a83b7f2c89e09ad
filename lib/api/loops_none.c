/* A build that starts no threads (configure --disable-threads): a session has one loop, and what belongs to
 * further ones is never called. */
#include "api/loops.h"

#include <stdio.h>

void cqln_loops_share(cqln_config *share, const cqln_config *whole, uint32_t count, uint32_t number)
{
    (void)count;
    (void)number;
    *share = *whole;
}

cql_status cqln_loops_new(cql_session *s, const cqln_config *whole, uint32_t count, char *why)
{
    (void)s;
    (void)whole;
    (void)snprintf(why, CQLN_FILTER_REASON,
                   "%u loops need threads, and this build of the library starts none (it was configured "
                   "--disable-threads); set loop_threads=0",
                   count);
    return CQL_UNSUPPORTED;
}

cql_status cqln_loops_start(cql_session *s)
{
    (void)s;
    return CQL_UNSUPPORTED;
}

void cqln_loops_free(cql_session *s)
{
    (void)s;
}

void cqln_loops_connect(cql_session *s)
{
    (void)s;
}

void cqln_loops_close(cql_session *s)
{
    (void)s;
}

bool cqln_loops_here(const cql_session *s)
{
    (void)s;
    return false;
}

cqln_cluster *cqln_loops_pick(cql_session *s)
{
    return &s->cluster;
}

cqln_cluster *cqln_loops_pick_first(cql_session *s)
{
    return &s->cluster;
}

void cqln_loops_full(cql_session *s)
{
    (void)s;
}
