/* The rising clock. */
#include "policy/timestamp.h"

int64_t cqln_clock_next(cqln_clock *c, int64_t now_us)
{
    int64_t last = atomic_load_explicit(&c->last, memory_order_relaxed);
    int64_t next;
    do {
        next = now_us > last ? now_us : last + 1;
    } while (!atomic_compare_exchange_weak_explicit(&c->last, &last, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    return next;
}
