/* The bump allocator: a chain of blocks, each twice the size of the one before up to a limit. */
#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

enum { ALIGN = alignof(max_align_t), FIRST_BLOCK = 1024, LARGEST_BLOCK = 65536 };

typedef struct cqln_arena_block {
    alignas(max_align_t) struct cqln_arena_block *next;
    size_t size;
} cqln_arena_block;

void cqln_arena_init(cqln_arena *a, const cql_allocator *al, size_t max)
{
    a->al = al;
    a->blocks = NULL;
    a->at = NULL;
    a->end = NULL;
    a->total = 0;
    a->capped = false;
    a->max = max ? max : SIZE_MAX;
}

void cqln_arena_fini(cqln_arena *a)
{
    while (a->blocks) {
        cqln_arena_block *next = a->blocks->next;
        cqln_free(a->al, a->blocks);
        a->blocks = next;
    }
    a->at = NULL;
    a->end = NULL;
    a->total = 0;
}

/* Starts a block that holds at least `size` bytes. What is left of the last one is given up. */
static bool add_block(cqln_arena *a, size_t size)
{
    size_t room = a->blocks ? a->blocks->size * 2 : FIRST_BLOCK;
    if (room > LARGEST_BLOCK)
        room = LARGEST_BLOCK;
    if (room < size)
        room = size;
    size_t bytes;
    if (!cqln_add_size(room, sizeof(cqln_arena_block), &bytes))
        return false;
    cqln_arena_block *block = cqln_alloc(a->al, bytes);
    if (!block)
        return false;
    block->next = a->blocks;
    block->size = room;
    a->blocks = block;
    a->at = (uint8_t *)(block + 1);
    a->end = a->at + room;
    return true;
}

void *cqln_arena_alloc(cqln_arena *a, size_t size)
{
    size_t rounded;
    if (!cqln_add_size(size ? size : 1, ALIGN - 1, &rounded))
        return NULL;
    rounded &= ~(size_t)(ALIGN - 1);
    if (rounded > a->max - a->total) {
        a->capped = true;
        return NULL;
    }
    if (rounded > (size_t)(a->end - a->at) && !add_block(a, rounded))
        return NULL;
    void *p = a->at;
    a->at += rounded;
    a->total += rounded;
    return memset(p, 0, rounded);
}

void *cqln_arena_array(cqln_arena *a, size_t count, size_t size)
{
    size_t bytes;
    return cqln_mul_size(count, size, &bytes) ? cqln_arena_alloc(a, bytes) : NULL;
}

cql_str cqln_arena_str(cqln_arena *a, cql_str text)
{
    cql_str copy = {NULL, 0};
    size_t bytes;
    if (!cqln_add_size(text.len, 1, &bytes))
        return copy;
    char *p = cqln_arena_alloc(a, bytes);
    if (!p)
        return copy;
    if (text.len)
        memcpy(p, text.ptr, text.len);
    copy.ptr = p;
    copy.len = text.len;
    return copy;
}
