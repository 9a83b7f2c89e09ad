/* fetch.h: one GET over TLS (HTTP/1.1) on the loop: a small answer, in a limited time, or why not. */
#ifndef CQLN_NET_FETCH_H
#define CQLN_NET_FETCH_H

#include "net/loop.h"

typedef struct cqln_fetch cqln_fetch;

enum { CQLN_FETCH_BODY_MAX = 64 << 10 };

/* The end, once, in a turn after the cause; the connection is closed by then and the fetch is gone
 * afterwards. code: what the server answered with, when st is CQL_OK. why and body are borrowed. */
typedef void (*cqln_fetch_cb)(void *user, cql_status st, const char *why, unsigned code, cql_str body);

typedef struct cqln_fetch_plan {
    const cqln_address *to;
    cqln_filter *filter;  /* TLS to the server; taken, also when the fetch cannot begin */
    const char *host;     /* for the Host line; host, port and path are copied */
    uint16_t port;
    const char *path;
    uint32_t timeout_ms;  /* for all of it */
} cqln_fetch_plan;

/* CQL_NO_MEMORY, or what the io says; then cb does not come. */
cql_status cqln_fetch_begin(cqln_loop *loop, const cqln_fetch_plan *plan, cqln_fetch_cb cb, void *user,
                            cqln_fetch **out);
/* Gives up: cb comes with CQL_CANCELLED. */
void cqln_fetch_stop(cqln_fetch *f);

#endif
