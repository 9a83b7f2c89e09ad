/* store.h: the seam between what the job store decides and the tables: one request, one answer.
 * cqlstore.c speaks CQL through the public API; the tests have a store in memory that loses
 * answers. */
#ifndef CQLJOB_STORE_H
#define CQLJOB_STORE_H

#include "jobs/rules.h"

typedef enum cqljob_verb {
    CQLJOB_CHECK,   /* does every table answer */
    CQLJOB_GET,     /* one row of jobs by id; `serial`: as the last conditional update left it */
    CQLJOB_INSERT,  /* `job`, if its id is not there; REFUSED brings the row that is */
    CQLJOB_CHANGE,  /* `change` of the row `id`; REFUSED when its condition does not hold */
    CQLJOB_INDEX,   /* `indexes` of the job `id`, all of them or an error */
    CQLJOB_DUE,     /* a page of scheduled_jobs: `part` is the bucket, from_ms to until_ms */
    CQLJOB_LIST,    /* a page of jobs_by_state: `part` is the state, from_ms to until_ms */
    CQLJOB_COUNT,   /* the counter of a state: `part` */
    CQLJOB_TALLY,   /* adds `tally` to the counters */
    CQLJOB_LINKS,   /* a page of job_links of `id`: `part` is the cqljob_link_kind */
    CQLJOB_BACKOFF, /* the row of job_backoff of `id`; REFUSED: none */
    CQLJOB_BATCH,   /* a page of the ids whose batch_id is `id` */
    CQLJOB_MARKS,   /* job_marks of the kind `part` */
    CQLJOB_PUT_MARK,
    CQLJOB_R_LIST,   /* a page of recurring_jobs */
    CQLJOB_R_GET,    /* one of them, serially; REFUSED: none */
    CQLJOB_R_INSERT, /* `recurring`, if it is not there */
    CQLJOB_R_UPDATE, /* `recurring`, if next_execution is still `until_ms` */
    CQLJOB_R_NEXT,   /* its next and last execution alone, likewise */
    CQLJOB_R_DELETE  /* `id`, if it is there */
} cqljob_verb;

/* A row of job_marks: what the fleet remembers of its own doing. */
typedef enum cqljob_mark_kind {
    CQLJOB_MARK_BUCKET, /* part: bucket; at: no job waits or runs that was due earlier */
    CQLJOB_MARK_CHORE   /* part: chore; at: when somebody began it last */
} cqljob_mark_kind;
typedef struct cqljob_mark {
    int32_t kind;
    int32_t part;
    int64_t at;
} cqljob_mark;

enum { CQLJOB_STATES = CQL_JOB_AWAITING_BATCH + 1 };

/* It and all it points to must stay as they are until the answer came. */
typedef struct cqljob_request {
    cqljob_verb verb;
    bool serial;
    cql_str id;
    const cql_job_info *job;
    const cqljob_change *change;
    const cqljob_indexes *indexes;
    const int64_t *tally; /* CQLJOB_STATES differences */
    const cql_recurring_info *recurring;
    cqljob_mark mark;
    int32_t part;
    int64_t from_ms;
    int64_t until_ms;
    int32_t page_size;
    cql_str page; /* where the page before ended; empty: the first */
} cqljob_request;

typedef enum cqljob_outcome {
    CQLJOB_DONE,
    CQLJOB_REFUSED, /* a condition did not hold; GET: there is no such row */
    CQLJOB_UNKNOWN, /* a write that may or may not have happened, now or later */
    CQLJOB_FAILED   /* it certainly did not happen; a read that brought nothing */
} cqljob_outcome;

/* A row of an index table. CQLJOB_MARKS: `part` instead of id. */
typedef struct cqljob_key {
    int64_t at;
    int32_t part;
    char *id; /* NUL-terminated */
} cqljob_key;

/* What is not taken out of an answer (by setting the pointer to NULL) goes with it. */
typedef struct cqljob_answer {
    cqljob_outcome outcome;
    const cql_error *err; /* UNKNOWN and FAILED; borrowed for the call */
    cql_job_info *job;
    cqljob_key *keys; /* one block, texts included */
    size_t key_count;
    cql_str page; /* where this page ended; empty: it was the last. Borrowed for the call. */
    int64_t count;
    cql_job_backoff backoff;
    cql_recurring_list *recurring;
} cqljob_answer;

typedef void (*cqljob_answer_fn)(void *user, cqljob_answer *a);

typedef struct cqljob_store {
    void *self;
    /* CQL_OK: fn is called once, later. Else: it is not. [any thread] */
    cql_status (*send)(void *self, const cqljob_request *rq, cqljob_answer_fn fn, void *user);
    /* Microseconds since the epoch, and milliseconds of a clock that only ever goes forward, also
     * while the machine sleeps. */
    int64_t (*now_us)(void *self);
    int64_t (*steady_ms)(void *self);
    /* See cql_session_may_wait. */
    cql_status (*may_wait)(void *self);
    /* True when answers only come while turn() runs, as in the driven mode of a session. */
    bool (*is_driven)(void *self);
    cql_status (*turn)(void *self, int timeout_ms);
    void (*free)(void *self);
} cqljob_store;

#endif
