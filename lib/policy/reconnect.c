/* Back-off: constant or exponential, with jitter. */
#include "policy/reconnect.h"

uint32_t cqln_backoff_next(cqln_backoff *b, cqln_rand *rand)
{
    uint64_t delay = b->base_ms;
    uint64_t most = b->constant || b->max_ms < b->base_ms ? b->base_ms : b->max_ms;
    for (unsigned i = 0; i < b->failures && delay < most; i++)
        delay *= 2;
    if (delay > most)
        delay = most;
    if (b->failures < 32)
        b->failures++;
    delay = delay * (100 - b->jitter + cqln_rand_below(rand, 2 * b->jitter + 1)) / 100;
    if (delay > most && !b->constant)
        delay = most;
    return (uint32_t)(delay ? delay : 1);
}

void cqln_backoff_reset(cqln_backoff *b)
{
    b->failures = 0;
}
