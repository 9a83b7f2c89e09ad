/* Building the ring: all tokens sorted, an index over their first bits, data centres and racks numbered. */
#include "meta/ring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct position {
    cqln_token token;
    uint32_t member;
} position;

bool cqln_ring_available(void)
{
    return true;
}

/* --- the tokens ----------------------------------------------------------------------------------- */

static int compare_positions(const void *a, const void *b)
{
    const position *x = a, *y = b;
    int order = cqln_token_compare(x->token, y->token);
    if (order)
        return order;
    return x->member < y->member ? -1 : x->member > y->member;
}

/* Sorted, each token once. */
static size_t gather(const cqln_member *members, size_t count, position *out)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < members[i].token_count; k++)
            out[n++] = (position){members[i].tokens[k], (uint32_t)i};
    qsort(out, n, sizeof *out, compare_positions);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || cqln_token_compare(out[kept - 1].token, out[i].token) != 0)
            out[kept++] = out[i];
    return kept;
}

/* Four buckets a token or more, by a power of two: most hold none, so that nothing is looked for in them. */
static unsigned bucket_bits(size_t positions)
{
    unsigned bits = 1;
    while ((size_t)1 << bits < 4 * positions)
        bits++;
    return bits;
}

static void fill_buckets(cqln_ring *r, size_t buckets)
{
    uint32_t at = 0;
    for (size_t b = 0; b < buckets; b++) {
        while (at < r->positions && r->hi[at] >> r->shift < b)
            at++;
        r->bucket[b] = at;
    }
    r->bucket[buckets] = r->positions;
}

static bool take_positions(cqln_ring *r, const position *p, size_t count)
{
    unsigned bits = bucket_bits(count);
    size_t buckets = (size_t)1 << bits;
    r->positions = (uint32_t)count;
    r->shift = 64 - bits;
    r->hi = cqln_alloc_array(r->al, count, sizeof *r->hi);
    r->owner = cqln_alloc_array(r->al, count, sizeof *r->owner);
    r->bucket = cqln_alloc_array(r->al, buckets + 1, sizeof *r->bucket);
    if (r->partitioner != CQLN_PARTITIONER_MURMUR3 &&
        !(r->lo = cqln_alloc_array(r->al, count, sizeof *r->lo)))
        return false;
    if (!r->hi || !r->owner || !r->bucket)
        return false;
    for (size_t i = 0; i < count; i++) {
        r->hi[i] = p[i].token.hi;
        r->owner[i] = (uint16_t)p[i].member;
        if (r->lo)
            r->lo[i] = p[i].token.lo;
    }
    fill_buckets(r, buckets);
    return true;
}

static cql_status make_positions(cqln_ring *r, const cqln_member *members, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += members[i].token_count;
        if (total > CQLN_RING_POSITIONS)
            return CQL_TOO_LARGE;
    }
    if (total == 0)
        return CQL_UNSUPPORTED;
    position *all = cqln_alloc_array(r->al, total, sizeof *all);
    if (!all)
        return CQL_NO_MEMORY;
    size_t kept = gather(members, count, all);
    bool ok = take_positions(r, all, kept);
    cqln_free(r->al, all);
    return ok ? CQL_OK : CQL_NO_MEMORY;
}

/* --- data centres and racks ----------------------------------------------------------------------- */

static int compare_str(cql_str a, cql_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;
    if (order)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

typedef struct place {
    const cqln_member *member;
    uint32_t index;
} place;

static int compare_places(const void *a, const void *b)
{
    const place *x = a, *y = b;
    int order = compare_str(x->member->dc, y->member->dc);
    if (order == 0)
        order = compare_str(x->member->rack, y->member->rack);
    if (order)
        return order;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Members that own a position, sorted by data centre and rack. */
static size_t places_of(const cqln_ring *r, const cqln_member *members, size_t count, place *out)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        r->dc_of[i] = r->rack_of[i] = CQLN_MEMBER_NONE;
    for (uint32_t i = 0; i < r->positions; i++)
        r->dc_of[r->owner[i]] = 0;
    for (size_t i = 0; i < count; i++)
        if (r->dc_of[i] == 0)
            out[n++] = (place){&members[i], (uint32_t)i};
    qsort(out, n, sizeof *out, compare_places);
    return n;
}

static void number_places(cqln_ring *r, const place *places, size_t n)
{
    char *at = r->names;
    for (size_t i = 0; i < n; i++) {
        const cqln_member *m = places[i].member, *before = i ? places[i - 1].member : NULL;
        bool new_dc = !before || compare_str(m->dc, before->dc) != 0;
        if (new_dc) {
            cql_str name = {at, m->dc.len};
            if (m->dc.len)
                memcpy(at, m->dc.ptr, m->dc.len);
            at += m->dc.len;
            r->dc_names[r->dc_count++] = name;
        }
        uint32_t dc = r->dc_count - 1;
        if (new_dc || compare_str(m->rack, before->rack) != 0) {
            r->rack_count++;
            r->dc_racks[dc]++;
        }
        r->dc_nodes[dc]++;
        r->dc_of[places[i].index] = (uint16_t)dc;
        r->rack_of[places[i].index] = (uint16_t)(r->rack_count - 1);
    }
}

static cql_status make_places(cqln_ring *r, const cqln_member *members, size_t count)
{
    size_t names = 1;
    for (size_t i = 0; i < count; i++)
        names += members[i].dc.len;
    place *places = cqln_alloc_array(r->al, count, sizeof *places);
    r->dc_of = cqln_alloc_array(r->al, count, sizeof *r->dc_of);
    r->rack_of = cqln_alloc_array(r->al, count, sizeof *r->rack_of);
    r->near = cqln_alloc_array(r->al, count, sizeof *r->near);
    r->dc_names = cqln_alloc_array(r->al, count, sizeof *r->dc_names);
    r->dc_nodes = cqln_alloc_zero(r->al, count * sizeof *r->dc_nodes);
    r->dc_racks = cqln_alloc_zero(r->al, count * sizeof *r->dc_racks);
    r->names = cqln_alloc(r->al, names);
    bool ok = places && r->dc_of && r->rack_of && r->near && r->dc_names && r->dc_nodes &&
              r->dc_racks && r->names;
    for (size_t i = 0; ok && i < count; i++)
        r->near[i] = members[i].near;
    if (ok)
        number_places(r, places, places_of(r, members, count, places));
    cqln_free(r->al, places);
    return ok ? CQL_OK : CQL_NO_MEMORY;
}

/* --- life ----------------------------------------------------------------------------------------- */

cql_status cqln_ring_new(const cql_allocator *al, cqln_partitioner partitioner,
                         const cqln_member *members, size_t count, cqln_ring **out)
{
    *out = NULL;
    if (partitioner == CQLN_PARTITIONER_UNKNOWN || count == 0)
        return CQL_UNSUPPORTED;
    if (count > CQLN_RING_MEMBERS)
        return CQL_TOO_LARGE;
    cqln_ring *r = cqln_alloc_zero(al, sizeof *r);
    if (!r)
        return CQL_NO_MEMORY;
    atomic_init(&r->refs, 1);
    r->al = al;
    r->partitioner = partitioner;
    r->members = (uint32_t)count;
    cql_status st = make_positions(r, members, count);
    if (st == CQL_OK)
        st = make_places(r, members, count);
    if (st) {
        cqln_ring_unref(r);
        return st;
    }
    *out = r;
    return CQL_OK;
}

cqln_ring *cqln_ring_ref(cqln_ring *r)
{
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

void cqln_ring_unref(cqln_ring *r)
{
    if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
        return;
    cqln_free(r->al, r->hi);
    cqln_free(r->al, r->lo);
    cqln_free(r->al, r->bucket);
    cqln_free(r->al, r->owner);
    cqln_free(r->al, r->dc_names);
    cqln_free(r->al, r->dc_nodes);
    cqln_free(r->al, r->dc_racks);
    cqln_free(r->al, r->dc_of);
    cqln_free(r->al, r->rack_of);
    cqln_free(r->al, r->near);
    cqln_free(r->al, r->names);
    cqln_free(r->al, r);
}

uint32_t cqln_ring_find_exactly(const cqln_ring *r, cqln_token t, uint32_t from)
{
    uint32_t end = from; /* the run of tokens with this first word */
    uint32_t n;
    while (end < r->positions && r->hi[end] == t.hi)
        end++;
    for (n = end - from; n > 0;) {
        uint32_t half = n / 2;
        bool behind = r->lo[from + half] < t.lo;
        from = behind ? from + half + 1 : from;
        n = behind ? n - half - 1 : half;
    }
    return from;
}
