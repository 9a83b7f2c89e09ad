/* Speculative attempts. */
#include "cluster/race.h"

#include "cluster/hooks.h"
#include "cluster/lessons.h"
#include "cluster/tries.h"
#include "policy/retry.h"

enum { RUNNERS_MAX = 4 };

typedef struct runner {
    cqln_owner owner; /* first: it owns its stream */
    struct cqln_race *race;
    cqln_link *link; /* NULL: not under way */
    uint64_t mark;
    int16_t stream;
} runner;

typedef struct cqln_race cqln_race;
struct cqln_race {
    cqln_request *req;
    cqln_race *spare; /* free: the next free one */
    cqln_deadline next;
    uint64_t began;
    uint32_t delay;
    uint32_t started;
    uint32_t running;
    bool abandoned;
    cql_error *held; /* of the main attempt, which is over */
    runner runners[RUNNERS_MAX];
};

static void on_next(cqln_deadline *d);
static void runner_answered(cqln_owner *o, cqln_link *link, const cqln_conn_event *ev);
static void runner_lost(cqln_owner *o, cqln_link *link);

bool cqln_race_available(void)
{
    return true;
}

/* --- records ------------------------------------------------------------------------------------- */

static cqln_race *take(cqln_cluster *c)
{
    cqln_race *race = c->spare_races;
    if (race) {
        c->spare_races = race->spare;
        return race;
    }
    race = cqln_alloc_zero(c->al, sizeof *race);
    if (!race)
        return NULL;
    cqln_deadline_init(&race->next, on_next);
    for (size_t i = 0; i < RUNNERS_MAX; i++) {
        race->runners[i].owner.answered = runner_answered;
        race->runners[i].owner.lost = runner_lost;
        race->runners[i].race = race;
    }
    return race;
}

void cqln_races_free(cqln_cluster *c)
{
    while (c->spare_races) {
        cqln_race *race = c->spare_races;
        c->spare_races = race->spare;
        cqln_free(c->al, race);
    }
}

static uint32_t delay_of(cqln_cluster *c)
{
    const cqln_config *config = c->config;
    if (config->speculation == CQLN_SPECULATION_PERCENTILE)
        return cqln_latency_at(&c->latency, config->speculation_percentile,
                               config->speculation_delay);
    return config->speculation_delay;
}

/* A statement that must not run twice has one attempt at a time. Without memory for it the request simply has no
 * other attempts. */
void cqln_race_begin(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    if (req->steady || req->only || req->is_prepare || !cqln_request_idempotent(req))
        return;
    cqln_race *race = take(c);
    if (!race)
        return;
    race->req = req;
    race->began = cqln_loop_now(&c->loop);
    race->delay = delay_of(c);
    race->started = 0;
    race->running = 0;
    race->abandoned = false;
    race->held = NULL;
    req->race = race;
    cqln_deadline_set(&c->loop, &race->next, race->began + race->delay);
}

static void give_up_runner(runner *r)
{
    cqln_link *link = r->link;
    r->link = NULL;
    r->race->running--;
    cqln_link_orphan(link, r->stream);
    cqln_slot_orphaned(link);
}

void cqln_race_end(cqln_request *req)
{
    cqln_cluster *c = req->cluster;
    cqln_race *race = req->race;
    req->race = NULL;
    cqln_deadline_clear(&c->loop, &race->next);
    for (uint32_t i = 0; i < race->started; i++)
        if (race->runners[i].link)
            give_up_runner(&race->runners[i]);
    if (!race->abandoned && req->last)
        cqln_latency_add(&c->latency, cqln_loop_now(&c->loop) - race->began);
    cql_error_unref(race->held);
    race->spare = c->spare_races;
    c->spare_races = race;
}

void cqln_race_abandon(cqln_request *req)
{
    req->race->abandoned = true;
}

bool cqln_race_hold(cqln_request *req, cql_error *err)
{
    cqln_race *race = req->race;
    if (race->running == 0)
        return false;
    cql_error_unref(race->held);
    race->held = err;
    req->state = CQLN_REQUEST_ASIDE;
    return true;
}

/* What was submitted leaves with the next flush also when nobody waits for the answer any more. */
bool cqln_race_running(const cqln_request *req)
{
    return req->race && req->race->running > 0;
}

bool cqln_race_owner(const cqln_owner *o)
{
    return o->lost == runner_lost;
}

bool cqln_race_maybe_applied(const cqln_request *req)
{
    return req->race->running > 0;
}

/* --- starting one --------------------------------------------------------------------------------- */

static void start_runner(cqln_race *race)
{
    cqln_request *req = race->req;
    cqln_cluster *c = req->cluster;
    runner *r = &race->runners[race->started];
    cqln_link *link = cqln_router_pick_other(req);
    if (!link ||
        !cqln_budget_take(&c->budget, cqln_meter_value(c->meter, CQL_METRIC_REQUESTS), cqln_loop_now(&c->loop)) ||
        cqln_link_submit(link, req->env.data, req->env.len, r, &r->stream, &r->mark) != CQL_OK)
        return;
    r->link = link;
    cqln_request_note_node(req, cqln_link_node(link)->id);
    race->started++;
    race->running++;
    cqln_meter_count(c->meter, CQL_METRIC_SPECULATIONS);
    cqln_meter_count(cqln_link_node(link)->meter, CQL_METRIC_SPECULATIONS);
    if (c->config->hooks)
        cqln_hooks_attempt(req, link);
}

/* A request that still waits for a stream itself is not in need of another node's answer. */
static void on_next(cqln_deadline *d)
{
    cqln_race *race = CQLN_CONTAINER(d, cqln_race, next);
    cqln_request *req = race->req;
    cqln_loop *loop = &req->cluster->loop;
    if (req->error || req->held || cqln_cluster_state_of(req->cluster) == CQLN_CLUSTER_CLOSING)
        return;
    if (req->state == CQLN_REQUEST_SENT || req->state == CQLN_REQUEST_ASIDE)
        start_runner(race);
    if (race->started < req->cluster->config->speculation_max)
        cqln_deadline_set(loop, d, cqln_loop_now(loop) + race->delay);
}

/* --- what comes of it ---------------------------------------------------------------------------- */

/* The main attempt is over in any case; what it may have done counts. */
static void stop_main(cqln_request *req)
{
    cqln_link *link = req->state == CQLN_REQUEST_SENT ? req->link : NULL;
    if (link)
        req->in_doubt = true;
    cqln_request_detach(req);
    req->state = CQLN_REQUEST_ASIDE;
    if (link)
        cqln_slot_orphaned(link);
}

static void fail_with(cqln_race *race, cql_error *err)
{
    cqln_request *req = race->req;
    stop_main(req);
    cqln_request_fail(req, err);
}

/* The last runner failed and so did the main attempt: the last error is the program's; NULL: that of the main attempt
 * says more. */
static void runner_failed(cqln_race *race, cql_error *err)
{
    if (!race->held || race->running) {
        cql_error_unref(err);
        return;
    }
    if (!err) {
        err = race->held;
        race->held = NULL;
    }
    fail_with(race, err);
}

static void on_error(cqln_race *race, cqln_link *link, const cqln_conn_event *ev)
{
    cqln_request *req = race->req;
    cqln_cluster *c = req->cluster;
    cqln_server_error e;
    cqln_prefix prefix;
    cqln_reader rd;
    cqln_reader_init(&rd, ev->body, ev->len);
    if (cqln_decode_prefix(&rd, ev->flags, &prefix) != CQL_OK ||
        cqln_decode_error(&rd, ev->version, &e) != CQL_OK) {
        req->in_doubt = true;
        runner_failed(race, cqln_report_local(c, CQL_MALFORMED, req, "its error is malformed"));
        return;
    }
    cql_status st = cqln_server_status(e.code);
    cql_prepared *forgot = st == CQL_SERVER_UNPREPARED
                               ? cqln_request_statement(req, e.unprepared_id)
                               : NULL;
    if (forgot)
        cqln_lessons_repeat(link, forgot);
    req->in_doubt = req->in_doubt || cqln_error_maybe_applied(&e, cqln_request_conditional(req));
    bool final = cqln_error_of_statement(e.code);
    if (final && req->state == CQLN_REQUEST_SENT)
        req->in_doubt = true; /* the main attempt leaves with the next flush if it has not yet */
    cqln_tries_add(c->al, &req->tries, link->host, st, e.message);
    cql_error *err = forgot ? NULL : cqln_report_server(c, &e, link->host, req);
    if (final)
        fail_with(race, err);
    else
        runner_failed(race, err);
}

static void runner_answered(cqln_owner *o, cqln_link *link, const cqln_conn_event *ev)
{
    runner *r = (runner *)o;
    cqln_race *race = r->race;
    cqln_request *req = race->req;
    r->link = NULL;
    race->running--;
    if (ev->opcode != CQLN_OP_RESULT && ev->opcode != CQLN_CONN_UNREAD) {
        on_error(race, link, ev);
        return;
    }
    req->cluster->counts.races_won++;
    stop_main(req);
    req->link = link;
    cqln_request_answered(&req->owner, link, ev);
}

static void runner_lost(cqln_owner *o, cqln_link *link)
{
    runner *r = (runner *)o;
    cqln_race *race = r->race;
    cqln_request *req = race->req;
    const cqln_conn_fault *fault = cqln_conn_fault_of(link->conn);
    req->in_doubt = req->in_doubt || cqln_link_written(link, r->mark);
    r->link = NULL;
    race->running--;
    cqln_tries_add(req->cluster->al, &req->tries, link->host, fault->status,
                   cql_str_of(fault->detail));
    runner_failed(race, NULL);
}
