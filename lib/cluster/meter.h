/* meter.h: the numbers behind <cqlnative/metrics.h>. The loop's thread writes them, any thread reads
 * them: plain loads and stores, no locked instruction. */
#ifndef CQLN_CLUSTER_METER_H
#define CQLN_CLUSTER_METER_H

#include "base/alloc.h"
#include "net/link.h"

#include <cqlnative/metrics.h>

#include <config.h> /* not the neighbour of that name */
#include <stdatomic.h>

/* A latency goes into one of eight buckets per power of two, whatever 32 bits of microseconds hold; longer ones count as
 * 36 minutes to 71 (expiry.c). */
enum { CQLN_METER_BUCKETS = 30 * 8 };

typedef _Atomic(uint64_t) cqln_counter;

/* In a build without what people look at (configure --disable-insight) most of it stays zero. */
typedef struct cqln_meter {
    _Atomic(uint32_t) refs;
    const cql_allocator *al;
    cqln_counter values[CQL_METRIC_COUNT]; /* those that are not read from elsewhere */
    cqln_traffic traffic;
    cqln_counter sum_us;
    cqln_counter max_us;
    cqln_counter buckets[CQLN_METERED ? CQLN_METER_BUCKETS : 1];
} cqln_meter;

/* Writers are on the loop's thread. What compilers make of a load and a store of atomics is never the one instruction
 * that does. */
#if defined __GNUC__ && defined __x86_64__ && !defined __SANITIZE_THREAD__
#define CQLN_COUNT(op, c, n) __asm__(op " %1, %0" : "+m"(*(c)) : "er"(n) : "cc")
#else
#define CQLN_COUNT(op, c, n) \
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + (n), memory_order_relaxed)
#endif
static inline void cqln_count_add(cqln_counter *c, uint64_t n)
{
    CQLN_COUNT("addq", c, n);
}
static inline void cqln_count_few(_Atomic(uint32_t) *c, uint32_t n)
{
    CQLN_COUNT("addl", c, n);
}

/* Requests are counted by every build: the budget of what is sent again goes by their number. */
static inline void cqln_meter_count(cqln_meter *m, cql_metric which)
{
    if (!CQLN_METERED && which != CQL_METRIC_REQUESTS)
        return;
    cqln_count_add(&m->values[which], 1);
}

static inline uint64_t cqln_meter_value(const cqln_meter *m, cql_metric which)
{
    return atomic_load_explicit((cqln_counter *)(uintptr_t)&m->values[which], memory_order_relaxed);
}

static inline unsigned cqln_meter_bucket(uint32_t us)
{
    unsigned shift = 28u - (unsigned)__builtin_clz(us | 8); /* leaves four bits: 1 and which of the eight */
    return shift * 8 + (us >> shift);
}

/* A latency, and the bucket that it is in. */
typedef struct cqln_took {
    uint32_t us;
    uint32_t bucket;
} cqln_took;

static inline cqln_took cqln_took_us(uint32_t us)
{
    return (cqln_took){us, cqln_meter_bucket(us)};
}

static inline void cqln_meter_took(cqln_meter *m, cqln_took t)
{
    uint64_t us = t.us;
    if (!CQLN_METERED)
        return;
    cqln_count_add(&m->buckets[t.bucket], 1);
    cqln_count_add(&m->sum_us, us);
    if (us > atomic_load_explicit(&m->max_us, memory_order_relaxed))
        atomic_store_explicit(&m->max_us, us, memory_order_relaxed);
}

static inline void cqln_meter_latency(cqln_meter *m, uint32_t us)
{
    cqln_meter_took(m, cqln_took_us(us));
}

/* The least latency of a bucket. */
uint64_t cqln_meter_bound(unsigned bucket);
/* The class of an error; CQL_METRIC_COUNT for CQL_OK. */
cql_metric cqln_meter_class(cql_status st);

/* A node goes: the sums that the session shows over its nodes keep what it counted. */
void cqln_meter_keep(cqln_meter *session, const cqln_meter *node);

/* Zeroed, one holder; NULL when memory is out. */
cqln_meter *cqln_meter_new(const cql_allocator *al);
cqln_meter *cqln_meter_ref(cqln_meter *m); /* [any thread] */
void cqln_meter_unref(cqln_meter *m);      /* [any thread]; NULL is fine */

#endif
