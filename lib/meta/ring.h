/* ring.h: the tokens of a cluster in order, and who owns them. Immutable once built, counted, [any thread].
 *
 * A row belongs to the first position at or behind its token, and behind the last one to the first. */
#ifndef CQLN_META_RING_H
#define CQLN_META_RING_H

#include "base/alloc.h"
#include "meta/token.h"

enum {
    CQLN_RING_MEMBERS = 10000,
    CQLN_RING_POSITIONS = 1 << 20,
    CQLN_MEMBER_NONE = 0xffff
};

/* A node as the ring sees it; members are named by their index. */
typedef struct cqln_member {
    cql_str dc;
    cql_str rack;
    const cqln_token *tokens; /* borrowed for the build */
    uint32_t token_count;
    bool near; /* among the first to be asked, of those that have the row */
} cqln_member;

typedef struct cqln_ring {
    _Atomic(uint32_t) refs;
    const cql_allocator *al;
    cqln_partitioner partitioner;
    uint32_t members;
    uint32_t positions;
    uint32_t shift;   /* of a token's first word: what is left names a bucket */
    uint64_t *hi;     /* tokens, rising */
    uint64_t *lo;     /* NULL with murmur3 */
    uint32_t *bucket; /* where the tokens of each begin; one more for the end */
    uint16_t *owner;  /* member of each position */
    /* Data centres and racks by number: those of members that own tokens. */
    uint32_t dc_count;
    uint32_t rack_count;
    cql_str *dc_names;  /* copies */
    uint32_t *dc_nodes; /* members with tokens, and racks they are in, for each data centre */
    uint32_t *dc_racks;
    uint16_t *dc_of;    /* for each member; CQLN_MEMBER_NONE: it owns nothing */
    uint16_t *rack_of;  /* a rack belongs to one data centre: equal names elsewhere are others */
    bool *near;
    char *names;
} cqln_ring;

/* Does this build know tokens? */
bool cqln_ring_available(void);
/* A token that two members claim stays with the first. CQL_NO_MEMORY; CQL_TOO_LARGE beyond
 * CQLN_RING_MEMBERS or CQLN_RING_POSITIONS; CQL_UNSUPPORTED with an unknown partitioner or no token at
 * all. */
cql_status cqln_ring_new(const cql_allocator *al, cqln_partitioner partitioner,
                         const cqln_member *members, size_t count, cqln_ring **out);
cqln_ring *cqln_ring_ref(cqln_ring *r);
void cqln_ring_unref(cqln_ring *r);
/* Where tokens are equal in the first word. */
uint32_t cqln_ring_find_exactly(const cqln_ring *r, cqln_token t, uint32_t from);

/* The position that the first word of a token belongs to; behind the last one the number of positions. */
static inline uint32_t cqln_ring_search(const cqln_ring *r, uint64_t hi)
{
    const uint32_t *bucket = r->bucket + (hi >> r->shift);
    uint32_t from = bucket[0], n = bucket[1] - from;
    while (n > 0) { /* most buckets hold none */
        uint32_t half = n / 2;
        bool behind = r->hi[from + half] < hi;
        from = behind ? from + half + 1 : from;
        n = behind ? n - half - 1 : half;
    }
    return from;
}

/* The position that a token belongs to. */
static inline uint32_t cqln_ring_find(const cqln_ring *r, cqln_token t)
{
    uint32_t from = cqln_ring_search(r, t.hi);
    if (r->lo)
        from = cqln_ring_find_exactly(r, t, from);
    return from < r->positions ? from : 0;
}

#endif
