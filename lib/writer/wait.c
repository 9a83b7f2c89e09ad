/* wait.c: the calls that block. */
#include "writer/core.h"

enum { TURN_MS = 1000 };

static cql_status fail(cql_writer *w, cql_status st, const char *text, cql_error **err)
{
    return cqlseat_fail(w->seat.port.al, st, text, err);
}

static cql_status begin(cql_writer *w, cql_error **err)
{
    if (!w)
        return cqlseat_fail(NULL, CQL_BAD_ARGUMENT, "bad argument: the writer is NULL", err);
    return cqlseat_begin_wait(&w->seat, err);
}

/* One step of waiting. With the lock. */
static cql_status step(cql_writer *w)
{
    cql_status st = cqlseat_step(&w->seat, TURN_MS);
    if (st) { /* closed: nothing but this can move it */
        (void)pthread_mutex_unlock(&w->seat.lock);
        cqlseat_on_timer(&w->seat);
        (void)pthread_mutex_lock(&w->seat.lock);
    }
    return st;
}

cql_status cql_writer_add_wait(cql_writer *w, const cql_statement *row, cql_writer_cb cb,
                               void *user, cql_error **err)
{
    cql_status st = begin(w, err);
    if (st)
        return st;
    while ((st = cql_writer_add(w, row, cb, user)) == CQL_WOULD_BLOCK) {
        cql_status turned = CQL_OK;
        (void)pthread_mutex_lock(&w->seat.lock);
        while (!cqlwr_has_room(w) && !turned) {
            w->want_room = true;
            turned = step(w);
        }
        (void)pthread_mutex_unlock(&w->seat.lock);
        if (turned)
            return fail(w, turned, cql_status_text(turned), err);
    }
    return st ? fail(w, st, cql_status_text(st), err) : CQL_OK;
}

static void on_flushed(cql_writer *w, const cql_error *err, void *user)
{
    bool *done = user;
    (void)err;
    (void)pthread_mutex_lock(&w->seat.lock);
    *done = true;
    (void)pthread_cond_broadcast(&w->seat.changed);
    (void)pthread_mutex_unlock(&w->seat.lock);
}

/* Nobody waits for it any more. With the lock. */
static void forget(cql_writer *w, const bool *done)
{
    cqlwr_flusher **at = &w->flushers;
    while (*at && (*at)->user != done)
        at = &(*at)->next;
    if (*at) {
        cqlwr_flusher *f = *at;
        *at = f->next;
        cqlseat_free(w->seat.port.al, f);
    }
}

static cql_status await(cql_writer *w, cql_status started, bool *done, cql_error **err)
{
    cql_status st = started;
    if (st)
        return fail(w, st, cql_status_text(st), err);
    (void)pthread_mutex_lock(&w->seat.lock);
    while (!*done && !st)
        st = step(w);
    if (*done)
        st = CQL_OK;
    else
        forget(w, done);
    (void)pthread_mutex_unlock(&w->seat.lock);
    return st ? fail(w, st, cql_status_text(st), err) : CQL_OK;
}

cql_status cql_writer_flush_wait(cql_writer *w, cql_error **err)
{
    bool done = false;
    cql_status st = begin(w, err);
    return st ? st : await(w, cql_writer_flush(w, on_flushed, &done), &done, err);
}

cql_status cql_writer_close_wait(cql_writer *w, cql_error **err)
{
    bool done = false;
    cql_status st = begin(w, err);
    return st ? st : await(w, cql_writer_close(w, on_flushed, &done), &done, err);
}
