/* A build without speculative attempts (configure --disable-speculation): a session that is to make them is
 * refused, so that no request ever has a race. */
#include "cluster/race.h"

bool cqln_race_available(void)
{
    return false;
}

void cqln_race_begin(cqln_request *req)
{
    (void)req;
}

void cqln_race_end(cqln_request *req)
{
    (void)req;
}

void cqln_race_abandon(cqln_request *req)
{
    (void)req;
}

bool cqln_race_hold(cqln_request *req, cql_error *err)
{
    (void)req;
    (void)err;
    return false;
}

bool cqln_race_owner(const cqln_owner *o)
{
    (void)o;
    return false;
}

bool cqln_race_maybe_applied(const cqln_request *req)
{
    (void)req;
    return false;
}

bool cqln_race_running(const cqln_request *req)
{
    (void)req;
    return false;
}

void cqln_races_free(cqln_cluster *c)
{
    (void)c;
}
