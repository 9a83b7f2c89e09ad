/* The metadata service and the proxy. */
#include "cluster/astra.h"

#include "net/fetch.h"

#include <stdio.h>
#include <string.h>

enum { ADDRESSES = CQLN_PROXIES_MAX, SERVICE_TEXT = CQLN_ASTRA_HOST + 40 };

static const char path[] = "/metadata?version=1";

/* A name on its way to addresses. */
typedef struct resolving {
    cqln_astra *a;
    cqln_lookup *lookup; /* NULL: none under way */
    cqln_deadline end;
    cqln_address found[ADDRESSES];
    size_t count;
    char reason[200]; /* why there is none */
    void (*done)(cqln_astra *a);
} resolving;

struct cqln_astra {
    cqln_cluster *c;
    const cqln_astra_config *config;
    char service[SERVICE_TEXT];
    cqln_astra_cb cb; /* NULL: no question under way */
    void *user;
    cqln_deferred begin;
    resolving host; /* the service's */
    size_t next;    /* of its addresses, to be tried */
    cqln_fetch *fetch;
    resolving proxy;
    cqln_astra_contact fresh; /* answered, its proxy is being resolved */
    cqln_astra_contact contact;
    cqln_proxies to;
    bool dead[ADDRESSES]; /* nobody was there the last time */
    size_t turn;
    char why[CQLN_FILTER_REASON + 100];
};

static void answer(cqln_astra *a, cql_status st, const char *why)
{
    cqln_astra_cb cb = a->cb;
    a->cb = NULL;
    if (cb)
        cb(a->user, st, why);
}

/* --- names ----------------------------------------------------------------------------------------- */

static void on_found(void *user, const cqln_address *found, size_t count, const char *reason)
{
    resolving *r = user;
    r->lookup = NULL;
    cqln_deadline_clear(&r->a->c->loop, &r->end);
    r->count = count < ADDRESSES ? count : ADDRESSES;
    for (size_t i = 0; i < r->count; i++)
        r->found[i] = found[i];
    (void)snprintf(r->reason, sizeof r->reason, "%s", count ? "" : reason);
    r->done(r->a);
}

static void forget(resolving *r)
{
    cqln_deadline_clear(&r->a->c->loop, &r->end);
    if (r->lookup)
        r->a->c->loop.io->ops->forget(r->lookup);
    r->lookup = NULL;
}

static void on_lookup_end(cqln_deadline *d)
{
    resolving *r = CQLN_CONTAINER(d, resolving, end);
    forget(r);
    on_found(r, NULL, 0, "the name was not resolved in time");
}

static void resolve(resolving *r, const char *host, uint16_t port)
{
    cqln_loop *loop = &r->a->c->loop;
    cqln_address literal;
    forget(r);
    if (cqln_address_parse(&literal, cql_str_of(host), port)) {
        on_found(r, &literal, 1, "");
        return;
    }
    cql_status st = loop->io->ops->resolve(loop->io, host, port, on_found, r, &r->lookup);
    if (st)
        on_found(r, NULL, 0, cql_status_text(st));
    else
        cqln_deadline_set(loop, &r->end, cqln_loop_now(loop) + r->a->c->config->connect_timeout);
}

/* --- the proxy ------------------------------------------------------------------------------------- */

static void keep_proxies(cqln_astra *a)
{
    memcpy(a->to.at, a->proxy.found, sizeof a->to.at);
    memset(a->dead, 0, sizeof a->dead);
    a->to.count = a->proxy.count;
}

/* The answer is whole: it holds from here on. */
static void on_proxy(cqln_astra *a)
{
    if (a->proxy.count == 0) {
        (void)snprintf(a->why, sizeof a->why, "the proxy that it names, %s, cannot be resolved: %s",
                       a->fresh.proxy, a->proxy.reason);
        answer(a, CQL_RESOLVE_FAILED, a->why);
        return;
    }
    cql_status st = cqln_secure_proxy(a->c->secure, a->fresh.proxy);
    if (st) {
        answer(a, st, "the proxy that it names has too long a name");
        return;
    }
    keep_proxies(a);
    a->contact = a->fresh;
    memcpy(a->to.name, a->fresh.proxy, sizeof a->to.name);
    CQLN_LOG(a->c->loop.log, CQL_LOG_INFO, "%s: %zu host ids behind the proxy %s:%u", a->service,
             a->contact.count, a->contact.proxy, (unsigned)a->contact.port);
    answer(a, CQL_OK, "");
}

static void on_refreshed(cqln_astra *a)
{
    if (a->proxy.count)
        keep_proxies(a); /* else the old ones stay */
}

void cqln_astra_refresh(cqln_astra *a)
{
    if (a->cb || a->proxy.lookup || a->to.count == 0)
        return;
    a->proxy.done = on_refreshed;
    resolve(&a->proxy, a->contact.proxy, a->contact.port);
}

static void dialled(void *user, const cqln_address *real, bool there)
{
    cqln_astra *a = user;
    for (size_t i = 0; i < a->to.count; i++)
        if (cqln_address_equal(&a->to.at[i], real))
            a->dead[i] = !there;
}

/* Its addresses take turns, those where nobody was left out, unless that is so of all. */
static cql_status dial(void *user, const cqln_address *to, cqln_address *real, char *why)
{
    cqln_astra *a = user;
    if (!to->is_id)
        return CQL_OK;
    if (a->to.count == 0) {
        (void)snprintf(why, CQLN_FILTER_REASON, "the proxy is not known yet");
        return CQL_NO_HOST;
    }
    size_t i = a->turn++ % a->to.count;
    for (size_t n = 0; n < a->to.count && a->dead[i]; n++)
        i = a->turn++ % a->to.count;
    *real = a->to.at[i];
    return CQL_OK;
}

void cqln_astra_show(const cqln_astra *a, cqln_proxies *out)
{
    *out = a->to;
}

void cqln_astra_follow(cqln_astra *a, const cqln_proxies *from)
{
    if (from->count == 0 || cqln_secure_proxy(a->c->secure, from->name))
        return;
    a->to = *from;
    memset(a->dead, 0, sizeof a->dead);
}

/* Each attempt that reached nobody has marked its address: this comes to an end. */
bool cqln_astra_elsewhere(const cqln_cluster *c, const cqln_link *link)
{
    const cqln_astra *a = c->astra;
    if (!a || !link->stream || link->reached)
        return false;
    for (size_t i = 0; i < a->to.count; i++)
        if (!a->dead[i])
            return true;
    return false;
}

/* --- the service ----------------------------------------------------------------------------------- */

static void try_next(cqln_astra *a);

static void take_contact(cqln_astra *a, cql_str body)
{
    char reason[CQLN_ASTRA_WHY];
    if (cqln_astra_read_contact(body, &a->fresh, reason)) {
        (void)snprintf(a->why, sizeof a->why, "its answer cannot be used: %s", reason);
        answer(a, CQL_MALFORMED, a->why);
        return;
    }
    a->proxy.done = on_proxy;
    resolve(&a->proxy, a->fresh.proxy, a->fresh.port);
}

static void on_fetched(void *user, cql_status st, const char *why, unsigned code, cql_str body)
{
    cqln_astra *a = user;
    cqln_cluster *c = a->c;
    a->fetch = NULL;
    c->links--;
    if (!a->cb) {
        cqln_cluster_check(c);
    } else if (st) {
        (void)snprintf(a->why, sizeof a->why, "%s", why);
        if (a->next < a->host.count)
            try_next(a);
        else
            answer(a, st, a->why);
    } else if (code != 200) {
        (void)snprintf(a->why, sizeof a->why, "it answers with the HTTP status %u", code);
        answer(a, CQL_UNEXPECTED, a->why);
    } else {
        take_contact(a, body);
    }
}

static cql_status fetch_from(cqln_astra *a, const cqln_address *to)
{
    const cqln_astra_config *config = a->config;
    cqln_fetch_plan plan = {.to = to,
                            .host = config->host,
                            .port = config->port,
                            .path = path,
                            .timeout_ms = a->c->config->connect_timeout};
    cql_status st = cqln_tls_filter_new(cqln_secure_tls(a->c->secure), config->host, a->service,
                                        &plan.filter, a->why);
    if (st)
        return st;
    st = cqln_fetch_begin(&a->c->loop, &plan, on_fetched, a, &a->fetch);
    if (st)
        (void)snprintf(a->why, sizeof a->why, "%s", cql_status_text(st));
    return st;
}

static void try_next(cqln_astra *a)
{
    cql_status st = CQL_NO_HOST;
    while (a->next < a->host.count) {
        st = fetch_from(a, &a->host.found[a->next++]);
        if (st == CQL_OK) {
            a->c->links++;
            return;
        }
    }
    answer(a, st, a->why);
}

static void on_host(cqln_astra *a)
{
    if (a->host.count == 0)
        answer(a, CQL_RESOLVE_FAILED, a->host.reason);
    else
        try_next(a);
}

static void on_begin(cqln_deferred *d)
{
    cqln_astra *a = CQLN_CONTAINER(d, cqln_astra, begin);
    if (!a->cb)
        return;
    a->next = 0;
    resolve(&a->host, a->config->host, a->config->port);
}

void cqln_astra_ask(cqln_astra *a, cqln_astra_cb cb, void *user)
{
    a->cb = cb;
    a->user = user;
    cqln_loop_defer(&a->c->loop, &a->begin);
}

void cqln_astra_stop(cqln_astra *a)
{
    a->cb = NULL;
    forget(&a->host);
    forget(&a->proxy);
    if (a->fetch)
        cqln_fetch_stop(a->fetch);
}

/* --- life ------------------------------------------------------------------------------------------ */

cql_status cqln_astra_use(cqln_cluster *c, const cqln_bundle *b)
{
    cqln_astra *a = cqln_alloc_zero(c->al, sizeof *a);
    if (!a)
        return CQL_NO_MEMORY;
    a->c = c;
    a->config = cqln_bundle_config(b);
    (void)snprintf(a->service, sizeof a->service, "metadata service %s:%u", a->config->host,
                   (unsigned)a->config->port);
    a->host.a = a;
    a->host.done = on_host;
    a->proxy.a = a;
    cqln_deadline_init(&a->host.end, on_lookup_end);
    cqln_deadline_init(&a->proxy.end, on_lookup_end);
    cqln_deferred_init(&a->begin, on_begin);
    c->astra = a;
    c->loop.dial = dial;
    c->loop.dialled = dialled;
    c->loop.dial_user = a;
    return CQL_OK;
}

void cqln_astra_free(cqln_astra *a)
{
    if (a)
        cqln_free(a->c->al, a);
}

cql_str cqln_astra_service(const cqln_astra *a)
{
    return cql_str_of(a->service);
}

bool cqln_astra_point(const cqln_astra *a, size_t i, cqln_address *out)
{
    if (i >= a->contact.count)
        return false;
    *out = cqln_address_of_id(&a->contact.points[i]);
    return true;
}

const char *cqln_astra_dc(const cqln_astra *a)
{
    return a->contact.local_dc[0] ? a->contact.local_dc : a->config->local_dc;
}
