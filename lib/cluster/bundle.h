/* bundle.h: a secure connect bundle: the zip file that says where a cluster behind a proxy is asked for, and
 * holds the authority, certificate and key for it. Read once, into memory; nothing of it goes to a disk. */
#ifndef CQLN_CLUSTER_BUNDLE_H
#define CQLN_CLUSTER_BUNDLE_H

#include "cluster/config.h"
#include "meta/astra.h"
#include "net/tls.h"

typedef struct cqln_bundle cqln_bundle;

enum { CQLN_BUNDLE_WHY = CQLN_FILTER_REASON };

/* Opens the file that the config names; al and config outlive it. CQL_SYSTEM; CQL_BAD_VALUE: a file
 * that is not to be trusted, or no bundle; CQL_UNSUPPORTED (a build without it), CQL_NO_MEMORY; why
 * (CQLN_BUNDLE_WHY bytes) names the file. */
cql_status cqln_bundle_open(const cql_allocator *al, const cqln_config *config, cqln_bundle **out, char *why);
void cqln_bundle_free(cqln_bundle *b); /* NULL is fine */
const cqln_astra_config *cqln_bundle_config(const cqln_bundle *b);
/* Authority, certificate and key become the bundle's: borrowed. */
void cqln_bundle_fill(const cqln_bundle *b, cqln_tls_config *tls);

#endif
