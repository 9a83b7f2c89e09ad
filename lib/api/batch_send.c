/* Batches on their way: encoded, executed, waited for. */
#include "api/encode.h"
#include "api/loops.h"
#include "api/routing.h"
#include "api/wait.h"

static cql_status hold_members(const cql_batch *b, cqln_request *req)
{
    if (b->member_count == 0)
        return CQL_OK;
    for (size_t i = 0; i < b->member_count; i++)
        if (cqln_prepared_retired(b->members[i]))
            return CQL_PREPARED_CHANGED;
    req->members = cqln_alloc_array(req->cluster->al, b->member_count, sizeof *req->members);
    if (!req->members)
        return CQL_NO_MEMORY;
    for (size_t i = 0; i < b->member_count; i++)
        req->members[i] = cql_prepared_ref(b->members[i]);
    req->member_count = b->member_count;
    return CQL_OK;
}

cql_status cqln_encode_batch_request(cqln_cluster *c, const cql_batch *b, cqln_request *req)
{
    cqln_query_options o;
    cql_status st = hold_members(b, req);
    if (st)
        return st;
    cqln_fill_options(c, &b->ex, &o);
    if (b->ex.extra && (st = cqln_extra_fill(b->ex.extra, cqln_version_of(c), &o)) != CQL_OK)
        return st;
    if (b->type != CQL_BATCH_COUNTER)
        cqln_stamp(c, &o);
    req->idempotent = b->ex.idempotent ? b->ex.idempotent : b->members_idempotent;
    if (!req->idempotent && b->type == CQL_BATCH_COUNTER)
        req->idempotent = CQLN_IDEMPOTENT_NO;
    req->timeout_ms = b->ex.timeout_ms;
    cqln_choose_execution(&b->ex, req);
    req->route.batch_if = b->conditional;
    cqln_route_batch(c, b, &req->route);
    return cqln_encode_batch(&req->env, cqln_version_of(c), (uint8_t)b->type, (uint16_t)b->count,
                             (cql_str){(const char *)b->entries.data, b->entries.len}, &o);
}

cql_status cql_session_execute_batch_with(cql_session *s, const cql_batch *batch,
                                          const cql_execute_options *opts, cql_request *request,
                                          cql_result_cb cb, void *user)
{
    cqln_request *req;
    if (!s || !batch)
        return CQL_BAD_ARGUMENT;
    cqln_cluster *c = cqln_session_pick(s);
    cql_status st = cqln_request_begin(c, &req);
    if (st)
        return cqln_session_refuse(s, st);
    st = cqln_encode_batch_request(c, batch, req);
    return cqln_request_go(req, cqln_request_say(req, st, opts, request), 0, cb, user);
}

cql_status cql_session_execute_batch(cql_session *s, const cql_batch *batch, cql_result_cb cb,
                                     void *user)
{
    return cql_session_execute_batch_with(s, batch, NULL, NULL, cb, user);
}

static cql_status send_batch(cqln_asking *a, uint32_t timeout_ms)
{
    const cql_execute_options opts = {.size = sizeof opts, .timeout_ms = timeout_ms};
    return cql_session_execute_batch_with(a->w.s, a->what, &opts, NULL, cqln_wait_result, &a->w);
}

cql_status cql_session_execute_batch_wait(cql_session *s, const cql_batch *batch, cql_result **res,
                                          cql_error **err)
{
    cqln_asking a = {.send = send_batch, .what = batch, .timeout_ms = batch ? batch->ex.timeout_ms : 0};
    return cqln_ask_result(s, &a, res, err);
}
