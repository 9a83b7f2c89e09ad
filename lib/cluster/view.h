/* view.h: the immutable picture of the nodes that cql_session_hosts hands out. */
#ifndef CQLN_CLUSTER_VIEW_H
#define CQLN_CLUSTER_VIEW_H

#include "cluster/cluster.h"

struct cql_hosts {
    _Atomic(uint32_t) refs;
    const cql_allocator *al;
    size_t count;
    size_t meter_count;
    cqln_meter **meters;  /* of the rows, behind them, then of removed nodes whose connections are still being
                           * closed; NULL in a view of several loops */
    struct cql_hosts *base; /* whose texts the rows have; NULL: their own */
    cql_host_info rows[]; /* strings behind the rows */
};

/* What all loops of a session see: the first one's nodes, with the connections of all. [any thread] */
struct cql_hosts *cqln_team_view(const cqln_team *t);

#endif
