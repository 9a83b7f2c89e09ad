/* A build that knows no tokens and asks no policies (configure --disable-routing): of nodes it knows how far they
 * are, and sessions do not ask for replicas. */
#include "cluster/policy.h"

void cqln_router_take_partitioner(cqln_cluster *c, cql_str class_name)
{
    (void)c;
    (void)class_name;
}

void cqln_router_take_tokens(cqln_cluster *c, cqln_node *n, const cql_value *tokens, const cql_type *type)
{
    (void)c;
    (void)n;
    (void)tokens;
    (void)type;
}

void cqln_router_take_keyspaces(cqln_cluster *c, const cql_result *res)
{
    (void)c;
    (void)res;
}

void cqln_router_place(cqln_cluster *c)
{
    (void)c;
}

bool cqln_policy_available(void)
{
    return false;
}

void cqln_policy_distance(cqln_cluster *c, cqln_node *n)
{
    (void)c;
    (void)n;
}

void cqln_policy_show(cqln_cluster *c, uint32_t index)
{
    (void)c;
    (void)index;
}

size_t cqln_policy_order(cqln_cluster *c, const cql_balancing_policy *policy, const cqln_route *route,
                         unsigned attempt, uint16_t *order, size_t cap)
{
    (void)c;
    (void)policy;
    (void)route;
    (void)attempt;
    (void)order;
    (void)cap;
    return 0;
}
