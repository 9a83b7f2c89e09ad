/* thread.c: starting a thread. */
#include "os/thread.h"

int cqlos_thread_start(pthread_t *out, void *(*run)(void *), void *arg)
{
    pthread_attr_t attr;
    size_t stack;
    int rc = pthread_attr_init(&attr);
    if (rc)
        return rc;
    if (!pthread_attr_getstacksize(&attr, &stack) && stack < CQLOS_LEAST_STACK)
        (void)pthread_attr_setstacksize(&attr, CQLOS_LEAST_STACK);
    rc = pthread_create(out, &attr, run, arg);
    (void)pthread_attr_destroy(&attr);
    return rc;
}
