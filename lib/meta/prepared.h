/* prepared.h: a statement known to the servers: text, id and metadata. Counted; shared over threads. */
#ifndef CQLN_META_PREPARED_H
#define CQLN_META_PREPARED_H

#include "msg/response.h"
#include "types/check.h"

#include <cqlnative/statement.h>
#include <pthread.h>
#include <stdatomic.h>

/* How often the result metadata of one statement may change before it is no longer cached: old
 * versions are kept for requests that still use them, and a server must not make us keep them all. */
enum { CQLN_PREPARED_VERSIONS = 32 };

struct cql_prepared {
    _Atomic(uint32_t) refs;
    const cql_allocator *al;
    cql_str cql;      /* as given */
    cql_str keyspace; /* of the session when it was prepared; empty: none */
    cql_str id;
    bool conditional; /* a lightweight transaction */
    bool repeatable;  /* it may run twice, as far as its text and its markers tell */
    uint64_t keyspace_mark; /* of the table of its markers; 0: there are none */
    bool select_star; /* the text has a `*`: v4 cannot tell when such a result changed its columns */
    cqln_metadata *bind;
    _Atomic(cqln_metadata *) result; /* the newest version; NULL: decode what comes */
    atomic_bool retired; /* its markers have other types now; `result` is NULL then, so that few have to look */
    pthread_mutex_t learning; /* over the two above and below: any loop may learn of a new version */
    uint32_t version_count;
    cqln_metadata *versions[CQLN_PREPARED_VERSIONS];
    cqln_fit fits[]; /* of the markers in `bind`; behind them the texts */
};

/* Takes over the two metadata of the head on success; copies the rest. */
cql_status cqln_prepared_new(const cql_allocator *al, cql_str cql, cql_str keyspace,
                             const cqln_prepared_head *head, cql_prepared **out);
/* Publishes newer result metadata (taken over in any case). [any thread] Earlier versions live as long
 * as the statement, so whoever holds the statement may use what it loaded without a count. */
void cqln_prepared_update(cql_prepared *p, cqln_metadata *newer);
/* Result metadata that a PREPARED brought (borrowed). One that was there before, by its id on v5 and by its
 * columns where there is none, is no new version. [any thread] */
void cqln_prepared_learn(cql_prepared *p, cqln_metadata *m);
/* What is known of the result is wrong: the next execution asks for its metadata. [any thread] */
void cqln_prepared_distrust(cql_prepared *p);
/* Whether values that were made for its markers mean the same where the markers are these. */
bool cqln_prepared_fits(const cql_prepared *p, const cqln_metadata *bind);
/* A server's markers do not fit: nothing is executed any more, lest values are stored as what they are not; and back, when
 * it was prepared again with the types it had. [any thread] */
void cqln_prepared_retire(cql_prepared *p, bool retired);
static inline bool cqln_prepared_retired(const cql_prepared *p)
{
    return atomic_load_explicit(&p->retired, memory_order_acquire);
}
/* That many holders more, or fewer; the caller is one before and after. [any thread] */
static inline void cqln_prepared_count(cql_prepared *p, int32_t holders)
{
    atomic_fetch_add_explicit(&p->refs, (uint32_t)holders, memory_order_acq_rel);
}
/* The newest result metadata, borrowed as long as p is held; NULL: none to rely on. [any thread] */
static inline cqln_metadata *cqln_prepared_result(const cql_prepared *p)
{
    return atomic_load_explicit(&p->result, memory_order_acquire);
}

#endif
