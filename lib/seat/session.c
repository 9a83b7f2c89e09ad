/* session.c: clocks, timer and waiting of a real session. */
#include "seat/session.h"

#include <time.h>

static int64_t clock_us(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

uint64_t cqlseat_now_ms(void *self)
{
    (void)self;
    return (uint64_t)clock_us(CLOCK_MONOTONIC) / 1000;
}

int64_t cqlseat_epoch_us(void *self)
{
    (void)self;
    return clock_us(CLOCK_REALTIME);
}

void cqlseat_timer(void *self, int ms)
{
    cqlseat_session *p = self;
    cql_timer_set(p->timer, ms);
}

cql_status cqlseat_may_wait(void *self)
{
    cqlseat_session *p = self;
    return cql_session_may_wait(p->s);
}

cql_status cqlseat_turn(void *self, int ms)
{
    cqlseat_session *p = self;
    return cql_session_drive(p->s, ms);
}
