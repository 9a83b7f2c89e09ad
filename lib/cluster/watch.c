/* The control connection: one node is asked for the list of nodes, and tells of events. */
#include "cluster/astra.h"
#include "cluster/control.h"
#include "cluster/team.h"
#include "cluster/tell.h"
#include "cluster/tries.h"

enum { READ_BUFFER = 16 * 1024, DEBOUNCE_MS = 1000 };

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
    cqln_control_refresh_in(ctl, DEBOUNCE_MS);
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
            cqln_control_refresh_in(ctl, DEBOUNCE_MS); /* replicas may have moved */
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

/* One that served for a while is replaced at once; servers that end each are not stormed. */
static void replace(cqln_control *ctl)
{
    if (cqln_loop_now(&ctl->c->loop) - ctl->known_at < ctl->c->config->reconnect_base) {
        cqln_control_retry(ctl, &ctl->brief);
        return;
    }
    cqln_backoff_reset(&ctl->brief);
    cqln_control_begin(ctl);
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
        cqln_watch_next(ctl);
        return;
    }
    cqln_tries_add(c->al, &ctl->tries, link->host, fault->status, cql_str_of(fault->detail));
    CQLN_LOG(c->loop.log, cqln_control_loud(ctl), "control connection to %s: %s", link->address_text,
             fault->detail);
    if (was_known)
        replace(ctl);
    else
        cqln_watch_next(ctl);
}

/* What ended the link before may have ended all others a moment later. */
static bool answers(const cqln_cluster *c, const cqln_address *a)
{
    for (const cqln_node *n = c->nodes; n; n = n->next)
        if (!n->removed && n->usable > 0 && cqln_address_equal(&n->address, a))
            return true;
    return false;
}

void cqln_watch_next(cqln_control *ctl)
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
    cqln_control_fail(ctl);
}

/* --- the list of nodes --------------------------------------------------------------------------- */

static void on_discovered(void *user, cql_status st, const char *why)
{
    cqln_control *ctl = user;
    cqln_cluster *c = ctl->c;
    if (st) {
        bool full = st == CQL_NO_MEMORY;
        if (ctl->link)
            cqln_link_fail(ctl->link, full ? st : CQL_CLOSED, full ? "out of memory for the system tables" : why);
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
    cqln_control_refresh_in(ctl, ctl->again ? DEBOUNCE_MS : c->config->refresh_interval);
    ctl->again = false;
    cqln_cluster_check(c);
}

static void begin_refresh(cqln_control *ctl)
{
    cql_status st = cqln_discover_run(ctl->discover, ctl->link, on_discovered, ctl);
    if (st)
        on_discovered(ctl, st, "the system tables could not be read");
}

void cqln_watch_refresh(cqln_control *ctl)
{
    if (cqln_discover_running(ctl->discover))
        ctl->again = true;
    else if (ctl->link && cqln_link_usable(ctl->link))
        begin_refresh(ctl);
}

/* --- life ---------------------------------------------------------------------------------------- */

bool cqln_watch_wanted(const cqln_cluster *c)
{
    return c->config->discovery;
}

bool cqln_watch_init(cqln_control *ctl)
{
    ctl->discover = cqln_discover_new(ctl->c);
    return ctl->discover != NULL;
}

void cqln_watch_fini(cqln_control *ctl)
{
    cqln_discover_free(ctl->discover);
}

void cqln_watch_close(cqln_control *ctl, const char *reason)
{
    if (ctl->link)
        cqln_link_close(ctl->link, reason);
}

cqln_link *cqln_control_link(const cqln_control *ctl)
{
    return ctl && ctl->link && cqln_link_usable(ctl->link) ? ctl->link : NULL;
}
