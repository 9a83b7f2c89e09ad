/* The nodes of the cluster, and the small pool of connections to each. */
#include "base/error.h"
#include "base/quote.h"
#include "cluster/cluster.h"
#include "cluster/inner.h"

#include <stdio.h>
#include <string.h>

enum { KEYSPACE_NONE = 0x7fffffff }; /* no version of the session's keyspace has this number */

static void fill(cqln_node *n);
static void begin_switch(cqln_slot *slot);

/* --- who takes requests -------------------------------------------------------------------------- */

static bool slot_usable(const cqln_slot *slot)
{
    return slot->link && cqln_link_usable(slot->link) && !slot->switching &&
           slot->keyspace_gen == slot->node->cluster->keyspace_gen;
}

/* Counts the usable slots of all nodes and lists the nodes that have one. Done on changes, so that a
 * pick costs nothing but the pick. */
static void recount(cqln_cluster *c)
{
    c->ready_count = 0;
    for (cqln_node *n = c->nodes; n; n = n->next) {
        n->usable = 0;
        for (uint32_t i = 0; i < n->slot_count; i++)
            n->usable += slot_usable(&n->slots[i]);
        if (n->usable && c->ready_count < c->ready_cap)
            c->ready[c->ready_count++] = n;
    }
}

static bool slot_free(const cqln_slot *slot)
{
    return slot_usable(slot) && cqln_conn_free_streams(slot->link->conn) > 0;
}

static cqln_link *least_busy(const cqln_node *n)
{
    cqln_link *best = NULL;
    uint32_t best_load = UINT32_MAX;
    if (n->slot_count == 1)
        return slot_free(&n->slots[0]) ? n->slots[0].link : NULL;
    for (uint32_t i = 0; i < n->slot_count; i++) {
        const cqln_slot *slot = &n->slots[i];
        if (!slot_free(slot))
            continue;
        uint32_t load = cqln_conn_in_flight(slot->link->conn);
        if (load < best_load) {
            best = slot->link;
            best_load = load;
        }
    }
    return best;
}

cqln_link *cqln_nodes_pick(cqln_cluster *c, cqln_node *only, cqln_node *avoid, cqln_node **node)
{
    if (only) {
        *node = only;
        return least_busy(only);
    }
    if (c->ready_count == 1) {
        *node = c->ready[0];
        return least_busy(c->ready[0]);
    }
    for (uint32_t i = 0; i < c->ready_count; i++) {
        c->turn = c->turn + 1 < c->ready_count ? c->turn + 1 : 0;
        cqln_node *n = c->ready[c->turn];
        if (n == avoid && c->ready_count > 1)
            continue;
        cqln_link *link = least_busy(n);
        if (link) {
            *node = n;
            return link;
        }
    }
    return NULL;
}

static bool node_hope(const cqln_node *n)
{
    for (uint32_t i = 0; i < n->slot_count; i++) {
        const cqln_slot *slot = &n->slots[i];
        if (slot->link && !slot->link->closing && (slot->link->ready || !n->tried))
            return true;
    }
    return false;
}

bool cqln_nodes_hope(const cqln_cluster *c, const cqln_node *only)
{
    if (only)
        return node_hope(only);
    for (const cqln_node *n = c->nodes; n; n = n->next)
        if (node_hope(n))
            return true;
    return false;
}

bool cqln_nodes_all_tried(const cqln_cluster *c)
{
    for (const cqln_node *n = c->nodes; n; n = n->next)
        if (n->local && !n->removed && !n->tried)
            return false;
    return true;
}

cqln_node *cqln_node_find(cqln_cluster *c, const char *address_text)
{
    for (cqln_node *n = c->nodes; n; n = n->next)
        if (!n->removed && strcmp(n->address_text, address_text) == 0)
            return n;
    return NULL;
}

/* --- links --------------------------------------------------------------------------------------- */

static void retry_later(cqln_node *n)
{
    cqln_cluster *c = n->cluster;
    uint32_t delay = cqln_backoff_next(&n->backoff, &c->rand);
    cqln_deadline_set(&c->loop, &n->retry, cqln_loop_now(&c->loop) + delay);
}

static void note_failure(cqln_node *n, cql_status st, const char *reason)
{
    bool news = n->last_status != st || strcmp(n->last_reason, reason) != 0;
    n->last_status = st;
    snprintf(n->last_reason, sizeof n->last_reason, "%s", reason);
    if (news)
        CQLN_LOG(n->cluster->loop.log, CQL_LOG_WARN, "connection to %s: %s", n->address_text,
                 reason);
}

static void on_ready(cqln_link *link)
{
    cqln_slot *slot = link->user;
    cqln_node *n = slot->node;
    cqln_cluster *c = n->cluster;
    n->tried = true;
    n->last_status = CQL_OK;
    n->last_reason[0] = '\0';
    cqln_backoff_reset(&n->backoff);
    CQLN_LOG(c->loop.log, CQL_LOG_DEBUG, "connected to %s, protocol v%u%s", n->address_text,
             (unsigned)cqln_conn_version(link->conn),
             cqln_conn_compressed(link->conn) ? ", lz4" : "");
    if (slot->keyspace_gen != c->keyspace_gen)
        begin_switch(slot); /* the keyspace changed while the handshake ran */
    recount(c);
    cqln_cluster_publish(c);
    cqln_cluster_check(c);
    cqln_requests_pump(c);
}

static void on_response(cqln_link *link, const cqln_conn_event *ev)
{
    cqln_owner *o = ev->owner;
    o->answered(o, link, ev);
}

static void on_push(cqln_link *link, const cqln_conn_event *ev)
{
    (void)link; /* only the control connection registers for events */
    (void)ev;
}

static void on_idle(cqln_link *link)
{
    cqln_slot *slot = link->user;
    cqln_cluster *c = slot->node->cluster;
    if (slot->keyspace_gen != c->keyspace_gen)
        begin_switch(slot);
    if (!cqln_list_empty(&c->waiting))
        cqln_requests_pump(c);
}

static void free_node(cqln_node *n)
{
    cqln_cluster *c = n->cluster;
    cqln_deadline_clear(&c->loop, &n->retry);
    cqln_free(c->al, n->data_center);
    cqln_free(c->al, n->slots);
    cqln_free(c->al, n);
}

static bool has_links(const cqln_node *n)
{
    for (uint32_t i = 0; i < n->slot_count; i++)
        if (n->slots[i].link)
            return true;
    return false;
}

static void unlink_node(cqln_node *n)
{
    cqln_node **at = &n->cluster->nodes;
    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
}

/* The owners hear of the loss after the slot is empty, so that they choose another connection. */
static void fail_owners(cqln_link *link)
{
    cqln_owner *o;
    while ((o = cqln_conn_take_owner(link->conn)) != NULL)
        o->lost(o, link);
}

static void on_closed(cqln_link *link)
{
    cqln_slot *slot = link->user;
    cqln_node *n = slot->node;
    cqln_cluster *c = n->cluster;
    const cqln_conn_fault *fault = cqln_conn_fault_of(link->conn);
    bool again_now = cqln_cluster_step_down(c, fault);
    slot->link = NULL;
    slot->switching = false;
    c->links--;
    if (!again_now)
        n->tried = true;
    recount(c);
    fail_owners(link);
    slot->use = NULL;
    if (n->removed && !has_links(n)) {
        cqln_requests_fail_waiting(c, n, CQL_NO_HOST, "the node was removed from the cluster");
        unlink_node(n);
        free_node(n);
    } else if (!n->removed && cqln_cluster_state_of(c) < CQLN_CLUSTER_CLOSING) {
        if (!again_now)
            note_failure(n, fault->status, fault->detail);
        if (again_now)
            fill(n);
        else
            retry_later(n);
    }
    if (!cqln_nodes_hope(c, NULL))
        cqln_requests_fail_waiting(c, NULL, CQL_NO_HOST, NULL);
    cqln_cluster_publish(c);
    cqln_cluster_check(c);
}

static void open_slot(cqln_slot *slot)
{
    static const cqln_link_events events = {on_ready, on_response, on_push, on_idle, on_closed};
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
        return;
    }
    c->links++;
}

/* One attempt at a time while the node is down; all the rest once it answers. */
static void fill(cqln_node *n)
{
    bool down = n->last_status != CQL_OK;
    for (uint32_t i = 0; i < n->slot_count; i++) {
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

static void on_retry(cqln_deadline *d)
{
    cqln_node *n = CQLN_CONTAINER(d, cqln_node, retry);
    if (!n->removed && n->local && cqln_cluster_state_of(n->cluster) < CQLN_CLUSTER_CLOSING)
        fill(n);
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
    recount(c);
    cqln_requests_pump(c);
}

/* USE with other requests in flight would be a race on the server: first they are let finish. */
static void begin_switch(cqln_slot *slot)
{
    cqln_cluster *c = slot->node->cluster;
    char cql[256];
    if (slot->switching || !cqln_link_usable(slot->link) ||
        cqln_conn_in_flight(slot->link->conn) > 0)
        return;
    slot->keyspace_gen = c->keyspace_gen;
    slot->switching = cqln_quote_name(cql, sizeof cql, "USE ", cql_str_of(c->keyspace)) &&
                      cqln_inner_query(&c->loop, slot->link, cql, c->config->request_timeout,
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
    recount(c);
}

void cqln_nodes_switched(cqln_cluster *c, const cqln_link *by)
{
    for (cqln_node *n = c->nodes; n; n = n->next)
        for (uint32_t i = 0; i < n->slot_count; i++)
            if (n->slots[i].link == by)
                n->slots[i].keyspace_gen = c->keyspace_gen;
}

/* --- the list ------------------------------------------------------------------------------------ */

static bool set_texts(cqln_node *n, const cqln_node_info *info)
{
    const cql_allocator *al = n->cluster->al;
    size_t a = info->data_center.len, b = info->rack.len, r = info->release.len;
    if (n->data_center && cql_str_equal(cql_str_of(n->data_center), info->data_center) &&
        cql_str_equal(cql_str_of(n->rack), info->rack) &&
        cql_str_equal(cql_str_of(n->release), info->release))
        return true;
    char *block = cqln_alloc_zero(al, a + b + r + 3);
    if (!block)
        return false;
    cqln_free(al, n->data_center);
    n->data_center = block;
    n->rack = block + a + 1;
    n->release = block + a + b + 2;
    cqln_escape(n->data_center, a + 1, info->data_center);
    cqln_escape(n->rack, b + 1, info->rack);
    cqln_escape(n->release, r + 1, info->release);
    return true;
}

static cqln_node *find_node(cqln_cluster *c, const cqln_node_info *info)
{
    for (cqln_node *n = c->nodes; n; n = n->next)
        if (!n->removed && cqln_address_equal(&n->address, &info->address))
            return n;
    return NULL;
}

static bool make_slots(cqln_node *n)
{
    n->slot_count = n->cluster->config->connections_per_host;
    n->slots = cqln_alloc_zero(n->cluster->al, n->slot_count * sizeof *n->slots);
    if (!n->slots)
        return false;
    for (uint32_t i = 0; i < n->slot_count; i++)
        n->slots[i].node = n;
    return true;
}

static bool room_for_ready(cqln_cluster *c)
{
    uint32_t count = 1;
    for (const cqln_node *n = c->nodes; n; n = n->next)
        count++;
    if (count <= c->ready_cap)
        return true;
    cqln_node **grown = cqln_realloc_array(c->al, c->ready, (size_t)count * 2, sizeof *grown);
    if (!grown)
        return false;
    c->ready = grown;
    c->ready_cap = count * 2;
    return true;
}

static cqln_node *make_node(cqln_cluster *c, const cqln_node_info *info)
{
    cqln_node *n = cqln_alloc_zero(c->al, sizeof *n);
    if (!n)
        return NULL;
    n->cluster = c;
    n->address = info->address;
    n->backoff.base_ms = c->config->reconnect_base;
    n->backoff.max_ms = c->config->reconnect_max;
    cqln_address_print(&n->address, n->address_text);
    cqln_deadline_init(&n->retry, on_retry);
    if (!make_slots(n) || !set_texts(n, info) || !room_for_ready(c)) {
        free_node(n);
        return NULL;
    }
    cqln_node **at = &c->nodes;
    while (*at)
        at = &(*at)->next;
    *at = n;
    return n;
}

cqln_node *cqln_node_put(cqln_cluster *c, const cqln_node_info *info)
{
    cqln_node *n = find_node(c, info);
    if (!n)
        n = make_node(c, info);
    else if (!set_texts(n, info))
        return NULL;
    if (!n)
        return NULL;
    n->host_id = info->host_id;
    n->seen = true;
    n->local = !c->local_dc || info->data_center.len == 0 ||
               cql_str_equal(info->data_center, cql_str_of(c->local_dc));
    return n;
}

static void close_links(cqln_node *n, const char *reason)
{
    for (uint32_t i = 0; i < n->slot_count; i++)
        if (n->slots[i].link)
            cqln_link_close(n->slots[i].link, reason);
}

void cqln_nodes_sweep(cqln_cluster *c)
{
    cqln_node *next;
    for (cqln_node *n = c->nodes; n; n = next) {
        next = n->next;
        if (n->seen || n->removed) {
            n->seen = false;
            continue;
        }
        CQLN_LOG(c->loop.log, CQL_LOG_INFO, "node %s left the cluster", n->address_text);
        n->removed = true;
        cqln_deadline_clear(&c->loop, &n->retry);
        close_links(n, "the node was removed from the cluster");
        if (!has_links(n)) {
            cqln_requests_fail_waiting(c, n, CQL_NO_HOST, "the node was removed from the cluster");
            unlink_node(n);
            free_node(n);
        }
    }
    recount(c);
}

void cqln_nodes_fill(cqln_cluster *c)
{
    for (cqln_node *n = c->nodes; n; n = n->next)
        if (n->local && !n->removed && n->retry.item.deadline == 0)
            fill(n);
}

void cqln_node_hint_up(cqln_cluster *c, const cqln_address *address)
{
    for (cqln_node *n = c->nodes; n; n = n->next) {
        if (!cqln_address_equal(&n->address, address) || n->usable || !n->local || n->removed)
            continue;
        cqln_backoff_reset(&n->backoff);
        cqln_deadline_clear(&c->loop, &n->retry);
        fill(n);
    }
}

void cqln_nodes_close(cqln_cluster *c, const char *reason)
{
    for (cqln_node *n = c->nodes; n; n = n->next) {
        cqln_deadline_clear(&c->loop, &n->retry);
        close_links(n, reason);
    }
    recount(c);
}

void cqln_nodes_free(cqln_cluster *c)
{
    while (c->nodes) {
        cqln_node *n = c->nodes;
        c->nodes = n->next;
        free_node(n);
    }
    cqln_free(c->al, c->ready);
    c->ready = NULL;
}
