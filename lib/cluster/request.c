/* The way of a request to a link: record, queue, deadline. What comes back is in answer.c. */
#include "cluster/request.h"

#include "cluster/expiry.h"
#include "cluster/hooks.h"
#include "cluster/race.h"
#include "cluster/slots.h"
#include "cluster/team.h"
#include "cluster/tries.h"

#include <string.h>

enum { PICKY_MAX = 64 };
enum { ENV_KEPT = 4096 }; /* a larger block is given back with its request */

static const size_t env_max = (size_t)1 << 28;

static void on_failing(cqln_deferred *d);
static void on_mail(cqln_mail *m);

/* --- records ------------------------------------------------------------------------------------- */

static void init_record(cqln_cluster *c, cqln_request *req)
{
    req->cluster = c;
    req->owner.answered = cqln_request_answered;
    req->owner.lost = cqln_request_lost;
    cqln_list_init(&req->queue);
    cqln_deferred_init(&req->failing, on_failing);
    cqln_writer_init(&req->env, c->al, env_max);
}

enum {
    FRESH_FROM = offsetof(cqln_request, route),
    FRESH_SIZE = offsetof(cqln_request, env) - FRESH_FROM,
    STEP = 64,
    FRESH_1 = FRESH_SIZE < STEP ? FRESH_SIZE : STEP,
    FRESH_2 = FRESH_SIZE - FRESH_1 < STEP ? FRESH_SIZE - FRESH_1 : STEP,
    FRESH_3 = FRESH_SIZE - FRESH_1 - FRESH_2
};

/* In steps that compilers make plain stores of; one for all of it would become a string instruction, which
 * takes longer to begin than all the stores. */
static inline void clean_record(cqln_request *req)
{
    char *at = (char *)req + FRESH_FROM;
    memset(at, 0, FRESH_1);
    memset(at + FRESH_1, 0, FRESH_2);
    memset(at + FRESH_1 + FRESH_2, 0, FRESH_3);
    cqln_writer_reset(&req->env);
}

/* Locked instructions are dear: on one thread a load and a store do. n wraps for what is taken off, and so
 * does the sum. Both give what there was before. */
static inline uint32_t count_requests(cqln_cluster *c, uint32_t n)
{
    if (!c->alone)
        return atomic_fetch_add_explicit(&c->pending, n, memory_order_acq_rel);
    uint32_t before = atomic_load_explicit(&c->pending, memory_order_relaxed);
    atomic_store_explicit(&c->pending, before + n, memory_order_relaxed);
    return before;
}

static inline uint64_t count_bytes(cqln_cluster *c, uint64_t n)
{
    if (!c->alone)
        return atomic_fetch_add_explicit(&c->pending_bytes, n, memory_order_relaxed);
    uint64_t before = atomic_load_explicit(&c->pending_bytes, memory_order_relaxed);
    atomic_store_explicit(&c->pending_bytes, before + n, memory_order_relaxed);
    return before;
}

/* On one thread, free records stay here, without the pool's locked instructions. */
static inline cqln_request *take_record(cqln_cluster *c)
{
    cqln_request *req = c->spare;
    if (!req)
        return cqln_pool_take(&c->requests);
    c->spare = req->way.spare;
    return req;
}

static inline void put_record(cqln_cluster *c, cqln_request *req)
{
    if (!c->alone) {
        cqln_pool_put(&c->requests, req);
        return;
    }
    cqln_pool_reuse(req);
    req->way.spare = c->spare;
    c->spare = req;
}

static cql_status would_block(cqln_cluster *c)
{
    atomic_fetch_add_explicit(&c->meter->values[CQL_METRIC_REFUSED], 1, memory_order_relaxed);
    cqln_cluster_mark_full(c);
    return CQL_WOULD_BLOCK;
}

cql_status cqln_request_begin(cqln_cluster *c, cqln_request **out)
{
    if (cqln_cluster_state_of(c) != CQLN_CLUSTER_CONNECTED)
        return CQL_BAD_STATE;
    if (atomic_load_explicit(&c->pending_bytes, memory_order_relaxed) >=
        c->config->max_pending_bytes)
        return would_block(c);
    /* Counted before it is taken, and given back before it is counted off: whoever is within the limit
     * finds a record. */
    if (count_requests(c, 1) >= c->config->max_pending_requests) {
        count_requests(c, (uint32_t)-1);
        return would_block(c);
    }
    cqln_request *req = take_record(c);
    if (!req) {
        count_requests(c, (uint32_t)-1);
        return CQL_NO_MEMORY;
    }
    if (!req->cluster)
        init_record(c, req);
    clean_record(req);
    *out = req;
    return CQL_OK;
}

static void drop_rare_parts(cqln_request *req)
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
    if (req->env.cap > ENV_KEPT) {
        cqln_writer_fini(&req->env);
        cqln_writer_init(&req->env, req->cluster->al, env_max);
    }
}

static inline bool has_rare_parts(const cqln_request *req)
{
    uintptr_t any = (uintptr_t)req->members | (uintptr_t)req->tries | (uintptr_t)req->held |
                    (uintptr_t)req->race;
    return any || req->env.cap > ENV_KEPT;
}

void cqln_request_abandon(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    cqln_cluster_release(c, req->prepared);
    if (has_rare_parts(req))
        drop_rare_parts(req);
    put_record(c, req);
    count_requests(c, (uint32_t)-1);
}

/* Gives the record back, all but its hold on the statement, and lets the drain callback come when somebody
 * waits for room. */
static inline __attribute__((always_inline)) void give_back(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    cqln_expiry_clear(req);
    count_bytes(c, 0 - (uint64_t)req->env.len);
    if (has_rare_parts(req))
        drop_rare_parts(req);
    put_record(c, req);
    uint32_t left = count_requests(c, (uint32_t)-1) - 1;
    if (atomic_load_explicit(&c->full, memory_order_relaxed) && cqln_cluster_has_room(c))
        cqln_loop_defer(&c->loop, &c->draining);
    if (left == 0 && cqln_cluster_state_of(c) == CQLN_CLUSTER_CLOSING)
        cqln_loop_defer(&c->loop, &c->close_step);
}

static void release(cqln_request *req)
{
    cqln_cluster_release(req->cluster, req->prepared);
    give_back(req);
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

/* The record goes back before the callback, which may fill its place at once; the statement stays,
 * since the result reads its metadata. */
void cqln_request_succeed(cqln_request *req, const cql_result *res)
{
    cqln_cluster *c = req->cluster;
    cql_result_cb cb = req->cb.result;
    void *user = req->user;
    cql_prepared *prepared = req->prepared;
    cql_result *held = req->held;
    cqln_request_ended(req, NULL);
    req->held = NULL;
    give_back(req);
    if (cb)
        cb(c->session, NULL, res, user);
    cqln_cluster_release(c, prepared);
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
    count_bytes(req->cluster, (uint64_t)req->env.len - before);
}

static inline __attribute__((always_inline)) void run(cqln_request *req);

void cqln_request_start(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    count_bytes(c, req->env.len);
    if (c->watched && c->config->hooks)
        cqln_hooks_start(req);
    if (c->alone || c->loop.io->ops->on_loop(c->loop.io)) {
        run(req);
        return;
    }
    req->state = CQLN_REQUEST_MAILED;
    req->way.mail.fn = on_mail;
    cqln_loop_post(&c->loop, &req->way.mail);
}

static void on_mail(cqln_mail *m)
{
    run(CQLN_CONTAINER(m, cqln_request, way.mail));
}

static inline bool try_send(cqln_request *req, uint32_t now_us);
static void wait_for_stream(cqln_request *req);

static inline void run(cqln_request *req) /* inlined in both places: nearly all requests pass here */
{
    cqln_cluster *c = req->cluster;
    uint32_t timeout = req->timeout_ms ? req->timeout_ms : c->config->request_timeout;
    req->began_us = (uint32_t)cqln_loop_us(&c->loop);
    cqln_meter_count(c->meter, CQL_METRIC_REQUESTS);
    cqln_expiry_set(req, c->loop.ms + timeout); /* as of began_us */
    c->counts.started++;
    if (req->has_only_host && !(req->only = cqln_node_find(c, req->only_host))) {
        cqln_request_fail_later(req, cqln_report_unknown_node(c, req->only_host));
        return;
    }
    if (c->config->speculation && req->idempotent)
        cqln_race_begin(req);
    if (!cqln_list_empty(&c->waiting) || !try_send(req, req->began_us))
        wait_for_stream(req);
}

static __attribute__((noinline)) void note_attempt(cqln_request *req, const cqln_link *link)
{
    const cqln_cluster *c = req->cluster;
    if (c->config->hooks)
        cqln_hooks_attempt(req, link);
    if (c->config->latency_awareness)
        req->sent_us = c->loop.io->ops->wall_us(c->loop.io);
}

/* Without a free stream on the lone connection the request has to wait: there is no other. */
static inline cqln_link *pick(cqln_request *req)
{
    const cqln_slot *lone = req->cluster->router.lone;
    return lone && !req->only && cqln_slot_usable(lone) ? lone->link : cqln_router_pick(req);
}

static inline bool try_send(cqln_request *req, uint32_t now_us)
{
    cqln_link *link = pick(req);
    if (!link || cqln_link_submit_at(link, req->env.data, req->env.len, req, &req->stream, &req->mark,
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

/* In a later turn, unless other attempts of it still run. */
static void fail_or_hold(cqln_request *req, cql_error *err)
{
    if (!req->race || !cqln_race_hold(req, err))
        cqln_request_fail_later(req, err);
}

static __attribute__((noinline)) void wait_for_stream(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    if (!cqln_router_hope(req)) {
        fail_or_hold(req, cqln_report_no_host(c, req));
        return;
    }
    req->state = CQLN_REQUEST_WAITING;
    cqln_list_push(&c->waiting, &req->queue);
}

void cqln_request_place(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    if (!cqln_list_empty(&c->waiting) || !try_send(req, (uint32_t)cqln_loop_us(&c->loop)))
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
        if (try_send(req, now_us))
            cqln_list_remove(&req->queue);
        else if (!req->only && (!cqln_router_picky(req) || ++held_up == PICKY_MAX))
            return;
    }
}

void cqln_requests_fail_waiting(cqln_cluster *c, const cqln_node *only, cql_status st,
                                const char *why)
{
    cqln_list failing;
    cqln_list_init(&failing);
    for (cqln_list *node = c->waiting.next; node != &c->waiting;) {
        cqln_request *req = CQLN_CONTAINER(node, cqln_request, queue);
        node = node->next;
        if (!only || req->only == only) {
            cqln_list_remove(&req->queue);
            fail_or_hold(req,
                         why ? cqln_report_local(c, st, req, why) : cqln_report_no_host(c, req));
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

/* --- giving up ----------------------------------------------------------------------------------- */

void cqln_request_detach(cqln_request *req)
{
    switch (req->state) {
    case CQLN_REQUEST_SENT:
        cqln_conn_orphan(req->link->conn, req->stream);
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
    c->waits--;
    cqln_cluster_check(c);
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
    c->waits++;
    cqln_loop_post(&c->loop, &cm->mail);
    return CQL_OK;
}
