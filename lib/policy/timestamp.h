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

/* The same where only one thread asks: without a locked instruction. */
static inline int64_t cqln_clock_next_alone(cqln_clock *c, int64_t now_us)
{
    int64_t last = atomic_load_explicit(&c->last, memory_order_relaxed);
    int64_t next = now_us > last ? now_us : last + 1;
    atomic_store_explicit(&c->last, next, memory_order_relaxed);
    return next;
}

#endif
