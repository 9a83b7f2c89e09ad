/* usual.h: a prepared statement of whose execution nothing is said, made into a request: where all calls are made on one
 * thread, that costs a copy of what its executions have in common (cqln_usual), and one of its values. */
#ifndef CQLN_API_USUAL_H
#define CQLN_API_USUAL_H

#include "api/loops.h"
#include "api/routing.h"
#include "cluster/record.h"
#include "cluster/run.h"
#include "cluster/team.h"
#include "msg/encode.h"

#include <string.h>

enum { CQLN_SERIAL_STANDARD = 8 }; /* what the server takes when none is sent */

static inline uint8_t cqln_version_of(cqln_cluster *c)
{
    return (uint8_t)atomic_load_explicit(&c->version, memory_order_relaxed);
}

static inline int64_t cqln_write_time(cqln_cluster *c, bool alone)
{
    int64_t now = c->loop.io->ops->wall_us(c->loop.io);
    return alone ? cqln_clock_next_alone(&c->clock, now) : cqln_clock_next(cqln_team_clock(c), now);
}

/* Makes the usual of p anew, and with it the entry. False: there is none for it, or no memory. (usual.c) */
__attribute__((cold)) bool cqln_usual_make(cqln_cluster *c, cqln_hold *e, cql_prepared *p);

/* Rows are asked for without their metadata when the one known here is sure to fit: on v5 the server
 * compares the ids; v4 cannot, so a statement with a `*` always brings it. */
static inline bool cqln_result_is_known(const cql_prepared *p, const cqln_metadata *known,
                                        uint8_t version)
{
    return known && known->count > 0 && (version >= 5 ? known->id.len > 0 : !p->select_star);
}

/* The usual of a statement, NULL when there is none that would do. The protocol's version does not change once the
 * session is connected. */
static inline cqln_hold *cqln_usual_of(cqln_cluster *c, const cql_statement *s)
{
    if (s->ex.said != CQLN_SAID_NOTHING || s->unbound)
        return NULL;
    cql_prepared *p = s->prepared;
    cqln_hold *e = cqln_holds_entry(&c->holds, p);
    bool fits = e->prepared == p && e->usual.newest == cqln_prepared_result(p) && e->usual.age == c->router.age;
    return fits || cqln_usual_make(c, e, p) ? e : NULL;
}

/* Is e the usual of a statement, and is all the rest that requests have to be asked usual too? */
static inline bool cqln_usual_fits(const cqln_cluster *c, const cqln_hold *e, const cql_statement *s)
{
    return (s->ex.said | s->unbound) == 0 && e->prepared == s->prepared &&
           e->usual.newest == cqln_prepared_result(s->prepared) && e->usual.age == c->usual_age;
}

/* As cqln_route_statement. */
static inline void cqln_usual_route(cqln_cluster *c, const cql_statement *s, const cqln_usual *u,
                                    cqln_route *out)
{
    if (u->way == CQLN_WAY_ANYWHERE)
        out->anywhere = true;
    else if (u->way != CQLN_WAY_NONE)
        cqln_route_statement(c, s, out);
}

/* As cqln_route_key, for the commonest key without a call. */
static inline bool cqln_usual_key(const cql_statement *s, uint32_t marker, cqln_token *token)
{
    const uint32_t *at = s->offsets + marker;
    if (at[1] - at[0] != 4 + 8)
        return cqln_route_key(s, marker, token);
    *token = cqln_token_hash(cqln_murmur3_eight(s->values + at[0] + 4));
    return true;
}

/* The same with the connection for the first attempt, as cqln_router_first. */
static inline __attribute__((always_inline)) cqln_link *
cqln_usual_link(cqln_cluster *c, const cql_statement *s, const cqln_usual *u, cqln_route *out)
{
    cqln_token token;
    if (u->way != CQLN_WAY_REPLICA) {
        cqln_usual_route(c, s, u, out);
        return c->router.lone ? c->router.lone : cqln_router_first_of(c, out);
    }
    if (!cqln_usual_key(s, u->key, &token))
        return NULL;
    out->token.hi = token.hi;
    out->has_token = true; /* of which keyspace: cqln_request_bend */
    return cqln_router_replica(c, u->placement, cqln_ring_search(u->placement->ring, token.hi));
}

static inline size_t cqln_usual_bound(const cql_statement *s)
{
    return cqln_front_bound(s->offsets[s->markers]);
}

/* All but where it goes, into an env with room for that much; how long that became. */
static inline size_t cqln_usual_encode(cqln_cluster *c, const cql_statement *s, cqln_hold *e, cqln_request *req)
{
    const cqln_usual *u = &e->usual;
    size_t size = s->offsets[s->markers];
    req->idempotent = s->ex.idempotent;
    size_t len = u->front.beside + size;
    req->env.len = len;
    e->owed++;
    req->prepared = e->prepared;
    req->known = u->known;
    uint8_t *tail = cqln_front_put(&u->front, req->env.data, s->values, size);
    if (u->front.tail == CQLN_TAIL_PAGE)
        memcpy(tail, &u->front.page, sizeof u->front.page);
    else if (u->front.tail == CQLN_TAIL_TIME)
        cqln_store_u64(tail, (uint64_t)cqln_write_time(c, true));
    return len;
}

/* Everything but the usual. (encode.c) */
cql_status cqln_encode_long(cqln_cluster *c, const cql_statement *s, cqln_request *req);

/* The commonest call where all is on one thread: from the statement to the connection's buffer in one function. e: fits.
 * A record that has no room for so much is given it on the other way. */
static inline __attribute__((always_inline)) cql_status
cqln_execute_usual(cqln_cluster *c, const cql_statement *s, cqln_hold *e, cql_result_cb cb, void *user)
{
    cqln_request *req;
    cql_status st = cqln_record_begin_open(c, true, &req);
    if (st)
        return st;
    cqln_record_clean(req);
    if (cqln_usual_bound(s) > req->env.cap) {
        cqln_record_clean_all(req);
        cqln_request_abandon(req);
        return cqln_execute_on(c, s, NULL, NULL, cb, user);
    }
    req->cb.result = cb;
    req->user = user;
    cqln_count_bytes(c, true, cqln_usual_encode(c, s, e, req));
    cqln_request_clock_usual(c, req);
    cqln_request_run_on(c, req, cqln_usual_link(c, s, &e->usual, &req->route), true);
    return CQL_OK;
}

#endif
