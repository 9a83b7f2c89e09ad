/* timestamp.h: write times in microseconds that rise strictly over all threads of a session. */
#ifndef CQLN_POLICY_TIMESTAMP_H
#define CQLN_POLICY_TIMESTAMP_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct cqln_clock {
    _Atomic(int64_t) last;
} cqln_clock;

/* now_us when that is later than every stamp before, else the last one plus 1. [any thread] */
int64_t cqln_clock_next(cqln_clock *c, int64_t now_us);

#endif
