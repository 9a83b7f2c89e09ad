/* wait.h: blocking calls over callbacks, in whichever way the session runs. */
#ifndef CQLJOB_WAIT_H
#define CQLJOB_WAIT_H

#include "jobs/core.h"

/* One answer that somebody waits for. Two owners: the waiting call and the callback to come. */
typedef struct cqljob_wait {
    cql_jobs *jobs;
    pthread_mutex_t lock;
    pthread_cond_t come;
    unsigned owners;
    bool done;
    int64_t began; /* steady milliseconds */
    cql_error *err;
    cql_job_info *job;
    cql_job_list *list;
    int64_t count;
    cql_recurring_list *recurring;
} cqljob_wait;

/* CQL_WRONG_THREAD, CQL_NO_MEMORY. */
cql_status cqljob_wait_new(cql_jobs *jobs, cqljob_wait **out);
void cqljob_wait_free(cqljob_wait *wait);
/* For the callback: done, with err (borrowed) or what was put into the members. */
void cqljob_wait_done(cqljob_wait *wait, const cql_error *err);
/* The same where memory ran out while it was kept. */
void cqljob_wait_lacks(cqljob_wait *wait);
/* Waits for the answer of a call that was started. True: start it once more; there was no room for one of
 * its requests, nothing came of it, and there is time left (that of a request). */
bool cqljob_wait_again(cqljob_wait *wait, cql_status started);
/* Ends the call: started is what the asynchronous form returned. Waits if that was CQL_OK. The
 * status of the answer; what it brought is in the members until cqljob_wait_free. */
cql_status cqljob_wait_end(cqljob_wait *wait, cql_status started, cql_error **err);

/* --- callbacks for cqljob_wait, and the beginning of a blocking call */
cql_status cqljob_wait_begin(cql_jobs *jobs, cqljob_wait **w, cql_error **err);
void cqljob_keep_list(cql_jobs *jobs, const cql_error *err, const cql_job_list *list, void *user);
void cqljob_keep_count(cql_jobs *jobs, const cql_error *err, int64_t count, void *user);
void cqljob_keep_nothing(cql_jobs *jobs, const cql_error *err, void *user);
/* Ends a call that answers with a list, a number or nothing; frees w. */
cql_status cqljob_wait_list(cqljob_wait *w, cql_status started, cql_job_list **out,
                            cql_error **err);
cql_status cqljob_wait_count(cqljob_wait *w, cql_status started, int64_t *count, cql_error **err);
cql_status cqljob_wait_nothing(cqljob_wait *w, cql_status started, cql_error **err);

/* Sleeps until *flag is set (under lock), for at most ms (-1: no limit). The condition is one of seat/wait.h. */
void cqljob_sleep(pthread_cond_t *cond, pthread_mutex_t *lock, const bool *flag, int ms);

#endif
