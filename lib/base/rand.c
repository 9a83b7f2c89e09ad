/* xoshiro256** (Blackman and Vigna), seeded through SplitMix64. */
#include "base/rand.h"

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotate(uint64_t v, int by)
{
    return v << by | v >> (64 - by);
}

void cqln_rand_seed(cqln_rand *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(&seed);
}

uint64_t cqln_rand_next(cqln_rand *r)
{
    uint64_t result = rotate(r->s[1] * 5, 7) * 9;
    uint64_t t = r->s[1] << 17;
    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotate(r->s[3], 45);
    return result;
}

/* Draws again while the number falls into the incomplete last part of the range, so that no result
 * is likelier than another. */
uint64_t cqln_rand_below(cqln_rand *r, uint64_t bound)
{
    if (bound == 0)
        return 0;
    uint64_t uneven = (0 - bound) % bound;
    for (;;) {
        uint64_t v = cqln_rand_next(r);
        if (v >= uneven)
            return v % bound;
    }
}
