/* usual.h: a prepared statement with nothing unusual said of it, made into a request: inline where statements
 * are executed. `alone` is that of the cluster, given by whoever knows it already. */
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

/* As cqln_encode_statement. */
static inline __attribute__((always_inline)) cql_status
cqln_encode(cqln_cluster *c, bool alone, const cql_statement *s, cqln_request *req)
{
    if (s->unbound)
        return CQL_UNBOUND;
    req->idempotent = s->ex.idempotent;
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
    if (s->ex.unusual || c->config->serial_consistency != CQLN_SERIAL_STANDARD)
        return cqln_encode_unusual(c, s, known, req);
    return version >= 5 ? cqln_put_usual(c, alone, s, 5, known, req)
                        : cqln_put_usual(c, alone, s, 4, known, req);
}

#endif
