/* wait.c: sleeping, and saying why not; timer and holds of what stands on a session. */
#include "seat/wait.h"

#include "os/steady.h"

#include <errno.h>

enum { TURN_MS = 1000, LOOKS = 10, LOOK_MS = 20 };

cql_status cqlseat_fail(const cql_allocator *al, cql_status st, const char *text, cql_error **err)
{
    if (err) {
        cql_error_unref(*err);
        *err = cql_error_make(al, st, NULL, text);
    }
    return st;
}

struct timespec cqlseat_from_now(uint32_t ms)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    at.tv_sec += (time_t)(ms / 1000) + at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

bool cqlseat_sleep(pthread_cond_t *changed, pthread_mutex_t *lock, uint32_t ms)
{
    struct timespec until = cqlseat_from_now(ms);
    return cqlos_cond_wait(changed, lock, &until) != ETIMEDOUT;
}

/* --- what stands on a port ------------------------------------------------------------------------ */

bool cqlseat_init(cqlseat *seat, const cqlseat_port *port, void (*do_due)(cqlseat *seat))
{
    if (pthread_mutex_init(&seat->lock, NULL))
        return false;
    if (cqlos_cond_init(&seat->changed)) {
        (void)pthread_mutex_destroy(&seat->lock);
        return false;
    }
    seat->port = *port;
    seat->do_due = do_due;
    seat->holds = 1;
    seat->armed = UINT64_MAX;
    return true;
}

void cqlseat_fini(cqlseat *seat)
{
    (void)pthread_cond_destroy(&seat->changed);
    (void)pthread_mutex_destroy(&seat->lock);
}

void cqlseat_arm(cqlseat *seat, uint64_t next)
{
    if (next >= seat->armed)
        return;
    uint64_t now = seat->port.now_ms(seat->port.self);
    uint64_t ms = next > now ? next - now : 0;
    seat->armed = next;
    seat->timer_at = now + ms;
    seat->port.timer(seat->port.self, ms > INT32_MAX ? INT32_MAX : (int)ms);
}

void cqlseat_on_timer(cqlseat *seat)
{
    (void)pthread_mutex_lock(&seat->lock);
    if (seat->holds == 0) {
        (void)pthread_mutex_unlock(&seat->lock);
        return;
    }
    seat->holds++;
    seat->armed = UINT64_MAX;
    seat->do_due(seat);
    cqlseat_drop_and_unlock(seat);
}

void cqlseat_drop_and_unlock(cqlseat *seat)
{
    bool last = --seat->holds == 0;
    (void)pthread_mutex_unlock(&seat->lock);
    if (last)
        seat->port.end(seat->port.self);
}

/* --- waiting -------------------------------------------------------------------------------------- */

cql_status cqlseat_begin_wait(cqlseat *seat, cql_error **err)
{
    cql_status st = seat->port.may_wait(seat->port.self);
    return st ? cqlseat_fail(seat->port.al, st, CQLSEAT_NO_WAITING, err) : CQL_OK;
}

/* With the lock. */
static bool is_late(const cqlseat *seat)
{
    return seat->armed != UINT64_MAX &&
           seat->port.now_ms(seat->port.self) >= seat->timer_at + TURN_MS;
}

/* The loop of a closed session does nothing any more. One that works is never so late, unless the whole machine
 * stood still: then it goes on as soon as this thread does. With the lock. */
static bool loop_is_over(cqlseat *seat)
{
    int looks = 0;
    while (is_late(seat) && looks++ < LOOKS)
        (void)cqlseat_sleep(&seat->changed, &seat->lock, LOOK_MS);
    return is_late(seat);
}

cql_status cqlseat_step(cqlseat *seat, uint32_t ms)
{
    cql_status st = CQL_OK;
    if (!seat->port.driven &&
        (cqlseat_sleep(&seat->changed, &seat->lock, ms) || !loop_is_over(seat)))
        return CQL_OK;
    (void)pthread_mutex_unlock(&seat->lock);
    if (seat->port.driven)
        st = seat->port.turn(seat->port.self, (int)ms);
    else
        cqlseat_on_timer(seat);
    (void)pthread_mutex_lock(&seat->lock);
    return st;
}
