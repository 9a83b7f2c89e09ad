/* A build without TLS (configure --without-openssl). */
#include "net/tls.h"

#include <stdio.h>

cql_status cqln_tls_new(const cqln_tls_config *config, cqln_tls **out, char *why)
{
    (void)config;
    *out = NULL;
    snprintf(why, CQLN_FILTER_REASON,
             "this build of the library has no TLS (it was configured --without-openssl)");
    return CQL_UNSUPPORTED;
}

void cqln_tls_free(cqln_tls *tls)
{
    (void)tls;
}

const cqln_tls_counts *cqln_tls_counts_of(const cqln_tls *tls)
{
    (void)tls;
    return NULL;
}

bool cqln_tls_facts_of(cqln_tls *tls, const char *peer, cql_tls_facts *out)
{
    (void)tls;
    (void)peer;
    (void)out;
    return false;
}

bool cqln_tls_own(cqln_tls *tls, cql_tls_facts *out)
{
    (void)tls;
    (void)out;
    return false;
}

cql_status cqln_tls_filter_new(cqln_tls *tls, const char *name, const char *peer, cqln_filter **out,
                               char *why)
{
    (void)tls;
    (void)name;
    (void)peer;
    (void)why;
    *out = NULL;
    return CQL_UNSUPPORTED;
}

cql_status cqln_tls_filter_sni(cqln_tls *tls, const char *name, const char *sni, const char *peer,
                               cqln_filter **out, char *why)
{
    (void)sni;
    return cqln_tls_filter_new(tls, name, peer, out, why);
}
