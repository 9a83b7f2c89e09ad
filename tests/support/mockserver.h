/* mockserver.h: the nodes of a mockcluster on real sockets of the loopback, served by one thread. Ports
 * are the kernel's choice; nodes are told of each other by them. */
#ifndef TESTS_SUPPORT_MOCKSERVER_H
#define TESTS_SUPPORT_MOCKSERVER_H

#include "mocknode.h"

#include <pthread.h>

enum { MOCK_CONNECTIONS = 256 };

typedef struct mockserver {
    mockcluster mc;
    pthread_t thread;
    pthread_mutex_t lock; /* held by the thread while it works on the cluster */
    int listeners[MOCK_NODES];
    int wake[2];
    int sockets[MOCK_CONNECTIONS];
    mockconn conns[MOCK_CONNECTIONS];
    size_t count;
    bool stop;
    _Atomic(uint32_t) hold_ms; /* every answer is held back so long */
} mockserver;

/* Ends the program when a socket cannot be had. */
void mockserver_start(mockserver *s, size_t nodes);
void mockserver_stop(mockserver *s);
/* "127.9.0.1:43210" of node i; static per call. */
const char *mockserver_host(mockserver *s, size_t i);
/* Ends all its connections. */
void mockserver_cut(mockserver *s);

#endif
