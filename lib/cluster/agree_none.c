/* A build that changes no schemas (configure --disable-schema): a change that a statement makes waits for nobody. */
#include "cluster/cluster.h"

cql_status cqln_agree(cqln_cluster *c, cqln_link *link, uint32_t timeout_ms, cqln_agree_cb cb,
                      void *user)
{
    (void)c;
    (void)link;
    (void)timeout_ms;
    (void)cb;
    (void)user;
    return CQL_UNSUPPORTED;
}
