/* How far nodes are, and which take requests: brought up to date after every discovery. */
#include "cluster/router.h"

#include "base/error.h"
#include "cluster/policy.h"
#include "cluster/quick.h"
#include "cluster/slots.h"
#include "cluster/team.h"

#include <stdio.h>
#include <string.h>

/* --- life ----------------------------------------------------------------------------------------- */

cql_status cqln_router_init(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    r->random = cqln_rand_next(&c->rand);
    r->age = 1;
    r->levels = c->config->used_hosts_per_remote_dc || c->config->balancing.plan;
    r->peers.load = cqln_router_load;
    r->peers.context = c;
    return cqln_rules_read(c);
}

void cqln_router_turn(cqln_cluster *c)
{
    c->router.age += c->router.age == UINT32_MAX ? 2 : 1; /* never 0 */
    cqln_cluster_settle(c);
}

void cqln_router_set_map(cqln_cluster *c, cqln_tokenmap *map)
{
    cqln_router *r = &c->router;
    cqln_tokenmap_unref(r->map);
    r->map = map;
    r->last_mark = 0;
    atomic_store_explicit(&r->whole_mark, 0, memory_order_relaxed);
    r->quick = map && c->config->replica_choice == CQLN_CHOICE_LEAST_BUSY &&
               !c->config->balancing.plan;
    atomic_store_explicit(&r->partitioner, (uint8_t)(map ? r->ring->partitioner : 0),
                          memory_order_relaxed);
    cqln_router_turn(c);
}

void cqln_router_use(cqln_cluster *c, cqln_ring *ring, cqln_tokenmap *map)
{
    pthread_mutex_lock(&c->view_lock);
    cqln_ring *old = c->router.ring;
    c->router.ring = ring;
    pthread_mutex_unlock(&c->view_lock);
    cqln_ring_unref(old);
    cqln_router_set_map(c, map);
}

cqln_ring *cqln_router_ring(cqln_cluster *c)
{
    pthread_mutex_lock(&c->view_lock);
    cqln_ring *r = c->router.ring ? cqln_ring_ref(c->router.ring) : NULL;
    pthread_mutex_unlock(&c->view_lock);
    return r;
}

static void drop_ring(cqln_cluster *c)
{
    cqln_router_use(c, NULL, NULL);
    c->router.keyspace_mark = 0;
    c->router.ring_mark = 0;
}

static const uint32_t none_in_flight = 0;

static void set_near(cqln_router *r, uint32_t count)
{
    if (!r->near)
        return; /* no node is known yet */
    for (uint32_t i = 0; i < count; i++)
        r->near[i] = r->heads[r->peers.ready[i]];
    r->near_count = count ? count : 1;
    if (count == 0)
        r->near[0] = (cqln_head){NULL, &none_in_flight};
}

static void set_lone(cqln_cluster *c, cqln_link *link)
{
    if (link == c->router.lone)
        return;
    c->router.lone = link;
    cqln_router_turn(c);
}

void cqln_router_forget(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    drop_ring(c);
    r->peers.count = 0;
    set_lone(c, NULL);
    memset(r->peers.ends, 0, sizeof r->peers.ends);
    set_near(r, 0);
}

void cqln_router_fini(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    cqln_router_forget(c);
    cql_result_unref(r->keyspaces);
    cqln_free(c->al, r->nodes);
    cqln_free(c->al, r->peers.peer);
    cqln_free(c->al, r->peers.ready);
    cqln_free(c->al, r->shown);
    cqln_free(c->al, r->heads);
    cqln_free(c->al, r->near);
    cqln_rules_free(c);
}

/* --- how far -------------------------------------------------------------------------------------- */

static void set_distances(cqln_cluster *c)
{
    for (cqln_node *n = c->nodes; n; n = n->next) {
        if (n->removed)
            continue;
        if (cqln_router_denied(c, &n->address)) {
            n->near = CQLN_NEAR_IGNORED;
        } else {
            n->near = cqln_center_distance(c, n);
            cqln_policy_distance(c, n);
        }
        n->local = n->near != CQLN_NEAR_IGNORED;
        cqln_slots_suit(n);
        if (!n->local)
            cqln_slots_leave(n, "the node is not one of those that are used");
    }
}

/* --- nodes by index ------------------------------------------------------------------------------- */

static bool room_for(cqln_cluster *c, uint32_t count)
{
    cqln_router *r = &c->router;
    if (count <= r->node_cap)
        return true;
    size_t cap = (size_t)count + 8;
    cqln_node **nodes = cqln_realloc_array(c->al, r->nodes, cap, sizeof *nodes);
    r->nodes = nodes ? nodes : r->nodes;
    cqln_peer *peer = cqln_realloc_array(c->al, r->peers.peer, cap, sizeof *peer);
    r->peers.peer = peer ? peer : r->peers.peer;
    uint16_t *ready = cqln_realloc_array(c->al, r->peers.ready, cap, sizeof *ready);
    r->peers.ready = ready ? ready : r->peers.ready;
    cql_balancing_node *shown = cqln_realloc_array(c->al, r->shown, cap, sizeof *shown);
    r->shown = shown ? shown : r->shown;
    cqln_head *heads = cqln_realloc_array(c->al, r->heads, cap, sizeof *heads);
    r->heads = heads ? heads : r->heads;
    cqln_head *near = cqln_realloc_array(c->al, r->near, cap, sizeof *near);
    r->near = near ? near : r->near;
    if (!nodes || !peer || !ready || !shown || !heads || !near)
        return false;
    r->node_cap = (uint32_t)cap;
    return true;
}

static uint32_t list_nodes(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    uint32_t count = 0;
    for (cqln_node *n = c->nodes; n; n = n->next)
        count += !n->removed;
    if (count > CQLN_RING_MEMBERS || !room_for(c, count))
        return 0;
    count = 0;
    for (cqln_node *n = c->nodes; n; n = n->next) {
        if (n->removed)
            continue;
        n->index = count;
        r->nodes[count++] = n;
    }
    return count;
}

/* Is it as good a choice as any? */
static bool likely(const cqln_cluster *c, const cqln_peer *p)
{
    return p->near == cqln_router_nearest(c) && p->up && !p->slow && !p->room;
}

cqln_link *cqln_router_of_two(cqln_cluster *c, uint32_t one, uint32_t other)
{
    const cqln_router *r = &c->router;
    if (!likely(c, &r->peers.peer[one]) || !likely(c, &r->peers.peer[other]))
        return NULL;
    bool less = cqln_router_load(c, other) < cqln_router_load(c, one);
    return cqln_nodes_pick(c, r->nodes[less ? other : one], NULL);
}

static void set_head(cqln_cluster *c, uint32_t index)
{
    cqln_router *r = &c->router;
    const cqln_peer *p = &r->peers.peer[index];
    const cqln_slot *sole = r->nodes[index]->sole;
    bool simple = sole && likely(c, p);
    r->heads[index] = (cqln_head){simple ? sole->link : NULL,
                                  simple ? cqln_conn_in_flight_at(sole->link->conn) : &none_in_flight};
}

void cqln_router_set_heads(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    for (uint32_t i = 0; i < r->peers.count; i++)
        set_head(c, i);
    set_near(r, r->peers.ends[cqln_router_nearest(c)]);
}

void cqln_router_recount(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    uint32_t at = 0;
    for (uint32_t i = 0; i < r->peers.count; i++) {
        const cqln_node *n = r->nodes[i];
        r->peers.peer[i] = (cqln_peer){(uint8_t)n->near, n->usable > 0 && n->local, n->slow, n->room};
        cqln_policy_show(c, i);
    }
    for (uint8_t near = CQLN_NEAR_RACK; near <= CQLN_NEAR_REMOTE; near++) {
        for (uint32_t i = 0; i < r->peers.count; i++)
            if (r->peers.peer[i].up && r->peers.peer[i].near == near)
                r->peers.ready[at++] = (uint16_t)i;
        r->peers.ends[near] = at;
    }
    cqln_router_set_heads(c);
    bool one = c->ready_count == 1 && c->ready[0]->near <= CQLN_NEAR_LOCAL;
    const cqln_slot *lone = one && !c->config->balancing.plan ? c->ready[0]->sole : NULL;
    set_lone(c, lone ? lone->link : NULL);
}

void cqln_router_unlist(cqln_cluster *c)
{
    c->router.peers.count = 0;
    c->router.last_mark = 0;
    cqln_router_turn(c);
}

void cqln_router_refresh(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    set_distances(c);
    cqln_router_unlist(c);
    r->peers.count = list_nodes(c);
    atomic_store_explicit(&r->single, r->peers.count == 1 && !r->levels, memory_order_relaxed);
    cqln_router_turn(c);
    if (r->peers.count == 0)
        drop_ring(c);
    cqln_nodes_recount(c);
    if (cqln_team_follows(c)) {
        cqln_team_adopt(c);
        return;
    }
    if (r->peers.count && c->config->token_aware)
        cqln_router_place(c);
}

cql_error *cqln_router_check(cqln_cluster *c)
{
    char seen[300] = "", *at = seen;
    for (const cqln_node *n = c->nodes; n; n = n->next) {
        if (n->local)
            return NULL;
        size_t room = sizeof seen - (size_t)(at - seen);
        int made = snprintf(at, room, "%s%s", at == seen ? "" : ", ", n->address_text);
        if (made > 0 && (size_t)made < room)
            at += made;
    }
    cqln_error_info info = {.status = CQL_BAD_ARGUMENT};
    return cqln_error_make(c->al, &info, NULL, 0,
                           "none of the cluster's nodes may be used: the options allow_hosts, "
                           "deny_hosts or the balancing policy leave out all of: %s",
                           seen);
}
