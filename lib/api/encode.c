/* From statements to requests: the session's defaults filled in, one pass into the request's block. */
#include "api/encode.h"

#include <string.h>

static inline void page(cqln_cluster *c, const cql_statement *s, cqln_query_options *o)
{
    o->page_size = s->ex.page_size ? s->ex.page_size : (int32_t)c->config->page_size;
    o->paging_state = (cql_str){s->paging_state, s->paging_state_len};
}

/* Values that are elsewhere go to their places: behind the payload, what names the statement,
 * [consistency], flags and the number of values. `names` is the size of the names on the wire. */
static cql_status splice(const cql_statement *s, uint8_t version, const cqln_query_options *o,
                         size_t names, cqln_request *req)
{
    if (!s->ex.extra || !cqln_extra_has_pieces(s))
        return CQL_OK;
    size_t at = CQLN_FRAME_HEADER + (o->payload_count ? 2 + o->payload.len : 0) + names;
    return cqln_extra_splice(s, &req->env, at + 2 + (version >= 5 ? 4 : 1) + 2);
}

/* Statements with options that few set. */
static __attribute__((noinline)) cql_status put_unusual(cqln_cluster *c, const cql_statement *s,
                              const cqln_metadata *known, cqln_request *req)
{
    uint8_t version = cqln_version_of(c);
    cqln_query_options o;
    cqln_values_bytes values = cqln_statement_values(s);
    cqln_fill_options(c, &s->ex, &o);
    if (!known || known->count > 0)
        page(c, s, &o);
    else
        cqln_stamp(c, &o);
    o.skip_metadata = req->known != NULL;
    cql_str id = s->prepared->id;
    cql_str metadata_id = known ? known->id : (cql_str){"", 0};
    cql_status st = s->ex.extra ? cqln_extra_fill(s->ex.extra, version, &o) : CQL_OK;
    if (st == CQL_OK)
        st = cqln_put_execute(&req->env, version, id, metadata_id, &o, &values);
    size_t names = 2 + id.len + (version >= 5 ? 2 + metadata_id.len : 0);
    return st ? st : splice(s, version, &o, names, req);
}

static cql_status encode_named(cqln_cluster *c, const cql_statement *s, cqln_query_options *o,
                               cqln_request *req)
{
    cqln_writer wr;
    cqln_writer_init(&wr, s->al, INT32_MAX);
    o->named = true;
    cql_status st = cqln_extra_write_values(s, true, &wr);
    cqln_values_bytes values = {(uint16_t)s->markers, {(const char *)wr.data, wr.len}};
    if (st == CQL_OK)
        st = cqln_encode_query(&req->env, cqln_version_of(c), cql_str_of(s->cql), o, &values);
    cqln_writer_fini(&wr);
    return st;
}

static cql_status encode_unprepared(cqln_cluster *c, const cql_statement *s, cqln_request *req)
{
    cqln_query_options o;
    cqln_values_bytes values = cqln_statement_values(s);
    cqln_fill_options(c, &s->ex, &o);
    page(c, s, &o);
    cqln_stamp(c, &o);
    cql_str cql = cql_str_of(s->cql);
    uint8_t version = cqln_version_of(c);
    cql_status st = s->ex.extra ? cqln_extra_fill(s->ex.extra, version, &o) : CQL_OK;
    if (st)
        return st;
    if (s->ex.extra && s->ex.extra->named)
        return s->ex.extra->named == s->markers ? encode_named(c, s, &o, req) : CQL_BAD_STATE;
    st = cqln_encode_query(&req->env, version, cql, &o, &values);
    return st ? st : splice(s, version, &o, 4 + cql.len, req);
}

static cql_status encode_unusual(cqln_cluster *c, const cql_statement *s, const cqln_metadata *known,
                                 cqln_request *req)
{
    cqln_choose_execution(&s->ex, req);
    return s->prepared ? put_unusual(c, s, known, req) : encode_unprepared(c, s, req);
}

/* Ids, consistency, flags, values, and the page size of a question or the write time of a statement without an answer.
 * Made once for each version, so that none is looked at on the way. */
static inline __attribute__((always_inline)) cql_status
put_usual(cqln_cluster *c, const cql_statement *s, uint8_t version, const cqln_metadata *known,
          cqln_request *req)
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
        cqln_store_u64(p, (uint64_t)cqln_write_time(c, c->alone));
        p += 8;
    }
    cqln_put_flags(options, version, flags);
    return cqln_envelope_close(&req->env, version, 0, CQLN_OP_EXECUTE, p);
}

cql_status cqln_encode_long(cqln_cluster *c, const cql_statement *s, cqln_request *req)
{
    if (s->unbound)
        return CQL_UNBOUND;
    req->idempotent = s->ex.idempotent;
    req->timeout_ms = s->ex.timeout_ms;
    if (!atomic_load_explicit(&c->router.single, memory_order_relaxed) &&
        !cqln_route_anywhere(c, s, &req->route))
        cqln_route_statement(c, s, &req->route);
    if (!s->prepared)
        return encode_unusual(c, s, NULL, req);
    uint8_t version = cqln_version_of(c);
    cqln_metadata *known = cqln_prepared_result(s->prepared);
    if (!known && cqln_prepared_retired(s->prepared))
        return CQL_PREPARED_CHANGED;
    if (cqln_result_is_known(s->prepared, known, version))
        req->known = known;
    req->prepared = cqln_cluster_hold(c, c->alone, s->prepared);
    if (s->ex.said == CQLN_SAID_RARE || c->config->serial_consistency != CQLN_SERIAL_STANDARD)
        return encode_unusual(c, s, known, req);
    return version >= 5 ? put_usual(c, s, 5, known, req) : put_usual(c, s, 4, known, req);
}

cql_status cqln_encode_statement(cqln_cluster *c, const cql_statement *s, cqln_request *req)
{
    cqln_hold *e = c->alone ? cqln_usual_of(c, s) : NULL;
    if (!e)
        return cqln_encode_long(c, s, req);
    size_t bound = cqln_usual_bound(s);
    if (bound > req->env.cap && !cqln_envelope_grow(&req->env, bound))
        return req->env.status;
    cqln_usual_route(c, s, &e->usual, &req->route);
    cqln_usual_encode(c, s, e, req);
    return CQL_OK;
}

void cqln_route_level(cqln_cluster *c, int32_t level, cqln_route *out)
{
    uint32_t l = level >= 0 ? (uint32_t)level : c->config->consistency;
    out->local_only = l == CQL_CONSISTENCY_LOCAL_ONE || l == CQL_CONSISTENCY_LOCAL_QUORUM ||
                      l == CQL_CONSISTENCY_LOCAL_SERIAL;
    out->conditional = l == CQL_CONSISTENCY_SERIAL || l == CQL_CONSISTENCY_LOCAL_SERIAL;
}

cql_status cqln_encode_text(cqln_cluster *c, cql_str cql, cqln_request *req)
{
    cqln_query_options o;
    cqln_execution ex;
    cqln_values_bytes none = {0, {NULL, 0}};
    cqln_execution_init(&ex);
    cqln_fill_options(c, &ex, &o);
    o.page_size = (int32_t)c->config->page_size;
    cqln_stamp(c, &o);
    cqln_route_level(c, -1, &req->route);
    return cqln_encode_query(&req->env, cqln_version_of(c), cql, &o, &none);
}
