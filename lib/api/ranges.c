/* All tokens cut into ranges, for programs that read whole tables. */
#include "api/routing.h"
#include "api/session.h"

enum { PARTS_MAX = 1 << 20 };

/* Tokens as the ring has them, unsigned: the lowest stands in front of all rows. */
typedef struct cutter {
    cql_token_range *out;
    size_t cap;
    size_t count;
    uint64_t widest;
} cutter;

static int64_t shown(uint64_t token)
{
    return (int64_t)(token ^ (uint64_t)1 << 63);
}

static void put(cutter *c, uint64_t after, uint64_t upto)
{
    if (c->count < c->cap)
        c->out[c->count] = (cql_token_range){shown(after), shown(upto)};
    c->count++;
}

static void cut(cutter *c, uint64_t after, uint64_t upto)
{
    for (; upto - after > c->widest; after += c->widest)
        put(c, after, after + c->widest);
    if (upto != after)
        put(c, after, upto);
}

cql_status cqln_ranges_of(const cqln_ring *r, size_t parts, cql_token_range *out, size_t cap,
                          size_t *count)
{
    cutter c = {out, cap, 0, (UINT64_MAX - 1) / (parts ? parts : 1) + 1};
    uint64_t after = 0;
    if (r->partitioner != CQLN_PARTITIONER_MURMUR3)
        return CQL_UNSUPPORTED;
    for (uint32_t i = 0; i < r->positions; i++) {
        cut(&c, after, r->hi[i]);
        after = r->hi[i];
    }
    cut(&c, after, UINT64_MAX); /* those of the first position again */
    *count = c.count;
    return c.count > cap ? CQL_TOO_LARGE : CQL_OK;
}

cql_status cql_session_token_ranges(cql_session *s, size_t parts, cql_token_range *out, size_t cap,
                                    size_t *count)
{
    if (!s || !count || (!out && cap) || parts > PARTS_MAX)
        return CQL_BAD_ARGUMENT;
    *count = 0;
    cqln_ring *r = cqln_router_ring(&s->cluster);
    cql_status st = r ? cqln_ranges_of(r, parts, out, cap, count) : CQL_BAD_STATE;
    cqln_ring_unref(r);
    return st;
}
