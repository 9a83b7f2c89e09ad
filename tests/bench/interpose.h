/*
 * What the preloaded library counts: the whole process, all threads.
 */
#ifndef BENCH_INTERPOSE_H
#define BENCH_INTERPOSE_H

#include <stdint.h>

typedef struct bench_counts {
    uint64_t allocs;       /* malloc, calloc, realloc and their aligned kin; free is not counted */
    uint64_t socket_reads; /* read, readv, recv… on a stream socket */
    uint64_t socket_writes;
    uint64_t other_reads; /* the same calls on anything else: the wake-ups between threads */
    uint64_t other_writes;
    uint64_t turns;  /* epoll_wait and its kin: one per loop turn */
    uint64_t polls;  /* epoll_ctl */
    uint64_t sleeps; /* pthread_cond_wait and _timedwait, sem_wait */
    uint64_t wakes;  /* pthread_cond_signal and _broadcast, sem_post */
    uint64_t others; /* calls made by number through syscall() */
    uint64_t locks;  /* mutexes and read-write locks taken or tried; a call of libc's only when they are contended */
} bench_counts;

/* Looked up by name: only a process with the library preloaded has it. */
void bench_counts_now(bench_counts *out);

#endif
