/* routing.h: routing keys of statements and batches, and what a request is told of them. */
#ifndef CQLN_API_ROUTING_H
#define CQLN_API_ROUTING_H

#include "api/statement.h"

/* What was said by hand, or collected from the members of a batch. */
struct cqln_routing {
    uint8_t *key; /* a buffer that stays; in it the key */
    size_t cap;
    size_t len; /* 0: no key */
    uint64_t keyspace_mark; /* 0: none */
    cqln_token token;
    bool has_token; /* said in place of a key */
    bool key_by_hand;
    bool keyspace_by_hand;
};

void cqln_routing_free(const cql_allocator *al, cqln_routing *r);
/* What was said of one statement, for its copy, of which nothing is said yet. */
cql_status cqln_routing_copy(cql_statement *to, const cql_statement *from);
/* Takes over what a member of a batch knows, unless an earlier one did. */
cql_status cqln_routing_add(cql_batch *b, const cql_statement *s);
/* The batch was emptied: what members knew goes. */
void cqln_routing_clear(cql_batch *b);

/* What cql_session_token_ranges answers for a ring (ranges.c). */
cql_status cqln_ranges_of(const cqln_ring *r, size_t parts, cql_token_range *out, size_t cap,
                          size_t *count);

/* The ways that are not the commonest (routing.c). */
void cqln_route_slowly(cqln_cluster *c, const cql_statement *s, uint8_t partitioner,
                       cqln_route *out);
void cqln_route_batch(cqln_cluster *c, const cql_batch *b, cqln_route *out);
/* Of its level (encode.c): local ones keep to the local data centre, serial ones to the order of the ring. */
void cqln_route_level(cqln_cluster *c, int32_t level, cqln_route *out);

/* The token of a key that is one marker. False: null, not set, or empty, which no key may be. */
static inline bool cqln_route_key(const cql_statement *s, uint32_t marker, cqln_token *token)
{
    const uint32_t *at = s->offsets + marker;
    uint32_t len = at[1] - at[0] - 4;
    if (len == 0)
        return false;
    *token = cqln_token_murmur3(s->values + at[0] + 4, len);
    return true;
}

/* Where a statement should go; out is as cqln_request_begin leaves it. A key of one column costs its hash
 * and a few steps; where there is nothing to choose, one look. */
static inline void cqln_route_statement(cqln_cluster *c, const cql_statement *s, cqln_route *out)
{
    uint8_t partitioner = atomic_load_explicit(&c->router.partitioner, memory_order_relaxed);
    if (c->router.levels || (partitioner && s->ex.consistency >= 0))
        cqln_route_level(c, s->ex.consistency, out);
    if (!partitioner)
        return;
    const cqln_metadata *bind = s->prepared ? s->prepared->bind : NULL;
    if (!bind || bind->pk_count != 1 || s->ex.routing || partitioner != CQLN_PARTITIONER_MURMUR3) {
        cqln_route_slowly(c, s, partitioner, out);
        return;
    }
    out->conditional = out->conditional || s->prepared->conditional;
    out->keyspace_mark = s->prepared->keyspace_mark;
    out->has_token = cqln_route_key(s, bind->pk_index[0], &out->token);
}

/* Does it go to any node as well as to any other, since each has its row? Then nothing is hashed. */
static inline bool cqln_route_anywhere(cqln_cluster *c, const cql_statement *s, cqln_route *out)
{
    uint64_t whole = atomic_load_explicit(&c->router.whole_mark, memory_order_relaxed);
    if (!whole || !s->prepared || s->prepared->keyspace_mark != whole || s->prepared->conditional ||
        s->ex.routing || (s->ex.consistency | 1) == CQL_CONSISTENCY_LOCAL_SERIAL)
        return false;
    out->anywhere = true;
    return true;
}

#endif
