/* run.h: a request on its way to a connection, on the loop's thread: inline, since nearly all pass here once. */
#ifndef CQLN_CLUSTER_RUN_H
#define CQLN_CLUSTER_RUN_H

#include "cluster/expiry.h"
#include "cluster/quick.h"
#include "cluster/race.h"

/* The parts for those that need more (request.c). */
void cqln_request_note_attempt(cqln_request *req, const cqln_link *link); /* with c->watched */
bool cqln_request_send_carefully(cqln_request *req, uint32_t now_us);
void cqln_request_wait(cqln_request *req);

static inline bool cqln_request_send_on(cqln_request *req, cqln_link *link, uint32_t now_us)
{
    if (cqln_link_submit_at(link, req->env.data, req->env.len, req, &req->stream, &req->mark,
                            now_us) != CQL_OK)
        return false;
    req->link = link;
    req->last = cqln_link_node(link);
    req->state = CQLN_REQUEST_SENT;
    if (req->cluster->watched)
        cqln_request_note_attempt(req, link);
    cqln_request_note_node(req, req->last->id);
    return true;
}

/* False: no connection takes it now. */
static inline bool cqln_request_send(cqln_request *req, uint32_t now_us)
{
    cqln_link *link = cqln_router_quick(req);
    return (link && cqln_request_send_on(req, link, now_us)) ||
           cqln_request_send_carefully(req, now_us);
}

static inline __attribute__((always_inline)) void cqln_request_run(cqln_cluster *c, cqln_request *req)
{
    uint32_t timeout = req->timeout_ms ? req->timeout_ms : c->config->request_timeout;
    req->began_us = (uint32_t)cqln_loop_us(&c->loop);
    cqln_meter_count(c->meter, CQL_METRIC_REQUESTS);
    cqln_expiry_set(req, c->loop.ms + timeout); /* as of began_us */
    c->counts.started++;
    if (req->has_only_host && !(req->only = cqln_node_find(c, req->only_host))) {
        cqln_request_fail_later(req, cqln_report_unknown_node(c, req->only_host));
        return;
    }
    if (c->config->speculation)
        cqln_race_begin(req);
    if (!cqln_list_empty(&c->waiting) || !cqln_request_send(req, req->began_us))
        cqln_request_wait(req);
}

#endif
