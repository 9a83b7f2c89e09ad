/* A build without TLS (configure --without-openssl): a session with it is refused, so that there is never
 * anything to share. */
#include "cluster/secure.h"

#include <stdio.h>

cql_status cqln_secure_new(const cql_allocator *al, const cqln_config *config,
                           const cqln_bundle *bundle, cqln_secure **out, char *why)
{
    (void)al;
    (void)bundle;
    *out = NULL;
    why[0] = '\0';
    if (config->tls == CQLN_TLS_OFF)
        return CQL_OK;
    (void)snprintf(why, CQLN_FILTER_REASON,
                   "this build of the library has no TLS (it was configured --without-openssl)");
    return CQL_UNSUPPORTED;
}

void cqln_secure_free(cqln_secure *s)
{
    (void)s;
}

void cqln_secure_use(cqln_secure *s, cqln_loop *loop)
{
    (void)s;
    loop->filter = NULL;
}

void cqln_secure_resolved(cqln_secure *s, const char *host, const cqln_address *a)
{
    (void)s;
    (void)host;
    (void)a;
}

const char *cqln_secure_contact(cqln_secure *s, const cqln_address *a)
{
    (void)s;
    (void)a;
    return NULL;
}

const cqln_tls_counts *cqln_secure_counts(const cqln_secure *s)
{
    (void)s;
    return NULL;
}

bool cqln_secure_facts(cqln_secure *s, const char *peer, cql_tls_facts *out)
{
    (void)s;
    (void)peer;
    (void)out;
    return false;
}

bool cqln_secure_own(cqln_secure *s, cql_tls_facts *out)
{
    (void)s;
    (void)out;
    return false;
}
