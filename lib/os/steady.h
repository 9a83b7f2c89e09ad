/* steady.h: conditions that go by the steady clock: who sets the calendar must not make anybody sleep for a day. */
#ifndef CQLOS_STEADY_H
#define CQLOS_STEADY_H

#include <pthread.h>
#include <time.h>

/* 0, or an errno. */
int cqlos_cond_init(pthread_cond_t *cond);
/* Sleeps until woken, or until CLOCK_MONOTONIC says `until`: then ETIMEDOUT. With the lock. */
int cqlos_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until);

#endif
