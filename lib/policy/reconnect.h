/* reconnect.h: when to try a node again: exponential with jitter between base and max. */
#ifndef CQLN_POLICY_RECONNECT_H
#define CQLN_POLICY_RECONNECT_H

#include "base/rand.h"

typedef struct cqln_backoff {
    uint32_t base_ms;
    uint32_t max_ms;
    unsigned failures; /* in a row */
} cqln_backoff;

/* The delay before the next try: base * 2^failures up to max, 15% less or more (never over max), so
 * that many clients do not come back at one moment. Counts the failure. */
uint32_t cqln_backoff_next(cqln_backoff *b, cqln_rand *rand);
void cqln_backoff_reset(cqln_backoff *b);

#endif
