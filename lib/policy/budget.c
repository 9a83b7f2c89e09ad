/* The retry budget: worked out when a retry asks for it, so that requests pay nothing. */
#include "policy/budget.h"

enum { UNIT = 100 };

void cqln_budget_init(cqln_budget *b, uint32_t percent, uint64_t now)
{
    b->percent = percent;
    b->saved = (uint64_t)CQLN_BUDGET_SAVED * UNIT;
    b->counted = 0;
    b->at = now;
}

bool cqln_budget_take(cqln_budget *b, uint64_t requests, uint64_t now)
{
    const uint64_t most = (uint64_t)CQLN_BUDGET_SAVED * UNIT;
    uint64_t fresh = requests - b->counted;
    uint64_t passed = now - b->at;
    b->counted = requests;
    b->at = now;
    b->saved += (fresh < most ? fresh : most) * b->percent;
    b->saved += (passed < 60000 ? passed : 60000) * CQLN_BUDGET_PER_SECOND * UNIT / 1000;
    if (b->saved > most)
        b->saved = most;
    if (b->saved < UNIT)
        return false;
    b->saved -= UNIT;
    return true;
}
