/* lessons.h: what the nodes are taught: the session's prepared statements. The session remembers those
 * it prepared last; a node that comes up learns them all, a few at a time, and one that forgot a
 * statement learns it once, however many requests wait for that. */
#ifndef CQLN_CLUSTER_LESSONS_H
#define CQLN_CLUSTER_LESSONS_H

#include "cluster/cluster.h"

/* What is remembered of a freshly prepared statement (taken over): itself, or the same one from before,
 * brought up to date. The caller holds the one it gets. All other nodes learn it. */
cql_prepared *cqln_lessons_keep(cqln_cluster *c, cql_prepared *fresh, cqln_node *known_by);
void cqln_lessons_free(cqln_cluster *c);
/* A node that was down takes requests again: it learns everything that is remembered. */
void cqln_lessons_begin(cqln_node *n);
/* The request waits until the node of that link knows p, and is then sent again there. CQL_NO_MEMORY and
 * what cqln_inner_send says: it does not wait. */
cql_status cqln_lessons_await(cqln_request *req, cqln_link *link, cql_prepared *p);
/* The node of that link forgot p, and nobody waits for it. */
void cqln_lessons_repeat(cqln_link *link, cql_prepared *p);

#endif
