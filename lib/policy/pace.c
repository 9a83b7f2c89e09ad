/* Means of answer times. */
#include "policy/pace.h"

static bool known(const cqln_pace *p, uint64_t now_us)
{
    return p->answers >= CQLN_PACE_ENOUGH && now_us - p->last_us < CQLN_PACE_FORGET_US;
}

/* The weight of what was, in 1/65536: x / (e^x - 1) for x = gap / scale, which is near enough to
 * 1 / (1 + x / 2 + x * x / 6). It tends to 1 for answers close together, where each counts little. */
static uint64_t weight_of_old(uint64_t gap_us, uint32_t answers)
{
    uint64_t x = gap_us > 100 * (uint64_t)CQLN_PACE_SCALE_US
                     ? 100 * (uint64_t)65536
                     : gap_us * 65536 / CQLN_PACE_SCALE_US;
    uint64_t below = 65536 + x / 2 + (x * x >> 16) / 6;
    uint64_t weight = (uint64_t)65536 * 65536 / below;
    uint64_t at_most = (uint64_t)65536 * answers / (answers + 1u); /* a plain mean at first, */
    if (answers > 512)
        at_most = (uint64_t)65536 * 511 / 512; /* and never so that one answer counts nothing */
    return weight < at_most ? weight : at_most;
}

void cqln_pace_add(cqln_pace *p, uint64_t took_us, uint64_t now_us)
{
    if (p->answers && now_us - p->last_us >= CQLN_PACE_FORGET_US)
        p->answers = 0; /* what is that old says nothing of now */
    uint64_t gap = now_us > p->last_us ? now_us - p->last_us : 0;
    uint64_t old = p->answers ? weight_of_old(gap, p->answers) : 0;
    p->mean_us = (p->mean_us * old + took_us * (65536 - old)) >> 16;
    p->last_us = now_us;
    if (p->answers < UINT32_MAX)
        p->answers++;
}

uint64_t cqln_pace_best(const cqln_pace *const *paces, size_t count, uint64_t now_us)
{
    uint64_t best = 0;
    for (size_t i = 0; i < count; i++)
        if (known(paces[i], now_us) && (best == 0 || paces[i]->mean_us < best))
            best = paces[i]->mean_us ? paces[i]->mean_us : 1;
    return best;
}

bool cqln_pace_slow(const cqln_pace *p, uint64_t best_us, uint32_t percent, uint64_t now_us)
{
    return best_us && known(p, now_us) && p->mean_us > best_us * percent / 100;
}
