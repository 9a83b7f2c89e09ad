/* duty.h: what the end of a job means for the jobs that wait for it: continuations of a job that
 * succeeded become due, and those of its batch once every member has ended. */
#ifndef CQLJOB_DUTY_H
#define CQLJOB_DUTY_H

#include "jobs/core.h"

/* err: NULL when all was done; borrowed. released: how many jobs became due. */
typedef void (*cqljob_duty_fn)(void *user, const cql_error *err, size_t released);

/* The job `id` has ended; batch: its batch_id, ptr NULL when it has none. All copied. CQL_OK: fn is
 * called once, later. Doing it again does no harm. */
cql_status cqljob_duty_ended(cql_jobs *jobs, cql_str id, bool succeeded, cql_str batch,
                             cqljob_duty_fn fn, void *user);
/* The job is about to be deleted, and what waits for it would wait for ever. One that succeeded makes due
 * whom it has not yet (released); else that is how many wait for it. As cqljob_duty_ended. */
cql_status cqljob_duty_leaving(cql_jobs *jobs, const cql_job_info *job, cqljob_duty_fn fn,
                               void *user);
/* Makes one waiting job due if what it waits for has come: `job` is in state 7 or 8. */
cql_status cqljob_duty_waiting(cql_jobs *jobs, const cql_job_info *job, cqljob_duty_fn fn,
                               void *user);

#endif
