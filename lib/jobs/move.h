/* move.h: carries a move out: index rows, the conditional change settled for sure, what the end of a
 * job means for others, index rows. */
#ifndef CQLJOB_MOVE_H
#define CQLJOB_MOVE_H

#include "jobs/core.h"

typedef enum cqljob_moved {
    CQLJOB_MOVE_DONE,    /* this move was applied */
    CQLJOB_MOVE_REFUSED, /* it was not and will not be: the condition does not hold */
    CQLJOB_MOVE_UNKNOWN, /* it may have been applied, or may yet be */
    CQLJOB_MOVE_FAILED   /* it was not applied: something before it failed */
} cqljob_moved;

typedef struct cqljob_move_result {
    cqljob_moved moved;
    bool index_behind;    /* DONE, but the index rows after it may not have been written */
    const cql_error *err; /* UNKNOWN and FAILED; borrowed for the call */
} cqljob_move_result;

typedef void (*cqljob_move_fn)(void *user, const cqljob_move_result *result);

/* Memory of one move under way; part of whatever waits for it, which stays until fn was called. */
typedef struct cqljob_mover {
    cql_jobs *jobs;
    int step;
    int tries;
    bool doubt; /* an answer was lost: the change may have been applied */
    bool tallied;
    cqljob_move_result result;
    cql_error *err; /* that result.err shows */
    cqljob_move_fn fn;
    void *user;
    cqljob_request rq;
    cqljob_move move; /* its texts and `id` are borrowed until fn */
} cqljob_mover;

/* Starts mover->move (filled by a plan) for the job `id`. CQL_OK: fn is called once, later; else it
 * is not, and nothing was sent. One call on the way at a time, so the caller's thread and the
 * loop's never meet. */
cql_status cqljob_mover_start(cqljob_mover *mover, cql_jobs *jobs, cql_str id, cqljob_move_fn fn,
                              void *user);

#endif
