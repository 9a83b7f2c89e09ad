/* The blocking twins: each starts the asynchronous call and waits for its callback. */
#include "api/wait.h"

#include "api/loops.h"
#include "api/room.h"
#include "api/statement.h"
#include "base/error.h"

#include <string.h>

/* got: a reference of the waiter's own. */
void cqln_wait_end(cqln_waiter *w, const cql_error *err, void *got)
{
    cql_session *s = w->s;
    w->err = cql_error_ref(err);
    w->got = got;
    if (!cqln_session_threaded(s)) {
        w->done = true;
        return;
    }
    pthread_mutex_lock(&s->lock);
    w->done = true;
    pthread_cond_signal(&w->over); /* with the lock: without it the waiter may be gone by now */
    pthread_mutex_unlock(&s->lock);
}

void cqln_wait_result(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    cqln_waiter *w = user;
    cql_result *kept = cql_result_ref(res);
    (void)s;
    w->no_memory = res && !kept;
    cqln_wait_end(w, err, kept);
}

void cqln_wait_session(cql_session *s, const cql_error *err, void *user)
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
        return cqln_fail_null(err, "session");
    cql_status st = cql_session_may_wait(s);
    if (st)
        return cqln_fail(err, s->al, st,
                         "a call that blocks is not possible here: this is the thread that would "
                         "have to do the work; use the call with a callback");
    if (cqln_session_threaded(s) && pthread_cond_init(&w->over, NULL) != 0)
        return cqln_fail(err, s->al, CQL_SYSTEM, "no condition to wait at");
    return CQL_OK;
}

static void end_waiting(cqln_waiter *w)
{
    if (cqln_session_threaded(w->s))
        pthread_cond_destroy(&w->over);
}

static void wait_until_done(cqln_waiter *w)
{
    cql_session *s = w->s;
    if (!cqln_session_threaded(s)) {
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
    const cql_allocator *al = s->al;
    if (!started)
        wait_until_done(w);
    end_waiting(w);
    cqln_session_end_freed(s);
    if (started)
        return cqln_fail(err, al, started, "%s%s", cql_status_text(started),
                         started == CQL_BAD_STATE     ? ": the session is not connected"
                         : started == CQL_UNSUPPORTED ? ": it takes protocol v5, and this is v4"
                                                      : "");
    if (w->err)
        return cqln_error_give(err, w->err);
    if (w->no_memory)
        return cqln_fail(err, al, CQL_NO_MEMORY, "no memory to keep the result");
    return CQL_OK;
}

cql_status cql_session_connect_wait(cql_session *s, cql_error **err)
{
    cqln_waiter w;
    cql_status st = cqln_wait_begin(s, &w, err);
    if (st)
        return st;
    st = cql_session_connect(s, cqln_wait_session, &w);
    if (st != CQL_BAD_STATE)
        return cqln_wait_for(&w, st, err);
    end_waiting(&w);
    return cqln_fail(err, s->al, st, "the session is connected or connecting already, or closed");
}

/* --- what goes through the queue ------------------------------------------------------------------ */

static cql_status send_again(void *user, uint32_t left_ms)
{
    cqln_asking *a = user;
    return a->send(a, left_ms);
}

static cql_status fail_full(cqln_asking *a, cql_error **err)
{
    const cql_session *s = a->w.s;
    bool own = a->timeout_ms != 0;
    cqln_error_info info = {.status = CQL_TIMEOUT, .retriable = true};
    return cqln_error_give(
        err, cqln_error_make(s->al, &info, NULL, 0,
                             "query timeout: no room in the queue within %u ms (%s; the options "
                             "max_pending_requests and max_pending_bytes limit it); it was not sent",
                             own ? a->timeout_ms : s->config.request_timeout,
                             own ? "the request's own time-out" : "option request_timeout"));
}

/* As few programs say how a statement is to be executed, most need no more than the usual call. */
static cql_status send_statement(cqln_asking *a, uint32_t timeout_ms)
{
    const cql_execute_options *opts = a->more;
    cql_execute_options timed = {.size = sizeof timed, .timeout_ms = timeout_ms};
    if (!opts && !timeout_ms)
        return cql_session_execute(a->w.s, a->what, cqln_wait_result, &a->w);
    if (timeout_ms && opts && opts->size >= sizeof timed)
        timed.host = opts->host;
    if (timeout_ms && (!opts || opts->size >= sizeof timed))
        opts = &timed;
    return cql_session_execute_with(a->w.s, a->what, opts, NULL, cqln_wait_result, &a->w);
}

static cql_status send_text(cqln_asking *a, uint32_t timeout_ms)
{
    return cqln_query_within(a->w.s, a->what, timeout_ms, cqln_wait_result, &a->w);
}

static cql_status send_prepare(cqln_asking *a, uint32_t timeout_ms)
{
    return cqln_prepare_within(a->w.s, a->more, a->what, timeout_ms, on_prepared, &a->w);
}

/* Sends, waits for room where there is none, and for the answer. */
static cql_status ask(cql_session *s, cqln_asking *a, cql_error **err)
{
    if (!a->what)
        return cqln_fail_null(err, "the statement, batch or text");
    cql_status st = cqln_wait_begin(s, &a->w, err);
    if (st)
        return st;
    st = cqln_room_has_line(s) ? CQL_WOULD_BLOCK : a->send(a, 0);
    if (st == CQL_WOULD_BLOCK)
        st = cqln_room_wait(s, a->timeout_ms, send_again, a);
    if (st == CQL_TIMEOUT)
        fail_full(a, err);
    else if (st == CQL_UNBOUND && a->send == send_statement)
        cqln_fail_unbound(a->what, s->al, err);
    else
        return cqln_wait_for(&a->w, st, err);
    return cqln_wait_for(&a->w, st, NULL);
}

cql_status cqln_ask_result(cql_session *s, cqln_asking *a, cql_result **res, cql_error **err)
{
    if (res)
        *res = NULL;
    cql_status st = ask(s, a, err);
    if (res)
        *res = a->w.got;
    else
        cql_result_unref(a->w.got);
    return st;
}

static cql_status execute_wait(cql_session *s, const cql_statement *stmt,
                               const cql_execute_options *opts, cql_result **res, cql_error **err)
{
    cqln_asking a = {.send = send_statement, .what = stmt, .more = opts};
    a.timeout_ms = stmt ? stmt->ex.timeout_ms : 0;
    if (opts && opts->size >= sizeof *opts && opts->timeout_ms)
        a.timeout_ms = opts->timeout_ms;
    return cqln_ask_result(s, &a, res, err);
}

cql_status cql_session_execute_wait(cql_session *s, const cql_statement *stmt, cql_result **res,
                                    cql_error **err)
{
    return execute_wait(s, stmt, NULL, res, err);
}

cql_status cql_session_execute_with_wait(cql_session *s, const cql_statement *stmt,
                                         const cql_execute_options *opts, cql_result **res,
                                         cql_error **err)
{
    return execute_wait(s, stmt, opts, res, err);
}

cql_status cql_session_query_wait(cql_session *s, const char *cql, cql_result **res,
                                  cql_error **err)
{
    cqln_asking a = {.send = send_text, .what = cql};
    return cqln_ask_result(s, &a, res, err);
}

cql_status cql_session_prepare_wait(cql_session *s, const char *cql, cql_prepared **out,
                                    cql_error **err)
{
    return cql_session_prepare_in_wait(s, NULL, cql, out, err);
}

cql_status cql_session_prepare_in_wait(cql_session *s, const char *keyspace, const char *cql,
                                       cql_prepared **out, cql_error **err)
{
    cqln_asking a = {.send = send_prepare, .what = cql, .more = keyspace};
    if (!out)
        return cqln_fail_null(err, "out");
    *out = NULL;
    cql_status st = ask(s, &a, err);
    if (st == CQL_OK)
        *out = a.w.got;
    return st;
}
