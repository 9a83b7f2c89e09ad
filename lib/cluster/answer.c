/* What comes back for a request: result, error, or the end of its link; and what follows from it. */
#include "base/guard.h"
#include "cluster/ending.h"
#include "cluster/hooks.h"
#include "cluster/race.h"
#include "cluster/slots.h"
#include "cluster/team.h"
#include "cluster/tries.h"
#include "meta/conditional.h"
#include "policy/retry.h"

#include <stdio.h>

enum { ATTEMPTS_MAX = 9 };

/* --- sending again ------------------------------------------------------------------------------- */

static void again(cqln_request *req, cqln_link *link, cqln_retry how)
{
    cqln_node *node = req->last;
    if (cqln_request_outdated(req))
        return;
    req->attempts++;
    cqln_meter_count(req->cluster->meter, CQL_METRIC_RETRIES);
    cqln_meter_count(cqln_link_node(link)->meter, CQL_METRIC_RETRIES);
    if (how != CQLN_RETRY_NEXT_HOST_UNCOUNTED)
        req->retries++;
    if (how == CQLN_RETRY_SAME_HOST && cqln_link_usable(link) &&
        cqln_link_submit(link, req->env.data, req->env.len, req, &req->stream, &req->mark) ==
            CQL_OK) {
        req->link = link;
        req->last = node;
        req->state = CQLN_REQUEST_SENT;
        if (req->cluster->config->hooks)
            cqln_hooks_attempt(req, link);
        return;
    }
    cqln_request_place(req);
}

static bool may_go_on(const cqln_request *req)
{
    return req->attempts + 1 < ATTEMPTS_MAX &&
           cqln_cluster_state_of(req->cluster) != CQLN_CLUSTER_CLOSING;
}

static const cql_retry_policy *policy_of(const cqln_request *req)
{
    return req->retry_policy ? req->retry_policy : req->cluster->retry_policy;
}

/* The text of a QUERY; empty for all else. */
static cql_str text_of(const cqln_request *req)
{
    const cqln_writer *env = &req->env;
    if (env->len < CQLN_FRAME_HEADER || env->data[CQLN_FRAME_OPCODE_AT] != CQLN_OP_QUERY)
        return (cql_str){"", 0};
    cqln_reader rd;
    cqln_reader_init(&rd, env->data + CQLN_FRAME_HEADER, env->len - CQLN_FRAME_HEADER);
    bool payload = env->data[CQLN_FRAME_FLAGS_AT] & CQLN_FLAG_PAYLOAD; /* it stands before the text */
    for (uint16_t i = payload ? cqln_read_u16(&rd) : 0; i > 0; i--) {
        cql_str bytes;
        cqln_read_string(&rd);
        cqln_read_nbytes(&rd, &bytes);
    }
    return cqln_read_long_string(&rd);
}

/* Looked up where something has failed: statements in text have to be read for it. */
bool cqln_request_conditional(const cqln_request *req)
{
    if (req->prepared)
        return req->prepared->conditional;
    return req->route.batch_if || cqln_cql_conditional(text_of(req));
}

static bool is_repeatable(const cqln_request *req)
{
    cql_str cql = text_of(req);
    if (req->prepared)
        return req->prepared->repeatable;
    for (size_t i = 0; i < req->member_count; i++)
        if (!req->members[i]->repeatable)
            return false;
    return cql.len ? cqln_cql_repeatable(cql) : !req->route.batch_if;
}

bool cqln_request_idempotent(const cqln_request *req)
{
    if (req->idempotent || req->is_prepare)
        return req->idempotent != CQLN_IDEMPOTENT_NO;
    return req->cluster->config->idempotent && is_repeatable(req);
}

static cqln_attempt attempt_of(const cqln_request *req)
{
    return (cqln_attempt){cqln_request_idempotent(req), req->in_doubt,
                          cqln_request_conditional(req), req->retries};
}

void cqln_request_failed(cqln_request *req, cql_error *err)
{
    if (!req->race || !cqln_race_hold(req, err))
        cqln_request_fail(req, err);
}

/* --- results ------------------------------------------------------------------------------------- */

static void on_agreed(void *user, cql_status st)
{
    cqln_request *req = user;
    req->held->schema_agreed = st == CQL_OK;
    if (st)
        CQLN_LOG(req->cluster->loop.log, CQL_LOG_WARN,
                 "the nodes did not agree on the schema in time after a schema change");
    cqln_request_succeed(req, req->held);
}

/* A schema change is only known to the node that made it: the answer waits for the others. */
static void await_agreement(cqln_request *req, cqln_link *link, cql_result *res)
{
    cqln_cluster *c = req->cluster;
    if (req->race)
        cqln_race_end(req);
    req->held = cql_result_ref(res);
    if (req->held) {
        req->state = CQLN_REQUEST_ASIDE;
        cqln_expiry_clear(req);
        if (cqln_agree(c, link, c->config->schema_agreement_timeout, on_agreed, req) == CQL_OK)
            return;
    }
    res->schema_agreed = false;
    cqln_request_succeed(req, res);
}

/* New metadata for a prepared statement came with the rows (v5): later executes use it. */
static void take_new_metadata(cqln_request *req, const cql_result *res, cqln_metadata *fresh)
{
    if (!(res->rows.flags & CQLN_ROWS_METADATA_CHANGED) || !req->prepared)
        return;
    const cqln_metadata *newest = cqln_prepared_result(req->prepared);
    if (newest && cql_str_equal(newest->id, fresh->id))
        return;
    cqln_prepared_learn(req->prepared, fresh); /* several loops may bring the same */
}

static __attribute__((noinline)) void on_undecoded(cqln_request *req, const cqln_link *link,
                                                   cql_status st)
{
    cqln_cluster *c = req->cluster;
    if (st == CQL_MALFORMED && req->known)
        cqln_prepared_distrust(req->prepared);
    cqln_request_fail(req, st == CQL_MALFORMED
                               ? cqln_report_answer(c, st, link->host, req, "its result")
                               : cqln_report_local(c, st, req, NULL));
}

/* What only some results bring: metadata, warnings, a keyspace, a change of the schema. */
static __attribute__((noinline)) void on_rich_result(cqln_request *req, cqln_link *link,
                                                     cql_result *res, cqln_metadata *fresh)
{
    cqln_cluster *c = req->cluster;
    if (fresh)
        take_new_metadata(req, res, fresh);
    if (res->prefix.warnings)
        cqln_report_warnings(c, &res->prefix, link->host);
    bool use = res->kind == CQL_RESULT_SET_KEYSPACE;
    bool held = use && cqln_team_use(req, link, res);
    if (use && !held)
        cqln_cluster_use(c, res->keyspace, link);
    if (res->kind == CQL_RESULT_SCHEMA_CHANGE)
        await_agreement(req, link, res);
    else if (!held)
        cqln_request_succeed(req, res);
    if (fresh)
        cqln_metadata_unref(fresh);
}

static void on_result(cqln_request *req, cqln_link *link, const cqln_conn_event *ev)
{
    cql_result res;
    cqln_metadata *fresh;
    cql_status st = cqln_result_decode(&res, req->cluster->al, ev->body, ev->len, ev->flags,
                                       ev->block, req->known, &fresh);
    if (st) {
        on_undecoded(req, link, st);
        return;
    }
    res.host = link->host;
    if (fresh || res.prefix.warnings || res.kind > CQL_RESULT_ROWS)
        on_rich_result(req, link, &res, fresh);
    else
        cqln_request_succeed(req, &res);
    cqln_result_done(&res);
}

static bool is_prepared_answer(const cqln_conn_event *ev, cqln_reader *rd)
{
    cqln_prefix prefix;
    cqln_reader_init(rd, ev->body, ev->len);
    return cqln_decode_prefix(rd, ev->flags, &prefix) == CQL_OK &&
           cqln_read_u32(rd) == CQLN_RESULT_PREPARED && !rd->failed;
}

static __attribute__((noinline)) void on_prepare_result(cqln_request *req, cqln_link *link, const cqln_conn_event *ev)
{
    cqln_reader rd;
    if (is_prepared_answer(ev, &rd))
        cqln_request_prepared(req, link, &rd);
    else
        cqln_request_fail(req, cqln_report_answer(req->cluster, CQL_MALFORMED, link->host, req,
                                                  "its answer to a prepare"));
}

/* --- errors -------------------------------------------------------------------------------------- */

/* Another node is worth a try while there is one that was not asked; the cluster's load decides too. */
static bool may_retry(cqln_request *req, cqln_retry how)
{
    cqln_cluster *c = req->cluster;
    if (how == CQLN_RETRY_NO || !may_go_on(req))
        return false;
    if (how != CQLN_RETRY_SAME_HOST && !cqln_router_other(req))
        return false;
    if (how == CQLN_RETRY_NEXT_HOST_UNCOUNTED ||
        cqln_budget_take(&c->budget, cqln_meter_value(c->meter, CQL_METRIC_REQUESTS), cqln_loop_now(&c->loop)))
        return true;
    c->counts.unaffordable++;
    return false;
}

static void after_error(cqln_request *req, cqln_link *link, const cqln_server_error *e,
                        bool maybe_applied)
{
    cqln_cluster *c = req->cluster;
    cqln_attempt a = attempt_of(req);
    cqln_retry how = cqln_retry_on_error(policy_of(req), &a, e);
    req->in_doubt = req->in_doubt || maybe_applied;
    if (!may_retry(req, how)) {
        cql_error *err = cqln_report_server(c, e, link->host, req);
        if (cqln_error_of_statement(e->code))
            cqln_request_fail(req, err);
        else
            cqln_request_failed(req, err);
        return;
    }
    cqln_tries_add(c->al, &req->tries, link->host, cqln_server_status(e->code), e->message);
    again(req, link, how);
}

void cqln_request_refused(cqln_request *req, cqln_link *link, const cqln_server_error *e)
{
    after_error(req, link, e, false);
}

static void on_error(cqln_request *req, cqln_link *link, const cqln_conn_event *ev)
{
    cqln_cluster *c = req->cluster;
    cqln_server_error e;
    cqln_prefix prefix;
    cqln_reader rd;
    cqln_reader_init(&rd, ev->body, ev->len);
    if (cqln_decode_prefix(&rd, ev->flags, &prefix) != CQL_OK ||
        cqln_decode_error(&rd, ev->version, &e) != CQL_OK) {
        cqln_request_fail(req, cqln_report_answer(c, CQL_MALFORMED, link->host, req, "its error"));
        return;
    }
    if (cqln_server_status(e.code) == CQL_SERVER_UNPREPARED && !req->is_prepare)
        cqln_request_reprepare(req, link, &e);
    else
        after_error(req, link, &e, cqln_error_maybe_applied(&e, cqln_request_conditional(req)));
}

/* It was passed over on its way in; from another node it would be as large. */
static void on_unread(cqln_request *req, const cqln_link *link, const cqln_conn_event *ev)
{
    char why[160];
    if (ev->status == CQL_TOO_LARGE)
        snprintf(why, sizeof why,
                 "its answer has %zu bytes, %u are allowed (option max_response_bytes): ask for "
                 "smaller pages, or for less",
                 ev->len, req->cluster->config->max_response_bytes);
    else
        snprintf(why, sizeof why, "no room for its answer of %zu bytes", ev->len);
    cqln_request_fail(req, cqln_report_answer(req->cluster, ev->status, link->host, req, why));
}

static __attribute__((noinline)) void on_no_result(cqln_request *req, cqln_link *link,
                                                   const cqln_conn_event *ev)
{
    if (ev->opcode == CQLN_OP_ERROR)
        on_error(req, link, ev);
    else if (ev->opcode == CQLN_CONN_UNREAD)
        on_unread(req, link, ev);
    else
        cqln_request_fail(req, cqln_report_local(req->cluster, CQL_UNEXPECTED, req,
                                                 "its answer is of another kind"));
}

static void note_answer(const cqln_request *req, const cqln_link *link)
{
    if (req->cluster->config->latency_awareness)
        cqln_router_note_request(req, link);
    cqln_node_answered(cqln_link_node(link));
}

void cqln_request_answered(cqln_owner *o, cqln_link *link, const cqln_conn_event *ev)
{
    cqln_request *req = (cqln_request *)o;
    cqln_request_bend(req);
    req->state = CQLN_REQUEST_ASIDE;
    if (ev->opcode != CQLN_OP_RESULT) {
        on_no_result(req, link, ev);
        return;
    }
    if (req->cluster->watched)
        note_answer(req, link);
    if (req->is_prepare)
        on_prepare_result(req, link, ev);
    else
        on_result(req, link, ev);
}

/* --- from the link ------------------------------------------------------------------------------- */

/* Counts the class of an error that a node answered with. */
static void count_error(cqln_link *link, const cqln_conn_event *ev)
{
    cqln_server_error e;
    cqln_prefix prefix;
    cqln_reader rd;
    cqln_reader_init(&rd, ev->body, ev->len);
    bool read = cqln_decode_prefix(&rd, ev->flags, &prefix) == CQL_OK &&
                cqln_decode_error(&rd, ev->version, &e) == CQL_OK;
    cql_status st = read ? cqln_server_status(e.code) : CQL_MALFORMED;
    cqln_meter_count(cqln_link_node(link)->meter, cqln_meter_class(st));
    if (read && cqln_error_is_farewell(&e))
        cqln_slots_retreat(cqln_link_node(link)); /* before the request looks for another connection */
}

/* Apart, so that results do not pay for its locals. */
static __attribute__((noinline)) void on_other_answer(cqln_link *link, const cqln_conn_event *ev)
{
    cqln_owner *o = ev->owner;
    if (ev->opcode == CQLN_OP_ERROR)
        count_error(link, ev);
    else if (ev->opcode == CQLN_CONN_UNREAD)
        cqln_meter_count(cqln_link_node(link)->meter, cqln_meter_class(ev->status));
    else
        cqln_meter_latency(cqln_link_node(link)->meter, cqln_link_took_us(link, ev->stream));
    o->answered(o, link, ev);
}

/* Nearly every answer is one to a request that waits for nothing else, and says that it worked, or has a last
 * page of rows: those are read and handed on here. */
CQLN_NO_ARRAYS void cqln_answer_arrived(cqln_link *link, const cqln_conn_event *ev)
{
    cqln_owner *o = ev->owner;
    if (ev->opcode != CQLN_OP_RESULT) {
        on_other_answer(link, ev);
        return;
    }
    cqln_request *req = (cqln_request *)o;
    cql_result res;
    uint32_t now_us = (uint32_t)cqln_loop_turn_us(link->loop), sent_us = link->stamps[ev->stream];
    cqln_took took = cqln_took_us(now_us - sent_us);
    cqln_meter_took(CQLN_CONTAINER(link->traffic, cqln_meter, traffic), took);
    if (!(o->straight || (o->answered == cqln_request_answered && !req->is_prepare && !req->cluster->watched)) ||
        !cqln_result_plain(&res, req->cluster->al, link->host, ev->body, ev->len, ev->flags, ev->block,
                           req->known)) {
        o->answered(o, link, ev);
        return;
    }
    if (o->straight) {
        cqln_request_end_straight(req, &res, took);
        cqln_result_done(&res);
        return;
    }
    req->state = CQLN_REQUEST_ASIDE;
    if (req->began_us != sent_us) /* it waited, or was sent before */
        took = cqln_took_us(now_us - req->began_us);
    cqln_request_end_well(req, &res, took);
    cqln_result_done(&res);
}

/* --- lost ---------------------------------------------------------------------------------------- */

/* What its caller is told when the connection ended under a request: memory that was out is worth more
 * than that the connection was closed for it. */
static cql_status lost_status(cqln_cluster *c, const cqln_conn_fault *fault, bool its_own)
{
    if (its_own)
        return CQL_TOO_LARGE;
    if (cqln_cluster_state_of(c) == CQLN_CLUSTER_CLOSING)
        return CQL_CANCELLED;
    return fault->status == CQL_NO_MEMORY ? CQL_NO_MEMORY : CQL_CLOSED;
}

void cqln_request_lost(cqln_owner *o, cqln_link *link)
{
    cqln_request *req = (cqln_request *)o;
    cqln_request_bend(req);
    cqln_cluster *c = req->cluster;
    const cqln_conn_fault *fault = cqln_conn_fault_of(link->conn);
    cqln_attempt a = attempt_of(req);
    bool written = cqln_link_written(link, req->mark);
    cqln_retry how = cqln_retry_on_lost(policy_of(req), &a, written);
    /* Its own answer was too large: it would be from the next node, and cost that connection too. */
    bool its_own = fault->stream && fault->stream == req->stream;
    if (!may_go_on(req) || its_own || how == CQLN_RETRY_NO) {
        cql_status st = lost_status(c, fault, its_own);
        cql_error *err = cqln_report_local(
            c, st, req, st == CQL_CANCELLED ? "the session was closed" : fault->detail);
        req->state = CQLN_REQUEST_ASIDE; /* only now: the report names the host */
        req->in_doubt = req->in_doubt || written;
        cqln_request_failed(req, err);
        return;
    }
    req->state = CQLN_REQUEST_ASIDE;
    req->in_doubt = req->in_doubt || written;
    cqln_tries_add(c->al, &req->tries, link->host, fault->status, cql_str_of(fault->detail));
    again(req, link, how);
}
