/* thread.h: threads that run what a program gave us. */
#ifndef CQLOS_THREAD_H
#define CQLOS_THREAD_H

#include <pthread.h>

/* Callbacks and handlers of programs run on our threads, so these have at least 1 MiB of stack also where a thread has
 * 128 KiB by default (musl) or 512 KiB (macOS). */
#define CQLOS_LEAST_STACK ((size_t)1 << 20)

/* 0, or an errno. */
int cqlos_thread_start(pthread_t *out, void *(*run)(void *), void *arg);

#endif
