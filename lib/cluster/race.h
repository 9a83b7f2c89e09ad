/* race.h: speculative execution: other attempts of a request at the same time as its own. The request
 * itself is the main attempt, with its retries; each other one is a runner on a node of its own. The first
 * result ends the race, and so does an error about the statement, which every node would give; after any other the
 * request waits for the rest. Only idempotent requests race. */
#ifndef CQLN_CLUSTER_RACE_H
#define CQLN_CLUSTER_RACE_H

#include "cluster/request.h"

/* Does this build make them? */
bool cqln_race_available(void);
/* The request starts, with speculation: sets the time of its first runner where there may be one. */
void cqln_race_begin(cqln_request *req);
/* It has ended: runners are given up, the race is over. */
void cqln_race_end(cqln_request *req);
/* It is given up by time-out or cancelled: says nothing about how long answers take. */
void cqln_race_abandon(cqln_request *req);
/* The main attempt failed: true when a runner may still bring a result; err is taken over then. */
bool cqln_race_hold(cqln_request *req, cql_error *err);
bool cqln_race_maybe_applied(const cqln_request *req);
/* Is it one of the other attempts that owns this stream? */
bool cqln_race_owner(const cqln_owner *o);
/* Another attempt is under way. */
bool cqln_race_running(const cqln_request *req);
void cqln_races_free(cqln_cluster *c);

#endif
