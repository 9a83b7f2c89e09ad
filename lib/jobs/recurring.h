/* recurring.h: recurring jobs as the worker needs them. */
#ifndef CQLJOB_RECURRING_H
#define CQLJOB_RECURRING_H

#include "jobs/core.h"

/* What cql_jobs_recurring_set would refuse at once; *why: a text for people, static storage. */
cql_status cqljob_recurring_check(const cql_jobs *jobs, const cql_recurring_spec *spec,
                                  const char **why);

/* The id of the job that an occurrence becomes: the same whoever makes it. */
void cqljob_occurrence_id(cql_str recurring, int64_t at_ms, char out[CQL_UUID_TEXT_SIZE]);

/* err: NULL when all went well, borrowed. next_ms: when the earliest of them is due; INT64_MAX. */
typedef void (*cqljob_fire_fn)(void *user, const cql_error *err, int64_t next_ms);
/* Makes jobs of all occurrences that are due. CQL_OK: fn is called once, later. */
cql_status cqljob_fire(cql_jobs *jobs, cqljob_fire_fn fn, void *user);

#endif
