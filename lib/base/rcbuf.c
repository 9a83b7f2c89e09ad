/* Counted byte blocks. The allocator table is copied: a block may outlive the session it came from. */
#include "base/rcbuf.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

struct cqln_rcbuf {
    cql_allocator al;
    atomic_size_t holders;
    size_t cap;
    alignas(max_align_t) uint8_t data[];
};

cqln_rcbuf *cqln_rcbuf_new(const cql_allocator *al, size_t cap)
{
    size_t bytes;
    if (!cqln_add_size(sizeof(cqln_rcbuf), cap, &bytes))
        return NULL;
    cqln_rcbuf *b = cqln_alloc(al, bytes);
    if (!b)
        return NULL;
    b->al = *al;
    atomic_init(&b->holders, 1);
    b->cap = cap;
    return b;
}

cqln_rcbuf *cqln_rcbuf_ref(cqln_rcbuf *b)
{
    atomic_fetch_add_explicit(&b->holders, 1, memory_order_relaxed);
    return b;
}

/* The last holder must see every write that the others made before they let go. */
void cqln_rcbuf_unref(cqln_rcbuf *b)
{
    if (!b || atomic_fetch_sub_explicit(&b->holders, 1, memory_order_acq_rel) != 1)
        return;
    cql_allocator al = b->al;
    cqln_free(&al, b);
}

bool cqln_rcbuf_sole(const cqln_rcbuf *b)
{
    return atomic_load_explicit(&b->holders, memory_order_acquire) == 1;
}

uint8_t *cqln_rcbuf_data(cqln_rcbuf *b)
{
    return b->data;
}

size_t cqln_rcbuf_cap(const cqln_rcbuf *b)
{
    return b->cap;
}

/* A new block and a copy of the used part, not realloc, which would also copy the rest. */
cqln_rcbuf *cqln_rcbuf_grow(cqln_rcbuf *b, size_t used, size_t cap)
{
    if (cap <= b->cap)
        return b;
    cqln_rcbuf *larger = cqln_rcbuf_new(&b->al, cap);
    if (!larger)
        return NULL;
    memcpy(larger->data, b->data, used < b->cap ? used : b->cap);
    cqln_rcbuf_unref(b);
    return larger;
}
