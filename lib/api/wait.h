/* wait.h: what the blocking twins are made of: they start the asynchronous call and wait for its callback. */
#ifndef CQLN_API_WAIT_H
#define CQLN_API_WAIT_H

#include "api/session.h"

typedef struct cqln_waiter {
    cql_session *s;
    pthread_cond_t over; /* its own, so that the end of one call wakes no other thread */
    bool done;
    bool no_memory; /* the result came but could not be kept */
    cql_error *err;
    void *got;
} cqln_waiter;

/* CQL_BAD_ARGUMENT without a session, or why this thread must not wait. When it is CQL_OK, cqln_wait_for ends it. */
cql_status cqln_wait_begin(cql_session *s, cqln_waiter *w, cql_error **err);
/* In the callback: it is over. err is borrowed, what the waiter has got is its own. */
void cqln_wait_end(cqln_waiter *w, const cql_error *err, void *got);
/* Waits; started is what the asynchronous call gave. */
cql_status cqln_wait_for(cqln_waiter *w, cql_status started, cql_error **err);
/* The callback of a call that hands nothing out; user is the waiter. */
void cqln_wait_session(cql_session *s, const cql_error *err, void *user);

/* What a call that goes through the queue sends, and how; timeout_ms 0: with the usual time-out. */
typedef struct cqln_asking {
    cqln_waiter w;
    cql_status (*send)(struct cqln_asking *a, uint32_t timeout_ms);
    const void *what;    /* a statement, a batch or a text */
    const void *more;    /* execute options, or the keyspace to prepare in; NULL: none */
    uint32_t timeout_ms; /* as the call says; 0: the session's */
} cqln_asking;

/* The callback of what it sends; user is its waiter. */
void cqln_wait_result(cql_session *s, const cql_error *err, const cql_result *res, void *user);
/* Sends, waits for room where there is none, and for the answer. res may be NULL. */
cql_status cqln_ask_result(cql_session *s, cqln_asking *a, cql_result **res, cql_error **err);

#endif
