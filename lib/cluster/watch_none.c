/* A build that asks no node for the others (configure --disable-discovery): the contact points are the nodes, all of
 * them, and nothing is known of data centres. */
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

bool cqln_rules_available(void)
{
    return false;
}

cql_status cqln_rules_read(cqln_cluster *c)
{
    (void)c;
    return CQL_OK;
}

void cqln_rules_free(cqln_cluster *c)
{
    (void)c;
}

bool cqln_router_denied(const cqln_cluster *c, const cqln_address *a)
{
    (void)c;
    (void)a;
    return false;
}

cqln_near cqln_center_distance(cqln_cluster *c, const cqln_node *n)
{
    (void)c;
    (void)n;
    return CQLN_NEAR_LOCAL;
}

cql_error *cqln_cluster_choose_dc(cqln_cluster *c)
{
    return cqln_cluster_state_of(c) == CQLN_CLUSTER_CONNECTING ? cqln_router_check(c) : NULL;
}

size_t cqln_center_order(cqln_cluster *c, const cqln_route *route, const char *data_center,
                         uint16_t *order, size_t cap)
{
    (void)c;
    (void)route;
    (void)data_center;
    (void)order;
    (void)cap;
    return 0;
}

const char *cqln_center_lacks(const cqln_cluster *c, const char *data_center)
{
    (void)c;
    (void)data_center;
    return "no node of it is known";
}
