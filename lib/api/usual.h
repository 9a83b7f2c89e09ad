/* usual.h: a prepared statement with nothing rare said of it, made into a request: inline where statements
 * are executed. `alone` is that of the cluster, given by whoever knows it already.
 *
 * Where all calls are made on one thread, a statement of whose execution nothing is said at all costs a copy of what its
 * executions have in common (cqln_usual), and one of its values. */
#ifndef CQLN_API_USUAL_H
#define CQLN_API_USUAL_H

#include "api/routing.h"
#include "cluster/team.h"
#include "msg/encode.h"

#include <string.h>

enum { CQLN_SERIAL_STANDARD = 8 }; /* what the server takes when none is sent */

/* All other statements: with options that few set, or not prepared (encode.c). */
cql_status cqln_encode_unusual(cqln_cluster *c, const cql_statement *s, const cqln_metadata *known,
                               cqln_request *req);

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

/* Ids, consistency, flags, values, and the page size of a question or the write time of a statement without an answer.
 * Made once for each version, so that none is looked at on the way. */
static inline __attribute__((always_inline)) cql_status
cqln_put_usual(cqln_cluster *c, bool alone, const cql_statement *s, uint8_t version,
               const cqln_metadata *known, cqln_request *req)
{
    const cqln_config *config = c->config;
    const cql_prepared *prepared = s->prepared;
    cql_str metadata_id = version >= 5 && known ? known->id : (cql_str){"", 0};
    uint32_t size = s->offsets[s->markers];
    uint8_t *p = cqln_envelope_open(&req->env, (uint64_t)CQLN_OPTIONS_FIXED + prepared->id.len +
                                                   metadata_id.len + size);
    if (!p)
        return req->env.status;
    p = cqln_put_id(p, prepared->id);
    if (version >= 5)
        p = cqln_put_id(p, metadata_id);
    uint8_t *options = p;
    uint32_t flags = req->known ? CQLN_OPTION_SKIP_METADATA : 0;
    p = cqln_put_consistency(p, version,
                             (uint16_t)(s->ex.consistency >= 0 ? (uint32_t)s->ex.consistency
                                                               : config->consistency));
    if (s->markers) {
        flags |= CQLN_OPTION_VALUES;
        p = cqln_put_u16(p, (uint16_t)s->markers);
        memcpy(p, s->values, size);
        p += size;
    }
    if (!known || known->count > 0) {
        flags |= CQLN_OPTION_PAGE_SIZE;
        p = cqln_put_u32(p, s->ex.page_size ? (uint32_t)s->ex.page_size : config->page_size);
    } else if (config->client_timestamps) {
        flags |= CQLN_OPTION_TIMESTAMP;
        cqln_store_u64(p, (uint64_t)cqln_write_time(c, alone));
        p += 8;
    }
    cqln_put_flags(options, version, flags);
    return cqln_envelope_close(&req->env, version, 0, CQLN_OP_EXECUTE, p);
}

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

/* As cqln_encode_statement. */
static inline __attribute__((always_inline)) cql_status
cqln_encode(cqln_cluster *c, bool alone, const cql_statement *s, cqln_request *req)
{
    if (s->unbound)
        return CQL_UNBOUND;
    req->idempotent = s->ex.idempotent;
    cqln_hold *e = alone ? cqln_usual_of(c, s) : NULL;
    if (e)
        return cqln_encode_as_usual(c, s, e, req);
    req->timeout_ms = s->ex.timeout_ms;
    if (!atomic_load_explicit(&c->router.single, memory_order_relaxed) &&
        !cqln_route_anywhere(c, s, &req->route))
        cqln_route_statement(c, s, &req->route);
    if (!s->prepared)
        return cqln_encode_unusual(c, s, NULL, req);
    uint8_t version = cqln_version_of(c);
    cqln_metadata *known = cqln_prepared_result(s->prepared);
    if (cqln_result_is_known(s->prepared, known, version))
        req->known = known;
    req->prepared = cqln_cluster_hold(c, alone, s->prepared);
    if (s->ex.said == CQLN_SAID_RARE || c->config->serial_consistency != CQLN_SERIAL_STANDARD)
        return cqln_encode_unusual(c, s, known, req);
    return version >= 5 ? cqln_put_usual(c, alone, s, 5, known, req)
                        : cqln_put_usual(c, alone, s, 4, known, req);
}

#endif
