/* mockserver.h: the nodes of a mockcluster on real sockets of the loopback, served by one thread. Ports
 * are the kernel's choice; nodes are told of each other by them. */
#ifndef TESTS_SUPPORT_MOCKSERVER_H
#define TESTS_SUPPORT_MOCKSERVER_H

#include "mocknode.h"

#include <pthread.h>

enum { MOCK_CONNECTIONS = 256 };

/* Changes the bytes of a connection on their way, as TLS does. */
typedef struct mockwrap {
    void *(*open)(void *self);
    /* Bytes of the client; what they say is appended to plain. False: the connection ends. */
    bool (*in)(void *state, const uint8_t *bytes, size_t n, cqln_writer *plain);
    /* Moves what the node says, and what the wrap itself says, to the wire. */
    void (*out)(void *state, cqln_writer *plain, cqln_writer *wire);
    void (*close)(void *state);
} mockwrap;

typedef struct mockserver {
    mockcluster mc;
    pthread_t thread;
    pthread_mutex_t lock; /* held by the thread while it works on the cluster */
    int listeners[MOCK_NODES];
    int wake[2];
    int sockets[MOCK_CONNECTIONS];
    mockconn conns[MOCK_CONNECTIONS];
    void *wrapped[MOCK_CONNECTIONS];   /* state of the wrap; NULL: none */
    cqln_writer wire[MOCK_CONNECTIONS]; /* behind the wrap */
    size_t count;
    const mockwrap *wrap;
    void *wrap_self; /* of connections made from now on; NULL: they are not wrapped */
    bool stop;
    _Atomic(uint32_t) strangers; /* connections that came from elsewhere than 127.9.1.7 */
} mockserver;

/* Ends the program when a socket cannot be had. */
void mockserver_start(mockserver *s, size_t nodes);
/* One node, on this address. */
void mockserver_start_at(mockserver *s, const char *ip);
void mockserver_stop(mockserver *s);
/* "127.9.0.1:43210" of node i; static per call. */
const char *mockserver_host(mockserver *s, size_t i);
/* How often a write with that value ran on any node. */
unsigned mockserver_executed(mockserver *s, uint32_t value);
/* Sends an event to every connection that asked for events. */
void mockserver_schema_event(mockserver *s, const char *change, const char *target, const char *keyspace,
                             const char *name);
/* Ends all its connections. */
void mockserver_cut(mockserver *s);

#endif
