/* The way of a request to a link: record, queue, deadline. What comes back is in answer.c. */
#include "cluster/request.h"

#include "cluster/ending.h"
#include "cluster/hooks.h"
#include "cluster/race.h"
#include "cluster/record.h"
#include "cluster/run.h"
#include "cluster/slots.h"
#include "cluster/team.h"
#include "cluster/tries.h"

#include <string.h>

enum { PICKY_MAX = 64 };

static const size_t env_max = (size_t)1 << 28;

static void on_failing(cqln_deferred *d);
static void on_mail(cqln_mail *m);

/* --- records ------------------------------------------------------------------------------------- */

void cqln_record_init(cqln_cluster *c, cqln_request *req)
{
    req->cluster = c;
    req->owner.answered = cqln_request_answered;
    req->owner.lost = cqln_request_lost;
    cqln_list_init(&req->queue);
    cqln_deferred_init(&req->failing, on_failing);
    cqln_writer_init(&req->env, c->al, env_max);
}

void cqln_record_none(cqln_cluster *c)
{
    atomic_fetch_add_explicit(&c->meter->values[CQL_METRIC_REFUSED], 1, memory_order_relaxed);
    cqln_cluster_mark_full(c);
}

/* Its place may be the one that somebody waits for, and its end the last that a close waits for. */
void cqln_record_uncount(cqln_cluster *c, bool alone)
{
    cqln_count_requests(c, alone, (uint32_t)-1);
    if ((atomic_load(&c->full) && cqln_cluster_has_room(c)) ||
        atomic_load(&c->state) == CQLN_CLUSTER_CLOSING)
        cqln_cluster_nudge(c);
}

void cqln_record_heed(cqln_cluster *c, uint32_t left)
{
    if (atomic_load(&c->full) && cqln_cluster_has_room(c))
        cqln_loop_defer(&c->loop, &c->draining);
    if (left == 0 && cqln_cluster_state_of(c) == CQLN_CLUSTER_CLOSING)
        cqln_loop_defer(&c->loop, &c->close_step);
}

cql_status cqln_record_late(cqln_cluster *c, cqln_request *req)
{
    cqln_record_put(c, c->alone, req);
    cqln_record_uncount(c, c->alone);
    return CQL_BAD_STATE;
}

cql_status cqln_request_begin(cqln_cluster *c, cqln_request **out)
{
    return cqln_record_begin(c, c->alone, out);
}

void cqln_record_drop_rare(cqln_request *req)
{
    const cql_allocator *al = req->cluster->al;
    for (size_t i = 0; i < req->member_count; i++)
        cql_prepared_unref(req->members[i]);
    if (req->members)
        cqln_free(al, req->members);
    if (req->tries)
        cqln_tries_free(al, req->tries);
    if (req->held)
        cql_result_unref(req->held);
    if (req->race)
        cqln_race_end(req);
    if (req->env.cap > CQLN_ENV_KEPT) {
        cqln_writer_fini(&req->env);
        cqln_writer_init(&req->env, req->cluster->al, env_max);
    }
}

void cqln_request_abandon(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    cqln_cluster_release(c, req->prepared);
    if (cqln_record_has_rare(req))
        cqln_record_drop_rare(req);
    cqln_record_put(c, c->alone, req);
    cqln_record_uncount(c, c->alone);
}

static void release(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    cqln_cluster_release(c, req->prepared);
    cqln_record_end(c, c->alone, req);
}

/* --- ending -------------------------------------------------------------------------------------- */

void cqln_request_fail(cqln_request *req, cql_error *err)
{
    void *session = req->cluster->session;
    cql_result_cb on_result = req->is_prepare ? NULL : req->cb.result;
    cql_prepared_cb on_prepared = req->is_prepare ? req->cb.prepared : NULL;
    void *user = req->user;
    cqln_request_ended(req, err);
    release(req);
    if (on_result)
        on_result(session, err, NULL, user);
    else if (on_prepared)
        on_prepared(session, err, NULL, user);
    cql_error_unref(err);
}

void cqln_request_fail_later(cqln_request *req, cql_error *err)
{
    req->error = err;
    req->state = CQLN_REQUEST_WAITING;
    cqln_loop_defer(&req->cluster->loop, &req->failing);
}

static void on_failing(cqln_deferred *d)
{
    cqln_request *req = CQLN_CONTAINER(d, cqln_request, failing);
    cqln_request_fail(req, req->error);
}

void cqln_request_succeed(cqln_request *req, const cql_result *res)
{
    cql_result *held = req->held;
    if (req->cluster->config->hooks)
        cqln_hooks_end(req, NULL);
    req->held = NULL;
    cqln_request_end_well(req, res, cqln_took_us(cqln_request_took_us(req)));
    if (held)
        cql_result_unref(held);
}

void cqln_request_succeed_prepared(cqln_request *req, const cql_prepared *prepared)
{
    void *session = req->cluster->session;
    cql_prepared_cb cb = req->cb.prepared;
    void *user = req->user;
    cqln_request_ended(req, NULL);
    release(req);
    cb(session, NULL, prepared, user);
}

/* --- starting ------------------------------------------------------------------------------------ */

void cqln_request_resized(cqln_request *req, size_t before)
{
    cqln_count_bytes(req->cluster, req->cluster->alone, (uint64_t)req->env.len - before);
}

static void run(cqln_cluster *c, cqln_request *req)
{
    if (c->watched || req->bound)
        cqln_request_run_carefully(c, req);
    else
        cqln_request_run_plainly(c, req);
}

void cqln_request_start(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    cqln_count_bytes(c, c->alone, req->env.len);
    if (c->config->hooks) /* `watched` is of the loop's thread */
        cqln_hooks_start(req);
    if (c->alone || c->loop.io->ops->on_loop(c->loop.io)) {
        run(c, req);
        return;
    }
    req->state = CQLN_REQUEST_MAILED;
    req->way.mail.fn = on_mail;
    cqln_loop_post(&c->loop, &req->way.mail);
}

static void on_mail(cqln_mail *m)
{
    cqln_request *req = CQLN_CONTAINER(m, cqln_request, way.mail);
    run(req->cluster, req);
}

static void note_attempt(cqln_request *req, const cqln_link *link)
{
    cqln_cluster *c = req->cluster;
    if (c->config->hooks)
        cqln_hooks_attempt(req, link);
    if (c->config->latency_awareness)
        req->sent_us = cqln_loop_us(&c->loop);
}

static bool send_on(cqln_request *req, cqln_link *link, uint32_t now_us)
{
    if (cqln_link_submit_at(link, req->env.data, req->env.len, req, &req->stream, &req->mark,
                            now_us) != CQL_OK)
        return false;
    req->link = link;
    req->last = cqln_link_node(link);
    req->state = CQLN_REQUEST_SENT;
    if (req->cluster->watched)
        note_attempt(req, link);
    cqln_request_note_node(req, req->last->id);
    return true;
}

/* False: no connection takes it now. */
static bool send(cqln_request *req, uint32_t now_us)
{
    cqln_link *link = cqln_router_quick(req);
    if (link && send_on(req, link, now_us))
        return true;
    link = cqln_router_pick(req);
    return link && send_on(req, link, now_us);
}

/* In a later turn, unless other attempts of it still run. */
static void fail_or_hold(cqln_request *req, cql_error *err)
{
    if (!req->race || !cqln_race_hold(req, err))
        cqln_request_fail_later(req, err);
}

static void wait_for_stream(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    if (!cqln_router_hope(req)) {
        fail_or_hold(req, cqln_report_no_host(c, req));
        return;
    }
    req->state = CQLN_REQUEST_WAITING;
    cqln_list_push(&c->waiting, &req->queue);
}

void cqln_request_run_carefully(cqln_cluster *c, cqln_request *req)
{
    cqln_request_clock(c, req);
    req->began_ms = c->loop.ms;
    if (req->bound & CQLN_BOUND_HOST && !(req->only = cqln_node_find(c, req->only_host))) {
        cqln_request_fail_later(req, cqln_report_unknown_node(c, req->only_host));
        return;
    }
    if (c->config->speculation)
        cqln_race_begin(req);
    cqln_request_place(req);
}

/* Others may be served before it. */
static bool choosy(const cqln_request *req)
{
    return req->only || cqln_router_picky(req);
}

/* Behind others, so that who fills streams from callbacks leaves them theirs. Where the first is choosy all the others
 * may be served without an answer to any. */
void cqln_request_place(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    cqln_request_bend(req);
    if (cqln_list_empty(&c->waiting)) {
        if (send(req, (uint32_t)cqln_loop_us(&c->loop)))
            return;
    } else if (choosy(CQLN_CONTAINER(c->waiting.next, cqln_request, queue))) {
        cqln_loop_defer(&c->loop, &c->pumping);
    }
    wait_for_stream(req);
}

/* In order, but a request bound to a busy node does not hold up the others, nor do a few that only some
 * nodes may have. */
void cqln_requests_pump(cqln_cluster *c)
{
    unsigned held_up = 0;
    uint32_t now_us = (uint32_t)cqln_loop_us(&c->loop);
    cqln_list *node = c->waiting.next;
    while (node != &c->waiting) {
        cqln_request *req = CQLN_CONTAINER(node, cqln_request, queue);
        node = node->next;
        if (send(req, now_us))
            cqln_list_remove(&req->queue);
        else if (!req->only && (!cqln_router_picky(req) || ++held_up == PICKY_MAX))
            return;
    }
}

void cqln_requests_fail_waiting(cqln_cluster *c, const cqln_node *only, cql_status st,
                                const char *why)
{
    for (cqln_list *node = c->waiting.next; node != &c->waiting;) {
        cqln_request *req = CQLN_CONTAINER(node, cqln_request, queue);
        node = node->next;
        if (!only || req->only == only) {
            cqln_list_remove(&req->queue);
            fail_or_hold(req, cqln_report_local(c, st, req, why));
        }
    }
}

/* The same holds for all that are not choosy. */
void cqln_requests_fail_hopeless(cqln_cluster *c)
{
    bool any = cqln_nodes_hope(c, NULL);
    for (cqln_list *node = c->waiting.next; node != &c->waiting;) {
        cqln_request *req = CQLN_CONTAINER(node, cqln_request, queue);
        node = node->next;
        if (!any || (choosy(req) && !cqln_router_hope(req))) {
            cqln_list_remove(&req->queue);
            fail_or_hold(req, cqln_report_no_host(c, req));
        }
    }
}

bool cqln_request_maybe_applied(const cqln_request *req)
{
    return req->in_doubt ||
           (req->state == CQLN_REQUEST_SENT && req->link &&
            cqln_link_written(req->link, req->mark)) ||
           (req->race && cqln_race_maybe_applied(req));
}

void cqln_request_bend(cqln_request *req)
{
    if (!req->owner.straight)
        return;
    req->owner.straight = false;
    if (req->route.has_token)
        req->route.keyspace_mark = req->prepared->keyspace_mark;
    if (!req->link)
        return;
    req->last = cqln_link_node(req->link);
    cqln_request_note_node(req, req->last->id);
}

/* --- giving up ----------------------------------------------------------------------------------- */

void cqln_request_detach(cqln_request *req)
{
    switch (req->state) {
    case CQLN_REQUEST_SENT:
        cqln_link_orphan(req->link, req->stream);
        break;
    case CQLN_REQUEST_WAITING:
    case CQLN_REQUEST_ASIDE:
        cqln_list_remove(&req->queue);
        break;
    case CQLN_REQUEST_MAILED:
        break;
    }
}

static void give_up(cqln_request *req, cql_status st, const char *why)
{
    cqln_cluster *c = req->cluster;
    cqln_request_bend(req);
    cqln_link *link = req->state == CQLN_REQUEST_SENT ? req->link : NULL;
    if (link)
        req->mark = UINT64_MAX; /* its bytes leave with the next flush if they have not yet */
    if (link)
        cqln_meter_count(((cqln_slot *)link->user)->node->meter, cqln_meter_class(st));
    cql_error *err = cqln_report_local(c, st, req, why);
    cqln_request_detach(req);
    if (req->race)
        cqln_race_abandon(req);
    if (link && c->config->latency_awareness)
        cqln_router_note_request(req, link);
    cqln_request_fail(req, err);
    if (link)
        cqln_slot_orphaned(link);
}

void cqln_request_expired(cqln_request *req)
{
    cqln_expiry_clear(req);
    if (req->error) /* its failure is on the way already */
        return;
    give_up(req, CQL_TIMEOUT, NULL);
}

uint64_t cqln_request_handle(cqln_request *req)
{
    return (uint64_t)cqln_pool_generation(req) << 32 | req->cluster->number << CQLN_TEAM_SHIFT |
           cqln_pool_index(req);
}

static cqln_request *find_handle(cqln_cluster *c, uint64_t handle)
{
    uint32_t index = (uint32_t)handle & ((1u << CQLN_TEAM_SHIFT) - 1);
    return cqln_pool_find(&c->requests, index, (uint32_t)(handle >> 32));
}

typedef struct cancel_mail {
    cqln_mail mail;
    cqln_cluster *cluster;
    uint64_t handle;
} cancel_mail;

static void on_cancel(cqln_mail *m)
{
    cancel_mail *cm = CQLN_CONTAINER(m, cancel_mail, mail);
    cqln_cluster *c = cm->cluster;
    cqln_request *req = find_handle(c, cm->handle);
    cqln_free(c->al, cm);
    if (req && !req->error && !req->held)
        give_up(req, CQL_CANCELLED, "the program cancelled it");
    cqln_cluster_leave(c);
}

cql_status cqln_request_cancel(cqln_cluster *c, uint64_t handle)
{
    if (!find_handle(c, handle))
        return CQL_NO_SUCH_NAME;
    cancel_mail *cm = cqln_alloc_zero(c->al, sizeof *cm);
    if (!cm)
        return CQL_NO_MEMORY;
    cm->mail.fn = on_cancel;
    cm->cluster = c;
    cm->handle = handle;
    if (cqln_cluster_send(c, &cm->mail))
        return CQL_OK;
    cqln_free(c->al, cm);
    return CQL_NO_SUCH_NAME;
}
