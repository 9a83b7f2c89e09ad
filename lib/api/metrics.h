/* metrics.h: a snapshot of a session's numbers, from the inside. */
#ifndef CQLN_API_METRICS_H
#define CQLN_API_METRICS_H

#include "cluster/meter.h"

/* What one meter said. */
typedef struct cqln_reading {
    const cql_host_info *host; /* in the snapshot's view; NULL: the session */
    uint64_t values[CQL_METRIC_COUNT];
    uint64_t count; /* of latencies */
    uint64_t sum_us;
    uint64_t max_us;
    uint64_t buckets[CQLN_METER_BUCKETS];
} cqln_reading;

struct cql_metrics {
    const cql_allocator *al;
    struct cql_hosts *view;
    size_t count;
    cqln_reading session;
    cqln_reading nodes[];
};

#endif
