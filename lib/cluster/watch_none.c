/* A build that asks no node for the others (configure --disable-discovery): the contact points are the nodes. */
#include "cluster/control.h"

bool cqln_watch_wanted(const cqln_cluster *c)
{
    (void)c;
    return false;
}

bool cqln_watch_init(cqln_control *ctl)
{
    (void)ctl;
    return true;
}

void cqln_watch_fini(cqln_control *ctl)
{
    (void)ctl;
}

void cqln_watch_close(cqln_control *ctl, const char *reason)
{
    (void)ctl;
    (void)reason;
}

void cqln_watch_next(cqln_control *ctl)
{
    cqln_control_fail(ctl);
}

void cqln_watch_refresh(cqln_control *ctl)
{
    (void)ctl;
}

cqln_link *cqln_control_link(const cqln_control *ctl)
{
    (void)ctl;
    return NULL;
}
