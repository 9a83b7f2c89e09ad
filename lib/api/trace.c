/* Fetching a trace: the session row until it has a duration, then the events until there are no more of
 * them than a moment before. All on the session's own requests. */
#include "api/statement.h"
#include "api/wait.h"
#include "base/error.h"

#include <cqlnative/trace.h>
#include <string.h>

enum { TIMEOUT_MS = 2000, POLL_MIN_MS = 5, POLL_MAX_MS = 100 };

struct cql_trace {
    const cql_allocator *al;
    cql_result *session;
    cql_result *events;
    cql_trace_info info;
    cql_value parameters;
    const cql_type *parameters_type;
    size_t count;
    cql_trace_event steps[];
};

typedef struct fetch {
    cqln_mail mail;
    cqln_deadline poll;
    cql_session *s;
    cql_uuid id;
    uint32_t timeout_ms;
    uint64_t end_at;
    uint64_t pause;
    size_t seen; /* events of the last look */
    cql_result *session;
    cql_trace_cb cb;
    void *user;
} fetch;

static const char session_cql[] =
    "SELECT session_id, request, command, coordinator, client, started_at, duration, parameters "
    "FROM system_traces.sessions WHERE session_id = ?";
static const char events_cql[] = "SELECT activity, thread, source, source_elapsed, event_id "
                                 "FROM system_traces.events WHERE session_id = ?";

/* --- the trace --------------------------------------------------------------------------------------- */

void cql_trace_free(cql_trace *t)
{
    if (!t)
        return;
    cql_result_unref(t->session);
    cql_result_unref(t->events);
    cqln_free(t->al, t);
}

static cql_inet inet_of(cql_rows *rows, size_t column)
{
    cql_inet inet;
    cql_value v = cql_rows_value(rows, column);
    if (cql_value_as_inet(&v, &inet) != CQL_OK)
        memset(&inet, 0, sizeof inet);
    return inet;
}

static int32_t int_of(cql_rows *rows, size_t column)
{
    return cql_rows_is_null(rows, column) ? 0 : cql_rows_int32(rows, column);
}

static void read_session(cql_trace *t)
{
    cql_rows rows;
    cql_rows_init(&rows, t->session);
    if (!cql_rows_next(&rows))
        return;
    t->info.id = cql_rows_uuid(&rows, 0);
    t->info.request = cql_rows_str(&rows, 1);
    t->info.command = cql_rows_str(&rows, 2);
    t->info.coordinator = inet_of(&rows, 3);
    t->info.client = inet_of(&rows, 4);
    t->info.started_at_ms = cql_rows_is_null(&rows, 5) ? 0 : cql_rows_int64(&rows, 5);
    t->info.duration_us = int_of(&rows, 6);
    t->parameters = cql_rows_value(&rows, 7);
    t->parameters_type = cql_result_column_type(t->session, 7);
}

static void read_events(cql_trace *t)
{
    cql_rows rows;
    cql_rows_init(&rows, t->events);
    for (t->count = 0; cql_rows_next(&rows); t->count++) {
        cql_trace_event *e = &t->steps[t->count];
        e->activity = cql_rows_str(&rows, 0);
        e->thread = cql_rows_str(&rows, 1);
        e->source = inet_of(&rows, 2);
        e->source_elapsed_us = int_of(&rows, 3);
        e->event_id = cql_rows_uuid(&rows, 4);
    }
}

/* Takes the session's row over from the fetch. NULL when memory is out. */
static cql_trace *make(fetch *f, const cql_result *events)
{
    const cql_allocator *al = f->s->al;
    size_t n = cql_result_row_count(events);
    size_t size;
    if (!cqln_mul_size(n, sizeof(cql_trace_event), &size) ||
        !cqln_add_size(size, sizeof(cql_trace), &size))
        return NULL;
    cql_trace *t = cqln_alloc_zero(al, size);
    if (!t)
        return NULL;
    t->al = al;
    t->session = f->session;
    f->session = NULL;
    t->events = cql_result_ref(events);
    if (!t->events) {
        cql_trace_free(t);
        return NULL;
    }
    read_session(t);
    read_events(t);
    return t;
}

void cql_trace_info_of(const cql_trace *t, cql_trace_info *out)
{
    *out = t->info;
}

cql_status cql_trace_parameter(const cql_trace *t, const char *name, cql_str *value)
{
    cql_items it;
    cql_value key;
    cql_value v;
    if (!t->parameters_type || cql_items_init(&it, t->parameters_type, &t->parameters) != CQL_OK)
        return CQL_NO_SUCH_NAME;
    while (cql_items_next(&it, &key, &v)) {
        if (cql_str_equal(cql_value_bytes(&key), cql_str_of(name))) {
            *value = cql_value_bytes(&v);
            return CQL_OK;
        }
    }
    return CQL_NO_SUCH_NAME;
}

size_t cql_trace_event_count(const cql_trace *t)
{
    return t->count;
}

cql_status cql_trace_event_at(const cql_trace *t, size_t i, cql_trace_event *out)
{
    if (i >= t->count)
        return CQL_OUT_OF_RANGE;
    *out = t->steps[i];
    return CQL_OK;
}

/* --- fetching, on the loop's thread ------------------------------------------------------------------- */

static void ask_session(fetch *f);
static void ask_events(fetch *f);

/* trace is handed over; with NULL, err says why there is none. */
static void finish(fetch *f, const cql_error *err, cql_trace *trace)
{
    cql_session *s = f->s;
    cqln_cluster *c = &s->cluster;
    fetch done = *f;
    cqln_deadline_clear(&c->loop, &f->poll);
    cqln_free(s->al, f);
    done.cb(s, err, trace, done.user);
    cql_result_unref(done.session);
    c->waits--;
    cqln_cluster_check(c);
}

static void finish_with(fetch *f, cql_status st, const char *why)
{
    cql_error *err = NULL;
    char id[CQL_UUID_TEXT_SIZE];
    cql_uuid_print(&f->id, id);
    cqln_fail(&err, f->s->al, st, "trace %s: %s%s%s", id, cql_status_text(st), why[0] ? ": " : "",
              why);
    finish(f, err, NULL);
    cql_error_unref(err);
}

static void later(fetch *f)
{
    cqln_cluster *c = &f->s->cluster;
    uint64_t now = cqln_loop_now(&c->loop);
    if (cqln_cluster_state_of(c) != CQLN_CLUSTER_CONNECTED) {
        finish_with(f, CQL_CANCELLED, "the session was closed");
    } else if (now >= f->end_at) {
        finish_with(f, CQL_NOT_FOUND, f->session ? "its events did not come in time"
                                                 : "it is not there, or not complete in time");
    } else {
        uint64_t at = now + f->pause;
        f->pause = f->pause * 2 < POLL_MAX_MS ? f->pause * 2 : POLL_MAX_MS;
        cqln_deadline_set(&c->loop, &f->poll, at < f->end_at ? at : f->end_at);
    }
}

static void on_poll(cqln_deadline *d)
{
    fetch *f = CQLN_CONTAINER(d, fetch, poll);
    if (f->session)
        ask_events(f);
    else
        ask_session(f);
}

/* A request has the time that is left, the last look a moment; none has more than the session gives. */
static uint32_t timeout_of(const fetch *f)
{
    uint64_t now = cqln_loop_now(&f->s->cluster.loop);
    uint64_t left = f->end_at > now + POLL_MAX_MS ? f->end_at - now : POLL_MAX_MS;
    uint32_t usual = f->s->config.request_timeout;
    return left < usual ? (uint32_t)left : usual;
}

static void ask(fetch *f, const char *cql, cql_result_cb cb)
{
    cql_statement *stmt;
    cql_status st = cql_statement_new(cql, 1, f->s->al, &stmt);
    if (st == CQL_OK) {
        cql_statement_bind_uuid(stmt, 0, f->id);
        cql_statement_set_consistency(stmt, CQL_CONSISTENCY_ONE);
        cql_statement_set_page_size(stmt, -1);
        cql_statement_set_idempotent(stmt, true);
        cql_statement_set_timeout(stmt, timeout_of(f));
        st = cql_session_execute(f->s, stmt, cb, f);
        cql_statement_free(stmt);
    }
    if (st == CQL_WOULD_BLOCK)
        later(f);
    else if (st)
        finish_with(f, st, "");
}

static void failed(fetch *f, const cql_error *err)
{
    bool late = cqln_loop_now(&f->s->cluster.loop) >= f->end_at;
    if (late && cql_error_status(err) == CQL_TIMEOUT)
        finish_with(f, CQL_NOT_FOUND, "no node answered in time");
    else
        finish(f, err, NULL);
}

static void on_events(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    fetch *f = user;
    (void)s;
    if (err) {
        failed(f, err);
        return;
    }
    size_t n = cql_result_row_count(res);
    bool settled = n > 0 && n == f->seen;
    f->seen = n;
    if (!settled) {
        later(f);
        return;
    }
    cql_trace *t = make(f, res);
    if (t)
        finish(f, NULL, t);
    else
        finish_with(f, CQL_NO_MEMORY, "");
}

static void ask_events(fetch *f)
{
    ask(f, events_cql, on_events);
}

/* The row is written in two parts, which a replica may get in any order: the coordinator with the first, the duration
 * with the last. */
static bool is_complete(const cql_result *res)
{
    cql_rows rows;
    cql_rows_init(&rows, res);
    return cql_rows_next(&rows) && !cql_rows_is_null(&rows, 3) && !cql_rows_is_null(&rows, 6);
}

static void on_session_row(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    fetch *f = user;
    (void)s;
    if (err) {
        failed(f, err);
        return;
    }
    if (!is_complete(res)) {
        later(f);
        return;
    }
    f->session = cql_result_ref(res);
    f->pause = POLL_MIN_MS;
    if (f->session)
        ask_events(f);
    else
        finish_with(f, CQL_NO_MEMORY, "");
}

static void ask_session(fetch *f)
{
    ask(f, session_cql, on_session_row);
}

static void on_start(cqln_mail *m)
{
    fetch *f = CQLN_CONTAINER(m, fetch, mail);
    f->end_at = cqln_loop_now(&f->s->cluster.loop) + f->timeout_ms;
    ask_session(f);
}

cql_status cql_session_trace(cql_session *s, cql_uuid id, uint32_t timeout_ms, cql_trace_cb cb,
                             void *user)
{
    if (!s || !cb)
        return CQL_BAD_ARGUMENT;
    if (cqln_cluster_state_of(&s->cluster) != CQLN_CLUSTER_CONNECTED)
        return CQL_BAD_STATE;
    fetch *f = cqln_alloc_zero(s->al, sizeof *f);
    if (!f)
        return CQL_NO_MEMORY;
    f->mail.fn = on_start;
    f->s = s;
    f->id = id;
    f->timeout_ms = timeout_ms ? timeout_ms : TIMEOUT_MS;
    f->pause = POLL_MIN_MS;
    f->cb = cb;
    f->user = user;
    cqln_deadline_init(&f->poll, on_poll);
    if (cqln_cluster_send(&s->cluster, &f->mail))
        return CQL_OK;
    cqln_free(s->al, f);
    return CQL_BAD_STATE;
}

/* --- waiting ------------------------------------------------------------------------------------------ */

static void on_trace(cql_session *s, const cql_error *err, cql_trace *trace, void *user)
{
    (void)s;
    cqln_wait_end(user, err, trace);
}

cql_status cql_session_trace_wait(cql_session *s, cql_uuid id, uint32_t timeout_ms, cql_trace **out,
                                  cql_error **err)
{
    cqln_waiter w;
    if (!out)
        return cqln_fail_null(err, "out");
    *out = NULL;
    cql_status st = cqln_wait_begin(s, &w, err);
    if (st == CQL_OK)
        st = cqln_wait_for(&w, cql_session_trace(s, id, timeout_ms, on_trace, &w), err);
    *out = st == CQL_OK ? w.got : NULL;
    return st;
}
