/* usual.h: a prepared statement of whose execution nothing is said, made into a request: where all calls are made on one
 * thread, that costs a copy of what its executions have in common (cqln_usual), and one of its values. */
#ifndef CQLN_API_USUAL_H
#define CQLN_API_USUAL_H

#include "api/routing.h"
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
    if (s->ex.said != CQLN_SAID_NOTHING)
        return NULL;
    cql_prepared *p = s->prepared;
    cqln_hold *e = cqln_holds_entry(&c->holds, p);
    bool fits = e->prepared == p && e->usual.newest == cqln_prepared_result(p);
    return fits || cqln_usual_make(c, e, p) ? e : NULL;
}

/* As cqln_route_statement. */
static inline void cqln_route_as_usual(cqln_cluster *c, const cql_statement *s, const cqln_usual *u,
                                       cqln_route *out)
{
    uint8_t partitioner = atomic_load_explicit(&c->router.partitioner, memory_order_relaxed);
    if (u->key < 0 || partitioner != CQLN_PARTITIONER_MURMUR3) {
        cqln_route_statement(c, s, out);
        return;
    }
    out->keyspace_mark = u->keyspace;
    out->has_token = cqln_route_key(s, (uint32_t)u->key, &out->token);
}

static inline cql_status cqln_encode_as_usual(cqln_cluster *c, const cql_statement *s, cqln_hold *e,
                                              cqln_request *req)
{
    const cqln_usual *u = &e->usual;
    uint64_t whole = atomic_load_explicit(&c->router.whole_mark, memory_order_relaxed);
    if (u->keyspace == whole)
        req->route.anywhere = true;
    else if (!atomic_load_explicit(&c->router.single, memory_order_relaxed))
        cqln_route_as_usual(c, s, u, &req->route);
    size_t size = s->offsets[s->markers];
    if (cqln_front_bound(size) > req->env.cap && !cqln_envelope_grow(&req->env, cqln_front_bound(size)))
        return req->env.status;
    req->env.len = u->front.beside + size;
    e->owed++;
    req->prepared = e->prepared;
    req->known = u->known;
    uint8_t *tail = cqln_front_put(&u->front, req->env.data, s->values, size);
    if (u->front.tail == CQLN_TAIL_PAGE)
        memcpy(tail, &u->front.page, sizeof u->front.page);
    else if (u->front.tail == CQLN_TAIL_TIME)
        cqln_store_u64(tail, (uint64_t)cqln_write_time(c, true));
    return CQL_OK;
}

/* Everything but the usual. (encode.c) */
cql_status cqln_encode_long(cqln_cluster *c, const cql_statement *s, cqln_request *req);

/* As cqln_encode_statement, where all calls are made on one thread; CQL_DONE: it went well, and the request is bound. */
static inline __attribute__((always_inline)) cql_status
cqln_encode_alone(cqln_cluster *c, const cql_statement *s, cqln_request *req)
{
    if (s->unbound)
        return CQL_UNBOUND;
    req->idempotent = s->ex.idempotent;
    cqln_hold *e = cqln_usual_of(c, s);
    return e ? cqln_encode_as_usual(c, s, e, req) : cqln_encode_long(c, s, req);
}

#endif
