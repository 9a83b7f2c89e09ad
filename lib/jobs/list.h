/* list.h: jobs of a state within a range of times. */
#ifndef CQLJOB_LIST_H
#define CQLJOB_LIST_H

#include "jobs/core.h"

/* As cql_jobs_list, of jobs created from from_ms to until_ms. */
cql_status cqljob_list_range(cql_jobs *jobs, int32_t state, int64_t from_ms, int64_t until_ms,
                             uint32_t limit, cql_job_list_cb cb, void *user);
/* Rows of jobs_by_state, one page after the other. */
cql_status cqljob_count_rows(cql_jobs *jobs, int32_t state, cql_job_count_cb cb, void *user);
/* Deletes a job that was read in a final state, if it still is as it was (admin.c). */
cql_status cqljob_delete_final(cql_jobs *jobs, const cql_job_info *job, cql_job_cb cb, void *user);

#endif
