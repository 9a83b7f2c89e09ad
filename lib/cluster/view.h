/* view.h: the immutable picture of the nodes that cql_session_hosts hands out. */
#ifndef CQLN_CLUSTER_VIEW_H
#define CQLN_CLUSTER_VIEW_H

#include "cluster/cluster.h"

struct cql_hosts {
    _Atomic(uint32_t) refs;
    const cql_allocator *al;
    size_t count;
    cqln_meter **meters;  /* of the rows, behind them */
    cql_host_info rows[]; /* strings behind the rows */
};

#endif
