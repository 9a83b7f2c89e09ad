/* rand.h: a small seeded generator (xoshiro256** or SplitMix64) for jitter and shuffling; never for
 * anything that must not be guessed. The seed is passed in. */
#ifndef CQLN_BASE_RAND_H
#define CQLN_BASE_RAND_H

#include <stdint.h>

typedef struct cqln_rand {
    uint64_t s[4];
} cqln_rand;

void cqln_rand_seed(cqln_rand *r, uint64_t seed);
uint64_t cqln_rand_next(cqln_rand *r);
/* Evenly from 0..bound-1; 0 for a bound of 0. */
uint64_t cqln_rand_below(cqln_rand *r, uint64_t bound);

#endif
