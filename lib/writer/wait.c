/* wait.c: the calls that block. */
#include "seat/wait.h"
#include "writer/core.h"

enum { TURN_MS = 1000, LOOKS = 10, LOOK_MS = 20 };

static cql_status fail(cql_writer *w, cql_status st, const char *text, cql_error **err)
{
    return cqlseat_fail(w->port.al, st, text, err);
}

static cql_status begin(cql_writer *w, cql_error **err)
{
    if (!w)
        return cqlseat_fail(NULL, CQL_BAD_ARGUMENT, "bad argument: the writer is NULL", err);
    cql_status st = w->port.may_wait(w->port.self);
    return st ? fail(w, st, CQLSEAT_NO_WAITING, err) : CQL_OK;
}

/* With the lock. */
static bool is_late(const cql_writer *w)
{
    return w->armed != UINT64_MAX && w->port.now_ms(w->port.self) >= w->timer_at + TURN_MS;
}

/* The loop of a closed session does nothing any more. One that works is never so late, unless the whole machine
 * stood still: then it goes on as soon as this thread does. With the lock. */
static bool loop_is_over(cql_writer *w)
{
    int looks = 0;
    while (is_late(w) && looks++ < LOOKS)
        (void)cqlseat_sleep(&w->changed, &w->lock, LOOK_MS);
    return is_late(w);
}

/* Sleeps until the loop's thread changed something, and does what it should have done where it is over: else
 * the program would be called on this thread. With the lock. */
static void sleep_a_while(cql_writer *w)
{
    if (cqlseat_sleep(&w->changed, &w->lock, TURN_MS) || !loop_is_over(w))
        return;
    (void)pthread_mutex_unlock(&w->lock);
    cqlwr_on_timer(w);
    (void)pthread_mutex_lock(&w->lock);
}

/* One step of waiting. With the lock. */
static cql_status step(cql_writer *w)
{
    cql_status st;
    if (!w->port.driven) {
        sleep_a_while(w);
        return CQL_OK;
    }
    (void)pthread_mutex_unlock(&w->lock);
    st = w->port.turn(w->port.self, TURN_MS);
    if (st) /* closed: nothing but this can move it */
        cqlwr_on_timer(w);
    (void)pthread_mutex_lock(&w->lock);
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
        (void)pthread_mutex_lock(&w->lock);
        while (!cqlwr_has_room(w) && !turned) {
            w->want_room = true;
            turned = step(w);
        }
        (void)pthread_mutex_unlock(&w->lock);
        if (turned)
            return fail(w, turned, cql_status_text(turned), err);
    }
    return st ? fail(w, st, cql_status_text(st), err) : CQL_OK;
}

static void on_flushed(cql_writer *w, const cql_error *err, void *user)
{
    bool *done = user;
    (void)err;
    (void)pthread_mutex_lock(&w->lock);
    *done = true;
    (void)pthread_cond_broadcast(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
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
        cqlseat_free(w->port.al, f);
    }
}

static cql_status await(cql_writer *w, cql_status started, bool *done, cql_error **err)
{
    cql_status st = started;
    if (st)
        return fail(w, st, cql_status_text(st), err);
    (void)pthread_mutex_lock(&w->lock);
    while (!*done && !st)
        st = step(w);
    if (*done)
        st = CQL_OK;
    else
        forget(w, done);
    (void)pthread_mutex_unlock(&w->lock);
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
