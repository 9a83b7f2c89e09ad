/* expiry.h: the time-outs of requests: a number in each, and one look at all of them when the earliest
 * that was asked for has come.
 *
 * Nearly every request is answered long before its time-out, so setting it is a store and a comparison
 * and ending it a store; no list is kept. While answers come in time, all requests are looked at about
 * once per time-out. */
#ifndef CQLN_CLUSTER_EXPIRY_H
#define CQLN_CLUSTER_EXPIRY_H

#include "cluster/cluster.h"

/* Times in 32 bits of microseconds are no longer told apart beyond this, 36 minutes. */
#define CQLN_LONG_US (UINT32_C(1) << 31)

void cqln_expiry_init(cqln_cluster *c);
/* The session ends: nothing is watched any more. */
void cqln_expiry_stop(cqln_cluster *c);
/* A time-out earlier than all that are watched for. */
void cqln_expiry_sooner(cqln_cluster *c, uint64_t at);
/* A time-out has come (request.c). */
void cqln_request_expired(cqln_request *req);

/* at: milliseconds of the loop's clock, more than 0. The request is over at that time, or up to 8 ms later. */
static inline void cqln_expiry_set(cqln_request *req, uint64_t at)
{
    cqln_cluster *c = req->cluster;
    req->expires = at;
    if (at < c->expiry_at)
        cqln_expiry_sooner(c, at);
}

/* A request that begins in this turn and has no time-out of its own is over at c->turn_expires. */
void cqln_expiry_turn(cqln_cluster *c);

static inline void cqln_expiry_clear(cqln_request *req)
{
    req->expires = 0;
}

#endif
