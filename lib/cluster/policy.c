/* Asking a balancing policy of the program. */
#include "cluster/policy.h"

#include <string.h>

bool cqln_policy_available(void)
{
    return true;
}

/* --- distances ------------------------------------------------------------------------------------ */

static cql_distance distance_of(cqln_near near)
{
    return near <= CQLN_NEAR_LOCAL     ? CQL_DISTANCE_LOCAL
           : near == CQLN_NEAR_REMOTE ? CQL_DISTANCE_REMOTE
                                      : CQL_DISTANCE_IGNORED;
}

static cql_balancing_node show(const cqln_cluster *c, const cqln_node *n)
{
    return (cql_balancing_node){
        .size = sizeof(cql_balancing_node),
        .address = n->address_text,
        .data_center = n->data_center,
        .rack = n->rack,
        .host_id = n->host_id,
        .distance = distance_of(n->near),
        .local_rack = c->config->local_rack && strcmp(n->rack, c->config->local_rack) == 0,
        .up = n->usable > 0,
        .slow = n->slow,
    };
}

void cqln_policy_show(cqln_cluster *c, uint32_t index)
{
    c->router.shown[index] = show(c, c->router.nodes[index]);
}

void cqln_policy_distance(cqln_cluster *c, cqln_node *n)
{
    const cql_balancing_policy *policy = &c->config->balancing;
    if (!policy->distance)
        return;
    cql_balancing_node seen = show(c, n);
    switch (policy->distance(policy->self, &seen)) {
    case CQL_DISTANCE_LOCAL:
        n->near = seen.local_rack ? CQLN_NEAR_RACK : CQLN_NEAR_LOCAL;
        break;
    case CQL_DISTANCE_REMOTE:
        n->near = CQLN_NEAR_REMOTE;
        break;
    case CQL_DISTANCE_IGNORED:
        n->near = CQLN_NEAR_IGNORED;
        break;
    }
}

/* --- the order ------------------------------------------------------------------------------------ */

static uint32_t in_flight(const cql_balancing_query *q, size_t node)
{
    return node < q->node_count ? cqln_router_load(q->context, (uint32_t)node) : 0;
}

static uint64_t latency_us(const cql_balancing_query *q, size_t node)
{
    const cqln_cluster *c = q->context;
    return node < q->node_count ? c->router.nodes[node]->pace.mean_us : 0;
}

size_t cqln_policy_order(cqln_cluster *c, const cql_balancing_policy *policy, const cqln_route *route,
                         unsigned attempt, uint16_t *order, size_t cap)
{
    const cqln_keyspace *k = cqln_router_keyspace(c, route);
    cqln_wish wish;
    cqln_router_wish(c, route, &wish);
    while (wish.replica_count && wish.replicas[wish.replica_count - 1] >= c->router.peers.count)
        wish.replica_count--;
    cql_balancing_query q = {
        .size = sizeof q,
        .nodes = c->router.shown,
        .node_count = c->router.peers.count,
        .replicas = wish.replicas,
        .replica_count = wish.replica_count,
        .keyspace = k ? k->name : (cql_str){"", 0},
        .conditional = route->conditional,
        .local_only = route->local_only,
        .attempt = attempt,
        .random = wish.random,
        .in_flight = in_flight,
        .latency_us = latency_us,
        .context = c,
    };
    size_t n = policy->plan(policy->self, &q, order, cap);
    return n < cap ? n : cap;
}
