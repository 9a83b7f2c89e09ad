/* arena.c: memory through the session's allocator. */
#include "metadata/arena.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16384 };

struct cqlmd_block {
    cqlmd_block *next;
};

static void *from_c(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void *again_from_c(void *context, void *block, size_t size)
{
    (void)context;
    return realloc(block, size);
}

static void to_c(void *context, void *block)
{
    (void)context;
    free(block);
}

void cqlmd_arena_init(cqlmd_arena *a, const cql_allocator *al)
{
    memset(a, 0, sizeof *a);
    if (al)
        a->al = *al;
    else
        a->al = (cql_allocator){.malloc_fn = from_c, .realloc_fn = again_from_c, .free_fn = to_c};
}

void cqlmd_arena_fini(cqlmd_arena *a)
{
    while (a->blocks) {
        cqlmd_block *b = a->blocks;
        a->blocks = b->next;
        cqlmd_free(&a->al, b);
    }
}

char *cqlmd_room(cqlmd_arena *a, size_t n)
{
    if (n > a->room) {
        size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;
        cqlmd_block *b = size < SIZE_MAX / 2 ? cqlmd_zalloc(&a->al, sizeof *b + size) : NULL;
        if (!b) {
            a->failed = true;
            return NULL;
        }
        b->next = a->blocks;
        a->blocks = b;
        a->at = (char *)(b + 1);
        a->room = size;
    }
    char *room = a->at;
    a->at += n;
    a->room -= n;
    return room;
}

const char *cqlmd_copy(cqlmd_arena *a, cql_str text)
{
    char *copy = text.len ? cqlmd_room(a, text.len + 1) : NULL;
    if (!copy)
        return "";
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

bool cqlmd_push(cqlmd_arena *a, cqlmd_list *list, const void *item, size_t size)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 16;
        void *items = cap < SIZE_MAX / size
                          ? a->al.realloc_fn(a->al.context, list->items, cap * size)
                          : NULL;
        if (!items) {
            a->failed = true;
            return false;
        }
        list->items = items;
        list->cap = cap;
    }
    memcpy((char *)list->items + list->count++ * size, item, size);
    return true;
}

void cqlmd_list_fini(cqlmd_arena *a, cqlmd_list *list)
{
    cqlmd_free(&a->al, list->items);
    *list = (cqlmd_list){0};
}

void *cqlmd_zalloc(const cql_allocator *al, size_t size)
{
    void *block = al->malloc_fn(al->context, size);
    if (block)
        memset(block, 0, size);
    return block;
}

void cqlmd_free(const cql_allocator *al, void *block)
{
    if (block)
        al->free_fn(al->context, block);
}
