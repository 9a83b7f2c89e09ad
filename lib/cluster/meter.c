/* What is counted: its life. */
#include "cluster/meter.h"

cqln_meter *cqln_meter_new(const cql_allocator *al)
{
    cqln_meter *m = cqln_alloc_zero(al, sizeof *m);
    if (m) {
        atomic_init(&m->refs, 1);
        m->al = al;
    }
    return m;
}

cqln_meter *cqln_meter_ref(cqln_meter *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void cqln_meter_unref(cqln_meter *m)
{
    if (m && atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
        cqln_free(m->al, m);
}
