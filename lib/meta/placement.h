/* placement.h: the replicas of every position of a ring, for one way of replication. Immutable once built,
 * counted, [any thread].
 *
 * The order is that in which the server picks them: the owner first, then round the ring; with data centres,
 * one after the other, that of each in its own order. */
#ifndef CQLN_META_PLACEMENT_H
#define CQLN_META_PLACEMENT_H

#include "meta/replication.h"
#include "meta/ring.h"

/* Entries of one placement. With so many copies that they would not fit, the last ones of each position
 * are left out: the row is found on the others. */
enum { CQLN_PLACEMENT_ENTRIES = 1 << 23 };

typedef struct cqln_placement {
    _Atomic(uint32_t) refs;
    const cql_allocator *al;
    cqln_ring *ring;    /* held */
    uint32_t width;     /* entries for each position; what is not used is CQLN_MEMBER_NONE */
    uint16_t *replicas; /* NULL: none (local, unknown strategy, no copies), or all */
    uint32_t stride;    /* of `near`, entries */
    uint16_t *near;     /* for each position how many of its replicas are near, and which; and once more for the first,
                         * behind the last. As long as `replicas` */
    bool everywhere;    /* each member has every row, says the strategy */
    bool whole;         /* each is among the replicas of every position */
    cqln_replication replication; /* its names are copies */
    char *names;
} cqln_placement;

/* CQL_NO_MEMORY. */
cql_status cqln_placement_new(cqln_ring *ring, const cqln_replication *r, cqln_placement **out);
cqln_placement *cqln_placement_ref(cqln_placement *p);
void cqln_placement_unref(cqln_placement *p);

/* The replicas of a position: at most p->width members. */
static inline const uint16_t *cqln_placement_at(const cqln_placement *p, uint32_t position)
{
    return p->replicas + (size_t)position * p->width;
}

/* How many of them are near, and behind that number which; the first of them once more behind the last, so that each has
 * one behind it. position: also of cqln_ring_search. */
static inline const uint16_t *cqln_placement_near(const cqln_placement *p, uint32_t position)
{
    return p->near + (size_t)position * p->stride;
}

#endif
