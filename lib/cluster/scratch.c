/* Scratch memory of a result. */
#include "cluster/scratch.h"

enum { BLOCK = 512 };

struct cqln_scratch {
    cqln_scratch *older;
    size_t used;
    size_t cap;
};

char *cqln_scratch_alloc(const cql_allocator *al, cqln_scratch **s, size_t size)
{
    if (!*s || (*s)->cap - (*s)->used < size) {
        size_t cap = size > BLOCK ? size : BLOCK;
        size_t bytes;
        if (!cqln_add_size(sizeof(cqln_scratch), cap, &bytes))
            return NULL;
        cqln_scratch *block = cqln_alloc(al, bytes);
        if (!block)
            return NULL;
        block->older = *s;
        block->used = 0;
        block->cap = cap;
        *s = block;
    }
    char *at = (char *)(*s + 1) + (*s)->used;
    (*s)->used += size;
    return at;
}

void cqln_scratch_reset(const cql_allocator *al, cqln_scratch **s)
{
    if (!*s)
        return;
    cqln_scratch_free(al, (*s)->older);
    (*s)->older = NULL;
    (*s)->used = 0;
}

void cqln_scratch_free(const cql_allocator *al, cqln_scratch *s)
{
    while (s) {
        cqln_scratch *older = s->older;
        cqln_free(al, s);
        s = older;
    }
}
