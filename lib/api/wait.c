/* The blocking twins: each starts the asynchronous call and waits for its callback. */
#include "api/session.h"
#include "api/statement.h"

#include "base/error.h"

#include <string.h>

typedef struct waiter {
    cql_session *s;
    bool done;
    bool no_memory; /* the result came but could not be kept */
    cql_error *err;
    cql_result *res;
    cql_prepared *prepared;
    cql_plan *plan;
} waiter;

static void finish(waiter *w)
{
    cql_session *s = w->s;
    if (s->mode == CQLN_MODE_DRIVEN) {
        w->done = true;
        return;
    }
    pthread_mutex_lock(&s->lock);
    w->done = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void on_result(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    waiter *w = user;
    (void)s;
    w->err = cql_error_ref(err);
    w->res = cql_result_ref(res);
    w->no_memory = res && !w->res;
    finish(w);
}

static void on_session(cql_session *s, const cql_error *err, void *user)
{
    waiter *w = user;
    (void)s;
    w->err = cql_error_ref(err);
    finish(w);
}

static void on_prepared(cql_session *s, const cql_error *err, const cql_prepared *prepared,
                        void *user)
{
    waiter *w = user;
    (void)s;
    w->err = cql_error_ref(err);
    w->prepared = cql_prepared_ref(prepared);
    finish(w);
}

static void on_plan(cql_session *s, const cql_error *err, cql_plan *plan, void *user)
{
    waiter *w = user;
    (void)s;
    w->err = cql_error_ref(err);
    w->plan = plan;
    finish(w);
}

static cql_status begin(cql_session *s, waiter *w, cql_error **err)
{
    memset(w, 0, sizeof *w);
    w->s = s;
    if (!s)
        return CQL_BAD_ARGUMENT;
    cql_status st = cql_session_may_wait(s);
    if (st)
        return cqln_fail(err, s->al, st,
                         "a call that blocks is not possible here: this is the thread that would "
                         "have to do the work; use the call with a callback");
    return CQL_OK;
}

/* started: what the asynchronous call gave. */
static cql_status await(waiter *w, cql_status started, cql_error **err)
{
    cql_session *s = w->s;
    if (started)
        return cqln_fail(err, s->al, started, "%s%s", cql_status_text(started),
                         started == CQL_BAD_STATE ? ": the session is not connected" : "");
    if (s->mode == CQLN_MODE_DRIVEN) {
        while (!w->done)
            cqln_session_turn(s, -1);
    } else {
        pthread_mutex_lock(&s->lock);
        while (!w->done)
            pthread_cond_wait(&s->changed, &s->lock);
        pthread_mutex_unlock(&s->lock);
    }
    if (w->err)
        return cqln_error_give(err, w->err);
    if (w->no_memory)
        return cqln_fail(err, s->al, CQL_NO_MEMORY, "no memory to keep the result");
    return CQL_OK;
}

static cql_status await_result(waiter *w, cql_status started, cql_result **res, cql_error **err)
{
    cql_status st = await(w, started, err);
    if (res)
        *res = w->res;
    else
        cql_result_unref(w->res);
    return st;
}

cql_status cql_session_connect_wait(cql_session *s, cql_error **err)
{
    waiter w;
    cql_status st = begin(s, &w, err);
    return st ? st : await(&w, cql_session_connect(s, on_session, &w), err);
}

cql_status cql_session_execute_wait(cql_session *s, const cql_statement *stmt, cql_result **res,
                                    cql_error **err)
{
    waiter w;
    if (res)
        *res = NULL;
    cql_status st = begin(s, &w, err);
    if (st)
        return st;
    st = cql_session_execute(s, stmt, on_result, &w);
    return st == CQL_UNBOUND ? cqln_fail_unbound(stmt, s->al, err) : await_result(&w, st, res, err);
}

cql_status cql_session_execute_with_wait(cql_session *s, const cql_statement *stmt,
                                         const cql_execute_options *opts, cql_result **res,
                                         cql_error **err)
{
    waiter w;
    if (res)
        *res = NULL;
    cql_status st = begin(s, &w, err);
    if (st)
        return st;
    st = cql_session_execute_with(s, stmt, opts, NULL, on_result, &w);
    return st == CQL_UNBOUND ? cqln_fail_unbound(stmt, s->al, err) : await_result(&w, st, res, err);
}

cql_status cql_session_query_wait(cql_session *s, const char *cql, cql_result **res,
                                  cql_error **err)
{
    waiter w;
    if (res)
        *res = NULL;
    cql_status st = begin(s, &w, err);
    return st ? st : await_result(&w, cql_session_query(s, cql, on_result, &w), res, err);
}

cql_status cql_session_execute_batch_wait(cql_session *s, const cql_batch *batch, cql_result **res,
                                          cql_error **err)
{
    waiter w;
    if (res)
        *res = NULL;
    cql_status st = begin(s, &w, err);
    return st ? st : await_result(&w, cql_session_execute_batch(s, batch, on_result, &w), res, err);
}

cql_status cql_session_prepare_wait(cql_session *s, const char *cql, cql_prepared **out,
                                    cql_error **err)
{
    return cql_session_prepare_in_wait(s, NULL, cql, out, err);
}

cql_status cql_session_prepare_in_wait(cql_session *s, const char *keyspace, const char *cql,
                                       cql_prepared **out, cql_error **err)
{
    waiter w;
    if (!out)
        return CQL_BAD_ARGUMENT;
    *out = NULL;
    cql_status st = begin(s, &w, err);
    if (st == CQL_OK)
        st = await(&w, cql_session_prepare_in(s, keyspace, cql, on_prepared, &w), err);
    if (st == CQL_OK)
        *out = w.prepared;
    return st;
}

cql_status cql_session_agree_wait(cql_session *s, uint32_t timeout_ms, cql_error **err)
{
    waiter w;
    cql_status st = begin(s, &w, err);
    return st ? st : await(&w, cql_session_agree(s, timeout_ms, on_session, &w), err);
}

cql_status cql_session_explain_wait(cql_session *s, const cql_statement *stmt, cql_plan **out,
                                    cql_error **err)
{
    waiter w;
    if (!out)
        return CQL_BAD_ARGUMENT;
    *out = NULL;
    cql_status st = begin(s, &w, err);
    if (st == CQL_OK)
        st = await(&w, cql_session_explain(s, stmt, on_plan, &w), err);
    *out = st == CQL_OK ? w.plan : NULL;
    return st;
}
