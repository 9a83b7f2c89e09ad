/* The allocator that fails on demand. The size is kept in front of each block for realloc. */
#include "failmalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct prefix {
    _Alignas(max_align_t) size_t size;
} prefix;

static void *take(void *context, size_t size)
{
    failmalloc *f = context;
    size_t number = atomic_fetch_add(&f->requests, 1) + 1;
    if (f->fail_at && (number == f->fail_at || (f->fail_after && number > f->fail_at)))
        return NULL;
    prefix *block = size > SIZE_MAX - sizeof(prefix) ? NULL : malloc(sizeof(prefix) + size);
    if (!block)
        return NULL;
    block->size = size;
    atomic_fetch_add(&f->live, 1);
    atomic_fetch_add(&f->bytes, size);
    return memset(block + 1, 0xa5, size);
}

static void give_back(void *context, void *block)
{
    failmalloc *f = context;
    if (!block)
        return;
    prefix *head = (prefix *)block - 1;
    atomic_fetch_sub(&f->live, 1);
    atomic_fetch_sub(&f->bytes, head->size);
    free(head);
}

static void *move(void *context, void *block, size_t size)
{
    void *moved = take(context, size);
    if (!block || !moved)
        return moved;
    size_t old = ((prefix *)block - 1)->size;
    memcpy(moved, block, old < size ? old : size);
    give_back(context, block);
    return moved;
}

void failmalloc_init(failmalloc *f)
{
    f->al = (cql_allocator){f, take, move, give_back};
    f->fail_at = 0;
    f->fail_after = false;
    atomic_init(&f->requests, 0);
    atomic_init(&f->live, 0);
    atomic_init(&f->bytes, 0);
}

static void give_up(const failmalloc *f, const char *what)
{
    fprintf(stderr, "request %zu for memory failed%s: %s\n", f->fail_at,
            f->fail_after ? " and all later ones" : "", what);
    exit(99);
}

static bool run(failmalloc *f, failmalloc_fn fn, void *user, bool may_cope)
{
    cql_status st = fn(&f->al, user);
    if (atomic_load(&f->live) != 0)
        give_up(f, "memory was not freed");
    if (atomic_load(&f->requests) < f->fail_at) {
        if (st != CQL_OK)
            give_up(f, "the run without a failure does not succeed");
        return false;
    }
    if (st != CQL_NO_MEMORY && !(may_cope && st == CQL_OK))
        give_up(f, "the run did not report CQL_NO_MEMORY");
    return true;
}

size_t failmalloc_each(failmalloc_fn fn, void *user, bool may_cope)
{
    for (size_t n = 1;; n++) {
        failmalloc f;
        for (int after = 1; after >= 0; after--) {
            failmalloc_init(&f);
            f.fail_at = n;
            f.fail_after = after;
            if (!run(&f, fn, user, may_cope))
                return n - 1;
        }
    }
}
