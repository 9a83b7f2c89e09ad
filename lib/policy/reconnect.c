/* Exponential back-off with jitter. */
#include "policy/reconnect.h"

uint32_t cqln_backoff_next(cqln_backoff *b, cqln_rand *rand)
{
    uint64_t delay = b->base_ms;
    for (unsigned i = 0; i < b->failures && delay < b->max_ms; i++)
        delay *= 2;
    if (delay > b->max_ms)
        delay = b->max_ms;
    if (b->failures < 32)
        b->failures++;
    uint64_t percent = 85 + cqln_rand_below(rand, 31);
    delay = delay * percent / 100;
    return (uint32_t)(delay > b->max_ms ? b->max_ms : delay);
}

void cqln_backoff_reset(cqln_backoff *b)
{
    b->failures = 0;
}
