/* answer.c: what an answer means for a group, and telling the program. */
#include "writer/core.h"

/* --- repeating ------------------------------------------------------------------------------------- */

bool cqlwr_may_pass(cql_status st, unsigned attempts)
{
    switch (st) {
    case CQL_TIMEOUT:
    case CQL_NO_HOST:
    case CQL_CLOSED:
    case CQL_CONNECT_FAILED:
    case CQL_NO_STREAM:
    case CQL_WOULD_BLOCK:
    case CQL_NO_MEMORY:
    case CQL_SERVER_UNAVAILABLE:
    case CQL_SERVER_OVERLOADED:
    case CQL_SERVER_IS_BOOTSTRAPPING:
    case CQL_SERVER_WRITE_TIMEOUT:
        return true;
    case CQL_SERVER_ERROR:
    case CQL_SERVER_WRITE_FAILURE:
        return attempts < CQLWR_UNSURE_TRIES;
    default:
        return false;
    }
}

/* Not even once did it run so. */
static bool is_stale(const cqlwr_group *g, const cql_error *err)
{
    return cql_error_status(err) == CQL_PREPARED_CHANGED && g->renewals < CQLWR_UNSURE_TRIES;
}

static bool is_repeated(const cqlwr_group *g, const cql_error *err, uint64_t now)
{
    const cql_writer *w = g->w;
    if (w->gave_up || !(is_stale(g, err) || cqlwr_may_pass(cql_error_status(err), g->attempts)))
        return false;
    if (w->o.not_idempotent && cql_error_maybe_applied(err))
        return false;
    return !w->o.give_up_ms || now - g->opened < w->o.give_up_ms;
}

static uint64_t pause_of(const cql_writer *w, unsigned tries)
{
    uint64_t pause = w->o.retry_ms;
    while (--tries && pause < w->o.retry_max_ms)
        pause *= 2;
    return pause < w->o.retry_max_ms ? pause : w->o.retry_max_ms;
}

void cqlwr_send_later(cqlwr_group *g, unsigned tries)
{
    cql_writer *w = g->w;
    g->due = w->seat.port.now_ms(w->seat.port.self) + pause_of(w, tries);
    cqlwr_push(&w->waiting, g);
}

/* With the lock, which it gives back meanwhile. */
static void tell_flushed(cql_writer *w, const cql_writer_flushed *info)
{
    if (!w->o.on_flushed)
        return;
    (void)pthread_mutex_unlock(&w->seat.lock);
    w->o.on_flushed(w->o.user, info);
    (void)pthread_mutex_lock(&w->seat.lock);
}

void cqlwr_on_answer(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    cqlwr_group *g = user;
    cql_writer *w = g->w;
    (void)s;
    (void)pthread_mutex_lock(&w->seat.lock);
    uint64_t now = w->seat.port.now_ms(w->seat.port.self);
    bool again = err && is_repeated(g, err, now);
    tell_flushed(w, &(cql_writer_flushed){g->count, g->attempts, again, err, res});
    if (again && !w->gave_up) {
        cql_error_unref(g->err);
        g->err = cql_error_ref(err);
        if (is_stale(g, err))
            cqlwr_prepare_anew(g);
        else
            cqlwr_send_later(g, g->attempts);
    } else {
        w->in_flight--;
        cqlwr_deliver(w, g, err, res);
    }
    cqlwr_pump(w);
    cqlwr_arm(w);
    cqlseat_drop_and_unlock(&w->seat);
}

/* --- telling --------------------------------------------------------------------------------------- */

static void count_down(cql_writer *w, uint64_t seq)
{
    for (cqlwr_flusher *f = w->flushers; f; f = f->next)
        if (f->seq >= seq)
            f->remaining--;
}

static void tell_room(cql_writer *w)
{
    if (!w->want_room || !cqlwr_has_room(w))
        return;
    w->want_room = false;
    (void)pthread_cond_broadcast(&w->seat.changed);
    if (!w->o.on_room || w->freed)
        return;
    (void)pthread_mutex_unlock(&w->seat.lock);
    w->o.on_room(w->o.user);
    (void)pthread_mutex_lock(&w->seat.lock);
}

void cqlwr_deliver(cql_writer *w, cqlwr_group *g, const cql_error *err, const cql_result *res)
{
    (void)res;
    w->stats.rows_held -= g->count;
    w->stats.bytes_held -= cql_batch_bytes(g->batch);
    *(err ? &w->stats.rows_failed : &w->stats.rows_written) += g->count;
    (void)pthread_mutex_unlock(&w->seat.lock);
    for (size_t i = 0; i < g->count; i++)
        if (g->acks[i].cb)
            g->acks[i].cb(w, err, g->acks[i].user);
    (void)pthread_mutex_lock(&w->seat.lock);
    w->live--;
    count_down(w, g->seq);
    cqlwr_group_release(g);
    cqlwr_call_flushers(w);
    tell_room(w);
}

void cqlwr_call_flushers(cql_writer *w)
{
    cqlwr_flusher **at = &w->flushers;
    while (*at) {
        cqlwr_flusher *f = *at;
        if (f->remaining) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        (void)pthread_mutex_unlock(&w->seat.lock);
        f->done(w, NULL, f->user);
        cqlseat_free(w->seat.port.al, f);
        (void)pthread_mutex_lock(&w->seat.lock);
        at = &w->flushers; /* it may have changed meanwhile */
    }
}
