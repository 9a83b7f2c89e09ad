/* encode.h: what requests of statements and of batches are made with alike. */
#ifndef CQLN_API_ENCODE_H
#define CQLN_API_ENCODE_H

#include "api/usual.h"

/* What a statement or a batch says of its execution, the session's defaults filled in. */
static inline void cqln_fill_options(cqln_cluster *c, const cqln_execution *ex, cqln_query_options *o)
{
    const cqln_config *config = c->config;
    uint32_t serial = ex->serial_consistency >= 0 ? (uint32_t)ex->serial_consistency
                                                  : config->serial_consistency;
    o->consistency =
        (uint16_t)(ex->consistency >= 0 ? (uint32_t)ex->consistency : config->consistency);
    o->serial_consistency = (uint16_t)(serial == CQLN_SERIAL_STANDARD ? 0 : serial);
    o->skip_metadata = false;
    o->tracing = ex->tracing;
    o->page_size = 0;
    o->paging_state = (cql_str){NULL, 0};
    o->keyspace = (cql_str){NULL, 0};
    o->has_timestamp = ex->has_timestamp;
    o->timestamp = ex->timestamp;
    o->has_now = false;
    o->named = false;
    o->now_in_seconds = 0;
    o->payload_count = 0;
    o->payload = (cql_str){NULL, 0};
}

/* The write time, where none was said and this side makes them. */
static inline void cqln_stamp(cqln_cluster *c, cqln_query_options *o)
{
    if (o->has_timestamp || !c->config->client_timestamps)
        return;
    o->has_timestamp = true;
    o->timestamp = cqln_write_time(c, c->alone);
}

/* And what the request itself is told of it. */
static inline void cqln_choose_execution(const cqln_execution *ex, cqln_request *req)
{
    req->steady = ex->steady;
    req->retry_policy = ex->retry_policy;
    if (ex->place) {
        req->bound = CQLN_BOUND_PROFILE;
        req->profile = ex->place;
    }
}

#endif
