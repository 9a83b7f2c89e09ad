/* The connections of a node: opened, grown, shrunk, replaced, brought to the session's keyspace. */
#include "cluster/slots.h"

#include "base/quote.h"
#include "cluster/astra.h"
#include "cluster/inner.h"
#include "cluster/lessons.h"
#include "cluster/race.h"
#include "cluster/team.h"
#include "cluster/tell.h"

#include <stdio.h>
#include <string.h>

enum {
    KEYSPACE_NONE = 0x7fffffff, /* no version of the session's keyspace has this number */
    LEAVING_SLACK_MS = 1000,    /* beyond the usual time-out of what is in flight */
    IDLE_MS = 5000              /* nothing came for so long: the connection was idle */
};

/* A connection on its way out; its slot stands for it where links look for theirs. */
struct cqln_leaver {
    cqln_slot slot;
    cqln_leaver *next;
    cqln_deadline end;
};

static void begin_switch(cqln_slot *slot);
static void on_idle_check(cqln_deadline *d);

/* --- leaving ------------------------------------------------------------------------------------- */

/* Orphans alone keep nobody waiting. */
static void check_leaver(cqln_slot *slot)
{
    const cqln_conn *conn = slot->link->conn;
    if (cqln_conn_in_flight(conn) == cqln_conn_orphans(conn))
        cqln_link_close(slot->link, "the connection was replaced");
}

/* All in flight has a time-out of its own, which may be any; what is left then are orphans. */
static void look_at_leaver(cqln_leaver *l)
{
    cqln_cluster *c = l->slot.node->cluster;
    cqln_deadline_set(&c->loop, &l->end,
                      cqln_loop_now(&c->loop) + c->config->request_timeout + LEAVING_SLACK_MS);
    check_leaver(&l->slot);
}

static void on_leaver_time(cqln_deadline *d)
{
    look_at_leaver(CQLN_CONTAINER(d, cqln_leaver, end));
}

/* Without memory to let it go gently it is closed at once. */
static void leave(cqln_slot *slot, const char *reason)
{
    cqln_node *n = slot->node;
    cqln_cluster *c = n->cluster;
    cqln_leaver *l = slot->switching ? NULL : cqln_alloc_zero(c->al, sizeof *l);
    CQLN_LOG(c->loop.log, CQL_LOG_DEBUG, "connection to %s: %s", n->address_text, reason);
    if (!l) {
        cqln_link_close(slot->link, reason);
        return;
    }
    l->slot = *slot;
    l->slot.leaving = l;
    l->slot.link->user = &l->slot;
    slot->link = NULL;
    l->next = n->leavers;
    n->leavers = l;
    cqln_deadline_init(&l->end, on_leaver_time);
    cqln_nodes_recount(c);
    look_at_leaver(l);
}

static void free_leaver(cqln_node *n, cqln_leaver *l)
{
    cqln_leaver **at = &n->leavers;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    cqln_deadline_clear(&n->cluster->loop, &l->end);
    cqln_free(n->cluster->al, l);
}

static void replace(cqln_slot *slot, const char *reason)
{
    cqln_node *n = slot->node;
    n->cluster->counts.replaced++;
    leave(slot, reason);
    cqln_slots_fill(n);
}

void cqln_slot_orphaned(cqln_link *link)
{
    cqln_slot *slot = link->user;
    const cqln_cluster *c = slot->node->cluster;
    if (link->closing)
        return;
    if (slot->leaving)
        check_leaver(slot);
    else if (cqln_conn_orphans(link->conn) > c->config->max_requests_per_connection / 2)
        replace(slot, "too many requests on it were never answered: it is replaced");
    else if (slot->keyspace_gen != c->keyspace_gen)
        begin_switch(slot);
}

/* --- growing and shrinking ----------------------------------------------------------------------- */

/* In flight on a connection before another is wanted. */
static uint32_t grow_at(const cqln_cluster *c)
{
    uint32_t most = c->config->max_requests_per_connection * 3 / 4;
    uint32_t at = c->config->connection_grow_requests;
    at = at < most ? at : most;
    return at ? at : 1;
}

static void watch_idle(cqln_cluster *c)
{
    if (c->idle_check.item.deadline == 0)
        cqln_deadline_set(&c->loop, &c->idle_check,
                          cqln_loop_now(&c->loop) + c->config->connection_idle_timeout / 2 + 1);
}

/* One more when every one of those wanted is open and as busy as this. */
static void grow(cqln_node *n, uint32_t busy)
{
    cqln_cluster *c = n->cluster;
    if (cqln_cluster_state_of(c) != CQLN_CLUSTER_CONNECTED || n->removed)
        return;
    for (uint32_t i = 0; i < n->want; i++)
        if (!cqln_slot_usable(&n->slots[i]) ||
            cqln_conn_in_flight(n->slots[i].link->conn) < busy)
            return;
    n->want++;
    c->counts.grown++;
    n->busy_at = cqln_loop_now(&c->loop);
    CQLN_LOG(c->loop.log, CQL_LOG_DEBUG, "connections to %s: busy, now %u", n->address_text,
             n->want);
    cqln_slots_fill(n);
    watch_idle(c);
}

/* Called after each read, so that a node that answers nothing gets no more connections. */
static void note_load(cqln_node *n, const cqln_link *link)
{
    uint32_t load = cqln_conn_in_flight(link->conn);
    uint32_t busy = grow_at(n->cluster);
    if (n->want > n->core && load >= busy / 2)
        n->busy_at = cqln_loop_now(&n->cluster->loop);
    if (load >= busy && n->want < n->most)
        grow(n, busy);
}

static void shrink(cqln_node *n)
{
    cqln_slot *slot = &n->slots[--n->want];
    n->cluster->counts.shrunk++;
    if (!slot->link)
        return;
    if (slot->link->ready)
        leave(slot, "it was not needed for a while: it is closed");
    else
        cqln_link_close(slot->link, "it is not needed any more");
}

/* The last place is given up, but not while it makes up for another. */
static bool at_rest(const cqln_node *n, uint64_t now)
{
    return n->want > n->core && now - n->busy_at >= n->cluster->config->connection_idle_timeout &&
           (n->usable == n->want || !cqln_slot_usable(&n->slots[n->want - 1]));
}

static void on_idle_check(cqln_deadline *d)
{
    cqln_cluster *c = CQLN_CONTAINER(d, cqln_cluster, idle_check);
    uint64_t now = cqln_loop_now(&c->loop);
    bool more = false;
    for (cqln_node *n = c->nodes; n; n = n->next) {
        if (at_rest(n, now))
            shrink(n);
        more = more || n->want > n->core;
    }
    if (more)
        watch_idle(c);
}

void cqln_slots_init(cqln_cluster *c)
{
    cqln_deadline_init(&c->idle_check, on_idle_check);
}

/* --- links --------------------------------------------------------------------------------------- */

/* Several connections that end until then are one failure. */
static void retry_later(cqln_node *n)
{
    cqln_cluster *c = n->cluster;
    if (n->retry.item.deadline)
        return;
    uint32_t delay = cqln_backoff_next(&n->backoff, &c->rand);
    cqln_deadline_set(&c->loop, &n->retry, cqln_loop_now(&c->loop) + delay);
}

/* It served until now: places that its server did not fill say nothing of how soon it is back. */
static void retry_anew(cqln_node *n)
{
    cqln_backoff_reset(&n->backoff);
    cqln_deadline_clear(&n->cluster->loop, &n->retry);
    retry_later(n);
}

static void note_failure(cqln_node *n, cql_status st, const char *reason)
{
    bool news = n->last_status != st || strcmp(n->last_reason, reason) != 0;
    n->last_status = st;
    snprintf(n->last_reason, sizeof n->last_reason, "%s", reason);
    if (news)
        cqln_tell_failure(n, reason);
    cqln_tell_soon(n->cluster);
}

static void teach_if_down(cqln_node *n)
{
    if (!n->was_down || !n->usable)
        return;
    n->was_down = false;
    cqln_team_share_soon(n->cluster);
    cqln_lessons_begin(n);
}

static void on_ready(cqln_link *link)
{
    cqln_slot *slot = link->user;
    cqln_node *n = slot->node;
    cqln_cluster *c = n->cluster;
    n->tried = true;
    cqln_meter_count(n->meter, CQL_METRIC_OPENED);
    n->last_status = CQL_OK;
    n->last_reason[0] = '\0';
    cqln_backoff_reset(&n->backoff);
    CQLN_LOG(c->loop.log, CQL_LOG_DEBUG, "connected to %s, protocol v%u%s", n->address_text,
             (unsigned)cqln_conn_version(link->conn),
             cqln_conn_compressed(link->conn) ? ", lz4" : "");
    if (slot->keyspace_gen != c->keyspace_gen)
        begin_switch(slot); /* the keyspace changed while the handshake ran */
    cqln_slots_fill(n); /* it answers: the others may follow */
    cqln_nodes_recount(c);
    teach_if_down(n);
    cqln_cluster_publish(c);
    cqln_cluster_check(c);
    cqln_requests_pump(c);
}

static void on_push(cqln_link *link, const cqln_conn_event *ev)
{
    (void)link; /* only the control connection registers for events */
    (void)ev;
}

/* A USE that was given up has changed the keyspace of this one connection. */
static void on_late(cqln_link *link, const cqln_conn_event *ev)
{
    cqln_slot *slot = link->user;
    cqln_prefix prefix;
    cqln_reader rd;
    cqln_reader_init(&rd, ev->body, ev->len);
    if (!slot->leaving && ev->opcode == CQLN_OP_RESULT &&
        cqln_decode_prefix(&rd, ev->flags, &prefix) == CQL_OK &&
        cqln_read_u32(&rd) == CQLN_RESULT_SET_KEYSPACE && !rd.failed)
        replace(slot, "it has another keyspace than the session: it is replaced");
}

static void on_idle(cqln_link *link)
{
    cqln_slot *slot = link->user;
    cqln_cluster *c = slot->node->cluster;
    if (slot->leaving) {
        check_leaver(slot);
        return;
    }
    if (slot->keyspace_gen != c->keyspace_gen)
        begin_switch(slot);
    note_load(slot->node, link);
    if (!cqln_list_empty(&c->waiting))
        cqln_requests_pump(c);
}

/* The owners hear of the loss after the slot is empty, so that they choose another connection. */
static void fail_owners(cqln_link *link)
{
    cqln_owner *o;
    cqln_meter *m = ((cqln_slot *)link->user)->node->meter;
    cqln_meter_count(m, link->ready ? CQL_METRIC_LOST : CQL_METRIC_CONNECT_FAILED);
    while ((o = cqln_conn_take_owner(link->conn)) != NULL) {
        cqln_meter_count(m, CQL_METRIC_ERROR_CONNECTION);
        o->lost(o, link);
    }
}

static void after_closed(cqln_node *n)
{
    cqln_cluster *c = n->cluster;
    bool lost = !cqln_nodes_hope(c, n); /* else nobody waits in vain who did not before: the queue may be long */
    cqln_node_let_go(n);
    if (lost)
        cqln_requests_fail_hopeless(c);
    cqln_cluster_publish(c);
    cqln_cluster_check(c);
}

static void on_left(cqln_link *link, cqln_slot *slot)
{
    cqln_node *n = slot->node;
    n->cluster->links--;
    fail_owners(link);
    free_leaver(n, slot->leaving);
    after_closed(n);
}

/* One of the program's requests asked the node for more than can be passed over. */
static bool answer_too_large(const cqln_link *link, const cqln_conn_fault *fault)
{
    const cqln_owner *o = cqln_conn_owner(link->conn, fault->stream);
    return o && (o->lost == cqln_request_lost || cqln_race_owner(o));
}

/* It served, was of no use for a while, and was ended for that. A server that is gone is found out by the next one. One
 * that owes answers which nobody waits for any more was not idle. */
static bool ended_idle(const cqln_link *link, const cqln_conn_fault *fault)
{
    return link->ready && fault->status == CQL_CLOSED && cqln_conn_orphans(link->conn) == 0 &&
           cqln_loop_now(link->loop) - cqln_conn_heard_at(link->conn) >= IDLE_MS;
}

static void on_closed(cqln_link *link)
{
    cqln_slot *slot = link->user;
    cqln_node *n = slot->node;
    cqln_cluster *c = n->cluster;
    if (slot->leaving) {
        on_left(link, slot);
        return;
    }
    const cqln_conn_fault *fault = cqln_conn_fault_of(link->conn);
    /* Nothing else is made up for at once, or a server could have connections made without end. */
    bool well = answer_too_large(link, fault) || ended_idle(link, fault);
    bool again_now = well || cqln_cluster_step_down(c, link) || cqln_astra_elsewhere(c, link);
    cqln_cluster_state state = cqln_cluster_state_of(c);
    bool wanted = !n->removed && state != CQLN_CLUSTER_NEW && state < CQLN_CLUSTER_CLOSING &&
                  slot < n->slots + n->want;
    slot->link = NULL;
    slot->switching = false;
    c->links--;
    if (!again_now)
        n->tried = true;
    cqln_nodes_recount(c);
    n->was_down = n->was_down || (n->usable == 0 && !well);
    n->reopens = wanted && again_now;
    fail_owners(link);
    n->reopens = false;
    slot->use = NULL;
    if (wanted && again_now) {
        CQLN_LOG(c->loop.log, CQL_LOG_DEBUG, "connection to %s is made again: %s", n->address_text,
                 fault->detail);
        cqln_slots_fill(n);
    } else if (wanted) {
        note_failure(n, fault->status, fault->detail);
        if (link->ready && n->usable == 0)
            retry_anew(n);
        else
            retry_later(n);
    }
    after_closed(n);
}

static void open_slot(cqln_slot *slot)
{
    static const cqln_link_events events = {on_ready, cqln_answer_arrived, on_push, on_idle,
                                             on_closed, on_late};
    cqln_node *n = slot->node;
    cqln_cluster *c = n->cluster;
    cqln_conn_config config;
    cqln_cluster_conn_config(c, &n->address, &config);
    if (c->keyspace_gen == 0) { /* as configured; a later one is set once the connection is ready */
        config.keyspace = cql_str_of(c->config->keyspace);
        slot->keyspace_gen = 0;
    } else {
        slot->keyspace_gen = KEYSPACE_NONE;
    }
    cql_status st = cqln_link_open(&c->loop, &n->address, &config, c->config->connect_timeout,
                                   &events, slot, &slot->link);
    if (st) {
        n->tried = true;
        slot->link = NULL;
        note_failure(n, st, cql_status_text(st));
        retry_later(n);
        cqln_meter_count(n->meter, CQL_METRIC_CONNECT_FAILED);
        return;
    }
    slot->link->traffic = &n->meter->traffic;
    c->links++;
}

void cqln_slots_fill(cqln_node *n)
{
    bool down = n->last_status != CQL_OK;
    for (uint32_t i = 0; i < n->want; i++) {
        if (n->slots[i].link) {
            if (down && !n->slots[i].link->ready)
                return;
            continue;
        }
        open_slot(&n->slots[i]);
        if (down || !n->slots[i].link)
            return;
    }
}

void cqln_slots_retreat(cqln_node *n)
{
    if (n->usable == 0)
        return;
    note_failure(n, CQL_SERVER_OVERLOADED, "the server is shutting down");
    n->was_down = true;
    for (uint32_t i = 0; i < n->slot_count; i++)
        if (n->slots[i].link && n->slots[i].link->ready && !n->slots[i].link->closing)
            leave(&n->slots[i], "the server is shutting down");
    retry_anew(n);
}

/* --- keyspace ------------------------------------------------------------------------------------ */

static void on_used(void *user, cql_status st, cqln_link *link, const cqln_conn_event *ev)
{
    cqln_slot *slot = user;
    cqln_cluster *c = slot->node->cluster;
    slot->use = NULL;
    slot->switching = false;
    if (st == CQL_OK && ev->opcode != CQLN_OP_RESULT)
        st = CQL_UNEXPECTED;
    if (st) {
        cqln_link_close(link, "it did not take the session's keyspace");
        return;
    }
    if (slot->keyspace_gen != c->keyspace_gen)
        begin_switch(slot); /* it changed again meanwhile */
    cqln_nodes_recount(c);
    teach_if_down(slot->node);
    cqln_requests_pump(c);
}

/* USE with other requests in flight would be a race on the server: first they are let finish. Orphans alone may
 * never do. */
static void begin_switch(cqln_slot *slot)
{
    cqln_cluster *c = slot->node->cluster;
    char cql[256];
    if (slot->switching || !cqln_link_usable(slot->link))
        return;
    uint32_t in_flight = cqln_conn_in_flight(slot->link->conn);
    if (in_flight && in_flight == cqln_conn_orphans(slot->link->conn))
        replace(slot, "the keyspace changed, and requests on it were never answered: it is replaced");
    if (in_flight)
        return;
    slot->keyspace_gen = c->keyspace_gen;
    slot->switching = cqln_quote_name(cql, sizeof cql, "USE ", cql_str_of(c->keyspace)) &&
                      cqln_inner_query(&c->loop, slot->link, cql, cqln_config_patience(c->config),
                                       on_used, slot, &slot->use) == CQL_OK;
    if (!slot->switching)
        cqln_link_close(slot->link, "it did not take the session's keyspace");
}

void cqln_nodes_switch(cqln_cluster *c)
{
    for (cqln_node *n = c->nodes; n; n = n->next)
        for (uint32_t i = 0; i < n->slot_count; i++)
            if (n->slots[i].link && n->slots[i].keyspace_gen != c->keyspace_gen)
                begin_switch(&n->slots[i]);
    cqln_nodes_recount(c);
}

void cqln_nodes_switched(cqln_cluster *c, const cqln_link *by)
{
    for (cqln_node *n = c->nodes; n; n = n->next)
        for (uint32_t i = 0; i < n->slot_count; i++)
            if (n->slots[i].link == by)
                n->slots[i].keyspace_gen = c->keyspace_gen;
}

/* --- all of a node ------------------------------------------------------------------------------- */

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

bool cqln_slots_make(cqln_node *n)
{
    const cqln_config *config = n->cluster->config;
    n->slot_count = larger(larger(config->connections_per_host, config->max_connections_per_host),
                           larger(config->connections_per_remote_host, config->max_connections_per_remote_host));
    n->slots = cqln_alloc_zero(n->cluster->al, n->slot_count * sizeof *n->slots);
    if (!n->slots)
        return false;
    for (uint32_t i = 0; i < n->slot_count; i++)
        n->slots[i].node = n;
    return true;
}

void cqln_slots_suit(cqln_node *n)
{
    const cqln_config *config = n->cluster->config;
    bool far = n->near == CQLN_NEAR_REMOTE;
    uint32_t core = far ? config->connections_per_remote_host : 0;
    uint32_t most = far ? config->max_connections_per_remote_host : 0;
    n->core = core ? core : config->connections_per_host;
    n->most = larger(most ? most : config->max_connections_per_host, n->core);
    n->want = larger(n->want, n->core);
    while (n->want > n->most)
        shrink(n);
    if (n->want > n->core)
        watch_idle(n->cluster);
}

void cqln_slots_free(cqln_node *n)
{
    while (n->leavers)
        free_leaver(n, n->leavers);
    cqln_free(n->cluster->al, n->slots);
}

void cqln_slots_close(cqln_node *n, const char *reason)
{
    for (uint32_t i = 0; i < n->slot_count; i++)
        if (n->slots[i].link)
            cqln_link_close(n->slots[i].link, reason);
    for (cqln_leaver *l = n->leavers; l; l = l->next)
        cqln_link_close(l->slot.link, reason);
}

void cqln_slots_lower(cqln_cluster *c)
{
    int version = atomic_load(&c->version);
    for (cqln_node *n = c->nodes; n; n = n->next) {
        for (uint32_t i = 0; i < n->slot_count; i++) {
            if (!n->slots[i].link || cqln_conn_version(n->slots[i].link->conn) <= version)
                continue;
            n->tried = false;
            cqln_link_close(n->slots[i].link, "other nodes speak a lower version only");
        }
    }
    cqln_nodes_recount(c);
}

void cqln_slots_leave(cqln_node *n, const char *reason)
{
    for (uint32_t i = 0; i < n->slot_count; i++) {
        if (!n->slots[i].link)
            continue;
        if (cqln_link_usable(n->slots[i].link))
            leave(&n->slots[i], reason);
        else
            cqln_link_close(n->slots[i].link, reason);
    }
}

bool cqln_slots_any(const cqln_node *n)
{
    for (uint32_t i = 0; i < n->slot_count; i++)
        if (n->slots[i].link)
            return true;
    return n->leavers != NULL;
}

/* As long as no second attempt is made, those on their way are of the first, whatever came of the others. */
bool cqln_slots_tried(const cqln_node *n)
{
    bool first = n->last_status == CQL_OK || n->retry.item.deadline;
    for (uint32_t i = 0; i < n->want; i++)
        if (n->slots[i].link && !n->slots[i].link->ready && !n->slots[i].link->closing && first)
            return false;
    return n->tried;
}
