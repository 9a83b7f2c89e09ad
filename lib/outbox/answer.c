/* answer.c: what an answer means for a statement, and telling the program. */
#include "outbox/core.h"

#include <stdio.h>
#include <string.h>

/* --- verdicts -------------------------------------------------------------------------------------- */

/* What the cluster or this library will always refuse; everything else is tried again. A server error, a
 * protocol error (a text that is no UTF-8) and a failed write may be for good: those have a number of tries. */
static bool is_for_good(cql_status st, unsigned attempts)
{
    switch (st) {
    case CQL_BAD_ARGUMENT:
    case CQL_TYPE_MISMATCH:
    case CQL_OUT_OF_RANGE:
    case CQL_UNBOUND:
    case CQL_BAD_VALUE:
    case CQL_UNSUPPORTED:
    case CQL_TOO_LARGE:
    case CQL_SERVER_SYNTAX_ERROR:
    case CQL_SERVER_UNAUTHORIZED:
    case CQL_SERVER_INVALID:
    case CQL_SERVER_CONFIG_ERROR:
    case CQL_SERVER_ALREADY_EXISTS:
    case CQL_SERVER_FUNCTION_FAILURE:
        return true;
    case CQL_SERVER_ERROR:
    case CQL_SERVER_PROTOCOL_ERROR:
    case CQL_SERVER_WRITE_FAILURE:
        return attempts >= CQLOX_UNSURE_TRIES;
    default:
        return false;
    }
}

/* The file of the refused, which stays open while there may be more of them: opening reads all of it. */
static cql_status open_refusals(cql_outbox *o)
{
    if (o->refusals.fs)
        return CQL_OK;
    return cqlox_store_open(&o->refusals, o->store.fs, o->seat.port.al, cqlox_store_name(&o->store, ".refused", 0),
                            o->o.max_bytes);
}

static cql_status append_refusal(cql_outbox *o, const cqlox_place *p)
{
    cqlox_buf copy = {NULL, 0, 0};
    cql_status st = cqlox_buf_reserve(&copy, o->seat.port.al, p->record.len);
    if (st)
        return st;
    memcpy(copy.ptr, p->record.ptr, p->record.len);
    copy.len = p->record.len;
    cqlox_record_renumber(copy.ptr, o->refusals.next_seq);
    st = cqlox_store_append(&o->refusals, &copy, p->st.timestamp_us, true);
    cqlseat_free(o->seat.port.al, copy.ptr);
    return st;
}

static const char *why_not_kept(const cql_outbox *o, cql_status st)
{
    switch (st) {
    case CQL_NO_MEMORY:
        return "out of memory";
    case CQL_WOULD_BLOCK:
    case CQL_TOO_LARGE:
        return "its file is full";
    default:
        return o->refusals.why;
    }
}

/* Into PATH.refused, a file like the outbox's own. */
static cql_status put_aside(cql_outbox *o, const cqlox_place *p)
{
    char text[CQLOX_WHY + 40];
    cql_status st = open_refusals(o);
    if (st == CQL_OK)
        st = append_refusal(o, p);
    if (st) {
        (void)snprintf(text, sizeof text, "cannot keep a refused statement: %s", why_not_kept(o, st));
        cqlox_hold_back(o, st, NULL, text);
    }
    return st;
}

void cqlox_settle(cqlox_place *p, const cql_error *err)
{
    cql_outbox *o = p->o;
    p->state = CQLOX_READY;
    if (o->freed)
        return;
    if (err && !is_for_good(cql_error_status(err), p->attempts)) {
        cqlox_hold_back(o, CQL_OK, err, NULL);
        return;
    }
    if (err && put_aside(o, p) != CQL_OK)
        return;
    p->refused = err ? cql_error_ref(err) : NULL;
    p->state = CQLOX_ENDED;
    cqlox_hold_over(o);
    if (!err) {
        cql_error_unref(o->last);
        o->last = NULL;
    }
}

void cqlox_on_answer(cqlox_place *p, const cql_error *err)
{
    cql_outbox *o = p->o;
    (void)pthread_mutex_lock(&o->seat.lock);
    cqlox_settle(p, err);
    cqlox_finish(o);
    cqlox_pump(o);
    cqlox_call_flushers(o, NULL);
    cqlox_arm(o);
    cqlseat_drop_and_unlock(&o->seat);
}

/* --- telling --------------------------------------------------------------------------------------- */

static void tell_sent(cql_outbox *o, cqlox_place *p)
{
    cql_error *err = p->refused;
    p->refused = NULL;
    *(err ? &o->refused : &o->sent) += 1;
    if (o->o.on_sent && !o->freed) {
        cql_outbox_sent info = {
            p->st.seq, p->st.timestamp_us, {p->st.cql, p->st.cql_len}, p->attempts, err};
        (void)pthread_mutex_unlock(&o->seat.lock);
        o->o.on_sent(o->o.user, &info);
        (void)pthread_mutex_lock(&o->seat.lock);
    }
    cql_error_unref(err);
}

/* Who waits for room in a file that cannot be read any more is told, too: adding says what is the matter. */
static void tell_room(cql_outbox *o)
{
    if (!o->want_room ||
        (!o->store.broken && cqlox_store_room(&o->store, o->want_room) != CQL_OK))
        return;
    o->want_room = 0;
    (void)pthread_cond_broadcast(&o->seat.changed);
    if (!o->o.on_room || o->freed)
        return;
    (void)pthread_mutex_unlock(&o->seat.lock);
    o->o.on_room(o->o.user);
    (void)pthread_mutex_lock(&o->seat.lock);
}

/* The file is marked before the program is told. The place of the one that is told of stays as it is: what
 * may be loaded meanwhile has other places. */
void cqlox_finish(cql_outbox *o)
{
    while (!o->telling && !o->freed && o->loaded) {
        cqlox_place *p = cqlox_place_of(o, o->store.first_seq);
        if (p->state != CQLOX_ENDED)
            break;
        o->telling = true;
        cqlox_store_done(&o->store, p->st.seq);
        if (o->store.broken)
            cqlox_keep_error(o, CQL_SYSTEM, NULL, o->store.why);
        o->loaded--;
        tell_sent(o, p);
        o->telling = false;
        (void)pthread_cond_broadcast(&o->seat.changed);
    }
    tell_room(o);
}

void cqlox_call_flushers(cql_outbox *o, const cql_error *err)
{
    cqlox_flusher **at = &o->flushers;
    while (*at && (err || !o->telling)) {
        cqlox_flusher *f = *at;
        if (!err && f->seq >= o->store.first_seq) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        (void)pthread_mutex_unlock(&o->seat.lock);
        f->done(o, err, f->user);
        cqlseat_free(o->seat.port.al, f);
        (void)pthread_mutex_lock(&o->seat.lock);
        at = &o->flushers; /* it may have changed meanwhile */
    }
}
