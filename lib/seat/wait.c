/* wait.c: sleeping, and saying why not. */
#include "seat/wait.h"

#include "os/steady.h"

#include <errno.h>

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
