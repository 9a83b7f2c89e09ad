/* quick.h: the choice of a connection in few steps, for most requests: the lone connection where there is but one, else
 * the less busy of two replicas, both as good as nodes can be. All others: cqln_router_pick. */
#ifndef CQLN_CLUSTER_QUICK_H
#define CQLN_CLUSTER_QUICK_H

#include "cluster/cluster.h"

/* How near nodes can be. */
static inline cqln_near cqln_router_nearest(const cqln_cluster *c)
{
    return c->config->local_rack ? CQLN_NEAR_RACK : CQLN_NEAR_LOCAL;
}

static inline uint64_t cqln_router_draw(cqln_router *r)
{
    r->random = r->random * 6364136223846793005u + 1;
    return r->random;
}

/* Two numbers below `count`, which differ unless it is 1. Of three the one behind another is as good as any. */
static inline void cqln_draw_two(uint64_t random, uint32_t count, uint32_t *a, uint32_t *b)
{
    uint32_t one = (uint32_t)((random >> 32) * count >> 32);
    uint32_t other = one + 1;
    if (__builtin_expect(count > 3, 0))
        other += (uint32_t)((random & 0xffffffff) * (count - 1) >> 32);
    *a = one;
    *b = other < count ? other : other - count;
}

/* Two of the nodes of cqln_placement_near, of which there is one. */
static inline void cqln_draw_near(uint64_t random, const uint16_t *near, uint32_t *a, uint32_t *b)
{
    uint32_t one = (uint32_t)((random >> 32) * near[0] >> 32), other = one + 1;
    if (__builtin_expect(near[0] > 3, 0))
        cqln_draw_two(random, near[0], &one, &other);
    *a = near[1 + one];
    *b = near[1 + other];
}

/* NULL: the keyspace, or where its rows are, is not known. */
static inline const cqln_placement *cqln_router_placement(cqln_cluster *c, uint64_t keyspace_mark)
{
    cqln_router *r = &c->router;
    if (keyspace_mark == r->last_mark && keyspace_mark)
        return r->last;
    if (keyspace_mark == 0)
        keyspace_mark = cqln_keyspace_mark(cql_str_of(c->keyspace));
    const cqln_keyspace *k = cqln_tokenmap_find(r->map, keyspace_mark);
    if (!k || !k->placement->replicas || r->map->ring->members > r->peers.count)
        return NULL;
    r->last_mark = keyspace_mark;
    r->last = k->placement;
    if (r->last->whole && r->quick && !r->levels)
        atomic_store_explicit(&r->whole_mark, keyspace_mark, memory_order_relaxed);
    return r->last;
}

static inline cqln_link *cqln_less_busy(const cqln_head *one, const cqln_head *other)
{
    return *other->in_flight < *one->in_flight ? other->link : one->link;
}

/* Every node has the row. Only where the load of nodes decides are there such requests. */
static inline cqln_link *cqln_router_anywhere(cqln_cluster *c)
{
    cqln_router *r = &c->router;
    uint32_t a, b;
    cqln_draw_two(cqln_router_draw(r), r->near_count, &a, &b);
    cqln_link *link = cqln_less_busy(&r->near[a], &r->near[b]);
    if (!link && r->peers.ends[CQLN_NEAR_LOCAL])
        link = cqln_router_of_two(c, r->peers.ready[a], r->peers.ready[b]);
    return link;
}

static inline __attribute__((always_inline)) cqln_link *
cqln_router_replica(cqln_cluster *c, const cqln_placement *p, uint32_t position)
{
    cqln_router *r = &c->router;
    uint32_t a, b;
    const uint16_t *near = cqln_placement_near(p, position);
    if (near[0] == 0)
        return NULL;
    cqln_draw_near(cqln_router_draw(r), near, &a, &b);
    cqln_link *link = cqln_less_busy(&r->heads[a], &r->heads[b]);
    return link ? link : cqln_router_of_two(c, a, b);
}

/* For the first attempt of a request that is bound to no node. The link may refuse it; NULL: the choice is not that
 * simple. */
static inline cqln_link *cqln_router_first(cqln_cluster *c, const cqln_route *route)
{
    if (c->router.lone)
        return c->router.lone;
    if (route->anywhere)
        return cqln_router_anywhere(c);
    if (!c->router.quick || route->conditional || !route->has_token)
        return NULL;
    const cqln_placement *p = cqln_router_placement(c, route->keyspace_mark);
    return p ? cqln_router_replica(c, p, cqln_ring_find(p->ring, route->token)) : NULL;
}

/* The same for any request. */
static inline cqln_link *cqln_router_quick(const cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    if (req->bound)
        return NULL;
    return req->tried_count ? c->router.lone : cqln_router_first_of(c, &req->route);
}

#endif
