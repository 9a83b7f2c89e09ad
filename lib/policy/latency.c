/* The histogram of answer times. */
#include "policy/latency.h"

enum { EXACT = 16, STEPS = 8, HALVE_AT = 8192, LOOK_EVERY = 100 };

static uint32_t bucket_of(uint64_t ms)
{
    uint32_t shift = 0;
    if (ms < EXACT)
        return (uint32_t)ms;
    while (ms >> shift >= EXACT)
        shift++;
    uint32_t at = EXACT + (shift - 1) * STEPS + (uint32_t)((ms >> shift) - STEPS);
    return at < CQLN_LATENCY_BUCKETS ? at : CQLN_LATENCY_BUCKETS - 1;
}

/* The longest time that falls into it. */
static uint32_t end_of(uint32_t bucket)
{
    if (bucket < EXACT)
        return bucket;
    uint32_t shift = (bucket - EXACT) / STEPS + 1;
    return (((bucket - EXACT) % STEPS + STEPS + 1) << shift) - 1;
}

void cqln_latency_add(cqln_latency *l, uint64_t ms)
{
    l->counts[bucket_of(ms)]++;
    l->fresh++;
    if (++l->total < HALVE_AT)
        return;
    l->total = 0;
    for (uint32_t i = 0; i < CQLN_LATENCY_BUCKETS; i++) {
        l->counts[i] /= 2;
        l->total += l->counts[i];
    }
}

uint32_t cqln_latency_at(cqln_latency *l, uint32_t percent, uint32_t otherwise)
{
    if (l->total < CQLN_LATENCY_ENOUGH)
        return otherwise;
    if (l->known && l->fresh < LOOK_EVERY)
        return l->known;
    uint64_t wanted = ((uint64_t)l->total * percent + 99) / 100;
    uint64_t seen = 0;
    uint32_t at = 0;
    while (at + 1 < CQLN_LATENCY_BUCKETS && (seen += l->counts[at]) < wanted)
        at++;
    l->fresh = 0;
    l->known = end_of(at) ? end_of(at) : 1;
    return l->known;
}
