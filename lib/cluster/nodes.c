/* The nodes of the cluster: the list, and the choice among them. */
#include "base/error.h"
#include "cluster/slots.h"
#include "cluster/tell.h"

#include <string.h>

enum { WARM = 64 };

/* --- who takes requests -------------------------------------------------------------------------- */

static void count_usable(cqln_node *n)
{
    n->usable = 0;
    n->sole = NULL;
    for (uint32_t i = 0; i < n->slot_count; i++) {
        if (!cqln_slot_usable(&n->slots[i]))
            continue;
        n->sole = n->usable++ ? NULL : &n->slots[i];
    }
}

/* A server that has just started answers slowly for a while. So a node that is back takes one request at a time,
 * and one more for each that it answers, until it has answered enough. */
static void count_room(cqln_node *n, bool was_usable)
{
    if (n->usable == 0)
        n->room = 0;
    else if (!was_usable && n->was_down &&
             cqln_cluster_state_of(n->cluster) == CQLN_CLUSTER_CONNECTED)
        n->room = 1;
}

void cqln_nodes_recount(cqln_cluster *c)
{
    c->ready_count = 0;
    c->watched = cqln_config_watches(c->config);
    for (cqln_node *n = c->nodes; n; n = n->next) {
        bool was_usable = n->usable > 0;
        count_usable(n);
        count_room(n, was_usable);
        c->watched = c->watched || n->room;
        if (n->usable && c->ready_count < c->ready_cap)
            c->ready[c->ready_count++] = n;
    }
    atomic_store_explicit(&c->able, c->ready_count > 0, memory_order_relaxed);
    cqln_tell_soon(c);
    cqln_router_recount(c);
    cqln_cluster_settle(c);
}

void cqln_node_answered(cqln_node *n)
{
    cqln_peers *peers = &n->cluster->router.peers;
    if (n->room == 0 || n->removed)
        return;
    n->room = n->room < WARM ? n->room + 1 : 0;
    if (n->room == 0)
        cqln_nodes_recount(n->cluster);
    else if (n->index < peers->count)
        peers->peer[n->index].room = n->room;
}

static bool slot_free(const cqln_slot *slot)
{
    return cqln_slot_usable(slot) && cqln_conn_free_streams(slot->link->conn) > 0;
}

static cqln_link *least_busy(const cqln_node *n)
{
    cqln_link *best = NULL;
    uint32_t best_load = UINT32_MAX;
    if (n->sole)
        return slot_free(n->sole) ? n->sole->link : NULL;
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

cqln_link *cqln_nodes_pick(cqln_cluster *c, cqln_node *only, cqln_node *avoid)
{
    if (only)
        return least_busy(only);
    if (c->ready_count == 1)
        return least_busy(c->ready[0]);
    cqln_node *spare = NULL;
    for (uint32_t i = 0; i < c->ready_count; i++) {
        c->turn = c->turn + 1 < c->ready_count ? c->turn + 1 : 0;
        cqln_node *n = c->ready[c->turn];
        if (n == avoid) {
            spare = n; /* `avoid` itself may be gone by now */
            continue;
        }
        cqln_link *link = least_busy(n);
        if (link)
            return link;
    }
    return spare ? least_busy(spare) : NULL; /* better than to wait, and to let those behind it wait */
}

/* A connection that is on its way counts while nothing has failed: the node is new, or one that took its
 * requests is being replaced. One that ends does until it has: then it is known what becomes of its place. */
static bool node_hope(const cqln_node *n)
{
    bool unfailed = !n->tried || n->last_status == CQL_OK;
    if (n->reopens)
        return true;
    for (uint32_t i = 0; i < n->slot_count; i++) {
        const cqln_slot *slot = &n->slots[i];
        if (slot->link && (slot->link->ready || unfailed))
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
        if (n->local && !n->removed && !cqln_slots_tried(n))
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

/* --- the list ------------------------------------------------------------------------------------ */

static void free_node(cqln_node *n)
{
    cqln_cluster *c = n->cluster;
    if (n->meter)
        cqln_meter_keep(c->meter, n->meter);
    cqln_deadline_clear(&c->loop, &n->retry);
    cqln_slots_free(n);
    cqln_free(c->al, n->tokens);
    cqln_free(c->al, n->data_center);
    cqln_meter_unref(n->meter);
    cqln_free(c->al, n);
}

static void unlink_node(cqln_node *n)
{
    cqln_node **at = &n->cluster->nodes;
    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
}

void cqln_node_let_go(cqln_node *n)
{
    if (!n->removed || cqln_slots_any(n))
        return;
    cqln_requests_fail_waiting(n->cluster, n, CQL_NO_HOST, "the node was removed from the cluster");
    unlink_node(n);
    cqln_cluster_publish(n->cluster); /* what it counted is taken over, and is in no picture any more */
    free_node(n);
}

static void on_retry(cqln_deadline *d)
{
    cqln_node *n = CQLN_CONTAINER(d, cqln_node, retry);
    if (!n->removed && n->local && cqln_cluster_state_of(n->cluster) < CQLN_CLUSTER_CLOSING)
        cqln_slots_fill(n);
}

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
    n->was_down = true;
    n->backoff.base_ms = c->config->reconnect_base;
    n->backoff.max_ms = c->config->reconnect_max;
    n->backoff.jitter = c->config->reconnect_jitter;
    n->backoff.constant = c->config->reconnect_policy == CQLN_RECONNECT_CONSTANT;
    n->id = ++c->router.next_id;
    n->local = false; /* until the router has listed it: a discovery may be cut off before that */
    cqln_address_print(&n->address, n->address_text);
    cqln_deadline_init(&n->retry, on_retry);
    cqln_list_init(&n->lessons);
    n->meter = cqln_meter_new(c->al);
    if (!n->meter || !cqln_slots_make(n) || !set_texts(n, info) || !room_for_ready(c)) {
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
    n->heard = info->heard;
    n->seen = true;
    return n;
}

void cqln_node_keep(cqln_cluster *c, const cqln_address *address)
{
    for (cqln_node *n = c->nodes; n; n = n->next)
        n->seen = n->seen || (n->usable && cqln_address_equal(cqln_node_heard(n), address));
}

void cqln_nodes_unsee(cqln_cluster *c)
{
    for (cqln_node *n = c->nodes; n; n = n->next)
        n->seen = false;
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
        cqln_tell_removed(n);
        n->removed = true;
        cqln_router_unlist(c); /* until the refresh below */
        cqln_deadline_clear(&c->loop, &n->retry);
        cqln_requests_fail_waiting(c, n, CQL_NO_HOST, "the node was removed from the cluster");
        cqln_slots_leave(n, "the node was removed from the cluster");
        cqln_node_let_go(n);
    }
    cqln_router_refresh(c);
}

void cqln_nodes_fill(cqln_cluster *c)
{
    for (cqln_node *n = c->nodes; n; n = n->next)
        if (n->local && !n->removed && n->retry.item.deadline == 0)
            cqln_slots_fill(n);
}

/* What fails then is as patient as before, unless it begins anew. */
static void try_now(cqln_node *n, bool anew)
{
    if (n->usable || !n->local || n->removed)
        return;
    if (anew)
        cqln_backoff_reset(&n->backoff);
    cqln_deadline_clear(&n->cluster->loop, &n->retry);
    cqln_slots_fill(n);
}

void cqln_nodes_try(cqln_cluster *c)
{
    for (cqln_node *n = c->nodes; n; n = n->next)
        try_now(n, false); /* a control connection that moves again and again makes no storm of it */
}

void cqln_node_hint_up(cqln_cluster *c, const cqln_address *address)
{
    for (cqln_node *n = c->nodes; n; n = n->next) {
        if (!cqln_address_equal(cqln_node_heard(n), address))
            continue;
        n->said_down = false;
        try_now(n, true);
    }
}

void cqln_node_hint_down(cqln_cluster *c, const cqln_address *address)
{
    for (cqln_node *n = c->nodes; n; n = n->next)
        n->said_down = n->said_down || cqln_address_equal(cqln_node_heard(n), address);
}

void cqln_nodes_forget_hints(cqln_cluster *c)
{
    for (cqln_node *n = c->nodes; n; n = n->next)
        n->said_down = false;
}

void cqln_nodes_close(cqln_cluster *c, const char *reason)
{
    for (cqln_node *n = c->nodes; n; n = n->next) {
        cqln_deadline_clear(&c->loop, &n->retry);
        cqln_slots_close(n, reason);
    }
    cqln_nodes_recount(c);
}

void cqln_nodes_free(cqln_cluster *c)
{
    cqln_router_forget(c);
    while (c->nodes) {
        cqln_node *n = c->nodes;
        c->nodes = n->next;
        if (!n->removed)
            cqln_tell_removed(n);
        free_node(n);
    }
    cqln_free(c->al, c->ready);
    c->ready = NULL;
    c->ready_count = c->ready_cap = 0; /* there may be another connect */
}
