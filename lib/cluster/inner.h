/* inner.h: a request of the library's own on one given link: USE, re-preparing, system tables. */
#ifndef CQLN_CLUSTER_INNER_H
#define CQLN_CLUSTER_INNER_H

#include "cluster/request.h"

typedef struct cqln_inner cqln_inner;
/* Exactly once unless forgotten. CQL_OK: ev is the answer (any opcode), good for the call. CQL_TIMEOUT,
 * CQL_CLOSED, or for an answer without room CQL_TOO_LARGE or CQL_NO_MEMORY: ev is NULL. The inner is gone
 * afterwards. */
typedef void (*cqln_inner_cb)(void *user, cql_status st, cqln_link *link,
                              const cqln_conn_event *ev);

/* Encodes with wr first, then calls this: env is taken over (emptied) in any case. */
cql_status cqln_inner_send(cqln_loop *loop, cqln_link *link, cqln_writer *env, uint32_t timeout_ms,
                           cqln_inner_cb cb, void *user, cqln_inner **out);
/* A plain query at consistency ONE. */
cql_status cqln_inner_query(cqln_loop *loop, cqln_link *link, const char *cql, uint32_t timeout_ms,
                            cqln_inner_cb cb, void *user, cqln_inner **out);
/* The callback will not come any more. NULL is fine. */
void cqln_inner_forget(cqln_inner *in);

#endif
