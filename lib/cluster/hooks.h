/* hooks.h: telling a program's hooks about its requests, and counting how they end. */
#ifndef CQLN_CLUSTER_HOOKS_H
#define CQLN_CLUSTER_HOOKS_H

#include "cluster/cluster.h"

#include <cqlnative/error.h>

/* Only while there are hooks. */
void cqln_hooks_start(cqln_request *req); /* [any thread] */
void cqln_hooks_attempt(cqln_request *req, const cqln_link *link);
void cqln_hooks_end(cqln_request *req, const cql_error *err);

static inline uint32_t cqln_request_took_us(const cqln_request *req)
{
    return (uint32_t)cqln_loop_us(&req->cluster->loop) - req->began_us;
}

/* err: NULL when it went well. */
static inline void cqln_request_ended(cqln_request *req, const cql_error *err)
{
    cqln_cluster *c = req->cluster;
    if (err)
        cqln_meter_count(c->meter, cqln_meter_class(cql_error_status(err)));
    else
        cqln_meter_latency(c->meter, cqln_request_took_us(req));
    if (c->watched && c->config->hooks)
        cqln_hooks_end(req, err);
}

#endif
