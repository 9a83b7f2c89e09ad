/* A build that starts no threads (configure --disable-threads): handlers that block are refused when they are
 * named, so that a pool is made for nobody. */
#include "jobs/worker.h"

bool cqljob_pool_possible(void)
{
    return false;
}

cqljob_pool *cqljob_pool_new(const cql_allocator *al, size_t most)
{
    (void)al;
    (void)most;
    return NULL;
}

cql_status cqljob_pool_run(cqljob_pool *pool, cql_job_handler fn, cql_job *job, void *user)
{
    (void)pool;
    (void)fn;
    (void)job;
    (void)user;
    return CQL_UNSUPPORTED;
}

void cqljob_pool_free(cqljob_pool *pool)
{
    (void)pool;
}
