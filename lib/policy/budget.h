/* budget.h: how many requests may be sent again: a share of those that came, a few a second besides, and
 * what was saved up to a limit. When most requests of a cluster fail, retries would only add to its load. */
#ifndef CQLN_POLICY_BUDGET_H
#define CQLN_POLICY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CQLN_BUDGET_SAVED = 100,     /* retries at most at once */
    CQLN_BUDGET_PER_SECOND = 10  /* whatever the load */
};

typedef struct cqln_budget {
    uint32_t percent; /* of the requests */
    uint64_t saved;   /* in hundredths of a retry */
    uint64_t counted; /* requests that were paid in */
    uint64_t at;      /* milliseconds up to which time was paid in */
} cqln_budget;

void cqln_budget_init(cqln_budget *b, uint32_t percent, uint64_t now);
/* May one more go out? Then it is paid. requests: how many began since the start. */
bool cqln_budget_take(cqln_budget *b, uint64_t requests, uint64_t now);

#endif
