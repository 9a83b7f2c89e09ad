/* The control connection: finds a node to talk to, keeps the list of nodes, hears events.
 *
 *   gather addresses -> connect one after the other -> read the system tables -> watch
 *        ^                                                                        |
 *        +---- back-off <---- all failed                      lost <--------------+
 */
#include "cluster/astra.h"
#include "cluster/cluster.h"
#include "cluster/discover.h"
#include "cluster/team.h"
#include "cluster/tell.h"
#include "cluster/tries.h"

#include <string.h>

enum {
    TARGETS_MAX = 256,
    READY_MAX = 128, /* nodes that answer among them: the rest is room for what names lead to */
    READ_BUFFER = 16 * 1024,
    DEBOUNCE_MS = 1000,
    BACKOFF_MAX_MS = 30000
};

typedef struct lookup {
    cqln_lookup *handle; /* NULL: none under way */
    struct cqln_control *ctl;
    cql_str host;
} lookup;

struct cqln_control {
    cqln_cluster *c;
    cqln_link *link;
    bool known; /* the list of nodes was read over this link */
    bool was_known; /* the list was read before, over a link that is gone */
    bool stopped;
    bool unresolved; /* a name of this round led nowhere */
    bool failed; /* the round before found no node */
    bool again;  /* something happened while the tables were being read */
    bool open_told; /* that a server lets in who has no password */
    uint64_t known_at; /* when `known` became true */
    cqln_address targets[TARGETS_MAX];
    size_t target_count;
    size_t next_target;
    size_t front; /* targets in front: nodes that answered when the round began */
    lookup *lookups;
    size_t lookups_open;
    cqln_deadline lookup_end;
    cqln_deadline refresh;
    cqln_deadline retry;
    cqln_backoff backoff; /* of rounds without a node, */
    cqln_backoff brief;   /* and of links that did not last */
    cqln_try *tries;
    cqln_discover *discover;
};

/* Of an outage the first round is told, and its end. */
static cql_log_level how_loud(const cqln_control *ctl)
{
    return ctl->failed ? CQL_LOG_DEBUG : CQL_LOG_WARN;
}

static void begin_round(cqln_control *ctl);
static void connect_next(cqln_control *ctl);

/* --- addresses ----------------------------------------------------------------------------------- */

static void add_target(cqln_control *ctl, const cqln_address *a)
{
    for (size_t i = 0; i < ctl->target_count; i++)
        if (cqln_address_equal(&ctl->targets[i], a))
            return;
    if (ctl->target_count < TARGETS_MAX)
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

static void schedule_refresh(cqln_control *ctl, uint32_t delay)
{
    cqln_loop *loop = &ctl->c->loop;
    uint64_t at = cqln_loop_now(loop) + delay;
    if (ctl->refresh.item.deadline == 0 || ctl->refresh.item.deadline > at)
        cqln_deadline_set(loop, &ctl->refresh, at);
}

/* Without discovery the contact points are the nodes. */
static void take_contacts(cqln_control *ctl)
{
    schedule_refresh(ctl, ctl->c->config->refresh_interval);
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
    bool discovery = ctl->c->config->discovery;
    cqln_deadline_clear(&ctl->c->loop, &ctl->lookup_end);
    if (discovery && ctl->c->local_dc && !ctl->c->astra)
        shuffle(ctl, ctl->front);
    if (discovery)
        add_known(ctl, false, TARGETS_MAX);
    if (discovery || (ctl->target_count == 0 && !ctl->known))
        connect_next(ctl); /* without a target it reports why there is none */
    else
        take_contacts(ctl);
}

static void on_found(void *user, const cqln_address *found, size_t count, const char *reason)
{
    lookup *l = user;
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
        lookup *l = &ctl->lookups[i];
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

static void begin_lookup(cqln_control *ctl, lookup *l, const cqln_contact *contact)
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
        CQLN_LOG(c->loop.log, how_loud(ctl), "%.*s: %s", (int)service.len, service.ptr, why);
    } else if (!c->local_dc && *cqln_astra_dc(c->astra)) {
        c->local_dc = cqln_strdup(c->al, cql_str_of(cqln_astra_dc(c->astra)));
    }
    for (size_t i = 0; !st && cqln_astra_point(c->astra, i, &a); i++)
        add_target(ctl, &a);
    shuffle(ctl, 0);
    add_known(ctl, true, TARGETS_MAX);
    lookups_done(ctl);
}

/* It is asked when no node is known to answer. */
static void begin_behind_proxy(cqln_control *ctl)
{
    if (ctl->c->ready_count == 0 || ctl->failed) {
        cqln_astra_ask(ctl->c->astra, on_named, ctl);
        return;
    }
    add_known(ctl, true, TARGETS_MAX);
    lookups_done(ctl);
}

/* --- rounds ---------------------------------------------------------------------------------------- */

/* Nodes that answer first; then the contact points, resolved anew; then the other nodes. */
static void begin_round(cqln_control *ctl)
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
    if (c->config->discovery)
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

/* --- connecting ---------------------------------------------------------------------------------- */

static uint32_t retry_later(cqln_control *ctl, cqln_backoff *backoff)
{
    cqln_cluster *c = ctl->c;
    uint32_t delay = cqln_backoff_next(backoff, &c->rand);
    cqln_deadline_set(&c->loop, &ctl->retry, cqln_loop_now(&c->loop) + delay);
    return delay;
}

static void round_failed(cqln_control *ctl)
{
    cqln_cluster *c = ctl->c;
    if (cqln_cluster_state_of(c) == CQLN_CLUSTER_CONNECTING) {
        cqln_cluster_connect_done(c, cqln_report_connect(c, ctl->tries));
        return;
    }
    uint32_t delay = retry_later(ctl, &ctl->backoff);
    CQLN_LOG(c->loop.log, how_loud(ctl),
             "no node answers as control connection, next attempt in %u ms", delay);
    ctl->failed = true;
}

/* One that served for a while is replaced at once; servers that end each are not stormed. */
static void replace(cqln_control *ctl)
{
    if (cqln_loop_now(&ctl->c->loop) - ctl->known_at < ctl->c->config->reconnect_base) {
        retry_later(ctl, &ctl->brief);
        return;
    }
    cqln_backoff_reset(&ctl->brief);
    begin_round(ctl);
}

static void on_retry(cqln_deadline *d)
{
    begin_round(CQLN_CONTAINER(d, cqln_control, retry));
}

static void begin_refresh(cqln_control *ctl);

/* A server that should want a password and does not may be another one, or set up wrong. */
static void warn_if_open(cqln_control *ctl)
{
    if (ctl->open_told || !cqln_conn_unasked(ctl->link->conn))
        return;
    ctl->open_told = true;
    CQLN_LOG(ctl->c->loop.log, CQL_LOG_WARN, "%s: credentials are set, but the server does not ask for them",
             ctl->link->address_text);
}

static void on_ready(cqln_link *link)
{
    cqln_control *ctl = link->user;
    CQLN_LOG(ctl->c->loop.log, CQL_LOG_DEBUG, "control connection to %s, protocol v%u",
             link->address_text, (unsigned)cqln_conn_version(link->conn));
    warn_if_open(ctl);
    cqln_nodes_forget_hints(ctl->c);
    begin_refresh(ctl);
}

static void on_response(cqln_link *link, const cqln_conn_event *ev)
{
    cqln_owner *o = ev->owner;
    o->answered(o, link, ev);
}

/* Events are hints: what holds is in the tables. */
static void on_node_event(cqln_control *ctl, const cqln_event *event)
{
    cqln_address a;
    char text[CQLN_ADDRESS_TEXT] = "";
    bool named = cqln_address_from_bytes(&a, event->address.address, event->address.len,
                                         event->address.port);
    if (named)
        cqln_address_print(&a, text);
    CQLN_LOG(ctl->c->loop.log, CQL_LOG_INFO, "event: %.*s %s", (int)event->change.len,
             event->change.ptr, text);
    bool up = cql_str_equal(event->change, cql_str_of("UP"));
    bool down = cql_str_equal(event->change, cql_str_of("DOWN"));
    if (named && (up || down) && cqln_translate(ctl->c, &a)) {
        if (up)
            cqln_node_hint_up(ctl->c, &a);
        else
            cqln_node_hint_down(ctl->c, &a);
    }
    schedule_refresh(ctl, DEBOUNCE_MS);
}

static void on_push(cqln_link *link, const cqln_conn_event *ev)
{
    cqln_control *ctl = link->user;
    cqln_event event;
    cqln_prefix prefix;
    cqln_reader rd;
    cqln_reader_init(&rd, ev->body, ev->len);
    if (cqln_decode_prefix(&rd, ev->flags, &prefix) != CQL_OK ||
        cqln_decode_event(&rd, &event) != CQL_OK) {
        cqln_link_close(link, "it sent a malformed event");
        return;
    }
    if (event.kind == CQLN_EV_SCHEMA) {
        cqln_tell_schema(ctl->c, &event.schema);
        if (cql_str_equal(event.schema.target, cql_str_of("KEYSPACE")))
            schedule_refresh(ctl, DEBOUNCE_MS); /* replicas may have moved */
        return;
    }
    if (event.kind == CQLN_EV_TOPOLOGY || event.kind == CQLN_EV_STATUS)
        on_node_event(ctl, &event);
}

static void on_idle(cqln_link *link)
{
    (void)link;
}

static void fail_owners(cqln_link *link)
{
    cqln_owner *o;
    while ((o = cqln_conn_take_owner(link->conn)) != NULL)
        o->lost(o, link);
}

static void on_closed(cqln_link *link)
{
    cqln_control *ctl = link->user;
    cqln_cluster *c = ctl->c;
    const cqln_conn_fault *fault = cqln_conn_fault_of(link->conn);
    bool was_known = ctl->known;
    cqln_discover_stop(ctl->discover);
    fail_owners(link);
    ctl->link = NULL;
    ctl->known = false;
    ctl->again = false;
    c->links--;
    cqln_deadline_clear(&c->loop, &ctl->refresh);
    if (ctl->stopped) {
        cqln_cluster_check(c);
        return;
    }
    if ((!was_known && cqln_cluster_step_down(c, link)) || cqln_astra_elsewhere(c, link)) {
        ctl->next_target--;
        connect_next(ctl);
        return;
    }
    cqln_tries_add(c->al, &ctl->tries, link->host, fault->status, cql_str_of(fault->detail));
    CQLN_LOG(c->loop.log, how_loud(ctl), "control connection to %s: %s", link->address_text,
             fault->detail);
    if (was_known)
        replace(ctl);
    else
        connect_next(ctl);
}

/* What ended the link before may have ended all others a moment later. */
static bool answers(const cqln_cluster *c, const cqln_address *a)
{
    for (const cqln_node *n = c->nodes; n; n = n->next)
        if (!n->removed && n->usable > 0 && cqln_address_equal(&n->address, a))
            return true;
    return false;
}

static void connect_next(cqln_control *ctl)
{
    static const cqln_link_events events = {on_ready, on_response, on_push, on_idle, on_closed, NULL};
    cqln_cluster *c = ctl->c;
    while (ctl->next_target < ctl->target_count) {
        size_t at = ctl->next_target++;
        const cqln_address *to = &ctl->targets[at];
        if (at < ctl->front && !answers(c, to))
            continue; /* the next round tries it, behind the others */
        cqln_conn_config config;
        cqln_cluster_conn_config(c, to, &config);
        config.event_kinds = CQLN_EVENT_TOPOLOGY | CQLN_EVENT_STATUS;
        if (c->config->schema_event || c->config->token_aware)
            config.event_kinds |= CQLN_EVENT_SCHEMA;
        config.read_buffer = READ_BUFFER;
        config.max_streams = 64;
        cql_status st = cqln_link_open(&c->loop, to, &config, c->config->connect_timeout, &events,
                                       ctl, &ctl->link);
        if (st == CQL_OK) {
            c->links++;
            return;
        }
        char text[CQLN_ADDRESS_TEXT];
        cqln_address_print(to, text);
        cqln_tries_add(c->al, &ctl->tries, cql_str_of(text), st, cql_str_of(cql_status_text(st)));
    }
    round_failed(ctl);
}

/* --- the list of nodes --------------------------------------------------------------------------- */

static void on_discovered(void *user, cql_status st, const char *why)
{
    cqln_control *ctl = user;
    cqln_cluster *c = ctl->c;
    if (st) {
        if (ctl->link)
            cqln_link_close(ctl->link, why);
        return;
    }
    bool first = !ctl->known;
    if (first)
        ctl->known_at = cqln_loop_now(&c->loop);
    ctl->known = true;
    ctl->failed = false;
    cqln_backoff_reset(&ctl->backoff);
    cqln_nodes_sweep(c);
    cql_error *err = cqln_cluster_choose_dc(c);
    if (err) {
        cqln_cluster_connect_done(c, err);
        return;
    }
    cqln_cluster_heed_releases(c);
    if (first)
        cqln_nodes_try(c);
    cqln_nodes_fill(c);
    cqln_cluster_publish(c);
    cqln_team_share_soon(c);
    if (first && ctl->was_known)
        cqln_tell_schema(c, NULL);
    ctl->was_known = true;
    if (first)
        CQLN_LOG(c->loop.log, CQL_LOG_INFO, "cluster %s seen from %s",
                 c->cluster_name ? c->cluster_name : "", ctl->link->address_text);
    schedule_refresh(ctl, ctl->again ? DEBOUNCE_MS : c->config->refresh_interval);
    ctl->again = false;
    cqln_cluster_check(c);
}

static void begin_refresh(cqln_control *ctl)
{
    cql_status st = cqln_discover_run(ctl->discover, ctl->link, on_discovered, ctl);
    if (st)
        cqln_link_close(ctl->link, "the system tables could not be read");
}

/* A name may lead elsewhere by now. While a node answers that is no reason to leave it. */
static void refresh_contacts(cqln_control *ctl)
{
    if (ctl->c->ready_count)
        schedule_refresh(ctl, ctl->c->config->refresh_interval);
    else
        begin_round(ctl);
}

static void on_refresh(cqln_deadline *d)
{
    cqln_control *ctl = CQLN_CONTAINER(d, cqln_control, refresh);
    if (!ctl->c->config->discovery) {
        refresh_contacts(ctl);
        return;
    }
    if (ctl->c->astra)
        cqln_astra_refresh(ctl->c->astra);
    if (cqln_discover_running(ctl->discover))
        ctl->again = true;
    else if (ctl->link && cqln_link_usable(ctl->link))
        begin_refresh(ctl);
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
    ctl->discover = cqln_discover_new(c);
    if (!ctl->lookups || !ctl->discover) {
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
    begin_round(ctl);
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
    if (ctl->link)
        cqln_link_close(ctl->link, reason);
}

void cqln_control_free(cqln_control *ctl)
{
    if (!ctl)
        return;
    const cql_allocator *al = ctl->c->al;
    cqln_tries_free(al, ctl->tries);
    cqln_discover_free(ctl->discover);
    cqln_free(al, ctl->lookups);
    cqln_free(al, ctl);
}

cqln_link *cqln_control_link(const cqln_control *ctl)
{
    return ctl && ctl->link && cqln_link_usable(ctl->link) ? ctl->link : NULL;
}
