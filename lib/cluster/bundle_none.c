/* A build that reads no bundles: a session with one is refused, so that nothing else here is ever called. */
#include "cluster/astra.h"

#include <config.h> /* not the neighbour of that name */
#include <stdio.h>

cql_status cqln_bundle_open(const cql_allocator *al, const cqln_config *config, cqln_bundle **out, char *why)
{
    (void)al;
    (void)config;
    *out = NULL;
    (void)snprintf(why, CQLN_BUNDLE_WHY,
                   "this build of the library reads no secure connect bundles (it was configured %s)",
                   CQLN_BUNDLE_LACKS);
    return CQL_UNSUPPORTED;
}

void cqln_bundle_free(cqln_bundle *b)
{
    (void)b;
}

void cqln_bundle_fill(const cqln_bundle *b, cqln_tls_config *tls)
{
    (void)b;
    (void)tls;
}

cql_status cqln_astra_use(cqln_cluster *c, const cqln_bundle *b)
{
    (void)c;
    (void)b;
    return CQL_UNSUPPORTED;
}

void cqln_astra_free(cqln_astra *a)
{
    (void)a;
}

void cqln_astra_ask(cqln_astra *a, cqln_astra_cb cb, void *user)
{
    (void)a;
    (void)cb;
    (void)user;
}

void cqln_astra_refresh(cqln_astra *a)
{
    (void)a;
}

void cqln_astra_show(const cqln_astra *a, cqln_proxies *out)
{
    (void)a;
    (void)out;
}

void cqln_astra_follow(cqln_astra *a, const cqln_proxies *from)
{
    (void)a;
    (void)from;
}

bool cqln_astra_elsewhere(const cqln_cluster *c, const cqln_link *link)
{
    (void)c;
    (void)link;
    return false;
}

void cqln_astra_stop(cqln_astra *a)
{
    (void)a;
}

cql_str cqln_astra_service(const cqln_astra *a)
{
    (void)a;
    return (cql_str){NULL, 0};
}

bool cqln_astra_point(const cqln_astra *a, size_t i, cqln_address *out)
{
    (void)a;
    (void)i;
    (void)out;
    return false;
}

const char *cqln_astra_dc(const cqln_astra *a)
{
    (void)a;
    return "";
}
