/* Looking for requests whose time is over. */
#include "cluster/expiry.h"

enum { LOOK_MS = 8 }; /* at least between two looks: what is over together is found together */

static void on_time(cqln_deadline *d);

void cqln_expiry_init(cqln_cluster *c)
{
    c->expiry_at = UINT64_MAX;
    cqln_deadline_init(&c->expiry, on_time);
}

void cqln_expiry_stop(cqln_cluster *c)
{
    cqln_deadline_clear(&c->loop, &c->expiry);
    c->expiry_at = UINT64_MAX;
}

void cqln_expiry_sooner(cqln_cluster *c, uint64_t at)
{
    c->expiry_at = at;
    cqln_deadline_set(&c->loop, &c->expiry, at);
}

/* Callbacks run in between and may begin requests, in records that were looked at or not: those set
 * `expiry_at` themselves. */
static void on_time(cqln_deadline *d)
{
    cqln_cluster *c = CQLN_CONTAINER(d, cqln_cluster, expiry);
    uint64_t now = cqln_loop_now(&c->loop);
    uint64_t next = UINT64_MAX;
    cqln_request *req;
    c->expiry_at = UINT64_MAX;
    for (uint32_t i = 0; (req = cqln_pool_at(&c->requests, i)) != NULL; i++) {
        uint64_t at = req->expires;
        if (at == 0)
            continue;
        if (at > now)
            next = at < next ? at : next;
        else
            cqln_request_expired(req);
    }
    if (next < now + LOOK_MS)
        next = now + LOOK_MS;
    if (next < c->expiry_at)
        cqln_expiry_sooner(c, next);
}
