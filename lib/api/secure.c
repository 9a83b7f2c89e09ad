/* The public face of TLS and of authenticators. */
#include "api/loops.h"
#include "api/options.h"

#include <cqlnative/auth.h>
#include <cqlnative/tls.h>
#include <assert.h>
#include <string.h>

static_assert(CQL_TLS_NAME_SIZE == CQLN_TLS_NAME, "one size for names");

void cql_options_set_tls_name_fn(cql_options *o, cql_tls_name_fn fn, void *user)
{
    if (!o)
        return;
    o->config.tls_name_fn = fn;
    o->config.tls_name_user = user;
}

void cql_options_set_tls_context_fn(cql_options *o, cql_tls_context_fn fn, void *user)
{
    if (!o)
        return;
    o->config.tls_context_fn = fn;
    o->config.tls_context_user = user;
}

void cql_options_set_tls_insecure(cql_options *o)
{
    if (!o)
        return;
    o->config.tls = CQLN_TLS_REQUIRE;
    cqln_option_mark_given(o, "tls");
}

cql_status cql_options_set_authenticator(cql_options *o, const cql_authenticator *a)
{
    if (!o || (a && (a->size < sizeof *a || !a->initial)))
        return CQL_BAD_ARGUMENT;
    memset(&o->config.authenticator, 0, sizeof o->config.authenticator);
    if (!a)
        return CQL_OK;
    o->config.authenticator = *a;
    o->config.authenticator.size = sizeof *a;
    return CQL_OK;
}

static void add_counts(const cqln_tls_counts *counts, cql_tls_stats *out)
{
    if (!counts)
        return;
    out->handshakes += atomic_load_explicit(&counts->handshakes, memory_order_relaxed);
    out->resumed += atomic_load_explicit(&counts->resumed, memory_order_relaxed);
    out->failed += atomic_load_explicit(&counts->failed, memory_order_relaxed);
    out->reloads += atomic_load_explicit(&counts->reloads, memory_order_relaxed);
}

cql_status cql_session_tls_stats(const cql_session *s, cql_tls_stats *out)
{
    if (!s || !out || out->size < sizeof *out)
        return CQL_BAD_ARGUMENT;
    size_t size = out->size;
    memset(out, 0, sizeof *out);
    out->size = size;
    for (uint32_t i = 0; i < cqln_session_loop_count(s); i++)
        add_counts(cqln_secure_counts(cqln_session_secure(s, i)), out);
    return CQL_OK;
}

/* False: it is of another version than this library. */
static bool empty_facts(cql_tls_facts *out)
{
    size_t size = out ? out->size : 0;
    if (size < sizeof *out)
        return false;
    memset(out, 0, sizeof *out);
    out->size = size;
    return true;
}

cql_status cql_session_tls_own(const cql_session *s, cql_tls_facts *out)
{
    if (!s || !empty_facts(out))
        return CQL_BAD_ARGUMENT;
    return cqln_secure_own(s->secure, out) ? CQL_OK : CQL_NOT_FOUND;
}

cql_status cql_session_tls_facts(const cql_session *s, const char *node, cql_tls_facts *out)
{
    if (!s || !empty_facts(out))
        return CQL_BAD_ARGUMENT;
    for (uint32_t i = 0; i < cqln_session_loop_count(s); i++)
        if (cqln_secure_facts(cqln_session_secure(s, i), node, out))
            return CQL_OK;
    return CQL_NOT_FOUND;
}
