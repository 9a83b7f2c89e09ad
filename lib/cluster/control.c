/* The rounds of the control connection: whom it may talk to, and when. watch.c has the connection.
 *
 *   gather addresses -> connect one after the other -> read the system tables -> watch
 *        ^                                                                        |
 *        +---- back-off <---- all failed                      lost <--------------+
 */
#include "cluster/astra.h"
#include "cluster/control.h"
#include "cluster/team.h"
#include "cluster/tries.h"

#include <string.h>

enum {
    READY_MAX = 128, /* nodes that answer among targets: the rest is room for what names lead to */
    BACKOFF_MAX_MS = 30000
};

cql_log_level cqln_control_loud(const cqln_control *ctl)
{
    return ctl->failed ? CQL_LOG_DEBUG : CQL_LOG_WARN;
}

/* --- addresses ----------------------------------------------------------------------------------- */

static void add_target(cqln_control *ctl, const cqln_address *a)
{
    for (size_t i = 0; i < ctl->target_count; i++)
        if (cqln_address_equal(&ctl->targets[i], a))
            return;
    if (ctl->target_count < CQLN_TARGETS_MAX)
        ctl->targets[ctl->target_count++] = *a;
}

/* Those from there on, so that many sessions do not meet at one node. */
static void shuffle(cqln_control *ctl, size_t from)
{
    for (size_t i = ctl->target_count; i > from + 1; i--) {
        size_t at = from + (size_t)cqln_rand_below(&ctl->c->rand, i - from);
        cqln_address last = ctl->targets[i - 1];
        ctl->targets[i - 1] = ctl->targets[at];
        ctl->targets[at] = last;
    }
}

static bool worth_a_try(const cqln_control *ctl, const cqln_node *n)
{
    return !n->removed && !cqln_router_denied(ctl->c, &n->address);
}

/* Those of the own data centre first. */
static void add_known(cqln_control *ctl, bool usable, size_t most)
{
    for (int far = 0; far < 2; far++) {
        size_t from = ctl->target_count;
        for (const cqln_node *n = ctl->c->nodes; n && ctl->target_count < most; n = n->next)
            if (worth_a_try(ctl, n) && (n->usable > 0) == usable && (n->near > CQLN_NEAR_LOCAL) == far)
                add_target(ctl, &n->address);
        shuffle(ctl, from);
    }
}

void cqln_control_refresh_in(cqln_control *ctl, uint32_t delay)
{
    cqln_loop *loop = &ctl->c->loop;
    uint64_t at = cqln_loop_now(loop) + delay;
    if (ctl->refresh.item.deadline == 0 || ctl->refresh.item.deadline > at)
        cqln_deadline_set(loop, &ctl->refresh, at);
}

/* Without discovery the contact points are the nodes. */
static void take_contacts(cqln_control *ctl)
{
    cqln_control_refresh_in(ctl, ctl->c->config->refresh_interval);
    if (ctl->target_count == 0)
        return; /* what was known stays */
    for (cqln_node *n = ctl->c->nodes; n && ctl->unresolved; n = n->next)
        n->seen = true; /* whose nodes they are is not known */
    for (size_t i = 0; i < ctl->target_count; i++) {
        cqln_node_info info;
        memset(&info, 0, sizeof info);
        info.address = ctl->targets[i];
        cqln_node_put(ctl->c, &info);
    }
    ctl->known = true;
    cqln_nodes_sweep(ctl->c);
    cql_error *err = cqln_cluster_choose_dc(ctl->c);
    if (err) {
        cqln_cluster_connect_done(ctl->c, err);
        return;
    }
    cqln_nodes_fill(ctl->c);
    cqln_cluster_publish(ctl->c);
    cqln_team_share_soon(ctl->c);
    cqln_cluster_check(ctl->c);
}

/* Nodes that do not answer come last: their addresses may be of no use any more, and each may take a time-out. The
 * order of contact points says something where it decides on the data centre. */
static void lookups_done(cqln_control *ctl)
{
    bool discovery = cqln_watch_wanted(ctl->c);
    cqln_deadline_clear(&ctl->c->loop, &ctl->lookup_end);
    if (discovery && ctl->c->local_dc && !ctl->c->astra)
        shuffle(ctl, ctl->front);
    if (discovery)
        add_known(ctl, false, CQLN_TARGETS_MAX);
    if (discovery || (ctl->target_count == 0 && !ctl->known))
        cqln_watch_next(ctl); /* without a target it reports why there is none */
    else
        take_contacts(ctl);
}

static void on_found(void *user, const cqln_address *found, size_t count, const char *reason)
{
    cqln_contact_lookup *l = user;
    cqln_control *ctl = l->ctl;
    l->handle = NULL;
    for (size_t i = 0; i < count; i++) {
        cqln_secure_resolved(ctl->c->secure, l->host.ptr, &found[i]);
        add_target(ctl, &found[i]);
    }
    if (count == 0) {
        ctl->unresolved = true;
        cqln_tries_add(ctl->c->al, &ctl->tries, l->host, CQL_RESOLVE_FAILED, cql_str_of(reason));
    }
    if (--ctl->lookups_open == 0)
        lookups_done(ctl);
}

static void forget_lookups(cqln_control *ctl, const char *reason)
{
    const cqln_config *config = ctl->c->config;
    for (size_t i = 0; i < config->contact_count; i++) {
        cqln_contact_lookup *l = &ctl->lookups[i];
        if (!l->handle)
            continue;
        ctl->c->loop.io->ops->forget(l->handle);
        l->handle = NULL;
        ctl->unresolved = true;
        ctl->lookups_open--;
        if (reason)
            cqln_tries_add(ctl->c->al, &ctl->tries, l->host, CQL_RESOLVE_FAILED,
                           cql_str_of(reason));
    }
}

static void on_lookup_end(cqln_deadline *d)
{
    cqln_control *ctl = CQLN_CONTAINER(d, cqln_control, lookup_end);
    forget_lookups(ctl, "the name was not resolved in time");
    lookups_done(ctl);
}

static void begin_lookup(cqln_control *ctl, cqln_contact_lookup *l, const cqln_contact *contact)
{
    cqln_io *io = ctl->c->loop.io;
    uint16_t port = contact->port ? contact->port : (uint16_t)ctl->c->config->port;
    cqln_address literal;
    l->ctl = ctl;
    l->host = cql_str_of(contact->host);
    if (cqln_address_parse(&literal, l->host, port)) {
        add_target(ctl, &literal);
        return;
    }
    cql_status st = io->ops->resolve(io, contact->host, port, on_found, l, &l->handle);
    if (st) {
        ctl->unresolved = true;
        cqln_tries_add(ctl->c->al, &ctl->tries, l->host, st, cql_str_of(cql_status_text(st)));
    } else {
        ctl->lookups_open++;
    }
}

/* --- behind a proxy -------------------------------------------------------------------------------- */

/* What the metadata service names comes first; without it, what was known before. */
static void on_named(void *user, cql_status st, const char *why)
{
    cqln_control *ctl = user;
    cqln_cluster *c = ctl->c;
    cqln_address a;
    if (st) {
        cql_str service = cqln_astra_service(c->astra);
        cqln_tries_add(c->al, &ctl->tries, service, st, cql_str_of(why));
        CQLN_LOG(c->loop.log, cqln_control_loud(ctl), "%.*s: %s", (int)service.len, service.ptr, why);
    } else if (!c->local_dc && *cqln_astra_dc(c->astra)) {
        c->local_dc = cqln_strdup(c->al, cql_str_of(cqln_astra_dc(c->astra)));
    }
    for (size_t i = 0; !st && cqln_astra_point(c->astra, i, &a); i++)
        add_target(ctl, &a);
    shuffle(ctl, 0);
    add_known(ctl, true, CQLN_TARGETS_MAX);
    lookups_done(ctl);
}

/* It is asked when no node is known to answer. */
static void begin_behind_proxy(cqln_control *ctl)
{
    if (ctl->c->ready_count == 0 || ctl->failed) {
        cqln_astra_ask(ctl->c->astra, on_named, ctl);
        return;
    }
    add_known(ctl, true, CQLN_TARGETS_MAX);
    lookups_done(ctl);
}

/* --- rounds ---------------------------------------------------------------------------------------- */

/* Nodes that answer first; then the contact points, resolved anew; then the other nodes. */
void cqln_control_begin(cqln_control *ctl)
{
    cqln_cluster *c = ctl->c;
    ctl->target_count = 0;
    ctl->next_target = 0;
    ctl->front = 0;
    ctl->unresolved = false;
    cqln_tries_free(c->al, ctl->tries);
    ctl->tries = NULL;
    if (c->astra) {
        begin_behind_proxy(ctl);
        return;
    }
    if (cqln_watch_wanted(c))
        add_known(ctl, true, READY_MAX);
    ctl->front = ctl->target_count;
    for (size_t i = 0; i < c->config->contact_count; i++)
        begin_lookup(ctl, &ctl->lookups[i], &c->config->contacts[i]);
    if (ctl->lookups_open == 0)
        lookups_done(ctl);
    else
        cqln_deadline_set(&c->loop, &ctl->lookup_end,
                          cqln_loop_now(&c->loop) + c->config->connect_timeout);
}

uint32_t cqln_control_retry(cqln_control *ctl, cqln_backoff *backoff)
{
    cqln_cluster *c = ctl->c;
    uint32_t delay = cqln_backoff_next(backoff, &c->rand);
    cqln_deadline_set(&c->loop, &ctl->retry, cqln_loop_now(&c->loop) + delay);
    return delay;
}

void cqln_control_fail(cqln_control *ctl)
{
    cqln_cluster *c = ctl->c;
    if (cqln_cluster_state_of(c) == CQLN_CLUSTER_CONNECTING) {
        cqln_cluster_connect_done(c, cqln_report_connect(c, ctl->tries));
        return;
    }
    uint32_t delay = cqln_control_retry(ctl, &ctl->backoff);
    CQLN_LOG(c->loop.log, cqln_control_loud(ctl),
             "no node answers as control connection, next attempt in %u ms", delay);
    ctl->failed = true;
}

static void on_retry(cqln_deadline *d)
{
    cqln_control_begin(CQLN_CONTAINER(d, cqln_control, retry));
}

/* A name may lead elsewhere by now. While a node answers that is no reason to leave it. */
static void refresh_contacts(cqln_control *ctl)
{
    if (ctl->c->ready_count)
        cqln_control_refresh_in(ctl, ctl->c->config->refresh_interval);
    else
        cqln_control_begin(ctl);
}

static void on_refresh(cqln_deadline *d)
{
    cqln_control *ctl = CQLN_CONTAINER(d, cqln_control, refresh);
    if (!cqln_watch_wanted(ctl->c)) {
        refresh_contacts(ctl);
        return;
    }
    if (ctl->c->astra)
        cqln_astra_refresh(ctl->c->astra);
    cqln_watch_refresh(ctl);
}

/* --- life ---------------------------------------------------------------------------------------- */

cql_status cqln_control_new(cqln_cluster *c, cqln_control **out)
{
    cqln_control *ctl = cqln_alloc_zero(c->al, sizeof *ctl);
    if (!ctl)
        return CQL_NO_MEMORY;
    ctl->c = c;
    ctl->backoff.base_ms = c->config->reconnect_base;
    ctl->backoff.jitter = c->config->reconnect_jitter;
    ctl->backoff.constant = c->config->reconnect_policy == CQLN_RECONNECT_CONSTANT;
    ctl->backoff.max_ms =
        c->config->reconnect_max < BACKOFF_MAX_MS ? c->config->reconnect_max : BACKOFF_MAX_MS;
    ctl->brief = ctl->backoff;
    cqln_deadline_init(&ctl->lookup_end, on_lookup_end);
    cqln_deadline_init(&ctl->refresh, on_refresh);
    cqln_deadline_init(&ctl->retry, on_retry);
    size_t contacts = c->config->contact_count; /* none behind a proxy */
    ctl->lookups = cqln_alloc_zero(c->al, (contacts + 1) * sizeof *ctl->lookups);
    if (!ctl->lookups || !cqln_watch_init(ctl)) {
        cqln_control_free(ctl);
        return CQL_NO_MEMORY;
    }
    *out = ctl;
    return CQL_OK;
}

void cqln_control_start(cqln_control *ctl)
{
    ctl->stopped = false;
    ctl->known = false;
    cqln_control_begin(ctl);
}

void cqln_control_close(cqln_control *ctl, const char *reason)
{
    cqln_loop *loop = &ctl->c->loop;
    ctl->stopped = true;
    cqln_deadline_clear(loop, &ctl->lookup_end);
    cqln_deadline_clear(loop, &ctl->refresh);
    cqln_deadline_clear(loop, &ctl->retry);
    forget_lookups(ctl, NULL);
    if (ctl->c->astra)
        cqln_astra_stop(ctl->c->astra);
    cqln_watch_close(ctl, reason);
}

void cqln_control_free(cqln_control *ctl)
{
    if (!ctl)
        return;
    const cql_allocator *al = ctl->c->al;
    cqln_tries_free(al, ctl->tries);
    cqln_watch_fini(ctl);
    cqln_free(al, ctl->lookups);
    cqln_free(al, ctl);
}
