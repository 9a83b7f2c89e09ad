/* wait.c: the calls that block. */
#include "outbox/core.h"

#include <stdio.h>

enum { TURN_MS = 1000 };

static cql_status fail(cql_outbox *o, cql_status st, const char *text, cql_error **err)
{
    return cqlseat_fail(o->seat.port.al, st, text, err);
}

static cql_status begin(cql_outbox *o, cql_error **err)
{
    if (!o)
        return cqlseat_fail(NULL, CQL_BAD_ARGUMENT, "bad argument: the outbox is NULL", err);
    return cqlseat_begin_wait(&o->seat, err);
}

cql_status cql_outbox_add_wait(cql_outbox *o, const char *cql, cql_values values,
                               const cql_outbox_entry *more, uint64_t *seq, cql_error **err)
{
    cql_status st = begin(o, err);
    if (st)
        return st;
    while ((st = cql_outbox_add(o, cql, values, more, seq)) == CQL_WOULD_BLOCK) {
        cql_status turned = CQL_OK;
        (void)pthread_mutex_lock(&o->seat.lock);
        while (o->want_room && !turned)
            turned = cqlseat_step(&o->seat, TURN_MS);
        (void)pthread_mutex_unlock(&o->seat.lock);
        if (turned)
            return fail(o, turned, cql_status_text(turned), err);
    }
    if (st == CQL_OK)
        return CQL_OK;
    (void)pthread_mutex_lock(&o->seat.lock);
    char why[CQLOX_WHY];
    (void)snprintf(why, sizeof why, "%s", st == CQL_SYSTEM ? o->store.why : cql_status_text(st));
    (void)pthread_mutex_unlock(&o->seat.lock);
    return fail(o, st, why, err);
}

/* Why it took too long. With the lock. */
static cql_status too_late(cql_outbox *o, uint64_t seq, uint32_t timeout_ms, cql_error **err)
{
    char text[600];
    unsigned long long left = seq >= o->store.first_seq ? seq - o->store.first_seq + 1 : 0;
    cql_str why = o->last ? cql_str_of(cql_error_text(o->last)) : (cql_str){"", 0};
    (void)snprintf(text, sizeof text, "%llu statements are still in the outbox after %u ms%s%.*s", left,
                   timeout_ms, why.len ? ": " : "", (int)(why.len < 450 ? why.len : 450), why.ptr);
    return fail(o, CQL_TIMEOUT, text, err);
}

cql_status cql_outbox_flush_wait(cql_outbox *o, uint32_t timeout_ms, cql_error **err)
{
    cql_status st = begin(o, err);
    if (st)
        return st;
    uint64_t end = o->seat.port.now_ms(o->seat.port.self) + timeout_ms;
    (void)pthread_mutex_lock(&o->seat.lock);
    uint64_t seq = o->store.next_seq - 1;
    while (st == CQL_OK && (o->store.first_seq <= seq || o->telling)) {
        uint64_t now = o->seat.port.now_ms(o->seat.port.self);
        if (o->store.broken && !o->loaded && !o->telling) { /* the rest will not be sent */
            st = fail(o, CQL_SYSTEM, o->store.why, err);
            break;
        }
        if (timeout_ms && now >= end) {
            st = too_late(o, seq, timeout_ms, err);
            break;
        }
        uint64_t ms = timeout_ms && end - now < TURN_MS ? end - now : TURN_MS;
        st = cqlseat_step(&o->seat, (uint32_t)ms);
        if (st)
            (void)fail(o, st, cql_status_text(st), err);
    }
    (void)pthread_mutex_unlock(&o->seat.lock);
    return st;
}
