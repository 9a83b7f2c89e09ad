/* latency.h: a histogram of answer times in milliseconds, for speculative execution at a percentile.
 * Fixed size; what is old counts less and less. */
#ifndef CQLN_POLICY_LATENCY_H
#define CQLN_POLICY_LATENCY_H

#include <stdint.h>

enum {
    CQLN_LATENCY_BUCKETS = 128, /* 0..15 ms one each, then 8 for every doubling, up to 4 minutes */
    CQLN_LATENCY_ENOUGH = 100   /* answers before a percentile says anything */
};

typedef struct cqln_latency {
    uint32_t counts[CQLN_LATENCY_BUCKETS];
    uint32_t total;
    uint32_t fresh; /* answers since `known` was worked out */
    uint32_t known; /* milliseconds at the percentile */
} cqln_latency; /* all zero: empty */

void cqln_latency_add(cqln_latency *l, uint64_t ms);
/* The time within which that percentage of the answers came, at least 1; `otherwise` while there are
 * too few. Worked out anew after every 100 answers. */
uint32_t cqln_latency_at(cqln_latency *l, uint32_t percent, uint32_t otherwise);

#endif
