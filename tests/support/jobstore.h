/* jobstore.h: job tables in memory, with Cassandra's rules for write times and conditional updates,
 * a clock that tests move, and a network that loses, delays and reorders. Each client has a clock
 * of its own that may be wrong. Nothing happens by itself: jobstore_turn does what is due. */
#ifndef TESTS_SUPPORT_JOBSTORE_H
#define TESTS_SUPPORT_JOBSTORE_H

#include "jobs/core.h"

typedef enum jobstore_fate {
    JOBSTORE_OK,      /* applied, answered */
    JOBSTORE_DROPPED, /* never applied, the client times out */
    JOBSTORE_SILENT,  /* applied, the answer is lost: the client times out */
    JOBSTORE_LATE,    /* the client times out first, then it is applied */
    JOBSTORE_HALF,    /* the client times out; the next serial request for that job applies it */
    JOBSTORE_BUSY,    /* may have been applied, answered with a time-out of the servers */
    JOBSTORE_REFUSED, /* answered with an error that says: not executed */
    JOBSTORE_GARBLED, /* answered with what cannot be read */
    JOBSTORE_INVALID, /* never applied: a long error that the same statement would meet again */
    JOBSTORE_BLOCKED  /* send() itself says CQL_WOULD_BLOCK */
} jobstore_fate;

typedef struct jobstore jobstore;
typedef struct jobstore_client jobstore_client;

struct jobstore_client {
    jobstore *db;
    int64_t ahead_us; /* its clock against the true one */
    bool dead;        /* send() says CQL_CLOSED; what is under way is answered with an error */
    size_t sent;     /* requests but for counters, marks and looks at recurring jobs */
    const cql_allocator *al; /* what it was opened with */
    /* Decides about each request; NULL: all go well. */
    jobstore_fate (*fate)(jobstore_client *c, const cqljob_request *rq, void *user);
    void *user;
};

/* seed 0: answers come in the order of the requests, 1 ms after them. */
jobstore *jobstore_new(uint64_t seed);
void jobstore_free(jobstore *db);
/* From now on requests take so many times as long (1). */
void jobstore_slow(jobstore *db, int times);
void jobstore_client_init(jobstore_client *c, jobstore *db);
/* A job store of that client; NULL when al has no memory. Free with cql_jobs_free. */
cql_jobs *jobstore_open(jobstore_client *c, const cql_allocator *al);

/* True time, in microseconds; begins at a round date. */
int64_t jobstore_time(const jobstore *db);
/* When the next thing happens; INT64_MAX: nothing is under way. */
int64_t jobstore_next(const jobstore *db);
/* Moves the time there (never back) and does what is due until then. */
void jobstore_run_until(jobstore *db, int64_t time_us);
/* Does all that is under way, moving the time as needed, at most `seconds` of it. */
void jobstore_settle(jobstore *db, int seconds);
uint64_t jobstore_random(jobstore *db);

/* --- looking inside */
/* The row as it is; NULL: none. Borrowed until the next turn. */
const cql_job_info *jobstore_job(const jobstore *db, const char *id);
/* Rows of scheduled_jobs or jobs_by_state with that id (NULL: any) and part (-1: any). */
size_t jobstore_due_rows(const jobstore *db, const char *id, int part);
size_t jobstore_state_rows(const jobstore *db, const char *id, int state);
/* Removed rows that pages of scheduled_jobs had to pass, so far. */
size_t jobstore_tombstones(const jobstore *db);
/* Rows of job_links and job_backoff with that job's id. */
size_t jobstore_link_rows(const jobstore *db, const char *id);
int64_t jobstore_counter(const jobstore *db, int state);
/* recurring_jobs; NULL: none was ever stored. Borrowed until the next turn. */
const cql_recurring_list *jobstore_recurring(const jobstore *db);
size_t jobstore_jobs(const jobstore *db, int state);
/* Index rows as another program would have written them. */
void jobstore_put_due(jobstore *db, int bucket, int64_t at_ms, const char *id);
void jobstore_put_state(jobstore *db, int state, int64_t at_ms, const char *id);
void jobstore_put_job(jobstore *db, const cql_job_info *job);
/* Called for every conditional change that was applied. */
typedef void (*jobstore_change_fn)(void *user, const char *id, const cqljob_change *change);
void jobstore_on_change(jobstore *db, jobstore_change_fn fn, void *user);

#endif
