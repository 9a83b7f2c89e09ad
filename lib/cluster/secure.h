/* secure.h: TLS for the connections of a cluster: the filter of each, and the name that the other side's
 * certificate must have. */
#ifndef CQLN_CLUSTER_SECURE_H
#define CQLN_CLUSTER_SECURE_H

#include "cluster/config.h"
#include "meta/address.h"
#include "net/loop.h"
#include "net/tls.h"

typedef struct cqln_secure cqln_secure;
typedef struct cqln_bundle cqln_bundle;

/* *out is NULL when the config wants no TLS. bundle: where certificates and key come from, NULL: from the
 * files of the config. Both outlive it. CQL_NO_MEMORY, CQL_TLS_FAILED,
 * CQL_UNSUPPORTED, CQL_BAD_VALUE with why (CQLN_FILTER_REASON bytes). */
cql_status cqln_secure_new(const cql_allocator *al, const cqln_config *config,
                           const cqln_bundle *bundle, cqln_secure **out, char *why);
void cqln_secure_free(cqln_secure *s); /* after the loop has ended; NULL is fine */
/* Connections of this loop get filters from now on. s NULL: none do. */
void cqln_secure_use(cqln_secure *s, cqln_loop *loop);
/* The contact point `host` was resolved to this address. */
void cqln_secure_resolved(cqln_secure *s, const char *host, const cqln_address *a);
/* The contact point that led to this address, borrowed from the config; NULL: none did. */
const char *cqln_secure_contact(cqln_secure *s, const cqln_address *a);
/* Nodes that are known by their host id are reached through a proxy of this name, which is copied: its
 * certificate counts, and it is told the host id. CQL_TOO_LARGE. */
cql_status cqln_secure_proxy(cqln_secure *s, const char *name);
/* For questions beside the cluster's own connections; NULL without TLS. */
cqln_tls *cqln_secure_tls(cqln_secure *s);
/* NULL without TLS. [any thread] */
const cqln_tls_counts *cqln_secure_counts(const cqln_secure *s);
/* See cqln_tls_facts_of; false without TLS. [any thread] */
bool cqln_secure_facts(cqln_secure *s, const char *peer, cql_tls_facts *out);
/* The same of cqln_tls_own. */
bool cqln_secure_own(cqln_secure *s, cql_tls_facts *out);

#endif
