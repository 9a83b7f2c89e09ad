/* Which connections are encrypted, and whom they have to reach. */
#include "cluster/secure.h"

#include "cluster/bundle.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 512, BUFFER_MAX = 64 << 10 };

/* An address and the contact point that led to it. */
typedef struct named {
    cqln_address address;
    const char *host; /* of the config */
} named;

struct cqln_secure {
    const cql_allocator *al;
    const cqln_config *config;
    cqln_tls *tls;
    size_t name_count;
    size_t oldest; /* where the next one goes when all places are taken */
    char proxy[CQLN_TLS_NAME]; /* "": none */
    named names[NAMES_MAX];
};

static cql_status check(const cqln_config *config, char *why)
{
    if (config->tls == CQLN_TLS_VERIFY_CA && !config->tls_ca && !config->secure_bundle) {
        snprintf(why, CQLN_FILTER_REASON,
                 "tls=verify-ca without tls_ca would accept every server with a certificate of any "
                 "public authority: name your own with tls_ca, or use tls=verify-full");
        return CQL_BAD_VALUE;
    }
    return CQL_OK;
}

static void warn(const cqln_config *config)
{
    if (config->tls == CQLN_TLS_REQUIRE)
        CQLN_LOG(&config->log, CQL_LOG_WARN,
                 "TLS is set to accept any server (tls=require): whoever sits between can read and "
                 "change everything, the password too");
    else if (config->tls == CQLN_TLS_VERIFY_CA)
        CQLN_LOG(&config->log, CQL_LOG_WARN,
                 "TLS does not compare names (tls=verify-ca): every holder of a certificate of that "
                 "authority can pose as a node");
    if (config->tls_key && config->tls_key_check == CQLN_KEY_CHECK_LOOSE)
        CQLN_LOG(&config->log, CQL_LOG_WARN,
                 "the file of the TLS key is used whoever may read it (tls_key_check=loose)");
}

cql_status cqln_secure_new(const cql_allocator *al, const cqln_config *config,
                           const cqln_bundle *bundle, cqln_secure **out, char *why)
{
    *out = NULL;
    why[0] = '\0';
    if (config->tls == CQLN_TLS_OFF)
        return CQL_OK;
    cql_status st = check(config, why);
    if (st)
        return st;
    cqln_secure *s = cqln_alloc_zero(al, sizeof *s);
    if (!s)
        return CQL_NO_MEMORY;
    s->al = al;
    s->config = config;
    cqln_tls_config tls = {
        .al = al,
        .log = &config->log,
        .mode = (cqln_tls_mode)config->tls,
        .ca = config->tls_ca,
        .crl = config->tls_crl,
        .cert = config->tls_cert,
        .key = config->tls_key,
        .key_password = config->tls_key_password,
        .loose_key = config->tls_key_check == CQLN_KEY_CHECK_LOOSE,
        .context_fn = config->tls_context_fn,
        .context_user = config->tls_context_user,
        .buffer = config->read_buffer < BUFFER_MAX ? config->read_buffer : BUFFER_MAX,
    };
    if (bundle)
        cqln_bundle_fill(bundle, &tls);
    st = cqln_tls_new(&tls, &s->tls, why);
    if (st) {
        cqln_free(al, s);
        return st;
    }
    warn(config);
    *out = s;
    return CQL_OK;
}

void cqln_secure_free(cqln_secure *s)
{
    if (!s)
        return;
    cqln_tls_free(s->tls);
    cqln_free(s->al, s);
}

/* --- names --------------------------------------------------------------------------------------- */

static named *find(cqln_secure *s, const cqln_address *a)
{
    for (size_t i = 0; i < s->name_count; i++)
        if (cqln_address_equal(&s->names[i].address, a))
            return &s->names[i];
    return NULL;
}

void cqln_secure_resolved(cqln_secure *s, const char *host, const cqln_address *a)
{
    if (!s || find(s, a))
        return; /* two names for one address: the first one given counts */
    named *place = &s->names[s->oldest];
    if (s->name_count < NAMES_MAX)
        place = &s->names[s->name_count++];
    else
        s->oldest = (s->oldest + 1) % NAMES_MAX;
    place->address = *a;
    place->host = host;
}

const char *cqln_secure_contact(cqln_secure *s, const cqln_address *a)
{
    const named *known = s ? find(s, a) : NULL;
    return known ? known->host : NULL;
}

/* The address alone, as text. */
static void ip_text(const cqln_address *a, char out[CQLN_ADDRESS_TEXT])
{
    cqln_address_print(a, out);
    char *colon = strrchr(out, ':');
    *colon = '\0';
    if (out[0] == '[') {
        size_t n = strlen(out);
        memmove(out, out + 1, n - 2);
        out[n - 2] = '\0';
    }
}

static void choose_name(cqln_secure *s, const cqln_address *to, const char *peer,
                        char name[CQLN_TLS_NAME])
{
    const cqln_config *config = s->config;
    const named *known = find(s, to);
    const char *contact = known ? known->host : NULL;
    name[0] = '\0';
    if (config->tls_name_fn && config->tls_name_fn(config->tls_name_user, peer, contact, name)) {
        name[CQLN_TLS_NAME - 1] = '\0';
        return;
    }
    if (config->tls_name)
        contact = config->tls_name;
    if (contact)
        snprintf(name, CQLN_TLS_NAME, "%s", contact);
    else
        ip_text(to, name);
}

static cql_status make_filter(void *user, const cqln_address *to, cqln_filter **out, char *why)
{
    cqln_secure *s = user;
    char peer[CQLN_ADDRESS_TEXT];
    char name[CQLN_TLS_NAME];
    cqln_address_print(to, peer);
    if (to->is_id)
        return cqln_tls_filter_sni(s->tls, s->proxy, peer, peer, out, why);
    choose_name(s, to, peer, name);
    return cqln_tls_filter_new(s->tls, name, peer, out, why);
}

cql_status cqln_secure_proxy(cqln_secure *s, const char *name)
{
    int n = snprintf(s->proxy, sizeof s->proxy, "%s", name);
    return n > 0 && (size_t)n < sizeof s->proxy ? CQL_OK : CQL_TOO_LARGE;
}

cqln_tls *cqln_secure_tls(cqln_secure *s)
{
    return s ? s->tls : NULL;
}

void cqln_secure_use(cqln_secure *s, cqln_loop *loop)
{
    loop->filter = s ? make_filter : NULL;
    loop->filter_user = s;
}

const cqln_tls_counts *cqln_secure_counts(const cqln_secure *s)
{
    return s ? cqln_tls_counts_of(s->tls) : NULL;
}

bool cqln_secure_facts(cqln_secure *s, const char *peer, cql_tls_facts *out)
{
    return s && cqln_tls_facts_of(s->tls, peer, out);
}

bool cqln_secure_own(cqln_secure *s, cql_tls_facts *out)
{
    return s && cqln_tls_own(s->tls, out);
}
