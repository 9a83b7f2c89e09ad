/* send.c: requests to the store. What may be sent twice is sent again while servers are too slow for
 * it: an index row that a busy node did not acknowledge is no reason to refuse a job. Conditional
 * writes and counters are sent once; whoever sends those settles what became of them. */
#include "jobs/core.h"

enum { REPEATS = 5, PATIENCE_MS = 12000 };

typedef struct errand {
    cql_allocator al;
    const cql_jobs *jobs; /* kept by whoever sent it */
    const cqljob_request *rq;
    cqljob_answer_fn fn;
    void *user;
    int64_t started;
    int repeats;
} errand;

static bool may_be_sent_twice(cqljob_verb verb)
{
    switch (verb) {
    case CQLJOB_INSERT:
    case CQLJOB_CHANGE:
    case CQLJOB_TALLY:
    case CQLJOB_R_INSERT:
    case CQLJOB_R_UPDATE:
    case CQLJOB_R_NEXT:
    case CQLJOB_R_DELETE:
        return false;
    default:
        return true;
    }
}

/* Too slow this time. A timeout of our own is not among them: the time is then up. */
static bool was_busy(const cql_error *err)
{
    switch ((int)cql_error_status(err)) {
    case CQL_SERVER_WRITE_TIMEOUT:
    case CQL_SERVER_READ_TIMEOUT:
    case CQL_SERVER_OVERLOADED:
        return true;
    default:
        return false;
    }
}

/* Pages have a cure of their own for reads that take too long: a shorter stretch. */
static bool is_page(cqljob_verb verb)
{
    return verb == CQLJOB_DUE || verb == CQLJOB_LIST;
}

static bool has_time(const errand *e)
{
    int64_t most = e->jobs->set.timeout_ms ? e->jobs->set.timeout_ms : PATIENCE_MS;

    return e->repeats < REPEATS && cqljob_steady_ms(e->jobs) - e->started < most;
}

static void on_answer(void *user, cqljob_answer *a)
{
    errand *e = user;
    cql_allocator al = e->al;

    if (a->outcome == CQLJOB_FAILED && a->err && was_busy(a->err) && has_time(e)) {
        e->repeats++;
        if (!e->jobs->store.send(e->jobs->store.self, e->rq, on_answer, e))
            return;
    }
    e->fn(e->user, a); /* the jobs object may be gone now */
    cqljob_free(&al, e);
}

cql_status cqljob_send(const cql_jobs *jobs, const cqljob_request *rq, cqljob_answer_fn fn,
                       void *user)
{
    errand *e;
    cql_status st;

    if (!may_be_sent_twice(rq->verb) || is_page(rq->verb))
        return jobs->store.send(jobs->store.self, rq, fn, user);
    e = cqljob_zalloc(&jobs->al, sizeof *e);
    if (!e)
        return CQL_NO_MEMORY;
    *e = (errand){jobs->al, jobs, rq, fn, user, cqljob_steady_ms(jobs), 0};
    st = jobs->store.send(jobs->store.self, rq, on_answer, e);
    if (st)
        cqljob_free(&jobs->al, e);
    return st;
}
