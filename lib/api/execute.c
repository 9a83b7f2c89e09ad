/* Executing: from statements to requests, with callbacks. */
#include "api/loops.h"
#include "api/usual.h"

#include "base/error.h"
#include "cluster/hooks.h"
#include "cluster/record.h"
#include "cluster/run.h"

#include <string.h>

/* st of encoding: starts the request or gives it back. timeout_ms 0: what was said so far. */
cql_status cqln_request_go(cqln_request *req, cql_status st, uint32_t timeout_ms, cql_result_cb cb,
                           void *user)
{
    if (st) {
        cqln_request_abandon(req);
        return st;
    }
    if (timeout_ms)
        req->timeout_ms = timeout_ms;
    req->cb.result = cb;
    req->user = user;
    cqln_request_start(req);
    return CQL_OK;
}

cql_status cql_session_execute(cql_session *s, const cql_statement *stmt, cql_result_cb cb,
                               void *user)
{
    if (!s || !stmt)
        return CQL_BAD_ARGUMENT;
    cqln_hold *e = cqln_holds_entry(&s->cluster.holds, stmt->prepared);
    if (cqln_usual_fits(&s->cluster, e, stmt))
        return cqln_execute_usual(&s->cluster, stmt, e, cb, user);
    return cqln_execute_on(cqln_session_pick(s), stmt, NULL, NULL, cb, user);
}

static cql_status apply_options(cqln_request *req, const cql_execute_options *opts)
{
    if (opts->size < offsetof(cql_execute_options, host) + sizeof opts->host)
        return CQL_BAD_ARGUMENT;
    if (opts->timeout_ms)
        req->timeout_ms = opts->timeout_ms;
    if (!opts->host)
        return CQL_OK;
    size_t len = strlen(opts->host);
    if (len == 0 || len >= sizeof req->only_host)
        return CQL_BAD_ARGUMENT;
    memcpy(req->only_host, opts->host, len + 1);
    req->bound |= CQLN_BOUND_HOST;
    return CQL_OK;
}

/* What more is said of a request that was encoded with st. */
cql_status cqln_request_say(cqln_request *req, cql_status st, const cql_execute_options *opts,
                            cql_request *request)
{
    if (st == CQL_OK && opts)
        st = apply_options(req, opts);
    if (st == CQL_OK && request)
        request->id = cqln_request_handle(req);
    return st;
}

cql_status cql_session_execute_with(cql_session *s, const cql_statement *stmt,
                                    const cql_execute_options *opts, cql_request *request,
                                    cql_result_cb cb, void *user)
{
    if (!s || !stmt)
        return CQL_BAD_ARGUMENT;
    return cqln_execute_on(cqln_session_pick(s), stmt, opts, request, cb, user);
}

cql_status cqln_execute_on(cqln_cluster *c, const cql_statement *stmt,
                           const cql_execute_options *opts, cql_request *request, cql_result_cb cb,
                           void *user)
{
    cqln_request *req;
    cql_session *s = c->session;
    cql_status st = cqln_request_begin(c, &req);
    if (st)
        return cqln_session_refuse(s, st);
    st = cqln_encode_statement(c, stmt, req);
    return cqln_request_go(req, cqln_request_say(req, st, opts, request), 0, cb, user);
}

cql_status cql_request_cancel(cql_session *s, cql_request request)
{
    uint32_t number = (uint32_t)request.id >> CQLN_TEAM_SHIFT;
    if (!s)
        return CQL_BAD_ARGUMENT;
    return number < cqln_session_loop_count(s)
               ? cqln_request_cancel(cqln_session_cluster(s, number), request.id)
               : CQL_NO_SUCH_NAME;
}

cql_status cql_session_query(cql_session *s, const char *cql, cql_result_cb cb, void *user)
{
    return cqln_query_within(s, cql, 0, cb, user);
}

cql_status cqln_query_within(cql_session *s, const char *cql, uint32_t timeout_ms, cql_result_cb cb,
                             void *user)
{
    cqln_request *req;
    if (!s || !cql)
        return CQL_BAD_ARGUMENT;
    cqln_cluster *c = cqln_session_pick(s);
    cql_status st = cqln_request_begin(c, &req);
    if (st)
        return cqln_session_refuse(s, st);
    return cqln_request_go(req, cqln_encode_text(c, cql_str_of(cql), req), timeout_ms, cb, user);
}

cql_status cql_session_prepare(cql_session *s, const char *cql, cql_prepared_cb cb, void *user)
{
    return cql_session_prepare_in(s, NULL, cql, cb, user);
}

cql_status cql_session_prepare_in(cql_session *s, const char *keyspace, const char *cql,
                                  cql_prepared_cb cb, void *user)
{
    return cqln_prepare_within(s, keyspace, cql, 0, cb, user);
}

cql_status cqln_prepare_within(cql_session *s, const char *keyspace, const char *cql,
                               uint32_t timeout_ms, cql_prepared_cb cb, void *user)
{
    cqln_request *req;
    if (!s || !cql || !cb)
        return CQL_BAD_ARGUMENT;
    cqln_cluster *c = s->loops ? cqln_loops_pick_first(s) : &s->cluster;
    cql_status st = cqln_request_begin(c, &req);
    if (st)
        return cqln_session_refuse(s, st);
    cql_str text = cql_str_of(cql);
    cql_str in = cql_str_of(keyspace);
    uint8_t version = (uint8_t)atomic_load(&c->version);
    st = in.len && version < 5 ? CQL_UNSUPPORTED
                               : cqln_encode_prepare(&req->env, version, text, in);
    if (st) {
        cqln_request_abandon(req);
        return st;
    }
    req->is_prepare = true;
    req->timeout_ms = timeout_ms;
    req->cb.prepared = cb;
    req->user = user;
    /* header, then the length of the text: the text itself is read from there when it is answered */
    req->cql = (cql_str){(const char *)req->env.data + CQLN_FRAME_HEADER + 4, text.len};
    /* flags and the length of the keyspace lie between the two */
    req->in_keyspace = (cql_str){req->cql.ptr + text.len + 4 + 2, in.len};
    cqln_request_start(req);
    return CQL_OK;
}
