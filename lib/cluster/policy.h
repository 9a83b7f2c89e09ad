/* policy.h: a balancing policy of the program: what it is shown, and what it says. */
#ifndef CQLN_CLUSTER_POLICY_H
#define CQLN_CLUSTER_POLICY_H

#include "cluster/cluster.h"

/* Does this build ask policies? */
bool cqln_policy_available(void);
/* How far the node is, if the session's policy has a word on it. */
void cqln_policy_distance(cqln_cluster *c, cqln_node *n);
/* What policies see of the node with this index is what it is now. */
void cqln_policy_show(cqln_cluster *c, uint32_t index);
/* The nodes for an attempt, the best first; how many. */
size_t cqln_policy_order(cqln_cluster *c, const cql_balancing_policy *policy, const cqln_route *route,
                         unsigned attempt, uint16_t *order, size_t cap);

#endif
