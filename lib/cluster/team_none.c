/* A build that starts no threads (configure --disable-threads): each cluster is alone. */
#include "cluster/team.h"
#include "cluster/view.h"

void cqln_team_init(cqln_team *t, cqln_cluster **members, uint32_t count)
{
    (void)t;
    (void)members;
    (void)count;
}

void cqln_team_fini(cqln_team *t)
{
    (void)t;
}

struct cql_hosts *cqln_team_view(const cqln_team *t)
{
    (void)t;
    return NULL;
}

bool cqln_team_share(cqln_cluster *lead)
{
    (void)lead;
    return false;
}

void cqln_team_share_soon(cqln_cluster *c)
{
    (void)c;
}

void cqln_team_adopt(cqln_cluster *c)
{
    (void)c;
}

bool cqln_team_use(cqln_request *req, cqln_link *link, const cql_result *res)
{
    (void)req;
    (void)link;
    (void)res;
    return false;
}
