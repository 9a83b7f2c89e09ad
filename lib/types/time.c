/* time.c: write times that rise. */
#include "base/osrandom.h"

#include <cqlnative/time.h>
#include <stdatomic.h>

static _Atomic(int64_t) last_us;

int64_t cql_time_next_us(void)
{
    int64_t now = cqln_os_unix_ticks() / 10;
    int64_t last = atomic_load_explicit(&last_us, memory_order_relaxed);
    int64_t next;
    do
        next = now > last ? now : last + 1;
    while (!atomic_compare_exchange_weak(&last_us, &last, next));
    return next;
}
