/* record.h: the record of a request: taken and counted when one begins, given back at its end. Nearly all requests pass
 * here, hence inline; `alone` is that of the cluster, given by whoever knows it already. */
#ifndef CQLN_CLUSTER_RECORD_H
#define CQLN_CLUSTER_RECORD_H

#include "cluster/expiry.h"

#include <string.h>

enum { CQLN_ENV_KEPT = 4096 }; /* a larger block is given back with its request */

/* The rare parts (request.c). */
__attribute__((cold)) void cqln_record_none(cqln_cluster *c); /* there is no room for another */
__attribute__((cold)) void cqln_record_uncount(cqln_cluster *c, bool alone); /* what was counted does not begin */
__attribute__((cold)) cql_status cqln_record_late(cqln_cluster *c, cqln_request *req); /* it began to close meanwhile */
void cqln_record_heed(cqln_cluster *c, uint32_t left); /* a request has ended, so many are left */
void cqln_record_init(cqln_cluster *c, cqln_request *req);
void cqln_record_drop_rare(cqln_request *req);

enum {
    CQLN_FRESH_FROM = offsetof(cqln_request, route),
    CQLN_FRESH_SIZE = offsetof(cqln_request, prepared) - CQLN_FRESH_FROM
};

/* Few enough bytes that compilers make plain stores of it: a string instruction takes longer to begin than those. */
static inline void cqln_record_clean(cqln_request *req)
{
    memset((char *)req + CQLN_FRESH_FROM, 0, CQLN_FRESH_SIZE);
}

/* The same for one that need not be straight, nor have a statement. */
static inline void cqln_record_clean_all(cqln_request *req)
{
    cqln_record_clean(req);
    req->prepared = NULL;
    req->known = NULL;
    req->owner.straight = false;
    cqln_writer_reset(&req->env);
}

/* What a request that is not straight may leave behind. */
static inline void cqln_record_clean_rest(cqln_request *req)
{
    memset((char *)req + offsetof(cqln_request, only), 0, offsetof(cqln_request, env) - offsetof(cqln_request, only));
    cqln_writer_reset(&req->env);
}

/* Locked instructions are dear: on one thread a load and a store do. n wraps for what is taken off, and so
 * does the sum. Both give what there was before. The order between this count and `state` and `full` is one for
 * all threads: who counts and then sees an open session is seen by its close, and who marks it full and then
 * sees no room is seen by whoever makes some. */
static inline uint32_t cqln_count_requests(cqln_cluster *c, bool alone, uint32_t n)
{
    if (!alone)
        return atomic_fetch_add_explicit(&c->pending, n, memory_order_seq_cst);
    uint32_t before = atomic_load_explicit(&c->pending, memory_order_relaxed);
    cqln_count_few(&c->pending, n);
    return before;
}

static inline void cqln_count_bytes(cqln_cluster *c, bool alone, uint64_t n)
{
    if (alone)
        cqln_count_add(&c->pending_bytes, n);
    else
        atomic_fetch_add_explicit(&c->pending_bytes, n, memory_order_relaxed);
}

/* On one thread, free records stay with the cluster, without the pool's locked instructions. */
static inline cqln_request *cqln_record_take(cqln_cluster *c)
{
    cqln_request *req = c->spare;
    if (req) {
        c->spare = req->way.spare;
        return req;
    }
    req = cqln_pool_take(&c->requests);
    if (req && !req->cluster)
        cqln_record_init(c, req);
    return req;
}

static inline void cqln_record_rest(cqln_cluster *c, cqln_request *req)
{
    req->way.spare = c->spare;
    c->spare = req;
}

static inline void cqln_record_put(cqln_cluster *c, bool alone, cqln_request *req)
{
    cqln_record_clean_rest(req);
    if (!alone) {
        cqln_pool_put(&c->requests, req);
        return;
    }
    cqln_pool_reuse(req);
    cqln_record_rest(c, req);
}

/* As cqln_request_begin, of a cluster that was seen to be connected; the record is still to be cleaned. */
static inline __attribute__((always_inline)) cql_status cqln_record_begin_open(cqln_cluster *c, bool alone,
                                                                               cqln_request **out)
{
    if (atomic_load_explicit(&c->pending_bytes, memory_order_relaxed) >= c->max_bytes) {
        cqln_record_none(c);
        return CQL_WOULD_BLOCK;
    }
    /* Counted before it is taken, and given back before it is counted off: whoever is within the limit
     * finds a record. */
    if (cqln_count_requests(c, alone, 1) >= c->config->max_pending_requests) {
        cqln_record_uncount(c, alone);
        cqln_record_none(c);
        return CQL_WOULD_BLOCK;
    }
    cqln_request *req = cqln_record_take(c);
    if (!req) {
        cqln_record_uncount(c, alone);
        return CQL_NO_MEMORY;
    }
    if (!alone && atomic_load(&c->state) != CQLN_CLUSTER_CONNECTED)
        return cqln_record_late(c, req);
    *out = req;
    return CQL_OK;
}

static inline cql_status cqln_record_begin(cqln_cluster *c, bool alone, cqln_request **out)
{
    if (cqln_cluster_state_of(c) != CQLN_CLUSTER_CONNECTED)
        return CQL_BAD_STATE;
    cql_status st = cqln_record_begin_open(c, alone, out);
    if (st == CQL_OK)
        cqln_record_clean_all(*out);
    return st;
}

static inline bool cqln_record_has_rare(const cqln_request *req)
{
    uintptr_t any = (uintptr_t)req->members | (uintptr_t)req->tries | (uintptr_t)req->held |
                    (uintptr_t)req->race;
    return any || req->env.cap > CQLN_ENV_KEPT;
}

/* Gives the record back, all but its hold on the statement, and lets the drain callback come when somebody
 * waits for room. */
static inline __attribute__((always_inline)) void cqln_record_end(cqln_cluster *c, bool alone,
                                                                  cqln_request *req)
{
    cqln_expiry_clear(req);
    cqln_count_bytes(c, alone, 0 - (uint64_t)req->env.len);
    if (cqln_record_has_rare(req))
        cqln_record_drop_rare(req);
    cqln_record_put(c, alone, req);
    uint32_t left = cqln_count_requests(c, alone, (uint32_t)-1) - 1;
    if (alone ? c->heed : left == 0 || atomic_load(&c->full))
        cqln_record_heed(c, left);
}

/* The same for a straight one: it has nothing but its statement. Its generation stays, since nobody has a handle. */
static inline __attribute__((always_inline)) void cqln_record_end_straight(cqln_cluster *c, cqln_request *req)
{
    cqln_expiry_clear(req);
    cqln_count_bytes(c, true, 0 - (uint64_t)req->env.len);
    cqln_record_rest(c, req);
    cqln_count_few(&c->pending, (uint32_t)-1);
    if (c->heed)
        cqln_record_heed(c, atomic_load_explicit(&c->pending, memory_order_relaxed));
}

#endif
