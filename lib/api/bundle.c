/* A session whose options name a secure connect bundle: what may not stand beside it, and what follows. */
#include "api/options.h"
#include "api/session.h"
#include "cluster/bundle.h"

#include <cqlnative/statement.h>

#include <stdio.h>

/* The option that says the same as the bundle in another way, NULL when there is none. */
static const char *rival(const cql_options *o)
{
    const cqln_config *config = &o->config;
    const struct {
        const char *name;
        const char *value;
    } texts[] = {{"tls_ca", config->tls_ca},     {"tls_crl", config->tls_crl},
                 {"tls_cert", config->tls_cert}, {"tls_key", config->tls_key},
                 {"tls_key_password", config->tls_key_password}, {"tls_name", config->tls_name}};
    if (config->contact_count)
        return "contact_points";
    for (size_t i = 0; i < CQL_COUNT(texts); i++)
        if (texts[i].value)
            return texts[i].name;
    if (config->tls_name_fn)
        return "a function for TLS names (cql_options_set_tls_name_fn)";
    if (config->translate)
        return "an address translator (cql_options_set_address_translator)";
    return NULL;
}

static cql_status check(const cql_options *o, char *why)
{
    const char *other = rival(o);
    bool weak = o->config.tls != CQLN_TLS_VERIFY_FULL && cql_options_given(o, "tls");
    if (!other && !weak)
        return CQL_OK;
    (void)snprintf(why, CQLN_BUNDLE_WHY,
                   other ? "secure_bundle and %s do not go together: the bundle says where the cluster is and "
                           "holds the certificates"
                         : "secure_bundle and %s do not go together: connections by a bundle are always "
                           "encrypted, and both sides verified",
                   other ? other : "tls other than verify-full");
    return CQL_BAD_VALUE;
}

cql_status cqln_session_open_bundle(cql_session *s, const cql_options *o, char *why)
{
    if (!s->config.secure_bundle)
        return CQL_OK;
    cql_status st = check(o, why);
    if (st == CQL_OK)
        st = cqln_bundle_open(s->al, &s->config, &s->bundle, why);
    if (st)
        return st;
    s->config.tls = CQLN_TLS_VERIFY_FULL;
    if (!cql_options_given(o, "consistency"))
        s->config.consistency = CQL_CONSISTENCY_LOCAL_QUORUM; /* Astra takes no writes at LOCAL_ONE */
    return CQL_OK;
}
