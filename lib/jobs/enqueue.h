/* enqueue.h: checks that the blocking calls share with the others. */
#ifndef CQLJOB_ENQUEUE_H
#define CQLJOB_ENQUEUE_H

#include "jobs/core.h"

/* What cql_jobs_enqueue would refuse at once; *why is then a text for people, static storage. */
cql_status cqljob_enqueue_check(const cql_jobs *jobs, const cql_job_spec *spec, const char **why);

#endif
