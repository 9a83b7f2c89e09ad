/* core.c: what is sent when. */
#include "writer/core.h"

enum { FULL_QUEUE_MS = 10 };

bool cqlwr_has_room(const cql_writer *w)
{
    return w->stats.rows_held < w->o.max_rows && w->stats.bytes_held < w->o.max_bytes;
}

void cqlwr_seal_all(cql_writer *w)
{
    while (w->open.first)
        cqlwr_group_seal(w->open.first);
}

/* --- sending --------------------------------------------------------------------------------------- */

/* Repetitions carry the time of the first try: they must not beat what was written meanwhile. */
static void set_time(cqlwr_group *g)
{
    cql_writer *w = g->w;
    int64_t us = w->seat.port.epoch_us(w->seat.port.self);
    if (g->timed)
        return;
    w->last_us = us > w->last_us ? us : w->last_us + 1;
    cql_batch_set_timestamp(g->batch, w->last_us);
    g->timed = true;
}

/* Not even begun: a full queue is tried again soon, what is outdated is prepared anew, anything else ends the rows. */
static void not_begun(cqlwr_group *g, cql_status st)
{
    cql_writer *w = g->w;
    if (st == CQL_WOULD_BLOCK || st == CQL_NO_MEMORY) {
        g->due = w->seat.port.now_ms(w->seat.port.self) + FULL_QUEUE_MS;
        cqlwr_push(&w->waiting, g);
        return;
    }
    cql_error_unref(g->err);
    g->err = cql_error_make(w->seat.port.al, st, NULL, cql_status_text(st));
    if (st == CQL_PREPARED_CHANGED && g->renewals < CQLWR_UNSURE_TRIES && !w->gave_up) {
        cqlwr_prepare_anew(g);
        return;
    }
    w->in_flight--;
    cqlwr_push(&w->ended, g);
}

void cqlwr_pump(cql_writer *w)
{
    while (w->ready.first && w->in_flight < w->o.max_in_flight) {
        cqlwr_group *g = cqlwr_pop(&w->ready);
        set_time(g);
        (void)cqlwr_renew(g);
        w->in_flight++;
        w->seat.holds++;
        g->attempts++;
        cql_status st = w->send(w->seat.port.self, g->batch, cqlwr_on_answer, g);
        if (st) {
            w->seat.holds--; /* the caller has one too */
            g->attempts--;
            not_begun(g, st);
            if (st == CQL_WOULD_BLOCK)
                return;
            continue;
        }
        w->stats.requests++;
        w->stats.repeated += g->attempts > 1;
    }
}

/* --- time ------------------------------------------------------------------------------------------ */

static bool flusher_is_due(const cql_writer *w)
{
    for (const cqlwr_flusher *f = w->flushers; f; f = f->next)
        if (f->remaining == 0)
            return true;
    return false;
}

static uint64_t next_time(const cql_writer *w)
{
    uint64_t next = UINT64_MAX;
    if (w->ended.first || flusher_is_due(w))
        return 0;
    if (w->open.first)
        next = w->open.first->opened + w->o.flush_ms;
    for (const cqlwr_group *g = w->waiting.first; g; g = g->next)
        if (g->due < next)
            next = g->due;
    if (w->closing && !w->gave_up && w->live && w->close_at < next)
        next = w->close_at;
    return next;
}

void cqlwr_arm(cql_writer *w)
{
    cqlseat_arm(&w->seat, next_time(w));
}

static void seal_old(cql_writer *w, uint64_t now)
{
    while (w->open.first && w->open.first->opened + w->o.flush_ms <= now)
        cqlwr_group_seal(w->open.first);
}

static void wake_waiting(cql_writer *w, uint64_t now)
{
    cqlwr_group *next;
    for (cqlwr_group *g = w->waiting.first; g; g = next) {
        next = g->next;
        if (g->due > now)
            continue;
        cqlwr_remove(&w->waiting, g);
        w->in_flight--;
        cqlwr_push_first(&w->ready, g);
    }
}

/* The close has waited long enough: what is not under way ends with what kept it. */
static void give_up(cql_writer *w)
{
    cqlwr_group *g;
    w->gave_up = true;
    cqlwr_seal_all(w);
    while ((g = cqlwr_pop(w->waiting.first ? &w->waiting : &w->stale)) != NULL) {
        w->in_flight--;
        cqlwr_push(&w->ended, g);
    }
    while ((g = cqlwr_pop(&w->ready)) != NULL)
        cqlwr_push(&w->ended, g);
}

static void deliver_ended(cql_writer *w)
{
    cqlwr_group *g;
    while ((g = cqlwr_pop(&w->ended)) != NULL) {
        cql_error *err = g->err;
        g->err = NULL;
        if (!err)
            err = cql_error_make(w->seat.port.al, CQL_CANCELLED, NULL,
                                 "the row was not sent: its writer was closed");
        cqlwr_deliver(w, g, err, NULL);
        cql_error_unref(err);
    }
}

void cqlwr_do_due(cqlseat *seat)
{
    cql_writer *w = (cql_writer *)(void *)((char *)seat - offsetof(cql_writer, seat));
    uint64_t now = seat->port.now_ms(seat->port.self);
    if (w->closing && !w->gave_up && now >= w->close_at)
        give_up(w);
    seal_old(w, now);
    wake_waiting(w, now);
    cqlwr_pump(w);
    deliver_ended(w);
    cqlwr_call_flushers(w);
    cqlwr_arm(w);
}

/* --- what the program calls ------------------------------------------------------------------------ */

static cql_status take(cql_writer *w, const cql_statement *row, cql_writer_cb cb, void *user)
{
    if (w->closing)
        return CQL_BAD_STATE;
    if (!cqlwr_has_room(w)) { /* no use in waiting for more: let it go */
        w->want_room = true;
        cqlwr_seal_all(w);
        return CQL_WOULD_BLOCK;
    }
    cqlwr_group *g = cqlwr_group_for(w, row);
    if (!g)
        return CQL_NO_MEMORY;
    cql_status st = cqlwr_group_add(g, row, cb, user);
    if (st && g->count)
        return st;
    if (st || !g->keyed || g->count >= w->o.group_rows ||
        cql_batch_bytes(g->batch) >= w->o.group_bytes)
        cqlwr_group_seal(g);
    return st;
}

cql_status cql_writer_add(cql_writer *w, const cql_statement *row, cql_writer_cb cb, void *user)
{
    if (!w || !row)
        return CQL_BAD_ARGUMENT;
    (void)pthread_mutex_lock(&w->seat.lock);
    cql_status st = take(w, row, cb, user);
    cqlwr_pump(w);
    cqlwr_arm(w);
    (void)pthread_mutex_unlock(&w->seat.lock);
    return st;
}

/* With the lock. */
static cql_status add_flusher(cql_writer *w, cql_writer_cb done, void *user)
{
    cqlwr_flusher **at = &w->flushers;
    cqlwr_flusher *f = cqlseat_zalloc(w->seat.port.al, sizeof *f);
    if (!f)
        return CQL_NO_MEMORY;
    f->seq = w->seq;
    f->remaining = w->live;
    f->done = done;
    f->user = user;
    while (*at)
        at = &(*at)->next;
    *at = f;
    return CQL_OK;
}

cql_status cql_writer_flush(cql_writer *w, cql_writer_cb done, void *user)
{
    cql_status st = CQL_OK;
    if (!w)
        return CQL_BAD_ARGUMENT;
    (void)pthread_mutex_lock(&w->seat.lock);
    cqlwr_seal_all(w);
    if (done)
        st = add_flusher(w, done, user);
    cqlwr_pump(w);
    cqlwr_arm(w);
    (void)pthread_mutex_unlock(&w->seat.lock);
    return st;
}

cql_status cql_writer_close(cql_writer *w, cql_writer_cb done, void *user)
{
    cql_status st = CQL_BAD_STATE;
    if (!w)
        return CQL_BAD_ARGUMENT;
    (void)pthread_mutex_lock(&w->seat.lock);
    if (!w->closing) {
        cqlwr_seal_all(w);
        st = done ? add_flusher(w, done, user) : CQL_OK;
    }
    if (!st) {
        w->closing = true;
        w->close_at = w->seat.port.now_ms(w->seat.port.self) + w->o.close_ms;
        cqlwr_pump(w);
        cqlwr_arm(w);
    }
    (void)pthread_mutex_unlock(&w->seat.lock);
    return st;
}

void cql_writer_free(cql_writer *w)
{
    if (!w)
        return;
    (void)pthread_mutex_lock(&w->seat.lock);
    w->closing = w->freed = true;
    give_up(w);
    deliver_ended(w);
    if (w->live == 0)
        cqlwr_call_flushers(w);
    cqlseat_drop_and_unlock(&w->seat);
}

void cql_writer_read_stats(cql_writer *w, cql_writer_stats *out)
{
    (void)pthread_mutex_lock(&w->seat.lock);
    *out = w->stats;
    out->in_flight = w->in_flight;
    (void)pthread_mutex_unlock(&w->seat.lock);
}
