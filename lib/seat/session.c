/* session.c: clocks, timer and waiting of a real session. */
#include "seat/session.h"

#include "seat/memory.h"
#include "seat/wait.h"

#include <time.h>

static int64_t clock_us(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint64_t now_ms(void *self)
{
    (void)self;
    return (uint64_t)clock_us(CLOCK_MONOTONIC) / 1000;
}

static int64_t epoch_us(void *self)
{
    (void)self;
    return clock_us(CLOCK_REALTIME);
}

static void set_timer(void *self, int ms)
{
    cqlseat_session *p = self;
    cql_timer_set(p->timer, ms);
}

static cql_status may_wait(void *self)
{
    cqlseat_session *p = self;
    return cql_session_may_wait(p->s);
}

static cql_status turn(void *self, int ms)
{
    cqlseat_session *p = self;
    return cql_session_drive(p->s, ms);
}

static void on_due(cql_session *s, void *user)
{
    cqlseat_session *p = user;
    (void)s;
    cqlseat_on_timer(p->seat);
}

void cqlseat_session_end(void *self)
{
    cqlseat_session *p = self;
    cql_timer_free(p->timer, p->on_gone);
}

cql_status cqlseat_session_new(cql_session *s, size_t size, cql_timer_cb on_gone, cqlseat_port *out)
{
    const cql_allocator *al = cql_session_allocator(s);
    cqlseat_session *p = cqlseat_zalloc(al, size);
    *out = (cqlseat_port){.self = p,
                          .al = al,
                          .now_ms = now_ms,
                          .epoch_us = epoch_us,
                          .timer = set_timer,
                          .end = cqlseat_session_end,
                          .may_wait = may_wait,
                          .turn = turn,
                          .driven = cql_session_fd(s) >= 0};
    if (!p)
        return CQL_NO_MEMORY;
    p->s = s;
    p->al = al;
    p->on_gone = on_gone;
    cql_status st = cql_timer_new(s, on_due, p, &p->timer);
    if (st)
        cqlseat_free(al, p);
    return st;
}
