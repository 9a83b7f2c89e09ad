/* pace.h: how fast a node answers, and whether it is so slow that the others are better. Pure: the time is
 * handed in, in microseconds. */
#ifndef CQLN_POLICY_PACE_H
#define CQLN_POLICY_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A mean over answers in which older ones count less and less: an answer that came `scale` after the one
 * before weighs 1 - 1/e. */
typedef struct cqln_pace {
    uint64_t mean_us;
    uint64_t last_us; /* when the last answer came */
    uint32_t answers;
} cqln_pace; /* all zero: nothing known */

enum {
    CQLN_PACE_SCALE_US = 100000,
    CQLN_PACE_ENOUGH = 50,          /* answers before anything is said of a node */
    CQLN_PACE_FORGET_US = 10000000  /* a node of which nothing was heard so long is tried again */
};

void cqln_pace_add(cqln_pace *p, uint64_t took_us, uint64_t now_us);
/* The smallest mean of which enough is known; 0: none. */
uint64_t cqln_pace_best(const cqln_pace *const *paces, size_t count, uint64_t now_us);
/* Is it slower than `percent` of the best? */
bool cqln_pace_slow(const cqln_pace *p, uint64_t best_us, uint32_t percent, uint64_t now_us);

#endif
