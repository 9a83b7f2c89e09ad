/* wait.c: sleeping, and saying why not. */
#include "seat/wait.h"

#include <errno.h>
#include <time.h>

cql_status cqlseat_fail(const cql_allocator *al, cql_status st, const char *text, cql_error **err)
{
    if (err) {
        cql_error_unref(*err);
        *err = cql_error_make(al, st, NULL, text);
    }
    return st;
}

bool cqlseat_sleep(pthread_cond_t *changed, pthread_mutex_t *lock, uint32_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += (time_t)(ms / 1000) + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return pthread_cond_timedwait(changed, lock, &until) != ETIMEDOUT;
}
