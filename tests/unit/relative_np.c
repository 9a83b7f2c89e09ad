/* relative_np.c: the wait for a span that macOS has, for tests elsewhere. */
#include <pthread.h>
#include <time.h>

int pthread_cond_timedwait_relative_np(pthread_cond_t *cond, pthread_mutex_t *lock,
                                       const struct timespec *span);

int pthread_cond_timedwait_relative_np(pthread_cond_t *cond, pthread_mutex_t *lock,
                                       const struct timespec *span)
{
    struct timespec at;
    (void)timespec_get(&at, TIME_UTC);
    at.tv_sec += span->tv_sec + (at.tv_nsec + span->tv_nsec) / 1000000000;
    at.tv_nsec = (at.tv_nsec + span->tv_nsec) % 1000000000;
    return pthread_cond_timedwait(cond, lock, &at);
}
