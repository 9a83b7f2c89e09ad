/* The blocking twins: each starts the asynchronous call and waits for its callback. */
#include "api/wait.h"

#include "api/statement.h"
#include "base/error.h"

#include <string.h>

/* got: a reference of the waiter's own. */
void cqln_wait_end(cqln_waiter *w, const cql_error *err, void *got)
{
    cql_session *s = w->s;
    w->err = cql_error_ref(err);
    w->got = got;
    if (s->mode == CQLN_MODE_DRIVEN) {
        w->done = true;
        return;
    }
    pthread_mutex_lock(&s->lock);
    w->done = true;
    pthread_cond_signal(&w->over); /* with the lock: without it the waiter may be gone by now */
    pthread_mutex_unlock(&s->lock);
}

static void on_result(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    cqln_waiter *w = user;
    cql_result *kept = cql_result_ref(res);
    (void)s;
    w->no_memory = res && !kept;
    cqln_wait_end(w, err, kept);
}

static void on_session(cql_session *s, const cql_error *err, void *user)
{
    (void)s;
    cqln_wait_end(user, err, NULL);
}

static void on_prepared(cql_session *s, const cql_error *err, const cql_prepared *prepared,
                        void *user)
{
    (void)s;
    cqln_wait_end(user, err, cql_prepared_ref(prepared));
}

cql_status cqln_wait_begin(cql_session *s, cqln_waiter *w, cql_error **err)
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
    if (s->mode != CQLN_MODE_DRIVEN && pthread_cond_init(&w->over, NULL) != 0)
        return cqln_fail(err, s->al, CQL_SYSTEM, "no condition to wait at");
    return CQL_OK;
}

static void end_waiting(cqln_waiter *w)
{
    if (w->s->mode != CQLN_MODE_DRIVEN)
        pthread_cond_destroy(&w->over);
}

static void wait_until_done(cqln_waiter *w)
{
    cql_session *s = w->s;
    if (s->mode == CQLN_MODE_DRIVEN) {
        while (!w->done)
            cqln_session_turn(s, -1);
        return;
    }
    pthread_mutex_lock(&s->lock);
    while (!w->done)
        pthread_cond_wait(&w->over, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

cql_status cqln_wait_for(cqln_waiter *w, cql_status started, cql_error **err)
{
    cql_session *s = w->s;
    if (!started)
        wait_until_done(w);
    end_waiting(w);
    if (started)
        return cqln_fail(err, s->al, started, "%s%s", cql_status_text(started),
                         started == CQL_BAD_STATE ? ": the session is not connected" : "");
    const cql_allocator *al = s->al;
    cqln_session_end_freed(s);
    if (w->err)
        return cqln_error_give(err, w->err);
    if (w->no_memory)
        return cqln_fail(err, al, CQL_NO_MEMORY, "no memory to keep the result");
    return CQL_OK;
}

static cql_status await_result(cqln_waiter *w, cql_status started, cql_result **res, cql_error **err)
{
    cql_status st = cqln_wait_for(w, started, err);
    if (res)
        *res = w->got;
    else
        cql_result_unref(w->got);
    return st;
}

static cql_status await_statement(cqln_waiter *w, const cql_statement *stmt, cql_status started,
                                  cql_result **res, cql_error **err)
{
    if (started != CQL_UNBOUND)
        return await_result(w, started, res, err);
    end_waiting(w);
    return cqln_fail_unbound(stmt, w->s->al, err);
}

cql_status cql_session_connect_wait(cql_session *s, cql_error **err)
{
    cqln_waiter w;
    cql_status st = cqln_wait_begin(s, &w, err);
    if (st)
        return st;
    st = cql_session_connect(s, on_session, &w);
    if (st != CQL_BAD_STATE)
        return cqln_wait_for(&w, st, err);
    end_waiting(&w);
    return cqln_fail(err, s->al, st, "the session is connected or connecting already, or closed");
}

cql_status cql_session_execute_wait(cql_session *s, const cql_statement *stmt, cql_result **res,
                                    cql_error **err)
{
    cqln_waiter w;
    if (res)
        *res = NULL;
    cql_status st = cqln_wait_begin(s, &w, err);
    if (st)
        return st;
    st = cql_session_execute(s, stmt, on_result, &w);
    return await_statement(&w, stmt, st, res, err);
}

cql_status cql_session_execute_with_wait(cql_session *s, const cql_statement *stmt,
                                         const cql_execute_options *opts, cql_result **res,
                                         cql_error **err)
{
    cqln_waiter w;
    if (res)
        *res = NULL;
    cql_status st = cqln_wait_begin(s, &w, err);
    if (st)
        return st;
    st = cql_session_execute_with(s, stmt, opts, NULL, on_result, &w);
    return await_statement(&w, stmt, st, res, err);
}

cql_status cql_session_query_wait(cql_session *s, const char *cql, cql_result **res,
                                  cql_error **err)
{
    cqln_waiter w;
    if (res)
        *res = NULL;
    cql_status st = cqln_wait_begin(s, &w, err);
    return st ? st : await_result(&w, cql_session_query(s, cql, on_result, &w), res, err);
}

cql_status cql_session_execute_batch_wait(cql_session *s, const cql_batch *batch, cql_result **res,
                                          cql_error **err)
{
    cqln_waiter w;
    if (res)
        *res = NULL;
    cql_status st = cqln_wait_begin(s, &w, err);
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
    cqln_waiter w;
    if (!out)
        return CQL_BAD_ARGUMENT;
    *out = NULL;
    cql_status st = cqln_wait_begin(s, &w, err);
    if (st == CQL_OK)
        st = cqln_wait_for(&w, cql_session_prepare_in(s, keyspace, cql, on_prepared, &w), err);
    if (st == CQL_OK)
        *out = w.got;
    return st;
}

cql_status cql_session_agree_wait(cql_session *s, uint32_t timeout_ms, cql_error **err)
{
    cqln_waiter w;
    cql_status st = cqln_wait_begin(s, &w, err);
    return st ? st : cqln_wait_for(&w, cql_session_agree(s, timeout_ms, on_session, &w), err);
}
