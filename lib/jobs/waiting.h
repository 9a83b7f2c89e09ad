/* waiting.h: looks at the jobs that wait for others. */
#ifndef CQLJOB_WAITING_H
#define CQLJOB_WAITING_H

#include "jobs/core.h"

/* Makes those due whose time has come, up to 1,000 of either kind. By itself and silently. */
void cqljob_mind_waiting(cql_jobs *jobs);

#endif
