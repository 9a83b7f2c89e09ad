/* Data centres, as the cluster's own list of nodes tells them. */
#include "base/error.h"
#include "cluster/quick.h"
#include "cluster/router.h"

#include <stdio.h>
#include <string.h>

/* --- how far -------------------------------------------------------------------------------------- */

cqln_near cqln_center_distance(cqln_cluster *c, const cqln_node *n)
{
    const cqln_config *config = c->config;
    if (!c->local_dc || !n->data_center[0] || strcmp(n->data_center, c->local_dc) == 0)
        return config->local_rack && strcmp(n->rack, config->local_rack) == 0 ? CQLN_NEAR_RACK
                                                                                : CQLN_NEAR_LOCAL;
    uint32_t used = 0;
    for (const cqln_node *m = c->nodes; m && m != n; m = m->next)
        used += !m->removed && m->near == CQLN_NEAR_REMOTE &&
                strcmp(m->data_center, n->data_center) == 0;
    return used < config->used_hosts_per_remote_dc ? CQLN_NEAR_REMOTE : CQLN_NEAR_IGNORED;
}

static void list_dcs(const cqln_cluster *c, char *out, size_t cap)
{
    size_t at = 0;
    out[0] = '\0';
    for (const cqln_node *n = c->nodes; n && at + 1 < cap; n = n->next) {
        bool seen = false;
        for (const cqln_node *m = c->nodes; m != n; m = m->next)
            seen = seen || strcmp(m->data_center, n->data_center) == 0;
        if (!seen)
            at += (size_t)snprintf(out + at, cap - at, "%s%s", at ? ", " : "", n->data_center);
    }
}

cql_error *cqln_cluster_choose_dc(cqln_cluster *c)
{
    bool found = false;
    if (cqln_cluster_state_of(c) != CQLN_CLUSTER_CONNECTING)
        return NULL;
    for (const cqln_node *n = c->nodes; n; n = n->next)
        found = found || !c->local_dc || !n->data_center[0] ||
                strcmp(n->data_center, c->local_dc) == 0;
    if (found)
        return cqln_router_check(c);
    char names[300];
    cqln_error_info info = {.status = CQL_BAD_ARGUMENT};
    list_dcs(c, names, sizeof names);
    return cqln_error_make(c->al, &info, NULL, 0,
                           "no node is in the data centre \"%s\" (option local_dc); the cluster "
                           "has: %s",
                           c->local_dc, names);
}

/* --- the order of one ----------------------------------------------------------------------------- */

typedef struct listing {
    uint16_t *order;
    size_t cap;
    size_t count;
} listing;

static bool is_listed(const listing *l, uint16_t node)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->order[i] == node)
            return true;
    return false;
}

/* Of `count` nodes, NULL: of all, those that are up in the data centre, from any on if there are more than room for them.
 * The first of them is drawn, unless it is -1. */
static void list_center(cqln_cluster *c, listing *l, const char *data_center, bool slow,
                        const uint16_t *nodes, uint32_t count, int64_t draw)
{
    const cqln_router *r = &c->router;
    size_t from = l->count;
    uint32_t start = nodes || !count ? 0 : (uint32_t)(cqln_router_draw(&c->router) % count);
    for (uint32_t i = 0; i < count && l->count < l->cap; i++) {
        uint16_t node = (uint16_t)(nodes ? nodes[i] : (start + i) % count);
        if (node < r->peers.count && r->peers.peer[node].up && r->peers.peer[node].slow == slow &&
            cqln_node_in(r->nodes[node], data_center) && !is_listed(l, node))
            l->order[l->count++] = node;
    }
    if (draw < 0 || l->count == from)
        return;
    size_t first = from + (size_t)draw % (l->count - from);
    uint16_t node = l->order[first];
    l->order[first] = l->order[from];
    l->order[from] = node;
}

/* Those with the row, then the others; the slow ones in the same order behind them. */
size_t cqln_center_order(cqln_cluster *c, const cqln_route *route, const char *data_center,
                         uint16_t *order, size_t cap)
{
    listing l = {order, cap, 0};
    cqln_wish wish;
    cqln_router_wish(c, route, &wish);
    for (int slow = 0; slow < 2; slow++) {
        list_center(c, &l, data_center, slow, wish.replicas, wish.replica_count,
                    wish.choice == CQLN_CHOICE_RING ? -1 : (int64_t)wish.turn);
        list_center(c, &l, data_center, slow, NULL, c->router.peers.count, wish.turn);
    }
    return l.count;
}

/* --- without a node ------------------------------------------------------------------------------- */

const char *cqln_center_lacks(const cqln_cluster *c, const char *data_center)
{
    bool known = false;
    for (const cqln_node *n = c->nodes; n; n = n->next)
        if (!n->removed && cqln_node_in(n, data_center)) {
            known = true;
            if (n->local)
                return NULL;
        }
    return known ? "the session uses none of its nodes (options used_hosts_per_remote_dc, allow_hosts, deny_hosts)"
                 : "no node of it is known";
}
