/* secure.h: TLS for the connections of a cluster: the filter of each, and the name that the other side's
 * certificate must have. */
#ifndef CQLN_CLUSTER_SECURE_H
#define CQLN_CLUSTER_SECURE_H

#include "cluster/config.h"
#include "meta/address.h"
#include "net/loop.h"
#include "net/tls.h"

typedef struct cqln_secure cqln_secure;

/* *out is NULL when the config wants no TLS. config outlives it. CQL_NO_MEMORY, CQL_TLS_FAILED,
 * CQL_UNSUPPORTED, CQL_BAD_VALUE with why (CQLN_FILTER_REASON bytes). */
cql_status cqln_secure_new(const cql_allocator *al, const cqln_config *config, cqln_secure **out,
                           char *why);
void cqln_secure_free(cqln_secure *s); /* after the loop has ended; NULL is fine */
/* Connections of this loop get filters from now on. s NULL: none do. */
void cqln_secure_use(cqln_secure *s, cqln_loop *loop);
/* The contact point `host` was resolved to this address. */
void cqln_secure_resolved(cqln_secure *s, const char *host, const cqln_address *a);
/* The contact point that led to this address, borrowed from the config; NULL: none did. */
const char *cqln_secure_contact(cqln_secure *s, const cqln_address *a);
/* NULL without TLS. [any thread] */
const cqln_tls_counts *cqln_secure_counts(const cqln_secure *s);
/* See cqln_tls_facts_of; false without TLS. [any thread] */
bool cqln_secure_facts(cqln_secure *s, const char *peer, cql_tls_facts *out);

#endif
