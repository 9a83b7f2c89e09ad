/* steady_relative.c: where a condition takes no other clock than the calendar, but a span (macOS). */
#include "os/steady.h"

#include <errno.h>

/* As macOS has it; tests have their own elsewhere. */
int pthread_cond_timedwait_relative_np(pthread_cond_t *cond, pthread_mutex_t *lock,
                                       const struct timespec *span);

int cqlos_cond_init(pthread_cond_t *cond)
{
    return pthread_cond_init(cond, NULL);
}

int cqlos_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    struct timespec span = {until->tv_sec - now.tv_sec, until->tv_nsec - now.tv_nsec};
    if (span.tv_nsec < 0) {
        span.tv_sec--;
        span.tv_nsec += 1000000000;
    }
    if (span.tv_sec < 0)
        return ETIMEDOUT;
    return pthread_cond_timedwait_relative_np(cond, lock, &span);
}
