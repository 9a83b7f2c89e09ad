/* arena.h: memory of one snapshot: it only grows and is freed together. */
#ifndef CQLMD_ARENA_H
#define CQLMD_ARENA_H

#include <cqlnative/base.h>

typedef struct cqlmd_block cqlmd_block;

typedef struct cqlmd_arena {
    cql_allocator al;
    cqlmd_block *blocks;
    char *at;
    size_t room;
    bool failed; /* memory was asked for and not to be had */
} cqlmd_arena;

/* A growing array; pushing may move the items. */
typedef struct cqlmd_list {
    void *items;
    size_t count;
    size_t cap;
} cqlmd_list;

void cqlmd_arena_init(cqlmd_arena *a, const cql_allocator *al);
void cqlmd_arena_fini(cqlmd_arena *a);
/* A copy with a NUL behind it; "" when memory is out. */
const char *cqlmd_copy(cqlmd_arena *a, cql_str text);
/* Room for n bytes, aligned for text alone; NULL when memory is out. */
char *cqlmd_room(cqlmd_arena *a, size_t n);
/* A new item at the end with these bytes; false when memory is out. */
bool cqlmd_push(cqlmd_arena *a, cqlmd_list *list, const void *item, size_t size);
void cqlmd_list_fini(cqlmd_arena *a, cqlmd_list *list);
/* Cleared; NULL when memory is out. */
void *cqlmd_zalloc(const cql_allocator *al, size_t size);
void cqlmd_free(const cql_allocator *al, void *block);

#endif
