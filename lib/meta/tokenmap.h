/* tokenmap.h: where the rows of every keyspace are: a ring, and the placement of each keyspace on it.
 * Immutable once built, counted, [any thread]. Keyspaces that are replicated alike share a placement. */
#ifndef CQLN_META_TOKENMAP_H
#define CQLN_META_TOKENMAP_H

#include "meta/placement.h"

/* Keyspaces, different placements, and their entries together: what a map may cost. */
enum { CQLN_KEYSPACES_MAX = 65536, CQLN_PLACEMENTS_MAX = 64, CQLN_MAP_ENTRIES = 1 << 24 };

/* How a keyspace is named where it is looked up for a request: a number made of its name, so that no text
 * is compared there. Should two names have the same, requests of one of them are merely sent by the
 * placement of the other. 0: none. */
static inline uint64_t cqln_keyspace_mark(cql_str name)
{
    uint64_t mark = (uint64_t)cqln_murmur3(name.ptr, name.len);
    return name.len == 0 ? 0 : mark ? mark : 1;
}

typedef struct cqln_keyspace {
    uint64_t mark; /* 0: this place of the table is free */
    cql_str name;
    cqln_placement *placement; /* one of the map's */
} cqln_keyspace;

typedef struct cqln_tokenmap {
    _Atomic(uint32_t) refs;
    const cql_allocator *al;
    cqln_ring *ring;
    cqln_keyspace *table; /* open addressing */
    uint32_t mask;
    uint32_t count;
    uint32_t placement_count;
    uint64_t entries;
    cqln_placement *placements[CQLN_PLACEMENTS_MAX]; /* the different ones, held */
} cqln_tokenmap;

/* Empty, for so many keyspaces at most; ring is held. CQL_NO_MEMORY, CQL_TOO_LARGE. */
cql_status cqln_tokenmap_new(cqln_ring *ring, size_t keyspaces, cqln_tokenmap **out);
/* While it is built. A placement that is there already serves again, be it of this map or of `older` when
 * that is on the same ring (may be NULL). A name that is there already is left as it is. CQL_NO_MEMORY;
 * CQL_TOO_LARGE: more than the limits above, the keyspace has no place in the map. */
cql_status cqln_tokenmap_add(cqln_tokenmap *m, cql_str keyspace, const cqln_replication *r,
                             const cqln_tokenmap *older);
cqln_tokenmap *cqln_tokenmap_ref(cqln_tokenmap *m);
void cqln_tokenmap_unref(cqln_tokenmap *m);

/* NULL when there is no such keyspace. */
static inline const cqln_keyspace *cqln_tokenmap_find(const cqln_tokenmap *m, uint64_t mark)
{
    for (uint32_t i = (uint32_t)mark;; i++) {
        const cqln_keyspace *k = &m->table[i & m->mask];
        if (k->mark == mark)
            return mark ? k : NULL;
        if (k->mark == 0)
            return NULL;
    }
}

#endif
