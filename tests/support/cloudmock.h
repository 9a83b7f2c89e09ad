/* cloudmock.h: what stands in front of a database that is reached by a secure connect bundle: its metadata
 * service and its proxy, on ports of the loopback under the name "localhost". Behind the proxy are the nodes of
 * a mockserver, by their host ids. Each connection has a thread. */
#ifndef TESTS_SUPPORT_CLOUDMOCK_H
#define TESTS_SUPPORT_CLOUDMOCK_H

#include "mockserver.h"
#include "testcert.h"

enum { CLOUD_CONNECTIONS = 512, CLOUD_ANSWER = 70000 };

typedef struct cloudmock {
    mockserver *nodes;
    SSL_CTX *service_ctx; /* the test's; both want the client's certificate or not, as they are made */
    SSL_CTX *proxy_ctx;
    int service, proxy; /* listening; -1: not */
    uint16_t service_port, proxy_port;
    pthread_t threads[2];
    pthread_mutex_t lock; /* over what follows */
    char answer[CLOUD_ANSWER]; /* what the service says, headers and all; the test sets it */
    size_t answer_len;
    bool silent; /* it says nothing */
    bool rude;   /* it hangs up without TLS's goodbye */
    char asked_for[400]; /* the last request */
    unsigned asked;
    unsigned reached[MOCK_NODES]; /* connections for each node */
    unsigned unknown;             /* for none of them */
    bool away[MOCK_NODES];        /* the proxy hangs up on whoever wants that node */
    pthread_t workers[CLOUD_CONNECTIONS];
    int sockets[CLOUD_CONNECTIONS]; /* -1: closed */
    size_t worker_count;
    bool stop;
} cloudmock;

/* Ends the program when something cannot be had. */
void cloudmock_start(cloudmock *m, mockserver *nodes, SSL_CTX *service, SSL_CTX *proxy);
void cloudmock_stop(cloudmock *m);
/* Ends all connections, those to nodes too. */
void cloudmock_cut(cloudmock *m);
/* The service answers with this status and body, and says its length. */
void cloudmock_say(cloudmock *m, unsigned code, const char *body);
/* ... with these bytes. */
void cloudmock_say_bytes(cloudmock *m, const char *bytes, size_t len);
/* What a service would say of the nodes: the first `count` of them as contact points. Static. */
const char *cloudmock_contact(const cloudmock *m, size_t count, const char *dc);

#endif
