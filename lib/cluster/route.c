/* The node for each attempt. Costs no memory: the plan is an iterator on the stack. */
#include "cluster/router.h"

#include "cluster/policy.h"
#include "cluster/quick.h"
#include "cluster/slots.h"

#include <string.h>

enum { ORDER_MAX = 64, LOOK_EVERY_US = 100000 };

/* --- what is known of the request ----------------------------------------------------------------- */

uint32_t cqln_router_load(const void *cluster, uint32_t node)
{
    const cqln_node *n = ((const cqln_cluster *)cluster)->router.nodes[node];
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n->slot_count; i++) {
        const cqln_conn *conn = n->slots[i].link ? n->slots[i].link->conn : NULL;
        if (!conn)
            continue;
        sum += cqln_conn_in_flight(conn);
        if (n->room) /* what may never be answered must not fill it for ever */
            sum -= cqln_conn_orphans(conn);
    }
    return sum;
}

static inline const cqln_keyspace *keyspace_of(cqln_cluster *c, const cqln_route *route)
{
    uint64_t mark = route->keyspace_mark;
    if (mark == 0)
        mark = cqln_keyspace_mark(cql_str_of(c->keyspace));
    return cqln_tokenmap_find(c->router.map, mark);
}

const cqln_keyspace *cqln_router_keyspace(cqln_cluster *c, const cqln_route *route)
{
    return c->router.map ? keyspace_of(c, route) : NULL;
}

void cqln_router_wish(cqln_cluster *c, const cqln_route *route, cqln_wish *out)
{
    cqln_router *r = &c->router;
    const cqln_keyspace *k = route->has_token && r->map ? keyspace_of(c, route) : NULL;
    out->replicas = NULL;
    out->replica_count = 0;
    if (k && k->placement->replicas) {
        out->replicas = cqln_placement_at(k->placement, cqln_ring_find(r->map->ring, route->token));
        out->replica_count = k->placement->width;
    }
    out->choice = route->conditional ? CQLN_CHOICE_RING
                                     : (cqln_replica_choice)c->config->replica_choice;
    out->local_only = route->local_only && !c->config->remote_dcs_for_local_levels;
    out->random = cqln_router_draw(r);
    out->turn = r->turn++;
}

/* --- profiles -------------------------------------------------------------------------------------- */

static const cql_profile *profile_of(const cqln_request *req)
{
    return req->bound == CQLN_BOUND_PROFILE ? req->profile : NULL;
}

/* --- what somebody says of the order -------------------------------------------------------------- */

size_t cqln_router_ask(cqln_cluster *c, const cql_profile *profile, const cqln_route *route,
                       unsigned attempt, uint16_t *order, size_t cap)
{
    if (profile && profile->local_dc)
        return cqln_center_order(c, route, profile->local_dc, order, cap);
    return cqln_policy_order(c, profile ? profile->balancing : &c->config->balancing, route, attempt, order,
                             cap);
}

/* --- the choice ----------------------------------------------------------------------------------- */

/* Which nodes are passed over. */
typedef enum passing { PASS_TRIED, PASS_LAST, PASS_NONE } passing;

static bool passed_over(const cqln_request *req, const cqln_node *n, passing how)
{
    uint32_t count = req->tried_count < CQLN_ASKED_MAX ? req->tried_count : CQLN_ASKED_MAX;
    if (count == 0 || how == PASS_NONE)
        return false;
    if (how == PASS_LAST)
        return req->tried[(req->tried_count - 1) % CQLN_ASKED_MAX] == n->id;
    for (uint32_t i = 0; i < count; i++)
        if (req->tried[i] == n->id)
            return true;
    return false;
}

static cqln_link *pick_by_policy(cqln_request *req, passing how)
{
    cqln_cluster *c = req->cluster;
    const cqln_router *r = &c->router;
    uint16_t order[ORDER_MAX];
    size_t count = cqln_router_ask(c, profile_of(req), &req->route, req->tried_count, order, ORDER_MAX);
    for (size_t i = 0; i < count; i++) {
        if (order[i] >= r->peers.count || !r->peers.peer[order[i]].up)
            continue;
        cqln_node *n = r->nodes[order[i]];
        cqln_link *link = passed_over(req, n, how) ? NULL : cqln_nodes_pick(c, n, NULL);
        if (link)
            return link;
    }
    return NULL;
}

/* Apart, since its plan is large enough that setting it up shows. */
static __attribute__((noinline)) cqln_link *pick_by_plan(cqln_request *req, const cqln_wish *wish,
                                                         passing how)
{
    cqln_cluster *c = req->cluster;
    cqln_plan plan;
    uint32_t i;
    cqln_plan_begin(&plan, &c->router.peers, wish);
    while (cqln_plan_next(&plan, &i, NULL)) {
        cqln_node *n = c->router.nodes[i];
        cqln_link *link = passed_over(req, n, how) ? NULL : cqln_nodes_pick(c, n, NULL);
        if (link)
            return link;
    }
    return NULL;
}

static cqln_link *pick(cqln_request *req, passing how)
{
    cqln_cluster *c = req->cluster;
    cqln_wish wish;
    if (c->config->balancing.plan)
        return pick_by_policy(req, how);
    cqln_router_wish(c, &req->route, &wish);
    return pick_by_plan(req, &wish, how);
}

/* With a single node to go to there is nothing to choose. */
static inline bool no_choice(const cqln_cluster *c)
{
    return c->ready_count == 1 && c->ready[0]->near <= CQLN_NEAR_LOCAL && !c->config->balancing.plan;
}

bool cqln_node_in(const cqln_node *n, const char *data_center)
{
    return strcmp(n->data_center, data_center) == 0;
}

/* Is it among the nodes that it may go to, as far as they are known without asking a policy? */
static bool may_go(const cqln_request *req, const cqln_node *n)
{
    const cql_profile *p = profile_of(req);
    return !p || !p->local_dc || cqln_node_in(n, p->local_dc);
}

static __attribute__((cold)) cqln_link *pick_bound(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    cqln_link *link = NULL;
    if (req->only)
        return cqln_nodes_pick(c, req->only, NULL);
    for (int how = PASS_TRIED; !link && how <= PASS_NONE; how++)
        link = pick_by_policy(req, (passing)how);
    for (cqln_node *n = c->nodes; n && !link && c->router.peers.count == 0; n = n->next)
        link = may_go(req, n) ? cqln_nodes_pick(c, n, NULL) : NULL;
    return link;
}

cqln_link *cqln_router_first_of(cqln_cluster *c, const cqln_route *route)
{
    return cqln_router_first(c, route);
}

cqln_link *cqln_router_pick(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    if (req->bound)
        return pick_bound(req);
    if (no_choice(c))
        return cqln_nodes_pick(c, c->ready[0], NULL);
    if (c->router.peers.count == 0) /* too many nodes to list, or no memory for it: in turn */
        return cqln_nodes_pick(c, NULL, req->last);
    cqln_link *link = pick(req, PASS_TRIED);
    if (!link && req->tried_count) {
        link = pick(req, PASS_LAST);
        link = link ? link : pick(req, PASS_NONE);
    }
    return link;
}

cqln_link *cqln_router_pick_other(cqln_request *req)
{
    if (req->bound)
        return req->only ? NULL : pick_by_policy(req, PASS_TRIED);
    return pick(req, PASS_TRIED);
}

bool cqln_router_other(const cqln_request *req)
{
    const cqln_cluster *c = req->cluster;
    for (uint32_t i = 0; !req->only && i < c->ready_count; i++)
        if (!passed_over(req, c->ready[i], PASS_TRIED) && may_go(req, c->ready[i]))
            return true;
    return false;
}

/* --- what may still come -------------------------------------------------------------------------- */

bool cqln_router_picky(const cqln_request *req)
{
    const cqln_config *config = req->cluster->config;
    return req->bound || config->balancing.plan ||
           (req->route.local_only && config->used_hosts_per_remote_dc > 0);
}

static bool policy_hope(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    uint16_t order[ORDER_MAX];
    size_t count = cqln_router_ask(c, profile_of(req), &req->route, req->tried_count, order, ORDER_MAX);
    for (size_t i = 0; i < count; i++)
        if (order[i] < c->router.peers.count && cqln_nodes_hope(c, c->router.nodes[order[i]]))
            return true;
    return false;
}

bool cqln_router_hope(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    if (req->only || !cqln_router_picky(req))
        return cqln_nodes_hope(c, req->only);
    const cql_profile *p = profile_of(req);
    if (p ? p->balancing != NULL : c->config->balancing.plan != NULL)
        return policy_hope(req);
    for (const cqln_node *n = c->nodes; n; n = n->next)
        if (!n->removed && (p ? may_go(req, n) : n->near <= CQLN_NEAR_LOCAL) && cqln_nodes_hope(c, n))
            return true;
    return false;
}

/* --- slow nodes ----------------------------------------------------------------------------------- */

static void look_for_slow(cqln_cluster *c, uint64_t now_us)
{
    cqln_router *r = &c->router;
    uint64_t best = 0;
    for (uint32_t i = 0; i < r->peers.count; i++) {
        const cqln_pace *pace = &r->nodes[i]->pace;
        uint64_t mean = r->peers.peer[i].near <= CQLN_NEAR_LOCAL
                            ? cqln_pace_best(&pace, 1, now_us)
                            : 0;
        best = mean && (best == 0 || mean < best) ? mean : best;
    }
    for (uint32_t i = 0; i < r->peers.count; i++) {
        cqln_node *n = r->nodes[i];
        bool slow = cqln_pace_slow(&n->pace, best, c->config->latency_exclusion, now_us);
        if (slow != n->slow)
            CQLN_LOG(c->loop.log, CQL_LOG_INFO, "node %s is %s: %llu us a request, the best %llu us",
                     n->address_text, slow ? "slow and comes last" : "no longer slow",
                     (unsigned long long)n->pace.mean_us, (unsigned long long)best);
        n->slow = slow;
        r->peers.peer[i].slow = slow;
        r->shown[i].slow = slow;
    }
    cqln_router_set_heads(c);
}

void cqln_router_note_answer(cqln_cluster *c, cqln_node *n, uint64_t took_us, uint64_t now_us)
{
    cqln_pace_add(&n->pace, took_us, now_us);
    if (now_us - c->router.paced_us < LOOK_EVERY_US)
        return;
    c->router.paced_us = now_us;
    look_for_slow(c, now_us);
}

void cqln_router_note_request(const cqln_request *req, const cqln_link *link)
{
    cqln_cluster *c = req->cluster;
    const cqln_slot *slot = link->user;
    uint64_t now = cqln_loop_us(&c->loop);
    if (req->sent_us && now >= req->sent_us && req->tried_count == 1)
        cqln_router_note_answer(c, slot->node, now - req->sent_us, now);
}
