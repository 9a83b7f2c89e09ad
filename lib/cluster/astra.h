/* astra.h: finding a cluster that is known by a secure connect bundle: its metadata service is asked for
 * the proxy and for host ids, the proxy's name is resolved, and connections to host ids go there.
 *
 *   ask: resolve the service -> GET /metadata from one of its addresses -> resolve the proxy -> answer
 */
#ifndef CQLN_CLUSTER_ASTRA_H
#define CQLN_CLUSTER_ASTRA_H

#include "cluster/bundle.h"
#include "cluster/cluster.h"

enum { CQLN_PROXIES_MAX = 16 };

/* Where connections to host ids go: the proxy's name and addresses. */
typedef struct cqln_proxies {
    char name[CQLN_ASTRA_HOST];
    size_t count;
    cqln_address at[CQLN_PROXIES_MAX];
} cqln_proxies;

/* why is borrowed; CQL_OK: cqln_astra_points and cqln_astra_dc have what was answered. */
typedef void (*cqln_astra_cb)(void *user, cql_status st, const char *why);

/* Connections of this cluster to host ids go through the bundle's proxy from now on; before the first one is
 * made. b outlives the cluster. */
cql_status cqln_astra_use(cqln_cluster *c, const cqln_bundle *b);
void cqln_astra_free(cqln_astra *a); /* NULL is fine */
/* One question at a time; cb comes once, in a later turn, unless it is stopped. */
void cqln_astra_ask(cqln_astra *a, cqln_astra_cb cb, void *user);
/* Resolves the proxy's name again, in the background. */
void cqln_astra_refresh(cqln_astra *a);
/* No callback any more. */
void cqln_astra_stop(cqln_astra *a);

/* What one loop of a session knows, and another takes over that asks nobody itself. */
void cqln_astra_show(const cqln_astra *a, cqln_proxies *out);
void cqln_astra_follow(cqln_astra *a, const cqln_proxies *from);
/* A connection ended: was nobody at that address of the proxy, and is there another one to be tried at once? */
bool cqln_astra_elsewhere(const cqln_cluster *c, const cqln_link *link);

/* The metadata service as text for people. */
cql_str cqln_astra_service(const cqln_astra *a);
/* Of the newest answer: host id i, false past the last one; the data centre, "" when not known. */
bool cqln_astra_point(const cqln_astra *a, size_t i, cqln_address *out);
const char *cqln_astra_dc(const cqln_astra *a);

#endif
