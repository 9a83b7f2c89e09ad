/* Looking for requests whose time is over. */
#include "cluster/expiry.h"

#include "net/link.h"

enum {
    LOOK_MS = 8,         /* at least between two looks: what is over together is found together */
    LOOK_MOST_MS = 1800000 /* and at most, so that no time in 32 bits of microseconds wraps unseen */
};

static void on_time(cqln_deadline *d);

/* Nothing is watched for. */
static void forget(cqln_cluster *c)
{
    c->expiry_at = UINT64_MAX;
    c->turn_us = UINT64_MAX;
}

void cqln_expiry_init(cqln_cluster *c)
{
    forget(c);
    cqln_deadline_init(&c->expiry, on_time);
}

void cqln_expiry_stop(cqln_cluster *c)
{
    cqln_deadline_clear(&c->loop, &c->expiry);
    forget(c);
}

void cqln_expiry_turn(cqln_cluster *c)
{
    c->turn_us = cqln_loop_us(&c->loop);
    c->turn_expires = c->loop.ms + c->config->request_timeout;
    if (c->turn_expires < c->expiry_at)
        cqln_expiry_sooner(c, c->turn_expires);
}

void cqln_expiry_sooner(cqln_cluster *c, uint64_t at)
{
    uint64_t latest = cqln_loop_now(&c->loop) + LOOK_MOST_MS;
    if (at > latest)
        at = latest;
    c->expiry_at = at;
    cqln_deadline_set(&c->loop, &c->expiry, at);
}

/* Of what is under way for longer than that, 36 minutes, it is forgotten how much: its latency counts as long then, and
 * not as what is left of 71 minutes. */
static void keep_long(uint32_t *began_us, uint32_t now_us)
{
    if (now_us - *began_us > CQLN_LONG_US)
        *began_us = now_us - CQLN_LONG_US;
}

static void note_age(cqln_request *req)
{
    uint32_t now_us = (uint32_t)cqln_loop_us(&req->cluster->loop);
    keep_long(&req->began_us, now_us);
    if (req->state == CQLN_REQUEST_SENT)
        keep_long(&req->link->stamps[req->stream], now_us);
}

/* Callbacks run in between and may begin requests, in records that were looked at or not: those set
 * `expiry_at` themselves. */
static void on_time(cqln_deadline *d)
{
    cqln_cluster *c = CQLN_CONTAINER(d, cqln_cluster, expiry);
    uint64_t now = cqln_loop_now(&c->loop);
    uint64_t next = UINT64_MAX;
    cqln_request *req;
    forget(c);
    for (uint32_t i = 0; (req = cqln_pool_at(&c->requests, i)) != NULL; i++) {
        uint64_t at = req->expires;
        if (at == 0)
            continue;
        if (at <= now) {
            cqln_request_expired(req);
            continue;
        }
        note_age(req);
        next = at < next ? at : next;
    }
    if (next < now + LOOK_MS)
        next = now + LOOK_MS;
    if (next < c->expiry_at)
        cqln_expiry_sooner(c, next);
}
