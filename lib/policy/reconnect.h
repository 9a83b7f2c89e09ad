/* reconnect.h: when to try a node again: always after the same time, or exponentially later from base to
 * max; with jitter, so that many clients do not come back at one moment. */
#ifndef CQLN_POLICY_RECONNECT_H
#define CQLN_POLICY_RECONNECT_H

#include "base/rand.h"

#include <stdbool.h>

typedef struct cqln_backoff {
    uint32_t base_ms;
    uint32_t max_ms;
    uint32_t jitter; /* percent that a delay may be shorter or longer, 0..100 */
    bool constant;   /* base every time */
    unsigned failures; /* in a row */
} cqln_backoff;

/* The delay before the next try: base * 2^failures up to max, or base; jitter% less or more, but never
 * over max unless base is. Counts the failure. */
uint32_t cqln_backoff_next(cqln_backoff *b, cqln_rand *rand);
void cqln_backoff_reset(cqln_backoff *b);

#endif
