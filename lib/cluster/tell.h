/* tell.h: nodes that come, go, and change: told to the program and the log, once each, in a turn of the
 * loop after it happened. */
#ifndef CQLN_CLUSTER_TELL_H
#define CQLN_CLUSTER_TELL_H

#include "cluster/cluster.h"

void cqln_tell_init(cqln_cluster *c);
/* Something about nodes may have changed. */
void cqln_tell_soon(cqln_cluster *c);
/* This node leaves the list: what is to be told of it is kept. */
void cqln_tell_removed(cqln_node *n);
/* Forgets what was not told. */
void cqln_tell_fini(cqln_cluster *c);

/* A schema event came; NULL: some may have been missed. */
void cqln_tell_schema(cqln_cluster *c, const cqln_schema_change *change);

/* A connection attempt failed, or a connection ended: logged, but not each time that it repeats. */
void cqln_tell_failure(cqln_node *n, const char *reason);

/* The address at which the program reaches a node that the cluster knows as *a; false when the
 * translator's answer cannot be used. */
bool cqln_translate(const cqln_cluster *c, cqln_address *a);

#endif
