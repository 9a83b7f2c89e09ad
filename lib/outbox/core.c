/* core.c: reading on, sending, time. */
#include "outbox/core.h"

#include <stdio.h>
#include <string.h>

enum { FULL_QUEUE_MS = 10 };

/* --- what keeps it --------------------------------------------------------------------------------- */

void cqlox_keep_error(cql_outbox *o, cql_status st, const cql_error *err, const char *text)
{
    cql_error_unref(o->last);
    o->last = err ? cql_error_ref(err) : cql_error_make(o->seat.port.al, st, NULL, text);
}

/* The first failure after a success makes a short pause; failures of the same wave make no longer one. */
void cqlox_hold_back(cql_outbox *o, cql_status st, const cql_error *err, const char *text)
{
    uint64_t now = o->seat.port.now_ms(o->seat.port.self);
    cqlox_keep_error(o, st, err, text);
    if (o->pause && now < o->pause_until)
        return;
    uint64_t pause = o->pause ? (uint64_t)o->pause * 2 : o->o.retry_ms;
    o->pause = pause < o->o.retry_max_ms ? (uint32_t)pause : o->o.retry_max_ms;
    o->pause_until = now + o->pause;
}

void cqlox_hold_over(cql_outbox *o)
{
    o->pause = 0;
    o->pause_until = 0;
}

/* --- sending --------------------------------------------------------------------------------------- */

/* The next statement of the file into its place. */
static cql_status load(cql_outbox *o)
{
    cqlox_place *p = cqlox_place_of(o, o->store.cursor_seq);
    cql_status st = cqlox_store_next(&o->store, &p->record, &p->st);
    if (st == CQL_NO_MEMORY)
        cqlox_hold_back(o, st, NULL, "out of memory");
    else if (st == CQL_SYSTEM)
        cqlox_keep_error(o, st, NULL, o->store.why);
    if (st)
        return st;
    p->o = o;
    p->state = CQLOX_READY;
    p->attempts = 0;
    o->loaded++;
    return CQL_OK;
}

/* Not even begun: a full queue is tried again soon, anything else is as an answer. */
static void not_begun(cqlox_place *p, cql_status st)
{
    cql_outbox *o = p->o;
    o->seat.holds--; /* the caller has one too */
    p->state = CQLOX_READY;
    p->attempts--;
    if (st == CQL_WOULD_BLOCK) {
        cqlox_keep_error(o, st, NULL, cql_status_text(st));
        o->pause_until = o->seat.port.now_ms(o->seat.port.self) + FULL_QUEUE_MS;
        return;
    }
    cql_error *err = p->why;
    p->why = NULL;
    if (!err)
        err = cql_error_make(o->seat.port.al, st, NULL,
                             st == CQL_BAD_STATE ? "the session is not connected"
                                                 : cql_status_text(st));
    cqlox_settle(p, err);
    cql_error_unref(err);
}

static void send(cqlox_place *p)
{
    cql_outbox *o = p->o;
    p->state = CQLOX_SENT;
    p->attempts++;
    o->seat.holds++;
    cql_status st = o->send(o->seat.port.self, p);
    if (st)
        not_begun(p, st);
    else
        o->repeated += p->attempts > 1;
}

static bool may_send(cql_outbox *o)
{
    return !o->freed && o->seat.port.now_ms(o->seat.port.self) >= o->pause_until;
}

static void send_all(cql_outbox *o)
{
    for (size_t i = 0; i < o->o.window && may_send(o); i++) {
        if (i == o->loaded && (o->store.broken || load(o) != CQL_OK))
            return;
        cqlox_place *p = cqlox_place_of(o, o->store.first_seq + i);
        if (p->state == CQLOX_READY)
            send(p);
    }
}

void cqlox_pump(cql_outbox *o)
{
    send_all(o);
    if (o->loaded == 0 || !may_send(o)) /* meanwhile nothing is refused: others may have that file */
        cqlox_store_close(&o->refusals);
}

/* --- time ------------------------------------------------------------------------------------------ */

/* Of a file that cannot be read any more, what was read before. */
static bool has_ready(cql_outbox *o)
{
    for (size_t i = 0; i < o->loaded; i++)
        if (cqlox_place_of(o, o->store.first_seq + i)->state == CQLOX_READY)
            return true;
    return !o->store.broken && o->loaded < o->o.window && o->store.cursor_seq < o->store.next_seq;
}

static bool flusher_is_due(const cql_outbox *o)
{
    for (const cqlox_flusher *f = o->flushers; f; f = f->next)
        if (f->seq < o->store.first_seq)
            return true;
    return false;
}

static bool first_has_ended(cql_outbox *o)
{
    return o->loaded && cqlox_place_of(o, o->store.first_seq)->state == CQLOX_ENDED;
}

static uint64_t next_time(cql_outbox *o)
{
    uint64_t next = UINT64_MAX;
    if (o->freed)
        return next;
    if (flusher_is_due(o) || first_has_ended(o) || (o->store.broken && o->want_room))
        return 0;
    if (has_ready(o))
        next = o->pause_until;
    if (o->sync_at && o->sync_at < next)
        next = o->sync_at;
    return next;
}

void cqlox_arm(cql_outbox *o)
{
    cqlseat_arm(&o->seat, next_time(o));
}

static void sync_in_time(cql_outbox *o)
{
    uint64_t now = o->seat.port.now_ms(o->seat.port.self);
    if (!o->sync_at || now < o->sync_at || o->freed)
        return;
    o->sync_at = 0;
    if (cqlox_store_sync(&o->store) == CQL_OK)
        return;
    cqlox_keep_error(o, CQL_SYSTEM, NULL, o->store.why);
    o->sync_at = now + o->o.sync_ms;
}

void cqlox_do_due(cqlseat *seat)
{
    cql_outbox *o = (cql_outbox *)(void *)((char *)seat - offsetof(cql_outbox, seat));
    sync_in_time(o);
    cqlox_pump(o);
    cqlox_finish(o);
    cqlox_call_flushers(o, NULL);
    cqlox_arm(o);
}

/* --- adding ---------------------------------------------------------------------------------------- */

static int64_t write_time(cql_outbox *o)
{
    int64_t us = o->seat.port.epoch_us(o->seat.port.self);
    int64_t last = o->store.last_us;
    return us > last ? us : last < INT64_MAX ? last + 1 : last; /* a program may have given the highest itself */
}

static cql_status fill(cql_outbox *o, const cql_outbox_entry *more, cqlox_statement *st)
{
    int level = o->o.consistency;
    st->keyspace = "";
    st->seq = o->store.next_seq;
    st->timestamp_us = write_time(o);
    if (more) {
        st->keyspace = more->keyspace ? more->keyspace : "";
        st->timestamp_us = more->timestamp_us ? more->timestamp_us : st->timestamp_us;
        level = more->consistency ? more->consistency : level;
    }
    if (level < 0 || level > CQL_CONSISTENCY_LOCAL_ONE || level == CQL_CONSISTENCY_SERIAL ||
        level == CQL_CONSISTENCY_LOCAL_SERIAL)
        return CQL_BAD_ARGUMENT;
    st->consistency = (uint16_t)level;
    if (*st->keyspace && o->version(o->seat.port.self) == 4)
        return CQL_UNSUPPORTED;
    return CQL_OK;
}

static cql_status append(cql_outbox *o, const cqlox_statement *st, cql_values values)
{
    cql_status status = cqlox_statement_write(&o->record, o->seat.port.al, st, values);
    if (status)
        return status;
    bool each = o->o.sync == CQL_OUTBOX_SYNC_EACH;
    status = cqlox_store_append(&o->store, &o->record, st->timestamp_us, each);
    if (status == CQL_WOULD_BLOCK)
        o->want_room = o->record.len;
    else if (status == CQL_SYSTEM)
        cqlox_keep_error(o, status, NULL, o->store.why);
    else if (status == CQL_OK && o->o.sync == CQL_OUTBOX_SYNC_TIMED && !o->sync_at)
        o->sync_at = o->seat.port.now_ms(o->seat.port.self) + o->o.sync_ms;
    return status;
}

cql_status cql_outbox_add(cql_outbox *o, const char *cql, cql_values values,
                          const cql_outbox_entry *more, uint64_t *seq)
{
    cqlox_statement st = {.kind = CQLOX_STATEMENT, .cql = cql};
    if (!o || !cql || !*cql || (values.count && !values.ptr) ||
        (more && more->size < offsetof(cql_outbox_entry, consistency) + sizeof more->consistency))
        return CQL_BAD_ARGUMENT;
    st.cql_len = strlen(cql);
    (void)pthread_mutex_lock(&o->seat.lock);
    cql_status status = fill(o, more, &st);
    if (status == CQL_OK)
        status = append(o, &st, values);
    if (status == CQL_OK) {
        if (seq)
            *seq = st.seq;
        cqlox_pump(o);
        cqlox_arm(o);
    }
    (void)pthread_mutex_unlock(&o->seat.lock);
    return status;
}

cql_status cql_outbox_sync(cql_outbox *o)
{
    if (!o)
        return CQL_BAD_ARGUMENT;
    (void)pthread_mutex_lock(&o->seat.lock);
    cql_status st = cqlox_store_sync(&o->store);
    if (st)
        cqlox_keep_error(o, st, NULL, o->store.why);
    (void)pthread_mutex_unlock(&o->seat.lock);
    return st;
}

cql_status cql_outbox_flush(cql_outbox *o, cql_outbox_cb done, void *user)
{
    if (!o || !done)
        return CQL_BAD_ARGUMENT;
    cqlox_flusher *f = cqlseat_zalloc(o->seat.port.al, sizeof *f);
    if (!f)
        return CQL_NO_MEMORY;
    (void)pthread_mutex_lock(&o->seat.lock);
    *f = (cqlox_flusher){NULL, o->store.next_seq - 1, done, user};
    cqlox_flusher **at = &o->flushers;
    while (*at)
        at = &(*at)->next;
    *at = f;
    cqlox_arm(o);
    (void)pthread_mutex_unlock(&o->seat.lock);
    return CQL_OK;
}

/* --- looking at it --------------------------------------------------------------------------------- */

void cql_outbox_read_stats(cql_outbox *o, cql_outbox_stats *out)
{
    (void)pthread_mutex_lock(&o->seat.lock);
    const cqlox_store *s = &o->store;
    *out = (cql_outbox_stats){cqlox_store_count(s), s->live,    s->end,     s->next_seq,
                              s->found,             o->sent,    o->refused, o->repeated,
                              s->compactions};
    (void)pthread_mutex_unlock(&o->seat.lock);
}

const char *cql_outbox_damage(const cql_outbox *o, uint64_t *bytes)
{
    if (bytes)
        *bytes = o->store.aside_bytes;
    return o->store.aside;
}

cql_error *cql_outbox_error(cql_outbox *o)
{
    (void)pthread_mutex_lock(&o->seat.lock);
    cql_error *err = o->last ? cql_error_ref(o->last) : NULL;
    (void)pthread_mutex_unlock(&o->seat.lock);
    return err;
}
