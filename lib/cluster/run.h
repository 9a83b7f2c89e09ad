/* run.h: a request on its way to a connection, on the loop's thread: inline, since nearly all pass here once. */
#ifndef CQLN_CLUSTER_RUN_H
#define CQLN_CLUSTER_RUN_H

#include "cluster/expiry.h"
#include "cluster/quick.h"

/* The parts for those that need more (request.c). */
void cqln_request_run_carefully(cqln_cluster *c, cqln_request *req);

/* Its time begins. */
static inline void cqln_request_clock(cqln_cluster *c, cqln_request *req)
{
    uint32_t timeout = req->timeout_ms ? req->timeout_ms : c->config->request_timeout;
    req->began_us = (uint32_t)cqln_loop_us(&c->loop);
    cqln_meter_count(c->meter, CQL_METRIC_REQUESTS);
    cqln_expiry_set(req, c->loop.ms + timeout); /* as of began_us */
}

/* The same for one without a time-out of its own, where many begin in one turn. */
static inline void cqln_request_clock_usual(cqln_cluster *c, cqln_request *req)
{
    if (c->loop.us != c->turn_us || !c->loop.io->inside)
        cqln_expiry_turn(c);
    req->began_us = (uint32_t)c->turn_us;
    req->expires = c->turn_expires;
    cqln_meter_count(c->meter, CQL_METRIC_REQUESTS);
}

/* Its first attempt. Not watched, and bound to no node; link: of cqln_router_first. */
static inline __attribute__((always_inline)) void cqln_request_run_on(cqln_cluster *c, cqln_request *req,
                                                                      cqln_link *link, bool straight)
{
    if (!cqln_list_empty(&c->waiting) || !link ||
        cqln_link_submit_at(link, req->env.data, req->env.len, req, &req->stream, &req->mark,
                            req->began_us) != CQL_OK) {
        req->owner.straight = straight;
        cqln_request_place(req);
        return;
    }
    req->link = link;
    req->state = CQLN_REQUEST_SENT;
    req->owner.straight = straight;
    if (straight)
        return;
    req->last = cqln_link_node(link);
    req->tried_count = 1;
    req->tried[0] = req->last->id;
}

static inline void cqln_request_run_plainly(cqln_cluster *c, cqln_request *req)
{
    cqln_request_clock(c, req);
    cqln_request_run_on(c, req, cqln_router_first(c, &req->route), false);
}

#endif
