/* discover.h: reads the list of nodes from system.local and system.peers_v2 (or peers). */
#ifndef CQLN_CLUSTER_DISCOVER_H
#define CQLN_CLUSTER_DISCOVER_H

#include "cluster/cluster.h"

typedef struct cqln_discover cqln_discover;
/* why: for people, when st is not CQL_OK. */
typedef void (*cqln_discover_cb)(void *user, cql_status st, const char *why);

cqln_discover *cqln_discover_new(cqln_cluster *c);
void cqln_discover_free(cqln_discover *d);
/* Puts every node it finds; the caller sweeps afterwards. A run that is under way goes on, and cb is
 * that of the first. CQL_NO_MEMORY and what the link says: cb does not come. */
cql_status cqln_discover_run(cqln_discover *d, cqln_link *link, cqln_discover_cb cb, void *user);
bool cqln_discover_running(const cqln_discover *d);
/* Ends a run without its callback; the next one is on another connection. */
void cqln_discover_stop(cqln_discover *d);

#endif
